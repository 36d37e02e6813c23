"""Erase what has come to its end: the key first, then rows and copies, then a look, then the proof.

Decides:    the order of erasing, and what must be absent before anything is proved.
Leaves:     what is due to `juki.holds` and `juki.store.holds`, the clock to `juki.custody.timing`.
Invariants: with the key destroyed nothing of a hold can be read, wherever remnants of it lie; everything after is
            housekeeping. Killed between any two steps and run again: nothing is kept, and there is one proof. What
            could not be erased has no proof and is tried again.
Source:     assessment M12, ADR-0028.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from juki.columns import IdentityFile
from juki.custody.custody import Custody
from juki.holds import Hold
from juki.journal import Action
from juki.package_id import PackageId
from juki.reasons import Code
from juki.store.holds import in_batches, provisions_locked
from juki.store.roles import Duty

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO


@dataclass(frozen=True, slots=True)
class PurgeSummary:
    """What a purge found due, erased and proved; provisions by number, nothing else."""

    at: datetime
    due: tuple[Hold, ...] = ()
    erased: tuple[PackageId, ...] = ()
    numbers: int = 0
    busy: tuple[PackageId, ...] = ()
    """Due, and being handed over meanwhile: the next run comes back to them."""
    failed: tuple[PackageId, ...] = ()
    """Something of them is still there."""
    strays: tuple[PackageId, ...] = ()
    """Keys or copies nobody holds, left by a killed process: taken away."""
    overdue: tuple[PackageId, ...] = ()
    """Not erased although the grace period is over."""
    stopped: Code | None = None
    """Why the clock was not believed and nothing was erased."""

    @property
    def code(self) -> Code | None:
        """The worst that is to be said."""
        if self.stopped:
            return self.stopped
        if self.failed:
            return Code.HOLD_NOT_ERASED
        return Code.HOLD_OVERDUE if self.overdue else None


@dataclass(slots=True)
class Purge:
    """One purge at one reference time."""

    custody: Custody
    at: datetime
    grace: timedelta
    _erased: list[PackageId] = field(default_factory=list)
    _busy: list[PackageId] = field(default_factory=list)
    _failed: list[PackageId] = field(default_factory=list)
    _strays: list[PackageId] = field(default_factory=list)
    _numbers: int = 0

    def plan(self) -> PurgeSummary:
        """Tell what would be erased, and erase nothing."""
        due = tuple(hold for file in IdentityFile for hold in self._due(file))
        overdue = tuple(hold.provision for hold in due if hold.is_overdue(self.at, self.grace))
        return PurgeSummary(self.at, due, overdue=overdue)

    def stopped(self, why: Code) -> PurgeSummary:
        """Tell what is due and stays, because the clock is not believed."""
        return replace(self.plan(), stopped=why)

    def run(self) -> PurgeSummary:
        """Erase everything due, and tell."""
        planned = self.plan()
        for file in IdentityFile:
            for batch in in_batches([hold for hold in planned.due if hold.provision.file is file]):
                self._erase_batch(file, batch)
        self._sweep()
        left = {*self._busy, *self._failed}
        return replace(
            planned, erased=tuple(self._erased), numbers=self._numbers, busy=tuple(self._busy),
            failed=tuple(self._failed), strays=tuple(self._strays),
            overdue=tuple(one for one in planned.overdue if one in left),
        )  # fmt: skip

    def _due(self, file: IdentityFile, among: Sequence[int] | None = None) -> list[Hold]:
        with self.custody.unit(file, Duty.PURGER) as unit:
            due = unit.holds.due(self.at)
        return due if among is None else [hold for hold in due if hold.provision.number in set(among)]

    def _erase_batch(self, file: IdentityFile, batch: Sequence[Hold]) -> None:
        wanted = [hold.provision for hold in batch]
        numbers = [one.number for one in wanted]
        with provisions_locked(self.custody.urls[file], file, numbers) as locked:
            self._busy += [one for one in wanted if one.number not in set(locked)]
            # Looked at again under the lock: a delivery may have ended meanwhile and moved the end.
            holds = self._due(file, locked)
            if holds:
                self._erase(file, holds)

    def _erase(self, file: IdentityFile, holds: Sequence[Hold]) -> None:
        provisions = [hold.provision for hold in holds]
        ids = [one.number for one in provisions]
        for one in provisions:
            self._try(one, self.custody.keys.destroy)
        with self.custody.unit(file, Duty.PURGER) as unit:
            unit.holds.erase_numbers(ids)
        for one in provisions:
            self._try(one, self.custody.copies.remove)
        if file is FUHYO:
            with self.custody.unit(RESIDENT, Duty.PROVIDER) as unit:
                unit.holds.close_crossings(ids, self.at)
        self._prove(file, holds)

    def _prove(self, file: IdentityFile, holds: Sequence[Hold]) -> None:
        """Look whether everything is gone, and say so of what is: hold and entry in one transaction."""
        left = self._left(file, [hold.provision.number for hold in holds])
        gone = [hold for hold in holds if not any(left[hold.provision.number].values())]
        self._failed += [hold.provision for hold in holds if hold not in gone]
        done_at = max(self.custody.now(), self.at)
        with self.custody.unit(file, Duty.PURGER) as unit:
            for hold in gone:
                counts = {"numbers": hold.numbers, **left[hold.provision.number]}
                due_at = hold.due_at.isoformat(timespec="microseconds")
                entry = self.custody.entry(hold, Action.HOLD_PURGED, counts, due_at=due_at)
                unit.holds.purged(hold.provision.number, done_at, unit.journal.append(entry, done_at))
        self._erased += [hold.provision for hold in gone]
        self._numbers += sum(hold.numbers for hold in gone)

    def _left(self, file: IdentityFile, ids: Sequence[int]) -> dict[int, dict[str, int]]:
        """Count what is left of each provision, by what it is."""
        with self.custody.unit(file, Duty.PURGER) as unit:
            rows = unit.holds.numbers_left(ids)
        crossings = set[int]()
        if file is FUHYO:
            with self.custody.unit(RESIDENT, Duty.PROVIDER) as unit:
                crossings = unit.holds.open_crossings(ids)
        return {
            one: {
                "keys_left": int(self.custody.keys.exists(PackageId(file, one))),
                "rows_left": rows.get(one, 0),
                "copies_left": int(self.custody.copies.exists(PackageId(file, one))),
                "crossings_open": int(one in crossings),
            }
            for one in ids
        }

    def _sweep(self) -> None:
        """Take away what lies in the folders of a hold that is erased: nobody can say what it is still for."""
        lying = {*self.custody.keys.listed(), *self.custody.copies.listed()}
        for file in IdentityFile:
            ids = [one.number for one in lying if one.file is file]
            if ids:
                with self.custody.unit(file, Duty.PURGER) as unit:
                    erased = unit.holds.erased_among(ids)
                for number in sorted(erased):
                    one = PackageId(file, number)
                    self._try(one, self.custody.keys.destroy)
                    self._try(one, self.custody.copies.remove)
                    self._strays.append(one)

    def _try(self, provision: PackageId, erase: Callable[[PackageId], bool]) -> None:
        """Erase one thing; a disk that refuses must not keep the others, and the look will find what is left."""
        with suppress(OSError):
            erase(provision)
