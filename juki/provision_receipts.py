"""The receipt of a recipient (`juki-provision-receipt/1`): one line that names a package and its digest.

Decides:    its form and its file name (docs/formats/provision-receipt.md), and whether it fits what was delivered.
Leaves:     signature and envelope to `juki.wire`, what follows from it to `juki.holds`.
Invariants: a receipt is about one delivered package of the very recipient that signed it, by its bytes; anything
            else is refused by a code and changes nothing.
Source:     docs/formats/provision-receipt.md, M12.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from juki.columns import IdentityFile
from juki.errors import ContractError
from juki.holds import Hold
from juki.manifest_line import MAX_SEQUENCE, SHA256, Fields, write_line
from juki.package_id import PackageId
from juki.provisions import ProvisionState
from juki.reasons import Code

MAX_RECEIPT_BYTES = 64 * 1024
"""A sealed line with its certificates is about 5 KiB."""
_PROVISION = re.compile(r"[RF][1-9][0-9]{0,17}")
_RECIPIENT = re.compile(r"[a-z][a-z0-9_]{1,31}")


def receipt_form(recipient: str) -> re.Pattern[str]:
    """Tell what the file of a receipt is called: `<recipient>-<file>-receipt-<sequence, 8 digits>.p7m`."""
    files = "|".join(file.value for file in IdentityFile)
    return re.compile(rf"{re.escape(recipient)}-({files})-receipt-([0-9]{{8}})\.p7m")


def receipt_name(recipient: str, provision: PackageId, sequence: int) -> str:
    """Name the file of a receipt, as the recipient does."""
    return f"{recipient}-{provision.file.value}-receipt-{sequence:08d}.p7m"


@dataclass(frozen=True, slots=True)
class ProvisionReceipt:
    """What a recipient says it got: which package, by its place and by the digest of the sealed file."""

    FORMAT: ClassVar[str] = "juki-provision-receipt/1"

    recipient: str
    provision_id: str
    sequence: int
    sha256: str
    received_at: datetime

    @property
    def provision(self) -> PackageId:
        """The provision it is about."""
        return PackageId.parse(self.provision_id)

    @classmethod
    def parse(cls, content: bytes, ref: str) -> ProvisionReceipt:
        """Read a receipt; ContractError(RECEIPT_FORM) unless it is one."""
        fields = Fields(content, cls, ref, Code.RECEIPT_FORM)
        return cls(
            recipient=fields.text("recipient", _RECIPIENT),
            provision_id=fields.text("provision_id", _PROVISION),
            sequence=fields.number("sequence", 1, MAX_SEQUENCE),
            sha256=fields.text("sha256", SHA256),
            received_at=fields.instant("received_at"),
        )

    def line(self) -> bytes:
        """Write a receipt as a recipient does."""
        return write_line(self)

    def check(self, file_name: str, hold: Hold | None) -> None:
        """Hold a receipt to its file name and to the package it is about.

        Raises: ContractError(RECEIPT_FORM, RECEIPT_OTHER_RECIPIENT, RECEIPT_OTHER_CONTENT, RECEIPT_REPEATED,
                PROVISION_NOT_DELIVERED).
        """
        if file_name != receipt_name(self.recipient, self.provision, self.sequence):
            raise ContractError(Code.RECEIPT_FORM, file_name)
        code = self._refusal(hold)
        if code is not None:
            raise ContractError(code, file_name)

    def _refusal(self, hold: Hold | None) -> Code | None:
        if hold is None or (hold.recipient, hold.sequence) != (self.recipient, self.sequence):
            return Code.RECEIPT_OTHER_RECIPIENT
        if hold.package_sha256 != bytes.fromhex(self.sha256):
            return Code.RECEIPT_OTHER_CONTENT
        if hold.receipt_at is not None:
            return Code.RECEIPT_REPEATED
        return None if hold.state is ProvisionState.DELIVERED else Code.PROVISION_NOT_DELIVERED
