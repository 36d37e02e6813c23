"""Tables as migrated and as declared, and what each duty may do, really tried."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg import errors

from juki.columns import IdentityFile
from juki.store.engine import open_engine
from juki.store.install import install, uninstall
from juki.store.roles import Duty, grants, role_name
from juki.store.tables import TABLES
from tests.conftest import Stores

FILES = list(IdentityFile)
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")


@pytest.mark.parametrize("file", FILES)
def test_migrations_and_declarations_agree(module_stores: Stores, file: IdentityFile) -> None:
    """What alembic would still have to do is nothing."""
    with open_engine(module_stores.url(file)).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, TABLES[file].metadata) == []


@pytest.mark.parametrize("file", FILES)
def test_a_schema_can_be_taken_down_and_put_up_again(stores: Stores, file: IdentityFile) -> None:
    """Down leaves nothing but alembic's own table; up again is complete; up twice at once is harmless."""
    url = stores.url(file)
    uninstall(open_engine(url), file)
    with psycopg.connect(url) as connection:
        left = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert left == [("alembic_version",)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: install(url, file), range(2)))
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert {name for (name,) in tables} == {*TABLES[file].metadata.tables, "alembic_version"}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("duty", list(Duty))
def test_a_duty_has_its_rights_and_no_others(module_stores: Stores, file: IdentityFile, duty: Duty) -> None:
    """Ask the database for every table and privilege; tables with a grant by column count as not granted."""
    granted = {
        (table, privilege)
        for role, privileges, table in grants(file)
        if role == role_name(file, duty)
        for privilege in privileges.split(", ")
    }
    with psycopg.connect(module_stores.url(file)) as connection:
        for table in TABLES[file].metadata.tables:
            for privilege in PRIVILEGES:
                asked = (role_name(file, duty), table, privilege)
                found = connection.execute("SELECT has_table_privilege(%s, %s, %s)", asked).fetchone()
                assert found == ((table, privilege) in granted,), asked


def test_only_the_purger_deletes_and_nobody_changes_the_journal() -> None:
    """The rule the table of rights must always obey."""
    for file in FILES:
        for role, privileges, table in grants(file):
            if "DELETE" in privileges:
                assert role == role_name(file, Duty.PURGER)
            if table == "journal":
                assert set(privileges.split(", ")) <= {"SELECT", "INSERT"}


def _as(url: str, file: IdentityFile, duty: Duty) -> psycopg.Connection:
    return psycopg.connect(url, options=f"-c role={role_name(file, duty)}", autocommit=True)


def test_a_reader_never_sees_a_sealed_number(module_stores: Stores) -> None:
    """Columns are granted by name; the number and its index are not among them."""
    resident = IdentityFile.RESIDENT
    with _as(module_stores.resident_url, resident, Duty.READER) as connection:
        connection.execute("SELECT resident_code, name, record_digest FROM current")
        connection.execute("SELECT resident_code, superseded_on FROM history")
        for column in ("number_sealed", "number_index", "*"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"SELECT {column} FROM current")  # type: ignore[arg-type]


def test_the_owner_can_not_change_the_journal_either(stores: Stores) -> None:
    """The trigger stops update, delete and truncate whoever asks."""
    with psycopg.connect(stores.resident_url, autocommit=True) as connection:
        for statement in ("UPDATE journal SET entry = entry", "DELETE FROM journal", "TRUNCATE journal"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement)


def test_the_roles_of_one_file_can_do_nothing_in_the_other(module_stores: Stores) -> None:
    """Two servers, two sets of roles."""
    with psycopg.connect(module_stores.fuhyo_url) as connection:
        for duty in Duty:
            for table in TABLES[IdentityFile.FUHYO].metadata.tables:
                asked = (role_name(IdentityFile.RESIDENT, duty), table)
                found = connection.execute("SELECT has_table_privilege(%s, %s, 'SELECT')", asked).fetchone()
                assert found == (False,), asked
