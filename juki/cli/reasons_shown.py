"""Why things need attention, as lines for people: each reason once, with all places it holds for.

Invariants: every line is a code with its sentence, a place, or a next step; nothing of a record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from juki.cli.installation import Installation
from juki.health import ChannelHealth
from juki.overview.concerns import Concern, of_channels
from juki.reasons import Code, Severity
from juki.shown import SHORT

__all__ = ["SEVERITIES", "SHORT", "code_lines", "concern_lines", "found_lines", "reason_lines"]

SEVERITIES = {Severity.ERROR: "拒否", Severity.ALERT: "注意"}


def reason_lines(installation: Installation, troubled: Iterable[ChannelHealth]) -> list[str]:
    """List all reasons of channels, the worst first, each with its places and what to do."""
    return [line for one in of_channels(troubled, installation.name) for line in concern_lines(one)]


def concern_lines(one: Concern) -> list[str]:
    """Write one reason: its code, where, what to do, and what is behind it."""
    first, *step = code_lines(one.code, f"{one.of} " if one.of else "")
    causes = [f"  {line}" for cause in one.causes for line in code_lines(cause)]
    return [first, *([f"  {one.where}"] if one.where else []), *step, *causes]


def code_lines(code: Code, before: str = "") -> list[str]:
    """Write a code with its sentence and, in a line of its own, its next step; `before` opens the first line."""
    step = [f"  → {code.next_step}"] if code.next_step else []
    return [f"{before}[{code.value}] {code.message}", *step]


def found_lines(counts: Mapping[Code, int]) -> list[str]:
    """List what was found on records, by code: how often, what it means, what to do."""
    found = sorted(counts.items())
    return [line for code, n in found for line in code_lines(code, f"{SEVERITIES[code.severity]} {n:,} 件 ")]
