"""The records of one package as the rules see them: columns of bytes, and what several rules share.

Decides:    nothing about records; how their bytes are reached without a loop and without a copy.
Invariants: a rule reads `Records` and answers with one mask over all records; it changes nothing. What is
            derived once is kept for the other rules of the same package and dies with it. The representation
            of either class shows sizes only.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TypeVar, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]
T = TypeVar("T")

CLOCK_SKEW = timedelta(minutes=10)
"""How far a municipality's clock may run before ours unless configured otherwise; ours, not official."""


class CheckDigitPolicy(StrEnum):
    """What a wrong check digit of 住民票コード does; the notice that fixes the digit is not public."""

    ALERT = "alert"
    ERROR = "error"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class RecordContext:
    """What the rules must know besides the records.

    `sender_code` is the municipality the package is bound to, `package` its name (for errors), `received_at`
    an aware instant, `known_municipalities` all codes that exist in Japan.
    """

    sender_code: str
    package: str
    received_at: datetime
    known_municipalities: frozenset[str]
    resident_code_check: CheckDigitPolicy = CheckDigitPolicy.ALERT
    clock_skew: timedelta = CLOCK_SKEW


class TextColumn:
    """One column of text as the bytes of its values, one after the other."""

    def __init__(self, array: pa.StringArray) -> None:
        self.array = array
        _, offsets, data = array.buffers()
        size = len(array)
        if offsets is None:
            offsets = pa.py_buffer(bytes(4))
        bounds = np.frombuffer(offsets, dtype=np.int32)[array.offset : array.offset + size + 1].astype(
            np.int64
        )
        everything = np.frombuffer(data if data is not None else b"", dtype=np.uint8)
        self.offsets: Offsets = bounds - bounds[0]
        self.data: Bytes = everything[bounds[0] : bounds[-1]]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"TextColumn({len(self)} values)"

    @cached_property
    def lengths(self) -> Offsets:
        """The length of each value in bytes."""
        return np.diff(self.offsets)

    @cached_property
    def is_blank(self) -> Mask:
        """Which values are not present."""
        found: Mask = self.lengths == 0
        return found

    def of_width(self, width: int) -> tuple[Mask, Bytes]:
        """Find the values of `width` bytes: a mask over all, and their bytes as a (found, width) matrix."""
        is_width = self.lengths == width
        if is_width.all():
            return is_width, self.data.reshape(len(self), width)
        starts = self.offsets[:-1][is_width]
        return is_width, self.data[starts[:, np.newaxis] + np.arange(width)]


@dataclass(slots=True)
class Records:
    """The records of one package with their context; `kept` holds what rules derived and share."""

    table: pa.Table = field(repr=False)
    context: RecordContext = field(repr=False)
    kept: dict[Hashable, object] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def has(self, column: str) -> bool:
        """Tell whether the layout of these records has the column."""
        return column in self.table.column_names

    def text(self, column: str) -> TextColumn:
        """View a column."""
        return self.keep(("text", column), lambda: TextColumn(_one_chunk(self.table, column)))

    def is_blank(self, column: str) -> Mask:
        """Mark the records in which the column is not present."""
        return self.text(column).is_blank

    def nowhere(self) -> Mask:
        """Mark no record."""
        return np.zeros(len(self), dtype=np.bool_)

    def keep(self, key: Hashable, derive: Callable[[], T]) -> T:
        """Derive something once for all rules."""
        if key not in self.kept:
            self.kept[key] = derive()
        return cast("T", self.kept[key])


def spread(where: Mask, part: Mask) -> Mask:
    """Lay a mask over the marked records out over all records; unmarked ones stay unmarked."""
    whole = np.zeros(len(where), dtype=np.bool_)
    whole[where] = part
    return whole


def _one_chunk(table: pa.Table, column: str) -> pa.StringArray:
    chunks = table.column(column).chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks or [pa.array([], pa.string())])
