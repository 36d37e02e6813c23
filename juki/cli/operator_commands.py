"""`juki operator`: the register of operators, what each may do, and how an act is named to the gateway.

Decides:    what is shown of operators and of the matrix, and how the options become what an operator is to be.
Leaves:     the changes to `juki.cli.operator_actions`, the matrix to `juki.operator_matrix`.
Invariants: two administrators are registered before any operator has to prove himself; from then on every change
            here needs two of them.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from juki.cli import operator_actions
from juki.cli.acting import gate_before, operated
from juki.cli.installation import Installation, iso, shown
from juki.cli.operator_actions import Wanted
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.reasons_shown import code_lines
from juki.dates import civil_date
from juki.errors import ConfigurationError
from juki.operator_matrix import MATRIX, Access
from juki.operators import Operator, Role
from juki.reasons import Code

app = typer.Typer(
    help="操作者の登録・変更・停止・削除と、操作ごとの権限", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip

_HEADINGS = ("照合ID", "氏名", "権限（操作者ID）", "端末", "有効期間", "状態")
_ROLE_HELP = "、".join(f"{role.value} {role.japanese}" for role in Role)

Id = Annotated[
    str, typer.Argument(metavar="ID", help="操作者の照合ID（職員番号など。二度と他の人に使えない）")
]
Name = Annotated[str, typer.Option("--name", help="氏名")]
MaybeName = Annotated[str | None, typer.Option("--name", help="氏名")]
Roles = Annotated[list[Role], typer.Option("--role", help=f"権限（繰り返せる）: {_ROLE_HELP}")]
MaybeRoles = Annotated[list[Role] | None, typer.Option("--role", help=f"権限（繰り返せる）: {_ROLE_HELP}")]
Terminals = Annotated[list[str], typer.Option("--terminal", help="使ってよい端末（繰り返せる）")]
MaybeTerminals = Annotated[list[str] | None, typer.Option("--terminal", help="使ってよい端末（繰り返せる）")]
From = Annotated[str, typer.Option("--valid-from", metavar="YYYY-MM-DD", help="有効期間の最初の日")]
To = Annotated[str, typer.Option("--valid-to", metavar="YYYY-MM-DD", help="有効期間の最後の日")]
MaybeTo = Annotated[
    str,
    typer.Option(
        "--valid-to", metavar="YYYY-MM-DD|none", help="有効期間の最後の日（none で、終わりをなくす）"
    ),
]
_ENDLESS = "none"
Reason = Annotated[str, typer.Option(help="そうする理由（操作ログに残る。人を特定する値は書かない）")]


@app.callback()
def _root() -> None:
    """Keep `operator` a group of commands."""


@app.command("list")
def list_operators(as_json: AsJson = False) -> None:
    """操作者を照合IDの順に示す（削除した人も、古い操作ログのために示す）。"""
    installation, now = Installation.open(), datetime.now(UTC)
    found = operator_actions.listed(installation)
    is_closed = gate_before(installation).is_closed()
    lines = [f"{len(found):,} 人", "操作には認証が要ります。" if is_closed else _OPEN]
    rows = [_row(one, civil_date(now)) for one in found]
    data = {
        "operators": [described(one, civil_date(now)) for one in found],
        "is_authentication_required": is_closed,
    }
    finish(Result(data, [Table("操作者", _HEADINGS, rows)] if rows else [], lines), as_json=as_json)


@app.command()
def matrix(as_json: AsJson = False) -> None:
    """どの操作を、どの権限（操作者ID）で行えるかを示す。"""
    rows = [(f"juki {command}", *_cells(access)) for command, access in sorted(MATRIX.items())]
    data = {
        command: {
            "roles": sorted(access.roles),
            "needs_second": access.needs_second,
            "is_open": access.is_open,
        }
        for command, access in sorted(MATRIX.items())
    }
    lines = [
        "◯ 行える、◎ もう一人の管理者の承認を得て行える、公 認証は要らない（人の情報を示さず、変えない）"
    ]
    headings = ("操作", *(role.japanese for role in Role))
    finish(Result({"matrix": data}, [Table("操作と権限", headings, rows)], lines), as_json=as_json)


@app.command("target")
def show_target(
    words: Annotated[
        list[str], typer.Argument(metavar="COMMAND...", help="操作の語（例: difference approve）")
    ],
    as_json: AsJson = False,
) -> None:
    """認証装置に示す操作の名前と、対象の書き方を示す。"""
    command = " ".join(words)
    if command not in MATRIX:
        raise ConfigurationError(Code.COMMAND_ARGUMENT, command if command.isascii() else "COMMAND")
    access = MATRIX[command]
    who = "・".join(role.japanese for role in Role if role in access.roles) or "認証は要りません"
    lines = [
        f"操作: {command}", "対象: 引数（番号・市町村・ファイルなど）をこの順に空白でつないだもの。なければ空",
        "空白を含む語は \"…\" で囲み、取り違えうる指定は --role=clerk の形で書きます。",
        "そのまま写せる形は、行う操作に --show-target を付けると表示されます（操作は行いません）。",
        f"権限: {who}" + ("（もう一人の管理者の承認も要ります）" if access.needs_second else ""),
    ]  # fmt: skip
    data = {"command": command, "roles": sorted(access.roles), "needs_second": access.needs_second}
    finish(Result(data, lines=lines), as_json=as_json)


@app.command()
@operated("operator register", "operator_id", "--name", "--role", "--terminal", "--valid-from", "--valid-to")
def register(
    operator_id: Id, name: Name, role: Roles, terminal: Terminals, reason: Reason, valid_from: From = "",
    valid_to: To = "", as_json: AsJson = False,
) -> None:  # fmt: skip
    """操作者を登録する。"""
    wanted = Wanted(name, role, terminal, _day(valid_from, "--valid-from"), _day(valid_to, "--valid-to"))
    at = datetime.now(UTC)
    _finish(
        operator_actions.register(Installation.open(), operator_id, wanted, reason, at),
        "登録しました",
        as_json,
    )


@app.command()
@operated("operator change", "operator_id", "--name", "--role", "--terminal", "--valid-from", "--valid-to")
def change(
    operator_id: Id, reason: Reason, name: MaybeName = None, role: MaybeRoles = None,
    terminal: MaybeTerminals = None, valid_from: From = "", valid_to: MaybeTo = "", as_json: AsJson = False,
) -> None:  # fmt: skip
    """操作者の氏名・権限・端末・有効期間を変える（指定したものだけが変わる）。"""
    is_endless = valid_to == _ENDLESS
    last = None if is_endless else _day(valid_to, "--valid-to")
    wanted = Wanted(
        name, role or None, terminal or None, _day(valid_from, "--valid-from"), last, is_endless=is_endless
    )
    at = datetime.now(UTC)
    _finish(
        operator_actions.change(Installation.open(), operator_id, wanted, reason, at), "変更しました", as_json
    )


@app.command()
@operated("operator remove", "operator_id")
def remove(operator_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """操作者を削除する（戻せない。名前は古い操作ログのために残る）。"""
    done = operator_actions.remove(Installation.open(), operator_id, reason, datetime.now(UTC))
    _finish(done, "削除しました", as_json)


@app.command()
@operated("operator lock", "operator_id")
def lock(operator_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """操作者をただちに停止する。"""
    done = operator_actions.lock(Installation.open(), operator_id, reason, datetime.now(UTC))
    _finish(done, "停止しました", as_json)


@app.command()
@operated("operator unlock", "operator_id")
def unlock(operator_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """停止した操作者を、また操作できるようにする。"""
    done = operator_actions.unlock(Installation.open(), operator_id, reason, datetime.now(UTC))
    _finish(done, "停止を解きました", as_json)


_OPEN = "管理者が二人登録されるまでは、この機械のアカウントで操作します（操作ログに local-administrator と残る）。"


def described(one: Operator, today: date) -> dict[str, object]:
    """Write an operator for programs."""
    return {
        "id": one.operator_id, "name": one.name, "roles": sorted(one.roles), "terminals": sorted(one.terminals),
        "valid_from": one.valid_from.isoformat(), "valid_to": one.valid_to.isoformat() if one.valid_to else None,
        "failures": one.failures, "locked_at": iso(one.locked_at), "removed_at": iso(one.removed_at),
        "is_active": one.is_active(today),
    }  # fmt: skip


def _row(one: Operator, today: date) -> tuple[str, ...]:
    roles = "・".join(role.japanese for role in Role if role in one.roles)
    days = f"{one.valid_from.isoformat()}〜{one.valid_to.isoformat() if one.valid_to else ''}"
    return one.operator_id, one.name, roles, "・".join(sorted(one.terminals)), days, _state(one, today)


def _state(one: Operator, today: date) -> str:
    if one.removed_at is not None:
        return f"削除 {shown(one.removed_at)}"
    if one.locked_at is not None:
        return f"停止 {shown(one.locked_at)}"
    return "有効" if one.is_active(today) else "期間外"


def _cells(access: Access) -> list[str]:
    if access.is_open:
        return ["公"] * len(Role)
    mark = "◎" if access.needs_second else "◯"
    return [mark if role in access.roles else "-" for role in Role]


def _day(text: str, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        pass
    raise ConfigurationError(Code.COMMAND_ARGUMENT, option)


def _finish(one: Operator, said: str, as_json: bool) -> None:
    today = civil_date(datetime.now(UTC))
    lines = [f"{one.operator_id} {one.name}: {said}。"]
    lines += code_lines(Code.OPERATOR_LOCKED) if one.locked_at else []
    finish(Result(described(one, today), lines=lines, exit_code=ExitCode.OK), as_json=as_json)
