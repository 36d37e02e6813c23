"""Parts of snapshots on our disk: fetched from a real server, found again, bounded, apart from the intake's files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from juki.columns import IdentityFile
from juki.home import Home
from juki.order import Channel
from juki.quota import BLOCK_BYTES
from juki.snapshot_requests import SnapshotRequest, Wants
from juki.wire.package_files import PackageFiles
from juki.wire.sftp import Endpoint, ServerSession, connect
from juki.wire.snapshot_files import SnapshotFiles
from juki.wire.spool import RemoteFile, part_path
from simulator.sftp_server import make_key, public_line, serve

CODE = "352039"
CHANNEL = Channel(CODE, IdentityFile.RESIDENT)
HOST_KEY, CLIENT_KEY = make_key(), make_key()
AT = datetime(2026, 11, 23, 2, 0, 0, 123456, tzinfo=UTC)
PLENTY = 1024 * BLOCK_BYTES


def name(sequence: int) -> str:
    """The name of a part."""
    return f"{CODE}-resident-snapshot-{sequence:08d}.p7m"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[ServerSession]:
    """A login at a CS whose folders are below `cs`."""
    with serve(tmp_path / "cs", {CODE: public_line(CLIENT_KEY)}, HOST_KEY) as server:
        registered = Endpoint(CODE, server.host, server.port, CODE, server.host_key, CLIENT_KEY)
        with connect(registered) as opened:
            yield opened


@pytest.fixture
def files(home: Home) -> SnapshotFiles:
    """The folder of the channel, which does not exist yet."""
    return SnapshotFiles.of(home, CHANNEL)


def put(tmp_path: Path, sequence: int, data: bytes, changed_at: int = 1_700_000_000) -> None:
    """Lay a part into the outbox."""
    path = tmp_path / "cs" / CODE / "outbox" / name(sequence)
    path.write_bytes(data)
    os.utime(path, (changed_at, changed_at))


def take(files: SnapshotFiles, session: ServerSession) -> list[RemoteFile]:
    """Fetch what is listed and not here yet."""
    new = [remote for remote in session.outbox().packages if not files.has(remote)]
    for remote in new:
        files.fetch(session, remote)
        files.admit(remote, AT)
    return new


def test_parts_are_fetched_kept_and_read_by_name_and_content(
    tmp_path: Path, session: ServerSession, files: SnapshotFiles
) -> None:
    """Byte for byte, readable by nobody else, and only the file that was admitted."""
    data = [os.urandom(300_000), b"second"]
    for number, content in enumerate(data, start=1):
        put(tmp_path, number, content)
    assert (files.stored(), files.held_bytes()) == ([], 0)
    take(files, session)
    stored = files.stored()
    assert [str(part.name) for part in stored] == [name(1), name(2)]
    assert [part.sha256 for part in stored] == [hashlib.sha256(content).digest() for content in data]
    assert [part.received_at for part in stored] == [AT, AT]
    assert [files.read(part.name, part.sha256) for part in stored] == data
    assert files.read(stored[0].name, stored[1].sha256) is None
    assert files.read(replace(stored[0].name, sequence=9), stored[0].sha256) is None
    assert {path.stat().st_mode & 0o777 for path in files.folder.glob("*.p7m.*")} == {0o600}
    assert files.held_bytes() == (-(-300_000 // BLOCK_BYTES) + 1) * BLOCK_BYTES


def test_run_that_was_killed_finds_what_it_had_and_fetches_only_the_rest(
    tmp_path: Path, session: ServerSession, files: SnapshotFiles, home: Home
) -> None:
    """Nothing is kept but the folder; what came before is known again by name, size and time."""
    put(tmp_path, 1, b"first")
    (first,) = take(files, session)
    put(tmp_path, 2, b"second")
    again = SnapshotFiles.of(home, CHANNEL)
    assert again.has(first)
    assert [remote.name.sequence for remote in take(again, session)] == [2]
    assert [part.name.sequence for part in again.stored()] == [1, 2]


def test_part_sent_again_lies_beside_the_one_before(
    tmp_path: Path, session: ServerSession, files: SnapshotFiles
) -> None:
    """Two contents under one name must both be seen; the one who wrote over the first would hide it."""
    put(tmp_path, 1, b"first")
    take(files, session)
    put(tmp_path, 1, b"other", 1_700_000_001)
    take(files, session)
    stored = files.stored()
    assert [files.read(part.name, part.sha256) for part in stored] == [b"first", b"other"]


def test_altered_file_is_not_read(tmp_path: Path, session: ServerSession, files: SnapshotFiles) -> None:
    """What was put in the place of an admitted part is nobody's snapshot."""
    put(tmp_path, 1, b"first")
    take(files, session)
    (part,) = files.stored()
    (path,) = files.folder.glob("*.p7m.*")
    path.write_bytes(b"fjrst")
    assert files.read(part.name, part.sha256) is None


def test_part_without_room_stays_at_the_cs(
    tmp_path: Path, session: ServerSession, files: SnapshotFiles
) -> None:
    """The quota counts whole blocks, like that of the intake; to the last byte it is there to be used."""
    put(tmp_path, 1, b"x" * (BLOCK_BYTES + 1))
    put(tmp_path, 2, b"x")
    first, second = session.outbox().packages
    assert not files.has_room(first, 2 * BLOCK_BYTES - 1)
    assert files.has_room(first, 2 * BLOCK_BYTES)
    take(files, session)
    assert files.held_bytes() == 3 * BLOCK_BYTES
    assert not files.has_room(second, 4 * BLOCK_BYTES - 1)
    assert files.has_room(second, 4 * BLOCK_BYTES)


def test_broken_transfer_goes_on_and_others_are_dropped(
    tmp_path: Path, session: ServerSession, files: SnapshotFiles
) -> None:
    """One part of a transfer at most lies here beside the quota, and what arrived of it is not fetched again."""
    data = os.urandom(200_000)
    put(tmp_path, 1, data)
    put(tmp_path, 2, b"other")
    first, second = session.outbox().packages
    files.arriving.mkdir(parents=True)
    part_path(first, files.arriving).write_bytes(data[:150_000])
    part_path(second, files.arriving).write_bytes(b"ot")
    (files.arriving / name(3)).write_bytes(b"left by a run that was killed before it admitted it")
    files.fetch(session, first)
    assert [path.name for path in files.arriving.iterdir()] == [name(1)]
    files.admit(first, AT)
    assert [files.read(part.name, part.sha256) for part in files.stored()] == [data]


def test_cleared_folder_keeps_only_what_is_to_be_kept(
    tmp_path: Path, session: ServerSession, files: SnapshotFiles
) -> None:
    """After a comparison nothing of a snapshot stays; before the next what is old goes."""
    for number in (1, 2, 3):
        put(tmp_path, number, bytes([number]))
    take(files, session)
    (files.arriving / "left").write_bytes(b"x")
    kept = files.stored()[1:2]
    files.clear(keep=kept)
    assert (files.stored(), list(files.arriving.iterdir())) == (kept, [])
    files.clear()
    files.clear()
    assert files.stored() == []


def test_intake_neither_sees_nor_touches_the_parts_of_a_snapshot(
    tmp_path: Path, session: ServerSession, files: SnapshotFiles, home: Home
) -> None:
    """Its measuring and its tidying end at the folder; so do ours at its files."""
    put(tmp_path, 1, b"first")
    take(files, session)
    packages = PackageFiles.of(home, CHANNEL)
    (packages.spool / f"{CODE}-resident-notice-00000001.p7m").write_bytes(b"waits")
    packages.arriving.mkdir()
    part_path(session.outbox().packages[0], files.arriving).write_bytes(b"f")
    assert packages.held().spool_bytes == BLOCK_BYTES
    packages.keep_only(set())
    packages.continue_with(None)
    assert not list(packages.spool.glob("*.p7m"))
    assert [part.name.sequence for part in files.stored()] == [1]
    assert len(list(files.arriving.iterdir())) == 1
    (packages.spool / f"{CODE}-resident-notice-00000001.p7m").write_bytes(b"waits")
    files.clear()
    assert len(list(packages.spool.glob("*.p7m"))) == 1


def test_request_travels_to_the_inbox_and_a_newer_one_replaces_it(
    tmp_path: Path, session: ServerSession
) -> None:
    """The name may be delivered, and the CS never finds two requests for one file."""
    for seconds in (0, 1):
        asked = SnapshotRequest(
            CODE, IdentityFile.RESIDENT, "350001", AT + timedelta(seconds=seconds), Wants.DIGEST
        )
        session.deliver(asked.file_name, asked.line())
    (path,) = (tmp_path / "cs" / CODE / "inbox").iterdir()
    assert SnapshotRequest.parse(path.name, path.read_bytes()) == asked
