"""The long run of the kill points (`make soak`): both sides of every step, and every pair of two deaths.

Not collected by a plain run of the tests, because it takes an hour or two; `test_kill_points` is its short form.
The reconciliation has its own: `soak_kill_reconciliation`.
"""

from __future__ import annotations

import signal

import pytest

from tests.flows.kill_points import OUTSIDE, Death, When, places_of, sides_of
from tests.flows.test_kill_points import Trial, counted, trial

__all__ = ["trial"]


def test_both_sides_of_every_step_statements_included(trial: Trial, request: pytest.FixtureRequest) -> None:
    """That a death after one step is one before the next is not taken for granted here."""
    for death in sides_of(trial.steps):
        trial.dies(death)
        trial.recovers()
        counted(request)["deaths"] += 1


def test_every_second_death_after_every_first(trial: Trial, request: pytest.FixtureRequest) -> None:
    """The run after a death is killed at each of its own steps, until one comes to its end."""
    for first in places_of(trial.steps):
        is_dead, number = True, 0
        while is_dead:
            trial.dies(first)
            ended = trial.worked(Death(number, When.BEFORE, OUTSIDE))
            is_dead, number = ended.code == -signal.SIGKILL, number + 1
            assert is_dead or ended.code == 0
            trial.recovers()
            counted(request)["second deaths"] += is_dead
