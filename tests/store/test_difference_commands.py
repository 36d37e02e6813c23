"""`juki difference` on real stores: what is found is shown without a person, and decided once and in the log."""

from __future__ import annotations

from datetime import timedelta

import pytest

from juki.cli.acting import local_administrator
from juki.differences import Mode
from juki.home import Home
from juki.journal import Action
from juki.numbers import SealingKey
from juki.reasons import Code
from juki.store.reconciliations import Report
from tests.conftest import Stores
from tests.console import FUHYO, RESIDENT, UBE, YAMAGUCHI, Console
from tests.store.test_differences_store import difference, found

KEY = SealingKey("resident-quarantine-1", bytes(32))
WHO = "24727059608"
"""The resident code of everybody here begins so."""


@pytest.fixture
def console(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation that has confirmed one channel and found differences in another."""
    made = Console(home, module_stores, monkeypatch, capsys)
    made.contact_all()
    for code in (YAMAGUCHI, UBE):
        made.apply(1, code)
    reconcile(made, UBE)
    reconcile(
        made, YAMAGUCHI, difference(f"{WHO}1", "missing", package_id=None),
        difference(f"{WHO}2", columns=["address"]), difference(f"{WHO}3", "extra"),
        difference(f"{WHO}4", "moved", held_by=UBE),
    )  # fmt: skip
    return made


def reconcile(console: Console, code: str, *rows: dict[str, object], beyond: int | None = None) -> int:
    """Register a reconciliation that was brought to its end an hour ago; return its number."""
    at, what = console.now - timedelta(hours=1), found(*rows)
    with console.unit() as unit:
        number = unit.reconciliations.begin(code, Mode.REPAIR, at, at + timedelta(hours=12)).reconciliation_id
        snapshot = {"as_of": at, "watermark": 10, "parts": 1, "last_sequence": 1}
        unit.differences.note(number, code, 10, at, what, KEY)
        unit.reconciliations.compared(number, snapshot, what, at)
        unit.reconciliations.repaired(number, 0, beyond)
        reason = Code.RECONCILIATION_BEYOND_BOUND if beyond else None
        report = Report(number, unit.reconciliations.next_report_no(code), b"report")
        unit.reconciliations.end(number, at, reason, report)
    return number


def test_list_names_kinds_columns_and_states_and_nobody(console: Console) -> None:
    """Exit code 1 while anything is open; a person is in no output, whatever is asked."""
    said = console.juki("difference", "list", "--json")
    assert said.code == 1
    assert [(one["id"], one["kind"], one["columns"], one["state"]) for one in said.data["differences"]] == [
        ("R1", "missing", [], "open"), ("R2", "differs", ["address"], "open"), ("R3", "extra", [], "open"),
        ("R4", "moved", [], "open"),
    ]  # fmt: skip
    text = console.juki("difference", "list").out + console.juki("difference", "show", "R4").out
    for part in ("山口市", "当方になし", "住所", "宇部市", "転出済"):
        assert part in text
    assert WHO not in said.out + text


def test_list_can_be_narrowed_and_tells_what_is_left_out(console: Console) -> None:
    """By municipality, file, kind and state; a cut list says so."""
    assert console.juki("difference", "list", "--municipality", UBE, "--json").data["differences"] == []
    assert console.juki("difference", "list", "--file", "fuhyo").code == 0
    only = console.juki("difference", "list", "--kind", "extra", "--json").data["differences"]
    assert [one["id"] for one in only] == ["R3"]
    cut = console.juki("difference", "list", "--limit", "2", "--json").data
    assert (len(cut["differences"]), cut["is_cut"]) == (2, True)


def test_proposal_approval_and_acceptance_are_logged_with_who_and_why(console: Console) -> None:
    """Each decision changes its difference once, with an entry in the same transaction."""
    assert console.juki("difference", "propose", "--json").data == {"changed": 2}
    assert console.juki("difference", "approve", "R3", "R1", "--json").data == {"changed": 2}
    assert console.juki("difference", "accept", "R4", "--reason", "市町村に確認済み", "--json").data == {
        "changed": 1
    }
    assert console.juki("difference", "approve", "R3", "--json").data == {"changed": 0}
    states = {
        one["id"]: one["state"] for one in console.juki("difference", "list", "--json").data["differences"]
    }
    assert states == {"R1": "approved", "R2": "proposed", "R3": "approved", "R4": "accepted"}
    decided = [entry for entry in console.entries() if entry["action"].startswith("differences.")]
    assert [(entry["action"], entry["counts"], entry["basis"]) for entry in decided] == [
        (Action.DIFFERENCES_PROPOSED.value, {"differences": 2}, ""),
        (Action.DIFFERENCES_APPROVED.value, {"differences": 2}, ""),
        (Action.DIFFERENCES_ACCEPTED.value, {"differences": 1}, "市町村に確認済み"),
    ]
    assert {entry["actor"] for entry in decided} == {local_administrator()}
    assert [entry.get("change", entry["municipality_code"]) for entry in decided] == [
        YAMAGUCHI,
        "R1 R3",
        "R4",
    ]


def test_refusal_of_one_store_changes_nothing_in_the_other(console: Console) -> None:
    """What was refused was not half done: the resident file goes first."""
    said = console.juki("difference", "approve", "R3", "F99", "--json")
    assert said.data["error"]["code"] == Code.DIFFERENCE_UNKNOWN.value
    listed = console.juki("difference", "list", "--json").data["differences"]
    assert {one["state"] for one in listed} == {"open"}
    assert not [entry for entry in console.entries() if entry["action"].startswith("differences.")]


def test_decision_that_can_not_be_is_refused_whole(console: Console) -> None:
    """What can not be repaired here, what is not there, a reason with a number in it: nothing is changed."""
    for arguments, code in (
        (("approve", "R3", "R4"), Code.DIFFERENCE_NO_REPAIR),
        (("approve", "R3", "R99"), Code.DIFFERENCE_UNKNOWN),
        (("approve", "R3", "--run", "R1"), Code.COMMAND_ARGUMENT),
        (("approve",), Code.COMMAND_ARGUMENT),
        (("accept", "R3", "--reason", "123456789018 の件"), Code.REASON_TEXT_FORM),
        (("show", "R99"), Code.DIFFERENCE_UNKNOWN),
        (("show", "12"), Code.PACKAGE_ID_FORM),
    ):
        said = console.juki("difference", *arguments, "--json")
        assert (said.code, said.data["error"]["code"]) == (2, code.value), arguments
    assert {one["state"] for one in console.juki("difference", "list", "--json").data["differences"]} == {
        "open"
    }


def test_run_beyond_the_bound_is_approved_once_and_only_while_it_is_the_last(console: Console) -> None:
    """An approval is for what was seen: neither for a run that was not stopped nor for an earlier one."""
    stopped = reconcile(console, YAMAGUCHI, difference(f"{WHO}2"), beyond=350)
    said = console.juki("difference", "approve", "--run", f"R{stopped}", "--json")
    assert (said.code, said.data["beyond_bound"], said.data["approved_by"]) == (0, 350, local_administrator())
    assert console.juki("difference", "approve", "--run", f"R{stopped}").code == 0
    logged = [entry for entry in console.entries() if entry["action"] == Action.BOUND_APPROVED.value]
    assert [(entry["counts"], entry["municipality_code"], entry["change"]) for entry in logged] == [
        ({"changes": 350}, YAMAGUCHI, f"R{stopped}")
    ]
    reconcile(console, YAMAGUCHI, difference(f"{WHO}2"))
    for run, code in (
        (f"R{stopped}", Code.RECONCILIATION_NOTHING_BEYOND),
        (f"R{stopped + 1}", Code.RECONCILIATION_NOTHING_BEYOND),
        ("R99", Code.RECONCILIATION_NOT_FOUND),
    ):
        refused = console.juki("difference", "approve", "--run", run, "--json")
        assert (refused.code, refused.data["error"]["code"]) == (2, code.value)


def test_runs_are_listed_with_what_they_found(console: Console) -> None:
    """Newest first, both files; the numbers are those that can be approved."""
    runs = console.juki("difference", "list", "--runs", "--json").data["reconciliations"]
    assert {(one["number"], one["municipality_code"], one["is_equal"]) for one in runs} == {
        ("R1", UBE, True), ("R2", YAMAGUCHI, False),
    }  # fmt: skip
    assert [one["found"]["extra"] for one in runs if one["number"] == "R2"] == [1]
    text = console.juki("difference", "list", "--runs").out
    assert "一致" in text and "差異あり" in text and "内容相違 1" in text


def test_status_tells_who_is_confirmed_and_who_differs(console: Console) -> None:
    """As of which notice both sides were last equal, with rows and root digest (M11)."""
    channels = {
        (one["municipality_code"], one["file"]): one
        for one in console.juki("status", "--json").data["channels"]
    }
    confirmed = channels[UBE, RESIDENT.value]["confirmed"]
    assert (confirmed["watermark"], confirmed["rows"], confirmed["root_digest"]) == (10, 10, "0" * 64)
    assert channels[UBE, RESIDENT.value]["state"] == "normal"
    assert channels[YAMAGUCHI, RESIDENT.value]["state"] == "different"
    assert channels[YAMAGUCHI, RESIDENT.value]["confirmed"]["open_differences"] == 4
    assert channels[YAMAGUCHI, FUHYO.value]["confirmed"]["as_of"] is None
    assert Code.CHANNEL_DIFFERENCES_OPEN.value in console.juki("status").out


def test_moved_alone_does_not_keep_a_channel_from_being_confirmed(console: Console) -> None:
    """Only a deletion has not come of somebody who is in neither file (ADR-0020)."""
    reconcile(console, YAMAGUCHI, difference(f"{WHO}4", "moved", held_by=UBE))
    channel = next(
        one for one in console.juki("status", "--json").data["channels"]
        if (one["municipality_code"], one["file"]) == (YAMAGUCHI, RESIDENT.value)
    )  # fmt: skip
    assert channel["confirmed"]["watermark"] == 10 and channel["confirmed"]["open_differences"] == 1
