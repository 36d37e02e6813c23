"""Killed at every place where a run leaves a trace, and run again: one provision, one package, one entry a person.

The places are found by tracing an undisturbed run. CI tries a sample; which is said at the end of the session.
"""

from __future__ import annotations

import signal
from collections import Counter as Counted
from dataclasses import replace

import pytest

from juki.journal import Action
from simulator import recipients
from tests.flows.conftest import Town
from tests.flows.kill_points import COUNTED, OUTSIDE, Death, Kind, When, places_of
from tests.flows.nursery import Ended, Order
from tests.flows.providing import FUHYO, RESIDENT, Counter, counter

SAMPLE_EVERY = 5


@pytest.fixture
def here(town: Town) -> Counter:
    """A town with somebody abroad."""
    made = counter(town)
    made.move_abroad(0)
    described = replace(made.board.described, limits={"daily_same_person": 1000})
    recipients.register(town.home, [replace(made.board, described=described)])
    return made


def _run(here: Counter, death: Death | None = None, *, is_traced: bool = False) -> Ended:
    return here.town.nursery.work(Order(here.town.channel, provides=True, death=death, is_traced=is_traced))


def _ask(here: Counter) -> None:
    here.ask(here.by_number(0, 1), with_number=True)
    here.ask(here.by_four(0), file=FUHYO, fields=["name"], with_number=True)


def _once(here: Counter, number: int) -> None:
    """Hold what is there after a death and a run to what may not depend on the death."""
    for file, people in ((RESIDENT, 2), (FUHYO, 1)):
        assert here.states(file) == [("delivered", None)] * number, file
        assert len(here.entries(Action.PERSON_PROVIDED, file)) == people * number
        done = Counted(entry["action"] for (entry,) in here.run_sql(file, "SELECT entry::jsonb FROM journal"))
        sealed, delivered = done[Action.PROVISION_SEALED.value], done[Action.PROVISION_DELIVERED.value]
        assert (sealed, delivered, done[Action.PROVISION_DECIDED.value]) == (number, number, number)
        sequences = here.run_sql(file, "SELECT sequence FROM provision ORDER BY provision_id")
        assert sequences == [(place,) for place in range(1, number + 1)]
    answers = here.board.answers()
    assert len(answers) == 2 * number
    assert all(
        line["outcome"] == "found" and line["individual_number"] for one in answers for line in one.lines
    )
    kept = sorted(path.name for path in here.town.home.requests.glob("*.p7m"))
    registered = sorted(f"{provision}.p7m" for provision in here.listed("delivered"))
    assert kept == registered
    hidden = [path for path in here.board.delivery.iterdir() if path.name.startswith(".")]
    assert hidden == []


def test_provision_killed_between_two_steps_is_made_once(here: Counter) -> None:
    """A sample of the places between two steps; every round asks anew and dies one place further on."""
    # A first round makes the folders, so that all rounds after it take the same steps.
    for _ in range(2):
        _ask(here)
        steps = _run(here, is_traced=True).steps
    assert {Kind.COMMIT, Kind.DISK} <= {step.kind for step in steps}
    _once(here, 2)
    places = places_of(steps)
    tried = [*range(2, len(places), SAMPLE_EVERY)]
    for number, place in enumerate(tried, 3):
        _ask(here)
        ended = _run(here, places[place])
        assert ended.code == -signal.SIGKILL, places[place]
        assert _run(here).code == 0
        _once(here, number)
    outside = sum(step.kind in OUTSIDE for step in steps)
    COUNTED["provision"] = {"steps": len(steps), "outside": outside, "deaths": len(tried)}
    assert places[-1].when is When.AFTER
