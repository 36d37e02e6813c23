"""A sealed package: opened for one sender at one instant, or sealed by us.

Decides:    the order of the two envelopes, and that nothing but a coded refusal ever comes out of bad bytes.
Leaves:     the outer envelope to `juki.wire.sealed`, the inner to `juki.wire.signed`, the certificate to
            `juki.wire.certificates`, the content to `juki.packages`.
Invariants: a function of its arguments: no file, no clock, no configuration. No byte of the content is parsed.
Source:     spec/packages.md section 1; docs/decisions for the choice of libraries.
"""

from __future__ import annotations

from datetime import datetime

from cryptography import x509

from juki.errors import ConfigurationError, JukiError, SourceError
from juki.packages import MAX_FILE_BYTES
from juki.reasons import Code
from juki.wire.certificates import Sender, fingerprint
from juki.wire.sealed import RecipientKey, RecipientKeys, open_sealed, seal
from juki.wire.signed import SigningIdentity, open_signed, sign

__all__ = [
    "RecipientKey",
    "RecipientKeys",
    "Sender",
    "SigningIdentity",
    "fingerprint",
    "open_envelope",
    "seal_envelope",
]


def open_envelope(
    data: bytes,
    *,
    recipient: RecipientKeys,
    sender: Sender,
    at: datetime,
    checked_at: datetime | None = None,
) -> bytes:
    """Decrypt and verify a package of one sender; return its content, unparsed.

    Units:  at is the aware instant of receipt, at which the certificate must be valid; checked_at that of this
            check, at which our revocation lists must be current (by default the same: checked as received).
    Raises: SourceError with the code of the first thing that does not hold, ConfigurationError when it is our
            own revocation lists that can not tell, and no other error for any bytes; `ref` is the sender's
            municipality code.
    """
    if len(data) > MAX_FILE_BYTES:
        raise SourceError(Code.PACKAGE_TOO_LARGE, sender.municipality_code)
    try:
        return open_signed(open_sealed(data, recipient), sender, at, checked_at or at)
    except MemoryError:
        raise
    except ConfigurationError as ours:
        failure: type[JukiError] = ConfigurationError
        code = ours.code
    except JukiError as refusal:
        failure, code = SourceError, refusal.code
    except Exception:  # noqa: BLE001 - hostile bytes must never surface as a library's own error
        failure, code = SourceError, Code.PACKAGE_ENVELOPE
    raise failure(code, sender.municipality_code)


def seal_envelope(
    content: bytes, *, signer: SigningIdentity, recipient_certificate: x509.Certificate
) -> bytes:
    """Sign as one identity and encrypt to one recipient, as the openssl program would."""
    return seal(sign(content, signer), recipient_certificate)
