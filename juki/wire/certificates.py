"""Whether a signer's certificate may speak for one municipality at one instant.

Decides:    validity, chain to the roots of that municipality, revocation, and that the certificate is one of
            those registered for exactly that municipality (measure M2).
Leaves:     the signature itself to `juki.wire.signed`, reading of files to `config`.
Invariants: the instant is an argument; there is no switch that turns a step off. A revocation list that is
            configured must be current and genuine, or nothing passes.
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

from juki.errors import SourceError
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
    certificate: x509.Certificate, others: Sequence[x509.Certificate], sender: Sender, at: datetime
) -> None:
    """Refuse unless the certificate speaks for the sender at this instant.

    Shape:  `others` are the further certificates enclosed, of which a chain may be built.
    Raises: SourceError(PACKAGE_CERTIFICATE_EXPIRED, PACKAGE_CERTIFICATE_CHAIN, PACKAGE_REVOCATION_LIST,
            PACKAGE_CERTIFICATE_REVOKED, PACKAGE_SIGNER_UNREGISTERED), in this order.
    """
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise SourceError(Code.PACKAGE_CERTIFICATE_EXPIRED)
    chain = _chain(certificate, others, sender.roots, at)
    if sender.revocation_lists:
        _check_revocation(chain, sender.revocation_lists, at)
    if fingerprint(certificate) not in sender.fingerprints:
        raise SourceError(Code.PACKAGE_SIGNER_UNREGISTERED)


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
    chain: Sequence[x509.Certificate], lists: Sequence[x509.CertificateRevocationList], at: datetime
) -> None:
    """Look every certificate below the root up; the signer's issuer must have a list, others may."""
    for depth, (certificate, issuer) in enumerate(pairwise(chain)):
        known = [revoked for revoked in lists if revoked.issuer == certificate.issuer]
        if not known and depth == 0:
            raise SourceError(Code.PACKAGE_REVOCATION_LIST)
        for revoked in known:
            _check_list(revoked, issuer, at)
            if revoked.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
                raise SourceError(Code.PACKAGE_CERTIFICATE_REVOKED)


def _check_list(revoked: x509.CertificateRevocationList, issuer: x509.Certificate, at: datetime) -> None:
    """Refuse a list that is expired, not yet valid, partial, or not signed by the issuer."""
    next_update = revoked.next_update_utc
    is_current = next_update is not None and revoked.last_update_utc <= at <= next_update
    # A critical extension makes a list partial (delta, by reason, by distribution point).
    is_whole = not any(extension.critical for extension in revoked.extensions)
    key = issuer.public_key()
    is_genuine = isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) and revoked.is_signature_valid(
        key
    )
    if not (is_current and is_whole and is_genuine):
        raise SourceError(Code.PACKAGE_REVOCATION_LIST)
