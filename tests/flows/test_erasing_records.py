"""The erasure of records as a step of the purge: killed in it, beside a purge that fails, by a wrong clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta

import pytest

from juki.columns import IdentityFile
from juki.dates import JAPAN
from juki.home import Home
from juki.notices import Reason
from juki.package_id import PackageId
from juki.reasons import Code
from juki.retention import expires_on
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tasks.purging import erase_records
from tests.conftest import Stores
from tests.flows.custody_worker import act
from tests.flows.kill_points import EVERY, Death, Kind, Step, When
from tests.histories import FIRST_DAY, Sent
from tests.notice_tables import HERE, notice
from tests.provision_rows import FUHYO, Lender, working_for
from tests.snapshots import apply_package

NOTHING = PackageId(FUHYO, 0)
"""The erasure of records is about no provision."""
SECONDS = 300


@pytest.fixture
def lender(home: Home, stores: Stores) -> Lender:
    """An installation on the day on which what it received on the first day is over."""
    end = datetime.combine(expires_on(FIRST_DAY), time(), JAPAN).astimezone(UTC)
    return Lender(home, stores, at=end)


def _received(lender: Lender, sequence: int, day: int = 0) -> None:
    """Receive two people and the deletion of one, in both files: two versions that are over, and one that is not."""
    first_no = 3 * sequence
    rows = [notice(resident_code=f"{who}{sequence}") for who in "AB"]
    died = notice(resident_code=f"A{sequence}", kind="deletion", reason=Reason.DEATH.value)
    for file in IdentityFile:
        apply_package(lender.stores.url(file), Sent(HERE, first_no, [*rows, died], day), sequence, file)


def _left(lender: Lender, file: IdentityFile) -> tuple[int, int, int]:
    """Count versions that are over, versions that are not, and what the packages say was erased."""
    query = """
        SELECT count(*) FILTER (WHERE expires_on IS NOT NULL), count(*) FILTER (WHERE expires_on IS NULL),
               (SELECT sum(erased) FROM package)
        FROM (SELECT expires_on FROM current UNION ALL SELECT expires_on FROM history) v
    """
    ((over, kept, erased),) = lender.rows(file, query)
    return over, kept, erased


def _logged(lender: Lender, file: IdentityFile) -> int:
    """Count the versions of which the log says that they were erased."""
    counts = [one["counts"] for one in lender.entries(file, "records.erased")]
    return sum(one["current"] + one["history"] for one in counts)


def _deaths(steps: list[Step]) -> list[Death]:
    """After the first statement of each kind that erases or logs, before its commit, and right after that commit.

    The two files and the batches of one take the same steps.
    """
    firsts = {step.what: number for number, step in reversed(list(enumerate(steps)))}
    erasing = [firsts[what] for what in firsts if what.split()[0] in ("WITH", "DELETE", "INSERT")]
    logged = firsts["INSERT INTO journal"]
    committed = next(n for n, step in enumerate(steps) if n > logged and step.kind is Kind.COMMIT)
    return [Death(number, When.AFTER, EVERY) for number in sorted({*erasing, committed})]


def test_killed_between_any_two_steps_records_are_erased_once_and_counted_once(lender: Lender) -> None:
    """Between erasing and log, before the commit and after it: what the packages and the log count is what went."""
    _received(lender, 1)
    ended = act(lender, "erase", NOTHING, is_traced=True)
    assert ended.code == 0
    deaths = _deaths(ended.steps)
    assert {"WITH gone AS", "INSERT INTO journal"} <= {step.what for step in ended.steps}
    for sequence, death in enumerate(deaths, start=2):
        _received(lender, sequence)
        killed = act(lender, "erase", NOTHING, death=death)
        assert (killed.code, killed.died_at) == (-signal.SIGKILL, ended.steps[death.number].what)
        for file in IdentityFile:
            over, kept, erased = _left(lender, file)
            assert (over + erased, kept, _logged(lender, file)) == (2 * sequence, sequence, erased)
        assert act(lender, "erase", NOTHING).code == 0
        for file in IdentityFile:
            assert _left(lender, file) == (0, sequence, 2 * sequence)
            assert _logged(lender, file) == 2 * sequence
    for file in IdentityFile:
        with open_unit(lender.stores.url(file), file, Duty.AUDITOR) as unit:
            unit.journal.verify()


def test_a_run_by_a_clock_that_jumped_forward_stops_before_any_record(lender: Lender) -> None:
    """The task asks for itself: it needs no purge before it to be stopped."""
    _received(lender, 1)
    lender.at = datetime(2026, 4, 1, tzinfo=UTC)
    with working_for(lender):
        assert erase_records.fn().code is None
    lender.pass_time(days=366 * 150)
    with working_for(lender):
        summary = erase_records.fn()
    assert (summary.stopped, summary.code) == (Code.CLOCK_AHEAD, Code.CLOCK_AHEAD)
    assert [_left(lender, file) for file in IdentityFile] == [(2, 1, 0)] * 2


def test_neither_erasure_keeps_anything_from_the_other_and_either_fails_the_run(
    home: Home, stores: Stores
) -> None:
    """Through the real engine: the purge of numbers breaks and records go, then the other way round."""
    now = datetime.now(UTC)
    lender = Lender(home, stores, at=now - timedelta(hours=73))
    provision = lender.delivered()
    start = now.astimezone(JAPAN).date().replace(day=1, year=now.year - 151)
    _received(lender, 1, day=(start - FIRST_DAY).days)
    done = _run_broken(lender)
    assert done == ["== Purge run.unexpected", "== Expiry run.unexpected"]
    assert [_left(lender, file) for file in IdentityFile] == [(0, 1, 2)] * 2
    assert not lender.is_kept(provision)


def _run_broken(lender: Lender) -> list[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JUKI_", "PREFECT_"))}
    done = subprocess.run(
        [sys.executable, "-m", "tests.flows.erasing_run"], env=clean | lender.environment, capture_output=True,
        text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return [line for line in done.stdout.splitlines() if line.startswith("== ")]
