"""Work one channel step by step in a process of its own, and die at a named point if told to.

Test-only: the product knows no such points. Importing this module imports Prefect.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from juki.order import Channel
from juki.store.identities import Identities
from juki.store.journal import Journal
from juki.store.packages import PackageRegister
from juki.store.rejections import Rejections
from juki.store.unit import open_unit
from juki.wire.package_files import PackageFiles
from juki.wire.sftp import ServerSession
from tasks import clock
from tasks.answers import deliver_receipts
from tasks.judging_again import judge_again
from tasks.receiving import fetch_packages
from tasks.settling import settle_next
from tasks.workshop import Workshop


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: Any, name: str) -> None:
    """Die instead of doing something."""
    setattr(owner, name, _die)


def _after(owner: Any, name: str) -> None:
    """Do it, then die."""
    real: Callable[..., Any] = getattr(owner, name)

    def done(*args: Any, **kwargs: Any) -> None:
        real(*args, **kwargs)
        _die()

    setattr(owner, name, done)


def _arm(point: str) -> None:
    """Place the death."""
    points: dict[str, Callable[[], None]] = {
        "fetched, not registered": lambda: _before(PackageRegister, "register"),
        "registered, not committed": lambda: _after(PackageRegister, "register"),
        "admitted, not committed": lambda: _after(PackageFiles, "admit"),
        "read from the spool": lambda: _after(PackageFiles, "read"),
        "versions written": lambda: _after(Identities, "apply"),
        "findings written": lambda: _after(Rejections, "add"),
        "journalled, not committed": lambda: _after(Journal, "append"),
        "committed, spool not emptied": lambda: _before(PackageFiles, "remove"),
        "settled, receipt not delivered": lambda: _before(ServerSession, "deliver"),
        "receipt delivered, not noted": lambda: _after(ServerSession, "deliver"),
        "quarantined, not said": lambda: _after(PackageFiles, "quarantine"),
    }
    points[point]()


def main(channel: Channel, point: str) -> None:
    """Fetch, settle and answer, as the flow does."""
    shop = Workshop.open()
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        unit.packages.attempt(channel.municipality_code, clock.now())
    if point:
        _arm(point)
    fetch_packages.fn(channel)
    while settle_next.fn(channel) is not None:
        pass
    judge_again.fn(channel)
    deliver_receipts.fn(channel)
