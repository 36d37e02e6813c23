"""The days offices are closed: computed, and held to what 内閣府 has published for four years."""

from __future__ import annotations

from datetime import date

import pytest

from juki.holidays import holidays_of, is_closed

_PUBLISHED = {
    2024: "1/1 1/8 2/11 2/12 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/15 8/11 8/12 9/16 9/22 9/23 10/14 11/3 11/4 11/23",
    2025: "1/1 1/13 2/11 2/23 2/24 3/20 4/29 5/3 5/4 5/5 5/6 7/21 8/11 9/15 9/23 10/13 11/3 11/23 11/24",
    2026: "1/1 1/12 2/11 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/20 8/11 9/21 9/22 9/23 10/12 11/3 11/23",
    2027: "1/1 1/11 2/11 2/23 3/21 3/22 4/29 5/3 5/4 5/5 7/19 8/11 9/20 9/23 10/11 11/3 11/23",
}
"""国民の祝日 and 休日 as 内閣府「国民の祝日」について has them (2027: announced on 2026-02-02)."""
_REST = {2024: "2/12 5/6 8/12 9/23 11/4", 2025: "2/24 5/6 11/24", 2026: "5/6 9/22", 2027: "3/22"}
_SPRING, _AUTUMN = "春分の日", "秋分の日"


def _days(year: int, text: str) -> list[date]:
    return [date(year, *map(int, one.split("/"))) for one in text.split()]


@pytest.mark.parametrize("year", _PUBLISHED)
def test_holidays_are_those_that_were_published(year: int) -> None:
    """Fixed days, Mondays, equinoxes, days instead of a Sunday, and the one between two."""
    assert list(holidays_of(year)) == _days(year, _PUBLISHED[year])
    rest = [day for day, name in holidays_of(year).items() if name == "休日"]
    assert rest == _days(year, _REST[year])


def test_equinoxes_are_those_of_the_almanac() -> None:
    """As 国立天文台 gives them for years in which they change (暦Wiki 春分の日・秋分の日)."""
    said = {
        (year, name): day.day for year in (2024, 2028, 2029, 2030) for day, name in holidays_of(year).items()
        if name in (_SPRING, _AUTUMN)
    }  # fmt: skip
    assert [said[year, _SPRING] for year in (2024, 2028, 2029, 2030)] == [20, 20, 20, 20]
    assert [said[year, _AUTUMN] for year in (2024, 2028, 2029, 2030)] == [22, 22, 23, 23]


@pytest.mark.parametrize("year", [2021, 2100])
def test_year_the_computation_does_not_hold_for_is_refused(year: int) -> None:
    """The law was another one, or the formula is not known; a review goes on by weekends alone."""
    with pytest.raises(ValueError, match="year"):
        holidays_of(year)
    assert is_closed(date(year, 1, 2)) and not is_closed(date(year, 2, 10))


@pytest.mark.parametrize(
    ("day", "is_off"),
    [
        ((2026, 11, 21), True), ((2026, 11, 22), True), ((2026, 11, 23), True), ((2026, 11, 24), False),
        ((2026, 12, 28), False), ((2026, 12, 29), True), ((2027, 1, 4), False), ((2026, 9, 22), True),
    ],
    ids=str,
)  # fmt: skip
def test_offices_are_closed_on_weekends_holidays_and_at_the_turn_of_the_year(
    day: tuple[int, int, int], is_off: bool
) -> None:
    """29 December to 3 January by 地方自治法4条の2."""
    assert is_closed(date(*day)) is is_off
