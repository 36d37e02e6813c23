"""Erase the versions whose 150 years are over (施行令30条の6, 30条の12の4), and what hangs on them.

Decides:    which rows go, and how they are counted: versions whose day has come and whose own days say the same, what
            names by code somebody of whom no version is left, replaced codes of which no kept version speaks.
Leaves:     the day and the batches to `juki.custody.expiring`, the rule to `juki.retention`.
Invariants: set-based, a bounded number of versions at a time, role purger. Nothing is decided here of a version that
            has no clock: a current version goes only if it is a deletion at the very moment it is deleted. With each
            version its package is told that it went, in the same statement. No open difference goes. What a version
            says is never read: of a person a code, and only to find what hangs on it.
Source:     ADR-0043.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import Connection, text

from juki.columns import IdentityFile
from juki.retention import latest_start

AT_ONCE = 5_000
"""Versions of each table erased in one transaction."""
_START = {
    "current": "received_on",
    "history": "CASE WHEN kind = 'deletion' THEN received_on ELSE superseded_on END",
}
"""The day the clock of a version started, said by its own days, as `juki.retention.clock_start` has it."""
_OVER = {"current": "kind = 'deletion' AND expires_on <= :on", "history": "expires_on <= :on"}
"""`juki.retention.is_over`, asked of the index of each table."""
_KEY = {"current": ("resident_code",), "history": ("sender_code", "notice_no", "repair_no")}
_COUNT = """
    SELECT count(*) FILTER (WHERE {start} <= :start), count(*) FILTER (WHERE {start} > :start)
    FROM {table} WHERE {over}
"""
_ERASE = """
    WITH gone AS (
        DELETE FROM {table} WHERE ({key}) IN (
            SELECT {key} FROM {table} WHERE {over} AND {start} <= :start LIMIT :most
        ) AND {over} AND {start} <= :start
        RETURNING resident_code, package_id
    ), told AS (
        UPDATE package p SET erased = p.erased + g.versions
        FROM (SELECT package_id, count(*) AS versions FROM gone GROUP BY package_id) g
        WHERE p.package_id = g.package_id
    )
    SELECT resident_code FROM gone
"""
_FORMER_CODES = """
    DELETE FROM former_code f USING package p
    WHERE p.package_id = f.package_id AND p.erased > 0
      AND NOT EXISTS (SELECT FROM history h WHERE h.resident_code = f.resident_code)
      AND NOT EXISTS (
          SELECT FROM current c WHERE c.resident_code = f.new_code AND c.previous_resident_code = f.resident_code
      ) AND NOT EXISTS (
          SELECT FROM history h WHERE h.previous_resident_code = f.resident_code AND h.resident_code IN (
              SELECT f.new_code UNION ALL SELECT o.resident_code FROM former_code o WHERE o.new_code = f.new_code
          )
      )
"""
"""A replaced code is kept as long as a version bears it, or says that it was replaced."""
_OF_NOBODY = """
    DELETE FROM {table} d WHERE d.resident_code = ANY (CAST(:codes AS text[])) {settled}
      AND NOT EXISTS (SELECT FROM current c WHERE c.resident_code = d.resident_code)
      AND NOT EXISTS (SELECT FROM history h WHERE h.resident_code = d.resident_code)
"""


@dataclass(frozen=True, slots=True)
class Due:
    """How many versions of a file are over on a day, and of how many the day is earlier than the law has it."""

    current: int = 0
    history: int = 0
    unclear: int = 0

    @property
    def versions(self) -> int:
        """All that may go."""
        return self.current + self.history


@dataclass(frozen=True, slots=True)
class Erased:
    """What went in one batch, by what it was."""

    current: int = 0
    history: int = 0
    former_codes: int = 0
    differences: int = 0
    provision_lines: int = 0

    @property
    def versions(self) -> int:
        """The versions among it."""
        return self.current + self.history

    @property
    def counts(self) -> Mapping[str, int]:
        """What the operation log says of it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Erasing:
    """The erasing of one store, seen through one open transaction of the purger."""

    file: IdentityFile
    connection: Connection

    def due(self, on: date) -> Due:
        """Count what is over on a civil date in Japan."""
        (current, one), (history, other) = (self._counted(table, on) for table in ("current", "history"))
        return Due(current, history, one + other)

    def erase(self, on: date, most: int = AT_ONCE) -> Erased:
        """Erase versions that are over on a civil date in Japan, `most` of each table, and what hangs on them."""
        history, current = self._erased("history", on, most), self._erased("current", on, most)
        if not history and not current:
            return Erased()
        codes = sorted({*history, *current})
        return Erased(
            current=len(current),
            history=len(history),
            former_codes=self.connection.execute(text(_FORMER_CODES)).rowcount,
            differences=self._erased_of_nobody("difference", codes, "AND d.settled_at IS NOT NULL"),
            provision_lines=self._erased_of_nobody("provided", codes),
        )

    def _counted(self, table: str, on: date) -> tuple[int, int]:
        counted = text(_COUNT.format(table=table, over=_OVER[table], start=_START[table]))
        row = self.connection.execute(counted, {"on": on, "start": latest_start(on)}).one()
        return int(row[0]), int(row[1])

    def _erased(self, table: str, on: date, most: int) -> Sequence[str]:
        """Erase from one table and tell the codes the versions bore, one for each."""
        key = ", ".join(_KEY[table])
        erase = text(_ERASE.format(table=table, key=key, over=_OVER[table], start=_START[table]))
        given = {"on": on, "start": latest_start(on), "most": most}
        return self.connection.execute(erase, given).scalars().all()

    def _erased_of_nobody(self, table: str, codes: Sequence[str], settled: str = "") -> int:
        erase = text(_OF_NOBODY.format(table=table, settled=settled))
        return self.connection.execute(erase, {"codes": codes}).rowcount
