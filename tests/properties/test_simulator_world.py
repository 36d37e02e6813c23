"""Properties of the simulated world: its state, its notices and the oracle agree, and the contract accepts it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from juki.columns import IdentityFile, Layout
from juki.reasons import Severity
from juki.rules import RecordContext
from simulator.notices import JAPAN, Channel
from simulator.towns import load_towns
from simulator.truth import Truth
from simulator.world import World
from validations.contracts import check_records

START = date(2026, 11, 24)
DAYS = 10
FEW = settings(max_examples=4, derandomize=True, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)

Arrival = tuple[date, Channel, pa.Table]


def lived(seed: int) -> tuple[World, list[Arrival]]:
    """A spiced world of a few thousand people after ten busy days, and its notices as they were made."""
    world = World.create(1500, seed, START, is_spiced=True, pace=4.0)
    made = [(START, channel, notices) for channel, notices in world.initial_notices(limit=100)]
    for day, tables in world.live_for(DAYS):
        made.extend((day, channel, notices) for channel, notices in tables.items())
    return world, made


def truth_of(arrivals: list[Arrival]) -> Truth:
    truth = Truth()
    for day, channel, notices in arrivals:
        truth.receive(day, channel.file, channel.municipality_code, notices)
    return truth


def agree(truth: Truth, world: World, file: IdentityFile) -> bool:
    """Compare outside an assert, so that a failure does not print whole worlds."""
    return bool(truth.standing(file).equals(world.standing(file)))


@FEW
@given(SEEDS)
def test_replayed_notices_give_the_true_state(seed: int) -> None:
    """What the notices say, replayed by the oracle, is what is so."""
    world, made = lived(seed)
    truth = truth_of(made)
    for file in IdentityFile:
        assert agree(truth, world, file)


@FEW
@given(SEEDS)
def test_order_of_municipalities_within_a_day_makes_no_difference(seed: int) -> None:
    """Channels of one day may be received in any order: same state, same versions, same clocks."""
    _, made = lived(seed)
    other_way = sorted(
        made, key=lambda arrival: (arrival[0], arrival[1].file, -int(arrival[1].municipality_code))
    )
    first, second = truth_of(made), truth_of(other_way)
    for file in IdentityFile:
        assert first.standing(file).equals(second.standing(file))
        assert first.erased(file).equals(second.erased(file))
        assert sorted(map(str, first.versions(file).to_pylist())) == sorted(
            map(str, second.versions(file).to_pylist())
        )


@FEW
@given(SEEDS, st.sampled_from(range(19)), st.integers(1, 6))
def test_late_municipality_changes_only_the_days(seed: int, late: int, days: int) -> None:
    """A municipality whose packages come days late, but for its first load, leads to the same standing records."""
    world, made = lived(seed)
    sender = world.municipalities[late]

    def arrives_on(arrival: Arrival) -> date:
        is_late = arrival[1].municipality_code == sender and arrival[0] > START
        return arrival[0] + timedelta(days=days * is_late)

    arrivals = [(arrives_on(arrival), *arrival[1:]) for arrival in made]
    truth = truth_of(sorted(arrivals, key=lambda arrival: arrival[0]))
    for file in IdentityFile:
        assert agree(truth, world, file)


@FEW
@given(SEEDS)
def test_contract_blocks_nothing_a_municipality_makes(seed: int) -> None:
    """No error is found on any notice; alerts neither, for nothing odd is intended."""
    known = frozenset(place.code for place in load_towns().municipalities)
    for day, channel, notices in lived(seed)[1]:
        received_at = datetime.combine(day, time(20), JAPAN)
        context = RecordContext(channel.municipality_code, "package", received_at, known)
        found = check_records(Layout.NOTICE, channel.file, notices.combine_chunks(), context)
        assert not found.mask(Severity.ERROR).any()
        assert found.groups == ()
