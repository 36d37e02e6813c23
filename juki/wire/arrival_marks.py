"""What of a folder of arrivals was dealt with and still lies there: known again by its mark, without being read.

Decides:    where marks lie and when they are dropped.
Leaves:     what a mark is made of to `juki.wire.folders`, what dealing with a file means to the tasks.
Invariants: a mark is set after what it stands for; a lost one costs a second look and nothing else. Marks of files
            that are gone are dropped, so there are never more than files.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from juki.home import Home
from juki.wire.folders import Arrived
from juki.wire.refused_files import RefusedKind
from juki.wire.request_files import write_whole


@dataclass(frozen=True, slots=True)
class ArrivalMarks:
    """The marks of one folder of arrivals."""

    folder: Path

    @classmethod
    def of(cls, home: Home, kind: RefusedKind, recipient: str) -> ArrivalMarks:
        """Name the marks of what one recipient sends of one kind."""
        return cls(home.requests / "seen" / kind.value / recipient)

    def known(self) -> set[str]:
        """List the marks."""
        return {path.name for path in self.folder.iterdir()} if self.folder.is_dir() else set()

    def note(self, arrived: Arrived, sha256: bytes) -> None:
        """Note that a file was dealt with, and which bytes it was.

        Raises: StoreError(SPOOL_FULL) when the disk refuses.
        """
        write_whole(self.folder / arrived.mark, sha256.hex().encode())

    def sha256(self, arrived: Arrived) -> bytes:
        """Tell which bytes a known file was; nothing when the mark can not be read."""
        with suppress(OSError, ValueError):
            return bytes.fromhex((self.folder / arrived.mark).read_text("ascii"))
        return b""

    def keep_only(self, known: Iterable[Arrived]) -> None:
        """Drop the marks of all other files: they are gone, or were exchanged."""
        for mark in self.known() - {one.mark for one in known}:
            (self.folder / mark).unlink(missing_ok=True)
