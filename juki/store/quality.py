"""The questions of the quality check (品質検査), asked of the tables as they are, without trusting an index.

Decides:    the statement of each question: one row for each row that is asked of, with the column that tells.
Leaves:     what is expected of that column to `validations.quality`.
Invariants: role intake, for readers see no people (ADR-0038), but read only; no sealed column is named. Each
            statement is one, so that it sees one instant.
            What it gives by municipality are counts. What was erased when its 150 years were over is not lost:
            as many versions as its package says may be missing, and what refers to one of them refers to nothing.
Source:     ADR-0033, ADR-0043.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.pool import NullPool

from juki.columns import IdentityFile
from juki.quality import AGE_BINS, UNKNOWN_FIELDS, Figures, Question, Snapshot, rounded
from juki.store.roles import Duty, role_name

_STANDING = "c.kind <> 'deletion'"
_VERSIONS = "SELECT package_id FROM current UNION ALL SELECT package_id FROM history"
_NOTICES = "SELECT sender_code, notice_no FROM current UNION SELECT sender_code, notice_no FROM history"
_LAWFULLY_GONE = """
    SELECT DISTINCT coalesce(g.new_code, x.resident_code) AS person FROM history x
    JOIN package q ON q.package_id = x.superseded_by_package_id AND q.erased > 0
    LEFT JOIN former_code g ON g.resident_code = x.resident_code"""
"""Whose current version can have been erased when its 150 years were over: it came before what is still kept."""
_PARTS = {"standing": _STANDING, "versions": _VERSIONS, "notices": _NOTICES, "gone": _LAWFULLY_GONE}
_AGES = """
    SELECT {year} - a.born - CASE WHEN a.day > '{day}' THEN 1 ELSE 0 END AS age FROM (
        SELECT CAST(left(c.birth_date, 4) AS integer) AS born,
               CASE WHEN substr(c.birth_date, 5) ~ '^[0-9]+$' THEN substr(c.birth_date, 5) ELSE '0000' END AS day
        FROM current c
        WHERE {standing} AND c.birth_date ~ '^[0-9][0-9][0-9][0-9]' AND left(c.birth_date, 4) <> '0000'
    ) a
"""
"""Unknown months and seasons count as the beginning of the year: nobody is made younger than born."""

_QUESTIONS = {
    Question.PEOPLE: "SELECT c.resident_code FROM current c",
    Question.VERSIONS: "SELECT h.sender_code, h.notice_no, h.repair_no FROM history h",
    Question.CURRENT_IN_HISTORY: """
        SELECT c.sender_code AS municipality_code, h.notice_no AS also_history FROM current c
        LEFT JOIN history h USING (sender_code, notice_no, repair_no)""",
    Question.HISTORY_PEOPLE: """
        SELECT h.sender_code AS municipality_code, coalesce(c.resident_code, e.person) AS person FROM history h
        LEFT JOIN former_code f ON f.resident_code = h.resident_code
        LEFT JOIN current c ON c.resident_code = coalesce(f.new_code, h.resident_code)
        LEFT JOIN ({gone}) e ON e.person = coalesce(f.new_code, h.resident_code)""",
    Question.HISTORY_NEWER: """
        SELECT h.sender_code AS municipality_code, coalesce(n.notice_no, p.erased) AS newer FROM history h
        LEFT JOIN ({notices}) n
          ON n.sender_code = h.superseded_by_sender_code AND n.notice_no = h.superseded_by_notice_no
        LEFT JOIN package p ON p.package_id = h.superseded_by_package_id AND p.erased > 0""",
    Question.HISTORY_ORDER: """
        SELECT h.sender_code AS municipality_code, h.superseded_on - h.received_on AS days_current FROM history h""",
    Question.CURRENT_PACKAGES: """
        SELECT c.sender_code AS municipality_code, p.package_id AS made_by FROM current c
        LEFT JOIN package p
          ON (p.package_id, p.municipality_code, p.state) = (c.package_id, c.sender_code, 'applied')""",
    Question.HISTORY_PACKAGES: """
        SELECT h.sender_code AS municipality_code, p.package_id AS made_by FROM history h
        LEFT JOIN package p
          ON (p.package_id, p.municipality_code, p.state) = (h.package_id, h.sender_code, 'applied')""",
    Question.PACKAGE_ROWS: """
        SELECT p.municipality_code, p.accepted + p.alerted - coalesce(v.rows, 0) - p.erased AS lost FROM package p
        LEFT JOIN (SELECT package_id, count(*) AS rows FROM ({versions}) o GROUP BY package_id) v USING (package_id)
        WHERE p.state = 'applied'""",
    Question.FORMER_CODES: """
        SELECT f.sender_code AS municipality_code, coalesce(c.resident_code, e.person) AS holder FROM former_code f
        LEFT JOIN current c ON c.resident_code = f.new_code
        LEFT JOIN ({gone}) e ON e.person = f.new_code""",
    Question.AGES: _AGES,
}  # fmt: skip

_FAULTS = {
    Question.CURRENT_IN_HISTORY: "q.also_history IS NOT NULL",
    Question.HISTORY_PEOPLE: "q.person IS NULL",
    Question.HISTORY_NEWER: "q.newer IS NULL",
    Question.HISTORY_ORDER: "q.days_current < 0",
    Question.CURRENT_PACKAGES: "q.made_by IS NULL",
    Question.HISTORY_PACKAGES: "q.made_by IS NULL",
    Question.PACKAGE_ROWS: "q.lost <> 0",
    Question.FORMER_CODES: "q.holder IS NULL",
}
"""How the rows that do not fit are counted by municipality; ages are not, for few people have one."""

_COUNTED = """
    SELECT q.municipality_code, count(*) FROM ({asked}) q WHERE {fault} GROUP BY q.municipality_code ORDER BY 1
"""

_BLANK = {
    "birth_date": "c.birth_date !~ '^[0-9]+$' OR c.birth_date ~ '^0000' OR c.birth_date ~ '00$'",
}
_BY_MUNICIPALITY = (
    "SELECT c.sender_code, count(*), {blanks} FROM current c WHERE {standing} GROUP BY c.sender_code"
)
_BY_AGE = "SELECT least(greatest(g.age, 0) / 10 * 10, {last}), count(*) FROM ({ages}) g GROUP BY 1"
_TOTALS = """
    SELECT (SELECT count(*) FROM history), count(*), coalesce(sum(erased), 0) FROM package
"""
_SNAPSHOTS = """
    WITH last AS (
        SELECT DISTINCT ON (r.municipality_code) r.* FROM reconciliation r
        WHERE r.finished_at IS NOT NULL AND r.rows_theirs IS NOT NULL AND r.watermark IS NOT NULL
        ORDER BY r.municipality_code, r.reconciliation_id DESC
    )
    SELECT l.municipality_code, l.rows_theirs,
        coalesce(l.missing_found, 0) + coalesce(l.extra_found, 0) + coalesce(l.moved_found, 0)
        + coalesce(l.duplicate_found, 0)
        + (SELECT coalesce(sum(p.accepted + p.alerted), 0) FROM package p
           WHERE p.municipality_code = l.municipality_code AND p.state = 'applied'
             AND (p.last_notice_no > l.watermark OR p.settled_at >= l.as_of))
        + (SELECT count(*) FROM history h
           WHERE h.sender_code = l.municipality_code AND h.superseded_by_sender_code <> h.sender_code
             AND h.superseded_on >= CAST(l.as_of AT TIME ZONE 'Asia/Tokyo' AS date))
    FROM last l
"""


def statement(question: Question, on: date) -> str:
    """Write the statement of a question; ages are those of a day."""
    return _QUESTIONS[question].format(**_PARTS, year=on.year, day=f"{on:%m%d}")


def reading_options(url: str, file: IdentityFile) -> dict[str, Any]:
    """Give what an engine of SQLAlchemy needs to read what the intake may, and change nothing.

    The URL, which may hold a password, stays within the closure.
    """
    options = f"-c timezone=UTC -c default_transaction_read_only=on -c role={role_name(file, Duty.INTAKE)}"

    def connect() -> psycopg.Connection:
        return psycopg.connect(url, options=options, connect_timeout=10, application_name="juki")

    return {"creator": connect, "poolclass": NullPool}


@dataclass(frozen=True, slots=True)
class Measuring:
    """The figures of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    def figures(self, on: date) -> Figures:
        """Count what a run keeps; small counts of people are rounded before they leave here."""
        rows = self.connection.execute(text(self._counted_by_municipality())).all()
        history, packages, erased = self.connection.execute(text(_TOTALS)).one()
        standing = {str(row[0]): int(row[1]) for row in rows}
        unknowns = {
            name: {str(row[0]): rounded(row[place]) for row in rows if rounded(row[place])}
            for place, name in enumerate(UNKNOWN_FIELDS, start=2)
        }
        return Figures(
            standing, history, packages, unknowns, self._ages(on), self._snapshots(standing), int(erased)
        )

    def faults(self, question: Question, on: date) -> dict[str, int]:
        """Count the rows that do not fit by municipality, where a question can be told so."""
        if question not in _FAULTS:
            return {}
        counted = _COUNTED.format(asked=statement(question, on), fault=_FAULTS[question])
        rows = self.connection.execute(text(counted))
        return {str(row[0]): int(row[1]) for row in rows}

    def _counted_by_municipality(self) -> str:
        blank = (_BLANK.get(name, f"c.{name} IS NULL") for name in UNKNOWN_FIELDS)
        blanks = ", ".join(f"count(*) FILTER (WHERE {one})" for one in blank)
        return _BY_MUNICIPALITY.format(blanks=blanks, standing=_STANDING)

    def _ages(self, on: date) -> dict[int, int]:
        asked = _BY_AGE.format(ages=statement(Question.AGES, on), last=AGE_BINS[-1])
        return {int(first): rounded(count) for first, count in self.connection.execute(text(asked))}

    def _snapshots(self, standing: dict[str, int]) -> dict[str, Snapshot]:
        rows = self.connection.execute(text(_SNAPSHOTS))
        return {
            str(code): Snapshot(int(theirs), standing.get(code, 0), int(explained))
            for code, theirs, explained in rows
        }
