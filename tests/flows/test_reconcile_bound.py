"""What counts as a change, and what a snapshot that may be cut short leaves alone; the bound of this town is one."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from juki.differences import Mode
from juki.reasons import Code
from juki.store.confirmations import Confirmations
from juki.store.roles import Duty
from juki.store.unit import open_unit
from simulator.snapshots import SnapshotFault
from tasks.workshop import Workshop
from tests.flows.conftest import Town
from tests.flows.reconciling import FIRST, Round, runs

BEYOND = Code.RECONCILIATION_BEYOND_BOUND.value


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run looks twice and does not wait: whoever answers has answered before it."""
    monkeypatch.setenv("JUKI_SNAPSHOT_WAIT_SECONDS", "0")


@pytest.fixture
def here(town: Town) -> Round:
    """A town in good order."""
    return Round(town)


def decide(here: Round, *words: str) -> int:
    """Decide something about differences on the command line; return the exit code."""
    return here.town.juki("difference", *words).returncode


def numbers(here: Round) -> list[str]:
    """Name the differences that are not settled, as an operator does."""
    listed = json.loads(here.town.juki("difference", "list", "--json").stdout)
    return [one["id"] for one in listed["differences"]]


def newest_run(here: Round) -> str:
    """Name the newest reconciliation."""
    listed = json.loads(here.town.juki("difference", "list", "--runs", "--json").stdout)
    return str(listed["reconciliations"][0]["number"])


def forget(here: Round, count: int) -> None:
    """Let the municipality know some of its people no more, so that we alone have them."""
    gone = pa.array(here.codes()[-count:])
    here.truth = here.truth.filter(pc.invert(pc.is_in(here.truth.column("resident_code"), value_set=gone)))


def test_what_was_accepted_does_not_stop_the_repair_of_what_was_not(here: Round) -> None:
    """A small town with a few differences that stay must not be without repairs for ever."""
    here.spoil("DELETE FROM current WHERE notice_no <= 4")
    assert here.ask_and_compare(Mode.REPORT) == ""
    assert decide(here, "accept", *numbers(here), "--reason", "市町村に確認済み") == 0
    here.spoil("DELETE FROM current WHERE notice_no = 5")
    assert here.ask_and_compare(Mode.REPAIR) == ""
    assert runs(here.town, "repaired", "beyond_bound")[-1] == (1, None)
    assert here.town.rows("SELECT count(*) FROM current") == [(FIRST - 4,)]


def test_equal_but_for_what_was_accepted_is_a_confirmation_as_far_as_the_alert_goes(here: Round) -> None:
    """Nobody could do anything about an alert that comes back every week."""

    def accounted() -> bool:
        channel = here.town.channel
        with open_unit(Workshop.open().store_url(channel.file), channel.file, Duty.READER) as unit:
            said = Confirmations(channel.file, unit.connection).by_municipality()[channel.municipality_code]
        assert said.confirmed_at is None
        return said.accounted_at is not None

    here.spoil("DELETE FROM current WHERE notice_no <= 2")
    assert here.ask_and_compare(Mode.REPORT) == "" and not accounted()
    first, second = numbers(here)
    assert decide(here, "accept", first, "--reason", "市町村に確認済み") == 0 and not accounted()
    assert decide(here, "accept", second, "--reason", "市町村に確認済み") == 0 and accounted()
    here.spoil("DELETE FROM current WHERE notice_no = 3")
    assert here.ask_and_compare(Mode.REPORT) == "" and not accounted()


def test_people_who_wait_for_an_operator_stop_nothing_once_a_run_has_passed_with_them(here: Round) -> None:
    """New, they may be the sign of a snapshot cut short; approved as seen, they wait and the others are repaired."""
    forget(here, 2)
    assert here.ask_and_compare(Mode.REPAIR) == BEYOND
    assert here.ask_and_compare(Mode.REPAIR) == BEYOND
    assert decide(here, "approve", "--run", newest_run(here)) == 0
    assert here.ask_and_compare(Mode.REPAIR) == ""
    here.spoil("DELETE FROM current WHERE notice_no = 1")
    assert here.ask_and_compare(Mode.REPAIR) == ""
    assert here.town.rows("SELECT count(*) FROM current WHERE kind <> 'deletion'") == [(FIRST,)]
    assert here.differences("kind", "state")[:2] == [("extra", "open")] * 2


def test_records_that_break_a_rule_do_not_stop_the_repair_of_one_that_does_not(here: Round) -> None:
    """Nothing can be made of them, tonight or tomorrow; the difference says which rule it is."""
    own = set(here.codes()[:5])
    codes, sexes = (here.truth.column(name).to_pylist() for name in ("resident_code", "sex"))
    broken = ["9" if code in own else sex for code, sex in zip(codes, sexes, strict=True)]
    here.truth = here.truth.set_column(here.truth.column_names.index("sex"), "sex", pa.array(broken))
    here.spoil(f"DELETE FROM current WHERE resident_code = '{here.codes()[-1]}'")
    assert here.ask_and_compare(Mode.REPAIR) == ""
    assert runs(here.town, "repaired", "beyond_bound") == [(1, None)]
    assert sorted(here.differences("kind", "code"))[:5] == [("differs", Code.SEX_UNKNOWN.value)] * 5


@pytest.mark.parametrize("mode", [Mode.REPORT, Mode.REPAIR], ids=str)
def test_snapshot_cut_short_takes_back_nothing_that_was_decided(here: Round, mode: Mode) -> None:
    """Whom it leaves out it says nothing about: an acceptance and its reason are there the night after."""
    here.spoil("DELETE FROM current WHERE notice_no = 1")
    assert here.ask_and_compare(Mode.REPORT) == ""
    assert decide(here, "accept", *numbers(here), "--reason", "市町村に確認済み") == 0
    kept = ("kind", "state", "reason", "settled_at")
    assert here.ask_and_compare(mode, SnapshotFault.EMPTY) == (BEYOND if mode is Mode.REPAIR else "")
    accepted = ("missing", "accepted", "市町村に確認済み", None)
    assert here.differences(*kept)[0] == accepted
    here.town.office.heal()
    assert here.ask_and_compare(Mode.REPORT) == ""
    assert here.differences(*kept)[0] == accepted
    assert {state for state, _ in here.differences("state", "kind")[1:]} == {"settled"}


def test_stopped_run_may_be_approved_after_another_look_as_the_handbook_says(here: Round) -> None:
    """docs/handbook/bound.md: stopped, compared once more, the number of the stopped run approved, repaired."""
    here.spoil("DELETE FROM current WHERE notice_no <= 4")
    assert here.ask_and_compare(Mode.REPAIR) == BEYOND
    stopped = newest_run(here)
    assert here.ask_and_compare(Mode.REPORT) == ""
    assert decide(here, "approve", "--run", stopped) == 0
    assert here.ask_and_compare(Mode.REPAIR) == ""
    assert runs(here.town, "is_equal", "repaired")[-1] == (True, 4)


def test_difference_names_the_entry_of_the_log_that_says_it_last(here: Round) -> None:
    """The comparison that found it, the decision about it, and the notice that removed it."""
    here.spoil("DELETE FROM current WHERE notice_no <= 2")
    assert here.ask_and_compare(Mode.REPORT) == ""
    compared, first, second = here.entries("files.compared")[0]["entry_no"], *numbers(here)
    assert here.differences("entry_no") == [(compared,)] * 2
    assert decide(here, "accept", first, "--reason", "市町村に確認済み") == 0
    (accepted,) = here.entries("differences.accepted")
    assert here.differences("entry_no") == [(accepted["entry_no"],), (compared,)]
    assert here.ask_and_compare(Mode.REPORT) == ""
    assert here.differences("entry_no")[0] == (accepted["entry_no"],)
    assert second in here.town.juki("difference", "show", second).stdout
