"""Staff of an exercise: made-up operators who hold their palms and read their codes as real ones do at the device.

Decides:    that a palm refused once is held again, and that nobody shows a code twice.
Leaves:     comparing and signing to `simulator.vein.gateway`.
Invariants: an authenticator is asked for codes of steps that follow one another, beginning a step behind the clock,
            which the gateway allows: two assertions of one operator need no wait.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from simulator.vein import one_time
from simulator.vein.assertions import Act
from simulator.vein.gateway import CAPTURES_TO_ENROL, Gateway, Presented
from simulator.vein.palms import Capture, palm_of
from simulator.vein.refusals import Refusal, VeinRefusedError

_HELD_AGAIN = 3
"""So often a palm is held before somebody asks for help: fewer than one in fifty is refused the first time."""


@dataclass(slots=True)
class Staff:
    """Operators enrolled at one gateway; the seed of a palm is the operator's id."""

    gateway: Gateway
    terminal: str
    draws: np.random.Generator = field(default_factory=np.random.default_rng)
    _secrets: dict[str, bytes] = field(default_factory=dict, repr=False)
    _next_step: dict[str, int] = field(default_factory=dict)

    def enrol(self, operator: str, at: datetime) -> None:
        """Enrol an operator at the device.

        Raises: VeinRefusedError(FORM | ALREADY_ENROLLED | POOR_CAPTURES).
        """
        captures = [self._held(operator) for _ in range(CAPTURES_TO_ENROL)]
        self._secrets[operator] = self.gateway.enrol(operator, captures, at).otp_secret

    def assertion(self, operator: str, act: Act, at: datetime) -> str:
        """Hold the palm, type the code and take the assertion.

        Raises: VeinRefusedError(FORM | PERSONAL_TARGET | NOT_AUTHENTICATED | LOCKED).
        """
        otp = self._code(operator, at)
        for _ in range(_HELD_AGAIN - 1):
            try:
                return self._issued(operator, otp, act, at)
            except VeinRefusedError as refused:
                if refused.refusal is not Refusal.NOT_AUTHENTICATED:
                    raise
        return self._issued(operator, otp, act, at)

    def _issued(self, operator: str, otp: str, act: Act, at: datetime) -> str:
        return self.gateway.issue(Presented(operator, self._held(operator), otp, self.terminal), act, at)

    def _held(self, operator: str) -> Capture:
        return palm_of(operator).hold(self.draws)

    def _code(self, operator: str, at: datetime) -> str:
        step = max(one_time.step_at(at) - 1, self._next_step.get(operator, 0))
        self._next_step[operator] = step + 1
        return one_time.code_at(self._secrets[operator], _begin(step))


def _begin(step: int) -> datetime:
    return datetime.fromtimestamp(step * one_time.STEP_SECONDS, UTC)
