"""The one reference time of a purge, and what happens when the clock it comes from can not be believed.

Decides:    in which order store and clock are asked, and what is written down of a stop and of a confirmation.
Leaves:     what is believed to `juki.holds.ClockNote`.
Invariants: the store is asked before the clock, so that what is written meanwhile is not newer than the time. A stop
            is journalled once, however often the purge is run, and what it says of the time counts for nothing.
Source:     assessment M12, ADR-0028.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from juki.columns import IdentityFile
from juki.custody.custody import Custody
from juki.hold_clock import ClockFile
from juki.journal import Action, Entry, Outcome
from juki.reasons import Code
from juki.store.roles import Duty


@dataclass(frozen=True, slots=True)
class ReferenceTime:
    """The time of a run, and why it can not be believed, if so."""

    at: datetime
    doubt: Code | None = None


def looked_up(custody: Custody, bound: timedelta) -> ReferenceTime:
    """Tell the reference time of a run that writes nothing."""
    newest = _newest(custody)
    at = custody.now()
    return ReferenceTime(at, ClockFile(custody.home).read().judge(at, newest, bound))


def settled(custody: Custody, bound: timedelta, confirmed_because: str = "") -> ReferenceTime:
    """Tell the reference time of a run that erases, and note it.

    `confirmed_because` is why somebody vouches for the clock; it goes into the operation log and holds for this run.
    """
    file, newest = ClockFile(custody.home), _newest(custody)
    note, at = file.read(), custody.now()
    doubt = note.judge(at, newest, bound)
    if doubt is None:
        file.write(note.trusting(at))
        return ReferenceTime(at)
    if confirmed_because:
        _journal(custody, Action.CLOCK_CONFIRMED, doubt, at, confirmed_because)
        file.write(note.confirmed(at, newest))
        return ReferenceTime(at)
    if note.stopped is not doubt:
        _journal(custody, Action.PURGE_STOPPED, doubt, at)
        file.write(note.stopping(doubt))
    return ReferenceTime(at, doubt)


def _newest(custody: Custody) -> datetime | None:
    known = []
    for file in IdentityFile:
        with custody.unit(file, Duty.PURGER) as unit:
            known.append(unit.holds.newest_instant())
    return max((one for one in known if one is not None), default=None)


def _journal(custody: Custody, action: Action, doubt: Code, at: datetime, basis: str = "") -> None:
    outcome = Outcome.DONE if action is Action.CLOCK_CONFIRMED else Outcome.REFUSED
    for file in IdentityFile:
        entry = Entry(action=action, file=file, outcome=outcome, code=doubt, basis=basis)
        with custody.unit(file, Duty.PURGER) as unit:
            unit.journal.append(custody.acting.signed(entry), at)
