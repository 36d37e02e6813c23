"""Who is meant by each line of a request: what is looked for, and what came of it.

Decides:    the keys people are looked for by (the keyed index of 個人番号; the search key of a reading with the birth
            date, and what else the line says), and the one outcome of each line.
Leaves:     the looking to `juki.store.lookup`.
Invariants: equality and nothing else: no near match, no guess. A number whose check digit is wrong is looked for in
            vain, since the index is of its first eleven digits. Where several people fit nothing is given of any.
Source:     docs/formats/request.md, spec/packages.md section 4, ADR-0026.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from juki.codes import INDIVIDUAL_NUMBER_WIDTH, individual_number_check_digits
from juki.kana import search_keys
from juki.numbers import INDEX_BYTES, combined, number_indexes
from juki.people_sought import NUMBER_COLUMN, People, lines_of
from juki.provisions import LineOutcome

CODE_COLUMN = "resident_code"
_DIGIT_0 = np.uint8(ord("0"))


@dataclass(frozen=True, slots=True, repr=False)
class Sought:
    """What is looked for, each line in one of the two.

    Shape: `numbers` has line (int32) and number_index (16 bytes); `four` has line, search_key, birth_date, sex and
           address_prefix, "" where the line does not say.
    """

    lines: int
    numbers: pa.Table
    four: pa.Table


@dataclass(frozen=True, slots=True, repr=False)
class Answers:
    """What came of the lines of one request, the first at row 0.

    Shape: `outcomes` one word of `LineOutcome` a line; `people` one row a line in the columns that were asked of the
           store, all "" where nobody is given.
    """

    outcomes: pa.Array
    people: pa.Table

    def __len__(self) -> int:
        return len(self.outcomes)

    @property
    def codes(self) -> pa.Array:
        """Whose data it is, one a line, "" where nobody is given."""
        return combined(self.people, CODE_COLUMN)

    @property
    def found(self) -> NDArray[np.intp]:
        """The rows in which somebody is given."""
        return np.flatnonzero(pc.not_equal(self.codes, "").to_numpy(zero_copy_only=False))

    def count(self, outcome: LineOutcome) -> int:
        """Count the lines of one outcome."""
        return int(pc.sum(pc.equal(self.outcomes, outcome.value)).as_py() or 0)

    def with_numbers(self, numbers: Sequence[bytes], rows: NDArray[np.intp]) -> Answers:
        """Give the people of some rows their numbers, in the same order; b"" where it is not held."""
        cells = np.full(len(self), b"", dtype=object)
        cells[rows] = numbers
        column = pa.array(cells, pa.binary()).cast(pa.string())
        is_given = np.zeros(len(self), dtype=np.bool_)
        is_given[rows] = True
        is_not_held = pc.and_(pa.array(is_given), pc.equal(column, ""))
        outcomes = pc.if_else(is_not_held, LineOutcome.NUMBER_NOT_HELD.value, self.outcomes)
        return Answers(outcomes, self.people.append_column(NUMBER_COLUMN, column))


def sought(people: People, index_key: bytes) -> Sought:
    """Turn the lines of a request into the keys of the store."""
    by_number, by_four = people.rows_by_number(), people.rows_by_four()
    numbers = combined(people.table, NUMBER_COLUMN).take(by_number)
    is_number = pa.array(_are_numbers(numbers))
    indexes = number_indexes(numbers.filter(is_number), index_key)
    four = people.table.take(by_four)
    return Sought(
        len(people),
        pa.table({"line": lines_of(by_number.filter(is_number)), "number_index": _as_binary(indexes)}),
        pa.table(
            {
                "line": lines_of(by_four),
                "search_key": search_keys(combined(four, "name_kana")),
                **{name: combined(four, name) for name in ("birth_date", "sex", "address_prefix")},
            }
        ),
    )


def answers(lines: int, hits: pa.Table) -> Answers:
    """Settle each line by how many people fit it.

    Shape: `hits` has line (int32, from 1) and the columns of the people, one row a line and person, in any order.
    """
    rows = combined(hits, "line").to_numpy() - 1
    counts = np.bincount(rows, minlength=lines)
    words = np.array([LineOutcome.NOT_FOUND.value, LineOutcome.FOUND.value, LineOutcome.AMBIGUOUS.value])
    places = np.full(lines, -1, dtype=np.int64)
    places[rows] = np.arange(len(rows))
    taken = hits.drop_columns("line").take(pa.array(places, mask=counts != 1))
    people = {name: pc.fill_null(combined(taken, name), "") for name in taken.column_names}
    return Answers(pa.array(words[np.minimum(counts, 2)], pa.string()), pa.table(people))


def _are_numbers(numbers: pa.Array) -> NDArray[np.bool_]:
    """Mark what is a 個人番号 among texts of twelve digits: not all zero, the last digit right."""
    if len(numbers) == 0:
        return np.zeros(0, dtype=np.bool_)
    text = "".join(numbers.to_pylist()).encode("ascii")
    digits = (np.frombuffer(text, np.uint8) - _DIGIT_0).reshape(-1, INDIVIDUAL_NUMBER_WIDTH)
    is_right: NDArray[np.bool_] = individual_number_check_digits(digits[:, :-1]) == digits[:, -1]
    return is_right & digits.any(axis=1)


def _as_binary(indexes: NDArray[np.void]) -> pa.Array:
    return pa.Array.from_buffers(
        pa.binary(INDEX_BYTES), len(indexes), [None, pa.py_buffer(indexes.tobytes())]
    )
