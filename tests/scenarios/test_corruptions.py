"""What a failing disk or a hand with SQL does to a store: found exactly, put right, and the files equal the truth.

Every corruption is planted alone in a prefecture that has lived through some days, in both files, and reconciled with
the offices answering over SFTP. The oracle says what must stand afterwards.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.stores import DATABASES
from juki.acts.differences import approve
from juki.cli.acting import site_of
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.differences import DifferenceKind, Mode
from juki.home import Home
from juki.order import Channel
from juki.package_id import PackageId
from juki.store import embedded
from simulator.comparison import compare
from simulator.corruption import Corruption, plant
from simulator.exercise import Exercise, exercise
from simulator.kept import Kept, kept_of, numbers_of
from simulator.living import Living
from simulator.reconciliation_demo import approve_the_rest, on_the_move
from simulator.repeating import repeating
from simulator.world import World
from tasks import clock
from tests.flows import driver
from tests.flows.reconciling import reconcile

PEOPLE, SEED, DAYS, PACE = 300, 11, 3, 200
FIRST_DAY = date(2026, 4, 1)
WAITS = frozenset({Corruption.ZOMBIE, Corruption.OTHER_MUNICIPALITY})
"""Whose repair retires somebody, or takes somebody from another municipality: an operator approves it."""
FILES = list(IdentityFile)


@dataclass(slots=True)
class Prefecture:
    """A prefecture that has lived, its stores equal to the truth; and the people something has befallen since."""

    now: Exercise
    touched: set[str] = field(default_factory=set)

    def rows(self, file: IdentityFile, query: str) -> list[tuple[Any, ...]]:
        """Ask one store."""
        with psycopg.connect(embedded.admin_url(self.now.home, DATABASES[file])) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    def take_in(self) -> None:
        """Work every channel that has something to say."""
        for channel, ledger in sorted(self.now.ledgers.items()):
            if ledger.heard < len(ledger.posted):
                driver.work(Channel(channel.municipality_code, channel.file))

    def reconcile(self, channels: list[Channel]) -> None:
        """Reconcile channels in mode repair, with the offices answering."""
        with self.now.answering():
            assert [reconcile(channel, Mode.REPAIR) for channel in channels] == [""] * len(channels)

    def open_differences(self, file: IdentityFile) -> dict[int, tuple[str, str, str]]:
        """List what is not settled, by number: municipality, person, kind."""
        query = """SELECT difference_id, municipality_code, resident_code, kind FROM difference
                   WHERE settled_at IS NULL"""
        return {number: (code, person, kind) for number, code, person, kind in self.rows(file, query)}

    def found_in(self, file: IdentityFile, after: int) -> set[tuple[str, str, str]]:
        """List what was found since a difference, settled or not."""
        query = f"SELECT municipality_code, resident_code, kind FROM difference WHERE difference_id > {after}"
        return {tuple(row) for row in self.rows(file, query)}  # type: ignore[misc]

    def newest(self, file: IdentityFile) -> int:
        """Tell the number of the newest difference."""
        return int(self.rows(file, "SELECT coalesce(max(difference_id), 0) FROM difference")[0][0])

    def last_equal(self, channel: Channel) -> bool:
        """Tell whether the last reconciliation of a channel found both sides equal."""
        query = f"""SELECT is_equal FROM reconciliation WHERE municipality_code = '{channel.municipality_code}'
                    ORDER BY reconciliation_id DESC LIMIT 1"""
        return bool(self.rows(channel.file, query)[0][0])

    def versions_of_others(self, file: IdentityFile) -> tuple[Counter[Any], Counter[Any]]:
        """Give the versions of everybody nothing has befallen: those of the store, and those of the truth."""
        query = """
            SELECT resident_code, sender_code, notice_no::text, kind, received_on, NULL::date, expires_on FROM current
            UNION ALL SELECT resident_code, sender_code, notice_no::text, kind, received_on, superseded_on, expires_on
            FROM history"""
        theirs = zip(*(column.to_pylist() for column in self.now.truth.versions(file).columns), strict=True)
        ours = self.rows(file, query)
        kept = [[row for row in rows if row[0] not in self.touched] for rows in (ours, theirs)]
        return Counter(kept[0]), Counter(kept[1])


@pytest.fixture(scope="module")
def prefecture() -> Iterator[Prefecture]:
    """Live through some days once; every test leaves the files equal to the truth."""
    folder = Path(tempfile.mkdtemp(prefix="juki-corrupt-"))
    home, before = Home.at(folder / "home"), os.environ.get("JUKI_HOME")
    os.environ["JUKI_HOME"] = str(home.root)
    world = World.create(PEOPLE, SEED, FIRST_DAY, is_spiced=True, pace=PACE)
    try:
        with exercise(home, world) as now:
            made = Prefecture(now)
            now.load(FIRST_DAY, made.take_in)
            for number in range(1, DAYS + 1):
                now.live(FIRST_DAY + timedelta(days=number), made.take_in)
            yield made
    finally:
        embedded.stop(home)
        shutil.rmtree(folder)
        os.environ.pop("JUKI_HOME")
        if before is not None:
            os.environ["JUKI_HOME"] = before


@pytest.mark.parametrize("file", FILES, ids=str)
@pytest.mark.parametrize("corruption", Corruption, ids=str)
def test_corruption_is_found_exactly_and_put_right(
    prefecture: Prefecture, corruption: Corruption, file: IdentityFile
) -> None:
    """Nothing but what was planted is found; repaired, both sides say the same, and both say the truth."""
    newest = prefecture.newest(file)
    (planted,) = plant(prefecture.now.home, file, (corruption,))
    expected = {(code, person, kind.value) for code, person, kind in planted.expected}
    prefecture.touched |= {person for _, person, _ in expected}
    touched = sorted({Channel(code, file) for code, _, _ in expected})
    prefecture.reconcile(touched)
    assert prefecture.found_in(file, newest) == expected
    left = prefecture.open_differences(file)
    assert set(left.values()) == (expected if corruption in WAITS else set())
    if left:
        approve(site_of(Installation.open()), [PackageId(file, number) for number in left], clock.now())
        prefecture.reconcile(touched)
        prefecture.reconcile(touched)
    assert prefecture.open_differences(file) == {}
    assert all(prefecture.last_equal(channel) for channel in touched)
    assert prefecture.found_in(file, newest) == expected
    standing, erased, _ = compare(prefecture.now.home, prefecture.now.truth, file)
    assert (standing.is_equal, erased.is_equal) == (True, True)
    ours, theirs = prefecture.versions_of_others(file)
    assert ours == theirs


def test_prefecture_that_nothing_befell_is_equal_everywhere(prefecture: Prefecture) -> None:
    """After all repairs every channel of both files is confirmed equal, and nothing is repaired any more."""
    packages = [prefecture.rows(file, "SELECT count(*) FROM package") for file in FILES]
    channels = [Channel(code, file) for code in prefecture.now.offices for file in FILES]
    prefecture.reconcile(channels)
    assert all(prefecture.last_equal(channel) for channel in channels)
    assert [prefecture.rows(file, "SELECT count(*) FROM package") for file in FILES] == packages


def test_who_has_moved_is_no_fault_and_is_left_to_the_municipality_he_left(prefecture: Prefecture) -> None:
    """In a small prefecture of many moves an arrival may precede its departure: the demo waits for the notice."""
    now, file = prefecture.now, IdentityFile.RESIDENT
    standing = now.world.standing(file)
    person, sender = (standing.column(name)[0].as_py() for name in ("resident_code", "sender_code"))
    elsewhere = next(code for code in now.offices if code != sender)
    moved, stays = ((file, code, person, DifferenceKind.MOVED.value) for code in (elsewhere, sender))
    extra = (file, elsewhere, person, DifferenceKind.EXTRA.value)
    assert on_the_move(now, {moved, stays, extra}) == {moved}
    reconciliation = "(SELECT max(reconciliation_id) FROM reconciliation)"
    noted = f"""INSERT INTO difference (municipality_code, kind, resident_code, columns, state, watermark,
        first_seen_at, last_seen_at, first_reconciliation_id, last_reconciliation_id, held_by)
        VALUES ('{elsewhere}', 'moved', '{person}', '{{}}', 'open', 1, now(), now(), {reconciliation},
        {reconciliation}, '{sender}') RETURNING difference_id"""
    prefecture.reconcile([Channel(elsewhere, file)])
    ((number,),) = prefecture.rows(file, noted)
    assert approve_the_rest(now.home) == []
    prefecture.rows(file, f"DELETE FROM difference WHERE difference_id = {number} RETURNING 1")


def test_offices_go_on_where_another_process_left_them(prefecture: Prefecture) -> None:
    """What `make up` starts after `make demo`: the same world, whose notices go on. The last test of the file."""
    now, codes = prefecture.now, list(prefecture.now.offices)
    days = tuple((FIRST_DAY + timedelta(days=number)).isoformat() for number in range(1, DAYS + 1))
    kept = Kept(PEOPLE, SEED, FIRST_DAY.isoformat(), PACE, days, now.port, numbers_of(now.offices))
    living = Living.of(now.home, kept)
    assert all(living.world.standing(file).equals(now.world.standing(file)) for file in FILES)
    told = living.live(clock.now())
    having = [one for code in codes for file in FILES if str(one := Channel(code, file)) in told]
    assert len(having) == len(told) > len(codes)
    for channel in having:
        driver.work(channel)
    channels = having[::6]
    with repeating(lambda: living.answer(clock.now()), 0.1):
        assert [reconcile(channel, Mode.REPORT) for channel in channels] == [""] * len(channels)
    assert all(prefecture.last_equal(channel) for channel in channels)
    again = kept_of(now.home)
    assert again is not None and (again.lived[:DAYS], len(again.lived)) == (days, DAYS + 1)
    assert again.numbers == numbers_of(living.offices)
