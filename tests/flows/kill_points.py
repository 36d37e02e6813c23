"""Every place at which the intake leaves a trace outside its process, found by instrumentation.

Wraps, in a worker of the tests only, what the intake does to the database, to the disk and to the server of a
municipality: statements and commits, names given and taken, folders, syncs, bytes written, remote files. A run
can be traced, or killed before or after any of these.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Any

import asyncssh
import psycopg

from juki.wire.spool import Part


class Kind(StrEnum):
    """What a step does it to."""

    STATEMENT = "statement"
    """Nothing to be seen outside until its transaction commits."""
    READ = "read"
    """The commit of a transaction that wrote nothing."""
    COMMIT = "commit"
    DISK = "disk"
    REMOTE = "remote"


class When(StrEnum):
    """On which side of a step."""

    BEFORE = "before"
    AFTER = "after"


OUTSIDE = frozenset({Kind.COMMIT, Kind.DISK, Kind.REMOTE})
"""Steps that change what another process finds."""
EVERY = frozenset(Kind)
PAGE = Path(__file__).parents[2] / "docs" / "kill-points.md"
COUNTED: dict[str, dict[str, int]] = {}
"""What was tried, by scenario; printed at the end of the run (see conftest)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run."""

    kind: Kind
    what: str


@dataclass(frozen=True, slots=True)
class Death:
    """Where to die: at the n-th step (from 0) of these kinds, on which side of it."""

    number: int
    when: When
    kinds: frozenset[Kind]


def places_of(steps: Sequence[Step]) -> list[Death]:
    """List the places between steps that are seen outside: before each of them, and after the last."""
    count = sum(step.kind in OUTSIDE for step in steps)
    return [*(Death(number, When.BEFORE, OUTSIDE) for number in range(count)),
            Death(count - 1, When.AFTER, OUTSIDE)]  # fmt: skip


def sides_of(steps: Sequence[Step]) -> list[Death]:
    """List both sides of every step, statements and reads included."""
    return [Death(number, when, EVERY) for number in range(len(steps)) for when in When]


def check_told(name: str, steps: Sequence[Step]) -> None:
    """Hold the page of the documentation to what was counted, with some room: it must not go stale unnoticed."""
    rows = re.findall(r"^\| [^|]*\(`(.+)`\) \| (\d+) \| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    told = {scenario: (int(every), int(outside)) for scenario, every, outside in rows}
    counted = len(steps), sum(step.kind in OUTSIDE for step in steps)
    is_near = [
        abs(there - said) <= max(2, said // 10) for there, said in zip(counted, told[name], strict=True)
    ]
    assert all(is_near), f"docs/kill-points.md says {told[name]} of {name!r}, counted are {counted}"


@dataclass(slots=True)
class Instrument:
    """Counts the steps of this process, and ends it at one of them if told to."""

    root: Path
    death: Death | None = None
    said: Callable[[str], None] = lambda _: None
    steps: list[Step] = field(default_factory=list)
    is_on: bool = False
    _counted: int = 0
    _has_written: bool = False

    @contextmanager
    def step(self, kind: Kind, what: str) -> Iterator[None]:
        """Do a step, or die on one side of it."""
        if not self.is_on:
            yield
            return
        self.steps.append(Step(kind, what))
        number, is_counted = self._counted, self.death is not None and kind in self.death.kinds
        self._counted += is_counted
        if is_counted:
            self._die_at(number, When.BEFORE, what)
        try:
            yield
        finally:
            # Also a step that fails has an end: to remove what is not there is one.
            if is_counted:
                self._die_at(number, When.AFTER, what)

    def _die_at(self, number: int, when: When, what: str) -> None:
        if self.death is not None and (number, when) == (self.death.number, self.death.when):
            self.said(what)
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Wrap everything; only ever called in a process that is thrown away."""
        self._wrap_commit()
        self._wrap_statements()
        for name in ("replace", "rename", "link", "unlink", "remove", "mkdir", "rmdir", "truncate"):
            self._wrap(os, name, Kind.DISK, _is_below(self.root))
        self._wrap(os, "open", Kind.DISK, _creates_below(self.root))
        self._wrap(os, "fsync", Kind.DISK)
        self._wrap(Part, "append", Kind.DISK)
        self._wrap_remote(asyncssh.SFTPClientFile, "write")
        self._wrap_remote(asyncssh.SFTPClient, "open", _opens_for_writing)
        for name in ("posix_rename", "rename", "remove", "mkdir"):
            self._wrap_remote(asyncssh.SFTPClient, name)

    def _wrap_commit(self) -> None:
        real = psycopg.Connection.commit

        def commit(connection: psycopg.Connection) -> None:
            kind, self._has_written = Kind.COMMIT if self._has_written else Kind.READ, False
            with self.step(kind, "COMMIT"):
                real(connection)

        psycopg.Connection.commit = commit  # type: ignore[method-assign]

    def _wrap_statements(self) -> None:
        """Wrap statements and copies, told by their first words; what only selects writes nothing."""

        def stepped(real: Callable[..., Any]) -> Callable[..., Any]:
            def statement(cursor: psycopg.Cursor, query: Any, *args: Any, **kwargs: Any) -> Any:
                words = (query.decode() if isinstance(query, bytes) else str(query)).split()[:3]
                self._has_written |= words[0].upper() != "SELECT"
                with self.step(Kind.STATEMENT, " ".join(words)):
                    return real(cursor, query, *args, **kwargs)

            return statement

        for name in ("execute", "executemany", "copy"):
            setattr(psycopg.Cursor, name, stepped(getattr(psycopg.Cursor, name)))

    def _wrap(self, owner: Any, name: str, kind: Kind, counts: Callable[..., bool] | None = None) -> None:
        real = getattr(owner, name)

        @wraps(real)
        def stepped(*args: Any, **kwargs: Any) -> Any:
            if counts is not None and not counts(*args, **kwargs):
                return real(*args, **kwargs)
            with self.step(kind, f"{owner.__name__}.{name}"):
                return real(*args, **kwargs)

        setattr(owner, name, stepped)

    def _wrap_remote(self, owner: Any, name: str, counts: Callable[..., bool] | None = None) -> None:
        real = getattr(owner, name)

        @wraps(real)
        async def stepped(*args: Any, **kwargs: Any) -> Any:
            if counts is not None and not counts(*args, **kwargs):
                return await real(*args, **kwargs)
            with self.step(Kind.REMOTE, f"{owner.__name__}.{name}"):
                return await real(*args, **kwargs)

        setattr(owner, name, stepped)


def _is_below(root: Path) -> Callable[..., bool]:
    def counts(path: Any, *_: Any, **named: Any) -> bool:
        # A name within a folder that was opened: only folders of ours are (`juki.wire.folders`).
        if any(named.get(key) is not None for key in ("dir_fd", "src_dir_fd")):
            return True
        return isinstance(path, str | os.PathLike) and Path(path).is_relative_to(root)

    return counts


def _creates_below(root: Path) -> Callable[..., bool]:
    below = _is_below(root)

    def counts(path: Any, flags: int, *_: Any, **named: Any) -> bool:
        return bool(flags & os.O_CREAT) and below(path, **named)

    return counts


def _opens_for_writing(_: Any, __: Any, mode: Any = "r", *___: Any, **____: Any) -> bool:
    return isinstance(mode, str) and "w" in mode
