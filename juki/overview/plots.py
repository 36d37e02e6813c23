"""The plots beside the pages of the screens: which there are, and what each says.

Decides:    titles, units, classes of days; which unit of time suits the longest bar.
Leaves:     counting to `juki.overview.trends`, drawing to `juki.overview.charts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.overview.charts import BLUE, GREEN, ORANGE, VERMILION, Chart, Series, lying, upright
from juki.overview.trends import ERASED_WITHIN_DAYS, SHOWN_DAYS, Durations, Trends
from juki.store.trends import Duration

_COLOURS = {IdentityFile.RESIDENT: BLUE, IdentityFile.FUHYO: ORANGE}
_LAST_CLASS = 30
"""Days a provision is held for: from here on all are one class."""
_MINUTE, _HOUR = 60, 3_600


@dataclass(frozen=True, slots=True)
class Plot:
    """One image: the end of its key, what it shows, and itself as a data URI."""

    name: str
    title: str
    image: str


def plots_of(trends: Trends, name: Callable[[str], str]) -> list[Plot]:
    """Draw everything; `name` names a municipality."""
    opened = trends.open_differences
    charts: dict[str, Chart] = {
        "notices": _by_day("通知の件数", "適用した日", trends.days, trends.notices),
        "differences": _by_day("開いている差異の件数", "日の終わり（最後は今）", trends.days, opened),
        "holds": _of_holds(trends),
    }
    drawn = [Plot(key, chart.title, upright(chart)) for key, chart in charts.items()]
    title = "受入にかかった時間（届いてから適用まで、中央値）"
    drawn.append(_of_durations("intake-durations", title, trends.intake, name))
    title = "整合処理にかかった時間（求めてから終わりまで、先方の応答を含む、中央値）"
    drawn.append(_of_durations("reconcile-durations", title, trends.reconciliation, name))
    return drawn


def counts_over_time(title: str, points: Sequence[tuple[datetime, int]]) -> str:
    """Draw counts at instants, the oldest first, each above its day in Japan; return the image as a data URI."""
    labels = [_label(civil_date(at)) for at, _ in points]
    counts = Series("件数", VERMILION, [count for _, count in points])
    return upright(Chart(title, "単位: 件", "日", labels, [counts]))


def _label(day: date) -> str:
    return f"{day.month}/{day.day}"


def _by_day(
    title: str, across: str, days: Sequence[date], counts: Mapping[IdentityFile, Sequence[int]]
) -> Chart:
    series = [Series(file.japanese, _COLOURS[file], counts[file]) for file in IdentityFile]
    labels = [_label(day) for day in days]
    return Chart(f"{title}（{len(days)} 日間）", "単位: 件", across, labels, series)


def _of_holds(trends: Trends) -> Chart:
    last = min(_LAST_CLASS, max([3, *trends.erased, *trends.held]))
    labels = [f"{days}" for days in range(last)] + [f"{last}以上" if last == _LAST_CLASS else f"{last}"]
    series = [
        Series(f"消去済（{ERASED_WITHIN_DAYS} 日間）", GREEN, _classes(trends.erased, last)),
        Series("保存中", VERMILION, _classes(trends.held, last)),
    ]
    title, across = "一時保存の日数（渡してから消去まで）", "経過した日数（丸一日を 1 とする）"
    return Chart(title, "単位: 提供の件数", across, labels, series)


def _classes(counts: Mapping[int, int], last: int) -> list[int]:
    return [
        sum(count for days, count in counts.items() if (days == one if one < last else days >= last))
        for one in range(last + 1)
    ]


def _of_durations(key: str, title: str, durations: Durations, name: Callable[[str], str]) -> Plot:
    longest = max((one.median_seconds for by in durations.values() for one in by.values()), default=0)
    unit, seconds = _unit_of(longest)
    series = [
        Series(file.japanese, _COLOURS[file], [_in(by.get(file), seconds) for by in durations.values()])
        for file in IdentityFile
    ]
    words = [[_words(by.get(file), seconds, unit) for by in durations.values()] for file in IdentityFile]
    chart = Chart(title, f"{SHOWN_DAYS} 日間", f"単位: {unit}", [name(code) for code in durations], series)
    return Plot(key, title, lying(chart, words))


def _unit_of(longest: float) -> tuple[str, int]:
    if longest >= 2 * _HOUR:
        return "時間", _HOUR
    return ("分", _MINUTE) if longest >= 2 * _MINUTE else ("秒", 1)


def _in(duration: Duration | None, seconds: int) -> float | None:
    return duration.median_seconds / seconds if duration else None


def _words(duration: Duration | None, seconds: int, unit: str) -> str:
    return f"{_figure(duration.median_seconds / seconds)} {unit}（{duration.count:,} 回）" if duration else ""


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
