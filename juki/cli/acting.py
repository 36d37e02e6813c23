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
from typing import Annotated, Any, NoReturn

import typer

from config.gates import gate_of
from juki.acts.site import Site
from juki.assertions import MAX_TOKEN_BYTES
from juki.cli.installation import Installation
from juki.cli.output import ExitCode, Result, finish
from juki.cli.private_input import STANDARD_INPUT, PrivateDocument
from juki.columns import IdentityFile
from juki.errors import ConfigurationError, DeniedError
from juki.gate import PASSED, Gate, Presented
from juki.operator_matrix import IN_BOTH_STORES, access_of
from juki.operators import Act, Acting
from juki.reasons import Code

ASSERTION, APPROVAL, SHOW_TARGET = "assertion", "approval", "show_target"
_AssertionFile = Annotated[
    str, typer.Option("--assertion", metavar="FILE", help="操作者の認証結果のファイル（- で標準入力）")
]
_ApprovalFile = Annotated[
    str, typer.Option("--approval", metavar="FILE", help="承認するもう一人の管理者の認証結果のファイル")
]
_ShowTarget = Annotated[
    bool, typer.Option("--show-target", help="行わずに、認証装置に示す操作と対象を表示する")
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
    command: str, *target: str, is_begun: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let only an operator use a command, who was authenticated for it and for what it acts on.

    `target` names the parameters that say on what; an option whose value could be taken for that of another is
    written `--option` and stands in the target by its name. A private document among them makes the act personal.
    `is_begun` is for what reaches beyond the database: who does it is an entry by itself, before anything is done.
    """
    access = access_of(command)

    def guard(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            files = Presented(kwargs.pop(ASSERTION, ""), kwargs.pop(APPROVAL, ""))
            if kwargs.pop(SHOW_TARGET, False):
                _show(_act(command, target, kwargs), as_json=bool(kwargs.get("as_json")))
            gate = gate_before(Installation.open())
            if not files.assertion and not gate.is_closed():
                return function(*args, **kwargs)
            # Whoever brings nothing is refused before anything that names a person is read.
            act = _act(command, target, kwargs) if files.assertion else Act(command)
            tokens = Presented(_token(files.assertion), _token(files.approval))
            # The time is taken last: a prompt, or a token on standard input, may have been waited for.
            who = gate.admit(tokens, act, access, datetime.now(UTC))
            if is_begun or is_in_both(command, kwargs):
                gate.note_beginning(who, act, datetime.now(UTC))
            return _acted(lambda: function(*args, **kwargs), who, gate, act)

        return _with_options(guarded, function, needs_second=access.needs_second)

    return guard


def _act(command: str, target: Iterable[str], arguments: Mapping[str, object]) -> Act:
    said = [_said(name, arguments) for name in target]
    is_personal = any(isinstance(_given(name, arguments), PrivateDocument) for name in target)
    return Act(command, target_text(said), is_personal)


def _show(act: Act, *, as_json: bool) -> NoReturn:
    """Say what a gateway is to be shown for an act, and do nothing."""
    about = "対象（人を特定する値。認証装置のほかには見せない）" if act.is_personal else "対象"
    data = {"command": act.command, "target": act.target, "is_personal": act.is_personal}
    finish(Result(data, lines=[f"操作: {act.command}", f"{about}: {act.target}"]), as_json=as_json)


def is_in_both(command: str, arguments: Mapping[str, object]) -> bool:
    """Tell whether a command with these arguments acts in both stores, which have no transaction in common."""
    if command not in IN_BOTH_STORES:
        return False
    named = [*_words(arguments.get("ids")), *_words(arguments.get("run"))]
    if named:
        # R12 is in one of them, F12 in the other.
        return len({one[:1] for one in named}) > 1
    return not arguments.get("file")


def _acted(work: Callable[[], Any], who: Acting, gate: Gate, act: Act) -> Any:
    """Do an act and note its end; one that fails has not used its assertion up, where it wrote nothing."""
    token = PASSED.set(who)
    try:
        done = _ended(work)
        if not isinstance(done, typer.Exit) or done.exit_code != ExitCode.ERROR:
            gate.note_done(who, act, datetime.now(UTC))
    except DeniedError as error:
        code, ref = error.code, error.ref
    else:
        if isinstance(done, typer.Exit):
            raise done
        return done
    finally:
        PASSED.reset(token)
    gate.note_replay(who, act, code, datetime.now(UTC))
    raise DeniedError(code, ref)


def _ended(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except typer.Exit as ended:
        return ended


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
    value = _given(name, arguments)
    if name.startswith("--"):
        words = _words({True: "yes", False: "no"}[value] if isinstance(value, bool) else value)
        return [f"{name}={word}" for word in words]
    return name.replace("_", "-") if value is True else value


def _given(name: str, arguments: Mapping[str, object]) -> object:
    return arguments[name.removeprefix("--").replace("-", "_")]


def _quoted(word: str) -> str:
    return json.dumps(word, ensure_ascii=False) if " " in word or '"' in word else word


def _words(value: object) -> list[str]:
    if value is None or value is False or value == "":
        return []
    if isinstance(value, PrivateDocument):
        return list(value.target_words())
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
    asked: dict[str, Any] = {ASSERTION: _AssertionFile}
    asked |= ({APPROVAL: _ApprovalFile} if needs_second else {}) | {SHOW_TARGET: _ShowTarget}
    own = inspect.signature(function, eval_str=True)
    more = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=False if name == SHOW_TARGET else "",
            annotation=kind,
        )
        for name, kind in asked.items()
    ]
    guarded.__signature__ = own.replace(parameters=[*own.parameters.values(), *more])  # type: ignore[attr-defined]
    guarded.__annotations__ = {**inspect.get_annotations(function, eval_str=True), **asked}
    return guarded
