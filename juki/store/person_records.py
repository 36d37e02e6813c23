"""One person as a file holds them: found as they are sought, and every version there is.

Decides:    that the codes a person had before belong to them, and in which order versions stand.
Leaves:     the search itself to `juki.store.lookup`, opening numbers to `juki.opened_numbers`.
Invariants: reads only; a number leaves this module sealed. Whoever reads writes the entry in the same transaction.
Source:     design 3, ADR-0037.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from juki.columns import IdentityFile
from juki.person_queries import CODE_COLUMN, PersonQuery
from juki.search import sought
from juki.store.bulk import cursor_of
from juki.store.lookup import Lookup, Scope
from juki.store.tables import TABLES, version_columns

HIT_COLUMNS = ("name", "name_kana", "birth_date", "sex", "address", "municipality_code", "kind")
_SEALED = frozenset({"number_sealed", "number_index", "search_key", "record_digest"})


@dataclass(frozen=True, slots=True, repr=False)
class Version:
    """One version of a person: `values` by the names of columns, `superseded_on` where another took its place."""

    values: Mapping[str, Any]
    number_sealed: bytes | None
    superseded_on: date | None = None

    @property
    def resident_code(self) -> str:
        """The 住民票コード under which it was notified."""
        return str(self.values[CODE_COLUMN])


@dataclass(frozen=True, slots=True)
class PersonRecords:
    """The people of one file, one at a time, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    def hits(self, query: PersonQuery, index_key: bytes) -> list[dict[str, str]]:
        """List who fits, in one order whenever it is asked."""
        if query.resident_code:
            found = [self._hit(row) for row in self._current(self.newest_code(query.resident_code))]
        else:
            lookup = Lookup(self.file, cursor_of(self.connection), Scope.HELD)
            found = lookup.hits(sought(query.people, index_key), HIT_COLUMNS).drop_columns("line").to_pylist()
        return sorted(found, key=lambda one: (one["name_kana"], one[CODE_COLUMN]))

    def newest_code(self, code: str) -> str:
        """Tell the code a person has now, given any they had."""
        former = TABLES[self.file].former_code
        query = select(former.c.new_code).where(former.c.resident_code == code)
        return str(self.connection.execute(query).scalar_one_or_none() or code)

    def codes(self, code: str) -> list[str]:
        """List the code a person has and those they had."""
        former = TABLES[self.file].former_code
        query = (
            select(former.c.resident_code).where(former.c.new_code == code).order_by(former.c.resident_code)
        )
        return [code, *self.connection.execute(query).scalars()]

    def every_code(self, code: str) -> list[str]:
        """List the code a person has and those they had, given any of them."""
        return self.codes(self.newest_code(code))

    def versions(self, code: str) -> list[Version]:
        """Read what stands of a person and what stood before, the newest first; empty for nobody."""
        history = TABLES[self.file].history
        codes = self.codes(code)
        order = (history.c.superseded_on.desc(), history.c.received_on.desc(), history.c.notice_no.desc())
        superseded = self.connection.execute(
            self._of(history, codes).order_by(*order, history.c.repair_no.desc())
        )
        standing = [self._version(row, None) for row in self._current(code)]
        return [*standing, *(self._version(row, row.superseded_on) for row in superseded)]

    def _current(self, code: str) -> Sequence[Row[Any]]:
        return self.connection.execute(self._of(TABLES[self.file].current, [code])).all()

    @staticmethod
    def _of(table: Table, codes: Sequence[str]) -> Any:
        return select(table).where(table.c.resident_code.in_(codes))

    def _version(self, row: Row[Any], superseded_on: date | None) -> Version:
        values = {name: getattr(row, name) for name in version_columns(self.file) if name not in _SEALED}
        sealed = getattr(row, "number_sealed", None)
        return Version(values, None if sealed is None else bytes(sealed), superseded_on)

    @staticmethod
    def _hit(row: Row[Any]) -> dict[str, str]:
        return {name: getattr(row, name) or "" for name in (CODE_COLUMN, *HIT_COLUMNS)}
