"""Erase what has come to its end: the key first, then rows and copies, then a look, then the proof.

Decides:    the order of erasing, what must be absent before anything is proved, and that each store is worked for
            itself.
Leaves:     what is due to `juki.holds` and `juki.store.holds`, the clock to `juki.custody.timing`, delivered files to
            `juki.custody.withdrawing`, what nobody holds to `juki.custody.sweeping`, requests to
            `juki.custody.forgetting`.
Invariants: with the key destroyed nothing of a hold can be read, wherever remnants of it lie; everything after is
            housekeeping. Killed between any two steps and run again: nothing is kept, and there is one proof. What
            could not be erased has no proof and is tried again. A folder out of reach or a store that is down keeps
            nothing else from its end.
Source:     assessment M12, ADR-0028, ADR-0032.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from juki.columns import IdentityFile
from juki.custody.apart import Apart, hindered
from juki.custody.custody import Custody
from juki.custody.forgetting import Forgetting
from juki.custody.sweeping import Sweep
from juki.custody.withdrawing import Deliveries, TakenBack, counted
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
    left: tuple[PackageId, ...] = ()
    """Erased, and what was delivered may still lie in a folder: an alarm until it is seen that it does not."""
    requests: int = 0
    """Requests whose keeping was over."""
    refused: int = 0
    """Refused files whose keeping was over."""
    stores: Mapping[IdentityFile, Code] = field(default_factory=dict)
    """The stores that could not be worked to the end, and why."""
    stopped: Code | None = None
    """Why the clock was not believed and nothing was erased."""

    @property
    def code(self) -> Code | None:
        """The worst that is to be said."""
        if hindrance := hindered(self.stopped, self.stores):
            return hindrance
        if self.failed:
            return Code.HOLD_NOT_ERASED
        return Code.HOLD_OVERDUE if self.overdue else None

    @property
    def where(self) -> str:
        """What the worst is about: stores, or provisions."""
        return ", ".join([file.value for file in self.stores] or map(str, self.failed or self.overdue))


@dataclass(slots=True)
class Purge:
    """One purge at one reference time."""

    custody: Custody
    at: datetime
    grace: timedelta
    progress: Callable[[int, int], None] = lambda _done, _total: None
    """Told after every batch how many of those due were come to."""
    _erased: list[PackageId] = field(default_factory=list)
    _busy: list[PackageId] = field(default_factory=list)
    _failed: list[PackageId] = field(default_factory=list)
    _left: list[PackageId] = field(default_factory=list)
    _apart: Apart = field(default_factory=Apart)
    _numbers: int = 0

    def plan(self) -> PurgeSummary:
        """Tell what would be erased, and erase nothing; what is busy or does not go by then nobody can foresee."""
        planned = self._listed()
        deliveries, sweep = Deliveries(self.custody), Sweep(self.custody, self.at)
        forgetting = Forgetting(self.custody, self.at)
        for file in IdentityFile:
            due = [hold for hold in planned.due if hold.provision.file is file]
            for foresee in (sweep.plan, forgetting.plan, partial(self._plan_left, deliveries, due)):
                with self._apart.alone(file):
                    foresee(file)
        return replace(
            planned, strays=tuple(sweep.taken), left=tuple(self._left), requests=forgetting.requests,
            refused=forgetting.refused, stores=self._apart.failures,
        )  # fmt: skip

    def _listed(self) -> PurgeSummary:
        """List what has come to its end."""
        due = list[Hold]()
        for file in IdentityFile:
            with self._apart.alone(file):
                due += self._due(file)
        overdue = tuple(hold.provision for hold in due if hold.is_overdue(self.at, self.grace))
        return PurgeSummary(self.at, tuple(due), overdue=overdue, stores=self._apart.failures)

    def stopped(self, why: Code) -> PurgeSummary:
        """Tell what is due and stays, because the clock is not believed."""
        return replace(self._listed(), stopped=why)

    def run(self) -> PurgeSummary:
        """Erase everything due, and tell."""
        planned = self._listed()
        deliveries, sweep = Deliveries(self.custody), Sweep(self.custody, self.at)
        forgetting = Forgetting(self.custody, self.at)
        done = 0
        for file in IdentityFile:
            with self._apart.alone(file):
                for batch in in_batches([hold for hold in planned.due if hold.provision.file is file]):
                    self._erase_batch(file, batch, deliveries)
                    done += len(batch)
                    self.progress(done, len(planned.due))
            for rest in (sweep.run, forgetting.run, partial(self._take_back, deliveries)):
                with self._apart.alone(file):
                    rest(file)
        self._failed += [*sweep.failed, *forgetting.failed]
        return replace(
            planned, erased=tuple(self._erased), numbers=self._numbers, busy=tuple(self._busy),
            failed=tuple(self._failed), strays=tuple(sweep.taken), left=tuple(self._left),
            requests=forgetting.requests, refused=forgetting.refused, stores=self._apart.failures,
            overdue=self._still(planned.overdue),
        )  # fmt: skip

    def _still(self, overdue: Sequence[PackageId]) -> tuple[PackageId, ...]:
        """Name those overdue that are still there; a delivery that ended meanwhile has moved the end of its own."""
        left = {*self._busy, *self._failed}
        erased = set(self._erased)
        return tuple(
            one for one in overdue if one in left or (one.file in self._apart.failures and one not in erased)
        )

    def _due(self, file: IdentityFile, among: Sequence[int] | None = None) -> list[Hold]:
        with self.custody.unit(file, Duty.PURGER) as unit:
            return unit.holds.due(self.at, among)

    def _erase_batch(self, file: IdentityFile, batch: Sequence[Hold], deliveries: Deliveries) -> None:
        wanted = [hold.provision for hold in batch]
        with provisions_locked(self.custody.urls[file], file, [one.number for one in wanted]) as locked:
            ours = set(locked)
            self._busy += [one for one in wanted if one.number not in ours]
            # Looked at again under the lock: a delivery may have ended meanwhile and moved the end.
            holds = self._due(file, locked)
            if holds:
                self._erase(file, holds)
                self._prove(file, holds, {hold.provision: deliveries.take_back(hold) for hold in holds})

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
            with self._apart.alone(RESIDENT), self.custody.unit(RESIDENT, Duty.PROVIDER) as unit:
                unit.holds.close_crossings(ids, self.at)

    def _prove(self, file: IdentityFile, holds: Sequence[Hold], taken: Mapping[PackageId, TakenBack]) -> None:
        """Look whether everything is gone, and say so of what is: hold and entry in one transaction."""
        left = self._look(file, [hold.provision.number for hold in holds])
        gone = [hold for hold in holds if not any(left[hold.provision.number].values())]
        self._failed += [hold.provision for hold in holds if any(left[hold.provision.number].values())]
        done_at = max(self.custody.now(), self.at)
        with self.custody.unit(file, Duty.PURGER) as unit:
            for hold in gone:
                number, became = hold.provision.number, taken[hold.provision]
                counts = {"numbers": hold.numbers, **left[number], **counted(became)}
                due_at = hold.due_at.isoformat(timespec="microseconds")
                entry = self.custody.entry(hold, Action.HOLD_PURGED, counts, due_at=due_at)
                unit.holds.purged(number, done_at, unit.journal.append(entry, done_at))
                if became is not TakenBack.LEFT:
                    unit.holds.withdrawn(number, done_at)
        self._erased += [hold.provision for hold in gone]
        self._numbers += sum(hold.numbers for hold in gone)

    def _look(self, file: IdentityFile, ids: Sequence[int]) -> dict[int, dict[str, int]]:
        """Count what is left of each provision, by what it is."""
        with self.custody.unit(file, Duty.PURGER) as unit:
            rows = unit.holds.numbers_left(ids)
        crossings = self._open_crossings(ids) if file is FUHYO else set[int]()
        return {
            one: {
                "keys_left": int(self.custody.keys.exists(PackageId(file, one))),
                "rows_left": rows.get(one, 0),
                "copies_left": int(self.custody.copies.exists(PackageId(file, one))),
                "crossings_open": int(one in crossings),
            }
            for one in ids
        }

    def _open_crossings(self, ids: Sequence[int]) -> set[int]:
        """Name the approvals not closed; all of them, where the store that knows can not be asked."""
        with self._apart.alone(RESIDENT), self.custody.unit(RESIDENT, Duty.PROVIDER) as unit:
            return unit.holds.open_crossings(ids)
        return set(ids)

    def _take_back(self, deliveries: Deliveries, file: IdentityFile) -> None:
        """Look again for what was erased while its delivery folder could not be looked into."""
        with self.custody.unit(file, Duty.PURGER) as unit:
            erased = unit.holds.deliveries_left()
        for hold in erased:
            became = deliveries.take_back(hold)
            if became is TakenBack.LEFT:
                self._left.append(hold.provision)
                continue
            at = max(self.custody.now(), self.at)
            with self.custody.unit(file, Duty.PURGER) as unit:
                if unit.holds.withdrawn(hold.provision.number, at):
                    unit.journal.append(
                        self.custody.entry(hold, Action.DELIVERY_WITHDRAWN, counted(became)), at
                    )

    def _plan_left(self, deliveries: Deliveries, due: Sequence[Hold], file: IdentityFile) -> None:
        """Name what would be erased, or is, and could not be taken back now."""
        with self.custody.unit(file, Duty.PURGER) as unit:
            erased = [*unit.holds.deliveries_left(), *due]
        erased.sort(key=lambda hold: (hold.due_at, hold.provision))
        self._left += [hold.provision for hold in erased if deliveries.plan(hold) is TakenBack.LEFT]

    def _try(self, provision: PackageId, erase: Callable[[PackageId], bool]) -> None:
        """Erase one thing; a disk that refuses must not keep the others, and the look will find what is left."""
        with suppress(OSError):
            erase(provision)
