"""The records of a receipt: what became of every notice of a package.

Decides:    one line for a notice without findings, one line per finding otherwise (spec/packages.md section 4).
Leaves:     the manifest to `juki.manifests`, sealing to `juki.wire`.
Invariants: carries notice numbers, verdicts, codes, columns and our own sentences; never a value of a record.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from juki.decisions import Effect
from juki.findings import Findings
from juki.known import Numbers
from juki.packages import RECEIPT_COLUMNS, RecordVerdict
from juki.reasons import Code, Severity

_VERDICTS = np.array([verdict.value for verdict in RecordVerdict])
_ACCEPTED, _ALERTED, _REJECTED, _REPEATED = range(4)


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


def receipt_records(notice_nos: pa.ChunkedArray, verdicts: NDArray[np.int64], findings: Findings) -> pa.Table:
    """Make the CSV part of a receipt.

    Shape: columns RECEIPT_COLUMNS, text; in the order of the notices, and of the checks for one notice.
    """
    silent = np.ones(len(verdicts), dtype=np.bool_)
    rows: list[Numbers] = []
    codes: list[Numbers] = []
    columns: list[str] = []
    for group in findings.groups:
        silent[group.rows] = False
        rows.append(group.rows)
        codes.append(np.full(len(group.rows), len(codes)))
        columns.append(group.column)
    alone = np.flatnonzero(silent)
    row = np.concatenate([alone, *rows])
    group_no = np.concatenate([np.full(len(alone), len(codes)), *codes])
    order = np.lexsort((group_no, row))
    row, group_no = row[order], group_no[order]
    said: list[Code | None] = [*(group.code for group in findings.groups), None]

    def told(texts: list[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(group_no, pa.int32()), texts).cast(pa.string())

    columns_of_receipt = (
        notice_nos.take(pa.array(row)),
        pa.DictionaryArray.from_arrays(pa.array(verdicts[row], pa.int32()), _VERDICTS.tolist()).cast(
            pa.string()
        ),
        told([code.value if code else "" for code in said]),
        told([*columns, ""]),
        told([code.message if code else "" for code in said]),
    )
    return pa.table(dict(zip(RECEIPT_COLUMNS, columns_of_receipt, strict=True)))
