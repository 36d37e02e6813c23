"""From a file in the spool to notices that may be judged: open, bind, parse, hold to the contract.

Decides:    the order of the steps: nothing is parsed before signature, recipient and binding hold.
Leaves:     each step to the module that knows it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from config.identities import recipient_keys
from juki.columns import Layout, columns_of
from juki.errors import ContractError
from juki.findings import Findings
from juki.known import Notices, notices_of
from juki.order import Channel
from juki.packages import (
    NoticeManifest,
    PackageName,
    check_binding,
    check_count,
    check_name,
    check_notice_numbers,
    read_notice_package,
)
from juki.reasons import Code
from juki.records import parse_records
from juki.store.packages import Package
from juki.wire.envelope import open_envelope
from tasks import clock
from tasks.workshop import Keyring, Received, Workshop
from validations.contracts import check_records


@dataclass(frozen=True, slots=True)
class Opened:
    """A package whose envelope, signature and binding hold; `csv` is not parsed yet."""

    name: PackageName
    manifest: NoticeManifest
    content_sha256: bytes
    csv: memoryview


def open_package(shop: Workshop, channel: Channel, package: Package, sealed: bytes) -> Opened:
    """Decrypt, verify and bind a package to its channel.

    Raises: SourceError or ContractError with the code of the first thing that does not hold;
            ConfigurationError when our own revocation lists can not tell, and then the package is to wait.
    """
    name = PackageName.parse(package.file_name)
    content = open_content(shop, channel, name, sealed, package.received_at)
    manifest, csv = read_notice_package(name, content)
    check_binding(name, manifest, channel.municipality_code, shop.settings.prefecture_code)
    return Opened(name, manifest, hashlib.sha256(content).digest(), csv)


def open_content(
    shop: Workshop, channel: Channel, name: PackageName, sealed: bytes, received_at: datetime
) -> bytes:
    """Decrypt and verify what a channel sent under a name; nothing of the content is read yet.

    Raises: SourceError with the code of the first thing that does not hold,
            ConfigurationError when our own revocation lists can not tell, and then the package is to wait.
    """
    check_name(name, channel.municipality_code)
    return open_envelope(
        sealed, recipient=recipient_keys(shop.home), sender=shop.sender(channel),
        at=received_at, checked_at=clock.now(),
    )  # fmt: skip


def check_continues(opened: Opened, last_notice_no: int) -> None:
    """Refuse a package whose notices do not continue where the last one ended (PACKAGE_NOTICE_NO)."""
    if opened.manifest.first_notice_no != last_notice_no + 1:
        raise ContractError(Code.PACKAGE_NOTICE_NO, str(opened.name))


def check_notices(
    shop: Workshop, channel: Channel, package: Package, opened: Opened, keys: Keyring
) -> tuple[Notices, Findings]:
    """Parse the records and hold them to their contract.

    Raises: ContractError when the package as a whole breaks its layout.
    """
    return hold_to_contract(shop, channel, package, _records(channel, opened), keys)


def hold_to_contract(
    shop: Workshop, channel: Channel, package: Received, table: pa.Table, keys: Keyring
) -> tuple[Notices, Findings]:
    """Hold records of a package to their contract and prepare them for judging.

    Shape: `table` has the notice columns of the file as text, one record at least.
    """
    findings = check_records(Layout.NOTICE, channel.file, table, shop.record_context(channel, package))
    notices = notices_of(
        channel.file, channel.municipality_code, table, ~findings.blocked, package.received_at, keys.digest
    )
    return notices, findings


def _records(channel: Channel, opened: Opened) -> pa.Table:
    table = parse_records(opened.csv, columns_of(Layout.NOTICE, channel.file))
    check_count(opened.name, opened.manifest, table.num_rows)
    check_notice_numbers(opened.name, opened.manifest, table.column("notice_no"))
    return table
