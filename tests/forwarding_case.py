"""A file that J-LIS is told of: notices in, packages out, a stand-in that answers. Test-only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from juki.columns import NOTICE_COLUMNS, RECORD_COLUMNS, IdentityFile
from simulator.comparison import lines_of, stored
from simulator.jlis import Jlis, Ledger, register
from tasks import clock
from tasks.forwarding import ForwardSummary, forward_file
from tasks.workshop import Workshop
from tests.flows.conftest import Town
from tests.repair_case import Case, Row

DIED = {"kind": "deletion", "reason": "死亡"}
MOVED = {"kind": "correction", "reason": "転居"}
FUHYO = IdentityFile.FUHYO


@dataclass(slots=True)
class Telling:
    """One file of a town, with a stand-in J-LIS whose ledgers are empty."""

    town: Town
    case: Case
    jlis: Jlis

    @classmethod
    def of(cls, town: Town, file: IdentityFile) -> Telling:
        """Begin with an empty file and empty folders."""
        case = Case(file)
        case.forget()
        case.sql("ALTER TABLE outbox ALTER COLUMN outbox_no RESTART")
        return cls(town, case, register(town.home, town.made))

    @property
    def file(self) -> IdentityFile:
        """The file."""
        return self.case.file

    @property
    def ledger(self) -> Ledger:
        """What J-LIS keeps of it."""
        return self.jlis.ledgers[self.file]

    def people(self, count: int = 6, municipality: str = "") -> list[Row]:
        """Take the entries of some people of the town, as notices of the file."""
        code = municipality or self.town.channel.municipality_code
        rows = self.town.tables[code].slice(0, count).to_pylist()
        known = [row | {"is_abroad": "0", "previous_resident_code": ""} for row in rows]
        return [{name: row.get(name, "") for name in NOTICE_COLUMNS[self.file]} for row in known]

    def forward(self) -> ForwardSummary:
        """Run once."""
        summary: ForwardSummary = forward_file.fn(self.file)
        return summary

    def told(self) -> ForwardSummary:
        """Run, let J-LIS work, run again: everything is told and acknowledged."""
        summary = self.forward()
        assert summary.failure is None
        self.jlis.work(clock.now())
        assert self.forward().failure is None
        return summary

    def is_equal(self) -> bool:
        """Tell whether J-LIS and the file say the same of everybody who stands or is erased."""
        assert self.jlis.complaints == []
        return all(
            lines_of(self.ledger.records(erased=erased)) == stored(self.town.home, self.file, erased=erased)
            for erased in (False, True)
        )

    def packages(self, *columns: str) -> list[tuple[Any, ...]]:
        """Read the register of packages, in order."""
        return self.case.sql(f"SELECT {', '.join(columns)} FROM jlis_package ORDER BY sequence")

    def messages(self) -> list[tuple[Any, ...]]:
        """Read what became of what came as J-LIS's, in order."""
        return self.case.sql("SELECT kind, state, code FROM jlis_message ORDER BY message_id")

    def actions(self) -> Counter[str]:
        """Count the entries of the log by action."""
        return Counter(dict(self.case.sql("SELECT action, count(*) FROM journal GROUP BY 1")))

    def names(self) -> list[str]:
        """List what lies in the delivery folder."""
        return sorted(path.name for path in self.jlis.delivery.iterdir())

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a record."""
        return RECORD_COLUMNS[self.file]

    @property
    def home(self) -> Any:
        """The home of the installation."""
        return Workshop.open().home
