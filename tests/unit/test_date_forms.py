"""Every form of a date, position by position: what is read as one, what is not, and where each begins and ends.

The expectations are written with regular expressions and Python's own calendar, which share nothing with the
byte matrices they are compared with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from juki.dates import (
    BIRTH_DATE_WIDTH,
    EVENT_DATE_WIDTH,
    INSTANT_WIDTHS,
    days_in_japan,
    is_real_date,
    ordinal_parts,
    parse_birth_dates,
    parse_event_dates,
    parse_instants,
)

_STRANGE = "0/:;?@AZ`a. +-\x7f"
"""Characters beside the digits in ASCII, and some that stand elsewhere in a date."""


def matrix(values: Iterable[str]) -> NDArray[np.uint8]:
    """Lay texts of one width out as bytes."""
    rows = [value.encode("latin-1") for value in values]
    return np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), len(rows[0]))


def spoilt(text: str) -> list[str]:
    """Put every strange character into every place of a text, one at a time."""
    return [text[:place] + one + text[place + 1 :] for place in range(len(text)) for one in _STRANGE]


def exists(year: int, month: int, day: int) -> bool:
    """Ask Python's calendar."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def test_widths_are_those_of_the_forms() -> None:
    """A date of any other width is not even looked at."""
    assert (len("2026-11-23"), len("20261123")) == (EVENT_DATE_WIDTH, BIRTH_DATE_WIDTH)
    shortest, longest = "2026-11-23T00:00:00Z", "2026-11-23T00:00:00.123456789+09:00"
    assert (min(INSTANT_WIDTHS), max(INSTANT_WIDTHS)) == (len(shortest), len(longest))


def test_the_calendar_is_that_of_python_day_by_day() -> None:
    """Every month of leap and common years, first and last centuries, and what lies beside them."""
    parts = [(year, month, day) for year in (0, 1, 4, 99, 100, 400, 1900, 2000, 2023, 2024, 9999)
             for month in range(15) for day in range(34)]  # fmt: skip
    years, months, days = (np.array(part, dtype=np.int64) for part in zip(*parts, strict=True))
    assert is_real_date(years, months, days).tolist() == [exists(*part) for part in parts]


def test_event_dates_are_read_in_parts() -> None:
    """Every digit counts in its place."""
    found = parse_event_dates(matrix(["1234-56-78", "9087-65-43"]))
    assert (found.is_form.tolist(), found.year.tolist()) == ([True, True], [1234, 9087])
    assert (found.month.tolist(), found.day.tolist()) == ([56, 65], [78, 43])


@pytest.mark.parametrize("good", ["2026-11-23", "0000-00-00", "9999-99-99"])
def test_one_strange_character_anywhere_is_no_event_date(good: str) -> None:
    """ASCII digits and two hyphens, nothing else in any place."""
    texts = [good, *spoilt(good)]
    expected = [re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None for text in texts]
    assert parse_event_dates(matrix(texts)).is_form.tolist() == expected


_SIGNS = "/01239:@ABDEa"
_PAIRS = [f"{number:02d}" for number in range(34)] + [one + other for one in _SIGNS for other in _SIGNS]


def legal_birth_date(text: str) -> bool:
    """Read the legal forms as domain.md says them; 29 February is legal in every year."""
    year, month, day = text[:4], text[4:6], text[6:8]
    if not re.fullmatch("[0-9]{4}", year) or year == "0000":
        return False
    is_season, is_third = re.fullmatch("[A-D][1-4]", month), re.fullmatch("A[1-3]", day)
    if not is_season and not (month.isdecimal() and int(month) <= 12):
        return False
    if is_third or day == "00":
        return True
    longest = int(month) if month.isdecimal() and month != "00" else 1
    return day.isdecimal() and exists(2000, longest, int(day))


def test_every_month_with_every_day_of_a_birth_is_read_as_the_law_has_it() -> None:
    """Unknown parts, seasons, thirds of a month, and all that only looks like them."""
    texts = [f"1980{month}{day}" for month in _PAIRS for day in _PAIRS]
    texts += [
        f"{year}0229" for year in ("0000", "0001", "1900", "1981", "9999", "198A", "/980", ":980", "19:0")
    ]
    found = parse_birth_dates(matrix(texts))
    assert found.is_form.tolist() == [legal_birth_date(text) for text in texts]
    for place, text in enumerate(texts):
        if legal_birth_date(text):
            parts = [
                int(text[:4]),
                *(int(part) if part.isdecimal() else 0 for part in (text[4:6], text[6:8])),
            ]
            assert [found.year[place], found.month[place], found.day[place]] == parts, text


_INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def expected_seconds(text: str) -> int | None:
    """Read an instant with Python; None where it is none, or too far for a register."""
    parts = _INSTANT.fullmatch(text)
    if parts is None or not 1900 <= int(parts[1]) <= 2200:
        return None
    zone = "+00:00" if parts[8] == "Z" else parts[8]
    if int(zone[1:3]) > 14 or int(zone[4:6]) > 59:
        return None
    try:
        moment = datetime(*(int(part) for part in parts.groups()[:6]))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    return int((moment - datetime(1970, 1, 1)) / timedelta(seconds=1) - offset / timedelta(seconds=1))  # noqa: DTZ001


@pytest.mark.parametrize(
    "good",
    [
        "2026-11-23T09:08:07Z", "2026-11-23T09:08:07+09:30", "2026-11-23T09:08:07-03:30", "2026-11-23T19:18:17.5Z",
        "2026-11-23T09:08:07.123456789+14:59", "1900-01-01T00:00:00+14:00", "2200-12-31T23:59:59-14:00",
        "2024-02-29T23:59:59.25-00:01",
    ],
)  # fmt: skip
def test_an_instant_is_read_to_the_second_and_nothing_beside_it_is_one(good: str) -> None:
    """Every digit and sign in every place, with each strange character and each digit there in its stead."""
    digits = [good[:place] + one + good[place + 1 :] for place in range(len(good)) for one in "0123456789TZ"]
    texts = [good, *spoilt(good), *digits]
    found = parse_instants(matrix(texts))
    expected = [expected_seconds(text) for text in texts]
    assert expected[0] is not None
    assert found.is_valid.tolist() == [seconds is not None for seconds in expected]
    assert [int(found.seconds[place]) for place, one in enumerate(expected) if one is not None] == [
        seconds for seconds in expected if seconds is not None
    ]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("1899-12-31T23:59:59Z", False), ("1900-01-01T00:00:00Z", True),
        ("2200-12-31T23:59:59Z", True), ("2201-01-01T00:00:00Z", False),
        ("2026-11-23T23:00:00Z", True), ("2026-11-23T24:00:00Z", False),
        ("2026-11-23T00:59:00Z", True), ("2026-11-23T00:60:00Z", False),
        ("2026-11-23T00:00:59Z", True), ("2026-11-23T00:00:60Z", False),
        ("2026-11-23T00:00:00+14:59", True), ("2026-11-23T00:00:00+15:00", False),
        ("2026-11-23T00:00:00+00:60", False), ("2026-11-23T00:00:00.Z", False), ("2026-11-23T00:00:00.1Z", True),
        ("2026-11-23T00:00:00+0900", False), ("2026-11-23T00:00:0009:00", False), ("2026-11-23T00:00:001Z", False),
    ],
)  # fmt: skip
def test_an_instant_ends_where_the_clock_does(text: str, is_one: bool) -> None:
    """The first and the last of every part, and the one beyond it."""
    assert parse_instants(matrix([text])).is_valid.tolist() == [is_one]


def test_the_day_in_japan_changes_at_midnight_in_japan() -> None:
    """15:00 in UTC, to the second."""
    midnight = int(datetime(2026, 11, 23, 15, tzinfo=UTC).timestamp())
    before, after = days_in_japan(np.array([midnight - 1, midnight], dtype=np.int64)).tolist()
    assert (before, after) == ((date(2026, 11, 23) - date(1970, 1, 1)).days, before + 1)
    assert ordinal_parts(np.array([before, after], dtype=np.int64)).tolist() == [20261123, 20261124]
