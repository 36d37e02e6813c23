"""Erase the records whose 150 years are over, in bounded batches, each with its entry.

Decides:    the civil date of a run, the order of its batches, and that each store is worked for itself.
Leaves:     the rule to `juki.retention`, rows to `juki.store.erasing`, the clock to `juki.custody.timing`.
Invariants: a batch and its entry commit together, or nothing is erased. Killed anywhere and run again: what is over
            is erased once and counted once. A version whose day is earlier than its own days allow is kept, and said.
            A clock that is not believed erases nothing.
Source:     assessment M14, 施行令30条の6, 30条の12の4, ADR-0043.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from juki.columns import IdentityFile
from juki.custody.apart import Apart, hindered
from juki.custody.custody import Custody
from juki.dates import civil_date
from juki.journal import Action, Entry, Outcome
from juki.reasons import Code
from juki.store.erasing import AT_ONCE, Due, Erased
from juki.store.roles import Duty

_ARTICLES = {
    IdentityFile.RESIDENT: "住民基本台帳法施行令30条の6",
    IdentityFile.FUHYO: "住民基本台帳法施行令30条の12の4",
}
"""By which the versions of each file are kept, and no longer."""


@dataclass(frozen=True, slots=True)
class ExpirySummary:
    """What a run found over and erased; counts of versions, nothing else."""

    on: date
    due: Mapping[IdentityFile, Due] = field(default_factory=dict)
    erased: Mapping[IdentityFile, int] = field(default_factory=dict)
    """Versions."""
    stores: Mapping[IdentityFile, Code] = field(default_factory=dict)
    """The stores that could not be worked to the end, and why."""
    stopped: Code | None = None
    """Why the clock was not believed and nothing was erased."""

    @property
    def code(self) -> Code | None:
        """The worst that is to be said."""
        wrong = Code.RETENTION_DAY_WRONG if self._unclear else None
        return hindered(self.stopped, self.stores) or wrong

    @property
    def where(self) -> str:
        """What the worst is about: stores."""
        return ", ".join(file.value for file in self.stores or self._unclear)

    @property
    def versions_due(self) -> int:
        """How many versions were over."""
        return sum(one.versions for one in self.due.values())

    @property
    def versions_erased(self) -> int:
        """How many versions went."""
        return sum(self.erased.values())

    @property
    def _unclear(self) -> list[IdentityFile]:
        return [file for file, one in self.due.items() if one.unclear]


@dataclass(slots=True)
class Expiry:
    """The erasing of one run, at the civil date of its reference time."""

    custody: Custody
    at: datetime
    at_once: int = AT_ONCE
    _apart: Apart = field(default_factory=Apart)
    _erased: dict[IdentityFile, int] = field(default_factory=dict)

    @property
    def on(self) -> date:
        """The day by which versions must be over, in Japan."""
        return civil_date(self.at)

    def plan(self) -> ExpirySummary:
        """Tell what would be erased, and erase nothing."""
        due = dict[IdentityFile, Due]()
        for file in IdentityFile:
            with self._apart.alone(file), self.custody.unit(file, Duty.PURGER) as unit:
                due[file] = unit.erasing.due(self.on)
        return ExpirySummary(self.on, due, stores=self._apart.failures)

    def stopped(self, why: Code) -> ExpirySummary:
        """Tell what is over by a clock that is not believed, and stays: whoever vouches for it sees how much."""
        return replace(self.plan(), stopped=why)

    def run(self) -> ExpirySummary:
        """Erase what is over, and tell."""
        planned = self.plan()
        for file in planned.due:
            with self._apart.alone(file):
                while self._batch(file):
                    pass
        return replace(planned, erased=self._erased, stores=self._apart.failures)

    def _batch(self, file: IdentityFile) -> bool:
        """Erase one batch, with its entry in the same transaction; tell whether anything went."""
        with self.custody.unit(file, Duty.PURGER) as unit:
            erased = unit.erasing.erase(self.on, self.at_once)
            if erased.versions:
                unit.journal.append(self._entry(file, erased), max(self.custody.now(), self.at))
        # Counted when it is committed, and not before.
        self._erased[file] = self._erased.get(file, 0) + erased.versions
        return erased.versions > 0

    def _entry(self, file: IdentityFile, erased: Erased) -> Entry:
        entry = Entry(
            action=Action.RECORDS_ERASED, file=file, outcome=Outcome.DONE, counts=erased.counts,
            basis=_ARTICLES[file], due_at=self.on.isoformat(),
        )  # fmt: skip
        return self.custody.acting.signed(entry)
