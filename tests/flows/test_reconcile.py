"""One channel reconciled over a real line and store: asked for, waited for, compared as of its notice, reported."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from juki.differences import Mode
from juki.reasons import Code
from simulator.snapshots import SnapshotFault
from tasks import clock
from tests.flows.conftest import Town
from tests.flows.reconciling import FIRST, Round, answering, reconcile, runs, standing

NOT_ANSWERED = Code.SNAPSHOT_NOT_ANSWERED.value


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run looks twice and does not wait: whoever answers has answered before it."""
    monkeypatch.setenv("JUKI_SNAPSHOT_WAIT_SECONDS", "0")
    monkeypatch.setenv("JUKI_CONNECT_ATTEMPTS", "1")


@pytest.fixture
def here(town: Town) -> Round:
    """A town in good order."""
    return Round(town)


def test_equal_files_are_confirmed_as_of_the_last_notice(here: Round) -> None:
    """Both sides say the same: so it is registered, with what it was compared with, and nothing is left over."""
    before = here.identities()
    assert here.ask_and_compare(Mode.REPAIR) == ""
    columns = "state", "is_equal", "watermark", "parts", "rows_theirs", "rows_ours", "repaired", "code"
    assert runs(here.town, *columns) == [("finished", True, FIRST, 5, FIRST, FIRST, None, None)]
    assert runs(here.town, "length(root_digest)", "last_sequence") == [(32, 5)]
    assert here.parts() == []
    assert here.differences("kind") == []
    assert here.identities() == before


def test_one_run_waits_for_an_answer_that_comes_meanwhile(
    here: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a CS that answers in time a single run is enough."""
    monkeypatch.setenv("JUKI_SNAPSHOT_WAIT_SECONDS", "60")
    with answering(here.town, here.truth):
        assert reconcile(here.town.channel) == ""
    assert runs(here.town, "is_equal") == [(True,)]


def test_waiting_is_gone_on_with_by_the_next_run_under_the_first_request(here: Round) -> None:
    """Whoever runs next asks again for the same: an answer to the first request is not too old."""
    here.ask()
    ((first, deadline),) = runs(here.town, "requested_at", "deadline_at")
    here.ask()
    here.answer()
    assert runs(here.town, "requested_at", "deadline_at", "state", "code") == [
        (first, deadline, "requested", NOT_ANSWERED)
    ]
    assert here.reconcile() == ""
    assert runs(here.town, "requested_at", "state", "code") == [(first, "finished", None)]


def test_mode_of_the_run_that_comes_to_the_end_counts(here: Round) -> None:
    """A run that waited in one mode is gone on with in the mode that is asked for now."""
    here.spoil("UPDATE current SET name = name || '　' WHERE notice_no = 3")
    here.ask(Mode.REPORT)
    here.answer()
    assert here.reconcile(Mode.REPAIR) == ""
    assert runs(here.town, "mode", "is_equal", "differs_found", "repaired") == [("repair", True, 1, 1)]


def test_past_the_deadline_it_ends_failed_and_a_later_run_asks_anew(here: Round) -> None:
    """Waiting has an end: parts that never became whole are cleared, and the next request is a new one."""
    here.ask()
    here.answer(SnapshotFault.PART_MISSING)
    assert here.reconcile() == Code.SNAPSHOT_INCOMPLETE.value
    assert here.parts() != []
    late = datetime.now(UTC) + timedelta(hours=13)
    with clock.held_at(late):
        assert here.reconcile() == Code.SNAPSHOT_INCOMPLETE.value
        assert runs(here.town, "state", "code", "finished_at") == [
            ("failed", Code.SNAPSHOT_INCOMPLETE.value, late)
        ]
        assert here.parts() == []
        # Nothing of the first answer is of use for the second request: it was made hours before it.
        here.town.office.heal()
        assert here.reconcile() == Code.SNAPSHOT_STALE.value
        here.answer()
        assert here.reconcile() == ""
    assert runs(here.town, "state", "is_equal") == [("failed", None), ("finished", True)]
    assert runs(here.town, "requested_at")[1] == (late,)
    (refused, done) = here.entries("reconciliation.ended")
    assert (refused["outcome"], refused["code"]) == ("refused", Code.SNAPSHOT_INCOMPLETE.value)
    assert done["outcome"] == "done"


def test_behind_the_watermark_it_waits_for_the_notices_and_not_for_another_snapshot(here: Round) -> None:
    """What they know and have told, but we have not taken in yet, is no difference: first the notices."""
    here.publish(10)
    here.ask()
    here.answer()
    assert here.reconcile(Mode.REPAIR) == Code.RECONCILIATION_BEHIND.value
    kept = here.parts()
    assert len(kept) == 6
    assert here.differences("kind") == []
    assert runs(here.town, "state", "code") == [("requested", Code.RECONCILIATION_BEHIND.value)]
    asked = len(here.entries("snapshot.requested"))
    assert here.town.work() == 0
    assert here.reconcile() == ""
    assert runs(here.town, "is_equal", "watermark", "parts") == [(True, FIRST + 10, 6)]
    assert len(here.entries("snapshot.requested")) == asked


def test_notices_applied_after_the_watermark_are_no_difference(here: Round) -> None:
    """We are ahead of the snapshot: the file is compared as it stood."""
    here.ask()
    here.answer()
    here.publish(10)
    assert here.town.work() == 0
    assert here.reconcile(Mode.REPAIR) == ""
    assert runs(here.town, "is_equal", "watermark", "rows_ours") == [(True, FIRST, FIRST)]
    assert here.town.rows("SELECT count(*) FROM current") == [(FIRST + 10,)]


def test_report_is_read_by_the_office_with_what_differs_and_no_value(here: Round) -> None:
    """The municipality learns whom and which columns, upon which it removes the parts."""
    codes = here.codes()
    here.spoil(f"UPDATE current SET name = '別人', address = '別の所' WHERE resident_code = '{codes[0]}'")
    here.spoil(f"DELETE FROM current WHERE resident_code = '{codes[1]}'")
    assert here.ask_and_compare() == ""
    here.town.office.tidy(datetime.now(UTC))
    (report,) = here.town.office.reports
    lines = {line["resident_code"]: (line["kind"], line["columns"]) for line in report.lines.to_pylist()}
    assert lines == {codes[0]: ("differs", "name address"), codes[1]: ("missing", "")}
    assert (report.manifest.sequence, report.manifest.is_equal, report.manifest.watermark) == (
        1, False, FIRST,
    )  # fmt: skip
    assert list((here.town.office.folder / "outbox").glob("*snapshot*")) == []
    assert here.ask_and_compare(Mode.REPORT) == ""
    here.town.office.tidy(datetime.now(UTC))
    assert [one.manifest.sequence for one in here.town.office.reports] == [1, 2]


def test_every_step_is_in_the_log_and_the_log_verifies(here: Round) -> None:
    """Request, refusal, comparison, repair, end and report: each has its entry, and repairs are told to J-LIS."""
    here.spoil("UPDATE current SET address = '別の所' WHERE notice_no = 5")
    here.ask(Mode.REPAIR)
    here.answer(SnapshotFault.FORGED)
    assert here.reconcile(Mode.REPAIR) == Code.PACKAGE_CERTIFICATE_CHAIN.value
    here.answer()
    assert here.reconcile(Mode.REPAIR) == ""
    assert len(here.entries("snapshot.requested")) == 2
    refused = here.entries("snapshot.refused")
    assert {entry["code"] for entry in refused} == {Code.PACKAGE_CERTIFICATE_CHAIN.value}
    assert len(refused) == 5
    counts = [entry["counts"]["differences"] for entry in here.entries("files.compared")]
    assert counts == [1, 0]
    ((package,),) = here.town.rows("SELECT package_id FROM package WHERE kind = 'repair'")
    assert here.town.rows(f"SELECT changes FROM outbox WHERE package_id = {package}") == [(1,)]
    assert [entry["package_id"] for entry in here.entries("records.repaired")] == [package]
    (ended,) = here.entries("reconciliation.ended")
    assert ended["counts"] == {"differences": 1, "repaired": 1}
    (sent,) = here.entries("report.delivered")
    assert sent["package"].endswith("-differences-00000001.p7m")
    assert here.verify_journal() == here.town.rows("SELECT count(*) FROM journal")[0][0]


def test_channel_no_intake_has_tried_yet_is_behind_or_equal(town: Town) -> None:
    """Reconciled before anything was taken in: who has told us nothing is equal, who has is ahead of us."""
    assert reconcile(town.channel) == NOT_ANSWERED
    town.office.answer_requests(lambda _: standing(town, 0), clock.now())
    assert reconcile(town.channel, Mode.REPAIR) == ""
    assert runs(town, "is_equal", "watermark", "rows_theirs") == [(True, 0, 0)]
    town.publish(count=FIRST)
    assert reconcile(town.channel) == NOT_ANSWERED
    town.office.answer_requests(lambda _: standing(town), clock.now())
    assert reconcile(town.channel) == Code.RECONCILIATION_BEHIND.value
    assert town.work() == 0
    assert reconcile(town.channel) == ""
