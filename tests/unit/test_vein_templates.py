"""Protected templates: the owner is recognised, nothing leads back to the palm, a new one owes the old nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.vein import bch
from simulator.vein.attacks import (
    agreement,
    differ_by_a_codeword,
    from_signs,
    likeness,
    share_in_blocks,
)
from simulator.vein.palms import FEATURES, Capture, Palm, palm_of, resembling
from simulator.vein.templates import Template, bits_of, enrol, matches, rotated, turned_back

_TRIALS = 8
_BLOCK = 7


@pytest.fixture
def draws() -> np.random.Generator:
    """Noise, the same in every run."""
    return np.random.default_rng(20261130)


@pytest.fixture(scope="module")
def leaked() -> list[tuple[Palm, Template]]:
    """Palms, and what somebody has of them who took the templates in the clear."""
    draws = np.random.default_rng(24745)
    palms = [palm_of(f"leaked-{number}") for number in range(_TRIALS)]
    return [(palm, _enrolled(palm, draws)) for palm in palms]


def _enrolled(palm: Palm, draws: np.random.Generator) -> Template:
    return enrol(palm.captures(draws, 5), draws.bytes)


def test_owner_is_recognised_and_strangers_are_not(draws: np.random.Generator) -> None:
    """Ordinary captures of the palm match, those of other palms do not, also of one that resembles it by half."""
    palm = palm_of("op-1")
    template = _enrolled(palm, draws)
    assert all(matches(template, palm.capture(draws, noise)) for noise in (0.0, 0.2, 0.3))
    others = [*(palm_of(f"stranger-{number}") for number in range(4)), resembling(palm, 0.5, draws)]
    assert not any(matches(template, other.capture(draws)) for other in others)


def test_capture_too_noisy_is_refused(draws: np.random.Generator) -> None:
    """Noise as large as the features is nobody's palm."""
    palm = palm_of("op-1")
    assert not matches(_enrolled(palm, draws), palm.capture(draws, 1.5))


def test_palm_held_as_usual_is_hardly_ever_refused(
    leaked: list[tuple[Palm, Template]], draws: np.random.Generator
) -> None:
    """Three captures in a row instead of one: none of 2,000 is too far away, so that no demonstration fails."""
    for palm, template in leaked:
        held = np.stack([palm.hold(draws).features for _ in range(250)])
        distances = (bits_of(held, template.seed) ^ _word_of(template, palm)).sum(axis=1)
        assert distances.max() <= bch.CORRECTS


@pytest.mark.parametrize("part", ["seed", "offset", "check"])
def test_altered_template_matches_nobody(part: str, draws: np.random.Generator) -> None:
    """Each part is needed."""
    palm = palm_of("op-1")
    template = _enrolled(palm, draws)
    other = _enrolled(palm, draws)
    assert not matches(replace(template, **{part: getattr(other, part)}), palm.capture(draws, 0.2))


def test_acceptance_is_a_matter_of_distance_alone(draws: np.random.Generator) -> None:
    """The published rates count distances: a capture matches if and only if at most 85 bits differ."""
    palm = palm_of("op-1")
    template = _enrolled(palm, draws)
    enrolled = _word_of(template, palm)
    for noise in np.linspace(0.4, 0.75, 8):
        capture = palm.capture(draws, float(noise))
        distance = int((bits_of(capture.features, template.seed) ^ enrolled).sum())
        assert matches(template, capture) == (distance <= bch.CORRECTS)


def _word_of(template: Template, palm: Palm) -> bch.Bits:
    codeword = bch.decode(bits_of(palm.features, template.seed) ^ template.offset_bits)
    assert codeword is not None
    return codeword ^ template.offset_bits


def test_right_message_among_too_many_errors_is_refused(draws: np.random.Generator) -> None:
    """What can not be decoded is refused, also where its upper bits happen to be the message."""
    palm = palm_of("op-1")
    template = _enrolled(palm, draws)
    word = _word_of(template, palm)
    assert matches(template, Capture(from_signs(word, template.seed)))
    word[: bch.CORRECTS + 15] ^= 1
    assert not matches(template, Capture(from_signs(word, template.seed)))


def test_rotation_keeps_lengths_and_angles(draws: np.random.Generator) -> None:
    """Being a rotation, it turns independent normal features into such: the enrolled bits are fair."""
    seed, first, second = draws.bytes(32), draws.standard_normal(FEATURES), draws.standard_normal(FEATURES)
    assert np.isclose(rotated(first, seed) @ rotated(second, seed), first @ second)
    assert np.allclose(turned_back(rotated(first, seed), seed), first)


def test_template_shows_nothing_in_text(draws: np.random.Generator) -> None:
    """Neither seed, difference nor hash stands in a message by mistake."""
    template = _enrolled(palm_of("op-1"), draws)
    assert all(part.hex() not in repr(template) for part in (template.seed, template.offset, template.check))
    assert repr(template).startswith("Template(template_id=")
    assert "0." not in repr(palm_of("op-1"))


def test_palm_can_not_be_reconstructed_from_a_leaked_template(leaked: list[tuple[Palm, Template]]) -> None:
    """With seed and difference in hand the guess is as good as a blind one; with the bare bits it would be 0.8."""
    blind, bare = [], []
    for palm, template in leaked:
        blind.append(likeness(from_signs(template.offset_bits, template.seed), palm))
        bare.append(likeness(from_signs(bits_of(palm.features, template.seed), template.seed), palm))
    assert abs(np.mean(blind)) < 4 / np.sqrt(FEATURES * _TRIALS)
    assert np.mean(bare) > 0.75


def test_reconstruction_from_blocks_needs_a_repetition_code(leaked: list[tuple[Palm, Template]]) -> None:
    """A repetition code would give the signs within each block away; this code gives no pair of them away."""
    ours, repeated, draws = [], [], np.random.default_rng(1)
    for palm, template in leaked:
        codeword = np.repeat(draws.integers(0, 2, bch.LENGTH // _BLOCK, dtype=np.uint8), _BLOCK)
        offset = bits_of(palm.features, template.seed) ^ codeword
        ours.append(share_in_blocks(template.offset_bits, template.seed, palm, _BLOCK))
        repeated.append(share_in_blocks(offset, template.seed, palm, _BLOCK))
    chance = np.sqrt(bch.LENGTH / _BLOCK / FEATURES)
    assert abs(np.mean(ours) - chance) < 0.03
    assert np.mean(repeated) > 0.75


def test_templates_of_one_palm_can_not_be_linked(draws: np.random.Generator) -> None:
    """Two enrolments of one palm are as different as those of two palms, and not decodable together."""
    palm = palm_of("linked")
    of_one = [_enrolled(palm, draws) for _ in range(6)]
    pairs = [
        (first, second) for first in of_one for second in of_one if first.template_id < second.template_id
    ]
    assert abs(np.mean([agreement(*pair) for pair in pairs]) - 0.5) < 4 * 0.5 / np.sqrt(
        bch.LENGTH * len(pairs)
    )
    assert not any(differ_by_a_codeword(*pair) for pair in pairs)


def test_one_rotation_for_all_would_be_linkable(draws: np.random.Generator) -> None:
    """The attack works where the seed stays the same: the seed of each enrolment is what prevents it."""
    palm, seed = palm_of("linked"), draws.bytes(32)

    def entropy(size: int) -> bytes:
        return seed if size == len(seed) else draws.bytes(size)

    first, second = (enrol(palm.captures(draws, 5), entropy) for _ in range(2))
    assert differ_by_a_codeword(first, second)
    assert not differ_by_a_codeword(first, enrol(palm_of("other").captures(draws, 5), entropy))


def test_replaced_template_has_little_use_for_a_broken_one(draws: np.random.Generator) -> None:
    """Who not only has the old template but broke it, at 2^76 tries, has a palm like it: seldom like enough."""
    palm = palm_of("replaced")
    old = _enrolled(palm, draws)
    guess = from_signs(_word_of(old, palm), old.seed)
    assert 0.75 < likeness(guess, palm) < 0.85
    assert matches(old, Capture(guess))
    assert sum(matches(_enrolled(palm, draws), Capture(guess)) for _ in range(4)) <= 1
