"""The two sides of the benchmark of the comparison: a filled store, and sealed snapshots that differ from it.

Decides:    what differs: two of three differing people have another address, the third another code, which is one
            person missing and one extra.
Leaves:     the people to `bench.packages`, sealing to the simulator's desk.
Invariants: parts of at most 50,000 records in order of code (spec/packages.md section 3); beside each sealed part the
            CSV rivals start from, in which the number is replaced by its keyed index already: they need no key.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from bench.packages import desk_of, first_load
from bench.workplace import CHANNEL, Workplace
from juki.canonical import cells_of
from juki.columns import RECORD_COLUMNS
from juki.identity import plan_changes
from juki.known import Known, indexed, notices_of
from juki.packages import PackageKind, PackageName, sha256_hex
from juki.records import MAX_RECORDS, format_records
from juki.store.unit import open_unit
from juki.versions import Origin
from tasks.workshop import Workshop

PER_MILLE = (0, 1, 50)
PART_ROWS = 50_000
_DAY = date(2026, 4, 1)


def write(place: Workplace, size: int) -> None:
    """Fill the store with `size` people of one municipality and write a snapshot for each share of differences."""
    people = first_load(size)
    shop = Workshop.open()
    _fill(shop, people)
    place.settle(place.store_url)
    records = people.select(RECORD_COLUMNS[CHANNEL.file])
    for per_mille in PER_MILLE:
        folder = place.snapshot(per_mille, size)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        snapshot = changed(records, per_mille).sort_by("resident_code")
        for number, part in enumerate(_parts(snapshot), start=1):
            _lay(shop, place, part, number, folder)


def differing(size: int, per_mille: int) -> tuple[int, int]:
    """Say how many people of a size have another address, and how many another code."""
    chosen = len(_chosen(size, per_mille))
    return chosen - chosen // 3, chosen // 3


def changed(records: pa.Table, per_mille: int) -> pa.Table:
    """Give every thousandth people another address, a third of them another code instead."""
    chosen = _chosen(records.num_rows, per_mille)
    with_code = chosen[2::3]
    address, code = (np.zeros(records.num_rows, dtype=np.bool_) for _ in range(2))
    address[np.setdiff1d(chosen, with_code)] = True
    code[with_code] = True
    values = {
        "address": pc.if_else(
            pa.array(address),
            pc.binary_join_element_wise(records.column("address"), "２０１号", ""),
            records.column("address"),
        ),
        # A letter, so that it is nobody else's.
        "resident_code": pc.if_else(
            pa.array(code),
            pc.binary_replace_slice(records.column("resident_code"), 10, 11, "x"),
            records.column("resident_code"),
        ),
    }
    for name, column in values.items():
        column = pc.cast(column, pa.string())
        records = records.set_column(records.column_names.index(name), name, column)
    return records


def _chosen(size: int, per_mille: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    every = 1_000 // per_mille if per_mille else size + 1
    return np.arange(every - 1, size, every)


def _fill(shop: Workshop, people: pa.Table) -> None:
    """Enter people as packages of the largest size do, contract and journal left out."""
    file, code = CHANNEL.file, CHANNEL.municipality_code
    keys, now = shop.keyring(file), datetime.now(UTC)
    for start in range(0, people.num_rows, MAX_RECORDS):
        part = people.slice(start, MAX_RECORDS).combine_chunks()
        every = np.ones(part.num_rows, dtype=np.bool_)
        notices = notices_of(file, code, part, every, now, keys.digest)
        notices = indexed(notices, np.arange(len(notices)), keys.index)
        nobody = Known.nothing()
        plan = plan_changes(notices, nobody)
        with open_unit(shop.store_url(file), file) as unit:
            unit.packages.attempt(code, now)
            origin = Origin(code, start // MAX_RECORDS + 1, _DAY)
            unit.identities.apply(notices, nobody, plan, origin, keys.number)
            unit.packages.advance(code, origin.package_id, start + part.num_rows, now)


def _parts(snapshot: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, snapshot.num_rows, PART_ROWS):
        yield snapshot.slice(start, PART_ROWS).combine_chunks()


def _lay(shop: Workshop, place: Workplace, part: pa.Table, number: int, folder: Path) -> None:
    csv = format_records(part)
    manifest = json.dumps({"part": number, "sha256": sha256_hex(csv)}).encode() + b"\n"
    name = PackageName(CHANNEL.municipality_code, CHANNEL.file, PackageKind.SNAPSHOT, number)
    (folder / str(name)).write_bytes(desk_of(place.home).seal(manifest + csv))
    cells = cells_of(part, shop.keyring(CHANNEL.file).index)
    (folder / f"{name}.csv").write_bytes(format_records(cells))


def count_rows(url: str) -> int:
    """Count the people of the store."""
    with psycopg.connect(url) as connection:
        (count,) = connection.execute("SELECT count(*) FROM current").fetchone() or (0,)
    return int(count)
