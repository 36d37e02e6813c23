"""The temporary Prefect servers of runs that were killed: found and ended before another is started.

Decides:    which process is such a server: one of this home, started by a run that is no more.
Invariants: a server whose run lives is never touched, nor one that was named by PREFECT_API_URL, nor a process of
            another user or another home. Where processes can not be looked at (no /proc), nothing is done.

Prefect ends its temporary server when Python ends; a run that is killed can not. Each would keep 200 MB and a
handful of the database's connections until the machine is started again.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

RUN = "RUN_OF_JUKI"
"""Which run a process belongs to: handed down to the server in its environment."""
_PROCESSES = Path("/proc")
_SERVER = b"prefect.server.api.server:create_app"


def this_run() -> str:
    """Name this process so that no later one can bear the same name: its number and when it began."""
    return f"{os.getpid()}:{_began(os.getpid())}"


def end_leftovers(prefect_home: Path) -> int:
    """End the servers of this home whose runs are no more; return how many there were."""
    left = [number for number, run in _servers(prefect_home) if not _lives(run)]
    for number in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(number, signal.SIGTERM)
    return len(left)


def _servers(prefect_home: Path) -> Iterator[tuple[int, str]]:
    home = f"PREFECT_HOME={prefect_home}".encode()
    for folder in _PROCESSES.glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        run = next((entry for entry in environment if entry.startswith(f"{RUN}=".encode())), None)
        if run is not None and _SERVER in command and home in environment:
            yield int(folder.name), run.decode().partition("=")[2]


def _lives(run: str) -> bool:
    number, _, began = run.partition(":")
    return number.isdigit() and _began(int(number)) == began


def _began(number: int) -> str:
    """Read when a process began, in ticks since the machine did; nothing when there is no such process."""
    try:
        said = (_PROCESSES / str(number) / "stat").read_text()
    except OSError:
        return ""
    # The name in parentheses may hold anything; the 22nd field is the 20th after it.
    return said.rpartition(")")[2].split()[19]
