"""Processes that work a channel while something goes wrong around them. Test-only.

What they say to the parent is a code, as the boundary lets it out; anything else ends them with a traceback.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any

from juki.errors import JukiError
from juki.home import Home
from juki.order import Channel
from juki.store import embedded
from juki.store.identities import Identities
from juki.store.journal import Journal
from juki.store.unit import channel_lock
from tasks.boundary import PipelineError
from tasks.workshop import Workshop
from tests.flows import driver

APPLIED = "applied"


def attempt(channel: Channel) -> str:
    """Work the channel once; say that it went well, or the code it failed with."""
    try:
        driver.work_untaken(channel)
    except (PipelineError, JukiError) as error:
        return f"{error.code.value} {'transient' if error.is_transient else 'final'}"
    return APPLIED


def on_a_disk_of(channel: Channel, limit_bytes: int, to: Connection) -> None:
    """Work where no file can grow beyond a limit: writes are cut short and then refused, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    to.send(attempt(channel))


def side_by_side(channel: Channel, start: Barrier, is_locked: bool, to: Connection) -> None:
    """Work at the same time as another process, with or without the lock that keeps runs apart."""
    if not is_locked:
        start.wait()
        to.send(attempt(channel))
        return
    url = Workshop.open().store_url(channel.file)
    try:
        start.wait()
        with channel_lock(url, channel.file, channel.municipality_code):
            said = attempt(channel)
            # Not let go before the other has come to the door.
            start.wait(60)
    except JukiError as error:
        said = f"{error.code.value} final"
        start.wait(60)
    to.send(said)


def over_a_restart(channel: Channel, point: str, to: Connection) -> None:
    """Work while the embedded server is stopped and started again at a point; then try again as Prefect does."""
    home = Workshop.open().home
    owner, name = {
        "versions written": (Identities, "apply"), "journalled, not committed": (Journal, "append"),
    }[point]  # fmt: skip
    _restart_after(owner, name, home)
    said = [attempt(channel)]
    while said[-1] != APPLIED and len(said) < 4:
        said.append(attempt(channel))
    to.send(said)


def _restart_after(owner: Any, name: str, home: Home) -> None:
    real: Callable[..., Any] = getattr(owner, name)

    def done(*args: Any, **kwargs: Any) -> None:
        setattr(owner, name, real)
        real(*args, **kwargs)
        embedded.stop(home)
        embedded.start(home)

    setattr(owner, name, done)
