"""The spool: a file arrives under a hidden name and gets its own name only when it is whole and on disk.

Decides:    how a transfer that broke off goes on, and when what lies there may not be continued.
Leaves:     the transfer to `juki.wire.sftp`, removal of what was applied to the caller.
Invariants: a file under its package name is complete and synced. A part is named by size and time of the
            remote file, so that a file replaced meanwhile is never spliced; one process at a time writes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import FileIO
from pathlib import Path

from juki.durable import sync_folder
from juki.errors import SourceError, StoreError
from juki.packages import PackageName
from juki.reasons import Code


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A package in an outbox: its name, its size in bytes and when it was last changed there (UTC)."""

    name: PackageName
    size: int
    modified_at: datetime


def part_path(remote: RemoteFile, folder: Path) -> Path:
    """Name the part of a remote file: hidden, and another one for every version of it."""
    return folder / f".{remote.name}.{remote.size}.{int(remote.modified_at.timestamp())}.part"


class Part:
    """The bytes of a remote file that have arrived so far."""

    def __init__(self, file: FileIO, path: Path, remote: RemoteFile) -> None:
        self._file = file
        self._path = path
        self._remote = remote
        self.length = file.seek(0, os.SEEK_END)

    @property
    def missing(self) -> int:
        """Bytes still to come."""
        return self._remote.size - self.length

    def append(self, data: bytes) -> None:
        """Add the bytes that follow; never more than announced (CHANNEL_PROTOCOL).

        A disk that fills up takes part of what it is given and says so, and refuses only the next write.
        """
        if not data or len(data) > self.missing:
            raise SourceError(Code.CHANNEL_PROTOCOL, str(self._remote.name))
        rest = memoryview(data)
        with disk_refusals(str(self._remote.name)):
            while rest:
                taken = self._file.write(rest)
                self.length += taken
                rest = rest[taken:]

    def finish(self) -> Path:
        """Sync the whole file, give it its name, sync the folder; return the path."""
        target = self._path.with_name(str(self._remote.name))
        with disk_refusals(str(self._remote.name)):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._path.replace(target)
            sync_folder(target.parent)
        return target


@contextmanager
def receiving(remote: RemoteFile, folder: Path, reserve_bytes: int) -> Iterator[Part]:
    """Open the part of a remote file, new or continued; parts of earlier versions of the file are removed.

    Raises: StoreError(SPOOL_FULL) when the disk has no room or refuses, SourceError(CHANNEL_BUSY) when another
            process is receiving the same file.
    """
    path = part_path(remote, folder)
    with disk_refusals(str(remote.name)):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _remove_stale(remote.name, path)
        if shutil.disk_usage(folder).free < remote.size + reserve_bytes:
            raise StoreError(Code.SPOOL_FULL, str(remote.name))
        file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+")
    with file:
        _lock(file, remote)
        if file.seek(0, os.SEEK_END) > remote.size:
            file.truncate(0)
        yield Part(file, path, remote)


def _lock(file: FileIO, remote: RemoteFile) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pass
    else:
        return
    raise SourceError(Code.CHANNEL_BUSY, str(remote.name), is_transient=True)


def _remove_stale(name: PackageName, current: Path) -> None:
    for path in current.parent.glob(f".{name}.*.part"):
        if path != current:
            path.unlink(missing_ok=True)


@contextmanager
def disk_refusals(name: str) -> Iterator[None]:
    """Turn a refusal of the disk into our own error, so that it is not taken for one of the network.

    Raises: StoreError(SPOOL_FULL) naming the file, never its path.
    """
    try:
        yield
    except OSError:
        pass
    else:
        return
    raise StoreError(Code.SPOOL_FULL, name)
