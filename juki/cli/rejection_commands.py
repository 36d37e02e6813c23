"""`juki rejection`: where records were refused or passed with an alert, why, and what to do; never a value.

A refused record stays sealed in quarantine; `retry` lets the next intake judge it again.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

import typer

from juki.acts.rejections import retry_records
from juki.cli.acting import operated, site_of
from juki.cli.installation import (
    Installation,
    OneFile,
    OneMunicipality,
    checked_municipality,
    chosen_files,
    explained,
    iso,
)
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.package_commands import ID_HELP, Id
from juki.cli.reasons_shown import SEVERITIES, found_lines
from juki.columns import BY_NAME, IdentityFile
from juki.errors import ConfigurationError
from juki.package_id import PackageId
from juki.reasons import Code, Severity
from juki.store.status import FindingRecord, Wanted

app = typer.Typer(
    help="拒否・注意となったレコードを調べる・再判定する",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_TITLE = "レコードの検査結果（番号の R は本人確認情報、F は附票本人確認情報）"
_HEADINGS = ("番号", "市町村", "通知番号", "行", "程度", "項目", "コード")

WantedCode = Annotated[str, typer.Option("--code", metavar="CODE", help="コード（subject.condition）で絞る")]
WantedPackage = Annotated[str, typer.Option("--package", metavar="ID", help=ID_HELP + "で絞る")]
WantedSeverity = Annotated[Severity | None, typer.Option(help="error 拒否 / alert 注意 で絞る")]
All = Annotated[bool, typer.Option("--all", help="再判定で受理したものも示す")]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="新しいパッケージから何件まで示すか")]


@app.callback()
def _root() -> None:
    """Keep `rejection` a group of commands."""


@app.command("list")
def list_rejections(
    municipality: OneMunicipality = "",
    file: OneFile = None,
    code: WantedCode = "",
    package: WantedPackage = "",
    severity: WantedSeverity = None,
    every: All = False,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """拒否・注意となったレコードの場所と理由を、新しいパッケージから示す。

    終了コード: 0 拒否なし、1 拒否したレコードがある、2 誤り。
    """
    number = PackageId.parse(package) if package else None
    wanted = Wanted(
        checked_municipality(municipality), code=_code(code), severity=severity,
        package_number=number.number if number else None, is_open=not every, limit=limit,
    )  # fmt: skip
    installation = Installation.open()
    found, counts = list[FindingRecord](), Counter[Code]()
    for one in _files(file, number):
        with installation.overview(one) as overview:
            counts.update(overview.finding_counts(wanted))
            found += overview.findings(wanted)
    finish(_result(installation, found[:limit], counts), as_json=as_json)


@app.command()
@operated("rejection retry", "package_id")
def retry(package_id: Id, as_json: AsJson = False) -> None:
    """拒否したレコードを、次の受入でもう一度判定する（拒否の原因がなくなったときに使う）。"""
    wanted = PackageId.parse(package_id)
    installation = Installation.open()
    done = retry_records(site_of(installation), wanted, datetime.now(UTC))
    package = done.package
    said = "次の受入で再判定します。" if done.has_changed else "すでに再判定を待っています。"
    data = {
        "package": str(wanted), "changed": done.has_changed, "rejected": package.counts.get("rejected", 0),
        "judge_again_at": iso(package.judge_again_at),
    }  # fmt: skip
    finish(Result(data, [], [f"{wanted}: {said}"], ExitCode.OK), as_json=as_json)


def _files(file: IdentityFile | None, package_id: PackageId | None) -> list[IdentityFile]:
    """List the stores to ask: the one a package is of, unless another file was asked for."""
    return [one for one in chosen_files(file) if package_id is None or one is package_id.file]


def _code(text: str) -> Code | None:
    known = {code.value: code for code in Code}
    if text and text not in known:
        raise ConfigurationError(Code.COMMAND_ARGUMENT, "--code")
    return known.get(text)


def _result(installation: Installation, found: list[FindingRecord], counts: Counter[Code]) -> Result:
    total = counts.total()
    data = {
        "rejections": [_described(installation, one) for one in found],
        "codes": [{**explained(code), "count": count} for code, count in counts.items()],
        "total": total,
        "is_cut": len(found) < total,
    }
    cut = f"（うち {len(found):,} 件を表示。--limit で増やせます）" if len(found) < total else ""
    rows = [_row(installation, one) for one in found]
    tables = [Table(_TITLE, _HEADINGS, rows)] if found else []
    is_refused = any(code.severity is Severity.ERROR for code in counts)
    exit_code = ExitCode.FOUND if is_refused else ExitCode.OK
    return Result(data, tables, [f"{total:,} 件{cut}", *found_lines(counts)], exit_code)


def _row(installation: Installation, one: FindingRecord) -> tuple[str, ...]:
    return (
        str(one.package_id), installation.name(one.channel.municipality_code), str(one.notice_no or ""),
        str(one.line), SEVERITIES[one.severity], _column(one.column), one.code.value,
    )  # fmt: skip


def _described(installation: Installation, one: FindingRecord) -> dict[str, object]:
    return {
        "package": str(one.package_id),
        "municipality_code": one.channel.municipality_code,
        "municipality": installation.name(one.channel.municipality_code),
        "file": one.channel.file.value,
        "file_name": one.file_name,
        "line": one.line,
        "notice_no": one.notice_no,
        "column": one.column,
        **explained(one.code),
        "severity": one.severity.value,
        "settled_at": iso(one.settled_at),
    }


def _column(name: str) -> str:
    return BY_NAME[name].japanese if name in BY_NAME else name
