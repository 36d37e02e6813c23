"""Who holds which 個人番号 while a package is judged, known by keyed index only.

Decides:    whether a number that a notice brings is free, held by a standing person, held by an erased one, or
            was given up by another person.
Leaves:     asking the file to `juki.store.identities`, what a conflict does to `juki.identity`.
Invariants: one number has at most one standing holder (番号法7条); the first 11 digits are never used for a
            second person (番号法施行令6条). A number counts as held when it was on a version that stood as the
            newest: what a late notice says of a number gives nobody anything.
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
from juki.register import NOBODY, Pairs, People, as_pairs, is_some


class Bonds:
    """Which people are bound to which numbers: several people may have had one, and several numbers be one's."""

    def __init__(self, numbers: int, people: int) -> None:
        self._people = people
        self._count = np.zeros(numbers, dtype=np.int64)
        self._keys: Numbers = np.array([], dtype=np.int64)

    def add(self, number: Numbers, person: Numbers) -> None:
        """Bind people to numbers; a bond there is already stays one."""
        if len(number) == 0:
            return
        fresh = np.setdiff1d(self._key(number, person), self._keys)
        self._keys = np.union1d(self._keys, fresh)
        np.add.at(self._count, fresh // self._people, 1)

    def remove(self, number: Numbers, person: Numbers) -> None:
        """Loosen bonds; one that is not there is no error."""
        if len(self._keys) == 0:
            return
        gone = np.intersect1d(self._key(number, person), self._keys)
        self._keys = np.setdiff1d(self._keys, gone)
        np.subtract.at(self._count, gone // self._people, 1)

    def hand_over(self, old: Numbers, new: Numbers) -> None:
        """Let new codes of people, bound to nothing yet, take over what is bound to their old ones."""
        if len(old) == 0:
            return
        number, person = np.divmod(self._keys, self._people)
        order = np.argsort(old)
        place = np.minimum(np.searchsorted(old, person, sorter=order), len(old) - 1)
        person = np.where(old[order][place] == person, new[order][place], person)
        self._keys = np.unique(self._key(number, person))

    def is_bound(self, number: Numbers, person: Numbers) -> Mask:
        """Mark the pairs that are bound."""
        if len(self._keys) == 0:
            return np.zeros(len(number), dtype=np.bool_)
        marked: Mask = np.isin(self._key(number, person), self._keys)
        return marked

    def is_anothers(self, number: Numbers, person: Numbers) -> Mask:
        """Mark the pairs whose number is bound to anybody else."""
        marked: Mask = self._count[number] > self.is_bound(number, person)
        return marked

    def _key(self, number: Numbers, person: Numbers) -> Numbers:
        return number * self._people + person


@dataclass(slots=True)
class NumberHolders:
    """The numbers of a package and their holders.

    Shape: `number` and `number_id` one value per notice; `held_id` per person the number on the newest version,
           standing or erased, or `NOBODY`; `standing` per number the one who stands with it, or `NOBODY`;
           `erased` and `former` bind numbers to people whose newest version, or an earlier one, bears them.
    """

    number: Pairs
    number_id: Numbers
    held_id: Numbers
    standing: Numbers
    erased: Bonds
    former: Bonds

    @classmethod
    def of(cls, notices: Notices, known: Known, people: People) -> NumberHolders:
        """Lay out what the file says about the numbers of a package."""
        number = as_pairs(notices.number_indexes)
        holders = known.holders
        ids = _numbered(np.concatenate([number, as_pairs(holders.column("number_index")), people.number]))
        n, rows, size = len(notices), holders.num_rows, int(ids.max(initial=-1)) + 1
        held_id = np.where(is_some(people.number), ids[n + rows :], NOBODY)
        made = cls(
            number=number,
            number_id=ids[:n],
            held_id=held_id,
            standing=np.full(size, NOBODY, dtype=np.int64),
            erased=Bonds(size, len(people.exists)),
            former=Bonds(size, len(people.exists)),
        )
        made._lay_out(holders, ids[n : n + rows], _persons(holders.column("resident_code"), people))
        # Numbers that their people stand with already are not asked about: the people themselves say so.
        person = np.flatnonzero(held_id != NOBODY)
        made._hold(held_id[person], person, ~people.erased[person])
        return made

    def _lay_out(self, holders: pa.Table, ids: Numbers, person: Numbers) -> None:
        newest = np.asarray(holders.column("is_newest").to_numpy(), dtype=np.bool_)
        stands = np.asarray(holders.column("is_standing").to_numpy(), dtype=np.bool_)
        self.former.add(ids[~newest], person[~newest])
        self._hold(ids[newest], person[newest], stands[newest])

    def _hold(self, number: Numbers, person: Numbers, stands: Mask) -> None:
        self.standing[number[stands]] = person[stands]
        self.erased.add(number[~stands], person[~stands])

    def conflicts(self, rows: Rows, person: Numbers) -> Iterator[tuple[Code, Mask]]:
        """Find the notices whose number is another person's: in use, given up, or an erased one's.

        One notice may be found thrice; the first that refuses it decides. Nobody is bound to the absent number.
        No two of the notices bring the same number: people who share one are judged in different rounds.
        """
        number = self.number_id[rows]
        stands = self.standing[number]
        keeps = (stands == person) | self.erased.is_bound(number, person)
        yield Code.LOGIC_NUMBER_IN_USE, (stands != NOBODY) & (stands != person)
        yield Code.LOGIC_NUMBER_RETIRED, ~keeps & self.former.is_anothers(number, person)
        yield Code.LOGIC_NUMBER_SEEN_BEFORE, self.erased.is_anothers(number, person)

    def shared(self, rows: Rows, people: People) -> Iterator[tuple[int, int]]:
        """Pair the people of these notices who bring or hold one and the same number."""
        brings = rows[is_some(self.number[rows])]
        holds = np.flatnonzero(self.held_id != NOBODY)
        number = np.concatenate([self.number_id[brings], self.held_id[holds]])
        person = np.concatenate([people.subject[brings], holds])
        order = np.lexsort((person, number))
        number, person = number[order], person[order]
        meets = np.flatnonzero((number[1:] == number[:-1]) & (person[1:] != person[:-1]))
        yield from zip(person[meets].tolist(), person[meets + 1].tolist(), strict=True)

    def claim(self, rows: Rows, person: Numbers, stands: Mask) -> None:
        """Let applied notices take their numbers, and give up the ones their people had before."""
        number, had = self.number_id[rows], self.held_id[person]
        has_number = is_some(self.number[rows])
        self._let_go(had[had != NOBODY], person[had != NOBODY])
        gives_up = (had != NOBODY) & ~(has_number & (had == number))
        self.former.add(had[gives_up], person[gives_up])
        self.former.remove(number[has_number], person[has_number])
        self._hold(number[has_number], person[has_number], stands[has_number])
        self.held_id[person] = np.where(has_number, number, NOBODY)

    def _let_go(self, number: Numbers, person: Numbers) -> None:
        own = self.standing[number] == person
        self.standing[number[own]] = NOBODY
        self.erased.remove(number, person)

    def hand_over(self, old: Numbers, new: Numbers) -> None:
        """Let people keep their numbers, present and former, under their new codes."""
        held = self.held_id[old]
        self.held_id[new], self.held_id[old] = held, NOBODY
        stands = held != NOBODY
        stands[stands] = self.standing[held[stands]] == old[stands]
        self.standing[held[stands]] = new[stands]
        self.erased.hand_over(old, new)
        self.former.hand_over(old, new)


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
