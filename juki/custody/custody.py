"""What keeping, handing over and erasing provisions needs, and the hold that comes before anything is kept.

Decides:    the order in which a hold comes to be, so that nothing is ever kept that no purge would find.
Leaves:     terms to `juki.holds`, files to `juki.hold_keys` and `juki.held_copies`, rows to `juki.store.holds`.
Invariants: whoever holds the lock of a provision and finds its hold open may make its key; a hold whose key is gone
            is being erased and is not revived.
Source:     assessment M12, ADR-0028.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from juki.columns import IdentityFile
from juki.errors import JukiError, StoreError
from juki.held_copies import HeldCopies
from juki.hold_keys import HoldKeys
from juki.holds import Hold, HoldTerms
from juki.home import Home
from juki.journal import Action, Entry, Outcome
from juki.numbers import SealingKey
from juki.operators import Acting
from juki.package_id import PackageId
from juki.reasons import Code
from juki.store.holds import provision_lock
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit


@dataclass(frozen=True, slots=True)
class Custody:
    """One installation, as far as provisions are kept in it: where, until when, by whom, by which clock.

    `delivery` names the folder of a recipient; `now` is the clock of whoever acts; `may_leave` says why a package may
    not be handed over by what is registered now.
    """

    home: Home
    urls: Mapping[IdentityFile, str]
    terms: HoldTerms
    delivery: Callable[[str], Path]
    now: Callable[[], datetime]
    may_leave: Callable[[Hold, datetime], Code | None]
    acting: Acting

    @property
    def keys(self) -> HoldKeys:
        """The keys of the holds."""
        return HoldKeys(self.home.holds)

    @property
    def copies(self) -> HeldCopies:
        """The kept packages."""
        return HeldCopies(self.home)

    def unit(self, file: IdentityFile, duty: Duty) -> AbstractContextManager[Unit]:
        """Open a transaction on the store of a file."""
        return open_unit(self.urls[file], file, duty)

    def lock(self, provision: PackageId) -> AbstractContextManager[None]:
        """Be the only one to work a provision; HOLD_BUSY, transient, when another process does."""
        return provision_lock(self.urls[provision.file], provision)

    def hold(self, provision: PackageId) -> Hold:
        """Find the hold of a provision.

        Raises: JukiError(HOLD_UNKNOWN).
        """
        with self.unit(provision.file, Duty.READER) as unit:
            found = unit.holds.find(provision.number)
        if found is None:
            raise JukiError(Code.HOLD_UNKNOWN, str(provision))
        return found

    def opened(self, provision: PackageId, numbers: int) -> SealingKey:
        """Open the hold of a provision that is not sealed yet, and return its key; again, the same key.

        For whoever holds the lock of the provision.
        Raises: StoreError(PROVISION_PURGED) when it was erased or is being erased, StoreError(HOLD_TERM_REACHED).
        """
        at = self.now()
        with self.unit(provision.file, Duty.PROVIDER) as unit:
            found = unit.holds.find(provision.number)
        if found is not None and (found.purged_at is not None or not self.keys.exists(provision)):
            raise StoreError(Code.PROVISION_PURGED, str(provision))
        if found is not None and found.due_at <= at:
            raise StoreError(Code.HOLD_TERM_REACHED, str(provision))
        # The key before the row: a key without a hold opens nothing, a hold without a key is one that is erased.
        key = self.keys.ensure(provision)
        if found is None:
            with self.unit(provision.file, Duty.PROVIDER) as unit:
                unit.holds.open(provision.number, numbers, at, self.terms.due_at(sealed_at=at))
        return key

    def entry(
        self, hold: Hold, action: Action, counts: Mapping[str, int], *, due_at: str = "", medium: str = "",
        refused: Code | None = None,
    ) -> Entry:  # fmt: skip
        """Write the journal entry of what was done with a provision."""
        entry = Entry(
            action=action, file=hold.provision.file,
            outcome=Outcome.REFUSED if refused else Outcome.DONE, code=refused,
            basis=hold.basis, package=hold.file_name if hold.sequence else "", provision=str(hold.provision),
            recipient=hold.recipient, counts=counts, due_at=due_at, medium=medium,
        )  # fmt: skip
        return self.acting.signed(entry)
