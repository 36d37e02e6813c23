"""The 150-year clock, day by day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.retention import clock_start, expires_on
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
