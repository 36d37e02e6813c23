"""The numbers of updates, put in where they belong: the number of the record, and the one before a correction.

Decides:    that a previous number is told with a correction of the number only, as a notice has it
            (施行令30条の5四号), and which it is: that of the version this one superseded, for J-LIS holds the same.
Leaves:     opening to `juki.number_opening`, reading the ciphertexts to `juki.store.jlis_updates`.
Invariants: what does not open is left blank and counted, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from juki.number_opening import NumberOpener
from juki.numbers import combined


@dataclass(frozen=True, slots=True)
class SealedNumbers:
    """The ciphertexts of some updates.

    Shape: hexadecimal text, empty where there is none; `previous_codes` are the codes the previous ones are bound to.
    """

    own: pa.Array = field(repr=False)
    previous: pa.Array = field(repr=False)
    previous_codes: pa.Array = field(repr=False)


@dataclass(frozen=True, slots=True)
class WithNumbers:
    """Updates with their numbers, how many were opened, and how many did not open."""

    updates: pa.Table = field(repr=False)
    opened: int
    unopened: int


def with_numbers(updates: pa.Table, sealed: SealedNumbers, opener: NumberOpener) -> WithNumbers:
    """Put the numbers into updates whose columns for them are empty."""
    own, own_failed = _opened(combined(updates, "resident_code"), sealed.own, opener)
    previous, previous_failed = _opened(sealed.previous_codes, sealed.previous, opener)
    # A correction that says again what stood has no number before it.
    previous = pc.if_else(pc.equal(previous, own), "", previous)
    for name, column in (("individual_number", own), ("previous_individual_number", previous)):
        updates = updates.set_column(updates.column_names.index(name), name, column)
    opened = sum(pc.not_equal(column, "").true_count for column in (own, previous))
    return WithNumbers(updates, opened, own_failed + previous_failed)


def _opened(codes: pa.Array, sealed: pa.Array, opener: NumberOpener) -> tuple[pa.Array, int]:
    people = pc.cast(codes, pa.binary()).to_pylist()
    opened = opener.opened(people, list(map(_octets, sealed.to_pylist())))
    return pa.array([one or b"" for one in opened], pa.binary()).cast(pa.string()), opened.count(None)


def _octets(text: str) -> bytes:
    return bytes.fromhex(text)
