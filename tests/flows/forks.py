"""Workers that something befalls from outside: forked by a process that has imported everything once.

That process keeps the environment of the moment it was started in, which is that of the first test that needed a
worker. So every worker is given the environment of those who want it, and forgets the other.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from typing import Any

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.flows.driver"])


def forked(
    work: Callable[..., object], *arguments: Any, environment: Mapping[str, str] | None = None
) -> ForkServerProcess:
    """Start a worker in this environment, or in another one that is named whole."""
    worker = FORKS.Process(target=_in, args=(dict(environment or os.environ), work, arguments))
    worker.start()
    return worker


def told(work: Callable[..., object], *arguments: Any) -> Any:
    """Let a worker work, which is given the end of a pipe last, and return what it says; None for nothing."""
    ours, theirs = FORKS.Pipe(duplex=False)
    worker = forked(work, *arguments, theirs)
    theirs.close()
    said = ours.recv() if ours.poll(120) else None
    worker.join(120)
    return said


def _in(environment: dict[str, str], work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    work(*arguments)
