"""Holds: the end of a hold to the second, what may move it, and which clocks erase nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from juki.columns import IdentityFile
from juki.holds import CLOCK_TOLERANCE, ClockNote, Hold, HoldTerms, provision_name
from juki.package_id import PackageId
from juki.provisions import ProvisionState
from juki.reasons import Code

T = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
TERMS = HoldTerms(hold=3 * DAY, after_receipt=DAY)
BOUND = 14 * DAY
HELD = Hold(
    PackageId(IdentityFile.FUHYO, 12), numbers=5, held_at=T, due_at=T + 3 * DAY, state=ProvisionState.DELIVERED,
    recipient="zeimu", sequence=7,
)  # fmt: skip


def test_hold_counts_from_the_delivery_and_before_it_from_the_sealing() -> None:
    """What can not be delivered must not be kept for ever either."""
    assert TERMS.due_at(sealed_at=T) == T + 3 * DAY
    assert TERMS.due_at(sealed_at=T, delivered_at=T + DAY) == T + 4 * DAY


@pytest.mark.parametrize(
    ("receipt_after", "end_after"), [(HOUR, DAY + HOUR), (2 * DAY, 3 * DAY), (5 * DAY, 3 * DAY)]
)
def test_receipt_moves_the_end_earlier_or_not_at_all(receipt_after: timedelta, end_after: timedelta) -> None:
    """A receipt that comes late must not lengthen anything."""
    assert TERMS.shortened(T + 3 * DAY, T + receipt_after) == T + end_after


@pytest.mark.parametrize(("seconds", "is_due"), [(-1, False), (0, True), (1, True)])
def test_hold_is_due_at_its_very_end(seconds: int, is_due: bool) -> None:
    """One second before is kept, the instant itself is not."""
    assert HELD.is_due(HELD.due_at + seconds * SECOND) is is_due


def test_what_is_erased_is_never_due_again() -> None:
    """A second proof would be a lie about the first."""
    erased = replace(HELD, purged_at=HELD.due_at, entry_no=1)
    assert not erased.is_due(HELD.due_at + DAY)
    assert not erased.is_overdue(HELD.due_at + DAY, HOUR)


@pytest.mark.parametrize(("late", "is_overdue"), [(HOUR, False), (HOUR + SECOND, True)])
def test_hold_is_overdue_after_its_grace_only(late: timedelta, is_overdue: bool) -> None:
    """The alarm is for a purge that does not run, not for the minutes between two runs."""
    assert HELD.is_overdue(HELD.due_at + late, HOUR) is is_overdue


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({}, None),
        ({"state": ProvisionState.SEALED}, None),
        ({"state": ProvisionState.APPROVED}, Code.PROVISION_NOT_SEALED),
        ({"state": ProvisionState.LAPSED}, Code.PROVISION_NOT_SEALED),
        ({"due_at": T}, Code.HOLD_TERM_REACHED),
        ({"purged_at": T, "entry_no": 1}, Code.PROVISION_PURGED),
    ],
)
def test_nothing_leaves_that_is_not_sealed_or_has_come_to_its_end(
    change: dict[str, object], refusal: Code | None
) -> None:
    """Also in the minutes between the end of a hold and its purge."""
    assert replace(HELD, **change).refusal(T) is refusal  # type: ignore[arg-type]


def test_package_is_named_by_recipient_file_and_place() -> None:
    """The name says nothing of a person and orders the packages of one recipient."""
    assert HELD.file_name == "zeimu-fuhyo-provision-00000007.p7m"
    assert provision_name("kyoiku", PackageId(IdentityFile.RESIDENT, 3), 12) == (
        "kyoiku-resident-provision-00000012.p7m"
    )


# -- the clock --------------------------------------------------------------------------------------------------


def test_clock_of_a_new_installation_is_believed() -> None:
    """There is nothing to compare it with."""
    assert ClockNote().judge(T, None, BOUND) is None


@pytest.mark.parametrize(
    ("back", "doubt"), [(CLOCK_TOLERANCE, None), (CLOCK_TOLERANCE + SECOND, Code.CLOCK_BEHIND)]
)
def test_clock_behind_what_the_store_knows_is_not_believed(back: timedelta, doubt: Code | None) -> None:
    """Behind the store as behind the last purge, by more than clocks of two machines differ."""
    assert ClockNote().judge(T - back, T, BOUND) is doubt
    assert ClockNote(trusted_at=T).judge(T - back, None, BOUND) is doubt


@pytest.mark.parametrize(("ahead", "doubt"), [(BOUND, None), (BOUND + SECOND, Code.CLOCK_AHEAD)])
def test_clock_far_ahead_of_the_last_purge_is_not_believed(ahead: timedelta, doubt: Code | None) -> None:
    """A week without a purge is believed, a year is not."""
    assert ClockNote(trusted_at=T).judge(T + ahead, T, BOUND) is doubt
    assert ClockNote().judge(T + ahead, T, BOUND) is doubt


def test_instants_a_jumped_clock_wrote_do_not_make_it_believed() -> None:
    """An intake that runs on with the wrong clock writes it into the store within minutes."""
    note = ClockNote(trusted_at=T)
    jumped = T + 365 * DAY
    assert note.judge(jumped + HOUR, jumped, BOUND) is Code.CLOCK_AHEAD


def test_confirmed_clock_is_believed_from_then_on() -> None:
    """What was off for a month goes on after somebody has said so, once."""
    after = ClockNote(trusted_at=T).confirmed(T + 30 * DAY, T)
    assert after.judge(T + 30 * DAY + HOUR, T + 30 * DAY, BOUND) is None


def test_clock_put_right_after_a_jump_goes_on_once_confirmed() -> None:
    """What the store learned while the clock was ahead stays there; it must not stop every purge for a year."""
    jumped = T + 365 * DAY
    after = ClockNote(trusted_at=T, stopped=Code.CLOCK_AHEAD).confirmed(T + DAY, jumped)
    assert after.judge(T + 2 * DAY, jumped, BOUND) is None
    assert after.trusting(T + 2 * DAY).judge(T + 3 * DAY, jumped, BOUND) is None
    assert after.judge(T + 2 * DAY, jumped + HOUR, BOUND) is Code.CLOCK_BEHIND
    assert after.judge(T, jumped, BOUND) is Code.CLOCK_BEHIND
    assert jumped < T + 366 * DAY
    assert after.trusting(T + 366 * DAY).accepted is None


def test_stop_is_remembered_until_a_time_is_believed() -> None:
    """`juki status` says why nothing is erased."""
    stopped = ClockNote(trusted_at=T).stopping(Code.CLOCK_BEHIND)
    assert (stopped.stopped, stopped.trusted_at) == (Code.CLOCK_BEHIND, T)
    assert stopped.trusting(T + HOUR).stopped is None
