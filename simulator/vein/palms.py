"""Made-up palms: a vector of features for each, the noise between two captures, and palms that resemble another.

Decides:    what a palm is here: 512 independent standard normal features. A device would get such a vector out of an
            image, centred and decorrelated over its population; how is not ours to imitate.
Invariants: the same seed is the same palm; features are shown by no repr.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]

FEATURES: Final = 512
USUAL_NOISE: Final = 0.3
"""Of an ordinary capture, as a share of what tells palms apart; about one bit in ten differs then."""
_NOISE_SPREAD: Final = 0.25
"""Captures are better and worse: the logarithm of the noise varies by so much."""
_IN_A_ROW: Final = 3


@dataclass(frozen=True, slots=True)
class Palm:
    """A palm; nobody but its owner has it."""

    features: Features = field(repr=False)

    def capture(self, draws: np.random.Generator, noise: float | None = None) -> Capture:
        """Hold the palm over the sensor once; with the noise given, or as it comes."""
        if noise is None:
            noise = USUAL_NOISE * float(np.exp(_NOISE_SPREAD * draws.standard_normal()))
        return Capture(self.features + noise * draws.standard_normal(FEATURES))

    def hold(self, draws: np.random.Generator) -> Capture:
        """Hold the palm over the sensor as an operator does: the mean of three captures in a row."""
        return Capture(np.mean([capture.features for capture in self.captures(draws, _IN_A_ROW)], axis=0))

    def captures(self, draws: np.random.Generator, times: int) -> list[Capture]:
        """Hold the palm over the sensor several times."""
        return [self.capture(draws) for _ in range(times)]


@dataclass(frozen=True, slots=True)
class Capture:
    """What a sensor saw once; to be forgotten as soon as it was compared."""

    features: Features = field(repr=False)


def palm_of(seed: str) -> Palm:
    """Make up the palm of a seed."""
    entropy = int.from_bytes(sha256(b"palm:" + seed.encode()).digest(), "big")
    return Palm(np.random.default_rng(entropy).standard_normal(FEATURES))


def resembling(palm: Palm, correlation: float, draws: np.random.Generator) -> Palm:
    """Make up another palm that resembles one: 0 as any two do, 1 the same."""
    own = np.sqrt(1 - correlation**2) * draws.standard_normal(FEATURES)
    return Palm(correlation * palm.features + own)
