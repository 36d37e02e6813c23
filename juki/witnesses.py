"""Witness folders: where checkpoints lie outside the database, one file for each size, never overwritten.

Decides:    the layout of a witness (the origin as folders, then the size), and that a checkpoint is whole and on the
            disk before anybody counts on it.
Leaves:     what a checkpoint says and whether to believe it to `juki.checkpoints`.
Invariants: files are only added; another content under a size that is there is an error, never replaced. The folder
            of a witness is never created, so that a volume that is not mounted is noticed.
Source:     design 5, ADR-0030.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from juki.checkpoints import Checkpoint, VerifierKey, verify_checkpoint
from juki.durable import sync_folder
from juki.errors import JournalError
from juki.reasons import Code

SUFFIX = ".checkpoint"
_DIGITS = 19
_NAME = re.compile(rf"([0-9]{{{_DIGITS}}})\{SUFFIX}", re.ASCII)
_MOST_BYTES = 65_536


def file_name(size: int) -> str:
    """Name the file of the checkpoint of a size; names ascend as sizes do."""
    return f"{size:0{_DIGITS}}{SUFFIX}"


@dataclass(frozen=True, slots=True)
class Witness:
    """One witness folder, as far as one log is concerned."""

    root: Path
    origin: str

    @property
    def name(self) -> str:
        """How it is named in the register of checkpoints: by its path."""
        return str(self.root)

    @property
    def folder(self) -> Path:
        """Where the checkpoints of this log lie."""
        return self.root.joinpath(*self.origin.split("/"))

    def sizes(self) -> list[int]:
        """List the sizes there are checkpoints of, ascending.

        Raises: JournalError(WITNESS_UNREACHABLE) when the witness is not there or can not be read.
        """
        try:
            if not self.root.is_dir():
                raise FileNotFoundError
            names = [entry.name for entry in os.scandir(self.folder)] if self.folder.is_dir() else []
        except OSError:
            raise self._unreachable() from None
        return sorted(int(found[1]) for name in names if (found := _NAME.fullmatch(name)))

    def read(self, size: int) -> bytes | None:
        """Read the checkpoint of a size as it lies there; None when there is none.

        Raises: JournalError(WITNESS_UNREACHABLE).
        """
        try:
            with (self.folder / file_name(size)).open("rb") as file:
                return file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError:
            raise self._unreachable() from None

    def checkpoint(self, size: int, keys: Sequence[VerifierKey]) -> Checkpoint:
        """Open the checkpoint of a size.

        Raises: JournalError(WITNESS_DAMAGED) naming the file, WITNESS_UNREACHABLE.
        """
        content = self.read(size)
        with suppress(JournalError):
            checkpoint = verify_checkpoint(content or b"", keys, self.origin)
            if checkpoint.size == size:
                return checkpoint
        raise JournalError(Code.WITNESS_DAMAGED, f"{self.origin}/{file_name(size)}")

    def write(self, size: int, note: bytes) -> None:
        """Add a checkpoint; one that is there with the same bytes stays as it is.

        Raises: JournalError(WITNESS_UNREACHABLE), JournalError(JOURNAL_FORKED) when there is another of this size.
        """
        try:
            self._add(file_name(size), note)
        except FileExistsError:
            is_other = self.read(size) != note
        except OSError:
            raise self._unreachable() from None
        else:
            is_other = False
        if is_other:
            raise JournalError(Code.JOURNAL_FORKED, f"{self.origin} {size}")

    def _add(self, name: str, note: bytes) -> None:
        if not self.root.is_dir():
            raise FileNotFoundError
        self._make_folders()
        aside = self.folder / f".{name}.{secrets.token_hex(8)}"
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            # A link, not a rename: it fails where a rename would replace.
            (self.folder / name).hardlink_to(aside)
        finally:
            aside.unlink()
        sync_folder(self.folder)

    def _make_folders(self) -> None:
        parts = [self.folder, *self.folder.parents]
        for folder in reversed(parts[: parts.index(self.root)]):
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)
                sync_folder(folder.parent)

    def _unreachable(self) -> JournalError:
        # By its last part only: the path before it says nothing to whoever reads it elsewhere.
        return JournalError(Code.WITNESS_UNREACHABLE, self.root.name)
