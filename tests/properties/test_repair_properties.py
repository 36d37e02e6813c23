"""Whatever is done to a file behind the back of the intake, comparison and repair make it equal the truth."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from juki.columns import NOTICE_COLUMNS, RECORD_COLUMNS, IdentityFile
from juki.decisions import Effect
from juki.home import Home
from juki.notices import Reason
from juki.store import embedded
from juki.store.unit import open_unit
from simulator import installation
from simulator.world import World
from tests.repair_case import Case, Row

HERE, ELSEWHERE = "352039", "352012"
PEOPLE, STRANGERS = 7, 2
STRANGER = "24727059608"
MOVED = {"kind": "correction", "reason": Reason.MOVED_WITHIN.value}
DIED = {"kind": "deletion", "reason": Reason.DEATH.value}
EXAMPLES = max(8, settings().max_examples // 20)
"""A history of this kind takes most of a second."""

People = dict[IdentityFile, dict[str, list[Row]]]


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    """An installation of its own, named by JUKI_HOME, and some people of two municipalities."""
    folder, before = Path(tempfile.mkdtemp(prefix="juki-repair-")), os.environ.get("JUKI_HOME")
    home = Home.at(folder / "home")
    installation.prepare(home, (HERE, ELSEWHERE))
    os.environ["JUKI_HOME"] = str(home.root)
    made: People = {file: {} for file in IdentityFile}
    for channel, table in World.create(400, 5, date(2026, 3, 25)).initial_notices():
        count = {HERE: PEOPLE, ELSEWHERE: STRANGERS}.get(channel.municipality_code)
        if count:
            rows = table.slice(0, count).to_pylist()
            made[channel.file][channel.municipality_code] = [
                {name: row[name] for name in NOTICE_COLUMNS[channel.file]} for row in rows
            ]
    yield made
    if before is None:
        del os.environ["JUKI_HOME"]
    else:
        os.environ["JUKI_HOME"] = before
    embedded.stop(home)
    shutil.rmtree(folder)


# -- what can be done to a file by SQL; `one` and `other` are people ------------------------------------------


def _columns(case: Case, *but: str) -> str:
    kept = [
        name for name in RECORD_COLUMNS[case.file] if name not in ("resident_code", "individual_number", *but)
    ]
    return ", ".join(kept)


def _number(case: Case) -> list[str]:
    return ["number_sealed", "number_index"] if case.file is IdentityFile.RESIDENT else []


def change_a_cell(case: Case, one: str, _: str) -> None:
    """A name nobody notified."""
    case.sql("UPDATE current SET name = '改竄', sex = NULL WHERE resident_code = %s", one)


def flip_a_flag(case: Case, one: str, _: str) -> None:
    """A Japanese becomes a foreigner, or who lives here one who is abroad."""
    flag = "is_foreign" if case.file is IdentityFile.RESIDENT else "is_abroad"
    case.sql(f"UPDATE current SET {flag} = NOT {flag} WHERE resident_code = %s", one)


def lose(case: Case, one: str, _: str) -> None:
    """A row is gone."""
    case.sql("DELETE FROM current WHERE resident_code = %s", one)


def erase(case: Case, one: str, _: str) -> None:
    """A person is retired without a notice."""
    case.sql("UPDATE current SET kind = 'deletion', expires_on = '2176-03-25' WHERE resident_code = %s", one)


def rename(case: Case, one: str, _: str) -> None:
    """A row goes to the code of somebody who is nobody, number and all."""
    case.sql("UPDATE current SET resident_code = %s WHERE resident_code = %s", STRANGER, one)


def copy(case: Case, one: str, _: str) -> None:
    """A row is copied for somebody who is nobody."""
    names = case.sql(
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns WHERE table_schema = 'public'"
        " AND table_name = 'current' AND column_name NOT IN ('resident_code', 'number_sealed', 'number_index')"
    )[0][0]
    query = f"INSERT INTO current (resident_code, {names}) SELECT %s, {names} FROM current WHERE resident_code = %s"
    case.sql(query, STRANGER, one)


def swap(case: Case, one: str, other: str, *, is_whole: bool = True) -> None:
    """Two people get each other's record, or number."""
    names = [*_number(case), *(_columns(case).split(", ") if is_whole else [])]
    if not names or one == other:
        return
    rows = [
        case.sql(f"SELECT {', '.join(names)} FROM current WHERE resident_code = %s", c) for c in (one, other)
    ]
    if not all(rows):
        return
    if _number(case):
        case.sql("UPDATE current SET number_sealed = NULL, number_index = NULL WHERE resident_code = %s", one)
    sets = ", ".join(f"{name} = %s" for name in names)
    case.sql(f"UPDATE current SET {sets} WHERE resident_code = %s", *rows[0][0], other)
    case.sql(f"UPDATE current SET {sets} WHERE resident_code = %s", *rows[1][0], one)


def swap_numbers(case: Case, one: str, other: str) -> None:
    """Two people get each other's number only."""
    swap(case, one, other, is_whole=False)


def invent_a_number(case: Case, one: str, _: str) -> None:
    """A number of nobody, that opens for nobody."""
    if case.file is IdentityFile.RESIDENT:
        values = "number_index = decode(repeat('ab', 16), 'hex'), number_sealed = 'x'"
        case.sql(f"UPDATE current SET {values} WHERE resident_code = %s", one)


def bring_back(case: Case, one: str, _: str) -> None:
    """The version before comes back in the place of the newest one."""
    names = case.sql(
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns WHERE table_schema = 'public'"
        " AND table_name = 'current' AND column_name <> 'expires_on'"
    )[0][0]
    older = (
        "SELECT {} FROM history WHERE resident_code = %s AND kind <> 'deletion' ORDER BY notice_no LIMIT 1"
    )
    if case.sql(older.format("1"), one):
        lose(case, one, one)
        case.sql(f"INSERT INTO current ({names}) {older.format(names)}", one)


def give_away(case: Case, one: str, _: str) -> None:
    """The row of a person becomes another municipality's."""
    case.sql("UPDATE current SET sender_code = %s WHERE resident_code = %s", ELSEWHERE, one)


def renumber(case: Case, one: str, _: str) -> None:
    """A version claims to be of a notice that is yet to come."""
    case.sql("UPDATE current SET notice_no = 999, address = '別の所' WHERE resident_code = %s", one)


Corruption = Callable[[Case, str, str], None]
CORRUPTIONS: tuple[Corruption, ...] = (
    change_a_cell, flip_a_flag, lose, erase, rename, copy, swap, swap_numbers, invent_a_number, bring_back,
    give_away, renumber,
)  # fmt: skip

persons = st.integers(0, PEOPLE - 1)
acts = st.lists(st.tuples(st.sampled_from(CORRUPTIONS), persons, persons), min_size=1, max_size=4)


def _corrupt(case: Case, codes: Sequence[str], done: list[tuple[Corruption, int, int]]) -> None:
    for act, one, other in done:
        try:
            act(case, codes[one], codes[other])
        except psycopg.errors.IntegrityError:
            continue  # The database itself did not let it.


def _lived(people: People, file: IdentityFile, moved: set[int], died: set[int]) -> tuple[Case, list[str]]:
    """A file in which some have moved, and some died, since they were entered."""
    case = Case(file)
    case.forget()
    rows = people[file][HERE]
    case.send(HERE, *rows)
    case.send(ELSEWHERE, *people[file][ELSEWHERE])
    changes = [rows[n] | MOVED | {"name": "転居　太郎", "name_gaiji": "0"} for n in sorted(moved)]
    changes += [rows[n] | DIED for n in sorted(died - moved)]
    if changes:
        case.send(HERE, *changes)
    return case, [row["resident_code"] for row in rows]


def _versions(case: Case) -> set[tuple[object, ...]]:
    """Name every version by whom it is of, who sent it and its notice."""
    query = "SELECT resident_code, sender_code, notice_no FROM {}"
    return {row for table in ("current", "history") for row in case.sql(query.format(table))}


def _of_package(case: Case, package_id: int | None) -> list[str]:
    query = "SELECT resident_code FROM {} WHERE package_id = %s"
    return [code for t in ("current", "history") for (code,) in case.sql(query.format(t), package_id)]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=EXAMPLES,
)
@given(
    file=st.sampled_from(IdentityFile), done=acts, moved=st.sets(persons, max_size=3),
    died=st.sets(persons, max_size=2),
)  # fmt: skip
def test_a_corrupted_file_equals_the_truth_when_it_was_repaired(
    people: People,
    file: IdentityFile,
    done: list[tuple[Corruption, int, int]],
    moved: set[int],
    died: set[int],
) -> None:
    """All found is repaired, nothing that was said is lost, J-LIS is told of exactly that, and twice is once."""
    case, codes = _lived(people, file, moved, died)
    _corrupt(case, codes, done)
    differing, history, versions = (
        case.differing(HERE),
        set(case.sql("SELECT h::text FROM history h")),
        _versions(case),
    )
    number = case.reconcile(HERE)
    case.approve()
    repaired = case.repair(HERE, case.reconcile(HERE))
    assert (repaired.repaired, repaired.refused) == (len(differing), {})
    assert case.differing(HERE) == case.differing(ELSEWHERE) == []
    assert history <= set(case.sql("SELECT h::text FROM history h"))
    assert {row for row in versions if row[2] != 999} <= _versions(case)
    changed = _of_package(case, repaired.package_id)
    assert set(changed) == {row["resident_code"] for row in differing}
    assert case.sql("SELECT changes FROM outbox o JOIN package USING (package_id) WHERE kind = 'repair'") == (
        [(len(changed),)] if differing else []
    )
    before = case.everything()
    assert case.repair(HERE, number + 1).repaired == 0
    assert case.everything() == before
    case.reconcile(HERE)
    assert case.sql("SELECT count(*) FROM difference WHERE state <> 'settled'") == [(0,)]
    with open_unit(case.url, file) as unit:
        unit.journal.verify()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=EXAMPLES,
)
@given(
    file=st.sampled_from(IdentityFile), done=acts, moved=st.sets(persons, max_size=3),
    between=st.lists(st.tuples(persons, st.sampled_from(["moved", "died", "left"])), min_size=1, max_size=3),
)  # fmt: skip
def test_notices_between_comparison_and_repair_win_and_the_rest_follows(
    people: People,
    file: IdentityFile,
    done: list[tuple[Corruption, int, int]],
    moved: set[int],
    between: list[tuple[int, str]],
) -> None:
    """What was said after the comparison stands after the repair; the next comparisons put the rest right."""
    case, codes = _lived(people, file, moved, set())
    _corrupt(case, codes, done)
    case.reconcile(HERE)
    case.approve()
    number = case.reconcile(HERE)
    rows = people[file][HERE]
    said = set[str]()
    for person, what in between:
        there = {"reason": Reason.MOVED_IN.value}
        if file is IdentityFile.RESIDENT:
            there["municipality_code"] = ELSEWHERE
        if what != "left" and codes[person] not in case.truth[HERE]:
            continue
        sender, change = (ELSEWHERE, there) if what == "left" else (HERE, MOVED if what == "moved" else DIED)
        # A correction of somebody who was erased by SQL is refused: then nothing was said, and the repair may speak.
        if case.send(sender, rows[person] | change) == [Effect.APPLY]:
            said.add(codes[person])
    told = {code: row for code, row in case.stored().items() if code in said}
    case.repair(HERE, number)
    assert {code: row for code, row in case.stored().items() if code in said} == told
    for _ in range(3):
        for municipality in (HERE, ELSEWHERE):
            case.reconcile(municipality)
            case.approve()
            case.repair(municipality, case.reconcile(municipality))
    assert case.differing(HERE) == case.differing(ELSEWHERE) == []
