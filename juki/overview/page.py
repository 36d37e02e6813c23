"""The morning page (朝の一覧): how everything stands as one Markdown page in Japanese, for people.

Decides:    that the verdict comes first, then what needs somebody with code, meaning and next step, then everything
            in tables; how many places of one reason are named.
Leaves:     what needs somebody to `juki.overview.concerns`.
Invariants: the page is kept by Prefect: no name a sender chose and no words somebody typed are on it (`refs`), and
            what stands in a table can neither end it nor be markup.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from juki.dates import JAPAN
from juki.health import ChannelHealth, Health
from juki.log_health import LogFacts
from juki.overview import confirmed
from juki.overview.alarm import with_rest
from juki.overview.concerns import Concern, concerns_of
from juki.overview.custody import HoldFacts
from juki.overview.jlis import JlisHealth
from juki.overview.situation import Situation
from juki.quality_pages import shown_at
from juki.reasons import Code
from juki.scanning import ScannerState
from juki.shown import SHORT, shown, shown_briefly

_MOST_PLACES = 40
"""Both files of every municipality of a prefecture like ours."""
_WEEKDAYS = "月火水木金土日"
_MARKUP = re.compile(r"([\\`*_\[\]<>|~#])")
_CHANNELS = (
    "市町村", "ファイル", "状態", "連番", "待ち", "拒否", "拒否行", "最後の連絡", "一致の確認", "差異",
)  # fmt: skip
"""In few characters: the screens show the page in a narrow column, and what is cut off is not read."""
_NUMBERS = "---:"
_WORDS = "---"


def page_of(situation: Situation) -> str:
    """Write the page."""
    concerns = concerns_of(situation)
    lines = [
        _heading(situation.at),
        "",
        *_verdict(situation, len(concerns)),
        *_attention(concerns),
        "", "## 市町村とファイル", "", *_channels(situation),
        "", "## 一時保存（預かり）", "", *_holds(situation.holds),
        "", "## 操作ログ", "", *_logs(situation.logs),
        "", "## 機構（J-LIS）への通知", "", *_jlis(situation.jlis),
        "", "## ウイルス検査・品質検査・予定", "", *_rest(situation),
        "", f"## {confirmed.TITLE}", "", *_confirmed(situation),
        "", "この一覧は `juki status` と同じ内容です。対象の名前をすべて見るときも `juki status` を使ってください。",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def page_unseen(at: datetime, code: Code) -> str:
    """Write the page of a look that failed, so that nobody takes the last one that did not for today's."""
    lines = [
        _heading(at),
        "", "**確認できませんでした。** 今の状態は分かりません。前の一覧は今の状態を示しません。",
        "", f"## {code.message}", "", f"- コード: `{code.value}`",
        *([f"- 次にすること: {code.next_step}"] if code.next_step else []),
        "", "端末の `juki status` と `juki doctor` でも確かめられます。直れば、次の実行でこの一覧は元に戻ります。",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _heading(instant: datetime) -> str:
    at = instant.astimezone(JAPAN)
    return f"# 朝の一覧 {at:%Y-%m-%d}（{_WEEKDAYS[at.weekday()]}）{at:%H:%M} 現在"


def _verdict(situation: Situation, count: int) -> Iterator[str]:
    if count:
        yield f"**確認の要ることが {count:,} 件あります。**"
    elif situation.channels:
        yield "**すべて正常です。**"
    else:
        yield "**市町村が登録されていません。** 次にすること: municipalities.toml に登録する"
    if situation.channels:
        counted = Counter(one.health for one in situation.channels)
        parts = [f"{health.japanese} {counted[health]:,}" for health in reversed(Health) if counted[health]]
        yield f"市町村×ファイル {len(situation.channels):,} 件: {'、'.join(parts)}"


def _attention(concerns: Sequence[Concern]) -> Iterator[str]:
    if concerns:
        yield from ("", "## 確認の要ること")
    for number, one in enumerate(concerns, 1):
        of = f"{one.of}: " if one.of else ""
        yield from ("", f"### {number}. {of}{one.code.message}", "", f"- コード: `{one.code.value}`")
        where = _where(one)
        if where:
            yield f"- 対象: {where}"
        if one.code.next_step:
            yield f"- 次にすること: {one.code.next_step}"
        for cause in one.causes:
            step = f" 次にすること: {cause.next_step}" if cause.next_step else ""
            yield f"- もとのコード: `{cause.value}` {cause.message}{step}"


def _where(one: Concern) -> str:
    places = one.places if one.refs is None else one.refs
    named = with_rest([*map(plain, places[:_MOST_PLACES])], len(places))
    return "、".join(named) + (f"（{shown(one.since)} から）" if one.since else "")


def _channels(situation: Situation) -> Iterator[str]:
    rows = [_channel(situation, one) for one in situation.channels]
    yield from _table(_CHANNELS, rows, numbers=("連番", "待ち", "拒否", "拒否行", "差異"))
    yield from (
        "",
        "連番は適用済の最後のもの、拒否はパッケージ、拒否行は処理の済んでいないレコードの数です。",
    )


def _channel(situation: Situation, one: ChannelHealth) -> tuple[str, ...]:
    facts, now = one.facts, situation.at
    state = one.health.japanese
    return (
        plain(situation.name(facts.channel.municipality_code)),
        SHORT[facts.channel.file],
        state if one.health is Health.NORMAL else f"**{state}**",
        f"{facts.last_sequence:,}",
        f"{facts.waiting:,}",
        f"{len(facts.refused) + len(facts.conflicts):,}",
        f"{facts.rejected_records:,}",
        shown_briefly(facts.last_contact_at, now),
        shown_briefly(facts.confirmation.confirmed_at, now),
        f"{facts.confirmation.open_differences:,}",
    )


def _holds(holds: Sequence[HoldFacts]) -> Iterator[str]:
    headings = ("ファイル", "提供", "個人番号", "最も早い期限", "期限の来たもの", "猶予を過ぎたもの")
    rows = [
        (
            one.file.japanese, f"{one.provisions:,}", f"{one.numbers:,}", shown(one.first_due_at),
            f"{one.due:,}", f"{one.overdue:,}",
        )
        for one in holds
    ]  # fmt: skip
    return _table(headings, rows, numbers=("提供", "個人番号", "期限の来たもの", "猶予を過ぎたもの"))


def _logs(logs: Sequence[LogFacts]) -> Iterator[str]:
    headings = ("ファイル", "記録", "署名済", "署名の時点", "署名待ち", "検証（署名・保管先との一致）")
    rows = [
        (
            one.file.japanese, f"{one.entries:,}", f"{one.signed:,}", shown(one.signed_at), f"{one.waiting:,}",
            _verified(one),
        )
        for one in logs
    ]  # fmt: skip
    return _table(headings, rows, numbers=("記録", "署名済", "署名待ち"))


def _verified(one: LogFacts) -> str:
    if one.alarms:
        return "**異常** " + " ".join(
            f"`{code}`" for code in dict.fromkeys(code.value for code, _ in one.alarms)
        )
    return "一致" if one.signed else "署名したものがまだない"


def _jlis(judged: Sequence[JlisHealth]) -> Iterator[str]:
    headings = ("ファイル", "未通知", "通知済の更新", "受領確認済", "最後の受領確認", "受領確認待ち", "拒否")
    rows = [
        (
            one.facts.file.japanese, f"{one.facts.waiting:,}", f"{one.facts.last_update_no:,}",
            f"{one.facts.acknowledged_update_no:,}", shown(one.facts.acknowledged_at),
            f"{one.facts.unanswered:,}", f"{one.facts.refused:,}",
        )
        for one in judged
    ]  # fmt: skip
    return _table(headings, rows, numbers=("未通知", "通知済の更新", "受領確認済", "受領確認待ち", "拒否"))


def _rest(situation: Situation) -> Iterator[str]:
    scanning, quality, site = situation.scanning, situation.quality, situation.site
    said = scanning.state.japanese
    if scanning.state is ScannerState.OFF:
        said += "（scanner_address の設定がありません）"
    elif scanning.patterns_at:
        said += f"（パターン {shown(scanning.patterns_at)}）"
    yield f"- ウイルス検査: {said}"
    checked = f"{shown_at(quality)}、不合格 {len(quality.failed):,} 件" if quality else "まだ行っていません"
    yield f"- 品質検査: {checked}"
    since = (
        f"（{shown(site.since)} から、再起動 {site.restarts:,} 回）" if site.since else "（起動: `juki up`）"
    )
    yield f"- 予定（Prefect）: {site.state.japanese}{since}"
    yield f"- 送っていない通知のメール: {site.unsent_letters:,} 通"


def _confirmed(situation: Situation) -> Iterator[str]:
    rows = [(plain(name), *rest) for name, *rest in confirmed.confirmed_rows(situation)]
    yield from _table(confirmed.HEADINGS, rows, numbers=confirmed.NUMBERS)
    yield from (
        "",
        "その通知番号までの先方と当方が等しいと確かめました。ダイジェストは先方の全行の要約の初めの 16 桁です。",
    )


def _table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[str]
) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'|'.join(_NUMBERS if one in numbers else _WORDS for one in headings)}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def plain(words: str) -> str:
    """Write words that came from somewhere so that they are neither markup nor the end of a line or a cell."""
    return _MARKUP.sub(r"\\\1", " ".join(words.split()))
