"""What the password of the screens is enough for; whatever else changes something needs the key of the site.

Decides:    which requests an operator's screens make: they look, start a run of a deployment, try one again, cancel
            or pause it, and pause a deployment. They open no socket. Nothing else passes: what a later Prefect adds
            is closed.
Leaves:     who may start which run with which parameters to the deployments' schemas and to `tasks.authorising`.
Invariants: the password of the screens, which operators share, is worth neither the account of the machine nor the
            clock: with it nobody decides what is executed, makes a run look like that of a schedule, changes the
            parameters of a run, tells of an event or an end that was none, or takes a record away. A body is read as
            the server reads it, and passed on byte for byte.
Source:     ADR-0034, ADR-0036, M7, M9.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Set
from typing import Any

MOST_BODY_BYTES = 1_000_000
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_ASKING = re.compile(
    r"/api/(.*/)?(filter|count|paginate|history|lateness|count-by/[^/]+|count-task-runs|count-deployments|next-runs)/?"
    r"|/api/ui/schemas/validate/?"
)
"""Questions the screens put as POST. They change nothing."""
_STARTING = re.compile(r"/api/deployments/[^/]+/create_flow_run/?")
_PAUSING = re.compile(r"/api/deployments/[^/]+/(pause|resume)_deployment/?|/api/flow_runs/[^/]+/resume/?")
_SETTING = re.compile(r"/api/flow_runs/[^/]+/set_state/?")
_DEPLOYMENT = re.compile(r"/api/deployments/[^/]+/?")
_OF_A_START = frozenset(
    {
        "parameters", "name", "tags", "state", "work_queue_name", "job_variables", "empirical_policy",
        "enforce_parameter_schema",
    }
)  # fmt: skip
"""What the run form says; `job_variables` empty, for they say what a worker executes. No key of idempotency: with
that of a scheduled run, which can be told, the scheduler would make none."""
_NAMES = {
    "SCHEDULED": frozenset({"Scheduled", "AwaitingRetry"}),
    "CANCELLING": frozenset({"Cancelling"}),
    "CANCELLED": frozenset({"Cancelled"}),
    "PAUSED": frozenset({"Paused", "Suspended"}),
}
"""What a person may set a run to (tried again, cancelled, paused), and by which names. How it ended, only the run
itself tells. Prefect names the event of a state, on which alarms wait, after its name and not after its type."""
_OF_A_STATE = frozenset({"type", "name", "message", "state_details"})


def is_looked_at(method: str, path: str) -> bool:
    """Tell whether the body of a request has to be read: whatever changes something."""
    return method not in _READS and path.startswith("/api/")


def is_for_the_site_only(method: str, path: str, body: bytes) -> bool:
    """Tell whether a request is more than the screens need; `path` is decoded, as the server routes it."""
    if method == "POST" and _ASKING.fullmatch(path):
        return False
    if method not in ("POST", "PATCH"):
        return True
    try:
        said = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return True
    return not (isinstance(said, dict) and _is_of_the_screens(method, path, said))


def _is_of_the_screens(method: str, path: str, said: Mapping[str, Any]) -> bool:
    if method == "PATCH":
        return _DEPLOYMENT.fullmatch(path) is not None and set(said) == {"paused"}
    if _PAUSING.fullmatch(path):
        return not said
    if _STARTING.fullmatch(path):
        return (
            _says_only(said, _OF_A_START) and not said.get("job_variables") and _is_state(said.get("state"))
        )
    if _SETTING.fullmatch(path):
        return _says_only(said, {"state", "force"}) and _is_state(said.get("state"))
    return False


def _is_state(said: object) -> bool:
    """Tell whether a state is one a person may set; a run that is started may have none."""
    if said is None:
        return True
    return isinstance(said, dict) and _says_only(said, _OF_A_STATE) and _is_named_as_its_type(said)


def _is_named_as_its_type(said: Mapping[str, Any]) -> bool:
    """Tell whether a state is of a type a person may set, and bears no name but one of that type."""
    kind, name = said.get("type"), said.get("name")
    names = _NAMES.get(kind) if isinstance(kind, str) else None
    return names is not None and (name is None or (isinstance(name, str) and name in names))


def _says_only(said: Mapping[str, Any], keys: Set[str]) -> bool:
    """Tell whether what is said beside some keys is empty."""
    return all(key in keys or not value for key, value in said.items())
