"""Reconcile the channel of a town, with its office answering when it is told to, or meanwhile. Test-only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.differences import Mode
from juki.order import Channel
from juki.packages import PackageName
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit
from juki.wire.snapshot_files import SnapshotFiles
from simulator.repeating import repeating
from simulator.snapshots import SnapshotFault
from tasks import clock
from tasks.boundary import PipelineError
from tasks.reconciling import reconcile_channel
from tasks.workshop import Workshop
from tests.flows.conftest import Town

COLUMNS = RECORD_COLUMNS[IdentityFile.RESIDENT]
FIRST = 30
"""Notices published at first, all of them entries of the first load."""
PART_RECORDS = 7


def standing(town: Town, count: int = FIRST) -> pa.Table:
    """The true records of the town's municipalities after their first notices, as a world gives them."""
    parts = [
        table.slice(0, count)
        .select(COLUMNS)
        .append_column("sender_code", pa.array([code] * min(count, table.num_rows)))
        for code, table in town.tables.items()
    ]
    return pa.concat_tables(parts).sort_by("resident_code")


@dataclass(slots=True)
class Round:
    """A town whose first notices were taken in, and the truth its office answers from."""

    town: Town
    published: int = 0
    truth: pa.Table = field(init=False)

    def __post_init__(self) -> None:
        """Take the first notices in."""
        self.publish(FIRST)
        assert self.town.work() == 0

    def publish(self, count: int) -> None:
        """Let more of the first notices be published: they are true from now on."""
        self.town.publish(first=self.published, count=count)
        self.published += count
        self.truth = standing(self.town, self.published)

    def answer(
        self, fault: SnapshotFault | None = None, part_records: int = PART_RECORDS
    ) -> list[PackageName]:
        """Let the office answer what it was asked."""
        return self.town.office.answer_requests(
            self.standing, clock.now(), part_records=part_records, fault=fault
        )

    def standing(self, file: IdentityFile) -> pa.Table:
        """Give the true records of a file; of the other one there are none."""
        if file is self.town.channel.file:
            return self.truth
        names = [*RECORD_COLUMNS[file], "sender_code"]
        return pa.schema([(name, pa.string()) for name in names]).empty_table()

    def ask(self, mode: Mode = Mode.REPORT) -> None:
        """Let a run ask for a snapshot that nobody has made yet."""
        assert self.reconcile(mode) == Code.SNAPSHOT_NOT_ANSWERED.value

    def reconcile(self, mode: Mode = Mode.REPORT) -> str:
        """Run once; return the code of a failure, or nothing."""
        return reconcile(self.town.channel, mode)

    def ask_and_compare(self, mode: Mode = Mode.REPORT, fault: SnapshotFault | None = None) -> str:
        """Ask, let the office answer, and run again; return how that ended."""
        self.ask(mode)
        self.answer(fault)
        return self.reconcile(mode)

    def identities(self) -> list[tuple[Any, ...]]:
        """Read everything a reconciliation that only looks may not change."""
        return [
            row
            for table in ("current", "history", "package", "outbox", "rejection")
            for row in self.town.rows(f"SELECT '{table}', t::text FROM {table} t ORDER BY 2")
        ]

    def entries(self, action: str) -> list[dict[str, Any]]:
        """Read the entries of one action from the log, oldest first."""
        rows = self.town.rows(f"SELECT entry FROM journal WHERE action = '{action}' ORDER BY entry_no")
        return [json.loads(row[0]) for row in rows]

    def verify_journal(self) -> int:
        """Walk the chain of the log; return its length."""
        file = self.town.channel.file
        with open_unit(Workshop.open().store_url(file), file, Duty.AUDITOR) as unit:
            return unit.journal.verify().size

    def parts(self) -> list[str]:
        """List the parts of snapshots that lie in the spool."""
        files = SnapshotFiles.of(self.town.home, self.town.channel)
        return [str(part.name) for part in files.stored()]

    def differences(self, *columns: str) -> list[tuple[Any, ...]]:
        """Read the differences that were kept, oldest first."""
        return self.town.rows(f"SELECT {', '.join(columns)} FROM difference ORDER BY difference_id")

    def codes(self) -> list[str]:
        """List the people of the channel's municipality by code."""
        is_own = pc.equal(self.truth.column("sender_code"), self.town.channel.municipality_code)
        codes: list[str] = self.truth.filter(is_own).column("resident_code").to_pylist()
        return codes

    def spoil(self, statement: str) -> None:
        """Change the store behind the back of the intake."""
        self.town.rows(f"WITH done AS ({statement} RETURNING 1) SELECT count(*) FROM done")


@contextmanager
def answering(
    town: Town, truth: pa.Table, fault: SnapshotFault | None = None, part_records: int = PART_RECORDS
) -> Iterator[None]:
    """Let the office answer requests from a truth while the block runs; the fault befalls its first answer."""
    faults = [fault]

    def look() -> None:
        if town.office.answer_requests(
            lambda _: truth, clock.now(), part_records=part_records, fault=faults[0]
        ):
            faults[0] = None

    with repeating(look, 0.05):
        yield


def reconcile(channel: Channel, mode: Mode = Mode.REPORT) -> str:
    """Reconcile a channel without the engine around it; return the code the flow would fail with, or nothing."""
    try:
        summary = reconcile_channel.fn(channel, mode)
    except PipelineError as error:
        return str(error.code.value)
    return Code.RECONCILIATION_BEYOND_BOUND.value if summary.held_back else ""


def runs(town: Town, *columns: str) -> list[tuple[Any, ...]]:
    """Read the register of reconciliations, oldest first."""
    return town.rows(f"SELECT {', '.join(columns)} FROM reconciliation ORDER BY reconciliation_id")
