"""Compare one municipality's snapshot with our file as of its watermark.

Decides:    the order of work: while a part is opened and put in canonical form, the database digests its own side
            of the one before; only ranges whose digests differ are read and compared cell by cell.
Leaves:     our side to `juki.store.as_of`, the canonical form to `juki.canonical`, kinds to `juki.comparison`.
Invariants: one picture of the database for the whole comparison, whatever is applied meanwhile. Memory is bounded by
            two parts and by what differs. Nothing is written.
Source:     measure M11, ADR-0023.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from juki.canonical import RANGE_ROWS, Part, Ranges, Reading, Rows, ranges_of
from juki.code_order import between
from juki.comparison import OURS_ALONE, asked_of, concluded, differences_between, extra, of_kind
from juki.differences import DifferenceKind
from juki.found import Found, no_records
from juki.numbers import combined
from juki.store.as_of import Notice, OurSide
from juki.store.unit import Unit

_LAST_NOTICE = "SELECT last_notice_no FROM channel WHERE municipality_code = %s"


def compare(
    unit: Unit, municipality_code: str, watermark: int, parts: Iterator[pa.Table], index_key: bytes
) -> Found:
    """Find all differences between a snapshot and our file as of notice `watermark` of its municipality.

    Shape:  parts of RECORD_COLUMNS, all text, in order of code among each other, in any order within; none, or parts
            without rows, are a municipality without people.
    Raises: ContractError(SNAPSHOT_NOT_SORTED) when parts overlap; StoreError when the unit has asked something
            before, because everything must be seen as of one instant; whatever `parts` raises.
    """
    comparing = _Comparing(our_side(unit, municipality_code, watermark), Reading(unit.file, index_key))
    with ThreadPoolExecutor(1, "compare") as beside:
        waiting: Future[None] | None = None
        for records in parts:
            step = comparing.prepared(records)
            if waiting is not None:
                waiting.result()
            waiting = beside.submit(comparing.settle, *step) if step is not None else None
        if waiting is not None:
            waiting.result()
    return comparing.conclude()


def our_side(
    unit: Unit, municipality_code: str, watermark: int, *, with_ciphertexts: bool = False
) -> OurSide:
    """See our file as of a notice of its municipality, all of it as of one instant.

    Raises: StoreError when the unit has asked something before.
    """
    _freeze(unit)
    last = unit.cursor.execute(_LAST_NOTICE, [municipality_code]).fetchone()
    notice = Notice(municipality_code, watermark, last[0] if last else 0)
    return OurSide.open(unit.file, unit.cursor, notice, with_ciphertexts=with_ciphertexts)


def _freeze(unit: Unit) -> None:
    """See everything as of one instant; compile nothing, which would take longer than the queries."""
    unit.cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    unit.cursor.execute("SET LOCAL jit = off")


@dataclass(slots=True, repr=False)
class _Comparing:
    """A comparison under way: what was found, and how far both sides have come."""

    ours: OurSide
    reading: Reading
    found: list[pa.Table] = field(default_factory=list)
    records: list[pa.Table] = field(default_factory=list)
    repeated: list[pa.Array] = field(default_factory=list)
    rows_ours: int = 0

    def prepared(self, records: pa.Table) -> tuple[Part, Ranges] | None:
        """Make the next part ready to be compared; None when it has no person of its own."""
        low = self.reading.last or ""
        part = self.reading.take(records)
        self.repeated.append(part.repeated)
        if part.records.num_rows == 0:
            return None
        return part, ranges_of(part, low, combined(self.ours.stood, "resident_code"))

    def settle(self, part: Part, ranges: Ranges) -> None:
        """Compare one part with our side of it: the ranges that are not alike, and who is compared one by one."""
        counts, digests = self.ours.digests(ranges, RANGE_ROWS + 1)
        unlike = ranges.unlike(counts, digests)
        stood = self.ours.stood.filter(
            between(combined(self.ours.stood, "resident_code"), ranges.lows[0], part.last)
        )
        is_apart = pc.is_in(part.codes, value_set=combined(stood, "resident_code"))
        rows = pa.array(np.union1d(ranges.rows_of(unlike), np.flatnonzero(is_apart)))
        ours = pa.concat_tables(
            [stood, *self._read(part, ranges, unlike, np.asarray(counts))]
        ).combine_chunks()
        found, is_told = differences_between(ours, part.cells.take(rows))
        self.found.append(found)
        self.records.append(part.records.take(rows).filter(is_told))
        self.rows_ours += ours.num_rows + int(np.delete(counts, unlike).sum())

    def _read(self, part: Part, ranges: Ranges, unlike: Rows, counts: Rows) -> Iterator[pa.Table]:
        """Read our rows in some ranges; where there are more than theirs, the cells only of whom they have too."""
        is_crowded = counts[unlike] > RANGE_ROWS
        few, many = unlike[~is_crowded], unlike[is_crowded]
        if len(few):
            yield self.ours.rows(*ranges.bounds(few))
        if len(many):
            theirs = part.codes.take(pa.array(ranges.rows_of(many)))
            yield self.ours.rows(*ranges.bounds(many), theirs)
            self._add_extra(self.ours.others(*ranges.bounds(many), theirs))

    def _add_extra(self, alone: pa.Table) -> None:
        self.found.append(extra(alone))
        self.rows_ours += alone.num_rows

    def conclude(self) -> Found:
        """Add whom no part reached, and say what else is known of those who differ."""
        last = self.reading.last or ""
        self._add_extra(self.ours.beyond(last))
        self._add_extra(_beyond(self.ours.stood, last).select(OURS_ALONE.names))
        repeated = pc.unique(pa.chunked_array(self.repeated, pa.string()))
        packages = self.ours.packages(repeated)
        place = pc.index_in(repeated, value_set=combined(packages, "resident_code"))
        twice = of_kind(DifferenceKind.DUPLICATE, repeated, combined(packages, "package_id").take(place))
        found = pa.concat_tables([*self.found, twice])
        stood = combined(self.ours.stood, "resident_code")
        differences = concluded(found, self.ours.holders(asked_of(found, stood)), stood)
        records = pa.concat_tables([no_records(self.reading.file), *self.records]).combine_chunks()
        found = Found(differences, records, self.reading.rows, self.rows_ours, self.reading.root_digest)
        return replace(found, rows_ours=self.rows_ours - found.count(DifferenceKind.MOVED))


def _beyond(stood: pa.Table, low: str) -> pa.Table:
    codes = combined(stood, "resident_code")
    return stood.filter(pc.or_(pc.greater(codes, low), pc.equal(codes, "")))
