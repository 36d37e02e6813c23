"""What somebody would try who has templates in the clear, with their seeds: to get palms back, or to link them.

Decides:    three attacks of the literature, and how their success is measured. Each also runs on a weaker scheme,
            where it succeeds: an attack that can not succeed anywhere shows nothing.
Source:     reconstruction from signs: Topcu et al. 2016, doi 10.1186/s13634-016-0396-1; cross-matching by
            decodability: Simoens, Tuyls, Preneel 2009, Kelkboom et al. 2011; ISO/IEC 30136:2018 (full disclosure).
"""

from __future__ import annotations

import numpy as np

from simulator.vein import bch
from simulator.vein.bch import Bits
from simulator.vein.palms import Features, Palm
from simulator.vein.templates import Template, rotated, turned_back


def likeness(guess: Features, palm: Palm) -> float:
    """Measure a reconstruction: the correlation with the palm, which for a blind guess is about 0 ± 0.044."""
    return float(guess @ palm.features / (np.linalg.norm(guess) * np.linalg.norm(palm.features)))


def from_signs(bits: Bits, seed: bytes) -> Features:
    """Take bits for the signs behind the rotation and turn them back (one-bit compressed sensing)."""
    return turned_back(np.append(_signs(bits), 0.0), seed)


def share_in_blocks(bits: Bits, seed: bytes, palm: Palm, repeated: int) -> float:
    """Take bits of one block to be the signs of the palm up to a common one, as a repetition code gives away.

    Each block then leaves one direction, and the palm is sought among their sums. Returns how much of the palm lies
    among them: 0.8 where the premise holds, and for b blocks sqrt(b / 512) where it does not.
    """
    inside = rotated(palm.features, seed)[: bch.LENGTH] * _signs(bits)
    along = inside.reshape(bch.LENGTH // repeated, repeated).sum(axis=1) / np.sqrt(repeated)
    return float(np.linalg.norm(along) / np.linalg.norm(palm.features))


def differ_by_a_codeword(first: Template, second: Template) -> bool:
    """Tell whether two templates are decodable together, as two of one palm under one rotation are."""
    return bch.decode(first.offset_bits ^ second.offset_bits) is not None


def agreement(first: Template, second: Template) -> float:
    """Measure how alike two stored differences are: for unrelated ones about 0.5 ± 0.022."""
    return float(np.mean(first.offset_bits == second.offset_bits))


def _signs(bits: Bits) -> Features:
    return 2.0 * bits.astype(np.float64) - 1.0
