"""The error-correcting code under the templates: it corrects what it must, and nothing beyond."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.vein import bch


def _word(seed: int) -> tuple[np.random.Generator, bch.Bits]:
    draws = np.random.default_rng(seed)
    return draws, bch.encode(draws.integers(0, 2, bch.MESSAGE_BITS, dtype=np.uint8))


def test_code_has_the_published_parameters() -> None:
    """(511, 76, 85), as the tables of binary BCH codes have it."""
    assert (bch.LENGTH, bch.MESSAGE_BITS, bch.CORRECTS) == (511, 76, 85)


@pytest.mark.parametrize("errors", [0, 1, 2, 40, 84, 85])
def test_as_many_errors_as_promised_are_corrected(errors: int) -> None:
    """Up to the bound every pattern leads back to the same message."""
    for seed in range(5):
        draws, codeword = _word(seed)
        received = codeword.copy()
        received[draws.choice(bch.LENGTH, errors, replace=False)] ^= 1
        found = bch.decode(received)
        assert found is not None
        assert (found == codeword).all()


@pytest.mark.parametrize("errors", [86, 90, 128, 255])
def test_more_errors_never_lead_back(errors: int) -> None:
    """Beyond the bound there is no way back: the distance is what decides."""
    for seed in range(5):
        draws, codeword = _word(seed)
        received = codeword.copy()
        received[draws.choice(bch.LENGTH, errors, replace=False)] ^= 1
        found = bch.decode(received)
        assert found is None or (found != codeword).any()


def test_message_stands_in_its_codeword() -> None:
    """What is hashed is the message and not the check bits."""
    message = np.random.default_rng(1).integers(0, 2, bch.MESSAGE_BITS, dtype=np.uint8)
    assert (bch.message_of(bch.encode(message)) == message).all()


def test_pairs_and_triples_of_a_codeword_are_uniform() -> None:
    """The dual code has no word of weight 2 or 3, so no two or three enrolled bits show in a stored difference.

    The zeros of the dual code hold a run of three in steps of some stride: its weight is at least 4 (BCH bound).
    """
    zeros = bch.zeros_of_code()
    of_dual = {-exponent % bch.LENGTH for exponent in range(bch.LENGTH) if exponent not in zeros}
    runs = (
        {(start + index * stride) % bch.LENGTH for index in range(3)} <= of_dual
        for stride in range(1, bch.LENGTH)
        if np.gcd(stride, bch.LENGTH) == 1
        for start in of_dual
    )
    assert any(runs)
