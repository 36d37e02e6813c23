"""What reconciliations say of the channels, for those who watch over them: when both sides were last equal.

Decides:    the questions and how they are read; nothing is changed here.
Leaves:     what needs attention to `juki.health`.
Invariants: reads registers only (role: reader): instants, counts, codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, literal, select

from juki.columns import IdentityFile
from juki.differences import DifferenceKind, DifferenceState, ReconciliationState
from juki.health import Confirmation
from juki.reasons import Code, known_code
from juki.store.tables import TABLES, StoreTables

_ACCOUNTED_FOR = tuple(kind for kind in DifferenceKind if kind is not DifferenceKind.MOVED)
"""Somebody who has moved is in neither file: only a deletion is still to come."""
_NOT_DONE = (DifferenceState.OPEN, DifferenceState.PROPOSED, DifferenceState.APPROVED)


@dataclass(frozen=True, slots=True)
class Confirmations:
    """The confirmations of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    @property
    def _tables(self) -> StoreTables:
        return TABLES[self.file]

    def by_municipality(self) -> dict[str, Confirmation]:
        """Tell for every municipality that was ever asked or has a package when it was last confirmed equal."""
        equal, differences, failures, firsts = (
            self._last_equal(), self._open_differences(), self._last_codes(), self._first_applied(),
        )  # fmt: skip
        accounted = self._accounted()
        known = {*equal, *differences, *failures, *firsts}
        return {
            code: Confirmation(
                first_applied_at=firsts.get(code),
                confirmed_at=equal[code].as_of if code in equal else None,
                watermark=equal[code].watermark if code in equal else None,
                rows=equal[code].rows_theirs if code in equal else None,
                root_digest=bytes(equal[code].root_digest).hex() if code in equal else "",
                open_differences=differences.get(code, 0),
                last_code=failures.get(code),
                accounted_at=accounted.get(code),
            )
            for code in known
        }  # fmt: skip

    def _last_equal(self) -> dict[str, Row[Any]]:
        columns = self._tables.reconciliation.c
        query = (
            select(
                columns.municipality_code, columns.as_of, columns.watermark, columns.rows_theirs,
                columns.root_digest,
            )
            .distinct(columns.municipality_code)
            .where(columns.is_equal.is_(True))
            .order_by(columns.municipality_code, columns.reconciliation_id.desc())
        )  # fmt: skip
        return {row.municipality_code: row for row in self.connection.execute(query)}

    def _last_codes(self) -> dict[str, Code | None]:
        """Tell what the newest reconciliation of each municipality could not do, if anything."""
        columns = self._tables.reconciliation.c
        query = (
            select(columns.municipality_code, columns.code)
            .distinct(columns.municipality_code)
            .order_by(columns.municipality_code, columns.reconciliation_id.desc())
        )
        return {row.municipality_code: known_code(row.code) for row in self.connection.execute(query)}

    def _accounted(self) -> dict[str, datetime]:
        """Tell of whom the newest comparison found nothing but what was put right or accepted, and as of when."""
        columns, difference = self._tables.reconciliation.c, self._tables.difference.c
        newest = (
            select(self._tables.reconciliation)
            .distinct(columns.municipality_code)
            .where(columns.state == ReconciliationState.FINISHED.value)
            .order_by(columns.municipality_code, columns.reconciliation_id.desc())
            .subquery()
        )
        found = sum(
            (func.coalesce(newest.c[f"{kind.value}_found"], 0) for kind in _ACCOUNTED_FOR), start=literal(0)
        )
        done = (
            select(func.count())
            .where(
                difference.last_reconciliation_id == newest.c.reconciliation_id,
                difference.kind.in_([kind.value for kind in _ACCOUNTED_FOR]),
                difference.state.not_in([state.value for state in _NOT_DONE]),
            )
            .scalar_subquery()
        )
        query = select(newest.c.municipality_code, newest.c.as_of).where(found == done)
        return {row.municipality_code: row.as_of for row in self.connection.execute(query)}

    def _open_differences(self) -> dict[str, int]:
        columns = self._tables.difference.c
        query = (
            select(columns.municipality_code, func.count().label("found"))
            .where(columns.state.in_([state.value for state in _NOT_DONE]))
            .group_by(columns.municipality_code)
        )
        return {row.municipality_code: row.found for row in self.connection.execute(query)}

    def _first_applied(self) -> dict[str, datetime]:
        columns = self._tables.package.c
        query = (
            select(columns.municipality_code, func.min(columns.settled_at).label("at"))
            .where(columns.records.is_not(None))
            .group_by(columns.municipality_code)
        )
        return {row.municipality_code: row.at for row in self.connection.execute(query)}
