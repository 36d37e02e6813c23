"""Stores begun anew: everything that working fills is gone, the schema and the keys of the store stay. Test-only."""

from __future__ import annotations

import psycopg

_STAYS = {"alembic_version", "store_key"}


def empty(url: str, *, is_numbered_anew: bool = False) -> None:
    """Empty a store, as its administrator; whatever table there is, so that none is forgotten when one is added."""
    with psycopg.connect(url) as connection:
        made = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = ", ".join(sorted({name for (name,) in made} - _STAYS))
        # The journal is append-only for everybody else.
        connection.execute("SET LOCAL session_replication_role = replica")
        numbers = "RESTART" if is_numbered_anew else "CONTINUE"
        connection.execute(f"TRUNCATE {tables} {numbers} IDENTITY")  # type: ignore[arg-type]
