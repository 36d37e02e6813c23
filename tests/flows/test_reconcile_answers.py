"""What a municipality may answer wrongly: each fault has its code, changes nothing, and healed it ends equal."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from juki.differences import Mode
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit
from simulator.snapshots import EXPECTED, SnapshotFault
from tasks import clock
from tasks.workshop import Workshop
from tests.flows.conftest import Town
from tests.flows.reconciling import FIRST, Round, runs

BEYOND = Code.RECONCILIATION_BEYOND_BOUND.value
REFUSED = {
    fault: code
    for fault, code in EXPECTED.items()
    if code is not None and fault is not SnapshotFault.REPLAYED
}
"""The faults that must be seen before anything is compared; a replay needs something to play again."""


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run looks twice and does not wait: whoever answers has answered before it."""
    monkeypatch.setenv("JUKI_SNAPSHOT_WAIT_SECONDS", "0")
    monkeypatch.setenv("JUKI_CONNECT_ATTEMPTS", "1")


@pytest.fixture
def here(town: Town) -> Round:
    """A town in good order."""
    return Round(town)


def ends_equal(here: Round) -> None:
    """Heal the office and run again, once more if it has to be asked anew: as if nothing had been."""
    here.town.office.heal()
    here.answer()
    if here.reconcile() == Code.SNAPSHOT_NOT_ANSWERED.value:
        here.answer()
        assert here.reconcile() == ""
    assert runs(here.town, "is_equal", "code")[-1] == (True, None)
    assert here.parts() == []


@pytest.mark.parametrize("fault", REFUSED, ids=str)
def test_answer_that_is_no_snapshot_of_theirs_is_never_compared(here: Round, fault: SnapshotFault) -> None:
    """Never sent, cut off, forged, somebody else's, too old, in disorder: its code, and nothing is changed."""
    before = here.identities()
    assert here.ask_and_compare(Mode.REPAIR, fault) == REFUSED[fault].value
    assert runs(here.town, "code", "compared_at") == [(REFUSED[fault].value, None)]
    assert here.entries("files.compared") == []
    ends_equal(here)
    assert here.identities() == before
    assert here.differences("kind") == []


def test_answer_replayed_after_it_was_used_is_not_even_fetched(here: Round) -> None:
    """Its sequence was used: what comes back under it answers nothing, whatever has changed since."""
    assert here.ask_and_compare() == ""
    here.spoil("DELETE FROM current WHERE notice_no = 2")
    assert here.ask_and_compare(Mode.REPAIR, SnapshotFault.REPLAYED) == Code.SNAPSHOT_NOT_ANSWERED.value
    assert here.parts() == []
    assert here.differences("kind") == []
    here.answer()
    assert here.reconcile(Mode.REPAIR) == ""
    assert runs(here.town, "is_equal", "missing_found") == [(True, 0), (True, 1)]


def test_answer_replayed_that_nobody_used_is_too_old_for_a_later_request(here: Round) -> None:
    """Made for a request that ran out half a day ago, it does not answer the one of now."""
    here.ask()
    here.answer()
    for path in (here.town.office.folder / "outbox").glob("*snapshot*"):
        path.unlink()
    with clock.held_at(datetime.now(UTC) + timedelta(hours=13)):
        here.ask()
        assert runs(here.town, "state") == [("failed",)]
        assert here.ask_and_compare(Mode.REPAIR, SnapshotFault.REPLAYED) == Code.SNAPSHOT_STALE.value
        here.answer()
        assert here.reconcile() == ""


@pytest.mark.parametrize("fault", [SnapshotFault.PART_AGAIN, SnapshotFault.ANY_ORDER], ids=str)
def test_order_and_repetition_of_parts_change_nothing(here: Round, fault: SnapshotFault) -> None:
    """A part laid out twice, or all of them in reverse: the same snapshot, equal."""
    assert here.ask_and_compare(Mode.REPAIR, fault) == ""
    assert runs(here.town, "is_equal", "parts") == [(True, 5)]


def test_person_listed_twice_is_a_difference_nobody_repairs(here: Round) -> None:
    """The municipality has to look at it; here nothing is wrong and nothing is changed."""
    before = here.identities()
    assert here.ask_and_compare(Mode.REPAIR, SnapshotFault.DUPLICATE) == ""
    assert runs(here.town, "is_equal", "duplicate_found", "repaired") == [(False, 1, 0)]
    assert here.differences("kind", "state") == [("duplicate", "open")]
    assert here.identities() == before
    ends_equal(here)


def test_record_that_breaks_a_rule_is_told_by_the_rule_and_repairs_nothing(here: Round) -> None:
    """A snapshot is held to its own contract: it is told which rule was broken, and nothing is made of the record."""
    sexes = here.truth.column("sex").to_pylist()
    of_ours = here.truth.column("sender_code").to_pylist().index(here.town.channel.municipality_code)
    sexes[of_ours] = "9"
    before = here.truth
    here.truth = before.set_column(before.column_names.index("sex"), "sex", pa.array(sexes, pa.string()))
    identities = here.identities()
    assert here.ask_and_compare(Mode.REPAIR) == ""
    assert here.identities() == identities
    channel = here.town.channel
    with open_unit(Workshop.open().store_url(channel.file), channel.file, Duty.READER) as unit:
        (done,) = unit.reconciliations.recent(channel.municipality_code, 1)
    assert dict(done.broken_counts) == {Code.SEX_UNKNOWN: 1} and not done.is_equal
    compared = here.entries("files.compared")[0]
    assert compared["counts"]["sex.unknown"] == 1 and '"9"' not in str(compared)


@pytest.mark.parametrize("mode", [Mode.PROPOSE, Mode.REPAIR], ids=str)
@pytest.mark.parametrize("fault", [SnapshotFault.HALF, SnapshotFault.EMPTY], ids=str)
def test_snapshot_cut_short_changes_and_proposes_nothing(
    here: Round, fault: SnapshotFault, mode: Mode
) -> None:
    """Signed as it is it can not be told from a true one: what it would retire is beyond the bound."""
    before = here.identities()
    lost = FIRST // 2 if fault is SnapshotFault.HALF else FIRST
    assert here.ask_and_compare(mode, fault) == BEYOND
    assert runs(here.town, "state", "extra_found", "beyond_bound", "repaired") == [
        ("finished", lost, lost, 0)
    ]
    assert {state for (state,) in here.differences("state")} == {"open"}
    (held,) = here.entries("repairs.held_back")
    assert (held["counts"], held["outcome"]) == ({"changes": lost, "allowed": 1}, "refused")
    ends_equal(here)
    assert here.identities() == before
    assert {state for (state,) in here.differences("state")} == {"settled"}


def approve_last(town: Town) -> int:
    """Approve the last run of the channel on the command line; return the exit code."""
    listed = json.loads(town.juki("difference", "list", "--runs", "--json").stdout)
    return town.juki("difference", "approve", "--run", listed["reconciliations"][0]["number"]).returncode


def test_approval_lets_as_many_changes_pass_as_were_seen_and_only_once(here: Round) -> None:
    """Four lost rows are too many for one run: approved, four are repaired; the next four wait again."""
    here.spoil("DELETE FROM current WHERE notice_no <= 4")
    assert here.ask_and_compare(Mode.REPAIR) == BEYOND
    assert here.town.rows("SELECT count(*) FROM current") == [(FIRST - 4,)]
    assert approve_last(here.town) == 0
    assert here.ask_and_compare(Mode.REPAIR) == ""
    assert runs(here.town, "is_equal", "repaired", "beyond_bound") == [(False, 0, 4), (True, 4, None)]
    here.spoil("DELETE FROM current WHERE notice_no BETWEEN 5 AND 8")
    assert here.ask_and_compare(Mode.REPAIR) == BEYOND
    assert runs(here.town, "repaired", "beyond_bound")[-1] == (0, 4)


def test_approval_of_fewer_changes_than_are_found_lets_none_pass(here: Round) -> None:
    """What was approved are four: five are something else, and none of them is made."""
    here.spoil("DELETE FROM current WHERE notice_no <= 4")
    assert here.ask_and_compare(Mode.REPAIR) == BEYOND
    assert approve_last(here.town) == 0
    here.spoil("DELETE FROM current WHERE notice_no = 5")
    assert here.ask_and_compare(Mode.REPAIR) == BEYOND
    assert runs(here.town, "repaired", "beyond_bound")[-1] == (0, 5)
    assert here.town.rows("SELECT count(*) FROM current") == [(FIRST - 5,)]


def test_run_that_was_not_stopped_or_not_the_last_can_not_be_approved(here: Round) -> None:
    """An approval is given to what was seen last: to nothing older, and to nothing that needs none."""
    here.spoil("DELETE FROM current WHERE notice_no <= 4")
    assert here.ask_and_compare(Mode.REPORT) == ""
    assert approve_last(here.town) == 2
    assert here.ask_and_compare(Mode.REPAIR) == BEYOND
    stopped = json.loads(here.town.juki("difference", "list", "--runs", "--json").stdout)
    assert here.ask_and_compare(Mode.REPAIR) == BEYOND
    older = stopped["reconciliations"][0]["number"]
    assert here.town.juki("difference", "approve", "--run", older).returncode == 2
    assert here.entries("bound.approved") == []
