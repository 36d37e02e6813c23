"""Killed at every place where a run leaves a trace, and run again: one provision, one package, one entry a person.

The places are found by tracing an undisturbed run. CI tries the first, the last and a sample of those between, which
is said at the end of the session; `make soak` tries both sides of every step.
"""

from __future__ import annotations

import signal
from collections import Counter as Counted
from dataclasses import dataclass, field, replace

import pytest

from juki.journal import Action
from simulator import recipients
from tests.flows.conftest import Town
from tests.flows.kill_points import COUNTED, OUTSIDE, Death, Kind, Step, places_of
from tests.flows.nursery import Ended, Order
from tests.flows.providing import FUHYO, RESIDENT, Counter, counter

SAMPLE_EVERY = 7


@dataclass(slots=True)
class Trial:
    """A board that asks anew for every death, and the steps an undisturbed run takes."""

    here: Counter
    steps: list[Step] = field(default_factory=list)
    rounds: int = 0

    def ask(self) -> None:
        """Ask for two people of the resident file, and for one abroad."""
        self.rounds += 1
        self.here.ask(self.here.by_number(0, 1), with_number=True)
        self.here.ask(self.here.by_four(0), file=FUHYO, fields=["name"], with_number=True)

    def run(self, death: Death | None = None, *, is_traced: bool = False) -> Ended:
        """Take in, answer and deliver, in a process of its own."""
        order = Order(self.here.town.channel, provides=True, death=death, is_traced=is_traced)
        return self.here.town.nursery.work(order)

    def dies(self, death: Death) -> None:
        """Ask, and die where told, at the very step that was traced."""
        self.ask()
        ended = self.run(death)
        counted = [step for step in self.steps if step.kind in death.kinds]
        assert (ended.code, ended.said) == (-signal.SIGKILL, counted[death.number].what), death

    def recovers(self) -> None:
        """Run again, and hold what is there to what may not depend on the death."""
        assert self.run().code == 0
        here = self.here
        for file, people in ((RESIDENT, 2), (FUHYO, 1)):
            assert here.states(file) == [("delivered", None)] * self.rounds, file
            assert len(here.entries(Action.PERSON_PROVIDED, file)) == people * self.rounds
            done = Counted(
                action for (action,) in here.run_sql(file, "SELECT entry::jsonb ->> 'action' FROM journal")
            )
            once = (Action.PROVISION_DECIDED, Action.PROVISION_SEALED, Action.PROVISION_DELIVERED)
            assert [done[action.value] for action in once] == [self.rounds] * len(once)
            sequences = here.run_sql(file, "SELECT sequence FROM provision ORDER BY provision_id")
            assert sequences == [(place,) for place in range(1, self.rounds + 1)]
        kept = sorted(path.name for path in here.town.home.requests.glob("*.p7m"))
        assert kept == sorted(f"{provision}.p7m" for provision in here.listed("delivered"))
        self._fetch()

    def _fetch(self) -> None:
        """Let the board open what lies there, the two answers of this round, and take it away."""
        answers = self.here.board.answers()
        assert len(answers) == len((RESIDENT, FUHYO))
        assert all(
            line["outcome"] == "found" and line["individual_number"] for one in answers for line in one.lines
        )
        lying = list(self.here.board.delivery.iterdir())
        assert [path.name for path in lying if path.name.startswith(".")] == []
        for path in lying:
            path.unlink()


@pytest.fixture
def trial(town: Town) -> Trial:
    """A town with somebody abroad, and a run that was traced."""
    made = counter(town)
    made.move_abroad(0)
    limits = dict.fromkeys(("daily_lines", "daily_misses", "daily_same_person"), 100_000)
    described = replace(made.board.described, limits=limits)
    recipients.register(town.home, [replace(made.board, described=described)])
    trial = Trial(made)
    # A first round makes the folders, so that all rounds after it take the same steps.
    for _ in range(2):
        trial.ask()
        trial.steps = trial.run(is_traced=True).steps
    assert {Kind.COMMIT, Kind.DISK} <= {step.kind for step in trial.steps}
    for path in made.board.delivery.iterdir():
        path.unlink()
    return trial


def counted(trial: Trial) -> dict[str, int]:
    """Count what was tried."""
    outside = sum(step.kind in OUTSIDE for step in trial.steps)
    return COUNTED.setdefault("provision", {"steps": len(trial.steps), "outside": outside, "deaths": 0})


def test_provision_killed_between_two_steps_is_made_once(trial: Trial) -> None:
    """The first place, the last, and a sample of those between; every round asks anew and dies further on."""
    places = places_of(trial.steps)
    for number in sorted({*range(0, len(places), SAMPLE_EVERY), len(places) - 1}):
        trial.dies(places[number])
        trial.recovers()
        counted(trial)["deaths"] += 1
