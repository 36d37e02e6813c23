"""What is known of a log for a page: how much is signed, since when the rest waits, what is wrong.

Leaves:     when the rest has waited too long to `juki.log_health`.
"""

from __future__ import annotations

from juki.log_health import LogFacts
from juki.oplog.standing import LogPlace, standing_of
from juki.store.unit import Unit


def log_facts(unit: Unit, place: LogPlace) -> LogFacts:
    """Read the facts of one log."""
    standing = standing_of(unit, place)
    signed = standing.agreed.size if standing.agreed else 0
    return LogFacts(
        file=place.file,
        entries=standing.size,
        signed=signed,
        signed_at=standing.last.signed_at if standing.last else None,
        waiting_since=unit.journal_reader.recorded_at(signed + 1),
        alarms=tuple((alarm.code, alarm.ref) for alarm in standing.alarms),
    )
