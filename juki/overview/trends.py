"""How everything went lately: notices by day, open differences, how long provisions are held, how long work takes.

Decides:    how far back each goes, and what the differences open at the end of a day were.
Leaves:     the questions to `juki.store.trends`, drawing to `juki.overview.charts`.
Invariants: counts, days and seconds by file and municipality.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate

from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.overview.watched import Watched
from juki.store.trends import Duration, TrendRegister

SHOWN_DAYS = 30
ERASED_WITHIN_DAYS = 90
Durations = Mapping[str, Mapping[IdentityFile, Duration]]


@dataclass(frozen=True, slots=True)
class Trends:
    """What the plots show; lists of counts are in the order of `days`."""

    days: Sequence[date]
    notices: Mapping[IdentityFile, Sequence[int]]
    open_differences: Mapping[IdentityFile, Sequence[int]]
    """At the end of each day; of the last, until now."""
    erased: Mapping[int, int]
    """Provisions by the whole days they were held for."""
    held: Mapping[int, int]
    """Provisions by the whole days they have been held for so far."""
    intake: Durations
    """By municipality, in the order of the registrations."""
    reconciliation: Durations


def trends_of(watched: Watched, now: datetime) -> Trends:
    """Count what the plots show."""
    days = days_until(civil_date(now), SHOWN_DAYS)
    since = now - timedelta(days=SHOWN_DAYS)
    notices, differences = dict[IdentityFile, list[int]](), dict[IdentityFile, list[int]]()
    erased, held = dict[int, int](), dict[int, int]()
    intake, reconciliation = (_Durations(watched.municipalities), _Durations(watched.municipalities))
    for file in IdentityFile:
        with watched.unit(file) as unit:
            register = TrendRegister(file, unit.connection)
            counted = register.notices(days[0])
            notices[file] = [counted.get(day, 0) for day in days]
            opened, closed = register.differences_opened(days[0]), register.differences_closed(days[0])
            differences[file] = open_at_end(opened, closed, days)
            _add(erased, register.lifetimes(now - timedelta(days=ERASED_WITHIN_DAYS)))
            _add(held, register.ages(now))
            intake.take(file, register.intake_durations(since))
            reconciliation.take(file, register.reconciliation_durations(since))
    return Trends(
        days, notices, differences, erased, held, intake.by_municipality, reconciliation.by_municipality
    )


def days_until(last: date, count: int) -> list[date]:
    """List so many days that end with one."""
    return [last - timedelta(days=back) for back in range(count - 1, -1, -1)]


def open_at_end(opened: Mapping[date, int], closed: Mapping[date, int], days: Sequence[date]) -> list[int]:
    """Tell how many were open at the end of each day; what was before the first stands on the day before it."""
    before = days[0] - timedelta(days=1)
    changes = (opened.get(day, 0) - closed.get(day, 0) for day in days)
    return list(accumulate(changes, initial=opened.get(before, 0) - closed.get(before, 0)))[1:]


class _Durations:
    """Durations put together by municipality: the registered ones in their order, then those only a store knows."""

    def __init__(self, registered: Sequence[str]) -> None:
        self.by_municipality: dict[str, dict[IdentityFile, Duration]] = {code: {} for code in registered}

    def take(self, file: IdentityFile, found: Mapping[str, Duration]) -> None:
        for code, duration in sorted(found.items()):
            self.by_municipality.setdefault(code, {})[file] = duration


def _add(total: dict[int, int], more: Mapping[int, int]) -> None:
    for days, count in more.items():
        total[days] = total.get(days, 0) + count
