"""Receipts: the content is fixed when a package is settled, sealed and delivered afterwards."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
from prefect import task

from config.identities import receipt_certificate_of, signing_identity
from juki.journal import Action
from juki.order import Channel
from juki.packages import (
    RECEIPT_COLUMNS,
    PackageKind,
    PackageName,
    PackageVerdict,
    ReceiptManifest,
    sha256_hex,
    write_content,
)
from juki.reasons import Code
from juki.records import format_records
from juki.store.packages import Package, Receipt
from juki.store.unit import open_unit
from juki.wire.envelope import seal_envelope
from juki.wire.sftp import ServerSession, connect
from tasks import clock
from tasks.boundary import UNIT_OF_WORK, sealed
from tasks.entries import channel_entry
from tasks.opening import Opened
from tasks.workshop import Workshop

_NO_RECORDS = pa.table({name: pa.array([], pa.string()) for name in RECEIPT_COLUMNS})


def accepted(shop: Workshop, channel: Channel, opened: Opened, records: pa.Table, at: datetime) -> bytes:
    """Write the content of the receipt of an applied package."""
    return _content(shop, channel, opened.name.sequence, opened.manifest.sha256, None, records, at)


def refused(shop: Workshop, channel: Channel, package: Package, code: Code, at: datetime) -> bytes:
    """Write the content of the receipt of a package that was refused as a whole."""
    return _content(shop, channel, package.sequence, "", code, _NO_RECORDS, at)


def _content(
    shop: Workshop, channel: Channel, sequence: int, package_sha256: str, code: Code | None,
    records: pa.Table, at: datetime,
) -> bytes:  # fmt: skip
    csv = format_records(records)
    manifest = ReceiptManifest(
        municipality_code=channel.municipality_code,
        file=channel.file,
        sender=shop.settings.prefecture_code,
        recipient=channel.municipality_code,
        sequence=sequence,
        package_sha256=package_sha256,
        verdict=PackageVerdict.REFUSED if code else PackageVerdict.ACCEPTED,
        code=code.value if code else "",
        message=code.message if code else "",
        records=records.num_rows,
        created_at=at,
        sha256=sha256_hex(csv),
    )
    return write_content(manifest, csv)


@task(name="受領書の送付", **UNIT_OF_WORK)
@sealed
def deliver_receipts(channel: Channel) -> int:
    """Seal and deliver the answers that are due, and say how many there were."""
    shop = Workshop.open()
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        due = unit.packages.receipts_due(channel.municipality_code)
    if due:
        with connect(shop.endpoint(channel)) as session:
            for receipt in due:
                _deliver(shop, channel, session, receipt)
    return len(due)


def _deliver(shop: Workshop, channel: Channel, session: ServerSession, receipt: Receipt) -> None:
    """Deliver one answer, then note it: whoever is killed in between delivers the same answer again."""
    name = str(PackageName(channel.municipality_code, channel.file, PackageKind.RECEIPT, receipt.sequence))
    recipient = receipt_certificate_of(shop.home, shop.municipalities.of(channel.municipality_code))
    signer = signing_identity(shop.home)
    session.deliver(name, seal_envelope(receipt.content, signer=signer, recipient_certificate=recipient))
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        unit.packages.receipt_sent(receipt.package_id, clock.now())
        entry = channel_entry(channel, Action.RECEIPT_DELIVERED, package=name, package_id=receipt.package_id)
        unit.journal.append(entry, clock.now())
