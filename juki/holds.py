"""Holds (一時保存): until when what was provided may be kept, what is due, and whether a clock may be believed.

Decides:    the end of a hold, what comes to its end at one reference time, and when an erasure is too late.
Leaves:     keys to `juki.hold_keys`, sealed copies to `juki.held_copies`, rows to `juki.store.holds`.
Invariants: nothing but the delivery itself moves an end later; a receipt moves it earlier or not at all, a re-send
            not at all. At the very instant of its end a hold is due. A clock that is not to be believed erases
            nothing.
Source:     assessment M12, ADR-0028.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from juki.package_id import PackageId
from juki.provisions import Method, ProvisionState
from juki.reasons import Code

CLOCK_TOLERANCE = timedelta(minutes=1)
"""How far clocks of machines that write into one store may differ."""


@dataclass(frozen=True, slots=True)
class HoldTerms:
    """The periods a prefecture has decided: from the delivery, and from the recipient's receipt."""

    hold: timedelta
    after_receipt: timedelta
    requests: timedelta | None = None
    """How long a request is kept once it is decided; None: as long as what was provided on it is held."""

    def due_at(self, *, sealed_at: datetime, delivered_at: datetime | None = None) -> datetime:
        """Tell when a hold ends: counted from the delivery, and from the sealing as long as there is none."""
        return (delivered_at or sealed_at) + self.hold

    def shortened(self, due_at: datetime, receipt_at: datetime) -> datetime:
        """Tell when a hold ends once the recipient has acknowledged what it got."""
        return min(due_at, receipt_at + self.after_receipt)

    def requests_end(self, at: datetime) -> datetime:
        """Tell of when a decision, or a refused file, must be for its request to have come to its end by now."""
        return at - (self.hold if self.requests is None else self.requests)


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold and the provision it is of, as far as keeping and erasing it goes."""

    provision: PackageId
    numbers: int
    held_at: datetime
    due_at: datetime
    state: ProvisionState
    recipient: str
    basis: str = ""
    sequence: int | None = None
    package_sha256: bytes | None = None
    sealed_at: datetime | None = None
    delivered_at: datetime | None = None
    receipt_at: datetime | None = None
    resent: int = 0
    purged_at: datetime | None = None
    entry_no: int | None = None
    medium_no: int | None = None
    method: Method = Method.FILE
    received_at: datetime | None = None
    """When its request was received: at this instant the signature of it was judged."""

    @property
    def file_name(self) -> str:
        """The name its package has in the folder of the recipient."""
        return provision_name(self.recipient, self.provision, self.sequence or 0)

    def is_due(self, at: datetime) -> bool:
        """Tell whether it has come to its end and is not erased yet."""
        return self.purged_at is None and self.due_at <= at

    def is_overdue(self, at: datetime, grace: timedelta) -> bool:
        """Tell whether it should have been erased for longer than the grace period."""
        return self.is_due(at) and at - self.due_at > grace

    def refusal(self, at: datetime) -> Code | None:
        """Tell why its package may not leave now (any more); None when it may."""
        if self.purged_at is not None:
            return Code.PROVISION_PURGED
        if self.state not in (ProvisionState.SEALED, ProvisionState.DELIVERED):
            return Code.PROVISION_NOT_SEALED
        return Code.HOLD_TERM_REACHED if self.due_at <= at else None


def provision_name(recipient: str, provision: PackageId, sequence: int) -> str:
    """Name the sealed answer to a request: `<recipient>-<file>-provision-<sequence, 8 digits>.p7m`."""
    return f"{recipient}-{provision.file.value}-provision-{sequence:08d}.p7m"


@dataclass(frozen=True, slots=True)
class ClockNote:
    """What is remembered of the clock between two purges.

    `trusted_at` is the last reference time that was believed, `accepted` an instant in the store that somebody has
    said is wrong, `stopped` why the last run erased nothing.
    """

    trusted_at: datetime | None = None
    accepted: datetime | None = None
    stopped: Code | None = None

    def judge(self, at: datetime, newest: datetime | None, bound: timedelta) -> Code | None:
        """Tell why a reference time can not be believed; None when it can.

        A clock that jumped ahead drags every instant of the store along with it; so the bound is counted from the
        last purge, which such a clock stopped, and from the store only as long as there was none.
        """
        is_known_wrong = self.accepted is not None and newest is not None and newest <= self.accepted
        known = [one for one in (None if is_known_wrong else newest, self.trusted_at) if one is not None]
        if known and at < max(known) - CLOCK_TOLERANCE:
            return Code.CLOCK_BEHIND
        last = self.trusted_at or newest
        return Code.CLOCK_AHEAD if last is not None and at - last > bound else None

    def trusting(self, at: datetime) -> ClockNote:
        """Note a reference time that was believed."""
        accepted = self.accepted if self.accepted and self.accepted > at else None
        return ClockNote(at, accepted)

    def confirmed(self, at: datetime, newest: datetime | None) -> ClockNote:
        """Note that somebody vouches for the clock at this time: what the store knows of later is wrong."""
        return ClockNote(at, newest if newest and newest > at else None)

    def stopping(self, why: Code) -> ClockNote:
        """Note why a run stopped."""
        return replace(self, stopped=why)
