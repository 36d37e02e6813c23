"""What two sides say of the same people, cell by cell: the differences and their kinds.

Decides:    which kind a difference is of and which columns differ.
Leaves:     finding where the sides may differ to `juki.canonical`, our side to `juki.store.as_of`.
Invariants: a person has one difference, and one more only for being listed twice; of what differs only the names of
            columns are told.
Source:     measure M11, ADR-0023.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.differences import DifferenceKind
from juki.found import FOUND_SCHEMA
from juki.numbers import combined

Rows = NDArray[np.intp]

_NOT_HELD = pa.scalar(None, pa.string())
OURS_ALONE = pa.schema([("resident_code", pa.string()), ("package_id", pa.int64())])
"""People of ours of whom nothing more need be known."""


def ours_schema(file: IdentityFile) -> pa.Schema:
    """Give the shape of our side: cells as `juki.canonical.cells_of` has them, and the package of the version."""
    cells = [(name, pa.string()) for name in RECORD_COLUMNS[file]]
    return pa.schema([*cells, ("package_id", pa.int64())])


def differences_between(ours: pa.Table, theirs: pa.Table) -> tuple[pa.Table, pa.Array]:
    """Compare both sides of some people, cell by cell.

    Shape:   `ours` as `ours_schema`, `theirs` in the same cells, each person once a side, in any order.
    Returns: differences as FOUND_SCHEMA, `moved` not yet told from `extra`; and a mask of the people of `theirs`
             with a `missing` or `differs`.
    """
    our_codes, their_codes = combined(ours, "resident_code"), combined(theirs, "resident_code")
    place = pc.index_in(their_codes, value_set=our_codes)
    is_missing = place.is_null()
    both = theirs.filter(place.is_valid())
    counterparts = ours.take(place.drop_null())
    names = [name for name in theirs.column_names if name != "resident_code"]
    differing, columns = _unequal(counterparts, both, names)
    is_changed = np.zeros(theirs.num_rows, dtype=np.bool_)
    is_changed[np.flatnonzero(place.is_valid().to_numpy(zero_copy_only=False))[differing]] = True
    found = [
        of_kind(DifferenceKind.MISSING, their_codes.filter(is_missing)),
        extra(ours.filter(pc.invert(pc.is_in(our_codes, value_set=their_codes)))),
        of_kind(
            DifferenceKind.DIFFERS,
            combined(both, "resident_code").take(pa.array(differing)),
            combined(counterparts, "package_id").take(pa.array(differing)),
            columns,
        ),
    ]
    return pa.concat_tables(found), pc.or_(is_missing, pa.array(is_changed))


def extra(ours: pa.Table) -> pa.Table:
    """Make a difference of each person whom only we have."""
    return of_kind(DifferenceKind.EXTRA, combined(ours, "resident_code"), combined(ours, "package_id"))


def of_kind(
    kind: DifferenceKind,
    codes: pa.Array,
    package_ids: pa.Array | None = None,
    columns: pa.Array | None = None,
) -> pa.Table:
    """Lay differences of one kind out as FOUND_SCHEMA."""
    count = len(codes)
    none = pa.ListArray.from_arrays(pa.array([0] * (count + 1), pa.int32()), pa.array([], pa.string()))
    return pa.table(
        [
            codes,
            pa.repeat(pa.scalar(kind.value), count),
            none if columns is None else columns,
            pa.nulls(count, pa.string()),
            pa.nulls(count, pa.int64()) if package_ids is None else package_ids,
        ],
        schema=FOUND_SCHEMA,
    )


def concluded(found: pa.Table, holders: pa.Table, stood: pa.Array) -> pa.Table:
    """Put what was found in order, name the other municipality that holds a person, tell `moved` from `extra`.

    Shape: `holders` (resident_code, sender_code); `stood` the codes of those who are ours as of the notice but whose
           version is no longer current: only they can have moved.
    """
    joined = found.sort_by([("resident_code", "ascending"), ("kind", "ascending")])
    codes, kinds = combined(joined, "resident_code"), combined(joined, "kind")
    place = pc.index_in(codes, value_set=combined(holders, "resident_code"))
    held_by = combined(holders, "sender_code").take(place)
    has_moved = pc.and_(
        pc.and_(pc.equal(kinds, DifferenceKind.EXTRA.value), pc.is_in(codes, value_set=stood)),
        held_by.is_valid(),
    )
    is_told = pc.or_(has_moved, pc.equal(kinds, DifferenceKind.MISSING.value))
    kinds = pc.if_else(has_moved, DifferenceKind.MOVED.value, kinds)
    columns = [codes, kinds, combined(joined, "columns"), pc.if_else(is_told, held_by, _NOT_HELD)]
    return pa.table([*columns, combined(joined, "package_id")], schema=FOUND_SCHEMA)


def asked_of(found: pa.Table, stood: pa.Array) -> pa.Array:
    """List the people who may be current for another municipality: whom we miss, and who only stood."""
    codes, kinds = combined(found, "resident_code"), combined(found, "kind")
    is_missing = pc.equal(kinds, DifferenceKind.MISSING.value)
    has_stood = pc.and_(pc.equal(kinds, DifferenceKind.EXTRA.value), pc.is_in(codes, value_set=stood))
    return codes.filter(pc.or_(is_missing, has_stood))


def _unequal(ours: pa.Table, theirs: pa.Table, names: Sequence[str]) -> tuple[Rows, pa.Array]:
    """Find the rows that differ, and of each the names of the columns."""
    masks = [pc.not_equal(combined(ours, name), combined(theirs, name)) for name in names]
    unequal = np.column_stack([mask.to_numpy(zero_copy_only=False) for mask in masks])
    rows = np.flatnonzero(unequal.any(axis=1))
    ends = np.append(0, np.cumsum(unequal[rows].sum(axis=1)))
    differing = pa.array(names, pa.string()).take(pa.array(np.nonzero(unequal[rows])[1]))
    return rows, pa.ListArray.from_arrays(pa.array(ends, pa.int32()), differing)
