"""What a copy consists of, written part by part: the rows of an export, the pieces of a dump.

Decides:    how a page of rows or a piece of a dump becomes a part, and that a number that does not open stops a copy.
Leaves:     reading to `juki.store.copying` and `juki.store.dumping`, the folder to `juki.copying.folder`.
Invariants: a page at a time is in memory, and nothing of it on a disk but sealed.
Source:     assessment M9, ADR-0038.
"""

from __future__ import annotations

from contextlib import closing

import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import IdentityFile
from juki.copies import Wanted
from juki.copying.folder import CopyFolder
from juki.errors import StoreError
from juki.number_opening import NumberOpener
from juki.numbers import combined
from juki.reasons import Code
from juki.records import format_records
from juki.store.copying import ROWS_A_PAGE, SEALED_COLUMN, frozen_unit, pages
from juki.store.dumping import PIECE_BYTES, dumped, frozen_database


def write_rows(
    folder: CopyFolder, url: str, wanted: Wanted, opener: NumberOpener | None, rows_each: int = ROWS_A_PAGE
) -> dict[str, int]:
    """Write the rows of a file as CSV; count them by `<file>.<table>`.

    Raises: StoreError(CIPHER_ALTERED) when a number that was asked for does not open.
    """
    counted: dict[str, int] = {}
    with frozen_unit(url, wanted) as unit:
        for kept in wanted.tables:
            name = f"{wanted.file.value}.{kept.value}"
            counted[name] = 0
            # Closed before its transaction is: whoever stops in the middle ends the COPY first.
            with closing(pages(unit, wanted, kept, rows_each)) as coming:
                for page in coming:
                    rows = page if opener is None else _with_numbers(page, opener)
                    folder.add(name.replace(".", "-"), format_records(rows), rows.num_rows)
                    counted[name] += rows.num_rows
    return counted


def write_dump(
    folder: CopyFolder, url: str, file: IdentityFile, piece_bytes: int = PIECE_BYTES
) -> dict[str, int]:
    """Write the dump of a store; count its rows by `<file>.<table>`.

    Raises: StoreError(COPY_DUMP_FAILED).
    """
    with frozen_database(url, file) as frozen, closing(dumped(frozen, piece_bytes)) as pieces:
        for piece in pieces:
            folder.add(f"{file.value}-dump", piece)
        return {f"{file.value}.{table}": rows for table, rows in frozen.rows.items()}


def _with_numbers(page: pa.Table, opener: NumberOpener) -> pa.Table:
    codes = pc.cast(combined(page, "resident_code"), pa.binary()).to_pylist()
    sealed = [bytes.fromhex(text) for text in combined(page, SEALED_COLUMN).to_pylist()]
    opened = opener.opened(codes, sealed)
    if None in opened:
        raise StoreError(Code.CIPHER_ALTERED, "individual_number")
    numbers = pa.array(opened, pa.binary()).cast(pa.string())
    place = page.column_names.index("individual_number")
    return page.set_column(place, "individual_number", numbers).drop_columns([SEALED_COLUMN])
