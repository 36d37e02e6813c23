"""Columns in and out of PostgreSQL by COPY.

Decides:    that columns go in in binary form, block by block while the next block is made, and come back as CSV.
Leaves:     which tables and columns to the callers, the binary form to `juki.store.binary`.
Invariants: nothing is built row by row. Each column must be of the type its table declares: the binary form says
            nothing of types, so a text would pass for bytes and an instant for a number.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable, Sequence
from itertools import chain

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray
from psycopg import sql
from psycopg.copy import QueuedLibpqWriter
from sqlalchemy import Connection

from juki.store.binary import HEADER, TRAILER, binary_rows, is_of_type

_HEX_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_HEX_VALUES = np.zeros(256, dtype=np.uint8)
_HEX_VALUES[_HEX_DIGITS] = np.arange(16)


class _Writer(QueuedLibpqWriter):
    """Sends from a thread of its own, and lets no more wait than keeps the server at work."""

    QUEUE_SIZE = 4


def copy_in(cursor: psycopg.Cursor, table: str, rows: pa.Table) -> int:
    """Write a table of columns named as those of the database table; return the number of rows.

    Shape:  the Arrow types of `juki.store.binary.TYPES`, each into a column of its type.
    Raises: TypeError naming a column of another type.
    """
    return copy_blocks(cursor, table, [rows]) if rows.num_rows else 0


def copy_blocks(cursor: psycopg.Cursor, table: str, blocks: Iterable[pa.Table]) -> int:
    """Write blocks of one shape as `copy_in` does; the server works on one while the next is being made."""
    coming = iter(blocks)
    first = next(coming)
    names = ", ".join(first.column_names)
    _check_types(cursor, table, first.schema)
    count = 0
    statement = f"COPY {table} ({names}) FROM STDIN (FORMAT binary)"
    with cursor.copy(statement, writer=_Writer(cursor)) as copy:
        copy.write(HEADER)
        for block in chain([first], coming):
            copy.write(memoryview(binary_rows(block)))
            count += block.num_rows
        copy.write(TRAILER)
    return count


def _check_types(cursor: psycopg.Cursor, table: str, schema: pa.Schema) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, schema.names))
    nothing = sql.SQL("SELECT {} FROM {} LIMIT 0").format(names, sql.Identifier(table))
    for column, field in zip(cursor.execute(nothing).description or [], schema, strict=True):
        if not is_of_type(field.type, column.type_display):
            raise TypeError(f"{field.name}: {field.type} for {column.type_display}")


def cursor_of(connection: Connection) -> psycopg.Cursor:
    """Open a cursor of the driver on the transaction of a connection, for COPY."""
    driver: psycopg.Connection | None = connection.connection.driver_connection
    if driver is None:
        raise psycopg.OperationalError("the connection is closed")
    return driver.cursor()


def copy_out(cursor: psycopg.Cursor, query: str, schema: pa.Schema) -> pa.Table:
    """Read the columns of a query; bytes must be selected as hexadecimal text, instants as microseconds.

    Returns: exactly `schema`; an absent text is empty, an absent value of another type null.
    """
    buffer = io.BytesIO()
    with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copy:
        for block in copy:
            buffer.write(block)
    return _parsed(buffer, schema)


def copy_out_pages(
    cursor: psycopg.Cursor, query: str, schema: pa.Schema, rows_each: int
) -> Generator[pa.Table, None, None]:
    """Read as `copy_out` does, so many rows at a time: no more than these are in memory."""
    buffer, rows = io.BytesIO(), 0
    with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copy:
        # PostgreSQL sends one message a row, whatever line breaks stand in it.
        for row in copy:
            buffer.write(row)
            rows += 1
            if rows == rows_each:
                yield _parsed(buffer, schema)
                buffer, rows = io.BytesIO(), 0
    if rows:
        yield _parsed(buffer, schema)


def _parsed(buffer: io.BytesIO, schema: pa.Schema) -> pa.Table:
    if buffer.tell() == 0:
        return schema.empty_table()
    read = pacsv.read_csv(
        pa.py_buffer(buffer.getbuffer()),
        read_options=pacsv.ReadOptions(column_names=schema.names, use_threads=False),
        parse_options=pacsv.ParseOptions(newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types={field.name: _carried(field.type) for field in schema},
            null_values=[""],
            strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
    return pa.table([_converted(read.column(field.name), field.type) for field in schema], schema=schema)


def as_bytea(values: NDArray[np.void], *, zero_is_null: bool = False) -> pa.Array:
    """See values of one width as a column of bytes, where asked with null for zero."""
    octets = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), values.dtype.itemsize)
    present = np.packbits(octets.any(axis=1), bitorder="little") if zero_is_null else None
    return pa.Array.from_buffers(
        pa.binary(values.dtype.itemsize),
        len(values),
        [None if present is None else pa.py_buffer(present), pa.py_buffer(octets)],
    )


def sealed_as_bytea(values: Sequence[bytes | None]) -> pa.Array:
    """See ciphertexts of any width as a column of bytes; None stays null."""
    return pa.array(values, pa.binary())


def _carried(wanted: pa.DataType) -> pa.DataType:
    if pa.types.is_fixed_size_binary(wanted):
        return pa.string()
    return pa.int64() if pa.types.is_timestamp(wanted) else wanted


def _converted(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.Array:
    values = column.combine_chunks()
    if not pa.types.is_fixed_size_binary(wanted):
        return pc.cast(values, wanted)
    present = pc.not_equal(values, "")
    padded = pc.if_else(present, values, "0" * (2 * wanted.byte_width))
    characters = np.frombuffer(padded.buffers()[2], dtype=np.uint8)[: len(values) * 2 * wanted.byte_width]
    digits = _HEX_VALUES[characters].reshape(-1, 2)
    octets = np.ascontiguousarray(digits[:, 0] << 4 | digits[:, 1])
    filled = pa.FixedSizeBinaryArray.from_buffers(wanted, len(values), [None, pa.py_buffer(octets)])
    return pc.if_else(present, filled, pa.scalar(None, wanted))
