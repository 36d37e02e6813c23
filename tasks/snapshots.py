"""A part of a snapshot from the spool to records that may be compared: open, bind, parse, hold to the contract.

Decides:    the order of the steps: nothing is parsed before signature, recipient and binding hold.
Leaves:     each step to the module that knows it; what the parts make together to `juki.snapshots`, waiting and
            comparing to the flow.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from juki.columns import Layout, columns_of
from juki.findings import Findings
from juki.order import Channel
from juki.packages import (
    PackageKind,
    PackageName,
    check_binding,
    check_count,
    read_digest_package,
    read_snapshot_package,
)
from juki.records import parse_records
from juki.snapshot_digests import check_digests
from juki.snapshot_manifests import MAX_SNAPSHOT_RECORDS, PartManifest
from juki.snapshot_requests import SnapshotRequest, Wants
from juki.snapshots import ArrivedPart, check_order
from tasks.opening import open_content
from tasks.workshop import Workshop
from validations.contracts import check_records


@dataclass(frozen=True, slots=True, repr=False)
class OpenedPart:
    """A part whose envelope, signature and binding hold; `csv` is not parsed yet."""

    name: PackageName
    manifest: PartManifest
    csv: memoryview
    file_sha256: bytes
    received_at: datetime

    @property
    def arrived(self) -> ArrivedPart:
        """The part as the rules see it, without its content: a whole snapshot need not be held at once."""
        return ArrivedPart(self.name, self.manifest, self.file_sha256, self.received_at)


def request_of(shop: Workshop, channel: Channel, wants: Wants, at: datetime) -> SnapshotRequest:
    """Write the request of this prefecture to a municipality, as of an instant."""
    return SnapshotRequest(channel.municipality_code, channel.file, shop.settings.prefecture_code, at, wants)


def open_part(
    shop: Workshop, channel: Channel, name: PackageName, sealed: bytes, received_at: datetime
) -> OpenedPart:
    """Decrypt, verify and bind a part of a snapshot, or of its digests, to its channel.

    Raises: SourceError and ContractError with the code of the first thing that does not hold,
            ConfigurationError when our own revocation lists can not tell.
    """
    content = open_content(shop, channel, name, sealed, received_at)
    read = read_digest_package if name.kind is PackageKind.DIGEST else read_snapshot_package
    manifest, csv = read(name, content)
    check_binding(name, manifest, channel.municipality_code, shop.settings.prefecture_code)
    return OpenedPart(name, manifest, csv, hashlib.sha256(sealed).digest(), received_at)


def parse_part(opened: OpenedPart) -> pa.Table:
    """Read the records of a part, or the digests of one.

    Shape:  the columns of its layout as text, in canonical order, sorted by resident_code; possibly no rows.
    Raises: ContractError(PACKAGE_COLUMNS, PACKAGE_CSV, PACKAGE_COUNT, PACKAGE_TOO_MANY_RECORDS,
            SNAPSHOT_NOT_SORTED, SNAPSHOT_DIGEST_FORM).
    """
    layout = Layout(opened.name.kind.value)
    columns = columns_of(layout, opened.name.file)
    table = parse_records(opened.csv, columns, max_records=MAX_SNAPSHOT_RECORDS)
    check_count(opened.name, opened.manifest, table.num_rows)
    check_order(opened.name, table.column("resident_code"))
    if layout is Layout.DIGEST:
        check_digests(opened.name, table.column("digest"))
    return table


def check_snapshot_records(
    shop: Workshop, channel: Channel, part: ArrivedPart, records: pa.Table
) -> Findings:
    """Hold records of a snapshot to their contract, and say what was found without any value.

    Shape: `records` in RECORD_COLUMNS, all text; `part` says when they came.
    """
    context = shop.context_of(channel, str(part.name), part.received_at)
    return check_records(Layout.SNAPSHOT, channel.file, records, context)
