"""The order of a channel: new files, the next step, gaps, and since when a package counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.order import FileMark, Next, Step, counts_from, gap_code, new_files, next_step
from juki.reasons import Code

NOON = datetime(2026, 3, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("last", "received", "expected"),
    [
        pytest.param(0, [], Next(Step.IDLE, 0), id="nothing came"),
        pytest.param(0, [1, 2], Next(Step.APPLY, 1), id="the first package"),
        pytest.param(4, [6, 5], Next(Step.APPLY, 5), id="the next, whatever order they lie in"),
        pytest.param(4, [6, 7], Next(Step.WAIT, 5), id="one is missing"),
        pytest.param(4, [3, 5], Next(Step.ANSWER, 3), id="an old one came again"),
        pytest.param(4, [4], Next(Step.ANSWER, 4), id="the last one came again"),
    ],
)
def test_the_next_step_follows_from_the_sequence(last: int, received: list[int], expected: Next) -> None:
    """spec/packages.md section 2."""
    assert next_step(last, received, is_stopped=False) == expected
    assert next_step(last, received, is_stopped=True).step is Step.STOPPED


@given(st.lists(st.integers(1, 12), unique=True))
def test_packages_are_applied_in_sequence_without_gaps(received: list[int]) -> None:
    """Following the steps applies exactly the packages before the first one missing."""
    last, waiting = 0, list(received)
    while (upcoming := next_step(last, waiting, is_stopped=False)).step is Step.APPLY:
        last = upcoming.sequence
        waiting.remove(last)
    assert list(range(1, last + 1)) == [number for number in range(1, 13) if number <= last]
    assert last + 1 not in received
    assert upcoming.step in (Step.IDLE, Step.WAIT)


def test_a_file_is_new_when_name_size_or_time_differ() -> None:
    """Written again under its name, it is fetched again and compared."""
    known = FileMark("a.p7m", 10, NOON)
    listed = [
        known,
        FileMark("a.p7m", 11, NOON),
        FileMark("a.p7m", 10, NOON + HOUR),
        FileMark("b.p7m", 10, NOON),
    ]
    assert new_files(listed, [known]) == listed[1:]
    assert new_files(listed, listed) == []


def test_a_gap_waits_until_its_deadline_and_is_overdue_after_it() -> None:
    """Visible from the first moment; exactly at the deadline it still waits."""
    deadline = timedelta(hours=24)
    assert gap_code(None, NOON, deadline) is None
    assert gap_code(NOON, NOON, deadline) is Code.CHANNEL_GAP
    assert gap_code(NOON, NOON + deadline, deadline) is Code.CHANNEL_GAP
    assert gap_code(NOON, NOON + deadline + timedelta(seconds=1), deadline) is Code.CHANNEL_GAP_OVERDUE


def test_a_package_counts_when_all_before_it_are_here() -> None:
    """So the days of a history never run backwards behind a gap."""
    assert counts_from(NOON, None) == NOON
    assert counts_from(NOON, NOON + HOUR) == NOON + HOUR
    assert counts_from(NOON + HOUR, NOON) == NOON + HOUR
