"""The updates J-LIS is to be told of, read from the files by the outbox.

Decides:    which versions a row of the outbox stands for, and in which order they are told.
Leaves:     numbering and keeping packages to `juki.store.jlis_packages`, numbers to `juki.jlis_numbers`.
Invariants: a version is an update where it stood as the newest one, however short: late notices are history only.
            What was judged again is told with its own row. Versions that were given a number of their own because
            they bore another's (ADR-0022) came by no notice and are not told. Set-based: one question a package, in
            order of row, notice and repair, which is the order in which they were applied to each person.
Source:     法30条の7, 30条の42; ADR-0013, ADR-0017, ADR-0022, ADR-0027.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg
import pyarrow as pa

from juki.columns import JLIS_COLUMNS, IdentityFile
from juki.jlis_numbers import SealedNumbers
from juki.notices import NUMBER_CORRECTIONS
from juki.numbers import combined
from juki.store.bulk import copy_out
from juki.versions import REPAIRS_OF_A_PACKAGE

FIRST_UNTOLD_REPAIR = REPAIRS_OF_A_PACKAGE // 2
"""Numbers of one package that repairs can have; those above are given to versions that came by no notice."""
_QUERY = """
    WITH due AS MATERIALIZED (
        SELECT o.*, l.place FROM unnest('{{{rows}}}'::bigint[]) WITH ORDINALITY l (outbox_no, place)
        JOIN outbox o USING (outbox_no)
    ), again AS MATERIALIZED (
        SELECT a.package_id, unnest(a.notice_nos) AS notice_no FROM outbox a
        WHERE a.notice_nos IS NOT NULL AND a.package_id IN (SELECT package_id FROM due)
    ), kept AS (
        SELECT 1 AS rank, {stored} FROM current v WHERE v.package_id = ANY ('{{{packages}}}'::bigint[])
        UNION ALL
        SELECT 0, {stored} FROM history v WHERE v.package_id = ANY ('{{{packages}}}'::bigint[]) AND v.was_newest
    ), told AS (
        SELECT DISTINCT ON (d.place, v.notice_no, v.repair_no) d.place, d.outbox_no, v.*
        FROM due d JOIN kept v USING (package_id)
        WHERE mod(v.repair_no, {numbers_each}) < {proposals}
          AND ({again} OR d.told_notice_no IS NULL
               OR (v.notice_no, v.repair_no) > (d.told_notice_no, d.told_repair_no))
          AND CASE WHEN d.notice_nos IS NULL THEN NOT EXISTS (
                  SELECT FROM again a WHERE a.package_id = v.package_id AND a.notice_no = v.notice_no
              ) ELSE v.notice_no = ANY (d.notice_nos) END
        ORDER BY d.place, v.notice_no, v.repair_no, v.rank LIMIT {most}
    )
    SELECT t.outbox_no, t.notice_no, t.repair_no, {cells}, {numbers} FROM told t {before}
    ORDER BY t.place, t.notice_no, t.repair_no
"""
"""A version that stands in both tables is told as history has it: the other was brought back by no notice."""
_BEFORE = """
    LEFT JOIN LATERAL (
        SELECT h.resident_code, h.number_sealed FROM history h
        WHERE t.reason IN ({corrections}) AND h.resident_code = t.resident_code AND h.was_newest
          AND h.superseded_by_package_id = t.package_id AND h.superseded_by_sender_code = t.sender_code
          AND h.superseded_by_notice_no = t.notice_no
          AND (h.package_id <> t.package_id OR (h.notice_no, h.repair_no) < (t.notice_no, t.repair_no))
        ORDER BY (h.package_id = t.package_id) DESC, h.notice_no DESC, h.repair_no DESC LIMIT 1
    ) p ON true
"""
_SEALED = (
    "coalesce(encode(t.number_sealed, 'hex'), ''), coalesce(encode(p.number_sealed, 'hex'), ''), "
    "coalesce(p.resident_code, '')"
)
UPDATE_CELLS = {
    "notice_no": "t.notice_no::text",
    "notified_at": """to_char(t.notified_at AT TIME ZONE 'Asia/Tokyo', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '+09:00'""",
    "event_date": "coalesce(t.event_date::text, '')",
    "is_foreign": "CASE WHEN t.is_foreign THEN '1' ELSE '0' END",
    "is_abroad": "CASE WHEN t.is_abroad THEN '1' ELSE '0' END",
    "name_gaiji": "t.name_gaiji::text",
    "address_gaiji": "t.address_gaiji::text",
    "individual_number": "''",
    "previous_individual_number": "''",
}
_PLACES = ("outbox_no", "place_notice_no", "place_repair_no")
_CIPHERTEXTS = ("number_sealed", "previous_number_sealed", "previous_number_code")


@dataclass(frozen=True, slots=True)
class TellableRow:
    """A row of the outbox to be told: its number, and the package it names."""

    outbox_no: int
    package_id: int


@dataclass(frozen=True, slots=True)
class Updates:
    """Updates in the order in which they are told.

    Shape: `places` has outbox_no, place_notice_no, place_repair_no (int64) for each; `updates` JLIS_COLUMNS less
           update_no, all text, numbers empty; `sealed` their ciphertexts, None in the fuhyo file, which has none.
    """

    places: pa.Table = field(repr=False)
    updates: pa.Table = field(repr=False)
    sealed: SealedNumbers | None = field(repr=False)

    def __len__(self) -> int:
        return int(self.places.num_rows)

    def first(self, count: int) -> Updates:
        """Give the first of them."""
        sealed = self.sealed and SealedNumbers(
            self.sealed.own[:count], self.sealed.previous[:count], self.sealed.previous_codes[:count]
        )
        return Updates(self.places[:count], self.updates[:count], sealed)


def read_updates(
    cursor: psycopg.Cursor, file: IdentityFile, rows: Sequence[TellableRow], most: int, *, again: bool = False
) -> Updates:
    """Read the first updates of some rows of the outbox, in the order given: those not told yet, or all `again`."""
    names = _told_columns(file)
    has_number = file is IdentityFile.RESIDENT
    sealed = _CIPHERTEXTS if has_number else ()
    query = _QUERY.format(
        rows=",".join(str(row.outbox_no) for row in rows),
        packages=",".join(str(package) for package in sorted({row.package_id for row in rows})),
        stored=", ".join(f"v.{name}" for name in _stored(file)),
        numbers_each=REPAIRS_OF_A_PACKAGE,
        proposals=FIRST_UNTOLD_REPAIR,
        most=most,
        again=again,
        cells=", ".join(UPDATE_CELLS.get(name, f"coalesce(t.{name}, '')") for name in names),
        numbers=_SEALED if has_number else "1",
        before=_BEFORE.format(corrections=_corrections()) if has_number else "",
    )
    schema = pa.schema(
        [(name, pa.int64()) for name in _PLACES]
        + [(name, pa.string()) for name in names]
        + [(name, pa.string()) for name in sealed or ("nothing",)]
    )
    table = copy_out(cursor, query, schema)
    ciphertexts = SealedNumbers(*(combined(table, name) for name in sealed)) if sealed else None
    return Updates(table.select(_PLACES), table.select(names), ciphertexts)


def _told_columns(file: IdentityFile) -> list[str]:
    return [name for name in JLIS_COLUMNS[file] if name != "update_no"]


def _stored(file: IdentityFile) -> list[str]:
    kept = [name for name in _told_columns(file) if not name.endswith("individual_number")]
    number = ["number_sealed"] if file is IdentityFile.RESIDENT else []
    return [*kept, *number, "repair_no", "package_id"]


def _corrections() -> str:
    return ", ".join(f"'{reason.value}'" for reason in sorted(NUMBER_CORRECTIONS))
