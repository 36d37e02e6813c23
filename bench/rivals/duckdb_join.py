"""DuckDB: our side by ADBC as Arrow, theirs by its CSV reader, a full join."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import duckdb

from bench.rivals import COLUMNS, KEY, OURS

_REST = [name for name in COLUMNS if name != KEY]
_JOIN = f"""
    SELECT coalesce(o.{KEY}, t.{KEY}), o.{KEY} IS NULL, t.{KEY} IS NULL,
           {", ".join(f"o.{name} IS DISTINCT FROM t.{name}" for name in _REST)}
    FROM ours o FULL JOIN theirs t ON o.{KEY} = t.{KEY}
    WHERE {" OR ".join(f"o.{name} IS DISTINCT FROM t.{name}" for name in _REST)}
"""


def compare(url: str, paths: Sequence[Path]) -> tuple[int, int]:
    """Count the codes that differ."""
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(OURS)
        ours = cursor.fetch_arrow_table()
    with duckdb.connect() as database:
        database.register("ours", ours)
        read = database.read_csv([str(path) for path in paths], all_varchar=True, header=True)
        texts = ", ".join(f"coalesce({name}, '') AS {name}" for name in COLUMNS)
        read.project(texts).create("theirs")
        found = len(database.execute(_JOIN).fetchall())
    return found, int(ours.nbytes)
