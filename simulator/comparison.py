"""The stores against the oracle, person by person and version by version.

Decides:    what is compared: every column of every standing record, numbers opened, and of every version its
            notice, kind and days.
Invariants: reads the database directly and opens numbers by itself, so that no reading code of the product
            stands between the two sides.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.settings import load_settings
from config.stores import admin_url
from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.home import Home
from juki.keys import FileKeys
from simulator.truth import Truth

_NUMBER = "individual_number"
_VERSIONS = """
    SELECT resident_code, sender_code, notice_no::text, kind, received_on, NULL::date, expires_on FROM current
    UNION ALL
    SELECT resident_code, sender_code, notice_no::text, kind, received_on, superseded_on, expires_on FROM history
"""
_NONCE_BYTES = 12
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Compared:
    """How many were compared, and how many are on one side only (a difference counts once on each)."""

    what: str
    compared: int
    only_in_store: int
    only_in_truth: int

    @property
    def is_equal(self) -> bool:
        """Tell whether both sides say the same."""
        return self.only_in_store == self.only_in_truth == 0


def compare(home: Home, truth: Truth, file: IdentityFile) -> list[Compared]:
    """Compare one file with the oracle: standing people, erased people, versions with their days."""
    with psycopg.connect(admin_url(home, load_settings(home), file)) as connection:
        standing = _records(connection, home, file, "kind <> 'deletion'")
        erased = _records(connection, home, file, "kind = 'deletion'")
        versions = Counter(connection.execute(_VERSIONS).fetchall())
    columns = [*RECORD_COLUMNS[file], "sender_code"]
    theirs = truth.versions(file)
    return [
        _compared("standing", standing, _lines(truth.standing(file).select(columns))),
        _compared("erased", erased, _lines(truth.erased(file).select(columns))),
        _compared(
            "versions",
            versions,
            Counter(zip(*(column.to_pylist() for column in theirs.columns), strict=True)),
        ),
    ]


def stored(home: Home, file: IdentityFile, *, erased: bool) -> Counter[str]:
    """Give the records of one file as lines: those that stand, or those that are erased; numbers opened."""
    where = "kind = 'deletion'" if erased else "kind <> 'deletion'"
    with psycopg.connect(admin_url(home, load_settings(home), file)) as connection:
        return _records(connection, home, file, where)


def lines_of(table: pa.Table) -> Counter[str]:
    """Give records of somebody else in the same form: RECORD_COLUMNS and sender_code."""
    return _lines(table)


def _compared(what: str, ours: Counter[T], theirs: Counter[T]) -> Compared:
    return Compared(what, theirs.total(), (ours - theirs).total(), (theirs - ours).total())


def _lines(table: pa.Table) -> Counter[str]:
    joined = pc.binary_join_element_wise(*(column.combine_chunks() for column in table.columns), "\x1f")
    return Counter(joined.to_pylist())


def _records(connection: psycopg.Connection, home: Home, file: IdentityFile, where: str) -> Counter[str]:
    columns = [_selected(name) for name in RECORD_COLUMNS[file]]
    query = f"SELECT {', '.join(columns)}, sender_code FROM current WHERE {where}"
    keys = FileKeys(home.keys)
    ciphers: dict[str, AESGCM] = {}
    lines = Counter[str]()
    with connection.cursor(name="compare") as cursor:
        cursor.itersize = 50_000
        for row in cursor.execute(query):
            lines["\x1f".join(_opened(value, row[0], file, keys, ciphers) for value in row)] += 1
    return lines


def _selected(name: str) -> str:
    if name == _NUMBER:
        return "number_sealed"
    if name.startswith("is_"):
        return f"{name}::int::text"
    return f"coalesce({name}::text, '')"


def _opened(
    value: str | bytes | None, code: str, file: IdentityFile, keys: FileKeys, ciphers: dict[str, AESGCM]
) -> str:
    """Give a value as text; a number is opened by the form of ADR-0004, written out here once more."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    start = 2 + value[1]
    key_id = value[2:start].decode()
    if key_id not in ciphers:
        ciphers[key_id] = AESGCM(keys.key(key_id))
    bound = f"{file.value}|{_NUMBER}|{code}|{key_id}".encode()
    nonce, rest = value[start : start + _NONCE_BYTES], value[start + _NONCE_BYTES :]
    return ciphers[key_id].decrypt(nonce, rest, bound).decode()
