"""Raise alarms from runs: what a run was about, the entry in the operation log, the notification, the letter.

Decides:    that an alarm about a channel stands in the log of its file, and any other in that of the first file;
            that of a run the server does not tell of, by its number alone.
Leaves:     when the same alarm is raised twice to `juki.oplog.alarming`.
Invariants: of a run only its deployment and its channel are read, never anything it said.
Source:     ADR-0034.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from prefect import task
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun

from config.notifying import is_posting, notifications, post_unsent
from juki.alarms import Alarm, AlarmKind
from juki.codes import is_municipality_code
from juki.columns import IdentityFile
from juki.oplog.alarming import raise_alarm
from juki.order import Channel
from tasks import clock
from tasks.boundary import UNIT_OF_WORK, run_actor, sealed
from tasks.lineage import tell_aborted
from tasks.workshop import Workshop

_ABOUT = {AlarmKind.PURGE_OVERDUE: "purge", AlarmKind.CHECKPOINT_STALE: "checkpoint"}
"""What an alarm is about that no single run was seen by: a run that should have been and was not."""
_SITE = "site"
_GONE = frozenset({AlarmKind.RUN_CRASHED, AlarmKind.RUN_SILENT})
"""Told of a run whose process is gone, and by only one of them."""


@dataclass(frozen=True, slots=True)
class AlarmSummary:
    """What came of an alarm: whether it is the first of its kind today for what it is about."""

    is_new: bool


@task(name="警報の記録と通知", **UNIT_OF_WORK)
@sealed
def tell_alarm(kind: AlarmKind, flow_run: UUID | None) -> AlarmSummary:
    """Log an alarm and write its notification, once for what it is about and day."""
    shop = Workshop.open()
    run = None if flow_run is None else _read_run(flow_run)
    alarm = _seen_by(Alarm(kind, _ABOUT.get(kind, _SITE), clock.now()), flow_run, run)
    told = notifications(shop.home)
    is_posted = is_posting(shop.settings)
    url = shop.store_url(alarm.file)
    summary = AlarmSummary(raise_alarm(url, alarm, run_actor(), told, alarm.at, is_posted=is_posted))
    if run is not None and kind in _GONE:
        found, name = run
        tell_aborted(name, found.id, found.run_count)
    return summary


@task(name="警報のメール", **UNIT_OF_WORK)
@sealed
def post_letters() -> int:
    """Post the letters that wait; return how many were taken."""
    shop = Workshop.open()
    return post_unsent(shop.home, shop.settings)


def _read_run(flow_run: UUID) -> tuple[FlowRun, str] | None:
    """Read a run, and the name of its deployment, empty where it has none; None when the server does not say."""
    # Whatever the client raises: an alarm that waited for the server would be lost with this run.
    with suppress(Exception), get_client(sync_client=True) as client:
        run = client.read_flow_run(flow_run)
        return run, client.read_deployment(run.deployment_id).name if run.deployment_id else ""
    return None


def _seen_by(alarm: Alarm, flow_run: UUID | None, read: tuple[FlowRun, str] | None) -> Alarm:
    """Say of an alarm by which run it was seen, and as far as that could be read, what the run was about."""
    if flow_run is None:
        return alarm
    seen = replace(alarm, run=f"flow-run:{flow_run}")
    if read is None:
        # By the run alone: two runs nobody could read are two alarms.
        return seen if alarm.kind in _ABOUT else replace(seen, about=seen.run)
    run, deployment = read
    name, channel = deployment or alarm.about, channel_asked(run)
    if channel is None:
        return replace(seen, about=name)
    return replace(
        seen, about=f"{name}:{channel}", file=channel.file, municipality_code=channel.municipality_code
    )


def channel_asked(run: FlowRun) -> Channel | None:
    """Read the channel a run was asked to work, as the run form offers it; None when it works all of them."""
    asked = run.parameters
    code = str(asked.get("municipality", "")).split(" ")[0]
    files = [file for file in IdentityFile if file.japanese == asked.get("file")]
    return Channel(code, files[0]) if files and is_municipality_code(code) else None
