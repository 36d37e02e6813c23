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
import json
import os
import pwd
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from config.gates import gate_of
from juki.acts.site import Site
from juki.assertions import MAX_TOKEN_BYTES
from juki.cli.installation import Installation
from juki.cli.private_input import STANDARD_INPUT
from juki.columns import IdentityFile
from juki.errors import ConfigurationError, DeniedError
from juki.gate import PASSED, Gate, Presented
from juki.operator_matrix import access_of
from juki.operators import Act, Acting
from juki.reasons import Code

ASSERTION, APPROVAL = "assertion", "approval"
_AssertionFile = Annotated[
    str, typer.Option("--assertion", metavar="FILE", help="操作者の認証結果のファイル（- で標準入力）")
]
_ApprovalFile = Annotated[
    str, typer.Option("--approval", metavar="FILE", help="承認するもう一人の管理者の認証結果のファイル")
]


def acting() -> Acting:
    """Tell who acts: the operator who was let, else the account of the operating system."""
    return PASSED.get() or local_acting()


def site_of(installation: Installation) -> Site:
    """Say where a command acts, and who does."""
    urls = {file: installation.store_url(file) for file in IdentityFile}
    return Site(installation.home, urls, frozenset(installation.municipalities.closed), acting())


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

    `target` names the parameters that say on what; an option whose value could be taken for that of another is
    written `--option` and stands in the target by its name. `starts_run` is for commands whose work is a run's own,
    so that who started it is an entry by itself.
    """
    access = access_of(command)

    def guard(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            files = Presented(kwargs.pop(ASSERTION, ""), kwargs.pop(APPROVAL, ""))
            act = Act(command, target_text(_said(name, kwargs) for name in target), is_personal)
            installation, at = Installation.open(), datetime.now(UTC)
            gate = gate_before(installation)
            if not files.assertion and not gate.is_closed():
                return function(*args, **kwargs)
            who = gate.admit(Presented(_token(files.assertion), _token(files.approval)), act, access, at)
            if starts_run:
                gate.note_start(who, act, at)
            return _acted(lambda: function(*args, **kwargs), who, gate, act)

        return _with_options(guarded, function, needs_second=access.needs_second)

    return guard


def _acted(work: Callable[[], Any], who: Acting, gate: Gate, act: Act) -> Any:
    token = PASSED.set(who)
    try:
        return work()
    except DeniedError as error:
        code, ref = error.code, error.ref
    finally:
        PASSED.reset(token)
    gate.note_replay(who, act, code, datetime.now(UTC))
    raise DeniedError(code, ref)


def gate_before(installation: Installation) -> Gate:
    """Open the gate of an installation, before which the account of this machine stands."""
    return gate_of(installation.home, installation.settings, local_acting())


def target_text(values: Iterable[object]) -> str:
    """Write what a command acts on as an assertion names it: the words of its arguments, what is absent left out.

    A word with a space is written as a JSON string: two words agreed to are never one, nor one two.
    """
    return " ".join(_quoted(word) for value in values for word in _words(value))


def _said(name: str, arguments: Mapping[str, object]) -> object:
    """Let a switch that is on be told by its name, as an option that asks for it: who attests reads what it is."""
    value = arguments[name.removeprefix("--").replace("-", "_")]
    if name.startswith("--"):
        return [f"{name}={word}" for word in _words(value)]
    return name.replace("_", "-") if value is True else value


def _quoted(word: str) -> str:
    return json.dumps(word, ensure_ascii=False) if " " in word or '"' in word else word


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
