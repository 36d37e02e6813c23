"""How far long work has come, as an artifact that is updated while it works.

Decides:    that work done in one go leaves no artifact, and that one never goes back.
Invariants: counts only. What is shown never stops what is done: a server that does not answer is passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

Progress = Callable[[int, int], None]
"""Told how much is done, and of how much."""


def silent(_done: int, _total: int) -> None:
    """Show nothing."""


class ProgressBar:
    """The progress of one run, kept under a key; made when there is something between beginning and end to show."""

    def __init__(self, key: str, description: str) -> None:
        self._key, self._description = key, description
        self._artifact: UUID | None = None
        self._shown = 0.0

    @classmethod
    def begun(cls, key: str, description: str) -> ProgressBar:
        """Show the bar from the beginning: for work that is known to take its time."""
        bar = cls(key, description)
        bar._show(0.0)
        return bar

    def __call__(self, done: int, total: int) -> None:
        """Show how much is done."""
        percent = 100.0 * done / total if total else 100.0
        if percent > self._shown and (self._artifact is not None or percent < 100.0):
            self._show(percent)

    def _show(self, percent: float) -> None:
        self._shown = percent
        with suppress(Exception):
            if self._artifact is None:
                made = create_progress_artifact(percent, key=self._key, description=self._description)
                self._artifact = cast(UUID, made)
            else:
                update_progress_artifact(self._artifact, percent)
