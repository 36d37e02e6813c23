"""The one clock of the tasks.

Decides:    what `now` is: the machine's clock, unless a demonstration or a test holds it still.
Invariants: nothing else in tasks/ or flows/ asks for the time; no setting and no parameter can move it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

JAPAN = ZoneInfo("Asia/Tokyo")
_held: list[datetime] = []


def now() -> datetime:
    """Tell the instant, aware, in UTC."""
    return _held[-1] if _held else datetime.now(UTC)


def civil_date(instant: datetime) -> date:
    """Tell the civil date in Japan of an instant; days of notice and retention are counted in these."""
    return instant.astimezone(JAPAN).date()


@contextmanager
def held_at(instant: datetime) -> Iterator[None]:
    """Hold the clock of this process at an instant, for days that a simulator lives through."""
    _held.append(instant.astimezone(UTC))
    try:
        yield
    finally:
        _held.pop()
