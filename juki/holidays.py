"""Days on which the offices of a prefecture are closed: weekends, 国民の祝日 and 休日, the turn of the year.

Decides:    which days are holidays by the law in force since 2022; whatever year is asked for.
Leaves:     the hours of a working day to `juki.review`.
Invariants: a pure computation: no list that somebody has to renew. The equinoxes are computed as 国立天文台 gives
            them; what is announced in 官報 each February has agreed with it ever since 1980.
Source:     国民の祝日に関する法律2条, 3条; 地方自治法4条の2第2項 (the turn of the year); ADR-0039.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

_FIRST_YEAR, _LAST_YEAR = 2022, 2099
"""Before, the law moved days for the Olympic games; after, the formula of the equinoxes is not published."""
_FIXED = {
    (1, 1): "元日", (2, 11): "建国記念の日", (2, 23): "天皇誕生日", (4, 29): "昭和の日", (5, 3): "憲法記念日",
    (5, 4): "みどりの日", (5, 5): "こどもの日", (8, 11): "山の日", (11, 3): "文化の日", (11, 23): "勤労感謝の日",
}  # fmt: skip
_MONDAYS = {(1, 2): "成人の日", (7, 3): "海の日", (9, 3): "敬老の日", (10, 2): "スポーツの日"}
"""By month and which Monday of it."""
_TURN_OF_THE_YEAR = frozenset({(12, 29), (12, 30), (12, 31), (1, 2), (1, 3)})
_SUNDAY, _SATURDAY = 6, 5
_ONE_DAY = timedelta(days=1)
REST_DAY = "休日"
"""What the law calls the days between and instead: no 国民の祝日, and closed all the same."""


@lru_cache(maxsize=8)
def holidays_of(year: int) -> dict[date, str]:
    """Name the 国民の祝日 of a year, and the 休日 that follow from them (3条2項, 3項).

    Raises: ValueError outside the years the computation holds for.
    """
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ValueError("year")
    days = {date(year, month, day): name for (month, day), name in _FIXED.items()}
    days |= {_monday(year, month, which): name for (month, which), name in _MONDAYS.items()}
    days |= {_equinox(year, 3, 20.8431): "春分の日", _equinox(year, 9, 23.2488): "秋分の日"}
    return dict(sorted((days | _instead(days) | _between(days)).items()))


def is_closed(day: date) -> bool:
    """Tell whether nobody is expected at work on a day; outside the years known, by weekends and the turn only."""
    is_weekend = day.weekday() in (_SATURDAY, _SUNDAY)
    is_known = _FIRST_YEAR <= day.year <= _LAST_YEAR
    is_holiday = is_known and day in holidays_of(day.year)
    return is_weekend or is_holiday or (day.month, day.day) in _TURN_OF_THE_YEAR


def _monday(year: int, month: int, which: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=-first.weekday() % 7 + 7 * (which - 1))


def _equinox(year: int, month: int, day_in_1980: float) -> date:
    """Compute the day on which the sun passes the equator, in Japanese time."""
    years = year - 1980
    return date(year, month, int(day_in_1980 + 0.242194 * years) - years // 4)


def _instead(days: dict[date, str]) -> dict[date, str]:
    """Find the day off for each holiday on a Sunday: the next day that is none (3条2項)."""
    found = {}
    for day in days:
        if day.weekday() == _SUNDAY:
            while day in days:
                day += _ONE_DAY
            found[day] = REST_DAY
    return found


def _between(days: dict[date, str]) -> dict[date, str]:
    """Find the days with a holiday before and after them (3条3項)."""
    middles = (day + _ONE_DAY for day in days if day + 2 * _ONE_DAY in days)
    return {day: REST_DAY for day in middles if day not in days and day.weekday() != _SUNDAY}
