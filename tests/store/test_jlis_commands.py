"""`juki jlis` and what `juki status` says of it: how far J-LIS has been told, why not further, what to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from juki.cli.acting import local_administrator
from juki.home import Home
from juki.jlis import MessageKind
from juki.order import FileMark
from juki.reasons import Code
from juki.store.jlis_messages import JlisMessages, Message
from juki.store.jlis_packages import JlisPackages, SealedPackage
from juki.store.roles import Duty
from juki.store.tables import TABLES
from juki.store.unit import open_unit
from tests.conftest import Stores
from tests.console import RESIDENT, Console

_JLIS = """
[[recipient]]
code = "jlis"
name = "地方公共団体情報システム機構"
kind = "jlis"
receiver = "地方公共団体情報システム機構"
signing_certificates = ["{digest}"]
roots = ["root.crt"]
encryption_certificate = "jlis.crt"
delivery = "../jlis/delivery"
arrivals = "../jlis/arrivals"
"""
HOUR = timedelta(hours=1)


@pytest.fixture
def console(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation in order, with J-LIS registered."""
    made = Console(home, module_stores, monkeypatch, capsys)
    made.contact_all()
    home.recipients_file.write_text(_JLIS.format(digest="a" * 64), encoding="utf-8")
    return made


def due(console: Console, changes: int, ago: timedelta = timedelta()) -> None:
    """Let updates wait since some time ago."""
    row = {"package_id": 1, "changes": changes, "created_at": console.now - ago}
    with console.unit() as unit:
        unit.connection.execute(TABLES[RESIDENT].outbox.insert(), row)


def package(console: Console, sequence: int = 1, delivered_ago: timedelta | None = None) -> None:
    """Register a package of ten updates, delivered some time ago or not yet."""
    at = console.now - (delivered_ago or timedelta())
    with open_unit(console.stores.url(RESIDENT), RESIDENT, Duty.PROVIDER) as unit:
        packages = JlisPackages(RESIDENT, unit.connection)
        first = 10 * sequence - 9
        packages.add(SealedPackage(sequence, first, first + 9, 0, "a" * 64, "b" * 64, b"sealed", at))
        if delivered_ago is not None:
            packages.delivered(sequence, at)


def answered(console: Console, sequence: int = 1, code: str = "") -> None:
    """Let J-LIS answer."""
    with open_unit(console.stores.url(RESIDENT), RESIDENT, Duty.PROVIDER) as unit:
        packages = JlisPackages(RESIDENT, unit.connection)
        if code:
            packages.refused(sequence, Code.JLIS_REFUSED, code, console.now)
        else:
            packages.acknowledged(sequence, console.now)


def status(console: Console) -> tuple[int, dict[str, Any], list[str]]:
    """The exit code, what is said of the resident file, and the codes of what needs attention."""
    said = console.juki("status", "--json")
    facts = said.data["jlis"][0]
    return said.code, facts, [one["code"] for one in facts["reasons"]]


def test_nothing_to_tell_needs_no_word(console: Console) -> None:
    """A prefecture that has just begun."""
    assert status(console)[::2] == (0, [])
    assert "機構への通知" not in console.juki("status").out


def test_status_says_how_far_jlis_has_been_told(console: Console) -> None:
    """Waiting updates, the last acknowledgement, what is not answered: on the one page."""
    package(console, 1, HOUR)
    answered(console)
    package(console, 2, HOUR)
    due(console, 7)
    code, facts, codes = status(console)
    assert (code, codes) == (0, [])
    wanted = {
        "waiting": 7,
        "last_update_no": 20,
        "acknowledged_update_no": 10,
        "unanswered": 1,
        "acknowledged": 1,
    }
    assert {name: facts[name] for name in wanted} == wanted
    said = console.juki("status").out
    for part in ("未通知 7 件", "通知済の更新 20 件", "更新 10 まで", "受領確認待ち 1 件"):
        assert part in said


@pytest.mark.parametrize(("ago", "codes"), [(23 * HOUR, []), (25 * HOUR, [Code.JLIS_WAITING.value])])
def test_updates_nobody_tells_are_an_alert(console: Console, ago: timedelta, codes: list[str]) -> None:
    """The schedule does not run, or fails every time."""
    due(console, 1, ago)
    assert status(console)[::2] == (bool(codes), codes)


@pytest.mark.parametrize(("ago", "codes"), [(23 * HOUR, []), (25 * HOUR, [Code.JLIS_UNANSWERED.value])])
def test_a_package_nobody_answers_is_an_alert(console: Console, ago: timedelta, codes: list[str]) -> None:
    """Counted from the first delivery, whatever was delivered again since."""
    package(console, 1, ago)
    assert status(console)[::2] == (bool(codes), codes)


def test_unregistered_jlis_is_named_when_there_is_something_to_tell(console: Console) -> None:
    """Nothing leaves without a registration, and nobody should find out in a year."""
    console.home.recipients_file.unlink()
    assert status(console)[::2] == (0, [])
    due(console, 1)
    assert status(console)[::2] == (1, [Code.JLIS_UNREGISTERED.value])


def test_a_refused_package_stays_visible_until_it_is_acknowledged(console: Console) -> None:
    """Also while what was delivered again is under way; the reason is J-LIS's own code."""
    package(console, 1, HOUR)
    answered(console, code="jlis.maintenance")
    assert Code.JLIS_REFUSED.value in status(console)[2]
    with open_unit(console.stores.url(RESIDENT), RESIDENT, Duty.PROVIDER) as unit:
        JlisPackages(RESIDENT, unit.connection).delivered(1, console.now)
    assert status(console)[2] == [Code.JLIS_REFUSED.value]
    listed = console.juki("jlis", "list", "--json")
    assert listed.code == 1 and listed.data["packages"][0]["their_code"] == "jlis.maintenance"
    shown = console.juki("jlis", "show", "R1").out
    assert "jlis.maintenance" in shown and Code.JLIS_REFUSED.value in shown and "2" in shown
    answered(console)
    assert status(console)[::2] == (0, [])
    assert console.juki("jlis", "list", "--json").code == 0


def test_resend_lets_the_next_run_deliver_the_same_once_more_and_is_in_the_log(console: Console) -> None:
    """Who asked, why; asked twice changes nothing more; what is acknowledged stays."""
    package(console, 1, HOUR)
    said = console.juki("jlis", "resend", "R1", "--reason", "機構が失ったため", "--json")
    assert (said.code, said.data["has_changed"]) == (0, True)
    assert (
        console.juki("jlis", "resend", "R1", "--reason", "機構が失ったため", "--json").data["has_changed"]
        is False
    )
    assert console.juki("jlis", "list", "--json").data["packages"][0]["state"] == "sealed"
    entry = console.entries()[-1]
    assert (entry["action"], entry["actor"]) == ("jlis.resent", local_administrator())
    assert (entry["basis"], entry["package"]) == ("機構が失ったため", "350001-resident-jlis-00000001.p7m")
    answered(console)
    refused = console.juki("jlis", "resend", "R1", "--reason", "念のため", "--json")
    assert (refused.code, refused.data["error"]["code"]) == (2, Code.JLIS_ACKNOWLEDGED.value)


@pytest.mark.parametrize(
    "command", [("show", "R9"), ("resend", "R9", "--reason", "x"), ("close", "R9", "--reason", "x")]
)
def test_numbers_nobody_gave_are_named_so(console: Console, command: tuple[str, ...]) -> None:
    """No silent success."""
    said = console.juki("jlis", *command, "--json")
    assert (said.code, said.data["error"]["code"]) == (2, Code.JLIS_NOT_FOUND.value)


def test_a_reason_that_could_name_somebody_is_refused(console: Console) -> None:
    """The log has no place for a number of a person."""
    package(console, 1, HOUR)
    said = console.juki("jlis", "resend", "R1", "--reason", "123456789018", "--json")
    assert said.data["error"]["code"] == Code.REASON_TEXT_FORM.value


def test_a_refused_file_is_shown_until_somebody_has_dealt_with_it(console: Console) -> None:
    """It stays kept; the page becomes normal again."""
    mark = FileMark("350001-resident-jlis-receipt-00000001.p7m", 3, console.now)
    with console.unit() as unit:
        message = Message(MessageKind.ACKNOWLEDGEMENT, 1, mark, bytes(32), console.now, b"bad")
        JlisMessages(RESIDENT, unit.connection).refused(message, Code.PACKAGE_SIGNER_UNREGISTERED)
    assert status(console)[2] == [Code.JLIS_MESSAGE_REFUSED.value]
    listed = console.juki("jlis", "list", "--messages")
    assert listed.code == 1 and Code.PACKAGE_SIGNER_UNREGISTERED.message in listed.out
    ((number,),) = [
        (one["id"],) for one in console.juki("jlis", "list", "--messages", "--json").data["messages"]
    ]
    assert console.juki("jlis", "close", number, "--reason", "試験で置いたもの").code == 0
    assert status(console)[::2] == (0, [])
    assert console.entries()[-1]["action"] == "jlis.message_closed"
    assert console.juki("jlis", "close", number, "--reason", "試験で置いたもの").code == 2


def test_what_was_lost_is_an_alert_that_no_hours_take_away(console: Console) -> None:
    """It is made good by a reconciliation only (test_forwarding.py); a restart or a week-end is none."""
    due(console, 3)
    outbox = TABLES[RESIDENT].outbox
    for ago in (HOUR, 25 * HOUR, 1000 * HOUR):
        with open_unit(console.stores.url(RESIDENT), RESIDENT, Duty.PROVIDER) as unit:
            unit.connection.execute(outbox.update().values(sent_at=console.now - ago, lost=1))
        assert status(console)[2] == [Code.JLIS_UPDATE_LOST.value]


def test_a_difference_jlis_reported_is_named_so_in_the_list(console: Console) -> None:
    """Whoever looks must know that no comparison of ours has seen it."""
    row = {
        "municipality_code": "352039", "kind": "differs", "resident_code": "24727059608", "columns": ["address"],
        "state": "open", "watermark": 1, "first_seen_at": console.now, "last_seen_at": console.now,
        "first_reconciliation_id": 0, "last_reconciliation_id": 0, "jlis_report_no": 4,
    }  # fmt: skip
    with console.unit() as unit:
        unit.connection.execute(TABLES[RESIDENT].difference.insert(), row)
    said = console.juki("difference", "list")
    assert said.code == 1 and "機構の通報" in said.out and "24727059608" not in said.out
    assert console.juki("difference", "list", "--json").data["differences"][0]["jlis_report_no"] == 4
    assert "連番 4" in console.juki("difference", "show", "R1").out
    assert status(console)[2] == [Code.JLIS_REPORTED.value]
