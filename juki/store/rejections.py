"""What was found on records, and the refused records themselves, sealed.

Decides:    that nothing notified is lost: a refused record is kept sealed until it is dealt with.
Leaves:     the findings to `juki.findings`; who may open a quarantined record to a later issue.
Invariants: `rejection` has codes and places only; `quarantine` has ciphertext only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import IdentityFile
from juki.findings import HEADER_LINES, Findings, Mask
from juki.known import Notices
from juki.numbers import SealingKey, bound_to, seal
from juki.store.bulk import copy_in, sealed_as_bytea


@dataclass(frozen=True, slots=True)
class Rejections:
    """Findings and refused records of one store, seen through one open transaction."""

    file: IdentityFile
    cursor: psycopg.Cursor

    def add(self, package_id: int, notices: Notices, findings: Findings) -> None:
        """Write every finding of a package, errors and alerts alike."""
        notice_nos = notices.table.column("notice_no")
        for group in findings.groups:
            lines = group.rows + 1 + HEADER_LINES
            count = len(group.rows)
            rows = {
                "package_id": pa.repeat(pa.scalar(package_id), count),
                "line": pa.array(lines, pa.int32()),
                "code": pa.repeat(pa.scalar(group.code.value), count),
                "column_name": pa.repeat(pa.scalar(group.column, pa.string()), count),
                "severity": pa.repeat(pa.scalar(group.code.severity.value), count),
                "notice_no": pc.cast(notice_nos.take(pa.array(group.rows)), pa.int64()),
            }
            copy_in(self.cursor, "rejection", pa.table(rows))

    def keep(self, package_id: int, notices: Notices, refused: Mask, key: SealingKey) -> None:
        """Seal the refused records, bound to their package and line."""
        rows = np.flatnonzero(refused)
        records = notices.table.take(pa.array(rows)).to_pylist()
        values = [json.dumps(record, ensure_ascii=False).encode() for record in records]
        lines = rows + 1 + HEADER_LINES
        places = [f"{package_id}:{line}".encode() for line in lines.tolist()]
        sealed = seal(values, bound_to(self.file, "record", places, key.key_id), key)
        columns = {
            "package_id": pa.repeat(pa.scalar(package_id), len(rows)),
            "line": pa.array(lines, pa.int32()),
            "record_sealed": sealed_as_bytea(sealed),
        }
        copy_in(self.cursor, "quarantine", pa.table(columns))
