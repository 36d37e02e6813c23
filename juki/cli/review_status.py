"""What `juki status` says of reviews of the operation log: findings nobody has acknowledged in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from juki.cli.custody_status import Alarm
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.oplog.reviewing import all_reviews
from juki.reasons import Code
from juki.review_record import Review


def reviews_of(installation: Installation) -> list[Review]:
    """Read all reviews, the oldest first."""
    return all_reviews({file: installation.store_url(file) for file in IdentityFile})


def late_reviews(installation: Installation, reviews: Sequence[Review], now: datetime) -> list[Review]:
    """List the reviews with findings that should have been acknowledged by now."""
    most = timedelta(days=installation.settings.review_acknowledge_days)
    return [one for one in reviews if one.is_late(now, most)]


def review_alarms(installation: Installation, now: datetime) -> list[Alarm]:
    """Say which findings have waited too long."""
    late = late_reviews(installation, reviews_of(installation), now)
    which = tuple(f"点検 {one.number} 指摘 {len(one.open):,} 件" for one in late)
    return [Alarm(Code.REVIEW_UNACKNOWLEDGED, which, late[0].at)] if late else []
