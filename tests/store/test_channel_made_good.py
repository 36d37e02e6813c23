"""Whatever keeps a channel from being normal can be dealt with, and then it is normal again."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import psycopg
import pytest

from juki.home import Home
from juki.journal import Action
from juki.order import PackageState
from juki.reasons import Code
from tests.conftest import Stores
from tests.console import COUNTS, RESIDENT, SHIMONOSEKI, UBE, YAMAGUCHI, Console

REASON = "山口市に電話で確認済み"


@pytest.fixture
def console(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation with empty stores, every CS just contacted."""
    console = Console(home, module_stores, monkeypatch, capsys)
    console.contact_all()
    return console


def _channel(console: Console) -> dict[str, Any]:
    data = console.juki("status", "--json").data
    return next(
        one
        for one in data["channels"]
        if (one["municipality_code"], one["file"]) == (YAMAGUCHI, RESIDENT.value)
    )


def _codes(console: Console) -> list[str]:
    return [reason["code"] for reason in _channel(console)["reasons"]]


# -- a package whose turn does not come -------------------------------------------------------------------


def test_waiting_package_with_a_wrong_number_can_be_put_aside(console: Console) -> None:
    """Sequence 99999 will never be next: its file is kept, the log says why, the channel is normal."""
    console.apply(1)
    number = console.arrive(99_999)
    assert _codes(console) == [Code.CHANNEL_GAP.value]
    said = console.juki("package", "release", f"R{number}", "--reason", REASON, "--json")
    assert (said.code, said.data["state"]) == (0, "released")
    assert said.data["reason"]["code"] == Code.PACKAGE_WITHDRAWN.value
    (kept,) = console.files().kept.iterdir()
    assert kept.read_bytes() == b"sealed"
    (entry,) = console.entries()
    assert (entry["action"], entry["basis"]) == (Action.PACKAGE_RELEASED.value, REASON)
    assert entry["code"] == Code.PACKAGE_WITHDRAWN.value
    assert console.juki("status").code == 0


def test_package_put_aside_by_mistake_can_wait_again(console: Console) -> None:
    """The file in the outbox is known and would never be fetched again, so the way back must be here."""
    console.apply(1)
    number = console.arrive(3)
    assert console.juki("package", "release", f"R{number}", "--reason", REASON).code == 0
    assert console.juki("package", "retry", f"R{number}").code == 0
    assert console.progress() == (False, [number])
    name = f"{YAMAGUCHI}-resident-notice-00000003.p7m"
    assert (console.files().spool / name).read_bytes() == b"sealed"


def test_refused_package_far_beyond_the_next_can_be_put_aside(console: Console) -> None:
    """A file too large under a nonsense number: nothing will ever take its place."""
    console.apply(1)
    number = console.refuse(77)
    assert _codes(console) == [Code.CHANNEL_REFUSED_OPEN.value]
    assert console.juki("package", "release", f"R{number}", "--reason", REASON).code == 0
    assert console.juki("status").code == 0


@pytest.mark.parametrize("fate", ["arrive", "refuse"])
def test_next_package_can_not_be_put_aside(console: Console, fate: str) -> None:
    """The channel can not go on without it; to hide that would lose notices."""
    console.apply(1)
    number = getattr(console, fate)(2)
    said = console.juki("package", "release", f"R{number}", "--reason", REASON, "--json")
    assert said.data["error"]["code"] == Code.PACKAGE_NOT_INCIDENT.value
    assert console.entries() == []


def test_putting_aside_killed_before_commit_can_be_done_again(console: Console) -> None:
    """Kept, but nothing said: it still waits with its file, and the next try goes through, once."""
    console.apply(1)
    number = console.arrive(3)
    killed = (
        "import os, sys; from juki.store.journal import Journal; "
        "Journal.append = lambda *a: os.kill(os.getpid(), 9); "
        f"sys.argv = ['juki', 'package', 'release', 'R{number}', '--reason', 'x']; "
        "from juki.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", killed], capture_output=True, timeout=60, check=False)
    assert done.returncode == -9
    assert (console.progress(), console.entries()) == ((False, [number]), [])
    assert console.juki("package", "release", f"R{number}", "--reason", REASON).code == 0
    assert (console.progress(), len(console.entries())) == ((False, []), 1)


# -- records that were refused ----------------------------------------------------------------------------


def test_rejected_records_are_closed_once_and_stay_listed(console: Console) -> None:
    """Asked about and answered: the channel is normal, the counts of the package stay as they were."""
    number = console.apply(1, counts=COUNTS)
    assert _codes(console) == [Code.CHANNEL_RECORDS_REJECTED.value]
    said = console.juki("package", "close", f"R{number}", "--reason", REASON, "--json")
    assert (said.code, said.data["has_changed"], said.data["counts"]) == (0, True, COUNTS)
    assert said.data["closed_at"]
    again = console.juki("package", "close", f"R{number}", "--reason", "別の理由")
    assert again.code == 0 and "すでに" in again.out
    (entry,) = console.entries()
    assert (entry["action"], entry["basis"]) == (Action.PACKAGE_CLOSED.value, REASON)
    assert entry["counts"] == {"rejected": COUNTS["rejected"]}
    assert "確認済み（" in console.juki("package", "show", f"R{number}").out
    assert console.juki("status").code == 0
    console.apply(2, counts=COUNTS)
    assert _channel(console)["rejected_records"] == COUNTS["rejected"]


@pytest.mark.parametrize("fate", ["arrive", "refuse", "apply"])
def test_package_without_rejected_records_has_nothing_to_close(console: Console, fate: str) -> None:
    """Neither one that waits nor a refused one nor one that was accepted whole."""
    number = getattr(console, fate)(1)
    said = console.juki("package", "close", f"R{number}", "--reason", REASON, "--json")
    assert (said.code, said.data["error"]["code"]) == (2, Code.PACKAGE_NOTHING_OPEN.value)
    assert console.entries() == []


# -- room and old stores ----------------------------------------------------------------------------------


def test_files_left_for_want_of_room_are_told_until_the_next_look(console: Console) -> None:
    """How many, which room, what to do; nothing once everything was fetched."""
    with console.unit() as unit:
        unit.packages.deferred(YAMAGUCHI, 3, Code.CHANNEL_SPOOL_QUOTA)
    said = console.juki("status")
    assert said.code == 1
    assert Code.CHANNEL_SPOOL_QUOTA.next_step in said.out and "3件" in said.out
    with console.unit() as unit:
        unit.packages.deferred(YAMAGUCHI, 0, None)
    assert console.juki("status").code == 0


def test_package_refused_for_an_old_list_by_the_first_version_can_be_retried(console: Console) -> None:
    """Its rows still bear package.revocation_list, which is not given any more."""
    number = console.arrive(1)
    console.settle(number, PackageState.REFUSED, Code.PACKAGE_REVOCATION_LIST)
    assert Code.PACKAGE_REVOCATION_LIST.next_step in console.juki("status").out
    assert console.juki("package", "retry", f"R{number}").code == 0
    assert console.progress() == (False, [number])


def test_stopped_channel_does_not_promise_what_the_next_run_will_not_do(console: Console) -> None:
    """What waits behind an incident waits for the decision, and the page says only that."""
    console.apply(1)
    console.collide(1)
    console.arrive(2)
    assert _codes(console) == [Code.CHANNEL_STOPPED.value]
    assert _channel(console)["waiting"] == 1


def test_store_of_another_version_is_named_with_the_command_that_upgrades_it(console: Console) -> None:
    """The program was renewed and `juki init` not run: no traceback, no riddle."""
    try:
        with psycopg.connect(console.stores.resident_url) as connection:
            connection.execute("ALTER TABLE channel RENAME COLUMN deferred_files TO gone")
        said = console.juki("status")
        assert said.code == 2
        assert Code.STORE_SCHEMA.value in said.err and "juki init" in said.err
    finally:
        with psycopg.connect(console.stores.resident_url) as connection:
            connection.execute("ALTER TABLE channel RENAME COLUMN gone TO deferred_files")


# -- a municipality that is no more -----------------------------------------------------------------------


def _close(console: Console, *codes: str) -> None:
    console.register({SHIMONOSEKI: "下関市", UBE: "宇部市"})
    path = console.home.municipalities_file
    path.write_text(f"closed = {list(codes)}\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")


def test_municipality_that_is_no_more_needs_no_contact_and_no_receipt(console: Console) -> None:
    """Merged away: the record of what it sent stays, and the page is normal again."""
    console.apply(1, is_answered=False)
    console.register({SHIMONOSEKI: "下関市", UBE: "宇部市"})
    assert Code.CHANNEL_UNREGISTERED.value in console.juki("status").out
    _close(console, YAMAGUCHI)
    said = console.juki("status", "--json")
    assert (said.code, len(said.data["channels"])) == (0, 6)


def test_what_still_waits_of_a_municipality_that_is_no_more_is_told_and_can_be_put_aside(
    console: Console,
) -> None:
    """No run works it any more, so even the next package is somebody's decision."""
    number = console.arrive(1)
    _close(console, YAMAGUCHI)
    assert _codes(console) == [Code.CHANNEL_CLOSED_WAITING.value]
    assert console.juki("package", "release", f"R{number}", "--reason", REASON).code == 0
    assert console.juki("status").code == 0


def test_municipality_can_not_be_registered_and_closed(console: Console) -> None:
    """One of both is a mistake, and it is not for the program to guess which."""
    _close(console, UBE)
    said = console.juki("status", "--json")
    assert (said.code, said.data["error"]["code"]) == (2, Code.CONFIG_INVALID.value)
    _close(console, "352038")
    assert console.juki("status", "--json").data["error"]["code"] == Code.CONFIG_INVALID.value
