"""What each duty may do, really tried: every duty, every table, every privilege, in both databases.

The table here is written from design 3 by hand; it shares nothing with the grants it checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from juki.columns import IdentityFile
from juki.store.roles import Duty, role_name
from tests.conftest import Stores

TABLES = (
    "current", "history", "former_code", "channel", "package", "rejection", "quarantine", "outbox", "journal",
    "store_key", "reconciliation", "difference", "jlis_package", "jlis_message",
    "provision", "provided", "hold", "medium", "checkpoint", "used_assertion",
)  # fmt: skip
PRIVILEGES = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE", "T": "TRUNCATE"}
ALLOWED = {
    #                    cur his for chn pkg rej qua out jou key rec dif jpk jmg pro pvd hol med chk asn
    Duty.INTAKE:        "SIU SI  SIU SIU SIU SI  SI  SI  SI  S   SIU SIU -   SI  -   -   -   -   SI  SI",
    Duty.READER:        "-   -   -   S   S   S   -   S   -   -   S   -   -   -   S   -   S   S   -   -",
    Duty.BRIDGE:        "-   -   -   -   -   -   -   -   SI  -   -   -   -   -   -   -   -   -   -   SI",
    Duty.PROVIDER:      "S   S   S   -   -   -   -   SU  SI  S   -   -   SIU SI  SIU SI  SIU SIU -   SI",
    Duty.PURGER:        "D   D   SD  -   -   -   D   -   SI  -   -   D   -   -   SU  D   SU  -   -   SI",
    Duty.AUDITOR:       "-   -   -   S   S   S   -   -   SI  -   S   -   -   -   S   -   S   S   S   SI",
    Duty.ADMINISTRATOR: "S   S   S   SIU SIU S   S   S   SI  S   SU  SU  SU  SU  S   S   S   S   S   SI",
}  # fmt: skip
OF_ONE_STORE = {
    (IdentityFile.RESIDENT, "crossing"): {Duty.PROVIDER: "SIU", Duty.ADMINISTRATOR: "S"},
    (IdentityFile.RESIDENT, "operator"): {Duty.AUDITOR: "S", Duty.ADMINISTRATOR: "SIU"},
    (IdentityFile.RESIDENT, "disclosure"): {Duty.PROVIDER: "SIU", Duty.ADMINISTRATOR: "S"},
    (IdentityFile.FUHYO, "held_number"): {Duty.BRIDGE: "SI", Duty.PURGER: "D"},
    (IdentityFile.FUHYO, "provision"): {Duty.BRIDGE: "S"},
}
"""What only one of the stores has, and what the bridge sees of the provision it is for."""
_COLUMN = {
    "current": "name", "history": "name", "former_code": "new_code", "channel": "last_sequence",
    "package": "state", "rejection": "severity", "quarantine": "record_sealed", "outbox": "sent_at",
    "journal": "entry", "store_key": "check_value", "reconciliation": "state", "difference": "state",
    "provision": "state", "provided": "outcome", "hold": "due_at", "medium": "label", "crossing": "closed_at",
    "held_number": "number_sealed",
    "jlis_package": "state", "jlis_message": "seen_at", "checkpoint": "note",
    "used_assertion": "act_id", "operator": "name", "disclosure": "decision",
}  # fmt: skip
DUTIES = pytest.mark.parametrize("duty", list(Duty))
FILES = pytest.mark.parametrize("file", list(IdentityFile))


def _statement(privilege: str, table: str) -> str:
    """A statement that needs this privilege on the table and no other."""
    return {
        "S": f"SELECT * FROM {table}",
        "I": f"INSERT INTO {table} DEFAULT VALUES",
        "U": f"UPDATE {table} SET {_COLUMN[table]} = DEFAULT",
        "D": f"DELETE FROM {table}",
        "T": f"TRUNCATE {table}",
    }[privilege]


@contextmanager
def _acting_as(url: str, role: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        yield connection
        connection.rollback()


def _is_allowed(connection: psycopg.Connection, statement: str) -> bool:
    """Try it: only a refusal for want of privilege counts as one, a broken constraint shows that it was let."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.errors.IntegrityError:
        return True
    return True


@FILES
@DUTIES
def test_duty_can_do_what_its_work_needs_and_nothing_else(
    file: IdentityFile, duty: Duty, module_stores: Stores
) -> None:
    """Least privilege, cell by cell."""
    wanted = dict(zip(TABLES, ALLOWED[duty].split(), strict=True))
    for (only, table), allowed in OF_ONE_STORE.items():
        if only is file and (table not in TABLES or duty in allowed):
            wanted[table] = allowed.get(duty, "-")
    with _acting_as(module_stores.url(file), role_name(file, duty)) as connection:
        can = {
            table: "".join(p for p in PRIVILEGES if _is_allowed(connection, _statement(p, table))) or "-"
            for table in wanted
        }
    assert can == wanted


@DUTIES
def test_only_the_bridge_may_ask_for_numbers_by_code(duty: Duty, module_stores: Stores) -> None:
    """The database refuses everybody else, whatever program asks (M6); the bridge itself needs an approval."""
    resident = IdentityFile.RESIDENT
    with _acting_as(module_stores.url(resident), role_name(resident, duty)) as connection:
        expected = "JB001" if duty is Duty.BRIDGE else psycopg.errors.InsufficientPrivilege.sqlstate
        with pytest.raises(psycopg.Error) as refused, connection.transaction():
            connection.execute("SELECT * FROM bridge_numbers(1, ARRAY['12345678903'])")
        assert refused.value.sqlstate == expected


@FILES
@DUTIES
def test_duty_of_one_file_can_do_nothing_in_the_database_of_the_other(
    file: IdentityFile, duty: Duty, module_stores: Stores
) -> None:
    """The two servers are joined nowhere but in the bridge (M6)."""
    other = next(one for one in IdentityFile if one is not file)
    with _acting_as(module_stores.url(other), role_name(file, duty)) as connection:
        can = [(p, t) for t in TABLES for p in PRIVILEGES if _is_allowed(connection, _statement(p, t))]
    assert can == []


@FILES
@pytest.mark.parametrize("table", ["current", "history"])
@pytest.mark.parametrize("duty", [Duty.READER, Duty.AUDITOR, Duty.BRIDGE])
def test_duty_that_has_no_work_with_people_reads_not_one_column_of_them(
    file: IdentityFile, table: str, duty: Duty, module_stores: Stores
) -> None:
    """What can not be read can not be read in bulk (M9)."""
    with psycopg.connect(module_stores.url(file)) as connection:
        query = "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
        columns = [name for (name,) in connection.execute(query, (table,))]
    assert "name" in columns and "expires_on" in columns
    with _acting_as(module_stores.url(file), role_name(file, duty)) as connection:
        assert [one for one in columns if _is_allowed(connection, f"SELECT {one} FROM {table}")] == []
        assert not _is_allowed(connection, f"SELECT count(*) FROM {table}")


@FILES
@pytest.mark.parametrize("table", ["current", "history"])
def test_purger_sees_when_and_whose_and_nothing_that_was_said(
    file: IdentityFile, table: str, module_stores: Stores
) -> None:
    """Erasing by the end of keeping needs no name, no address and no number."""
    with _acting_as(module_stores.url(file), role_name(file, Duty.PURGER)) as connection:
        assert _is_allowed(
            connection, f"DELETE FROM {table} WHERE expires_on <= current_date AND resident_code = ''"
        )
        for column in ("name", "address", "birth_date", "search_key", "record_digest"):
            assert not _is_allowed(connection, f"SELECT {column} FROM {table}")


@FILES
def test_purger_tells_a_package_how_many_of_its_versions_went_and_nothing_else(
    file: IdentityFile, module_stores: Stores
) -> None:
    """Whoever erases must count, and can neither touch what was accepted nor read what was provided to whom."""
    with _acting_as(module_stores.url(file), role_name(file, Duty.PURGER)) as connection:
        assert _is_allowed(connection, "UPDATE package SET erased = erased + 1 WHERE package_id = 1")
        assert _is_allowed(connection, "DELETE FROM provided WHERE resident_code = ''")
        for statement in (
            "UPDATE package SET accepted = 0", "SELECT state FROM package", "DELETE FROM package",
            "SELECT provision_id FROM provided", "UPDATE history SET expires_on = current_date",
            "UPDATE current SET expires_on = current_date",
        ):  # fmt: skip
            assert not _is_allowed(connection, statement)


@FILES
def test_reader_sees_differences_but_not_of_whom_nor_the_sealed_record_of_the_municipality(
    file: IdentityFile, module_stores: Stores
) -> None:
    """What a screen lists of a difference is which and where, neither who nor what the municipality says of them."""
    with _acting_as(module_stores.url(file), role_name(file, Duty.READER)) as connection:
        assert _is_allowed(connection, "SELECT difference_id, kind, columns, state FROM difference")
        for column in ("resident_code", "record_sealed"):
            assert not _is_allowed(connection, f"SELECT {column} FROM difference")


def test_auditor_sees_what_crossed_the_bridge_but_no_digest_of_the_codes(module_stores: Stores) -> None:
    """Of a provision for one person it is a bare hash of their code, and all codes can be tried."""
    file = IdentityFile.RESIDENT
    with _acting_as(module_stores.url(file), role_name(file, Duty.AUDITOR)) as connection:
        assert _is_allowed(connection, "SELECT provision_id, codes, crossings, closed_at FROM crossing")
        assert not _is_allowed(connection, "SELECT codes_digest FROM crossing")


@FILES
@DUTIES
def test_duty_can_not_log_in_become_another_or_make_tables(
    file: IdentityFile, duty: Duty, module_stores: Stores
) -> None:
    """A role is put on by a connection that may, and leads nowhere else."""
    role = role_name(file, duty)
    with psycopg.connect(module_stores.url(file)) as connection:
        query = """
            SELECT rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication,
                   EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid)
            FROM pg_roles WHERE rolname = %s
        """
        (found,) = connection.execute(query, (role,)).fetchall()
    assert not any(found)
    with _acting_as(module_stores.url(file), role) as connection:
        assert not _is_allowed(connection, "CREATE TABLE public.copy_of_everything (line text)")
        assert not _is_allowed(connection, "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        assert not _is_allowed(connection, "COPY channel TO PROGRAM 'cat'")
        assert not _is_allowed(connection, "SELECT * FROM alembic_version")


@FILES
@pytest.mark.parametrize("privilege", ["U", "D", "T"])
def test_not_even_the_owner_changes_the_journal(
    file: IdentityFile, privilege: str, module_stores: Stores
) -> None:
    """A trigger stands in the way of whoever stands above the rights."""
    with psycopg.connect(module_stores.url(file)) as connection:
        assert connection.execute(
            "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (True,)
        assert not _is_allowed(connection, _statement(privilege, "journal"))


@FILES
@pytest.mark.parametrize("table", ["rejection", "quarantine"])
def test_intake_notes_that_a_refused_record_is_settled_and_changes_nothing_else_of_it(
    file: IdentityFile, table: str, module_stores: Stores
) -> None:
    """What was found and what was sealed stay as they were."""
    with _acting_as(module_stores.url(file), role_name(file, Duty.INTAKE)) as connection:
        assert _is_allowed(connection, f"UPDATE {table} SET settled_at = now()")
        assert not _is_allowed(connection, f"UPDATE {table} SET {_COLUMN[table]} = DEFAULT")
        assert not _is_allowed(connection, f"UPDATE {table} SET package_id = 1, settled_at = now()")
