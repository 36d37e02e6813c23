"""The identity files themselves: asking what is known, writing what a package changed.

Decides:    the statements and their order within one transaction.
Leaves:     what changes to `juki.identity`, the shape of a version to `juki.versions`.
Invariants: set-based throughout. A version is superseded only if it is still the one that was judged; when
            another transaction was first, nothing is written and the package is judged again (StoreError
            STORE_CONFLICT, transient). History only grows here; what is over goes by `juki.store.erasing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import IdentityFile
from juki.decisions import Effect
from juki.errors import StoreError
from juki.findings import Mask, Rows
from juki.identity import Plan
from juki.known import HOLDER_SCHEMA, NEWEST_SCHEMA, REPLACED_SCHEMA, Bytes16, Known, Notices
from juki.numbers import SealingKey, combined
from juki.reasons import Code
from juki.register import NOBODY, as_pairs, is_same, is_some
from juki.retention import expires_on
from juki.store.arrays import columns_by_key
from juki.store.bulk import as_bytea, copy_blocks, copy_in
from juki.store.tables import SUPERSEDED_COLUMNS, version_columns
from juki.unchanged import comparable, part_of
from juki.versions import REPAIRS_OF_A_PACKAGE, Origin, event_dates, versions_of

_STAGE = "CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT {selection} FROM current WITH NO DATA"
_NEWEST = """
    SELECT c.resident_code, c.sender_code, c.notice_no, c.package_id, c.kind, {reason},
           c.previous_resident_code, c.event_date::text,
           (extract(epoch FROM e.entered_at) * 1000000)::bigint,
           (extract(epoch FROM e.made_at) * 1000000)::bigint, e.own_last_kind, c.received_on, {is_foreign},
           c.record_digest, {number_index}
    FROM current c LEFT JOIN LATERAL ({elsewhere}) e ON true
    WHERE c.resident_code = ANY(%(codes)s)
"""
_ELSEWHERE = """
    SELECT m.made_at,
           greatest(CASE WHEN c.kind = 'entry' THEN m.made_at END, (
               SELECT max(least(h.notified_at, p.received_at)) FROM history h LEFT JOIN package p USING (package_id)
               WHERE h.resident_code = c.resident_code AND h.sender_code = c.sender_code AND h.kind = 'entry'
           )) AS entered_at,
           CASE WHEN c.kind = 'deletion' THEN (
               SELECT h.kind FROM history h
               WHERE h.resident_code = c.resident_code AND h.sender_code = '{sender_code}'
               ORDER BY h.notice_no DESC LIMIT 1
           ) END AS own_last_kind
    FROM (SELECT least(c.notified_at, (
              SELECT p.received_at FROM package p WHERE p.package_id = c.package_id)) AS made_at) m
    WHERE c.sender_code <> '{sender_code}'
"""
_NEWEST_FIELDS = {
    IdentityFile.RESIDENT: {
        "reason": "c.reason",
        "is_foreign": "c.is_foreign",
        "number_index": "c.number_index",
    },
    IdentityFile.FUHYO: {"reason": "''", "is_foreign": "false", "number_index": "NULL::bytea"},
}
_REPLACED = "SELECT resident_code, new_code FROM former_code WHERE resident_code = ANY(%(codes)s)"

_HOLDERS = """
    SELECT number_index, resident_code, true, true FROM current
    WHERE number_index = ANY(%(numbers)s) AND kind <> 'deletion'
    UNION ALL
    SELECT number_index, resident_code, false, true FROM current
    WHERE number_index = ANY(%(numbers)s) AND kind = 'deletion'
    UNION ALL
    SELECT DISTINCT h.number_index, coalesce(f.new_code, h.resident_code), false, false
    FROM history h LEFT JOIN former_code f USING (resident_code)
    WHERE h.number_index = ANY(%(numbers)s) AND h.number_index IS NOT NULL AND h.was_newest AND NOT EXISTS (
        SELECT FROM current c
        WHERE c.resident_code = coalesce(f.new_code, h.resident_code) AND c.number_index = h.number_index
    ) AND NOT EXISTS (
        SELECT FROM package p WHERE p.package_id = h.superseded_by_package_id AND p.kind = 'repair'
    )
"""
"""What a repair took from a person, the municipality says never to have given: it binds nobody to a number."""

_STANDING = """
    SELECT resident_code, record_digest, {event}, event_date FROM current
    WHERE resident_code = ANY(%(codes)s) AND sender_code = '{sender_code}' {as_well}
"""
_STANDING_SCHEMA = pa.schema(
    [
        ("resident_code", pa.string()),
        ("record_digest", Bytes16),
        ("event", pa.string()),
        ("event_date", pa.date32()),
    ]
)
_SAME_EVENT = {
    IdentityFile.RESIDENT: {"event": "reason", "as_well": ""},
    IdentityFile.FUHYO: {"event": "kind", "as_well": "AND previous_resident_code IS NULL"},
}
"""What makes the stored event that of a notice without a previous code, as `juki.known.event_numbers` has it."""

_TO_HISTORY = """
    INSERT INTO history ({columns}, {superseded}, expires_on)
    SELECT {qualified}, s.superseded_on, %(sender)s, s.by_notice_no, %(package)s,
           coalesce(c.expires_on, s.expires_on)
    FROM superseding s JOIN current c USING (resident_code, sender_code, notice_no)
"""
_MAKE_ROOM = """
    UPDATE current c SET repair_no = %(place)s + mod(s.by_notice_no, 500000)
    FROM superseding s JOIN history h USING (sender_code, notice_no)
    WHERE c.resident_code = s.resident_code AND c.sender_code = s.sender_code AND c.notice_no = s.notice_no
      AND h.repair_no = c.repair_no
"""
"""An older version brought back by no notice bears the number of one in history: it is given another."""
_GIVE_UP_NUMBERS = """
    UPDATE current c SET number_sealed = NULL, number_index = NULL
    FROM changed n WHERE c.resident_code = n.old_code AND c.number_index IS DISTINCT FROM n.number_index
"""
_UPDATE = """
    UPDATE current c SET ({columns}) = ({new_values})
    FROM changed n
    WHERE c.resident_code = n.old_code AND c.sender_code = n.old_sender_code AND c.notice_no = n.old_notice_no
"""
_FOLLOW = "UPDATE former_code f SET new_code = r.new_code FROM recoded r WHERE f.new_code = r.resident_code"

_SAMPLE_ROWS = 1_000
"""Compared first; a smaller package is judged as a whole, which costs no more."""
_NO_DAY = -(2**31)
_BLOCK_ROWS = 10_000
"""New versions made at a time, while the server writes the ones before."""


@dataclass(frozen=True, slots=True)
class Identities:
    """One identity file, seen through one open transaction."""

    file: IdentityFile
    cursor: psycopg.Cursor

    def known(self, notices: Notices) -> Known:
        """Fetch what the file knows of the people and numbers of one package."""
        codes = {"codes": _codes(notices)}
        # The code of a registered municipality: six digits, never text from a package.
        elsewhere = _ELSEWHERE.format(sender_code=notices.sender_code)
        query = _NEWEST.format(elsewhere=elsewhere, **_NEWEST_FIELDS[self.file])
        newest = columns_by_key(self.cursor, query, codes, NEWEST_SCHEMA)
        replaced = columns_by_key(self.cursor, _REPLACED, codes, REPLACED_SCHEMA)
        holders = HOLDER_SCHEMA.empty_table()
        if self.file is IdentityFile.RESIDENT:
            numbers = {"numbers": _numbers_new_to_their_people(notices, newest)}
            holders = columns_by_key(self.cursor, _HOLDERS, numbers, HOLDER_SCHEMA)
        return Known(newest, replaced, holders)

    def unchanged(self, notices: Notices, sample_rows: int = _SAMPLE_ROWS) -> Rows:
        """Find notices of a large package that only say again what stands; none where few are expected.

        Everybody named once is compared, if half of the first of them turn out to be unchanged.
        """
        rows = comparable(notices)
        if len(rows) < sample_rows:
            return rows[:0]
        sample = self._compared(rows[:sample_rows], notices)
        if 2 * len(sample) < sample_rows:
            return rows[:0]
        return self._compared(rows, notices)

    def _compared(self, rows: Rows, notices: Notices) -> Rows:
        """Compare digest and event of some notices with the newest versions of their people."""
        same, said = _SAME_EVENT[self.file], notices.table.take(pa.array(rows))
        codes = combined(said, "resident_code")
        # The code of a registered municipality: six digits, never text from a package.
        query = _STANDING.format(sender_code=notices.sender_code, **same)
        keys = {"codes": codes.take(pc.sort_indices(codes))}
        standing = columns_by_key(self.cursor, query, keys, _STANDING_SCHEMA)
        place = pc.index_in(codes, value_set=combined(standing, "resident_code"))
        stands = standing.take(place)
        unchanged = is_same(as_pairs(stands.column("record_digest")), as_pairs(notices.digests[rows]))
        unchanged &= _are_equal(stands.column("event"), said.column(same["event"]))
        unchanged &= _are_equal(_days(stands.column("event_date")), _days(event_dates(notices, rows)))
        unchanged &= np.asarray(place.is_valid().to_numpy(zero_copy_only=False))
        return rows[unchanged]

    def apply(self, notices: Notices, known: Known, plan: Plan, origin: Origin, key: SealingKey) -> None:
        """Write what a plan says: superseded versions to history, new versions to current, late ones behind.

        Raises: StoreError(STORE_CONFLICT), transient, when a version judged is no longer the newest.
        """
        self._supersede(known, plan, origin, notices)
        newest = np.flatnonzero(plan.becomes_newest)
        updating = plan.updates[newest] != NOBODY
        self._update(newest[updating], notices, known, plan, origin, key)
        self._insert(newest[~updating], notices, origin, key)
        self._add_history(np.flatnonzero(plan.becomes_history), notices, known, plan, origin, key)
        self._replace_codes(notices, plan, origin)

    def _supersede(self, known: Known, plan: Plan, origin: Origin, notices: Notices) -> None:
        superseded = np.flatnonzero(plan.stored_superseded_by != NOBODY)
        if len(superseded) == 0:
            return
        old = known.newest.take(pa.array(superseded))
        notice_no = _notice_numbers(notices).take(pa.array(plan.stored_superseded_by[superseded]))
        keys = ("resident_code", "sender_code", "notice_no")
        self._stage(
            "superseding",
            f"{', '.join(keys)}, notice_no AS by_notice_no, received_on AS superseded_on, expires_on",
        )
        # Never before the version itself was received, in whatever order two channels were worked.
        superseded_on = pc.max_element_wise(old.column("received_on"), pa.scalar(origin.received_on))
        staged = {name: old.column(name) for name in keys} | {
            "by_notice_no": notice_no,
            "superseded_on": superseded_on,
            "expires_on": _ends_of_keeping(superseded_on),
        }
        copy_in(self.cursor, "superseding", pa.table(staged))
        self.cursor.execute(_MAKE_ROOM, {"place": origin.package_id * REPAIRS_OF_A_PACKAGE + 500_000})
        columns = version_columns(self.file)
        self.cursor.execute(
            _TO_HISTORY.format(
                columns=", ".join(columns),
                superseded=", ".join(SUPERSEDED_COLUMNS),
                qualified=", ".join(f"c.{name}" for name in columns),
            ),
            {"sender": origin.sender_code, "package": origin.package_id},
        )
        _expect(self.cursor, len(superseded))

    def _update(
        self, rows: Rows, notices: Notices, known: Known, plan: Plan, origin: Origin, key: SealingKey
    ) -> None:
        """Put new versions in the place of the ones they supersede; a row is updated, never deleted."""
        if len(rows) == 0:
            return
        columns = (*version_columns(self.file), "expires_on")
        self._stage(
            "changed",
            f"{', '.join(columns)}, resident_code AS old_code, sender_code AS old_sender_code, "
            "notice_no AS old_notice_no",
        )
        old = known.newest.take(pa.array(plan.updates[rows]))
        staged = _with_end_of_keeping(self._columns(rows, notices, origin, key), origin.received_on)
        for name, source in (("old_code", "resident_code"), ("old_sender_code", "sender_code")):
            staged = staged.append_column(name, old.column(source))
        copy_in(self.cursor, "changed", staged.append_column("old_notice_no", old.column("notice_no")))
        if self.file is IdentityFile.RESIDENT:
            self.cursor.execute(_GIVE_UP_NUMBERS)
        self.cursor.execute(
            _UPDATE.format(
                columns=", ".join(columns),
                new_values=", ".join(f"n.{name}" for name in columns),
            )
        )
        _expect(self.cursor, len(rows))

    def _insert(self, rows: Rows, notices: Notices, origin: Origin, key: SealingKey) -> None:
        """Add new people, sorted by code so that the key's index is filled from left to right."""
        if len(rows) == 0:
            return
        # Brought into order at once and cut into blocks, which takes a third of gathering each block by itself.
        by_code = _by_code(rows, notices)
        ordered, places = part_of(notices, by_code), np.arange(len(rows))
        parts = (places[start : start + _BLOCK_ROWS] for start in range(0, len(rows), _BLOCK_ROWS))
        versions = (self._columns(part, ordered, origin, key, by_code[part]) for part in parts)
        copy_blocks(
            self.cursor, "current", (_with_end_of_keeping(block, origin.received_on) for block in versions)
        )

    def _add_history(
        self, rows: Rows, notices: Notices, known: Known, plan: Plan, origin: Origin, key: SealingKey
    ) -> None:
        """Add the versions that are history from the start: superseded in the package, or arrived late."""
        if len(rows) == 0:
            return
        table = self._columns(rows, notices, origin, key)
        end = pa.scalar(expires_on(origin.received_on))
        by_sender, by_notice, by_package = _superseding(rows, notices, known, plan, origin)
        values = (pa.repeat(pa.scalar(origin.received_on), len(rows)), by_sender, by_notice, by_package)
        for name, column in zip(SUPERSEDED_COLUMNS, values, strict=True):
            table = table.append_column(name, column)
        was_newest = pa.array(plan.where(Effect.APPLY)[rows])
        table = table.append_column("was_newest", was_newest)
        copy_in(self.cursor, "history", table.append_column("expires_on", pa.repeat(end, len(rows))))

    def _replace_codes(self, notices: Notices, plan: Plan, origin: Origin) -> None:
        """Remember which codes were replaced, each pointing at the newest code of its person."""
        if len(plan.code_changes) == 0:
            return
        changed = notices.table.take(pa.array(plan.code_changes))
        old = changed.column("previous_resident_code").to_pylist()
        newest = _ends_of_chains(old, changed.column("resident_code").to_pylist())
        replaced = {
            "resident_code": old,
            "new_code": newest,
            "sender_code": [origin.sender_code] * len(old),
            "notice_no": pc.cast(changed.column("notice_no"), pa.int64()),
            "package_id": [origin.package_id] * len(old),
        }
        self.cursor.execute("CREATE TEMPORARY TABLE recoded (LIKE former_code) ON COMMIT DROP")
        copy_in(self.cursor, "recoded", pa.table(replaced))
        self.cursor.execute(_FOLLOW)
        self.cursor.execute("INSERT INTO former_code SELECT * FROM recoded")

    def _stage(self, name: str, selection: str) -> None:
        """Create an empty temporary table of this transaction with columns like those of `current`."""
        self.cursor.execute(_STAGE.format(name=name, selection=selection))

    def _columns(
        self, rows: Rows, notices: Notices, origin: Origin, key: SealingKey, places: Rows | None = None
    ) -> pa.Table:
        """Lay versions out as the tables have them; `places` are theirs in the package, where rows are not."""
        versions = versions_of(notices, rows, origin, key, places)
        table = versions.columns.append_column("record_digest", as_bytea(notices.digests[rows]))
        if self.file is IdentityFile.RESIDENT:
            table = table.append_column("number_sealed", versions.sealed_numbers)
            index = as_bytea(notices.number_indexes[rows], zero_is_null=True)
            table = table.append_column("number_index", index)
        return table.select(version_columns(self.file))


def _codes(notices: Notices) -> pa.Array:
    """List the codes a package speaks of, previous ones included, sorted and without repeats."""
    own, previous = (notices.table.column(name) for name in ("resident_code", "previous_resident_code"))
    every = pa.chunked_array([*own.chunks, *previous.filter(pc.not_equal(previous, "")).chunks], pa.string())
    unique = pc.unique(every)
    return unique.take(pc.sort_indices(unique))


def _days(dates: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Number days; no date is a day of its own, the same for all."""
    return pc.fill_null(pc.cast(dates, pa.int32()), _NO_DAY)


def _are_equal(one: pa.ChunkedArray, other: pa.ChunkedArray | pa.Array) -> Mask:
    equal: Mask = pc.fill_null(pc.equal(one, other), False).to_numpy(zero_copy_only=False)
    return equal


def _by_code(rows: Rows, notices: Notices) -> Rows:
    codes = notices.table.column("resident_code").take(pa.array(rows))
    order: Rows = pc.sort_indices(codes).to_numpy()
    return rows[order]


def _numbers_new_to_their_people(notices: Notices, newest: pa.Table) -> pa.Array:
    """List the indexes of numbers that their person does not stand with all through the package, in key order.

    Who is erased holds nothing: another may stand with that number by now. Who gives a number up and takes it
    back within the package is asked about as well.
    """
    numbers = as_pairs(notices.number_indexes)
    new = is_some(numbers) & notices.admitted
    standing = newest.filter(pc.not_equal(newest.column("kind"), "deletion"))
    if len(standing):
        codes = notices.table.column("resident_code")
        position = pc.index_in(codes, value_set=standing.column("resident_code"))
        held = as_pairs(standing.column("number_index").take(position.combine_chunks()))
        differs = pa.array(~is_same(numbers, held) & notices.admitted)
        is_asked = pc.is_in(codes, value_set=codes.filter(differs).combine_chunks())
        new &= np.asarray(is_asked.to_numpy(zero_copy_only=False))
    # The first half orders them as well as the server needs: it sorts what it is given.
    order = np.argsort(numbers[new][:, 0].byteswap())
    return as_bytea(notices.number_indexes[new][order])


def _ends_of_chains(old: list[str], new: list[str]) -> list[str]:
    """Follow each replaced code to the last one its person has when the package ends; later changes are later."""
    ends: dict[str, str] = {}
    for before, after in zip(reversed(old), reversed(new), strict=True):
        ends[before] = ends.get(after, after)
    return [ends[code] for code in old]


def _notice_numbers(notices: Notices) -> pa.Array:
    return pc.cast(notices.table.column("notice_no"), pa.int64()).combine_chunks()


def _with_end_of_keeping(table: pa.Table, received_on: date) -> pa.Table:
    """A deletion is kept for 150 years from its own notice; anything else that is newest has no end yet."""
    ends = pc.if_else(pc.equal(table.column("kind"), "deletion"), pa.scalar(expires_on(received_on)), None)
    return table.append_column("expires_on", pc.cast(ends, pa.date32()))


def _ends_of_keeping(starts: pa.ChunkedArray) -> pa.Array:
    """Give the end of keeping of clocks that started on these days; many share one."""
    encoded = starts.combine_chunks().dictionary_encode()
    ends = pa.array([expires_on(start) for start in encoded.dictionary.to_pylist()], pa.date32())
    return ends.take(encoded.indices)


def _superseding(
    rows: Rows, notices: Notices, known: Known, plan: Plan, origin: Origin
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Name the notice that stands above each: one of this package, or the stored one a late notice is behind."""
    by_notice, behind = plan.superseded_by[rows], plan.behind_stored[rows]
    here = pa.array(by_notice != NOBODY)
    ours = _notice_numbers(notices).take(pa.array(by_notice, mask=by_notice == NOBODY))
    theirs = known.newest.take(pa.array(behind, mask=behind == NOBODY))
    columns = (
        pc.if_else(here, pa.scalar(origin.sender_code), theirs.column("sender_code")),
        pc.if_else(here, ours, theirs.column("notice_no")),
        pc.if_else(here, pa.scalar(origin.package_id, pa.int64()), theirs.column("package_id")),
    )
    sender, notice, package = (c.combine_chunks() if isinstance(c, pa.ChunkedArray) else c for c in columns)
    return sender, notice, package


def _expect(cursor: psycopg.Cursor, rows: int) -> None:
    if cursor.rowcount != rows:
        raise StoreError(Code.STORE_CONFLICT, "version", is_transient=True)
