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

from juki.processes import PROCESSES, identity_of, lives

RUN = "RUN_OF_JUKI"
"""Which run a process belongs to: handed down to the server in its environment."""
_SERVER = b"prefect.server.api.server:create_app"


def this_run() -> str:
    """Name this process so that no later one can bear the same name: its number and when it began."""
    return identity_of(os.getpid())


def end_leftovers(prefect_home: Path) -> int:
    """End the servers of this home whose runs are no more; return how many there were."""
    left = [number for number, run in _servers(prefect_home) if not lives(run)]
    for number in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(number, signal.SIGTERM)
    return len(left)


def _servers(prefect_home: Path) -> Iterator[tuple[int, str]]:
    home = f"PREFECT_HOME={prefect_home}".encode()
    for folder in PROCESSES.glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        run = next((entry for entry in environment if entry.startswith(f"{RUN}=".encode())), None)
        if run is not None and _SERVER in command and home in environment:
            yield int(folder.name), run.decode().partition("=")[2]
