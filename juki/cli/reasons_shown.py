"""Why channels need attention, as lines for people: each reason once, with all places it holds for.

Invariants: every line is a code with its sentence, a place, or a next step; nothing of a record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from juki.cli.installation import Installation, shown
from juki.columns import IdentityFile
from juki.health import ChannelFacts, ChannelHealth, Condition, Health
from juki.reasons import Code, Severity

SHORT = {IdentityFile.RESIDENT: "本人", IdentityFile.FUHYO: "附票"}
"""The files in as few characters as a crowded line has."""
SEVERITIES = {Severity.ERROR: "拒否", Severity.ALERT: "注意"}
_Found = tuple[ChannelFacts, Condition]


def reason_lines(installation: Installation, troubled: Iterable[ChannelHealth]) -> list[str]:
    """List all reasons, the worst first, each with its places and what to do."""
    groups: dict[tuple[Health, Code], list[_Found]] = {}
    for one in troubled:
        for condition in one.conditions:
            groups.setdefault((condition.health, condition.code), []).append((one.facts, condition))
    ranks = list(Health)
    ordered = sorted(groups.items(), key=lambda item: ranks.index(item[0][0]))
    return [line for (health, code), found in ordered for line in _group(installation, health, code, found)]


def code_lines(code: Code, before: str = "") -> list[str]:
    """Write a code with its sentence and, in a line of its own, its next step; `before` opens the first line."""
    step = [f"  → {code.next_step}"] if code.next_step else []
    return [f"{before}[{code.value}] {code.message}", *step]


def found_lines(counts: Mapping[Code, int]) -> list[str]:
    """List what was found on records, by code: how often, what it means, what to do."""
    found = sorted(counts.items())
    return [line for code, n in found for line in code_lines(code, f"{SEVERITIES[code.severity]} {n:,} 件 ")]


def _group(installation: Installation, health: Health, code: Code, found: Sequence[_Found]) -> Iterator[str]:
    first, *step = code_lines(code, f"{health.japanese} ")
    yield first
    yield "  " + "、".join(_place(installation, facts, condition) for facts, condition in found)
    yield from step
    causes = {one.code for _, condition in found for one in condition.packages}
    yield from (f"  {line}" for cause in sorted(causes) for line in code_lines(cause))


def _place(installation: Installation, facts: ChannelFacts, condition: Condition) -> str:
    channel = facts.channel
    details = "、".join(_details(facts, condition))
    return f"{installation.name(channel.municipality_code)} {SHORT[channel.file]}" + (
        f"（{details}）" if details else ""
    )


def _details(facts: ChannelFacts, condition: Condition) -> Iterator[str]:
    """Say how many, which, since when and until when, as far as it applies."""
    if condition.packages:
        yield "・".join(f"{one.package_id} {one.code.value}" for one in condition.packages)
    elif condition.count:
        yield f"{condition.count:,}件"
    if condition.deadline and facts.missing_sequence:
        yield f"連番 {facts.missing_sequence} 待ち"
    if condition.since:
        yield f"{shown(condition.since)} から"
    if condition.deadline:
        yield f"期限 {shown(condition.deadline)}"
