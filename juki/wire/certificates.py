"""Whether a signer's certificate may speak for one municipality at one instant.

Decides:    validity, chain to the roots of that municipality, that the certificate is one of those registered
            for exactly that municipality (measure M2), and revocation; who must act when it does not hold.
Leaves:     the signature itself to `juki.wire.signed`, reading of files to `config`.
Invariants: instants are arguments; there is no switch that turns a step off. Validity and chain are judged as
            of the receipt, for a package may wait longer than its certificate lives; revocation lists as of the
            check, for a renewed one must help what waits. A revocation list that is configured must be current
            and genuine, or nothing passes: that is our own fault, so nothing is refused for it either.
Source:     RFC 5280, spec/packages.md section 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from juki.errors import ConfigurationError, SourceError
from juki.reasons import Code

MAX_INTERMEDIATES = 3
"""Certificate authorities allowed between a signer and a root."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who may sign for a municipality.

    `fingerprints` are SHA-256 of the DER certificates in lower-case hexadecimal: the one in use and, while it
    is renewed, the next. `revocation_lists` may be empty; if not, the signer's issuer must have one.
    """

    municipality_code: str
    fingerprints: frozenset[str]
    roots: tuple[x509.Certificate, ...]
    revocation_lists: tuple[x509.CertificateRevocationList, ...] = ()


def fingerprint(certificate: x509.Certificate) -> str:
    """Name a certificate by the SHA-256 of its DER form, as the register of municipalities does."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def check_certificate(
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    sender: Sender,
    at: datetime,
    checked_at: datetime,
) -> None:
    """Refuse unless the certificate speaks for the sender at the instant of receipt.

    The registration comes before the lists: a certificate nobody registered must not be able to point at an
    authority we hold no list of, and so stop the channel for want of one.

    Shape:  `others` are the further certificates enclosed, of which a chain may be built.
    Units:  at is the instant of receipt, checked_at that of this check, by which our lists must be current.
    Raises: SourceError(PACKAGE_CERTIFICATE_EXPIRED, PACKAGE_CERTIFICATE_CHAIN, PACKAGE_SIGNER_UNREGISTERED,
            PACKAGE_CERTIFICATE_REVOKED), in this order; ConfigurationError(REVOCATION_LIST_MISSING,
            REVOCATION_LIST_UNUSABLE, REVOCATION_LIST_OUTDATED) when our lists can not tell.
    """
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise SourceError(Code.PACKAGE_CERTIFICATE_EXPIRED)
    chain = _chain(certificate, others, sender.roots, at)
    if fingerprint(certificate) not in sender.fingerprints:
        raise SourceError(Code.PACKAGE_SIGNER_UNREGISTERED)
    if sender.revocation_lists:
        _check_revocation(chain, sender.revocation_lists, checked_at)


def _chain(
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: datetime,
) -> list[x509.Certificate]:
    """Build the chain from the signer to a root, both included."""
    if not roots or len(others) > MAX_INTERMEDIATES:
        raise SourceError(Code.PACKAGE_CERTIFICATE_CHAIN)
    verifier = (
        PolicyBuilder()
        .store(Store(list(roots)))
        .time(at)
        .max_chain_depth(MAX_INTERMEDIATES)
        .extension_policies(ca_policy=_authority_policy(), ee_policy=_signer_policy())
        .build_client_verifier()
    )
    try:
        return verifier.verify(certificate, list(others)).chain
    except (VerificationError, ValueError):
        pass
    raise SourceError(Code.PACKAGE_CERTIFICATE_CHAIN)


def _authority_policy() -> ExtensionPolicy:
    """Demand of an authority that it says it is one; web site rules would demand more."""
    return (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_authority)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign_certificates)
    )


def _signer_policy() -> ExtensionPolicy:
    """Demand of a signer that nothing in its certificate forbids signing."""
    return (
        ExtensionPolicy.permit_all()
        .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign_content)
    )


def _is_authority(_: Policy, __: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("not a certificate authority")


def _may_sign_certificates(_: Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("may not sign certificates")


def _may_sign_content(_: Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise ValueError("may not sign content")


def _check_revocation(
    chain: Sequence[x509.Certificate], lists: Sequence[x509.CertificateRevocationList], checked_at: datetime
) -> None:
    """Look every certificate below the root up; the signer's issuer must have a list, others may.

    A revoked certificate is refused whatever the date, of the revocation as of the list: when a signature was
    made is known only from who holds the key, a stolen key signs with any date, and a revocation is not taken
    back. So even an outdated list of ours refuses, while only a current one can let pass.
    """
    for depth, (certificate, issuer) in enumerate(pairwise(chain)):
        known = [revoked for revoked in lists if revoked.issuer == certificate.issuer]
        if not known and depth == 0:
            raise ConfigurationError(Code.REVOCATION_LIST_MISSING)
        if not all(_is_genuine(revoked, issuer) for revoked in known):
            raise ConfigurationError(Code.REVOCATION_LIST_UNUSABLE)
        if any(_names(revoked, certificate) for revoked in known):
            raise SourceError(Code.PACKAGE_CERTIFICATE_REVOKED)
        if known and not any(_is_current(revoked, checked_at) for revoked in known):
            raise ConfigurationError(Code.REVOCATION_LIST_OUTDATED)


def _names(revoked: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    return revoked.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None


def _is_genuine(revoked: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Tell whether a list is whole and signed by the issuer."""
    # A critical extension makes a list partial (delta, by reason, by distribution point).
    if any(extension.critical for extension in revoked.extensions):
        return False
    key = issuer.public_key()
    return isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) and revoked.is_signature_valid(key)


def _is_current(revoked: x509.CertificateRevocationList, checked_at: datetime) -> bool:
    """Tell whether a list is in force; one that does not say until when never is."""
    next_update = revoked.next_update_utc
    return next_update is not None and revoked.last_update_utc <= checked_at <= next_update
