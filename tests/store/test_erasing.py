"""After 150 years, in a real PostgreSQL: each version on its day, with its entry, once; never anybody who stands."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import psycopg
import pytest

from juki.columns import IdentityFile
from juki.custody import timing
from juki.custody.expiring import Expiry, ExpirySummary
from juki.dates import JAPAN
from juki.errors import JournalError
from juki.home import Home
from juki.notices import Reason
from juki.quality import Bounds as ChangeBounds
from juki.quality import Comparison, Figures, Question, Snapshot, compare
from juki.reasons import Code
from juki.retention import expires_on
from juki.store.erasing import Due
from juki.store.journal import Journal
from juki.store.person_records import PersonRecords
from juki.store.quality import Measuring
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tests.conftest import Stores
from tests.histories import FIRST_DAY, Row, Sent
from tests.notice_tables import ELSEWHERE, HERE, notice
from tests.provision_rows import FUHYO, RESIDENT, Lender
from tests.snapshots import apply_package, compared, record_of, snapshot, told

BOUND = timedelta(days=14)
FIRST_END = expires_on(FIRST_DAY)
MOVED_OUT = {"kind": "deletion", "reason": Reason.MOVED_OUT.value}
DIED = {"kind": "deletion", "reason": Reason.DEATH.value}
CORRECTED = {"kind": "correction", "reason": Reason.CORRECTED_EX_OFFICIO.value}
RECODED = {"kind": "correction", "reason": Reason.CODE_CHANGED_ON_REQUEST.value}
_VERSIONS = """
    SELECT 'current', resident_code, notice_no FROM current
    UNION ALL SELECT 'history', resident_code, notice_no FROM history ORDER BY 1, 2, 3
"""


@dataclass(slots=True)
class Archive:
    """An installation whose files were filled in 2026, and a clock that may be set to any day."""

    lender: Lender
    sequence: dict[tuple[IdentityFile, str], int] = field(default_factory=dict)

    def receive(
        self, *rows: Row, day: int = 0, sender: str = HERE, first_no: int = 1, file: IdentityFile = RESIDENT
    ) -> None:
        """Apply a package, so many days after the first; it has accepted what became versions."""
        place = self.sequence[file, sender] = self.sequence.get((file, sender), 0) + 1
        apply_package(self.url(file), Sent(sender, first_no, list(rows), day), place, file)
        self.lender.run_sql(
            file,
            "UPDATE package SET accepted = (SELECT count(*) FROM (SELECT package_id FROM current"
            " UNION ALL SELECT package_id FROM history) v WHERE v.package_id = package.package_id)",
        )

    def url(self, file: IdentityFile) -> str:
        """Where the store of a file is."""
        return self.lender.stores.url(file)

    def versions(self, file: IdentityFile = RESIDENT) -> list[tuple[Any, ...]]:
        """List table, code and notice of every version."""
        return self.lender.rows(file, _VERSIONS)

    def is_day(self, day: date) -> None:
        """Let it be the first second of a day in Japan."""
        self.lender.at = datetime.combine(day, time(), JAPAN).astimezone(UTC)

    def erase(self, on: date | None = None, at_once: int = 1_000) -> ExpirySummary:
        """Erase what is over on a day, by a clock that is believed."""
        if on is not None:
            self.is_day(on)
        return Expiry(self.lender.custody(), self.lender.at, at_once).run()

    def purge(self) -> ExpirySummary:
        """Erase as a run does: after asking whether its clock is to be believed."""
        custody = self.lender.custody()
        reference = timing.settled(custody, BOUND)
        work = Expiry(custody, reference.at)
        return work.stopped(reference.doubt) if reference.doubt else work.run()

    def entries(self, file: IdentityFile = RESIDENT) -> list[dict[str, Any]]:
        """Read what the log says of erased records."""
        return self.lender.entries(file, "records.erased")

    def faults(self, file: IdentityFile = RESIDENT) -> dict[Question, dict[str, int]]:
        """Tell what the check of the tables finds lost or without what it refers to."""
        with open_unit(self.url(file), file) as unit:
            measuring = Measuring(file, unit.connection)
            found = {one: measuring.faults(one, FIRST_DAY) for one in Question if one is not Question.AGES}
        return {question: places for question, places in found.items() if places}

    def figures(self) -> Figures:
        """Read the figures a run of that check keeps."""
        with open_unit(self.url(RESIDENT), RESIDENT) as unit:
            return Measuring(RESIDENT, unit.connection).figures(FIRST_DAY)


@pytest.fixture
def archive(home: Home, stores: Stores) -> Archive:
    """An empty installation."""
    return Archive(Lender(home, stores))


def _died(archive: Archive, code: str = "A", first_no: int = 1) -> None:
    """Enter a person on the first day and erase them two days later: both versions are over 2 days after its end."""
    archive.receive(notice(resident_code=code), first_no=first_no)
    archive.receive(notice(resident_code=code, **DIED), day=2, first_no=first_no + 1)


# -- each on its day ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", list(IdentityFile))
@pytest.mark.parametrize(("seconds", "is_kept"), [(-1, True), (0, False), (1, False)])
def test_version_goes_with_the_first_second_of_its_day_in_japan(
    archive: Archive, file: IdentityFile, seconds: int, is_kept: bool
) -> None:
    """Superseded by the newer notice: kept through the whole last day, in Japan's days and not in UTC's."""
    archive.receive(notice(), file=file)
    archive.receive(notice(**CORRECTED, name="宇部　花子"), day=3, first_no=2, file=file)
    archive.is_day(FIRST_END + timedelta(days=3))
    archive.lender.pass_time(seconds=seconds)
    summary = archive.erase()
    assert summary.erased[file] == (0 if is_kept else 1)
    current = ("current", "A", 2)
    assert archive.versions(file) == ([current, ("history", "A", 1)] if is_kept else [current])


def test_current_version_of_a_standing_person_is_never_erased(archive: Archive) -> None:
    """However old: nothing newer was ever received, so its clock has not started."""
    archive.receive(notice(), notice(resident_code="B", **CORRECTED))
    assert archive.erase(date(9999, 12, 30)).versions_erased == 0
    assert archive.versions() == [("current", "A", 1), ("current", "B", 2)]


def test_a_deletion_goes_150_years_after_its_own_notice_current_or_superseded(archive: Archive) -> None:
    """施行令30条の6二号: A stays away and B comes back; both deletions go on the same day."""
    archive.receive(notice(), notice(resident_code="B"))
    archive.receive(notice(**MOVED_OUT), notice(resident_code="B", **MOVED_OUT), day=2, first_no=3)
    archive.receive(notice(resident_code="B"), day=5, first_no=5)
    archive.erase(FIRST_END + timedelta(days=1))
    assert len(archive.versions()) == 5
    archive.erase(FIRST_END + timedelta(days=2))
    assert archive.versions() == [("current", "B", 5)]


def test_a_deletion_of_29_february_is_kept_through_28_february(archive: Archive) -> None:
    """2178 has no 29 February; the day after the 28th is the first on which it may go."""
    archive.receive(notice(**MOVED_OUT), day=(date(2028, 2, 29) - FIRST_DAY).days)
    assert archive.erase(date(2178, 2, 28)).versions_erased == 0
    assert archive.erase(date(2178, 3, 1)).versions_erased == 1


def test_a_version_with_an_earlier_day_than_the_law_gives_is_kept_and_said(archive: Archive) -> None:
    """Somebody changed the days behind our back: erasing can not be undone, so both must say the same."""
    _died(archive)
    for table in ("current", "history"):
        archive.lender.run_sql(RESIDENT, f"UPDATE {table} SET expires_on = '2027-01-01'")
    before = archive.versions()
    summary = archive.erase(date(2027, 1, 1))
    assert (summary.code, summary.where) == (Code.RETENTION_DAY_WRONG, "resident")
    assert (summary.due[RESIDENT], summary.versions_erased) == (Due(unclear=2), 0)
    assert archive.versions() == before and archive.entries() == []


def test_person_who_is_entered_anew_meanwhile_is_not_erased(archive: Archive) -> None:
    """The deletion was over when it was looked at, and stands no more when it is deleted."""
    archive.receive(notice(**MOVED_OUT))
    archive.is_day(FIRST_END)
    done: list[ExpirySummary] = []
    eraser = threading.Thread(target=lambda: done.append(archive.erase()))
    with psycopg.connect(archive.url(RESIDENT)) as intake:
        intake.execute("UPDATE current SET kind = 'entry', expires_on = NULL")
        eraser.start()
        waiting = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        with psycopg.connect(archive.url(RESIDENT), autocommit=True) as looking:
            for _ in range(500):
                if looking.execute(waiting).fetchone() == (1,):
                    break
                looking.execute("SELECT pg_sleep(0.01)")
            else:
                raise AssertionError("nobody waits for the row")
    eraser.join(60)
    assert [one.versions_erased for one in done] == [0]
    assert archive.versions() == [("current", "A", 1)]


# -- the clock ----------------------------------------------------------------------------------------------------


def test_a_clock_jumped_forward_erases_no_record(archive: Archive) -> None:
    """Nor when the store has followed it: the last purge is the witness."""
    _died(archive)
    assert archive.purge().code is None
    before = archive.versions()
    archive.is_day(date(2190, 1, 1))
    archive.receive(notice(resident_code="B"), first_no=3, day=60_000)
    for _ in range(2):
        summary = archive.purge()
        assert (summary.stopped, summary.versions_erased) == (Code.CLOCK_AHEAD, 0)
        assert summary.versions_due == 2, "whoever vouches for the clock sees what it would cost"
    assert archive.versions() == [before[0], ("current", "B", 3), before[1]]
    assert archive.entries() == []


def test_a_clock_set_back_erases_no_record(archive: Archive) -> None:
    """Behind what the store knows, no day can be said to have come."""
    _died(archive)
    archive.is_day(FIRST_END + timedelta(days=30))
    assert archive.purge().stopped is None
    _died(archive, "B", first_no=5)
    archive.lender.pass_time(days=-3)
    assert archive.purge().stopped is Code.CLOCK_BEHIND
    assert len(archive.versions()) == 2


# -- log and count ------------------------------------------------------------------------------------------------


def test_every_batch_has_its_entry_and_together_they_tell_all(archive: Archive) -> None:
    """Bounded transactions; counts, the day and the article, and nothing of anybody."""
    for number in range(5):
        _died(archive, f"P{number}", first_no=1 + 2 * number)
    archive.receive(notice(), file=FUHYO)
    archive.receive(notice(kind="deletion"), day=1, first_no=2, file=FUHYO)
    summary = archive.erase(FIRST_END + timedelta(days=2), at_once=2)
    assert (summary.versions_due, summary.erased) == (12, {RESIDENT: 10, FUHYO: 2})
    said = archive.entries()
    assert [(one["counts"]["current"], one["counts"]["history"]) for one in said] == [(2, 2), (2, 2), (1, 1)]
    assert {(one["basis"], one["due_at"], one["outcome"], one["actor"]) for one in said} == {
        ("住民基本台帳法施行令30条の6", "2176-03-27", "done", "test")
    }
    (other,) = archive.entries(FUHYO)
    assert other["basis"] == "住民基本台帳法施行令30条の12の4"
    assert not any("subject" in one and one["subject"] for one in [*said, other])


def test_erasing_twice_equals_once(archive: Archive) -> None:
    """The second run finds nothing, changes nothing and writes nothing."""
    _died(archive)
    archive.erase(FIRST_END + timedelta(days=2))
    counted = archive.lender.rows(RESIDENT, "SELECT package_id, erased FROM package ORDER BY 1")
    assert counted == [(1, 1), (2, 1)]
    again = archive.erase(FIRST_END + timedelta(days=3))
    assert (again.versions_due, again.versions_erased, again.code) == (0, 0, None)
    assert archive.lender.rows(RESIDENT, "SELECT package_id, erased FROM package ORDER BY 1") == counted
    assert len(archive.entries()) == 1


def test_what_can_not_be_logged_is_not_erased(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """No log, no act; the other file goes on, the run says so, and the next one does it."""
    _died(archive)
    archive.receive(notice(kind="deletion"), file=FUHYO)
    before, real = archive.versions(), Journal.append

    def refuse(journal: Journal, *what: Any) -> int:
        if journal.file is RESIDENT:
            raise JournalError(Code.JOURNAL_BROKEN)
        return real(journal, *what)

    with monkeypatch.context() as broken:
        broken.setattr(Journal, "append", refuse)
        summary = archive.erase(FIRST_END + timedelta(days=2))
    assert (summary.code, summary.where) == (Code.JOURNAL_BROKEN, "resident")
    assert summary.erased == {FUHYO: 1}
    assert archive.versions() == before
    assert archive.lender.rows(RESIDENT, "SELECT sum(erased) FROM package") == [(0,)]
    assert archive.erase().erased[RESIDENT] == 2
    assert len(archive.entries()) == len(archive.entries(FUHYO)) == 1


def test_a_store_that_is_down_keeps_nothing_of_the_other(archive: Archive) -> None:
    """It fails the run at its end."""
    archive.receive(notice(kind="deletion"), file=FUHYO)
    archive.is_day(FIRST_END)
    custody = archive.lender.custody()
    urls = {**custody.urls, RESIDENT: "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1"}
    summary = Expiry(type(custody)(custody.home, urls, custody.terms, custody.delivery, custody.now,
                                   custody.may_leave, custody.acting), archive.lender.at).run()  # fmt: skip
    assert (summary.where, summary.erased) == ("resident", {FUHYO: 1})
    assert summary.code is not None


def test_dry_run_tells_exactly_what_the_real_run_erases(archive: Archive) -> None:
    """And changes nothing."""
    _died(archive)
    before = archive.versions()
    archive.is_day(FIRST_END + timedelta(days=2))
    planned = Expiry(archive.lender.custody(), archive.lender.at).plan()
    assert archive.versions() == before and archive.entries() == []
    assert planned.due == {RESIDENT: Due(current=1, history=1), FUHYO: Due()}
    assert archive.erase().due == planned.due


# -- what hangs on a person ---------------------------------------------------------------------------------------


def _difference(code: str, settled: str = "now()") -> str:
    return (
        "INSERT INTO difference (municipality_code, kind, resident_code, columns, state, watermark, first_seen_at,"
        " last_seen_at, first_reconciliation_id, last_reconciliation_id, settled_at) VALUES"
        f" ('{HERE}', 'extra', '{code}', '{{}}', '{'open' if settled == 'NULL' else 'settled'}', 1, now(), now(),"
        f" 1, 1, {settled})"
    )


def test_what_names_somebody_of_whom_nothing_is_left_goes_with_the_last_version(archive: Archive) -> None:
    """Settled differences and lines of provisions, by code; what is open, and what is of others, stays."""
    _died(archive)
    archive.receive(notice(resident_code="B"), first_no=3)
    archive.lender.run_sql(RESIDENT, ";".join(_difference(code) for code in ("A", "B", "C")))
    archive.lender.run_sql(RESIDENT, _difference("A", settled="NULL"))
    archive.lender.run_sql(
        RESIDENT,
        "INSERT INTO provided VALUES (1, 1, 'found', 'A'), (1, 2, 'found', 'B'), (1, 3, 'not_found', NULL)",
    )
    archive.erase(FIRST_END + timedelta(days=2))
    (entry,) = archive.entries()
    assert (entry["counts"]["differences"], entry["counts"]["provision_lines"]) == (1, 1)
    left = archive.lender.rows(RESIDENT, "SELECT resident_code, state FROM difference ORDER BY 1")
    assert left == [("A", "open"), ("B", "settled"), ("C", "settled")]
    assert archive.lender.rows(RESIDENT, "SELECT line FROM provided ORDER BY 1") == [(2,), (3,)]


def test_nothing_of_a_person_goes_as_long_as_one_version_is_left(archive: Archive) -> None:
    """A late notice behind the deletion has three days more, and the person is told of as before."""
    _died(archive)
    archive.receive(notice(notified_at="2026-03-25T08:00:00+09:00"), sender=ELSEWHERE, day=5)
    archive.lender.run_sql(RESIDENT, _difference("A"))
    assert archive.versions() == [("current", "A", 2), ("history", "A", 1), ("history", "A", 1)]
    archive.erase(FIRST_END + timedelta(days=2))
    assert archive.versions() == [("history", "A", 1)]
    assert archive.lender.rows(RESIDENT, "SELECT count(*) FROM difference") == [(1,)]
    assert archive.faults() == {}
    archive.erase(FIRST_END + timedelta(days=5))
    assert archive.lender.rows(RESIDENT, "SELECT count(*) FROM difference") == [(0,)]


def test_a_replaced_code_leads_to_its_person_until_no_version_speaks_of_it(archive: Archive) -> None:
    """A became B became C: each old code goes with the last version that bears it or says that it was replaced."""
    archive.receive(notice())
    archive.receive(notice(resident_code="B", previous_resident_code="A", **RECODED), day=2, first_no=2)
    archive.receive(notice(resident_code="C", previous_resident_code="B", **RECODED), day=4, first_no=3)
    archive.receive(notice(resident_code="C", name="宇部　花子", **CORRECTED), day=6, first_no=4)
    codes = "SELECT resident_code FROM former_code ORDER BY 1"
    for day, left in ((2, ["A", "B"]), (4, ["B"]), (5, ["B"]), (6, [])):
        archive.erase(FIRST_END + timedelta(days=day))
        assert [code for (code,) in archive.lender.rows(RESIDENT, codes)] == left
        assert archive.faults() == {}
    assert archive.versions() == [("current", "C", 4)]


def test_an_erased_person_is_nobody(archive: Archive) -> None:
    """Whoever looks finds what is found of a code that was never notified."""
    _died(archive)
    archive.erase(FIRST_END + timedelta(days=2))
    with open_unit(archive.url(RESIDENT), RESIDENT) as unit:
        assert PersonRecords(RESIDENT, unit.connection).versions("A") == []


# -- what counts versions -----------------------------------------------------------------------------------------


def test_what_was_erased_is_lost_to_no_check_of_the_tables(archive: Archive) -> None:
    """As many versions as its package says are missing; and the history that shrank by them has not shrunk."""
    _died(archive)
    archive.receive(notice(resident_code="B"), notice(resident_code="B", **CORRECTED), first_no=3)
    before = archive.figures()
    archive.erase(FIRST_END + timedelta(days=2))
    assert archive.faults() == {}
    after = archive.figures()
    assert (after.history, after.erased) == (before.history - 2, 3)
    (change,) = compare(Comparison.HISTORY_KEPT, after, before, ChangeBounds()) or []
    assert not change.is_beyond


def test_a_row_deleted_by_hand_is_found_although_others_were_erased(archive: Archive) -> None:
    """The count of what went lawfully excuses nothing else."""
    _died(archive)
    archive.receive(notice(resident_code="B"), first_no=3)
    archive.erase(FIRST_END + timedelta(days=2))
    archive.lender.run_sql(RESIDENT, "DELETE FROM current WHERE resident_code = 'B'")
    assert archive.faults() == {Question.PACKAGE_ROWS: {HERE: 1}}


def test_an_erased_deletion_is_no_difference_from_the_municipality(archive: Archive) -> None:
    """Its snapshot lists who stands: the same before and after, also as of an earlier notice."""
    _died(archive)
    row = notice(resident_code="B")
    archive.receive(row, first_no=3)
    archive.receive(notice(resident_code="D"), sender=ELSEWHERE)
    theirs = [snapshot([record_of(row)])]
    assert told(compared(archive.url(RESIDENT), HERE, 3, theirs)) == []
    archive.erase(FIRST_END + timedelta(days=2))
    for watermark in (3, 9):
        assert told(compared(archive.url(RESIDENT), HERE, watermark, theirs)) == []
    figures = archive.figures()
    one = {HERE: Snapshot(1, figures.standing[HERE], 0)}
    assert not any(
        c.is_beyond for c in compare(Comparison.SNAPSHOT, Figures(snapshots=one), None, ChangeBounds()) or []
    )


def test_purger_finds_what_is_over_without_reading_either_table(archive: Archive) -> None:
    """Asked every five minutes: by an index, in the role that can read keys and terms only."""
    with open_unit(archive.url(RESIDENT), RESIDENT, Duty.PURGER) as unit:
        cursor = unit.cursor
        cursor.execute("SET LOCAL enable_seqscan = off")
        for table, over in (("current", "kind = 'deletion' AND "), ("history", "")):
            cursor.execute(
                f"EXPLAIN SELECT resident_code FROM {table} WHERE {over}expires_on <= '2176-01-01'"  # type: ignore[arg-type]
            )
            assert f"{table}_expires_on_idx" in str(cursor.fetchall())
