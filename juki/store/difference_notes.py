"""What one comparison found, laid beside what earlier ones had found: new, seen again, gone.

Decides:    the statements by which a comparison is kept, when what was decided about a difference still holds, and
            how many people a run would change by what was found.
Leaves:     finding to the comparison, everything done about a difference to `juki.store.differences`.
Invariants: set-based; a record is sealed only when its difference is kept. An approval, a proposal or an acceptance
            was given to what was seen then: where it now says anything else, the difference is open again. Nothing is
            settled by a snapshot that may be cut short: whom it leaves out it says nothing about.
Source:     measure M11, ADR-0022.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import IdentityFile
from juki.differences import AUTOMATIC
from juki.errors import StoreError
from juki.found import Found
from juki.numbers import SealingKey
from juki.reasons import Code
from juki.store.bulk import copy_in, sealed_as_bytea
from juki.store.sealed_records import open_record, seal_records

USE = "difference"
"""What the records are sealed for, so that none of them opens as anything else."""

_STAGES = """
    CREATE TEMPORARY TABLE found_now (
        place integer PRIMARY KEY, resident_code text, kind text, columns text, held_by text, package_id bigint,
        difference_id bigint
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE kept_now (
        place integer PRIMARY KEY, is_same boolean, record_sealed bytea, code text
    ) ON COMMIT DROP
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
        record_sealed = k.record_sealed, repair_package_id = NULL,
        entry_no = CASE WHEN k.is_same THEN d.entry_no END,
        code = coalesce(k.code, CASE WHEN k.is_same THEN d.code END),
        state = CASE WHEN k.is_same THEN d.state ELSE 'open' END,
        reason = CASE WHEN k.is_same THEN d.reason END,
        approved_at = CASE WHEN k.is_same THEN d.approved_at END,
        approved_by = CASE WHEN k.is_same THEN d.approved_by END
    FROM found_now f JOIN kept_now k USING (place) WHERE d.difference_id = f.difference_id
"""
# The notice that removed it is the one that made the version of today, if that came after the difference was seen.
_SETTLE = """
    UPDATE difference d SET
        state = 'settled', settled_at = %(at)s, package_id = coalesce(n.package_id, d.package_id),
        settled_by = CASE WHEN d.repair_package_id IS NOT NULL THEN 'repair'
                          WHEN n.package_id IS NOT NULL THEN 'notice' ELSE 'comparison' END
    FROM difference o LEFT JOIN LATERAL (
        SELECT p.package_id FROM current c JOIN package p USING (package_id)
        WHERE c.resident_code = o.resident_code AND p.kind = 'notice' AND p.settled_at > o.first_seen_at
          AND o.repair_package_id IS NULL
    ) n ON true
    WHERE d.difference_id = o.difference_id AND o.municipality_code = %(municipality)s AND o.settled_at IS NULL
      AND NOT EXISTS (SELECT FROM found_now f WHERE f.difference_id = o.difference_id)
"""
_REPAIRED = ", ".join(f"'{kind.value}'" for kind in AUTOMATIC)
_BY_OPERATOR = ", ".join(f"'{kind.value}'" for kind, is_automatic in AUTOMATIC.items() if not is_automatic)
# What was accepted, can not be repaired or waits for an operator is not about to change anything. But what waits
# counts until a run that was to change something has passed with it: a snapshot cut short looks like people to
# retire. Who waits is told as `juki.differences.needs_operator` does.
_CHANGES = f"""
    SELECT count(*) FROM found_now f JOIN difference d USING (difference_id)
    WHERE d.kind IN ({_REPAIRED}) AND d.state <> 'accepted' AND d.code IS NULL AND NOT (
        (d.kind IN ({_BY_OPERATOR}) OR d.held_by IS NOT NULL) AND d.state <> 'approved' AND EXISTS (
            SELECT FROM reconciliation r
            WHERE r.municipality_code = d.municipality_code AND r.mode <> 'report' AND r.state = 'finished'
              AND r.reconciliation_id >= d.first_reconciliation_id AND r.reconciliation_id < %(reconciliation)s
              AND (r.beyond_bound IS NULL OR r.approved_at IS NOT NULL)
        )
    )
"""  # noqa: S608 - our own words
_ADD = """
    INSERT INTO difference (
        municipality_code, kind, resident_code, columns, held_by, state, watermark, first_seen_at, last_seen_at,
        first_reconciliation_id, last_reconciliation_id, package_id, record_sealed, code
    )
    SELECT %(municipality)s, f.kind, f.resident_code, string_to_array(f.columns, ','), f.held_by, 'open',
           %(watermark)s, %(at)s, %(at)s, %(reconciliation)s, %(reconciliation)s, f.package_id, k.record_sealed,
           k.code
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
    changes: int = 0
    """People whom a run would change by what was found, those left out included."""


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

    def bring_up_to_date(
        self,
        occasion: Occasion,
        found: Found,
        key: SealingKey,
        most_new: int,
        is_cut: Callable[[int], bool],
        unfit: Mapping[str, Code],
    ) -> Noted:
        """Keep what was found: renew, add at most `most_new`, settle what is gone.

        `is_cut` tells by the number of people a run would change whether the snapshot may be cut short; `unfit` whose
        record breaks a rule of the contract, so that nothing can be made of it.
        """
        said = {
            "reconciliation": occasion.reconciliation_id, "municipality": occasion.municipality_code,
            "watermark": occasion.watermark, "at": occasion.at,
        }  # fmt: skip
        self.cursor.execute(_STAGES)
        self._stage(found.differences)
        self.cursor.execute(_LINK, said)
        again = self.cursor.execute(_SEEN_AGAIN).fetchall()
        new = [place for (place,) in self.cursor.execute(_NEW)]
        self._keep(occasion, found, again, new[:most_new], key, unfit)
        renewed, added = (self.cursor.execute(statement, said).rowcount for statement in (_RENEW, _ADD))
        left_out = max(0, len(new) - most_new)
        # What was just added is linked as well: what is open and has no link is what is gone.
        self.cursor.execute(_LINK, said)
        counted = self.cursor.execute(_CHANGES, said).fetchone()
        changes = left_out + (counted[0] if counted else 0)
        settled = 0 if is_cut(changes) else self.cursor.execute(_SETTLE, said).rowcount
        return Noted(renewed, added, left_out, settled, changes)

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
        unfit: Mapping[str, Code],
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
            "code": pa.array([unfit.get(code) for code in codes.to_pylist()], pa.string()),
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
