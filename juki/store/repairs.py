"""What a repair needs of the identity file beyond what a package needs.

Decides:    how people are looked at and held while a repair is made, and how versions that no notice can have made
            are given a place of their own.
Leaves:     writing the repair to `juki.store.identities`.
Invariants: nothing a version says is changed but the number by which it is told from others, and that only where the
            number belongs to another version or to no notice received: history could not take it otherwise.
Source:     measure M11, ADR-0022.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.proposals import Snapshot, Standing
from juki.versions import REPAIRS_OF_A_PACKAGE

_OCCASION = """
    SELECT watermark, as_of, rows_theirs, rows_ours FROM reconciliation
    WHERE reconciliation_id = %(reconciliation)s AND municipality_code = %(municipality)s
"""
_STANDING = """
    SELECT resident_code, sender_code, notice_no, kind = 'deletion', {number}, {record} FROM current
    WHERE resident_code = ANY(%(codes)s) ORDER BY resident_code FOR UPDATE
"""
_MAKE_ROOM = """
    UPDATE current c SET
        repair_no = %(base)s + r.place,
        notice_no = CASE WHEN c.sender_code = %(sender)s THEN least(c.notice_no, %(watermark)s) ELSE c.notice_no END
    FROM (
        SELECT o.resident_code, row_number() OVER (ORDER BY o.resident_code) AS place FROM current o
        WHERE o.resident_code = ANY(%(codes)s) AND (
            (o.sender_code = %(sender)s AND o.notice_no > %(last)s)
            OR EXISTS (
                SELECT FROM history h WHERE (h.sender_code, h.notice_no, h.repair_no)
                                          = (o.sender_code, o.notice_no, o.repair_no)
            ) OR EXISTS (
                SELECT FROM current t WHERE (t.sender_code, t.notice_no, t.repair_no)
                                          = (o.sender_code, o.notice_no, o.repair_no)
                                        AND t.resident_code <> o.resident_code
            )
        )
    ) r WHERE c.resident_code = r.resident_code
"""
_FLAGS = frozenset({"is_foreign", "is_abroad"})
_COUNTS = frozenset({"name_gaiji", "address_gaiji"})


@dataclass(frozen=True, slots=True)
class Occasion:
    """The comparison a repair follows from, and how many rows the larger side had."""

    watermark: int
    as_of: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class Repairs:
    """One identity file under repair, seen through one open transaction."""

    file: IdentityFile
    cursor: psycopg.Cursor

    def occasion(self, reconciliation_id: int, municipality_code: str) -> Occasion:
        """Read the comparison a repair follows from; it has been made."""
        said = {"reconciliation": reconciliation_id, "municipality": municipality_code}
        row = self.cursor.execute(_OCCASION, said).fetchone()
        if row is None or row[0] is None or row[1] is None:
            raise ValueError("no comparison was made")
        return Occasion(row[0], row[1], max(row[2] or 0, row[3] or 0))

    def standing(self, codes: Sequence[str]) -> dict[str, Standing]:
        """Look at people by code, and keep everybody else from changing them until commit."""
        names = [name for name in RECORD_COLUMNS[self.file] if name != "individual_number"]
        number = "number_index, number_sealed" if self.file is IdentityFile.RESIDENT else "NULL, NULL"
        query = _STANDING.format(number=number, record=", ".join(map(_as_text, names)))
        return {
            code: Standing(
                sender,
                notice_no,
                is_erased,
                dict(zip(names, record, strict=True)),
                _octets(index),
                _octets(sealed),
            )
            for code, sender, notice_no, is_erased, index, sealed, *record in self.cursor.execute(
                query, {"codes": list(codes)}
            )
        }

    def make_room(self, codes: Sequence[str], snapshot: Snapshot, package_id: int) -> int:
        """Give the current versions of people that bear the number of another version one of their own; count them.

        An older version brought back, a row copied for another person, a number never notified: none of them came
        by a notice, and superseded under its number it would stand in the way of the version that did.
        """
        said = {
            "codes": list(codes), "sender": snapshot.sender_code, "last": snapshot.last_notice_no,
            "watermark": snapshot.watermark,
            # Above every number the proposals of the same repair can have.
            "base": (package_id + 1) * REPAIRS_OF_A_PACKAGE - REPAIRS_OF_A_PACKAGE // 2,
        }  # fmt: skip
        return self.cursor.execute(_MAKE_ROOM, said).rowcount

    def next_part(self) -> None:
        """Forget what was asked for one part of a repair, so that the next can be judged in the same transaction."""
        self.cursor.execute("DISCARD TEMP")


def _as_text(name: str) -> str:
    if name in _FLAGS:
        return f"CASE WHEN {name} THEN '1' ELSE '0' END"
    return f"{name}::text" if name in _COUNTS else f"coalesce({name}, '')"


def _octets(value: bytes | None) -> bytes | None:
    return bytes(value) if value is not None else None
