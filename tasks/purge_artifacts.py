"""What a purge shows in the Prefect UI: provisions by number, counts, codes."""

from __future__ import annotations

from collections.abc import Mapping

from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from juki.custody.expiring import ExpirySummary
from juki.custody.purging import PurgeSummary
from juki.holds import Hold
from juki.reasons import Code, known_code
from tasks.boundary import ONCE, sealed
from tasks.clock import JAPAN
from tasks.receipting import NOTED


@task(name="消去の掲示", **ONCE)
@sealed
def publish_purge(summary: PurgeSummary, receipts: Mapping[str, int], records: ExpirySummary) -> None:
    """Publish a run: a page, and what was due and stays; a run that found nothing leaves nothing but the page."""
    content = page(summary, receipts, records)
    create_markdown_artifact(content, key="purge-summary", description="消去の結果")
    left = [hold for hold in summary.due if hold.provision not in set(summary.erased)]
    if left:
        create_table_artifact(
            [_row(hold, summary) for hold in left],
            key="purge-left",
            description="期限が来て、まだ消去していないもの",
        )


def page(summary: PurgeSummary, receipts: Mapping[str, int], records: ExpirySummary) -> str:
    """Write the page of a run."""
    at = summary.at.astimezone(JAPAN)
    lines = [
        "# 個人番号の消去",
        f"- 基準時点 {at:%Y-%m-%d %H:%M:%S}",
        f"- 期限の来た提供 {len(summary.due):,} 件",
        f"- 消去した提供 {len(summary.erased):,} 件、個人番号 {summary.numbers:,} 件",
        f"- 処理中のため次に回したもの {len(summary.busy):,} 件、消去できなかったもの {len(summary.failed):,} 件",
        f"- 猶予を過ぎたもの {len(summary.overdue):,} 件、残り物の片付け {len(summary.strays):,} 件",
        f"- 保存の期間を過ぎて消去した要求 {summary.requests:,} 件、受け付けなかったファイル {summary.refused:,} 件",
        f"- 受領書 {receipts.get(NOTED, 0):,} 件を記録",
        f"- {records.on:%Y-%m-%d} に150年の保存期間を過ぎている記録 {records.versions_due:,} 版、"
        f"消去した記録 {records.versions_erased:,} 版",
    ]
    if summary.left:
        alarm = Code.HOLD_DELIVERY_LEFT
        lines.append(
            f"- 送付フォルダを確かめられないもの {len(summary.left):,} 件: [{alarm.value}] {alarm.message}"
        )
    refused = {code: count for code, count in sorted(receipts.items()) if code != NOTED}
    for value, count in refused.items():
        code = known_code(value)
        lines.append(f"- 受領書 {count:,} 件: [{value}] {code.message if code else ''}")
    concerns = dict.fromkeys(code for code in (summary.code, records.code) if code is not None)
    if concerns:
        down = dict.fromkeys([*summary.stores.items(), *records.stores.items()])
        lines += [
            "",
            "## 確認の要ること",
            *(f"- {file.japanese}: [{code.value}] {code.message}" for file, code in down),
        ]
        for code in concerns:
            lines += [f"- [{code.value}] {code.message}", f"- {code.next_step}"]
    return "\n".join(lines)


def _row(hold: Hold, summary: PurgeSummary) -> dict[str, object]:
    return {
        "提供": str(hold.provision),
        "提供先": hold.recipient,
        "個人番号": hold.numbers,
        "期限": f"{hold.due_at.astimezone(JAPAN):%Y-%m-%d %H:%M}",
        "猶予を過ぎた": hold.provision in summary.overdue,
        "状態": _why(hold, summary),
    }


def _why(hold: Hold, summary: PurgeSummary) -> str:
    if summary.stopped:
        return summary.stopped.value
    return "処理中" if hold.provision in summary.busy else "消去できず"
