"""Differences J-LIS reported: opened for the municipality whose record it is, so that it is compared with next.

Decides:    whom a reported person belongs to, and what becomes of a difference that is open already.
Leaves:     what a report says to `juki.jlis_reports`, settling to the comparison (`juki.store.difference_notes`).
Invariants: nothing of the file is changed: the municipality is the only source (M2). A person of whom we hold a
            version belongs to its sender, anybody else to the prefecture itself, where somebody accepts it by hand.
            An approval or proposal stays, for it was given to what a comparison saw; an acceptance is reopened, for
            J-LIS says something new. An update is resolved only while everything told of its package is there.
Source:     法30条の8, 30条の43; ADR-0027.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from juki.columns import IdentityFile
from juki.errors import ContractError
from juki.jlis_reports import ReportLine
from juki.reasons import Code
from juki.store.jlis_updates import TellableRow, read_updates

_OF_UPDATE = """
    SELECT o.outbox_no, o.package_id, o.first_update_no, o.last_update_no FROM outbox o
    WHERE o.first_update_no <= %(no)s AND o.last_update_no >= %(no)s ORDER BY o.first_update_no DESC LIMIT 1
"""
_OPEN = """
    INSERT INTO difference (
        municipality_code, kind, resident_code, columns, state, watermark, first_seen_at, last_seen_at,
        first_reconciliation_id, last_reconciliation_id, package_id, jlis_report_no
    )
    SELECT coalesce(c.sender_code, %(prefecture)s), CASE WHEN c.kind <> 'deletion' THEN 'differs' ELSE 'missing' END,
           r.code, ARRAY(SELECT DISTINCT u FROM unnest(string_to_array(r.columns, ' ')) u WHERE u <> '' ORDER BY u),
           'open', coalesce(h.last_notice_no, 0), %(at)s, %(at)s, 0, 0, c.package_id, %(report)s
    FROM (
        SELECT coalesce(f.new_code, n.code) AS code, string_agg(n.columns, ' ') AS columns
        FROM unnest(%(codes)s::text[], %(columns)s::text[]) n (code, columns)
        LEFT JOIN former_code f ON f.resident_code = n.code GROUP BY 1
    ) r
    LEFT JOIN current c ON c.resident_code = r.code
    LEFT JOIN channel h ON h.municipality_code = c.sender_code
    ORDER BY r.code
    ON CONFLICT (municipality_code, resident_code, kind) WHERE settled_at IS NULL DO UPDATE SET
        jlis_report_no = excluded.jlis_report_no, last_seen_at = excluded.last_seen_at,
        state = CASE WHEN difference.state = 'accepted' THEN 'open' ELSE difference.state END,
        reason = CASE WHEN difference.state = 'accepted' THEN NULL ELSE difference.reason END,
        approved_at = CASE WHEN difference.state = 'accepted' THEN NULL ELSE difference.approved_at END,
        approved_by = CASE WHEN difference.state = 'accepted' THEN NULL ELSE difference.approved_by END
"""


@dataclass(frozen=True, slots=True)
class Reported:
    """The differences J-LIS reported, in one store, within one open transaction."""

    file: IdentityFile
    cursor: psycopg.Cursor

    def people(self, lines: Sequence[ReportLine], ref: str) -> list[str]:
        """Name the person of each line by code; ContractError(JLIS_REPORT_LINE) for an update that was never told."""
        told = dict[int, tuple[int, list[str]]]()
        return [
            line.resident_code if line.update_no is None else self._of_update(line.update_no, told, ref)
            for line in lines
        ]

    def open(
        self,
        codes: Sequence[str],
        lines: Sequence[ReportLine],
        report_no: int,
        prefecture_code: str,
        at: datetime,
    ) -> int:
        """Open a difference for everybody named, or mark the one that is open; count them."""
        said = {
            "codes": list(codes), "columns": [" ".join(line.columns) for line in lines], "report": report_no,
            "prefecture": prefecture_code, "at": at,
        }  # fmt: skip
        return self.cursor.execute(_OPEN, said).rowcount

    def _of_update(self, update_no: int, told: dict[int, tuple[int, list[str]]], ref: str) -> str:
        """Find whom an update was about; what was told of one row of the outbox is read once."""
        row = self.cursor.execute(_OF_UPDATE, {"no": update_no}).fetchone()
        if row is None:
            raise ContractError(Code.JLIS_REPORT_LINE, ref)
        outbox_no, package_id, first, last = row
        if outbox_no not in told:
            tellable = [TellableRow(outbox_no, package_id)]
            found = read_updates(self.cursor, self.file, tellable, last - first + 2, again=True)
            told[outbox_no] = (len(found), found.updates.column("resident_code").to_pylist())
        count, codes = told[outbox_no]
        if count != last - first + 1:
            raise ContractError(Code.JLIS_REPORT_LINE, ref)
        code: str = codes[update_no - first]
        return code
