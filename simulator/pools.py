"""Groups of people of the first day to whom certain things can happen.

Decides:    who could give birth, die, marry, be naturalised …, by the traits of the first day.
Leaves:     whether the person still fits today to the event that picks.
Invariants: arrays of person numbers, computed once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from juki.columns import IdentityFile
from simulator.households import day_number
from simulator.people import Population

People = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pools:
    """Person numbers by what can happen to them."""

    old: People
    men: People
    women: People
    foreign: People
    japanese: People
    kept_elsewhere: People
    with_gaiji: People
    without_sex: People
    without_number: People
    inexact_birth: People
    elsewhere: People
    abroad: People


def pools_of(population: Population, today: date) -> Pools:
    """Sort the people of the first day into the groups; the groups overlap."""
    residents, fuhyo = (population.records[file] for file in IdentityFile)
    age = (day_number(today) - population.born) / 365.25
    japanese, is_man = ~population.is_foreign, population.is_man
    is_young = (age >= 20) & (age < 42) & japanese
    away = fuhyo.slice(population.both)
    is_abroad = _marked(pc.equal(away["is_abroad"], "1"))
    return Pools(
        old=np.flatnonzero(age >= 70),
        men=np.flatnonzero(is_young & is_man),
        women=np.flatnonzero(is_young & ~is_man),
        foreign=np.flatnonzero(population.is_foreign),
        japanese=np.flatnonzero(japanese),
        kept_elsewhere=np.flatnonzero(japanese & (np.arange(population.residents) >= population.both)),
        with_gaiji=np.flatnonzero(_marked(pc.not_equal(residents["name_gaiji"], "0"))),
        without_sex=np.flatnonzero(_marked(pc.equal(residents["sex"], ""))),
        without_number=np.flatnonzero(_marked(pc.equal(residents["individual_number"], ""))),
        inexact_birth=np.flatnonzero(_marked(pc.match_substring_regex(residents["birth_date"], "[A-D]|00$"))),
        elsewhere=population.residents + np.flatnonzero(~is_abroad),
        abroad=population.residents + np.flatnonzero(is_abroad),
    )


def _marked(column: object) -> NDArray[np.bool_]:
    return np.asarray(column, dtype=np.bool_)
