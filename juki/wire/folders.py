"""Delivery and arrival as files in a folder: for a medium or a mediating host, without any connection.

Decides:    when a file counts as delivered, what of a folder counts as an arrival, and what may be taken away.
Leaves:     what a file says to `juki.wire.envelope`, which folder it is to the register of recipients.
Invariants: a file bears its name only when it is whole and on disk; whoever fetches looks at names that do not
            start with a dot. A name is given once: the same bytes again change nothing, others are an error. No
            link is followed, nothing but a regular file is read, and never more than the limit. Nothing is
            removed but a file whose bytes the caller delivered. Folders are never made: a medium that is not
            mounted must not look like an empty one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from juki.errors import SourceError, StoreError
from juki.reasons import Code

PACKAGE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,127}\.p7m")
"""What a sealed file in a folder may be called; each format narrows it further."""
MAX_ARRIVALS = 10_000
"""Files listed at once; the rest is listed by later runs, when these are settled and known."""

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o640
"""Sealed as it is, a file may be fetched by a group; nobody else has any business with it."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that lies in a folder: its name, its size in bytes, and when it was last changed (UTC)."""

    name: str
    size: int
    modified_at: datetime

    @property
    def mark(self) -> str:
        """What it is known again by without being read: name, size, time in microseconds."""
        return f"{self.name}.{self.size}.{round(self.modified_at.timestamp() * 1_000_000)}"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What lies in a folder: new files in order of name, and how many things are there that can not be taken in.

    `known` are the files that were dealt with before, `more` how many new ones are left to the next look.
    """

    files: tuple[Arrived, ...]
    too_large: int = 0
    others: int = 0
    known: tuple[Arrived, ...] = ()
    more: int = 0


def deliver(folder: Path, name: str, content: bytes) -> bool:
    """Put a file into a folder, whole or not at all; False when the same bytes lie there already.

    Raises: StoreError(FOLDER_CONTENT_DIFFERS) when something else lies there under the name,
            StoreError(FOLDER_BUSY), transient, while another process delivers it,
            StoreError(FOLDER_UNREACHABLE), transient, when there is no such folder or the disk refuses.
    """
    _check_name(name)
    with _disk(name), _opened(folder) as place:
        if _is_there(place, name, content):
            _remove(place, _part(name))
            return False
        descriptor = os.open(_part(name), _WRITE, _MODE, dir_fd=place)
        with os.fdopen(descriptor, "r+b", buffering=0) as part:
            _lock(place, name, descriptor)
            # The umask of a run is stricter than what a mediating host of the group needs.
            os.fchmod(descriptor, _MODE)
            os.ftruncate(descriptor, 0)
            rest = memoryview(content)
            while rest:
                rest = rest[part.write(rest) :]
            os.fsync(descriptor)
            if _is_there(place, name, content):
                _remove(place, _part(name))
                return False
            os.rename(_part(name), name, src_dir_fd=place, dst_dir_fd=place)
        os.fsync(place)
    return True


def arrivals(
    folder: Path, form: re.Pattern[str], limit_bytes: int, *,
    is_known: Callable[[Arrived], bool] = lambda _: False, most: int = MAX_ARRIVALS,
) -> Arrivals:  # fmt: skip
    """List the regular files of a folder that are named as `form` wants and not larger than the limit.

    What is known takes no place among the `most` that are listed, so that every file is reached in the end. Hidden
    names are transfers under way and not counted.
    Raises: StoreError(FOLDER_UNREACHABLE), transient.
    """
    found, known, too_large, others = list[Arrived](), list[Arrived](), 0, 0
    with _disk(), _opened(folder) as place:
        names = os.listdir(place)  # noqa: PTH208 - of the folder that was opened, whatever its path is now
        for name in sorted(name for name in names if not name.startswith(".")):
            seen = _seen(place, name)
            if seen is None or form.fullmatch(name) is None or not stat.S_ISREG(seen.st_mode):
                others += seen is not None
            elif seen.st_size > limit_bytes:
                too_large += 1
            else:
                one = Arrived(name, seen.st_size, datetime.fromtimestamp(seen.st_mtime, UTC))
                (known if is_known(one) else found).append(one)
    return Arrivals(tuple(found[:most]), too_large, others, tuple(known), max(0, len(found) - most))


def read(folder: Path, name: str, limit_bytes: int) -> bytes | None:
    """Read a file of a folder; None when it is gone.

    Raises: SourceError(FOLDER_FILE_FORM) when it is a link, no regular file, or larger than the limit,
            StoreError(FOLDER_UNREACHABLE), transient.
    """
    _check_name(name)
    with _disk(name), _opened(folder) as place:
        return _content(place, name, limit_bytes)


def withdraw(folder: Path, name: str, sha256: bytes) -> bool:
    """Take a file away that was delivered, and what a delivery cut off left of it; False when none was there.

    Raises: StoreError(FOLDER_CONTENT_DIFFERS) when something else lies there, which stays,
            StoreError(FOLDER_UNREACHABLE), transient.
    """
    _check_name(name)
    with _disk(name), _opened(folder) as place:
        was_there = _remove(place, _part(name))
        if _is_delivered(place, name, sha256):
            os.unlink(name, dir_fd=place)
            was_there = True
        os.fsync(place)
    return was_there


def is_lying(folder: Path, name: str, sha256: bytes) -> bool:
    """Tell whether `withdraw` would take anything away; nothing is changed.

    Raises: as `withdraw`.
    """
    _check_name(name)
    with _disk(name), _opened(folder) as place:
        return _is_delivered(place, name, sha256) or _seen(place, _part(name)) is not None


def _is_delivered(place: int, name: str, sha256: bytes) -> bool:
    """Tell whether a file that was delivered lies there; StoreError(FOLDER_CONTENT_DIFFERS) when another does."""
    seen = _seen(place, name)
    if seen is not None and (not stat.S_ISREG(seen.st_mode) or _digest(place, name) != sha256):
        raise StoreError(Code.FOLDER_CONTENT_DIFFERS, name)
    return seen is not None


def _part(name: str) -> str:
    """Name a file that is being written: hidden, and no name a fetching host looks for."""
    return f".{name}.part"


def _check_name(name: str) -> None:
    """Refuse a name that leaves the folder, hides, or could be taken for a part; ours are of one form."""
    if PACKAGE_NAME.fullmatch(name) is None:
        raise SourceError(Code.FOLDER_FILE_FORM)


def _lock(place: int, name: str, descriptor: int) -> None:
    """Be the only process that writes this part; a part that was renamed meanwhile is a delivered file."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        is_ours = False
    else:
        seen, own = _seen(place, _part(name)), os.fstat(descriptor)
        is_ours = seen is not None and seen.st_ino == own.st_ino and stat.S_ISREG(own.st_mode)
        if is_ours and (own.st_uid != os.geteuid() or own.st_nlink != 1):
            # Somebody else made it, or can reach it by another name: what we write would be theirs to change.
            raise StoreError(Code.FOLDER_CONTENT_DIFFERS, name)
    if not is_ours:
        raise StoreError(Code.FOLDER_BUSY, name, is_transient=True)


def _is_there(place: int, name: str, content: bytes) -> bool:
    seen = _seen(place, name)
    if seen is None:
        return False
    is_same = stat.S_ISREG(seen.st_mode) and seen.st_size == len(content)
    if not is_same or _digest(place, name) != hashlib.sha256(content).digest():
        raise StoreError(Code.FOLDER_CONTENT_DIFFERS, name)
    return True


def _digest(place: int, name: str) -> bytes:
    with os.fdopen(os.open(name, _READ, dir_fd=place), "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _content(place: int, name: str, limit_bytes: int) -> bytes | None:
    try:
        descriptor = os.open(name, _READ, dir_fd=place)
    except FileNotFoundError:
        return None
    except OSError:
        descriptor = -1
    if descriptor < 0:
        # A symbolic link, a socket, or a file we may not read.
        raise SourceError(Code.FOLDER_FILE_FORM, name)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceError(Code.FOLDER_FILE_FORM, name)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise SourceError(Code.FOLDER_FILE_FORM, name)
    return content


def _seen(place: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _remove(place: int, name: str) -> bool:
    try:
        os.unlink(name, dir_fd=place)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """Open a folder once, so that everything is done in this one, whatever becomes of its path."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _disk(name: str = "") -> Iterator[None]:
    """Turn a refusal of the disk into our own error; paths stay out of it."""
    try:
        yield
    except OSError:
        pass
    else:
        return
    raise StoreError(Code.FOLDER_UNREACHABLE, name, is_transient=True)
