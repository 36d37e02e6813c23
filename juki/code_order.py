"""Codes in ascending order: whether they are, whether one is said twice, which lie between two.

Invariants: a bound that is not given leaves that side open; an empty code is a code.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


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


def between(codes: pa.Array, low: str | None, high: str | None) -> pa.Array:
    """Mark the codes from one (excluded) to another (included); without a bound, all on that side."""
    mask = pa.array([True] * len(codes), pa.bool_())
    if low is not None:
        mask = pc.and_(mask, pc.greater(codes, low))
    return mask if high is None else pc.and_(mask, pc.less_equal(codes, high))
