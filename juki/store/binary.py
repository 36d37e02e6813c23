"""Rows in the binary form of COPY, made from whole columns.

Decides:    how a value of each type is laid out; nothing is escaped, quoted or written in hexadecimal, so a text
            reaches its column byte for byte.
Leaves:     sending to `juki.store.bulk`.
Invariants: nothing is built row by row: every field becomes a column of bytes (its length, its value), and one call
            joins the columns into rows. A null is a length of -1.
Source:     PostgreSQL documentation, COPY, "Binary Format".
"""

from __future__ import annotations

import struct

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""Signature, no flags, no extension."""
TRAILER = struct.pack(">h", -1)

_NULL = pa.scalar(struct.pack(">i", -1), pa.binary())
_DAYS_TO_2000 = 10_957
_MICROSECONDS_TO_2000 = _DAYS_TO_2000 * 86_400_000_000

Octets = NDArray[np.uint8]

TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "date": pa.date32(),
    "timestamptz": pa.timestamp("us", "UTC"),
    "bytea": pa.binary(),
}
"""The types of our tables and the only Arrow type each takes; any width of binary is a bytea."""


def is_of_type(column: pa.DataType, name: str) -> bool:
    """Tell whether a column of Arrow may go into a column of PostgreSQL; nothing is converted."""
    wanted = TYPES.get(name)
    return column == wanted or (name == "bytea" and pa.types.is_fixed_size_binary(column))


def binary_rows(rows: pa.Table) -> pa.Buffer:
    """Lay rows out, without header and trailer.

    Shape: columns of the types in TYPES.
    """
    fields = [pa.scalar(struct.pack(">h", rows.num_columns), pa.binary())]
    for column in rows.columns:
        fields += _field(column.chunk(0) if column.num_chunks == 1 else column.combine_chunks())
    return _joined(fields)


def binary_values(column: pa.Array) -> pa.Buffer:
    """Lay the values of one column out, one after the other: the elements of an array are written like fields."""
    return _joined(_field(column))


def _joined(fields: list[pa.Array | pa.Scalar]) -> pa.Buffer:
    joined = pc.binary_join_element_wise(*fields, b"", null_handling="replace", null_replacement="")
    _, offsets, data = joined.buffers()
    return data.slice(0, int(np.frombuffer(offsets, np.int32)[len(joined)]))


def _field(column: pa.Array) -> list[pa.Array]:
    """Make the lengths and the values of one column, in one array where all have the same length."""
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        return [_lengths(column), pc.cast(column, pa.binary())]
    octets = _octets(column)
    width = np.frombuffer(struct.pack(">i", octets.shape[1]), np.uint8)
    whole = as_binary(np.hstack([np.broadcast_to(width, (len(octets), 4)), octets]))
    return [pc.if_else(column.is_valid(), whole, _NULL) if column.null_count else whole]


def _lengths(column: pa.Array) -> pa.Array:
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset :][: len(column) + 1]
    lengths = np.diff(offsets).astype(">i4")
    if column.null_count:
        lengths[column.is_null().to_numpy(zero_copy_only=False)] = -1
    return as_binary(lengths.view(np.uint8).reshape(-1, 4))


def _octets(column: pa.Array) -> Octets:
    """See values of one width as bytes in network order, (n, width); nulls are anything."""
    if pa.types.is_fixed_size_binary(column.type):
        width = column.type.byte_width
        data = np.frombuffer(column.buffers()[1], np.uint8)
        return data[column.offset * width :][: len(column) * width].reshape(-1, width)
    if pa.types.is_boolean(column.type):
        return _numbers(pc.cast(column, pa.uint8()), np.dtype(np.uint8))
    if pa.types.is_date(column.type):
        return _numbers(pc.cast(column, pa.int32()), np.dtype(">i4"), _DAYS_TO_2000)
    if pa.types.is_timestamp(column.type):
        return _numbers(pc.cast(column, pa.int64()), np.dtype(">i8"), _MICROSECONDS_TO_2000)
    return _numbers(column, np.dtype(f">i{column.type.bit_width // 8}"))


def _numbers(column: pa.Array, written: np.dtype[np.generic], since: int = 0) -> Octets:
    values = pc.fill_null(column, 0).to_numpy(zero_copy_only=False) - since
    octets: Octets = values.astype(written).view(np.uint8).reshape(len(column), written.itemsize)
    return octets


def as_binary(octets: Octets) -> pa.Array:
    """See an (n, width) matrix of bytes as a column of binary values."""
    count, width = octets.shape
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    return pa.Array.from_buffers(
        pa.binary(), count, [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(octets))]
    )
