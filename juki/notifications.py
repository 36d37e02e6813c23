"""Notifications of alarms in files: one line for programs, a page for people, and what still has to be posted.

Decides:    the layout of the folder: `alarms.jsonl`, `alarms.txt`, and `unsent/` with a file for each waiting letter.
Leaves:     posting to `juki.wire.mail`, who gets letters to the configuration.
Invariants: an alarm is on the disk before its journal entry commits, so that none is logged and told nobody; told
            again under the same number, it stands there twice and is one letter. A letter leaves `unsent/` only when
            it was taken; one process posts at a time.
Source:     ADR-0034.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from juki.alarms import Alarm, alarm_of
from juki.durable import sync_folder
from juki.errors import StoreError
from juki.keys import write_private
from juki.reasons import Code

FOLDER = "notifications"
_PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class Notifications:
    """The folder of notifications of a home."""

    folder: Path

    @property
    def lines_file(self) -> Path:
        """One JSON object a line, for programs that watch."""
        return self.folder / "alarms.jsonl"

    @property
    def page_file(self) -> Path:
        """The same for people."""
        return self.folder / "alarms.txt"

    @property
    def unsent(self) -> Path:
        """Letters that still have to be posted."""
        return self.folder / "unsent"

    def tell(self, alarm: Alarm, *, is_posted: bool) -> None:
        """Write an alarm down, and a letter of it where letters are posted.

        Raises: StoreError(NOTIFICATION_UNWRITTEN).
        """
        try:
            self.unsent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            line = json.dumps(alarm.described(), ensure_ascii=False, sort_keys=True)
            _append(self.lines_file, line + "\n")
            _append(self.page_file, "\n".join(alarm.lines) + "\n\n")
            if is_posted:
                with suppress(FileExistsError):
                    write_private(self._letter(alarm), line.encode())
        except OSError:
            raise StoreError(Code.NOTIFICATION_UNWRITTEN, FOLDER) from None

    def post(self, post: Callable[[Alarm], None]) -> int:
        """Post what is unsent, oldest first; return how many letters were taken.

        Raises: whatever `post` raises; what was taken before is not posted again.
        """
        if not self.unsent.is_dir():
            return 0
        taken = 0
        with (self.folder / "post.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for path in sorted(self.unsent.glob("*.json"), key=lambda path: path.stat().st_mtime):
                alarm = _read(path)
                if alarm is not None:
                    post(alarm)
                    taken += 1
                path.unlink()
        return taken

    @property
    def waiting(self) -> int:
        """Count the letters that still have to be posted."""
        return len(list(self.unsent.glob("*.json")))

    def _letter(self, alarm: Alarm) -> Path:
        # The number may hold any character of a run's name.
        return self.unsent / f"{hashlib.sha256(alarm.number.encode()).hexdigest()[:32]}.json"


def _read(path: Path) -> Alarm | None:
    """Read a letter; None for a file that is none, which nobody could post."""
    try:
        return alarm_of(json.loads(path.read_text("utf-8")))
    except (ValueError, KeyError, TypeError):
        return None


def _append(path: Path, text: str) -> None:
    """Add whole lines to a file of mode 0600, on the disk when this returns."""
    is_new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        sync_folder(path.parent)
