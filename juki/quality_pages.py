"""The pages of the quality check: static, in Japanese, with nothing fetched from anywhere.

Decides:    what a run and the index look like in a browser.
Leaves:     where the pages lie to `juki.quality_files`.
Invariants: everything that is written is escaped. A page holds what a report holds, and less: shares of ages are
            whole percents.
Source:     ADR-0033.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape

from juki.columns import BY_NAME
from juki.dates import JAPAN
from juki.quality import AGE_BINS, SMALLEST_GROUP, Finding
from juki.quality_reports import FileReport, Report

_STYLE = """
body{font:16px/1.7 "Noto Sans JP","Hiragino Sans","Yu Gothic UI",sans-serif;margin:2rem auto;max-width:64rem;
padding:0 1rem;color:#1e293b;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem;border-bottom:2px solid #cbd5e1}
table{border-collapse:collapse;width:100%;margin:1rem 0}
th,td{border-bottom:1px solid #e2e8f0;padding:.35rem .6rem;text-align:left;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}
.ok,.bad,th{white-space:nowrap}.ok{color:#166534}.bad{color:#b91c1c;font-weight:bold}
.bar{background:#64748b;height:.9rem;display:inline-block;vertical-align:middle;margin-right:.4rem}
"""
_HEAD = (
    '<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    '<meta name="referrer" content="no-referrer"><title>{title}</title><style>{style}</style></head><body>'
)


NameOf = Callable[[str], str]
"""What names a municipality by its code."""


def run_page(report: Report, name_of: NameOf) -> str:
    """Write the page of one run."""
    failed = report.failed
    verdict = f"{len(failed):,} 件の期待が満たされていません" if failed else "すべての期待が満たされました"
    parts = [
        _head(f"品質検査 {shown_at(report)}"),
        f'<p class="{"bad" if failed else "ok"}">{verdict}</p>',
        '<p><a href="index.html">すべての検査</a></p>',
        *(part for one in report.files for part in _file(one, name_of)),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def index_page(reports: Sequence[Report]) -> str:
    """Write the list of runs, the newest first."""
    rows = [
        [
            f'<a href="{escape(one.run)}.html">{escape(shown_at(one))}</a>',
            f"{sum(len(part.findings) for part in one.files):,}",
            _word(bool(one.failed), f"不合格 {len(one.failed):,}" if one.failed else "合格"),
        ]
        for one in reversed(reports)
    ]
    table = _table(("検査日時", "期待", "結果"), rows)
    return "\n".join([_head("品質検査の一覧"), table, "</body></html>\n"])


def shown_at(report: Report) -> str:
    """Write when a run was, as people in Japan read it."""
    return report.checked_at.astimezone(JAPAN).strftime("%Y-%m-%d %H:%M:%S")


def places_shown(places: Mapping[str, int], name_of: NameOf) -> str:
    """Write where something was found; a place without a code is the whole file."""
    return "、".join(
        f"{name_of(code) if code else 'ファイル全体'} {count:,}" for code, count in places.items()
    )


def outcome_of(one: Finding) -> str:
    """Say in a word how a finding came out."""
    if one.asked is None:
        return "比べるものなし"
    if not one.is_met:
        return "不合格"
    return "合格" if not one.unexpected else f"合格（既知 {one.unexpected:,}）"


def _head(title: str) -> str:
    return _HEAD.format(title=escape(title), style=_STYLE) + f"<h1>{escape(title)}</h1>"


def _file(one: FileReport, name_of: NameOf) -> Iterator[str]:
    figures = one.figures
    yield f"<h2>{one.file.japanese}</h2>"
    compared = f"前回として比べた検査: {one.baseline}" if one.baseline else "前回の検査はありません"
    yield (
        f"<p>記載中 {figures.people:,} 人、履歴 {figures.history:,} 版、パッケージ {figures.packages:,} 個。"
        f"{escape(compared)}</p>"
    )
    rows = [
        [
            escape(each.title), f"{each.asked:,}" if each.asked is not None else "-", f"{each.unexpected:,}",
            _word(not each.is_met, outcome_of(each)), escape(_explained(each, name_of)),
        ]
        for each in one.findings
    ]  # fmt: skip
    yield _table(("期待すること", "対象", "外れ", "結果", "理由・場所・次にすること"), rows)
    yield from _ages(figures.ages)
    yield from _unknowns(figures.unknowns, figures.people)


def _explained(one: Finding, name_of: NameOf) -> str:
    places = places_shown(one.places, name_of)
    if one.is_met:
        return places
    return " ".join((f"[{one.code.value}] {one.code.message}", places, one.code.next_step)).strip()


def _ages(ages: Mapping[int, int]) -> Iterator[str]:
    """Draw the ages in whole percents; nobody is alone in one."""
    total = sum(ages.values())
    if not total:
        return
    rows = []
    for first in AGE_BINS:
        share = round(100 * ages.get(first, 0) / total)
        last = "歳以上" if first == AGE_BINS[-1] else f"〜{first + 9}歳"
        rows.append([f"{first}{last}", f'<span class="bar" style="width:{share * 6}px"></span>{share}%'])
    yield "<h3>年齢の分布（記載中の者）</h3>" + _table(("年齢", "割合"), rows)


def _unknowns(unknowns: Mapping[str, Mapping[str, int]], people: int) -> Iterator[str]:
    rows = []
    for name, places in unknowns.items():
        count = sum(places.values())
        told = (
            f"{count:,} 人以上（{round(100 * count / max(1, people))}%）"
            if count
            else f"各市町村 {SMALLEST_GROUP} 人未満"
        )
        rows.append([escape(BY_NAME[name].japanese), told])
    if rows:
        yield "<h3>不明・空欄</h3>" + _table(("項目", "人数（10人単位で切捨て）"), rows)


def _word(is_bad: bool, word: str) -> str:
    kind = "bad" if is_bad else "ok"
    return f'<span class="{kind}">{escape(word)}</span>'


def _table(headings: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out cells that are HTML already."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
