"""Who holds which 個人番号 while a package is judged, known by keyed index only.

Decides:    whether a number that a notice brings is free, held by a standing person, held by an erased one, or
            was given up by another person.
Leaves:     asking the file to `juki.store.identities`, what a conflict does to `juki.identity`.
Invariants: one number has at most one standing holder (番号法7条); the first 11 digits are never used for a
            second person (番号法施行令6条).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from juki.findings import Mask, Rows
from juki.known import Known, Notices, Numbers
from juki.numbers import INDEX_BYTES
from juki.reasons import Code
from juki.register import NOBODY, Pairs, People, as_pairs


@dataclass(slots=True)
class NumberHolders:
    """The numbers of a package and their holders.

    Shape: `number` and `number_id` one value per notice; `standing`, `erased` and `former` one person per
           number, or `NOBODY`.
    """

    number: Pairs
    number_id: Numbers
    held_id: Numbers
    """Per person: the number the person stands with, or `NOBODY`."""
    standing: Numbers
    erased: Numbers
    former: Numbers

    @classmethod
    def of(cls, notices: Notices, known: Known, people: People) -> NumberHolders:
        """Lay out what the file says about the numbers of a package."""
        number = as_pairs(notices.number_indexes)
        holders = known.holders
        ids = _numbered(np.concatenate([number, as_pairs(holders.column("number_index")), people.number]))
        n, rows = len(notices), holders.num_rows
        size = int(ids.max(initial=-1)) + 1
        made = cls(
            number=number,
            number_id=ids[:n],
            held_id=np.where(people.number.any(axis=1) & ~people.erased, ids[n + rows :], NOBODY),
            standing=np.full(size, NOBODY, dtype=np.int64),
            erased=np.full(size, NOBODY, dtype=np.int64),
            former=np.full(size, NOBODY, dtype=np.int64),
        )
        made._lay_out(holders, ids[n : n + rows], _persons(holders.column("resident_code"), people))
        return made

    def _lay_out(self, holders: pa.Table, ids: Numbers, person: Numbers) -> None:
        newest = np.asarray(holders.column("is_newest").to_numpy(), dtype=np.bool_)
        stands = np.asarray(holders.column("is_standing").to_numpy(), dtype=np.bool_)
        self.former[ids[~newest]] = person[~newest]
        self.erased[ids[newest & ~stands]] = person[newest & ~stands]
        self.standing[ids[newest & stands]] = person[newest & stands]

    def conflicts(self, rows: Rows, person: Numbers, asked: Mask) -> Iterator[tuple[Code, Mask]]:
        """Find the notices whose number is another person's: in use, given up, or an erased one's.

        No two of the notices bring the same number: people who share one are judged in different rounds.
        """
        number = self.number_id[rows]

        def of_another(holder: Numbers) -> Mask:
            mask: Mask = asked & (holder != NOBODY) & (holder != person)
            return mask

        in_use = of_another(self.standing[number])
        erased = of_another(self.erased[number]) & ~in_use
        former = of_another(self.former[number]) & ~in_use & ~erased & (self.standing[number] != person)
        yield Code.LOGIC_NUMBER_IN_USE, in_use
        yield Code.LOGIC_NUMBER_RETIRED, former & (self.erased[number] != person)
        yield Code.LOGIC_NUMBER_SEEN_BEFORE, erased

    def shared(self, rows: Rows, people: People) -> Iterator[tuple[int, int]]:
        """Pair the people of these notices who bring or hold one and the same number."""
        brings = rows[self.number[rows].any(axis=1)]
        holds = np.flatnonzero(self.held_id != NOBODY)
        number = np.concatenate([self.number_id[brings], self.held_id[holds]])
        person = np.concatenate([people.subject[brings], holds])
        order = np.lexsort((person, number))
        number, person = number[order], person[order]
        meets = np.flatnonzero((number[1:] == number[:-1]) & (person[1:] != person[:-1]))
        yield from zip(person[meets].tolist(), person[meets + 1].tolist(), strict=True)

    def claim(self, rows: Rows, person: Numbers, stands: Mask) -> None:
        """Let applied notices take their numbers, and give up the ones their people held before."""
        number, held = self.number_id[rows], self.held_id[person]
        gives_up = (held != NOBODY) & ((held != number) | ~stands)
        self.former[held[gives_up]] = person[gives_up]
        self.standing[held[gives_up]] = NOBODY
        has_number = self.number[rows].any(axis=1)
        self.erased[number[has_number & ~stands]] = person[has_number & ~stands]
        takes = has_number & stands
        self.standing[number[takes]] = person[takes]
        self.held_id[person] = np.where(takes, number, NOBODY)

    def hand_over(self, old: Numbers, new: Numbers) -> None:
        """Let people keep their numbers under their new codes."""
        held = self.held_id[old]
        self.held_id[new] = held
        self.held_id[old] = NOBODY
        self.standing[held[held != NOBODY]] = new[held != NOBODY]


def _numbered(values: Pairs) -> Numbers:
    """Number 16-byte values by first occurrence; equal values share a number."""
    column = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(INDEX_BYTES), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))]
    )
    return np.asarray(column.dictionary_encode().indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def _persons(codes: pa.ChunkedArray, people: People) -> Numbers:
    found = pc.index_in(codes, value_set=people.codes)
    flat = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return np.asarray(flat.to_numpy(zero_copy_only=False), dtype=np.int64)
