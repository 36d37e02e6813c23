"""Processes of this machine: told apart for good, found by what stands in their environment, and ended.

Decides:    that a process is known by its number and the instant it began, since numbers come again.
Invariants: where processes can not be looked at (no /proc), none is found and none is ended but by its number.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Process:
    """One process that was found, with the environment it was started with."""

    number: int
    environment: dict[str, str]


def identity_of(number: int) -> str:
    """Name a process so that no later one can bear the same name: its number and when it began."""
    return f"{number}:{began(number)}"


def lives(identity: str) -> bool:
    """Tell whether the process of that name is still there and no later one under its number."""
    number, _, since = identity.partition(":")
    return number.isdigit() and bool(since) and began(int(number)) == since


def began(number: int) -> str:
    """Read when a process began, in ticks since the machine did; nothing when it is no more."""
    try:
        said = (PROCESSES / str(number) / "stat").read_text()
    except OSError:
        return ""
    # The name in parentheses may hold anything; the 3rd field is the 1st after it, the 22nd the 20th.
    fields = said.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def marked(name: str, value: str) -> Iterator[Process]:
    """Find the processes that were started with a variable of this value."""
    entry = f"{name}={value}".encode()
    for folder in PROCESSES.glob("[0-9]*"):
        try:
            parts = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if entry in parts:
            said = [part.decode(errors="replace").partition("=") for part in parts if part]
            yield Process(int(folder.name), {name: value for name, _, value in said})


def end(numbers: Collection[int], patience_seconds: float) -> None:
    """Ask processes to end, and end those that have not when patience is over."""
    asked = {number: began(number) for number in numbers}
    for stroke in (signal.SIGTERM, signal.SIGKILL):
        for number in _left(asked):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(number, stroke)
        until = time.monotonic() + patience_seconds
        while _left(asked) and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)


def _left(asked: dict[int, str]) -> list[int]:
    return [number for number, since in asked.items() if since and began(number) == since]
