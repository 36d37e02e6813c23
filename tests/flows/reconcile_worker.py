"""Processes that reconcile, or serve, while something befalls them at a chosen point. Test-only.

What they say to the parent is a code, as the boundary lets it out.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from juki.differences import Mode
from juki.order import Channel
from juki.store import embedded
from juki.store.differences import Differences
from juki.store.reconciliations import Reconciliations
from juki.wire.sftp import ServerSession
from juki.wire.snapshot_files import SnapshotFiles
from simulator.sftp_server import MunicipalFiles, make_key, serve
from tasks import clock, reconciling
from tasks.workshop import Workshop
from tests.flows.conftest import Town
from tests.flows.forks import FORKS, forked, told
from tests.flows.kill_scenarios import Stage
from tests.flows.reconciling import reconcile

POINTS: dict[str, tuple[Any, str]] = {
    "compared, not repaired": (reconciling._Work, "_repaired"),
    "repaired, not said": (Reconciliations, "repaired"),
    "over, not cleared": (SnapshotFiles, "clear"),
    "cleared, report not delivered": (ServerSession, "deliver"),
}
"""Where a worker dies: before what is named."""
RESTARTS: dict[str, tuple[Any, str]] = {
    "differences kept, not committed": (Differences, "note"),
    "repaired, not committed": (Differences, "repaired"),
    "ended, not committed": (Reconciliations, "end"),
}
"""After what the database restarts."""


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dying(channel: Channel, mode: Mode, point: str, at: datetime | None) -> None:
    owner, name = POINTS[point]
    setattr(owner, name, _die)
    held: AbstractContextManager[None] = clock.held_at(at) if at else nullcontext()
    with held:
        reconcile(channel, mode)


def die(town: Town, mode: Mode, point: str, at: datetime | None = None) -> int | None:
    """Reconcile the channel in a process that dies at a point; return its exit code."""
    worker = forked(_dying, town.channel, mode, point, at)
    worker.join(120)
    Stage(town).settled()
    return worker.exitcode


def _over_a_restart(channel: Channel, point: str, to: Connection) -> None:
    owner, name = RESTARTS[point]
    home, real = Workshop.open().home, getattr(owner, name)

    def done(*args: Any, **kwargs: Any) -> Any:
        setattr(owner, name, real)
        result = real(*args, **kwargs)
        embedded.stop(home)
        embedded.start(home)
        return result

    setattr(owner, name, done)
    said = [reconcile(channel, Mode.REPAIR)]
    while said[-1] and len(said) < 4:
        said.append(reconcile(channel, Mode.REPAIR))
    to.send(said)


def over_a_restart(town: Town, point: str) -> list[str]:
    """Reconcile while the database restarts, again as often as Prefect would; return how each run ended."""
    said: list[str] = told(_over_a_restart, town.channel, point) or []
    return said


class _Dying(MunicipalFiles):
    """A CS that is gone when a second part of a snapshot is asked for."""

    asked = 0

    def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
        """Open a file, or end the whole process."""
        if b"-snapshot-0" in path:
            type(self).asked += 1
            if type(self).asked > 1:
                _die()
        return super().open(path, pflags, attrs)


def _serve(root: Path, accounts: Mapping[str, str], to: Connection) -> None:
    with serve(root, accounts, make_key(), files=_Dying) as server:
        to.send(server)
        signal.pause()


def served(root: Path, accounts: Mapping[str, str]) -> tuple[Any, Callable[[], int | None]]:
    """Start a CS in a process that dies between two parts; return how to register it and a wait for its end."""
    receiving, sending = FORKS.Pipe(duplex=False)
    process = forked(_serve, root, accounts, sending)
    server = receiving.recv()

    def ended() -> int | None:
        process.join(30)
        return process.exitcode

    return server, ended
