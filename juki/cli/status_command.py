"""`juki status`: the one page that says what state every channel is in, why, and what to do.

Decides:    what the page shows: the summary first, what needs attention in full, what is normal in one line.
Leaves:     what needs attention to `juki.health`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated

import typer

from config.scanning import scanner_standing
from juki.cli.custody_status import custody_alarms
from juki.cli.disclosure_status import disclosure_alarms
from juki.cli.installation import Installation, explained, iso, shown, shown_briefly
from juki.cli.jlis_shown import described_facts, jlis_health, jlis_lines
from juki.cli.log_status import described_logs, log_lines, logs_of
from juki.cli.operator_status import operator_alarms
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.provision_status import provision_alarms
from juki.cli.quality_shown import quality_alarms
from juki.cli.reasons_shown import SHORT, reason_lines
from juki.cli.review_status import review_alarms
from juki.cli.scanner_status import described_standing, infection_alarms, standing_lines
from juki.cli.site_status import described_site, site_alarms, site_lines
from juki.cli.status_metrics import status_gauges
from juki.health import ChannelHealth, Condition, Confirmation, Health
from juki.openmetrics import openmetrics_text
from juki.scanning import ScannerState

ShowAll = Annotated[bool, typer.Option("--all", help="正常なものも一件ずつ表に示す")]
AsMetrics = Annotated[
    bool, typer.Option("--openmetrics", help="件数と時点を OpenMetrics の形で出力する（監視の収集用）")
]
_HEADINGS = (
    "市町村", "ファイル", "状態", "適用済\nの連番", "待ち", "最も古い\n未処理", "拒否", "拒否\nレコード",
    "最後の連絡", "一致の確認", "差異",
)  # fmt: skip
_NORMAL_IN_A_LINE = 3
"""Municipalities in one line of the list of normal channels: more would not fit a narrow terminal."""


def status(show_all: ShowAll = False, as_json: AsJson = False, as_metrics: AsMetrics = False) -> None:
    """市町村・ファイルごとの受入の状態と、正常でないものの理由・次にすることを示す。

    終了コード: 0 すべて正常、1 確認の要るものがある、2 誤り。
    """
    installation = Installation.open()
    limits = installation.limits()
    now = datetime.now(UTC)
    judged = installation.health(now, limits)
    alarms = [
        *custody_alarms(installation, now), *provision_alarms(installation, now), *infection_alarms(installation),
        *quality_alarms(installation, judged, now), *site_alarms(installation),
    ]  # fmt: skip
    scanning = scanner_standing(installation.settings, now)
    alarms += disclosure_alarms(installation, now)
    alarms += review_alarms(installation, now)
    alarms += operator_alarms(installation, now)
    troubled = [one for one in judged if one.conditions]
    shown_ones = judged if show_all else troubled
    logs = logs_of(installation, now)
    summary, reasons = _summary(judged, now), reason_lines(installation, troubled)
    normal = [] if show_all else _normal(installation, judged)
    # The summary comes first: over the table, or in its place where everything is normal.
    tables = [_table(installation, summary, shown_ones, now)] if shown_ones else []
    if as_metrics:
        typer.echo(openmetrics_text(status_gauges(installation, judged, alarms, logs)), nl=False)
        return
    told = jlis_health(installation, now)
    said = [line for alarm in alarms for line in alarm.lines]
    lines = [*([] if tables else [summary]), *said, *reasons, *normal, *jlis_lines(told), *log_lines(logs)]
    lines += standing_lines(scanning)
    lines += site_lines(installation)
    data = {
        "as_of": iso(now),
        "summary": _counts(judged),
        "channels": [described(installation, one) for one in judged],
        "alarms": [alarm.described() for alarm in alarms],
        "jlis": [described_facts(one) for one in told],
        "operation_logs": described_logs(logs),
        "scanner": described_standing(scanning),
        "site": described_site(installation),
    }
    is_troubled = bool(troubled or alarms) or any(one.conditions for one in told)
    is_troubled |= any(one.alarms for one in logs) or scanning.state is ScannerState.STOPPED
    found = ExitCode.FOUND if is_troubled or not judged else ExitCode.OK
    finish(Result(data, tables, lines, found), as_json=as_json)


def described(installation: Installation, one: ChannelHealth) -> dict[str, object]:
    """Write the health of a channel for programs."""
    facts = one.facts
    return {
        "municipality_code": facts.channel.municipality_code,
        "municipality": installation.name(facts.channel.municipality_code),
        "file": facts.channel.file.value,
        "state": one.health.value,
        "state_japanese": one.health.japanese,
        "last_sequence": facts.last_sequence,
        "last_contact_at": iso(facts.last_contact_at),
        "last_attempt_at": iso(facts.last_attempt_at),
        "last_failure_code": facts.last_failure.value if facts.last_failure else None,
        "waiting": facts.waiting,
        "oldest_waiting_at": iso(facts.oldest_waiting_at),
        "missing_sequence": facts.missing_sequence,
        "refused": len(facts.refused) + len(facts.conflicts),
        "rejected_records": facts.rejected_records,
        "receipts_due": facts.receipts_due,
        "unknown_files": facts.unknown_files,
        "deferred_files": facts.deferred_files,
        "confirmed": _confirmation(facts.confirmation),
        "reasons": [_condition(condition) for condition in one.conditions],
    }


def _confirmation(confirmation: Confirmation) -> dict[str, object]:
    return {
        "as_of": iso(confirmation.confirmed_at), "watermark": confirmation.watermark,
        "rows": confirmation.rows, "root_digest": confirmation.root_digest or None,
        "open_differences": confirmation.open_differences,
    }  # fmt: skip


def _condition(condition: Condition) -> dict[str, object]:
    packages = [{"id": str(one.package_id), **explained(one.code)} for one in condition.packages]
    return {
        "state": condition.health.value, **explained(condition.code), "count": condition.count,
        "since": iso(condition.since), "deadline": iso(condition.deadline), "packages": packages,
    }  # fmt: skip


def _counts(judged: Sequence[ChannelHealth]) -> dict[str, int]:
    counted = Counter(one.health for one in judged)
    return {health.value: counted[health] for health in Health}


def _summary(judged: Sequence[ChannelHealth], now: datetime) -> str:
    if not judged:
        return f"{shown(now)} 市町村が登録されていません。次にすること: municipalities.toml に登録する"
    counted = Counter(one.health for one in judged)
    parts = [f"{health.japanese} {counted[health]}" for health in reversed(Health) if counted[health]]
    return f"{shown(now)} {len(judged)} 件（市町村×ファイル）: {'、'.join(parts)}"


def _table(installation: Installation, title: str, judged: Sequence[ChannelHealth], now: datetime) -> Table:
    rows = [
        (
            f"{facts.channel.municipality_code} {installation.name(facts.channel.municipality_code)}",
            SHORT[facts.channel.file],
            one.health.japanese,
            str(facts.last_sequence),
            str(facts.waiting),
            shown_briefly(facts.oldest_waiting_at, now),
            str(len(facts.refused) + len(facts.conflicts)),
            f"{facts.rejected_records:,}",
            shown_briefly(facts.last_contact_at, now),
            shown_briefly(facts.confirmation.confirmed_at, now),
            f"{facts.confirmation.open_differences:,}",
        )
        for one in judged
        for facts in [one.facts]
    ]
    return Table(title, _HEADINGS, rows, breakable=_HEADINGS[:1])


def _normal(installation: Installation, judged: Sequence[ChannelHealth]) -> list[str]:
    """List the normal channels, a municipality with its last sequences, several in a line."""
    normal = [one.facts for one in judged if not one.conditions]
    parts = []
    for code, facts in groupby(normal, key=lambda one: one.channel.municipality_code):
        sequences = "・".join(f"{SHORT[one.channel.file]}{one.last_sequence}" for one in facts)
        parts.append(f"{installation.name(code)} {sequences}")
    starts = range(0, len(parts), _NORMAL_IN_A_LINE)
    lines = ["  " + "、".join(parts[start : start + _NORMAL_IN_A_LINE]) for start in starts]
    return ["正常（数字は適用済の連番）", *lines] if lines else []
