"""The health of a channel: what needs attention, in which words, by when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from juki.columns import IdentityFile
from juki.health import ChannelFacts, ChannelHealth, Confirmation, Health, Limits, OpenPackage, judge
from juki.order import Channel
from juki.package_id import PackageId
from juki.reasons import Code

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LIMITS = Limits(
    gap_deadline=timedelta(hours=24), contact_alert=timedelta(hours=26), confirmed_alert=timedelta(hours=200)
)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
WELL = ChannelFacts(
    Channel("352039", IdentityFile.RESIDENT), last_sequence=4, last_attempt_at=NOW, last_contact_at=NOW
)
OPEN = OpenPackage(PackageId(IdentityFile.RESIDENT, 7), Code.PACKAGE_SIGNATURE)


def _judged(**facts: object) -> ChannelHealth:
    return judge(replace(WELL, **facts), LIMITS, NOW)  # type: ignore[arg-type]


def _codes(judged: ChannelHealth) -> list[Code]:
    return [condition.code for condition in judged.conditions]


def test_channel_in_order_is_normal() -> None:
    """Nothing to say, and the word for it."""
    assert _judged().conditions == ()
    assert _judged().health is Health.NORMAL


@pytest.mark.parametrize(
    ("facts", "health", "code"),
    [
        ({"conflicts": (OPEN,)}, Health.STOPPED, Code.CHANNEL_STOPPED),
        ({"last_failure": Code.CHANNEL_HOST_KEY}, Health.FAILING, Code.CHANNEL_HOST_KEY),
        ({"last_contact_at": None}, Health.SILENT, Code.CHANNEL_NEVER_CONTACTED),
        ({"last_contact_at": NOW - 26 * HOUR - SECOND}, Health.SILENT, Code.CHANNEL_SILENT),
        ({"is_registered": False}, Health.SILENT, Code.CHANNEL_UNREGISTERED),
        ({"refused": (OPEN,)}, Health.REFUSED, Code.CHANNEL_REFUSED_OPEN),
        ({"rejected_records": 3}, Health.REFUSED, Code.CHANNEL_RECORDS_REJECTED),
        (
            {"waiting": 1, "first_waiting": 5, "oldest_waiting_at": NOW},
            Health.WAITING,
            Code.CHANNEL_WAITING,
        ),
        ({"receipts_due": 1}, Health.WAITING, Code.CHANNEL_RECEIPT_DUE),
        ({"unknown_files": 1}, Health.WAITING, Code.CHANNEL_UNKNOWN_FILES),
    ],
    ids=lambda value: value.value if isinstance(value, Code) else "",
)
def test_each_condition_has_its_word_and_code(facts: dict[str, object], health: Health, code: Code) -> None:
    """One fact, one reason, and a next step for it."""
    judged = _judged(**facts)
    assert (judged.health, _codes(judged)) == (health, [code])
    assert code.next_step


def test_silence_is_counted_from_the_last_contact() -> None:
    """At the limit itself nothing is said yet."""
    assert _judged(last_contact_at=NOW - 26 * HOUR).conditions == ()


@pytest.mark.parametrize(
    ("since", "code"), [(24 * HOUR, Code.CHANNEL_GAP), (24 * HOUR + SECOND, Code.CHANNEL_GAP_OVERDUE)]
)
def test_gap_waits_until_its_deadline(since: timedelta, code: Code) -> None:
    """The deadline is told from the start; after it the code says that it has passed."""
    waits = {"waiting": 2, "first_waiting": 6, "oldest_waiting_at": NOW, "gap_since": NOW - since}
    (condition,) = _judged(**waits).conditions
    assert (condition.code, condition.deadline) == (code, NOW - since + 24 * HOUR)
    assert _judged(**waits).facts.missing_sequence == 5


def test_gap_nobody_has_noted_yet_counts_from_the_oldest_waiting_package() -> None:
    """A run that was killed before it noted the gap hides nothing."""
    (condition,) = _judged(waiting=1, first_waiting=6, oldest_waiting_at=NOW - 25 * HOUR).conditions
    assert condition.code is Code.CHANNEL_GAP_OVERDUE


def test_package_of_an_applied_sequence_is_no_gap() -> None:
    """A repeat waits for its answer; nothing is missing before it."""
    (condition,) = _judged(waiting=1, first_waiting=4, oldest_waiting_at=NOW).conditions
    assert condition.code is Code.CHANNEL_WAITING


def test_worst_reason_gives_the_word_and_comes_first() -> None:
    """All reasons are told, not only the one that names the state."""
    judged = _judged(receipts_due=1, refused=(OPEN,), last_failure=Code.CHANNEL_LOGIN, conflicts=(OPEN,))
    assert judged.health is Health.STOPPED
    assert _codes(judged) == [
        Code.CHANNEL_STOPPED,
        Code.CHANNEL_LOGIN,
        Code.CHANNEL_REFUSED_OPEN,
        Code.CHANNEL_RECEIPT_DUE,
    ]


def test_every_word_is_japanese() -> None:
    """No state shows its code name."""
    assert len({health.japanese for health in Health}) == len(Health)
    assert all(not health.japanese.isascii() for health in Health)


def test_channel_confirmed_within_the_period_is_normal() -> None:
    """Equality was shown not long ago, and nothing is open."""
    confirmed = Confirmation(first_applied_at=NOW - 900 * HOUR, confirmed_at=NOW - 200 * HOUR)
    assert judge(replace(WELL, confirmation=confirmed), LIMITS, NOW).health is Health.NORMAL


@pytest.mark.parametrize(
    ("confirmation", "code"),
    [
        (Confirmation(NOW - 900 * HOUR, NOW - 200 * HOUR - SECOND), Code.CHANNEL_CONFIRMED_LONG_AGO),
        (Confirmation(NOW - 200 * HOUR - SECOND), Code.CHANNEL_NEVER_CONFIRMED),
    ],
)
def test_channel_nobody_confirmed_for_longer_than_decided_is_shown(
    confirmation: Confirmation, code: Code
) -> None:
    """M11: that nothing outdated stays current has to be shown again and again."""
    judged = judge(replace(WELL, confirmation=confirmation), LIMITS, NOW)
    assert [one.code for one in judged.conditions] == [code]
    assert judged.health is Health.UNCONFIRMED


def test_new_channel_has_the_whole_period_for_its_first_confirmation() -> None:
    """On the day of the first load nobody can have confirmed anything."""
    assert judge(replace(WELL, confirmation=Confirmation(NOW)), LIMITS, NOW).health is Health.NORMAL
    accounted = Confirmation(NOW - 900 * HOUR, NOW - 300 * HOUR, accounted_at=NOW)
    assert judge(replace(WELL, confirmation=accounted), LIMITS, NOW).health is Health.NORMAL


def test_differences_and_what_stopped_the_reconciliation_are_both_said() -> None:
    """What differs comes first; a municipality that is no more is not asked again."""
    stopped = Confirmation(NOW, NOW, open_differences=3, last_code=Code.RECONCILIATION_BEYOND_BOUND)
    judged = judge(replace(WELL, confirmation=stopped), LIMITS, NOW)
    assert [(one.code, one.count) for one in judged.conditions] == [
        (Code.CHANNEL_DIFFERENCES_OPEN, 3), (Code.RECONCILIATION_BEYOND_BOUND, 0),
    ]  # fmt: skip
    closed = judge(replace(WELL, confirmation=stopped, is_closed=True), LIMITS, NOW + 900 * HOUR)
    assert [one.code for one in closed.conditions] == [Code.CHANNEL_DIFFERENCES_OPEN]


def test_reconciliation_that_could_not_be_made_leaves_the_channel_unconfirmed() -> None:
    """Nothing is known to differ because a CS did not answer."""
    silent = Confirmation(NOW, NOW, last_code=Code.SNAPSHOT_NOT_ANSWERED)
    judged = judge(replace(WELL, confirmation=silent), LIMITS, NOW)
    assert [one.code for one in judged.conditions] == [Code.SNAPSHOT_NOT_ANSWERED]
    assert judged.health is Health.UNCONFIRMED
