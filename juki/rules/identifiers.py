"""Rules on 個人番号, 住民票コード and 全国地方公共団体コード: form, zeros, check digit, corrections.

Leaves:     uniqueness and agreement with what we hold to `juki.decisions`.
Invariants: ASCII digits only. A check digit is judged only where the form is right, so that one fault is
            reported once. Blank is never malformed: whether a value must be present is a rule of its own.
Source:     domain.md section 4; 省令85号5条; 番号法2条5項.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from juki import codes
from juki.notices import CODE_CORRECTIONS, NUMBER_CORRECTIONS, Kind
from juki.rules.events import is_other_kind, is_other_reason, is_reason
from juki.rules.view import CheckDigitPolicy, Mask, Records, spread


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier with a check digit: its width and how the last digit follows from the others."""

    width: int
    check_digits: Callable[[codes.Digits], codes.Digits]


NUMBER = Identifier(codes.INDIVIDUAL_NUMBER_WIDTH, codes.individual_number_check_digits)
CODE = Identifier(codes.RESIDENT_CODE_WIDTH, codes.resident_code_check_digits)
MUNICIPALITY = Identifier(codes.MUNICIPALITY_CODE_WIDTH, codes.municipality_code_check_digits)


class _Judged(NamedTuple):
    """What is known of a column of identifiers; every mask is over all records."""

    is_malformed: Mask
    is_zero: Mask
    has_wrong_digit: Mask


def is_missing(records: Records, column: str) -> Mask:
    """Mark the records in which an item that may never be blank is blank."""
    return records.is_blank(column)


def is_malformed(records: Records, column: str, identifier: Identifier) -> Mask:
    """Mark values that are present and not exactly the right number of ASCII digits."""
    return _judge(records, column, identifier).is_malformed


def is_zero(records: Records, column: str, identifier: Identifier) -> Mask:
    """Mark values of zeros only, which the arithmetic of the check digit lets pass."""
    return _judge(records, column, identifier).is_zero


def has_wrong_digit(records: Records, column: str, identifier: Identifier) -> Mask:
    """Mark well-formed values whose last digit is not the check digit of the others."""
    return _judge(records, column, identifier).has_wrong_digit


def has_suspect_code(records: Records, column: str) -> Mask:
    """Mark a wrong check digit of 住民票コード where the configuration wants an alert."""
    return _code_digit(records, column, CheckDigitPolicy.ALERT)


def has_refused_code(records: Records, column: str) -> Mask:
    """Mark a wrong check digit of 住民票コード where the configuration wants the record blocked."""
    return _code_digit(records, column, CheckDigitPolicy.ERROR)


def lacks_new_number(records: Records) -> Mask:
    """Mark corrections of the number that do not say the new number (施行令30条の5四号)."""
    return is_reason(records, NUMBER_CORRECTIONS) & records.is_blank("individual_number")


def has_unexpected_previous_number(records: Records) -> Mask:
    """Mark a previous number on anything but a correction of the number (施行令30条の5四号)."""
    return ~records.is_blank("previous_individual_number") & is_other_reason(records, NUMBER_CORRECTIONS)


def has_unexpected_previous_code(records: Records) -> Mask:
    """Mark a previous code on anything but a correction of the code; the fuhyo file only knows the kind."""
    if records.has("reason"):
        is_other = is_other_reason(records, CODE_CORRECTIONS)
    else:
        is_other = is_other_kind(records, Kind.CORRECTION)
    return ~records.is_blank("previous_resident_code") & is_other


def repeats_the_new(records: Records, previous: str, current: str) -> Mask:
    """Mark corrections whose previous value is the new one: nothing would be corrected."""
    equal: Mask = pc.equal(records.text(previous).array, records.text(current).array).to_numpy(
        zero_copy_only=False
    )
    return equal & ~records.is_blank(previous)


def _code_digit(records: Records, column: str, policy: CheckDigitPolicy) -> Mask:
    if records.context.resident_code_check is not policy:
        return records.nowhere()
    return has_wrong_digit(records, column, CODE)


def _judge(records: Records, column: str, identifier: Identifier) -> _Judged:
    # By width as well: what is known of a column as one identifier is not what is known of it as another.
    return records.keep(
        ("identifier", column, identifier.width), lambda: _judged(records, column, identifier)
    )


def _judged(records: Records, column: str, identifier: Identifier) -> _Judged:
    """Look at a column of identifiers once for all its rules."""
    is_width, values = records.text(column).of_width(identifier.width)
    digits = values - np.uint8(ord("0"))
    is_digits = digits.max(axis=1, initial=0) <= 9
    is_zero = is_digits & (digits.max(axis=1, initial=0) == 0)
    expected = identifier.check_digits(digits[:, :-1])
    is_wrong = is_digits & ~is_zero & (expected != digits[:, -1])
    is_malformed = ~records.is_blank(column) & ~spread(is_width, is_digits)
    return _Judged(is_malformed, spread(is_width, is_zero), spread(is_width, is_wrong))
