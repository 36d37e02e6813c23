"""The canonical form of what a municipality says of its people, and the digests by which two sides compare it.

Decides:    how a record becomes bytes: its cells in the order of RECORD_COLUMNS, each ended by U+001F, the record
            ended by U+001E; 個人番号 stands as its keyed index in hexadecimal, so that digests may be kept and shown.
            How a sorted part is cut into ranges of codes, each with the SHA-256 of its records.
Leaves:     our side of the same ranges to `juki.store.as_of`, what to make of unequal ones to `juki.comparison`.
Invariants: equal digests of ranges with equally many records mean equal records, whatever our cells hold: theirs
            hold neither separator, or their ranges count as unequal and are compared cell by cell.
Source:     ADR-0023, FIPS 180-4 (SHA-256).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from juki.code_order import is_ascending
from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.errors import ContractError
from juki.numbers import INDEX_BYTES, combined, number_indexes
from juki.reasons import Code

CELL_END, RECORD_END = b"\x1f", b"\x1e"
RANGE_ROWS = 16
"""Records compared by one digest: small, since one difference makes a whole range be read (measured in ADR-0023)."""

_HEX_PAIRS = np.frombuffer(bytes(range(256)).hex().encode("ascii"), dtype=np.uint16)

Rows = NDArray[np.intp]


class _Hash(Protocol):
    def update(self, data: memoryview, /) -> None: ...
    def digest(self) -> bytes: ...


@dataclass(frozen=True, slots=True, repr=False)
class Part:
    """One part of a snapshot in order of code, each person once.

    Shape: `records` as sent, `cells` the same with the index in place of the number, `lines` their canonical form,
           row by row; `repeated` the codes that were said before, in this part or at the end of the last one.
    """

    records: pa.Table
    cells: pa.Table
    lines: pa.BinaryArray
    repeated: pa.Array
    is_plain: bool
    """No cell holds a byte that ends cells or records."""

    @property
    def codes(self) -> pa.Array:
        """The people of the part, ascending."""
        return combined(self.cells, "resident_code")

    @property
    def last(self) -> str:
        """The greatest code of the part, which must not be empty."""
        return str(self.codes[-1].as_py())


@dataclass(frozen=True, slots=True, repr=False)
class Ranges:
    """Neighbouring ranges of codes, each from `lows` (excluded) to `highs` (included), that leave no gap.

    Shape: `rows` are the rows of the part that lie in them, in order; the i-th range has those from `starts[i]` to
           `starts[i + 1]`, and `digests[i]` is the SHA-256 of their lines. Without `is_plain` digests prove nothing.
    """

    lows: Sequence[str]
    highs: Sequence[str]
    rows: Rows
    starts: Rows
    digests: Sequence[bytes]
    is_plain: bool

    @property
    def counts(self) -> Rows:
        """How many records the municipality has in each range."""
        return np.diff(self.starts)

    def unlike(self, counts: Sequence[int], digests: Sequence[bytes]) -> Rows:
        """Find the ranges in which the other side has other records."""
        if not self.is_plain:
            return np.arange(len(self.lows))
        same_count = np.asarray(counts) == self.counts
        same_digest = np.array([one == other for one, other in zip(digests, self.digests, strict=True)])
        return np.flatnonzero(~(same_count & same_digest))

    def bounds(self, ranges: Rows) -> tuple[list[str], list[str]]:
        """Give the bounds of some of the ranges."""
        chosen = ranges.tolist()
        return [self.lows[at] for at in chosen], [self.highs[at] for at in chosen]

    def rows_of(self, ranges: Rows) -> Rows:
        """Give the rows of the part that lie in some of the ranges."""
        chosen = np.zeros(len(self.lows), dtype=np.bool_)
        chosen[ranges] = True
        return self.rows[np.repeat(chosen, self.counts)]


@dataclass(slots=True, repr=False)
class Reading:
    """A snapshot being read part by part: how far it has come, and the digest of everything so far."""

    file: IdentityFile
    index_key: bytes
    rows: int = 0
    last: str | None = None
    """The greatest code so far."""
    _root: _Hash = field(default_factory=hashlib.sha256)

    @property
    def root_digest(self) -> bytes:
        """SHA-256 of all lines so far, repeated people included: no number is in it, only keyed indexes."""
        return self._root.digest()

    def take(self, records: pa.Table) -> Part:
        """Put the next part in order and in canonical form.

        Raises: ContractError(SNAPSHOT_NOT_SORTED) when it has a code before the last one of the part before: parts
                that overlap can not be compared one by one.
        """
        ordered = _in_order(records.select(RECORD_COLUMNS[self.file]).combine_chunks())
        codes = combined(ordered, "resident_code")
        if len(codes) and self.last is not None and codes[0].as_py() < self.last:
            raise ContractError(Code.SNAPSHOT_NOT_SORTED)
        cells = cells_of(ordered, self.index_key)
        lines = lines_of(cells)
        self._root.update(octets(lines))
        is_again = _is_again(codes, self.last)
        self.rows += len(codes)
        self.last = codes[-1].as_py() if len(codes) else self.last
        is_plain = _is_plain(lines, cells.num_columns)
        repeated = pc.unique(codes.filter(is_again))
        if len(repeated):
            is_new = pc.invert(is_again)
            ordered, cells, lines = ordered.filter(is_new), cells.filter(is_new), lines.filter(is_new)
        return Part(ordered, cells, lines, repeated, is_plain)


def cells_of(records: pa.Table, index_key: bytes) -> pa.Table:
    """Replace the number of each record by its keyed index in hexadecimal; an absent one stays empty."""
    if "individual_number" not in records.column_names:
        return records
    position = records.column_names.index("individual_number")
    indexes = number_indexes(combined(records, "individual_number"), index_key)
    return records.set_column(position, "individual_number", _hexadecimal(indexes))


def lines_of(cells: pa.Table) -> pa.BinaryArray:
    """Write records of text cells in canonical form."""
    columns = (pc.cast(combined(cells, name), pa.binary()) for name in cells.column_names)
    return pc.binary_join_element_wise(*columns, RECORD_END, CELL_END)


def octets(lines: pa.BinaryArray) -> memoryview:
    """View the bytes of all lines, one after the other."""
    bounds = _bounds(lines)
    return memoryview(lines.buffers()[2] or b"")[bounds[0] : bounds[-1]]


def ranges_of(part: Part, low: str, apart: pa.Array, range_rows: int = RANGE_ROWS) -> Ranges:
    """Cut a part into ranges from the greatest code before it to its own greatest.

    `apart` are people who are compared one by one: they lie in no range, on neither side.
    """
    rows = np.arange(len(part.codes))
    lines = part.lines
    if len(apart):
        is_in_range = pc.invert(pc.is_in(part.codes, value_set=apart))
        rows, lines = rows[is_in_range.to_numpy(zero_copy_only=False)], lines.filter(is_in_range)
    starts = np.append(np.arange(0, max(len(rows), 1), range_rows), len(rows))
    highs = [*part.codes.take(pa.array(rows[starts[1:-1] - 1])).to_pylist(), part.last]
    return Ranges([low, *highs[:-1]], highs, rows, starts, _digests(lines, starts), part.is_plain)


def _digests(lines: pa.BinaryArray, starts: Rows) -> list[bytes]:
    bounds, data = _bounds(lines)[starts].tolist(), memoryview(lines.buffers()[2] or b"")
    return [hashlib.sha256(data[start:end]).digest() for start, end in pairwise(bounds)]


def _bounds(lines: pa.BinaryArray) -> NDArray[np.int32]:
    """Give where each line begins, and where the last one ends."""
    if len(lines) == 0:
        return np.zeros(1, dtype=np.int32)
    return np.frombuffer(lines.buffers()[1], np.int32)[lines.offset :][: len(lines) + 1]


def _in_order(records: pa.Table) -> pa.Table:
    """Sort by code where it is not; what is said twice of a person stays in the order in which it was said."""
    codes = combined(records, "resident_code")
    if is_ascending(codes, None):
        return records
    return records.take(pc.sort_indices(codes)).combine_chunks()


def _is_again(codes: pa.Array, last: str | None) -> pa.Array:
    """Mark the records whose code stands before them."""
    if len(codes) == 0:
        return pa.array([], pa.bool_())
    first = pa.array([codes[0].as_py() == last])
    return pa.concat_arrays([first, pc.equal(codes[1:], codes[:-1])])


def _is_plain(lines: pa.BinaryArray, cells: int) -> bool:
    """Tell whether the only separators are those that `lines_of` wrote; no other character has these bytes."""
    data = np.frombuffer(octets(lines), np.uint8)
    return int(np.count_nonzero((data & 0xFE) == RECORD_END[0])) == len(lines) * (cells + 1)


def _hexadecimal(indexes: NDArray[np.void]) -> pa.Array:
    """Write 16-byte values in hexadecimal, all zero as empty."""
    values = indexes.view(np.uint8).reshape(-1, INDEX_BYTES)
    ends = np.arange(len(values) + 1, dtype=np.int32) * (2 * INDEX_BYTES)
    pairs = pa.py_buffer(np.ascontiguousarray(_HEX_PAIRS[values]))
    digits = pa.StringArray.from_buffers(len(values), pa.py_buffer(ends), pairs)
    is_present = values.any(axis=1)
    return digits if is_present.all() else pc.if_else(pa.array(is_present), digits, "")
