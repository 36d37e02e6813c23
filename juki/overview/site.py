"""How the site stands: whether schedules run, where the screens are, whether letters and lineage are written.

Decides:    that a site that should run and does not is an alarm, that one whose parts were started again several
            times within the hour is one, and that one nobody has started is none.
Leaves:     how the site is to `juki.site`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from juki.lineage_files import LineageFiles
from juki.notifications import Notifications
from juki.overview.alarm import Alarm
from juki.overview.watched import Watched
from juki.reasons import Code
from juki.site import SiteFiles, SiteState

_RESTARTS_OFTEN = 3
"""Within the hour: one or two may be chance, and are told by letter."""


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What is known of the site; `pages` and `since` are None where nobody has started it."""

    state: SiteState
    pages: str | None = None
    since: datetime | None = None
    restarts: int = 0
    unsent_letters: int = 0
    lineage_unwritten_since: datetime | None = None
    trouble: Code | None = None
    restarted_lately: tuple[datetime, ...] = ()


def site_facts(watched: Watched, now: datetime) -> SiteFacts:
    """Look at the site."""
    note, unsent = SiteFiles(watched.home).note(), Notifications(watched.home.notifications).waiting
    unwritten = LineageFiles(watched.home).unwritten_since if watched.is_lineage_kept else None
    if note is None:
        return SiteFacts(SiteState.DOWN, unsent_letters=unsent, lineage_unwritten_since=unwritten)
    lately = tuple(datetime.fromisoformat(one) for one in note.restarted_lately(now))
    return SiteFacts(
        note.state_at(now), note.pages, note.since_at, note.restarts, unsent, unwritten, note.trouble_at(now), lately
    )  # fmt: skip


def site_alarms(facts: SiteFacts) -> list[Alarm]:
    """Find what is wrong with the site, and with what its runs write for others."""
    alarms = list[Alarm]()
    if facts.trouble is not None:
        alarms.append(Alarm(facts.trouble, since=facts.since))
    if len(facts.restarted_lately) >= _RESTARTS_OFTEN:
        often = f"{len(facts.restarted_lately)} 回"
        alarms.append(Alarm(Code.ALARM_SITE_RESTARTED, (often,), min(facts.restarted_lately)))
    if facts.unsent_letters:
        alarms.append(
            Alarm(Code.NOTIFICATION_UNDELIVERED, (f"{facts.unsent_letters} 通",), count=facts.unsent_letters)
        )
    if facts.lineage_unwritten_since is not None:
        alarms.append(Alarm(Code.LINEAGE_UNWRITTEN, since=facts.lineage_unwritten_since))
    return alarms
