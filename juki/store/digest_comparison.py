"""Compare the digests of one municipality with our file as of their watermark: are both sides equal, or not.

Decides:    the order of work: our side is read in pages of codes, each digested afresh and laid beside theirs.
Leaves:     our side to `juki.store.as_of`, our digests to `juki.own_digests`, what differs to the comparison of a
            snapshot, which follows wherever this one does not say equal.
Invariants: equal here is equal there, and more: every number was opened, and is its person's. Everything is seen
            as of one instant. Memory is bounded by a part of theirs and a page of ours, whatever either side has.
            Nothing is written, and no value leaves.
Source:     measure M11, ADR-0024.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from juki.canonical import lines_of, octets
from juki.code_order import between, is_ascending, is_repeated
from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.comparison import OURS_ALONE, concluded, extra
from juki.differences import DifferenceKind
from juki.errors import ContractError
from juki.found import Found, no_records
from juki.number_opening import KeyOf
from juki.numbers import combined
from juki.own_digests import OwnDigests, are_alike
from juki.reasons import Code
from juki.store.as_of import OurSide
from juki.store.comparison import our_side
from juki.store.unit import Unit

PAGE_ROWS = 10_000
"""Rows of ours that are held at once."""


@dataclass(frozen=True, slots=True, repr=False)
class DigestsCompared:
    """What a comparison of digests has come to: equal or not, and counts.

    Shape: `moved` as FOUND_SCHEMA, those whom another municipality has entered since, only when equal; `root_digest`
           that of a comparison of the same records (`juki.found.Found`), empty unless equal.
    """

    file: IdentityFile
    is_equal: bool
    rows_theirs: int
    rows_ours: int
    root_digest: bytes
    moved: pa.Table
    numbers_opened: int
    numbers_unopened: int
    """Numbers that do not open as their person's: each of them makes the sides differ."""

    @property
    def found(self) -> Found:
        """Say it as a comparison of the records would; only when equal."""
        return Found(self.moved, no_records(self.file), self.rows_theirs, self.rows_ours, self.root_digest)


def compare_digests(
    unit: Unit,
    municipality_code: str,
    watermark: int,
    parts: Iterator[pa.Table],
    key_of: KeyOf,
    index_key: bytes,
    page_rows: int = PAGE_ROWS,
) -> DigestsCompared:
    """Tell whether a municipality's digests are those of our file as of notice `watermark`.

    Shape:  parts of (resident_code, digest), all text, in order of code within and among each other; none, or parts
            without rows, are a municipality without people.
    Raises: ContractError(SNAPSHOT_NOT_SORTED) when the codes do not ascend; StoreError when the unit has asked
            something before; whatever `parts` raises. Numbers may have been opened by then.
    """
    ours = our_side(unit, municipality_code, watermark, with_ciphertexts=True)
    comparing = _Comparing(ours, OwnDigests(unit.file, index_key, key_of), page_rows)
    for part in parts:
        comparing.take(part)
    return comparing.conclude()


@dataclass(slots=True, repr=False)
class _Comparing:
    """A comparison under way: how far both sides have come, and whether they were alike so far."""

    ours: OurSide
    own: OwnDigests
    page_rows: int
    is_alike: bool = True
    rows_theirs: int = 0
    rows_ours: int = 0
    last: str | None = None
    """The greatest code of theirs so far."""
    extras: list[pa.Table] = field(default_factory=lambda: [OURS_ALONE.empty_table()])
    """Those of ours alone who may have moved; anybody else of ours alone makes the sides differ."""
    _root: Any = field(default_factory=hashlib.sha256)

    def take(self, part: pa.Table) -> None:
        """Compare our side up to the end of a part with it."""
        codes, digests = combined(part, "resident_code"), combined(part, "digest")
        if len(codes) == 0:
            return
        if not is_ascending(codes, self.last):
            raise ContractError(Code.SNAPSHOT_NOT_SORTED)
        self.is_alike &= not is_repeated(codes, self.last)
        low, high = self.last, codes[-1].as_py()
        for page, upto in self._pages(low, high):
            mask = between(codes, low, upto)
            self._settle(page, codes.filter(mask), digests.filter(mask))
            low = upto
        self.rows_theirs += len(codes)
        self.last = high

    def conclude(self) -> DigestsCompared:
        """Look at whom no part reached, and tell whether those of ours alone have all moved."""
        nobody = pa.array([], pa.string())
        for page, _ in self._pages(self.last, None):
            self._settle(page, nobody, nobody)
        alone = pa.concat_tables(self.extras).combine_chunks()
        holders = self.ours.holders(combined(alone, "resident_code"))
        moved = concluded(extra(alone), holders, combined(self.ours.stood, "resident_code"))
        is_moved = pc.equal(combined(moved, "kind"), DifferenceKind.MOVED.value)
        has_moved = int(pc.sum(is_moved, min_count=0).as_py())
        is_equal = self.is_alike and self.own.unopened == 0 and has_moved == moved.num_rows
        return DigestsCompared(
            self.own.file, is_equal, self.rows_theirs, self.rows_ours - has_moved,
            self._root.digest() if is_equal else b"", moved if is_equal else moved[:0],
            self.own.opened, self.own.unopened,
        )  # fmt: skip

    def _pages(self, low: str | None, high: str | None) -> Iterator[tuple[pa.Table, str | None]]:
        """Read our side of a range page by page, in order of code, and how far each page goes."""
        while True:
            page = self.ours.page(low, high, self.page_rows)
            is_last = page.num_rows < self.page_rows
            upto = high if is_last else combined(page, "resident_code")[-1].as_py()
            stood = self.ours.stood.filter(between(combined(self.ours.stood, "resident_code"), low, upto))
            yield _in_order(page, stood), upto
            if is_last:
                return
            low = upto

    def _settle(self, ours: pa.Table, codes: pa.Array, digests: pa.Array) -> None:
        """Compare one page of ours with theirs of the same codes. It is digested whatever was seen before, for only
        so every number is tried.
        """
        our_codes, our_digests = combined(ours, "resident_code"), self.own.digests(ours)
        is_extra = pc.invert(pc.is_in(our_codes, value_set=codes))
        alone = ours.filter(is_extra).select(OURS_ALONE.names)
        has_stood = pc.is_in(
            combined(alone, "resident_code"), value_set=combined(self.ours.stood, "resident_code")
        )
        self.is_alike &= (
            are_alike(codes, digests, our_codes, our_digests)
            and not is_repeated(our_codes)
            and bool(pc.all(has_stood, min_count=0).as_py())
        )
        self.extras.append(alone.filter(has_stood))
        self.rows_ours += ours.num_rows
        if self.is_alike:
            both = ours.filter(pc.invert(is_extra)).select(RECORD_COLUMNS[self.own.file])
            self._root.update(octets(lines_of(both)))


def _in_order(page: pa.Table, stood: pa.Table) -> pa.Table:
    """Put those who stood among those of a page."""
    if stood.num_rows == 0:
        return page
    return pa.concat_tables([page, stood]).sort_by("resident_code").combine_chunks()
