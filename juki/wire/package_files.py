"""Where fetched packages lie: arriving, in the spool until their turn, in quarantine when they were refused.

Decides:    that a refused or replaced file is in quarantine before that is said of it, and leaves the spool
            after; that a file comes into the spool under its name only when it is being registered.
Leaves:     fetching to `juki.wire.sftp`; what is registered of a file to `juki.store.packages`; how much may
            lie here to `juki.quota`.
Invariants: every step can be repeated; a file is read only if it is still the one that was registered; what
            lies here is sealed as it came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from juki.durable import sync_folder
from juki.errors import StoreError
from juki.home import Home
from juki.order import Channel
from juki.quota import Quota, held_bytes
from juki.reasons import Code
from juki.wire.spool import RemoteFile, part_path

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

    @property
    def arriving(self) -> Path:
        """Where files lie that are being fetched, so that none takes the place of one that waits."""
        return self.spool / "arriving"

    def held(self) -> Quota:
        """Measure what lies in the spool and in quarantine; the one part of a broken transfer apart."""
        waiting = (path.stat().st_size for path in self.spool.glob("*.p7m"))
        kept = (path.stat().st_size for path in self.kept.glob("*"))
        return Quota(held_bytes(waiting), held_bytes(kept))

    def waiting_bytes(self, file_name: str) -> int:
        """Measure a waiting file; 0 when there is none of that name."""
        path = self.spool / file_name
        return path.stat().st_size if path.exists() else 0

    def admit(self, file_name: str) -> None:
        """Put a file that arrived whole into the spool, in the place of an earlier one of its name."""
        (self.arriving / file_name).replace(self.spool / file_name)
        sync_folder(self.spool)

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

    def quarantine_arrived(self, package_id: int, file_name: str) -> None:
        """Keep a file that is refused as it arrives, and never came into the spool."""
        _link(self.arriving / file_name, self._quarantined(package_id, file_name))

    def keep(self, path: Path, name: str) -> None:
        """Keep a file that is no package of the register under a name that does not begin with a number."""
        _link(path, self.kept / name)

    def remove_arrived(self, file_name: str) -> None:
        """Take a file away that was kept as it arrived."""
        (self.arriving / file_name).unlink(missing_ok=True)

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
        left = [path for path in self.spool.glob("*.p7m") if path.name not in waiting]
        # Where the first version of this program had its parts.
        left += self.spool.glob(".*.part")
        for path in left:
            path.unlink(missing_ok=True)

    def continue_with(self, remote: RemoteFile | None) -> None:
        """Keep the part of the transfer that goes on next; others would be a way to fill the disk."""
        part = part_path(remote, self.arriving).name if remote else ""
        for path in list(self.arriving.glob("*")):
            if path.name != part:
                path.unlink(missing_ok=True)

    def _quarantined(self, package_id: int, file_name: str) -> Path:
        return self.kept / f"{package_id}-{file_name}"


def _link(source: Path, target: Path) -> None:
    """Give a file a second name on the same disk, in one step, and make the name durable.

    Raises: StoreError(SPOOL_FULL) when the disk refuses.
    """
    try:
        _linked(source, target)
    except OSError:
        pass
    else:
        return
    raise StoreError(Code.SPOOL_FULL, source.name)


def _linked(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = target.with_name(f".{target.name}{_ASIDE}")
    aside.unlink(missing_ok=True)
    aside.hardlink_to(source)
    aside.replace(target)
    # Two names of one file: POSIX lets the replace do nothing and leaves the first name there.
    aside.unlink(missing_ok=True)
    sync_folder(target.parent)
