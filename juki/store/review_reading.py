"""Reading the operation log for a review: what people did in a stretch of it, and what it says of reviews.

Decides:    that only what a person did, or was refused, leaves the database, and is streamed.
Leaves:     what is noticed to `juki.review`; adding entries to `juki.store.journal`.
Invariants: reads only. What is read is what was hashed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, text
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB

from juki.columns import IdentityFile
from juki.journal import Action, Outcome, instant_text
from juki.review import LOCAL, OPERATOR, SeenEntry, Stretch
from juki.store.tables import REVIEWS_ONLY, TABLES

_ROWS_AT_A_TIME = 5_000
_REVIEW_LOCK = 0x72657677
"""The advisory lock of whoever reviews ("revw")."""


@dataclass(frozen=True, slots=True)
class ReviewReader:
    """The log of one store for a review, read through one open transaction."""

    file: IdentityFile
    connection: Connection

    def lock(self) -> None:
        """Wait for another review to end, and keep others from beginning until commit."""
        self.connection.execute(select(func.pg_advisory_xact_lock(_REVIEW_LOCK)))

    def seen(self, stretch: Stretch, since: datetime | None) -> Iterator[SeenEntry]:
        """Stream what people did in a stretch, and from an instant on before it; all of it without an instant."""
        columns = TABLES[self.file].journal.c
        entry = sql_cast(columns.entry, JSONB)
        told = (entry[name].astext.label(name) for name in ("terminal", "code", "number_accessed"))
        query = select(
            columns.entry_no, columns.recorded_at, columns.action, columns.actor, columns.outcome,
            columns.subject_index, *told,
        )  # fmt: skip
        query = query.where(columns.entry_no <= stretch.last.get(self.file, 0), _is_of_a_person(columns))
        if since is not None:
            is_new = columns.entry_no >= stretch.first.get(self.file, 1)
            query = query.where(or_(is_new, columns.recorded_at >= instant_text(since)))
        rows = self.connection.execute(query.execution_options(yield_per=_ROWS_AT_A_TIME))
        return (self._entry(row) for row in rows)

    def records(self) -> list[dict[str, Any]]:
        """Read the entries about reviews, in their order."""
        columns = TABLES[self.file].journal.c
        query = select(columns.entry).where(text(REVIEWS_ONLY)).order_by(columns.entry_no)
        return [json.loads(row.entry) for row in self.connection.execute(query)]

    def _entry(self, row: Row[Any]) -> SeenEntry:
        return SeenEntry(
            self.file, row.entry_no, datetime.fromisoformat(row.recorded_at), row.action, row.actor,
            row.terminal or "", row.code or "", row.subject_index or "", row.number_accessed == "true",
            row.outcome == Outcome.REFUSED.value,
        )  # fmt: skip


def _is_of_a_person(columns: Any) -> ColumnElement[bool]:
    """Select what operators and accounts of the machine did, and every refusal, whoever it was."""
    is_refusal = columns.action == Action.OPERATOR_REFUSED.value
    return or_(columns.actor.startswith(OPERATOR), columns.actor.startswith(LOCAL), is_refusal)
