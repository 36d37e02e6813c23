"""The long run of the custody's kill points (`make soak`): both sides of every step, statements included.

Not collected by a plain run of the tests; `test_kill_custody` is its short form.
"""

from __future__ import annotations

import signal

from tests.flows.kill_points import OUTSIDE, Death, When, places_of, sides_of
from tests.flows.test_kill_custody import Trial, counted, never_a_false_proof, trial

__all__ = ["trial"]


def test_both_sides_of_every_step_of_the_custody(trial: Trial) -> None:
    """That a death after one step is one before the next is not taken for granted here."""
    for death in sides_of(trial.steps):
        provision = trial.dies(death)
        never_a_false_proof(trial, provision)
        trial.recovers(provision)
        counted(trial)["deaths"] += 1


def test_second_death_after_every_first(trial: Trial) -> None:
    """The run that goes on after a death dies as well, at a place that moves from one first death to the next."""
    for number, first in enumerate(places_of(trial.steps)):
        provision = trial.dies(first)
        second = trial.act(provision, Death(number * 5 % 7, When.BEFORE, OUTSIDE))
        assert second.code in (0, -signal.SIGKILL)
        never_a_false_proof(trial, provision)
        trial.recovers(provision)
        counted(trial)["deaths"] += 1 + (second.code != 0)
