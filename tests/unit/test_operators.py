"""Who may do what: operators, their roles and days, the matrix of commands, and the one who approves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.metadata import EntryPoint
from typing import Any

import pytest
import typer

from juki.cli.app import BUILT_IN, PLUG_IN_GROUP, _app_of, plugged_in
from juki.columns import IdentityFile
from juki.errors import ConfigurationError
from juki.journal import Action, Entry, Outcome
from juki.operator_matrix import MATRIX, SYSTEM, access_of
from juki.operators import (
    Assertion,
    Operator,
    Role,
    acting_as,
    checked_operator_id,
    counts_as_failure,
    refusal,
    refusal_of_second,
)
from juki.reasons import Code
from tests.operator_oracle import CELLS, OPEN, ROLES, roles_of, seconds_of
from tests.operator_oracle import SYSTEM as SYSTEM_BY_HAND

TODAY, NOW = date(2026, 12, 1), datetime(2026, 12, 1, tzinfo=UTC)
OPERATOR = Operator(
    "op-7", "試験 花子", frozenset({Role.CLERK}), frozenset({"T-01"}), date(2026, 4, 1), date(2027, 3, 31)
)
ASSERTION = Assertion("gw-1", "op-7", "j" * 22, frozenset({"vein", "otp"}), "x", "", "T-01", NOW, NOW)
CLERKS = frozenset({Role.CLERK})


def _commands() -> dict[str, Any]:
    """Every command of the command line by its words, with the names of its parameters."""
    found = {}
    for one in (*BUILT_IN, *plugged_in()):
        target = EntryPoint(one.name, one.target, PLUG_IN_GROUP).load()
        made = typer.main.get_command(target if isinstance(target, typer.Typer) else _app_of(target))
        below = getattr(made, "commands", None)
        if below is not None and made.invoke_without_command:
            found[one.name] = {parameter.name for parameter in made.params}
        for name, command in (below or {"": made}).items():
            found[f"{one.name} {name}".strip()] = {parameter.name for parameter in command.params}
    return found


COMMANDS = _commands()


def test_every_command_is_in_the_matrix_and_nothing_else() -> None:
    """A command without a row could be used by anybody or by nobody; a row without a command says nothing."""
    assert set(MATRIX) == set(COMMANDS)


@pytest.mark.parametrize("command", sorted(MATRIX))
def test_command_asks_for_what_its_row_demands(command: str) -> None:
    """Who has to prove himself is asked for it, by the command itself."""
    access = MATRIX[command]
    assert ("assertion" in COMMANDS[command]) == (not access.is_open)
    assert ("approval" in COMMANDS[command]) == access.needs_second


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("command", sorted(CELLS))
def test_every_cell_of_the_matrix(command: str, role: Role) -> None:
    """An operator with one role is let exactly where the table written by hand says so."""
    operator = replace(OPERATOR, roles=frozenset({role}))
    code = refusal(operator, ASSERTION, access_of(command).roles, TODAY)
    assert code is (None if role.value in roles_of(command) else Code.OPERATOR_ROLE)


@pytest.mark.parametrize("command", sorted(CELLS))
@pytest.mark.parametrize("role", list(Role))
def test_every_cell_of_who_agrees(command: str, role: Role) -> None:
    """Where two are needed the second has a role of the table written by hand; elsewhere nobody is asked."""
    access, wanted = access_of(command), seconds_of(command)
    assert access.needs_second == bool(wanted)
    operator = replace(OPERATOR, roles=frozenset({role}))
    if wanted:
        code = refusal(operator, ASSERTION, access.seconds, TODAY)
        assert code is (None if role.value in wanted else Code.OPERATOR_ROLE)


def test_every_command_is_in_the_table_written_by_hand() -> None:
    """A command is added there with the reason of each cell, and what needs no operator is named as that."""
    assert set(CELLS) | OPEN == set(COMMANDS) and not set(CELLS) & OPEN
    assert {name for name in COMMANDS if access_of(name).is_open} == OPEN
    assert {role.value for role in Role} == set(ROLES)


def test_the_clock_may_what_the_table_written_by_hand_says() -> None:
    """One act more for scheduled runs is a decision."""
    assert SYSTEM == SYSTEM_BY_HAND


def test_what_copies_or_makes_operators_needs_two() -> None:
    """Nobody can copy a file, or make himself an administrator, alone (M10)."""
    alone = {name for name, access in MATRIX.items() if not access.needs_second}
    words = ("export", "backup", "operator register", "operator change", "operator unlock", "operator remove")
    kept = {"log export"}
    assert not {name for name in alone - kept if any(word in name for word in words)}


def test_the_system_may_little() -> None:
    """What runs by the clock neither approves, releases nor sends again, copies nothing and makes no operators."""
    words = ("approve", "release", "resend", "copy", "export", "backup", "operator", "person")
    assert not [act for act in SYSTEM if any(word in act for word in words)]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, None),
        ({"locked_at": NOW}, Code.OPERATOR_LOCKED),
        ({"removed_at": NOW}, Code.OPERATOR_NOT_VALID),
        ({"valid_from": date(2026, 12, 2)}, Code.OPERATOR_NOT_VALID),
        ({"valid_from": TODAY}, None),
        ({"valid_to": date(2026, 11, 30)}, Code.OPERATOR_NOT_VALID),
        ({"valid_to": TODAY}, None),
        ({"valid_to": None}, None),
        ({"terminals": frozenset({"T-02"})}, Code.OPERATOR_TERMINAL),
        ({"roles": frozenset({Role.VIEWER, Role.AUDITOR})}, Code.OPERATOR_ROLE),
        ({"roles": frozenset({Role.VIEWER, Role.CLERK})}, None),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
)  # fmt: skip
def test_operator_is_let_on_his_days_at_his_terminals(changed: dict[str, Any], code: Code | None) -> None:
    """Each thing that stands against an operator, alone, on its first and last day."""
    assert refusal(replace(OPERATOR, **changed), ASSERTION, CLERKS, TODAY) is code


def test_nobody_unknown_is_let() -> None:
    """A palm the gateway knows is not yet an operator of ours."""
    assert refusal(None, ASSERTION, CLERKS, TODAY) is Code.OPERATOR_UNKNOWN


def test_nobody_approves_himself() -> None:
    """Neither with a second palm reading nor with the same one again."""
    second = replace(ASSERTION, operator_id="op-8", jti="k" * 22)
    assert refusal_of_second(ASSERTION, second) is None
    for same in (replace(second, operator_id="op-7"), replace(second, jti=ASSERTION.jti)):
        assert refusal_of_second(ASSERTION, same) is Code.OPERATOR_SELF_APPROVAL


def test_refusals_that_say_nothing_of_misuse_lock_nobody() -> None:
    """Whoever is not there to act can not be locked, nor anybody by an assertion of his that others found."""
    assert not counts_as_failure(Code.OPERATOR_UNKNOWN)
    assert not counts_as_failure(Code.OPERATOR_ASSERTION_REPLAYED)
    assert not counts_as_failure(Code.OPERATOR_ASSERTION_EXPIRED)
    assert counts_as_failure(Code.OPERATOR_ROLE)
    assert counts_as_failure(Code.OPERATOR_ASSERTION_FACTORS)


def test_entry_names_who_acts_and_who_approves() -> None:
    """An entry carries both operators and both assertions, the terminal, and no name of a person."""
    second = replace(ASSERTION, operator_id="op-8", jti="k" * 22)
    acting = acting_as(OPERATOR, ASSERTION, "act", second)
    entry = acting.signed(Entry(Action.LOG_SEARCHED, IdentityFile.RESIDENT, Outcome.DONE))
    assert (entry.actor, entry.approver, entry.terminal) == ("operator:op-7", "operator:op-8", "T-01")
    assert entry.authentication is not None
    assert entry.authentication.assertions == ("j" * 22, "k" * 22)
    assert acting.operator_id == "op-7"


@pytest.mark.parametrize("text", ["", "-a", "op 7", "氏名", "x" * 41, "12345678901", "1-2345-6789-01"])
def test_id_that_is_none_or_could_be_a_number_of_a_person(text: str) -> None:
    """An id goes into the log: it may not be able to name a resident."""
    with pytest.raises(ConfigurationError):
        checked_operator_id(text, "ID")
