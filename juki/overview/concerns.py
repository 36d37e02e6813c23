"""What needs somebody, of all subjects in one form: each reason once, with all the places it holds for.

Decides:    the order (alarms, channels by how bad they are, J-LIS, the logs, the scanner) and how a place is named.
Leaves:     what needs attention to each subject's module; drawing to whoever shows it.
Invariants: nothing of a record; what a scanner that is off is, is no concern but a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from juki.columns import IdentityFile
from juki.health import ChannelFacts, ChannelHealth, Condition, Health
from juki.jlis import JlisCondition
from juki.log_health import LogFacts
from juki.overview.alarm import Alarm
from juki.overview.jlis import JlisHealth
from juki.overview.situation import Situation
from juki.reasons import Code
from juki.scanning import ScannerState, Standing
from juki.shown import SHORT, shown

_Found = tuple[ChannelFacts, Condition]


@dataclass(frozen=True, slots=True)
class Concern:
    """One reason: of what, its code, where it holds, since when, and the codes of the packages behind it.

    `refs` are the places as they may stand beyond our stores (`Alarm.refs`).
    """

    of: str
    code: Code
    places: tuple[str, ...] = ()
    since: datetime | None = None
    causes: tuple[Code, ...] = ()
    refs: tuple[str, ...] | None = None
    count: int = 1
    """Of how many it speaks."""

    @property
    def where(self) -> str:
        """All places in one line; empty where there is none to name."""
        return "、".join(self.places) + (f"（{shown(self.since)} から）" if self.since else "")


def concerns_of(situation: Situation) -> list[Concern]:
    """List everything that needs somebody."""
    return [
        *map(of_alarm, situation.alarms), *of_channels(situation.troubled, situation.name),
        *of_jlis(situation.jlis), *of_logs(situation.logs), *of_scanning(situation.scanning),
    ]  # fmt: skip


def of_alarm(alarm: Alarm) -> Concern:
    """An alarm stands for itself."""
    return Concern("", alarm.code, alarm.which, alarm.since, refs=alarm.refs, count=alarm.total)


def of_channels(troubled: Iterable[ChannelHealth], name: Callable[[str], str]) -> list[Concern]:
    """Put the reasons of all channels together, the worst first."""
    groups: dict[tuple[Health, Code], list[_Found]] = {}
    for one in troubled:
        for condition in one.conditions:
            groups.setdefault((condition.health, condition.code), []).append((one.facts, condition))
    ranks = list(Health)
    ordered = sorted(groups.items(), key=lambda item: ranks.index(item[0][0]))
    return [_of_group(health, code, found, name) for (health, code), found in ordered]


def of_jlis(judged: Sequence[JlisHealth]) -> list[Concern]:
    """Put the reasons of both files together."""
    groups: dict[Code, list[tuple[str, int]]] = {}
    for one in judged:
        for condition in one.conditions:
            place = _jlis_place(one.facts.file, condition)
            groups.setdefault(condition.code, []).append((place, condition.count))
    return [
        Concern("機構", code, tuple(place for place, _ in found), count=sum(count for _, count in found))
        for code, found in groups.items()
    ]


def of_logs(logs: Sequence[LogFacts]) -> list[Concern]:
    """Put the alarms of both logs together, each place once."""
    places: dict[Code, dict[str, None]] = {}
    for one in logs:
        for code, ref in one.alarms:
            places.setdefault(code, {})[ref] = None
    return [Concern("操作ログ", code, tuple(refs), count=len(refs)) for code, refs in places.items()]


def of_scanning(standing: Standing) -> list[Concern]:
    """A scanner that should scan and does not; that files are not scanned at all is said beside, every time."""
    if standing.state is not ScannerState.STOPPED or standing.code is None:
        return []
    dated = (f"パターン {shown(standing.patterns_at)}",) if standing.patterns_at else ()
    return [Concern(f"ウイルス検査: {standing.state.japanese}", standing.code, dated)]


def _of_group(health: Health, code: Code, found: Sequence[_Found], name: Callable[[str], str]) -> Concern:
    places = tuple(_place(facts, condition, name) for facts, condition in found)
    causes = {one.code for _, condition in found for one in condition.packages}
    return Concern(health.japanese, code, places, causes=tuple(sorted(causes)), count=len(places))


def _place(facts: ChannelFacts, condition: Condition, name: Callable[[str], str]) -> str:
    details = "、".join(_details(facts, condition))
    channel = facts.channel
    return f"{name(channel.municipality_code)} {SHORT[channel.file]}" + (f"（{details}）" if details else "")


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


def _jlis_place(file: IdentityFile, condition: JlisCondition) -> str:
    since = f"、{shown(condition.since)} から" if condition.since else ""
    return f"{SHORT[file]}（{condition.count:,}件{since}）"
