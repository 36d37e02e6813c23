"""Events of a flow run: one when it starts, one when it ends, in the form of OpenLineage.

Decides:    which run an event is of, and what kind of end a run had.
Leaves:     the form to `juki.lineage`, keeping to `juki.lineage_files`, what was read and written to `note`.
Invariants: nothing here stops a run or changes how it ends: where there is no installation to write into, or the
            file can not be written, the run goes on. Of an error only its code is told. A killed process writes no
            end; the alarm about its run does (`tell_aborted`).
Source:     ADR-0041.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar
from uuid import UUID, uuid4, uuid5

import prefect.runtime.flow_run

from config.settings import Settings, home_of, load_settings
from juki.errors import JukiError
from juki.home import Home
from juki.lineage import Job, Run, Sets, Stage, event_of, in_order
from juki.lineage_files import LineageFiles
from juki.reasons import Code
from tasks import clock
from tasks.boundary import PipelineError

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True)
class _Trace:
    """The run that is going on, and what it has said so far of what it read and wrote."""

    home: Home
    settings: Settings
    run: Run
    sets: Sets

    def tell(self, stage: Stage, code: Code | None = None) -> None:
        """Write an event, if it can be written."""
        sets = Sets(in_order(self.sets.inputs), in_order(self.sets.outputs))
        _write(self.home, self.settings, self.run, stage, sets, code)


_TRACE: ContextVar[_Trace | None] = ContextVar("lineage", default=None)


def traced(job: Job) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Write the events of a flow; stands directly over its function, inside the boundary."""

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def told(*args: P.args, **kwargs: P.kwargs) -> R:
            trace = _begun(job)
            if trace is None:
                return function(*args, **kwargs)
            token = _TRACE.set(trace)
            try:
                trace.tell(Stage.START)
                result = function(*args, **kwargs)
            except Exception as error:
                trace.tell(Stage.FAIL, _code_of(error))
                raise
            except BaseException:
                # Cancelled, or told to end: the run did not fail, and what it did stands.
                trace.tell(Stage.ABORT)
                raise
            finally:
                _TRACE.reset(token)
            trace.tell(Stage.COMPLETE)
            return result

        return told

    return decorated


def note(sets: Sets) -> None:
    """Say what the run that is going on read and wrote; told with the end of the run, whatever it is."""
    trace = _TRACE.get()
    if trace is not None:
        trace.sets = Sets((*trace.sets.inputs, *sets.inputs), (*trace.sets.outputs, *sets.outputs))


def tell_aborted(deployment: str, flow_run: UUID, attempts: int) -> None:
    """Write the end of a run whose process is gone, unless it wrote one itself; other flows have no events."""
    installation = _installation()
    if installation is None or deployment not in list(Job):
        return
    home, settings = installation
    run = _attempt(Job(deployment), flow_run, attempts, settings.prefecture_code)
    if not LineageFiles(home).has_end(run.run_id):
        _write(home, settings, run, Stage.ABORT, Sets(), None)


def _begun(job: Job) -> _Trace | None:
    installation = _installation()
    if installation is None:
        return None
    home, settings = installation
    return _Trace(home, settings, _run_of(job, settings.prefecture_code), Sets())


def _installation() -> tuple[Home, Settings] | None:
    """Find where events are written; None where they are switched off, or the flow itself will say what is wrong."""
    home = home_of()
    try:
        settings = load_settings(home)
    except JukiError:
        return None
    return (home, settings) if settings.lineage and home.exists else None


def _run_of(job: Job, prefecture_code: str) -> Run:
    """Name the run as the operation log does."""
    found = prefect.runtime.flow_run.id
    if not found:
        return Run(job, uuid4(), prefecture_code)
    return _attempt(job, UUID(str(found)), prefect.runtime.flow_run.run_count or 1, prefecture_code)


def _attempt(job: Job, flow_run: UUID, attempts: int, prefecture_code: str) -> Run:
    """Name an attempt of a flow run; tried again in place, it is a run of its own under the first."""
    if attempts <= 1:
        return Run(job, flow_run, prefecture_code)
    return Run(job, uuid5(flow_run, str(attempts)), prefecture_code, flow_run)


def _code_of(error: Exception) -> Code:
    return error.code if isinstance(error, PipelineError | JukiError) else Code.RUN_UNEXPECTED


def _write(home: Home, settings: Settings, run: Run, stage: Stage, sets: Sets, code: Code | None) -> None:
    at = clock.now()
    event = event_of(run, stage, at, sets, code)
    LineageFiles(home).write(event, clock.civil_date(at), settings.lineage_days_kept)
