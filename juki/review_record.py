"""What the operation log says of its own reviews: that one was done, and that its findings were acknowledged.

Decides:    the entries `review.done` and `review.acknowledged`, and which findings of a review are still open.
Leaves:     finding to `juki.review`, reading and writing the log to `juki.oplog.reviewing`.
Invariants: the log is the only register: a review is kept as what it was about, the limits it was done by and the
            digest of what it found, so that it can be done again and shown to be the same.
Source:     assessment M8, ADR-0039.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from juki.columns import IdentityFile
from juki.journal import Action, Entry, Outcome, instant_text
from juki.review import Finding, FindingKind, ReviewLimits, Stretch, digest_of

RESIDENT = IdentityFile.RESIDENT
"""The log both reviews and acknowledgements are written into."""


@dataclass(frozen=True, slots=True)
class Review:
    """One review that was done; its number is that of its entry. `acknowledged` are numbers of findings, from 1."""

    number: int
    actor: str
    stretch: Stretch
    limits: ReviewLimits
    seen: int
    counts: Mapping[FindingKind, int]
    digest: str
    acknowledged: frozenset[int] = frozenset()

    @property
    def at(self) -> datetime:
        """When it was done."""
        return self.stretch.at

    @property
    def found(self) -> int:
        """How many findings it has."""
        return sum(self.counts.values())

    @property
    def open(self) -> frozenset[int]:
        """The findings nobody has acknowledged."""
        return frozenset(range(1, self.found + 1)) - self.acknowledged

    def is_late(self, now: datetime, most: timedelta) -> bool:
        """Tell whether a finding has waited longer than it may."""
        return bool(self.open) and now - self.at > most

    def next_stretch(self, at: datetime, sizes: Mapping[IdentityFile, int]) -> Stretch:
        """Say what the review after this one is about."""
        first = {file: self.stretch.last.get(file, 0) + 1 for file in IdentityFile}
        return Stretch(at, self.at, first, sizes)


def done_entry(stretch: Stretch, limits: ReviewLimits, seen: int, findings: Sequence[Finding]) -> Entry:
    """Write what a review was about and what it found, without who did it."""
    kinds = Counter(one.kind.value for one in findings)
    bounds = {f"{file.value}_first": stretch.first.get(file, 1) for file in IdentityFile}
    bounds |= {f"{file.value}_last": stretch.last.get(file, 0) for file in IdentityFile}
    return Entry(
        action=Action.REVIEW_DONE, file=RESIDENT, outcome=Outcome.DONE,
        counts={"seen": seen, "findings": len(findings), **kinds, **bounds},
        basis=instant_text(stretch.previous_at) if stretch.previous_at else "",
        change=limits.to_text(), changes_digest=digest_of(findings),
    )  # fmt: skip


def acknowledged_entry(review: Review, findings: AbstractSet[int], reason: str) -> Entry:
    """Write that findings of a review were looked into, without who did."""
    return Entry(
        action=Action.REVIEW_ACKNOWLEDGED, file=RESIDENT, outcome=Outcome.DONE, basis=reason,
        counts={"review": review.number, "findings": len(findings)},
        change=" ".join(map(str, sorted(findings))), changes_digest=review.digest,
    )  # fmt: skip


def reviews_in(entries: Iterable[Mapping[str, Any]]) -> list[Review]:
    """Read the reviews out of their entries and the acknowledgements of them, both in the order of the log."""
    found: dict[int, Review] = {}
    for entry in entries:
        if entry["action"] == Action.REVIEW_DONE.value:
            found[entry["entry_no"]] = _review(entry)
        elif (known := found.get(entry["counts"]["review"])) is not None:
            more = frozenset(map(int, entry["change"].split()))
            found[known.number] = replace(known, acknowledged=known.acknowledged | more)
    return list(found.values())


def _review(entry: Mapping[str, Any]) -> Review:
    counts = entry["counts"]
    previous = entry["basis"]
    stretch = Stretch(
        datetime.fromisoformat(entry["recorded_at"]),
        datetime.fromisoformat(previous) if previous else None,
        {file: counts[f"{file.value}_first"] for file in IdentityFile},
        {file: counts[f"{file.value}_last"] for file in IdentityFile},
    )
    kinds = {kind: counts[kind.value] for kind in FindingKind if kind.value in counts}
    return Review(
        entry["entry_no"], entry["actor"], stretch, ReviewLimits.from_text(entry["change"]), counts["seen"],
        kinds, entry["changes_digest"],
    )  # fmt: skip
