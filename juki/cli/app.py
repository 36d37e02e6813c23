"""The `juki` command: which commands there are, each imported only when it is called.

Decides:    the names of the commands and what one line of help says of each.
Leaves:     commands that run flows to the entry points `juki.commands`: the core knows no orchestrator
            (ADR-0001). The language of help to `juki.cli.language`.
Invariants: `juki --help` imports no command. An error ends with exit code 2 and no traceback.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

import typer

from juki.cli.language import command_of
from juki.cli.output import JSON_OPTION, show_error
from juki.errors import JukiError
from juki.home import close_to_others
from juki.reasons import Code

PLUG_IN_GROUP = "juki.commands"


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command by name: where it is (`module:attribute`, a function or a Typer app) and what it does."""

    name: str
    target: str
    summary: str


BUILT_IN = (
    LazyCommand(
        "init", "juki.cli.setup_commands:init", "鍵・データベース・設定を用意する（繰り返してもよい）"
    ),
    LazyCommand("stop", "juki.cli.setup_commands:stop", "組込みの PostgreSQL を止める"),
    LazyCommand("config", "juki.cli.config_command:app", "設定を表示する"),
    LazyCommand("status", "juki.cli.status_command:status", "受入の状態と、次にすることを示す"),
    LazyCommand(
        "doctor",
        "juki.cli.doctor_command:doctor",
        "鍵・権限・時計・空き・証明書の期限・データベースの役割を調べる",
    ),
    LazyCommand(
        "package", "juki.cli.package_commands:app", "パッケージを調べる・再試行する・解除する・確認済みにする"
    ),
    LazyCommand(
        "rejection", "juki.cli.rejection_commands:app", "拒否・注意となったレコードを調べる・再判定する"
    ),
    LazyCommand(
        "difference", "juki.cli.difference_commands:app", "市町村の記録との差異を調べる・修復を承認する"
    ),
    LazyCommand("basis", "juki.cli.basis_commands:app", "提供・移転の根拠（別表・条例など）を調べる"),
    LazyCommand("recipient", "juki.cli.recipient_commands:app", "登録した提供先と、その使える根拠を調べる"),
    LazyCommand("request", "juki.cli.request_commands:app", "提供先の要求を紙から入力する・一覧する"),
    LazyCommand(
        "provision",
        "juki.cli.provision_commands:app",
        "提供・移転を調べる・答え直す・再送する・受領を記録する",
    ),
    LazyCommand("hold", "juki.cli.hold_commands:app", "提供のために一時保存しているものと期限を示す"),
    LazyCommand("purge", "juki.cli.hold_commands:purge", "期限の来た一時保存を消去し、証拠を残す"),
    LazyCommand("medium", "juki.cli.medium_commands:app", "媒体の登録・貸出・返却・廃棄を記録する"),
    LazyCommand("scanner", "juki.cli.scanner_commands:app", "ウイルス検査の状態と、感染したファイルを調べる"),
    LazyCommand("jlis", "juki.cli.jlis_commands:app", "機構（J-LIS）への通知を調べる・届け直す"),
    LazyCommand(
        "operator", "juki.cli.operator_commands:app", "操作者の登録・変更・停止・削除と、操作ごとの権限"
    ),
    LazyCommand(
        "export",
        "juki.cli.copy_commands:export",
        "保存しているレコードの写しを、証明書に封緘して取り出す（管理者二人）",
    ),
    LazyCommand(
        "backup", "juki.cli.copy_commands:backup", "データベースの写しを、証明書に封緘して取る（管理者二人）"
    ),
    LazyCommand("person", "juki.cli.person_commands:app", "人を探す・一人の現在の記録と履歴を見る"),
    LazyCommand(
        "disclosure", "juki.cli.disclosure_commands:app", "開示の請求・訂正の申出を受け付け、期限まで追う"
    ),
    LazyCommand("disclose", "juki.cli.disclose_command:disclose", "本人に開示する書面を作る（HTML と PDF）"),
    LazyCommand("log", "juki.cli.log_commands:app", "操作ログを検証する・署名する・調べる・書き出す"),
    LazyCommand("review", "juki.cli.review_commands:app", "操作ログの点検と、その指摘を示す・確認済みにする"),
)
"""The commands of the core. A new one is one line here; its module is imported when it is called."""

_PASS_ALL_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": list[str]()}


def main() -> None:
    """Run the command line of this process and exit with 0, 1 (found something) or 2 (error)."""
    close_to_others()
    try:
        command_of(build_app())()
    except JukiError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - the one place where what nobody foresaw is made harmless
        failure = JukiError(Code.RUN_UNEXPECTED, type(error).__name__)
    sys.exit(show_error(failure, as_json=JSON_OPTION in sys.argv))


def build_app() -> typer.Typer:
    """Assemble the commands of the core and those plugged in from outside."""
    app = typer.Typer(
        help="住民基本台帳ネットワークの都道府県側: 本人確認情報の受入・保存・照合・提供・消去",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root)
    for command in (*BUILT_IN, *plugged_in()):
        _add(app, command)
    return app


def plugged_in() -> list[LazyCommand]:
    """List the commands other packages offer, with the summary read from their source, not imported."""
    entries = sorted(entry_points(group=PLUG_IN_GROUP), key=lambda entry: entry.name)
    return [LazyCommand(entry.name, entry.value, _summary(entry)) for entry in entries]


def _root() -> None:
    """Keep `juki` a group of commands, however few there are."""


def _add(app: typer.Typer, command: LazyCommand) -> None:
    @app.command(command.name, help=command.summary, context_settings=_PASS_ALL_ON)
    def call(context: typer.Context) -> None:
        target = EntryPoint(command.name, command.target, PLUG_IN_GROUP).load()
        if not isinstance(target, typer.Typer):
            target = _app_of(target)
        command_of(target)(args=context.args, prog_name=f"juki {command.name}")


def _app_of(function: object) -> typer.Typer:
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(function)  # type: ignore[type-var]
    return app


def _summary(entry: EntryPoint) -> str:
    """Read the first line of the docstring of a function, or the help of a group; nothing when there is none."""
    try:
        spec = find_spec(entry.module)
    except ModuleNotFoundError:
        return ""
    if spec is None or spec.origin is None:
        return ""
    for node in ast.parse(Path(spec.origin).read_bytes()).body:
        if isinstance(node, ast.FunctionDef) and node.name == entry.attr:
            return (ast.get_docstring(node) or "").split("\n")[0]
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _names(node, entry.attr):
            return next((_text(word.value) for word in node.value.keywords if word.arg == "help"), "")
    return ""


def _names(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""
