"""What a purge remembers of the clock, in one small file beside the keys of the holds.

Decides:    where the note lies and how it is written; a note that can not be read is none.
Leaves:     what is believed to `juki.holds.ClockNote`.
Invariants: whole and on disk, or the one before.
Source:     ADR-0028.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime

from juki.durable import sync_folder
from juki.holds import ClockNote
from juki.home import Home
from juki.reasons import known_code

_NAME = "purge-clock.json"


@dataclass(frozen=True, slots=True)
class ClockFile:
    """The note of one installation."""

    home: Home

    def read(self) -> ClockNote:
        """Read what was noted last."""
        try:
            said = json.loads((self.home.holds / _NAME).read_text("ascii"))
            return ClockNote(
                _instant(said["trusted_at"]), _instant(said["accepted"]), known_code(said["stopped"])
            )
        except (OSError, ValueError, KeyError, TypeError):
            return ClockNote()

    def write(self, note: ClockNote) -> None:
        """Write a note."""
        said = {
            "trusted_at": note.trusted_at.isoformat() if note.trusted_at else None,
            "accepted": note.accepted.isoformat() if note.accepted else None,
            "stopped": note.stopped.value if note.stopped else None,
        }
        path = self.home.holds / _NAME
        part = path.with_name(f".{_NAME}.part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(json.dumps(said))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("instant")
    return at
