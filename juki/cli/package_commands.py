"""`juki package`: list and show packages, let one wait again, put one aside, close what was found in one.

Decides:    what is shown of a package: all that is registered, as codes, counts and digests.
Leaves:     when a package may be retried or released to `juki.acts.packages`.
Invariants: packages are named `R12` (本人確認情報) or `F12` (附票本人確認情報), in every output and argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import typer

from juki.acts.packages import (
    Done,
    close_package,
    find_package,
    release_package,
    retry_package,
)
from juki.cli.acting import operated, site_of
from juki.cli.installation import (
    Installation,
    OneFile,
    OneMunicipality,
    checked_municipality,
    chosen_files,
    explained,
    iso,
    shown,
    shown_briefly,
)
from juki.cli.output import AsJson, Result, Table, finish
from juki.cli.reasons_shown import code_lines, found_lines
from juki.order import PackageKind, PackageState
from juki.package_id import PackageId
from juki.reasons import Code
from juki.store.status import PackageRecord, Wanted

app = typer.Typer(
    help="パッケージを調べる・再試行する・解除する・確認済みにする",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

COUNTS = {
    "records": "レコード",
    "accepted": "受理",
    "alerted": "注意つき受理",
    "rejected": "拒否",
    "repeated": "再送",
}
_TITLE = "パッケージ（R 本人確認情報、F 附票本人確認情報）"
ID_HELP = "パッケージの番号（本人確認情報は R12、附票本人確認情報は F12 の形）"
_HEADINGS = ("番号", "市町村", "連番", "状態", "受信", "結果")

Id = Annotated[str, typer.Argument(metavar="ID", help=ID_HELP)]
State = Annotated[
    PackageState | None,
    typer.Option(help="状態で絞る: " + "、".join(f"{one.value} {one.japanese}" for one in PackageState)),
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="新しいものから何件まで示すか")]
Reason = Annotated[str, typer.Option(help="そうする理由（操作ログに残る。人を特定する値は書かない）")]


@app.callback()
def _root() -> None:
    """Keep `package` a group of commands."""


@app.command("list")
def list_packages(
    municipality: OneMunicipality = "", file: OneFile = None, state: State = None, limit: Limit = 50,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """受信したパッケージを新しい順に示す。"""
    wanted = Wanted(checked_municipality(municipality), state, limit=limit + 1)
    installation = Installation.open()
    found: list[PackageRecord] = []
    for one in chosen_files(file):
        with installation.overview(one) as overview:
            found += overview.packages(wanted)
    found.sort(key=lambda package: (package.received_at, package.package_id), reverse=True)
    packages, is_cut = found[:limit], len(found) > limit
    data = {"packages": [described(installation, package) for package in packages], "is_cut": is_cut}
    now = datetime.now(UTC)
    rows = [package_row(installation, package, now) for package in packages]
    lines = [f"{len(packages)} 件" + ("（続きがあります。--limit で増やせます）" if is_cut else "")]
    finish(Result(data, [Table(_TITLE, _HEADINGS, rows)], lines), as_json=as_json)


@app.command()
def show(package_id: Id, as_json: AsJson = False) -> None:
    """一つのパッケージについて登録されたことをすべて示す（個人の値は示さない）。"""
    wanted = PackageId.parse(package_id)
    installation = Installation.open()
    package = find_package(site_of(installation), wanted)
    with installation.overview(wanted.file) as overview:
        codes = overview.finding_counts(Wanted(package_number=wanted.number))
    findings = [{**explained(code), "count": count} for code, count in codes.items()]
    tables = [Table(f"パッケージ {package.package_id}", ("項目", "内容"), _facts(installation, package))]
    lines = code_lines(package.code) if package.code else []
    lines += found_lines(codes)
    finish(Result({**described(installation, package), "findings": findings}, tables, lines), as_json=as_json)


@app.command()
@operated("package retry", "package_id")
def retry(package_id: Id, as_json: AsJson = False) -> None:
    """拒否したパッケージを、もう一度順番を待つ状態に戻す（隔離したファイルを使う）。"""
    wanted = PackageId.parse(package_id)
    installation = Installation.open()
    done = retry_package(site_of(installation), wanted, datetime.now(UTC))
    said = "順番を待つ状態に戻しました。" if done.has_changed else "すでに順番を待っています。"
    _finish_action(
        installation, done, f"{wanted} を{said}" if done.has_changed else f"{wanted} は{said}", as_json
    )


@app.command()
@operated("package release", "package_id")
def release(package_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """事故や、順番の来ないパッケージを解除し、受入を進められるようにする（ファイルは隔離のまま）。"""
    wanted = PackageId.parse(package_id)
    installation = Installation.open()
    done = release_package(site_of(installation), wanted, reason, datetime.now(UTC))
    said = "を解除しました。受入を再開できます。" if done.has_changed else "はすでに解除されています。"
    _finish_action(installation, done, f"{wanted} {said}", as_json)


@app.command()
@operated("package close", "package_id")
def close(package_id: Id, reason: Reason, as_json: AsJson = False) -> None:
    """適用したパッケージの拒否レコードを、市町村への確認が済んだものとする（レコードは隔離のまま）。"""
    wanted = PackageId.parse(package_id)
    installation = Installation.open()
    done = close_package(site_of(installation), wanted, reason, datetime.now(UTC))
    said = "の拒否レコードを確認済みにしました。" if done.has_changed else "はすでに確認済みです。"
    _finish_action(installation, done, f"{wanted} {said}", as_json)


def described(installation: Installation, package: PackageRecord) -> dict[str, object]:
    """Write a package for programs."""
    return {
        "id": str(package.package_id),
        "municipality_code": package.channel.municipality_code,
        "municipality": installation.name(package.channel.municipality_code),
        "file": package.channel.file.value,
        "kind": package.kind.value,
        "sequence": package.sequence,
        "file_name": package.file_name,
        "file_bytes": package.file_bytes,
        "file_sha256": package.file_sha256,
        "content_sha256": package.content_sha256 or None,
        "state": package.state.value,
        "state_japanese": package.state.japanese,
        "reason": explained(package.code) if package.code else None,
        "received_at": iso(package.received_at),
        "settled_at": iso(package.settled_at),
        "created_at": iso(package.created_at),
        "first_notice_no": package.first_notice_no,
        "last_notice_no": package.last_notice_no,
        "counts": package.counts,
        "receipt": "sent" if package.receipt_sent_at else "due" if package.has_receipt else "none",
        "receipt_sent_at": iso(package.receipt_sent_at),
        "closed_at": iso(package.closed_at),
    }


def package_row(installation: Installation, package: PackageRecord, now: datetime) -> tuple[str, ...]:
    """Write a package as a row of the list."""
    return (
        str(package.package_id),
        installation.name(package.channel.municipality_code),
        _place(package),
        package.state.japanese,
        shown_briefly(package.received_at, now),
        package.code.value if package.code else counts_shown(package.counts),
    )


def _place(package: PackageRecord) -> str:
    """Say the place in the order of the channel; of a repair the comparison it follows from."""
    is_repair = package.kind is PackageKind.REPAIR
    return f"{package.kind.japanese} {package.sequence}" if is_repair else str(package.sequence)


def counts_shown(counts: Mapping[str, int]) -> str:
    """Write records by verdict in a few words; nothing where none were judged."""
    if "records" not in counts:
        return ""
    verdicts = [f"{COUNTS[name]} {counts[name]:,}" for name in COUNTS if counts.get(name)]
    return "・".join(verdicts[1:]) or f"{COUNTS['records']} 0"


def _facts(installation: Installation, package: PackageRecord) -> list[tuple[str, str]]:
    code = package.channel.municipality_code
    notices = f"{package.first_notice_no}〜{package.last_notice_no}" if package.first_notice_no else "-"
    facts = [
        ("市町村", f"{code} {installation.name(code)}"),
        ("ファイル", package.channel.file.japanese),
        ("区分", package.kind.japanese),
        ("連番", str(package.sequence)),
        ("ファイル名", package.file_name),
        ("大きさ", f"{package.file_bytes:,} バイト"),
        ("ファイルの SHA-256", package.file_sha256),
        ("内容の SHA-256", package.content_sha256 or "-"),
        ("状態", package.state.japanese),
        ("作成", shown(package.created_at)),
        ("受信", shown(package.received_at)),
        ("処理", shown(package.settled_at)),
        ("通知番号", notices),
        ("受領書", _receipt(package)),
        *([("拒否レコード", f"確認済み（{shown(package.closed_at)}）")] if package.closed_at else []),
    ]
    counts = ((COUNTS[name], f"{count:,} 件") for name, count in package.counts.items())
    return [*facts, *counts]


def _receipt(package: PackageRecord) -> str:
    if package.receipt_sent_at:
        return f"送付済（{shown(package.receipt_sent_at)}）"
    return f"未送付: {Code.CHANNEL_RECEIPT_DUE.next_step}" if package.has_receipt else "なし"


def _finish_action(installation: Installation, done: Done, line: str, as_json: bool) -> None:
    data = {**described(installation, done.package), "has_changed": done.has_changed}
    lines = [line, "次にすること: juki intake を実行するか、次の予定の実行を待ってください。"]
    finish(Result(data, lines=lines), as_json=as_json)
