"""Whole columns as parameters of a question, and whole columns as its answer.

Decides:    that what is asked goes as one array and what is known comes back as one string of bytes a column, so
            that neither side handles a row by itself and nothing is written to be asked.
Leaves:     the questions to their modules, rows that are to be stored to `juki.store.bulk`.
Invariants: a sorted array lets the server walk an index once, from leaf to leaf, instead of descending into it for
            every value (PostgreSQL 17 and newer; before, each value is looked up). An absent text is empty, another
            absent value null. An answer whose columns are not of one length is an error, never shifted rows.
Source:     PostgreSQL documentation, array_send in src/backend/utils/adt/arrayfuncs.c for the binary form of arrays.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg.adapt import Dumper
from psycopg.pq import Format

from juki.store.binary import binary_values

_TEXT, _TEXT_ARRAY, _BYTEA, _BYTEA_ARRAY = 25, 1009, 17, 1001
_NO_DATE, _NO_NUMBER = -(2**31), -(2**63)
"""Stand for null in an answer: no date and no instant of ours is the first one there could be."""
_AGGREGATES = {
    pa.string(): "string_agg(int4send(octet_length(coalesce({0}, ''))), ''), convert_to(string_agg({0}, ''), 'UTF8')",
    pa.bool_(): "string_agg(boolsend({0}), '')",
    pa.int64(): f"string_agg(int8send(coalesce({{0}}, {_NO_NUMBER})), '')",
    pa.timestamp("us", "UTC"): f"string_agg(int8send(coalesce({{0}}, {_NO_NUMBER})), '')",
    pa.date32(): f"string_agg(int4send(coalesce({{0}} - date '1970-01-01', {_NO_DATE})), '')",
}
_WALK = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashjoin = off; "
    "SET LOCAL enable_mergejoin = off; SET LOCAL plan_cache_mode = force_generic_plan"
)
"""By key, whatever the planner thinks of the size of the file, and without counting what is in the array."""


@dataclass(frozen=True, slots=True, repr=False)
class _Array:
    """An array in its binary form; the class says of what type."""

    octets: bytes


class _Texts(_Array):
    """Elements of text."""


class _Values(_Array):
    """Elements of bytea."""


class _TextsDumper(Dumper):
    format, oid = Format.BINARY, _TEXT_ARRAY

    def dump(self, obj: _Array) -> bytes:
        return obj.octets


class _ValuesDumper(_TextsDumper):
    oid = _BYTEA_ARRAY


def columns_by_key(
    cursor: psycopg.Cursor, query: str, keys: Mapping[str, pa.Array], schema: pa.Schema
) -> pa.Table:
    """Ask by arrays of keys, best sorted; the query names each as %(name)s and selects the columns of the schema.

    Shape:  keys of text or binary without nulls; in the schema text, boolean, bigint, date, bytes of one width and
            instants, which are selected as microseconds since 1970 in a bigint.
    Raises: TypeError when a column comes back in another shape.
    """
    cursor.execute(_WALK)
    cursor.adapters.register_dumper(_Texts, _TextsDumper)
    cursor.adapters.register_dumper(_Values, _ValuesDumper)
    names = ", ".join(schema.names)
    aggregates = ", ".join(_aggregate(field) for field in schema)
    asked = f"SELECT count(*), {aggregates} FROM ({query}) answer ({names})"  # noqa: S608 - our own queries
    parameters = {name: _as_array(column) for name, column in keys.items()}
    count, *parts = cursor.execute(asked, parameters, prepare=True, binary=True).fetchone() or (0,)
    if count == 0:
        return schema.empty_table()
    coming = iter([part or b"" for part in parts])
    columns = []
    for field in schema:
        lengths = next(coming) if pa.types.is_string(field.type) else b""
        columns.append(_column(field, count, lengths, next(coming)))
    return pa.table(columns, schema=schema)


def _as_array(column: pa.Array) -> _Array:
    is_text = pa.types.is_string(column.type)
    bounds = (1, 0, _TEXT if is_text else _BYTEA, len(column), 1)
    octets = struct.pack(">iiIii", *bounds) + binary_values(column).to_pybytes()
    return _Texts(octets) if is_text else _Values(octets)


def _aggregate(field: pa.Field) -> str:
    if pa.types.is_fixed_size_binary(field.type):
        nothing = bytes(field.type.byte_width).hex()
        return f"string_agg(coalesce({field.name}, '\\x{nothing}'), '')"
    return _AGGREGATES[field.type].format(field.name)


def _column(field: pa.Field, count: int, lengths: bytes, data: bytes) -> pa.Array:
    """Lay one column out; every value has its place, or the answer is refused."""
    if pa.types.is_string(field.type):
        ends = np.cumsum(np.frombuffer(lengths, ">i4"), dtype=np.int32)
        _check(field, len(ends) == count and int(ends[-1]) == len(data))
        offsets = np.concatenate([np.zeros(1, np.int32), ends])
        return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data))
    if pa.types.is_boolean(field.type):
        _check(field, len(data) == count)
        return pa.array(np.frombuffer(data, np.bool_))
    width = field.type.bit_width // 8
    _check(field, len(data) == count * width)
    if pa.types.is_fixed_size_binary(field.type):
        present = np.frombuffer(data, np.uint8).reshape(count, width).any(axis=1)
        marks = pa.py_buffer(np.packbits(present, bitorder="little"))
        return pa.Array.from_buffers(field.type, count, [marks, pa.py_buffer(data)])
    values = np.frombuffer(data, f">i{width}").astype(f"<i{width}")
    nothing = values == (_NO_DATE if pa.types.is_date(field.type) else _NO_NUMBER)
    return pc.cast(pa.array(values, mask=nothing), field.type)


def _check(field: pa.Field, is_whole: bool) -> None:
    if not is_whole:
        raise TypeError(f"{field.name}: not one value a row")
