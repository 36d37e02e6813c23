"""The events of runs in JUKI_HOME: one JSON object a line, one file a day, the oldest days let go of.

Decides:    where events lie, for how long, and how it is seen that one could not be written.
Leaves:     what an event says to `juki.lineage`.
Invariants: lineage is not the truth, and nothing of ours reads it: an event that can not be written stops no run. It
            leaves a mark in the folder of logs, which the next one that can be written takes away.
Source:     ADR-0041.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from juki.home import Home

_DAY = re.compile(r"events-(\d{4}-\d{2}-\d{2})\.jsonl")
_MARK = "lineage-unwritten"
_START = '{"eventType":"START"'
_LOOKED_BACK_DAYS = 3
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class LineageFiles:
    """The folder of events of a home."""

    home: Home

    @property
    def folder(self) -> Path:
        """Where everything lies."""
        return self.home.lineage

    def file_of(self, day: date) -> Path:
        """Name the file of a day."""
        return self.folder / f"events-{day.isoformat()}.jsonl"

    def write(self, event: Mapping[str, object], day: date, days_kept: int) -> bool:
        """Add an event to the file of a day, let go of what is older than `days_kept`; tell whether it is written."""
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n"
        try:
            self._append(self.file_of(day), line.encode(), day - timedelta(days=days_kept))
            self._mark.unlink(missing_ok=True)
        except OSError:
            with suppress(OSError):
                self._mark.touch(mode=0o600)
            return False
        return True

    def has_end(self, run_id: UUID) -> bool:
        """Tell whether the end of a run is among the events of the last days that have any."""
        named = f'"runId":"{run_id}"'
        with suppress(OSError):
            for path in sorted(self.folder.glob("events-*.jsonl"))[-_LOOKED_BACK_DAYS:]:
                with path.open(encoding="utf-8", errors="replace") as lines:
                    if any(named in line and not line.startswith(_START) for line in lines):
                        return True
        return False

    @property
    def unwritten_since(self) -> datetime | None:
        """Tell since when events are missing; None while they are written."""
        try:
            return datetime.fromtimestamp(self._mark.stat().st_mtime, UTC)
        except OSError:
            return None

    @property
    def _mark(self) -> Path:
        return self.home.logs / _MARK

    def _append(self, path: Path, line: bytes, before: date) -> None:
        """Write a line, or nothing of it; alone, for taking half of one back must not take another's."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        is_new = not path.exists()
        descriptor = os.open(path, _APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            written = os.write(descriptor, line)
            if written != len(line):
                # Half a line would spoil the next one.
                os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
                raise OSError
        finally:
            os.close(descriptor)
        if is_new:
            self._let_go(before)

    def _let_go(self, before: date) -> None:
        for path in self.folder.iterdir():
            found = _DAY.fullmatch(path.name)
            if found and found[1] <= before.isoformat():
                path.unlink(missing_ok=True)
