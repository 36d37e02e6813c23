"""What the checks found in one package, held by check and not by record so that size stays bounded.

Decides:    which records are blocked (an `error` was found) and which only draw an alert.
Invariants: carries codes, columns and row positions; never a value. 100,000 records failing every check cost
            one integer array per check, not one object per failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from juki.reasons import Code, Rejection, Severity

Rows = NDArray[np.int64]
"""Positions of records in a package, counted from 0, ascending."""
Mask = NDArray[np.bool_]

HEADER_LINES = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One check that failed: its code, the column it was on (empty: the record) and the rows where."""

    code: Code
    column: str
    rows: Rows


@dataclass(frozen=True, slots=True)
class Findings:
    """All failed checks of one package of `records` records, in the order the checks ran."""

    records: int
    groups: tuple[Finding, ...] = ()

    def __add__(self, other: Findings) -> Findings:
        """Join what two steps found on the same records."""
        return Findings(self.records, self.groups + other.groups)

    def mask(self, severity: Severity) -> Mask:
        """Mark the records with at least one finding of this severity."""
        marked = np.zeros(self.records, dtype=np.bool_)
        for group in self.groups:
            if group.code.severity is severity:
                marked[group.rows] = True
        return marked

    @property
    def blocked(self) -> Mask:
        """Mark the records that may not be applied."""
        return self.mask(Severity.ERROR)

    def counts(self) -> dict[Code, int]:
        """Count records by code."""
        counted: dict[Code, int] = {}
        for group in self.groups:
            counted[group.code] = counted.get(group.code, 0) + len(group.rows)
        return counted

    def codes(self) -> dict[str, int]:
        """Count records by code, as entries and results have them."""
        return {code.value: count for code, count in self.counts().items()}

    def first_errors(self, names: pa.ChunkedArray) -> dict[str, Code]:
        """Name the records that may not be applied, each with the first error found on it.

        Shape: `names` has one text per record.
        """
        found: dict[str, Code] = {}
        for group in self.groups:
            if group.code.severity is Severity.ERROR:
                for name in names.take(pa.array(group.rows)).to_pylist():
                    found.setdefault(name, group.code)
        return found

    def rejections(self, package: str) -> Iterator[Rejection]:
        """List the findings one by one, by line and then in the order the checks ran."""
        found = [(int(row), index) for index, group in enumerate(self.groups) for row in group.rows]
        for row, index in sorted(found):
            group = self.groups[index]
            yield Rejection(group.code, package, row + 1 + HEADER_LINES, group.column)


def finding(code: Code, column: str, failed: Mask) -> tuple[Finding, ...]:
    """Make a finding of the rows a mask marks; nothing when it marks none."""
    rows = np.flatnonzero(failed)
    return (Finding(code, column, rows),) if len(rows) else ()
