"""The code that takes up the noise between two captures: binary BCH, 511 bits, 76 of them free, 85 errors corrected.

Decides:    encoding and bounded-distance decoding: what lies within 85 bits of a codeword becomes it, else nothing.
Invariants: a word is a vector of 511 zeros and ones, position i the coefficient of x^i; the message is its upper 76.
            Any set of bits that no word of the dual code lies in is uniform over the codewords; a repetition code
            would give pairs of bits away, see `simulator.vein.templates`.
Source:     Lin and Costello, Error Control Coding, 2nd ed., ch. 6 and table C (511, 76, 85); Massey 1969.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint8]
Field = NDArray[np.int64]

LENGTH: Final = 511
CORRECTS: Final = 85
_PRIMITIVE: Final = 0b1000010001
"""x^9 + x^4 + 1 generates the field of 512 elements."""


def _tables() -> tuple[Field, Field]:
    powers, logs = np.zeros(2 * LENGTH, dtype=np.int64), np.zeros(LENGTH + 1, dtype=np.int64)
    element = 1
    for exponent in range(LENGTH):
        powers[exponent] = powers[exponent + LENGTH] = element
        logs[element] = exponent
        element <<= 1
        if element > LENGTH:
            element ^= _PRIMITIVE
    return powers, logs


_POWERS, _LOGS = _tables()


def zeros_of_code() -> frozenset[int]:
    """List the exponents at which every codeword vanishes: 1 to 170 and what squaring makes of them."""
    return frozenset(
        (exponent << doubling) % LENGTH for exponent in range(1, 2 * CORRECTS + 1) for doubling in range(9)
    )


MESSAGE_BITS: Final = LENGTH - len(zeros_of_code())
_CHECK_BITS: Final = LENGTH - MESSAGE_BITS


@cache
def _generator() -> int:
    polynomial = np.array([1], dtype=np.int64)
    for exponent in sorted(zeros_of_code()):
        shifted = np.concatenate(([0], polynomial))
        shifted[:-1] ^= _times(polynomial, np.int64(_POWERS[exponent]))
        polynomial = shifted
    assert polynomial.max() == 1
    return sum(1 << position for position, bit in enumerate(polynomial.tolist()) if bit)


def encode(message: Bits) -> Bits:
    """Write a message of 76 bits as a codeword."""
    shifted = _to_int(message) << _CHECK_BITS
    rest, generator = shifted, _generator()
    while rest.bit_length() > _CHECK_BITS:
        rest ^= generator << (rest.bit_length() - 1 - _CHECK_BITS)
    return _to_bits(shifted ^ rest)


def message_of(codeword: Bits) -> Bits:
    """Read the message of a codeword."""
    return codeword[_CHECK_BITS:]


def decode(word: Bits) -> Bits | None:
    """Give the codeword within 85 bits of a word, or None where there is none."""
    syndromes = syndromes_of(word)
    if not syndromes.any():
        return word.copy()
    locator = _locator(syndromes)
    errors = _roots(locator)
    if len(locator) - 1 > CORRECTS or len(errors) != len(locator) - 1:
        return None
    found = word.copy()
    found[errors] ^= 1
    return None if syndromes_of(found).any() else found


def syndromes_of(word: Bits) -> Field:
    """Evaluate a word at α^1 to α^170; all zero for a codeword and for nothing else."""
    exponents = np.outer(np.arange(1, 2 * CORRECTS + 1), np.flatnonzero(word)) % LENGTH
    found: Field = np.bitwise_xor.reduce(_POWERS[exponents], axis=1)
    return found


def _locator(syndromes: Field) -> Field:
    """Find the shortest recurrence of the syndromes (Berlekamp and Massey)."""
    current = previous = np.array([1], dtype=np.int64)
    errors, shift, last = 0, 1, np.int64(1)
    for step in range(2 * CORRECTS):
        window = syndromes[step - np.arange(min(len(current), step + 1))]
        discrepancy = np.bitwise_xor.reduce(_products(current[: len(window)], window))
        if discrepancy == 0:
            shift += 1
            continue
        factor = np.int64(_POWERS[(_LOGS[discrepancy] - _LOGS[last]) % LENGTH])
        before, current = current, _plus(current, np.concatenate(([0] * shift, _times(previous, factor))))
        if 2 * errors <= step:
            errors, previous, last, shift = step + 1 - errors, before, discrepancy, 1
        else:
            shift += 1
    return np.trim_zeros(current, "b")


def _roots(locator: Field) -> Field:
    """List the error positions: i such that α^-i is a root of the locator (Chien's search, all at once)."""
    degrees = np.flatnonzero(locator)
    exponents = _LOGS[locator[degrees]][:, None] - np.outer(degrees, np.arange(LENGTH))
    return np.flatnonzero(np.bitwise_xor.reduce(_POWERS[exponents % LENGTH], axis=0) == 0)


def _products(left: Field, right: Field) -> Field:
    found: Field = _POWERS[_LOGS[left] + _LOGS[right]]
    found[(left == 0) | (right == 0)] = 0
    return found


def _times(polynomial: Field, factor: np.int64) -> Field:
    return _products(polynomial, np.full(len(polynomial), factor))


def _plus(left: Field, right: Field) -> Field:
    found = np.zeros(max(len(left), len(right)), dtype=np.int64)
    found[: len(left)] ^= left
    found[: len(right)] ^= right
    return found


def _to_int(bits: Bits) -> int:
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


def _to_bits(value: int) -> Bits:
    content = np.frombuffer(value.to_bytes(-(-LENGTH // 8), "little"), dtype=np.uint8)
    return np.unpackbits(content, bitorder="little")[:LENGTH]
