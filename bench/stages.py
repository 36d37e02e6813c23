"""Which part of a run took how long: the product's own functions, timed from outside.

Decides:    which function belongs to which stage.
Invariants: the product is not changed and knows nothing of this; a function called by a timed one counts for its
            own stage only, so that the stages add up to the whole. What other threads do meanwhile is not
            counted: a stage that waits for them is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

REST = "その他"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage as it is shown, and the functions it consists of: `module:attribute` as they are looked up."""

    name: str
    functions: tuple[str, ...]


STAGES: tuple[Stage, ...] = (
    Stage("復号・署名検証", ("tasks.settling:open_package", "juki.wire.package_files:PackageFiles.read")),
    Stage("CSVの解析", ("tasks.opening:parse_records",)),
    Stage("項目の検査", ("tasks.opening:check_records",)),
    Stage("照合値・索引", ("tasks.opening:notices_of", "tasks.applying:indexed")),
    Stage(
        "既知の照会", ("juki.store.identities:Identities.unchanged", "juki.store.identities:Identities.known")
    ),
    Stage("論理チェック", ("tasks.applying:plan_changes",)),
    Stage("版の作成・暗号化", ("juki.store.identities:versions_of",)),
    Stage("書き込み", ("juki.store.identities:Identities.apply",)),
    Stage("拒否・受領書・ログ", ("tasks.settling:_record",)),
    Stage("確定", ("psycopg:Connection.commit",)),
)


@dataclass(slots=True)
class Stopwatch:
    """Seconds by stage, on the thread that made it."""

    seconds: dict[str, float] = field(default_factory=dict)
    _thread: int = field(default_factory=threading.get_ident)
    _running: list[str] = field(default_factory=lambda: [REST])
    _since: float = field(default_factory=time.perf_counter)

    def _switch(self) -> None:
        """Credit the stage that was running with the time since the last switch."""
        now = time.perf_counter()
        running = self._running[-1]
        self.seconds[running] = self.seconds.get(running, 0.0) + now - self._since
        self._since = now

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Let a function count for a stage."""

        @wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != self._thread:
                return function(*args, **kwargs)
            self._switch()
            self._running.append(stage)
            try:
                return function(*args, **kwargs)
            finally:
                self._switch()
                self._running.pop()

        return counted

    def stop(self) -> dict[str, float]:
        """End it; give the seconds in the order of the stages, the rest last."""
        self._switch()
        names = (*(stage.name for stage in STAGES), REST)
        return {name: self.seconds[name] for name in names if name in self.seconds}


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Time the stages of everything that happens in the block."""
    watch, replaced = Stopwatch(), list[tuple[Any, str, Any]]()
    try:
        for stage in STAGES:
            for place in stage.functions:
                owner, name = owner_of(place)
                replaced.append((owner, name, getattr(owner, name)))
                setattr(owner, name, watch.timed(stage.name, getattr(owner, name)))
        yield watch
    finally:
        for owner, name, function in reversed(replaced):
            setattr(owner, name, function)


def owner_of(place: str) -> tuple[Any, str]:
    """Find what holds a function: a module or a class."""
    module, _, path = place.partition(":")
    owner: Any = __import__(module, fromlist=["_"])
    *classes, name = path.split(".")
    for one in classes:
        owner = getattr(owner, one)
    return owner, name
