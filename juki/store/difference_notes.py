"""What one comparison found, laid beside what earlier ones had found: new, seen again, gone.

Decides:    the statements by which a comparison is kept, and when what was decided about a difference still holds.
Leaves:     finding to the comparison, everything done about a difference to `juki.store.differences`.
Invariants: set-based; a record is sealed only when its difference is kept. An approval, a proposal or an acceptance
            was given to what was seen then: where it now says anything else, the difference is open again.
Source:     measure M11, ADR-0022.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.found import Found
from juki.numbers import SealingKey
from juki.store.bulk import copy_in, sealed_as_bytea
from juki.store.sealed_records import open_record, seal_records

USE = "difference"
"""What the records are sealed for, so that none of them opens as anything else."""

_STAGES = """
    CREATE TEMPORARY TABLE found_now (
        place integer PRIMARY KEY, resident_code text, kind text, columns text, held_by text, package_id bigint,
        difference_id bigint
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE kept_now (place integer PRIMARY KEY, is_same boolean, record_sealed bytea) ON COMMIT DROP
"""
_LINK = """
    UPDATE found_now f SET difference_id = d.difference_id FROM difference d
    WHERE d.municipality_code = %(municipality)s AND d.settled_at IS NULL
      AND d.resident_code = f.resident_code AND d.kind = f.kind
"""
# What retires a person is made from our own version, so it must be the one that was looked at.
_SEEN_AGAIN = """
    SELECT f.place, d.watermark, CASE WHEN
               d.state <> 'open' AND d.repair_package_id IS NULL
               AND d.columns = string_to_array(f.columns, ',') AND d.held_by IS NOT DISTINCT FROM f.held_by
               AND (d.kind <> 'extra' OR d.package_id IS NOT DISTINCT FROM f.package_id)
           THEN coalesce(d.record_sealed, '') END
    FROM found_now f JOIN difference d USING (difference_id) ORDER BY f.place
"""
_NEW = "SELECT place FROM found_now WHERE difference_id IS NULL ORDER BY place"
_RENEW = """
    UPDATE difference d SET
        last_seen_at = %(at)s, last_reconciliation_id = %(reconciliation)s, watermark = %(watermark)s,
        columns = string_to_array(f.columns, ','), held_by = f.held_by, package_id = f.package_id,
        record_sealed = k.record_sealed, repair_package_id = NULL, entry_no = NULL,
        state = CASE WHEN k.is_same THEN d.state ELSE 'open' END,
        reason = CASE WHEN k.is_same THEN d.reason END,
        approved_at = CASE WHEN k.is_same THEN d.approved_at END,
        approved_by = CASE WHEN k.is_same THEN d.approved_by END
    FROM found_now f JOIN kept_now k USING (place) WHERE d.difference_id = f.difference_id
"""
_SETTLE = """
    UPDATE difference d SET
        state = 'settled', settled_at = %(at)s,
        settled_by = CASE WHEN d.repair_package_id IS NULL THEN 'notice' ELSE 'repair' END
    WHERE d.municipality_code = %(municipality)s AND d.settled_at IS NULL
      AND NOT EXISTS (SELECT FROM found_now f WHERE f.difference_id = d.difference_id)
"""
_ADD = """
    INSERT INTO difference (
        municipality_code, kind, resident_code, columns, held_by, state, watermark, first_seen_at, last_seen_at,
        first_reconciliation_id, last_reconciliation_id, package_id, record_sealed
    )
    SELECT %(municipality)s, f.kind, f.resident_code, string_to_array(f.columns, ','), f.held_by, 'open',
           %(watermark)s, %(at)s, %(at)s, %(reconciliation)s, %(reconciliation)s, f.package_id, k.record_sealed
    FROM found_now f JOIN kept_now k USING (place) WHERE f.difference_id IS NULL ORDER BY f.place
"""


@dataclass(frozen=True, slots=True)
class Noted:
    """What became of what a comparison found: counts only."""

    renewed: int
    """Found before and again now."""
    added: int
    left_out: int
    """New ones beyond what one run may keep; the next run finds them again."""
    settled: int
    """Found before and not any more."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Which comparison it is: of which municipality, as of which of its notices, when."""

    reconciliation_id: int
    municipality_code: str
    watermark: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Notes:
    """The differences of one store, being brought up to date within one open transaction."""

    file: IdentityFile
    cursor: psycopg.Cursor

    def bring_up_to_date(self, occasion: Occasion, found: Found, key: SealingKey, most_new: int) -> Noted:
        """Keep what was found: renew, add at most `most_new`, settle what is gone."""
        said = {
            "reconciliation": occasion.reconciliation_id, "municipality": occasion.municipality_code,
            "watermark": occasion.watermark, "at": occasion.at,
        }  # fmt: skip
        self.cursor.execute(_STAGES)
        self._stage(found.differences)
        self.cursor.execute(_LINK, said)
        again = self.cursor.execute(_SEEN_AGAIN).fetchall()
        new = [place for (place,) in self.cursor.execute(_NEW)]
        self._keep(occasion, found, again, new[:most_new], key)
        # Added last: what is open and was not found then is what is gone.
        renewed, settled, added = (
            self.cursor.execute(statement, said).rowcount for statement in (_RENEW, _SETTLE, _ADD)
        )
        return Noted(renewed, added, max(0, len(new) - most_new), settled)

    def _stage(self, differences: pa.Table) -> None:
        columns = pc.binary_join(differences.column("columns").combine_chunks(), ",")
        staged = differences.set_column(differences.column_names.index("columns"), "columns", columns)
        places = pa.array(np.arange(differences.num_rows), pa.int32())
        copy_in(self.cursor, "found_now", staged.append_column("place", places))
        self.cursor.execute("ANALYZE found_now")

    def _keep(
        self,
        occasion: Occasion,
        found: Found,
        again: list[tuple[int, int, bytes | None]],
        new: list[int],
        key: SealingKey,
    ) -> None:
        """Seal the records of what is kept, and mark where what was decided before still holds."""
        places = [place for place, _, _ in again] + new
        codes = found.differences.column("resident_code").take(pa.array(places, pa.int64()))
        row = pc.index_in(codes, value_set=found.records.column("resident_code").combine_chunks()).to_pylist()
        records = found.records.take(pa.array([at for at in row if at is not None], pa.int64()))
        sealed = iter(_sealed(self.file, occasion, records, key))
        said = iter(records.to_pylist())
        kept = [(next(said), next(sealed)) if at is not None else (None, None) for at in row]
        same = [
            before is not None
            and self._is_same(occasion, codes[at].as_py(), watermark, bytes(before), kept[at][0], key)
            for at, (_, watermark, before) in enumerate(again)
        ]
        columns = {
            "place": pa.array(places, pa.int32()),
            "is_same": pa.array(same + [False] * len(new), pa.bool_()),
            "record_sealed": sealed_as_bytea([ciphertext for _, ciphertext in kept]),
        }
        copy_in(self.cursor, "kept_now", pa.table(columns))

    def _is_same(
        self,
        occasion: Occasion,
        code: str,
        watermark: int,
        before: bytes,
        record: dict[str, str] | None,
        key: SealingKey,
    ) -> bool:
        """Tell whether the municipality says what it said; what does not open under this key said something else."""
        if not before or record is None:
            return not before and record is None
        place = place_of(occasion.municipality_code, watermark, code)
        try:
            return open_record(self.file, USE, place, before, lambda _: key) == record
        except StoreError:
            return False


def place_of(municipality_code: str, watermark: int, resident_code: str) -> str:
    """Name the place a municipality's record is bound to: the municipality, its notice, the person."""
    return f"{municipality_code}:{watermark}:{resident_code}"


def _sealed(file: IdentityFile, occasion: Occasion, records: pa.Table, key: SealingKey) -> list[bytes]:
    places = [
        place_of(occasion.municipality_code, occasion.watermark, code)
        for code in records.column("resident_code").to_pylist()
    ]
    return seal_records(file, USE, places, records, key)
