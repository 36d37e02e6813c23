"""The simulated lives: every kind of event, and notices numbered and dated as a municipality would."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from functools import lru_cache

import pyarrow as pa
import pytest

from juki.columns import NOTICE_COLUMNS, IdentityFile
from juki.notices import REASONS_OF_KIND, Kind, Reason
from simulator.events import EVENTS, Event
from simulator.notices import Channel
from simulator.scene import Scene
from simulator.world import World

START = date(2026, 11, 24)
RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO


@lru_cache(maxsize=1)
def lived() -> tuple[World, list[tuple[Channel, pa.Table]]]:
    """A small spiced world, its first load and two weeks of its life."""
    world = World.create(4000, 5, START, is_spiced=True, pace=3.0)
    tables = list(world.initial_notices(limit=500))
    for _, notices in world.live_for(14):
        tables.extend(notices.items())
    return world, tables


def notices(file: IdentityFile) -> list[dict[str, str]]:
    return [row for channel, table in lived()[1] if channel.file is file for row in table.to_pylist()]


def later_notices(file: IdentityFile) -> list[dict[str, str]]:
    return [row for row in notices(file) if not row["notified_at"].startswith(START.isoformat())]


def test_every_kind_of_event_happens_in_a_spiced_world() -> None:
    """However few the people, everything in the catalogue is shown."""
    assert {event.name for event in EVENTS} == set(lived()[0].happened)


def test_all_twenty_reasons_occur_each_with_its_kind() -> None:
    """Every reason of 施行規則11条 is used, and only for its kind."""
    found = {(row["kind"], row["reason"]) for row in notices(RESIDENT)}
    assert found == {(kind.value, reason.value) for kind in Kind for reason in REASONS_OF_KIND[kind]}


def test_notice_numbers_have_no_gap_and_times_never_go_back() -> None:
    """Per channel: 1, 2, 3 … and ascending instants with the offset of Japan."""
    numbers: dict[Channel, list[int]] = {}
    times: dict[Channel, list[datetime]] = {}
    for channel, table in lived()[1]:
        assert tuple(table.column_names) == NOTICE_COLUMNS[channel.file]
        numbers.setdefault(channel, []).extend(int(no) for no in table["notice_no"].to_pylist())
        instants = [datetime.fromisoformat(at) for at in table["notified_at"].to_pylist()]
        times.setdefault(channel, []).extend(instants)
    assert len(numbers) == 38
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    assert all(found == sorted(found) for found in times.values())


def test_first_load_comes_in_tables_of_limited_size() -> None:
    """No table is longer than asked for, and every resident is in one."""
    world = World.create(2000, 1, START)
    tables = list(world.initial_notices(limit=100))
    assert max(len(table) for _, table in tables) == 100
    assert sum(len(table) for channel, table in tables if channel.file is RESIDENT) == 2000


def test_first_load_is_dated_after_birth_and_before_the_start() -> None:
    """The day of an entry is a plausible past day, also for a child."""
    for row in notices(RESIDENT)[:4000]:
        assert row["event_date"] <= START.isoformat()
        if row["birth_date"].isdigit() and row["birth_date"][4:6] != "00":
            assert row["birth_date"] <= row["event_date"].replace("-", "")


def test_same_seed_gives_the_same_life() -> None:
    """Two worlds of one seed make the same notices day by day."""
    first, second = (World.create(1500, 3, START, is_spiced=True) for _ in range(2))
    for (_, one), (_, other) in zip(first.live_for(4), second.live_for(4), strict=True):
        assert list(one) == list(other)
        assert all(one[channel].equals(other[channel]) for channel in one)


def test_dates_are_unknown_only_for_births_and_deaths() -> None:
    """Both occur without a date; nothing else does, and no fuhyo notice."""
    reasons = {row["reason"] for row in notices(RESIDENT) if not row["event_date"]}
    assert reasons == {Reason.BIRTH.value, Reason.DEATH.value}
    assert all(row["event_date"] for row in notices(FUHYO))


def test_only_planned_moves_out_lie_ahead() -> None:
    """A move out may be notified before its day; nothing else."""
    ahead = {r["reason"] for r in notices(RESIDENT) if r["event_date"] > r["notified_at"][:10]}
    assert ahead
    assert ahead <= {Reason.MOVED_OUT.value, Reason.MOVED_ABROAD.value}


def test_previous_items_stand_only_on_their_corrections() -> None:
    """A changed number or code names the old one, a first one names none."""
    numbers = {r["reason"] for r in notices(RESIDENT) if r["previous_individual_number"]}
    codes = {r["reason"] for r in notices(RESIDENT) if r["previous_resident_code"]}
    assert numbers == {Reason.NUMBER_CHANGED_ON_REQUEST.value, Reason.NUMBER_CORRECTED_EX_OFFICIO.value}
    assert codes == {Reason.CODE_CHANGED_ON_REQUEST.value}
    assert {r["kind"] for r in notices(FUHYO) if r["previous_resident_code"]} == {Kind.CORRECTION.value}


def test_a_changed_code_is_told_to_both_files() -> None:
    """Who has a record in both files gets the same new code in both."""
    resident, fuhyo = (
        {(r["previous_resident_code"], r["resident_code"]) for r in notices(file)} for file in IdentityFile
    )
    changed = {pair for pair in fuhyo if pair[0]}
    assert changed
    assert changed <= resident


def test_numbers_are_never_given_to_a_second_person() -> None:
    """One number belongs to one person for good, through all moves and changes of code."""
    person_of: dict[str, str] = {}
    for row in notices(RESIDENT):
        person = person_of.get(row["previous_resident_code"], row["resident_code"])
        person_of[row["resident_code"]] = person_of.get(row["resident_code"], person)
    holders: dict[str, set[str]] = {}
    for row in notices(RESIDENT):
        if row["individual_number"]:
            holders.setdefault(row["individual_number"], set()).add(person_of[row["resident_code"]])
    assert all(len(people) == 1 for people in holders.values())


def test_change_of_nationality_is_a_pair_with_the_same_code_and_number() -> None:
    """帰化: deletion of the foreign record, then entry of the Japanese one, in one channel."""
    pairs = (
        (Reason.DELETED_ON_NATURALISATION, Reason.ENTERED_ON_NATURALISATION, "1", "0"),
        (Reason.DELETED_ON_LOSS_OF_NATIONALITY, Reason.ENTERED_ON_LOSS_OF_NATIONALITY, "0", "1"),
    )
    rows = later_notices(RESIDENT)
    for out, back, before, after in pairs:
        deletion = next(row for row in rows if row["reason"] == out.value)
        entry = next(row for row in rows if row["reason"] == back.value)
        for name in ("resident_code", "individual_number", "municipality_code", "birth_date"):
            assert deletion[name] == entry[name]
        assert (deletion["is_foreign"], entry["is_foreign"]) == (before, after)
        assert int(deletion["notice_no"]) < int(entry["notice_no"])


def test_move_between_municipalities_is_told_by_both_in_either_order() -> None:
    """Some new municipalities tell before the old one, some after."""
    first_told: dict[str, str] = {}
    orders = Counter[str]()
    for row in sorted(later_notices(RESIDENT), key=lambda row: row["notified_at"]):
        if row["reason"] in (Reason.MOVED_OUT.value, Reason.MOVED_IN.value):
            earlier = first_told.setdefault(row["resident_code"], row["reason"])
            orders[earlier + row["reason"]] += earlier != row["reason"]
    assert orders[Reason.MOVED_OUT.value + Reason.MOVED_IN.value]
    assert orders[Reason.MOVED_IN.value + Reason.MOVED_OUT.value]


def test_moving_season_and_office_days_make_the_difference() -> None:
    """Moves peak in March; a Sunday is quiet; births know no season."""
    move = Event("move", lambda _: True, 20.0, is_move=True)
    birth = Event("birth", lambda _: True, 6.0)
    march, june, sunday = date(2027, 3, 24), date(2027, 6, 23), date(2027, 6, 27)
    assert move.expected(10_000, march) > 3 * move.expected(10_000, june)
    assert move.expected(10_000, june) > 5 * move.expected(10_000, sunday)
    assert birth.expected(10_000, march) == birth.expected(10_000, june)


def test_days_are_lived_in_order() -> None:
    """Going back in time is refused."""
    world = World.create(500, 1, START)
    world.live(date(2026, 11, 30))
    with pytest.raises(ValueError, match="in order"):
        world.live(date(2026, 11, 29))


def test_events_without_anybody_to_happen_to_change_nothing() -> None:
    """In a world of a handful of people every event either happens or makes no notice at all."""
    scene: Scene = World.create(25, 2, START).scene
    for event in EVENTS:
        scene.today = date(2027, 1, 4)
        if not event.act(scene):
            assert scene.log.close(scene.today, scene.rng) == {}
        scene.log.close(scene.today, scene.rng)
