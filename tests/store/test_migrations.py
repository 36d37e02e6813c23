"""Migrations make the tables that are declared, can be taken back, repeated, and run twice at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg import sql

from juki.columns import IdentityFile
from juki.home import Home
from juki.store import embedded
from juki.store.engine import open_engine
from juki.store.install import install, uninstall
from juki.store.tables import TABLES
from tests.conftest import Stores

FILES = pytest.mark.parametrize("file", list(IdentityFile))
_CATALOGUE = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               a.attgenerated, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
          AND NOT a.attisdropped AND c.relname <> 'alembic_version'
    """,
    "constraints": """
        SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
          AND contype <> 't'
    """,
    "indexes": """
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    """,
    "triggers": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "rights": """
        SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants
        WHERE table_schema = 'public'
    """,
}
_INSTALL = """
import sys
from juki.columns import IdentityFile
from juki.store.install import install
for file, url in zip(sys.argv[1::2], sys.argv[2::2]):
    install(url, IdentityFile(file))
"""
_DECLARED = ("columns", "constraints", "indexes")


@pytest.fixture
def new_database(postgres: str, server_home: Home) -> Iterator[Callable[[], str]]:
    """Return a function that makes empty databases; all are dropped at the end."""
    made: list[str] = []

    def make() -> str:
        made.append(f"bare_{uuid4().hex}")
        embedded.ensure_database(postgres, made[-1])
        return embedded.admin_url(server_home, made[-1])

    yield make
    with psycopg.connect(postgres, autocommit=True) as connection:
        for name in made:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _catalogue(url: str, *parts: str) -> dict[str, set[tuple[object, ...]]]:
    with psycopg.connect(url) as connection:
        return {part: set(connection.execute(_CATALOGUE[part]).fetchall()) for part in parts or _CATALOGUE}


@FILES
def test_installed_tables_are_the_declared_ones(
    file: IdentityFile, stores: Stores, new_database: Callable[[], str]
) -> None:
    """The migrations are written by hand; columns, keys, checks and indexes must be those of the declaration."""
    declared = new_database()
    TABLES[file].metadata.create_all(open_engine(declared))
    assert _catalogue(stores.url(file), *_DECLARED) == _catalogue(declared, *_DECLARED)


@FILES
def test_alembic_finds_nothing_to_change(file: IdentityFile, stores: Stores) -> None:
    """The next migration would be empty."""
    with open_engine(stores.url(file)).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, TABLES[file].metadata) == []


@FILES
def test_down_leaves_nothing_and_up_makes_the_same_again(file: IdentityFile, stores: Stores) -> None:
    """Every step has its way back, and installing afterwards gives the same tables and rights."""
    url = stores.url(file)
    before = _catalogue(url)
    uninstall(open_engine(url), file)
    emptied = _catalogue(url)
    assert not any(emptied[part] for part in ("columns", "constraints", "indexes", "triggers", "functions"))
    install(url, file)
    assert _catalogue(url) == before


@FILES
def test_installing_twice_changes_nothing_and_keeps_what_is_stored(
    file: IdentityFile, stores: Stores
) -> None:
    """An upgrade of an installation in use must not touch its rows."""
    url = stores.url(file)
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO channel (municipality_code) VALUES ('352039')")
    before = _catalogue(url)
    install(url, file)
    assert _catalogue(url) == before
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT municipality_code FROM channel").fetchall() == [("352039",)]


def test_two_installers_at_once_do_not_meet(stores: Stores, new_database: Callable[[], str]) -> None:
    """Two processes install both files at the same time, one of them the other way round; all end well."""
    urls = {file: new_database() for file in IdentityFile}
    orders = (list(IdentityFile), list(reversed(IdentityFile)))
    running = [
        subprocess.Popen([sys.executable, "-c", _INSTALL, *(part for f in order for part in (f, urls[f]))])
        for order in orders
    ]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    for file, url in urls.items():
        assert _catalogue(url) == _catalogue(stores.url(file))


def test_rights_that_were_taken_away_do_not_linger(stores: Stores) -> None:
    """An older installation, or somebody in a hurry, gave too much: installing puts it right."""
    url, file = stores.resident_url, IdentityFile.RESIDENT
    before = _catalogue(url, "rights")
    with psycopg.connect(url) as connection:
        connection.execute("GRANT ALL ON current, journal TO juki_resident_reader, juki_resident_bridge")
    install(url, file)
    assert _catalogue(url, "rights") == before
