"""How both operation logs stand: what is signed, what waits, what is wrong."""

from __future__ import annotations

from datetime import datetime

from juki.columns import IdentityFile
from juki.log_health import LogFacts, judged
from juki.oplog.overview import log_facts
from juki.overview.watched import Watched
from juki.store.roles import Duty


def logs_of(watched: Watched, now: datetime) -> list[LogFacts]:
    """Judge both logs."""
    found = list[LogFacts]()
    for file in IdentityFile:
        with watched.unit(file, Duty.AUDITOR) as unit:
            found.append(judged(log_facts(unit, watched.log_place(file)), watched.checkpoint_stale, now))
    return found
