"""The 150-year clock of both files (施行令30条の6, 30条の12の4).

Decides:    from which day a version may be erased, and whether its keeping is over on a day.
Leaves:     the erasing to `juki.custody.expiring`; the current version of a standing person has no clock at all.
Invariants: calendar arithmetic on civil dates in Japan only; no instants, no number of days. The two ways to ask,
            by the day a version bears and by the day its clock started, never say different things.
"""

from __future__ import annotations

from datetime import date

RETENTION_YEARS = 150


def expires_on(start: date) -> date:
    """Give the first day on which a version may be erased whose clock started on `start`.

    The period counts `start` as its first day (起算して), so 150 years elapse at the end of the day before
    the anniversary, and the anniversary is the first day after it. A clock started on 29 February elapses,
    in a year without that day, with 28 February, so 1 March is the first day after it.

    Source: 施行令30条の6 and 30条の12の4 (起算して百五十年を経過する日), 民法143条2項.
    """
    try:
        return start.replace(year=start.year + RETENTION_YEARS)
    except ValueError:
        return date(start.year + RETENTION_YEARS, 3, 1)


def clock_start(*, is_deletion: bool, received_on: date, superseded_on: date | None) -> date | None:
    """Give the day the clock of a version started, or None while it has not.

    A deletion counts from its own notice, an entry or correction from the newer notice about the person.
    Source: 施行令30条の6一号・二号, 30条の12の4一号・二号.
    """
    return received_on if is_deletion else superseded_on


def is_over(ends: date | None, on: date) -> bool:
    """Tell whether the keeping of a version is over on a civil date in Japan: from its first day after, not before.

    Source: 施行令30条の6, 30条の12の4 (経過する日までの期間).
    """
    return ends is not None and ends <= on


def latest_start(on: date) -> date:
    """Give the last day on which a clock can have started whose 150 years are over on a civil date in Japan.

    It is `expires_on` the other way round, so that a day written beside a version can be held to the law once more
    before anything is erased by it.
    """
    try:
        return on.replace(year=on.year - RETENTION_YEARS)
    except ValueError:
        return date(on.year - RETENTION_YEARS, 2, 28)
