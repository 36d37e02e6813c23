"""What one stolen login of the database can read, tried with psql: who has no work with people reads none (M9).

The login is a member of one duty and nothing else, as a prefecture gives it that runs its processes apart; what the
program itself uses on the embedded server is the owner, from whom no right can be kept (ADR-0038).
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from juki.columns import IdentityFile
from juki.store import embedded
from juki.store.roles import Duty, role_name
from tests.conftest import Stores

RESIDENT = IdentityFile.RESIDENT
THIEF = "juki_test_thief"
READS_PEOPLE = (Duty.INTAKE, Duty.PROVIDER, Duty.ADMINISTRATOR)
"""The intake compares whole municipalities, the provider finds by key and tells J-LIS of every update (ADR-0038)."""
LET, REFUSED = "00000", "42501"
_NAMING = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND (column_name ~ 'resident_code|subject|_sealed$|_index$|(record|codes)_digest'
        OR column_name IN ('new_code', 'entry'))
    ORDER BY 1, 2
"""
BOTH, ONE, OTHER = frozenset(IdentityFile), frozenset({RESIDENT}), frozenset({IdentityFile.FUHYO})
_WORK, _AND_ERASE = frozenset(READS_PEOPLE), frozenset({*READS_PEOPLE, Duty.PURGER})
NAMES_SOMEBODY = {
    **{f"{table}.{column}": (BOTH, _AND_ERASE) for table in ("current", "history")
       for column in ("resident_code", "previous_resident_code")},
    **{f"{table}.record_digest": (BOTH, _WORK) for table in ("current", "history")},
    **{f"{table}.{column}": (ONE, _WORK) for table in ("current", "history")
       for column in ("number_sealed", "number_index")},
    "former_code.resident_code": (BOTH, _AND_ERASE),
    "former_code.new_code": (BOTH, _AND_ERASE),
    "provided.resident_code": (BOTH, {Duty.PROVIDER, Duty.PURGER, Duty.ADMINISTRATOR}),
    "difference.resident_code": (BOTH, {Duty.INTAKE, Duty.PURGER, Duty.ADMINISTRATOR}),
    "difference.record_sealed": (BOTH, {Duty.INTAKE, Duty.ADMINISTRATOR}),
    "quarantine.record_sealed": (BOTH, {Duty.INTAKE, Duty.ADMINISTRATOR}),
    "held_number.number_sealed": (OTHER, {Duty.BRIDGE}),
    "crossing.codes_digest": (ONE, {Duty.PROVIDER, Duty.ADMINISTRATOR}),
    "disclosure.subject": (ONE, {Duty.PROVIDER, Duty.ADMINISTRATOR}),
    "disclosure.subject_index": (ONE, {Duty.PROVIDER, Duty.ADMINISTRATOR}),
    # Sealed and keyed: whoever writes entries reads the log, and names nobody by it.
    "journal.entry": (BOTH, set(Duty) - {Duty.READER}),
    "journal.subject_index": (BOTH, set(Duty) - {Duty.READER}),
}  # fmt: skip
"""Every column that names somebody, or could: in which files it is, and which duties read it (ADR-0038)."""
OTHERS = tuple(duty for duty in Duty if duty not in READS_PEOPLE)
FILES = pytest.mark.parametrize("file", list(IdentityFile))


@pytest.fixture
def thief(module_stores: Stores) -> Iterator[Stores]:
    """A login without any right of its own."""
    with psycopg.connect(module_stores.resident_url, autocommit=True) as connection:
        connection.execute(f"DROP ROLE IF EXISTS {THIEF}")
        connection.execute(f"CREATE ROLE {THIEF} LOGIN NOINHERIT")
    yield module_stores
    with psycopg.connect(module_stores.resident_url, autocommit=True) as connection:
        connection.execute(f"DROP ROLE {THIEF}")


def _steal(stores: Stores, file: IdentityFile, duty: Duty) -> None:
    """Let the thief have the login of one duty, and of no other."""
    with psycopg.connect(stores.url(file), autocommit=True) as connection:
        for other in Duty:
            connection.execute(f"REVOKE {role_name(file, other)} FROM {THIEF}")
        connection.execute(f"GRANT {role_name(file, duty)} TO {THIEF}")


def _run(
    program: str, stores: Stores, file: IdentityFile, duty: Duty, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run a program of PostgreSQL as the thief, in the role that was stolen."""
    url = stores.url(file).replace("//postgres@", f"//{THIEF}@")
    environment = {"PGOPTIONS": f"-c role={role_name(file, duty)}"}
    command = [embedded.program(program), f"--dbname={url}", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def _psql(stores: Stores, file: IdentityFile, duty: Duty, *statements: str) -> list[str]:
    """Give each statement to psql; return how each ended, as SQLSTATE: 00000 where it was let."""
    marked = [word for one in statements for word in ("-c", one, "-c", "\\echo --- :SQLSTATE")]
    ended = _run("psql", stores, file, duty, "-X", "-q", "-A", "-t", *marked)
    states = [line[4:] for line in ended.stdout.splitlines() if line.startswith("--- ")]
    assert len(states) == len(statements), ended.stderr
    return states


@FILES
@pytest.mark.parametrize("duty", list(Duty))
def test_no_duty_copies_into_a_file_of_the_server_or_into_a_program(
    file: IdentityFile, duty: Duty, thief: Stores, tmp_path: Path
) -> None:
    """COPY TO a file or a program, reading files of the server, large objects into files: all refused."""
    _steal(thief, file, duty)
    statements = (
        f"COPY (SELECT 1) TO '{tmp_path}/stolen'", "COPY (SELECT 1) TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/hostname')", f"SELECT lo_export(1, '{tmp_path}/stolen')",
    )  # fmt: skip
    assert _psql(thief, file, duty, *statements) == [REFUSED] * len(statements)
    assert not (tmp_path / "stolen").exists()


@FILES
@pytest.mark.parametrize("duty", OTHERS)
def test_stolen_login_of_a_duty_without_work_on_people_reads_nobody(
    file: IdentityFile, duty: Duty, thief: Stores
) -> None:
    """Neither whole tables nor names, by SELECT, COPY TO STDOUT, psql's own copy, or pg_dump."""
    _steal(thief, file, duty)
    statements = (
        "TABLE current", "TABLE history", "COPY current TO STDOUT", "COPY (SELECT * FROM history) TO STDOUT",
        "SELECT name FROM current LIMIT 1", "SELECT name, address FROM history LIMIT 1",
        "CREATE TEMPORARY TABLE mine AS SELECT * FROM current",
    )  # fmt: skip
    ended = _psql(thief, file, duty, *statements, r"\copy current to '/dev/null'")
    assert ended == [REFUSED] * (len(statements) + 1)
    dump = _run("pg_dump", thief, file, duty, "--table=current")
    assert dump.returncode != 0 and "permission denied for table current" in dump.stderr


@FILES
@pytest.mark.parametrize("duty", Duty)
def test_stolen_login_of_one_duty_becomes_no_other(file: IdentityFile, duty: Duty, thief: Stores) -> None:
    """Not by SET ROLE, not by taking the role off, not by giving itself one."""
    _steal(thief, file, duty)
    others = [role_name(file, other) for other in Duty if other is not duty]
    statements = [f"SET ROLE {other}" for other in others]
    statements += [f"GRANT {others[0]} TO {THIEF}", "SET ROLE postgres", "SET SESSION AUTHORIZATION postgres"]
    assert _psql(thief, file, duty, *statements) == [REFUSED] * len(statements)
    without = _psql(thief, file, duty, "SET ROLE NONE", "TABLE current", "TABLE journal", "TABLE channel")
    assert without == [LET, REFUSED, REFUSED, REFUSED]


@pytest.mark.parametrize("duty", list(Duty))
def test_only_who_works_with_people_reads_them_and_that_is_said(duty: Duty, thief: Stores) -> None:
    """The list of ADR-0038, so that it does not grow unnoticed; numbers are sealed to all of them."""
    _steal(thief, RESIDENT, duty)
    (ended,) = _psql(thief, RESIDENT, duty, "SELECT name, address, number_sealed FROM current LIMIT 1")
    assert ended == (LET if duty in READS_PEOPLE else REFUSED)


@FILES
@pytest.mark.parametrize("duty", list(Duty))
def test_codes_numbers_and_subjects_are_read_by_the_duties_named_here_and_no_other(
    file: IdentityFile, duty: Duty, thief: Stores
) -> None:
    """Every column that names somebody, in every table: 住民票コード, sealed numbers and records, keyed subjects."""
    with psycopg.connect(thief.url(file)) as connection:
        found = [f"{table}.{column}" for table, column in connection.execute(_NAMING).fetchall()]
    assert set(found) == {where for where, (files, _) in NAMES_SOMEBODY.items() if file in files}
    _steal(thief, file, duty)
    ended = _psql(thief, file, duty, *(f"SELECT {one} FROM {one.split('.')[0]} LIMIT 1" for one in found))
    read = {where for where, state in zip(found, ended, strict=True) if state == LET}
    assert set(ended) <= {LET, REFUSED}
    assert read == {where for where in found if duty in NAMES_SOMEBODY[where][1]}
