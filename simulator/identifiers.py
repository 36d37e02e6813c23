"""Made-up identifiers with valid digits: 個人番号 and 住民票コード of simulated people.

Decides:    which identifier the n-th issued person gets.
Leaves:     the check digits to `juki.codes`.
Invariants: unique by construction (a permutation of the running number), not clustered, never issued twice.
            Every 個人番号 begins with 999 so that a reader sees at once that it is made up; a 住民票コード has
            no such mark, because its whole range is needed to look like the real, scattered one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from juki.codes import individual_number_check_digits, resident_code_check_digits

FALSE_PREFIX = "999"
_NUMBER_BODY_DIGITS = 8
_CODE_BODY_DIGITS = 10
_ROUNDS = 3
_ASCII_ZERO = np.uint8(ord("0"))


@dataclass(frozen=True, slots=True)
class Permutation:
    """A one-to-one shuffle of the numbers of `digits` decimal digits, drawn from the seed.

    Each round multiplies by a factor prime to ten and adds, then swaps the halves; both steps can be undone.
    """

    digits: int
    factors: tuple[int, ...]
    offsets: tuple[int, ...]

    @classmethod
    def draw(cls, digits: int, rng: np.random.Generator) -> Permutation:
        """Draw the factors; below 1.8 × 10^9 so that a product fits in 64 bits."""
        factors = tuple(int(n) * 10 + 7 for n in rng.integers(10**7, 10**8, _ROUNDS))
        return cls(digits, factors, tuple(int(n) for n in rng.integers(0, 10**digits, _ROUNDS)))

    def apply(self, running: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Map running numbers to scattered ones."""
        size, half = np.uint64(10**self.digits), np.uint64(10 ** (self.digits // 2))
        mixed = running.astype(np.uint64)
        for factor, offset in zip(self.factors, self.offsets, strict=True):
            mixed = (mixed * np.uint64(factor) + np.uint64(offset)) % size
            mixed = (mixed % half) * half + mixed // half
        return mixed


@dataclass(slots=True)
class Issuer:
    """Hands out identifiers in order; the n-th call for the same seed always gives the same ones."""

    numbers: Permutation
    codes: Permutation
    numbers_issued: int = 0
    codes_issued: int = 0

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Issuer:
        """Draw both permutations from the seed."""
        return cls(Permutation.draw(_NUMBER_BODY_DIGITS, rng), Permutation.draw(_CODE_BODY_DIGITS, rng))

    def issue_numbers(self, count: int) -> pa.Array:
        """Issue `count` new 個人番号 (12 digits, first 11 unique)."""
        running = np.arange(self.numbers_issued, self.numbers_issued + count, dtype=np.uint64)
        self.numbers_issued += count
        body = digit_matrix(self.numbers.apply(running), _NUMBER_BODY_DIGITS)
        prefix = np.tile(np.array([int(digit) for digit in FALSE_PREFIX], dtype=np.uint8), (count, 1))
        digits = np.hstack([prefix, body])
        return digit_text(np.column_stack([digits, individual_number_check_digits(digits)]))

    def issue_codes(self, count: int) -> pa.Array:
        """Issue `count` new 住民票コード (11 digits, unique)."""
        running = np.arange(self.codes_issued, self.codes_issued + count, dtype=np.uint64)
        self.codes_issued += count
        digits = digit_matrix(self.codes.apply(running), _CODE_BODY_DIGITS)
        return digit_text(np.column_stack([digits, resident_code_check_digits(digits)]))


def digit_matrix(values: NDArray[np.uint64], width: int) -> NDArray[np.uint8]:
    """Spread numbers into their decimal digits, (n,) to (n, width), leading zeros kept."""
    digits = np.empty((len(values), width), dtype=np.uint8)
    rest = values.copy()
    for position in range(width - 1, -1, -1):
        digits[:, position] = rest % np.uint64(10)
        rest //= np.uint64(10)
    return digits


def digit_text(digits: NDArray[np.uint8]) -> pa.Array:
    """Write a digit matrix as strings of equal width, without a Python object per row."""
    rows, width = digits.shape
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int32)
    data = np.ascontiguousarray(digits + _ASCII_ZERO)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data))
