"""The review of the operation log (点検): what a supervisor has to be told of how people used the system.

Decides:    the kinds of findings, which entries count for each, and when there are enough of them.
Leaves:     reading and recording to `juki.oplog.reviewing`, days on which offices are closed to `juki.holidays`.
Invariants: the same entries and limits give the same findings, in the same order, however the entries come; no entry
            is left out because a week ended; of a person a finding says only the first letters of the keyed index.
Source:     assessment M8, ADR-0039.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from juki.columns import IdentityFile
from juki.dates import JAPAN, civil_date
from juki.holidays import is_closed
from juki.journal import Action, instant_text

SEARCHES = frozenset({Action.PEOPLE_SEARCHED.value, Action.PERSON_SEARCHED.value})
"""Actions by which people are looked for."""
VIEWS = frozenset({Action.PERSON_VIEWED.value})
"""Actions by which one person's record is shown to somebody at our own desk."""
LOOKING = SEARCHES | VIEWS | {
    one.value for one in (Action.PERSON_LISTED, Action.LOG_SEARCHED, Action.OPERATOR_REFUSED)
}  # fmt: skip
"""Actions that only look, or not even that; whatever else an operator does may be why he looked."""

OPERATOR, LOCAL, RUN = "operator:", "local-administrator:", "flow-run"
_INDEX_SHOWN = 12
_HOUR, _DAY, _WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


class FindingKind(StrEnum):
    """What was noticed."""

    NIGHT = "night"
    HOLIDAY = "holiday"
    FAILED = "failed"
    MASS_SEARCH = "mass_search"
    SAME_PERSON = "same_person"
    NO_ACT = "no_act"
    NUMBERS = "numbers"
    LOCAL_ACCOUNT = "local_account"

    @property
    def japanese(self) -> str:
        """The word for reports."""
        return _JAPANESE[self]


_JAPANESE = {
    FindingKind.NIGHT: "夜間の操作",
    FindingKind.HOLIDAY: "閉庁日の操作",
    FindingKind.FAILED: "認証の失敗・権限の拒否",
    FindingKind.MASS_SEARCH: "大量の検索・閲覧",
    FindingKind.SAME_PERSON: "同じ人の繰返しの閲覧",
    FindingKind.NO_ACT: "処理を伴わない閲覧",
    FindingKind.NUMBERS: "個人番号の多数の取扱い",
    FindingKind.LOCAL_ACCOUNT: "機械の管理者による操作",
}


@dataclass(frozen=True, slots=True)
class ReviewLimits:
    """From how much on something is a finding; hours of the day are those of Japan."""

    opens_hour: int = 8
    closes_hour: int = 20
    searches_an_hour: int = 30
    views_of_one_a_week: int = 5
    act_within_hours: int = 24
    views_without_act_a_day: int = 5
    failures_a_day: int = 3
    numbers_a_day: int = 50

    @property
    def lookback(self) -> timedelta:
        """How far before a stretch its findings may begin."""
        return _WEEK + self.act_within_hours * _HOUR

    def to_text(self) -> str:
        """Write them as the operation log keeps them, so that a review can be done again."""
        return " ".join(f"{name}={value}" for name, value in asdict(self).items())

    @classmethod
    def from_text(cls, text: str) -> ReviewLimits:
        """Read what `to_text` wrote."""
        return cls(**{name: int(value) for name, value in (one.split("=") for one in text.split())})


@dataclass(frozen=True, slots=True)
class SeenEntry:
    """What a review sees of an entry of the log."""

    file: IdentityFile
    entry_no: int
    at: datetime
    action: str
    actor: str
    terminal: str = ""
    code: str = ""
    subject_index: str = ""
    number_accessed: bool = False
    is_refused: bool = False

    @property
    def ref(self) -> str:
        """Name the entry as people do: `R12`, `F12`."""
        return f"{self.file.value[0].upper()}{self.entry_no}"

    @property
    def who(self) -> str:
        """Name who acted; runs are one, for each has a name of its own."""
        return RUN if self.actor.startswith(f"{RUN}:") else self.actor


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one review is about: the entries of each log after the last review, up to an instant.

    `first` and `last` are numbers of entries; `previous_at` is when the review before was done, None for the first.
    """

    at: datetime
    previous_at: datetime | None = None
    first: Mapping[IdentityFile, int] = field(default_factory=dict)
    last: Mapping[IdentityFile, int] = field(default_factory=dict)

    def is_new(self, entry: SeenEntry) -> bool:
        """Tell whether no review before has seen an entry."""
        return self.first.get(entry.file, 1) <= entry.entry_no

    def is_new_view(self, entry: SeenEntry, wait: timedelta) -> bool:
        """Tell whether it can be said only now whether an act followed a view."""
        return self.previous_at is None or self.previous_at < entry.at + wait


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was noticed; `entries` names the entries it rests on, `detail` codes or a shortened index."""

    kind: FindingKind
    actor: str
    terminals: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    entries: tuple[str, ...]
    detail: str = ""

    @property
    def count(self) -> int:
        """How many entries it rests on."""
        return len(self.entries)

    @property
    def operator(self) -> str:
        """Who it was, as people say it."""
        return self.actor.removeprefix(OPERATOR)


@dataclass(frozen=True, slots=True)
class _Rule:
    """Entries that are alike by a key are a finding once there are `least` of them within a span."""

    kind: FindingKind
    counts: Callable[[SeenEntry], bool]
    key: Callable[[SeenEntry], tuple[str, ...]]
    span: timedelta
    least: int
    is_new: Callable[[SeenEntry], bool]
    detail: Callable[[Sequence[SeenEntry]], str] = lambda _: ""


def findings_of(entries: Iterable[SeenEntry], limits: ReviewLimits, stretch: Stretch) -> list[Finding]:
    """Find what a supervisor has to be told of a stretch of the log.

    `entries` are those of the stretch and of `limits.lookback` before it, in any order. What was complete before the
    stretch began was told then.
    """
    ordered = sorted(entries, key=lambda entry: (entry.at, entry.file, entry.entry_no))
    found = [one for rule in _rules(ordered, limits, stretch) for one in _applied(rule, ordered)]
    order = list(FindingKind)
    return sorted(found, key=lambda one: (order.index(one.kind), one.actor, one.first_at, one.entries))


def digest_of(findings: Sequence[Finding]) -> str:
    """Compute what the log keeps of findings, so that they can be shown again and be known to be the same."""
    said = [
        [one.kind, one.actor, one.terminals, instant_text(one.first_at), instant_text(one.last_at), one.entries,
         one.detail]
        for one in findings
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def _rules(entries: Sequence[SeenEntry], limits: ReviewLimits, stretch: Stretch) -> list[_Rule]:
    wait = limits.act_within_hours * _HOUR
    idle = _views_without_act(entries, wait, stretch.at)
    new, kinds = stretch.is_new, FindingKind
    return [
        _Rule(kinds.NIGHT, lambda one: _is_night(one, limits), _by_day, _DAY, 1, new),
        _Rule(kinds.HOLIDAY, _is_on_closed_day, _by_day, _DAY, 1, new),
        _Rule(kinds.FAILED, _is_refused, _by_actor, _DAY, limits.failures_a_day, new, _codes),
        _Rule(kinds.MASS_SEARCH, _is_of_people, _by_actor, _HOUR, limits.searches_an_hour, new),
        _Rule(kinds.SAME_PERSON, _is_view_of_somebody, _by_person, _WEEK, limits.views_of_one_a_week, new, _index),
        _Rule(kinds.NO_ACT, lambda one: one.ref in idle, _by_actor, _DAY, limits.views_without_act_a_day,
              lambda one: stretch.is_new_view(one, wait)),
        _Rule(kinds.NUMBERS, _is_of_a_number, _by_actor, _DAY, limits.numbers_a_day, new),
        _Rule(kinds.LOCAL_ACCOUNT, lambda one: one.actor.startswith(LOCAL), _by_day, _DAY, 1, new),
    ]  # fmt: skip


def _applied(rule: _Rule, ordered: Sequence[SeenEntry]) -> list[Finding]:
    groups: dict[tuple[str, ...], list[SeenEntry]] = defaultdict(list)
    for entry in ordered:
        if rule.counts(entry):
            groups[rule.key(entry)].append(entry)
    episodes = (one for group in groups.values() for one in _episodes(group, rule.span, rule.least))
    return [_finding(rule, one) for one in episodes if any(rule.is_new(entry) for entry in one)]


def _episodes(group: Sequence[SeenEntry], span: timedelta, least: int) -> list[Sequence[SeenEntry]]:
    """Find the runs of entries in which there are enough within a span, each as long as it goes on."""
    runs: list[tuple[int, int]] = []
    for start in range(len(group) - least + 1):
        end = start + least - 1
        if group[end].at - group[start].at >= span:
            continue
        if runs and (start <= runs[-1][1] or group[start].at - group[runs[-1][1]].at < span):
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return [group[start : end + 1] for start, end in runs]


def _finding(rule: _Rule, episode: Sequence[SeenEntry]) -> Finding:
    terminals = tuple(sorted({one.terminal for one in episode if one.terminal}))
    return Finding(
        rule.kind, episode[0].who, terminals, episode[0].at, episode[-1].at,
        tuple(one.ref for one in episode), rule.detail(episode),
    )  # fmt: skip


def _views_without_act(entries: Sequence[SeenEntry], wait: timedelta, at: datetime) -> frozenset[str]:
    """Name the views after which whoever looked did nothing in time; where time is not over, nothing is said yet."""
    acts: dict[str, list[datetime]] = defaultdict(list)
    for entry in entries:
        if entry.action not in LOOKING and not entry.is_refused:
            acts[entry.actor].append(entry.at)
    views = (entry for entry in entries if _is_view(entry) and entry.at + wait <= at)
    return frozenset(one.ref for one in views if not _is_followed(one, acts[one.actor], wait))


def _is_followed(view: SeenEntry, acts: Sequence[datetime], wait: timedelta) -> bool:
    place = bisect_left(acts, view.at)
    return place < len(acts) and acts[place] <= view.at + wait


def _is_a_person(entry: SeenEntry) -> bool:
    return entry.actor.startswith((OPERATOR, LOCAL))


def _is_on_closed_day(entry: SeenEntry) -> bool:
    return _is_a_person(entry) and is_closed(civil_date(entry.at))


def _is_night(entry: SeenEntry, limits: ReviewLimits) -> bool:
    is_office_hour = limits.opens_hour <= entry.at.astimezone(JAPAN).hour < limits.closes_hour
    return _is_a_person(entry) and not is_office_hour and not is_closed(civil_date(entry.at))


def _is_refused(entry: SeenEntry) -> bool:
    return entry.action == Action.OPERATOR_REFUSED.value


def _is_of_people(entry: SeenEntry) -> bool:
    return _is_a_person(entry) and entry.action in SEARCHES | VIEWS


def _is_view(entry: SeenEntry) -> bool:
    return _is_a_person(entry) and entry.action in VIEWS and not entry.is_refused


def _is_view_of_somebody(entry: SeenEntry) -> bool:
    return _is_view(entry) and bool(entry.subject_index)


def _is_of_a_number(entry: SeenEntry) -> bool:
    return _is_a_person(entry) and entry.number_accessed


def _by_actor(entry: SeenEntry) -> tuple[str, ...]:
    return (entry.who,)


def _by_day(entry: SeenEntry) -> tuple[str, ...]:
    return entry.who, civil_date(entry.at).isoformat()


def _by_person(entry: SeenEntry) -> tuple[str, ...]:
    return entry.who, entry.subject_index


def _codes(episode: Sequence[SeenEntry]) -> str:
    return " ".join(sorted({one.code for one in episode if one.code}))


def _index(episode: Sequence[SeenEntry]) -> str:
    return episode[0].subject_index[:_INDEX_SHOWN]
