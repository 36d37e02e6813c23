"""Silent corruption of a store, as a failing disk or a hand with SQL would leave it: what reconciliation must find.

Decides:    which corruptions there are, and which rows they befall.
Invariants: nothing of the product is used to plant them: no digest, version or log knows of it. Each names the
            difference that must be found, at which municipality.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import psycopg

from config.settings import load_settings
from config.stores import admin_url
from juki.columns import IdentityFile
from juki.differences import DifferenceKind
from juki.home import Home
from juki.store.tables import version_columns


class Corruption(StrEnum):
    """What happens to a store behind its back."""

    CHANGED_CELL = "changed-cell"
    LOST_ROW = "lost-row"
    ZOMBIE = "zombie"
    """Somebody erased stands again."""
    SWAPPED_PEOPLE = "swapped-people"
    """Two people bear each other's names and birth dates."""
    OTHER_MUNICIPALITY = "other-municipality"
    """A row says it is kept by another municipality."""
    OLDER_VERSION = "older-version"
    """A version that was superseded is current again."""

    @property
    def japanese(self) -> str:
        """The corruption in the words of the demonstration."""
        return {
            "changed-cell": "項目の書換え", "lost-row": "行の消失", "zombie": "消除した者の復活",
            "swapped-people": "二人の取違え", "other-municipality": "別の市町村の記録に",
            "older-version": "古い版への巻戻り",
        }[self.value]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planted:
    """One corruption as it was planted: what must be found of whom."""

    corruption: Corruption
    file: IdentityFile
    expected: tuple[tuple[str, str, DifferenceKind], ...]
    """Municipality, resident code and kind of each difference."""


def plant(home: Home, file: IdentityFile, corruptions: tuple[Corruption, ...]) -> list[Planted]:
    """Plant one corruption of each kind, each at municipalities of its own, and say what must be found."""
    url = admin_url(home, load_settings(home), file)
    with psycopg.connect(url) as connection:
        taken: set[str] = set()
        return [_PLANTS[one](connection, file, taken) for one in corruptions]


def _standing(connection: psycopg.Connection, taken: set[str], count: int = 1) -> list[tuple[str, str]]:
    """Choose standing people as code and municipality, each of another municipality that nothing befell yet."""
    rows = connection.execute(
        """SELECT * FROM (
               SELECT DISTINCT ON (sender_code) resident_code, sender_code FROM current
               WHERE kind <> 'deletion' AND sender_code <> ALL (%s)
               ORDER BY sender_code, resident_code) one
           ORDER BY sender_code LIMIT %s""",
        (list(taken), count),
    ).fetchall()
    taken |= {sender for _, sender in rows}
    return rows


def _changed_cell(connection: psycopg.Connection, file: IdentityFile, taken: set[str]) -> Planted:
    ((code, sender),) = _standing(connection, taken)
    connection.execute("UPDATE current SET name_kana = name_kana || 'ア' WHERE resident_code = %s", (code,))
    return Planted(Corruption.CHANGED_CELL, file, ((sender, code, DifferenceKind.DIFFERS),))


def _lost_row(connection: psycopg.Connection, file: IdentityFile, taken: set[str]) -> Planted:
    ((code, sender),) = _standing(connection, taken)
    connection.execute("DELETE FROM current WHERE resident_code = %s", (code,))
    return Planted(Corruption.LOST_ROW, file, ((sender, code, DifferenceKind.MISSING),))


def _zombie(connection: psycopg.Connection, file: IdentityFile, taken: set[str]) -> Planted:
    reason = ", reason = '職権記載等'" if file is IdentityFile.RESIDENT else ""
    (row,) = connection.execute(
        f"""UPDATE current SET kind = 'entry', expires_on = NULL {reason} WHERE resident_code = (
            SELECT resident_code FROM current c WHERE kind = 'deletion' AND sender_code <> ALL (%s)
              AND NOT EXISTS (SELECT FROM history h WHERE h.resident_code = c.resident_code
                              AND h.sender_code <> c.sender_code)
            ORDER BY resident_code LIMIT 1) RETURNING resident_code, sender_code""",
        (list(taken),),
    ).fetchall()
    taken.add(row[1])
    return Planted(Corruption.ZOMBIE, file, ((row[1], row[0], DifferenceKind.EXTRA),))


def _swapped_people(connection: psycopg.Connection, file: IdentityFile, taken: set[str]) -> Planted:
    one, other = _standing(connection, taken, 2)
    columns = "name, name_kana, search_key, birth_date, sex"
    connection.execute(
        f"""UPDATE current c SET ({columns}) = (SELECT {columns} FROM current o
            WHERE o.resident_code = CASE c.resident_code WHEN %s THEN %s ELSE %s END)
            WHERE c.resident_code IN (%s, %s)""",
        (one[0], other[0], one[0], one[0], other[0]),
    )
    expected = tuple((sender, code, DifferenceKind.DIFFERS) for code, sender in sorted((one, other)))
    return Planted(Corruption.SWAPPED_PEOPLE, file, expected)


def _other_municipality(connection: psycopg.Connection, file: IdentityFile, taken: set[str]) -> Planted:
    ((code, sender),) = _standing(connection, taken)
    ((_, other),) = _standing(connection, taken)
    connection.execute("UPDATE current SET sender_code = %s WHERE resident_code = %s", (other, code))
    expected = ((sender, code, DifferenceKind.MISSING), (other, code, DifferenceKind.EXTRA))
    return Planted(Corruption.OTHER_MUNICIPALITY, file, expected)


def _older_version(connection: psycopg.Connection, file: IdentityFile, taken: set[str]) -> Planted:
    """Bring back a version whose record differs from the one that superseded it."""
    columns = [name for name in version_columns(file) if name != "resident_code"]
    (row,) = connection.execute(
        f"""UPDATE current c SET ({", ".join(columns)}) = ({", ".join(f"h.{name}" for name in columns)})
            FROM history h WHERE h.resident_code = c.resident_code AND h.sender_code = c.sender_code
              AND (c.sender_code, c.notice_no) = (h.superseded_by_sender_code, h.superseded_by_notice_no)
              AND h.kind <> 'deletion' AND c.kind = 'correction' AND h.address <> c.address
              AND c.resident_code = (
                SELECT c.resident_code FROM current c JOIN history h ON h.resident_code = c.resident_code
                  AND (c.sender_code, c.notice_no) = (h.superseded_by_sender_code, h.superseded_by_notice_no)
                WHERE h.kind <> 'deletion' AND c.kind = 'correction' AND h.address <> c.address
                  AND h.sender_code = c.sender_code AND c.sender_code <> ALL (%s)
                ORDER BY c.resident_code LIMIT 1)
            RETURNING c.resident_code, c.sender_code""",
        (list(taken),),
    ).fetchall()
    taken.add(row[1])
    return Planted(Corruption.OLDER_VERSION, file, ((row[1], row[0], DifferenceKind.DIFFERS),))


_Plant = Callable[[psycopg.Connection, IdentityFile, set[str]], Planted]
_PLANTS: dict[Corruption, _Plant] = {
    Corruption.CHANGED_CELL: _changed_cell,
    Corruption.LOST_ROW: _lost_row,
    Corruption.ZOMBIE: _zombie,
    Corruption.SWAPPED_PEOPLE: _swapped_people,
    Corruption.OTHER_MUNICIPALITY: _other_municipality,
    Corruption.OLDER_VERSION: _older_version,
}


def expected(planted: list[Planted]) -> Iterator[tuple[IdentityFile, str, str, DifferenceKind]]:
    """List every difference that must be found."""
    for one in planted:
        for municipality_code, code, kind in one.expected:
            yield one.file, municipality_code, code, kind
