"""Who acts at this command line: an operator with a fresh assertion, once there are operators.

Decides:    that a command which is not open to all takes `--assertion` (and `--approval` where two are needed), is
            refused before it does anything, and that what it does is signed in the log by whom it was let.
Leaves:     the checks to `juki.gate`, which command needs whom to `juki.operator_matrix`.
Invariants: what a command acts on is read from its own arguments, so an assertion fits these and no others; an
            installation without operators is worked by the account of the machine, and the log says so.
Source:     assessment M7, design 7, ADR-0036.
"""

from __future__ import annotations

import inspect
import os
import pwd
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from config.issuers import load_issuers
from juki.assertions import MAX_TOKEN_BYTES, audience_of, verified
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.errors import ConfigurationError, DeniedError
from juki.gate import Gate, Presented
from juki.journal import Action, Entry, Outcome
from juki.operator_matrix import access_of
from juki.operators import Act, Acting
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit

ASSERTION, APPROVAL = "assertion", "approval"
STANDARD_INPUT = "-"
_AssertionFile = Annotated[
    str, typer.Option("--assertion", metavar="FILE", help="操作者の認証結果のファイル（- で標準入力）")
]
_ApprovalFile = Annotated[
    str, typer.Option("--approval", metavar="FILE", help="承認するもう一人の管理者の認証結果のファイル")
]
_current: ContextVar[Acting | None] = ContextVar("acting", default=None)


def acting() -> Acting:
    """Tell who acts: the operator who was let, else the account of the operating system."""
    return _current.get() or local_acting()


def local_administrator() -> str:
    """Name who acts, by the account of the operating system that runs this process."""
    return f"local-administrator:{pwd.getpwuid(os.getuid()).pw_name}"


def local_acting() -> Acting:
    """Say who acts where there are no operators."""
    return Acting(local_administrator(), os.uname().nodename)


def operated(
    command: str, *target: str, is_personal: bool = False, starts_run: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let only an operator use a command, who was authenticated for it and for what it acts on.

    `target` names the parameters that say on what; `starts_run` is for commands whose work is a run's own, so that
    who started it is an entry by itself.
    """
    access = access_of(command)

    def guard(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            files = Presented(kwargs.pop(ASSERTION, ""), kwargs.pop(APPROVAL, ""))
            act = Act(command, target_text(kwargs[name] for name in target), is_personal)
            installation, at = Installation.open(), datetime.now(UTC)
            gate = gate_of(installation)
            if not files.assertion and not gate.is_closed():
                return function(*args, **kwargs)
            presented = Presented(_token(files.assertion), _token(files.approval))
            who = gate.admit(presented, act, access, at)
            return _acted(lambda: function(*args, **kwargs), who, _Passage(gate, act, presented, starts_run))

        return _with_options(guarded, function, needs_second=access.needs_second)

    return guard


class _Passage:
    """What is remembered of an admission while the act is done."""

    def __init__(self, gate: Gate, act: Act, presented: Presented, starts_run: bool) -> None:
        self.gate, self.act, self.presented, self.starts_run = gate, act, presented, starts_run


def _acted(work: Callable[[], Any], who: Acting, passage: _Passage) -> Any:
    token = _current.set(who)
    try:
        if passage.starts_run:
            _note_start(who, passage)
        return work()
    except DeniedError as error:
        code, ref = error.code, error.ref
    finally:
        _current.reset(token)
    # What only the store could see: an assertion used before, an approval of one's own.
    at = datetime.now(UTC)
    first = verified(passage.presented.assertion, passage.gate.issuers, passage.gate.audience, at)
    passage.gate.note_refusal(passage.act, code, at, first)
    raise DeniedError(code, ref)


def _note_start(who: Acting, passage: _Passage) -> None:
    entry = Entry(
        action=Action.RUN_STARTED, file=IdentityFile.RESIDENT, outcome=Outcome.DONE,
        basis=f"{passage.act.command} {passage.act.target}".strip(),
    )  # fmt: skip
    with open_unit(passage.gate.url, IdentityFile.RESIDENT, Duty.ADMINISTRATOR) as unit:
        unit.journal.append(who.signed(entry), datetime.now(UTC))


def gate_of(installation: Installation) -> Gate:
    """Open the gate of an installation."""
    return Gate(
        url=installation.store_url(IdentityFile.RESIDENT),
        issuers=load_issuers(installation.home),
        audience=audience_of(installation.settings.prefecture_code),
        most_failures=installation.settings.operator_failures_most,
        bystander=local_acting(),
    )


def target_text(values: Iterable[object]) -> str:
    """Write what a command acts on as an assertion names it: the words of its arguments, what is absent left out."""
    return " ".join(word for value in values for word in _words(value))


def _words(value: object) -> list[str]:
    if value is None or value is False or value == "":
        return []
    if isinstance(value, list | tuple):
        return [word for one in value for word in _words(one)]
    return [str(value.value if isinstance(value, Enum) else value)]


def _token(file: str) -> str:
    """Read a token: one line of text, never more than a token may have."""
    if not file:
        return ""
    try:
        if file == STANDARD_INPUT:
            return sys.stdin.read(MAX_TOKEN_BYTES + 1).strip()
        with Path(file).open(encoding="ascii") as opened:
            return opened.read(MAX_TOKEN_BYTES + 1).strip()
    except (OSError, UnicodeError):
        pass
    raise ConfigurationError(Code.COMMAND_ARGUMENT, "--assertion, --approval")


def _with_options(
    guarded: Callable[..., Any], function: Callable[..., Any], *, needs_second: bool
) -> Callable[..., Any]:
    """Show the command line the options beside the parameters of the command itself."""
    asked = {ASSERTION: _AssertionFile} | ({APPROVAL: _ApprovalFile} if needs_second else {})
    own = inspect.signature(function, eval_str=True)
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default="", annotation=kind)
        for name, kind in asked.items()
    ]
    guarded.__signature__ = own.replace(parameters=[*own.parameters.values(), *more])  # type: ignore[attr-defined]
    guarded.__annotations__ = {**inspect.get_annotations(function, eval_str=True), **asked}
    return guarded
