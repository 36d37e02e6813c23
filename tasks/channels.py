"""One channel from its outbox to its inbox: fetch, settle in order, answer.

Decides:    that a channel is worked by one run at a time, that its failure stays its own, and that what one step
            can not do does not keep the others from what they can.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from prefect import task

from config.settings import Period
from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.journal import Action, Outcome
from juki.order import Channel
from juki.reasons import Code
from juki.store.unit import Unit, channel_lock, open_unit
from tasks import clock
from tasks.answers import deliver_receipts
from tasks.boundary import ONCE, PipelineError, sealed
from tasks.entries import channel_entry
from tasks.judging_again import judge_again
from tasks.receiving import Fetched, fetch_packages
from tasks.settling import Settled, settle_next
from tasks.workshop import Workshop

T = TypeVar("T")

MAX_ROUNDS = 16
"""Looks into an outbox in one run: a CS that goes on writing must not keep a run for ever."""
_REFUSED_CONNECTIONS = frozenset({Code.CHANNEL_HOST_KEY, Code.CHANNEL_LOGIN})
_NOT_CONNECTED = _REFUSED_CONNECTIONS | {Code.CHANNEL_UNREACHABLE}


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
    with channel_lock(url, channel.file, channel.municipality_code):
        work = _Work(channel)
        work.do()
        with open_unit(url, channel.file) as unit:
            if not work.failures:
                unit.packages.succeeded(channel.municipality_code)
                return _summary(channel, work)
            _note_failures(unit, channel, [failure.code for failure in work.failures])
    raise work.failures[0]


@dataclass(slots=True)
class _Work:
    """A channel being worked: what was done so far, and what failed; one failure does not stop the rest."""

    channel: Channel
    fetched: int = 0
    receipts: int = 0
    settled: list[Settled] = field(default_factory=list)
    failures: list[PipelineError] = field(default_factory=list)

    def do(self) -> None:
        """Fetch and settle, then judge again and answer; without a scanner that may be relied on nothing comes in.

        Answers are not tried where the CS has just not let us in.
        """
        if not self._tried(self._check_keys):
            return
        if self._tried(self._check_scanner):
            self._bring_in()
        self._tried(partial(judge_again, self.channel))
        if not any(failure.code in _NOT_CONNECTED for failure in self.failures):
            self.receipts = self._tried(partial(deliver_receipts, self.channel)) or 0

    def _check_keys(self) -> bool:
        """Refuse to begin with keys that are not those of the store."""
        shop, file = Workshop.open(), self.channel.file
        with open_unit(shop.store_url(file), file) as unit:
            shop.check_keys(unit)
        return True

    def _check_scanner(self) -> bool:
        """Refuse to fetch or open anything while it could not be scanned (M10)."""
        Workshop.open().scan_gate.check_ready(clock.machine_now())
        return True

    def _bring_in(self) -> None:
        """Fetch and settle, again while settling makes room for what was left.

        What lies in the spool is settled although nothing could be fetched.
        """
        for _ in range(MAX_ROUNDS):
            fetched = self._tried(self._fetch)
            has_settled = self._tried(self._settle)
            if not (fetched and fetched.deferred and has_settled):
                break

    def _fetch(self) -> Fetched:
        fetched = fetch_packages(self.channel)
        self.fetched += fetched.files
        return fetched

    def _settle(self) -> bool:
        before = len(self.settled)
        while (one := settle_next(self.channel)) is not None:
            self.settled.append(one)
        return len(self.settled) > before

    def _tried(self, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except PipelineError as failure:
            self.failures.append(failure)
        except JukiError as failure:
            self.failures.append(PipelineError(failure.code, failure.ref, failure.is_transient))
        return None


def _note_failures(unit: Unit, channel: Channel, codes: Sequence[Code]) -> None:
    """Note why a channel failed; a CS that is not who it should be, or refuses us, is logged as well (M2)."""
    unit.packages.failed(channel.municipality_code, codes[0])
    for code in sorted(_REFUSED_CONNECTIONS.intersection(codes)):
        entry = channel_entry(channel, Action.CONNECTION_REFUSED, Outcome.REFUSED, code=code)
        unit.journal.append(entry, clock.now())


def _summary(channel: Channel, work: _Work) -> ChannelSummary:
    counts, codes = Counter[str](), Counter[str]()
    for one in work.settled:
        counts.update(one.counts)
        codes.update(one.codes)
        if one.code is not None:
            codes[one.code.value] += 1
    packages = dict(Counter(one.state.value for one in work.settled))
    return ChannelSummary(channel, work.fetched, work.receipts, packages, dict(counts), dict(codes))


@task(name="受入の対象", **ONCE)
@sealed
def registered_channels(municipalities: Sequence[str], files: Sequence[IdentityFile]) -> list[Channel]:
    """List the channels of a run: all that are registered, or those asked for.

    Raises: ConfigurationError for a municipality that is not registered or a period nobody decided.
    """
    shop = Workshop.open()
    shop.settings.hours(Period.GAP_DEADLINE)
    codes = municipalities or shop.municipalities.codes
    return [
        Channel(shop.municipalities.of(code).code, file) for code in codes for file in files or IdentityFile
    ]
