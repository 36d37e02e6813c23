"""The long run of the provision's kill points (`make soak`): both sides of every step, statements included.

Not collected by a plain run of the tests; `test_provide_killed` is its short form.
"""

from __future__ import annotations

from tests.flows.kill_points import sides_of
from tests.flows.test_provide_killed import Trial, counted, trial

__all__ = ["trial"]


def test_both_sides_of_every_step_of_a_provision(trial: Trial) -> None:
    """That a death after one step is one before the next is not taken for granted here."""
    for death in sides_of(trial.steps):
        trial.dies(death)
        trial.recovers()
        counted(trial)["deaths"] += 1
