"""Differences as they are read: for people without the person, for repairing with.

Decides:    what of a difference is shown, and which differences are to be carried out.
Leaves:     the statements to `juki.store.differences`.
Invariants: `SHOWN` names neither the person nor the sealed record, so a list can not say them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Row

from juki.differences import DifferenceKind, DifferenceState, needs_operator
from juki.proposals import ToRepair
from juki.reasons import Code, known_code

CARRIED_OUT = (DifferenceState.OPEN, DifferenceState.PROPOSED, DifferenceState.APPROVED)
"""The states out of which a repair may be made; the first two only where no operator is needed."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference as people may see it: who it is stays in the store."""

    difference_id: int
    municipality_code: str
    kind: DifferenceKind
    columns: tuple[str, ...]
    held_by: str | None
    state: DifferenceState
    code: Code | None
    """Why its last repair was refused."""
    reason: str | None
    watermark: int
    first_seen_at: datetime
    last_seen_at: datetime
    first_reconciliation_id: int
    last_reconciliation_id: int
    package_id: int | None
    approved_at: datetime | None
    approved_by: str | None
    repair_package_id: int | None
    entry_no: int | None
    settled_at: datetime | None
    settled_by: str | None
    jlis_report_no: int | None = None
    """The last report of J-LIS that named it."""


SHOWN = tuple(Difference.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class WantedDifferences:
    """What a list is narrowed to; an empty field narrows nothing."""

    municipality_code: str = ""
    kind: DifferenceKind | None = None
    state: DifferenceState | None = None
    is_open: bool = False
    """Only those not settled."""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Repairable:
    """What is to be carried out.

    Shape: `records` in RECORD_COLUMNS, all text: the municipality's record for each of `differences` that has one, in
           their order; `unreadable` are the ids of those whose record does not open any more.
    """

    differences: tuple[ToRepair, ...]
    records: pa.Table = field(repr=False)
    unreadable: tuple[int, ...] = ()


def difference_of(row: Row[Any]) -> Difference:
    """Read a row of the columns SHOWN."""
    values = {name: row._mapping[name] for name in SHOWN}
    return Difference(
        **values
        | {
            "kind": DifferenceKind(row.kind), "columns": tuple(row.columns), "state": DifferenceState(row.state),
            "code": known_code(row.code),
        }
    )  # fmt: skip


def to_repair_of(row: Row[Any]) -> ToRepair:
    """Read a row as what is to be carried out."""
    return ToRepair(
        row.difference_id, DifferenceKind(row.kind), row.resident_code, frozenset(row.columns), row.held_by,
        row.watermark, row.last_reconciliation_id,
    )  # fmt: skip


def is_due(row: Row[Any]) -> bool:
    """Tell whether a row is to be carried out: it was approved, or needs nobody's approval."""
    is_approved: bool = row.state == DifferenceState.APPROVED.value
    return is_approved or not needs_operator(
        DifferenceKind(row.kind), is_held_elsewhere=row.held_by is not None
    )
