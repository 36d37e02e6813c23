"""What the clock starts: deployments and their schedules, as they should be and as a server has them.

Decides:    when a server has other schedules than it should: missing, switched off, altered, or too many; which
            channels no schedule compares.
Leaves:     reading either side to `config.schedules` and `juki.wire.site_schedules`.
Invariants: of the parameters of a schedule only whether they are equal is told.
Source:     ADR-0034, M11, M12.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from juki.columns import IdentityFile
from juki.doctor import Finding, Subject
from juki.reasons import Code


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a deployment runs by itself, and with which parameters."""

    cron: str
    timezone: str
    is_active: bool
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deployment with its schedules by slug; paused, none of them starts anything."""

    name: str
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    is_paused: bool = False
    entrypoint: str = ""


def judge_schedules(wanted: Iterable[Deployed], there: Iterable[Deployed]) -> list[Finding]:
    """Hold what a server has to what it should have; every deployment is told, those in order too."""
    found = {one.name: one for one in there}
    findings = list[Finding]()
    for one in wanted:
        wrong = list(_wrong(one, found.pop(one.name, None)))
        findings += wrong or [Finding(Subject.SITE, one.name)]
    return findings + [Finding(Subject.SITE, name, Code.SCHEDULE_SURPLUS) for name in found]


def uncovered(wanted: Iterable[Deployed], municipalities: Iterable[str]) -> list[Finding]:
    """Find the registered municipalities, by code, of which a file is compared by no schedule (M11)."""
    compared = {
        (str(schedule.parameters.get("municipality", "")).partition(" ")[0], schedule.parameters.get("file"))
        for one in wanted
        if one.name == "reconcile"
        for schedule in one.schedules.values()
        if schedule.is_active
    }
    return [
        Finding(Subject.SITE, f"{code} {file.value}", Code.SCHEDULE_UNCOVERED)
        for code in municipalities
        for file in IdentityFile
        if (code, file.japanese) not in compared
    ]


def _wrong(wanted: Deployed, there: Deployed | None) -> Iterator[Finding]:
    if there is None:
        yield Finding(Subject.SITE, wanted.name, Code.SCHEDULE_MISSING)
        return
    if there.entrypoint != wanted.entrypoint:
        yield Finding(Subject.SITE, wanted.name, Code.SCHEDULE_CHANGED)
    if there.is_paused and not wanted.is_paused:
        yield Finding(Subject.SITE, wanted.name, Code.SCHEDULE_OFF)
    for slug in dict.fromkeys((*wanted.schedules, *there.schedules)):
        code = _difference(wanted.schedules.get(slug), there.schedules.get(slug))
        if code is not None:
            yield Finding(Subject.SITE, f"{wanted.name}/{slug}", code)


def _difference(wanted: Schedule | None, there: Schedule | None) -> Code | None:
    if wanted is None:
        return Code.SCHEDULE_SURPLUS
    if there is None:
        return Code.SCHEDULE_MISSING
    if wanted.is_active and not there.is_active:
        return Code.SCHEDULE_OFF
    return None if there == wanted else Code.SCHEDULE_CHANGED
