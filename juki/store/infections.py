"""Infected files (感染したファイル) that nobody has dealt with yet, as the operation log tells of them.

Decides:    that an infection is open from the entry of its refusal until an entry says that it was closed.
Leaves:     refusing to the tasks, closing to `juki.cli.scanner_actions`, alarming to `juki.overview`.
Invariants: reads only the log, which can not be changed: an infection is forgotten by nobody and needs no table.
Source:     assessment M8, M10, ADR-0031.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text

from juki.columns import IdentityFile
from juki.journal import Action
from juki.store.tables import INFECTIONS_ONLY, TABLES

UP_TO = "up_to"
"""The count of a closing entry that names the last entry it is about."""


@dataclass(frozen=True, slots=True)
class Infection:
    """One infected file that was refused: the entry that says so, when, which file, and whose it was."""

    entry_no: int
    recorded_at: datetime
    file_name: str
    sender: str
    """The municipality or the recipient; empty for J-LIS."""


@dataclass(frozen=True, slots=True)
class Infections:
    """The infections of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    def open_ones(self) -> list[Infection]:
        """List the infections that were not closed, in order."""
        columns = TABLES[self.file].journal.c
        is_closing = columns.action == Action.INFECTION_CLOSED.value
        query = select(columns.entry_no, columns.recorded_at, columns.entry, is_closing.label("is_closing"))
        rows = self.connection.execute(query.where(text(INFECTIONS_ONLY)).order_by(columns.entry_no)).all()
        closed = max((json.loads(row.entry)["counts"][UP_TO] for row in rows if row.is_closing), default=0)
        return [
            _infection(row.entry_no, row.recorded_at, json.loads(row.entry))
            for row in rows
            if not row.is_closing and row.entry_no > closed
        ]


def _infection(entry_no: int, recorded_at: str, said: dict[str, str]) -> Infection:
    sender = said["municipality_code"] or said.get("recipient", "")
    return Infection(entry_no, datetime.fromisoformat(recorded_at), said["package"], sender)
