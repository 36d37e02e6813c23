"""Who lives together: households, ages and sexes as in an ageing prefecture, birth dates in every legal form.

Decides:    the size of households, who in one is a spouse or a child, ages, sexes, birth dates.
Leaves:     names, addresses and numbers to `simulator.people`.
Invariants: members of a household are neighbours in the arrays; a child is younger than its parents; every
            birth-date form of domain.md section 3 occurs in a world of a few hundred people.
Source:     proportions after the census (Yamaguchi: about a third is 65 or older, a tenth under 15).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

EPOCH = date(1890, 1, 1)
"""Day 0 of the calendar vocabularies."""
_LAST = date(2200, 1, 1)
_DAYS = np.arange(np.datetime64(EPOCH), np.datetime64(_LAST))
ISO_DAYS = pa.array(np.datetime_as_string(_DAYS))
COMPACT_DAYS = pa.array([day.replace("-", "") for day in np.datetime_as_string(_DAYS).tolist()])
"""Every day as YYYY-MM-DD and as YYYYMMDD, by the number of days since EPOCH."""

_SIZES = np.array([1, 2, 3, 4, 5, 6])
_SIZE_SHARES = (0.39, 0.325, 0.155, 0.09, 0.03, 0.01)
_AGE_KNOTS = {
    1: ((18, 0.0), (30, 0.15), (50, 0.32), (65, 0.50), (80, 0.80), (92, 0.98), (103, 1.0)),
    2: ((24, 0.0), (45, 0.11), (65, 0.38), (80, 0.85), (90, 0.99), (96, 1.0)),
    3: ((27, 0.0), (38, 0.19), (50, 0.51), (65, 0.83), (80, 0.97), (92, 1.0)),
}
"""Cumulative ages of the head of a household of one, of two, and of three or more."""
_COUPLE_SHARE = 0.78
_SON_SHARE = 0.513
_OLD = 65

_SEASONS = tuple(letter + digit for letter in "ABCD" for digit in "1234")
UNCOMMON_BIRTH_DATES = (
    "19500000", "19480300", *(f"19{30 + n}{season}00" for n, season in enumerate(_SEASONS)),
    "195206A1", "194911A2", "194102A3", "1955A1A1", "1953C2A3", "194700A2",
    "19470229", "19510229", "19120730", "19261225", "193500A1", "19440100",
)  # fmt: skip
"""Legal but uncommon: unknown month or day, seasons, thirds of a month, 29 February of a common year, 明治45年
7月30日 and 大正15年12月25日. All belong to people born before 1960."""
_UNCOMMON_PER_PERSON = 1 / 1500


@dataclass(frozen=True, slots=True)
class Members:
    """People by household: household number, position in it, age in days, sex, and whether a spouse."""

    household: NDArray[np.int64]
    position: NDArray[np.int64]
    age_days: NDArray[np.int64]
    is_man: NDArray[np.bool_]
    is_wife: NDArray[np.bool_]


def draw_members(people: int, rng: np.random.Generator) -> Members:
    """Draw households that together have exactly `people` members."""
    sizes = rng.choice(_SIZES, people, p=_SIZE_SHARES)
    ends = np.cumsum(sizes)
    household = np.searchsorted(ends, np.arange(people), side="right")
    position = np.arange(people) - (ends - sizes)[household]
    head_age, head_is_man = _draw_heads(sizes, rng)
    is_couple = (sizes >= 2) & (rng.random(people) < _COUPLE_SHARE)
    is_spouse = (position == 1) & is_couple[household]
    is_child = (position >= 1) & ~is_spouse
    age = np.where(position == 0, head_age[household], 0.0)
    age = np.where(is_spouse, _spouse_age(head_age[household], rng), age)
    age = np.where(is_child, _child_age(head_age[household], position, rng), age)
    is_man = np.where(is_child, rng.random(people) < _SON_SHARE, head_is_man[household] ^ is_spouse)
    is_wife = ~is_man & is_couple[household] & (position <= 1)
    return Members(household, position, (age * 365.25).astype(np.int64), is_man, is_wife)


def draw_adult_ages(people: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the ages in days of people of whom only the fuhyo is kept here: adults, like heads of households."""
    return (_from_knots(_AGE_KNOTS[3], rng.random(people)) * 365.25).astype(np.int64)


def day_number(day: date) -> int:
    """Number a day for the calendar vocabularies."""
    return (day - EPOCH).days


def birth_dates(born: NDArray[np.int64], rng: np.random.Generator) -> pa.Array:
    """Write birth days (day numbers) as YYYYMMDD, a few of the older ones in each uncommon form."""
    texts = COMPACT_DAYS.take(pa.array(born))
    older = np.flatnonzero(born < day_number(date(1960, 1, 1)))
    count = min(len(older), max(len(UNCOMMON_BIRTH_DATES), int(len(born) * _UNCOMMON_PER_PERSON)))
    chosen = rng.permutation(older)[:count]
    source = np.arange(len(born))
    source[chosen] = len(born) + np.arange(count) % len(UNCOMMON_BIRTH_DATES)
    return pa.concat_arrays([texts, pa.array(UNCOMMON_BIRTH_DATES)]).take(pa.array(source))


def _draw_heads(
    sizes: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Draw age and sex of each head; most who live alone in old age are women."""
    shares, chances = rng.random(len(sizes)), rng.random(len(sizes))
    age = np.select(
        [sizes == 1, sizes == 2],
        [_from_knots(_AGE_KNOTS[1], shares), _from_knots(_AGE_KNOTS[2], shares)],
        _from_knots(_AGE_KNOTS[3], shares),
    )
    share_of_men = np.select([sizes > 1, age >= _OLD + 15, age >= _OLD], [0.84, 0.2, 0.36], 0.56)
    return age, chances < share_of_men


def _spouse_age(head: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return np.maximum(head - 1.5 + rng.normal(0.0, 3.0, len(head)), 18.5)


def _child_age(
    head: NDArray[np.float64], position: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    gap = np.maximum(rng.normal(30.0, 4.0, len(head)), 20.0) + 2.5 * np.maximum(position - 2, 0)
    return np.clip(head - gap, 0.0, None) + rng.random(len(head))


def _from_knots(knots: tuple[tuple[int, float], ...], share: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.interp(share, [cumulative for _, cumulative in knots], [age for age, _ in knots])
