"""`juki jlis`: what J-LIS was told and has answered; have a package delivered again.

Decides:    what is shown: numbers of packages and updates, states, codes and digests; never who, never a value.
Leaves:     the words to `juki.cli.jlis_shown`, what may be done to `juki.cli.jlis_actions`.
Invariants: packages and files are numbered per store and named `R12` or `F12`, like packages of municipalities.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from juki.cli.acting import operated
from juki.cli.installation import Installation, OneFile, chosen_files, shown, shown_briefly
from juki.cli.jlis_actions import close_message
from juki.cli.jlis_actions import resend as resend_package
from juki.cli.jlis_shown import described_message, described_package
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.reasons_shown import code_lines
from juki.columns import IdentityFile
from juki.jlis import JlisState, MessageState
from juki.package_id import PackageId
from juki.store.jlis_messages import JlisMessages, MessageRecord
from juki.store.jlis_packages import JlisPackage, JlisPackages
from juki.store.roles import Duty
from juki.store.unit import open_unit

app = typer.Typer(
    help="機構（J-LIS）への通知を調べる・届け直す",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ID_HELP = "番号（本人確認情報は R12、附票本人確認情報は F12 の形）"
_HEADINGS = ("番号", "更新", "件数", "状態", "送付\n回数", "作成", "最後の送付", "回答", "コード")
_MESSAGE_HEADINGS = ("番号", "種類", "連番", "状態", "受信", "コード", "確認")

Id = Annotated[str, typer.Argument(metavar="ID", help=ID_HELP)]
State = Annotated[
    JlisState | None,
    typer.Option(help="状態で絞る: " + "、".join(f"{one.value} {one.japanese}" for one in JlisState)),
]
Messages = Annotated[bool, typer.Option("--messages", help="機構から届いたファイルを示す")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="新しいものから何件まで示すか")]
Reason = Annotated[str, typer.Option(help="そうする理由（操作ログに残る。人を特定する値は書かない）")]


@app.callback()
def _root() -> None:
    """Keep `jlis` a group of commands."""


@app.command("list")
def list_packages(
    file: OneFile = None, state: State = None, messages: Messages = False, limit: Limit = 50, as_json: AsJson = False
) -> None:  # fmt: skip
    """機構に通知したパッケージを新しい順に示す（--messages で機構から届いたもの）。

    終了コード: 0 拒まれたものなし、1 ある、2 誤り。
    """
    installation = Installation.open()
    if messages:
        finish(_messages_result(installation, file, limit), as_json=as_json)
    found = list[tuple[PackageId, JlisPackage]]()
    for one in chosen_files(file):
        with open_unit(installation.store_url(one), one, Duty.READER) as unit:
            listed = JlisPackages(one, unit.connection).listed(state, limit)
        found += [(PackageId(one, each.sequence), each) for each in listed]
    now = datetime.now(UTC)
    rows = [_row(number, one, now) for number, one in found]
    data = {"packages": [described_package(number, one) for number, one in found]}
    tables = [Table("機構への通知（R 本人確認情報、F 附票本人確認情報）", _HEADINGS, rows)] if rows else []
    has_refused = any(one.code for _, one in found)
    lines = [f"{len(rows):,} 件"]
    finish(Result(data, tables, lines, ExitCode.FOUND if has_refused else ExitCode.OK), as_json=as_json)


@app.command()
def show(package_id: Id, as_json: AsJson = False) -> None:
    """一つのパッケージについて記録されたことをすべて示す（個人の値は示さない）。"""
    wanted, installation = PackageId.parse(package_id), Installation.open()
    with open_unit(installation.store_url(wanted.file), wanted.file, Duty.READER) as unit:
        one = JlisPackages(wanted.file, unit.connection).by_sequence(wanted.number)
    facts = [
        ("ファイル", wanted.file.japanese), ("連番", str(one.sequence)),
        ("更新番号", f"{one.first_update_no}〜{one.last_update_no}"), ("件数", f"{one.records:,} 件"),
        ("復号できない個人番号", f"{one.unopened:,} 件"), ("内容の SHA-256", one.content_sha256),
        ("ファイルの SHA-256", one.file_sha256), ("状態", one.state.japanese),
        ("送付回数", str(one.attempts)), ("作成", shown(one.created_at)), ("最初の送付", shown(one.delivered_at)),
        ("最後の送付", shown(one.last_delivered_at)), ("回答", shown(one.answered_at)),
        ("機構の示した理由", one.their_code or "-"),
    ]  # fmt: skip
    lines = code_lines(one.code) if one.code else []
    tables = [Table(f"機構への通知 {wanted}", ("項目", "内容"), facts)]
    finish(Result(described_package(wanted, one), tables, lines), as_json=as_json)


@app.command()
@operated("jlis resend", "package_id")
def resend(package_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """受領が確認されていないパッケージを、次の実行で、同じ番号・同じ内容で届け直す。"""
    wanted, installation = PackageId.parse(package_id), Installation.open()
    has_changed = resend_package(installation, wanted, reason, datetime.now(UTC))
    said = "次の実行で届け直します" if has_changed else "すでに送付を待っています"
    line = f"{wanted}: {said}。"
    finish(Result({"id": str(wanted), "has_changed": has_changed}, lines=[line]), as_json=as_json)


@app.command()
@operated("jlis close", "message_id")
def close(message_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """拒否した、機構からのものとして届いたファイルを確認済みにする（ファイルは残す）。"""
    wanted, installation = PackageId.parse(message_id), Installation.open()
    close_message(installation, wanted, reason, datetime.now(UTC))
    finish(Result({"id": str(wanted)}, lines=[f"{wanted}: 確認済みにしました。"]), as_json=as_json)


def _row(number: PackageId, one: JlisPackage, now: datetime) -> tuple[str, ...]:
    return (
        str(number), f"{one.first_update_no}〜{one.last_update_no}", f"{one.records:,}", one.state.japanese,
        str(one.attempts), shown_briefly(one.created_at, now), shown_briefly(one.last_delivered_at, now),
        shown_briefly(one.answered_at, now), one.code.value if one.code else "",
    )  # fmt: skip


def _messages_result(installation: Installation, file: IdentityFile | None, limit: int) -> Result:
    found = list[tuple[PackageId, MessageRecord]]()
    for one in chosen_files(file):
        with open_unit(installation.store_url(one), one, Duty.READER) as unit:
            listed = JlisMessages(one, unit.connection).listed(limit)
        found += [(PackageId(one, each.message_id), each) for each in listed]
    now = datetime.now(UTC)
    rows = [
        (
            str(number), one.kind.japanese, str(one.sequence), one.state.japanese,
            shown_briefly(one.received_at, now), one.code.value if one.code else "", shown_briefly(one.seen_at, now),
        )
        for number, one in found
    ]  # fmt: skip
    open_ones = [one for _, one in found if one.state is MessageState.REFUSED and one.seen_at is None]
    lines = [f"{len(rows):,} 件"]
    for code in dict.fromkeys(one.code for one in open_ones if one.code):
        lines += code_lines(code)
    data = {"messages": [described_message(number, one) for number, one in found]}
    title = "機構から届いたもの（R 本人確認情報、F 附票本人確認情報）"
    tables = [Table(title, _MESSAGE_HEADINGS, rows)] if rows else []
    return Result(data, tables, lines, ExitCode.FOUND if open_ones else ExitCode.OK)
