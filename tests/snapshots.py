"""Snapshots of a municipality and stores to compare them with, for tests of the comparison."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pyarrow as pa

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.found import Found
from juki.identity import plan_changes
from juki.numbers import SealingKey
from juki.order import FileMark
from juki.store.comparison import compare
from juki.store.packages import Applied, Arrival
from juki.store.unit import open_unit
from juki.versions import Origin
from tests.histories import Row, Sent
from tests.notice_tables import INDEX_KEY, notices

KEY = SealingKey("resident-number-1", b"k" * 32)
_AT = datetime(2026, 4, 1, tzinfo=UTC)
_COUNTS = dict.fromkeys(("records", "accepted", "alerted", "rejected", "repeated"), 0)


def apply_package(url: str, sent: Sent, sequence: int, file: IdentityFile = IdentityFile.RESIDENT) -> None:
    """Judge and write a package as the intake does, with its place in the register and in the channel."""
    package = notices(sent.rows, file, sent.sender, sent.first_no, received_at=sent.received_at)
    mark = FileMark(f"{sent.sender}-{file}-notice-{sequence:08}.p7m", 1, sent.received_at)
    last_no = sent.first_no + len(sent.rows) - 1
    with open_unit(url, file) as unit:
        unit.packages.attempt(sent.sender, _AT)
        package_id = unit.packages.register(Arrival(sent.sender, sequence, mark, b"", sent.received_at))
        known = unit.identities.known(package)
        plan = plan_changes(package, known)
        unit.identities.apply(package, known, plan, Origin(sent.sender, package_id, sent.received_on), KEY)
        applied = Applied(b"", _AT, sent.first_no, last_no, _COUNTS)
        unit.packages.settle_applied(package_id, applied, b"", _AT)
        unit.packages.advance(sent.sender, sequence, last_no, _AT)


def apply_history(url: str, history: Iterable[Sent], file: IdentityFile = IdentityFile.RESIDENT) -> None:
    """Apply packages in the order in which they came."""
    for sequence, sent in enumerate(history, start=1):
        apply_package(url, sent, sequence, file)


def snapshot(rows: Sequence[Mapping[str, str]], file: IdentityFile = IdentityFile.RESIDENT) -> pa.Table:
    """Lay records out as a municipality sends them, in the order given."""
    return pa.table(
        {name: pa.array([row.get(name, "") for row in rows], pa.string()) for name in RECORD_COLUMNS[file]}
    )


def cut(table: pa.Table, places: Iterable[int] = (), mixed_by: int | None = None) -> Iterator[pa.Table]:
    """Cut a snapshot into parts, in order of code; where asked the rows of each part are mixed."""
    ordered = table.sort_by("resident_code")
    bounds = [0, *sorted(place for place in places if place < len(ordered)), len(ordered)]
    for start, end in pairwise(bounds):
        part = ordered.slice(start, end - start)
        if mixed_by is not None:
            part = part.take(pa.array(np.random.default_rng(mixed_by).permutation(len(part))))
        yield part


def compared(
    url: str,
    sender: str,
    watermark: int,
    parts: Iterable[pa.Table],
    file: IdentityFile = IdentityFile.RESIDENT,
) -> Found:
    """Compare in a unit of its own."""
    with open_unit(url, file) as unit:
        return compare(unit, sender, watermark, iter(parts), INDEX_KEY)


def told(found: Found) -> list[tuple[str, str, tuple[str, ...], str | None]]:
    """List code, kind, columns and holder of every difference."""
    return [
        (row["resident_code"], row["kind"], tuple(row["columns"]), row["held_by"])
        for row in found.differences.to_pylist()
    ]


def record_of(row: Row, file: IdentityFile = IdentityFile.RESIDENT) -> Row:
    """Take what a snapshot carries of a notice."""
    return {name: row.get(name, "") for name in RECORD_COLUMNS[file]}
