"""Refused records judged again when their cause is gone: applied once, told to J-LIS, newer words left alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from juki.columns import IdentityFile
from juki.notices import Reason
from simulator.faults import Fault
from tasks import clock
from tests.flows.conftest import Town
from tests.flows.nursery import Order

MOVED_OUT = {"kind": "deletion", "reason": Reason.MOVED_OUT.value}


def _send(town: Town, person: int, fault: Fault | None = None, **said: str) -> None:
    """Publish one notice about one of the people of the town, numbered by the CS."""
    row: dict[str, Any] = town.tables[town.channel.municipality_code].slice(person, 1).to_pylist()[0]
    table = town.tables[town.channel.municipality_code]
    package = pa.Table.from_pylist([row | said], table.schema)
    town.office.publish(IdentityFile.RESIDENT, package, datetime.now(UTC), fault=fault)


def _number_of(town: Town, person: int) -> str:
    number: str = town.tables[town.channel.municipality_code].column("individual_number")[person].as_py()
    return number


def _standing_and_erased(town: Town) -> list[tuple[Any, ...]]:
    return town.rows("SELECT kind, count(*) FROM current GROUP BY 1 ORDER BY 1")


def _refused_for_a_number_in_use(town: Town) -> None:
    """One stands with a number, another is entered with it, and then the first is erased."""
    number = _number_of(town, 0)
    _send(town, 0, notice_no="1")
    _send(town, 1, notice_no="2", individual_number=number)
    _send(town, 0, notice_no="3", **MOVED_OUT)
    assert town.work() == 0
    assert town.rows("SELECT code FROM rejection WHERE severity = 'error'") == [("logic.number_in_use",)]


def _retry(town: Town, package: str = "R2") -> dict[str, Any]:
    (number,) = town.rows("SELECT package_id FROM package WHERE sequence = 2")[0]
    said = town.juki("rejection", "retry", f"R{number}", "--json")
    return json.loads(said.stdout) | {"exit": said.returncode}


def test_a_record_whose_cause_is_gone_is_applied_when_judged_again(town: Town) -> None:
    """The person who was kept out stands, J-LIS is told of that notice, and the log says who asked."""
    _refused_for_a_number_in_use(town)
    assert _standing_and_erased(town) == [("deletion", 1)]
    asked = _retry(town)
    assert (asked["changed"], asked["rejected"], asked["exit"]) == (True, 1, 0)
    assert _retry(town)["changed"] is False
    assert town.work() == 0
    assert _standing_and_erased(town) == [("deletion", 1), ("entry", 1)]
    assert town.rows("SELECT changes, notice_nos FROM outbox WHERE notice_nos IS NOT NULL") == [(1, [2])]
    counts = "SELECT records, accepted, alerted, rejected FROM package WHERE sequence = 2"
    assert town.rows(counts) == [(1, 0, 1, 0)]
    assert town.rows("SELECT action FROM journal WHERE action LIKE 'records.%' ORDER BY entry_no") == [
        ("records.retried",),
        ("records.judged_again",),
    ]
    assert town.rows("SELECT code FROM rejection WHERE settled_at IS NULL") == [("logic.number_seen_before",)]


def test_judging_again_once_more_changes_nothing(town: Town) -> None:
    """The order is done with: nothing is refused any more, and asking again is refused by name."""
    _refused_for_a_number_in_use(town)
    _retry(town)
    assert town.work() == 0
    before = town.rows("SELECT count(*), max(entry_no) FROM journal")
    assert town.work() == 0
    assert town.rows("SELECT count(*), max(entry_no) FROM journal") == before
    asked = _retry(town)
    assert (asked["error"]["code"], asked["exit"]) == ("package.nothing_open", 2)


def test_a_record_that_is_refused_again_stays_in_quarantine(town: Town) -> None:
    """The number is still in use: nothing is applied, the record is open as before, the try is in the log."""
    number = _number_of(town, 0)
    _send(town, 0, notice_no="1")
    _send(town, 1, notice_no="2", individual_number=number)
    assert town.work() == 0
    _retry(town)
    assert town.work() == 0
    assert _standing_and_erased(town) == [("entry", 1)]
    assert town.rows("SELECT rejected, judge_again_at FROM package WHERE sequence = 2") == [(1, None)]
    assert town.rows("SELECT settled_at FROM quarantine") == [(None,)]
    assert town.rows("SELECT count(*) FROM outbox WHERE notice_nos IS NOT NULL") == [(0,)]


def test_a_record_judged_again_does_not_displace_what_came_after_it(town: Town) -> None:
    """The municipality sent a right notice about the person meanwhile: the old one becomes history behind it."""
    _refused_for_a_number_in_use(town)
    _send(town, 1, notice_no="4")
    assert town.work() == 0
    _retry(town)
    assert town.work() == 0
    assert town.rows("SELECT notice_no FROM current WHERE kind = 'entry'") == [(4,)]
    late = town.rows(
        "SELECT notice_no, was_newest, superseded_by_notice_no FROM history WHERE NOT was_newest"
    )
    assert late == [(2, False, 4)]
    assert town.rows("SELECT count(*) FROM outbox WHERE notice_nos IS NOT NULL") == [(0,)]


def test_the_list_of_rejections_leaves_out_what_was_accepted_after_all(town: Town) -> None:
    """With --all it is shown, and when it was settled."""
    _refused_for_a_number_in_use(town)
    _retry(town)
    assert town.work() == 0
    said = json.loads(town.juki("rejection", "list", "--severity", "error", "--json").stdout)
    assert said["total"] == 0
    every = json.loads(town.juki("rejection", "list", "--severity", "error", "--all", "--json").stdout)
    assert [(one["code"], one["settled_at"] is not None) for one in every["rejections"]] == [
        ("logic.number_in_use", True)
    ]


def test_a_record_judged_again_counts_from_the_day_on_which_its_package_did(town: Town) -> None:
    """The package lay behind a gap: its versions have the day on which the gap was closed, this one as well."""
    number, begin = _number_of(town, 0), datetime.now(UTC) + timedelta(hours=1)
    _send(town, 0, Fault.GAP, notice_no="1")
    _send(town, 1, notice_no="2", individual_number=number)
    _send(town, 2, notice_no="3")
    _send(town, 0, notice_no="4", **MOVED_OUT)
    assert _work_at(town, begin) == 0
    assert town.rows("SELECT DISTINCT state FROM package") == [("received",)]
    town.office.heal()
    closed = begin + timedelta(days=2)
    assert _work_at(town, closed) == 0
    _retry(town)
    assert _work_at(town, begin + timedelta(days=5)) == 0
    query = "SELECT notice_no, received_on FROM current WHERE kind = 'entry' ORDER BY notice_no"
    assert town.rows(query) == [(2, clock.civil_date(closed)), (3, clock.civil_date(closed))]


def _work_at(town: Town, at: datetime) -> int:
    return town.nursery.work(Order(town.channel, at=at)).code
