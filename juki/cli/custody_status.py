"""What `juki status` says of what is lent out: holds that should be gone, a purge that stopped, media not back.

Decides:    which of these is said, with its code and where.
Leaves:     when a hold is overdue to `juki.holds`, when a medium is to `juki.media`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from juki.cli.hold_actions import deliveries_left, holds_of
from juki.cli.installation import Installation, explained, iso, shown
from juki.cli.medium_commands import late_first, media_of, today
from juki.cli.reasons_shown import code_lines
from juki.columns import IdentityFile
from juki.hold_clock import ClockFile
from juki.reasons import Code


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that needs somebody: why, which, and since when."""

    code: Code
    which: tuple[str, ...] = ()
    since: datetime | None = None

    @property
    def lines(self) -> list[str]:
        """Write it for people."""
        first, *step = code_lines(self.code)
        where = "、".join(self.which) + (f"（{shown(self.since)} から）" if self.since else "")
        return [first, *([f"  {where}"] if where else []), *step]

    def described(self) -> dict[str, object]:
        """Write it for programs."""
        return {**explained(self.code), "which": list(self.which), "since": iso(self.since)}


def custody_alarms(installation: Installation, now: datetime) -> list[Alarm]:
    """Find what needs somebody, the worst first."""
    files, alarms = list(IdentityFile), list[Alarm]()
    grace = timedelta(minutes=installation.settings.purge_grace_minutes)
    late = [hold for hold in holds_of(installation, files) if hold.is_overdue(now, grace)]
    if late:
        alarms.append(Alarm(Code.HOLD_OVERDUE, tuple(str(hold.provision) for hold in late), late[0].due_at))
    left = deliveries_left(installation, files)
    if left:
        alarms.append(
            Alarm(Code.HOLD_DELIVERY_LEFT, tuple(f"{one.provision} {one.file_name}" for one in left))
        )
    stopped = ClockFile(installation.home).read().stopped
    if stopped is not None:
        alarms.append(Alarm(stopped))
    day = today(now)
    media = late_first([one for one in media_of(installation, files) if one.is_overdue(day)], day)
    if media:
        names = tuple(f"{one.medium_id} {one.label}" for one in media)
        alarms.append(Alarm(Code.MEDIUM_OVERDUE, names, media[0].overdue_since(day)))
    return alarms
