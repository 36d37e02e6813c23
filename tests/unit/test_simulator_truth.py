"""The oracle itself, case by case on histories small enough to decide by hand."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations

import pyarrow as pa
import pytest

from juki.columns import NOTICE_COLUMNS, IdentityFile
from simulator.truth import Truth, expires_on

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
A, B = "352039", "352012"
X, Y = "24727059608", "24846016224"
DAY = date(2026, 11, 24)
KEPT_FOR_150_YEARS = date(2176, 11, 24)


def notice(kind: str, code: str = X, **items: str) -> dict[str, str]:
    return {"notice_no": "1", "kind": kind, "event_date": "2026-11-20", "resident_code": code, **items}


def table(*notices: dict[str, str], file: IdentityFile = RESIDENT) -> pa.Table:
    columns = NOTICE_COLUMNS[file]
    return pa.table({c: pa.array([n.get(c, "") for n in notices], pa.string()) for c in columns})


def after(*received: tuple[int, str, dict[str, str]], file: IdentityFile = RESIDENT) -> Truth:
    truth = Truth()
    for days, sender, one in received:
        truth.receive(DAY + timedelta(days=days), file, sender, table(one, file=file))
    return truth


def standing(truth: Truth, file: IdentityFile = RESIDENT) -> list[tuple[str, str]]:
    return [(row["resident_code"], row["sender_code"]) for row in truth.standing(file).to_pylist()]


def clocks(truth: Truth, file: IdentityFile = RESIDENT) -> list[tuple[str, str, date | None, date | None]]:
    rows = truth.versions(file).to_pylist()
    return [(r["kind"], r["sender_code"], r["superseded_on"], r["expires_on"]) for r in rows]


@pytest.mark.parametrize(
    ("start", "first_day_to_erase"),
    [
        (date(2026, 11, 24), date(2176, 11, 24)),
        (date(2024, 2, 29), date(2174, 3, 1)),
        (date(2046, 2, 28), date(2196, 2, 28)),
        (date(2028, 12, 31), date(2178, 12, 31)),
    ],
)
def test_period_ends_before_the_anniversary(start: date, first_day_to_erase: date) -> None:
    """The first day counts; 29 February gives 1 March where there is none."""
    assert expires_on(start) == first_day_to_erase


def test_leap_day_falls_on_a_leap_day_where_there_is_one() -> None:
    """Between leap years 150 years never lead to another, so any start in a leap year ends in a common one."""
    assert all(expires_on(date(year, 2, 29)) == date(year + 150, 3, 1) for year in range(2024, 2100, 4))


def test_newest_entry_stands_without_a_clock() -> None:
    """The current record has no expiry (施行令30条の6一号)."""
    truth = after((0, A, notice("entry")))
    assert standing(truth) == [(X, A)]
    assert clocks(truth) == [("entry", A, None, None)]


def test_correction_starts_the_clock_of_what_it_supersedes() -> None:
    """The clock starts on the day the newer notice was received."""
    truth = after((-5, A, notice("entry")), (0, A, notice("correction", address="新")))
    assert clocks(truth) == [("entry", A, DAY, KEPT_FOR_150_YEARS), ("correction", A, None, None)]


def test_deletion_counts_from_its_own_day_also_when_superseded_later() -> None:
    """施行令30条の6二号: a later entry does not prolong a deletion."""
    truth = after((-1, A, notice("entry")), (0, A, notice("deletion")), (9, A, notice("entry")))
    assert clocks(truth)[1] == ("deletion", A, DAY + timedelta(days=9), KEPT_FOR_150_YEARS)
    assert standing(truth) == [(X, A)]


def test_erased_person_does_not_stand_but_is_known() -> None:
    """After a deletion the record is among the erased, as the deletion carried it."""
    truth = after((0, A, notice("entry")), (1, A, notice("deletion", name="山田")))
    assert standing(truth) == []
    assert truth.erased(RESIDENT)["name"].to_pylist() == ["山田"]


@pytest.mark.parametrize("file", list(IdentityFile))
def test_deletion_that_comes_after_the_next_entry_is_history_at_once(file: IdentityFile) -> None:
    """Out of A after into B: B stands, and A's deletion is kept, superseded on its own day."""
    truth = after((-9, A, notice("entry")), (-1, B, notice("entry")), (0, A, notice("deletion")), file=file)
    assert standing(truth, file) == [(X, B)]
    assert clocks(truth, file)[-1] == ("deletion", A, DAY, KEPT_FOR_150_YEARS)


def test_move_on_one_day_ends_the_same_in_either_order() -> None:
    """Deletion at A and entry at B of one day: the order of arrival makes no difference."""
    moves = [(0, A, notice("deletion")), (0, B, notice("entry"))]
    results = [after((-9, A, notice("entry")), *order) for order in permutations(moves)]
    assert len({str(sorted(map(str, clocks(truth)))) for truth in results}) == 1
    assert all(standing(truth) == [(X, B)] for truth in results)


def test_same_notice_again_is_a_repeat() -> None:
    """A re-sent notice under a new number makes no version."""
    truth = after((0, A, notice("entry", name="山田")), (3, A, notice("entry", name="山田", notice_no="2")))
    assert clocks(truth) == [("entry", A, None, None)]


@pytest.mark.parametrize(
    "change", [{"reason": "職権修正等"}, {"event_date": "2026-11-21"}, {"name": "山本"}, {"sex": "1"}]
)
def test_notice_again_with_anything_changed_is_a_new_version(change: dict[str, str]) -> None:
    """Another reason, day or item: no repeat."""
    first = notice("entry", reason="国内転入", name="山田")
    truth = after((-1, A, first), (0, A, {**first, **change}))
    assert len(clocks(truth)) == 2


def test_changed_code_moves_the_person() -> None:
    """X no longer stands, Y does; X's version is superseded by the change."""
    change = notice("correction", Y, previous_resident_code=X)
    truth = after((-1, A, notice("entry")), (0, A, change))
    assert standing(truth) == [(Y, A)]
    assert clocks(truth) == [("entry", A, DAY, KEPT_FOR_150_YEARS), ("correction", A, None, None)]


def test_replaced_code_is_never_heard_again() -> None:
    """A notice under the old code is not believed."""
    change = notice("correction", Y, previous_resident_code=X)
    truth = after((0, A, notice("entry")), (1, A, change), (2, A, notice("deletion", X)))
    assert standing(truth) == [(Y, A)]
    assert len(clocks(truth)) == 2


def test_correction_does_not_revive_the_erased() -> None:
    """After a deletion only an entry counts."""
    truth = after((0, A, notice("entry")), (1, A, notice("deletion")), (2, A, notice("correction", name="x")))
    assert standing(truth) == []
    assert len(clocks(truth)) == 2


def test_person_named_in_a_bulk_load_and_later_is_one_person() -> None:
    """What came in columns and what came singly make one history."""
    truth = Truth()
    truth.receive(DAY, FUHYO, A, table(notice("entry", X), notice("entry", Y), file=FUHYO))
    truth.receive(DAY, FUHYO, A, table(notice("deletion", Y), file=FUHYO))
    assert standing(truth, FUHYO) == [(X, A)]
    assert len(truth.versions(FUHYO)) == 3
