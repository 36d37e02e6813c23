"""Infected files nobody has dealt with, as one alarm."""

from __future__ import annotations

from collections import Counter

from juki.codes import is_municipality_code
from juki.columns import IdentityFile
from juki.overview.alarm import Alarm, with_rest
from juki.overview.watched import Watched
from juki.reasons import Code
from juki.recipients import JLIS_CODE
from juki.store.infections import Infection, Infections
from juki.store.roles import Duty

_MOST_NAMED = 10


def infection_alarms(watched: Watched) -> list[Alarm]:
    """Find the infected files nobody has dealt with; their names are their senders' choice, and so not in `refs`."""
    found = [one for file in IdentityFile for one in _open_ones(watched, file)]
    if not found:
        return []
    names = with_rest([one.file_name for one in found[:_MOST_NAMED]], len(found))
    senders = Counter(one.sender or JLIS_CODE for one in found)
    refs = tuple(f"{_named(watched, sender)} {count:,} 件" for sender, count in sorted(senders.items()))
    since = min(one.recorded_at for one in found)
    return [Alarm(Code.INFECTION_OPEN, names, since, refs, len(found))]


def _named(watched: Watched, sender: str) -> str:
    return f"{sender} {watched.name(sender)}" if is_municipality_code(sender) else sender


def _open_ones(watched: Watched, file: IdentityFile) -> list[Infection]:
    with watched.unit(file, Duty.AUDITOR) as unit:
        return Infections(file, unit.connection).open_ones()
