"""How runs are called on the screens: by what was asked for, and by the day and time in Japan they began.

Decides:    the words of a run's name; before it begins a run bears the name Prefect drew for it.
Invariants: made of choices, numbers of ours and the clock, never of an assertion or free words.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from prefect import runtime

from tasks import clock


def named_by(*parameters: str) -> Callable[[], str]:
    """Name runs by some of their parameters, those left empty apart, and by when they began."""

    def name() -> str:
        asked = runtime.flow_run.parameters
        words = [_word(asked.get(one)) for one in parameters]
        began = clock.now().astimezone(clock.JAPAN)
        return " ".join([*filter(None, words), f"{began:%Y-%m-%d %H:%M}"])

    return name


def _word(value: object) -> str:
    """Write a parameter as the run form shows it, whether Prefect has made a choice of it yet or not."""
    if isinstance(value, list | tuple):
        return "・".join(map(_word, value))
    said = value.value if isinstance(value, Enum) else value
    return "" if said is None else str(said)
