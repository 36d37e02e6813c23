"""Charts as SVG that needs nothing from outside: bars over days or classes, and bars by place.

Decides:    how a chart looks: title, axes with units, round ticks, a legend, a number at the end of a bar.
Leaves:     what is drawn to `juki.overview.plots`.
Invariants: what is written is escaped; no font, script or address is fetched to show it. The colours of two series
            are told apart by whoever sees red and green alike (Okabe and Ito, 2008).
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 72, 16, 64, 56
_HEIGHT = 300
_INK, _PALE = "#334155", "#e2e8f0"
_ROW, _BAR, _NAMES = 34, 11, 120
_MOST_LABELS = 16
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Series:
    """One row of values in one colour; None where there is none."""

    name: str
    colour: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: a title, what the axes measure, a label for each place of the series."""

    title: str
    unit: str
    across: str
    labels: Sequence[str]
    series: Sequence[Series]


def upright(chart: Chart) -> str:
    """Draw the series on top of each other as upright bars, one for each label; return the image as a data URI."""
    totals = [sum(one.values[place] or 0 for one in chart.series) for place in range(len(chart.labels))]
    # Counts: never less than one to a part.
    top = max(_round_up(max(totals, default=0)), float(_TICKS))
    base, room = _HEIGHT - _BOTTOM, _HEIGHT - _BOTTOM - _TOP
    width = (_WIDTH - _LEFT - _RIGHT) / max(1, len(chart.labels))
    parts = [*_grid_upright(top, base, room), *_legend(chart.series)]
    for place, label in enumerate(chart.labels):
        x, y = _LEFT + place * width, float(base)
        for one in chart.series:
            height = room * (one.values[place] or 0) / top
            y -= height
            parts.append(_rect(x + width * 0.12, y, width * 0.76, height, one.colour))
        if totals[place]:
            parts.append(_text(x + width / 2, y - 4, f"{totals[place]:,}", "middle", size=10))
        if place % _every(chart.labels) == 0:
            parts.append(_text(x + width / 2, base + 16, label, "middle"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 12, chart.across, "middle"))
    return _image(chart, parts, _HEIGHT)


def lying(chart: Chart, words: Sequence[Sequence[str]]) -> str:
    """Draw the series beside each other as lying bars, one row for each label, with its words at the end of a bar."""
    height = _TOP + _ROW * max(1, len(chart.labels)) + _BOTTOM
    top = _round_up(max((value for one in chart.series for value in one.values if value), default=0))
    left, room = _NAMES, _WIDTH - _NAMES - _RIGHT - 140
    parts = [*_legend(chart.series)]
    for step in range(_TICKS + 1):
        x = left + room * step / _TICKS
        parts.append(_line(x, _TOP, x, height - _BOTTOM))
        parts.append(_text(x, height - _BOTTOM + 16, _number(top * step / _TICKS), "middle"))
    for place, label in enumerate(chart.labels):
        y = _TOP + place * _ROW
        parts.append(_text(left - 8, y + _ROW / 2 + 4, label, "end"))
        for number, one in enumerate(chart.series):
            value, at = one.values[place], y + 5 + number * (_BAR + 2)
            if value is not None:
                parts.append(_rect(left, at, max(room * value / top, 1.5), _BAR, one.colour))
                parts.append(
                    _text(
                        left + room * value / top + 6, at + _BAR - 2, words[number][place], "start", size=10
                    )
                )
    parts.append(_text(left + room / 2, height - 12, chart.across, "middle"))
    return _image(chart, parts, height)


def _grid_upright(top: float, base: float, room: float) -> Iterator[str]:
    for step in range(_TICKS + 1):
        y = base - room * step / _TICKS
        yield _line(_LEFT, y, _WIDTH - _RIGHT, y)
        yield _text(_LEFT - 8, y + 4, _number(top * step / _TICKS), "end")


def _legend(series: Sequence[Series]) -> Iterator[str]:
    for place, one in enumerate(series):
        x = _LEFT + place * 160
        yield _rect(x, 34, 12, 12, one.colour)
        yield _text(x + 18, 44, one.name, "start")


def _image(chart: Chart, parts: Sequence[str], height: float) -> str:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height:g}" role="img" '
        f'font-family="sans-serif" fill="{_INK}">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>'
        f'<text x="16" y="20" font-size="15" font-weight="bold">{escape(chart.title)}</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="44" font-size="12" text-anchor="end">{escape(chart.unit)}</text>'
        f"{''.join(parts)}</svg>"
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{_PALE}"/>'


def _text(x: float, y: float, words: str, anchor: str, size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(words)}</text>'


def _every(labels: Sequence[str]) -> int:
    return max(1, math.ceil(len(labels) / _MOST_LABELS))


def _round_up(most: float) -> float:
    """Find the end of an axis of four round parts."""
    if most <= 0:
        return float(_TICKS)
    power = 10.0 ** math.floor(math.log10(most / _TICKS))
    return next(parts * power for parts in (4, 8, 12, 20, 40, 80) if parts * power >= most)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"
