"""What is asked of the tables as a whole after load, and what a run of these questions found (品質検査).

Decides:    the questions by name, which change between two runs is more than the allowed one, and how far a count
            of people is rounded before anybody keeps or sees it.
Leaves:     the statements to `juki.store.quality`, what is expected to `validations.quality`.
Invariants: counts, municipality codes and names of questions only. A count that could speak of few people (those
            without a sex, those of an age) is a multiple of SMALLEST_GROUP from the moment it is read.
Source:     assessment M11, ADR-0033.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from juki.columns import IdentityFile
from juki.reasons import Code

SMALLEST_GROUP = 10
"""No smaller group of people is told apart."""
UNKNOWN_FIELDS = ("name", "name_kana", "sex", "birth_date", "municipality_code")
"""What may lawfully be blank or unknown, and should not suddenly be."""
WHOLE_FILE = ""
"""The place of a figure that is not of one municipality."""
AGE_BINS = tuple(range(0, 101, 10))
"""The first age of each bin; the last one is open."""


class Question(StrEnum):
    """What is asked of every row of a store."""

    PEOPLE = "people"
    VERSIONS = "versions"
    CURRENT_IN_HISTORY = "current_in_history"
    HISTORY_PEOPLE = "history_people"
    HISTORY_NEWER = "history_newer"
    HISTORY_ORDER = "history_order"
    CURRENT_PACKAGES = "current_packages"
    HISTORY_PACKAGES = "history_packages"
    PACKAGE_ROWS = "package_rows"
    FORMER_CODES = "former_codes"
    AGES = "ages"


class Comparison(StrEnum):
    """What is asked of figures: against a municipality's snapshot, or against an earlier run."""

    SNAPSHOT = "snapshot"
    STANDING = "standing"
    HISTORY_KEPT = "history_kept"
    PACKAGES_KEPT = "packages_kept"
    UNKNOWNS = "unknowns"
    AGE_SHARES = "age_shares"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A municipality's people as it last listed them, and ours now.

    `explained` is the most the two may differ by: what has come since, and what that comparison already told.
    """

    theirs: int
    ours: int
    explained: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one file at one time; counts by municipality are of people standing in it."""

    standing: Mapping[str, int] = field(default_factory=dict)
    history: int = 0
    packages: int = 0
    unknowns: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """By field and municipality, rounded down to SMALLEST_GROUP."""
    ages: Mapping[int, int] = field(default_factory=dict)
    """By the first age of the bin, rounded down to SMALLEST_GROUP."""
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)
    erased: int = 0
    """Versions that went when their 150 years were over, ever."""

    @property
    def people(self) -> int:
        """Everybody who stands in the file."""
        return sum(self.standing.values())


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may change between two runs: a share, and never less than the smallest group."""

    standing_share: float = 0.05
    unknown_share: float = 0.01
    age_share: float = 0.02

    def allowed(self, share: float, of: int) -> int:
        """Say how many people a share may be off."""
        return max(SMALLEST_GROUP, int(share * of))


@dataclass(frozen=True, slots=True)
class Change:
    """One figure compared: where, by how much it is off, and by how much it may be."""

    place: str
    change: int
    allowed: int

    @property
    def is_beyond(self) -> bool:
        """Tell whether it is off by more than allowed."""
        return self.change > self.allowed


@dataclass(frozen=True, slots=True)
class Finding:
    """What one expectation came to: of how many rows it was asked, how many did not fit, and where.

    `asked` is None where there was nothing to compare with; `places` are municipality codes, with counts.
    """

    file: IdentityFile
    check: str
    title: str
    code: Code
    asked: int | None = None
    unexpected: int = 0
    places: Mapping[str, int] = field(default_factory=dict)
    known: int = 0
    """How many of them an administrator knows of and lets stand."""

    @property
    def is_met(self) -> bool:
        """Tell whether what was expected is so, but for what is known."""
        return self.unexpected <= self.known


def rounded(count: int) -> int:
    """Round a count of people down, so that nobody is alone in it."""
    return count - count % SMALLEST_GROUP


def compare(
    comparison: Comparison, now: Figures, before: Figures | None, bounds: Bounds
) -> list[Change] | None:
    """List what is compared; None where there is nothing to compare with yet."""
    if comparison is Comparison.SNAPSHOT:
        return _with_snapshots(now) or None
    if before is None:
        return None
    return list(_COMPARED[comparison](now, before, bounds))


def _with_snapshots(now: Figures) -> list[Change]:
    return [
        Change(place, abs(one.ours - one.theirs), one.explained)
        for place, one in sorted(now.snapshots.items())
    ]


def _standing(now: Figures, before: Figures, bounds: Bounds) -> Iterator[Change]:
    """Compare every municipality that had people, and all of these together: many small losses are a large one.

    The first load of a municipality is no sudden change: it is held to its packages and to its snapshot.
    """
    known = sorted(place for place, people in before.standing.items() if people)
    for place in known:
        there, was = now.standing.get(place, 0), before.standing[place]
        yield Change(place, abs(there - was), bounds.allowed(bounds.standing_share, was))
    there = sum(now.standing.get(place, 0) for place in known)
    yield Change(WHOLE_FILE, abs(there - before.people), bounds.allowed(bounds.standing_share, before.people))


def _history_kept(now: Figures, before: Figures, _: Bounds) -> Iterator[Change]:
    """What was erased in between is not lost; that it may have been current as well, the packages tell exactly."""
    lost = before.history + before.erased - now.history - now.erased
    yield Change(WHOLE_FILE, max(0, lost), 0)


def _packages_kept(now: Figures, before: Figures, _: Bounds) -> Iterator[Change]:
    yield Change(WHOLE_FILE, max(0, before.packages - now.packages), 0)


def _unknowns(now: Figures, before: Figures, bounds: Bounds) -> Iterator[Change]:
    """Compare the blanks of every field and municipality that had people; only a rise counts."""
    known = [(place, people) for place, people in sorted(now.standing.items()) if before.standing.get(place)]
    for name in UNKNOWN_FIELDS:
        for place, people in known:
            there, was = _blank(now, name, place), _blank(before, name, place)
            expected = was * people // before.standing[place]
            yield Change(place, max(0, there - expected), bounds.allowed(bounds.unknown_share, people))


def _blank(figures: Figures, name: str, place: str) -> int:
    return figures.unknowns.get(name, {}).get(place, 0)


def _age_shares(now: Figures, before: Figures, bounds: Bounds) -> Iterator[Change]:
    """Compare the ages of two runs bin by bin, in people of today."""
    total, total_before = sum(now.ages.values()), sum(before.ages.values())
    for first in AGE_BINS:
        expected = before.ages.get(first, 0) * total // max(1, total_before)
        change = abs(now.ages.get(first, 0) - expected)
        yield Change(WHOLE_FILE, change, bounds.allowed(bounds.age_share, total))


_COMPARED = {
    Comparison.STANDING: _standing,
    Comparison.HISTORY_KEPT: _history_kept,
    Comparison.PACKAGES_KEPT: _packages_kept,
    Comparison.UNKNOWNS: _unknowns,
    Comparison.AGE_SHARES: _age_shares,
}
