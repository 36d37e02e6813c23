"""The report a municipality gets of a reconciliation: its content is fixed when it ends, delivered afterwards."""

from __future__ import annotations

from datetime import datetime

from config.identities import receipt_certificate_of, signing_identity
from juki.difference_reports import write_report
from juki.errors import StoreError
from juki.journal import Action
from juki.order import Channel
from juki.packages import DifferencesManifest, PackageKind, PackageName
from juki.reasons import Code
from juki.store.reconciliations import Reconciliation, Report
from juki.store.unit import Unit, open_unit
from juki.wire.envelope import seal_envelope
from juki.wire.sftp import connect
from tasks import clock
from tasks.entries import channel_entry
from tasks.workshop import Workshop


def report_of(shop: Workshop, unit: Unit, ended: Reconciliation, at: datetime) -> Report:
    """Write the content of the report on a reconciliation that is about to end: codes and columns, no values."""
    if ended.as_of is None or ended.watermark is None:
        raise StoreError(Code.STORE_CONFLICT, "reconciliation")
    code = ended.channel.municipality_code
    report_no = unit.reconciliations.next_report_no(code)
    manifest = DifferencesManifest(
        municipality_code=code,
        file=ended.channel.file,
        sender=shop.settings.prefecture_code,
        recipient=code,
        sequence=report_no,
        as_of=ended.as_of,
        watermark=ended.watermark,
        is_equal=bool(ended.is_equal),
        records=0,
        created_at=at,
        sha256="",
    )
    content = write_report(manifest, unit.differences.seen_in(ended.reconciliation_id))
    return Report(ended.reconciliation_id, report_no, content)


def deliver_reports(shop: Workshop, channel: Channel) -> None:
    """Seal and deliver the reports that are due, those of earlier runs included."""
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        due = unit.reconciliations.reports_due(channel.municipality_code)
    if not due:
        return
    recipient = receipt_certificate_of(shop.home, shop.municipalities.of(channel.municipality_code))
    signer = signing_identity(shop.home)
    with connect(shop.endpoint(channel)) as session:
        for report in due:
            kind = PackageKind.DIFFERENCES
            name = str(PackageName(channel.municipality_code, channel.file, kind, report.report_no))
            content = seal_envelope(report.content, signer=signer, recipient_certificate=recipient)
            session.deliver(name, content)
            _note(shop, channel, report.reconciliation_id, name)


def _note(shop: Workshop, channel: Channel, reconciliation_id: int, name: str) -> None:
    """Note what lies there: whoever is killed before delivers the same report again."""
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        unit.reconciliations.report_sent(reconciliation_id, clock.now())
        unit.journal.append(channel_entry(channel, Action.REPORT_DELIVERED, package=name), clock.now())
