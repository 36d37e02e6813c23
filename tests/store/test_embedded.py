"""The embedded PostgreSQL: durable, private, mute, and never in the way of its own next start."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from juki.errors import StoreError
from juki.home import Home
from juki.reasons import Code
from juki.store import accounts, embedded


@pytest.fixture(scope="module")
def own_home() -> Iterator[Home]:
    """A home with a server of this module's own, free to be killed."""
    with tempfile.TemporaryDirectory(prefix="juki-embedded-") as folder:
        home = Home.at(Path(folder) / "県 庁's home")
        embedded.start(home)
        yield home
        embedded.stop(home)


def _postmaster(home: Home) -> int:
    return int((home.postgres / "data" / "postmaster.pid").read_text().split()[0])


def _wait_until_gone(pid: int) -> None:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)


def _answer(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT 1").fetchone()
    assert row is not None
    return int(row[0])


def test_second_start_is_no_second_server(own_home: Home) -> None:
    """Starting what runs changes nothing."""
    before = _postmaster(own_home)
    assert _answer(embedded.start(own_home)) == 1
    assert _postmaster(own_home) == before


def test_many_processes_may_start_it_at_once() -> None:
    """Six callers that find no data at all end with one server."""
    with tempfile.TemporaryDirectory(prefix="juki-embedded-") as folder:
        home = Home.at(Path(folder) / "home")
        program = "import sys; from juki.home import Home; from juki.store import embedded; "
        program += "print(embedded.start(Home.at(sys.argv[1])))"
        command = [sys.executable, "-c", program, str(home.root)]
        callers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
        urls = {caller.communicate(timeout=120)[0].strip() for caller in callers}
        assert urls == {embedded.admin_url(home)}
        assert _answer(embedded.admin_url(home)) == 1
        assert embedded.stop(home)


def test_server_outlives_the_process_that_started_it(own_home: Home) -> None:
    """The starter may be killed without a chance to clean up."""
    embedded.stop(own_home)
    program = "import os, sys; from juki.home import Home; from juki.store import embedded; "
    program += "embedded.start(Home.at(sys.argv[1])); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", program, str(own_home.root)], check=False, timeout=120)
    assert _answer(embedded.admin_url(own_home)) == 1


def test_killed_server_starts_again_with_what_was_committed(own_home: Home) -> None:
    """kill -9 of the server loses nothing that was acknowledged."""
    url = embedded.start(own_home)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    os.kill(_postmaster(own_home), signal.SIGKILL)
    with psycopg.connect(embedded.start(own_home)) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)


def test_left_over_pid_of_another_living_process_does_not_block(own_home: Home) -> None:
    """After a crash of the machine the number in the pid file may belong to anyone."""
    embedded.start(own_home)
    lock = own_home.postgres / "data" / "postmaster.pid"
    killed, left_over = _postmaster(own_home), lock.read_text()
    os.kill(killed, signal.SIGKILL)
    _wait_until_gone(killed)
    account = accounts.server_account(own_home.postgres / "data")
    with subprocess.Popen(["sleep", "60"], user=account.uid if account.is_lent else None) as other:
        lock.write_text("\n".join([str(other.pid), *left_over.split("\n")[1:]]))
        assert _answer(embedded.start(own_home)) == 1
        other.kill()


def test_interrupted_creation_is_begun_anew() -> None:
    """Half a data folder is thrown away, not used."""
    with tempfile.TemporaryDirectory(prefix="juki-embedded-") as folder:
        home = Home.at(Path(folder) / "home")
        unfinished = home.postgres / "data.unfinished"
        unfinished.mkdir(parents=True)
        (unfinished / "PG_VERSION").write_text("18\n")
        accounts.server_account(home.postgres / "data").own(home.postgres)
        try:
            assert _answer(embedded.start(home)) == 1
            assert not unfinished.exists()
        finally:
            embedded.stop(home)


def test_home_with_a_long_path_gets_a_short_socket() -> None:
    """A clone deep in the file system works; the data stays in the home."""
    with tempfile.TemporaryDirectory(prefix="juki-embedded-") as folder:
        home = Home.at(Path(folder) / ("deep" * 20) / ("deeper" * 10))
        try:
            assert _answer(embedded.start(home)) == 1
            assert (home.postgres / "data" / "PG_VERSION").is_file()
            assert not embedded.socket_folder(home).is_relative_to(home.root)
        finally:
            embedded.stop(home)
            embedded.socket_folder(home).rmdir()


def test_short_socket_folder_made_by_another_user_is_refused() -> None:
    """A folder squatted in the shared temporary folder could hold a false server."""
    with tempfile.TemporaryDirectory(prefix="juki-embedded-") as folder:
        home = Home.at(Path(folder) / ("deep" * 30))
        squatted = embedded.socket_folder(home)
        squatted.symlink_to(folder)
        try:
            with pytest.raises(StoreError) as refused:
                embedded.start(home)
            assert refused.value.code is Code.STORE_EMBEDDED
        finally:
            squatted.unlink()


def test_commits_are_durable_and_the_log_is_mute(own_home: Home) -> None:
    """The running server says itself that the settings are in force."""
    expected = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "log_statement": "none",
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_min_messages": "log",
    }
    with psycopg.connect(embedded.start(own_home)) as connection:
        rows = connection.execute("SELECT name, setting FROM pg_settings WHERE source <> 'x'").fetchall()
    assert {name: value for name, value in rows if name in expected} == expected


def test_value_in_a_failing_statement_is_not_in_the_log(own_home: Home) -> None:
    """Neither a broken cast nor a duplicate key leaves its value in the log."""
    marks = ("123456789018", "987654")
    with psycopg.connect(embedded.start(own_home), autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE once (n int PRIMARY KEY)")
        for statement in (f"SELECT '{marks[0]}x'::int", *[f"INSERT INTO once VALUES ({marks[1]})"] * 2):
            try:
                connection.execute(statement)
            except psycopg.Error:
                continue
    logged = b"".join(file.read_bytes() for file in (own_home.postgres / "logs").iterdir())
    assert logged
    assert not [mark for mark in marks if mark.encode() in logged]


def test_server_opens_no_network_port(own_home: Home) -> None:
    """The server process listens on no TCP socket."""
    embedded.start(own_home)
    links = [str(link.readlink()) for link in Path(f"/proc/{_postmaster(own_home)}/fd").iterdir()]
    sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    rows = [row for table in tables if table.exists() for row in table.read_text().splitlines()[1:]]
    assert sockets
    assert not sockets & {row.split()[9] for row in rows}


def test_only_the_owner_may_look_into_data_and_socket(own_home: Home) -> None:
    """Data and socket folders are closed to group and others."""
    embedded.start(own_home)
    for folder in (own_home.postgres, own_home.postgres / "data", embedded.socket_folder(own_home)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_stop_ends_it_and_stopping_again_is_harmless() -> None:
    """`stop` says whether there was anything to stop, also where nothing ever was."""
    with tempfile.TemporaryDirectory(prefix="juki-embedded-") as folder:
        home = Home.at(Path(folder) / "home")
        assert not embedded.stop(home)
        embedded.start(home)
        assert embedded.stop(home)
        assert not embedded.is_running(home)
        assert not embedded.stop(home)


def test_data_of_another_major_version_is_refused_by_name() -> None:
    """An upgrade of the wheel must not touch data it can not read."""
    with tempfile.TemporaryDirectory(prefix="juki-embedded-") as folder:
        home = Home.at(Path(folder) / "home")
        embedded.start(home)
        embedded.stop(home)
        (home.postgres / "data" / "PG_VERSION").write_text("17\n")
        with pytest.raises(StoreError) as refused:
            embedded.start(home)
        assert (refused.value.code, refused.value.ref) == (Code.STORE_EMBEDDED, "version")


def test_database_is_created_once_with_its_extensions(own_home: Home) -> None:
    """Asking again for a database that is there changes nothing."""
    url = embedded.start(own_home)
    assert embedded.ensure_database(url, "prefect", ["pg_trgm"])
    assert not embedded.ensure_database(url, "prefect", ["pg_trgm"])
    with psycopg.connect(embedded.admin_url(own_home, "prefect")) as connection:
        names = connection.execute("SELECT extname FROM pg_extension").fetchall()
    assert ("pg_trgm",) in names
