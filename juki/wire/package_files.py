"""Where fetched packages lie: in the spool until their turn, in quarantine when they were refused.

Decides:    that a refused file is in quarantine before it is said to be refused, and leaves the spool after.
Leaves:     fetching to `juki.wire.sftp`; what is registered of a file to `juki.store.packages`.
Invariants: every step can be repeated; a file is read only if it is still the one that was registered; what
            lies here is sealed as it came.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from juki.home import Home
from juki.order import Channel

_ASIDE = ".link"
"""Ends the hidden name a file bears for a moment before its own."""


@dataclass(frozen=True, slots=True)
class PackageFiles:
    """The files of one channel."""

    spool: Path
    kept: Path

    @classmethod
    def of(cls, home: Home, channel: Channel) -> PackageFiles:
        """Name the folders of a channel."""
        return cls(home.spool / str(channel), home.quarantine / str(channel))

    def read(self, file_name: str, sha256: bytes) -> bytes | None:
        """Read a waiting package; None when the spool lost it or holds another file under its name."""
        try:
            content = (self.spool / file_name).read_bytes()
        except FileNotFoundError:
            return None
        return content if hashlib.sha256(content).digest() == sha256 else None

    def quarantine(self, package_id: int, file_name: str) -> None:
        """Keep a refused file; the number of its package keeps files of one name apart."""
        _link(self.spool / file_name, self._quarantined(package_id, file_name))

    def drop_unregistered(self, file_name: str, registered: Collection[int]) -> None:
        """Drop what a killed worker quarantined of this name under a number that died with its transaction."""
        for path in self.kept.glob(f"*-{file_name}*"):
            number, _, name = path.name.removeprefix(".").partition("-")
            is_left = name in (file_name, f"{file_name}{_ASIDE}") and number.isdecimal()
            if is_left and int(number) not in registered:
                path.unlink(missing_ok=True)

    def bring_back(self, package_id: int, file_name: str) -> bool:
        """Put a quarantined file into the spool again; False when it is no longer there."""
        kept = self._quarantined(package_id, file_name)
        if not kept.exists():
            return False
        _link(kept, self.spool / file_name)
        return True

    def remove(self, file_name: str) -> None:
        """Take a settled package out of the spool."""
        (self.spool / file_name).unlink(missing_ok=True)

    def keep_only(self, waiting: Collection[str]) -> None:
        """Remove what a worker that was killed left behind: whole files that wait for nothing."""
        for path in self.spool.glob("*.p7m"):
            if path.name not in waiting:
                path.unlink(missing_ok=True)

    def _quarantined(self, package_id: int, file_name: str) -> Path:
        return self.kept / f"{package_id}-{file_name}"


def _link(source: Path, target: Path) -> None:
    """Give a file a second name on the same disk, in one step, and make the name durable."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = target.with_name(f".{target.name}{_ASIDE}")
    aside.unlink(missing_ok=True)
    aside.hardlink_to(source)
    aside.replace(target)
    # Two names of one file: POSIX lets the replace do nothing and leaves the first name there.
    aside.unlink(missing_ok=True)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
