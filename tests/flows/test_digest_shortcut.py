"""Digests before records: equal ends without a snapshot, anything else goes on with one in the same run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from config.stores import DATABASES
from juki.differences import Mode
from juki.packages import DifferencesManifest, PackageKind
from juki.reasons import Code
from juki.snapshot_digests import record_digest_hex
from juki.snapshot_requests import Wants
from juki.store import embedded
from juki.store.unit import channel_lock, open_unit
from juki.wire.sftp import connect
from juki.wire.snapshot_files import SnapshotFiles
from simulator.snapshots import SnapshotFault
from tasks import clock
from tasks.snapshots import request_of
from tasks.workshop import Workshop
from tests.flows.conftest import RESIDENT, Town
from tests.flows.reconciling import COLUMNS, answering, reconcile, runs, standing

_CHANGED = (
    "UPDATE current SET name = name || '異' WHERE resident_code = (SELECT min(resident_code) FROM current)"
)
"""What no notice does: one cell of one person."""
_REGISTER = "digests, state, is_equal, rows_theirs, rows_ours, digest_sequence, last_sequence"


@pytest.fixture
def answers(town: Town) -> Iterator[Town]:
    """A town whose office answers digests, with everybody of its first notices in our file."""
    town.publish(count=30)
    assert town.work() == 0
    with town.registrations() as path:
        path.write_text(path.read_text("utf-8").replace("\nport", "\nanswers_digests = true\nport"), "utf-8")
        yield town


@contextmanager
def wait_of(town: Town, seconds: int) -> Iterator[None]:
    """Let a run wait so long for an answer."""
    path = town.home.settings_file
    good = path.read_text(encoding="utf-8")
    try:
        path.write_text(f"snapshot_wait_seconds = {seconds}\n{good}", encoding="utf-8")
        yield
    finally:
        path.write_text(good, encoding="utf-8")


def sql(town: Town, statement: str) -> int:
    """Do something to the store that no notice does; return how many rows it befell."""
    with psycopg.connect(embedded.admin_url(town.home, DATABASES[RESIDENT])) as connection:
        return connection.execute(statement).rowcount  # type: ignore[arg-type]


def entries(town: Town, action: str) -> list[dict[str, Any]]:
    """Read the log."""
    rows = town.rows(f"SELECT entry FROM journal WHERE action = '{action}' ORDER BY entry_no")
    return [json.loads(row[0]) for row in rows]


def asked(town: Town) -> int:
    """Count the requests that were laid, for digests and for records."""
    return len(entries(town, "snapshot.requested"))


def register(town: Town) -> list[tuple[Any, ...]]:
    """Read what the reconciliations say of digests."""
    return runs(town, *_REGISTER.split(", "))


def reports(town: Town) -> list[DifferencesManifest]:
    """Read the reports that lie in the inbox."""
    return [
        one.manifest for one in town.office.tidy(clock.now()) if isinstance(one.manifest, DifferencesManifest)
    ]


def test_where_digests_are_equal_no_record_is_asked_for(answers: Town) -> None:
    """One request, for digests; noted, told and logged as a comparison of the records would be."""
    truth = standing(answers)
    with answering(answers, truth):
        assert reconcile(answers.channel, Mode.REPAIR) == ""
    assert register(answers) == [("equal", "finished", True, 30, 30, 5, None)]
    assert asked(answers) == 1
    assert not list((answers.office.folder / "outbox").glob(f"*-{PackageKind.SNAPSHOT}-*"))
    (entry,) = entries(answers, "digests.compared")
    assert entry["number_accessed"] is True
    numbers = sum(bool(one) for one in own_numbers(answers))
    assert entry["counts"] == {
        "theirs": 30, "ours": 30, "equal": 1, "moved": 0, "numbers_opened": numbers, "numbers_unopened": 0,
    }  # fmt: skip
    assert entries(answers, "files.compared") == []
    assert not list(SnapshotFiles.of(answers.home, answers.channel).folder.glob("*.p7m.*"))


def own_numbers(town: Town) -> list[str]:
    """The numbers of the first people of the channel's municipality."""
    numbers: list[str] = town.tables[town.channel.municipality_code]["individual_number"][:30].to_pylist()
    return numbers


def test_root_of_equal_digests_is_that_of_the_records(answers: Town) -> None:
    """Whoever asks later which state was confirmed gets one answer, by whichever way it was confirmed."""
    truth = standing(answers)
    with answering(answers, truth):
        assert reconcile(answers.channel) == ""
    path = answers.home.municipalities_file
    path.write_text(
        path.read_text("utf-8").replace("answers_digests = true", "answers_digests = false"), "utf-8"
    )
    with answering(answers, truth):
        assert reconcile(answers.channel) == ""
    first, second = runs(answers, "digests", "is_equal", "rows_theirs", "watermark", "root_digest")
    assert (first[0], second[0]) == ("equal", None)
    assert first[1:] == second[1:]


def test_changed_cell_is_found_and_repaired_by_the_snapshot_that_follows(answers: Town) -> None:
    """Digests say only that something differs: the same run asks for the records, finds the cell and repairs it."""
    truth = standing(answers)
    sql(
        answers,
        _CHANGED,
    )
    with answering(answers, truth):
        assert reconcile(answers.channel, Mode.REPAIR) == ""
    assert register(answers) == [("different", "finished", True, 30, 30, 5, 5)]
    assert asked(answers) == 2
    assert answers.rows("SELECT kind, columns, state FROM difference") == [("differs", ["name"], "settled")]
    assert [entry["counts"]["equal"] for entry in entries(answers, "digests.compared")] == [0]
    with answering(answers, truth):
        assert reconcile(answers.channel) == ""
    assert register(answers)[1] == ("equal", "finished", True, 30, 30, 10, None)


def test_exchanged_ciphertexts_are_seen_by_digests_alone(answers: Town) -> None:
    """Two people bear each other's sealed numbers: the records say nothing of it, for a snapshot is compared by the
    keyed index. It finds both sides equal; the run fails all the same, by the code of what does not open.
    """
    truth = standing(answers)
    exchanged = sql(
        answers,
        """WITH two AS (SELECT resident_code, number_sealed FROM current WHERE number_sealed IS NOT NULL
                        ORDER BY resident_code LIMIT 2)
           UPDATE current c SET number_sealed = o.number_sealed FROM two t, two o
           WHERE c.resident_code = t.resident_code AND o.resident_code <> t.resident_code""",
    )
    assert exchanged == 2
    with answering(answers, truth):
        assert reconcile(answers.channel, Mode.REPAIR) == Code.CIPHER_ALTERED.value
    assert register(answers) == [("different", "finished", True, 30, 30, 5, 5)]
    assert answers.rows("SELECT count(*) FROM difference") == [(0,)]
    assert runs(answers, "code", "numbers_unopened") == [(Code.CIPHER_ALTERED.value, 2)]
    (entry,) = entries(answers, "digests.compared")
    assert (entry["code"], entry["counts"]["numbers_unopened"]) == (Code.CIPHER_ALTERED.value, 2)
    assert entry["number_accessed"] is True


@pytest.mark.parametrize(
    "fault",
    [SnapshotFault.FORGED, SnapshotFault.NOT_SORTED, SnapshotFault.PART_MISSING, SnapshotFault.STALE],
)
def test_digests_of_no_use_do_not_keep_a_snapshot_from_coming(answers: Town, fault: SnapshotFault) -> None:
    """Refused, absent or torn: said in the log, and the records are asked for in the same run."""
    truth = standing(answers)
    with wait_of(answers, 5), answering(answers, truth, fault):
        assert reconcile(answers.channel) == ""
    assert register(answers) == [("unanswered", "finished", True, 30, 30, None, 5)]
    (entry,) = entries(answers, "digests.compared")
    assert (entry["outcome"], entry["code"] != "") == ("refused", True)
    # Those out of order are found to be so while they are compared.
    assert entry["number_accessed"] is (fault is SnapshotFault.NOT_SORTED)
    assert asked(answers) == 2


def test_digests_that_never_come_are_asked_for_once(answers: Town) -> None:
    """A CS that is slower than a run waits finds the request for its records there, and no other over it."""
    with wait_of(answers, 0):
        assert reconcile(answers.channel) == Code.SNAPSHOT_NOT_ANSWERED.value
        (request,) = (answers.office.folder / "inbox").glob("*-snapshot-request.json")
        assert json.loads(request.read_text("utf-8"))["wants"] == Wants.SNAPSHOT
        answers.office.answer_requests(lambda _: standing(answers), clock.now(), part_records=7)
        assert reconcile(answers.channel) == ""
    assert register(answers) == [("unanswered", "finished", True, 30, 30, None, 5)]
    assert asked(answers) == 2


@pytest.mark.parametrize("fault", [SnapshotFault.HALF, SnapshotFault.EMPTY, SnapshotFault.DUPLICATE])
def test_digests_of_other_people_are_not_equal(answers: Town, fault: SnapshotFault) -> None:
    """Cut in half, empty, or somebody twice: only a snapshot may say what that means."""
    with answering(answers, standing(answers), fault):
        assert reconcile(answers.channel) == ""
    assert register(answers)[0][:3] == ("different", "finished", True)


def test_notices_still_to_come_are_waited_for_and_asked_for_once(answers: Town) -> None:
    """The digests are as of a notice we have not received: nothing is compared, and the next run uses them."""
    answers.publish(first=30, count=5)
    truth = standing(answers, 35)
    with answering(answers, truth):
        assert reconcile(answers.channel) == Code.RECONCILIATION_BEHIND.value
        assert register(answers)[0][0] is None
        assert answers.work() == 0
        assert reconcile(answers.channel) == ""
    assert register(answers) == [("equal", "finished", True, 35, 35, 5, None)]
    assert asked(answers) == 1


def test_digests_of_an_earlier_notice_are_compared_as_of_it(answers: Town) -> None:
    """What was notified since is no difference."""
    truth = standing(answers)
    with wait_of(answers, 0):
        assert reconcile(answers.channel) == Code.SNAPSHOT_NOT_ANSWERED.value
    assert register(answers)[0][0] == "unanswered"
    sql(answers, "UPDATE reconciliation SET digests = NULL")
    with connect_request(answers):
        answers.office.answer_requests(lambda _: truth, clock.now(), part_records=7)
    answers.publish(first=30, count=5)
    assert answers.work() == 0
    assert reconcile(answers.channel) == ""
    assert register(answers) == [("equal", "finished", True, 30, 30, 5, None)]
    assert answers.rows("SELECT count(*) FROM current") == [(35,)]


@contextmanager
def connect_request(town: Town) -> Iterator[None]:
    """Lay the request for digests of the open reconciliation, as the run that waited no longer had laid it."""
    shop = Workshop.open()
    with open_unit(shop.store_url(RESIDENT), RESIDENT) as unit:
        is_open = unit.reconciliations.open_one(town.channel.municipality_code)
    assert is_open is not None
    with connect(shop.endpoint(town.channel)) as session:
        request = request_of(shop, town.channel, Wants.DIGEST, is_open.requested_at)
        session.deliver(request.file_name, request.line())
    yield


def test_run_that_died_after_digests_were_equal_ends_without_asking_again(answers: Town) -> None:
    """Noted equal and not ended, as kill -9 leaves it: the next run writes the report and nothing else."""
    truth = standing(answers)
    with answering(answers, truth):
        assert reconcile(answers.channel) == ""
    sql(answers, "UPDATE reconciliation SET state = 'compared', finished_at = NULL, report = NULL, report_no = NULL,"
        " report_sent_at = NULL")  # fmt: skip
    assert reconcile(answers.channel) == ""
    assert register(answers) == [("equal", "finished", True, 30, 30, 5, None)]
    assert asked(answers) == 1
    assert runs(answers, "report_no", "report_sent_at IS NOT NULL") == [(1, True)]


def test_digests_played_again_are_not_used(answers: Town) -> None:
    """Equal digests of yesterday say nothing of today: what bears a used sequence is left alone."""
    truth = standing(answers)
    with answering(answers, truth):
        assert reconcile(answers.channel) == ""
    sql(
        answers,
        _CHANGED,
    )
    with wait_of(answers, 5), answering(answers, truth, SnapshotFault.REPLAYED):
        assert reconcile(answers.channel) == ""
    assert register(answers)[1][:3] == ("unanswered", "finished", False)


def test_municipality_that_does_not_answer_digests_is_not_asked(town: Town) -> None:
    """The default: nothing but the records is asked for."""
    town.publish(count=30)
    assert town.work() == 0
    with answering(town, standing(town)):
        assert reconcile(town.channel) == ""
    assert register(town) == [(None, "finished", True, 30, 30, None, 5)]
    assert asked(town) == 1


def test_channel_that_is_held_is_not_compared_and_digests_stay_to_be_asked(answers: Town) -> None:
    """The intake is at work: nothing was opened, nothing is noted, and the next run uses what was collected."""
    shop = Workshop.open()
    with answering(answers, standing(answers)):
        held = channel_lock(shop.store_url(RESIDENT), RESIDENT, answers.channel.municipality_code)
        with wait_of(answers, 5), held:
            assert reconcile(answers.channel) == Code.CHANNEL_BUSY.value
        assert register(answers)[0][0] is None
        assert [entry["number_accessed"] for entry in entries(answers, "digests.compared")] == [False]
        assert reconcile(answers.channel) == ""
    assert register(answers) == [("equal", "finished", True, 30, 30, 5, None)]
    assert asked(answers) == 1


def test_server_that_is_down_is_no_answer_to_digests(answers: Town) -> None:
    """Nothing was asked, so nothing is noted: the next run asks for digests first."""
    path = answers.home.municipalities_file
    good = path.read_text("utf-8")
    path.write_text(re.sub(r"\nport = \d+", "\nport = 1", good), "utf-8")
    assert reconcile(answers.channel) == Code.CHANNEL_UNREACHABLE.value
    assert register(answers)[0][0] is None
    path.write_text(good, "utf-8")
    with answering(answers, standing(answers)):
        assert reconcile(answers.channel) == ""
    assert register(answers) == [("equal", "finished", True, 30, 30, 5, None)]


def test_digests_from_before_a_repair_are_of_no_use(answers: Town) -> None:
    """Equal as of an earlier notice would settle what the repair was made for; no number is opened for it."""
    sql(answers,
        "INSERT INTO package (municipality_code, sequence, file_name, file_bytes, file_sha256, remote_modified_at,"
        " state, received_at, last_notice_no, kind)"
        " VALUES ('352039', 1, 'r', 1, '', now(), 'applied', now(), 99, 'repair')")  # fmt: skip
    with answering(answers, standing(answers)):
        assert reconcile(answers.channel) == Code.RECONCILIATION_STALE.value
    assert register(answers)[0][:2] == ("unanswered", "failed")
    (entry,) = entries(answers, "digests.compared")
    assert (entry["code"], entry["number_accessed"]) == (Code.RECONCILIATION_STALE.value, False)


def test_no_number_and_no_digest_is_left_behind(answers: Town) -> None:
    """Opened and compared, equal and different: neither is in a table, a file of ours, or the log."""
    truth = standing(answers)
    with answering(answers, truth):
        assert reconcile(answers.channel) == ""
        sql(
            answers,
            "UPDATE current SET name = '改竄' WHERE resident_code = (SELECT min(resident_code) FROM current)",
        )
        assert reconcile(answers.channel) == ""
    own = truth.select(COLUMNS)
    secrets = [
        *record_digest_hex(own, COLUMNS).to_pylist(),
        *filter(None, own["individual_number"].to_pylist()),
    ]
    assert len(secrets) > 60
    tables = ("journal", "reconciliation", "difference", "current", "history", "package", "channel")
    stored = str([answers.rows(f"SELECT t::text FROM {name} t") for name in tables])
    stored += str([path.read_bytes() for path in answers.home.spool.rglob("*") if path.is_file()])
    assert [one for one in secrets if one in stored or one.encode().hex() in stored] == []
