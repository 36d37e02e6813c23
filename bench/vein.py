"""`make bench-vein`: how often the vein stand-in errs, and what a thief of its templates gets, on made-up palms.

Decides:    how many comparisons, of what; all draws come from one seed, so a run can be repeated to the figure.
Leaves:     the tables to `bench.vein_report`.
Invariants: owners and strangers are counted by distance, which decides alone (tests/unit/test_vein_templates.py), and
            a part of both by the whole way as well, decoder included; the two must agree or the run fails.

Environment: PALMS (default 100).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.vein_report import Attacks, Rates, write
from simulator.vein import attacks, bch
from simulator.vein.palms import FEATURES, Features, Palm, palm_of, resembling
from simulator.vein.templates import Template, bits_of, enrol

PALMS, CAPTURES, STRANGERS = 100, 100, 1_000
NOISES = (0.2, 0.3, 0.4, 0.5, 0.6)
LIKENESSES = (0.5, 0.7, 0.8, 0.9)
_BY_THE_WHOLE_WAY = 10
_BLOCK = 7
Distances = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A palm, its template, and its enrolled bits, which only a benchmark may keep."""

    palm: Palm
    template: Template
    bits: bch.Bits


def main() -> int:
    """Measure everything; write docs/bench/vein.md when it is the whole."""
    count, draws = int(os.environ.get("PALMS", PALMS)), np.random.default_rng(20261130)
    enrolled = [_enrolled(palm_of(f"bench-{number}"), draws) for number in range(count)]
    rates, found = measure_rates(enrolled, draws), measure_attacks(enrolled, draws)
    text = write(rates, found, Path("docs/bench/vein.md") if count == PALMS else None)
    sys.stdout.write(text)
    return 0


def measure_rates(enrolled: Sequence[Enrolment], draws: np.random.Generator) -> Rates:
    """Compare owners and strangers with every template, and palms that resemble or are held badly with theirs."""
    strangers = np.stack([palm_of(f"stranger-{n}").capture(draws).features for n in range(STRANGERS)])
    return Rates(
        own=np.concatenate([_own(one, draws) for one in enrolled]),
        others=np.concatenate([_others(one, strangers) for one in enrolled]),
        by_noise={noise: _of_noise(enrolled, noise, draws) for noise in NOISES},
        by_likeness={likeness: _of_alike(enrolled, likeness, draws) for likeness in LIKENESSES},
    )


def measure_attacks(enrolled: Sequence[Enrolment], draws: np.random.Generator) -> Attacks:
    """Try to get palms back out of templates, to link templates of one palm, and to use a broken one again."""
    again = [_enrolled(one.palm, draws) for one in enrolled]
    return Attacks(
        blind=_each(enrolled, lambda one: attacks.likeness(draws.standard_normal(FEATURES), one.palm)),
        leaked=_each(
            enrolled, lambda one: attacks.likeness(_turned_back(one.template.offset_bits, one), one.palm)
        ),
        bare=_each(enrolled, lambda one: attacks.likeness(_turned_back(one.bits, one), one.palm)),
        blocks=_each(enrolled, lambda one: _in_blocks(one.template.offset_bits, one)),
        repeated=_each(enrolled, lambda one: _in_blocks(_with_repetition(one, draws), one)),
        of_one_palm=_pairs(enrolled, again),
        of_two_palms=_pairs(enrolled, [*again[1:], again[0]]),
        linked=sum(
            attacks.differ_by_a_codeword(old.template, new.template)
            for old, new in zip(enrolled, again, strict=True)
        ),
        broken=np.array([_broken(old, new) for old, new in zip(enrolled, again, strict=True)]),
    )


def _enrolled(palm: Palm, draws: np.random.Generator) -> Enrolment:
    captures = palm.captures(draws, 5)
    template = enrol(captures, draws.bytes)
    mean = np.mean([capture.features for capture in captures], axis=0)
    return Enrolment(palm, template, bits_of(mean, template.seed))


def _own(one: Enrolment, draws: np.random.Generator) -> Distances:
    captures = np.stack([capture.features for capture in one.palm.captures(draws, CAPTURES)])
    return _compared(one, captures, _BY_THE_WHOLE_WAY)


def _others(one: Enrolment, strangers: Features) -> Distances:
    return _compared(one, strangers, _BY_THE_WHOLE_WAY)


def _compared(one: Enrolment, captures: Features, by_the_whole_way: int) -> Distances:
    """Count differing bits; the first so many are also decoded, and must be accepted by the same rule."""
    words = bits_of(captures, one.template.seed)
    distances: Distances = (words ^ one.bits).sum(axis=1, dtype=np.int64)
    expected = one.bits ^ one.template.offset_bits
    for word, distance in zip(words[:by_the_whole_way], distances, strict=False):
        codeword = bch.decode(word ^ one.template.offset_bits)
        is_accepted = codeword is not None and bool((codeword == expected).all())
        if is_accepted != (distance <= bch.CORRECTS):
            raise RuntimeError("decoder and distance disagree")
    return distances


def _of_noise(enrolled: Sequence[Enrolment], noise: float, draws: np.random.Generator) -> Distances:
    captures = (
        np.stack([one.palm.capture(draws, noise).features for _ in range(CAPTURES)]) for one in enrolled
    )
    return np.concatenate([_compared(one, own, 0) for one, own in zip(enrolled, captures, strict=True)])


def _of_alike(enrolled: Sequence[Enrolment], likeness: float, draws: np.random.Generator) -> Distances:
    captures = (
        np.stack([resembling(one.palm, likeness, draws).capture(draws).features for _ in range(CAPTURES)])
        for one in enrolled
    )
    return np.concatenate([_compared(one, alike, 0) for one, alike in zip(enrolled, captures, strict=True)])


def _each(enrolled: Sequence[Enrolment], measure: Callable[[Enrolment], float]) -> Features:
    return np.array([measure(one) for one in enrolled])


def _turned_back(bits: bch.Bits, one: Enrolment) -> Features:
    return attacks.from_signs(bits, one.template.seed)


def _in_blocks(bits: bch.Bits, one: Enrolment) -> float:
    return attacks.share_in_blocks(bits, one.template.seed, one.palm, _BLOCK)


def _with_repetition(one: Enrolment, draws: np.random.Generator) -> bch.Bits:
    drawn = draws.integers(0, 2, bch.LENGTH // _BLOCK, dtype=np.uint8)
    return one.bits ^ np.repeat(drawn, _BLOCK)


def _pairs(first: Sequence[Enrolment], second: Sequence[Enrolment]) -> Features:
    pairs = zip(first, second, strict=True)
    return np.array([attacks.agreement(one.template, other.template) for one, other in pairs])


def _broken(old: Enrolment, new: Enrolment) -> int:
    """Count the bits by which a palm made from the bits of the old template differs from the new one."""
    return int((bits_of(_turned_back(old.bits, old), new.template.seed) ^ new.bits).sum())


if __name__ == "__main__":
    sys.exit(main())
