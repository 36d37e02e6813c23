"""The records of a receipt: what became of every notice of a package.

Decides:    one line for a notice without findings, one line per finding otherwise (spec/packages.md section 4);
            only the deciding finding of each notice when the receipt would exceed the limits of a package.
Leaves:     the manifest to `juki.manifests`, sealing to `juki.wire`.
Invariants: carries notice numbers, verdicts, codes, columns and our own sentences; never a value of a record.
            However many checks fail, a receipt fits in a package; every notice has a line, and whoever was
            told less than what was found is told so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from juki.decisions import Effect
from juki.findings import Finding, Findings
from juki.known import Numbers
from juki.manifests import MAX_MANIFEST_BYTES
from juki.packages import (
    MAX_CONTENT_BYTES,
    MAX_RECEIPT_LINES,
    RECEIPT_COLUMNS,
    RecordVerdict,
)
from juki.reasons import Severity

MORE_FOUND = "（ほかにも指摘があります。）"
"""Said after the sentence of a line that stands for more findings than one."""

_VERDICTS = np.array([verdict.value for verdict in RecordVerdict])
_ACCEPTED, _ALERTED, _REJECTED, _REPEATED = range(4)
_MAX_CSV_BYTES = MAX_CONTENT_BYTES - MAX_MANIFEST_BYTES
_SEPARATORS = len(RECEIPT_COLUMNS)
"""Four commas and a line end; no verdict, code, column or sentence needs quotes."""


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a receipt before they are put in order: per line its notice and what it says.

    Shape: `said` is a position in `sayings`, the distinct things said: code, column and sentence.
    """

    rows: Numbers
    said: Numbers
    sayings: list[tuple[str, str, str]]


def verdict_numbers(effects: Numbers, findings: Findings) -> NDArray[np.int64]:
    """Give each notice its verdict as a position in `RecordVerdict`."""
    verdicts = np.full(len(effects), _ACCEPTED, dtype=np.int64)
    verdicts[findings.mask(Severity.ALERT)] = _ALERTED
    verdicts[effects == Effect.REPEAT] = _REPEATED
    verdicts[effects == Effect.REJECT] = _REJECTED
    return verdicts


def verdict_counts(verdicts: NDArray[np.int64]) -> dict[str, int]:
    """Count records by verdict under the names of the package register."""
    counts = np.bincount(verdicts, minlength=len(_VERDICTS)).tolist()
    names = ("accepted", "alerted", "rejected", "repeated")
    return {"records": len(verdicts), **dict(zip(names, counts, strict=True))}


def receipt_records(
    notice_nos: pa.ChunkedArray,
    verdicts: NDArray[np.int64],
    findings: Findings,
    *,
    max_lines: int = MAX_RECEIPT_LINES,
    max_bytes: int = _MAX_CSV_BYTES,
) -> pa.Table:
    """Make the CSV part of a receipt.

    Shape: columns RECEIPT_COLUMNS, text; in the order of the notices, and of the checks for one notice. Beyond
           `max_lines` or `max_bytes` one line per notice: its first error, or else its first alert.
    """
    lines, size = _measure(notice_nos, findings)
    is_too_long = lines > max_lines or size > max_bytes
    made = _deciding_findings(findings) if is_too_long else _every_finding(findings)
    order = np.lexsort((made.said, made.rows))
    rows, said = made.rows[order], made.said[order]
    columns = (
        notice_nos.take(pa.array(rows)),
        _looked_up(verdicts[rows], _VERDICTS.tolist()),
        *(_looked_up(said, [saying[part] for saying in made.sayings]) for part in range(3)),
    )
    return pa.table(dict(zip(RECEIPT_COLUMNS, columns, strict=True)))


def _measure(notice_nos: pa.ChunkedArray, findings: Findings) -> tuple[int, int]:
    """Count the lines of the full receipt and bound its bytes from above, without making it."""
    longest_no = pc.max(pc.binary_length(notice_nos)).as_py() or 0
    frame = longest_no + max(map(len, _VERDICTS.tolist())) + _SEPARATORS
    lines = size = findings.records
    size *= frame
    for group in findings.groups:
        lines += len(group.rows)
        size += len(group.rows) * (frame + sum(len(text.encode()) for text in _saying(group)))
    return lines, size + len(",".join(RECEIPT_COLUMNS)) + 1


def _every_finding(findings: Findings) -> _Lines:
    """One line per finding, and one for each notice without any."""
    silent = np.ones(findings.records, dtype=np.bool_)
    rows = [group.rows for group in findings.groups]
    for found in rows:
        silent[found] = False
    alone = np.flatnonzero(silent)
    groups = [np.full(len(found), number) for number, found in enumerate(rows)]
    return _Lines(
        np.concatenate([alone, *rows]),
        np.concatenate([np.full(len(alone), len(rows)), *groups]),
        [*map(_saying, findings.groups), ("", "", "")],
    )


def _deciding_findings(findings: Findings) -> _Lines:
    """One line per notice: its first error, else its first alert; marked when there is more."""
    groups = findings.groups
    said = np.full(findings.records, len(groups), dtype=np.int64)
    found = np.zeros(findings.records, dtype=np.int64)
    # Written from the least to the most telling, so that what is written last stays.
    for severity in (Severity.ALERT, Severity.ERROR):
        for number in reversed(range(len(groups))):
            if groups[number].code.severity is severity:
                said[groups[number].rows] = number
                found[groups[number].rows] += 1
    sayings = [*map(_saying, groups), ("", "", "")]
    marked = [(code, column, sentence + MORE_FOUND) for code, column, sentence in sayings]
    return _Lines(
        np.arange(findings.records), said + np.where(found > 1, len(sayings), 0), [*sayings, *marked]
    )


def _saying(group: Finding) -> tuple[str, str, str]:
    return group.code.value, group.column, group.code.message


def _looked_up(positions: Numbers, texts: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(positions, pa.int32()), texts).cast(pa.string())
