"""Identifiers with a check digit: 個人番号, 住民票コード and 全国地方公共団体コード.

Decides:    which digits a well-formed identifier ends with, and how one is shown to a person.
Leaves:     what a wrong digit means for a record (error or alert) to `juki.rules`.
Invariants: one vectorised implementation on digit matrices; the scalar functions call it. ASCII digits only:
            full-width digits are refused, never converted. Twelve or eleven zeros are no identifier although
            the arithmetic lets them pass. Identifiers are text everywhere, never a number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Digits = NDArray[np.uint8]
"""Digit values 0–9, one identifier per row, the leftmost digit first."""

INDIVIDUAL_NUMBER_WIDTH = 12
RESIDENT_CODE_WIDTH = 11
MUNICIPALITY_CODE_WIDTH = 6

_SHOWN_DIGITS = 3
_DIGIT_0 = ord("0")
_CheckDigits = Callable[[Digits], Digits]

# 省令85号5条: Qn = n+1 for n = 1..6 and n−5 for n = 7..11, n counted from the right of the body.
_INDIVIDUAL_NUMBER_WEIGHTS = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_RESIDENT_CODE_WEIGHTS = _INDIVIDUAL_NUMBER_WEIGHTS[1:]
_MUNICIPALITY_CODE_WEIGHTS = (6, 5, 4, 3, 2)


def individual_number_check_digits(digits: Digits) -> Digits:
    """Compute the 12th digit of 個人番号 from its first eleven.

    Shape:  (n, 11) in, (n,) out.
    Source: 省令85号5条 (domain.md section 4). Remainders 0 and 1 share the digit 0, so about 1.9 % of
            single-digit errors pass.
    """
    return _modulo_11(digits, _INDIVIDUAL_NUMBER_WEIGHTS)


def resident_code_check_digits(digits: Digits) -> Digits:
    """Compute the 11th digit of 住民票コード from its first ten.

    Shape:  (n, 10) in, (n,) out.
    Source: the scheme of 個人番号 on ten digits, supported by published samples; the notice that fixes it is
            not public, hence a wrong digit is an alert unless configured otherwise.
    """
    return _modulo_11(digits, _RESIDENT_CODE_WEIGHTS)


def municipality_code_check_digits(digits: Digits) -> Digits:
    """Compute the 6th digit of 全国地方公共団体コード from its first five.

    Shape:  (n, 5) in, (n,) out.
    Source: domain.md section 4: the last digit of 11 − remainder, so remainder 0 gives 1 and remainder 1
            gives 0. Differs from 個人番号 at remainder 0.
    """
    rest = _weighted_sums(digits, _MUNICIPALITY_CODE_WEIGHTS) % 11
    return ((11 - rest) % 10).astype(np.uint8)


def is_individual_number(text: str) -> bool:
    """Tell whether this is a 個人番号: 12 ASCII digits, not all zero, the last one right."""
    digits = _digits(text, INDIVIDUAL_NUMBER_WIDTH)
    return digits is not None and _ends_right(digits, individual_number_check_digits)


def is_resident_code(text: str) -> bool:
    """Tell whether this is a 住民票コード: 11 ASCII digits, not all zero, the last one right."""
    digits = _digits(text, RESIDENT_CODE_WIDTH)
    return digits is not None and _ends_right(digits, resident_code_check_digits)


def is_municipality_code(text: str) -> bool:
    """Tell whether this has the form of a 全国地方公共団体コード; that it exists is not checked."""
    digits = _digits(text, MUNICIPALITY_CODE_WIDTH)
    return digits is not None and _ends_right(digits, municipality_code_check_digits)


def masked(code: str) -> str:
    """Show an identifier by its last three digits only, for people who must tell two apart on a screen."""
    if len(code) <= 2 * _SHOWN_DIGITS:
        return "*" * len(code)
    return "*" * (len(code) - _SHOWN_DIGITS) + code[-_SHOWN_DIGITS:]


def _modulo_11(digits: Digits, weights: tuple[int, ...]) -> Digits:
    rest = _weighted_sums(digits, weights) % 11
    return np.where(rest <= 1, 0, 11 - rest).astype(np.uint8)


def _weighted_sums(digits: Digits, weights: tuple[int, ...]) -> NDArray[np.uint16]:
    """Add up digit × weight per row; column by column, because 9 × 45 does not fit in eight bits."""
    if digits.ndim != 2 or digits.shape[1] != len(weights):
        raise ValueError("digit matrix has the wrong width")
    sums = np.zeros(len(digits), dtype=np.uint16)
    for position, weight in enumerate(weights):
        sums += digits[:, position].astype(np.uint16) * np.uint16(weight)
    return sums


def _digits(text: str, width: int) -> Digits | None:
    """Read ASCII digits as a matrix of one row; None when it is anything else or all zero."""
    if len(text) != width or not text.isascii() or not text.isdigit() or not text.strip("0"):
        return None
    return (np.frombuffer(text.encode("ascii"), dtype=np.uint8) - np.uint8(_DIGIT_0)).reshape(1, width)


def _ends_right(digits: Digits, check_digits: _CheckDigits) -> bool:
    return bool(check_digits(digits[:, :-1])[0] == digits[0, -1])
