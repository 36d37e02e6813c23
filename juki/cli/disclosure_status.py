"""What `juki status` says of requests for disclosure and correction: due soon, overdue, unanswered."""

from __future__ import annotations

from datetime import datetime

from juki.cli.custody_status import Alarm
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.disclosures import AlarmDays, alarm_of
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit

_WORST_FIRST = (Code.DISCLOSURE_OVERDUE, Code.DISCLOSURE_DUE_SOON, Code.CORRECTION_UNANSWERED)
_MOST = 100_000


def alarm_days(installation: Installation) -> AlarmDays:
    """Tell the days by which requests are alarmed."""
    settings = installation.settings
    return AlarmDays(settings.disclosure_alert_days, settings.correction_alert_days)


def disclosure_alarms(installation: Installation, now: datetime) -> list[Alarm]:
    """Find the requests that need somebody, the worst first."""
    file, today, days = IdentityFile.RESIDENT, civil_date(now), alarm_days(installation)
    with open_unit(installation.store_url(file), file, Duty.READER) as unit:
        waiting = unit.disclosures.listed(_MOST, only_open=True)
    alarms = []
    for code in _WORST_FIRST:
        which = [one for one in reversed(waiting) if alarm_of(one, today, days) is code]
        if which:
            alarms.append(Alarm(code, tuple(f"{one}（{one.due_on or one.received_on}）" for one in which)))
    return alarms
