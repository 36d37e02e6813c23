"""Raise an alarm: once for the same object and day, in the operation log and the notifications together.

Decides:    that an alarm is told before its entry commits, and told also when the log can not be written.
Leaves:     what alarms there are to `juki.alarms`, posting letters to whoever calls.
Invariants: one at a time (the end of the log is held), so that two runs can not both be the first; raised again, it
            changes nothing and says so.
Source:     ADR-0034, assessment M8.
"""

from __future__ import annotations

from datetime import datetime

from juki.alarms import Alarm
from juki.errors import StoreError
from juki.journal import Action, Entry, Outcome
from juki.notifications import Notifications
from juki.store.journal_reading import Sought
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit

_MOST_A_DAY = 10_000


def raise_alarm(
    url: str, alarm: Alarm, actor: str, notifications: Notifications, at: datetime, *, is_posted: bool
) -> bool:
    """Log and tell an alarm unless that was done today; say whether it was.

    Raises: StoreError for what the database says, after the alarm was told nevertheless;
            StoreError(NOTIFICATION_UNWRITTEN), and then it is not logged either.
    """
    is_told = False
    try:
        with open_unit(url, alarm.file, Duty.AUDITOR) as unit:
            unit.journal.lock()
            if _is_known(unit, alarm):
                return False
            is_told = True
            notifications.tell(alarm, is_posted=is_posted)
            unit.journal.append(entry_of(alarm, actor), at)
    except StoreError:
        if not is_told:
            notifications.tell(alarm, is_posted=is_posted)
        raise
    return True


def entry_of(alarm: Alarm, actor: str) -> Entry:
    """Write the journal entry of an alarm: its code, what it is about, and the run it was seen by."""
    return Entry(
        action=Action.ALARM_RAISED, file=alarm.file, actor=actor, outcome=Outcome.DONE, code=alarm.kind.code,
        municipality_code=alarm.municipality_code, basis=" ".join(filter(None, (alarm.about, alarm.run))),
    )  # fmt: skip


def _is_known(unit: Unit, alarm: Alarm) -> bool:
    return any(
        said["code"] == alarm.kind.code.value and said["basis"].split(" ")[0] == alarm.about
        for said in unit.journal_reader.found(_raised_today(alarm), _MOST_A_DAY)
    )


def _raised_today(alarm: Alarm) -> Sought:
    return Sought(action=Action.ALARM_RAISED, since=alarm.day_began_at)
