"""Places of the intake at which a worker dies by name, for tests that begin with what such a death leaves.

That it may die at every other step as well is shown by `tests/flows/test_kill_points.py`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from juki.store.journal import Journal
from juki.store.packages import PackageRegister
from juki.wire.package_files import PackageFiles
from juki.wire.sftp import ServerSession

_BEFORE: dict[str, tuple[Any, str]] = {"settled, receipt not delivered": (ServerSession, "deliver")}
_AFTER: dict[str, tuple[Any, str]] = {
    "registered, not committed": (PackageRegister, "register"),
    "admitted, not committed": (PackageFiles, "admit"),
    "read from the spool": (PackageFiles, "read"),
    "journalled, not committed": (Journal, "append"),
    "quarantined, not said": (PackageFiles, "quarantine"),
}


def arm(point: str) -> None:
    """Place the death before or after what the point names."""
    if point in _BEFORE:
        owner, name = _BEFORE[point]
        setattr(owner, name, _die)
    else:
        owner, name = _AFTER[point]
        setattr(owner, name, _then_die(getattr(owner, name)))


def _then_die(real: Callable[..., Any]) -> Callable[..., None]:
    def done(*args: Any, **kwargs: Any) -> None:
        real(*args, **kwargs)
        _die()

    return done


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
