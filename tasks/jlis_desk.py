"""What a task needs to deal with J-LIS: the installation, its registration, its folders.

Decides:    nothing; it carries the values of the configuration to the core.
Invariants: J-LIS is the recipient `jlis` of recipients.toml and nobody else; without it nothing leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.identities import (
    encryption_certificate_of,
    recipient_keys,
    recipient_sender_of,
    signing_identity,
)
from config.recipients import Recipient, arrivals_of, delivery_of, load_recipients
from juki.columns import IdentityFile
from juki.errors import ConfigurationError
from juki.journal import Action, Entry, Outcome
from juki.packages import PackageKind, PackageName
from juki.reasons import Code
from juki.recipients import JLIS_CODE
from juki.wire.envelope import open_envelope, seal_envelope
from tasks import clock
from tasks.boundary import run_actor
from tasks.workshop import Workshop


@dataclass(frozen=True, slots=True)
class JlisDesk:
    """One file's side towards J-LIS."""

    shop: Workshop
    file: IdentityFile
    registered: Recipient

    @classmethod
    def open(cls, file: IdentityFile) -> JlisDesk:
        """Open the installation of this process; ConfigurationError(JLIS_UNREGISTERED) without J-LIS."""
        shop = Workshop.open()
        recipients = load_recipients(shop.home)
        if JLIS_CODE not in recipients.codes:
            raise ConfigurationError(Code.JLIS_UNREGISTERED, shop.home.recipients_file.name)
        return cls(shop, file, recipients.of(JLIS_CODE))

    @property
    def url(self) -> str:
        """Tell where the store of the file is."""
        return self.shop.store_url(self.file)

    @property
    def delivery(self) -> Path:
        """Name the folder packages are put into."""
        return delivery_of(self.shop.home, self.registered)

    @property
    def arrivals(self) -> Path:
        """Name the folder answers and reports are found in."""
        return arrivals_of(self.shop.home, self.registered)

    def package_name(self, sequence: int) -> str:
        """Name the file of a package."""
        code = self.shop.settings.prefecture_code
        return str(PackageName(code, self.file, PackageKind.JLIS, sequence))

    def sealed(self, content: bytes) -> bytes:
        """Sign a content as the prefecture and encrypt it to J-LIS; never twice to the same bytes."""
        certificate = encryption_certificate_of(self.shop.home, self.registered)
        signer = signing_identity(self.shop.home)
        return seal_envelope(content, signer=signer, recipient_certificate=certificate)

    def opened(self, sealed: bytes, received_at: datetime) -> bytes:
        """Open what J-LIS sealed and signed; SourceError when anybody else did."""
        sender = recipient_sender_of(self.shop.home, self.registered)
        keys = recipient_keys(self.shop.home)
        return open_envelope(sealed, recipient=keys, sender=sender, at=received_at, checked_at=clock.now())

    def entry(
        self,
        action: Action,
        package: str,
        outcome: Outcome = Outcome.DONE,
        *,
        code: Code | None = None,
        counts: dict[str, int] | None = None,
        changes_digest: str = "",
        number_accessed: bool = False,
        basis: str = "",
    ) -> Entry:
        """Write the journal entry of what a run did towards J-LIS."""
        return Entry(
            action=action, file=self.file, actor=run_actor(), outcome=outcome, package=package, code=code,
            counts=counts or {}, changes_digest=changes_digest, number_accessed=number_accessed, basis=basis,
        )  # fmt: skip
