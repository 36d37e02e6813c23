"""Reading the operation log: all of it in order, its tree at one place, and what is looked for in it.

Decides:    that the log is streamed and never held, and by what it can be searched.
Leaves:     adding entries to `juki.store.journal`, judging what is read to `juki.log_walk`.
Invariants: reads only. What is searched by is computed by the database from the entry that was hashed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB

from juki.columns import IdentityFile
from juki.journal import Action, Outcome, instant_text
from juki.log_walk import StoredEntry
from juki.merkle import Frontier
from juki.store.tables import TABLES

_ROWS_AT_A_TIME = 5_000


@dataclass(frozen=True, slots=True)
class Sought:
    """What to look for in the log; whatever is empty does not narrow."""

    actor: str = ""
    subject_index: str = ""
    action: Action | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Before this instant."""
    outcome: Outcome | None = None
    number_accessed: bool | None = None
    municipality_code: str = ""
    other_indexes: tuple[str, ...] = ()
    """The same person's, under the other codes they have or had: with `subject_index`, entries of any of them."""

    @property
    def named(self) -> list[str]:
        """Name what narrows, without its value."""
        return [
            name
            for name in self.__slots__
            if name != "other_indexes" and getattr(self, name) not in ("", None)
        ]


@dataclass(frozen=True, slots=True)
class JournalReader:
    """The log of one store, read through one open transaction."""

    file: IdentityFile
    connection: Connection

    def size(self) -> int:
        """Tell the number of the last entry; 0 for an empty log."""
        return int(
            self.connection.execute(select(func.max(TABLES[self.file].journal.c.entry_no))).scalar() or 0
        )

    def rows(self, after: int = 0, up_to: int | None = None) -> Iterator[StoredEntry]:
        """Stream the rows after an entry, in order."""
        journal = TABLES[self.file].journal
        query = select(journal.c.entry_no, journal.c.entry, journal.c.leaf_hash, journal.c.frontier)
        query = query.where(journal.c.entry_no > after).order_by(journal.c.entry_no)
        for row in self._streamed(query if up_to is None else query.where(journal.c.entry_no <= up_to)):
            yield StoredEntry(row.entry_no, row.entry, bytes(row.leaf_hash), bytes(row.frontier))

    def leaves(self, up_to: int) -> Iterator[bytes]:
        """Stream the stored leaf hashes of the first entries."""
        journal = TABLES[self.file].journal
        query = select(journal.c.leaf_hash).where(journal.c.entry_no <= up_to).order_by(journal.c.entry_no)
        return (bytes(row.leaf_hash) for row in self._streamed(query))

    def frontier_at(self, size: int) -> Frontier | None:
        """Read the tree an entry was stored with; None when the entry or its tree is not there."""
        journal = TABLES[self.file].journal
        packed = self.connection.execute(
            select(journal.c.frontier).where(journal.c.entry_no == size)
        ).scalar_one_or_none()
        try:
            return Frontier.from_bytes(size, bytes(packed)) if packed else None
        except ValueError:
            return None

    def recorded_at(self, entry_no: int) -> datetime | None:
        """Tell when an entry was written; None where there is none."""
        journal = TABLES[self.file].journal
        query = select(journal.c.recorded_at).where(journal.c.entry_no == entry_no)
        said = self.connection.execute(query).scalar_one_or_none()
        return datetime.fromisoformat(said) if said else None

    def found(self, sought: Sought, limit: int) -> list[dict[str, Any]]:
        """Read the newest entries that are looked for, the newest first."""
        journal = TABLES[self.file].journal
        query = select(journal.c.entry).where(*self._narrowed(sought))
        query = query.order_by(journal.c.entry_no.desc()).limit(limit)
        return [json.loads(row.entry) for row in self.connection.execute(query)]

    def count(self, sought: Sought) -> int:
        """Count the entries that are looked for."""
        query = select(func.count()).select_from(TABLES[self.file].journal).where(*self._narrowed(sought))
        return int(self.connection.execute(query).scalar_one())

    def _narrowed(self, sought: Sought) -> list[ColumnElement[bool]]:
        columns = TABLES[self.file].journal.c
        entry = sql_cast(columns.entry, JSONB)
        narrowed: list[ColumnElement[bool]] = []
        for column, wanted in (
            (columns.action, sought.action and sought.action.value),
            (columns.outcome, sought.outcome and sought.outcome.value),
            (columns.municipality_code, sought.municipality_code),
        ):  # fmt: skip
            if wanted:
                narrowed.append(column == wanted)
        if sought.subject_index:
            narrowed.append(columns.subject_index.in_([sought.subject_index, *sought.other_indexes]))
        if sought.actor:
            # The bare id of an operator stands for the operator.
            narrowed.append(columns.actor.in_([sought.actor, f"operator:{sought.actor}"]))
        if sought.since is not None:
            narrowed.append(columns.recorded_at >= instant_text(sought.since))
        if sought.until is not None:
            narrowed.append(columns.recorded_at < instant_text(sought.until))
        if sought.number_accessed is not None:
            narrowed.append(entry["number_accessed"].astext == str(sought.number_accessed).lower())
        return narrowed

    def _streamed(self, query: Select[Any]) -> Iterator[Any]:
        return iter(self.connection.execute(query.execution_options(yield_per=_ROWS_AT_A_TIME)))
