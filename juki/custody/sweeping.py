"""Take away keys and copies that no hold is for: left by a process that died, or come back after the erasure.

Decides:    what nobody holds: what lies there of an erased hold, and what is old enough without any.
Leaves:     destroying to `juki.hold_keys` and `juki.held_copies`.
Invariants: looked at under the lock of the provision, so that nothing is taken from whoever is just opening a hold.
            The entry commits after the thing is gone; one that does not go leaves no entry and is tried again.
Source:     assessment M12, ADR-0028, ADR-0032.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from juki.columns import IdentityFile
from juki.custody.custody import Custody
from juki.journal import Action, Entry, Outcome
from juki.package_id import PackageId
from juki.store.holds import in_batches, provisions_locked
from juki.store.roles import Duty

SAFE_AGE = timedelta(hours=24)
"""A key or copy without a hold that is younger may belong to a process at work."""


@dataclass(slots=True)
class Sweep:
    """One sweep at the reference time of a purge; what was taken away, and what did not go."""

    custody: Custody
    at: datetime
    taken: list[PackageId] = field(default_factory=list)
    """Taken away, or by a plan to be taken away."""
    failed: list[PackageId] = field(default_factory=list)

    def plan(self, file: IdentityFile) -> None:
        """Name what a run would take away of one file, and take nothing."""
        self.taken += [PackageId(file, number) for number in self._strays(file, self._lying(file))]

    def run(self, file: IdentityFile) -> None:
        """Sweep what lies there of the provisions of one file."""
        for batch in in_batches(list(self._strays(file, self._lying(file)))):
            with provisions_locked(self.custody.urls[file], file, batch) as locked:
                for number in self._strays(file, locked):
                    self._take(PackageId(file, number))

    def _lying(self, file: IdentityFile) -> list[int]:
        lying = {*self.custody.keys.listed(), *self.custody.copies.listed()}
        return sorted(one.number for one in lying if one.file is file)

    def _strays(self, file: IdentityFile, ids: Sequence[int]) -> Iterator[int]:
        with self.custody.unit(file, Duty.PURGER) as unit:
            is_erased = unit.holds.is_erased(ids)
        for number in ids:
            # The age is asked of those without a hold only: each look reads the folder.
            if is_erased[number] if number in is_erased else self._is_old(PackageId(file, number)):
                yield number

    def _is_old(self, provision: PackageId) -> bool:
        seen = (self.custody.keys.changed_at(provision), self.custody.copies.changed_at(provision))
        changed_at = max((one for one in seen if one is not None), default=None)
        return changed_at is not None and self.at - changed_at >= SAFE_AGE

    def _take(self, provision: PackageId) -> None:
        keys, copies = self.custody.keys, self.custody.copies
        counts = {"keys": int(keys.exists(provision)), "copies": int(copies.exists(provision))}
        entry = Entry(
            action=Action.HOLD_SWEPT, file=provision.file, outcome=Outcome.DONE, counts=counts,
            provision=str(provision),
        )  # fmt: skip
        try:
            with self.custody.unit(provision.file, Duty.PURGER) as unit:
                unit.journal.append(self.custody.acting.signed(entry), max(self.custody.now(), self.at))
                keys.destroy(provision)
                copies.remove(provision)
        except OSError:
            self.failed.append(provision)
        else:
            self.taken.append(provision)
