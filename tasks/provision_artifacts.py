"""What a run of provision and transfer shows in the Prefect UI: codes and counts, never whose or what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from juki.provisions import LineOutcome, ProvisionState
from juki.reasons import Code
from tasks.boundary import ONCE, sealed
from tasks.provision_runs import FileRun
from tasks.requesting import TakenIn

_SHOWN = (ProvisionState.SEALED, ProvisionState.REFUSED)


@task(name="結果の掲示", **ONCE)
@sealed
def publish_provisions(taken: TakenIn, runs: Sequence[FileRun]) -> None:
    """Publish a run: a page, a table by file, a table by code."""
    create_markdown_artifact(_page(taken, runs), key="provision-summary", description="提供・移転の結果")
    create_table_artifact(
        [_row(run) for run in runs], key="provision-files", description="ファイル別の提供・移転"
    )
    create_table_artifact(_codes(taken, runs), key="provision-codes", description="コード別の件数")


def _row(run: FileRun) -> dict[str, object]:
    states = {state.japanese: run.states.get(state.value, 0) for state in _SHOWN}
    outcomes = {outcome.japanese: run.lines.get(outcome.value, 0) for outcome in LineOutcome}
    return {"ファイル": run.file.japanese, **states, "送付": run.delivered, **outcomes}


def _codes(taken: TakenIn, runs: Sequence[FileRun]) -> list[dict[str, object]]:
    totals = Counter[str](taken.codes + taken.failures)
    for run in runs:
        totals += run.refusals + run.failures
    return [{"コード": code, "件数": count, "意味": _meaning(code)} for code, count in sorted(totals.items())]


def _meaning(code: str) -> str:
    return next((known.message for known in Code if known.value == code), "")


def _page(taken: TakenIn, runs: Sequence[FileRun]) -> str:
    refused = sum(run.states.get(ProvisionState.REFUSED.value, 0) for run in runs)
    lines = [
        "# 提供・移転の結果",
        f"- 新しく受け付けた要求 {taken.registered:,} 件",
        f"- 受け付けなかったファイル・再送 {taken.codes.total():,} 件",
        f"- 拒否した要求 {refused:,} 件、送付したもの {sum(run.delivered for run in runs):,} 件",
        f"- 失敗 {taken.failures.total() + sum(run.failures.total() for run in runs):,} 件",
    ]
    if taken.more:
        lines.append(f"- 次の実行に回したファイル {taken.more:,} 件")
    return "\n".join(lines)
