"""When requests of one recipient look like probing: how much was asked for in a day, in vain, of the same person.

Decides:    which limit is passed, if any, by what was answered in the last 24 hours and what is asked for now.
Leaves:     the limits of a recipient to its registration, counting to `juki.store.provisions`.
Invariants: the limit itself passes. Before anybody is looked for only the lines can refuse, and that counts for
            nothing; what was looked for counts also when it is refused, for the refusal itself tells something.
Source:     assessment M13, ADR-0026.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from juki.reasons import Code
from juki.recipients import Limits

WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Lately:
    """What was looked for on behalf of one recipient in the last 24 hours.

    Units: lines; lines that found nobody; the most lines about one person, those of the request in hand included.
    """

    lines: int = 0
    misses: int = 0
    same_person: int = 0


def lines_refused(limits: Limits, before: Lately, lines: int) -> Code | None:
    """Say whether a request asks for too many people, before it is looked into."""
    return Code.PROVISION_LIMIT_LINES if before.lines + lines > limits.daily_lines else None


def findings_refused(limits: Limits, before: Lately, misses: int) -> Code | None:
    """Say whether what a request found looks like probing, before anything of it is given out."""
    if before.misses + misses > limits.daily_misses:
        return Code.PROVISION_LIMIT_MISSES
    return Code.PROVISION_LIMIT_SAME_PERSON if before.same_person > limits.daily_same_person else None
