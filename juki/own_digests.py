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

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.errors import JukiError
from juki.numbers import NONCE_BYTES, SealingKey, bound_to, combined, key_id_of, number_index
from juki.snapshot_digests import SEPARATOR, record_digest_hex

KeyOf = Callable[[str], SealingKey]
"""Gives the key a ciphertext names; JukiError when there is none."""

NUMBER_DIGITS = 12


@dataclass(slots=True, repr=False)
class OwnDigests:
    """Computes the digests of our records, page by page; counts the numbers it opened and those it could not."""

    file: IdentityFile
    index_key: bytes
    key_of: KeyOf
    opened: int = 0
    unopened: int = 0
    _ciphers: dict[str, AESGCM | None] = field(default_factory=dict)

    def digests(self, ours: pa.Table) -> pa.Array:
        """Compute the digest of each record; null where no digest of a municipality can be equal.

        Shape: `ours` as `juki.store.as_of.OurSide.shape` with ciphertexts; 64 hexadecimal digits or null out.
        """
        records = ours.select(RECORD_COLUMNS[self.file])
        is_sound = pa.array([True] * records.num_rows, pa.bool_())
        if self.file is IdentityFile.RESIDENT:
            numbers = self._numbers(ours)
            is_sound = numbers.is_valid()
            place = records.column_names.index("individual_number")
            records = records.set_column(place, "individual_number", pc.fill_null(numbers, ""))
        digests = record_digest_hex(records, records.column_names)
        return pc.if_else(pc.and_(is_sound, _is_plain(records)), digests, pa.scalar(None, pa.string()))

    def _numbers(self, ours: pa.Table) -> pa.Array:
        """Open the number of each record: empty where it has none, null where what is stored is not its number."""
        codes = pc.cast(combined(ours, "resident_code"), pa.binary()).to_pylist()
        indexes = combined(ours, "individual_number").to_pylist()
        sealed = combined(ours, "number_sealed").to_pylist()
        numbers = list(map(self._number, codes, indexes, sealed))
        absent = sum(number == "" for number in numbers)
        unopened = numbers.count(None)
        self.unopened += unopened
        self.opened += len(numbers) - absent - unopened
        return pa.array(numbers, pa.string())

    def _number(self, code: bytes, index: str, sealed: str) -> str | None:
        if not index and not sealed:
            return ""
        number = self._open(code, bytes.fromhex(sealed))
        if number is None or len(number) != NUMBER_DIGITS or not number.isdigit():
            return None
        return number.decode("ascii") if number_index(number, self.index_key).hex() == index else None

    def _open(self, code: bytes, sealed: bytes) -> bytes | None:
        try:
            key_id = key_id_of(sealed)
            cipher = self._cipher(key_id)
        except JukiError:
            return None
        if cipher is None:
            return None
        start = 2 + len(key_id)
        body = start + NONCE_BYTES
        (binding,) = bound_to(self.file, "individual_number", [code], key_id)
        try:
            return cipher.decrypt(sealed[start:body], sealed[body:], binding)
        except (InvalidTag, ValueError):
            return None

    def _cipher(self, key_id: str) -> AESGCM | None:
        """Give the cipher of a key; none of a key that is not ours, whatever a ciphertext claims."""
        if key_id not in self._ciphers:
            self._ciphers[key_id] = None
            self._ciphers[key_id] = AESGCM(self.key_of(key_id).key)
        return self._ciphers[key_id]


def is_ascending(codes: pa.Array, after: str | None) -> bool:
    """Tell whether codes ascend, from the last one before on; a code that is said again is in order."""
    if after is not None:
        codes = pa.concat_arrays([pa.array([after], pa.string()), codes])
    return bool(pc.all(pc.less_equal(codes[:-1], codes[1:]), min_count=0).as_py())


def is_repeated(codes: pa.Array, after: str | None = None) -> bool:
    """Tell whether ascending codes say somebody twice, the last one before included."""
    if after is not None:
        codes = pa.concat_arrays([pa.array([after], pa.string()), codes])
    return bool(pc.any(pc.equal(codes[:-1], codes[1:]), min_count=0).as_py())


def are_alike(codes: pa.Array, digests: pa.Array, our_codes: pa.Array, our_digests: pa.Array) -> bool:
    """Tell whether we have everybody of some people of theirs, each with their digest."""
    place = pc.index_in(codes, value_set=our_codes)
    alike = pc.equal(digests, our_digests.take(place))
    return bool(pc.all(pc.fill_null(alike, False), min_count=0).as_py())


def between(codes: pa.Array, low: str | None, high: str | None) -> pa.Array:
    """Mark the codes from one (excluded) to another (included); without a bound, all on that side."""
    mask = pa.array([True] * len(codes), pa.bool_())
    if low is not None:
        mask = pc.and_(mask, pc.greater(codes, low))
    return mask if high is None else pc.and_(mask, pc.less_equal(codes, high))


def _is_plain(records: pa.Table) -> pa.Array:
    """Mark the records of which no cell holds the separator."""
    plain: Sequence[pa.Array] = [
        pc.invert(pc.match_substring(combined(records, name), SEPARATOR)) for name in records.column_names
    ]
    mask = plain[0]
    for one in plain[1:]:
        mask = pc.and_(mask, one)
    return mask
