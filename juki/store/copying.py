"""The rows of an identity file as they leave with a copy, page by page, as of one instant.

Decides:    which rows, in which order, and how a value is written; that all pages are of one snapshot.
Leaves:     the columns to `juki.copies`, opening numbers and sealing to `juki.copying`.
Invariants: no more than a page is in memory; nothing is written.
Source:     assessment M9, ADR-0038.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pyarrow as pa
from sqlalchemy import text

from juki.codes import is_municipality_code
from juki.copies import Kept, Wanted
from juki.errors import ConfigurationError
from juki.reasons import Code
from juki.store.bulk import copy_out_pages
from juki.store.jlis_updates import UPDATE_CELLS
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit

ROWS_A_PAGE = 20_000
SEALED_COLUMN = "number_sealed"
"""The sealed number in hexadecimal, where it is asked for; empty where there is none."""
_FROZEN = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_COUNT = "SELECT count(*) FROM {rows}"
_PAGES = "SELECT {cells} FROM {rows} ORDER BY {order}"
_ORDER = {Kept.CURRENT: "resident_code", Kept.HISTORY: "sender_code, notice_no, repair_no"}
_FLAG = "CASE WHEN t.was_newest THEN '1' ELSE '0' END"
_SEALED = "coalesce(encode(t.number_sealed, 'hex'), '')"


@contextmanager
def frozen_unit(url: str, wanted: Wanted) -> Iterator[Unit]:
    """Open a file as it is at this instant, whatever is changed meanwhile; nothing can be written through it."""
    with open_unit(url, wanted.file, Duty.ADMINISTRATOR) as unit:
        unit.connection.execute(_FROZEN)
        yield unit


def count(unit: Unit, wanted: Wanted) -> dict[Kept, int]:
    """Count what would be copied."""
    asked = {kept: text(_COUNT.format(rows=_rows(kept, wanted))) for kept in wanted.tables}
    return {kept: unit.connection.execute(query).scalar_one() for kept, query in asked.items()}


def pages(
    unit: Unit, wanted: Wanted, kept: Kept, rows_each: int = ROWS_A_PAGE
) -> Generator[pa.Table, None, None]:
    """Read one table of a file.

    Shape: the columns of the copy as text, empty where absent, with `individual_number` empty; last SEALED_COLUMN
           where numbers are asked for.
    """
    names = [*wanted.columns(kept), *([SEALED_COLUMN] if wanted.has_number else [])]
    cells = ", ".join(map(_cell, names))
    query = _PAGES.format(cells=cells, rows=_rows(kept, wanted), order=_ORDER[kept])
    return copy_out_pages(unit.cursor, query, pa.schema([(name, pa.string()) for name in names]), rows_each)


def _rows(kept: Kept, wanted: Wanted) -> str:
    code = wanted.municipality_code
    if code and not is_municipality_code(code):
        raise ConfigurationError(Code.COMMAND_ARGUMENT, "--municipality")
    return f"{kept.value} t" + (f" WHERE t.sender_code = '{code}'" if code else "")


def _cell(name: str) -> str:
    if name == SEALED_COLUMN:
        return _SEALED
    if name == "was_newest":
        return _FLAG
    return UPDATE_CELLS.get(name, f"coalesce(t.{name}::text, '')")
