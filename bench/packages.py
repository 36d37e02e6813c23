"""The notices of the benchmark: a first load of one municipality, and the same people sent again.

Decides:    that a re-load brings every person again under new notice numbers, one in a hundred with a move
            (転居); all others say exactly what they said before.
Leaves:     the people to `simulator.people`, numbering and sealing to the simulator's desk.
Invariants: packages of at most 100,000 records (spec/packages.md section 2); beside each sealed package its
            CSV, from which the peers start.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.workplace import CHANNEL
from juki.columns import NOTICE_COLUMNS, RECORD_COLUMNS, IdentityFile
from juki.home import Home
from juki.notices import Kind, Reason
from juki.packages import PackageKind, PackageName
from juki.records import MAX_RECORDS
from simulator import installation, pki
from simulator.drafts import Desk, Draft
from simulator.identifiers import Issuer
from simulator.people import populate

FIRST, AGAIN = "first", "again"
PHASES = (FIRST, AGAIN)
CHANGED_EVERY = 100
_SEED = 20260325
_START = date(2026, 3, 25)
_ENTERED_ON, _MOVED_ON = "2025-06-01", "2026-03-30"
_NOTIFIED_AT = {FIRST: "2026-03-25T06:00:00+09:00", AGAIN: "2026-03-31T06:00:00+09:00"}


def write(home: Home, folders: dict[str, Path], size: int) -> None:
    """Write the packages of both loads of `size` notices, each into the folder of its phase."""
    first = first_load(size)
    sequence = 1
    for phase, notices in ((FIRST, first), (AGAIN, sent_again(first))):
        shutil.rmtree(folders[phase], ignore_errors=True)
        folders[phase].mkdir(parents=True)
        for draft in _drafts(notices, sequence):
            _lay(draft, desk_of(home), folders[phase])
            sequence += 1


def first_load(size: int) -> pa.Table:
    """Make the entry notices of `size` people of one municipality."""
    rng = np.random.default_rng(_SEED)
    people = populate(size, _START, rng, Issuer.draw(rng)).records[IdentityFile.RESIDENT]
    columns: dict[str, object] = {name: people.column(name) for name in RECORD_COLUMNS[CHANNEL.file]}
    columns["municipality_code"] = pa.repeat(CHANNEL.municipality_code, size)
    columns["notice_no"] = _numbers(1, size)
    columns["notified_at"] = pa.repeat(_NOTIFIED_AT[FIRST], size)
    columns["kind"] = pa.repeat(Kind.ENTRY.value, size)
    columns["reason"] = pa.repeat(Reason.ENTERED_EX_OFFICIO.value, size)
    columns["event_date"] = pa.repeat(_ENTERED_ON, size)
    for name in ("previous_resident_code", "previous_individual_number"):
        columns[name] = pa.repeat("", size)
    return pa.table({name: columns[name] for name in NOTICE_COLUMNS[CHANNEL.file]})


def sent_again(first: pa.Table) -> pa.Table:
    """Make the notices of the same people again, one in CHANGED_EVERY of them with a move."""
    size = first.num_rows
    moved = pa.array(np.arange(size) % CHANGED_EVERY == 0)
    values = {
        "notice_no": _numbers(size + 1, size),
        "notified_at": pa.repeat(_NOTIFIED_AT[AGAIN], size),
        "kind": pc.if_else(moved, Kind.CORRECTION.value, Kind.ENTRY.value),
        "reason": pc.if_else(moved, Reason.MOVED_WITHIN.value, Reason.ENTERED_EX_OFFICIO.value),
        "event_date": pc.if_else(moved, _MOVED_ON, _ENTERED_ON),
        "address": pc.if_else(
            moved,
            pc.binary_join_element_wise(first.column("address"), "２０１号", ""),
            first.column("address"),
        ),
    }
    for name, column in values.items():
        first = first.set_column(first.column_names.index(name), name, column)
    return first


def _numbers(start: int, count: int) -> pa.Array:
    return pa.array(np.arange(start, start + count)).cast(pa.string())


def _drafts(notices: pa.Table, sequence: int) -> Iterator[Draft]:
    for start in range(0, notices.num_rows, MAX_RECORDS):
        name = PackageName(CHANNEL.municipality_code, CHANNEL.file, PackageKind.NOTICE, sequence)
        part = notices.slice(start, MAX_RECORDS).combine_chunks()
        yield Draft(name, part, datetime.now(UTC), installation.PREFECTURE_CODE)
        sequence += 1


def desk_of(home: Home) -> Desk:
    """Give what the municipality of the benchmark seals with."""
    code = CHANNEL.municipality_code
    return installation.offices(home, pki.build(installation.folder(home) / "pki", [code]))[code].desk


def _lay(draft: Draft, desk: Desk, folder: Path) -> None:
    content = draft.content()
    (folder / str(draft.name)).write_bytes(desk.seal(content))
    (folder / f"{draft.name}.csv").write_bytes(content[content.index(b"\n") + 1 :])
