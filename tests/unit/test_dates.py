"""Dates read from byte matrices agree with Python's own calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.dates import (
    day_numbers,
    days_in_japan,
    is_real_date,
    ordinal_parts,
    parse_instants,
    seconds_of,
)

_JAPAN = timezone(timedelta(hours=9))


def _ints(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


@given(st.dates())
def test_day_numbers_and_parts_agree_with_the_calendar(day: date) -> None:
    """Any day from year 1 to 9999, there and back, without overflow."""
    numbers = day_numbers(_ints(day.year), _ints(day.month), _ints(day.day))
    assert numbers[0] == (day - date(1970, 1, 1)).days
    assert ordinal_parts(numbers)[0] == day.year * 10_000 + day.month * 100 + day.day


@given(st.integers(0, 9999), st.integers(0, 99), st.integers(0, 99))
def test_real_dates_are_those_of_the_calendar(year: int, month: int, day: int) -> None:
    """What Python can build is real, everything else is not."""
    try:
        date(year, month, day)
        expected = True
    except ValueError:
        expected = False
    assert is_real_date(_ints(year), _ints(month), _ints(day))[0] == expected


@given(
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001 - offset below
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["seconds", "milliseconds", "microseconds"]),
)
def test_instants_agree_with_python(moment: datetime, offset_minutes: int, digits: str) -> None:
    """Any offset and fraction; the day is that of Japan."""
    instant = moment.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    text = instant.isoformat(timespec=digits)
    found = parse_instants(np.frombuffer(text.encode(), dtype=np.uint8).reshape(1, -1))
    whole = instant.replace(microsecond=0)
    assert (
        found.is_valid[0] and found.seconds[0] == (whole - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    )
    in_japan = instant.astimezone(_JAPAN).date()
    assert days_in_japan(found.seconds)[0] == (in_japan - date(1970, 1, 1)).days


def test_naive_instant_is_a_programming_error() -> None:
    """An instant without offset could be any of 27."""
    with pytest.raises(ValueError, match="offset"):
        seconds_of(datetime(2026, 1, 1))  # noqa: DTZ001 - the very thing that is refused
