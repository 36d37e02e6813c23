"""Packages for J-LIS and files that came from it, for programs: numbers, counts, instants, codes, never a value."""

from __future__ import annotations

from juki.cli.installation import iso
from juki.package_id import PackageId
from juki.store.jlis_messages import MessageRecord
from juki.store.jlis_packages import JlisPackage


def described_package(number: PackageId, one: JlisPackage) -> dict[str, object]:
    """Write a package for programs."""
    return {
        "id": str(number), "file": number.file.value, "sequence": one.sequence,
        "first_update_no": one.first_update_no, "last_update_no": one.last_update_no, "records": one.records,
        "unopened": one.unopened, "content_sha256": one.content_sha256, "file_sha256": one.file_sha256,
        "state": one.state.value, "state_japanese": one.state.japanese,
        "code": one.code.value if one.code else None, "their_code": one.their_code, "attempts": one.attempts,
        "created_at": iso(one.created_at), "delivered_at": iso(one.delivered_at),
        "last_delivered_at": iso(one.last_delivered_at), "answered_at": iso(one.answered_at),
    }  # fmt: skip


def described_message(number: PackageId, one: MessageRecord) -> dict[str, object]:
    """Write a file that came as J-LIS's for programs."""
    return {
        "id": str(number), "file": number.file.value, "kind": one.kind.value, "sequence": one.sequence,
        "file_name": one.file_name, "file_bytes": one.file_bytes, "file_sha256": one.file_sha256,
        "state": one.state.value, "code": one.code.value if one.code else None, "records": one.records,
        "received_at": iso(one.received_at), "seen_at": iso(one.seen_at),
    }  # fmt: skip
