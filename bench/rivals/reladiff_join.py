"""reladiff: theirs copied into the database, both sides joined there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import reladiff

from bench.rivals import COLUMNS, KEY, OURS

_SET_UP = f"""
    DROP VIEW IF EXISTS bench_ours; DROP TABLE IF EXISTS bench_theirs;
    CREATE VIEW bench_ours AS {OURS};
    CREATE TABLE bench_theirs ({", ".join(f"{name} text NOT NULL" for name in COLUMNS)})
"""


def compare(url: str, paths: Sequence[Path]) -> tuple[int, int]:
    """Count the codes that differ."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(_SET_UP)
        for path in paths:
            with cursor.copy("COPY bench_theirs FROM STDIN (FORMAT csv, HEADER, FORCE_NOT_NULL *)") as copy:
                copy.write(path.read_bytes())
        cursor.execute(f"CREATE UNIQUE INDEX ON bench_theirs ({KEY})")
    parts = urlsplit(url)
    where = {
        "driver": "postgresql", "host": parse_qs(parts.query)["host"][0], "user": parts.username,
        "database": parts.path.removeprefix("/"),
    }  # fmt: skip
    sides = [reladiff.connect_to_table(where, name, KEY) for name in ("bench_ours", "bench_theirs")]
    rest = tuple(name for name in COLUMNS if name != KEY)
    found = {row[1][0] for row in reladiff.diff_tables(*sides, extra_columns=rest)}
    return len(found), 0
