"""Looking people up: by the index of their number, or by reading, birth date and what else is known.

Decides:    who may be found at all: for a provision whoever stands in the resident file, and of the fuhyo file only
            who stands and has moved abroad (法30条の44の6); at our own desk whoever is held, erased or not. What is
            asked goes in by COPY, and both sides meet in one join.
Leaves:     the keys and what hits mean to `juki.search`.
Invariants: a deletion is not current and finds nobody; readings meet by equal search keys, an address by its first
            bytes. Nothing is written but temporary tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import psycopg
import pyarrow as pa

from juki.columns import IdentityFile
from juki.search import CODE_COLUMN, Sought
from juki.store.bulk import copy_in, copy_out

SEALED_COLUMN = "number_sealed"
"""The sealed number in hexadecimal, where it is asked for."""

_FLAGS, _COUNTS = frozenset({"is_abroad"}), frozenset({"name_gaiji", "address_gaiji"})


class Scope(Enum):
    """Whom a search may find."""

    GIVEN = "given"
    """Whom the law lets us give to others."""
    HELD = "held"
    """Everybody in the file; without an index for who is erased, since it is asked by hand and seldom."""


_WHOM = {
    (Scope.GIVEN, IdentityFile.RESIDENT): "c.kind <> 'deletion'",
    (Scope.GIVEN, IdentityFile.FUHYO): "c.kind <> 'deletion' AND c.is_abroad",
    (Scope.HELD, IdentityFile.RESIDENT): "true",
    (Scope.HELD, IdentityFile.FUHYO): "true",
}
_ASKED_NUMBERS = "CREATE TEMPORARY TABLE sought_number (line integer, number_index bytea) ON COMMIT DROP"
_ASKED_FOUR = """
    CREATE TEMPORARY TABLE sought_four (line integer, search_key text, birth_date text, sex text, address_prefix text)
    ON COMMIT DROP
"""
_BY_NUMBER = """
    SELECT s.line, {columns} FROM sought_number s JOIN current c ON c.number_index = s.number_index WHERE {whom}
"""
_BY_FOUR = """
    SELECT s.line, {columns} FROM sought_four s
    JOIN current c ON c.search_key = s.search_key AND c.birth_date = s.birth_date
    WHERE {whom} AND (s.sex = '' OR c.sex = s.sex)
      AND (s.address_prefix = '' OR starts_with(c.address, s.address_prefix))
"""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One identity file as it is asked, seen through one open transaction."""

    file: IdentityFile
    cursor: psycopg.Cursor
    scope: Scope = Scope.GIVEN

    def hits(self, sought: Sought, columns: Sequence[str]) -> pa.Table:
        """Find everybody who fits a line.

        Shape: line (int32), resident_code and the columns as text, "" where absent; one row a line and person.
        """
        parts = []
        if sought.numbers.num_rows:
            self._ask(_ASKED_NUMBERS, "sought_number", sought.numbers)
            parts.append(self._found(_BY_NUMBER, columns))
        if sought.four.num_rows:
            self._ask(_ASKED_FOUR, "sought_four", sought.four)
            parts.append(self._found(_BY_FOUR, columns))
        return pa.concat_tables(parts) if parts else self._schema(columns).empty_table()

    def _ask(self, create: str, name: str, rows: pa.Table) -> None:
        self.cursor.execute(create)
        copy_in(self.cursor, name, rows)
        # Without it the planner takes any number of lines for a thousand.
        self.cursor.execute(f"ANALYZE {name}")

    def _found(self, query: str, columns: Sequence[str]) -> pa.Table:
        shown = ", ".join(map(_shown, (CODE_COLUMN, *columns)))
        asked = query.format(columns=shown, whom=_WHOM[self.scope, self.file])
        return copy_out(self.cursor, asked, self._schema(columns))

    @staticmethod
    def _schema(columns: Sequence[str]) -> pa.Schema:
        return pa.schema([("line", pa.int32()), *((name, pa.string()) for name in (CODE_COLUMN, *columns))])


def _shown(name: str) -> str:
    """Write a column as a package writes it."""
    if name in _FLAGS:
        return f"CASE WHEN c.{name} THEN '1' ELSE '0' END"
    if name in _COUNTS:
        return f"c.{name}::text"
    return f"encode(c.{name}, 'hex')" if name == SEALED_COLUMN else f"c.{name}"
