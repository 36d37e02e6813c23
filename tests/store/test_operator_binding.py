"""An assertion fits one act and no other: what a second administrator agreed to is what is done."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from juki.columns import IdentityFile
from juki.home import Home
from tests.conftest import Stores
from tests.console import Console
from tests.gateway import TERMINAL, Desk

DAYS_LONG_OVER = ("--valid-from", "2020-01-01", "--valid-to", "2020-01-02")


@pytest.fixture
def open_home(
    tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation without operators."""
    return Console(Home.at(tmp_path / "home"), stores, monkeypatch, capsys)


@pytest.fixture
def desk(open_home: Console, tmp_path: Path) -> Desk:
    """An installation with two administrators."""
    return Desk(open_home, tmp_path)


def refusal_of(console: Console, *arguments: str) -> str:
    """The code a command is refused with."""
    said = console.juki(*arguments, "--json")
    assert said.code == 2, said.out
    return str(said.data["error"]["code"])


def registering(operator: str, role: str) -> list[str]:
    """The words that register an operator."""
    who = ("--name", "職員", "--role", role, "--terminal", TERMINAL, "--reason", "試験")
    return ["operator", "register", operator, *who]


@pytest.mark.parametrize(
    "more", [["--role", "provider"], ["--terminal", "T-77"], ["--valid-to", "2099-12-31"]], ids=str
)
def test_approval_of_an_operator_is_of_these_roles_terminals_and_days(desk: Desk, more: list[str]) -> None:
    """Who agreed to a viewer at one terminal has agreed to nobody else of that id."""
    agreed = "op-9 --name=職員 --role=viewer --terminal=T-01"
    asked = [*registering("op-9", "viewer"), *more]
    assert (
        refusal_of(desk.console, *asked, *desk.two("operator register", agreed)) == "operator.assertion_act"
    )
    wider = [*registering("op-9", "administrator"), *desk.two("operator register", agreed)]
    assert refusal_of(desk.console, *wider) == "operator.assertion_act"
    assert desk.console.juki(*registering("op-9", "viewer"), *desk.two("operator register", agreed)).code == 0


def test_approval_of_a_change_is_of_that_change(desk: Desk) -> None:
    """A new last day agreed to makes nobody an administrator, and is no first day."""
    desk.register("op-9", "viewer")
    agreed = "op-9 --valid-to=2099-12-31"
    changing = ["operator", "change", "op-9", "--reason", "試験"]
    for other in (["--role", "administrator"], ["--valid-from", "2099-12-31"]):
        options = desk.two("operator change", agreed)
        assert refusal_of(desk.console, *changing, *other, *options) == "operator.assertion_act"
    done = desk.console.juki(*changing, "--valid-to", "2099-12-31", *desk.two("operator change", agreed))
    assert done.code == 0


def test_purpose_agreed_to_does_not_become_the_word_that_shows_the_number(desk: Desk) -> None:
    """A purpose of two words is one argument, however it is cut."""
    desk.register("op-5", "provider")
    who = desk.folder / "who.json"
    who.write_text('{"format": "juki-person/1", "resident_code": "00000000001"}', "utf-8")
    who.chmod(0o600)
    meant = "resident_code=00000000001 resident"
    used = desk.one("op-5", "person show", f'{meant} "窓口 照会"', is_personal=True)
    asked = ["person", "show", str(who), "--purpose", "窓口", "--with-number", "照会"]
    assert refusal_of(desk.console, *asked, *used) == "operator.assertion_act"
    joined = desk.one("op-5", "person show", f"{meant} 窓口 照会", is_personal=True)
    asked = ["person", "show", str(who), "--purpose", "窓口 照会"]
    assert refusal_of(desk.console, *asked, *joined) == "operator.assertion_act"
    right = desk.one("op-5", "person show", f'{meant} "窓口 照会"', is_personal=True)
    assert refusal_of(desk.console, *asked, *right) not in ("operator.assertion_act", "")


def test_assertion_for_a_purge_vouches_for_no_clock(desk: Desk) -> None:
    """Nor does one for a dry run erase anything."""
    desk.register("op-5", "provider")
    for agreed, asked in (("", ["--confirm-clock", "x"]), ("", ["--dry-run"]), ("dry-run", [])):
        used = desk.one("op-5", "purge", agreed)
        assert refusal_of(desk.console, "purge", *asked, *used) == "operator.assertion_act"
    said = desk.console.juki("purge", "--confirm-clock", "見た", "--show-target", "--json")
    assert said.data["target"] == "--confirm-clock=見た"


def test_replayed_assertions_make_no_second_signing_key(desk: Desk) -> None:
    """A key is no row: that somebody makes one is noted, and both assertions used, before it is there."""
    keys = desk.console.home.keys
    asked, pair = ["log", "rotate-key"], desk.two("log rotate-key")
    assert desk.console.juki(*asked, *pair).code == 0
    before = sorted(path.name for path in keys.iterdir())
    assert refusal_of(desk.console, *asked, *pair) == "operator.assertion_replayed"
    assert sorted(path.name for path in keys.iterdir()) == before


def test_code_of_a_person_typed_in_a_wrong_place_is_in_no_entry(desk: Desk) -> None:
    """The log is for ever: neither as an index nor as the municipality of a run."""
    desk.register("op-4", "auditor")
    desk.register("op-6", "clerk")
    code = "12345678901"
    search = ["log", "search", "--subject-index", code]
    used = desk.one("op-4", "log search", f"--subject-index={code}")
    assert refusal_of(desk.console, *search, *used) == "command.argument"
    intake = ["intake", "--municipality", code]
    refused = refusal_of(desk.console, *intake, *desk.one("op-6", "intake", code))
    assert refused in ("command.argument", "config.missing", "municipality.unregistered"), refused
    with psycopg.connect(desk.console.stores.url(IdentityFile.RESIDENT)) as connection:
        (found,) = connection.execute("SELECT count(*) FROM journal WHERE entry LIKE %s", (f"%{code}%",))
    assert found == (0,)


def test_approval_of_one_difference_lets_no_whole_run_pass(desk: Desk) -> None:
    """R1 among the differences is not R1 among the reconciliations."""
    desk.register("op-5", "reconciler")
    used = desk.one("op-5", "difference approve", "R1")
    assert refusal_of(desk.console, "difference", "approve", "--run", "R1", *used) == "operator.assertion_act"
    right = desk.one("op-5", "difference approve", "--run=R1")
    assert (
        refusal_of(desk.console, "difference", "approve", "--run", "R1", *right) == "reconciliation.not_found"
    )


def test_installation_does_not_close_with_an_administrator_whose_days_are_over(open_home: Console) -> None:
    """Nobody could ever act again: two who may act today close it."""
    assert open_home.juki(*registering("op-1", "administrator")).code == 0
    late = [*registering("op-2", "administrator"), *DAYS_LONG_OVER]
    assert refusal_of(open_home, *late) == "operator.few_administrators"
    assert open_home.juki(*registering("op-3", "viewer"), *DAYS_LONG_OVER).code == 0
    raised = ["operator", "change", "op-3", "--role", "administrator", "--reason", "試験"]
    assert refusal_of(open_home, *raised) == "operator.few_administrators"
    listed = open_home.juki("operator", "list", "--json").data
    assert not listed["is_authentication_required"] and len(listed["operators"]) == 2
