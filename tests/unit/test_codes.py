"""Check digits: the published examples, the oracle, and what must be refused although others accept it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.jp import in_ as oracle

from juki.codes import (
    individual_number_check_digits,
    is_individual_number,
    is_municipality_code,
    is_resident_code,
    masked,
    municipality_code_check_digits,
    resident_code_check_digits,
)

_VALID_NUMBERS = [
    "123456789018",
    "023456789013",
    "621498320257",
    "983205673214",
    "379474484458",
    "454972364860",
    "507957100721",
]
_INVALID_NUMBERS = ["621498320258", "983205673210", "507957100722"]


@pytest.mark.parametrize("number", _VALID_NUMBERS)
def test_published_numbers_are_valid(number: str) -> None:
    """The examples of domain.md section 4."""
    assert is_individual_number(number)


@pytest.mark.parametrize(
    "number",
    [
        *_INVALID_NUMBERS, "", "12345678901", "1234567890180", "12345678901x", "１23456789018",
        "１２３４５６７８９０１８",
        "000000000000", " 23456789018", "12345678901\n", "٠23456789013", "²23456789018",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused(number: str) -> None:
    """Wrong digits, other widths, other digits than ASCII and twelve zeros."""
    assert not is_individual_number(number)


@pytest.mark.parametrize("code", ["24727059608", "24846016224", "25208017643"])
def test_published_resident_codes_are_valid(code: str) -> None:
    """The samples that support the scheme; another last digit is wrong."""
    assert is_resident_code(code)
    assert not is_resident_code(code[:-1] + str((int(code[-1]) + 1) % 10))


def test_eleven_zeros_are_no_resident_code() -> None:
    """The arithmetic lets them pass; we do not."""
    assert not is_resident_code("0" * 11)


@pytest.mark.parametrize("code", ["352039", "352021", "352080", "350001", "011002", "131016"])
def test_published_municipality_codes_are_valid(code: str) -> None:
    """Codes of Yamaguchi and others; a neighbouring digit is wrong."""
    assert is_municipality_code(code)
    assert not is_municipality_code(code[:-1] + str((int(code[-1]) + 1) % 10))


def test_municipality_digits_differ_from_numbers_at_remainder_nought() -> None:
    """Remainder 0 gives 1 and remainder 1 gives 0 (6 × 0 … + 2 × 0 = 0; 2 × 6 = 12)."""
    bodies = np.array([[0, 0, 0, 0, 0], [0, 0, 0, 0, 6]], dtype=np.uint8)
    assert municipality_code_check_digits(bodies).tolist() == [1, 0]


@given(st.lists(st.text("0123456789", min_size=11, max_size=11), min_size=1, max_size=20))
def test_number_digits_agree_with_the_oracle(bodies: list[str]) -> None:
    """python-stdnum computes the same digit for any eleven digits."""
    matrix = np.array([[int(digit) for digit in body] for body in bodies], dtype=np.uint8)
    assert individual_number_check_digits(matrix).tolist() == [
        int(oracle.calc_check_digit(body)) for body in bodies
    ]


def test_resident_digits_are_the_number_scheme_on_ten_digits() -> None:
    """A leading zero weighs nothing, so both schemes agree on it."""
    bodies = np.random.default_rng(7).integers(0, 10, (500, 10), dtype=np.uint8)
    longer = np.column_stack([np.zeros(500, dtype=np.uint8), bodies])
    assert np.array_equal(resident_code_check_digits(bodies), individual_number_check_digits(longer))


def test_matrix_of_another_width_is_a_programming_error() -> None:
    """Weights and digits must pair up."""
    with pytest.raises(ValueError, match="width"):
        individual_number_check_digits(np.zeros((1, 10), dtype=np.uint8))


def test_masked_shows_the_last_three_digits_only() -> None:
    """Enough to tell two apart, too few to know one; short text is hidden whole."""
    assert masked("123456789018") == "*********018"
    assert masked("352039") == "******"
    assert masked("") == ""
