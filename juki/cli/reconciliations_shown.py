"""Reconciliations in the words of screens and for programs: counts and instants, never a value."""

from __future__ import annotations

from collections.abc import Mapping

from juki.cli.installation import iso
from juki.columns import BY_NAME
from juki.differences import DifferenceKind
from juki.reasons import Code
from juki.store.reconciliations import Reconciliation


def kinds_shown(found: Mapping[str, int]) -> str:
    """Write counts by kind for a table: those that are not zero."""
    parts = [f"{kind.japanese} {found[kind.value]:,}" for kind in DifferenceKind if found.get(kind.value)]
    return "・".join(parts) or "なし"


def broken_shown(counts: Mapping[Code, int]) -> str:
    """Write which rules the records of a municipality broke, and how many did."""
    return "・".join(f"{code.message}（{code} {count:,} 件）" for code, count in counts.items())


def column_shown(name: str) -> str:
    """Name a column as screens do."""
    return BY_NAME[name].japanese if name in BY_NAME else name


def described(one: Reconciliation) -> dict[str, object]:
    """Write a reconciliation for programs."""
    return {
        "id": one.reconciliation_id, "mode": one.mode.value, "state": one.state.value,
        "code": one.code.value if one.code else None,
        "requested_at": iso(one.requested_at), "as_of": iso(one.as_of), "watermark": one.watermark,
        "parts": one.parts, "rows_theirs": one.rows_theirs, "rows_ours": one.rows_ours,
        "root_digest": one.root_digest or None, "is_equal": one.is_equal,
        "found": dict(one.found), "columns": dict(one.column_counts),
        "broken": {code.value: count for code, count in one.broken_counts.items()}, "repaired": one.repaired,
        "beyond_bound": one.beyond_bound, "approved_by": one.approved_by,
        "report_sent_at": iso(one.report_sent_at), "finished_at": iso(one.finished_at),
    }  # fmt: skip
