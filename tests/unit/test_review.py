"""What a review of the operation log notices: each kind alone among ordinary work, at its limit and just below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.columns import IdentityFile
from juki.dates import JAPAN
from juki.review import Finding, FindingKind, ReviewLimits, SeenEntry, Stretch, digest_of, findings_of

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
LIMITS = ReviewLimits(
    searches_an_hour=6, views_of_one_a_week=4, views_without_act_a_day=3, failures_a_day=3, numbers_a_day=4
)
TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=JAPAN)
"""The first working day of its week: the Monday before it is 勤労感謝の日."""
END = datetime(2026, 11, 30, 7, 0, tzinfo=JAPAN)
INDEX = "0123456789abcdef" * 4
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WHO, WHERE = "operator:op-7", "T-07"


def entry(
    number: int, at: datetime, action: str, who: str = WHO, where: str = WHERE, **said: object
) -> SeenEntry:
    """One entry of the resident log, unless it says otherwise."""
    return replace(SeenEntry(RESIDENT, number, at, action, who, where), **said)  # type: ignore[arg-type]


def ordinary() -> list[SeenEntry]:
    """A week of two operators who look a person up, act upon it, and go home."""
    days = [TUESDAY + day * DAY for day in range(4)]
    people = [("operator:op-1", "T-01"), ("operator:op-2", "T-02")]
    work = [
        (action, day + hour * HOUR, who, where, f"{number:02}" * 32)
        for number, day in enumerate(days) for hour in (0, 4) for who, where in people
        for action in ("person.searched", "person.viewed", "person.disclosed")
    ]  # fmt: skip
    return [
        entry(number, at + number * MINUTE / 10, action, who, where, subject_index=index)
        for number, (action, at, who, where, index) in enumerate(work, 1)
    ]


def found(planted: Sequence[SeenEntry], stretch: Stretch | None = None) -> list[Finding]:
    """Review the planted entries among a week of ordinary ones."""
    return findings_of([*ordinary(), *planted], LIMITS, stretch or Stretch(END))


def many(
    count: int, step: timedelta, action: str, start: datetime = TUESDAY, **said: object
) -> list[SeenEntry]:
    """Entries of one operator, one after the other, with numbers of their own."""
    return [entry(1000 + number, start + number * step, action, **said) for number in range(count)]


def _views(count: int, start: datetime = TUESDAY) -> list[SeenEntry]:
    """Views of different people, after which nothing is done."""
    return [
        replace(one, subject_index=f"{one.entry_no:064}") for one in many(count, HOUR, "person.viewed", start)
    ]


def _same(count: int) -> list[SeenEntry]:
    """Views of one person, each followed by an act."""
    views = many(count, DAY, "person.viewed", subject_index=INDEX)
    acts = [entry(one.entry_no + 500, one.at + MINUTE, "disclosure.closed") for one in views]
    return [*views, *acts]


PLANTED: dict[FindingKind, tuple[int, Callable[[int], list[SeenEntry]]]] = {
    FindingKind.NIGHT: (1, lambda n: many(n, MINUTE, "provision.resent", TUESDAY.replace(hour=23))),
    FindingKind.HOLIDAY: (1, lambda n: many(n, MINUTE, "provision.resent", TUESDAY - DAY)),
    FindingKind.FAILED: (3, lambda n: many(n, HOUR, "operator.refused", code="operator.role")),
    FindingKind.MASS_SEARCH: (6, lambda n: many(n, 11 * MINUTE, "person.searched")),
    FindingKind.SAME_PERSON: (4, _same),
    FindingKind.NO_ACT: (3, _views),
    FindingKind.NUMBERS: (4, lambda n: many(n, HOUR, "person.disclosed", number_accessed=True)),
    FindingKind.LOCAL_ACCOUNT: (1, lambda n: many(n, MINUTE, "log.exported", who="local-administrator:root")),
}
"""How many it takes by LIMITS, and so many entries of it and of nothing else."""


def test_ordinary_week_has_no_findings() -> None:
    """Office hours, few people, something done with each."""
    assert found([]) == []


def test_every_kind_is_planted() -> None:
    """A kind that is added gets its own row."""
    assert set(PLANTED) == set(FindingKind)


@pytest.mark.parametrize("kind", FindingKind)
def test_each_kind_is_found_at_its_limit_with_operator_terminal_and_entries(kind: FindingKind) -> None:
    """One finding, of nobody else, and one entry fewer is none."""
    least, plant = PLANTED[kind]
    (one,) = found(plant(least))
    counted = [planted for planted in plant(least) if planted.entry_no < 1500]
    assert (one.kind, one.count, one.terminals) == (kind, least, (WHERE,))
    assert one.actor == counted[0].actor and one.entries == tuple(planted.ref for planted in counted)
    assert (one.first_at, one.last_at) == (counted[0].at, counted[-1].at)
    assert found(plant(least - 1)) == []


def test_finding_shows_no_more_of_a_person_than_the_beginning_of_the_keyed_index() -> None:
    """Enough to tell two people apart on a page, not to look one up."""
    (one,) = found(_same(4))
    assert one.detail == INDEX[:12] and INDEX not in repr(one)


def test_refusals_name_their_codes_and_count_wherever_they_come_from() -> None:
    """An operator who tries several things at several terminals is one finding; runs are one as well."""
    tried = many(3, MINUTE, "operator.refused", code="operator.role")
    tried[1] = replace(tried[1], code="operator.terminal", terminal="T-99")
    (one,) = found(tried)
    assert (one.detail, one.terminals) == ("operator.role operator.terminal", ("T-07", "T-99"))
    runs = [replace(one, actor=f"flow-run:{one.entry_no}", terminal="") for one in tried]
    assert [(one.actor, one.count) for one in found(runs)] == [("flow-run", 3)]


@pytest.mark.parametrize(
    ("hour", "minute", "is_night"), [(7, 59, True), (8, 0, False), (19, 59, False), (20, 0, True)]
)
def test_night_begins_and_ends_with_the_office(hour: int, minute: int, *, is_night: bool) -> None:
    """The first minute of office hours is none of the night; the first after them is."""
    at = TUESDAY.replace(hour=hour, minute=minute)
    assert [one.kind for one in found([entry(1000, at, "log.searched")])] == [FindingKind.NIGHT] * is_night


def test_entry_outside_a_sliding_hour_does_not_count() -> None:
    """Six searches in exactly an hour are not six within it; those of two logs count together."""
    assert found(many(6, 12 * MINUTE, "person.searched")) == []
    split = many(6, 11 * MINUTE, "person.searched")
    split[::2] = [replace(one, file=FUHYO) for one in split[::2]]
    (one,) = found(split)
    assert one.entries == ("F1000", "R1001", "F1002", "R1003", "F1004", "R1005")


@pytest.mark.parametrize(
    ("after", "who", "is_idle"),
    [
        (24 * HOUR, WHO, False), (24 * HOUR + MINUTE, WHO, True), (HOUR, "operator:op-8", True),
        (-MINUTE, WHO, True), (timedelta(), WHO, False),
    ],
    ids=str,
)  # fmt: skip
def test_act_of_the_same_operator_in_time_explains_a_view(
    after: timedelta, who: str, *, is_idle: bool
) -> None:
    """An act of a colleague, one before the view, or one too late does not."""
    views = [replace(one, at=TUESDAY) for one in _views(3)]
    act = entry(2000, TUESDAY + after, "disclosure.received", who)
    assert [one.kind for one in found([*views, act])] == [FindingKind.NO_ACT] * is_idle


def test_searching_the_log_or_for_people_explains_no_view() -> None:
    """Looking at more is not acting."""
    looked = [
        entry(2000 + no, TUESDAY + 3 * HOUR, action)
        for no, action in enumerate(("log.searched", "person.listed"))
    ]
    assert [one.kind for one in found([*_views(3), *looked])] == [FindingKind.NO_ACT]


def test_view_whose_time_is_not_over_waits_for_the_next_review() -> None:
    """Told once: not before anybody could know, and not again."""
    views = _views(3, END - 8 * HOUR - 3 * DAY)
    limits = replace(LIMITS, act_within_hours=96, opens_hour=0, closes_hour=24)
    first = Stretch(END, last={RESIDENT: 1002})
    second = Stretch(END + 7 * DAY, END, {RESIDENT: 1003}, {RESIDENT: 1003})
    third = Stretch(END + 14 * DAY, END + 7 * DAY, {RESIDENT: 1004}, {RESIDENT: 1004})
    idle = [
        [one.kind for one in findings_of(views, limits, one) if one.kind is FindingKind.NO_ACT]
        for one in (first, second, third)
    ]
    assert idle == [[], [FindingKind.NO_ACT], []]


def test_what_goes_on_over_the_end_of_a_week_is_found_and_what_was_told_is_not_told_again() -> None:
    """Three views before a review and one after it are four; four before it were told then."""
    views = _same(4)
    before = Stretch(views[3].at, views[2].at + HOUR, {RESIDENT: 1003}, {RESIDENT: 9999})
    assert [one.count for one in findings_of(views, LIMITS, before)] == [4]
    after = Stretch(END, views[3].at + HOUR, {RESIDENT: 2000}, {RESIDENT: 9999})
    assert findings_of(views, LIMITS, after) == []


def test_limits_are_read_as_they_were_written() -> None:
    """So that a review can be done again by the limits of then."""
    assert ReviewLimits.from_text(LIMITS.to_text()) == LIMITS


@given(order=st.randoms(use_true_random=False), kinds=st.sets(st.sampled_from(FindingKind), max_size=3))
def test_order_of_entries_and_ordinary_work_of_others_change_nothing(
    order: object, kinds: set[FindingKind]
) -> None:
    """What was planted is found the same, with or without the others, however the database gives it."""
    planted: list[SeenEntry] = []
    for place, kind in enumerate(sorted(kinds)):
        least, plant = PLANTED[kind]
        planted += [
            replace(one, entry_no=one.entry_no + 5000 * place, actor=f"{one.actor}{place}")
            for one in plant(least)
        ]
    alone = findings_of(planted, LIMITS, Stretch(END))
    mixed = [*ordinary(), *planted]
    order.shuffle(mixed)  # type: ignore[attr-defined]
    assert {one.kind for one in alone} == kinds
    assert digest_of(findings_of(mixed, LIMITS, Stretch(END))) == digest_of(alone)


def test_night_of_a_closed_day_is_told_once() -> None:
    """As an act on a closed day: nobody was expected at any hour."""
    at = (TUESDAY - DAY).replace(hour=23)
    assert [one.kind for one in found([entry(1000, at, "log.searched")])] == [FindingKind.HOLIDAY]


def test_what_goes_on_is_one_finding_and_what_begins_again_later_another() -> None:
    """Two bursts within one span of each other belong together; the next day is another one."""
    twice = many(6, MINUTE, "person.searched") + [
        replace(one, entry_no=one.entry_no + 100)
        for one in many(6, MINUTE, "person.searched", TUESDAY + 64 * MINUTE)
    ]  # fmt: skip
    assert [one.count for one in found(twice)] == [12]
    later = [replace(one, at=one.at + DAY) for one in twice[6:]]
    assert [one.count for one in found([*twice[:6], *later])] == [6, 6]


def test_what_was_refused_is_neither_a_view_nor_an_act_and_yet_a_search() -> None:
    """Nobody saw anything, and nothing was done; who tries in masses is told of all the same."""
    refused = [replace(one, is_refused=True) for one in _views(3)]
    assert found(refused) == []
    act = entry(2000, TUESDAY + 2 * HOUR, "disclosure.closed", is_refused=True)
    assert [one.kind for one in found([*_views(3), act])] == [FindingKind.NO_ACT]
    tried = [replace(one, is_refused=True) for one in many(6, MINUTE, "person.searched")]
    assert [one.kind for one in found(tried)] == [FindingKind.MASS_SEARCH]
