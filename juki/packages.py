"""A package as municipalities and we exchange it: its name, its content, and what must agree.

Decides:    the form of a file name, where the manifest ends and the CSV begins, the limits, and whether file
            name, manifest and endpoint name the same municipality, file, kind and sequence (measure M2).
Leaves:     the manifests to `juki.manifests` and `juki.snapshot_manifests`, the CSV to `juki.records`, the
            envelope to `juki.wire`.
Invariants: the CSV is handed on only when its SHA-256 is the one of the manifest; it is never copied.
Source:     spec/packages.md sections 1 and 2.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol, Self, TypeVar

import numpy as np
import pyarrow as pa

from juki.columns import IdentityFile
from juki.errors import ContractError, SourceError
from juki.manifest_line import MAX_MANIFEST_BYTES, MAX_SEQUENCE
from juki.manifests import MAX_RECEIPT_LINES, NoticeManifest, PackageVerdict, ReceiptManifest
from juki.reasons import Code
from juki.records import MAX_RECORDS
from juki.snapshot_manifests import DifferencesManifest, DigestManifest, SnapshotManifest

__all__ = [
    "MAX_CONTENT_BYTES",
    "MAX_FILE_BYTES",
    "MAX_RECEIPT_LINES",
    "MAX_RECORDS",
    "RECEIPT_COLUMNS",
    "DifferencesManifest",
    "DigestManifest",
    "Manifest",
    "NoticeManifest",
    "PackageKind",
    "PackageName",
    "PackageVerdict",
    "ReceiptManifest",
    "RecordVerdict",
    "SnapshotManifest",
    "check_binding",
    "check_count",
    "check_name",
    "check_notice_numbers",
    "kind_of",
    "read_digest_package",
    "read_notice_package",
    "read_package",
    "read_receipt_package",
    "read_snapshot_package",
    "sha256_hex",
    "split_content",
    "write_content",
]

MAX_CONTENT_BYTES = 64 * 1024 * 1024
"""Manifest and CSV together (spec/packages.md section 2)."""
MAX_FILE_BYTES = MAX_CONTENT_BYTES + 64 * 1024
"""The sealed file: the envelope adds a few KiB of certificates, keys and names."""

RECEIPT_COLUMNS = ("notice_no", "verdict", "code", "column", "message")
"""The CSV part of a receipt, one line per notice and finding (spec/packages.md section 4)."""


class PackageKind(StrEnum):
    """What a package holds; the value is the word in its file name."""

    NOTICE = "notice"
    SNAPSHOT = "snapshot"
    DIGEST = "digest"
    RECEIPT = "receipt"
    JLIS = "jlis"
    DIFFERENCES = "differences"
    PROVISION = "provision"


_NAME = re.compile(rf"([0-9]{{6}})-(resident|fuhyo)-({'|'.join(PackageKind)})-([0-9]{{8}})\.p7m")


class Manifest(Protocol):
    """What every manifest says, whatever its package holds; `recipient` is whom the package is for."""

    FORMAT: ClassVar[str]

    @property
    def municipality_code(self) -> str: ...
    @property
    def file(self) -> IdentityFile: ...
    @property
    def recipient(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def records(self) -> int: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def sha256(self) -> str: ...

    @classmethod
    def parse(cls, line: bytes, ref: str = "") -> Self: ...
    def line(self) -> bytes: ...


M = TypeVar("M", bound=Manifest)
_KINDS = {f"juki-{kind}/1": kind for kind in PackageKind}
"""The word of a kind stands in the file name and in the format of its manifest."""


class RecordVerdict(StrEnum):
    """What became of one notice of a package, as its receipt says it (spec/packages.md section 4)."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_ALERT = "accepted_with_alert"
    REJECTED = "rejected"
    REPEAT = "repeat"


@dataclass(frozen=True, slots=True, order=True)
class PackageName:
    """The name of a package's file, `352039-resident-notice-00000017.p7m`; sorts in channel order."""

    municipality_code: str
    file: IdentityFile
    kind: PackageKind
    sequence: int

    def __str__(self) -> str:
        return f"{self.municipality_code}-{self.file}-{self.kind}-{self.sequence:08d}.p7m"

    @classmethod
    def parse(cls, text: str) -> PackageName:
        """Read a file name; SourceError(PACKAGE_FILE_NAME) unless it is exactly of the form."""
        # The pattern names [0-9] because \d would also let full-width digits through.
        match = _NAME.fullmatch(text)
        if match is None or not 1 <= int(match[4]) <= MAX_SEQUENCE:
            raise SourceError(Code.PACKAGE_FILE_NAME)
        return cls(match[1], IdentityFile(match[2]), PackageKind(match[3]), int(match[4]))


def sha256_hex(data: bytes | memoryview) -> str:
    """Name bytes by their SHA-256, in lower-case hexadecimal as manifests write it."""
    return hashlib.sha256(data).hexdigest()


def split_content(content: bytes | memoryview) -> tuple[bytes, memoryview]:
    """Split a content into its manifest line (LF included) and a view of the CSV; nothing is parsed.

    Raises: ContractError(PACKAGE_TOO_LARGE) beyond 64 MiB, ContractError(PACKAGE_MANIFEST) when no LF ends
            a line within the first 4 KiB.
    """
    if len(content) > MAX_CONTENT_BYTES:
        raise ContractError(Code.PACKAGE_TOO_LARGE)
    head = bytes(content[:MAX_MANIFEST_BYTES])
    end = head.find(b"\n") + 1
    if not end:
        raise ContractError(Code.PACKAGE_MANIFEST)
    return head[:end], memoryview(content)[end:]


def write_content(manifest: Manifest, csv: bytes) -> bytes:
    """Join a manifest and its CSV into the content of a package; the caller set `sha256` and `records`."""
    return manifest.line() + csv


def read_package(name: PackageName, content: bytes | memoryview, form: type[M]) -> tuple[M, memoryview]:
    """Read the manifest of the one format expected and hand on the CSV it describes, not yet parsed.

    Raises: ContractError(PACKAGE_TOO_LARGE, PACKAGE_MANIFEST, PACKAGE_TOO_MANY_RECORDS, PACKAGE_DIGEST).
    """
    line, csv = split_content(content)
    manifest = form.parse(line, str(name))
    _check_digest(name, manifest.sha256, csv)
    return manifest, csv


def read_notice_package(name: PackageName, content: bytes | memoryview) -> tuple[NoticeManifest, memoryview]:
    """Read change notices, as `read_package` does."""
    return read_package(name, content, NoticeManifest)


def read_receipt_package(
    name: PackageName, content: bytes | memoryview
) -> tuple[ReceiptManifest, memoryview]:
    """Read a receipt, as `read_package` does."""
    return read_package(name, content, ReceiptManifest)


def read_snapshot_package(
    name: PackageName, content: bytes | memoryview
) -> tuple[SnapshotManifest, memoryview]:
    """Read one part of a snapshot, as `read_package` does."""
    return read_package(name, content, SnapshotManifest)


def read_digest_package(name: PackageName, content: bytes | memoryview) -> tuple[DigestManifest, memoryview]:
    """Read one part of the digests of a snapshot, as `read_package` does."""
    return read_package(name, content, DigestManifest)


def kind_of(manifest: Manifest) -> PackageKind:
    """Tell which kind of package a manifest is written for."""
    return _KINDS[manifest.FORMAT]


def check_name(name: PackageName, endpoint_municipality: str) -> None:
    """Refuse a file from the outbox of another municipality than the one it names (PACKAGE_BINDING)."""
    if name.municipality_code != endpoint_municipality:
        raise SourceError(Code.PACKAGE_BINDING, str(name))


def check_binding(name: PackageName, manifest: Manifest, endpoint_municipality: str, recipient: str) -> None:
    """Refuse unless file name, manifest and endpoint agree and the package is for us (PACKAGE_BINDING).

    `recipient` is our own code: the prefecture's, or the municipality's when it reads what we answer.

    The certificate is bound by `juki.wire.envelope.open_envelope`, given the sender of the endpoint.
    """
    check_name(name, endpoint_municipality)
    said = (manifest.municipality_code, manifest.file, kind_of(manifest), manifest.sequence)
    named = (name.municipality_code, name.file, name.kind, name.sequence)
    if said != named or manifest.recipient != recipient:
        raise SourceError(Code.PACKAGE_BINDING, str(name))


def check_count(name: PackageName, manifest: Manifest, records: int) -> None:
    """Refuse a CSV that does not have the number of records its manifest announces (PACKAGE_COUNT)."""
    if records != manifest.records:
        raise ContractError(Code.PACKAGE_COUNT, str(name))


def check_notice_numbers(name: PackageName, manifest: NoticeManifest, notice_nos: pa.ChunkedArray) -> None:
    """Refuse unless the column counts from the first to the last notice, one by one (PACKAGE_COUNT)."""
    check_count(name, manifest, len(notice_nos))
    expected = pa.array(np.arange(manifest.first_notice_no, manifest.last_notice_no + 1)).cast(pa.string())
    if not notice_nos.equals(pa.chunked_array([expected])):
        raise ContractError(Code.PACKAGE_COUNT, str(name))


def _check_digest(name: PackageName, announced: str, csv: memoryview) -> None:
    if not hmac.compare_digest(sha256_hex(csv), announced):
        raise ContractError(Code.PACKAGE_DIGEST, str(name))
