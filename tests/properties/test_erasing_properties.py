"""Over random histories and days: what is left is what is not over, and everything that counts still fits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from juki.columns import IdentityFile
from juki.differences import DifferenceKind
from juki.quality import Question
from juki.retention import is_over
from juki.store.erasing import Erased
from juki.store.quality import Measuring
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tests.conftest import Stores
from tests.histories import FIRST_DAY, SENDERS, History, Sent, numbered, packages
from tests.model import anniversary
from tests.snapshots import apply_history, compared, told

RESIDENT = IdentityFile.RESIDENT
FIRST_END, MOVED = anniversary(FIRST_DAY), DifferenceKind.MOVED.value
_COUNTED = {question for question in Question if question is not Question.AGES}


@dataclass(frozen=True, slots=True)
class Version:
    """One row of either table, as far as keeping goes."""

    table: str
    code: str
    previous_code: str | None
    sender: str
    notice_no: int
    package: int
    ends: date | None


def _versions(url: str) -> set[Version]:
    columns = "resident_code, previous_resident_code, sender_code, notice_no, package_id, expires_on"
    query = f"SELECT 'current', {columns} FROM current UNION ALL SELECT 'history', {columns} FROM history"
    with psycopg.connect(url) as connection:
        return {Version(*row) for row in connection.execute(query).fetchall()}


def _former_codes(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {code for (code,) in connection.execute("SELECT resident_code FROM former_code").fetchall()}


def _faults(url: str, on: date) -> dict[Question, dict[str, int]]:
    with open_unit(url, RESIDENT) as unit:
        measuring = Measuring(RESIDENT, unit.connection)
        found = {question: measuring.faults(question, on) for question in sorted(_COUNTED)}
    return {question: places for question, places in found.items() if places}


def _new_faults(
    before: dict[Question, dict[str, int]], after: dict[Question, dict[str, int]]
) -> dict[Question, dict[str, int]]:
    return {
        question: places
        for question, places in after.items()
        if any(count > before.get(question, {}).get(place, 0) for place, count in places.items())
    }


def _filled(url: str, history: list[Sent]) -> set[Version]:
    """Apply a history; each package is told as many accepted notices as it has versions."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE current, history, former_code, package, channel")
        apply_history(url, history)
        connection.execute(
            "UPDATE package SET accepted = (SELECT count(*) FROM (SELECT package_id FROM current"
            " UNION ALL SELECT package_id FROM history) v WHERE v.package_id = package.package_id)"
        )
    return _versions(url)


def _erase(url: str, on: date, most: int) -> list[Erased]:
    """Erase batch by batch, each in a transaction of its own."""
    batches = list[Erased]()
    while True:
        with open_unit(url, RESIDENT, Duty.PURGER) as unit:
            batches.append(unit.erasing.erase(on, most))
        assert max(batches[-1].current, batches[-1].history) <= most
        if not batches[-1].versions:
            return batches[:-1]


def _late(history: list[Sent], days: list[int]) -> list[Sent]:
    """Let packages count as received on days of their own; of one sender they never run backwards."""
    last: dict[str, int] = {}
    moved = []
    for sent, day in zip(history, days, strict=False):
        last[sent.sender] = max(day, last.get(sent.sender, 0))
        moved.append(replace(sent, day=last[sent.sender]))
    return moved


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=packages,
    received=st.lists(st.integers(0, 9), min_size=6, max_size=6),
    days=st.lists(st.integers(-1, 11), min_size=1, max_size=3),
    most=st.integers(1, 3),
)
def test_what_is_left_is_what_is_not_over_and_everything_still_fits(
    module_stores: Stores, history: History, received: list[int], days: list[int], most: int
) -> None:
    """Every version goes on its day and none before; every package knows how many, and no check finds a loss."""
    url = module_stores.resident_url
    kept = _filled(url, _late(numbered(history), received))
    replaced, gone = _former_codes(url), Counter[int]()
    # A change of code told by a municipality the person has left is history of a code that never stood.
    found_before = _faults(url, FIRST_END)
    for day in days:
        on = FIRST_END + timedelta(days=day)
        over = {one for one in kept if is_over(one.ends, on)}
        with open_unit(url, RESIDENT, Duty.PURGER) as unit:
            due = unit.erasing.due(on)
        batches = _erase(url, on, most)
        kept -= over
        gone.update(one.package for one in over)
        assert _versions(url) == kept
        assert sum(one.versions for one in batches) == due.versions == len(over)
        assert due.unclear == 0
        assert _new_faults(found_before, _faults(url, on)) == {}
        replaced = {code for code in replaced if any(code in (one.code, one.previous_code) for one in kept)}
        assert _former_codes(url) == replaced
        with psycopg.connect(url) as connection:
            told = connection.execute("SELECT package_id, erased FROM package WHERE erased > 0").fetchall()
        assert dict(told) == dict(gone)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=packages, day=st.integers(0, 7), data=st.data())
def test_a_version_lost_beside_what_was_erased_is_still_found(
    module_stores: Stores, history: History, day: int, data: st.DataObject
) -> None:
    """What was erased hides nothing: one row less than that, and its package says so."""
    url, on = module_stores.resident_url, FIRST_END + timedelta(days=day)
    _filled(url, numbered(history))
    _erase(url, on, 1_000)
    left = sorted(_versions(url), key=lambda one: (one.table, one.sender, one.notice_no))
    if not left:
        return
    lost = data.draw(st.sampled_from(left))
    with psycopg.connect(url) as connection:
        connection.execute(
            f"DELETE FROM {lost.table} WHERE sender_code = %s AND notice_no = %s",  # type: ignore[arg-type]
            (lost.sender, lost.notice_no),
        )
    assert _faults(url, on)[Question.PACKAGE_ROWS] == {lost.sender: 1}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=packages, received=st.lists(st.integers(0, 9), min_size=6, max_size=6), day=st.integers(0, 11))
def test_no_comparison_finds_what_was_erased(
    module_stores: Stores, history: History, received: list[int], day: int
) -> None:
    """Nothing comes to be said that was not said before, and of who stands the same; what stood once is forgotten."""
    url = module_stores.resident_url
    kept = _filled(url, _late(numbered(history), received))
    standing = {one.code for one in kept if one.table == "current" and one.ends is None}
    before = {sender: _ours(url, sender) for sender in SENDERS}
    _erase(url, FIRST_END + timedelta(days=day), 1_000)
    for sender in SENDERS:
        after = _ours(url, sender)
        assert after <= before[sender]
        assert not {code for code, kind in before[sender] - after if kind != MOVED and code in standing}


def _ours(url: str, sender: str) -> set[tuple[str, str]]:
    """Compare with a municipality that lists nobody: code and kind of everybody of ours."""
    return {(code, kind) for code, kind, *_ in told(compared(url, sender, 1_000, []))}
