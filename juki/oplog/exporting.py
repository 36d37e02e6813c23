"""A copy of a log for whoever checks it: entries as they were hashed, checkpoints, proofs, public keys.

Decides:    the files of an export (docs/formats/log-export.md) and that they come to be in a folder of their own.
Leaves:     that the export is in the log to whoever asks for it; checking it to `verifier/juki_verify.py`.
Invariants: what is written are the stored bytes, also of a log that is broken: an export is evidence. Everything is
            streamed. Private keys and anything that opens a subject stay here.
Source:     assessment M8, ADR-0030.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from juki.errors import JournalError
from juki.merkle import EMPTY_ROOT
from juki.merkle_proofs import successive_proofs
from juki.oplog.standing import LogPlace
from juki.reasons import Code
from juki.store.unit import Unit
from juki.witnesses import file_name

FORMAT = "juki-log-export/1"
MANIFEST, ENTRIES, LEAVES, PROOFS, KEYS, CHECKPOINTS = (
    *("manifest.json", "entries.jsonl", "leaves.bin", "proofs.jsonl", "keys.vkey", "checkpoints"),
)


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    entries: int
    checkpoints: int
    folder: Path


def export_log(unit: Unit, place: LogPlace, parent: Path) -> Exported:
    """Write the whole log of a file below a folder, as `<parent>/<file>`.

    Raises: JournalError(LOG_EXPORT_FOLDER) when that is there already, or can not be written.
    """
    with _writable(parent / place.file.value) as folder:
        entries = _write_entries(unit, folder)
        sizes = _write_checkpoints(unit, place, folder)
        _write_proofs(unit, folder, [size for size in sizes if size <= entries])
        _write_text(folder / KEYS, "".join(f"{key.to_text()}\n" for key in place.keys))
        tree = unit.journal_reader.frontier_at(entries)
        manifest = {
            "format": FORMAT, "origin": place.origin, "file": place.file.value, "entries": entries,
            "root": (tree.root if tree else EMPTY_ROOT).hex(),
        }  # fmt: skip
        # Last, so that an export that was broken off has none.
        _write_text(folder / MANIFEST, json.dumps(manifest, ensure_ascii=False, sort_keys=True) + "\n")
    return Exported(entries, len(sizes), folder)


@contextmanager
def _writable(folder: Path) -> Iterator[Path]:
    try:
        (folder / CHECKPOINTS).mkdir(parents=True, mode=0o700)
        yield folder
    except OSError:
        raise JournalError(Code.LOG_EXPORT_FOLDER, folder.name) from None


def _write_entries(unit: Unit, folder: Path) -> int:
    entries = 0
    with _create(folder / ENTRIES) as lines, _create(folder / LEAVES) as leaves:
        for row in unit.journal_reader.rows():
            lines.write(row.entry.encode() + b"\n")
            leaves.write(row.leaf_hash)
            entries += 1
    return entries


def _write_checkpoints(unit: Unit, place: LogPlace, folder: Path) -> list[int]:
    """Write the checkpoints of the register; where a witness has one it lacks, that one as well."""
    notes = {signed.size: signed.note for signed in unit.checkpoints.all()}
    for witness in place.folders:
        try:
            for size in witness.sizes():
                notes.setdefault(size, witness.read(size) or b"")
        except JournalError:
            # A witness that is away is alarmed elsewhere; its checkpoints are checked where they lie.
            continue
    for size, note in notes.items():
        with _create(folder / CHECKPOINTS / file_name(size)) as file:
            file.write(note)
    return sorted(notes)


def _write_proofs(unit: Unit, folder: Path, sizes: list[int]) -> None:
    """Write for each two checkpoints in a row the proof that the newer continues the older."""
    with _create(folder / PROOFS) as file:
        leaves = unit.journal_reader.leaves(sizes[-1] if sizes else 0)
        for first, size, proof in successive_proofs(leaves, sizes):
            line = {"first": first, "size": size, "proof": [node.hex() for node in proof]}
            file.write(json.dumps(line).encode() + b"\n")


def _write_text(path: Path, text: str) -> None:
    with _create(path) as file:
        file.write(text.encode())


@contextmanager
def _create(path: Path) -> Iterator[BinaryIO]:
    """Create a file of the owner's, on the disk when the block ends."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
