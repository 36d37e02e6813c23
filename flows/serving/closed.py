"""What only the site itself may tell its server: how runs are started, and from which code.

Decides:    which requests need the key of the site beside the password: whatever would have a worker run a program,
            or code, that is not one of our deployments.
Leaves:     who may start which run with which parameters to the deployments' schemas and to `tasks.authorising`.
Invariants: the password of the screens, which operators share, is not worth the account of the machine. A body is
            read as the server reads it, and passed on byte for byte.
Source:     ADR-0034, M7, M9.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

MOST_BODY_BYTES = 1_000_000
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_COMMANDS = frozenset(
    {
        "job_variables",
        "infra_overrides",
        "pull_steps",
        "base_job_template",
        "job_configuration",
        "infrastructure",
    }
)
"""Keys by which a request says what a worker executes; empty they say nothing."""
_CHANGES_OF_A_DEPLOYMENT = frozenset({"paused"})
_DEPLOYMENT = re.compile(r"/api/deployments(/[^/]+)?/?")
_FURNITURE = re.compile(
    r"/api/(work_pools(/.*)?|automations(/.*)?|admin(/.*)?|deployments/[^/]+/schedules(/.*)?)"
)
"""What `juki up` makes and nobody else has to change: the pool, the alarms, the database of Prefect, and what the
clock starts, since that needs no operator."""
_ASKING = re.compile(r".*/(filter|count|paginate)/?")


def is_looked_at(method: str, path: str) -> bool:
    """Tell whether the body of a request has to be read: whatever changes something."""
    return method not in _READS and path.startswith("/api/")


def is_for_the_site_only(method: str, path: str, body: bytes) -> bool:
    """Tell whether a request would decide what is executed; `path` is decoded, as the server routes it."""
    if _ASKING.fullmatch(path):
        return False
    is_deployment = _DEPLOYMENT.fullmatch(path) is not None
    if _FURNITURE.fullmatch(path) or (is_deployment and method == "DELETE"):
        return True
    try:
        said = json.loads(body) if body else None
    except (ValueError, RecursionError):
        # The server can not read it either, and says so.
        return False
    if is_deployment:
        return not isinstance(said, dict) or not set(said) <= _CHANGES_OF_A_DEPLOYMENT
    return any(key in _COMMANDS and value for key, value in _pairs(said))


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """List every key with its value, however deep."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield from one.items()
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
