"""What a run shows in the Prefect UI: tables and a page. Codes and counts, never a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from config.places import municipality_name
from juki.reasons import Code
from tasks.boundary import ONCE, sealed
from tasks.channels import ChannelSummary

_VERDICTS = {"accepted": "受理", "alerted": "受理（注意）", "rejected": "拒否", "repeated": "再送"}


@task(name="結果の掲示", **ONCE)
@sealed
def publish_intake(summaries: Sequence[ChannelSummary]) -> None:
    """Publish a run of the intake: a page, a table by channel, a table by code."""
    create_markdown_artifact(_page(summaries), key="intake-summary", description="受入の結果")
    create_table_artifact(
        [_row(one) for one in summaries], key="intake-channels", description="市町村・ファイル別の受入"
    )
    create_table_artifact(_codes(summaries), key="intake-codes", description="コード別の件数")


def _row(one: ChannelSummary) -> dict[str, object]:
    counts = {japanese: one.counts.get(name, 0) for name, japanese in _VERDICTS.items()}
    return {
        "市町村": f"{one.channel.municipality_code} {municipality_name(one.channel.municipality_code)}",
        "ファイル": one.channel.file.japanese,
        "取得": one.fetched,
        "適用": one.packages.get("applied", 0),
        "拒否・事故": sum(one.packages.get(state, 0) for state in ("refused", "conflict")),
        **counts,
        "失敗": one.failure.value if one.failure else "",
    }


def _codes(summaries: Iterable[ChannelSummary]) -> list[dict[str, object]]:
    totals = Counter[str]()
    for one in summaries:
        totals.update(one.codes)
    return [{"コード": code, "件数": count, "意味": _meaning(code)} for code, count in sorted(totals.items())]


def _meaning(code: str) -> str:
    return next((known.message for known in Code if known.value == code), "")


def _page(summaries: Sequence[ChannelSummary]) -> str:
    counts = Counter[str]()
    for one in summaries:
        counts.update(one.counts)
    failed = [one for one in summaries if one.failure]
    lines = [
        "# 受入の結果",
        f"- 対象 {len(summaries)} 件（市町村×ファイル）、うち失敗 {len(failed)} 件",
        *(f"- {japanese} {counts.get(name, 0):,} 件" for name, japanese in _VERDICTS.items()),
    ]
    if failed:
        lines += [
            "",
            "## 失敗した市町村",
            "| 市町村 | ファイル | コード | 理由 | 次にすること |",
            "|---|---|---|---|---|",
        ]
        lines += [_failure(one, one.failure) for one in failed if one.failure]
    return "\n".join(lines)


def _failure(one: ChannelSummary, code: Code) -> str:
    name = municipality_name(one.channel.municipality_code)
    return f"| {name} | {one.channel.file.japanese} | {code.value} | {code.message} | {code.next_step} |"
