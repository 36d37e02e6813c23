"""The health of an operation log: what stands against it, and whether its news is signed in time.

Decides:    when news has waited too long for a checkpoint.
Leaves:     the facts to `juki.oplog`, gathering and showing them to `juki.overview` and `juki.cli`.
Source:     assessment M8.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from juki.columns import IdentityFile
from juki.log_walk import entries_named
from juki.reasons import Code


@dataclass(frozen=True, slots=True)
class LogFacts:
    """What is known of one log: its entries, what of them is signed, since when others wait, what is wrong."""

    file: IdentityFile
    entries: int
    signed: int
    signed_at: datetime | None
    waiting_since: datetime | None
    """When the first entry after the last checkpoint was written."""
    alarms: tuple[tuple[Code, str], ...] = ()
    """What is wrong, and where."""

    @property
    def waiting(self) -> int:
        """Count the entries that are in no checkpoint."""
        return max(self.entries - self.signed, 0)


def judged(facts: LogFacts, stale_after: timedelta, now: datetime) -> LogFacts:
    """Add the alarm of a log whose news has waited too long."""
    since = facts.waiting_since
    if since is None or now - since <= stale_after:
        return facts
    stale = (
        Code.JOURNAL_CHECKPOINT_STALE,
        f"{facts.file.value} {entries_named(facts.signed + 1, facts.entries)}",
    )
    return LogFacts(facts.file, facts.entries, facts.signed, facts.signed_at, since, (*facts.alarms, stale))
