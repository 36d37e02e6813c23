"""`juki hold list`, `juki purge`, and what `juki provision` may do with a hold: resend, receipt, hand-over.

Decides:    what is printed of holds and of a purge, and the exit codes.
Leaves:     the acts to `juki.cli.hold_actions`; the group `provision` to its own module, which calls `hang_into`.
Invariants: provisions by number, recipients by code, counts: nothing of a person.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from juki.cli.acting import operated
from juki.cli.hold_actions import custody_of, hand_over_on, holds_of, run_purge
from juki.cli.installation import Installation, OneFile, chosen_files, explained, iso, shown
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.reasons_shown import code_lines
from juki.custody.expiring import ExpirySummary
from juki.custody.handing_over import note_receipt, resend
from juki.custody.purging import PurgeSummary
from juki.holds import Hold
from juki.package_id import PackageId
from juki.reasons import Code

app = typer.Typer(
    help="提供のために一時保存しているものと期限を示す", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip

_HEADINGS = ("提供", "提供先", "状態", "個人番号", "封緘", "送付", "受領", "再送", "期限", "消去")
Id = Annotated[
    str, typer.Argument(metavar="ID", help="提供の番号（本人確認情報は R12、附票本人確認情報は F12 の形）")
]


@app.callback()
def _root() -> None:
    """Keep `hold` a group of commands."""


@app.command("list")
def list_holds(
    file: OneFile = None,
    every: Annotated[bool, typer.Option("--all", help="消去したものも示す")] = False,
    as_json: AsJson = False,
) -> None:
    """一時保存しているものを、期限の早い順に示す。

    終了コード: 0 期限を過ぎたものなし、1 猶予を過ぎても消去されていないものがある、2 誤り。
    """
    installation, now = Installation.open(), datetime.now(UTC)
    grace = timedelta(minutes=installation.settings.purge_grace_minutes)
    found = holds_of(installation, chosen_files(file), every=every)
    late = any(hold.is_overdue(now, grace) for hold in found)
    lines = [f"{len(found):,} 件", *(code_lines(Code.HOLD_OVERDUE) if late else [])]
    data = {"holds": [described(hold, now, grace) for hold in found]}
    finish(
        Result(data, _table("一時保存", found), lines, ExitCode.FOUND if late else ExitCode.OK),
        as_json=as_json,
    )


@operated("purge", "dry_run", "--confirm-clock", is_begun=True)
def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="消去せずに、消去されるものを示す")] = False,
    confirm_clock: Annotated[
        str, typer.Option(metavar="REASON", help="時計が正しいことを確かめた理由（操作ログに残り、この一回に限る）")
    ] = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """期限の来た一時保存（鍵・個人番号・封緘済みファイル）と、150年の保存期間を過ぎた記録を消去し、証拠を操作ログに残す

    終了コード: 0 すべて消去した（または何もない）、1 消去されていないものがある、2 時計が疑わしい・誤り。
    """
    installation = Installation.open()
    summary, records = run_purge(installation, is_dry=dry_run, confirmed_because=confirm_clock)
    grace = timedelta(minutes=installation.settings.purge_grace_minutes)
    finish(_purge_result(summary, records, grace, is_dry=dry_run), as_json=as_json)


@operated("provision resend", "provision", is_begun=True)
def resend_provision(provision: Id, as_json: AsJson = False) -> None:
    """送付した提供を、同じファイルのまま再送する（一時保存の期限は延びない）。"""
    hold = resend(custody_of(Installation.open()), PackageId.parse(provision))
    lines = [f"{hold.provision} {hold.file_name}: 再送しました。期限 {shown(hold.due_at)} は変わりません。"]
    finish(_one(hold, lines), as_json=as_json)


@operated("provision receipt", "provision")
def receipt_provision(provision: Id, as_json: AsJson = False) -> None:
    """提供先が受領したことを記録する（一時保存の期限が早まることがある）。"""
    custody = custody_of(Installation.open())
    hold, has_changed = note_receipt(custody, PackageId.parse(provision), custody.now())
    said = "受領を記録しました" if has_changed else "受領は記録済みです"
    finish(_one(hold, [f"{hold.provision}: {said}。期限 {shown(hold.due_at)}。"]), as_json=as_json)


@operated("provision hand-over", "provision", "medium")
def hand_over_provision(
    provision: Id,
    medium: Annotated[str, typer.Option("--medium", metavar="ID", help="登録した媒体の番号（R3 または F3 の形）")],
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """送付した提供を、どの媒体で渡したかを記録する。"""
    custody = custody_of(Installation.open())
    hold, used = hand_over_on(custody, PackageId.parse(provision), PackageId.parse(medium))
    lines = [
        f"{hold.provision}: 媒体 {used.medium_id} {used.label}（{used.place}、{used.keeper}）を記録しました。"
    ]
    finish(_one(hold, lines), as_json=as_json)


def hang_into(group: typer.Typer) -> None:
    """Add `resend`, `receipt` and `hand-over` to the group `provision`."""
    group.command("resend")(resend_provision)
    group.command("receipt")(receipt_provision)
    group.command("hand-over")(hand_over_provision)


def described(hold: Hold, now: datetime, grace: timedelta) -> dict[str, object]:
    """Write a hold for programs."""
    return {
        "id": str(hold.provision), "file": hold.provision.file.value, "recipient": hold.recipient,
        "state": hold.state.value, "state_japanese": hold.state.japanese, "numbers": hold.numbers,
        "held_at": iso(hold.held_at), "due_at": iso(hold.due_at), "is_due": hold.is_due(now),
        "is_overdue": hold.is_overdue(now, grace), "sealed_at": iso(hold.sealed_at),
        "delivered_at": iso(hold.delivered_at), "receipt_at": iso(hold.receipt_at), "resent": hold.resent,
        "purged_at": iso(hold.purged_at), "entry_no": hold.entry_no,
    }  # fmt: skip


def _one(hold: Hold, lines: list[str]) -> Result:
    now = datetime.now(UTC)
    return Result(described(hold, now, timedelta()), [], lines)


def _table(title: str, holds: list[Hold] | tuple[Hold, ...]) -> list[Table]:
    rows = [
        (
            str(hold.provision), hold.recipient, hold.state.japanese, f"{hold.numbers:,}", shown(hold.sealed_at),
            shown(hold.delivered_at), shown(hold.receipt_at), str(hold.resent), shown(hold.due_at),
            shown(hold.purged_at),
        )
        for hold in holds
    ]  # fmt: skip
    return [Table(f"{title}（R 本人確認情報、F 附票本人確認情報）", _HEADINGS, rows)] if rows else []


def _purge_result(summary: PurgeSummary, records: ExpirySummary, grace: timedelta, *, is_dry: bool) -> Result:
    worst = summary.code or records.code
    data = {
        "at": iso(summary.at), "is_dry": is_dry,
        "due": [described(hold, summary.at, grace) for hold in summary.due],
        "erased": [str(one) for one in summary.erased], "numbers": summary.numbers,
        "busy": [str(one) for one in summary.busy], "failed": [str(one) for one in summary.failed],
        "strays": [str(one) for one in summary.strays], "overdue": [str(one) for one in summary.overdue],
        "left": [str(one) for one in summary.left], "requests": summary.requests, "refused": summary.refused,
        "stores": {file.value: explained(code) for file, code in summary.stores.items()},
        "records": _records_described(records),
        "error": explained(worst) if worst else None,
    }  # fmt: skip
    if is_dry:
        lines = [
            f"基準時点 {shown(summary.at)}: 消去の対象は {len(summary.due):,} 件です（消去していません）。"
        ]
    elif summary.code is not None and not summary.erased:
        lines = [f"基準時点 {shown(summary.at)}: 消去していません。"]
    else:
        lines = [
            f"基準時点 {shown(summary.at)}: 期限の来た {len(summary.due):,} 件のうち {len(summary.erased):,} 件"
            f"（個人番号 {summary.numbers:,} 件）を消去し、残っていないことを確かめました。"
        ]
    if summary.busy:
        lines.append(f"処理中のため次に回したもの: {'、'.join(map(str, summary.busy))}")
    lines += _rest_lines(summary, is_dry=is_dry)
    lines += code_lines(summary.code, f"{summary.where} " if summary.stores else "") if summary.code else []
    if summary.left:
        lines += [*code_lines(Code.HOLD_DELIVERY_LEFT), f"  {'、'.join(map(str, summary.left))}"]
    lines += _records_lines(records, is_dry=is_dry)
    return Result(data, _table("期限の来た一時保存", summary.due), lines, _exit_code(summary, records))


def _rest_lines(summary: PurgeSummary, *, is_dry: bool) -> list[str]:
    """Tell what went beside the holds, or would."""
    done = "消去の対象です（消去していません）" if is_dry else "消去しました"
    lines = []
    if summary.requests or summary.refused:
        over = f"要求 {summary.requests:,} 件、受け付けなかったファイル {summary.refused:,} 件"
        lines.append(f"保存の期間を過ぎた{over}{'は' if is_dry else 'を'}{done}。")
    if summary.strays:
        named = "、".join(map(str, summary.strays))
        lines.append(f"一時保存のない鍵・写し（{named}）{'は' if is_dry else 'を'}{done}。")
    return lines


def _records_described(records: ExpirySummary) -> dict[str, object]:
    return {
        "on": records.on.isoformat(),
        "due": {file.value: one.versions for file, one in records.due.items()},
        "erased": {file.value: count for file, count in records.erased.items()},
        "unclear": {file.value: one.unclear for file, one in records.due.items()},
        "stores": {file.value: explained(code) for file, code in records.stores.items()},
        "error": explained(records.code) if records.code else None,
    }


def _records_lines(records: ExpirySummary, *, is_dry: bool) -> list[str]:
    """Tell what went of the files, or would; the doubt of a clock is said once, with the holds."""
    over = f"{records.on:%Y-%m-%d} に150年の保存期間を過ぎている記録は {records.versions_due:,} 版です"
    if is_dry or records.stopped:
        lines = [f"{over}（消去していません）。"]
    else:
        lines = [f"{over}。{records.versions_erased:,} 版を消去しました。"] if records.versions_due else []
    concern = None if records.stopped else records.code
    return lines + (code_lines(concern, f"{records.where} ") if concern else [])


def _exit_code(summary: PurgeSummary, records: ExpirySummary) -> ExitCode:
    if summary.stopped:
        return ExitCode.ERROR
    return ExitCode.FOUND if summary.code or summary.left or records.code else ExitCode.OK
