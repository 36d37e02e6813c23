"""The municipalities of Japan and of this prefecture, as published lists in this folder.

Source: 全国地方公共団体コード (総務省); populations of Yamaguchi: 令和2年国勢調査. Refresh both files together.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

PREFECTURE_DIGITS = 2
"""The digits at the head of a code that say in which prefecture a municipality lies."""


@dataclass(frozen=True, slots=True)
class Place:
    """One municipality: its code, the prefecture and its name."""

    code: str
    prefecture: str
    name: str


@cache
def places() -> dict[str, Place]:
    """List every municipality of Japan by its 6-digit code."""
    return {
        row["municipality_code"]: Place(row["municipality_code"], row["prefecture"], row["municipality"])
        for row in _rows("municipality_codes.csv")
    }


@cache
def known_municipality_codes() -> frozenset[str]:
    """Give the codes an address in Japan may have."""
    return frozenset(places())


def municipalities_of(prefecture_code: str) -> list[str]:
    """List the codes of the municipalities of a prefecture."""
    return [code for code in places() if code[:PREFECTURE_DIGITS] == prefecture_code[:PREFECTURE_DIGITS]]


@cache
def yamaguchi_municipalities() -> dict[str, int]:
    """List the 19 municipalities of Yamaguchi by code, with their population of 2020."""
    return {row["municipality_code"]: int(row["population_2020"]) for row in _rows("yamaguchi.csv")}


def municipality_name(code: str) -> str:
    """Name a municipality for screens; the code itself where it is not listed."""
    place = places().get(code)
    return place.name if place else code


def _rows(name: str) -> list[dict[str, str]]:
    with files(__package__).joinpath(name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
