"""The manifests of reconciliation: parts of a snapshot, or of its digests, and our report on the differences.

Decides:    which keys they have, and that a part lies within its parts.
Leaves:     the line itself to `juki.manifest_line`, which parts make one snapshot to `juki.snapshots`.
Invariants: a part may have no records, because a municipality may have none; a watermark of 0 says that
            nothing was ever notified.
Source:     spec/packages.md section 3, docs/formats/snapshot-request.md, docs/formats/differences.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from juki.columns import IdentityFile
from juki.manifest_line import MAX_NOTICE_NO, MAX_SEQUENCE, MUNICIPALITY, SHA256, Fields, write_line

MAX_SNAPSHOT_RECORDS = 50_000
"""Records of one part (spec/packages.md section 3)."""
MAX_PARTS = 10_000
"""Half a thousand million records: no municipality has them."""
MAX_REPORT_LINES = 100_000
"""Lines of one report; whoever has more differences has one, and it is of another kind."""


@dataclass(frozen=True, slots=True)
class PartManifest:
    """What both formats say.

    Units: `as_of` is the instant at which the records stood so; `watermark` the number of the last notice they
           contain (0: none); `part` counts from 1 to `parts`.
    """

    FORMAT: ClassVar[str]

    municipality_code: str
    file: IdentityFile
    recipient: str
    sequence: int
    as_of: datetime
    watermark: int
    part: int
    parts: int
    records: int
    created_at: datetime
    sha256: str

    @classmethod
    def parse(cls, line: bytes, ref: str = "") -> Self:
        """Read the line of the package `ref`; ContractError(PACKAGE_MANIFEST) for anything unspecified."""
        keys = Fields(line, cls, ref)
        parts = keys.number("parts", 1, MAX_PARTS)
        part = keys.number("part", 1, parts)
        return cls(
            municipality_code=keys.text("municipality_code", MUNICIPALITY),
            file=keys.file(),
            recipient=keys.text("recipient", MUNICIPALITY),
            # The parts before it have the sequences before it.
            sequence=keys.number("sequence", part, MAX_SEQUENCE),
            as_of=keys.instant("as_of"),
            watermark=keys.number("watermark", 0, MAX_NOTICE_NO),
            part=part,
            parts=parts,
            records=keys.records(0, MAX_SNAPSHOT_RECORDS),
            created_at=keys.instant("created_at"),
            sha256=keys.text("sha256", SHA256),
        )

    def line(self) -> bytes:
        """Write the manifest as its one line, LF included."""
        return write_line(self)


@dataclass(frozen=True, slots=True)
class SnapshotManifest(PartManifest):
    """The manifest of one part of the records themselves (`juki-snapshot/1`)."""

    FORMAT: ClassVar[str] = "juki-snapshot/1"


@dataclass(frozen=True, slots=True)
class DigestManifest(PartManifest):
    """The manifest of one part of their digests (`juki-digest/1`, docs/formats/digest.md)."""

    FORMAT: ClassVar[str] = "juki-digest/1"


@dataclass(frozen=True, slots=True)
class DifferencesManifest:
    """The manifest of our report on one comparison (`juki-differences/1`, docs/formats/differences.md).

    `sequence` counts our reports to one municipality and file; `as_of` and `watermark` are the snapshot's;
    `is_equal` says that our file is the snapshot, as of its watermark.
    """

    FORMAT: ClassVar[str] = "juki-differences/1"

    municipality_code: str
    file: IdentityFile
    sender: str
    recipient: str
    sequence: int
    as_of: datetime
    watermark: int
    is_equal: bool
    records: int
    created_at: datetime
    sha256: str

    @classmethod
    def parse(cls, line: bytes, ref: str = "") -> DifferencesManifest:
        """Read the line of the report `ref`; ContractError(PACKAGE_MANIFEST) when it is not one."""
        keys = Fields(line, cls, ref)
        return cls(
            municipality_code=keys.text("municipality_code", MUNICIPALITY),
            file=keys.file(),
            sender=keys.text("sender", MUNICIPALITY),
            recipient=keys.text("recipient", MUNICIPALITY),
            sequence=keys.number("sequence", 1, MAX_SEQUENCE),
            as_of=keys.instant("as_of"),
            watermark=keys.number("watermark", 0, MAX_NOTICE_NO),
            is_equal=keys.flag("is_equal"),
            records=keys.records(0, MAX_REPORT_LINES),
            created_at=keys.instant("created_at"),
            sha256=keys.text("sha256", SHA256),
        )

    def line(self) -> bytes:
        """Write the manifest as its one line, LF included."""
        return write_line(self)
