"""Killed at every step of the intake, on both sides, and again while it recovers: nothing is lost or doubled.

The steps are not listed by hand: an undisturbed run is traced, and a worker is killed (SIGKILL) at each step of the
trace that another process could see. A death after one step and a death before the next leave the same behind, so
each place between two steps is tried once: every one of the usual scenario here, of the others by `make soak`, which
also tries both sides of every step, statements included, and every pair of a first death and a second one during the
recovery.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.flows.conftest import Town
from tests.flows.kill_points import COUNTED, OUTSIDE, Death, Kind, Step, When, check_told, places_of
from tests.flows.kill_scenarios import SCENARIOS, Look, Stage, check
from tests.flows.nursery import Ended, Order

WHOLE = "applied"
"""The scenario of which every place is tried here; of the others every sixth, all of them by `make soak`."""
TRIED_EVERY = 6
SAMPLE_EVERY = 24
"""In CI every so many first deaths are followed by a second one."""


@dataclass(slots=True)
class Trial:
    """One scenario: laid out, traced, and what it must come to."""

    stage: Stage
    steps: list[Step]
    expected: Look
    receipts: dict[str, bytes]
    notices: int

    def worked(self, death: Death | None = None) -> Ended:
        """Let a worker work the channel at the instant of the stage."""
        ended = self.stage.town.nursery.work(Order(self.stage.town.channel, self.stage.at, death))
        self.stage.settled()
        return ended

    def dies(self, death: Death) -> None:
        """Put the scenario back and let a worker die where told, at the very step that was traced."""
        self.stage.put_back()
        ended = self.worked(death)
        counted = [step for step in self.steps if step.kind in death.kinds]
        assert (ended.code, ended.said) == (-signal.SIGKILL, counted[death.number].what), death

    def recovers(self) -> None:
        """Run again: all is as if nobody had died. Run once more: nothing changes."""
        assert self.worked().code == 0
        look = self.stage.look()
        check(look, self.expected, notices=self.notices)
        assert self.stage.receipts() == self.receipts
        assert self.stage.verify_journal() == len(look.rows["journal"])
        assert self.worked().code == 0
        assert self.stage.look() == look


@pytest.fixture(params=SCENARIOS)
def trial(request: pytest.FixtureRequest, town: Town) -> Iterator[Trial]:
    """Lay a scenario out and run it undisturbed, traced."""
    SCENARIOS[request.param](town)
    stage = Stage(town)
    stage.keep()
    traced = town.nursery.work(Order(town.channel, stage.at, is_traced=True))
    assert traced.code == 0
    stage.settled()
    look = stage.look()
    records = sum(row["records"] or 0 for row in look.rows["package"])
    yield Trial(stage, traced.steps, look, stage.receipts(), records)
    stage.forget()


def counted(request: pytest.FixtureRequest) -> dict[str, int]:
    """Count what was tried in the scenario of a test."""
    return COUNTED.setdefault(
        request.node.callspec.params["trial"], {"steps": 0, "outside": 0, "deaths": 0, "second deaths": 0}
    )


def test_whoever_dies_between_two_steps_is_as_if_he_had_not_lived(
    trial: Trial, request: pytest.FixtureRequest
) -> None:
    """One death at each place, then the run that follows, then one more that changes nothing."""
    tried = counted(request)
    tried["steps"] = len(trial.steps)
    tried["outside"] = sum(step.kind in OUTSIDE for step in trial.steps)
    is_whole = request.node.callspec.params["trial"] == WHOLE
    for death in places_of(trial.steps)[:: 1 if is_whole else TRIED_EVERY]:
        trial.dies(death)
        trial.recovers()
        tried["deaths"] += 1
    assert {Kind.COMMIT, Kind.DISK} <= {step.kind for step in trial.steps}
    check_told(request.node.callspec.params["trial"], trial.steps)


def test_whoever_dies_while_recovering_is_as_if_he_had_not_lived_either(
    trial: Trial, request: pytest.FixtureRequest
) -> None:
    """Some first deaths, each followed by a second one at another place of the recovery."""
    places = places_of(trial.steps)
    for number, first in list(enumerate(places))[::SAMPLE_EVERY]:
        trial.dies(first)
        second = Death((number * 5 + 2) % 8, When.BEFORE if number % 2 else When.AFTER, OUTSIDE)
        counted(request)["second deaths"] += trial.worked(second).code == -signal.SIGKILL
        trial.recovers()
    assert counted(request)["second deaths"] > 0
