"""`juki export` and `juki backup` on real stores: sealed, opened by openssl, equal to the rows, and in the log."""

from __future__ import annotations

import csv
import io
import json
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from juki.columns import NOTICE_COLUMNS, IdentityFile
from juki.copies import Extent, Wanted, part_name
from juki.copying.folder import CopyFolder
from juki.copying.writing import write_dump, write_rows
from juki.errors import StoreError
from juki.home import Home
from juki.reasons import Code
from juki.store import dumping, embedded
from juki.store.copying import frozen_unit, pages
from juki.store.install import install
from juki.store.journal_reading import Sought
from juki.store.roles import Duty
from juki.store.tables import TABLES
from juki.store.unit import open_unit
from simulator import pki
from tests.canary import writings
from tests.conftest import Stores
from tests.console import FUHYO, RESIDENT, YAMAGUCHI, Console
from tests.copy_case import NAME, NUMBERS, REASON, CopyCase, authority

Identities = tuple[pki.Identity, pki.Identity, pki.Identity]


@pytest.fixture(scope="module")
def identities() -> Identities:
    """A root, the keeper of copies and us."""
    return authority()


@pytest.fixture
def case(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    tmp_path: Path, identities: Identities,
) -> CopyCase:  # fmt: skip
    """People in both stores, and nobody registered as an operator yet."""
    return CopyCase.of(Console(home, module_stores, monkeypatch, capsys), tmp_path, identities)


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_export_opened_by_openssl_equals_the_rows_and_is_in_the_log(case: CopyCase) -> None:
    """The statutory columns in their order, without any number; what, how many, where to and to whom is told."""
    case.take("export", "--file", "resident")
    (content,) = case.contents("resident-current")
    header = content.decode().splitlines()[0].split(",")
    expected = [name for name in NOTICE_COLUMNS[RESIDENT] if not name.endswith("individual_number")]
    assert header == [*expected, "sender_code", "repair_no", "package_id", "received_on", "expires_on"]
    query = "SELECT resident_code, name, address, notice_no::text FROM current ORDER BY resident_code"
    told = [(one["resident_code"], one["name"], one["address"], one["notice_no"]) for one in _rows(content)]
    assert told == case.rows(query) and len(told) == 3
    begun, made = (one for one in case.console.entries() if one["action"].startswith("copy."))
    assert begun["counts"] == {"rows_current": 3} and begun["basis"] == made["basis"] == REASON
    assert made["counts"] == {"rows_current": 3, "parts": 1, "bytes": len(content)}
    said = f"export=current number=no to={case.to()} certificate={case.fingerprint}"
    assert begun["change"] == made["change"] == said and not begun["number_accessed"]
    manifest = case.manifest()
    assert manifest["entries"] == {"resident": begun["entry_no"]} and manifest["rows"] == {
        "resident.current": 3
    }
    assert {one.stat().st_mode & 0o777 for one in case.to().iterdir()} == {0o600}
    assert case.to().stat().st_mode & 0o777 == 0o700


def test_history_and_numbers_leave_only_where_they_are_asked_for(case: CopyCase) -> None:
    """With the number the log says that it was accessed."""
    case.take(
        "export", "--file", "resident", "--history", "all", "--with-number", "--municipality", YAMAGUCHI
    )
    (current,), (history,) = case.contents("resident-current"), case.contents("resident-history")
    assert [one["individual_number"] for one in _rows(current)] == list(NUMBERS)
    (former,) = _rows(history)
    assert (former["resident_code"], former["individual_number"]) == ("B", NUMBERS[1])
    assert former["superseded_by_notice_no"] == "4" and former["was_newest"] == "1"
    told = [one for one in case.console.entries() if one["action"].startswith("copy.")]
    assert all(one["number_accessed"] and one["municipality_code"] == YAMAGUCHI for one in told)
    assert told[0]["counts"] == {"rows_current": 3, "rows_history": 1}
    case.take("export", "--file", "fuhyo", "--with-number", to=case.to("other"))
    (fuhyo,) = case.contents("fuhyo-current", case.to("other"))
    assert "individual_number" not in fuhyo.decode().splitlines()[0] and NAME in fuhyo.decode()
    assert not any(one["number_accessed"] for one in case.console.entries(FUHYO))


@pytest.mark.parametrize("extent", ["current", "all"])
def test_pages_of_any_size_join_to_the_same_rows(
    case: CopyCase, extent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut between rows, also where a value holds a line break of its own, a quote or a comma."""
    with psycopg.connect(case.console.stores.resident_url) as connection:
        connection.execute("UPDATE current SET address = E'一行目\n二行目,\"三\"' WHERE resident_code = 'A'")
    wanted = Wanted(RESIDENT, Extent(extent))
    joined = []
    for size in (1, 2, 1000):
        with frozen_unit(case.console.stores.resident_url, wanted) as unit:
            found = [list(pages(unit, wanted, kept, size)) for kept in wanted.tables]
        assert all(page.num_rows <= size for table in found for page in table)
        joined.append([pa.concat_tables(table).to_pylist() for table in found])
    assert joined[0] == joined[1] == joined[2] and joined[0][0][0]["address"] == '一行目\n二行目,"三"'


def test_backup_opens_with_the_private_key_and_restores_into_a_store_that_equals_the_old_one(
    case: CopyCase, postgres: str, server_home: Home
) -> None:
    """Row by row, table by table; the log ends where the copy was taken, and no number is in it to be read."""
    case.take("backup")
    manifest = case.manifest()
    for file in IdentityFile:
        dump = b"".join(case.contents(f"{file.value}-dump"))
        url = _restored(postgres, server_home, f"restored_{file.value}", dump)
        tables = sorted(TABLES[file].metadata.tables)
        old, new = (
            {one: _digest(where, one) for one in tables} for where in (case.console.stores.url(file), url)
        )
        # The copy itself is told of after its snapshot was taken: that it was made.
        assert {one for one in tables if old[one] != new[one]} == {"journal"}
        assert {name: new[name][0] for name in tables} == {
            name: manifest["rows"][f"{file.value}.{name}"] for name in tables
        }
        install(url, file)
        with open_unit(url, file, Duty.AUDITOR) as unit:
            assert unit.journal.verify().size == manifest["entries"][file.value]
            assert [one["action"] for one in unit.journal_reader.found(Sought(), 1)] == ["copy.begun"]
        assert not any(number.encode() in dump for number in NUMBERS)
    assert case.log(FUHYO) == [("copy.begun", "done", ""), ("copy.made", "done", "")]
    assert all(one["number_accessed"] for one in case.console.entries(FUHYO)), "sealed, it is still a number"


def _restored(postgres: str, server_home: Home, name: str, dump: bytes) -> str:
    """Restore a dump into a database of its own as docs/backup.md says."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[arg-type]
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    url = embedded.admin_url(server_home, name)
    options = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", f"--dbname={url}")
    subprocess.run(
        [embedded.program("pg_restore"), *options], input=dump, check=True, timeout=60, capture_output=True
    )
    return url


def _digest(url: str, table: str) -> tuple[int, str]:
    query = f"SELECT count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t"
    with psycopg.connect(url) as connection:
        ((count, digest),) = connection.execute(query).fetchall()  # type: ignore[arg-type]
    return count, digest


def test_nothing_of_a_copy_lies_in_clear_anywhere(case: CopyCase) -> None:
    """Neither in the home nor beside the copy nor in what temporary folders and the terminal got (M9)."""
    said = case.take("export", "--file", "resident", "--with-number")
    backed_up = case.take("backup", to=case.to("backup"))
    assert any(NUMBERS[0].encode() in one for one in case.contents("resident-current")), "it is in the copy"
    lying = [one.read_bytes() for one in case.folder.rglob("*") if one.is_file()]
    shown = [(said.out + said.err + backed_up.out + backed_up.err).encode()]
    for mark in (NAME, *NUMBERS):
        assert not [form for form in writings(mark).values() if any(form in one for one in (*lying, *shown))]


@pytest.mark.parametrize("command", [("export", "--file", "resident"), ("backup",)])
def test_copy_on_a_full_disk_leaves_nothing_and_the_log_says_why(
    case: CopyCase, command: tuple[str, ...]
) -> None:
    """The limit of the process refuses as a full disk does, in the middle of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        said = case.console.juki(*case.asked(*command))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert said.code == 2 and Code.COPY_NOT_WRITTEN.value in said.err
    assert not case.to().exists()
    assert case.log() == [("copy.begun", "done", ""), ("copy.refused", "refused", "copy.not_written")]


def test_disk_that_fills_up_between_two_parts_ends_the_reading_at_once(case: CopyCase) -> None:
    """Neither a COPY nor a program goes on for nobody, and the reason stays the disk."""
    url = case.console.stores.resident_url
    writings_of_parts: list[Callable[[CopyFolder], object]] = [
        lambda folder: write_rows(folder, url, Wanted(RESIDENT), None, rows_each=1),
        lambda folder: write_dump(folder, url, RESIDENT, piece_bytes=1024),
    ]
    for number, write in enumerate(writings_of_parts):
        folder = CopyFolder(case.to(f"half-{number}"), case.ours.signing(), case.keeper.certificate)
        folder.begin()
        # Somebody else has the name of the second part: refused by the disk as well.
        stem = ("resident-current", "resident-dump")[number]
        (folder.place / part_name(stem, 2)).touch()
        with pytest.raises(StoreError) as stopped:
            write(folder)
        assert stopped.value.code is Code.COPY_NOT_WRITTEN and len(folder.parts) == 1
        folder.discard()
        assert [one.name for one in folder.place.iterdir()] == [part_name(stem, 2)]
    working = "datname = current_database() AND application_name IN ('juki', 'pg_dump')"
    assert case.rows(f"SELECT count(*) FROM pg_stat_activity WHERE {working}") == [(0,)]


def test_copy_killed_in_the_middle_is_begun_in_the_log_and_readable_by_nobody_without_the_key(
    case: CopyCase,
) -> None:
    """What is left is sealed, says that it is no copy, and is not taken for one: the folder has to be dealt with."""
    command = json.dumps(["juki", *case.asked("export", "--file", "resident")])
    code = (
        "import os, signal, sys\nfrom juki.copying.folder import CopyFolder\nadd = CopyFolder.add\n"
        "def die(*given):\n    add(*given)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"CopyFolder.add = die\nsys.argv = {command}\nfrom juki.cli import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert case.log() == [("copy.begun", "done", "")]
    assert {one.name for one in case.to().iterdir()} == {"UNFINISHED", "resident-current-00001.p7m"}
    assert NAME.encode() not in b"".join(one.read_bytes() for one in case.to().iterdir())
    said = case.console.juki(*case.asked("export", "--file", "resident"))
    assert said.code == 2 and Code.COPY_FOLDER.value in said.err


def test_copy_that_can_not_be_logged_is_not_begun(case: CopyCase) -> None:
    """No log, no act."""
    with psycopg.connect(case.console.stores.resident_url) as connection:
        connection.execute(
            "ALTER TABLE journal ADD CONSTRAINT full_up CHECK (action <> 'copy.begun') NOT VALID"
        )
    try:
        said = case.console.juki(*case.asked("export", "--file", "resident"))
    finally:
        with psycopg.connect(case.console.stores.resident_url) as connection:
            connection.execute("ALTER TABLE journal DROP CONSTRAINT full_up")
    assert said.code == 2 and Code.STORE_REFUSED.value in said.err and not case.to().exists()


def test_number_that_does_not_open_stops_an_export_with_numbers(case: CopyCase) -> None:
    """Fail closed: a copy with a hole where a number was is no copy."""
    with psycopg.connect(case.console.stores.resident_url) as connection:
        connection.execute("UPDATE current SET number_sealed = '\\x00' WHERE resident_code = 'C'")
    said = case.console.juki(*case.asked("export", "--file", "resident", "--with-number"))
    assert said.code == 2 and Code.CIPHER_ALTERED.value in said.err and not case.to().exists()
    assert case.log()[-1] == ("copy.refused", "refused", Code.CIPHER_ALTERED.value)


def test_dump_that_does_not_end_well_is_no_backup(case: CopyCase, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table nobody may lock: the program gives up, and what it wrote is void."""
    with psycopg.connect(case.console.stores.resident_url) as holding:
        monkeypatch.setattr(dumping, "_OPTIONS", (*dumping._OPTIONS, "--lock-wait-timeout=100"))
        holding.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        said = case.console.juki(*case.asked("backup", "--file", "resident"))
    assert said.code == 2 and Code.COPY_DUMP_FAILED.value in said.err and not case.to().exists()
    assert case.log()[-1] == ("copy.refused", "refused", Code.COPY_DUMP_FAILED.value)
