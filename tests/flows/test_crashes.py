"""Killed anywhere, run again: applied exactly once, answered, nothing left over."""

from __future__ import annotations

import signal

import pytest

from simulator.faults import Fault
from tests.flows.conftest import Town

APPLIED_POINTS = [
    "fetched, not registered",
    "registered, not committed",
    "read from the spool",
    "versions written",
    "findings written",
    "journalled, not committed",
    "committed, spool not emptied",
    "settled, receipt not delivered",
    "receipt delivered, not noted",
]
REFUSED_POINTS = ["quarantined, not said", "journalled, not committed", "committed, spool not emptied"]


@pytest.mark.parametrize("point", APPLIED_POINTS)
def test_a_package_is_applied_exactly_once_wherever_the_worker_dies(town: Town, point: str) -> None:
    """SIGKILL at the point, then run again, then once more: one application, one entry, one receipt."""
    town.publish(count=7)
    assert town.work(point) == -signal.SIGKILL
    assert town.work() == 0
    assert town.work() == 0
    assert town.rows("SELECT count(*) FROM current") == [(7,)]
    assert town.rows("SELECT count(*) FROM history") == [(0,)]
    assert town.rows("SELECT count(*) FROM package WHERE state = 'applied'") == [(1,)]
    assert town.rows("SELECT count(*) FROM journal WHERE action = 'package.applied'") == [(1,)]
    assert town.rows("SELECT changes FROM outbox") == [(7,)]
    assert town.rows("SELECT last_sequence, last_notice_no FROM channel") == [(1, 7)]
    assert town.rows("SELECT count(*) FROM package WHERE state = 'applied' AND receipt_sent_at IS NULL") == [
        (0,)
    ]
    assert [path.name for path in (town.office.folder / "inbox").iterdir()] == [
        "352039-resident-receipt-00000001.p7m"
    ]
    assert [path for path in town.home.spool.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("point", REFUSED_POINTS)
def test_a_refused_package_is_refused_once_and_kept_wherever_the_worker_dies(town: Town, point: str) -> None:
    """The file is in quarantine, the refusal in register and journal, and the good one can still come."""
    town.publish(count=7, fault=Fault.TAMPERED)
    assert town.work(point) == -signal.SIGKILL
    assert town.work() == 0
    assert town.rows("SELECT state, code FROM package") == [("refused", "package.altered")]
    assert town.rows("SELECT count(*) FROM journal WHERE action = 'package.refused'") == [(1,)]
    assert len(list(town.home.quarantine.rglob("*.p7m"))) == 1
    town.office.heal()
    assert town.work() == 0
    assert town.rows("SELECT count(*) FROM current") == [(7,)]
