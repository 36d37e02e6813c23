"""What is kept of a palm: a fuzzy commitment over a secret rotation, from which the palm can not be got back.

Decides:    captures → features → rotation by a seed of the enrolment → signs → 511 bits, and what of them is stored:
            their difference to a random codeword, and scrypt of the codeword's message. A capture matches when its
            bits lead back to the same message.
Leaves:     sealing the record under the key of the device to `simulator.vein.register`.
Invariants: neither features nor bits are stored. With 511 fair bits the stored difference tells at most 435 bits of
            them, so 76 remain to be guessed, each guess one scrypt. A new enrolment has a new rotation and a new
            codeword: nothing of the old template helps against it, and the two can not be told to be of one palm.
Source:     Juels and Wattenberg, A Fuzzy Commitment Scheme (1999); Dodis et al., Fuzzy Extractors (2008), 2.5 and
            lemma 2.2; ISO/IEC 24745:2022 (irreversibility, renewability, unlinkability); ADR-0035.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np

from simulator.vein import bch
from simulator.vein.bch import Bits
from simulator.vein.palms import FEATURES, Capture, Features

Entropy = Callable[[int], bytes]
SEED_BYTES: Final = 32
_ID_BYTES: Final = 16
_ROUNDS: Final = 3
_SCRYPT: Final = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}


@dataclass(frozen=True, slots=True)
class Template:
    """A protected template: `seed` turns the features, `offset` is bits ⊕ codeword, `check` scrypt of the message."""

    template_id: str
    seed: bytes = field(repr=False)
    offset: bytes = field(repr=False)
    check: bytes = field(repr=False)

    @property
    def offset_bits(self) -> Bits:
        """The difference of the enrolled bits and the codeword."""
        return np.unpackbits(np.frombuffer(self.offset, dtype=np.uint8))[: bch.LENGTH]


def enrol(captures: Sequence[Capture], entropy: Entropy = secrets.token_bytes) -> Template:
    """Make a new template of the mean of some captures; everything else about them is forgotten."""
    seed, message = entropy(SEED_BYTES), _random_message(entropy)
    mean = np.mean([capture.features for capture in captures], axis=0)
    offset = np.packbits(bits_of(mean, seed) ^ bch.encode(message)).tobytes()
    return Template(entropy(_ID_BYTES).hex(), seed, offset, _hashed(message, seed))


def matches(template: Template, capture: Capture) -> bool:
    """Tell whether a capture is of the enrolled palm; as slow for a stranger's as for the owner's."""
    word = bits_of(capture.features, template.seed) ^ template.offset_bits
    codeword = bch.decode(word)
    found = _hashed(bch.message_of(word if codeword is None else codeword), template.seed)
    return hmac.compare_digest(found, template.check) and codeword is not None


def bits_of(features: Features, seed: bytes) -> Bits:
    """Binarise features, or rows of them: the signs of all but one coordinate after the rotation of a seed."""
    return (rotated(features, seed)[..., : bch.LENGTH] > 0).astype(np.uint8)


def rotated(features: Features, seed: bytes) -> Features:
    """Turn features by the rotation of a seed: three rounds of random signs and a Walsh-Hadamard transform.

    A rotation of independent normal features gives such features again: their signs are fair and independent,
    whatever the seed.
    """
    for signs in _signs(seed):
        features = (signs * features) @ _hadamard()
    return features


def turned_back(turned: Features, seed: bytes) -> Features:
    """Undo `rotated`: whoever has the seed can; it is the signs behind it they would need."""
    for signs in _signs(seed)[::-1]:
        turned = signs * (turned @ _hadamard())
    return turned


def _signs(seed: bytes) -> Features:
    stream = hashlib.shake_256(b"vein-rotation:" + seed).digest(_ROUNDS * FEATURES // 8)
    drawn = np.unpackbits(np.frombuffer(stream, dtype=np.uint8)).reshape(_ROUNDS, FEATURES)
    return 1.0 - 2.0 * drawn.astype(np.float64)


@cache
def _hadamard() -> Features:
    index = np.arange(FEATURES)
    parity = (np.bitwise_count(index[:, None] & index) & 1).astype(np.float64)
    found: Features = (1.0 - 2.0 * parity) / np.sqrt(FEATURES)
    return found


def _random_message(entropy: Entropy) -> Bits:
    drawn = np.frombuffer(entropy(-(-bch.MESSAGE_BITS // 8)), dtype=np.uint8)
    return np.unpackbits(drawn)[: bch.MESSAGE_BITS]


def _hashed(message: Bits, seed: bytes) -> bytes:
    return hashlib.scrypt(np.packbits(message).tobytes(), salt=seed, **_SCRYPT)
