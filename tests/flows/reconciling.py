"""Reconcile the channel of a town, with its office answering meanwhile. Test-only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pyarrow as pa

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.differences import Mode
from juki.order import Channel
from simulator.snapshots import SnapshotFault
from tasks import clock
from tasks.boundary import PipelineError
from tasks.reconciling import reconcile_channel
from tests.flows.conftest import Town

COLUMNS = RECORD_COLUMNS[IdentityFile.RESIDENT]
FIRST = 30
"""Notices published at first, all of them entries of the first load."""


def standing(town: Town, count: int = FIRST) -> pa.Table:
    """The true records of the town's municipalities after their first notices, as a world gives them."""
    parts = [
        table.slice(0, count)
        .select(COLUMNS)
        .append_column("sender_code", pa.array([code] * min(count, table.num_rows)))
        for code, table in town.tables.items()
    ]
    return pa.concat_tables(parts).sort_by("resident_code")


@contextmanager
def answering(
    town: Town, truth: pa.Table, fault: SnapshotFault | None = None, part_records: int = 7
) -> Iterator[None]:
    """Let the office answer requests from a truth while the block runs; the fault befalls its first answer."""
    ended, faults = Event(), [fault]

    def look() -> None:
        while not ended.wait(0.05):
            one = faults[0]
            if town.office.answer_requests(
                lambda _: truth, clock.now(), part_records=part_records, fault=one
            ):
                faults[0] = None

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def reconcile(channel: Channel, mode: Mode = Mode.REPORT) -> str:
    """Reconcile a channel without the engine around it; return the code of a failure, or nothing."""
    try:
        reconcile_channel.fn(channel, mode)
    except PipelineError as error:
        return str(error.code.value)
    return ""


def runs(town: Town, *columns: str) -> list[tuple[Any, ...]]:
    """Read the register of reconciliations, oldest first."""
    return town.rows(f"SELECT {', '.join(columns)} FROM reconciliation ORDER BY reconciliation_id")
