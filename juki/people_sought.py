"""The people a request is about, as columns: sought by number, or by name, birth date and what else is known.

Decides:    the two forms of a line, and which values a line may hold at all.
Leaves:     who is found to `juki.search` and `juki.store.lookup`.
Invariants: lines count from 1 without gaps; a line has one form; nothing is repaired. Set-based: one library call or
            comprehension a column, however many lines. No error says what stood where.
Source:     docs/formats/request.md, ADR-0026.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from juki.errors import ContractError
from juki.reasons import Code

MAX_PEOPLE = 100_000

NUMBER_COLUMN = "individual_number"
FOUR_COLUMNS = ("name_kana", "birth_date", "sex", "address_prefix")
_FORMS = {
    NUMBER_COLUMN: r"\A[0-9]{12}\z",
    "name_kana": r"\A[^\x00-\x1f\x7f-\x9f]{1,200}\z",
    "birth_date": r"\A[0-9]{4}[0-9A-D][0-9][0-9A][0-9]\z",
    "sex": r"\A[12]\z",
    "address_prefix": r"\A[^\x00-\x1f\x7f-\x9f]{1,200}\z",
}
"""What a value may look like; whether a birth date is one is not asked: what is not in the file is not found."""
_BY_NUMBER = frozenset({"line", NUMBER_COLUMN})
_BY_FOUR = frozenset({"line", "name_kana", "birth_date"})
_ALSO = frozenset({"sex", "address_prefix"})


@dataclass(frozen=True, slots=True, repr=False)
class People:
    """The lines of one request, the first at row 0.

    Shape: one text column for each of NUMBER_COLUMN and FOUR_COLUMNS, "" where the line does not say.
    """

    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def rows_by_number(self) -> pa.Array:
        """List the rows sought by number."""
        return pc.indices_nonzero(pc.not_equal(self.table.column(NUMBER_COLUMN).combine_chunks(), ""))

    def rows_by_four(self) -> pa.Array:
        """List the rows sought by name and birth date."""
        return pc.indices_nonzero(pc.equal(self.table.column(NUMBER_COLUMN).combine_chunks(), ""))


def people_of(given: object) -> People:
    """Read the value of `people`.

    Raises: ContractError(REQUEST_TOO_MANY_LINES) beyond 100,000, ContractError(REQUEST_FORM).
    """
    if not isinstance(given, list) or not given:
        _refuse()
    if len(given) > MAX_PEOPLE:
        raise ContractError(Code.REQUEST_TOO_MANY_LINES)
    if set(map(type, given)) != {dict}:
        _refuse()
    people: list[dict[str, object]] = given
    shapes = Counter(map(frozenset, people))
    if not all(keys == _BY_NUMBER or _BY_FOUR <= keys <= _BY_FOUR | _ALSO for keys in shapes):
        _refuse()
    _check_lines([one["line"] for one in people])
    names = (NUMBER_COLUMN, *FOUR_COLUMNS)
    return People(pa.table({name: _column(people, name, _said(shapes, name)) for name in names}))


def _said(shapes: Counter[frozenset[str]], name: str) -> int:
    return sum(count for keys, count in shapes.items() if name in keys)


def _check_lines(lines: list[object]) -> None:
    """Refuse unless the lines count from 1, as integers: `true` equals 1 and is none."""
    if set(map(type, lines)) != {int}:
        _refuse()
    if lines != list(range(1, len(lines) + 1)):
        _refuse()


def _column(people: list[dict[str, object]], name: str, said: int) -> pa.Array:
    """Make one column of text; a value that is there must be a text of its form, so null is none."""
    values = [one.get(name) for one in people]
    if not set(map(type, values)) <= {str, type(None)}:
        _refuse()
    column = _as_text(values)
    if column is None or len(column) - column.null_count != said:
        _refuse()
    is_right = pc.match_substring_regex(column, _FORMS[name])
    if not pc.all(is_right, min_count=0).as_py():
        _refuse()
    return pc.fill_null(column, "")


def _as_text(values: list[object]) -> pa.Array | None:
    """Make a column; None for a text that is no Unicode, so that the error that quotes it ends here."""
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowException, ValueError):
        return None


def as_columns(rows: dict[str, list[str]]) -> People:
    """See columns already checked as people; those that are left out are said of nobody."""
    count = len(next(iter(rows.values())))
    empty = [""] * count
    names = (NUMBER_COLUMN, *FOUR_COLUMNS)
    return People(pa.table({name: pa.array(rows.get(name, empty), pa.string()) for name in names}))


def lines_of(rows: pa.Array) -> pa.Array:
    """Number rows as a request numbers its lines, from 1."""
    return pa.array(rows.to_numpy().astype(np.int32) + np.int32(1))


def _refuse() -> NoReturn:
    raise ContractError(Code.REQUEST_FORM)
