"""What a killed worker or server leaves behind in the records of Prefect, put right.

Decides:    that a run without a process is no more and ends as Crashed, that of the runs missed while the site was
            down each schedule makes up for one, which process has outlived its run, and when a worker is of no use.
Leaves:     ending processes to `flows.serving.children`; runs of workers of other machines to their heartbeats.
Invariants: a run whose process lives on this machine is not touched. What a run had done is in the stores: the next
            run of its schedule goes on with it, so nothing here is ever run again by us.
Source:     ADR-0006, ADR-0034.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from flows.serving.children import POOL, living_runs, worker_name
from juki.home import Home
from juki.wire.site_api import SiteApi

_PAGE = 200
BEGUN = ("RUNNING", "CANCELLING")
"""States in which a run has a process."""
OPEN = (*BEGUN, "PENDING")
"""The same, and that of a run whose worker was about to start one."""
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "CRASHED")
_LEAVING = timedelta(minutes=1)
"""For a process to go once its run has ended."""
_GONE = "実行のプロセスがありません。次の実行が続きから行います。"
_MISSED = "サイトが止まっている間の予定です。最も新しい一つだけを行います。"


def crash_dead_runs(api: SiteApi, home: Home, states: tuple[str, ...] = BEGUN) -> int:
    """End the runs of the worker of this home that have no process; return how many there were.

    Without a worker no run is about to start: then `OPEN` is asked for.

    Raises: SourceError(SITE_SILENT).
    """
    if _has_other_workers(api, home):
        # Whose a run is can not be told: a dead one falls silent and is ended by its automation.
        return 0
    found = [one for one in _runs(api, states) if one["deployment_id"] is not None]
    # Looked at after they were listed: a run that began since is not among them.
    alive = living_runs(home)
    dead = [one for one in found if one["id"] not in alive]
    for one in dead:
        is_cancelled = one["state_type"] == "CANCELLING"
        _set_state(api, one, "CANCELLED" if is_cancelled else "CRASHED", _GONE)
    return len(dead)


def drop_missed_runs(api: SiteApi, now: datetime) -> int:
    """Cancel scheduled runs whose time has passed, all but the newest of each schedule; return how many.

    Raises: SourceError(SITE_SILENT).
    """
    due = [one for one in _runs(api, ("SCHEDULED",), before=now) if one["auto_scheduled"]]
    newest = dict[str, dict[str, Any]]()
    for one in sorted(due, key=lambda one: one["expected_start_time"]):
        newest[f"{one['deployment_id']} {json.dumps(one['parameters'], sort_keys=True)}"] = one
    kept = {one["id"] for one in newest.values()}
    missed = [one for one in due if one["id"] not in kept]
    for one in missed:
        _set_state(api, one, "CANCELLED", _MISSED)
    return len(missed)


def outlived(api: SiteApi, home: Home, now: datetime) -> list[int]:
    """Find the processes of runs that have ended and should be gone: one that hangs holds its channel for ever.

    Raises: SourceError(SITE_SILENT).
    """
    alive = living_runs(home)
    if not alive:
        return []
    wanted = {"id": {"any_": list(alive)}, "state": {"type": {"any_": ENDED}}}
    over = [
        one["id"]
        for one in api.post("/flow_runs/filter", {"flow_runs": wanted, "limit": _PAGE})
        if now - datetime.fromisoformat(one["end_time"]) > _LEAVING
    ]
    return [number for run in over for number in alive[run]]


def worker_heard_at(api: SiteApi, home: Home) -> datetime | None:
    """Tell when the server last heard of the worker of this home; None when not for a minute and a half.

    Raises: SourceError(SITE_SILENT).
    """
    for one in _workers(api):
        if one["name"] == worker_name(home) and one["status"] == "ONLINE":
            return datetime.fromisoformat(one["last_heartbeat_time"])
    return None


def _has_other_workers(api: SiteApi, home: Home) -> bool:
    return any(one["status"] == "ONLINE" and one["name"] != worker_name(home) for one in _workers(api))


def _workers(api: SiteApi) -> list[dict[str, Any]]:
    return api.post(f"/work_pools/{POOL}/workers/filter") if _has_pool(api) else []


def _has_pool(api: SiteApi) -> bool:
    return any(one["name"] == POOL for one in api.post("/work_pools/filter"))


def _runs(api: SiteApi, states: tuple[str, ...], before: datetime | None = None) -> Iterator[dict[str, Any]]:
    wanted: dict[str, Any] = {"state": {"type": {"any_": list(states)}}}
    if before is not None:
        wanted["expected_start_time"] = {"before_": before.isoformat()}
    offset = 0
    while page := api.post(
        "/flow_runs/filter", {"flow_runs": wanted, "limit": _PAGE, "offset": offset, "sort": "ID_DESC"}
    ):
        yield from page
        offset += len(page)


def _set_state(api: SiteApi, run: dict[str, Any], state: str, message: str) -> None:
    """Tell a run's state; without force, so that the end of one that has just ended by itself stays."""
    said = {"type": state, "name": state.capitalize(), "message": message}
    api.post(f"/flow_runs/{run['id']}/set_state", {"state": said, "force": False})
