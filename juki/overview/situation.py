"""Everything that is known of an installation at one instant: what the screens, pages and metrics are made of.

Decides:    in which order everything is asked, and whether anything needs somebody.
Leaves:     each subject to its module, how it is shown to whoever shows it.
Invariants: gathered once, so that every rendering says the same; codes, numbers, counts and instants, nothing of a
            person. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from juki.health import ChannelHealth
from juki.log_health import LogFacts
from juki.overview.alarm import Alarm
from juki.overview.channels import channels_of
from juki.overview.custody import HoldFacts, custody_alarms, hold_facts, holds_of
from juki.overview.infections import infection_alarms
from juki.overview.jlis import JlisHealth, jlis_health
from juki.overview.logs import logs_of
from juki.overview.operators import operator_alarms
from juki.overview.provisions import provision_alarms
from juki.overview.quality import quality_alarms
from juki.overview.requests import disclosure_alarms
from juki.overview.reviews import review_alarms
from juki.overview.site import SiteFacts, site_alarms, site_facts
from juki.overview.watched import Watched
from juki.quality_files import QualityFiles
from juki.quality_reports import Report
from juki.recipients import JLIS_CODE
from juki.scanning import ScannerState, Standing


@dataclass(frozen=True, slots=True)
class Situation:
    """How everything stands."""

    at: datetime
    name: Callable[[str], str]
    """Names a municipality."""
    channels: Sequence[ChannelHealth]
    alarms: Sequence[Alarm]
    jlis: Sequence[JlisHealth]
    logs: Sequence[LogFacts]
    holds: Sequence[HoldFacts]
    scanning: Standing
    site: SiteFacts
    quality: Report | None
    """The last quality check."""

    @property
    def troubled(self) -> list[ChannelHealth]:
        """The channels that need attention."""
        return [one for one in self.channels if one.conditions]

    @property
    def needs_somebody(self) -> bool:
        """Tell whether anything does; an installation without a municipality needs its registrations."""
        return (
            not self.channels
            or bool(self.troubled or self.alarms)
            or any(one.conditions for one in self.jlis)
            or any(one.alarms for one in self.logs)
            or self.scanning.state is ScannerState.STOPPED
        )


def look(watched: Watched, scanning: Standing, now: datetime) -> Situation:
    """Gather everything; how scanning stands is asked of the scanner by whoever calls.

    Raises: StoreError, ConfigurationError for what can not be read.
    """
    registered, closed, holds = watched.municipalities, watched.closed, holds_of(watched)
    channels = channels_of(watched.urls, registered, closed, watched.limits, now)
    report, site = QualityFiles(watched.home).last(), site_facts(watched, now)
    alarms = [
        *custody_alarms(watched, holds, now), *provision_alarms(watched, now), *infection_alarms(watched),
        *quality_alarms(watched, report, channels, now), *site_alarms(site), *disclosure_alarms(watched, now),
        *review_alarms(watched, now), *operator_alarms(watched, now),
    ]  # fmt: skip
    return Situation(
        at=now,
        name=watched.name,
        channels=channels,
        alarms=alarms,
        jlis=jlis_health(
            watched.urls, watched.jlis_answer_alert, now, is_registered=JLIS_CODE in watched.recipients
        ),
        logs=logs_of(watched, now),
        holds=hold_facts(watched, holds, now),
        scanning=scanning,
        site=site,
        quality=report,
    )
