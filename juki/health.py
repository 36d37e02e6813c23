"""The health of a channel: from what is known of it, what needs attention, why, and by when.

Decides:    the conditions of a channel, each a code, and the one word that sums them up.
Leaves:     reading the facts to `juki.store.status`, gathering and showing them to `juki.overview` and `juki.cli`.
Invariants: every state but the normal one has at least one reason; the word is that of the worst reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from juki.order import Channel, gap_code
from juki.package_id import PackageId
from juki.reasons import Code


class Health(StrEnum):
    """How a channel is, the worst first."""

    STOPPED = "stopped"
    FAILING = "failing"
    SILENT = "silent"
    REFUSED = "refused"
    DIFFERENT = "different"
    WAITING = "waiting"
    UNCONFIRMED = "unconfirmed"
    NORMAL = "normal"

    @property
    def japanese(self) -> str:
        """The word on screens."""
        return {
            "stopped": "停止", "failing": "障害", "silent": "未接続", "refused": "拒否あり",
            "different": "差異あり", "waiting": "待ち", "unconfirmed": "未照合", "normal": "正常",
        }[self.value]  # fmt: skip


@dataclass(frozen=True, slots=True)
class OpenPackage:
    """A refused package nothing has taken the place of, or an incident nobody has decided."""

    package_id: PackageId
    code: Code


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What reconciliations say of one channel: the last time both sides were equal, and what is still open."""

    first_applied_at: datetime | None = None
    """When the first package was applied: until then there is nothing to confirm."""
    confirmed_at: datetime | None = None
    """The instant as of which both sides were last equal."""
    watermark: int | None = None
    """The last notice contained in both."""
    rows: int | None = None
    root_digest: str = ""
    open_differences: int = 0
    last_code: Code | None = None
    """What the newest reconciliation could not do."""
    accounted_at: datetime | None = None
    """The instant as of which the newest comparison found nothing but what was accepted as it is."""


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """What the store knows of one channel."""

    channel: Channel
    is_registered: bool = True
    is_closed: bool = False
    """The municipality is no more: nobody is reached there, and nothing can be delivered."""
    last_sequence: int = 0
    last_attempt_at: datetime | None = None
    last_contact_at: datetime | None = None
    last_failure: Code | None = None
    gap_since: datetime | None = None
    waiting: int = 0
    first_waiting: int | None = None
    """The lowest sequence that waits."""
    oldest_waiting_at: datetime | None = None
    """When the oldest of the waiting packages was received."""
    conflicts: tuple[OpenPackage, ...] = ()
    refused: tuple[OpenPackage, ...] = ()
    rejected_records: int = 0
    """Records refused in applied packages; they stay in quarantine until they are dealt with."""
    receipts_due: int = 0
    unknown_files: int = 0
    deferred_files: int = 0
    """New files left in the outbox for want of room here."""
    deferred_code: Code | None = None
    confirmation: Confirmation = Confirmation()

    @property
    def missing_sequence(self) -> int | None:
        """The sequence later packages wait for; None when there is no gap."""
        is_gap = self.first_waiting is not None and self.first_waiting > self.last_sequence + 1
        return self.last_sequence + 1 if is_gap else None


@dataclass(frozen=True, slots=True)
class Limits:
    """The periods a prefecture has decided."""

    gap_deadline: timedelta
    contact_alert: timedelta
    confirmed_alert: timedelta


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that needs attention: what it does to the channel, why, how many, since and until when."""

    health: Health
    code: Code
    count: int = 0
    since: datetime | None = None
    deadline: datetime | None = None
    packages: tuple[OpenPackage, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """A channel with everything that needs attention, the worst first."""

    facts: ChannelFacts
    conditions: tuple[Condition, ...] = field(default=())

    @property
    def health(self) -> Health:
        """The one word for the channel."""
        return self.conditions[0].health if self.conditions else Health.NORMAL


def judge(facts: ChannelFacts, limits: Limits, now: datetime) -> ChannelHealth:
    """Find what needs attention in one channel."""
    found = [*_blocked(facts), *_contact(facts, limits, now), *_order(facts, limits, now), *_left_over(facts)]
    found += _confirmed(facts, limits, now)
    ranks = list(Health)
    return ChannelHealth(facts, tuple(sorted(found, key=lambda one: ranks.index(one.health))))


def _blocked(facts: ChannelFacts) -> Iterator[Condition]:
    if facts.conflicts:
        yield Condition(Health.STOPPED, Code.CHANNEL_STOPPED, len(facts.conflicts), packages=facts.conflicts)
    if facts.refused:
        yield Condition(Health.REFUSED, Code.CHANNEL_REFUSED_OPEN, len(facts.refused), packages=facts.refused)


def _contact(facts: ChannelFacts, limits: Limits, now: datetime) -> Iterator[Condition]:
    if facts.is_closed:
        return
    if not facts.is_registered:
        yield Condition(Health.SILENT, Code.CHANNEL_UNREGISTERED)
        return
    if facts.last_failure is not None:
        yield Condition(Health.FAILING, facts.last_failure, since=facts.last_attempt_at)
    if facts.last_contact_at is None:
        yield Condition(Health.SILENT, Code.CHANNEL_NEVER_CONTACTED)
    elif now - facts.last_contact_at > limits.contact_alert:
        yield Condition(Health.SILENT, Code.CHANNEL_SILENT, since=facts.last_contact_at)


def _order(facts: ChannelFacts, limits: Limits, now: datetime) -> Iterator[Condition]:
    """Say why packages wait: an earlier one is missing, or nobody has come to them yet."""
    # In a stopped channel nothing is next but the decision about the incident.
    if not facts.waiting or facts.conflicts:
        return
    if facts.is_closed:
        yield Condition(Health.WAITING, Code.CHANNEL_CLOSED_WAITING, facts.waiting, facts.oldest_waiting_at)
        return
    since = facts.gap_since or facts.oldest_waiting_at
    code = gap_code(since, now, limits.gap_deadline) if facts.missing_sequence else None
    if code is None:
        yield Condition(Health.WAITING, Code.CHANNEL_WAITING, facts.waiting, facts.oldest_waiting_at)
    else:
        deadline = since + limits.gap_deadline if since else None
        yield Condition(Health.WAITING, code, facts.waiting, since, deadline)


def _left_over(facts: ChannelFacts) -> Iterator[Condition]:
    if facts.rejected_records:
        yield Condition(Health.REFUSED, Code.CHANNEL_RECORDS_REJECTED, facts.rejected_records)
    if facts.is_closed:
        return
    if facts.receipts_due:
        yield Condition(Health.WAITING, Code.CHANNEL_RECEIPT_DUE, facts.receipts_due)
    if facts.deferred_files and facts.deferred_code:
        full = facts.deferred_code is Code.CHANNEL_QUARANTINE_QUOTA
        yield Condition(Health.FAILING if full else Health.WAITING, facts.deferred_code, facts.deferred_files)
    if facts.unknown_files:
        yield Condition(Health.WAITING, Code.CHANNEL_UNKNOWN_FILES, facts.unknown_files)


def _confirmed(facts: ChannelFacts, limits: Limits, now: datetime) -> Iterator[Condition]:
    """Say what differs, what kept the last reconciliation from its end, and when nobody has confirmed for long."""
    confirmation = facts.confirmation
    if confirmation.open_differences:
        yield Condition(Health.DIFFERENT, Code.CHANNEL_DIFFERENCES_OPEN, confirmation.open_differences)
    if facts.is_closed:
        return
    if confirmation.last_code is not None:
        is_too_much = confirmation.last_code is Code.RECONCILIATION_BEYOND_BOUND
        yield Condition(Health.DIFFERENT if is_too_much else Health.UNCONFIRMED, confirmation.last_code)
    known = [one for one in (confirmation.confirmed_at, confirmation.accounted_at) if one is not None]
    since = max(known, default=confirmation.first_applied_at)
    if since is not None and now - since > limits.confirmed_alert:
        code = Code.CHANNEL_CONFIRMED_LONG_AGO if confirmation.confirmed_at else Code.CHANNEL_NEVER_CONFIRMED
        yield Condition(Health.UNCONFIRMED, code, since=since)
