"""What it takes for a name in a folder to survive a loss of power, and for a file to be gone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: those that were added, replaced or removed."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def overwrite(path: Path) -> None:
    """Put zeros where the content of a file stood, then nothing; both on disk before its name goes."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        rest = memoryview(bytes(os.fstat(descriptor).st_size))
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
        os.ftruncate(descriptor, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def changed_at(paths: Iterable[Path]) -> datetime | None:
    """Tell when the youngest of some files was last changed (UTC); None when none of them is there."""
    found = [path.lstat().st_mtime for path in paths if path.exists()]
    return datetime.fromtimestamp(max(found), UTC) if found else None
