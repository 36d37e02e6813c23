"""One thing that needs somebody, of whatever subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from juki.reasons import Code
from juki.shown import explained, iso


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that needs somebody: why, which, since when, and of how many where not all are named.

    `refs` are the same places without a name that a sender chose or words that somebody typed, for what keeps them
    beyond our stores (a page of Prefect); None where `which` has neither.
    """

    code: Code
    which: tuple[str, ...] = ()
    since: datetime | None = None
    refs: tuple[str, ...] | None = None
    count: int = 0

    @property
    def total(self) -> int:
        """Of how many it speaks."""
        return self.count or max(1, len(self.which))

    def described(self) -> dict[str, object]:
        """Write it for programs."""
        return {**explained(self.code), "which": list(self.which), "since": iso(self.since)}


def with_rest(named: Sequence[str], total: int) -> tuple[str, ...]:
    """Name some of many, and say of how many more it is true."""
    rest = total - len(named)
    return (*named, f"ほか {rest:,} 件") if rest > 0 else tuple(named)
