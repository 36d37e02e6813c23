"""The inner envelope: SignedData with exactly one signer, verified for one sender at one instant.

Decides:    which forms and algorithms of signature are accepted, each refused by its own code.
Leaves:     the certificate to `juki.wire.certificates`, what the content says to `juki.packages`.
Invariants: the content is handed on only after certificate, signature and message digest have been verified;
            what is verified is the DER of the signed attributes, never the bare content.
Source:     RFC 5652 section 5, RFC 5754, RFC 8017, spec/packages.md section 1.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ObjectIdentifier

from juki.errors import SourceError
from juki.reasons import Code
from juki.wire import algorithms, cms
from juki.wire.certificates import Sender, check_certificate
from juki.wire.sealed import MIN_RSA_BITS

_DIGESTS: dict[ObjectIdentifier, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    cms.SHA256: hashes.SHA256(),
    cms.SHA384: hashes.SHA384(),
    cms.SHA512: hashes.SHA512(),
}
_ECDSA = {
    ObjectIdentifier("1.2.840.10045.4.3.2"): cms.SHA256,
    ObjectIdentifier("1.2.840.10045.4.3.3"): cms.SHA384,
    ObjectIdentifier("1.2.840.10045.4.3.4"): cms.SHA512,
}
_RSA_PKCS1 = {
    ObjectIdentifier("1.2.840.113549.1.1.11"): cms.SHA256,
    ObjectIdentifier("1.2.840.113549.1.1.12"): cms.SHA384,
    ObjectIdentifier("1.2.840.113549.1.1.13"): cms.SHA512,
}
_PSS_SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningIdentity:
    """A certificate we sign as, its private key, and the authorities between it and the root."""

    certificate: x509.Certificate
    private_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)
    intermediates: tuple[x509.Certificate, ...] = ()


def open_signed(data: bytes, sender: Sender, at: datetime, checked_at: datetime) -> bytes:
    """Verify a SignedData and return what was signed.

    Raises: SourceError(PACKAGE_SIGNATURE_FORM, PACKAGE_SIGNATURE_ALGORITHM, PACKAGE_SIGNATURE) and what
            `check_certificate` raises.
    """
    signed, signer, content = _form(data)
    digest = _digest(signed, signer)
    certificate, others = _enclosed(signed, signer)
    check_certificate(certificate, others, sender, at, checked_at)
    _verify(signer, certificate, digest)
    _check_attributes(signer, content, digest)
    return content


def sign(content: bytes, identity: SigningIdentity) -> bytes:
    """Sign as one identity: ECDSA with SHA-256 (P-384: SHA-384), or RSA-PSS with SHA-256."""
    digest, algorithm = _own_algorithm(identity)
    attributes = asn1.SetOf(
        [
            cms.Attribute(type=cms.CONTENT_TYPE, values=asn1.SetOf([cms.tlv(cms.DATA)])),
            cms.Attribute(
                type=cms.MESSAGE_DIGEST,
                values=asn1.SetOf([cms.tlv(hashlib.new(_DIGESTS[digest].name, content).digest())]),
            ),
        ]
    )
    hash_algorithm = cms.tlv(cms.HashAlgorithm(algorithm=digest))
    signer = cms.SignerInfo(
        version=1,
        signer=cms.issuer_and_serial(identity.certificate),
        digest_algorithm=hash_algorithm,
        signed_attributes=attributes,
        signature_algorithm=algorithm,
        signature=_signature(identity, digest, asn1.encode_der(attributes)),
    )
    signed = cms.SignedData(
        version=1,
        digest_algorithms=asn1.SetOf([hash_algorithm]),
        content=cms.SignedContent(content_type=cms.DATA, content=content),
        certificates=asn1.SetOf([identity.certificate, *identity.intermediates]),
        signers=asn1.SetOf([cms.tlv(signer)]),
    )
    return cms.content_info(cms.SIGNED_DATA, signed)


def _form(data: bytes) -> tuple[cms.SignedData, cms.SignerInfo, bytes]:
    """Insist on SignedData over enclosed plain data by one signer with signed attributes."""
    outer = cms.decoded(cms.ContentInfo, data)
    if outer is None or outer.content_type != cms.SIGNED_DATA:
        raise SourceError(Code.PACKAGE_SIGNATURE_FORM)
    signed = cms.parsed(cms.SignedData, outer.content)
    signers = signed.signers.as_list() if signed else []
    signer = cms.parsed(cms.SignerInfo, signers[0]) if len(signers) == 1 else None
    if signed is None or signer is None or signer.signed_attributes is None:
        raise SourceError(Code.PACKAGE_SIGNATURE_FORM)
    version = 3 if isinstance(signer.signer, bytes) else 1
    content = signed.content.content
    if signed.content.content_type != cms.DATA or content is None:
        raise SourceError(Code.PACKAGE_SIGNATURE_FORM)
    if signed.version != version or signer.version != version:
        raise SourceError(Code.PACKAGE_SIGNATURE_FORM)
    return signed, signer, content


def _digest(signed: cms.SignedData, signer: cms.SignerInfo) -> ObjectIdentifier:
    """Name the one digest algorithm, SHA-256 or stronger, that content and signature share."""
    named = [cms.parsed(cms.HashAlgorithm, tlv) for tlv in signed.digest_algorithms.as_list()]
    used = cms.parsed(cms.HashAlgorithm, signer.digest_algorithm)
    if used is None or used.algorithm not in _DIGESTS:
        raise SourceError(Code.PACKAGE_SIGNATURE_ALGORITHM)
    if len(named) != 1 or named[0] is None or named[0].algorithm != used.algorithm:
        raise SourceError(Code.PACKAGE_SIGNATURE_FORM)
    return used.algorithm


def _enclosed(
    signed: cms.SignedData, signer: cms.SignerInfo
) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """Find the signer's certificate among those enclosed, and the others."""
    enclosed = signed.certificates.as_list() if signed.certificates else []
    own = [item for item in enclosed if cms.names_certificate(signer.signer, item)]
    if len(own) != 1:
        raise SourceError(Code.PACKAGE_SIGNATURE_FORM)
    return own[0], [item for item in enclosed if item != own[0]]


def _verify(signer: cms.SignerInfo, certificate: x509.Certificate, digest: ObjectIdentifier) -> None:
    """Verify the signature over the signed attributes in their DER form (RFC 5652 section 5.4)."""
    key = certificate.public_key()
    signed = asn1.encode_der(signer.signed_attributes)
    algorithm = signer.signature_algorithm
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            _check_ecdsa(algorithm, key, digest)
            key.verify(signer.signature, signed, ec.ECDSA(_DIGESTS[digest]))
        elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
            key.verify(signer.signature, signed, _rsa_padding(algorithm, digest), _DIGESTS[digest])
        else:
            raise SourceError(Code.PACKAGE_SIGNATURE_ALGORITHM)
    except InvalidSignature:
        is_genuine = False
    else:
        is_genuine = True
    if not is_genuine:
        raise SourceError(Code.PACKAGE_SIGNATURE)


def _check_ecdsa(algorithm: asn1.TLV, key: ec.EllipticCurvePublicKey, digest: ObjectIdentifier) -> None:
    """Insist on ECDSA with the digest announced, on P-256 or P-384, with no parameters (RFC 5754)."""
    ecdsa = cms.parsed(cms.HashAlgorithm, algorithm)
    if (
        not isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1)
        or ecdsa is None
        or ecdsa.parameters is not None
        or _ECDSA.get(ecdsa.algorithm) != digest
    ):
        raise SourceError(Code.PACKAGE_SIGNATURE_ALGORITHM)


def _rsa_padding(algorithm: asn1.TLV, digest: ObjectIdentifier) -> padding.PKCS1v15 | padding.PSS:
    """Name the padding of an RSA signature; the hash must be the digest announced."""
    pkcs1 = cms.parsed(cms.HashAlgorithm, algorithm)
    # The openssl program names the key type here, as RFC 3370 section 3.2 allows.
    if pkcs1 and (pkcs1.algorithm == cms.RSA_ENCRYPTION or _RSA_PKCS1.get(pkcs1.algorithm) == digest):
        return padding.PKCS1v15()
    pss = cms.parsed(cms.PssAlgorithm, algorithm)
    if pss is None or not algorithms.is_pss(pss, digest) or pss.parameters.salt_length < _PSS_SALT_BYTES:
        raise SourceError(Code.PACKAGE_SIGNATURE_ALGORITHM)
    return padding.PSS(mgf=padding.MGF1(_DIGESTS[digest]), salt_length=pss.parameters.salt_length)


def _check_attributes(signer: cms.SignerInfo, content: bytes, digest: ObjectIdentifier) -> None:
    """Compare the signed content type and message digest with the content; each must stand exactly once."""
    attributes = signer.signed_attributes.as_list() if signer.signed_attributes else []
    if len({attribute.type for attribute in attributes}) != len(attributes):
        raise SourceError(Code.PACKAGE_SIGNATURE_FORM)
    if _single(attributes, cms.CONTENT_TYPE) != asn1.encode_der(cms.DATA):
        raise SourceError(Code.PACKAGE_SIGNATURE_FORM)
    announced = _single(attributes, cms.MESSAGE_DIGEST)
    actual = hashlib.new(_DIGESTS[digest].name, content).digest()
    if not hmac.compare_digest(announced, asn1.encode_der(actual)):
        raise SourceError(Code.PACKAGE_SIGNATURE)


def _single(attributes: Sequence[cms.Attribute], kind: ObjectIdentifier) -> bytes:
    """Encode the one value of the one attribute of this kind."""
    found = [attribute.values.as_list() for attribute in attributes if attribute.type == kind]
    if len(found) != 1 or len(found[0]) != 1:
        raise SourceError(Code.PACKAGE_SIGNATURE_FORM)
    return asn1.encode_der(found[0][0])


def _own_algorithm(identity: SigningIdentity) -> tuple[ObjectIdentifier, asn1.TLV]:
    """Choose digest and signature algorithm by the key we sign with."""
    key = identity.private_key
    if isinstance(key, rsa.RSAPrivateKey):
        return cms.SHA256, cms.tlv(algorithms.pss(cms.SHA256, _PSS_SALT_BYTES))
    digest = cms.SHA384 if isinstance(key.curve, ec.SECP384R1) else cms.SHA256
    ecdsa = next(oid for oid, hashed in _ECDSA.items() if hashed == digest)
    return digest, cms.tlv(cms.HashAlgorithm(algorithm=ecdsa))


def _signature(identity: SigningIdentity, digest: ObjectIdentifier, attributes: bytes) -> bytes:
    key, hashed = identity.private_key, _DIGESTS[digest]
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(mgf=padding.MGF1(hashed), salt_length=_PSS_SALT_BYTES)
        return key.sign(attributes, pss, hashed)
    return key.sign(attributes, ec.ECDSA(hashed))
