"""`juki medium`: the register of media that data is handed over on (M10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from juki.cli import medium_actions
from juki.cli.acting import operated
from juki.cli.installation import Installation, OneFile, chosen_files, iso, shown
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.reasons_shown import code_lines
from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.media import Medium
from juki.overview.custody import late_first
from juki.package_id import PackageId
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit

app = typer.Typer(
    help="媒体の登録・貸出・返却・廃棄を記録する", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip

_HEADINGS = ("番号", "名前", "種類", "保管場所", "管理者", "状態", "渡した先", "貸出", "返却期限")
Id = Annotated[str, typer.Argument(metavar="ID", help="媒体の番号（R3 または F3 の形）")]
WantedFile = Annotated[IdentityFile, typer.Option("--file", help="どちらのファイルの提供に使うか")]


@app.callback()
def _root() -> None:
    """Keep `medium` a group of commands."""


@app.command("list")
def list_media(
    file: OneFile = None,
    every: Annotated[bool, typer.Option("--all", help="廃棄したものも示す")] = False,
    as_json: AsJson = False,
) -> None:
    """返却期限を過ぎた媒体を期限の古い順に、ほかを番号の順に示す。

    終了コード: 0 返却期限を過ぎたものなし、1 ある、2 誤り。
    """
    installation, now = Installation.open(), datetime.now(UTC)
    found = late_first(media_of(installation, chosen_files(file), every=every), today(now))
    late = [one for one in found if one.is_overdue(today(now))]
    tables = [
        Table("媒体（R 本人確認情報、F 附票本人確認情報）", _HEADINGS, [_row(one, now) for one in found])
    ]
    lines = [f"{len(found):,} 件", *(code_lines(Code.MEDIUM_OVERDUE) if late else [])]
    data = {"media": [described(one, now) for one in found]}
    finish(
        Result(data, tables if found else [], lines, ExitCode.FOUND if late else ExitCode.OK), as_json=as_json
    )


@app.command()
@operated("medium register", "file", "label", "kind", "place", "keeper")
def register(
    file: WantedFile,
    label: Annotated[str, typer.Option(help="媒体に書いた名前（重複しないもの）")],
    kind: Annotated[str, typer.Option(help="種類（USBメモリ、DVD-R など）")],
    place: Annotated[str, typer.Option(help="保管場所（鍵のかかる場所）")],
    keeper: Annotated[str, typer.Option(help="管理者（職名）")],
    as_json: AsJson = False,
) -> None:
    """媒体を登録する。"""
    installation, at = Installation.open(), datetime.now(UTC)
    said = {"label": label, "kind": kind, "place": place, "keeper": keeper}
    _finish(medium_actions.register(installation, file, at, **said), "登録しました", as_json)


@app.command("hand-out")
@operated("medium hand-out", "medium", "to", "due_back")
def hand_out(
    medium: Id,
    to: Annotated[str, typer.Option("--to", help="渡した先（所属と職名）")],
    due_back: Annotated[str, typer.Option("--due-back", metavar="YYYY-MM-DD", help="返却の期限")],
    as_json: AsJson = False,
) -> None:
    """媒体を渡したことを記録する。"""
    installation, at = Installation.open(), datetime.now(UTC)
    changed = medium_actions.hand_out(installation, PackageId.parse(medium), to, due_back, at)
    _finish(changed, "貸出を記録しました", as_json)


@app.command("return")
@operated("medium return", "medium")
def give_back(
    medium: Id,
    place: Annotated[str, typer.Option(help="戻した場所（なければ元の保管場所）")] = "",
    as_json: AsJson = False,
) -> None:
    """媒体が戻ったことを記録する。"""
    installation, at = Installation.open(), datetime.now(UTC)
    changed = medium_actions.give_back(installation, PackageId.parse(medium), place, at)
    _finish(changed, "返却を記録しました", as_json)


@app.command()
@operated("medium retire", "medium")
def retire(
    medium: Id,
    reason: Annotated[str, typer.Option(help="廃棄の方法と理由（操作ログに残る）")],
    as_json: AsJson = False,
) -> None:
    """媒体を廃棄したことを記録する。"""
    installation, at = Installation.open(), datetime.now(UTC)
    changed = medium_actions.retire(installation, PackageId.parse(medium), reason, at)
    _finish(changed, "廃棄を記録しました", as_json)


def media_of(
    installation: Installation, files: Sequence[IdentityFile], *, every: bool = False
) -> list[Medium]:
    """List the media of some stores."""
    found: list[Medium] = []
    for file in files:
        with open_unit(installation.store_url(file), file, Duty.READER) as unit:
            found += unit.media.listed(every=every)
    return found


def today(now: datetime) -> date:
    """Tell the civil date in Japan."""
    return civil_date(now)


def described(one: Medium, now: datetime) -> dict[str, object]:
    """Write a medium for programs."""
    return {
        "id": str(one.medium_id), "label": one.label, "kind": one.kind, "place": one.place, "keeper": one.keeper,
        "state": one.state.value, "state_japanese": one.state.japanese, "handed_to": one.handed_to,
        "handed_out_at": iso(one.handed_out_at),
        "due_back_on": one.due_back_on.isoformat() if one.due_back_on else None,
        "is_overdue": one.is_overdue(today(now)), "overdue_since": iso(one.overdue_since(today(now))),
        "retired_at": iso(one.retired_at),
    }  # fmt: skip


def _row(one: Medium, now: datetime) -> tuple[str, ...]:
    due = one.due_back_on.isoformat() if one.due_back_on else "-"
    return (
        str(one.medium_id), one.label, one.kind, one.place, one.keeper, one.state.japanese, one.handed_to or "-",
        shown(one.handed_out_at), f"{due} 超過" if one.is_overdue(today(now)) else due,
    )  # fmt: skip


def _finish(medium: Medium, said: str, as_json: bool) -> None:
    lines = [f"{medium.medium_id} {medium.label}: {said}。"]
    finish(Result(described(medium, datetime.now(UTC)), [], lines), as_json=as_json)
