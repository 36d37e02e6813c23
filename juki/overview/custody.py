"""What is lent out: holds that should be gone, a purge that stopped, media not back; and what is held at all.

Decides:    which of these needs somebody, with its code and where.
Leaves:     when a hold is overdue to `juki.holds`, when a medium is to `juki.media`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.hold_clock import ClockFile
from juki.holds import Hold
from juki.media import Medium
from juki.overview.alarm import Alarm
from juki.overview.watched import Watched
from juki.reasons import Code


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """What is held of one file now: provisions, the 個人番号 in them, when the first ends, how many have ended."""

    file: IdentityFile
    provisions: int = 0
    numbers: int = 0
    first_due_at: datetime | None = None
    due: int = 0
    overdue: int = 0


def hold_facts(watched: Watched, holds: Sequence[Hold], now: datetime) -> list[HoldFacts]:
    """Count what is held, by file."""
    return [
        _facts(watched, file, [one for one in holds if one.provision.file is file], now)
        for file in IdentityFile
    ]


def _facts(watched: Watched, file: IdentityFile, holds: Sequence[Hold], now: datetime) -> HoldFacts:
    return HoldFacts(
        file,
        provisions=len(holds),
        numbers=sum(one.numbers for one in holds),
        first_due_at=min((one.due_at for one in holds), default=None),
        due=sum(one.is_due(now) for one in holds),
        overdue=sum(one.is_overdue(now, watched.purge_grace) for one in holds),
    )


def holds_of(watched: Watched) -> list[Hold]:
    """List what is held now, the earliest end first."""
    found = list[Hold]()
    for file in IdentityFile:
        with watched.unit(file) as unit:
            found += unit.holds.listed()
    return sorted(found, key=lambda hold: (hold.due_at, hold.provision))


def custody_alarms(watched: Watched, holds: Sequence[Hold], now: datetime) -> list[Alarm]:
    """Find what needs somebody, the worst first."""
    alarms = list[Alarm]()
    late = [hold for hold in holds if hold.is_overdue(now, watched.purge_grace)]
    if late:
        alarms.append(Alarm(Code.HOLD_OVERDUE, tuple(str(hold.provision) for hold in late), late[0].due_at))
    left = _deliveries_left(watched)
    if left:
        alarms.append(
            Alarm(Code.HOLD_DELIVERY_LEFT, tuple(f"{one.provision} {one.file_name}" for one in left))
        )
    stopped = ClockFile(watched.home).read().stopped
    if stopped is not None:
        alarms.append(Alarm(stopped))
    return alarms + _media_alarms(watched, civil_date(now))


def late_first(media: Sequence[Medium], day: date) -> list[Medium]:
    """Put what should be back first, the one that is late for longest at the top; the rest stays in its order."""
    late = [one for one in media if one.is_overdue(day)]
    others = [one for one in media if not one.is_overdue(day)]
    return [*sorted(late, key=lambda one: one.due_back_on or day), *others]


def _media_alarms(watched: Watched, day: date) -> list[Alarm]:
    media = list[Medium]()
    for file in IdentityFile:
        with watched.unit(file) as unit:
            media += unit.media.listed()
    late = late_first([one for one in media if one.is_overdue(day)], day)
    if not late:
        return []
    names = tuple(f"{one.medium_id} {one.label}" for one in late)
    refs = tuple(str(one.medium_id) for one in late)
    return [Alarm(Code.MEDIUM_OVERDUE, names, late[0].overdue_since(day), refs)]


def _deliveries_left(watched: Watched) -> list[Hold]:
    """List what is erased and may still lie in the folder of its recipient."""
    found = list[Hold]()
    for file in IdentityFile:
        with watched.unit(file) as unit:
            found += unit.holds.deliveries_left()
    return found
