"""Lost connections, a full disk, two runs at once, a database that restarts: applied exactly once, or not yet.

What became of a COMMIT nobody heard of is read from the state of the package by whoever runs next.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from config.stores import DATABASES
from juki.columns import IdentityFile
from juki.store import embedded
from simulator.faults import Fault
from tests.flows import fault_work
from tests.flows.attack import take_in
from tests.flows.conftest import RESIDENT, Town
from tests.flows.cut_line import Cut, Line, relayed
from tests.flows.forks import FORKS, forked, told

COUNT = 7
TRANSIENT = "store.unreachable transient"


def assert_applied_exactly_once(town: Town) -> None:
    """One application, one entry, one receipt, nothing left over, and running again changes nothing."""
    for _ in range(2):
        assert town.rows("SELECT count(*) FROM current") == [(COUNT,)]
        assert town.rows("SELECT count(*) FROM history") == [(0,)]
        applied = town.rows("SELECT receipt_sent_at IS NOT NULL FROM package WHERE state = 'applied'")
        assert applied == [(True,)]
        # Two runs may both have fetched it; whichever came second was put aside or answered again.
        harmless = "('applied', 'replaced', 'repeated')"
        assert town.rows(f"SELECT count(*) FROM package WHERE state NOT IN {harmless}") == [(0,)]
        assert town.rows("SELECT count(*) FROM journal WHERE action = 'package.applied'") == [(1,)]
        assert town.rows("SELECT changes FROM outbox") == [(COUNT,)]
        assert town.rows("SELECT last_sequence, last_notice_no FROM channel") == [(1, COUNT)]
        assert [path.name for path in (town.office.folder / "inbox").iterdir()] == [
            "352039-resident-receipt-00000001.p7m"
        ]
        assert [path for path in town.home.spool.rglob("*") if path.is_file()] == []
        take_in(town)


@pytest.fixture
def line(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """A relay that this process reaches both stores through."""
    socket_path = embedded.socket_folder(town.home) / ".s.PGSQL.5432"
    with relayed(socket_path) as (folder, line):
        for file in IdentityFile:
            url = embedded.admin_url(town.home, DATABASES[file])
            through = url.replace(str(socket_path.parent), folder)
            assert through != url
            monkeypatch.setenv(f"JUKI_{file.value.upper()}_URL", through)
        yield line
        monkeypatch.undo()


def _commits_of_an_intake(town: Town, line: Line) -> int:
    fault_work.attempt(town.channel)
    return line.commits


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
def test_connection_lost_at_any_commit_of_an_intake_applies_exactly_once(
    town: Town, line: Line, cut: Cut
) -> None:
    """Every COMMIT of an intake in turn, before the server hears of it and after it has done it."""
    town.publish(count=COUNT)
    commits = _commits_of_an_intake(town, line)
    assert commits >= 8
    applied_at_once = 0
    for commit_no in range(1, commits + 1):
        town.forget()
        town.office.next_sequence[RESIDENT] = 1
        town.publish(count=COUNT)
        line.break_at(cut, commit_no)
        assert fault_work.attempt(town.channel) == TRANSIENT, commit_no
        applied_at_once += len(town.rows("SELECT 1 FROM package WHERE state = 'applied'"))
        assert fault_work.attempt(town.channel) == fault_work.APPLIED, commit_no
        assert_applied_exactly_once(town)
    # The COMMIT of the package and the four after it: the looks for more and for what to judge again, the
    # answer, its note.
    assert applied_at_once == (4 if cut is Cut.BEFORE else 5)


def test_connection_lost_in_the_middle_of_the_rows_applies_exactly_once(town: Town, line: Line) -> None:
    """The versions are being copied: nothing of them stays, and the next attempt writes them."""
    town.publish(count=COUNT)
    line.break_at(Cut.IN_COPY)
    assert fault_work.attempt(town.channel) == TRANSIENT
    assert town.rows("SELECT state FROM package") == [("received",)]
    assert fault_work.attempt(town.channel) == fault_work.APPLIED
    assert_applied_exactly_once(town)


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER])
def test_connection_lost_at_any_commit_of_a_refusal_refuses_exactly_once(
    town: Town, line: Line, cut: Cut
) -> None:
    """The same for a package that is refused: one refusal, one entry, one quarantined file."""
    town.publish(count=COUNT, fault=Fault.TAMPERED)
    commits = _commits_of_an_intake(town, line)
    for commit_no in range(1, commits + 1):
        town.forget()
        town.office.next_sequence[RESIDENT] = 1
        town.publish(count=COUNT, fault=Fault.TAMPERED)
        line.break_at(cut, commit_no)
        assert fault_work.attempt(town.channel) == TRANSIENT, commit_no
        assert fault_work.attempt(town.channel) == fault_work.APPLIED, commit_no
        assert town.rows("SELECT state, code FROM package") == [("refused", "package.altered")]
        assert town.rows("SELECT count(*) FROM journal WHERE action = 'package.refused'") == [(1,)]
        assert len(list(town.home.quarantine.rglob("*.p7m"))) == 1


@pytest.mark.parametrize("limit_bytes", [0, 3000])
def test_disk_full_in_the_spool_is_our_own_error_and_nothing_is_registered(
    town: Town, limit_bytes: int
) -> None:
    """A write that is cut short is not taken for a file: the municipality is not told that it sent half of one."""
    town.publish(count=COUNT)
    assert told(fault_work.on_a_disk_of, town.channel, limit_bytes) == "spool.full final"
    assert town.rows("SELECT count(*) FROM package") == [(0,)]
    assert list((town.office.folder / "inbox").glob("*")) == []
    take_in(town)
    assert_applied_exactly_once(town)


def test_quarantine_that_can_not_be_written_leaves_the_package_waiting(town: Town) -> None:
    """A refused file is in quarantine before it is said to be refused, or it is not said."""
    town.publish(count=COUNT, fault=Fault.TAMPERED)
    in_the_way = town.home.quarantine / str(town.channel)
    shutil.rmtree(in_the_way, ignore_errors=True)
    in_the_way.touch()
    try:
        assert fault_work.attempt(town.channel) == "spool.full final"
    finally:
        in_the_way.unlink()
    assert town.rows("SELECT state FROM package") == [("received",)]
    assert fault_work.attempt(town.channel) == fault_work.APPLIED
    assert town.rows("SELECT state, code FROM package") == [("refused", "package.altered")]


@pytest.mark.parametrize("is_locked", [True, False], ids=["as runs do", "without the lock of runs"])
def test_two_intakes_of_one_channel_at_once_apply_exactly_once(town: Town, is_locked: bool) -> None:
    """Two processes; one is told that the channel is busy, and without that lock the database alone decides."""
    town.publish(count=COUNT)
    start = FORKS.Barrier(2)
    ends, workers = [], []
    for _ in range(2):
        ours, theirs = FORKS.Pipe(duplex=False)
        workers.append(forked(fault_work.side_by_side, town.channel, start, is_locked, theirs))
        ends.append(ours)
    said = [end.recv() if end.poll(120) else None for end in ends]
    for worker in workers:
        worker.join(120)
    assert fault_work.APPLIED in said
    if is_locked:
        assert "channel.busy final" in said
    else:
        assert all(one == fault_work.APPLIED or str(one).endswith(" transient") for one in said), said
    take_in(town)
    assert_applied_exactly_once(town)


@pytest.mark.parametrize("point", ["versions written", "journalled, not committed"])
def test_database_restarted_in_the_middle_of_an_intake_applies_exactly_once(town: Town, point: str) -> None:
    """Everything of the open transaction is gone with the server, and the next attempt does it again."""
    town.publish(count=COUNT)
    said = told(fault_work.over_a_restart, town.channel, point)
    assert said == [TRANSIENT, fault_work.APPLIED]
    assert_applied_exactly_once(town)
