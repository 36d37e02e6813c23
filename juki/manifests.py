"""The manifests of change notices and of receipts: what each must say.

Decides:    which keys each format has and what a value may look like.
Leaves:     reading and writing of the line itself to `juki.manifest_line`, snapshots and their reports to
            `juki.snapshot_manifests`, file names and the binding of name, manifest and endpoint to
            `juki.packages`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from juki.columns import IdentityFile
from juki.manifest_line import (
    MAX_MANIFEST_BYTES,
    MAX_NOTICE_NO,
    MAX_SEQUENCE,
    MUNICIPALITY,
    SHA256,
    Fields,
    write_line,
)

__all__ = [
    "MAX_MANIFEST_BYTES",
    "MAX_NOTICE_NO",
    "MAX_RECEIPT_LINES",
    "MAX_SEQUENCE",
    "NoticeManifest",
    "PackageVerdict",
    "ReceiptManifest",
]

MAX_RECEIPT_LINES = 1_000_000
"""Lines of one receipt: a notice has one for each finding, so there may be more than notices."""

_SHA256_OR_NONE = re.compile(r"(?:[0-9a-f]{64})?")
_CODE_OR_NONE = re.compile(r"(?:[a-z_]{1,40}\.[a-z_]{1,60})?")


class PackageVerdict(StrEnum):
    """What became of a package as a whole; the verdicts of its records are in the CSV part of the receipt."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class NoticeManifest:
    """The manifest of change notices (`juki-notice/1`): numbers are of one municipality and file."""

    FORMAT: ClassVar[str] = "juki-notice/1"

    municipality_code: str
    file: IdentityFile
    recipient: str
    sequence: int
    first_notice_no: int
    last_notice_no: int
    records: int
    created_at: datetime
    sha256: str

    @classmethod
    def parse(cls, line: bytes, ref: str = "") -> NoticeManifest:
        """Read the line of the package `ref`; ContractError(PACKAGE_MANIFEST) for anything unspecified."""
        keys = Fields(line, cls, ref)
        manifest = cls(
            municipality_code=keys.text("municipality_code", MUNICIPALITY),
            file=keys.file(),
            recipient=keys.text("recipient", MUNICIPALITY),
            sequence=keys.number("sequence", 1, MAX_SEQUENCE),
            first_notice_no=keys.number("first_notice_no", 1, MAX_NOTICE_NO),
            last_notice_no=keys.number("last_notice_no", 1, MAX_NOTICE_NO),
            records=keys.records(1),
            created_at=keys.instant("created_at"),
            sha256=keys.text("sha256", SHA256),
        )
        if manifest.last_notice_no - manifest.first_notice_no + 1 != manifest.records:
            keys.refuse()
        return manifest

    def line(self) -> bytes:
        """Write the manifest as its one line, LF included."""
        return write_line(self)


@dataclass(frozen=True, slots=True)
class ReceiptManifest:
    """The manifest of our answer to one package (`juki-receipt/1`, docs/formats/receipt.md).

    `sequence` and `package_sha256` are those of the answered package (`package_sha256` is the `sha256` of its
    manifest, empty if none could be read); `code` and `message` say why a package was refused.
    """

    FORMAT: ClassVar[str] = "juki-receipt/1"

    municipality_code: str
    file: IdentityFile
    sender: str
    recipient: str
    sequence: int
    package_sha256: str
    verdict: PackageVerdict
    code: str
    message: str
    records: int
    created_at: datetime
    sha256: str

    @classmethod
    def parse(cls, line: bytes, ref: str = "") -> ReceiptManifest:
        """Read the line of the receipt `ref`; ContractError(PACKAGE_MANIFEST) when it is not one."""
        keys = Fields(line, cls, ref)
        verdict = keys.text("verdict", re.compile("accepted|refused"))
        return cls(
            municipality_code=keys.text("municipality_code", MUNICIPALITY),
            file=keys.file(),
            sender=keys.text("sender", MUNICIPALITY),
            recipient=keys.text("recipient", MUNICIPALITY),
            sequence=keys.number("sequence", 1, MAX_SEQUENCE),
            package_sha256=keys.text("package_sha256", _SHA256_OR_NONE),
            verdict=PackageVerdict(verdict),
            code=keys.text("code", _CODE_OR_NONE),
            message=keys.text("message", re.compile(r"[^\x00-\x1f\ud800-\udfff]{0,400}")),
            records=keys.records(0, MAX_RECEIPT_LINES),
            created_at=keys.instant("created_at"),
            sha256=keys.text("sha256", SHA256),
        )

    def line(self) -> bytes:
        """Write the manifest as its one line, LF included."""
        return write_line(self)
