"""Columns in and out of PostgreSQL by COPY.

Decides:    how a column of text, bytes, dates or flags is written for COPY and read back.
Leaves:     which tables and columns to the callers.
Invariants: nothing is built row by row; a null is an unquoted empty field, an empty text a quoted one.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

_WRITE = pacsv.WriteOptions(include_header=False, quoting_style="needed")
_BLOCK_BYTES = 1 << 20

_HEX_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_HEX_PAIRS = np.stack([np.repeat(_HEX_DIGITS, 16), np.tile(_HEX_DIGITS, 16)], axis=1)
_HEX_VALUES = np.zeros(256, dtype=np.uint8)
_HEX_VALUES[_HEX_DIGITS] = np.arange(16)


def copy_in(cursor: psycopg.Cursor, table: str, rows: pa.Table) -> int:
    """Write a table of columns named as those of the database table; return the number of rows.

    Shape: text, dates, integers and booleans as Arrow types; bytes as text made by `as_bytea`.
    """
    if rows.num_rows == 0:
        return 0
    buffer = io.BytesIO()
    pacsv.write_csv(rows, buffer, _WRITE)
    content = buffer.getbuffer()
    with cursor.copy(f"COPY {table} ({', '.join(rows.column_names)}) FROM STDIN (FORMAT csv)") as copy:
        for start in range(0, len(content), _BLOCK_BYTES):
            copy.write(content[start : start + _BLOCK_BYTES])
    return int(rows.num_rows)


def copy_out(cursor: psycopg.Cursor, query: str, schema: pa.Schema) -> pa.Table:
    """Read the columns of a query; bytes must be selected as hexadecimal text, instants as microseconds.

    Returns: exactly `schema`; an absent text is empty, an absent value of another type null.
    """
    buffer = io.BytesIO()
    with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copy:
        for block in copy:
            buffer.write(block)
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
    """Write values of one width in PostgreSQL's hexadecimal form (`\\x…`)."""
    width = values.dtype.itemsize
    octets = np.frombuffer(np.ascontiguousarray(values), dtype=np.uint8).reshape(-1, width)
    text = np.empty((len(octets), 2 + 2 * width), dtype=np.uint8)
    text[:, :2] = np.frombuffer(b"\\x", dtype=np.uint8)
    text[:, 2:] = _HEX_PAIRS[octets].reshape(len(octets), 2 * width)
    column = _fixed_text(text)
    if not zero_is_null:
        return column
    return pc.if_else(pa.array(octets.any(axis=1)), column, pa.scalar(None, pa.string()))


def sealed_as_bytea(values: Sequence[bytes | None]) -> pa.Array:
    """Write ciphertexts of any width in PostgreSQL's hexadecimal form; None stays null."""
    return pa.array([None if value is None else "\\x" + value.hex() for value in values], pa.string())


def _fixed_text(characters: NDArray[np.uint8]) -> pa.Array:
    count, width = characters.shape
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(
        count, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(characters))
    )


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
