"""Whom a copy is sealed to: one certificate, named by its fingerprint, that may be encrypted to now.

Decides:    which certificate a copy may be sealed to.
Leaves:     whose certificates are refused, whatever they are, to `config.copy_places`.
Invariants: the fingerprint that was approved is that of the certificate in the file; instants are arguments.
Source:     RFC 5280 4.2.1.3, docs/formats/package.md section 1, ADR-0038.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from juki.copies import normal_fingerprint
from juki.errors import ConfigurationError, JukiError
from juki.reasons import Code
from juki.wire.certificates import fingerprint
from juki.wire.sealed import MIN_RSA_BITS


def named_certificate(path: Path, approved: str, at: datetime) -> x509.Certificate:
    """Read the certificate a copy is sealed to.

    Raises: ConfigurationError(COPY_CERTIFICATE_FORM), JukiError(COPY_CERTIFICATE_OTHER, COPY_CERTIFICATE_EXPIRED).
    """
    certificate = _read(path)
    own = fingerprint(certificate)
    if normal_fingerprint(approved) != own:
        # It is no secret, and whoever has to approve it needs it.
        raise JukiError(Code.COPY_CERTIFICATE_OTHER, own)
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise JukiError(Code.COPY_CERTIFICATE_EXPIRED, own)
    return certificate


def _read(path: Path) -> x509.Certificate:
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
        if len(found) == 1 and _may_be_encrypted_to(found[0]):
            return found[0]
    except (OSError, ValueError, TypeError):
        pass
    raise ConfigurationError(Code.COPY_CERTIFICATE_FORM, "--certificate")


def _may_be_encrypted_to(certificate: x509.Certificate) -> bool:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MIN_RSA_BITS:
        return False
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.key_encipherment
