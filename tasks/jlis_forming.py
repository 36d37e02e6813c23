"""Put the next updates of a file into one sealed package for J-LIS.

Decides:    nothing of its own: the outbox says what is due, `juki.store.jlis_updates` in which order.
Invariants: numbers, sealed bytes, what the outbox says and the journal entry are of one transaction: whoever is
            killed before it leaves nothing, after it the package. The lock of the file is held. Numbers are in
            memory for as long as one package is made, and leave it sealed.
Source:     法30条の7, 30条の42; ADR-0027.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from juki.columns import JLIS_COLUMNS, IdentityFile
from juki.jlis import BASIS, MAX_UPDATES, rows_of_one_package
from juki.jlis_manifests import JlisManifest, write_updates
from juki.jlis_numbers import WithNumbers, with_numbers
from juki.journal import Action
from juki.number_opening import NumberOpener
from juki.packages import MAX_CONTENT_BYTES, sha256_hex
from juki.reasons import Code
from juki.store.jlis_packages import JlisPackages, SealedPackage, ToldRow
from juki.store.jlis_updates import Updates, read_updates
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit
from tasks import clock
from tasks.jlis_desk import JlisDesk


@dataclass(frozen=True, slots=True)
class Formed:
    """What was put into a package: counts only; no package where nothing was left of what was due."""

    sequence: int | None
    updates: int
    lost: int
    unopened: int


@dataclass(frozen=True, slots=True, repr=False)
class _Content:
    """A package as it will be sealed."""

    manifest: JlisManifest
    content: bytes
    numbers: WithNumbers


def form_next(file: IdentityFile, most: int = MAX_UPDATES) -> Formed | None:
    """Form one package of at most `most` updates; None when no update is due."""
    desk = JlisDesk.open(file)
    with open_unit(desk.url, file, Duty.PROVIDER) as unit:
        desk.shop.check_keys(unit)
        packages = JlisPackages(file, unit.connection)
        due, tellable = packages.due()
        if not due:
            return None
        chosen = rows_of_one_package(due, most)
        # One more than fits says whether the last row goes on in the next package.
        found = read_updates(unit.cursor, file, [tellable[number] for number in chosen], most + 1)
        sequence, last_update_no = packages.last_numbers()
        made = _content(desk, found.first(most), sequence + 1, last_update_no) if len(found) else None
        count = made.manifest.records if made else 0
        lost = packages.told(_told(chosen, found, count, last_update_no), clock.now())
        if made:
            _keep(desk, packages, made)
        return _journalled(desk, unit, made, lost)


def _content(desk: JlisDesk, updates: Updates, sequence: int, last_update_no: int) -> _Content:
    """Write as many of the updates as one package holds: half of them, where the bytes of all are too many."""
    numbers = _with_numbers(desk, updates)
    first = last_update_no + 1
    update_nos = pa.array(np.arange(first, first + len(updates))).cast(pa.string())
    table = numbers.updates.add_column(0, "update_no", update_nos).select(JLIS_COLUMNS[desk.file])
    code = desk.shop.settings.prefecture_code
    manifest, content = write_updates(code, desk.file, sequence, table, clock.now())
    if len(content) <= MAX_CONTENT_BYTES:
        return _Content(manifest, content, numbers)
    return _content(desk, updates.first(len(updates) // 2), sequence, last_update_no)


def _with_numbers(desk: JlisDesk, updates: Updates) -> WithNumbers:
    if updates.sealed is None:
        return WithNumbers(updates.updates, 0, 0)
    return with_numbers(updates.updates, updates.sealed, NumberOpener(desk.file, desk.shop.sealing_key))


def _told(chosen: list[int], found: Updates, count: int, last_update_no: int) -> list[ToldRow]:
    """Say of each row of the outbox which of the first `count` updates are its own, and whether that was all."""
    spans, told = _spans(found), list[ToldRow]()
    for row in chosen:
        start, stop = spans.get(row, (0, 0))
        here, has_more = min(stop, count) - start, stop > count
        if here > 0:
            last = found.places.slice(start + here - 1, 1).to_pylist()[0]
            first_no = last_update_no + 1 + start
            place = last["place_notice_no"], last["place_repair_no"]
            told.append(ToldRow(row, first_no, first_no + here - 1, *place, not has_more))
        elif not has_more:
            told.append(ToldRow(row, None, None, None, None, is_whole=True))
        if has_more:
            break
    return told


def _spans(found: Updates) -> dict[int, tuple[int, int]]:
    """Say from where to where the updates of each row of the outbox lie; they lie together."""
    owners = found.places.column("outbox_no").to_numpy()
    rows, starts, counts = np.unique(owners, return_index=True, return_counts=True)
    return dict(
        zip(rows.tolist(), zip(starts.tolist(), (starts + counts).tolist(), strict=True), strict=True)
    )


def _keep(desk: JlisDesk, packages: JlisPackages, made: _Content) -> None:
    sealed_bytes, manifest = desk.sealed(made.content), made.manifest
    packages.add(
        SealedPackage(
            manifest.sequence, manifest.first_update_no, manifest.last_update_no, made.numbers.unopened,
            sha256_hex(made.content), hashlib.sha256(sealed_bytes).hexdigest(), sealed_bytes, manifest.created_at,
        )
    )  # fmt: skip


def _journalled(desk: JlisDesk, unit: Unit, made: _Content | None, lost: int) -> Formed:
    formed = Formed(
        made.manifest.sequence if made else None, made.manifest.records if made else 0, lost,
        made.numbers.unopened if made else 0,
    )  # fmt: skip
    counts = {"updates": formed.updates, "lost": lost, "unopened": formed.unopened}
    entry = desk.entry(
        Action.JLIS_FORMED, desk.package_name(made.manifest.sequence) if made else "",
        code=Code.JLIS_UPDATE_LOST if lost else None, counts=counts, basis=BASIS[desk.file],
        changes_digest=sha256_hex(made.content) if made else "",
        number_accessed=bool(made and made.numbers.opened),
    )  # fmt: skip
    unit.journal.append(entry, clock.now())
    return formed
