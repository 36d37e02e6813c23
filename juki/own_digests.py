"""Our own records in the form of a municipality's digests, and both sides of them laid beside each other.

Decides:    how our digest of a record comes about: from its live cells and the number its ciphertext opens to; and
            when a record of ours can equal no digest: its number does not open for this very person, is not a number,
            is not the one its keyed index finds, or a cell holds the separator.
Leaves:     the digest itself to `juki.snapshot_digests`, reading our side to `juki.store.as_of`.
Invariants: no stored digest is believed. Equal digests mean equal cells: the line of a record of ours has exactly
            the separators between its cells, so a line of the same bytes has the same cells. An opened number lives
            as long as the digests of its page are computed; none is returned, kept or told.
Source:     docs/formats/digest.md, ADR-0024, measure M11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from juki.canonical import cells_of
from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.number_opening import KeyOf, NumberOpener
from juki.numbers import combined
from juki.snapshot_digests import SEPARATOR, record_digest_hex


@dataclass(slots=True, repr=False)
class OwnDigests:
    """Computes the digests of our records, page by page; counts the numbers it opened and those it could not."""

    file: IdentityFile
    index_key: bytes
    key_of: KeyOf
    opened: int = 0
    unopened: int = 0
    _opener: NumberOpener = field(init=False)

    def __post_init__(self) -> None:
        """Let the keys be read as they are named."""
        self._opener = NumberOpener(self.file, self.key_of)

    def digests(self, ours: pa.Table) -> pa.Array:
        """Compute the digest of each record; null where no digest of a municipality can be equal.

        Shape: `ours` as `juki.store.as_of.OurSide.shape` with ciphertexts; 64 hexadecimal digits or null out.
        """
        records = ours.select(RECORD_COLUMNS[self.file])
        is_sound = pa.array([True] * records.num_rows, pa.bool_())
        if self.file is IdentityFile.RESIDENT:
            numbers, is_sound = self._numbers(ours)
            place = records.column_names.index("individual_number")
            records = records.set_column(place, "individual_number", numbers)
        digests = record_digest_hex(records, records.column_names)
        return pc.if_else(pc.and_(is_sound, _is_plain(records)), digests, pa.scalar(None, pa.string()))

    def _numbers(self, ours: pa.Table) -> tuple[pa.Array, pa.Array]:
        """Open the number of each record, empty where there is none; and mark those where what is stored is it."""
        codes = pc.cast(combined(ours, "resident_code"), pa.binary()).to_pylist()
        sealed = list(map(bytes.fromhex, combined(ours, "number_sealed").to_pylist()))
        opened = self._opener.opened(codes, sealed)
        numbers = pa.array([number or b"" for number in opened], pa.binary()).cast(pa.string())
        is_found = pc.equal(_indexes(numbers, self.index_key), combined(ours, "individual_number"))
        is_sound = pc.and_(pa.array([number is not None for number in opened], pa.bool_()), is_found)
        has_number = pc.not_equal(numbers, "")
        self.unopened += len(codes) - is_sound.true_count
        self.opened += pc.and_(is_sound, has_number).true_count
        return numbers, is_sound


def _indexes(numbers: pa.Array, index_key: bytes) -> pa.Array:
    """Give the keyed index of each number as it stands in canonical cells."""
    return combined(cells_of(pa.table({"individual_number": numbers}), index_key), "individual_number")


def are_alike(codes: pa.Array, digests: pa.Array, our_codes: pa.Array, our_digests: pa.Array) -> bool:
    """Tell whether we have everybody of some people of theirs, each with their digest."""
    place = pc.index_in(codes, value_set=our_codes)
    alike = pc.equal(digests, our_digests.take(place))
    return bool(pc.all(pc.fill_null(alike, False), min_count=0).as_py())


def _is_plain(records: pa.Table) -> pa.Array:
    """Mark the records of which no cell holds the separator."""
    plain: Sequence[pa.Array] = [
        pc.invert(pc.match_substring(combined(records, name), SEPARATOR)) for name in records.column_names
    ]
    mask = plain[0]
    for one in plain[1:]:
        mask = pc.and_(mask, one)
    return mask
