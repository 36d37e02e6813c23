"""What recipients sent and we refused, kept as it came: how much of it lies here, and until when.

Decides:    where it lies, by kind and recipient, and what a kept file says of itself.
Leaves:     why something is refused to the tasks, terms to `juki.holds`.
Invariants: whole and on disk before the file it came as is dealt with. Nothing is taken away to make room: whoever
            has used their room up is not heard until what they sent has come to its end.
Source:     assessment M8, ADR-0032.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from juki.columns import IdentityFile
from juki.durable import overwrite, sync_folder
from juki.home import Home


class RefusedKind(StrEnum):
    """What a refused file claimed to be; its folder is called so."""

    REQUESTS = "requests"
    RECEIPTS = "receipts"

    @property
    def japanese(self) -> str:
        """The kind in the words of screens."""
        return {"requests": "要求", "receipts": "受領書"}[self.value]


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """One kept file."""

    recipient: str
    path: Path

    @property
    def file(self) -> IdentityFile:
        """The identity file it names; whose log tells of it."""
        return next(one for one in IdentityFile if f"-{one.value}-" in self.path.name)

    def sha256(self) -> str:
        """Digest what is kept."""
        with self.path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()

    def erase(self) -> None:
        """Overwrite and remove it."""
        overwrite(self.path)
        self.path.unlink()
        sync_folder(self.path.parent)


@dataclass(frozen=True, slots=True)
class RefusedFiles:
    """The refused files of one installation."""

    home: Home

    def folder(self, kind: RefusedKind, recipient: str) -> Path:
        """Name the folder of a recipient."""
        return self.home.quarantine / kind.value / recipient

    def count(self, kind: RefusedKind, recipient: str) -> int:
        """Count what is kept of a recipient."""
        folder = self.folder(kind, recipient)
        return sum(1 for _ in folder.glob("*.p7m")) if folder.is_dir() else 0

    def kept_until(self, end: datetime) -> Iterator[RefusedFile]:
        """List what was kept at that instant or before, of all recipients."""
        for kind in RefusedKind:
            for path in sorted((self.home.quarantine / kind.value).glob("*/*.p7m")):
                if datetime.fromtimestamp(path.lstat().st_mtime, UTC) <= end:
                    yield RefusedFile(path.parent.name, path)
