"""A notice as a version of a person: the columns that are kept.

Decides:    what of a notice is stored, in which form, and what is added to it: sealed number, search key,
            digest, origin.
Leaves:     what becomes of the version to `juki.identity`; names and types of tables to `juki.store.tables`.
Invariants: texts are byte-equal to what was received; an absent text becomes null; the number leaves this
            module sealed or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import NOTICE_COLUMNS, IdentityFile
from juki.findings import Rows
from juki.kana import search_keys
from juki.known import Notices
from juki.numbers import SealingKey, bound_to, combined, seal_column

_NOT_KEPT = frozenset({"individual_number", "previous_individual_number"})
_FLAGS = frozenset({"is_foreign", "is_abroad"})
_COUNTS = frozenset({"name_gaiji", "address_gaiji"})

REPAIRS_OF_A_PACKAGE = 1_000_000
"""Numbers of repairs set aside for each package; no more than half of them are ever proposals."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the notices of a package come from and when they were received (civil date in Japan)."""

    sender_code: str
    package_id: int
    received_on: date
    first_repair_no: int = 0
    """0 for notices; the repairs of one package are numbered from here on, in their order."""

    def of_repairs_after(self, count: int) -> Origin:
        """Name the same package as the origin of repairs, behind `count` others of it."""
        return replace(self, first_repair_no=self.package_id * REPAIRS_OF_A_PACKAGE + 1 + count)


@dataclass(frozen=True, slots=True, repr=False)
class Versions:
    """Versions ready to be written.

    Shape: `columns` has texts, dates, flags and counts by the names of the tables; `sealed_numbers` one
           ciphertext per version or null; digests and indexes stay with the notices, by `rows`.
    """

    rows: Rows
    columns: pa.Table
    sealed_numbers: pa.Array


def versions_of(
    notices: Notices, rows: Rows, origin: Origin, number_key: SealingKey, places: Rows | None = None
) -> Versions:
    """Make versions of some notices of a package.

    `places` are those of the rows in the package, by which repairs are numbered, where notices lie in other order.
    """
    taken = _taken(notices.table, rows)
    columns = {name: _stored(name, taken) for name in NOTICE_COLUMNS[notices.file] if name not in _NOT_KEPT}
    columns["notified_at"] = _instants(notices, rows)
    columns["search_key"] = _absent_is_null(search_keys(combined(taken, "name_kana")))
    columns["sender_code"] = _same(origin.sender_code, len(rows))
    columns["repair_no"] = _repair_numbers(origin, rows if places is None else places)
    columns["package_id"] = _same(origin.package_id, len(rows))
    columns["received_on"] = _same(origin.received_on, len(rows))
    sealed = pa.nulls(len(rows), pa.binary())
    if notices.file is IdentityFile.RESIDENT:
        sealed = _sealed(taken, notices.file, number_key)
    return Versions(rows, pa.table(columns), sealed)


def _taken(table: pa.Table, rows: Rows) -> pa.Table:
    """Take some rows; neighbours in order are seen where they are."""
    if len(rows) and (np.diff(rows) == 1).all():
        return table.slice(int(rows[0]), len(rows))
    return table.take(pa.array(rows))


def event_dates(notices: Notices, rows: Rows) -> pa.Array:
    """Give the day of the event of some admitted notices, null where none is said."""
    return _stored("event_date", notices.table.select(["event_date"]).take(pa.array(rows)))


def _stored(name: str, taken: pa.Table) -> pa.Array:
    values = combined(taken, name)
    if name in _FLAGS:
        return pc.equal(values, "1")
    if name in _COUNTS:
        return pc.cast(values, pa.int16())
    if name == "notice_no":
        return pc.cast(values, pa.int64())
    if name == "event_date":
        return pc.cast(_absent_is_null(values), pa.date32())
    return _absent_is_null(values)


def _instants(notices: Notices, rows: Rows) -> pa.Array:
    return pc.cast(pa.array(notices.notified_at[rows]), pa.timestamp("us", "UTC"))


def _absent_is_null(values: pa.Array) -> pa.Array:
    """Mark what is empty as absent, on the same bytes."""
    present = np.asarray(pc.binary_length(values).to_numpy(zero_copy_only=False)) > 0
    _, offsets, data = values.buffers()
    width = np.dtype(np.int32).itemsize
    bounds = offsets.slice(values.offset * width, (len(values) + 1) * width) if offsets else offsets
    marks = pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.StringArray.from_buffers(len(values), bounds, data, marks)


def _repair_numbers(origin: Origin, rows: Rows) -> pa.Array:
    if not origin.first_repair_no:
        return pa.repeat(pa.scalar(0, pa.int64()), len(rows))
    return pa.array(rows + origin.first_repair_no, pa.int64())


def _same(value: object, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value), count)


def _sealed(taken: pa.Table, file: IdentityFile, key: SealingKey) -> pa.Array:
    present = pc.not_equal(combined(taken, "individual_number"), "")
    numbers, codes = (
        pc.cast(combined(taken, name).filter(present), pa.binary()).to_pylist()
        for name in ("individual_number", "resident_code")
    )
    sealed = seal_column(numbers, bound_to(file, "individual_number", codes, key.key_id), key)
    return pc.replace_with_mask(pa.nulls(len(taken), pa.binary()), present, sealed)
