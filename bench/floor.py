"""The floor: what the database alone needs for the same rows.

Decides:    that the floor is COPY of finished rows into the same table with the same keys and indexes, sorted as
            the intake sorts them, one transaction a package, on the same server: nobody who keeps the rows in
            PostgreSQL can be faster than this without another table.
Leaves:     making the rows to the intake itself: they are what it stored.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg

from bench.measured import Measured, Meter
from juki.columns import IdentityFile
from juki.home import Home
from juki.store.tables import version_columns

_BLOCK_BYTES = 1 << 20
_COLUMNS = ", ".join((*version_columns(IdentityFile.RESIDENT), "expires_on"))


def save_rows(url: str, folder: Path) -> int:
    """Save the rows of a first load, one file a package, in the text form of COPY; count them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with psycopg.connect(url) as connection:
        packages = connection.execute("SELECT DISTINCT package_id FROM current ORDER BY 1").fetchall()
        return sum(_save(connection, package, folder) for (package,) in packages)


def _save(connection: psycopg.Connection, package: int, folder: Path) -> int:
    query = f"SELECT {_COLUMNS} FROM current WHERE package_id = {int(package)} ORDER BY resident_code"
    with connection.cursor() as cursor, (folder / f"{package:08}.rows").open("wb") as file:
        with cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
            for block in copy:
                file.write(block)
        return cursor.rowcount


def copy_rows(home: Home, url: str, folder: Path) -> Measured:
    """Copy saved rows into an empty store; only COPY and COMMIT are timed."""
    records, meter = 0, Meter(home)
    with psycopg.connect(url) as connection:
        for path in sorted(folder.glob("*.rows")):
            rows = memoryview(path.read_bytes())
            with meter:
                records += _copy(connection, rows)
                connection.commit()
    return meter.measured(records)


def _copy(connection: psycopg.Connection, rows: memoryview) -> int:
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY current ({_COLUMNS}) FROM STDIN") as copy:
            for start in range(0, len(rows), _BLOCK_BYTES):
                copy.write(rows[start : start + _BLOCK_BYTES])
        return cursor.rowcount
