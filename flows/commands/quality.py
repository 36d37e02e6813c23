"""`juki quality`: check the tables as a whole in this process, show reports, let what was found stand.

Decides:    what is printed, and the exit codes.
Leaves:     the work to `flows.quality`, the words to `juki.cli.quality_shown`, what may be decided to
            `juki.cli.quality_actions`.
Invariants: what a run found is read from its report, never from Prefect; nothing of Prefect is imported before its
            environment is set.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from flows.commands.failures import failure_of
from flows.environment import prepare
from juki.cli.acting import operated
from juki.cli.installation import Installation
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.quality_actions import accept as accept_report
from juki.cli.quality_actions import find_report
from juki.cli.quality_shown import described_report, report_lines, report_table
from juki.errors import JukiError
from juki.quality_files import QualityFiles
from juki.quality_pages import shown_at
from juki.quality_reports import Report
from juki.reasons import Code

app = typer.Typer(
    help="両ファイルの表全体を検査する・報告を示す・見つかったものを認める",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Run = Annotated[str, typer.Argument(metavar="[RUN]", help="検査の番号（なければ最後の検査）")]
Wanted = Annotated[str, typer.Argument(metavar="RUN", help="検査の番号（juki quality show で示されるもの）")]
ListAll = Annotated[bool, typer.Option("--list", help="残っている検査を一覧にする")]
Reason = Annotated[str, typer.Option(help="認める理由（操作ログに残る。人を特定する値は書かない）")]


@app.callback(invoke_without_command=True)
def check(context: typer.Context, as_json: AsJson = False) -> None:
    """両ファイルの表全体を検査する

    終了コード: 0 すべて期待どおり、1 期待どおりでないものがある、2 検査できなかった。
    """
    if context.invoked_subcommand is not None:
        return
    installation = Installation.open()
    files = QualityFiles(installation.home)
    before = files.last()
    prepare(installation.home, installation.settings)
    failure = _run()
    report = files.last()
    if report is None or report == before:
        raise failure or JukiError(Code.QUALITY_RUN_UNKNOWN)
    finish(_result(installation, report), as_json=as_json)


@app.command("show")
def show(run: Run = "", list_all: ListAll = False, as_json: AsJson = False) -> None:
    """検査の報告を示す（--list で一覧）。

    終了コード: 0 すべて期待どおり、1 期待どおりでないものがある、2 誤り。
    """
    installation = Installation.open()
    if list_all:
        finish(_list(installation), as_json=as_json)
    finish(_result(installation, find_report(installation, run)), as_json=as_json)


@app.command("accept")
@operated("quality accept", "run")
def accept(run: Wanted, reason: Reason, as_json: AsJson = False) -> None:
    """検査で見つかったものを確かめた上で認める。次からは、それより増えたものだけを不合格とする。"""
    installation = Installation.open()
    report = accept_report(installation, run, reason, datetime.now(UTC))
    data = {"accepted": report.run, "failed": len(report.failed)}
    lines = [f"{shown_at(report)} の検査で見つかった {len(report.failed)} 件を認め、操作ログに記録しました。"]
    finish(Result(data, lines=lines), as_json=as_json)


def _run() -> JukiError | None:
    """Run the flow; what it failed with comes back with its code."""
    from flows.quality import quality as flow

    return failure_of(flow)


def _result(installation: Installation, report: Report) -> Result:
    code = ExitCode.FOUND if report.failed else ExitCode.OK
    data = described_report(installation, report)
    return Result(data, [report_table(installation, report)], report_lines(installation, report), code)


def _list(installation: Installation) -> Result:
    reports = list(reversed(QualityFiles(installation.home).reports()))
    rows = [(one.run, shown_at(one), f"{len(one.failed):,}") for one in reports]
    data = {"runs": [{"run": one.run, "failed": len(one.failed)} for one in reports]}
    table = [Table("品質検査の一覧", ("番号", "検査日時", "不合格"), rows)] if rows else []
    return Result(data, table, [f"{len(rows):,} 件"])
