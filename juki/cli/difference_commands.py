"""`juki difference`: what the files and the municipalities say differently, why, and what is done about it.

Decides:    what is shown of a difference: number, kind, names of columns, state; never who it is, never a value.
Leaves:     what may be decided to `juki.acts.differences`, repairing to `juki reconcile --mode repair`.
Invariants: differences and reconciliations are numbered per store and named `R12` or `F12`, like packages.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from juki.acts.differences import accept as accept_differences
from juki.acts.differences import approve as approve_differences
from juki.acts.differences import approve_run
from juki.acts.differences import propose as propose_repairs
from juki.cli.acting import operated, site_of
from juki.cli.installation import (
    Installation,
    OneFile,
    OneMunicipality,
    checked_municipality,
    chosen_files,
    iso,
    shown,
)
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.reasons_shown import code_lines
from juki.cli.reconciliations_shown import broken_shown, column_shown, kinds_shown
from juki.cli.reconciliations_shown import described as run_described
from juki.columns import IdentityFile
from juki.differences import DifferenceKind, DifferenceState
from juki.errors import ConfigurationError, JukiError
from juki.order import Channel
from juki.package_id import PackageId
from juki.reasons import Code
from juki.store.difference_records import Difference, WantedDifferences
from juki.store.reconciliations import Reconciliation
from juki.store.roles import Duty
from juki.store.unit import open_unit

app = typer.Typer(
    help="市町村の記録との差異を調べる・修復を提案する・承認する・容認する",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ID_HELP = "差異の番号（本人確認情報は R12、附票本人確認情報は F12 の形）"
_HEADINGS = ("番号", "市町村", "種類", "項目", "状態", "最初", "最後", "修復")
_RUN_HEADINGS = ("番号", "市町村", "ファイル", "方法", "時点", "結果", "差異", "修復", "上限超過")

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help=ID_HELP)]
OptionalIds = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help=ID_HELP)]
OneId = Annotated[str, typer.Argument(metavar="ID", help=ID_HELP)]
Kind = Annotated[
    DifferenceKind | None,
    typer.Option(help="種類で絞る: " + "、".join(f"{one.value} {one.japanese}" for one in DifferenceKind)),
]
State = Annotated[
    DifferenceState | None,
    typer.Option(help="状態で絞る: " + "、".join(f"{one.value} {one.japanese}" for one in DifferenceState)),
]
Every = Annotated[bool, typer.Option("--all", help="解消したものも示す")]
Runs = Annotated[bool, typer.Option("--runs", help="差異ではなく、整合処理の記録を示す")]
Run = Annotated[
    str,
    typer.Option("--run", metavar="ID", help="上限を超えて止まった整合処理の番号（件数までの変更を承認）"),
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="何件まで示すか")]
Reason = Annotated[str, typer.Option(help="そうする理由（操作ログに残る。人を特定する値は書かない）")]


@app.callback()
def _root() -> None:
    """Keep `difference` a group of commands."""


@app.command("list")
def list_differences(
    municipality: OneMunicipality = "", file: OneFile = None, kind: Kind = None, state: State = None,
    every: Every = False, runs: Runs = False, limit: Limit = 100, as_json: AsJson = False,
) -> None:  # fmt: skip
    """市町村の記録との差異を、番号の順に示す（--runs で整合処理の記録）。

    終了コード: 0 解消していない差異なし、1 ある、2 誤り。
    """
    code = checked_municipality(municipality)
    installation = Installation.open()
    if runs:
        finish(_runs_result(installation, code, file, limit), as_json=as_json)
        return
    wanted = WantedDifferences(code, kind, state, is_open=not every and state is None, limit=limit + 1)
    found: list[tuple[PackageId, Difference]] = []
    for one in chosen_files(file):
        with open_unit(installation.store_url(one), one, Duty.READER) as unit:
            found += [(PackageId(one, each.difference_id), each) for each in unit.differences.listed(wanted)]
    finish(_list_result(installation, found, limit), as_json=as_json)


@app.command()
def show(difference_id: OneId, as_json: AsJson = False) -> None:
    """一つの差異について記録されたことをすべて示す（個人の値は示さない）。"""
    wanted = PackageId.parse(difference_id)
    installation = Installation.open()
    one = _found(installation, wanted)
    facts = [
        ("市町村", installation.name(one.municipality_code)), ("ファイル", wanted.file.japanese),
        ("種類", one.kind.japanese), ("機構の通報", _report(one)),
        ("項目", "・".join(map(column_shown, one.columns)) or "-"),
        ("状態", one.state.japanese), ("記録のある市町村", installation.name(one.held_by) if one.held_by else "-"),
        ("通知番号", f"{one.watermark} までの状態"), ("最初に見つけた日時", shown(one.first_seen_at)),
        ("最後に見た日時", shown(one.last_seen_at)), ("承認・容認", _decided(one)), ("理由", one.reason or "-"),
        ("当方の版のパッケージ", _package(wanted.file, one.package_id)),
        ("修復のパッケージ", _package(wanted.file, one.repair_package_id)),
        ("操作ログの番号", str(one.entry_no or "-")), ("解消", _settled(one)),
    ]  # fmt: skip
    lines = code_lines(one.code, "修復できない理由: ") if one.code else []
    tables = [Table(f"差異 {wanted}", ("項目", "内容"), facts)]
    finish(Result(_described(installation, wanted, one), tables, lines), as_json=as_json)


@app.command()
@operated("difference propose", "municipality", "file")
def propose(municipality: OneMunicipality = "", file: OneFile = None, as_json: AsJson = False) -> None:
    """修復できる差異について、修復を提案する（承認すると、次の --mode repair の整合処理が行う）。"""
    code = checked_municipality(municipality)
    installation = Installation.open()
    codes = [code] if code else installation.municipalities.codes
    channels = [Channel(each, one) for each in codes for one in chosen_files(file)]
    _finish_decision(
        propose_repairs(site_of(installation), channels, datetime.now(UTC)), "修復を提案しました", as_json
    )


@app.command()
@operated("difference approve", "ids", "--run")
def approve(ids: OptionalIds = None, run: Run = "", as_json: AsJson = False) -> None:
    """差異の修復を承認する。--run では、上限を超えて止まった整合処理の件数までの変更を承認する。"""
    installation, at = Installation.open(), datetime.now(UTC)
    if bool(run) == bool(ids):
        raise ConfigurationError(Code.COMMAND_ARGUMENT, "ID, --run")
    if run:
        wanted = PackageId.parse(run)
        approved = approve_run(site_of(installation), wanted, at)
        said = f"{wanted}: 次の整合処理（--mode repair）で {approved.beyond_bound:,} 件までの変更を承認しました。"
        finish(Result({"run": str(wanted), **run_described(approved)}, [], [said]), as_json=as_json)
        return
    numbers = [PackageId.parse(one) for one in ids or []]
    _finish_decision(approve_differences(site_of(installation), numbers, at), "修復を承認しました", as_json)


@app.command()
@operated("difference accept", "ids")
def accept(ids: Ids, reason: Reason, as_json: AsJson = False) -> None:
    """差異をそのままとする（理由が操作ログに残る。内容が変われば未処理に戻る）。"""
    installation = Installation.open()
    numbers = [PackageId.parse(one) for one in ids]
    accepted = accept_differences(site_of(installation), numbers, reason, datetime.now(UTC))
    _finish_decision(accepted, "そのままとしました", as_json)


def _finish_decision(count: int, said: str, as_json: bool) -> None:
    finish(Result({"changed": count}, [], [f"{count:,} 件: {said}。"], ExitCode.OK), as_json=as_json)


def _found(installation: Installation, wanted: PackageId) -> Difference:
    with open_unit(installation.store_url(wanted.file), wanted.file, Duty.READER) as unit:
        found = unit.differences.by_id(wanted.number)
    if found is None:
        raise JukiError(Code.DIFFERENCE_UNKNOWN, str(wanted))
    return found


def _list_result(installation: Installation, found: list[tuple[PackageId, Difference]], limit: int) -> Result:
    cut = found[:limit]
    is_open = any(one.settled_at is None and one.state is not DifferenceState.ACCEPTED for _, one in found)
    data = {
        "differences": [_described(installation, number, one) for number, one in cut],
        "is_cut": len(found) > limit,
    }
    rows = [
        (
            str(number), installation.name(one.municipality_code), _kind(one),
            "・".join(map(column_shown, one.columns)) or "-", one.state.japanese, shown(one.first_seen_at),
            shown(one.last_seen_at), _package(number.file, one.repair_package_id),
        )
        for number, one in cut
    ]  # fmt: skip
    lines = [f"{len(cut):,} 件" + ("（続きがあります。--limit で増やせます）" if len(found) > limit else "")]
    refused = dict.fromkeys(one.code for _, one in cut if one.code and one.settled_at is None)
    for code in refused:
        lines += code_lines(code, "修復できない理由: ") if code else []
    tables = [Table("差異（R 本人確認情報、F 附票本人確認情報）", _HEADINGS, rows)] if rows else []
    return Result(data, tables, lines, ExitCode.FOUND if is_open else ExitCode.OK)


def _runs_result(installation: Installation, code: str, file: IdentityFile | None, limit: int) -> Result:
    runs: list[Reconciliation] = []
    codes = [code] if code else installation.municipalities.codes
    for one in chosen_files(file):
        with open_unit(installation.store_url(one), one, Duty.READER) as unit:
            runs += [run for each in codes for run in unit.reconciliations.recent(each, limit)]
    runs.sort(key=lambda run: run.requested_at, reverse=True)
    rows = [
        (
            _run_number(run), installation.name(run.channel.municipality_code), run.channel.file.japanese,
            run.mode.japanese, shown(run.as_of or run.requested_at), _verdict(run), kinds_shown(run.found),
            f"{run.repaired or 0:,}", f"{run.beyond_bound:,}" if run.beyond_bound else "-",
        )
        for run in runs[:limit]
    ]  # fmt: skip
    data = {
        "reconciliations": [
            {"number": _run_number(run), "municipality_code": run.channel.municipality_code,
             "file": run.channel.file.value, **run_described(run)}
            for run in runs[:limit]
        ]
    }  # fmt: skip
    tables = [Table("整合処理（R 本人確認情報、F 附票本人確認情報）", _RUN_HEADINGS, rows)] if rows else []
    lines = [
        f"{_run_number(run)} の差異のある人の先方の記録の誤り: {broken_shown(run.broken_counts)}"
        for run in runs[:limit] if run.broken_counts
    ]  # fmt: skip
    return Result(data, tables, [*lines, f"{len(rows):,} 件"])


def _run_number(run: Reconciliation) -> str:
    return str(PackageId(run.channel.file, run.reconciliation_id))


def _verdict(run: Reconciliation) -> str:
    if run.code is not None:
        return run.code.value
    if run.finished_at is None:
        return "実行中"
    return "一致" if run.is_equal else "差異あり"


def _described(installation: Installation, number: PackageId, one: Difference) -> dict[str, object]:
    return {
        "id": str(number), "municipality_code": one.municipality_code,
        "municipality": installation.name(one.municipality_code), "file": number.file.value,
        "kind": one.kind.value, "columns": list(one.columns), "held_by": one.held_by,
        "state": one.state.value, "code": one.code.value if one.code else None, "reason": one.reason,
        "watermark": one.watermark, "first_seen_at": iso(one.first_seen_at),
        "last_seen_at": iso(one.last_seen_at), "approved_by": one.approved_by,
        "repair_package": _package(number.file, one.repair_package_id), "entry_no": one.entry_no,
        "settled_at": iso(one.settled_at), "settled_by": one.settled_by, "jlis_report_no": one.jlis_report_no,
    }  # fmt: skip


def _kind(one: Difference) -> str:
    """Say the kind, and that J-LIS reported it, as no comparison of ours may have seen it."""
    return f"{one.kind.japanese}（機構の通報）" if one.jlis_report_no else one.kind.japanese


def _report(one: Difference) -> str:
    return f"連番 {one.jlis_report_no}" if one.jlis_report_no else "-"


def _package(file: IdentityFile, package_id: int | None) -> str:
    return str(PackageId(file, package_id)) if package_id else "-"


def _decided(one: Difference) -> str:
    return f"{one.approved_by} {shown(one.approved_at)}" if one.approved_by else "-"


_SETTLED_BY = {
    "notice": "後の通知による", "comparison": "後の照合で見られなくなった", "repair": "修復による",
}  # fmt: skip


def _settled(one: Difference) -> str:
    return f"{_SETTLED_BY.get(one.settled_by or '', '')} {shown(one.settled_at)}" if one.settled_at else "-"
