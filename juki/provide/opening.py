"""Open a request: decrypt, verify, read, bind; the same when it comes in and each time it is answered.

Decides:    whose signature a request must bear: its recipient's, or ours where an operator entered it.
Leaves:     the envelope to `juki.wire.envelope`, the form to `juki.requests`.
Invariants: judged as of its receipt, but against the revocation lists of now: a certificate that is revoked before
            the answer is sealed stops it.
Source:     spec/packages.md section 1, docs/formats/request.md, M13.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from juki.errors import SourceError
from juki.reasons import Code
from juki.requests import Request, RequestName, check_binding, parse_request
from juki.wire.envelope import (
    RecipientKeys,
    Sender,
    SigningIdentity,
    fingerprint,
    open_envelope,
    seal_envelope,
)


@dataclass(frozen=True, slots=True)
class Opener:
    """What requests are opened with: our keys, and whose signature they must bear."""

    keys: RecipientKeys
    sender: Sender
    prefecture: str

    def content(self, sealed: bytes, received_at: datetime, checked_at: datetime) -> bytes:
        """Decrypt and verify; nothing is read yet.

        Raises: SourceError with the code of the first thing that does not hold, ConfigurationError when our own
                revocation lists can not tell.
        """
        return open_envelope(
            sealed, recipient=self.keys, sender=self.sender, at=received_at, checked_at=checked_at
        )

    def request(
        self, name: RequestName, sealed: bytes, received_at: datetime, checked_at: datetime
    ) -> Request:
        """Open a request of this name as `content` does, read it and bind it.

        Raises: besides, ContractError(REQUEST_FORM, REQUEST_TOO_MANY_LINES), SourceError(REQUEST_BINDING).
        """
        request = parse_request(self.content(sealed, received_at, checked_at))
        check_binding(name, request, name.recipient, self.prefecture)
        return request


def own_sender(identity: SigningIdentity, prefecture: str) -> Sender:
    """Say that we ourselves may sign: what an operator entered lies here under our own signature."""
    own = identity.certificate
    return Sender(prefecture, frozenset({fingerprint(own)}), (own,))


def sealed_to_ourselves(document: bytes, identity: SigningIdentity, certificate: x509.Certificate) -> bytes:
    """Seal a request an operator entered, so that nothing of it lies in clear."""
    return seal_envelope(document, signer=identity, recipient_certificate=certificate)


def check_encryption(certificate: x509.Certificate, sender: Sender, at: datetime) -> None:
    """Refuse to encrypt to a certificate that is out of its time or revoked.

    Raises: SourceError(PACKAGE_CERTIFICATE_EXPIRED, PACKAGE_CERTIFICATE_REVOKED).
    """
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise SourceError(Code.PACKAGE_CERTIFICATE_EXPIRED)
    for known in sender.revocation_lists:
        is_named = known.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
        if known.issuer == certificate.issuer and is_named:
            raise SourceError(Code.PACKAGE_CERTIFICATE_REVOKED)
