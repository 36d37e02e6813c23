"""The lines of `juki status` about what is no channel: J-LIS, the operation logs, virus scanning, the site.

Invariants: what is in order is one line, said every time (also that files are not scanned); what is not is its code,
            where, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence

from juki.cli.reasons_shown import concern_lines
from juki.jlis import JlisFacts
from juki.log_health import LogFacts
from juki.overview.concerns import Concern, of_jlis, of_logs, of_scanning
from juki.overview.jlis import JlisHealth
from juki.overview.site import SiteFacts
from juki.scanning import ScannerState, Standing
from juki.shown import SHORT, shown
from juki.site import SiteState


def jlis_lines(judged: Sequence[JlisHealth]) -> list[str]:
    """Say in a line for each file how far J-LIS has been told, then every reason once."""
    lines = [_jlis_line(one.facts) for one in judged if one.facts.waiting or one.facts.last_sequence]
    return lines + _reasons(of_jlis(judged))


def log_lines(logs: Sequence[LogFacts]) -> list[str]:
    """Write the logs: one line for both, then each alarm once with its places."""
    parts = [
        f"{SHORT[one.file]} {one.entries:,} 件（署名 {shown(one.signed_at)}、以後 {one.waiting:,} 件）"
        for one in logs
    ]
    return [f"操作ログ: {'、'.join(parts)}", *_reasons(of_logs(logs))]


def standing_lines(standing: Standing) -> list[str]:
    """Write how scanning stands."""
    concerns = of_scanning(standing)
    if concerns:
        return _reasons(concerns)
    if standing.state is ScannerState.FRESH:
        return [f"ウイルス検査: {standing.state.japanese}（パターン {shown(standing.patterns_at)}）"]
    return [f"ウイルス検査: {standing.state.japanese}（scanner_address の設定がありません）"]


def site_lines(site: SiteFacts) -> list[str]:
    """Write the site, in one line."""
    if site.pages is None:
        return [f"予定（Prefect）: {SiteState.DOWN.japanese}。起動: juki up"]
    restarted = f"、再起動 {site.restarts} 回" if site.restarts else ""
    return [f"予定（Prefect）: {site.state.japanese}（{site.pages}、{shown(site.since)} から{restarted}）"]


def _jlis_line(facts: JlisFacts) -> str:
    parts = [f"未通知 {facts.waiting:,} 件", f"通知済の更新 {facts.last_update_no:,} 件"]
    if facts.acknowledged_at:
        parts.append(
            f"最後の受領確認 {shown(facts.acknowledged_at)}（更新 {facts.acknowledged_update_no:,} まで）"
        )
    if facts.unanswered:
        parts.append(f"受領確認待ち {facts.unanswered:,} 件（{shown(facts.unanswered_since)} から）")
    return f"機構への通知 {SHORT[facts.file]}: " + "、".join(parts)


def _reasons(concerns: Sequence[Concern]) -> list[str]:
    return [line for one in concerns for line in concern_lines(one)]
