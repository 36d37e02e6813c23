"""A process in which everything is loaded and tried once, from which workers are forked at a cost of milliseconds.

A worker does what the flow does for one channel, step by step, without the engine around it. The nursery has no
thread and no connection when it forks, and says so if it had.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from juki.order import Channel

_SPAWNED = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to do: work, reconcile or tell of a channel, at a held instant, dying at some step, or not."""

    channel: Channel
    at: datetime | None = None
    death: Any = None
    point: str = ""
    is_traced: bool = False
    reconciles: bool = False
    """Reconcile it in mode repair, and say the code that ended with."""
    forwards: bool = False
    """Tell J-LIS of the file of the channel, and say the code that ended with."""
    provides: bool = False
    """Take requests in, answer and deliver them."""
    environment: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    """Run the command line with these arguments, in this environment only, and say what it printed, as JSON."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a worker ended: its exit code (negative: the signal), and what it said."""

    code: int
    said: str

    @property
    def steps(self) -> list[Any]:
        """The steps of a traced run."""
        from tests.flows.kill_points import Kind, Step

        return [Step(Kind(kind), what) for kind, what in json.loads(self.said)]


@dataclass(slots=True)
class Nursery:
    """Workers on demand, for the installation of JUKI_HOME; started once for a session."""

    channel: Channel
    _pipe: Connection = field(init=False, repr=False)
    _process: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pipe, other = _SPAWNED.Pipe()
        self._process = _SPAWNED.Process(target=_serve, args=(other, self.channel), daemon=True)
        self._process.start()
        other.close()

    def work(self, order: Order) -> Ended:
        """Let a worker work and wait for its end."""
        self._pipe.send(order)
        ended: Ended = self._pipe.recv()
        return ended

    def close(self) -> None:
        """End the nursery."""
        self._pipe.close()
        self._process.join(30)


def _serve(pipe: Connection, channel: Channel) -> None:
    """Load everything a worker needs, then fork one for each order until nobody orders any more."""
    from juki.cli.app import build_app
    from tasks import forwarding  # noqa: F401
    from tests.flows import driver, kill_points, named_deaths, reconciling  # noqa: F401

    build_app()
    driver.warm(channel)
    while True:
        try:
            order: Order = pipe.recv()
        except EOFError:
            os._exit(0)
        if threading.active_count() > 1:
            raise RuntimeError("the nursery has threads and can not fork")
        pipe.send(_forked(order))


def _forked(order: Order) -> Ended:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _work(order, writing)
    os.close(writing)
    said = bytearray()
    while part := os.read(reading, 65536):
        said += part
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    return Ended(os.waitstatus_to_exitcode(status), said.decode())


def _work(order: Order, pipe: int) -> None:
    """Be a worker; never comes back."""
    code = 1
    try:
        code = _worked(order, lambda said: _say(pipe, said))
    except BaseException:  # noqa: BLE001 - told as the exit code, the trace goes to the terminal of the tests
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)


def _say(pipe: int, said: str) -> None:
    data = said.encode()
    while data:
        data = data[os.write(pipe, data) :]


def _commanded(arguments: tuple[str, ...], say: Callable[[str], None]) -> int:
    """Be the process of a command; its exit code."""
    from juki.cli import main

    sys.argv = ["juki", *arguments]
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    say(json.dumps([out.getvalue(), err.getvalue()]))
    return code


def _worked(order: Order, say: Callable[[str], None]) -> int:
    """Do what was ordered; the exit code."""
    from tasks import clock
    from tests.flows import named_deaths
    from tests.flows.kill_points import Instrument

    if order.command:
        os.environ.clear()
    os.environ.update(order.environment)
    if order.command:
        return _commanded(order.command, say)
    held: AbstractContextManager[None] = clock.held_at(order.at) if order.at else nullcontext()
    if order.point:
        named_deaths.arm(order.point)
    instrument = Instrument(Path(os.environ["JUKI_HOME"]), order.death, say)
    if order.death is not None or order.is_traced:
        instrument.install()
    with held:
        instrument.is_on = True
        ended = _done(order)
        instrument.is_on = False
    say(json.dumps([[step.kind, step.what] for step in instrument.steps]) if order.is_traced else ended)
    return 0


def _done(order: Order) -> str:
    from juki.differences import Mode
    from tasks.forwarding import forward_file
    from tests.flows import driver, reconciling

    if order.forwards:
        failure = forward_file.fn(order.channel.file).failure
        return failure.value if failure else ""
    if order.provides:
        driver.provide()
        return ""
    if order.reconciles:
        return reconciling.reconcile(order.channel, Mode.REPAIR)
    driver.work(order.channel)
    return ""
