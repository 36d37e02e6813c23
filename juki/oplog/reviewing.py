"""Doing a review of both operation logs, doing it again, and acknowledging what it found.

Decides:    that a review is about what came after the last one, that it is in the log before anybody sees what it
            found, and who may acknowledge a finding.
Leaves:     what is noticed to `juki.review`, what is written of it to `juki.review_record`.
Invariants: no entry is in two stretches or in none; one review at a time; the same run asked again gives the review
            it has done. A finding is acknowledged by somebody it is not about.
Source:     assessment M8, ADR-0039.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from juki.columns import IdentityFile
from juki.errors import ConfigurationError, DeniedError
from juki.operators import Acting
from juki.reasons import Code
from juki.review import (
    Finding,
    ReviewLimits,
    SeenEntry,
    Stretch,
    digest_of,
    findings_of,
)
from juki.review_record import RESIDENT, Review, acknowledged_entry, done_entry, reviews_in
from juki.store.review_reading import ReviewReader
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit

Urls = Mapping[IdentityFile, str]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A review with its findings; `is_same` unless this program finds other things than were found then."""

    review: Review
    findings: tuple[Finding, ...]
    is_same: bool = True


def do_review(
    urls: Urls, limits: ReviewLimits, who: Acting, at: datetime, *, is_run: bool = False
) -> Reviewed:
    """Review what came since the last review, and write into the log that it was done.

    `is_run`: `who` names one run, so a review in its name is the one it has done before it was tried again.
    """
    with open_unit(urls[RESIDENT], RESIDENT, Duty.AUDITOR) as unit:
        reader = _reader(unit)
        reader.lock()
        known = reviews_in(reader.records())
        mine = [one for one in known if is_run and one.actor == who.actor]
        if mine:
            return _again(urls, mine[-1])
        stretch = _stretch(known, at, _sizes(urls, unit))
        seen = _seen(urls, unit, stretch, limits)
        found = findings_of(seen, limits, stretch)
        new = sum(1 for one in seen if stretch.is_new(one))
        number = unit.journal.append(who.signed(done_entry(stretch, limits, new, found)), at)
        (review,) = [one for one in reviews_in(reader.records()) if one.number == number]
    return Reviewed(review, tuple(found))


def all_reviews(urls: Urls) -> list[Review]:
    """Read every review, the oldest first."""
    with open_unit(urls[RESIDENT], RESIDENT, Duty.AUDITOR) as unit:
        return reviews_in(_reader(unit).records())


def review_again(urls: Urls, number: int) -> Reviewed:
    """Show a review: its findings are found again in what it was about, by the limits of then.

    Raises: ConfigurationError(REVIEW_UNKNOWN).
    """
    return _again(urls, _one(all_reviews(urls), number))


def acknowledge(
    urls: Urls, number: int, wanted: AbstractSet[int], reason: str, who: Acting, at: datetime
) -> Reviewed:
    """Note that findings of a review were looked into: those named, or all that are open.

    Raises: ConfigurationError(REVIEW_UNKNOWN) where there is no such review or open finding;
            ConfigurationError(REVIEW_DIFFERS) where a number would name another finding than it did;
            DeniedError(REVIEW_OWN_FINDING).
    """
    with open_unit(urls[RESIDENT], RESIDENT, Duty.AUDITOR) as unit:
        reader = _reader(unit)
        reader.lock()
        done = _again(urls, _one(reviews_in(reader.records()), number))
        chosen = wanted or done.review.open
        if not chosen or not chosen <= done.review.open:
            raise ConfigurationError(Code.REVIEW_UNKNOWN, "N")
        if not done.is_same and chosen != done.review.open:
            raise ConfigurationError(Code.REVIEW_DIFFERS, str(number))
        if who.operator_id and _is_about(done, chosen, who):
            raise DeniedError(Code.REVIEW_OWN_FINDING, str(number))
        unit.journal.append(who.signed(acknowledged_entry(done.review, chosen, reason)), at)
    return review_again(urls, number)


def _is_about(done: Reviewed, chosen: AbstractSet[int], who: Acting) -> bool:
    """Tell whether somebody would judge himself; where findings can not be told apart, by any of them."""
    judged = [one for no, one in enumerate(done.findings, 1) if no in chosen or not done.is_same]
    return any(one.actor == who.actor for one in judged)


def _again(urls: Urls, review: Review) -> Reviewed:
    with open_unit(urls[RESIDENT], RESIDENT, Duty.AUDITOR) as unit:
        seen = _seen(urls, unit, review.stretch, review.limits)
    found = findings_of(seen, review.limits, review.stretch)
    return Reviewed(review, tuple(found), digest_of(found) == review.digest)


def _stretch(known: list[Review], at: datetime, sizes: Mapping[IdentityFile, int]) -> Stretch:
    return known[-1].next_stretch(at, sizes) if known else Stretch(at, last=sizes)


def _sizes(urls: Urls, resident: Unit) -> dict[IdentityFile, int]:
    sizes = {}
    for file in IdentityFile:
        if file is RESIDENT:
            sizes[file] = resident.journal_reader.size()
        else:
            with open_unit(urls[file], file, Duty.AUDITOR) as unit:
                sizes[file] = unit.journal_reader.size()
    return sizes


def _seen(urls: Urls, resident: Unit, stretch: Stretch, limits: ReviewLimits) -> list[SeenEntry]:
    since = stretch.previous_at - limits.lookback if stretch.previous_at else None
    found: list[SeenEntry] = []
    for file in IdentityFile:
        if file is RESIDENT:
            found += _reader(resident).seen(stretch, since)
        else:
            with open_unit(urls[file], file, Duty.AUDITOR) as unit:
                found += _reader(unit).seen(stretch, since)
    return found


def _reader(unit: Unit) -> ReviewReader:
    return ReviewReader(unit.file, unit.connection)


def _one(reviews: list[Review], number: int) -> Review:
    for review in reviews:
        if review.number == number:
            return review
    raise ConfigurationError(Code.REVIEW_UNKNOWN, "ID")
