"""The automations: Prefect takes each, every kind of alarm has one, and none watches the alarms themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from prefect.client.schemas.objects import FlowRun
from prefect.server.events.schemas.automations import AutomationCreate, EventTrigger, Posture
from prefect.server.events.schemas.events import ReceivedEvent

from config.settings import Settings
from flows.alarm import AlarmChoice, alarm
from flows.serving.automations import Automation, automations
from juki.alarms import AlarmKind
from juki.columns import IdentityFile
from juki.order import Channel
from juki.reasons import Code
from tasks.alarming import channel_asked

DEPLOYED: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "deployments.yaml").read_text("utf-8")
)["deployments"]
IDS = {one["name"]: str(uuid4()) for one in DEPLOYED}


@pytest.mark.parametrize("automation", automations(Settings()), ids=lambda one: one.title)
def test_prefect_takes_it_and_runs_the_alarm_with_words_of_its_form(automation: Automation) -> None:
    """Validated by the server's own schema; what it passes on is refused by no form."""
    read = AutomationCreate.model_validate(automation.specification(IDS))
    assert read.enabled
    for action in read.actions:
        if action.type == "run-deployment":
            assert str(action.deployment_id) == IDS["alarm"]
            asked = {"kind": action.parameters["kind"], "flow_run": str(uuid4())}  # type: ignore[index]
            alarm.validate_parameters(asked)


def test_every_kind_of_alarm_comes_from_an_automation_or_from_the_supervisor() -> None:
    """A kind nobody raises would be a promise nobody keeps."""
    raised = {one.kind for one in automations(Settings()) if one.is_told}
    assert raised | {AlarmKind.SITE_RESTARTED} == set(AlarmKind)
    assert {choice.name for choice in AlarmChoice} == {kind.name for kind in AlarmKind}


def test_no_alarm_is_raised_about_an_alarm_and_one_about_every_other_deployment() -> None:
    """Else one that fails would raise the next, for ever."""
    watched = {which for one in automations(Settings()) if one.is_told for which in one.watched(IDS)}
    assert watched == {which for name, which in IDS.items() if name != "alarm"}


@pytest.mark.parametrize("name", sorted(IDS))
def test_failed_run_of_every_deployment_raises_one_alarm_and_of_the_alarm_none(name: str) -> None:
    """An intake, a notice to J-LIS or a provision that fails every day was seen by nobody."""
    own = {
        "reconcile": Code.ALARM_RECONCILIATION_FAILED, "purge": Code.ALARM_PURGE_OVERDUE,
        "checkpoint": Code.ALARM_CHECKPOINT_STALE,
    }  # fmt: skip
    wanted = [] if name == "alarm" else [own.get(name, Code.ALARM_RUN_FAILED)]
    failed, well = _ended_run(name, [], "Failed"), _ended_run(name, [])
    fired = []
    for one in automations(Settings()):
        trigger = AutomationCreate.model_validate(one.specification(IDS)).trigger
        assert isinstance(trigger, EventTrigger)
        if trigger.posture is Posture.Reactive and trigger.covers(failed) and trigger.expects(failed.event):
            fired.append(one.kind.code)
            assert one.is_of_one_run and not trigger.expects(well.event)
    assert fired == wanted


def test_a_tag_that_whoever_starts_a_run_adds_neither_raises_nor_quiets_an_alarm() -> None:
    """An intake tagged `purge` that ends well is no purge: runs are told apart by their deployment."""
    told = {
        one.title: AutomationCreate.model_validate(one.specification(IDS)) for one in automations(Settings())
    }
    trigger = told["終わらない消去"].trigger
    assert isinstance(trigger, EventTrigger)
    assert not trigger.covers(_ended_run("intake", tags=["juki", "purge", "消去"]))
    assert trigger.covers(_ended_run("purge", tags=[]))


def _ended_run(name: str, tags: list[str], end: str = "Completed") -> ReceivedEvent:
    """A run that ended, as the server tells of it."""
    related = [
        {"prefect.resource.id": f"prefect.deployment.{IDS[name]}", "prefect.resource.role": "deployment"}
    ]
    related += [{"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"} for tag in tags]
    return ReceivedEvent.model_validate(
        {
            "occurred": datetime.now(UTC), "event": f"prefect.flow-run.{end}", "id": uuid4(),
            "resource": {"prefect.resource.id": f"prefect.flow-run.{uuid4()}"}, "related": related,
        }
    )  # fmt: skip


def test_the_periods_of_the_settings_are_those_of_the_automations() -> None:
    """And an automation that changed is told apart from the one that is there."""
    short = automations(Settings(purge_grace_minutes=7, checkpoint_stale_minutes=11))
    assert {60 * 7, 60 * 11} <= {one.within_seconds for one in short}
    texts = [
        {one.name: one.specification(IDS)["description"] for one in them}
        for them in (short, automations(Settings()))
    ]
    changed = {name for name in texts[0] if texts[0][name] != texts[1][name]}
    assert changed == {"juki 終わらない消去", "juki 終わらない操作ログの署名"}


def _asked(**parameters: Any) -> FlowRun:
    return FlowRun(flow_id=uuid4(), parameters=parameters)


def test_the_channel_of_a_reconciliation_is_read_from_what_was_asked() -> None:
    """The alarm stands in the log of its file; a run of all channels is of none."""
    asked = _asked(municipality="352039 山口市", file="附票本人確認情報", mode="修復まで")
    assert channel_asked(asked) == Channel("352039", IdentityFile.FUHYO)
    for other in (
        _asked(),
        _asked(municipality="x", file="附票本人確認情報"),
        _asked(municipality="352039 山口市"),
    ):
        assert channel_asked(other) is None
