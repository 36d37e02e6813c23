"""One channel from its outbox to its inbox: fetch, settle in order, answer.

Decides:    that a channel is worked by one run at a time, and that its failure stays its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from prefect import task

from config.settings import Period
from juki.columns import IdentityFile
from juki.order import Channel
from juki.reasons import Code
from juki.store.unit import channel_lock, open_unit
from tasks import clock
from tasks.answers import deliver_receipts
from tasks.boundary import ONCE, PipelineError, sealed
from tasks.receiving import fetch_packages
from tasks.settling import Settled, settle_next
from tasks.workshop import Workshop


@dataclass(frozen=True, slots=True)
class ChannelSummary:
    """What a run did for one channel: codes and counts, nothing else."""

    channel: Channel
    fetched: int = 0
    receipts: int = 0
    packages: dict[str, int] = field(default_factory=dict)
    """Packages by state."""
    counts: dict[str, int] = field(default_factory=dict)
    """Records by verdict."""
    codes: dict[str, int] = field(default_factory=dict)
    """Findings by code, of packages and records alike."""
    failure: Code | None = None
    """Why the channel could not be worked to its end."""


@task(name="市町村の受入", task_run_name="{channel}", **ONCE)
@sealed
def intake_channel(channel: Channel) -> ChannelSummary:
    """Work one channel; whatever fails is noted with its code and ends this channel only."""
    shop = Workshop.open()
    url = shop.store_url(channel.file)
    with open_unit(url, channel.file) as unit:
        unit.packages.attempt(channel.municipality_code, clock.now())
    try:
        with channel_lock(url, channel.file, channel.municipality_code):
            return _work(channel)
    except PipelineError as error:
        failure = error
    with open_unit(url, channel.file) as unit:
        unit.packages.failed(channel.municipality_code, failure.code)
    raise failure


def _work(channel: Channel) -> ChannelSummary:
    fetched = fetch_packages(channel)
    settled: list[Settled] = []
    while (one := settle_next(channel)) is not None:
        settled.append(one)
    receipts = deliver_receipts(channel)
    return _summary(channel, fetched, settled, receipts)


def _summary(channel: Channel, fetched: int, settled: list[Settled], receipts: int) -> ChannelSummary:
    counts, codes = Counter[str](), Counter[str]()
    for one in settled:
        counts.update(one.counts)
        codes.update(one.codes)
        if one.code is not None:
            codes[one.code.value] += 1
    packages = dict(Counter(one.state.value for one in settled))
    return ChannelSummary(channel, fetched, receipts, packages, dict(counts), dict(codes))


@task(name="受入の対象", **ONCE)
@sealed
def registered_channels(municipalities: Sequence[str] | None, files: Sequence[str] | None) -> list[Channel]:
    """List the channels of a run: all that are registered, or those asked for.

    Raises: ConfigurationError for a municipality that is not registered or a period nobody decided.
    """
    shop = Workshop.open()
    shop.settings.hours(Period.GAP_DEADLINE)
    codes = municipalities or shop.municipalities.codes
    wanted = [IdentityFile(name) for name in files] if files else list(IdentityFile)
    return [Channel(shop.municipalities.of(code).code, file) for code in codes for file in wanted]
