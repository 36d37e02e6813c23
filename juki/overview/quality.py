"""What the last quality check did not find as expected, and a check that is long overdue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from juki.health import ChannelHealth
from juki.overview.alarm import Alarm
from juki.overview.watched import Watched
from juki.quality import Finding
from juki.quality_pages import places_shown
from juki.quality_reports import Report
from juki.reasons import Code
from juki.shown import SHORT


def quality_alarms(
    watched: Watched, report: Report | None, judged: Sequence[ChannelHealth], now: datetime
) -> list[Alarm]:
    """Find what needs somebody."""
    alarms = [
        Alarm(code, tuple(finding_shown(one, watched.name) for one in failed), report.checked_at)
        for code, failed in failed_by_code(report).items()
        if report
    ]
    since = report.checked_at if report else _first_applied(judged)
    if since is not None and now - since > watched.quality_stale:
        alarms.append(Alarm(Code.QUALITY_STALE, since=since))
    return alarms


def failed_by_code(report: Report | None) -> dict[Code, list[Finding]]:
    """Put what failed together by its reason."""
    found: dict[Code, list[Finding]] = {}
    for one in report.failed if report else ():
        found.setdefault(one.code, []).append(one)
    return found


def finding_shown(one: Finding, name: Callable[[str], str]) -> str:
    """Say what was not as expected, and where."""
    places = places_shown(one.places, name) or f"{one.unexpected:,} 件"
    return f"{SHORT[one.file]} {one.title}（{places}）"


def _first_applied(judged: Sequence[ChannelHealth]) -> datetime | None:
    """Tell since when there is something to check."""
    return min(
        (at for one in judged if (at := one.facts.confirmation.first_applied_at) is not None), default=None
    )
