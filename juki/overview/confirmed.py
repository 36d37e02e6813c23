"""When both sides of every channel were last confirmed to be equal (最後に一致を確認), as rows for people.

Decides:    what is told of a confirmation, and in how many digits.
Leaves:     gathering to `juki.store.confirmations`, the form for programs to `juki.overview.described`, drawing to
            whoever shows the rows.
Invariants: a channel that was never confirmed is a row as well, so that what is missing is seen.
Source:     measure M11.
"""

from __future__ import annotations

from juki.health import ChannelHealth
from juki.overview.situation import Situation
from juki.shown import SHORT, shown

TITLE = "最後に一致を確認"
HEADINGS = ("市町村", "ファイル", "時点", "通知番号", "行数", "ダイジェスト")
NUMBERS = ("通知番号", "行数")
"""The columns that are numbers."""
DIGEST_DIGITS = 16
"""Enough to compare over the telephone; programs get the whole digest."""


def confirmed_rows(situation: Situation) -> list[tuple[str, ...]]:
    """Write of every channel as of which instant and notice both sides were equal, and what they held."""
    return [_row(situation, one) for one in situation.channels]


def _row(situation: Situation, one: ChannelHealth) -> tuple[str, ...]:
    channel, confirmation = one.facts.channel, one.facts.confirmation
    return (
        situation.name(channel.municipality_code),
        SHORT[channel.file],
        shown(confirmation.confirmed_at),
        _count(confirmation.watermark),
        _count(confirmation.rows),
        confirmation.root_digest[:DIGEST_DIGITS] or "-",
    )


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
