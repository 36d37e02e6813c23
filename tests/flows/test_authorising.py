"""Runs started by hand and by the clock: who is asked for an assertion, what it is used for, what is left of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from prefect._internal.schemas.fields import CreatedBy
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext

from juki.errors import DeniedError
from juki.gate import PASSED
from juki.home import Home
from juki.journal import Authentication
from juki.operators import Act, Acting
from juki.package_id import PackageId
from juki.reasons import Code
from tasks.authorising import authorise
from tasks.boundary import PipelineError
from tasks.by_hand import approve_differences, approve_reconciliation, release, resend_provision
from tests.conftest import Stores
from tests.console import RESIDENT, Console
from tests.gateway import PAIR, TERMINAL, Desk

PURGE = Act("purge")


@pytest.fixture
def open_home(
    tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation without operators."""
    return Console(Home.at(tmp_path / "home"), stores, monkeypatch, capsys)


@pytest.fixture
def desk(open_home: Console, tmp_path: Path) -> Desk:
    """An installation with operators, one of them for each kind of work."""
    made = Desk(open_home, tmp_path)
    made.register("op-5", "reconciler", "provider")
    return made


def by_the_clock(late: timedelta = timedelta(0), **otherwise: Any) -> FlowRunContext:
    """The context of a run that a schedule made, begun when it was due; or otherwise."""
    said = {
        "auto_scheduled": True, "created_by": CreatedBy(type="SCHEDULE"), "run_count": 1,
        "expected_start_time": datetime.now(UTC) - late,
    }  # fmt: skip
    return FlowRunContext.model_construct(flow_run=FlowRun(flow_id=uuid4(), **said | otherwise))


def entries(desk: Desk) -> list[dict[str, Any]]:
    """The operation log."""
    with psycopg.connect(desk.console.stores.url(RESIDENT)) as connection:
        return [row[0] for row in connection.execute("SELECT entry::jsonb FROM journal ORDER BY entry_no")]


def refused(act: Act, assertion: str = "") -> Code:
    """The code a run is refused with."""
    with pytest.raises(DeniedError) as caught:
        authorise(act, assertion)
    return caught.value.code


def test_without_operators_runs_go_on_as_they_did(open_home: Console) -> None:
    """An installation that has no operators yet is not stopped."""
    assert authorise(PURGE, "").operator_id == ""


def test_run_started_by_hand_needs_an_assertion(desk: Desk) -> None:
    """From the run form, with nothing in its field; and the refusal is in the log."""
    assert refused(PURGE) is Code.OPERATOR_ASSERTION_MISSING
    assert (entries(desk)[-1]["action"], entries(desk)[-1]["basis"]) == ("operator.refused", "purge")


def test_run_by_the_clock_does_what_the_system_may(desk: Desk) -> None:
    """A schedule purges and reconciles without anybody, and nothing is noted of an operator."""
    before = len(entries(desk))
    with by_the_clock():
        for command in ("purge", "provide", "reconcile"):
            assert authorise(Act(command), "").operator_id == ""
    assert len(entries(desk)) == before


@pytest.mark.parametrize(
    "otherwise",
    [
        {"created_by": None}, {"created_by": CreatedBy(type="USER")}, {"auto_scheduled": False}, {"run_count": 2},
        {"late": timedelta(days=9)}, {"late": timedelta(hours=-1)}, {"expected_start_time": None},
    ],
    ids=["made by nobody", "made by hand", "not scheduled", "tried again", "long over", "too early", "never due"],
)  # fmt: skip
def test_old_run_of_a_schedule_set_back_by_hand_is_not_the_clock(
    desk: Desk, otherwise: dict[str, Any]
) -> None:
    """The password of the screens purges nothing: what looks like a schedule's and is not needs an assertion."""
    with by_the_clock(**otherwise):
        assert refused(PURGE) is Code.OPERATOR_ASSERTION_MISSING
    with by_the_clock(late=timedelta(days=7)):
        assert authorise(PURGE, "").operator_id == ""


def test_run_of_a_command_is_tied_to_the_operator_by_one_entry(desk: Desk) -> None:
    """Who passed the gate at a terminal stands beside the run that did it, once however often it is asked."""
    who = Acting("operator:op-5", TERMINAL, Authentication("act", ("a" * 22,)))
    passed = PASSED.set(who)
    before = len(entries(desk))
    try:
        assert authorise(PURGE, "") == who
    finally:
        PASSED.reset(passed)
    (noted,) = entries(desk)[before:]
    assert (noted["action"], noted["actor"], noted["basis"]) == ("run.started", "operator:op-5", "purge")
    assert (noted["change"], noted["assertions"]) == ("system", ["a" * 22])


def test_refused_assertion_others_read_counts_once(desk: Desk) -> None:
    """Prefect keeps what was typed into the form: whoever finds it there locks nobody by trying it again."""
    token = desk.gateway.token("op-5", "reconcile", "352012 resident repair")
    assert refused(Act("reconcile", "352039 resident repair"), token) is Code.OPERATOR_ASSERTION_ACT
    for _ in range(6):
        assert refused(Act("purge"), token) is Code.OPERATOR_ASSERTION_ACT
    listed = desk.console.juki("operator", "list", "--json").data["operators"]
    (found,) = [one for one in listed if one["id"] == "op-5"]
    assert (found["failures"], found["is_active"]) == (1, True)


@pytest.mark.parametrize("command", ["provision resend", "package release", "difference approve"])
def test_act_of_a_person_put_on_a_schedule(desk: Desk, command: str) -> None:
    """Whoever schedules what only an operator may do gets a run that is refused, and the log says so."""
    with by_the_clock():
        assert refused(Act(command, "R1")) is Code.OPERATOR_SYSTEM_ACT
    assert entries(desk)[-1]["code"] == "operator.system_act"


def test_assertion_of_the_run_form_is_used_up_before_anything_is_done(desk: Desk) -> None:
    """What Prefect keeps of it is worthless from the first entry on: another run with it is refused."""
    token = desk.gateway.token("op-5", "purge")
    who = authorise(PURGE, token)
    assert (who.operator_id, entries(desk)[-1]["action"]) == ("op-5", "run.started")
    assert entries(desk)[-1]["actor"] == "operator:op-5"
    assert refused(PURGE, token) is Code.OPERATOR_ASSERTION_REPLAYED
    assert entries(desk)[-1]["code"] == "operator.assertion_replayed"


def test_assertion_for_another_run(desk: Desk) -> None:
    """One municipality, file and mode are not another."""
    attested = ("op-5", "reconcile", "352012 resident repair")
    for other in ("352039 resident repair", "352012 resident propose"):
        assert refused(Act("reconcile", other), desk.gateway.token(*attested)) is Code.OPERATOR_ASSERTION_ACT
    token = desk.gateway.token(*attested)
    assert authorise(Act("reconcile", "352012 resident repair"), token).operator_id == "op-5"


def test_role_counts_in_the_run_form_too(desk: Desk) -> None:
    """An administrator repairs, but provides nothing to anybody."""
    token = desk.gateway.token(PAIR[0], "provide")
    assert refused(Act("provide"), token) is Code.OPERATOR_ROLE


@pytest.mark.parametrize(
    ("act", "work", "code"),
    [
        (Act("provision resend", "R1"), lambda who: resend_provision.fn(PackageId(RESIDENT, 1), who), "hold.unknown"),
        (
            Act("package release", "R1"), lambda who: release.fn(PackageId(RESIDENT, 1), "試験", who),
            "package.not_found",
        ),
        (
            Act("difference approve", "R1"), lambda who: approve_differences.fn([PackageId(RESIDENT, 1)], who),
            "difference.unknown",
        ),
        (
            Act("difference approve", "R1"), lambda who: approve_reconciliation.fn(PackageId(RESIDENT, 1), who),
            "reconciliation.not_found",
        ),
    ],
    ids=["resend", "release", "approve", "approve-beyond"],
)  # fmt: skip
def test_act_from_the_run_form_reaches_the_core(desk: Desk, act: Act, work: Any, code: str) -> None:
    """Each ends with the code of the core, once its operator was let."""
    who = authorise(act, desk.gateway.token("op-5", act.command, act.target))
    with pytest.raises(PipelineError) as caught:
        work(who)
    assert caught.value.code.value == code


def test_nobody_approves_what_he_proposed(desk: Desk) -> None:
    """Neither repairs he proposed, nor changes beyond the bound that he had run: another operator may."""
    desk.register("op-6", "reconciler")
    with psycopg.connect(desk.console.stores.url(RESIDENT)) as connection:
        connection.execute(
            "INSERT INTO difference (municipality_code, kind, resident_code, columns, state, watermark,"
            " first_seen_at, last_seen_at, first_reconciliation_id, last_reconciliation_id, proposed_by)"
            " VALUES ('352012', 'missing', '99999999999', '{}', 'proposed', 1, now(), now(), 1, 1, 'operator:op-5')"
        )
    who = authorise(Act("difference approve", "R1"), desk.gateway.token("op-5", "difference approve", "R1"))
    with pytest.raises(PipelineError) as caught:
        approve_differences.fn([PackageId(RESIDENT, 1)], who)
    assert caught.value.code is Code.OPERATOR_SELF_APPROVAL
    noted = entries(desk)[-1]
    assert (noted["action"], noted["code"], noted["actor"], noted["basis"]) == (
        "operator.refused", "operator.self_approval", "operator:op-5", "difference approve",
    )  # fmt: skip
    asked, target = ["difference", "approve", "R1", "--json"], "R1"
    own = desk.console.juki(*asked, *desk.one("op-5", "difference approve", target))
    assert own.data["error"]["code"] == "operator.self_approval"
    assert entries(desk)[-1]["code"] == "operator.self_approval"
    other = desk.console.juki(*asked, *desk.one("op-6", "difference approve", target))
    assert other.data == {"changed": 1}
    assert entries(desk)[-1]["actor"] == "operator:op-6"
