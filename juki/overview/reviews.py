"""Reviews of the operation log with findings nobody has acknowledged in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from juki.oplog.reviewing import all_reviews
from juki.overview.alarm import Alarm
from juki.overview.watched import Watched
from juki.reasons import Code
from juki.review_record import Review


def late_reviews(reviews: Sequence[Review], most: timedelta, now: datetime) -> list[Review]:
    """List the reviews with findings that should have been acknowledged by now."""
    return [one for one in reviews if one.is_late(now, most)]


def review_alarms(watched: Watched, now: datetime) -> list[Alarm]:
    """Say which findings have waited too long."""
    late = late_reviews(all_reviews(watched.urls), watched.review_acknowledge, now)
    which = tuple(f"点検 {one.number} 指摘 {len(one.open):,} 件" for one in late)
    return [Alarm(Code.REVIEW_UNACKNOWLEDGED, which, late[0].at)] if late else []
