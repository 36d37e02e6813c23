"""Notifications of alarms in files: one line for programs, a page for people, and what still has to be posted.

Decides:    the layout of the folder: `alarms.jsonl`, `alarms.txt`, and `unsent/` with a file for each waiting letter.
Leaves:     posting to `juki.wire.mail`, who gets letters to the configuration.
Invariants: an alarm is on the disk before its journal entry commits, so that none is logged and told nobody; told
            again under the same number, it stands there twice and is one letter. A letter leaves `unsent/` only when
            it was taken for everybody, and goes again only to those for whom it was not; one that is refused keeps
            no other. One process posts at a time, and none waits for another.
Source:     ADR-0034.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from juki.alarms import Alarm, alarm_of
from juki.durable import sync_folder
from juki.errors import SourceError, StoreError
from juki.keys import write_private
from juki.reasons import Code

FOLDER = "notifications"
_PRIVATE = 0o700
_MOST_AT_ONCE = 8
"""Letters in one round: at a server that takes its twenty seconds for each, who posts is back before he is missed."""
Poster = Callable[[Alarm, list[str]], Sequence[str]]
"""Hands in the letter of an alarm for receivers; returns those for whom it was not taken."""


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
            line = _written(alarm.described())
            _append(self.lines_file, line + "\n")
            _append(self.page_file, "\n".join(alarm.lines) + "\n\n")
            if is_posted:
                with suppress(FileExistsError):
                    write_private(self._letter(alarm), line.encode())
        except OSError:
            raise StoreError(Code.NOTIFICATION_UNWRITTEN, FOLDER) from None

    def post(self, post: Poster, receivers: Sequence[str]) -> int:
        """Post some of what is unsent, first what was tried longest ago; return how many letters everybody has.

        Where another process is posting, nothing is done: it posts these as well.

        Raises: SourceError(NOTIFICATION_REFUSED) when letters were not taken for somebody, after all were tried;
                StoreError(NOTIFICATION_UNWRITTEN); whatever `post` raises, and then the next ones wait as well.
        """
        try:
            with self._alone() as is_alone:
                letters = self._letters()[:_MOST_AT_ONCE] if is_alone else []
                tried = [self._posted(path, post, receivers) for path in letters]
        except OSError:
            raise StoreError(Code.NOTIFICATION_UNWRITTEN, FOLDER) from None
        lacking = tried.count(False)
        if lacking:
            raise SourceError(Code.NOTIFICATION_REFUSED, f"{lacking}/{len(tried)}")
        return tried.count(True)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Tell whether nobody else is posting, and keep everybody from it who asks meanwhile."""
        if not self.waiting:
            yield False
            return
        with (self.folder / "post.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def _letters(self) -> list[Path]:
        return sorted(self.unsent.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)

    def _posted(self, path: Path, post: Poster, receivers: Sequence[str]) -> bool | None:
        """Post one letter to those who have not got it; tell whether now all have; None where there is none."""
        letter = _read(path)
        wanted = [] if letter is None else letter.wanted(receivers)
        if letter is None or not wanted:
            path.unlink()
            return None
        # Whatever comes of it, the others come first the next time.
        os.utime(path)
        lacking = post(letter.alarm, wanted)
        if not lacking:
            path.unlink()
        elif list(lacking) != wanted:
            self._keep_for(path, letter.alarm, lacking)
        return not lacking

    def _keep_for(self, path: Path, alarm: Alarm, lacking: Sequence[str]) -> None:
        """Let a letter wait for those who have not got it; whole or as it was."""
        anew = path.with_suffix(".new")
        anew.unlink(missing_ok=True)
        write_private(anew, _written(alarm.described() | {"lacking": list(lacking)}).encode())
        anew.replace(path)
        sync_folder(path.parent)

    @property
    def waiting(self) -> int:
        """Count the letters that still have to be posted."""
        return len(list(self.unsent.glob("*.json")))

    def _letter(self, alarm: Alarm) -> Path:
        # The number may hold any character of a run's name.
        return self.unsent / f"{hashlib.sha256(alarm.number.encode()).hexdigest()[:32]}.json"


@dataclass(frozen=True, slots=True)
class _Letter:
    """A letter that waits."""

    alarm: Alarm
    lacking: frozenset[str] | None
    """Who has not got it; None: nobody has."""

    def wanted(self, receivers: Sequence[str]) -> list[str]:
        """Choose whom it is still for; somebody who is no longer told of alarms gets none."""
        return [one for one in receivers if self.lacking is None or one in self.lacking]


def _read(path: Path) -> _Letter | None:
    """Read a letter; None for a file that is none, which nobody could post."""
    try:
        said = json.loads(path.read_text("utf-8"))
        lacking = said.get("lacking")
        return _Letter(alarm_of(said), None if lacking is None else frozenset(lacking))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _written(described: dict[str, Any]) -> str:
    return json.dumps(described, ensure_ascii=False, sort_keys=True)


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
