"""The 150-year clock, day by day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.retention import clock_start, expires_on, is_over, latest_start
from tests.model import anniversary


@pytest.mark.parametrize(
    ("start", "first_day_it_may_be_erased"),
    [
        pytest.param(date(2026, 3, 25), date(2176, 3, 25), id="an ordinary day"),
        pytest.param(date(2026, 12, 31), date(2176, 12, 31), id="the last day of a year"),
        pytest.param(date(2024, 2, 29), date(2174, 3, 1), id="29 February, and 2174 has none"),
        pytest.param(date(2048, 2, 29), date(2198, 3, 1), id="29 February, and 2198 has none"),
        pytest.param(date(2026, 2, 28), date(2176, 2, 28), id="28 February before a leap year"),
    ],
)
def test_the_period_ends_with_the_day_before_the_anniversary(
    start: date, first_day_it_may_be_erased: date
) -> None:
    """起算して百五十年を経過する日: the first day counts, so the anniversary is the first day after."""
    assert expires_on(start) == first_day_it_may_be_erased


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_nothing_is_erased_before_150_calendar_years_are_over(start: date) -> None:
    """Never a day early, never more than a day late, and never earlier for a later start."""
    assert expires_on(start) == anniversary(start)
    assert expires_on(start).year == start.year + 150
    assert expires_on(start) <= expires_on(start + timedelta(days=1))


def test_the_clock_starts_as_the_statute_says() -> None:
    """施行令30条の6: one's own notice for a deletion, the newer notice otherwise, none while it is newest."""
    own, newer = date(2026, 3, 25), date(2026, 4, 1)
    assert clock_start(is_deletion=True, received_on=own, superseded_on=newer) == own
    assert clock_start(is_deletion=False, received_on=own, superseded_on=newer) == newer
    assert clock_start(is_deletion=False, received_on=own, superseded_on=None) is None


@pytest.mark.parametrize(
    ("start", "last_day_kept"),
    [
        pytest.param(date(2026, 3, 25), date(2176, 3, 24), id="an ordinary day"),
        pytest.param(date(2026, 1, 1), date(2175, 12, 31), id="the first day of a year"),
        pytest.param(date(2024, 2, 29), date(2174, 2, 28), id="29 February, and 2174 has none"),
        pytest.param(date(2026, 3, 1), date(2176, 2, 29), id="1 March, and 2176 has a 29 February"),
    ],
)
def test_keeping_is_over_on_the_day_and_not_on_the_day_before(start: date, last_day_kept: date) -> None:
    """経過する日までの期間: that day belongs to it; what has no clock is never over."""
    ends = expires_on(start)
    assert not is_over(ends, last_day_kept)
    assert is_over(ends, last_day_kept + timedelta(days=1))
    assert is_over(ends, date.max)
    assert not is_over(None, date.max)


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)), st.integers(-800, 800))
def test_the_day_a_version_bears_and_the_day_its_clock_started_say_the_same(start: date, days: int) -> None:
    """Around the anniversary and around every 29 February: both ways to ask have one answer."""
    on = anniversary(start) + timedelta(days=days)
    assert is_over(expires_on(start), on) == (start <= latest_start(on))


@pytest.mark.parametrize("leap_day", [date(2176, 2, 29), date(2204, 2, 29)])
def test_on_29_february_what_started_on_28_february_is_over_and_1_march_is_not(leap_day: date) -> None:
    """No year 150 before a leap year is one."""
    assert latest_start(leap_day) == date(leap_day.year - 150, 2, 28)
