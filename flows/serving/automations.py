"""The automations of the site, as data: what the server watches for, and what it does then.

Decides:    when a run is late, dead, silent or failed, when a purge or a checkpoint is overdue; which failures have
            an alarm of their own.
Leaves:     logging and telling to the deployment `alarm`, which each of them runs.
Invariants: an alarm about a run of `alarm` itself raises none: its deployment is not watched. Runs are told apart by
            their deployment, which nobody can choose, and not by tags, which whoever starts a run may add. Said
            again, an automation that is there as it should be is not touched, so that what it has counted stays.
Source:     ADR-0034; Prefect's event triggers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from config.settings import Settings
from flows.environment import HEARTBEAT_SECONDS
from juki.alarms import AlarmKind
from juki.wire.site_api import SiteApi

PREFIX = "juki "
ALARM = "alarm"
DEPLOYED, EVERY_RUN, OTHERS = "(deployed)", "(every run)", "(others)"
"""The runs of every deployment but the alarm; these and those of commands by hand; those of every deployment whose
failure has no alarm of its own.
"""
_FAILURES = {
    "reconcile": ("失敗した整合処理", AlarmKind.RECONCILIATION_FAILED),
    "purge": ("失敗した消去", AlarmKind.PURGE_OVERDUE),
    "checkpoint": ("失敗した操作ログの署名", AlarmKind.CHECKPOINT_STALE),
}
"""The deployments whose failure has an alarm of its own, its title and its kind."""
SILENT_SECONDS = 5 * HEARTBEAT_SECONDS
_SUBMITTED_SECONDS = 600
"""For the process of a run to begin, on a busy machine."""
_RUN = "prefect.flow-run"
_ENDS = ("Completed", "Failed", "Cancelled", "Crashed", "Zombie")
_BEATS = ("Running", "heartbeat")
"""From the start on: a run that hangs before its first beat is silent too."""
_DEAD: dict[str, Any] = {
    "type": "change-flow-run-state", "state": "CRASHED", "name": "Zombie",
    "message": AlarmKind.RUN_SILENT.code.message,
}  # fmt: skip
"""A name of its own, so that the alarm of a crash is not raised as well."""


@dataclass(frozen=True, slots=True)
class Automation:
    """One automation: which alarm, on which events of which runs, or on their absence."""

    title: str
    kind: AlarmKind
    runs: str = DEPLOYED
    """Of which deployment, by name, or one of the three words above."""
    after: tuple[str, ...] = ()
    expect: tuple[str, ...] = ()
    within_seconds: int = 0
    """Nothing of what is expected for so long; 0: as soon as it comes."""
    is_of_one_run: bool = True
    """Each run is watched by itself; else all of the deployment together."""
    first: list[dict[str, Any]] = field(default_factory=list)
    is_told: bool = True

    @property
    def name(self) -> str:
        """The name on the screens, by which it is found again."""
        return f"{PREFIX}{self.title}"

    def specification(self, deployments: Mapping[str, str]) -> dict[str, Any]:
        """Write it as the API takes it; `deployments` are the ids of the deployments by name."""
        told = _raise(self.kind, deployments[ALARM], is_of_one_run=self.is_of_one_run)
        actions = [*self.first, *([told] if self.is_told else [])]
        said = {"trigger": self._trigger(deployments), "actions": actions, "name": self.name, "enabled": True}
        digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]
        return said | {"description": f"{self.kind.code.message}（juki up が作成 {digest}）"}

    def watched(self, deployments: Mapping[str, str]) -> list[str]:
        """Choose the deployments whose runs it watches; none: it watches every run."""
        if self.runs == EVERY_RUN:
            return []
        if self.runs in (DEPLOYED, OTHERS):
            left_out = {ALARM, *(_FAILURES if self.runs == OTHERS else ())}
            return sorted(one for name, one in deployments.items() if name not in left_out)
        return [deployments[self.runs]]

    def _trigger(self, deployments: Mapping[str, str]) -> dict[str, Any]:
        return {
            "type": "event",
            "posture": "Proactive" if self.within_seconds else "Reactive",
            "match": {"prefect.resource.id": f"{_RUN}.*"},
            "match_related": _of_deployments(self.watched(deployments)),
            "for_each": ["prefect.resource.id"] if self.is_of_one_run and self.within_seconds else [],
            "after": [f"{_RUN}.{event}" for event in self.after],
            "expect": [f"{_RUN}.{event}" for event in self.expect],
            "threshold": 1,
            "within": self.within_seconds,
        }  # fmt: skip


def automations(settings: Settings) -> list[Automation]:
    """List the automations of an installation."""
    grace, stale = settings.purge_grace_minutes * 60, settings.checkpoint_stale_minutes * 60
    return [
        Automation("遅れた実行", AlarmKind.RUN_LATE, expect=("Late",)),
        Automation("異常終了した実行", AlarmKind.RUN_CRASHED, expect=("Crashed",)),
        Automation(
            "途絶えた実行", AlarmKind.RUN_SILENT, after=_BEATS, expect=("heartbeat", *_ENDS),
            within_seconds=SILENT_SECONDS, first=[_DEAD],
        ),
        # Whoever runs a command by hand sees for himself what became of it; only its record is put right.
        Automation(
            "途絶えた手作業の実行", AlarmKind.RUN_SILENT, EVERY_RUN, after=_BEATS, expect=("heartbeat", *_ENDS),
            within_seconds=2 * SILENT_SECONDS, first=[_DEAD], is_told=False,
        ),
        Automation(
            "始まらない実行", AlarmKind.RUN_SILENT, after=("Pending",),
            expect=("Running", "AwaitingConcurrencySlot", *_ENDS), within_seconds=_SUBMITTED_SECONDS, first=[_DEAD],
        ),
        Automation("失敗した実行", AlarmKind.RUN_FAILED, OTHERS, expect=("Failed",)),
        *(Automation(title, kind, name, expect=("Failed",)) for name, (title, kind) in _FAILURES.items()),
        Automation(
            "終わらない消去", AlarmKind.PURGE_OVERDUE, "purge", expect=("Completed",), within_seconds=grace,
            is_of_one_run=False,
        ),
        Automation(
            "終わらない操作ログの署名", AlarmKind.CHECKPOINT_STALE, "checkpoint", expect=("Completed",),
            within_seconds=stale, is_of_one_run=False,
        ),
    ]  # fmt: skip


def ensure_automations(api: SiteApi, settings: Settings) -> None:
    """Make the automations that are absent or other than they should be; drop those of ours that are no more.

    Raises: SourceError(SITE_SILENT) when the server does not take them.
    """
    deployments = {
        str(one["name"]): str(one["id"]) for one in api.post("/deployments/filter", {"limit": 200})
    }
    wanted = {one.name: one.specification(deployments) for one in automations(settings)}
    there = {one["name"]: one for one in api.post("/automations/filter", {"limit": 200})}
    for name, one in there.items():
        if name.startswith(PREFIX) and not _is_as_wanted(one, wanted.get(name)):
            api.delete(f"/automations/{one['id']}")
    for name, specification in wanted.items():
        if not _is_as_wanted(there.get(name), specification):
            api.post("/automations/", specification)


def _is_as_wanted(there: dict[str, Any] | None, wanted: dict[str, Any] | None) -> bool:
    return there is not None and wanted is not None and there["description"] == wanted["description"]


def _of_deployments(watched: list[str]) -> dict[str, Any]:
    if not watched:
        return {}
    ids = [f"prefect.deployment.{one}" for one in watched]
    return {"prefect.resource.role": "deployment", "prefect.resource.id": ids}


def _raise(kind: AlarmKind, alarm_deployment: str, *, is_of_one_run: bool) -> dict[str, Any]:
    run = {"flow_run": {"__prefect_kind": "jinja", "template": "{{ flow_run.id }}"}} if is_of_one_run else {}
    return {
        "type": "run-deployment", "source": "selected", "deployment_id": alarm_deployment,
        "parameters": {"kind": kind.japanese, **run},
    }  # fmt: skip
