"""A reconciliation whose surroundings fail or go on: the CS, the database, other runs, the intake, itself."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from juki.credentials import Credentials
from juki.differences import Mode
from juki.reasons import Code
from juki.store.unit import channel_lock
from simulator import installation
from simulator.snapshots import SnapshotFault
from tasks import clock
from tasks.workshop import Workshop
from tests.flows.conftest import CODES, RESIDENT, Town
from tests.flows.reconcile_worker import RESTARTS, die, over_a_restart, served
from tests.flows.reconciling import FIRST, Round, runs

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


@contextmanager
def waiting(here: Round, monkeypatch: pytest.MonkeyPatch) -> Iterator[Future[str]]:
    """Let a run wait for an answer in a thread, from when it has asked; the block answers it."""
    monkeypatch.setenv("JUKI_SNAPSHOT_WAIT_SECONDS", "60")
    with ThreadPoolExecutor(1) as beside:
        run = beside.submit(here.reconcile, Mode.REPAIR)
        for _ in range(600):
            if here.entries("snapshot.requested"):
                break
            time.sleep(0.05)
        yield run


def test_cs_that_is_gone_between_two_parts_is_gone_on_with_where_it_was(here: Round) -> None:
    """The run fails and says so; the next one keeps the part that came and ends equal."""
    here.ask()
    here.answer()
    client = Credentials(here.town.home.keys).sftp_public_key.read_text().strip()
    folder = installation.folder(here.town.home) / "cs"
    server, ended = served(folder, dict.fromkeys(CODES, client))
    with here.town.registrations():
        installation.register(here.town.home, here.town.made, server)
        assert here.reconcile() == Code.CHANNEL_UNREACHABLE.value
        assert ended() == -signal.SIGKILL
        # It stays away: the next run fails as well, and loses nothing.
        assert here.reconcile() == Code.CHANNEL_UNREACHABLE.value
    assert len(here.parts()) == 1
    assert runs(here.town, "state", "code") == [("requested", Code.CHANNEL_UNREACHABLE.value)]
    asked = len(here.entries("snapshot.requested"))
    assert here.reconcile() == ""
    assert runs(here.town, "is_equal", "parts", "code") == [(True, 5, None)]
    assert len(here.entries("snapshot.requested")) == asked


@pytest.mark.parametrize("point", RESTARTS)
def test_database_that_restarts_in_the_middle_loses_and_doubles_nothing(here: Round, point: str) -> None:
    """Whatever was not committed is done again: one repair, one end, and the log verifies."""
    here.spoil("UPDATE current SET address = '別の所' WHERE notice_no = 5")
    here.ask(Mode.REPAIR)
    here.answer()
    said = over_a_restart(here.town, point)
    assert said[0] == Code.STORE_UNREACHABLE.value and said[-1] == ""
    assert runs(here.town, "state", "is_equal", "differs_found", "repaired") == [("finished", True, 1, 1)]
    assert len(here.entries("records.repaired")) == len(here.entries("reconciliation.ended")) == 1
    assert here.differences("state", "settled_by") == [("settled", "repair")]
    here.verify_journal()


def test_second_reconciliation_of_a_channel_at_once_is_turned_away(
    here: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one is not disturbed; the second has changed nothing, not even the mode."""
    with waiting(here, monkeypatch) as first:
        assert here.reconcile(Mode.REPORT) == Code.RECONCILIATION_BUSY.value
        here.answer()
        assert first.result() == ""
    assert runs(here.town, "mode", "state", "is_equal") == [("repair", "finished", True)]


def test_intake_goes_on_while_a_snapshot_is_awaited(here: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    """The channel is not held meanwhile: what comes in is taken in, and counts in the comparison."""
    with waiting(here, monkeypatch) as run:
        here.publish(10)
        assert here.town.work() == 0
        assert here.town.rows("SELECT count(*) FROM current") == [(FIRST + 10,)]
        here.answer()
        assert run.result() == ""
    assert runs(here.town, "is_equal", "watermark") == [(True, FIRST + 10)]


def test_intake_at_work_is_waited_for_and_not_failed_at(here: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are scheduled at the full hour: the reconciliation comes after the intake that works the channel."""
    here.ask()
    here.answer()
    url = Workshop.open().store_url(RESIDENT)
    with ExitStack() as intake:
        intake.enter_context(channel_lock(url, RESIDENT, here.town.channel.municipality_code))
        assert here.reconcile() == Code.CHANNEL_BUSY.value
        monkeypatch.setenv("JUKI_SNAPSHOT_WAIT_SECONDS", "60")
        with ThreadPoolExecutor(1) as beside:
            run = beside.submit(here.reconcile)
            time.sleep(1)
            assert not run.done()
            intake.close()
            assert run.result() == ""
    assert runs(here.town, "is_equal", "code") == [(True, None)]


def corrected(here: Round, code: str) -> pa.Table:
    """A notice that corrects a person to what is true of them anyway."""
    rows = here.town.tables[here.town.channel.municipality_code].to_pylist()
    (row,) = (row for row in rows if row["resident_code"] == code)
    notice = row | {"notice_no": str(here.published + 1), "kind": "correction", "reason": "軽微な修正"}
    return pa.Table.from_pylist([notice], here.town.tables[here.town.channel.municipality_code].schema)


def test_notice_between_comparison_and_repair_wins(here: Round) -> None:
    """Killed in between, taken in meanwhile: the repair leaves the person alone, and the notice settles it."""
    first = here.codes()[0]
    here.spoil(f"UPDATE current SET name = '改竄' WHERE resident_code = '{first}'")
    here.ask(Mode.REPAIR)
    here.answer()
    assert die(here.town, Mode.REPAIR, "compared, not repaired") == -signal.SIGKILL
    here.town.office.publish(RESIDENT, corrected(here, first), datetime.now(UTC))
    assert here.town.work() == 0
    stands = here.town.rows(f"SELECT * FROM current WHERE resident_code = '{first}'")
    assert here.reconcile(Mode.REPAIR) == ""
    assert here.town.rows(f"SELECT * FROM current WHERE resident_code = '{first}'") == stands
    assert here.entries("records.repaired") == []
    assert runs(here.town, "is_equal", "repaired") == [(False, 0)]
    assert here.differences("state", "code") == [("proposed", Code.REPAIR_OVERTAKEN.value)]
    assert here.ask_and_compare(Mode.REPAIR) == ""
    assert here.differences("state", "settled_by") == [("settled", "notice")]
    assert runs(here.town, "is_equal")[-1] == (True,)


def test_whoever_is_killed_after_the_repair_still_says_how_much_was_repaired(here: Round) -> None:
    """The run that goes on finds both sides equal: the register and the report still say what was done."""
    here.spoil("UPDATE current SET address = '別の所' WHERE notice_no = 5")
    here.ask(Mode.REPAIR)
    here.answer()
    assert die(here.town, Mode.REPAIR, "repaired, not said") == -signal.SIGKILL
    assert here.reconcile(Mode.REPAIR) == ""
    assert runs(here.town, "is_equal", "differs_found", "repaired") == [(True, 1, 1)]
    (ended,) = here.entries("reconciliation.ended")
    assert ended["counts"] == {"differences": 1, "repaired": 1}
    assert len(here.entries("records.repaired")) == 1


def test_parts_lost_between_comparison_and_repair_are_asked_for_again(here: Round) -> None:
    """Another snapshot is another comparison: what is registered, reported and repaired is as of that one."""
    here.spoil("UPDATE current SET address = '別の所' WHERE notice_no = 5")
    here.ask(Mode.REPAIR)
    here.answer()
    assert die(here.town, Mode.REPAIR, "compared, not repaired") == -signal.SIGKILL
    for path in (here.town.home.spool / str(here.town.channel) / "snapshot").glob("*"):
        if path.is_file():
            path.unlink()
    for path in (here.town.office.folder / "outbox").glob("*snapshot*"):
        path.unlink()
    here.publish(10)
    assert here.town.work() == 0
    assert here.ask_and_compare(Mode.REPAIR) == ""
    assert runs(here.town, "is_equal", "watermark", "rows_theirs", "repaired", "last_sequence") == [
        (True, FIRST + 10, FIRST + 10, 1, 11)
    ]
    here.town.office.tidy(datetime.now(UTC))
    assert [one.manifest.watermark for one in here.town.office.reports] == [FIRST + 10]


def test_what_a_dead_run_could_not_clear_does_not_speak_for_the_next_request(here: Round) -> None:
    """Forged parts of a request that is over: nobody has answered the new one, and that is what it says."""
    here.ask()
    here.answer(SnapshotFault.FORGED)
    assert here.reconcile() == Code.PACKAGE_CERTIFICATE_CHAIN.value
    late = datetime.now(UTC) + timedelta(hours=13)
    assert die(here.town, Mode.REPORT, "over, not cleared", late) == -signal.SIGKILL
    assert here.parts() != []
    for path in (here.town.office.folder / "outbox").glob("*snapshot*"):
        path.unlink()
    with clock.held_at(late + timedelta(minutes=1)):
        assert here.reconcile() == NOT_ANSWERED
        assert here.parts() == []
        here.answer()
        assert here.reconcile() == ""


def test_report_that_could_not_be_delivered_goes_with_the_next(here: Round) -> None:
    """Killed before the inbox: the reconciliation is over, its report is still due and is delivered once."""
    here.ask()
    here.answer()
    assert die(here.town, Mode.REPORT, "cleared, report not delivered") == -signal.SIGKILL
    assert runs(here.town, "state", "report_sent_at") == [("finished", None)]
    assert here.ask_and_compare() == ""
    here.town.office.tidy(datetime.now(UTC))
    assert [one.manifest.sequence for one in here.town.office.reports] == [1, 2]
    assert len(here.entries("report.delivered")) == 2
