"""Both sides of every step of telling J-LIS. Run by `make soak`."""

from __future__ import annotations

import pytest

from tests.flows.kill_points import sides_of
from tests.flows.test_kill_forwarding import Trial, counted, trial

__all__ = ["trial"]


def test_both_sides_of_every_step_of_forwarding(trial: Trial, request: pytest.FixtureRequest) -> None:
    """That a death after one step is one before the next is not taken for granted here."""
    for death in sides_of(trial.steps):
        trial.dies(death)
        trial.recovers()
        counted(request, trial)["deaths"] += 1
