"""A municipality's desk: what it writes into a package, and how it seals it.

Leaves:     numbering and laying out to `simulator.office`, everything wrong to `simulator.faults`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa
from cryptography import x509

from juki.packages import NoticeManifest, PackageName, sha256_hex, write_content
from juki.records import format_records
from juki.wire.envelope import Sender
from simulator import pki
from simulator.sealing import Sealer, seal


@dataclass(frozen=True, slots=True)
class Prefecture:
    """What an office knows of the prefecture: its code, where to encrypt to, and who signs its receipts."""

    code: str
    certificate: x509.Certificate
    sender: Sender


@dataclass(frozen=True, slots=True)
class Draft:
    """A package of change notices before it is sealed."""

    name: PackageName
    table: pa.Table
    created_at: datetime
    recipient: str

    def content(self, **said: object) -> bytes:
        """Write manifest and CSV; `said` makes the manifest say something else."""
        csv = format_records(self.table)
        numbers = self.table.column("notice_no")
        manifest = NoticeManifest(
            municipality_code=self.name.municipality_code,
            file=self.name.file,
            recipient=self.recipient,
            sequence=self.name.sequence,
            first_notice_no=int(numbers[0].as_py()),
            last_notice_no=int(numbers[-1].as_py()),
            records=self.table.num_rows,
            created_at=self.created_at,
            sha256=sha256_hex(csv),
        )
        return write_content(replace(manifest, **said), csv)  # type: ignore[arg-type] # any key of the manifest


@dataclass(frozen=True, slots=True)
class Desk:
    """What a municipality seals with.

    `neighbour` and `authority` are there for the faults only: another municipality's identities, and the
    authority that can issue an expired certificate.
    """

    office: pki.Office
    prefecture: Prefecture
    sealer: Sealer = Sealer.OURS
    neighbour: pki.Office | None = None
    authority: pki.Identity | None = None

    def seal(self, content: bytes, signer: pki.Identity | None = None) -> bytes:
        """Seal for the prefecture, signed by the office unless somebody else is to sign."""
        return seal(content, signer or self.office.signer, self.prefecture.certificate, self.sealer)
