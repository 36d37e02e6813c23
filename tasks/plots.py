"""Small plots for the Prefect UI, as an image that needs nothing from outside: SVG in a data URI.

Decides:    how a row of counts over time looks.
Invariants: counts and days only. No font, script or address is fetched to show it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from html import escape

from tasks.clock import civil_date

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 220, 56, 40, 34
_STYLE = 'font-family="sans-serif" font-size="12" fill="#334155"'


def counts_over_time(title: str, points: Sequence[tuple[datetime, int]]) -> str:
    """Draw counts as bars, the oldest on the left, and return the image as a data URI."""
    most = max((count for _, count in points), default=0)
    width = (_WIDTH - _LEFT - 16) / max(1, len(points))
    bars = [_bar(position, width, at, count, most) for position, (at, count) in enumerate(points)]
    base = _HEIGHT - _BOTTOM
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" role="img">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>'
        f'<text x="{_LEFT}" y="20" {_STYLE} font-weight="bold">{escape(title)}</text>'
        f'<line x1="{_LEFT}" y1="{base}" x2="{_WIDTH - 16}" y2="{base}" stroke="#94a3b8"/>'
        f'<text x="{_LEFT - 8}" y="{_TOP + 10}" text-anchor="end" {_STYLE}>{most:,}</text>'
        f'<text x="{_LEFT - 8}" y="{base}" text-anchor="end" {_STYLE}>0</text>'
        f"{''.join(bars)}</svg>"
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def _bar(position: int, width: float, at: datetime, count: int, most: int) -> str:
    """Draw one bar with its day below and its count above; a count of zero is a mark on the line."""
    base = _HEIGHT - _BOTTOM
    height = (base - _TOP - 16) * count / most if most else 0
    x, middle = _LEFT + position * width, _LEFT + (position + 0.5) * width
    colour = "#b91c1c" if count else "#15803d"
    return (
        f'<rect x="{x + width * 0.2:.1f}" y="{base - max(height, 3):.1f}" width="{width * 0.6:.1f}" '
        f'height="{max(height, 3):.1f}" fill="{colour}"/>'
        f'<text x="{middle:.1f}" y="{base - height - 6:.1f}" text-anchor="middle" {_STYLE}>{count:,}</text>'
        f'<text x="{middle:.1f}" y="{base + 18}" text-anchor="middle" {_STYLE}>{civil_date(at):%m/%d}</text>'
    )
