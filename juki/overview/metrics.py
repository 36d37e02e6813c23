"""What a scraper is told (`juki status --openmetrics`): the counts and instants of everything, by codes.

Invariants: municipality codes, names of files and reason codes only; what a person reads is on the page itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from juki.health import ChannelFacts, ChannelHealth, Health
from juki.openmetrics import Gauge, Sample
from juki.overview.concerns import concerns_of
from juki.overview.situation import Situation
from juki.quality_reports import Report

_SECONDS = "seconds"
_OfChannel = Callable[[ChannelFacts], int | datetime | None]
_CHANNELS: tuple[tuple[str, str, _OfChannel, str], ...] = (
    ("last_sequence", "Last applied package of a channel.", lambda one: one.last_sequence, ""),
    ("waiting_packages", "Packages that wait in a channel.", lambda one: one.waiting, ""),
    (
        "refused_packages", "Refused packages and incidents nothing has made good.",
        lambda one: len(one.refused) + len(one.conflicts), "",
    ),
    ("rejected_records", "Refused records nobody has dealt with.", lambda one: one.rejected_records, ""),
    ("open_differences", "Open differences of a channel.", lambda one: one.confirmation.open_differences, ""),
    ("last_contact_timestamp_seconds", "When the CS last answered.", lambda one: one.last_contact_at, _SECONDS),
    (
        "oldest_waiting_timestamp_seconds", "When the oldest waiting package came.",
        lambda one: one.oldest_waiting_at, _SECONDS,
    ),
    (
        "confirmed_timestamp_seconds", "As of when both sides were last equal.",
        lambda one: one.confirmation.confirmed_at, _SECONDS,
    ),
)  # fmt: skip
_LOGS = {
    "entries": "Entries of the operation log.",
    "signed": "Entries within the last signed checkpoint.",
    "waiting": "Entries not signed yet.",
}


def gauges_of(situation: Situation) -> Iterator[Gauge]:
    """List all families."""
    judged, logs = situation.channels, situation.logs
    for name, help_text, value_of, unit in _CHANNELS:
        yield Gauge(f"juki_channel_{name}", help_text, list(_of_channels(judged, value_of)), unit)
    states = Counter(one.health for one in judged)
    yield Gauge(
        "juki_channels",
        "Channels by state.",
        [Sample(states[state], {"state": state.value}) for state in Health],
    )
    for name, help_text in _LOGS.items():
        samples = [Sample(getattr(one, name), {"file": one.file.value}) for one in logs]
        yield Gauge(f"juki_log_{name}", help_text, samples)
    yield Gauge("juki_alarms", "What needs somebody, by code.", list(_alarms(situation)))
    yield Gauge(
        "juki_needs_somebody", "1 where anything needs somebody.", [Sample(int(situation.needs_somebody))]
    )
    # A scraper that finds an old one knows that nobody has looked since.
    yield Gauge(
        "juki_looked_timestamp_seconds", "As of when this was gathered.", [Sample(situation.at)], _SECONDS
    )
    yield from _quality(situation.quality)


def _of_channels(judged: Sequence[ChannelHealth], value_of: _OfChannel) -> Iterator[Sample]:
    for one in judged:
        value, channel = value_of(one.facts), one.facts.channel
        if value is not None:
            yield Sample(value, {"municipality": channel.municipality_code, "file": channel.file.value})


def _alarms(situation: Situation) -> Iterator[Sample]:
    found = Counter[str]()
    for concern in concerns_of(situation):
        found[concern.code.value] += concern.count
    yield from (Sample(count, {"code": code}) for code, count in sorted(found.items()))


def _quality(report: Report | None) -> Iterator[Gauge]:
    if report is None:
        return
    yield Gauge(
        "juki_quality_checked_timestamp_seconds", "When the tables were last checked as a whole.",
        [Sample(report.checked_at)], _SECONDS,
    )  # fmt: skip
    failed = [Sample(len(one.failed), {"file": one.file.value}) for one in report.files]
    yield Gauge("juki_quality_failed_expectations", "Expectations that were not met.", failed)
