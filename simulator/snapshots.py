"""How an office answers a request for a snapshot, and what can go wrong with the answer.

Decides:    the parts of an answer, the faults on demand, and the code by which each must be seen.
Leaves:     requests, sequences and laying out to `simulator.answering`, the true records to `simulator.world`.
Invariants: pure: material in, material out. The records are those that stand after every notice the office has
            published, so they are the truth as of its last notice: call it after the notices of a day are out, and
            before the next day is lived. What a fault withheld or spoilt of those notices is in the snapshot all the
            same, for the municipality itself knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.packages import DigestManifest, PackageName, SnapshotManifest, sha256_hex, write_content
from juki.reasons import Code
from juki.records import format_records
from juki.snapshot_digests import record_digest_hex
from juki.snapshot_manifests import PartManifest
from juki.snapshot_requests import SnapshotRequest, Wants
from simulator import pki
from simulator.drafts import Desk

Standing = Callable[[IdentityFile], pa.Table]
"""Gives the true standing records of a file with their sender_code, as `World.standing` does."""
Sealed = tuple[PackageName, bytes]
"""A package ready to be laid out."""


class SnapshotFault(StrEnum):
    """A fault of an answer on demand."""

    NEVER_ANSWERED = "never-answered"
    PART_MISSING = "part-missing"
    """The last part, which may be the only one, is held back until the office heals."""
    PART_AGAIN = "part-again"
    ANY_ORDER = "any-order"
    FORGED = "forged"
    OTHER_MUNICIPALITY = "other-municipality"
    """The neighbour's own answer, under the names expected here."""
    OTHER_FILE = "other-file"
    """The answer for the other file, under the names expected here."""
    STALE = "stale"
    REPLAYED = "replayed"
    """The answer before this one once more; nothing when there is none."""
    HALF = "half"
    """The first half of the records, as if they were all."""
    EMPTY = "empty"
    """No records, as if there were none."""
    DUPLICATE = "duplicate"
    NOT_SORTED = "not-sorted"


EXPECTED: dict[SnapshotFault, Code | None] = {
    SnapshotFault.NEVER_ANSWERED: Code.SNAPSHOT_NOT_ANSWERED,
    SnapshotFault.PART_MISSING: Code.SNAPSHOT_INCOMPLETE,
    SnapshotFault.PART_AGAIN: None,
    SnapshotFault.ANY_ORDER: None,
    SnapshotFault.FORGED: Code.PACKAGE_CERTIFICATE_CHAIN,
    SnapshotFault.OTHER_MUNICIPALITY: Code.PACKAGE_SIGNER_UNREGISTERED,
    SnapshotFault.OTHER_FILE: Code.PACKAGE_BINDING,
    SnapshotFault.STALE: Code.SNAPSHOT_STALE,
    SnapshotFault.REPLAYED: Code.SNAPSHOT_STALE,
    # Only a comparison can tell: the first two by the bound on what may change, the last as a difference.
    SnapshotFault.HALF: None,
    SnapshotFault.EMPTY: None,
    SnapshotFault.DUPLICATE: None,
    SnapshotFault.NOT_SORTED: Code.SNAPSHOT_NOT_SORTED,
}
"""What must be seen of each fault before anything is compared; None: nothing."""


@dataclass(frozen=True, slots=True)
class SnapshotDraft:
    """One part before it is sealed."""

    name: PackageName
    manifest: PartManifest
    table: pa.Table

    def content(self, **said: object) -> bytes:
        """Write manifest and CSV; `said` makes the manifest say something else."""
        csv = format_records(self.table)
        true = replace(self.manifest, records=self.table.num_rows, sha256=sha256_hex(csv))
        return write_content(replace(true, **said), csv)  # type: ignore[arg-type] # any key of the manifest


@dataclass(frozen=True, slots=True)
class Occasion:
    """What an answer is made from: who asked for what, the truth, and where the office stands.

    Units: `watermark` is the number of the last notice published in the file, `first_sequence` the one of part 1.
    """

    request: SnapshotRequest
    standing: Standing
    desk: Desk
    as_of: datetime
    watermark: int
    first_sequence: int
    part_records: int

    @property
    def code(self) -> str:
        """The municipality that answers."""
        return self.desk.office.municipality_code

    def records(self, file: IdentityFile, code: str) -> pa.Table:
        """Give the true records of one municipality and file: RECORD_COLUMNS, sorted."""
        table = self.standing(file)
        return table.filter(pc.equal(table.column("sender_code"), code)).select(RECORD_COLUMNS[file])


def drafts(occasion: Occasion, records: pa.Table) -> list[SnapshotDraft]:
    """Cut records into the parts of an answer; without any there is one part with none."""
    request, size = occasion.request, occasion.part_records
    file = IdentityFile.RESIDENT if "individual_number" in records.column_names else IdentityFile.FUHYO
    rows = _digests(records, file) if request.wants is Wants.DIGEST else records
    starts = range(0, max(rows.num_rows, 1), size)
    form = DigestManifest if request.wants is Wants.DIGEST else SnapshotManifest
    return [
        SnapshotDraft(
            PackageName(occasion.code, request.file, request.wants.kind, occasion.first_sequence + position),
            form(
                municipality_code=occasion.code, file=request.file, recipient=request.requester,
                sequence=occasion.first_sequence + position, as_of=occasion.as_of,
                watermark=occasion.watermark, part=position + 1, parts=len(starts), records=0,
                created_at=occasion.as_of, sha256=sha256_hex(b""),
            ),
            rows.slice(start, size),
        )
        for position, start in enumerate(starts)
    ]  # fmt: skip


def answer(occasion: Occasion, fault: SnapshotFault | None = None) -> Iterator[Sealed]:
    """Seal the packages of an answer one by one, in the order they are laid out.

    What is withheld or was sent before (NEVER_ANSWERED, PART_MISSING, REPLAYED) is for the office to keep back:
    here the answer is good.
    """
    made = drafts(_told(occasion, fault), _spoilt(_records(occasion, fault), fault))
    if fault is SnapshotFault.ANY_ORDER:
        made.reverse()
    if fault is SnapshotFault.PART_AGAIN:
        made.append(made[0])
    for draft in made:
        yield draft.name, _sealed(draft, occasion, fault)


def _records(occasion: Occasion, fault: SnapshotFault | None) -> pa.Table:
    file, code = occasion.request.file, occasion.code
    if fault is SnapshotFault.OTHER_FILE:
        return occasion.records(_other(file), code)
    if fault is SnapshotFault.OTHER_MUNICIPALITY:
        assert occasion.desk.neighbour
        return occasion.records(file, occasion.desk.neighbour.municipality_code)
    return occasion.records(file, code)


def _told(occasion: Occasion, fault: SnapshotFault | None) -> Occasion:
    """Let a stale answer be of the day before the request."""
    if fault is SnapshotFault.STALE:
        return replace(occasion, as_of=occasion.request.requested_at - timedelta(days=1))
    return occasion


def _spoilt(records: pa.Table, fault: SnapshotFault | None) -> pa.Table:
    """Let records be lost, doubled or turned round."""
    rows = np.arange(records.num_rows)
    if fault is SnapshotFault.HALF:
        rows = rows[: len(rows) // 2]
    elif fault is SnapshotFault.EMPTY:
        rows = rows[:0]
    elif fault is SnapshotFault.DUPLICATE:
        rows = np.insert(rows, 0, rows[:1])
    elif fault is SnapshotFault.NOT_SORTED:
        rows[:2] = rows[:2][::-1]
    return records.take(pa.array(rows))


def _sealed(draft: SnapshotDraft, occasion: Occasion, fault: SnapshotFault | None) -> bytes:
    desk = occasion.desk
    if fault is SnapshotFault.FORGED:
        stranger = pki.issue(pki.make_root(), occasion.code, desk.office.signer.key)
        return desk.seal(draft.content(), stranger)
    if fault is SnapshotFault.OTHER_MUNICIPALITY:
        assert desk.neighbour
        said = draft.content(municipality_code=desk.neighbour.municipality_code)
        return desk.seal(said, desk.neighbour.signer)
    if fault is SnapshotFault.OTHER_FILE:
        return desk.seal(draft.content(file=_other(draft.name.file)))
    return desk.seal(draft.content())


def _digests(records: pa.Table, file: IdentityFile) -> pa.Table:
    digests = record_digest_hex(records, RECORD_COLUMNS[file])
    return pa.table({"resident_code": records.column("resident_code"), "digest": digests})


def _other(file: IdentityFile) -> IdentityFile:
    return IdentityFile.FUHYO if file is IdentityFile.RESIDENT else IdentityFile.RESIDENT
