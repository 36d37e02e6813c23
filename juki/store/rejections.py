"""What was found on records, and the refused records themselves, sealed.

Decides:    that nothing notified is lost: a refused record is kept sealed until it is dealt with.
Leaves:     the findings to `juki.findings`; when a refused record is judged again to the tasks.
Invariants: `rejection` has codes and places only; `quarantine` has ciphertext only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import NOTICE_COLUMNS, IdentityFile
from juki.findings import HEADER_LINES, Finding, Findings, Mask, Rows
from juki.known import Notices
from juki.numbers import SealingKey
from juki.store.bulk import copy_in, sealed_as_bytea
from juki.store.sealed_records import open_record, seal_records

_OPEN = """
    SELECT line, record_sealed FROM quarantine WHERE package_id = %(package)s AND settled_at IS NULL ORDER BY line
"""
_SETTLE_FINDINGS = """
    UPDATE rejection SET settled_at = %(at)s
    WHERE package_id = %(package)s AND line = ANY(%(lines)s) AND severity = 'error' AND settled_at IS NULL
"""
_SETTLE_RECORDS = """
    UPDATE quarantine SET settled_at = %(at)s WHERE package_id = %(package)s AND line = ANY(%(lines)s)
"""

_USE = "record"


@dataclass(frozen=True, slots=True)
class Rejections:
    """Findings and refused records of one store, seen through one open transaction."""

    file: IdentityFile
    cursor: psycopg.Cursor

    def add(self, package_id: int, notices: Notices, findings: Findings) -> None:
        """Write every finding of a package, errors and alerts alike."""
        lines = np.arange(len(notices)) + 1 + HEADER_LINES
        for group in findings.groups:
            copy_in(self.cursor, "rejection", _rows(package_id, notices, group, lines))

    def add_again(self, package_id: int, notices: Notices, findings: Findings, lines: Rows) -> None:
        """Write what was found on records judged again, unless it was found before; `lines` are theirs."""
        self.cursor.execute("CREATE TEMPORARY TABLE found_again (LIKE rejection) ON COMMIT DROP")
        for group in findings.groups:
            copy_in(self.cursor, "found_again", _rows(package_id, notices, group, lines))
        self.cursor.execute("INSERT INTO rejection SELECT * FROM found_again ON CONFLICT DO NOTHING")

    def keep(self, package_id: int, notices: Notices, refused: Mask, key: SealingKey) -> None:
        """Seal the refused records, bound to their package and line."""
        rows = np.flatnonzero(refused)
        lines = rows + 1 + HEADER_LINES
        records = notices.table.take(pa.array(rows))
        sealed = seal_records(self.file, _USE, _places(package_id, lines.tolist()), records, key)
        columns = {
            "package_id": pa.repeat(pa.scalar(package_id), len(rows)),
            "line": pa.array(lines, pa.int32()),
            "record_sealed": sealed_as_bytea(sealed),
        }
        copy_in(self.cursor, "quarantine", pa.table(columns))

    def open_records(self, package_id: int, key_of: Callable[[str], SealingKey]) -> tuple[Rows, pa.Table]:
        """Open the refused records of a package that are not dealt with.

        Shape:  the lines, ascending, and one record for each in the notice columns of the file, as it was sent.
        Raises: StoreError(CIPHER_ALTERED) when one was altered or moved.
        """
        kept = self.cursor.execute(_OPEN, {"package": package_id}).fetchall()
        places = _places(package_id, [line for line, _ in kept])
        records = [
            open_record(self.file, _USE, place, bytes(sealed), key_of)
            for place, (_, sealed) in zip(places, kept, strict=True)
        ]
        schema = pa.schema([(name, pa.string()) for name in NOTICE_COLUMNS[self.file]])
        return np.array([line for line, _ in kept], dtype=np.int64), pa.Table.from_pylist(records, schema)

    def settle(self, package_id: int, lines: Rows, at: datetime) -> None:
        """Note that refused records are dealt with: they are kept, and not counted as open any more."""
        for statement in (_SETTLE_FINDINGS, _SETTLE_RECORDS):
            self.cursor.execute(statement, {"package": package_id, "lines": lines.tolist(), "at": at})


def _rows(package_id: int, notices: Notices, group: Finding, lines: Rows) -> pa.Table:
    count = len(group.rows)
    return pa.table(
        {
            "package_id": pa.repeat(pa.scalar(package_id), count),
            "line": pa.array(lines[group.rows], pa.int32()),
            "code": pa.repeat(pa.scalar(group.code.value), count),
            "column_name": pa.repeat(pa.scalar(group.column, pa.string()), count),
            "severity": pa.repeat(pa.scalar(group.code.severity.value), count),
            "notice_no": pc.cast(notices.table.column("notice_no").take(pa.array(group.rows)), pa.int64()),
        }
    )


def _places(package_id: int, lines: Sequence[int]) -> list[str]:
    """Name the place each sealed record is bound to."""
    return [f"{package_id}:{line}" for line in lines]
