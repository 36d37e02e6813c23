"""Provisions that need somebody: refused lately, not handed over, not going on, and refused files' room."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from juki.columns import IdentityFile
from juki.overview.alarm import Alarm, with_rest
from juki.overview.watched import Watched
from juki.probing import WINDOW
from juki.provisions import ProvisionState
from juki.reasons import Code
from juki.store.provisions import Provision
from juki.wire.refused_files import RefusedFiles, RefusedKind

_MOST_SHOWN = 100
_FILLING_SHARE = 0.8
"""Of the room for refused files: from here on it is said."""


def provision_alarms(watched: Watched, now: datetime) -> list[Alarm]:
    """Find the provisions that need somebody."""
    alarms = [*_undelivered(watched), *_refused_lately(watched, now)]
    stuck = _tried_often(watched)
    if stuck:
        alarms.append(Alarm(Code.PROVISION_TRIED_OFTEN, stuck))
    return [*alarms, *_quarantine_alarms(watched)]


def _undelivered(watched: Watched) -> Iterator[Alarm]:
    """Tell of what is sealed and not handed over; the newest by name, all by count and by the oldest."""
    counts = list[int]()
    since = list[datetime]()
    for file in IdentityFile:
        with watched.unit(file) as unit:
            count, oldest = unit.provisions.sealed_ones()
        counts.append(count)
        since += [oldest] if oldest else []
    if total := sum(counts):
        named = _named(_listed(watched, ProvisionState.SEALED), total)
        yield Alarm(Code.PROVISION_UNDELIVERED, named, min(since), count=total)


def _refused_lately(watched: Watched, now: datetime) -> Iterator[Alarm]:
    total = 0
    for file in IdentityFile:
        with watched.unit(file) as unit:
            total += unit.provisions.refused_since(now - WINDOW)
    if total:
        recent = [one for one in _listed(watched, ProvisionState.REFUSED) if _is_recent(one, now)]
        yield Alarm(Code.PROVISION_REFUSED_RECENTLY, _named(recent, total), count=total)


def _tried_often(watched: Watched) -> tuple[str, ...]:
    """Name what no run goes on with: which, why, and how often it was tried."""
    found = list[Provision]()
    for file in IdentityFile:
        with watched.unit(file) as unit:
            found += unit.provisions.tried_often()
    return tuple(
        f"{one.provision_id} {one.failure.value if one.failure else ''}（{one.tries:,} 回）" for one in found
    )


def _quarantine_alarms(watched: Watched) -> Iterator[Alarm]:
    """Tell whose refused files have used up their room, or nearly so."""
    most, filling, full = watched.refused_files_most, list[str](), list[str]()
    for recipient in watched.recipients:
        for kind in RefusedKind:
            kept = RefusedFiles(watched.home).count(kind, recipient)
            if kept >= most * _FILLING_SHARE:
                (full if kept >= most else filling).append(
                    f"{recipient} {kind.japanese} {kept:,}/{most:,} 件"
                )
    for code, which in ((Code.RECIPIENT_QUARANTINE_FULL, full), (Code.RECIPIENT_QUARANTINE_FILLING, filling)):
        if which:
            yield Alarm(code, tuple(which))


def _listed(watched: Watched, state: ProvisionState) -> list[Provision]:
    found = list[Provision]()
    for file in IdentityFile:
        with watched.unit(file) as unit:
            found += unit.provisions.listed(_MOST_SHOWN, state=state)
    return found


def _is_recent(one: Provision, now: datetime) -> bool:
    return one.decided_at is not None and now - one.decided_at < WINDOW


def _named(provisions: list[Provision], total: int) -> tuple[str, ...]:
    named = [
        f"{one.provision_id} {one.code.value}" if one.code else str(one.provision_id) for one in provisions
    ]
    return with_rest(named, total)
