"""One comparison in a process of its own: `python -m bench.reconcile_child CASE`. Prints one line of JSON.

Decides:    where the clock starts (the sealed parts lie on the disk) and ends (all differences with their columns are
            known); what the floors do.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.measured import Measured, Meter
from bench.workplace import CHANNEL, Workplace
from config.identities import recipient_keys
from config.settings import home_of
from juki.columns import RECORD_COLUMNS
from juki.numbers import record_digests
from juki.packages import sha256_hex, split_content
from juki.records import parse_records
from juki.store import as_of, bulk
from juki.store.comparison import compare
from juki.store.unit import open_unit
from juki.wire.envelope import open_envelope
from tasks.workshop import Workshop

OURS, FLOOR, KEYED_FLOOR, PREPARE = "ours", "floor", "keyed-floor", "prepare"
_COLUMNS = RECORD_COLUMNS[CHANNEL.file]
_DIGEST_BYTES = 48
"""What a range costs on the wire: digest, count, lengths."""


@dataclass(frozen=True, slots=True)
class Case:
    """What to run: a way, the number of people, how many of a thousand differ."""

    way: str
    size: int
    per_mille: int


def main(case: Case) -> None:
    """Run a case in the home of the environment and print what it found and measured."""
    place = Workplace(home_of())
    if case.way == PREPARE:
        from bench import snapshots

        snapshots.write(place, case.size)
        return
    folder = place.snapshot(case.per_mille, case.size)
    found, measured = _run(case, place, folder)
    sys.stdout.write(json.dumps({"found": found, **asdict(measured)}) + "\n")


def _run(case: Case, place: Workplace, folder: Path) -> tuple[int, Measured]:
    if case.way == OURS:
        return _ours(place, folder)
    if case.way in (FLOOR, KEYED_FLOOR):
        return 0, _floor(place, folder, is_keyed=case.way == KEYED_FLOOR)
    from bench import rivals

    shop = Workshop.open()

    def open_all() -> None:
        for _ in _contents(shop, folder):
            pass

    return rivals.run(case.way, place, open_all, sorted(folder.glob("*.csv")))


def _ours(place: Workplace, folder: Path) -> tuple[int, Measured]:
    shop = Workshop.open()
    keys, read = shop.keyring(CHANNEL.file), _count_bytes()
    meter = Meter(place.home)
    with meter, open_unit(shop.store_url(CHANNEL.file), CHANNEL.file) as unit:
        parts = (table for _, table in _opened(shop, folder))
        found = compare(unit, CHANNEL.municipality_code, 10**9, parts, keys.index)
    return len(found.differences), meter.measured(found.rows_theirs, {"read": float(read[0])})


def _floor(place: Workplace, folder: Path, *, is_keyed: bool) -> Measured:
    """Open and parse the same parts and hash them: their bytes, or each record under a key."""
    shop, rows = Workshop.open(), 0
    key, meter = shop.keyring(CHANNEL.file).digest, Meter(place.home)
    with meter:
        for csv, table in _opened(shop, folder):
            rows += table.num_rows
            if is_keyed:
                record_digests(table, _COLUMNS, key)
            else:
                hashlib.sha256(csv).digest()
    return meter.measured(rows)


def _opened(shop: Workshop, folder: Path) -> Iterator[tuple[memoryview, pa.Table]]:
    """Open and parse the parts one by one."""
    return ((csv, parse_records(csv, _COLUMNS)) for csv in _contents(shop, folder))


def _contents(shop: Workshop, folder: Path) -> Iterator[memoryview]:
    """Open the parts one by one as the product does: decrypt, verify, hold to the digest."""
    keys, sender, now = recipient_keys(shop.home), shop.sender(CHANNEL), datetime.now(UTC)
    for path in sorted(folder.glob("*.p7m")):
        content = open_envelope(path.read_bytes(), recipient=keys, sender=sender, at=now)
        manifest, csv = split_content(content)
        if json.loads(manifest)["sha256"] != sha256_hex(csv):
            raise RuntimeError("a part is not what was written")
        yield csv


def _count_bytes() -> list[int]:
    """Count what is read from the database: rows as Arrow holds them, and the digests."""
    read = [0]
    copy_out, digests = bulk.copy_out, as_of.OurSide.digests

    def copied(*given: Any) -> pa.Table:
        table = copy_out(*given)
        read[0] += table.nbytes
        return table

    def digested(*given: Any) -> tuple[list[int], list[bytes]]:
        told = digests(*given)
        read[0] += _DIGEST_BYTES * len(told[0])
        return told

    for owner, name, counting in ((as_of, "copy_out", copied), (as_of.OurSide, "digests", digested)):
        setattr(owner, name, counting)
    return read


if __name__ == "__main__":
    main(Case(**json.loads(sys.argv[1])))
