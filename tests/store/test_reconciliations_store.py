"""The register of reconciliations in a real PostgreSQL: one open for each channel, ended once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from juki.columns import IdentityFile
from juki.differences import Mode, ReconciliationState
from juki.errors import StoreError
from juki.reasons import Code
from juki.store.difference_records import WantedDifferences
from juki.store.reconciliations import Reconciliation, Report
from juki.store.unit import open_unit
from tests.conftest import Stores
from tests.store.test_differences_store import KEY, difference, found

RESIDENT = IdentityFile.RESIDENT
HERE, ELSEWHERE = "352039", "352012"
AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def begin(stores: Stores, code: str = HERE, mode: Mode = Mode.REPORT, at: datetime = AT) -> Reconciliation:
    """Begin a reconciliation, or go on with the open one."""
    with open_unit(stores.resident_url, RESIDENT) as unit:
        return unit.reconciliations.begin(code, mode, at, at + 12 * HOUR)


def end(stores: Stores, one: Reconciliation, *, last_sequence: int = 3, kind: str = "") -> Reconciliation:
    """Compare and end a reconciliation, with one difference of a kind or none."""
    what = found(difference("A", kind)) if kind else found()
    with open_unit(stores.resident_url, RESIDENT) as unit:
        register = unit.reconciliations
        snapshot = {"as_of": AT, "watermark": 7, "parts": 2, "last_sequence": last_sequence}
        register.compared(one.reconciliation_id, snapshot, what, AT)
        code = one.channel.municipality_code
        report = Report(one.reconciliation_id, register.next_report_no(code), b"said")
        register.end(one.reconciliation_id, AT, None, report)
        return register.by_id(one.reconciliation_id)


def test_open_reconciliation_keeps_what_was_ordered_and_by_whom(stores: Stores) -> None:
    """A click that only compares makes a pending repair no report; each operator who had it run approves nothing."""
    ordered = (
        (Mode.REPORT, "flow-run:1"), (Mode.REPAIR, "operator:op-5"), (Mode.REPORT, "flow-run:2"),
        (Mode.PROPOSE, "operator:op-6"), (Mode.REPORT, "operator:op-5"),
    )  # fmt: skip
    for mode, actor in ordered:
        with open_unit(stores.resident_url, RESIDENT) as unit:
            one = unit.reconciliations.begin(HERE, mode, AT, AT + HOUR, actor)
    assert (one.mode, one.started_by) == (Mode.REPAIR, "flow-run:1 operator:op-5 operator:op-6")
    assert one.was_started_by("operator:op-5") and one.was_started_by("operator:op-6")
    assert not one.was_started_by("operator:op-")
    with open_unit(stores.resident_url, RESIDENT) as unit:
        unit.differences.note(one.reconciliation_id, HERE, 7, AT, found(difference("A", "missing")), KEY)
        assert unit.differences.propose(HERE, one.started_by) == 1
        (number,) = [each.difference_id for each in unit.differences.listed(WantedDifferences(HERE))]
        assert unit.differences.any_proposed_by([number], "operator:op-6")
        assert not unit.differences.any_proposed_by([number], "operator:op-7")


def test_interrupted_reconciliation_is_gone_on_with_in_the_mode_asked_for_now(stores: Stores) -> None:
    """The instant of its first request and its deadline stay; what it failed for is forgotten."""
    first = begin(stores)
    with open_unit(stores.resident_url, RESIDENT) as unit:
        unit.reconciliations.noted(first.reconciliation_id, Code.SNAPSHOT_NOT_ANSWERED)
    again = begin(stores, mode=Mode.REPAIR, at=AT + HOUR)
    assert again.reconciliation_id == first.reconciliation_id
    assert (again.requested_at, again.deadline_at) == (first.requested_at, first.deadline_at)
    assert (again.mode, again.code) == (Mode.REPAIR, None)
    assert begin(stores, ELSEWHERE).reconciliation_id != first.reconciliation_id


def test_database_bears_one_open_reconciliation_of_a_channel(stores: Stores) -> None:
    """Whatever a program does: two could repair the same person twice."""
    begin(stores)
    copied = """INSERT INTO reconciliation (municipality_code, mode, state, requested_at, deadline_at)
                SELECT municipality_code, mode, state, requested_at, deadline_at FROM reconciliation"""
    with psycopg.connect(stores.resident_url) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(copied)


def test_ended_once(stores: Stores) -> None:
    """A run that comes too late is told so, and can try again."""
    one = begin(stores)
    end(stores, one)
    with pytest.raises(StoreError) as refused, open_unit(stores.resident_url, RESIDENT) as unit:
        unit.reconciliations.end(one.reconciliation_id, AT, Code.SNAPSHOT_NOT_ANSWERED)
    assert refused.value.code is Code.STORE_CONFLICT and refused.value.is_transient


def test_what_a_comparison_found_is_counted_by_kind_and_column(stores: Stores) -> None:
    """Counts only, and the digest of what the municipality said."""
    ended = end(stores, begin(stores), kind="differs")
    assert ended.found == {"missing": 0, "extra": 0, "differs": 1, "duplicate": 0, "moved": 0}
    assert ended.column_counts == {"name": 1}
    assert (ended.state, ended.is_equal, ended.watermark) == (ReconciliationState.FINISHED, False, 7)
    assert ended.root_digest == "00" * 32


def test_snapshot_that_was_used_is_known_by_its_last_sequence(stores: Stores) -> None:
    """Of reconciliations that ended: an interrupted one still needs its own parts."""
    one = begin(stores)
    with open_unit(stores.resident_url, RESIDENT) as unit:
        snapshot = {"as_of": AT, "watermark": 7, "parts": 2, "last_sequence": 9}
        unit.reconciliations.compared(one.reconciliation_id, snapshot, found(), AT)
        assert unit.reconciliations.used_sequence(HERE) == 0
        unit.reconciliations.end(one.reconciliation_id, AT, None, Report(one.reconciliation_id, 1, b""))
        assert unit.reconciliations.used_sequence(HERE) == 9
        assert unit.reconciliations.used_sequence(ELSEWHERE) == 0


def test_last_equal_is_not_undone_by_a_failure_or_a_difference_after_it(stores: Stores) -> None:
    """It says as of when both were equal, which stays true."""
    equal = end(stores, begin(stores))
    end(stores, begin(stores), kind="extra")
    failed = begin(stores)
    with open_unit(stores.resident_url, RESIDENT) as unit:
        unit.reconciliations.end(failed.reconciliation_id, AT, Code.SNAPSHOT_INCOMPLETE)
        last = unit.reconciliations.last_equal(HERE)
        assert last is not None and last.reconciliation_id == equal.reconciliation_id
        assert unit.reconciliations.last_to_change(HERE) is None
    repaired = end(stores, begin(stores, mode=Mode.REPAIR))
    end(stores, begin(stores))
    with open_unit(stores.resident_url, RESIDENT) as unit:
        last = unit.reconciliations.last_to_change(HERE)
        assert last is not None and last.reconciliation_id == repaired.reconciliation_id


def test_reports_are_numbered_by_channel_and_due_until_they_are_sent(stores: Stores) -> None:
    """What could not be delivered is not lost with the run."""
    for code in (HERE, ELSEWHERE, HERE):
        end(stores, begin(stores, code))
    with open_unit(stores.resident_url, RESIDENT) as unit:
        due = unit.reconciliations.reports_due(HERE)
        assert [(one.report_no, one.content) for one in due] == [(1, b"said"), (2, b"said")]
        unit.reconciliations.report_sent(due[0].reconciliation_id, AT)
        assert [one.report_no for one in unit.reconciliations.reports_due(HERE)] == [2]
    with psycopg.connect(stores.resident_url) as connection:
        kept = connection.execute("SELECT count(report), count(report_no) FROM reconciliation").fetchone()
    assert kept == (2, 3), "what was delivered is not kept a second time"
