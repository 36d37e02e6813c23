"""A whole prefecture of simulated people: the resident records and the fuhyo records on one day.

Decides:    who is Japanese, who keeps whose fuhyo, what is blank or rare on a record.
Leaves:     names, towns, households and identifiers to their modules; what happens later to `simulator.world`.
Invariants: person p has resident record p while p < residents; the first `both` people also have a fuhyo record
            here, in the same words; people from `residents` on live elsewhere and have only a fuhyo record.
            Columnar throughout: no Python object per person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from juki.columns import RECORD_COLUMNS, IdentityFile
from simulator.households import Members, birth_dates, day_number, draw_adult_ages, draw_members
from simulator.identifiers import Issuer
from simulator.names import load_names
from simulator.towns import Addresses, load_towns, populations

_FOREIGN_SHARE = 0.012
_KEPT_HERE_SHARE = 0.86
_KEPT_WHERE_THEY_LIVE_SHARE = 0.8
_ALIAS_SHARE = 0.25
_FORMER_NAME_SHARE = 0.01
_BLANK_SHARE = 1 / 3000
_BLANK_AT_LEAST = 3
_BLANK_NAMES_PER_PERSON = 1 / 400_000
_ABROAD_SHARE = 0.03
_CITY_SHARE = 0.5

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, repr=False)
class Population:
    """Both files on the first day, and the traits by which events choose people.

    `senders` gives, per record, the position of the sending municipality in `load_towns().municipalities`.
    `born` (day numbers), `is_man` and `is_foreign` are by resident.
    """

    records: dict[IdentityFile, pa.Table]
    senders: dict[IdentityFile, Indices]
    both: int
    residents: int
    born: Indices
    is_man: NDArray[np.bool_]
    is_foreign: NDArray[np.bool_]

    @property
    def people(self) -> int:
        """Count everybody who has a record in either file."""
        return self.residents + len(self.records[IdentityFile.FUHYO]) - self.both

    def record_row(self, file: IdentityFile, person: int) -> int | None:
        """Find the row of a person in a file of the first day; None when there is none."""
        if file is IdentityFile.RESIDENT:
            return person if person < self.residents else None
        if person < self.both:
            return person
        return person - self.residents + self.both if self.residents <= person < self.people else None


@dataclass(frozen=True, slots=True)
class _Origins:
    """By resident, after ordering: who keeps the fuhyo (−1: nobody here) and who is foreign."""

    keeper: Indices
    is_foreign: NDArray[np.bool_]


def populate(people: int, start: date, rng: np.random.Generator, issuer: Issuer) -> Population:
    """Draw `people` residents and about as many fuhyo records."""
    members = draw_members(people, rng)
    place = _places(people)[_first_of(members.household)][members.household]
    origins = _draw_origins(members.household, place, rng)
    order = np.argsort(origins.keeper < 0, kind="stable")
    born = day_number(start) - members.age_days
    residents = _resident_table(members, place, origins, born, rng, issuer).take(pa.array(order))
    both = int((origins.keeper >= 0).sum())
    away, away_keeper = _people_elsewhere(max(people - both, 1), start, rng, issuer)
    here = _as_fuhyo(residents.slice(0, both))
    return Population(
        records={IdentityFile.RESIDENT: residents, IdentityFile.FUHYO: pa.concat_tables([here, away])},
        senders={
            IdentityFile.RESIDENT: place[order],
            IdentityFile.FUHYO: np.concatenate([origins.keeper[order][:both], away_keeper]),
        },
        both=both,
        residents=people,
        born=born[order],
        is_man=members.is_man[order],
        is_foreign=origins.is_foreign[order],
    )


def draw_home(count: int, rng: np.random.Generator) -> Indices:
    """Draw municipalities of the prefecture in proportion to population, as positions."""
    weights = np.array(list(populations().values()), dtype=np.float64)
    return rng.choice(load_towns().home(), count, p=weights / weights.sum())


def draw_elsewhere(count: int, rng: np.random.Generator) -> Indices:
    """Draw municipalities outside the prefecture: any of them, half of the time a larger city or ward."""
    towns = load_towns()
    everywhere = np.setdiff1d(np.arange(len(towns.municipalities)), towns.home())
    cities = np.array([i for i in everywhere if towns.municipalities[i].name.endswith(("市", "区"))])
    in_city = rng.random(count) < _CITY_SHARE
    return np.where(in_city, rng.choice(cities, count), rng.choice(everywhere, count))


def _places(people: int) -> Indices:
    """Give each resident a municipality, those of one side by side, in proportion to population."""
    weights = np.array(list(populations().values()), dtype=np.float64)
    ends = np.round(np.cumsum(weights) / weights.sum() * people)
    position = np.searchsorted(ends, np.arange(people), side="right")
    return load_towns().home()[position]


def _first_of(household: Indices) -> Indices:
    return np.unique(household, return_index=True)[1]


def _draw_origins(household: Indices, place: Indices, rng: np.random.Generator) -> _Origins:
    """Draw by household who is foreign and where the 本籍 is."""
    count = int(household[-1]) + 1
    is_foreign = rng.random(count) < _FOREIGN_SHARE
    kept_here = (rng.random(count) < _KEPT_HERE_SHARE) & ~is_foreign
    at_home = rng.random(count) < _KEPT_WHERE_THEY_LIVE_SHARE
    keeper = np.where(at_home, place[_first_of(household)], draw_home(count, rng))
    return _Origins(np.where(kept_here, keeper, -1)[household], is_foreign[household])


def _resident_table(
    members: Members,
    place: Indices,
    origins: _Origins,
    born: Indices,
    rng: np.random.Generator,
    issuer: Issuer,
) -> pa.Table:
    """Write the resident records; `born` are day numbers."""
    people, names = len(place), load_names()
    surnames = names.draw_surnames(int(members.household[-1]) + 1, rng)[members.household]
    given = names.draw_given(members.is_man, _birth_year(born), rng)
    name, kana, gaiji = names.full(surnames, given)
    is_blank = _few(people, max(int(people * _BLANK_NAMES_PER_PERSON), 1 if people >= 100_000 else 0), rng)
    is_foreign = origins.is_foreign
    former = names.draw_surnames(people, rng)
    has_former = members.is_wife & ~is_foreign & (rng.random(people) < _FORMER_NAME_SHARE)
    addresses = _by_household(load_towns().draw(place[_first_of(members.household)], rng), members.household)
    blanks = max(int(people * _BLANK_SHARE), _BLANK_AT_LEAST)
    columns = {
        "resident_code": issuer.issue_codes(people),
        "individual_number": _unless(_few(people, blanks, rng), issuer.issue_numbers(people)),
        "name": _unless(is_blank, _either(is_foreign, names.draw_latin(people, rng), name)),
        "name_kana": _unless(is_blank | is_foreign, kana),
        "former_name": _unless(~has_former, names.surnames.text.take(pa.array(former))),
        "former_name_kana": _unless(~has_former, names.surnames.kana.take(pa.array(former))),
        "alias": _unless(~(is_foreign & (rng.random(people) < _ALIAS_SHARE) & (gaiji == 0)), name),
        "birth_date": birth_dates(born, rng),
        "sex": _unless(_few(people, blanks, rng), _sex(members.is_man)),
        "municipality_code": load_towns().codes.take(pa.array(place)),
        "address": addresses.text,
        "is_foreign": _flag(is_foreign),
        "name_gaiji": _count(np.where(is_foreign | is_blank, 0, gaiji)),
        "address_gaiji": _count(addresses.gaiji),
    }
    return pa.table(columns).select(list(RECORD_COLUMNS[IdentityFile.RESIDENT]))


def _people_elsewhere(
    people: int, start: date, rng: np.random.Generator, issuer: Issuer
) -> tuple[pa.Table, Indices]:
    """Write the fuhyo records of people who live outside the prefecture, and draw who keeps them."""
    names = load_names()
    born = day_number(start) - draw_adult_ages(people, rng)
    is_man = rng.random(people) < 0.5
    name, kana, gaiji = names.full(
        names.draw_surnames(people, rng), names.draw_given(is_man, _birth_year(born), rng)
    )
    is_abroad = (rng.random(people) < _ABROAD_SHARE) | (np.arange(people) == 0)
    addresses = load_towns().draw(draw_elsewhere(people, rng), rng)
    columns = {
        "resident_code": issuer.issue_codes(people),
        "name": name,
        "name_kana": kana,
        "birth_date": birth_dates(born, rng),
        "sex": _sex(is_man),
        "municipality_code": _unless(is_abroad, load_towns().codes.take(pa.array(addresses.place))),
        "address": _unless(is_abroad, addresses.text),
        "is_abroad": _flag(is_abroad),
        "name_gaiji": _count(gaiji),
        "address_gaiji": _count(np.where(is_abroad, 0, addresses.gaiji)),
    }
    table = pa.table(columns).select(list(RECORD_COLUMNS[IdentityFile.FUHYO]))
    return table, draw_home(people, rng)


def _as_fuhyo(residents: pa.Table) -> pa.Table:
    """Say the same of the same people in the words of the fuhyo file."""
    table = residents.append_column("is_abroad", _flag(np.zeros(len(residents), dtype=np.bool_)))
    return table.select(list(RECORD_COLUMNS[IdentityFile.FUHYO]))


def _by_household(drawn: Addresses, household: Indices) -> Addresses:
    return Addresses(drawn.place[household], drawn.text.take(pa.array(household)), drawn.gaiji[household])


def _birth_year(born: Indices) -> Indices:
    return (1890 + born / 365.25).astype(np.int64)


def _few(rows: int, count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Mark `count` rows at random."""
    marked = np.zeros(rows, dtype=np.bool_)
    marked[rng.choice(rows, min(count, rows), replace=False)] = True
    return marked


def _unless(blank: NDArray[np.bool_], text: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(blank), "", text)


def _either(first: NDArray[np.bool_], chosen: pa.Array, other: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(first), chosen, other)


def _sex(is_man: NDArray[np.bool_]) -> pa.Array:
    return pa.array(["2", "1"]).take(pa.array(is_man.astype(np.int8)))


def _flag(marked: NDArray[np.bool_]) -> pa.Array:
    return pa.array(["0", "1"]).take(pa.array(marked.astype(np.int8)))


def _count(counts: Indices) -> pa.Array:
    return pa.array([str(n) for n in range(10)]).take(pa.array(counts))
