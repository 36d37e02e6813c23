"""The boundary every task and flow stands behind: only codes come out.

Decides:    the policy of every Prefect task (no stored results, no cache, retries only for what is transient),
            that no exception with a value, a cause or a traceback into our data reaches Prefect, and that a run
            keeps its connections to the stores until it ends.
Invariants: Prefect stores the message of an exception, its pickle and its cause chain; so what leaves is a
            fresh error with a code and a reference, raised where nothing is being handled.
Source:     design 6, ADR-0006.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import prefect.runtime.flow_run
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from juki.errors import JukiError
from juki.reasons import Code
from juki.store.engine import connections_kept

P = ParamSpec("P")
R = TypeVar("R")


class PipelineError(Exception):
    """Why a step could not go on: a code, a reference without values, and whether trying again may help."""

    def __init__(self, code: Code, ref: str = "", is_transient: bool = False) -> None:
        self.code = code
        self.ref = ref
        self.is_transient = is_transient
        super().__init__(code, ref, is_transient)

    def __str__(self) -> str:
        return f"[{self.code.value}] {self.code.message}" + (f"（{self.ref}）" if self.ref else "")


def sealed(function: Callable[P, R]) -> Callable[P, R]:
    """Let only PipelineErrors out of a function."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with connections_kept():
                return function(*args, **kwargs)
        except PipelineError as error:
            code, ref, is_transient = error.code, error.ref, error.is_transient
        except JukiError as error:
            code, ref, is_transient = error.code, error.ref, error.is_transient
        except Exception as error:  # noqa: BLE001 - the text of an unknown error may hold values
            code, ref, is_transient = Code.RUN_UNEXPECTED, type(error).__name__, False
        raise PipelineError(code, ref, is_transient)

    # Prefect reads types by the names of the module it finds the function in, and that would be this one.
    guarded.__signature__ = inspect.signature(function, eval_str=True)  # type: ignore[attr-defined]
    guarded.__annotations__ = inspect.get_annotations(function, eval_str=True)
    return guarded


def is_transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """The one retry condition: the error says itself whether trying again may help."""
    failure = state.result(raise_on_failure=False)
    return isinstance(failure, PipelineError) and failure.is_transient


def run_actor() -> str:
    """Name who acts in the operation log: the flow run, or the system where there is none."""
    run_id = prefect.runtime.flow_run.id
    return f"flow-run:{run_id}" if run_id else "system"


UNIT_OF_WORK: dict[str, Any] = {
    "persist_result": False,
    "cache_policy": NO_CACHE,
    "log_prints": False,
    "retries": 3,
    "retry_delay_seconds": [1, 5, 20],
    "retry_condition_fn": is_transient,
}
"""The policy of every task that does one unit of work."""

ONCE: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE, "log_prints": False}
"""The policy of a task that is made of units of work: each of them is retried on its own."""

WHOLE: dict[str, Any] = {"persist_result": False, "log_prints": False}
"""The policy of flows."""
