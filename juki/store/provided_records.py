"""What the store knows of whoever was given a person's record: what became of provisions, what J-LIS was told.

Decides:    the statements.
Leaves:     what counts as given to `juki.became`; how it reads on paper to `juki.disclosed`.
Invariants: reads only (role: provider). What was told is counted from packages that were delivered, by the rule of
            `juki.store.jlis_updates`: a version stands for an update where it was the newest one.
Source:     法30条の7, 30条の32第2項, 30条の42; ADR-0027, ADR-0037.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from juki.became import Became
from juki.columns import IdentityFile
from juki.package_id import PackageId
from juki.provisions import ProvisionState
from juki.store.jlis_updates import FIRST_UNTOLD_REPAIR
from juki.versions import REPAIRS_OF_A_PACKAGE

_BECAME = """
    SELECT p.provision_id, p.state, p.delivered_at,
        p.receipt_at IS NOT NULL OR p.resent > 0 OR p.medium_no IS NOT NULL AS is_received,
        coalesce(j.entry::jsonb #> '{counts,deliveries_removed}' = '1', false) OR (
            h.withdrawn_at IS NOT NULL AND j.entry::jsonb #> '{counts,deliveries_left}' = '1' AND EXISTS (
                SELECT FROM journal w WHERE w.action = 'delivery.withdrawn'
                AND w.entry::jsonb ->> 'provision' = CAST(:letter AS text) || p.provision_id
                AND w.entry::jsonb #> '{counts,deliveries_removed}' = '1'
        )) AS is_taken_back
    FROM provision p LEFT JOIN hold h USING (provision_id) LEFT JOIN journal j ON j.entry_no = h.entry_no
    WHERE p.provision_id = ANY(CAST(:ids AS bigint[]))
"""
"""A file out of reach at the purge that was removed later has an entry of its own: rare, so searched for."""
_TOLD = """
    WITH kept AS (
        SELECT 1 AS rank, package_id, notice_no, repair_no, {number} AS has_number FROM current
        WHERE resident_code = ANY(CAST(:codes AS text[]))
        UNION ALL
        SELECT 0, package_id, notice_no, repair_no, {number} FROM history
        WHERE resident_code = ANY(CAST(:codes AS text[])) AND was_newest
    ), version AS (
        SELECT DISTINCT ON (package_id, notice_no, repair_no) * FROM kept
        WHERE mod(repair_no, {numbers_each}) < {proposals}
        ORDER BY package_id, notice_no, repair_no, rank
    )
    SELECT p.delivered_at, v.has_number FROM version v JOIN outbox o USING (package_id) CROSS JOIN LATERAL (
        SELECT max(s.delivered_at) AS delivered_at, bool_and(s.delivered_at IS NOT NULL) AS is_whole
        FROM jlis_package s
        WHERE s.first_update_no <= o.last_update_no AND s.last_update_no >= o.first_update_no
    ) p
    WHERE p.is_whole
        AND (o.sent_at IS NOT NULL OR (v.notice_no, v.repair_no) <= (o.told_notice_no, o.told_repair_no))
        AND CASE WHEN o.notice_nos IS NULL THEN NOT EXISTS (
                SELECT FROM outbox a WHERE a.package_id = v.package_id AND v.notice_no = ANY (a.notice_nos)
            ) ELSE v.notice_no = ANY (o.notice_nos) END
    ORDER BY p.delivered_at, v.package_id, v.notice_no, v.repair_no
"""
"""Of a row that left in several packages, the last of them says when."""


@dataclass(frozen=True, slots=True)
class ToldJlis:
    """One update of a person that J-LIS was told of."""

    at: datetime
    has_number: bool


@dataclass(frozen=True, slots=True)
class ProvidedRecords:
    """Who was given what of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    def became(self, provisions: Sequence[PackageId]) -> dict[str, Became]:
        """Tell of provisions what became of them, by their number as the log writes it."""
        asked = {"ids": [one.number for one in provisions], "letter": self.file.value[0].upper()}
        return {
            str(PackageId(self.file, row.provision_id)): Became(
                ProvisionState(row.state), row.delivered_at, row.is_taken_back, row.is_received
            )
            for row in self.connection.execute(text(_BECAME), asked)
        }

    def told_jlis(self, codes: Sequence[str]) -> list[ToldJlis]:
        """List the updates of a person, under all codes they had, that lie with J-LIS, the earliest first."""
        number = "number_sealed IS NOT NULL" if self.file is IdentityFile.RESIDENT else "false"
        query = _TOLD.format(number=number, numbers_each=REPAIRS_OF_A_PACKAGE, proposals=FIRST_UNTOLD_REPAIR)
        found = self.connection.execute(text(query), {"codes": list(codes)})
        return [ToldJlis(row.delivered_at, row.has_number) for row in found]
