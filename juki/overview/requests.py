"""Requests for disclosure and correction that need somebody: due soon, overdue, unanswered."""

from __future__ import annotations

from datetime import datetime

from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.disclosures import alarm_of
from juki.overview.alarm import Alarm
from juki.overview.watched import Watched
from juki.reasons import Code

_WORST_FIRST = (Code.DISCLOSURE_OVERDUE, Code.DISCLOSURE_DUE_SOON, Code.CORRECTION_UNANSWERED)
_MOST = 100_000


def disclosure_alarms(watched: Watched, now: datetime) -> list[Alarm]:
    """Find the requests that need somebody, the worst first."""
    today = civil_date(now)
    with watched.unit(IdentityFile.RESIDENT) as unit:
        waiting = unit.disclosures.listed(_MOST, only_open=True)
    alarms = []
    for code in _WORST_FIRST:
        which = [one for one in reversed(waiting) if alarm_of(one, today, watched.disclosure_days) is code]
        if which:
            alarms.append(Alarm(code, tuple(f"{one}（{one.due_on or one.received_on}）" for one in which)))
    return alarms
