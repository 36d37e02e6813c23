"""What the password of the screens is enough for: looking, starting and trying runs again; and for nothing else."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.serving.app import Gate
from flows.serving.closed import is_for_the_site_only, is_looked_at

RUN = "/api/deployments/0c3a/create_flow_run"
ATTACKS: dict[str, tuple[str, str, Any]] = {
    "a command in the variables of a run": (
        "POST",
        RUN,
        {"parameters": {}, "job_variables": {"command": "touch x"}},
    ),
    "an environment in them": ("POST", RUN, {"job_variables": {"env": {"PYTHONPATH": "/tmp"}}}),
    "variables hidden deeper": ("POST", "/api/flow_runs/", {"a": [{"job_variables": {"working_dir": "/"}}]}),
    "variables of a run that waits": ("PATCH", "/api/flow_runs/0c3a", {"job_variables": {"command": "x"}}),
    "the old name of variables": ("POST", RUN, {"infra_overrides": {"command": "x"}}),
    "a deployment of other code": ("POST", "/api/deployments/", {"name": "x", "entrypoint": "os:system"}),
    "code pulled from elsewhere": ("PATCH", "/api/deployments/0c3a", {"pull_steps": [{"prefect.x": {}}]}),
    "an entry point exchanged": ("PATCH", "/api/deployments/0c3a", {"entrypoint": "evil:flow"}),
    "a deployment moved to another pool": ("PATCH", "/api/deployments/0c3a/", {"work_pool_name": "mine"}),
    "a deployment taken away": ("DELETE", "/api/deployments/0c3a", None),
    "a pool whose template is another": ("PATCH", "/api/work_pools/juki", {"base_job_template": {"x": 1}}),
    "a pool of one's own": ("POST", "/api/work_pools/", {"name": "mine", "type": "process"}),
    "an alarm taken away": ("DELETE", "/api/automations/0c3a", None),
    "an alarm that runs something": ("POST", "/api/automations/", {"actions": [{"type": "run-deployment"}]}),
    "a schedule of one's own": ("POST", "/api/deployments/0c3a/schedules", [{"schedule": {"interval": 60}}]),
    "runs that look like those of a schedule": (
        "POST",
        "/api/deployments/0c3a/schedule",
        {"end_time": "2030-01-01"},
    ),
    "other parameters of a scheduled run": (
        "PATCH",
        "/api/flow_runs/0c3a",
        {"parameters": {"mode": "修復まで"}},
    ),
    "a run of no deployment": ("POST", "/api/flow_runs/", {"auto_scheduled": True, "flow_id": "0c3a"}),
    "many runs at once": ("POST", "/api/deployments/0c3a/create_flow_run/bulk", [{"parameters": {}}]),
    "a run in the place of a scheduled one": (
        "POST",
        RUN,
        {"idempotency_key": "scheduled 0c3a 0c3a 2030-01-01"},
    ),
    "a run that has ended before it began": ("POST", RUN, {"state": {"type": "COMPLETED"}}),
    "an end that was none": (
        "POST",
        "/api/flow_runs/0c3a/set_state",
        {"state": {"type": "COMPLETED"}, "force": True},
    ),
    "an end by its name, which names the event an alarm waits for": (
        "POST",
        "/api/flow_runs/0c3a/set_state",
        {"state": {"type": "CANCELLED", "name": "Completed"}, "force": True},
    ),
    "a run that is started under the name of an end": (
        "POST",
        RUN,
        {"state": {"type": "SCHEDULED", "name": "Completed"}},
    ),
    "a name of another type": (
        "POST",
        "/api/flow_runs/0c3a/set_state",
        {"state": {"type": "SCHEDULED", "name": "Cancelled"}},
    ),
    "the name of a beat": (
        "POST",
        "/api/flow_runs/0c3a/set_state",
        {"state": {"type": "PAUSED", "name": "heartbeat"}},
    ),
    "a name in other letters": (
        "POST",
        "/api/flow_runs/0c3a/set_state",
        {"state": {"type": "CANCELLED", "name": "cancelled"}},
    ),
    "a name that is empty": (
        "POST",
        "/api/flow_runs/0c3a/set_state",
        {"state": {"type": "CANCELLED", "name": ""}},
    ),
    "a type that is none": ("POST", "/api/flow_runs/0c3a/set_state", {"state": {"type": ["CANCELLED"]}}),
    "a name that is none": (
        "POST",
        "/api/flow_runs/0c3a/set_state",
        {"state": {"type": "CANCELLED", "name": ["Cancelled"]}},
    ),
    "many states at once": ("POST", "/api/flow_runs/bulk_set_state", {"state": {"type": "SCHEDULED"}}),
    "all deployments taken away": ("POST", "/api/deployments/bulk_delete", {}),
    "all flows taken away": ("POST", "/api/flows/bulk_delete", {}),
    "a flow taken away": ("DELETE", "/api/flows/0c3a", None),
    "a run and its traces taken away": ("DELETE", "/api/flow_runs/0c3a", None),
    "all runs taken away": ("POST", "/api/flow_runs/bulk_delete", {}),
    "the waiting of an alarm ended by a false event": (
        "POST",
        "/api/events",
        [{"event": "prefect.flow-run.Completed"}],
    ),
    "slots taken so that nothing runs": ("POST", "/api/v2/concurrency_limits/increment", {"slots": 9}),
    "a limit taken away": ("DELETE", "/api/v2/concurrency_limits/0c3a", None),
    "an artifact of one's own": ("POST", "/api/artifacts/", {"key": "purge-summary"}),
    "a line in the log of a run": ("POST", "/api/logs/", [{"message": "x"}]),
    "a path of a later Prefect": ("POST", "/api/deployments/0c3a/run_now", {}),
    "a question that is none": ("DELETE", "/api/flow_runs/filter", None),
    "the database of Prefect cleared": ("POST", "/api/admin/database/clear", {"confirm": True}),
}
ALLOWED = {
    "a run with its parameters": ("POST", RUN, {"parameters": {"mode": "照合のみ"}, "job_variables": {}}),
    "a run set back": (
        "POST",
        "/api/flow_runs/0c3a/set_state",
        {"state": {"type": "SCHEDULED"}, "force": True},
    ),
    "a deployment paused": ("PATCH", "/api/deployments/0c3a", {"paused": True}),
    "runs looked for": ("POST", "/api/flow_runs/filter", {"deployments": {"id": {"any_": ["0c3a"]}}}),
    "pools looked for": ("POST", "/api/work_pools/filter", {}),
    "workers looked for": ("POST", "/api/work_pools/juki/workers/filter", {}),
    "automations counted": ("POST", "/api/automations/count", {}),
    "a quick run": (
        "POST",
        RUN,
        {"state": {"type": "SCHEDULED", "message": "Run from the Prefect UI with defaults"}},
    ),
    "a run of the form": (
        "POST",
        RUN,
        {
            "name": "x",
            "parameters": {"mode": "照合のみ"},
            "tags": ["juki"],
            "job_variables": {},
            "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2030-01-01T00:00:00Z"}},
            "empirical_policy": {"retries": 0, "retry_delay": 0},
            "enforce_parameter_schema": True,
            "context": None,
        },
    ),
    "a run tried again": (
        "POST",
        "/api/flow_runs/0c3a/set_state",
        {
            "state": {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "x", "state_details": {}},
            "force": False,
        },
    ),
    "a run cancelled": (
        "POST",
        "/api/flow_runs/0c3a/set_state",
        {"state": {"type": "CANCELLING"}, "force": True},
    ),
    "a run cancelled on its page": (
        "POST",
        "/api/flow_runs/0c3a/set_state",
        {"state": {"type": "CANCELLING", "name": "Cancelling", "state_details": None}, "force": True},
    ),
    "a run suspended": (
        "POST",
        "/api/flow_runs/0c3a/set_state",
        {
            "state": {"type": "PAUSED", "name": "Suspended", "state_details": {"pause_reschedule": True}},
            "force": True,
        },
    ),
    "a run resumed": ("POST", "/api/flow_runs/0c3a/resume", None),
    "artifacts looked for": ("POST", "/api/artifacts/latest/filter", {}),
    "events counted": ("POST", "/api/events/count-by/time", {}),
    "the form asked whether it is filled in": ("POST", "/api/ui/schemas/validate", {"values": {}}),
    "nothing said": ("POST", "/api/deployments/0c3a/pause_deployment", None),
}


def _body(said: Any) -> bytes:
    return b"" if said is None else json.dumps(said).encode()


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_would_execute_something_else_needs_the_key_of_the_site(attack: str) -> None:
    """Each is looked at, and refused to whoever has the password only."""
    method, path, said = ATTACKS[attack]
    assert is_looked_at(method, path)
    assert is_for_the_site_only(method, path, _body(said))


@pytest.mark.parametrize("act", ALLOWED)
def test_what_an_operator_does_on_the_screens_passes(act: str) -> None:
    """Starting, retrying, pausing, looking."""
    method, path, said = ALLOWED[act]
    assert not is_for_the_site_only(method, path, _body(said))


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000, b"[]", b'"x"'])
def test_body_that_can_not_be_read_starts_nothing(body: bytes) -> None:
    """What is no object is not what the screens send."""
    assert is_for_the_site_only("POST", RUN, body)


WRITES = {
    "/flow_runs/{id}/set_state", "/flow_runs/{id}/resume", "/deployments/{id}/create_flow_run",
    "/deployments/{id}/pause_deployment", "/deployments/{id}/resume_deployment", "/deployments/{id}",
}  # fmt: skip
"""What of Prefect's API may change something by the password of the screens."""


def test_no_other_path_of_this_prefect_writes_by_the_password_of_the_screens() -> None:
    """Every path of the server that is installed, asked with the most that is let pass."""
    from prefect.server.api.server import create_api_app

    said = json.dumps({"paused": True}).encode()
    bodies = (b"", said)
    asked = [
        (method.upper(), path)
        for path, methods in create_api_app().openapi()["paths"].items()
        for method in methods
        if method != "get"
    ]
    assert len(asked) > 100
    passing = {
        path
        for method, path in asked
        if any(
            not is_for_the_site_only(method, f"/api{re.sub('{[^}]*}', '0c3a', path)}", body)
            for body in bodies
        )
    }
    questions = ("filter", "count", "paginate", "history", "lateness", "validate")
    asking = {
        path
        for path in passing
        if path.rpartition("/")[2].startswith((*questions, "next-runs", "{countable}"))
    }
    assert passing - asking == WRITES


def _sockets(routes: Iterable[Any]) -> Iterator[str]:
    """List the paths of the sockets among routes and in what they include."""
    for one in routes:
        if "WebSocket" in type(one).__name__:
            yield one.path
        included = getattr(one, "original_router", None)
        if included is not None:
            yield from _sockets(included.routes)


def _said_to(path: str, *headers: tuple[bytes, bytes]) -> tuple[list[str], list[dict[str, Any]]]:
    """Open a socket at the gate; return the paths that came through, and what was answered by the gate itself."""
    passed, said = list[str](), list[dict[str, Any]]()

    async def server(scope: Any, _receive: Any, _send: Any) -> None:
        passed.append(scope["path"])

    async def nothing() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        said.append(dict(message))

    asked = [(b"host", b"127.0.0.1:4200"), *headers]
    scope = {"type": "websocket", "path": re.sub("{[^}]*}", "juki", path), "headers": asked}
    asyncio.run(Gate(server, "s3cret")(scope, nothing, send))
    return passed, said


def test_no_socket_of_this_prefect_opens_by_the_password_of_the_screens() -> None:
    """One registers a worker and makes its pool, with a command; one tells events. The screens open none at all."""
    from prefect.server.api.server import create_api_app

    sockets = [f"/api{path}" for path in _sockets(create_api_app().routes)]
    assert {"/api/events/in", "/api/work_pools/{work_pool_name}/workers/connect"} < set(sockets)
    for path in (*sockets, "/api/a/socket/of/a/later/prefect"):
        assert _said_to(path) == ([], [{"type": "websocket.close", "code": 1008}]), path
        assert _said_to(path, (b"x-juki-site", b"other"))[0] == []
        passed, said = _said_to(path, (b"x-juki-site", b"s3cret"))
        assert (len(passed), said) == (1, []), path


def test_screens_of_this_prefect_open_no_socket() -> None:
    """Whatever a later one opens has to be looked at here before it is let through."""
    import prefect

    pages = Path(prefect.__file__).parent / "server" / "ui"
    scripts = [path.read_text(errors="replace") for path in pages.rglob("*.js")]
    assert len(scripts) > 50
    assert not any("WebSocket" in one for one in scripts)
