"""Civil dates, birth dates and instants as written in packages, read from byte matrices.

Decides:    which dates are real, which of the unknown and non-calendar birth dates are legal forms.
Leaves:     what a bad date means for a record to `juki.rules`, calendar terms of 150 years to retention.
Invariants: no clock: "now" is always an argument. Day numbers count from 1970-01-01 in the proleptic
            Gregorian calendar as 64-bit integers, so no year overflows. Japan is UTC+9 without summer time.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes2D = NDArray[np.uint8]
"""ASCII bytes, one value per row, all of one width."""
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

EVENT_DATE_WIDTH = 10
BIRTH_DATE_WIDTH = 8
INSTANT_WIDTHS = range(20, 36)
"""From `2026-11-23T00:00:00Z` to nine digits of a second and an offset."""

JAPAN = timezone(timedelta(hours=9))
"""The one offset of Japan."""

_DAY_SECONDS = 86_400
_JAPAN_OFFSET_SECONDS = int(JAPAN.utcoffset(None).total_seconds())
_ZERO = ord("0")
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
"""Of an instant: beyond these an offset may lead out of the calendar, and no register was kept or will be."""
_LONGEST_OFFSET_HOURS = 14


def civil_date(instant: datetime) -> date:
    """Tell the civil date in Japan of an aware instant; days of notice and retention are counted in these."""
    return instant.astimezone(JAPAN).date()


class Dates(NamedTuple):
    """Dates in parts: `is_form` tells where the form was right; elsewhere the parts mean nothing."""

    is_form: Mask
    year: Ints
    month: Ints
    day: Ints


class Instants(NamedTuple):
    """Seconds since 1970-01-01 UTC, fractions dropped; meaningless where `is_valid` is not set."""

    is_valid: Mask
    seconds: Ints


def day_numbers(year: Ints, month: Ints, day: Ints) -> Ints:
    """Count the days from 1970-01-01 to each date; the parts must be those of real dates."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64) + day - 1


def is_real_date(year: Ints, month: Ints, day: Ints) -> Mask:
    """Tell which dates exist in the Gregorian calendar, from year 1 on."""
    is_month = (month >= 1) & (month <= 12)
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _MONTH_DAYS[np.where(is_month, month, 0)] + (is_leap & (month == 2))
    found: Mask = is_month & (year >= 1) & (day >= 1) & (day <= last)
    return found


def parse_event_dates(values: Bytes2D) -> Dates:
    """Read YYYY-MM-DD; whether the date is real is `is_real_date`'s to say.

    Shape: (n, 10).
    """
    is_form = _all_digits(values[:, [0, 1, 2, 3, 5, 6, 8, 9]])
    is_form &= (values[:, 4] == ord("-")) & (values[:, 7] == ord("-"))
    return Dates(is_form, _number(values[:, 0:4]), _number(values[:, 5:7]), _number(values[:, 8:10]))


def parse_birth_dates(values: Bytes2D) -> Dates:
    """Read the 8 characters of a birth date; month and day are 0 where unknown or not of the calendar.

    The month may be 00, or A–D (春夏秋冬 with 初, 仲, 晩) followed by 1–4; the day may be 00 or A1–A3 (上旬,
    中旬, 下旬). 29 February is legal in every year: such births were registered and stand.

    Shape:  (n, 8).
    Source: domain.md section 3.
    """
    year, month, day = (_number(values[:, part]) for part in (slice(0, 4), slice(4, 6), slice(6, 8)))
    is_season = _is_letter_digit(values[:, 4:6], "D", 4)
    is_third = _is_letter_digit(values[:, 6:8], "A", 3)
    is_month = (_all_digits(values[:, 4:6]) & (month <= 12)) | is_season
    month, day = np.where(is_season, 0, month), np.where(is_third, 0, day)
    leap_years = np.full(len(values), 2000, dtype=np.int64)
    longest = np.where((month >= 1) & (month <= 12), month, 1)
    is_day = _all_digits(values[:, 6:8]) & ((day == 0) | is_real_date(leap_years, longest, day))
    is_form = _all_digits(values[:, 0:4]) & (year >= 1) & is_month & (is_day | is_third)
    return Dates(is_form, year, month, day)


def parse_instants(values: Bytes2D) -> Instants:
    """Read ISO 8601 instants with seconds and offset (`Z` or ±hh:mm), all of one width.

    Shape: (n, w), w in INSTANT_WIDTHS.
    """
    date = parse_event_dates(values[:, :EVENT_DATE_WIDTH])
    hour, minute, second = (_number(values[:, at : at + 2]) for at in (11, 14, 17))
    is_valid = date.is_form & is_real_date(date.year, date.month, date.day)
    is_valid &= _all_digits(values[:, [11, 12, 14, 15, 17, 18]]) & (hour < 24) & (minute < 60) & (second < 60)
    for at, mark in ((10, "T"), (13, ":"), (16, ":")):
        is_valid &= values[:, at] == ord(mark)
    is_tail, offset = _offsets(values[:, 19:])
    is_valid &= is_tail & (date.year >= _FIRST_YEAR) & (date.year <= _LAST_YEAR)
    safe = [np.where(is_valid, part, 1) for part in (date.year, date.month, date.day)]
    days = day_numbers(safe[0], safe[1], safe[2])
    return Instants(is_valid, days * _DAY_SECONDS + hour * 3600 + minute * 60 + second - offset)


def days_in_japan(seconds: Ints) -> Ints:
    """Give the day number on which an instant falls in Japan."""
    return (seconds + _JAPAN_OFFSET_SECONDS) // _DAY_SECONDS


def seconds_of(instant: datetime) -> int:
    """Count the seconds from 1970-01-01 UTC of an aware datetime; a naive one is a programming error."""
    if instant.utcoffset() is None:
        raise ValueError("an instant needs an offset")
    return int(instant.timestamp())


def ordinal_parts(days: Ints) -> Ints:
    """Write day numbers as YYYYMMDD integers, for comparison with partly unknown dates."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    month_count = months.astype(np.int64) + 1970 * 12
    day = (dates - months.astype("datetime64[D]")).astype(np.int64) + 1
    found: Ints = (month_count // 12) * 10_000 + (month_count % 12 + 1) * 100 + day
    return found


def _offsets(tail: Bytes2D) -> tuple[Mask, Ints]:
    """Read what follows the seconds: an optional fraction, then `Z` or ±hh:mm; the offset in seconds."""
    is_zulu = tail[:, -1] == ord("Z")
    is_valid = is_zulu & _is_fraction(tail[:, :-1])
    offset = np.zeros(len(tail), dtype=np.int64)
    if tail.shape[1] < 6:
        return is_valid, offset
    sign, hours, minutes = tail[:, -6], _number(tail[:, [-5, -4]]), _number(tail[:, [-2, -1]])
    is_offset = _all_digits(tail[:, [-5, -4, -2, -1]]) & (tail[:, -3] == ord(":")) & (minutes < 60)
    is_offset &= ((sign == ord("+")) | (sign == ord("-"))) & (hours <= _LONGEST_OFFSET_HOURS)
    is_offset &= _is_fraction(tail[:, :-6])
    signed = np.where(sign == ord("-"), -1, 1) * (hours * 3600 + minutes * 60)
    return is_valid | is_offset, np.where(is_offset, signed, offset)


def _is_fraction(part: Bytes2D) -> Mask:
    """Tell where this is nothing, or a point and at least one digit."""
    if part.shape[1] == 0:
        return np.ones(len(part), dtype=np.bool_)
    if part.shape[1] == 1:
        return np.zeros(len(part), dtype=np.bool_)
    found: Mask = (part[:, 0] == ord(".")) & _all_digits(part[:, 1:])
    return found


def _is_letter_digit(pair: Bytes2D, last_letter: str, last_digit: int) -> Mask:
    letter, digit = pair[:, 0], pair[:, 1]
    is_letter = (letter >= ord("A")) & (letter <= ord(last_letter))
    return is_letter & (digit > _ZERO) & (digit <= _ZERO + last_digit)


def _all_digits(values: Bytes2D) -> Mask:
    """Tell which rows are ASCII digits throughout; below "0" the subtraction wraps to large values."""
    is_digits = np.ones(len(values), dtype=np.bool_)
    for position in range(values.shape[1]):
        is_digits &= (values[:, position] - np.uint8(_ZERO)) <= 9
    return is_digits


def _number(values: Bytes2D) -> Ints:
    """Read digits as a number; meaningless where a byte is not a digit."""
    number = np.zeros(len(values), dtype=np.int64)
    for position in range(values.shape[1]):
        number = number * 10 + (values[:, position].astype(np.int64) - _ZERO)
    return number
