"""A channel with real parts: repeats, incidents, gaps, strays, refusals, and a CS that is down."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

from simulator.faults import Fault
from tests.flows.conftest import CODES, Town


def test_a_repeated_package_is_answered_again_and_changes_nothing(town: Town) -> None:
    """Same sequence and content: state `repeated`, the same receipt once more."""
    town.publish(count=5)
    assert town.work() == 0
    inbox = town.office.folder / "inbox"
    town.office.tidy(_now())
    town.publish(first=5, count=5, fault=Fault.DUPLICATE)
    assert town.work() == 0
    assert sorted(town.rows("SELECT sequence, state FROM package")) == [
        (1, "applied"),
        (1, "repeated"),
        (2, "applied"),
    ]
    assert town.rows("SELECT code FROM package WHERE state = 'repeated'") == [("package.repeated",)]
    assert sorted(path.name[-12:] for path in inbox.iterdir()) == ["00000001.p7m", "00000002.p7m"]
    assert town.rows("SELECT count(*) FROM current") == [(10,)]
    first, again = town.office.receipts[0], town.office.tidy(_now())[0]
    assert first == again


def test_other_content_under_an_applied_sequence_stops_the_channel_until_an_operator_decides(
    town: Town,
) -> None:
    """An incident: nothing more is applied; after the release the channel goes on where it was."""
    town.publish(count=5)
    assert town.work() == 0
    town.office.tidy(_now())
    town.publish(first=5, count=5, fault=Fault.OTHER_CONTENT)
    assert town.work() == 0
    assert town.rows("SELECT code FROM package WHERE state = 'conflict'") == [("package.content_differs",)]
    assert town.rows("SELECT last_sequence FROM channel") == [(1,)]
    assert town.work() == 0
    assert town.rows("SELECT count(*) FROM current") == [(5,)]
    listed = json.loads(town.juki("package", "list", "--state", "conflict", "--json").stdout)
    (package,) = listed["packages"]
    done = town.juki("package", "release", package["id"], "--reason", "市町村に確認済み")
    assert done.returncode == 0, done.stderr
    assert town.work() == 0
    assert town.rows("SELECT count(*) FROM current") == [(10,)]
    assert town.rows("SELECT count(*) FROM journal WHERE action = 'package.released'") == [(1,)]


def test_a_gap_makes_later_packages_wait_and_is_seen(town: Town) -> None:
    """The one after waits in the spool; when the missing one comes both are applied in order."""
    town.publish(count=5, fault=Fault.GAP)
    town.publish(first=5, count=5)
    assert town.work() == 0
    assert town.rows("SELECT state FROM package") == [("received",)]
    assert town.rows("SELECT count(*) FROM current") == [(0,)]
    assert town.rows("SELECT gap_since IS NOT NULL FROM channel") == [(True,)]
    status = town.juki("status", "--json")
    assert status.returncode == 1
    assert "channel.gap" in status.stdout
    town.office.heal()
    assert town.work() == 0
    assert town.rows("SELECT count(*) FROM current") == [(10,)]
    assert town.rows("SELECT gap_since FROM channel") == [(None,)]
    assert town.rows("SELECT count(DISTINCT received_on) FROM current") == [(1,)]


def test_a_package_of_another_municipality_is_quarantined_and_takes_no_place(town: Town) -> None:
    """M2: genuine, but in the wrong outbox; the channel's own package of that sequence is applied."""
    town.publish(count=5, fault=Fault.WRONG_OUTBOX)
    assert town.work() == 0
    found = sorted(town.rows("SELECT file_name, state, code FROM package"))
    assert [row[1:] for row in found] == [("refused", "package.binding"), ("applied", None)]
    assert town.rows("SELECT DISTINCT sender_code FROM current") == [(CODES[0],)]


def test_a_package_that_does_not_continue_the_notice_numbers_is_refused(town: Town) -> None:
    """A notice between two packages was lost."""
    town.publish(count=5)
    town.publish(first=6, count=4)
    assert town.work() == 0
    assert town.rows("SELECT code FROM package WHERE state = 'refused'") == [("package.notice_no",)]
    assert town.rows("SELECT last_notice_no FROM channel") == [(5,)]


def test_a_broken_file_under_an_applied_sequence_does_not_take_its_receipt_back(town: Town) -> None:
    """The receipt of what was applied stands; the broken file is refused and kept."""
    town.publish(count=5)
    assert town.work() == 0
    path = town.office.folder / "outbox" / "352039-resident-notice-00000001.p7m"
    sealed = path.read_bytes()
    receipt = (town.office.folder / "inbox" / "352039-resident-receipt-00000001.p7m").read_bytes()
    dated = path.stat().st_mtime
    path.write_bytes(sealed[:-40] + bytes([sealed[-40] ^ 1]) + sealed[-39:])
    # SFTP tells time in seconds, and a file of the same size and second could not be told from the one before.
    os.utime(path, (dated + 1, dated + 1))
    assert town.work() == 0
    assert sorted(town.rows("SELECT state FROM package")) == [("applied",), ("refused",)]
    assert (town.office.folder / "inbox" / "352039-resident-receipt-00000001.p7m").read_bytes() == receipt


def test_an_oversized_file_is_refused_unfetched_and_holds_nobody_up(town: Town) -> None:
    """A sparse file of 70 MiB beside a good package: the good one is applied."""
    town.publish(count=5)
    with (town.office.folder / "outbox" / "352039-resident-notice-00000009.p7m").open("wb") as file:
        file.truncate(70 * 1024 * 1024)
    assert town.work() == 0
    assert town.work() == 0
    assert sorted(town.rows("SELECT state, code FROM package")) == [
        ("applied", None),
        ("refused", "package.too_large"),
    ]
    assert town.rows("SELECT count(*) FROM current") == [(5,)]


def test_a_failing_municipality_stops_no_other_and_is_named(town: Town) -> None:
    """The account of one is unknown to its CS: the other is applied, the run fails and says which."""
    town.publish(count=5)
    with town.registrations() as register:
        good = register.read_text("utf-8")
        register.write_text(good.replace(f'account = "{CODES[1]}"', 'account = "nobody"'), "utf-8")
        done = town.juki("intake", "--file", "resident", "--json")
        status = town.juki("status", "--json")
    assert done.returncode == 2, done.stdout + done.stderr
    assert town.rows("SELECT count(*) FROM current") == [(5,)]
    failures = town.rows("SELECT municipality_code, last_failure_code FROM channel ORDER BY 1 DESC")
    assert failures == [(CODES[0], None), (CODES[1], "channel.login")]
    assert "channel.login" in status.stdout


def _now() -> datetime:
    return datetime.now(UTC)
