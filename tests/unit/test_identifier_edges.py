"""Identifiers at the edges of their forms: what is shown of them, and which texts are none."""

from __future__ import annotations

import pytest

from config.places import known_municipality_codes
from juki.codes import is_individual_number, is_municipality_code, is_resident_code, masked


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("1", "*"), ("123456", "******"), ("1234567", "****567"), ("12345678", "*****678"),
        ("24727059608", "********608"),
    ],
)  # fmt: skip
def test_three_digits_are_shown_of_what_is_longer_than_six(code: str, shown: str) -> None:
    """More would tell who it is; of a short one three would be half."""
    assert masked(code) == shown


def test_nothing_but_noughts_is_no_identifier_of_any_width() -> None:
    """The arithmetic of the check digit lets each of them pass, or nearly."""
    assert not is_individual_number("0" * 12)
    assert not is_resident_code("0" * 11)
    assert not is_municipality_code("000000")


def test_an_identifier_of_another_sort_is_not_one_of_this_sort() -> None:
    """Each has its own width; a right check digit of another sort helps nothing."""
    for text in ("123456789018", "24727059608", "352039"):
        assert [is_individual_number(text), is_resident_code(text), is_municipality_code(text)] == [
            len(text) == 12, len(text) == 11, len(text) == 6,
        ]  # fmt: skip


def test_every_published_municipality_code_ends_right_and_no_other_digit_does() -> None:
    """The whole list of the country: every weight counts in every place."""
    for code in known_municipality_codes():
        assert [digit for digit in "0123456789" if is_municipality_code(code[:-1] + digit)] == [code[-1]], (
            code
        )
