"""The register of operators and the gate, through the command line, on real stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from juki.home import Home
from juki.operator_matrix import MATRIX
from tests.conftest import Stores
from tests.console import Console
from tests.gateway import PAIR, TERMINAL, Desk, Gateway, entries, refusal_of, registered_as, state_of

CLERK = "op-7"


@pytest.fixture
def desk(
    tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    """An installation with two administrators and a clerk."""
    home = Home.at(tmp_path / "home")
    made = Desk(Console(home, stores, monkeypatch, capsys), tmp_path)
    made.register(CLERK, "clerk")
    return made


# The words of each command that is not open, with arguments enough to reach the gate.
ARGUMENTS = {
    "package retry": ["R1"], "package release": ["R1", "--reason", "x"], "package close": ["R1", "--reason", "x"],
    "rejection retry": ["R1"], "difference approve": ["R1"], "difference accept": ["R1", "--reason", "x"],
    "request enter": ["-"], "provision rerun": ["R1"], "provision resend": ["R1"], "provision receipt": ["R1"],
    "provision hand-over": ["R1", "--medium", "R1"],
    "medium hand-out": ["R1", "--to", "x", "--due-back", "2030-01-01"],
    "medium register": ["--file", "resident", "--label", "x", "--kind", "x", "--place", "x", "--keeper", "x"],
    "medium return": ["R1"], "medium retire": ["R1", "--reason", "x"], "jlis resend": ["R1", "--reason", "x"],
    "review show": ["1"], "review acknowledge": ["1", "--reason", "x"],
    "jlis close": ["R1", "--reason", "x"], "log export": ["folder"],
    "scanner close": ["R1", "--reason", "x"],
    "operator register": ["op-9", "--name", "x", "--role", "clerk", "--terminal", "T-01", "--reason", "x"],
    "operator change": ["op-9", "--reason", "x"], "operator remove": ["op-9", "--reason", "x"],
    "export": ["--file", "resident", "--to", "x", "--certificate", "x", "--fingerprint", "x", "--reason", "x"],
    "backup": ["--to", "x", "--certificate", "x", "--fingerprint", "x", "--reason", "x"],
    "quality accept": ["20261130", "--reason", "x"],
    "operator lock": ["op-9", "--reason", "x"], "operator unlock": ["op-9", "--reason", "x"],
    "person find": ["-", "--purpose", "x"], "person show": ["-", "--purpose", "x"], "disclosure receive": ["-"],
    "disclosure correction": ["D1"], "disclose": ["D1", "--to", "folder"],
    "disclosure extend": ["D1", "--until", "2030-01-01", "--notified-on", "2030-01-01", "--reason", "x"],
    "disclosure close": ["D1", "--decision", "disclosed", "--reason", "x"],
}  # fmt: skip


def test_no_command_passes_without_an_assertion(desk: Desk) -> None:
    """Every command that is not open is refused before it does anything, and each refusal is in the log."""
    closed = sorted(name for name, access in MATRIX.items() if not access.is_open)
    before = len(entries(desk))
    for command in closed:
        code = refusal_of(desk, *command.split(), *ARGUMENTS.get(command, []))
        assert code == "operator.assertion_missing", command
    written = entries(desk)[before:]
    assert [(one["action"], one["basis"]) for one in written] == [("operator.refused", one) for one in closed]


def test_every_command_says_what_to_show_the_gateway_and_does_nothing(desk: Desk, tmp_path: Path) -> None:
    """By an option of its own; what it says is what an assertion has to say."""
    closed = sorted(name for name, access in MATRIX.items() if not access.is_open)
    who = tmp_path / "who.json"
    who.write_text('{"position": 2, "resident_code": "12345678901", "format": "juki-person/1"}', "utf-8")
    who.chmod(0o600)
    before = len(entries(desk))
    for command in closed:
        arguments = [str(who) if one == "-" else one for one in ARGUMENTS.get(command, [])]
        said = desk.console.juki(*command.split(), *arguments, "--show-target", "--json")
        assert (said.code, said.data["command"]) == (0, command), said.err
        if command in ("person find", "person show", "disclosure receive"):
            assert said.data["is_personal"]
            assert said.data["target"].startswith("resident_code=12345678901 position=2")
    assert len(entries(desk)) == before
    asked = ["operator", "lock", CLERK, "--reason", "x"]
    target = desk.console.juki(*asked, "--show-target", "--json").data["target"]
    assert state_of(desk, CLERK)["is_active"]
    assert desk.console.juki(*asked, *desk.one(PAIR[0], "operator lock", target)).code == 0


def test_installation_without_operators_is_worked_by_the_account_of_the_machine(
    tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until there are two administrators; and the log says so."""
    console = Console(Home.at(tmp_path / "home"), stores, monkeypatch, capsys)
    said = console.juki("medium", "register", *ARGUMENTS["medium register"], "--json")
    assert said.code == 0
    assert not console.juki("operator", "list", "--json").data["is_authentication_required"]


def test_act_of_an_operator_is_signed_with_who_where_and_on_what(desk: Desk) -> None:
    """The log names operator, terminal and assertion, and the two who made him one."""
    registered = entries(desk)[-1]
    assert (registered["action"], registered["operator"]) == ("operator.registered", CLERK)
    assert (registered["actor"], registered["approver"]) == (f"operator:{PAIR[0]}", f"operator:{PAIR[1]}")
    assert registered["terminal"] == TERMINAL
    assert len(registered["assertions"]) == 2
    assert registered["change"].startswith("roles=clerk terminals=T-01 ")
    assert "職員" not in str(entries(desk))


def test_replayed_assertion_does_nothing_twice(desk: Desk) -> None:
    """The same file again is refused by the store, and the act is not done."""
    asked = ["operator", "lock", CLERK, "--reason", "x"]
    used = desk.one(PAIR[0], "operator lock", CLERK)
    assert desk.console.juki(*asked, *used).code == 0
    desk.console.juki("operator", "unlock", CLERK, "--reason", "x", *desk.two("operator unlock", CLERK))
    assert refusal_of(desk, *asked, *used) == "operator.assertion_replayed"
    assert state_of(desk, CLERK)["is_active"]
    last = entries(desk)[-1]
    assert (last["action"], last["code"]) == ("operator.refused", "operator.assertion_replayed")
    assert state_of(desk, PAIR[0])["failures"] == 0


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"target": "op-8"}, "operator.assertion_act"),
        ({"command": "operator remove"}, "operator.assertion_act"),
        ({"amr": ["vein"]}, "operator.assertion_factors"),
        ({"terminal": "T-99"}, "operator.terminal"),
        ({"at": datetime.now(UTC) - timedelta(minutes=10)}, "operator.assertion_expired"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value,
)
def test_wrongly_bound_stale_or_weak_assertion(desk: Desk, claims: dict[str, Any], code: str) -> None:
    """Each is refused before the act, and recorded."""
    command, target = claims.pop("command", "operator lock"), claims.pop("target", CLERK)
    used = desk.one(PAIR[0], command, target, **claims)
    assert refusal_of(desk, "operator", "lock", CLERK, "--reason", "x", *used) == code
    assert state_of(desk, CLERK)["is_active"]
    assert entries(desk)[-1]["code"] == code


def test_token_of_a_forger(desk: Desk) -> None:
    """Nobody is blamed, nobody is locked: a signature that does not hold says nothing of who it was."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    real, desk.gateway = desk.gateway, Gateway(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    used = desk.one(PAIR[0], "operator lock", CLERK)
    desk.gateway = real
    code = refusal_of(desk, "operator", "lock", CLERK, "--reason", "x", *used)
    assert code == "operator.assertion_signature"
    assert entries(desk)[-1]["actor"].startswith("local-administrator:")
    assert state_of(desk, PAIR[0])["failures"] == 0


def test_operator_is_locked_after_too_many_refusals(desk: Desk) -> None:
    """A clerk who tries what is not his is stopped at the fifth time; two administrators let him again."""
    for _ in range(5):
        used = desk.one(CLERK, "operator lock", PAIR[0])
        assert refusal_of(desk, "operator", "lock", PAIR[0], "--reason", "x", *used) == "operator.role"
    assert entries(desk)[-1]["action"] == "operator.locked"
    used = desk.one(CLERK, "package retry", "R1")
    assert refusal_of(desk, "package", "retry", "R1", *used) == "operator.locked"
    desk.console.juki("operator", "unlock", CLERK, "--reason", "x", *desk.two("operator unlock", CLERK))
    used = desk.one(CLERK, "package retry", "R1")
    assert refusal_of(desk, "package", "retry", "R1", *used) == "package.not_found"


def test_failures_are_forgotten_when_an_act_is_let(desk: Desk) -> None:
    """Only refusals in a row lock."""
    refusal_of(desk, "operator", "lock", "x", "--reason", "x", *desk.one(CLERK, "operator lock", "x"))
    assert state_of(desk, CLERK)["failures"] == 1
    refusal_of(desk, "package", "retry", "R1", *desk.one(CLERK, "package retry", "R1"))
    assert state_of(desk, CLERK)["failures"] == 1, "what was not done makes nothing forgotten"
    desk.register("op-8", "auditor")
    refusal_of(desk, "operator", "unlock", "x", "--reason", "x", *desk.one("op-8", "operator lock", "x"))
    failed = state_of(desk, "op-8")["failures"]
    used = desk.one("op-8", "operator lock", CLERK)
    assert desk.console.juki("operator", "lock", CLERK, "--reason", "x", *used).code == 0
    assert (failed, state_of(desk, "op-8")["failures"]) == (1, 0)


def test_self_approval(desk: Desk) -> None:
    """One administrator with two assertions is one person."""
    asked = ["operator", "remove", CLERK, "--reason", "x"]
    twice = [
        *desk.one(PAIR[0], "operator remove", CLERK),
        "--approval",
        desk.file(PAIR[0], "operator remove", CLERK),
    ]
    assert refusal_of(desk, *asked, *twice) == "operator.self_approval"
    alone = desk.one(PAIR[0], "operator remove", CLERK)
    assert refusal_of(desk, *asked, *alone) == "operator.second_missing"
    clerk = [
        *desk.one(PAIR[0], "operator remove", CLERK),
        "--approval",
        desk.file(CLERK, "operator remove", CLERK),
    ]
    assert refusal_of(desk, *asked, *clerk) == "operator.role"
    assert state_of(desk, CLERK)["is_active"]


def test_role_changed_during_a_session(desk: Desk) -> None:
    """An assertion that is still fresh is worth what its operator may do now."""
    used = desk.one(CLERK, "package retry", "R1")
    asked = ["operator", "change", CLERK, "--role", "viewer", "--reason", "x"]
    assert desk.console.juki(*asked, *desk.two("operator change", f"{CLERK} --role=viewer")).code == 0
    assert refusal_of(desk, "package", "retry", "R1", *used) == "operator.role"


def test_removed_operator_acts_no_more_and_is_still_named(desk: Desk) -> None:
    """His row stays for the old entries, his id is given to nobody."""
    used = desk.one(CLERK, "package retry", "R1")
    desk.console.juki("operator", "remove", CLERK, "--reason", "x", *desk.two("operator remove", CLERK))
    assert refusal_of(desk, "package", "retry", "R1", *used) == "operator.not_valid"
    assert state_of(desk, CLERK)["name"] == f"職員{CLERK}"
    again = [
        "operator",
        "register",
        CLERK,
        "--name",
        "x",
        "--role",
        "clerk",
        "--terminal",
        "T-01",
        "--reason",
        "x",
    ]
    assert (
        refusal_of(desk, *again, *desk.two("operator register", registered_as(CLERK, "clerk")))
        == "operator.id_taken"
    )
    changed = ["operator", "change", CLERK, "--name", "x", "--reason", "x"]
    assert refusal_of(desk, *changed, *desk.two("operator change", f"{CLERK} --name=x")) == "operator.state"


def test_name_of_an_operator_is_not_exchanged_with_an_approval_of_nothing(desk: Desk) -> None:
    """Old entries are read by that name: it is agreed to, and the log tells that it is another one."""
    asked = ["operator", "change", CLERK, "--name", "別人", "--reason", "x"]
    assert refusal_of(desk, *asked, *desk.two("operator change", CLERK)) == "operator.assertion_act"
    before = entries(desk)[0:]
    assert desk.console.juki(*asked, *desk.two("operator change", f"{CLERK} --name=別人")).code == 0
    was, became = (one["change"].split("name=")[1] for one in (_registered(before), entries(desk)[-1]))
    assert was != became and len(became) == 32 and "別人" not in str(entries(desk))


def _registered(log: list[dict[str, Any]]) -> dict[str, Any]:
    return next(one for one in log if one["action"] == "operator.registered" and one["operator"] == CLERK)


def test_unknown_operator_is_refused(desk: Desk) -> None:
    """A palm the gateway knows and we do not; and an operator nobody registered can not be changed."""
    assert (
        refusal_of(desk, "package", "retry", "R1", *desk.one("op-99", "package retry", "R1"))
        == "operator.unknown"
    )
    asked = ["operator", "lock", "op-99", "--reason", "x"]
    assert refusal_of(desk, *asked, *desk.one(PAIR[0], "operator lock", "op-99")) == "operator.not_registered"
    asked = ["operator", "unlock", CLERK, "--reason", "x"]
    assert refusal_of(desk, *asked, *desk.two("operator unlock", CLERK)) == "operator.state"


def test_two_administrators_remain(desk: Desk) -> None:
    """The second last can not be removed or made a clerk: nobody could change the register any more."""
    for asked in (["remove", PAIR[1]], ["change", PAIR[1], "--role", "clerk"]):
        command, target = (
            f"operator {asked[0]}",
            " ".join((PAIR[1], *(["--role=clerk"] if asked[2:] else []))),
        )
        code = refusal_of(desk, "operator", *asked, "--reason", "x", *desk.two(command, target))
        assert code == "operator.few_administrators"
    assert state_of(desk, PAIR[1])["roles"] == ["administrator"]


def test_one_person_can_not_lock_everybody_out(desk: Desk) -> None:
    """An auditor may stop an administrator, not the last one; the other one and an auditor let him act again."""
    desk.register("op-8", "auditor")
    asked = ["operator", "lock", PAIR[0], "--reason", "x"]
    assert desk.console.juki(*asked, *desk.one("op-8", "operator lock", PAIR[0])).code == 0
    last = ["operator", "lock", PAIR[1], "--reason", "x"]
    assert (
        refusal_of(desk, *last, *desk.one("op-8", "operator lock", PAIR[1])) == "operator.few_administrators"
    )
    again = ["operator", "unlock", PAIR[0], "--reason", "x"]
    agreed = ["--approval", desk.file("op-8", "operator unlock", PAIR[0])]
    clerk = ["--approval", desk.file(CLERK, "operator unlock", PAIR[0])]
    assert refusal_of(desk, *again, *desk.one(PAIR[1], "operator unlock", PAIR[0]), *clerk) == "operator.role"
    assert desk.console.juki(*again, *desk.one(PAIR[1], "operator unlock", PAIR[0]), *agreed).code == 0
    assert state_of(desk, PAIR[0])["is_active"]


def test_lost_key_file_of_the_gateway_opens_nothing(desk: Desk) -> None:
    """Deleting a file does not turn the authentication off."""
    used = desk.one(PAIR[0], "operator lock", CLERK)
    desk.console.home.issuers_file.unlink()
    assert refusal_of(desk, "operator", "lock", CLERK, "--reason", "x", *used) == "operator.no_issuer"
    assert refusal_of(desk, "operator", "lock", CLERK, "--reason", "x") == "operator.no_issuer"


@pytest.mark.parametrize(
    "keys",
    ['[[key]]\nissuer = "gw-1"\n', "[[key]]\n" * 2, 'key = "x"', "[[key]]\nunknown = 1\n", "nonsense ="],
    ids=str,
)
def test_damaged_registration_of_keys_lets_nobody_act(desk: Desk, keys: str) -> None:
    """What can not be read is an error, never an empty list."""
    used = desk.one(PAIR[0], "operator lock", CLERK)
    desk.console.home.issuers_file.write_text(keys, encoding="utf-8")
    assert refusal_of(desk, "operator", "lock", CLERK, "--reason", "x", *used).startswith("config.")


def test_file_that_is_no_assertion(desk: Desk, tmp_path: Path) -> None:
    """Nothing, something else, or a folder."""
    (tmp_path / "other").write_text("こんにちは", encoding="utf-8")
    asked = ["operator", "lock", CLERK, "--reason", "x", "--assertion"]
    assert refusal_of(desk, *asked, str(tmp_path / "absent")) == "command.argument"
    assert refusal_of(desk, *asked, str(tmp_path / "other")) == "command.argument"
    (tmp_path / "other").write_text("a.b.c", encoding="ascii")
    assert refusal_of(desk, *asked, str(tmp_path / "other")) == "operator.assertion_form"


def test_matrix_and_target_are_shown(desk: Desk) -> None:
    """An operator finds what he may do, and what to show the gateway."""
    shown = desk.console.juki("operator", "matrix", "--json").data["matrix"]
    assert shown["operator remove"] == {"roles": ["administrator"], "needs_second": True, "is_open": False}
    assert desk.console.juki("operator", "target", "difference", "approve", "--json").data["command"]
    assert refusal_of(desk, "operator", "target", "no", "command") == "command.argument"


@pytest.mark.parametrize(
    "wrong",
    [["--name", ""], ["--terminal", "端末"], ["--valid-from", "2026-13-01"], ["--valid-to", "2020-01-01"]],
    ids=str,
)
def test_operator_is_registered_in_good_form_or_not_at_all(desk: Desk, wrong: list[str]) -> None:
    """What is wrong is named by its option."""
    asked = {"--name": "x", "--role": "clerk", "--terminal": "T-01", "--reason": "x", wrong[0]: wrong[1]}
    options = [word for pair in asked.items() for word in pair]
    named = ("--name", "--role", "--terminal", "--valid-from", "--valid-to")
    target = " ".join(("op-9", *(f"{name}={asked[name]}" for name in named if asked.get(name))))
    code = refusal_of(desk, "operator", "register", "op-9", *options, *desk.two("operator register", target))
    assert code == "command.argument"


def test_log_still_names_a_removed_operator(desk: Desk) -> None:
    """Whoever looks into the log later sees who it was and who approved, by the register."""
    desk.register("op-8", "auditor")
    desk.console.juki("operator", "remove", CLERK, "--reason", "x", *desk.two("operator remove", CLERK))
    said = desk.console.juki(
        "log", "search", "--actor", PAIR[0], *desk.one("op-8", "log search", f"--actor={PAIR[0]}")
    )
    assert said.code == 0, said.err
    assert f"{PAIR[0]}（職員{PAIR[0]}） 承認 {PAIR[1]}（職員{PAIR[1]}）" in said.out
    asked = ["log", "search", "--action", "operator.removed", "--json"]
    attested = desk.one("op-8", "log search", "--action=operator.removed")
    assert refusal_of(desk, "log", "search", *attested) == "operator.assertion_act"
    found = desk.console.juki(*asked, *attested).data
    assert found["operators"][PAIR[1]] == f"職員{PAIR[1]}"
    assert found["entries"][0]["operator"] == CLERK
