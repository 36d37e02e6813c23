"""Who started a run, and whether it may do what it is asked: the clock little, a person what his assertion is for.

Decides:    that a run started by hand needs an operator's assertion once there are operators; which runs are the
            clock's; what is noted of who started a run.
Leaves:     every check to `juki.gate`; a person who passed it on the way here (a command) does not pass it again.
Invariants: the assertion is used up before anything of the run is done, so that what Prefect keeps of it is
            worthless; the same run tried again needs another one, also where the clock made it. One entry ties a run
            to the operator who started it.
Source:     assessment M7, design 6 and 7, ADR-0036.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext

from config.gates import gate_of
from juki.errors import DeniedError
from juki.gate import PASSED, Gate, Presented
from juki.operator_matrix import SYSTEM, access_of
from juki.operators import Act, Acting
from juki.reasons import Code
from tasks import clock
from tasks.boundary import run_actor
from tasks.workshop import Workshop

_SCHEDULE = "SCHEDULE"
"""How Prefect's scheduler signs the runs it makes."""
_EARLIEST = timedelta(minutes=1)
"""A worker fetches runs some seconds before they are due."""
_LATEST = timedelta(days=8)
"""The newest run missed while the site was down is made up for (ADR-0034), and the rarest schedule is weekly."""


def started_by(act: Act, assertion: str) -> Acting:
    """Tell who a run acts for, as `authorise` does, and show an operator on its page."""
    who = authorise(act, assertion)
    if who.operator_id:
        page = f"- 操作者 {who.operator_id}（端末 {who.terminal}）\n- 操作 {act.command} {act.target}\n"
        create_markdown_artifact(page, key="operator", description="この実行を始めた操作者")
    return who


def authorise(act: Act, assertion: str) -> Acting:
    """Tell who a run acts for, or refuse it.

    Raises: DeniedError with what stands against it; OPERATOR_SYSTEM_ACT where the clock asks for too much.
    """
    passed = started_by_command(act)
    if passed is not None:
        return passed
    gate = _gate()
    if not assertion and _is_by_the_clock():
        _check_system(gate, act)
        return gate.bystander
    if not assertion and not gate.is_closed():
        return gate.bystander
    who = gate.admit(Presented(assertion), act, access_of(act.command), clock.now())
    gate.note_start(who, act, clock.now(), run_actor())
    return who


def started_by_command(act: Act) -> Acting | None:
    """Tell who passed the gate on the way here, and tie this run to him in the log; None where nobody did.

    Raises: DeniedError(OPERATOR_ASSERTION_REPLAYED).
    """
    passed = PASSED.get()
    if passed is not None:
        _gate().note_start(passed, act, clock.now(), run_actor())
    return passed


@contextmanager
def denials_noted(who: Acting, command: str) -> Iterator[None]:
    """Record what only the store could refuse an operator who had passed the gate, as a command does.

    Raises: DeniedError with what stood against it.
    """
    try:
        yield
    except DeniedError as error:
        code, ref = error.code, error.ref
    else:
        return
    _gate().note_replay(who, Act(command), code, clock.now())
    raise DeniedError(code, ref)


def _is_by_the_clock() -> bool:
    context = FlowRunContext.get()
    run = context.flow_run if context is not None else None
    return run is not None and is_by_the_clock(run, clock.now())


def is_by_the_clock(run: FlowRun, now: datetime) -> bool:
    """Tell whether a schedule made this run and this is its first try, about when it was due.

    Whatever else is so, a person had it run: who only knows the password of the screens can set an old run back, and
    try a failed one again.
    """
    made, due = run.created_by, run.expected_start_time
    if not run.auto_scheduled or made is None or made.type != _SCHEDULE or due is None:
        return False
    return run.run_count <= 1 and due - _EARLIEST <= now <= due + _LATEST


def _check_system(gate: Gate, act: Act) -> None:
    if act.command not in SYSTEM:
        gate.note_refusal(act, Code.OPERATOR_SYSTEM_ACT, clock.now(), None)
        raise DeniedError(Code.OPERATOR_SYSTEM_ACT, act.command)


def _gate() -> Gate:
    shop = Workshop.open()
    # Prefect keeps the parameters of a run, and everybody at the screens sees them.
    return gate_of(shop.home, shop.settings, Acting(run_actor()), is_overlooked=True)
