"""What the files already hold about the people of one package: the input of the logical checks.

Decides:    the shape in which the store answers `which versions are the newest, which codes were replaced,
            who holds these numbers`.
Leaves:     the asking to `juki.store.identities`, the judging to `juki.identity`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.decisions import EVENTS, Event, FuhyoEvent
from juki.findings import Mask, Rows
from juki.notices import Kind, Reason
from juki.numbers import INDEX_BYTES, Index, combined, number_indexes, record_digests

Numbers = NDArray[np.int64]
Bytes16 = pa.binary(INDEX_BYTES)
_EPOCH = "1970-01-01T00:00:00+00:00"

NEWEST_SCHEMA = pa.schema(
    [
        ("resident_code", pa.string()),
        ("sender_code", pa.string()),
        ("notice_no", pa.int64()),
        ("package_id", pa.int64()),
        ("kind", pa.string()),
        ("reason", pa.string()),
        ("previous_resident_code", pa.string()),
        ("event_date", pa.string()),
        ("entered_at", pa.timestamp("us", "UTC")),
        ("made_at", pa.timestamp("us", "UTC")),
        ("own_last_kind", pa.string()),
        ("received_on", pa.date32()),
        ("is_foreign", pa.bool_()),
        ("record_digest", Bytes16),
        ("number_index", Bytes16),
    ]
)
"""The newest version of each known person; absent texts are empty, an absent number is null.

Of versions of other municipalities than the sender only, else null or empty: `entered_at` is when that municipality
made the entry that began the stay, `made_at` when it made the newest version, `own_last_kind` the kind of the last
version the sender itself ever gave of that person. An instant is never later than the receipt that proves it.
"""

REPLACED_SCHEMA = pa.schema([("resident_code", pa.string()), ("new_code", pa.string())])
"""The replaced codes and the newest code of each person."""

HOLDER_SCHEMA = pa.schema(
    [
        ("number_index", Bytes16),
        ("resident_code", pa.string()),
        ("is_standing", pa.bool_()),
        ("is_newest", pa.bool_()),
    ]
)
"""Who holds or ever held a number: code (the newest one of that person), whether that person stands, and
whether the number is on the person's newest version. One row per number and person."""


@dataclass(frozen=True, slots=True, repr=False)
class Known:
    """The answer of one file about the codes and numbers of one package."""

    newest: pa.Table
    replaced: pa.Table
    holders: pa.Table

    @classmethod
    def nothing(cls) -> Known:
        """A file that knows none of them."""
        return cls(NEWEST_SCHEMA.empty_table(), REPLACED_SCHEMA.empty_table(), HOLDER_SCHEMA.empty_table())


@dataclass(frozen=True, slots=True, repr=False)
class Notices:
    """The notices of one package, ready to be judged.

    Shape: `table` has the notice columns of `file`; `digests` and `number_indexes` one value per notice;
           `notified_at` microseconds since 1970 (UTC); `made_at` the same but never after the receipt, since
           no municipality's clock decides who was first; `admitted` marks those that passed the contract.
    """

    file: IdentityFile
    sender_code: str
    table: pa.Table
    digests: Index
    number_indexes: Index
    previous_number_indexes: Index
    notified_at: Numbers
    made_at: Numbers
    admitted: Mask

    def __len__(self) -> int:
        return int(self.table.num_rows)


def event_numbers(
    file: IdentityFile, kinds: pa.ChunkedArray, reasons: pa.ChunkedArray, code_corrections: Mask
) -> Numbers:
    """Number the event of each notice as `juki.decisions.EVENTS` does; -1 where it is no event of the law.

    `reasons` is not looked at for the fuhyo file, `code_corrections` not for the resident file.
    """
    if file is IdentityFile.RESIDENT:
        return _positions(reasons, [event.value for event in EVENTS[file]])
    numbers = _positions(kinds, [Kind.ENTRY.value, Kind.DELETION.value, Kind.CORRECTION.value])
    numbers[(numbers == EVENTS[file].index(FuhyoEvent.CORRECTION)) & code_corrections] = EVENTS[file].index(
        FuhyoEvent.CODE_CORRECTION
    )
    return numbers


def event_mask(file: IdentityFile, wanted: frozenset[Reason] | frozenset[FuhyoEvent]) -> Mask:
    """Mark the wanted ones among the numbered events of a file."""
    events: tuple[Event, ...] = EVENTS[file]
    return np.array([event in wanted for event in events], dtype=np.bool_)


def _positions(values: pa.ChunkedArray, names: list[str]) -> Numbers:
    found = pc.index_in(values, value_set=pa.array(names)).combine_chunks()
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), dtype=np.int64).copy()


def notices_of(
    file: IdentityFile,
    sender_code: str,
    table: pa.Table,
    admitted: Mask,
    received_at: datetime,
    digest_key: bytes,
) -> Notices:
    """Prepare the records of a package for judging: digests and instants.

    Shape: `table` has the notice columns of the file as text; what was not admitted may hold anything. No number has
           an index yet: `indexed` makes those of what is judged.
    """
    notified_at = _microseconds(combined(table, "notified_at"), admitted)
    none = np.zeros(table.num_rows, dtype=f"V{INDEX_BYTES}")
    return Notices(
        file=file,
        sender_code=sender_code,
        table=table,
        digests=record_digests(table, RECORD_COLUMNS[file], digest_key),
        number_indexes=none,
        previous_number_indexes=none,
        notified_at=notified_at,
        made_at=np.minimum(notified_at, _microsecond(received_at)),
        admitted=admitted,
    )


def indexed(notices: Notices, rows: Rows, key: bytes) -> Notices:
    """Index the numbers of some notices; those of the others are not needed, for they only say again what stands."""
    if notices.file is not IdentityFile.RESIDENT:
        return notices
    taken = notices.table.select(["individual_number", "previous_individual_number"]).take(pa.array(rows))
    new, previous = notices.number_indexes.copy(), notices.previous_number_indexes.copy()
    new[rows] = number_indexes(combined(taken, "individual_number"), key)
    previous[rows] = number_indexes(combined(taken, "previous_individual_number"), key)
    return replace(notices, number_indexes=new, previous_number_indexes=previous)


def _microsecond(instant: datetime) -> int:
    return int(pa.scalar(instant.astimezone(UTC), pa.timestamp("us", "UTC")).value)


def _microseconds(texts: pa.Array, admitted: Mask) -> Numbers:
    """Read instants; many notices share one, so each distinct text is read once."""
    encoded = pc.if_else(pa.array(admitted), texts, _EPOCH).dictionary_encode()
    instants = [datetime.fromisoformat(text).astimezone(UTC) for text in encoded.dictionary.to_pylist()]
    distinct = pa.array(instants, pa.timestamp("us", "UTC")).cast(pa.int64())
    taken = distinct.take(encoded.indices)
    return np.asarray(taken.to_numpy(zero_copy_only=False), dtype=np.int64)
