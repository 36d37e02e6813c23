"""The one clock of the tasks.

Decides:    what `now` is: the machine's clock, unless a demonstration or a test holds it still.
Invariants: nothing else in tasks/ or flows/ asks for the time; no setting and no parameter can move it. What is
            outside and real (the patterns of a virus scanner) is judged by the machine's clock, held or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from juki.dates import JAPAN, civil_date

__all__ = ["JAPAN", "civil_date", "held_at", "machine_now", "now"]

_held: list[datetime] = []


def now() -> datetime:
    """Tell the instant, aware, in UTC."""
    return _held[-1] if _held else datetime.now(UTC)


def machine_now() -> datetime:
    """Tell the instant of this machine, although a demonstration lives through other days."""
    return datetime.now(UTC)


@contextmanager
def held_at(instant: datetime) -> Iterator[None]:
    """Hold the clock of this process at an instant, for days that a simulator lives through."""
    _held.append(instant.astimezone(UTC))
    try:
        yield
    finally:
        _held.pop()
