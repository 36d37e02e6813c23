"""The state of every person of a package while its notices are judged one after the other.

Decides:    who is who (a person is known by code; a code correction hands a person over to the new code), and
            in which of the eight states each is, seen from the sender.
Leaves:     what follows from a state to `juki.decisions`, the order of judging to `juki.identity`.
Invariants: people are numbered 0..n-1; every array has one value per person; nothing here knows a value of a
            person beyond codes, digests and indexes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from juki.columns import IdentityFile
from juki.decisions import State
from juki.findings import Mask, Rows
from juki.known import Known, Notices, Numbers, event_numbers
from juki.notices import Kind, Reason
from juki.numbers import INDEX_BYTES

NOBODY = -1
NO_NOTICE = -1
STORED = -2
"""Origin of a version that was in the file before this package."""
NEVER = -(2**62)
"""An instant before all others, in microseconds."""

Pairs = NDArray[np.uint64]
"""16-byte values as pairs of 8 bytes, so that numpy can compare and sort them."""


def as_pairs(column: pa.Array | pa.ChunkedArray | NDArray[np.void]) -> Pairs:
    """See 16-byte values as an (n, 2) array; null becomes zero."""
    if isinstance(column, np.ndarray):
        return np.ascontiguousarray(column).view(np.uint64).reshape(-1, 2)
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if values.null_count:
        values = pc.fill_null(values, bytes(INDEX_BYTES))
    octets = np.frombuffer(values.buffers()[1] or b"", np.uint8)[values.offset * INDEX_BYTES :]
    return octets[: len(values) * INDEX_BYTES].view(np.uint64).reshape(-1, 2)


def is_some(pairs: Pairs) -> Mask:
    """Mark the values that are not zero, which stands for none."""
    marked: Mask = (pairs[:, 0] | pairs[:, 1]) != 0
    return marked


def is_same(some: Pairs, others: Pairs) -> Mask:
    """Mark the places at which two columns of values agree."""
    marked: Mask = (some[:, 0] == others[:, 0]) & (some[:, 1] == others[:, 1])
    return marked


def as_dates(column: pa.Array | pa.ChunkedArray) -> Numbers:
    """See YYYY-MM-DD texts as numbers of 8 digits; an absent date is 0. Many share one, so each is read once."""
    flat = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = flat.dictionary_encode()
    digits = pc.replace_substring(encoded.dictionary, "-", "")
    known = pc.cast(pc.if_else(pc.equal(digits, ""), "0", digits), pa.int64())
    return _numpy(known.take(encoded.indices))


def _instants(column: pa.ChunkedArray) -> Numbers:
    return _numpy(pc.fill_null(pc.cast(column, pa.int64()), NEVER))


def _numpy(column: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    flat = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return np.asarray(flat.to_numpy(zero_copy_only=False)).copy()


@dataclass(slots=True, repr=False)
class People:
    """The persons of one package: for each notice its person, for each person the newest version."""

    subject: Numbers
    """Per notice: the person as known before it (by the previous code in a code correction)."""
    named: Numbers
    """Per notice: the person as named by the code it carries."""
    exists: Mask
    erased: Mask
    here: Mask
    foreign: NDArray[np.int8]
    dead: Mask
    entered_at: Numbers
    """Per person: when another municipality made the entry that began the stay there; `NEVER` if not known."""
    made_at: Numbers
    """Per person: when another municipality made the newest version; `NEVER` if not known."""
    notice_no: Numbers
    """Per person: the number of the notice that made the newest version; numbers of one sender count up."""
    stood_here: Mask
    """Per person: whether the sender's own last word, if another's is newest, left the person standing."""
    replaced_by: Numbers
    """Per person: whom a replaced code names now, or `NOBODY`."""
    event: Numbers
    event_date: Numbers
    digest: Pairs
    number: Pairs
    origin: Numbers
    """Per person: the notice that made the newest version, `STORED`, or `NO_NOTICE`."""
    stored_row: Numbers
    """Per person: the row of `Known.newest` its newest version descends from, or `NOBODY`."""
    codes: pa.Array

    @property
    def replaced(self) -> Mask:
        """Mark the people whose code was replaced."""
        marked: Mask = self.replaced_by != NOBODY
        return marked

    def states(self, notices: Rows, foreign: NDArray[np.int8], made_at: Numbers) -> NDArray[np.int64]:
        """Give the state of the subject of each notice; `foreign` and `made_at` are what the notices say."""
        person = self.subject[notices]
        state = np.full(len(person), State.UNKNOWN, dtype=np.int64)
        exists, here, erased = self.exists[person], self.here[person], self.erased[person]
        state[exists & erased & here] = State.ERASED
        state[exists & erased & ~here] = State.ERASED_ELSEWHERE
        disputes = self.stood_here[person] & ~self.dead[person] & (made_at > self.made_at[person])
        state[exists & erased & ~here & disputes] = State.DISPUTED
        state[exists & ~erased & ~here] = State.ELSEWHERE
        state[exists & ~erased & here] = State.HERE
        state[exists & ~erased & here & (self.foreign[person] != foreign)] = State.HERE_AS_OTHER
        state[self.replaced_by[person] != NOBODY] = State.REPLACED
        return state

    def name_anew(self, notices: Rows) -> None:
        """Let code corrections that come again speak of the person under the new code already given."""
        again = self.replaced_by[self.subject[notices]] == self.named[notices]
        self.subject[notices[again]] = self.named[notices[again]]

    def hand_over(self, old: Numbers, new: Numbers) -> None:
        """Let people be known by their new codes; the old codes are replaced for good."""
        self.stored_row[new] = self.stored_row[old]
        self.origin[new] = self.origin[old]
        self.exists[old] = False
        self.replaced_by[old] = new
        self.stored_row[old] = NOBODY
        self.origin[old] = NO_NOTICE
        self.number[old] = 0


def people_of(notices: Notices, known: Known, code_correction: Mask) -> People:
    """Number the people a package speaks of and lay out what the file knows of them."""
    own = notices.table.column("resident_code")
    previous = notices.table.column("previous_resident_code")
    has_previous = np.asarray(pc.not_equal(previous, "").to_numpy(zero_copy_only=False)) & code_correction
    earlier = pc.if_else(pa.array(has_previous), previous, own)
    everyone = pa.chunked_array(
        [
            *own.chunks,
            *(earlier.chunks if isinstance(earlier, pa.ChunkedArray) else [earlier]),
            *known.newest.column("resident_code").chunks,
            *known.replaced.column("resident_code").chunks,
            *known.replaced.column("new_code").chunks,
            *known.holders.column("resident_code").chunks,
        ],
        type=pa.string(),
    ).combine_chunks()
    encoded = everyone.dictionary_encode()
    numbers = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    n, rows, replaced = len(notices), known.newest.num_rows, known.replaced.num_rows
    people = _nobody_known(len(encoded.dictionary), encoded.dictionary, numbers[n : 2 * n], numbers[:n])
    _lay_out(people, notices, known, numbers[2 * n : 2 * n + rows])
    old, new = np.split(numbers[2 * n + rows : 2 * (n + replaced) + rows], 2)
    people.replaced_by[old] = new
    return people


def _nobody_known(size: int, codes: pa.Array, subject: Numbers, named: Numbers) -> People:
    def flags() -> Mask:
        return np.zeros(size, dtype=np.bool_)

    return People(
        subject=subject, named=named, exists=flags(), erased=flags(), here=flags(),
        foreign=np.zeros(size, dtype=np.int8), dead=flags(), stood_here=flags(),
        notice_no=np.zeros(size, dtype=np.int64),
        replaced_by=np.full(size, NOBODY, dtype=np.int64),
        entered_at=np.full(size, NEVER, dtype=np.int64), made_at=np.full(size, NEVER, dtype=np.int64),
        event=np.full(size, -1, dtype=np.int64),
        event_date=np.zeros(size, dtype=np.int64), digest=np.zeros((size, 2), dtype=np.uint64),
        number=np.zeros((size, 2), dtype=np.uint64), origin=np.full(size, NO_NOTICE, dtype=np.int64),
        stored_row=np.full(size, NOBODY, dtype=np.int64), codes=codes,
    )  # fmt: skip


def _lay_out(people: People, notices: Notices, known: Known, person: Numbers) -> None:
    newest = known.newest
    if newest.num_rows == 0:
        return

    def column(name: str) -> NDArray[np.int64]:
        return _numpy(newest.column(name))

    def equals(name: str, value: str) -> Mask:
        return np.asarray(pc.equal(newest.column(name), value).to_numpy(zero_copy_only=False), dtype=np.bool_)

    people.exists[person] = True
    people.erased[person] = equals("kind", Kind.DELETION)
    people.entered_at[person] = _instants(newest.column("entered_at"))
    people.made_at[person] = _instants(newest.column("made_at"))
    people.stood_here[person] = ~equals("own_last_kind", "") & ~equals("own_last_kind", Kind.DELETION)
    people.notice_no[person] = column("notice_no")
    people.dead[person] = equals("reason", Reason.DEATH)
    people.here[person] = equals("sender_code", notices.sender_code)
    people.foreign[person] = column("is_foreign").astype(np.int8)
    people.event[person] = event_numbers(
        notices.file, newest.column("kind"), newest.column("reason"), ~equals("previous_resident_code", "")
    )
    people.event_date[person] = as_dates(newest.column("event_date"))
    people.digest[person] = as_pairs(newest.column("record_digest"))
    people.number[person] = as_pairs(newest.column("number_index"))
    people.origin[person] = STORED
    people.stored_row[person] = np.arange(newest.num_rows)


def foreign_flags(notices: Notices) -> NDArray[np.int8]:
    """Tell of each notice whether it is the record of a foreign resident; the fuhyo file has none."""
    if notices.file is IdentityFile.FUHYO:
        return np.zeros(len(notices), dtype=np.int8)
    marked = pc.equal(notices.table.column("is_foreign"), "1")
    return np.asarray(marked.to_numpy(zero_copy_only=False)).astype(np.int8)
