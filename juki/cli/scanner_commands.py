"""`juki scanner`: whether inbound files are scanned, and the infected ones nobody has dealt with (M10)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from config.scanning import scanner_standing
from juki.cli.acting import operated
from juki.cli.installation import Installation, chosen_files, iso, shown
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.reasons_shown import code_lines
from juki.cli.scanner_actions import close_infections, open_infections
from juki.cli.status_lines import standing_lines
from juki.overview.described import described_standing
from juki.package_id import PackageId
from juki.reasons import Code
from juki.scanning import ScannerState

app = typer.Typer(
    help="ウイルス検査の状態と、感染したファイルを調べる", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip

_HEADINGS = ("番号", "拒否", "送り元", "ファイル名")
_Ids = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="juki scanner show の番号（R12、F3）。その番号までを確認済みにする"),
]


@app.callback()
def _root() -> None:
    """Keep `scanner` a group of commands."""


@app.command()
def show(as_json: AsJson = False) -> None:
    """ウイルス検査の状態と、確認済みになっていない感染を示す。

    終了コード: 0 検査していて感染なし（または検査の設定なし）、1 止まっているか感染がある、2 誤り。
    """
    installation = Installation.open()
    standing = scanner_standing(installation.settings, datetime.now(UTC))
    found = {
        str(PackageId(file, one.entry_no)): one
        for file in chosen_files(None)
        for one in open_infections(installation, file)
    }
    rows = [
        (number, shown(one.recorded_at), one.sender or "-", one.file_name) for number, one in found.items()
    ]
    listed = [
        {
            "id": number,
            "refused_at": iso(one.recorded_at),
            "sender": one.sender,
            "file_name": one.file_name,
        }
        for number, one in found.items()
    ]
    lines = [*standing_lines(standing), *(code_lines(Code.INFECTION_OPEN) if found else [])]
    is_troubled = bool(found) or standing.state is ScannerState.STOPPED
    finish(
        Result(
            described_standing(standing) | {"infections": listed},
            [Table("感染のため拒否したファイル", _HEADINGS, rows)] if rows else [],
            lines,
            ExitCode.FOUND if is_troubled else ExitCode.OK,
        ),
        as_json=as_json,
    )


@app.command()
@operated("scanner close", "ids")
def close(
    ids: _Ids,
    reason: Annotated[str, typer.Option(help="経緯と、したこと（操作ログに残る）")],
    as_json: AsJson = False,
) -> None:
    """感染したファイルを、見た番号まで確認済みにする。隔離したファイルはそのまま残る。"""
    installation, at = Installation.open(), datetime.now(UTC)
    closed = dict.fromkeys((file.value for file in chosen_files(None)), 0)
    for one in map(PackageId.parse, ids):
        closed[one.file.value] += close_infections(installation, one, reason, at)
    total = sum(closed.values())
    said = (
        f"{total:,} 件を確認済みにしました。"
        if total
        else "確認済みにするものはありません。何も変えていません。"
    )
    finish(Result({"closed": closed}, [], [said]), as_json=as_json)
