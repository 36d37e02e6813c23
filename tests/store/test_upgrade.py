"""An installation made by the previous version: upgraded, and taken back, with everything it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from psycopg import sql

from juki.columns import IdentityFile
from juki.home import Home
from juki.store import embedded
from juki.store.engine import open_engine
from juki.store.install import install, migration_config

FILES = pytest.mark.parametrize("file", list(IdentityFile))
_CARRIED = {
    IdentityFile.RESIDENT: {
        "reason": "国内転入", "is_foreign": "false", "number_sealed": "'\\x01'", "number_index": "'\\x02'",
    },
    IdentityFile.FUHYO: {"is_abroad": "false"},
}  # fmt: skip
_VERSION = {
    "notified_at": "now()", "kind": "entry", "resident_code": "24727059608", "birth_date": "19900405",
    "name": "山口　花子", "name_gaiji": "0", "address_gaiji": "0", "record_digest": "'\\x03'",
    "sender_code": "352039", "notice_no": "1", "package_id": "1", "received_on": "2026-11-23",
}  # fmt: skip
_SUPERSEDED = {
    "superseded_on": "2026-11-24", "superseded_by_sender_code": "352039", "superseded_by_notice_no": "2",
    "superseded_by_package_id": "1", "expires_on": "2176-11-24",
}  # fmt: skip
_ROWS = {
    "channel": {"municipality_code": "352039", "last_sequence": "1", "gap_since": "now()"},
    "package": {
        "municipality_code": "352039", "sequence": "1", "file_name": "352039-x-notice-00000001.p7m",
        "file_bytes": "9", "file_sha256": "'\\x04'", "remote_modified_at": "now()", "state": "applied",
        "received_at": "now()", "records": "2", "rejected": "1", "receipt": "'\\x05'",
    },
    "former_code": {
        "resident_code": "24846016224", "new_code": "24727059608", "sender_code": "352039", "notice_no": "1",
        "package_id": "1",
    },
    "rejection": {
        "package_id": "1", "line": "3", "code": "sex.unknown", "column_name": "sex", "severity": "error",
    },
    "quarantine": {"package_id": "1", "line": "3", "record_sealed": "'\\x06'"},
    "outbox": {"package_id": "1", "changes": "1", "created_at": "now()"},
    "journal": {
        "entry_no": "1", "entry": '{"action": "package.applied"}', "leaf_hash": "'\\x07'",
        "frontier": "'\\x08'",
    },
}  # fmt: skip


@pytest.fixture
def old_store(
    postgres: str, server_home: Home, file: IdentityFile
) -> Iterator[tuple[str, Callable[[], dict[str, list[str]]]]]:
    """A store as version 0001 made and filled it, and a function that reads the columns of that version."""
    name = f"old_{uuid4().hex}"
    embedded.ensure_database(postgres, name)
    url = embedded.admin_url(server_home, name)
    with open_engine(url).begin() as connection:
        command.upgrade(migration_config(connection, file), "0001")
    with psycopg.connect(url) as filling:
        columns = _columns(filling)
        for table, row in _filled(file).items():
            values = ", ".join(value if _is_expression(value) else f"'{value}'" for value in row.values())
            filling.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})")  # type: ignore[arg-type]

    def rows() -> dict[str, list[str]]:
        with psycopg.connect(url) as connection:
            return {
                table: [
                    row[0]
                    for row in connection.execute(f"SELECT ROW({', '.join(names)})::text FROM {table}")  # type: ignore[arg-type]
                ]
                for table, names in columns.items()
            }

    yield url, rows
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _filled(file: IdentityFile) -> dict[str, dict[str, str]]:
    version = _VERSION | _CARRIED[file]
    return _ROWS | {"current": version, "history": version | _SUPERSEDED}


def _is_expression(value: str) -> bool:
    return value.endswith("()") or value.startswith("'")


def _columns(connection: psycopg.Connection) -> dict[str, list[str]]:
    found = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name <> 'alembic_version' ORDER BY ordinal_position"
    )
    columns: dict[str, list[str]] = {}
    for table, column in found:
        columns.setdefault(table, []).append(column)
    return columns


@FILES
def test_what_was_written_under_the_first_version_survives_the_way_up_and_down(
    file: IdentityFile, old_store: tuple[str, Callable[[], dict[str, list[str]]]]
) -> None:
    """Every row of every table, byte for byte, after the upgrade and after taking it back."""
    url, rows = old_store
    before = rows()
    assert len(before) == 9 and all(len(found) == 1 for found in before.values())
    install(url, file)
    assert rows() == before
    with psycopg.connect(url) as connection:
        read = "SELECT deferred_files, deferred_code, (SELECT closed_at FROM package) FROM channel"
        assert connection.execute(read).fetchall() == [(0, None, None)]
    with open_engine(url).begin() as connection:
        command.downgrade(migration_config(connection, file), "0001")
    assert rows() == before
    with psycopg.connect(url) as connection:
        assert "store_key" not in _columns(connection)
    install(url, file)
    assert rows() == before
