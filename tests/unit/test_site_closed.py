"""What the password of the screens is not enough for: whatever decides which program or code is executed."""

from __future__ import annotations

import json
from typing import Any

import pytest

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


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000])
def test_body_the_server_can_not_read_either_is_left_to_it(body: bytes) -> None:
    """It answers that it is none; a deployment is changed by no such body."""
    assert not is_for_the_site_only("POST", RUN, body)
