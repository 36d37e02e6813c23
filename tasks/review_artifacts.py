"""What a review of the operation log shows in the Prefect UI, for the supervisor: a page, a table, a plot.

Invariants: operators, terminals, counts and numbers of entries; of a person the first letters of a keyed index.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from prefect import task
from prefect.artifacts import create_image_artifact, create_markdown_artifact, create_table_artifact

from juki.columns import IdentityFile
from juki.oplog.reviewing import Reviewed, all_reviews
from juki.overview.plots import counts_over_time
from juki.review import Finding, FindingKind
from tasks.boundary import ONCE, sealed
from tasks.clock import JAPAN
from tasks.workshop import Workshop

_SHOWN_REVIEWS = 13
"""Reviews in the plot: a quarter of a year."""
_ENTRIES_SHOWN = 20


@task(name="点検の掲示", **ONCE)
@sealed
def publish_review(done: Reviewed) -> None:
    """Publish a review; keyed, so that the UI shows how it went over time."""
    shop = Workshop.open()
    recent = all_reviews({file: shop.store_url(file) for file in IdentityFile})[-_SHOWN_REVIEWS:]
    create_markdown_artifact(page(done), key="review-summary", description="操作ログの点検の結果")
    create_table_artifact(table(done), key="review-findings", description="操作ログの点検の指摘")
    create_image_artifact(
        counts_over_time("操作ログの点検の指摘の件数", [(one.at, one.found) for one in recent]),
        key="review-plot", description="指摘の件数の推移",
    )  # fmt: skip


def table(done: Reviewed) -> list[dict[str, object]]:
    """List the findings."""
    return [
        {
            "番号": number,
            "種類": one.kind.japanese,
            "操作者": one.operator,
            "端末": " ".join(one.terminals) or "-",
            "最初": _shown(one.first_at),
            "最後": _shown(one.last_at),
            "件数": one.count,
            "操作ログの番号": _entries(one),
            "詳細": one.detail or "-",
        }
        for number, one in enumerate(done.findings, 1)
    ]


def page(done: Reviewed) -> str:
    """Write the page: what was looked through, what was found by kind, and by operator and terminal."""
    review = done.review
    since = _shown(review.stretch.previous_at) if review.stretch.previous_at else "最初の記録"
    lines = [
        "# 操作ログの点検",
        f"- 点検 {review.number}、対象 {since} から {_shown(review.at)} まで",
        f"- 人による操作と拒否 {review.seen:,} 件、指摘 {review.found:,} 件",
    ]
    if not done.findings:
        return "\n".join([*lines, "", "**指摘はありません。**"])
    kinds = Counter(one.kind for one in done.findings)
    lines += ["", "| 種類 | 指摘 |", "|---|---|"]
    lines += [f"| {kind.japanese} | {kinds[kind]:,} |" for kind in FindingKind if kinds[kind]]
    lines += ["", "| 操作者 | 端末 | 指摘 | 種類 |", "|---|---|---|---|", *_by_operator(done)]
    lines += ["", f"一件ごとの内容: `juki review show {review.number}`"]
    return "\n".join([*lines, f"確認したら: `juki review acknowledge {review.number} --reason …`（監査者）"])


def _by_operator(done: Reviewed) -> list[str]:
    found: dict[tuple[str, str], Counter[FindingKind]] = {}
    for one in done.findings:
        found.setdefault((one.operator, " ".join(one.terminals) or "-"), Counter())[one.kind] += 1
    return [
        f"| {_cell(operator)} | {_cell(terminals)} | {kinds.total():,} | {_named(kinds)} |"
        for (operator, terminals), kinds in sorted(found.items())
    ]


def _named(kinds: Counter[FindingKind]) -> str:
    return "、".join(f"{kind.japanese} {kinds[kind]:,}" for kind in FindingKind if kinds[kind])


def _entries(one: Finding) -> str:
    rest = one.count - _ENTRIES_SHOWN
    return " ".join(one.entries[:_ENTRIES_SHOWN]) + (f" ほか {rest:,} 件" if rest > 0 else "")


def _cell(text: str) -> str:
    """Keep a name that holds the signs of a table from becoming part of the page."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("`", "'").replace("\n", " ")


def _shown(at: datetime) -> str:
    return at.astimezone(JAPAN).strftime("%Y-%m-%d %H:%M")
