"""deployments.yaml: what Prefect would let pass is refused here, and a real server takes it and schedules runs."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from juki.columns import IdentityFile
from juki.differences import Mode
from tests.flows.prefect_site import running, wait_for

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deployments.yaml"
ONCE_SCHEDULED_SECONDS = 30
JAPANESE = re.compile("[ぁ-んァ-ヶ一-龠]")
BY_HAND = {
    "resend": {"provision": "R1"}, "approve": {"differences": "R1 F2"}, "approve-beyond": {"run": "F3"},
    "release": {"package": "R1", "reason": "市町村に確認し、正しいものの再送を受けるため"},
}  # fmt: skip
"""What a person fills in where nothing is done by the clock."""


class Strict(BaseModel):
    """No unknown key, no conversion."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Schedule(Strict):
    """A cron schedule in Japanese time, told apart by its slug when it is deployed again."""

    slug: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    cron: Annotated[str, Field(pattern=r"^(\S+ ){4}\S+$")]
    timezone: Literal["Asia/Tokyo"]
    active: bool
    parameters: dict[str, str] = {}


class Limit(Strict):
    """Few runs at a time; the next one waits."""

    limit: Literal[1, 2]
    collision_strategy: Literal["ENQUEUE"]


class WorkPool(Strict):
    """Where runs are worked; variables would be stored by Prefect, so there are none."""

    name: Literal["juki"]
    work_queue_name: Literal["default"]
    job_variables: Annotated[dict[str, str], Field(max_length=0)]


class Deployment(Strict):
    """One deployment, every key required."""

    name: Annotated[str, Field(pattern=r"^[a-z-]+$")]
    entrypoint: Annotated[str, Field(pattern=r"^flows(\.[a-z_]+)+:[a-z_]+$")]
    description: Annotated[str, Field(pattern=r"[ぁ-ん]")]
    tags: Annotated[list[str], Field(min_length=1)]
    parameters: dict[str, str]
    enforce_parameter_schema: Literal[True]
    concurrency_limit: Limit
    schedules: list[Schedule]
    work_pool: WorkPool


class Deployments(Strict):
    """The whole file."""

    pull: Annotated[list[str], Field(max_length=0)]
    deployments: Annotated[list[Deployment], Field(min_length=1)]


def _content() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text("utf-8"))


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """List the places of all mappings that have keys of their own to misspell."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    if isinstance(value, dict) and path[-1:] not in (("parameters",), ("job_variables",)):
        yield path
    for key, child in children:
        yield from _places(child, (*path, key))


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def test_every_key_is_known() -> None:
    """The committed file holds."""
    Deployments.model_validate(_content())


@pytest.mark.parametrize("place", list(_places(_content())), ids=str)
def test_unknown_key_is_refused_wherever_it_stands(place: tuple[str | int, ...]) -> None:
    """A misspelt key would be ignored by Prefect everywhere but in a schedule."""
    altered = deepcopy(_content())
    _at(altered, place)["concurency_limit"] = 1
    with pytest.raises(ValidationError, match="concurency_limit"):
        Deployments.model_validate(altered)


@pytest.mark.parametrize("entry", _content()["deployments"], ids=lambda entry: entry["name"])
def test_entrypoint_leads_to_a_flow_that_takes_the_parameters(entry: dict[str, Any]) -> None:
    """A flow that can not be imported would be deployed as a placeholder; here it is imported outright.

    Every schedule's own parameters are held to the choices of the run form as well.
    """
    from importlib import import_module

    from prefect import Flow

    module, name = entry["entrypoint"].split(":")
    flow = getattr(import_module(module), name)
    assert isinstance(flow, Flow)
    assert callable(flow.flow_run_name), "on the screens a run would be called by two English words"
    for part in flow.parameters.properties.values():
        assert JAPANESE.search(part["title"]) and JAPANESE.search(part["description"]), part
    flow.validate_parameters(entry["parameters"] | BY_HAND.get(entry["name"], {}))
    for schedule in entry["schedules"]:
        flow.validate_parameters(entry["parameters"] | schedule.get("parameters", {}))


def test_every_channel_is_reconciled_once_a_night_and_no_two_at_the_same_minute() -> None:
    """38 schedules, one for each municipality and file, spread between one o'clock and the morning."""
    from config.places import municipality_name, yamaguchi_municipalities

    schedules = next(one for one in _content()["deployments"] if one["name"] == "reconcile")["schedules"]
    asked = [(one["parameters"]["municipality"], one["parameters"]["file"]) for one in schedules]
    places = [f"{code} {municipality_name(code)}" for code in yamaguchi_municipalities()]
    assert sorted(asked) == sorted((place, file.japanese) for place in places for file in IdentityFile)
    assert {one["parameters"]["mode"] for one in schedules} == {Mode.REPAIR.japanese}
    times = [re.fullmatch(r"(\d+) (\d+) \* \* \*", one["cron"]) for one in schedules]
    minutes = {int(time[2]) * 60 + int(time[1]) for time in times if time}
    assert len(minutes) == len(schedules) == 38
    assert min(minutes) >= 60 and max(minutes) < 6 * 60
    assert not any(minute % 15 == 0 for minute in minutes), "the intake runs at these minutes"


def test_intake_runs_every_hour_of_the_week_and_oftener_in_working_hours() -> None:
    """The three schedules cover the week between them and never ask for the same minute twice."""
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from prefect.client.schemas.schedules import CronSchedule

    japan, times = ZoneInfo("Asia/Tokyo"), list[datetime]()
    start = datetime(2026, 11, 23, tzinfo=japan)
    for one in _content()["deployments"][0]["schedules"]:
        schedule = CronSchedule(cron=one["cron"], timezone=one["timezone"])
        times += asyncio.run(_dates(schedule, start, start + timedelta(days=7)))
    assert len(times) == len(set(times))
    hours = {(time.astimezone(japan).date(), time.astimezone(japan).hour) for time in times}
    assert len(hours) == 7 * 24
    assert len(times) == 7 * 24 + 5 * 12 * 3


async def _dates(schedule: Any, start: Any, end: Any) -> list[Any]:
    from prefect.server.schemas.schedules import CronSchedule as ServerSchedule

    server = ServerSchedule(cron=schedule.cron, timezone=schedule.timezone)
    found = await server.get_dates(n=1000, start=start, end=end)
    return [one for one in found if one < end]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A real Prefect server on a free port, as the environment that leads to it."""
    folder = tmp_path_factory.mktemp("prefect")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "JUKI_"))}
    environment = clean | {
        "PREFECT_HOME": str(folder),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder / 'prefect.db'}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--no-ui", "--port", str(port)]
    with running(command, environment, folder / "server.log") as process:
        wait_for(environment["PREFECT_API_URL"], process)
        yield environment


def _prefect(environment: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", *arguments]
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _scheduled_runs(url: str) -> list[dict[str, Any]]:
    """Wait until the scheduler of the server has made runs; a broken one never does."""
    wanted = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "limit": 200}
    for _ in range(ONCE_SCHEDULED_SECONDS * 2):
        runs: list[dict[str, Any]] = httpx.post(f"{url}/flow_runs/filter", json=wanted).json()
        if runs:
            return runs
        time.sleep(0.5)
    return []


def test_real_server_takes_the_deployments_unattended_and_schedules_runs(server: dict[str, str]) -> None:
    """SQLAlchemy 2.1 would stop the scheduler without a word: so a run that scheduled itself must be there."""
    url = server["PREFECT_API_URL"]
    _prefect(server, "work-pool", "create", "--type", "process", "juki")
    _prefect(server, "deploy", "--all", "--prefect-file", "deployments.yaml")
    found = httpx.post(f"{url}/deployments/filter", json={}).json()
    by_name = {one["name"]: one for one in found}
    assert sorted(by_name) == sorted(one["name"] for one in _content()["deployments"])
    assert len(by_name["reconcile"]["schedules"]) == 38
    deployed = by_name["intake"]
    assert deployed["entrypoint"] == "flows.intake:intake"
    assert deployed["enforce_parameter_schema"] is True
    assert deployed["pull_steps"] in (None, [])
    assert deployed["global_concurrency_limit"]["limit"] == 1
    assert deployed["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    assert sorted(one["slug"] for one in deployed["schedules"]) == [
        "weekday-nights", "weekends", "working-hours",
    ]  # fmt: skip
    runs = _scheduled_runs(url)
    assert runs and all(run["auto_scheduled"] for run in runs)
    refused = httpx.post(
        f"{url}/deployments/{deployed['id']}/create_flow_run", json={"parameters": {"files": ["all"]}}
    )
    assert refused.status_code == 409
    _is_offered_in_japanese(url, by_name["reconcile"])


def _is_offered_in_japanese(url: str, deployed: dict[str, Any]) -> None:
    """The run form's choices are Japanese words, and anything else is refused before a run begins."""
    schema = deployed["parameter_openapi_schema"]
    offered = {
        name: schema["definitions"][part["$ref"].rsplit("/", 1)[-1]]["enum"]
        for name, part in schema["properties"].items()
        if "$ref" in part
    }
    asked = schema["properties"]["assertion"]
    assert asked["format"] == "password" and "認証結果" in asked["description"]
    assert offered["mode"] == [mode.japanese for mode in Mode]
    assert offered["file"] == [file.japanese for file in IdentityFile]
    assert "352039 山口市" in offered["municipality"] and len(offered["municipality"]) == 19
    assert all(re.search("[ぁ-ん]", part["description"]) for part in schema["properties"].values())
    refused = httpx.post(
        f"{url}/deployments/{deployed['id']}/create_flow_run", json={"parameters": {"mode": "repair"}}
    )
    assert refused.status_code == 409
