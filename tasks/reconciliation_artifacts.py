"""What a reconciliation shows in the Prefect UI: a page, a table by kind and column, a plot over time."""

from __future__ import annotations

from datetime import datetime

from prefect import task
from prefect.artifacts import create_image_artifact, create_markdown_artifact, create_table_artifact

from config.places import municipality_name
from juki.columns import BY_NAME
from juki.differences import DifferenceKind
from juki.order import Channel
from juki.overview.plots import counts_over_time
from juki.package_id import PackageId
from juki.store.reconciliations import Reconciliation
from juki.store.unit import open_unit
from tasks.boundary import ONCE, sealed
from tasks.clock import JAPAN
from tasks.reconciling import ReconciliationSummary
from tasks.workshop import Workshop

_SHOWN_RUNS = 14
"""Reconciliations in the plot: two weeks of nights."""


@task(name="結果の掲示", **ONCE)
@sealed
def publish_reconciliation(summary: ReconciliationSummary) -> None:
    """Publish what one reconciliation found; keyed by channel, so that the UI shows how it went over time."""
    shop, channel = Workshop.open(), summary.channel
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        recent = unit.reconciliations.recent(channel.municipality_code, _SHOWN_RUNS)
    key = f"reconciliation-{channel.municipality_code}-{channel.file.value}"
    create_markdown_artifact(
        _page(recent[0], summary.left_out), key=key, description=f"整合処理の結果 {_titled(channel)}"
    )
    create_table_artifact(
        _table(recent[0]), key=f"{key}-table", description=f"差異の種類と項目 {_titled(channel)}"
    )
    create_image_artifact(
        counts_over_time(f"差異の件数の推移 {_titled(channel)}", _points(recent)),
        key=f"{key}-plot", description=f"差異の件数の推移 {_titled(channel)}",
    )  # fmt: skip


def _titled(channel: Channel) -> str:
    return f"{municipality_name(channel.municipality_code)} {channel.file.japanese}"


def _points(recent: list[Reconciliation]) -> list[tuple[datetime, int]]:
    return [(one.as_of, sum(one.found.values())) for one in reversed(recent) if one.as_of is not None]


def _table(one: Reconciliation) -> list[dict[str, object]]:
    kinds = [
        {"区分": "種類", "名称": kind.japanese, "件数": one.found[kind.value]} for kind in DifferenceKind
    ]
    columns = [
        {"区分": "項目", "名称": BY_NAME[name].japanese, "件数": count}
        for name, count in one.column_counts.items()
    ]
    broken = [
        {"区分": "先方の記録の誤り", "名称": f"{code.message}（{code}）", "件数": count}
        for code, count in one.broken_counts.items()
    ]
    return [*kinds, *columns, *broken]


def _page(one: Reconciliation, left_out: int) -> str:
    as_of = one.as_of.astimezone(JAPAN).strftime("%Y-%m-%d %H:%M") if one.as_of else "-"
    total = sum(one.found.values())
    if one.is_equal and not total:
        verdict = "**一致しました。**"
    elif one.is_equal:
        verdict = f"差異 {total:,} 件を修復し、**一致しました。**"
    else:
        verdict = f"**差異があります**（{total:,} 件、うち修復 {one.repaired or 0:,} 件）。"
    lines = [
        f"# 整合処理 {_titled(one.channel)}",
        verdict,
        "",
        "| 方法 | 時点 | 通知番号 | 先方の人数 | 当方の人数 | 根のハッシュ |",
        "|---|---|---|---|---|---|",
        f"| {one.mode.japanese} | {as_of} | {one.watermark} まで | {one.rows_theirs or 0:,} | "
        f"{one.rows_ours or 0:,} | `{one.root_digest[:16]}` |",
    ]
    run_id = PackageId(one.channel.file, one.reconciliation_id)
    if one.beyond_bound:
        lines += [
            "",
            f"修復する件数（{one.beyond_bound:,} 件）が上限を超えるため、何も変更していません。"
            "市町村の現況が欠けていないか確かめ、正しければ "
            f"`juki difference approve --run {run_id}` "
            "で承認してから再実行してください。",
        ]
    if left_out:
        lines += [
            "",
            f"一回で保存する件数を超えるため、新しい差異 {left_out:,} 件は保存していません。"
            "次の実行でまた見つかります。",
        ]
    if one.broken_counts:
        lines += [
            "",
            "差異のある人の先方の記録に、項目の規則に反するものがあります（下の表の「先方の記録の誤り」）。"
            "エラーのものは修復に使いません。市町村に直してもらってください。",
        ]
    if not one.is_equal:
        lines += ["", "差異の一覧: `juki difference list`"]
    return "\n".join(lines)
