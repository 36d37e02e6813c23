"""The connection against a real SFTP server: pinned key, bounds, broken and slow lines, whole files only."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from juki.errors import ConfigurationError, JukiError, SourceError, StoreError
from juki.reasons import Code
from juki.wire.sftp import Bounds, Endpoint, Retry, ServerSession, Timeouts, connect
from simulator.sftp_server import MunicipalFiles, make_key, public_line, serve

CODE = "352039"
NAME = f"{CODE}-resident-notice-00000001.p7m"
OTHER = f"{CODE}-fuhyo-notice-00000002.p7m"
HOST_KEY, CLIENT_KEY, FOREIGN_KEY = make_key(), make_key(), make_key()
QUICK = Timeouts(connect_seconds=5, answer_seconds=1, transfer_seconds=5)
RETRY = Retry(attempts=3, first_seconds=0.05, factor=1)


@contextmanager
def endpoint(root: Path, files: type[MunicipalFiles] = MunicipalFiles) -> Iterator[Endpoint]:
    """A running CS and how the prefecture has registered it."""
    with serve(root, {CODE: public_line(CLIENT_KEY)}, HOST_KEY, files=files) as server:
        yield Endpoint(CODE, server.host, server.port, CODE, server.host_key, CLIENT_KEY, QUICK, RETRY)


def put(root: Path, name: str, data: bytes) -> Path:
    """Lay a file into the outbox."""
    path = root / CODE / "outbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def refusal(registered: Endpoint) -> JukiError:
    """Connect, which must be refused, without a word of the library's."""
    with pytest.raises(JukiError) as caught, connect(registered):
        pass
    assert registered.host not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def test_outbox_is_listed_and_fetched_whole(tmp_path: Path) -> None:
    """Packages come in the order of their channels, byte for byte, with our permissions."""
    data = os.urandom(1_000_000)
    put(tmp_path, NAME, data)
    put(tmp_path, OTHER, b"")
    with endpoint(tmp_path) as registered, connect(registered) as session:
        outbox = session.outbox()
        assert [str(remote.name) for remote in outbox.packages] == [OTHER, NAME]
        assert outbox.unknown == 0
        paths = [session.fetch(remote, tmp_path / "spool") for remote in outbox.packages]
    assert [path.name for path in paths] == [OTHER, NAME]
    assert [path.read_bytes() for path in paths] == [b"", data]
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    assert {path.name for path in (tmp_path / "spool").iterdir()} == {OTHER, NAME}


def test_other_names_are_counted_and_neither_named_nor_fetched(tmp_path: Path) -> None:
    """A name may hold anything; hidden names are packages still being written; links and folders are no files."""
    put(tmp_path, NAME, b"x")
    put(tmp_path, f".{OTHER}.tmp", b"half")
    put(tmp_path, "山口花子.csv", b"x")
    put(tmp_path, "README", b"x")
    (tmp_path / CODE / "outbox" / os.fsdecode(b"\xff\xfe")).write_bytes(b"x")
    (tmp_path / CODE / "outbox" / OTHER).symlink_to("/etc/hostname")
    (tmp_path / CODE / "outbox" / OTHER.replace("2.p7m", "3.p7m")).mkdir()
    with endpoint(tmp_path) as registered, connect(registered) as session:
        outbox = session.outbox()
    assert [str(remote.name) for remote in outbox.packages] == [NAME]
    assert outbox.unknown == 5
    assert "花子" not in repr(outbox)


def test_unpinned_host_key_is_refused(tmp_path: Path) -> None:
    """Another server in the place of the CS gets no login, and it is not tried again."""
    with endpoint(tmp_path) as registered:
        error = refusal(replace(registered, host_key=public_line(FOREIGN_KEY)))
    assert error.code is Code.CHANNEL_HOST_KEY
    assert not error.is_transient


def test_unknown_login_key_or_account_is_refused(tmp_path: Path) -> None:
    """The CS does not let us in: no transient error."""
    with endpoint(tmp_path) as registered:
        for wrong in (replace(registered, client_key=FOREIGN_KEY), replace(registered, account="352021")):
            error = refusal(wrong)
            assert error.code is Code.CHANNEL_LOGIN
            assert not error.is_transient


def test_unreachable_server_is_transient(tmp_path: Path) -> None:
    """Nobody listens: tried the configured number of times, then reported as transient."""
    with endpoint(tmp_path) as registered:
        pass
    started = time.monotonic()
    error = refusal(registered)
    assert error.code is Code.CHANNEL_UNREACHABLE
    assert error.is_transient
    assert time.monotonic() - started >= 2 * RETRY.first_seconds


def test_silent_server_is_given_up(tmp_path: Path) -> None:
    """A port that accepts and says nothing is left within the time allowed."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        quick = Timeouts(connect_seconds=0.3, answer_seconds=0.3, transfer_seconds=0.3)
        registered = Endpoint(
            CODE, "127.0.0.1", silent.getsockname()[1], CODE, public_line(HOST_KEY), CLIENT_KEY, quick,
            replace(RETRY, attempts=1),
        )  # fmt: skip
        assert refusal(registered).code is Code.CHANNEL_UNREACHABLE


def test_unreadable_keys_are_a_matter_of_configuration(tmp_path: Path) -> None:
    """A host key that is none, a private key that is not there."""
    with endpoint(tmp_path) as registered:
        for wrong, code in (
            (replace(registered, host_key="ssh-ed25519 nonsense"), Code.CONFIG_INVALID),
            (replace(registered, client_key=tmp_path / "none"), Code.KEY_MISSING),
        ):
            error = refusal(wrong)
            assert isinstance(error, ConfigurationError)
            assert error.code is code


def test_login_key_is_read_from_its_file(tmp_path: Path) -> None:
    """The private key as `juki init` writes it."""
    path = tmp_path / "sftp_client.key"
    CLIENT_KEY.write_private_key(str(path))
    with endpoint(tmp_path) as registered, connect(replace(registered, client_key=path)) as session:
        assert session.outbox().packages == ()


def test_oversized_file_is_not_fetched(tmp_path: Path) -> None:
    """Judged by the size listed, before a byte moves."""
    put(tmp_path, NAME, bytes(2001))
    with endpoint(tmp_path) as registered:
        bounded = replace(registered, bounds=Bounds(file_bytes=2000))
        with connect(bounded) as session, pytest.raises(SourceError) as caught:
            session.fetch(session.outbox().packages[0], tmp_path / "spool")
    assert caught.value.code is Code.PACKAGE_TOO_LARGE
    assert not (tmp_path / "spool").exists()


def test_too_many_files_are_not_listed(tmp_path: Path) -> None:
    """A folder without end does not fill the memory; hidden names count as well."""
    for number in range(1, 31):
        put(tmp_path, f".{number}", b"")
    with endpoint(tmp_path) as registered:
        with connect(replace(registered, bounds=Bounds(folder_names=20))) as session:
            with pytest.raises(SourceError) as caught:
                session.outbox()
            assert caught.value.code is Code.CHANNEL_TOO_MANY_FILES
        with connect(replace(registered, bounds=Bounds(folder_names=40))) as session:
            assert session.outbox().packages == ()


def test_session_fetches_no_more_than_its_bound(tmp_path: Path) -> None:
    """Many permitted files together do not fill the disk."""
    put(tmp_path, NAME, bytes(1000))
    put(tmp_path, OTHER, bytes(1000))
    with endpoint(tmp_path) as registered:
        bounded = replace(registered, bounds=Bounds(session_bytes=1500))
        with connect(bounded) as session:
            first, second = session.outbox().packages
            session.fetch(first, tmp_path / "spool")
            with pytest.raises(SourceError) as caught:
                session.fetch(second, tmp_path / "spool")
    assert caught.value.code is Code.CHANNEL_TOO_MANY_FILES


def test_disk_without_room_is_our_own_error(tmp_path: Path) -> None:
    """The administrator acts, not the municipality."""
    put(tmp_path, NAME, bytes(1000))
    with endpoint(tmp_path) as registered:
        bounded = replace(registered, bounds=Bounds(disk_reserve_bytes=2**62))
        with connect(bounded) as session, pytest.raises(StoreError) as caught:
            session.fetch(session.outbox().packages[0], tmp_path / "spool")
        (tmp_path / "file").write_bytes(b"")
        with connect(registered) as session, pytest.raises(StoreError) as in_file:
            session.fetch(session.outbox().packages[0], tmp_path / "file" / "spool")
    assert caught.value.code is in_file.value.code is Code.SPOOL_FULL


class BreakingFiles(MunicipalFiles):
    """Cuts the line each time this many bytes have been read, and counts where reading began."""

    limit = 300_000
    offsets: list[int]
    served = 0

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Read, or cut."""
        type(self).offsets.append(offset)
        self.served += size
        if self.served > self.limit:
            self.channel.get_connection().abort()
            return b""
        data = super().read(file_obj, offset, size)
        assert isinstance(data, bytes)
        return data


def test_broken_transfer_goes_on_where_it_broke(tmp_path: Path) -> None:
    """Over a line that is cut again and again a file still arrives, without starting over."""
    data = os.urandom(700_000)
    put(tmp_path, NAME, data)
    BreakingFiles.offsets = []
    with endpoint(tmp_path, BreakingFiles) as registered:
        patient = replace(registered, retry=Retry(attempts=4, first_seconds=0.01, factor=1))
        with connect(patient) as session:
            path = session.fetch(session.outbox().packages[0], tmp_path / "spool")
    assert path.read_bytes() == data
    assert BreakingFiles.offsets.count(0) == 1


def test_transfer_is_continued_by_the_next_run(tmp_path: Path) -> None:
    """What arrived before the process gave up is not fetched again."""
    data = os.urandom(700_000)
    put(tmp_path, NAME, data)
    BreakingFiles.offsets = []
    with endpoint(tmp_path, BreakingFiles) as registered:
        hasty = replace(registered, retry=Retry(attempts=1))
        with connect(hasty) as session, pytest.raises(SourceError) as caught:
            session.fetch(session.outbox().packages[0], tmp_path / "spool")
        assert caught.value.code is Code.CHANNEL_UNREACHABLE
        assert caught.value.is_transient
        assert [path.suffix for path in (tmp_path / "spool").iterdir()] == [".part"]
    with endpoint(tmp_path) as registered, connect(registered) as session:
        path = session.fetch(session.outbox().packages[0], tmp_path / "spool")
    assert path.read_bytes() == data
    assert [path.name for path in (tmp_path / "spool").iterdir()] == [NAME]


def test_replaced_file_is_not_spliced(tmp_path: Path) -> None:
    """A part of the file before is thrown away, and a file replaced after the listing is not taken for it."""
    put(tmp_path, NAME, b"old" * 200_000)
    with endpoint(tmp_path, BreakingFiles) as registered:
        hasty = replace(registered, retry=Retry(attempts=1))
        with connect(hasty) as session, pytest.raises(SourceError):
            session.fetch(session.outbox().packages[0], tmp_path / "spool")
    os.utime(put(tmp_path, NAME, b"new" * 200_000), (1, 1))
    with endpoint(tmp_path) as registered, connect(registered) as session:
        listed = session.outbox().packages[0]
        path = session.fetch(listed, tmp_path / "spool")
        assert path.read_bytes() == b"new" * 200_000
        os.utime(put(tmp_path, NAME, b"abc" * 200_000), (2, 2))
        with pytest.raises(SourceError) as caught:
            session.fetch(listed, tmp_path / "spool")
        assert caught.value.code is Code.CHANNEL_PROTOCOL


class ShortFiles(MunicipalFiles):
    """Announces more bytes than it has."""

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Read nothing."""
        return b""


class LongFiles(MunicipalFiles):
    """Answers with more bytes than were asked for."""

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Read too much."""
        return bytes(size + 1000)


@pytest.mark.parametrize("files", [ShortFiles, LongFiles])
def test_server_that_lies_about_length_is_refused(tmp_path: Path, files: type[MunicipalFiles]) -> None:
    """Neither a short nor a long answer becomes a file."""
    put(tmp_path, NAME, bytes(1000))
    with endpoint(tmp_path, files) as registered, connect(registered) as session:
        with pytest.raises(SourceError) as caught:
            session.fetch(session.outbox().packages[0], tmp_path / "spool")
        assert caught.value.code is Code.CHANNEL_PROTOCOL
        assert session.outbox().unknown == 0
    assert not (tmp_path / "spool" / NAME).exists()


class SlowFiles(MunicipalFiles):
    """Never answers a read."""

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:  # type: ignore[override]
        """Wait longer than anyone waits."""
        await asyncio.sleep(60)
        return b""


class SlowListing(MunicipalFiles):
    """Never finishes a listing, nor the closing of it."""

    async def scandir(self, path: bytes):  # type: ignore[no-untyped-def]
        """Wait longer than anyone waits."""
        await asyncio.sleep(60)
        yield asyncssh.SFTPName(b"x")


def test_slow_server_is_given_up(tmp_path: Path) -> None:
    """An answer that does not come ends the attempt, though the connection itself is alive."""
    put(tmp_path, NAME, bytes(1000))
    impatient = replace(QUICK, answer_seconds=0.3)
    once = Retry(attempts=1)
    with endpoint(tmp_path, SlowFiles) as registered:
        slow = replace(registered, timeouts=impatient, retry=once)
        with connect(slow) as session:
            listed = session.outbox().packages[0]
            started = time.monotonic()
            with pytest.raises(SourceError) as caught:
                session.fetch(listed, tmp_path / "spool")
        assert caught.value.is_transient
        assert time.monotonic() - started < 3
    with endpoint(tmp_path, SlowListing) as registered:
        started = time.monotonic()
        slow = replace(registered, timeouts=impatient, retry=once)
        with connect(slow) as session, pytest.raises(SourceError) as caught:
            session.outbox()
        assert caught.value.code is Code.CHANNEL_UNREACHABLE
        assert time.monotonic() - started < 3


def test_same_file_is_not_received_twice_at_once(tmp_path: Path) -> None:
    """Two runs on one spool: the second is told that the first is at it."""
    put(tmp_path, NAME, bytes(1000))
    outcomes: list[object] = []

    def first(session: ServerSession) -> None:
        with pytest.raises(SourceError) as caught:
            session.fetch(session.outbox().packages[0], tmp_path / "spool")
        outcomes.append(caught.value.code)

    with endpoint(tmp_path, SlowFiles) as registered:
        once = replace(registered, retry=Retry(attempts=1))
        with connect(once) as session, connect(once) as other:
            thread = threading.Thread(target=first, args=(session,))
            thread.start()
            time.sleep(0.4)
            with pytest.raises(SourceError) as caught:
                other.fetch(other.outbox().packages[0], tmp_path / "spool")
            thread.join()
    assert caught.value.code is Code.CHANNEL_BUSY
    assert outcomes == [Code.CHANNEL_UNREACHABLE]


def test_delivery_replaces_an_older_one_whole(tmp_path: Path) -> None:
    """A receipt appears under its name only when it is whole, and takes the place of the one before."""
    name = f"{CODE}-resident-receipt-00000001.p7m"
    data = os.urandom(600_000)
    with endpoint(tmp_path) as registered, connect(registered) as session:
        session.deliver(name, b"older")
        session.deliver(name, data)
        with pytest.raises(SourceError) as caught:
            session.deliver("../outbox/x", b"")
    assert caught.value.code is Code.PACKAGE_FILE_NAME
    assert {path.name: path.read_bytes() for path in (tmp_path / CODE / "inbox").iterdir()} == {name: data}


class PlainRename(MunicipalFiles):
    """A server without the OpenSSH extension."""

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Say that it is not supported."""
        raise asyncssh.SFTPOpUnsupported("")


def test_delivery_works_without_the_rename_extension(tmp_path: Path) -> None:
    """Standard SFTP version 3 is enough."""
    with endpoint(tmp_path, PlainRename) as registered, connect(registered) as session:
        session.deliver("receipt.p7m", b"older")
        session.deliver("receipt.p7m", b"newer")
    inbox = tmp_path / CODE / "inbox"
    assert {path.name: path.read_bytes() for path in inbox.iterdir()} == {"receipt.p7m": b"newer"}


def test_session_serves_several_threads(tmp_path: Path) -> None:
    """Calls from many threads take their turn on one connection."""
    for number in range(1, 9):
        put(tmp_path, f"{CODE}-resident-notice-{number:08d}.p7m", bytes([number]) * 50_000)
    with endpoint(tmp_path) as registered, connect(registered) as session:
        threads = [
            threading.Thread(target=session.fetch, args=(remote, tmp_path / "spool"))
            for remote in session.outbox().packages
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(list((tmp_path / "spool").glob("*.p7m"))) == 8


def test_log_of_the_library_stays_silent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Hosts, accounts and paths are not logged, whatever level the program runs at."""
    caplog.set_level(logging.DEBUG)
    with endpoint(tmp_path) as registered, connect(registered) as session:
        session.outbox()
    assert [record for record in caplog.records if record.name.startswith("asyncssh")] == []
