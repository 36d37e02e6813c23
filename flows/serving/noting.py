"""What the supervisor says of the site: its note, which others believe while it is written anew, and its log.

Decides:    how often the note is written anew, and that it is kept in memory: what can not be written is written with
            the next beat.
Leaves:     what is to be said to `flows.serving.supervisor`; what follows from a note to `juki.site`.
Invariants: nothing in here raises: a disk that is full, or a terminal that is gone, must not end what watches over
            the site. Words of ours and codes only.
Source:     ADR-0034.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from juki.processes import identity_of
from juki.site import SiteFiles, SiteNote

_BEAT_EVERY_SECONDS = 60


@dataclass(slots=True)
class Diary:
    """The note of one supervisor."""

    files: SiteFiles
    note: SiteNote
    due: float = 0.0

    @classmethod
    def of(cls, files: SiteFiles, port: int) -> Diary:
        """Begin the note of this process; the time of a start that others tried in vain is kept."""
        since = _now()
        with suppress(OSError):
            before = files.note()
            if before is not None and before.supervisor and not before.is_ready:
                since = before.since
        return cls(files, SiteNote(identity_of(os.getpid()), port, since))

    def write(self, **said: object) -> None:
        """Write the note, with what has changed."""
        self.note = replace(self.note, **(said | {"beat": _now()}))  # type: ignore[arg-type]
        self.due = time.monotonic() + _BEAT_EVERY_SECONDS
        try:
            self.files.write(self.note)
        except OSError as error:
            say(f"note {type(error).__name__}")

    def beat(self) -> None:
        """Write it anew when it is time to."""
        if time.monotonic() >= self.due:
            self.write()

    def ready(self) -> None:
        """Write that everything is there."""
        self.write(is_ready=True, is_answering=True, since=_now())

    def restarting(self, **said: object) -> int:
        """Write that a part is started again; return how often that was lately."""
        lately = (*self.note.restarted_lately(datetime.now(UTC)), _now())
        self.write(restarts=self.note.restarts + 1, restarted=lately, **said)
        return len(lately)

    def judge(self, name: str, *, is_failing: bool) -> None:
        """Write whether something fails for a reason nobody foresaw, where that is new."""
        failing = {*self.note.failing, name} if is_failing else {*self.note.failing} - {name}
        if failing != {*self.note.failing}:
            self.write(failing=tuple(sorted(failing)))


def say(what: str) -> None:
    """Write a line for whoever reads the journal of the service."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{_now()} juki site: {what}\n")
        sys.stderr.flush()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
