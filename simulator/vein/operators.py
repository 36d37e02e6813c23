"""Made-up operators with palm and authenticator, for the demonstration and for tests: one call, one assertion.

Decides:    which one-time code an operator uses: the earliest not used yet, so that three acts fit half a minute.
Leaves:     everything that is checked to `simulator.vein.gateway`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from simulator.vein import one_time
from simulator.vein.assertions import Act
from simulator.vein.gateway import CAPTURES_TO_ENROL, Gateway, Presented
from simulator.vein.palms import Palm, palm_of


@dataclass(slots=True)
class MadeUpOperator:
    """Somebody with a palm who is enrolled at a gateway."""

    gateway: Gateway
    name: str
    palm: Palm
    otp_secret: bytes = field(repr=False)
    draws: np.random.Generator = field(repr=False)
    _next_step: int = 0

    @classmethod
    def enrolled(cls, gateway: Gateway, name: str, now: datetime) -> MadeUpOperator:
        """Enrol an operator with the palm of the seed of its name.

        Raises: VeinRefusedError as `Gateway.enrol` does.
        """
        palm, draws = palm_of(name), np.random.default_rng()
        enrolled = gateway.enrol(name, [palm.hold(draws) for _ in range(CAPTURES_TO_ENROL)], now)
        return cls(gateway, name, palm, enrolled.otp_secret, draws)

    def assertion(self, act: Act, terminal: str, now: datetime) -> str:
        """Hold the palm, read a code off, and get an assertion; a fourth in the same half minute is refused.

        Raises: VeinRefusedError as `Gateway.issue` does.
        """
        step = max(self._next_step, one_time.step_at(now) - 1)
        code = one_time.code_at(self.otp_secret, datetime.fromtimestamp(step * one_time.STEP_SECONDS, UTC))
        token = self.gateway.issue(Presented(self.name, self.palm.hold(self.draws), code, terminal), act, now)
        self._next_step = step + 1
        return token
