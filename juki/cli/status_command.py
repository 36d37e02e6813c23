"""`juki status`: the one page that says what state every channel is in, why, and what to do.

Decides:    what the page shows: the summary first, what needs attention in full, what is normal in one line.
Leaves:     gathering everything, and what needs attention, to `juki.overview`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated

import typer

from config.scanning import scanner_standing
from juki.cli.installation import Installation, shown, shown_briefly
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.reasons_shown import concern_lines
from juki.cli.status_lines import jlis_lines, log_lines, site_lines, standing_lines
from juki.health import ChannelHealth, Health
from juki.openmetrics import openmetrics_text
from juki.overview import confirmed
from juki.overview.concerns import of_alarm, of_channels
from juki.overview.described import described_situation
from juki.overview.metrics import gauges_of
from juki.overview.situation import Situation, look
from juki.shown import SHORT

ShowAll = Annotated[
    bool, typer.Option("--all", help="正常なものも一件ずつ表に示し、最後に一致を確認した時点・行数も示す")
]
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
    now = datetime.now(UTC)
    situation = look(installation.watched, scanner_standing(installation.settings, now), now)
    if as_metrics:
        typer.echo(openmetrics_text(gauges_of(situation)), nl=False)
        return
    shown_ones = situation.channels if show_all else situation.troubled
    summary = _summary(situation)
    # The summary comes first: over the table, or in its place where everything is normal.
    tables = [_table(situation, summary, shown_ones)] if shown_ones else []
    if show_all and shown_ones:
        tables.append(_confirmed(situation))
    lines = [*([] if tables else [summary]), *_lines(situation, show_all=show_all)]
    code = ExitCode.FOUND if situation.needs_somebody else ExitCode.OK
    finish(Result(described_situation(situation), tables, lines, code), as_json=as_json)


def _lines(situation: Situation, *, show_all: bool) -> list[str]:
    """Write what needs attention in full, then what is normal in one line each."""
    concerns = [*map(of_alarm, situation.alarms), *of_channels(situation.troubled, situation.name)]
    return [
        *(line for one in concerns for line in concern_lines(one)),
        *([] if show_all else _normal(situation)),
        *jlis_lines(situation.jlis), *log_lines(situation.logs), *standing_lines(situation.scanning),
        *site_lines(situation.site),
    ]  # fmt: skip


def _summary(situation: Situation) -> str:
    judged, now = situation.channels, situation.at
    if not judged:
        return f"{shown(now)} 市町村が登録されていません。次にすること: municipalities.toml に登録する"
    counted = Counter(one.health for one in judged)
    parts = [f"{health.japanese} {counted[health]}" for health in reversed(Health) if counted[health]]
    return f"{shown(now)} {len(judged)} 件（市町村×ファイル）: {'、'.join(parts)}"


def _table(situation: Situation, title: str, judged: Sequence[ChannelHealth]) -> Table:
    now = situation.at
    rows = [
        (
            f"{facts.channel.municipality_code} {situation.name(facts.channel.municipality_code)}",
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


def _confirmed(situation: Situation) -> Table:
    rows, headings = confirmed.confirmed_rows(situation), confirmed.HEADINGS
    return Table(confirmed.TITLE, headings, rows, breakable=headings[:1])


def _normal(situation: Situation) -> list[str]:
    """List the normal channels, a municipality with its last sequences, several in a line."""
    normal = [one.facts for one in situation.channels if not one.conditions]
    parts = []
    for code, facts in groupby(normal, key=lambda one: one.channel.municipality_code):
        sequences = "・".join(f"{SHORT[one.channel.file]}{one.last_sequence}" for one in facts)
        parts.append(f"{situation.name(code)} {sequences}")
    starts = range(0, len(parts), _NORMAL_IN_A_LINE)
    lines = ["  " + "、".join(parts[start : start + _NORMAL_IN_A_LINE]) for start in starts]
    return ["正常（数字は適用済の連番）", *lines] if lines else []
