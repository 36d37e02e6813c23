"""Envelopes no program writes by itself: each made by hand, genuinely signed, and refused by its own code."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509 import ObjectIdentifier

from juki.errors import SourceError
from juki.reasons import Code
from juki.wire import algorithms, cms
from juki.wire.envelope import open_envelope
from juki.wire.sealed import _oaep_padding
from simulator import pki, sealing
from tests.wire.conftest import AT

CODE = "352039"
CONTENT = b'{"format":"juki-notice/1"}\nnotice_no\n1\n'
OTHER = ObjectIdentifier("1.2.3.4")
SHA1 = ObjectIdentifier("1.3.14.3.2.26")
TYPE = (cms.CONTENT_TYPE, cms.DATA)
DIGEST = (cms.MESSAGE_DIGEST, hashlib.sha256(CONTENT).digest())
Said = Sequence[tuple[ObjectIdentifier, object]]


def outcome(authority: pki.Pki, data: bytes) -> bytes | Code:
    """Open as the prefecture: the content, or the code of the refusal."""
    keys = [authority.prefecture.recipient()]
    try:
        return open_envelope(data, recipient=keys, sender=authority.sender(CODE), at=AT)
    except SourceError as refusal:
        return refusal.code


def signed(authority: pki.Pki, said: Said, change: Callable[[Any], Any] = lambda parts: parts) -> bytes:
    """Sign attributes of one's choice with the genuine key; `change` edits the parts before they are laid out."""
    identity = authority.offices[CODE].signer.signing()
    assert isinstance(identity.private_key, ec.EllipticCurvePrivateKey)
    attributes = asn1.SetOf(
        [cms.Attribute(type=kind, values=asn1.SetOf([cms.tlv(value)])) for kind, value in said]
    )
    sha256 = cms.tlv(cms.HashAlgorithm(algorithm=cms.SHA256))
    parts = change(
        {
            "version": 1, "signer_version": 1, "digests": [sha256], "signer_digest": sha256,
            "algorithm": cms.tlv(cms.HashAlgorithm(algorithm=ObjectIdentifier("1.2.840.10045.4.3.2"))),
            "certificates": [identity.certificate], "content_type": cms.DATA,
        }
    )  # fmt: skip
    signer = cms.SignerInfo(
        version=parts["signer_version"],
        signer=cms.issuer_and_serial(identity.certificate),
        digest_algorithm=parts["signer_digest"],
        signed_attributes=attributes,
        signature_algorithm=parts["algorithm"],
        signature=identity.private_key.sign(asn1.encode_der(attributes), ec.ECDSA(hashes.SHA256())),
    )
    data = cms.SignedData(
        version=parts["version"],
        digest_algorithms=asn1.SetOf(parts["digests"]),
        content=cms.SignedContent(content_type=parts["content_type"], content=CONTENT),
        certificates=asn1.SetOf(parts["certificates"]),
        signers=asn1.SetOf([cms.tlv(signer)]),
    )
    return cms.content_info(cms.SIGNED_DATA, data)


def sealed(authority: pki.Pki, signed: bytes, **other: Any) -> bytes:
    """Encrypt with parts of one's choice in place of those the specification asks for."""
    recipient = authority.prefecture.certificate
    key, nonce = os.urandom(32), os.urandom(other.get("nonce_bytes", 12))
    encrypted = AESGCM(key).encrypt(nonce, signed, None)
    body, tag = encrypted[:-16], encrypted[-16:][: other.get("tag_bytes", 16)]
    transport = cms.KeyTransport(
        version=other.get("transport_version", 0),
        recipient=cms.issuer_and_serial(recipient),
        algorithm=cms.tlv(other.get("oaep", algorithms.oaep_sha256())),
        encrypted_key=recipient.public_key().encrypt(  # type: ignore[union-attr,call-arg]
            other.get("wrapped", key), _oaep_padding()
        ),
    )
    gcm = cms.GcmParameters(nonce=nonce, tag_length=other.get("said_tag_bytes", len(tag)))
    envelope = cms.AuthEnvelopedData(
        version=other.get("version", 0),
        recipients=asn1.SetOf(other.get("recipients", [cms.tlv(transport)])),
        content=cms.EncryptedContent(
            content_type=other.get("content_type", cms.DATA),
            algorithm=cms.tlv(
                cms.GcmAlgorithm(algorithm=other.get("cipher", cms.AES_256_GCM), parameters=gcm)
            ),
            encrypted=body,
        ),
        mac=tag,
    )
    return cms.content_info(cms.AUTH_ENVELOPED_DATA, envelope)


def test_envelope_made_by_hand_opens_when_nothing_is_wrong_with_it(authority: pki.Pki) -> None:
    """The attacks below differ from it in one part only."""
    assert outcome(authority, sealed(authority, signed(authority, [TYPE, DIGEST]))) == CONTENT


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ([DIGEST], Code.PACKAGE_SIGNATURE_FORM),
        ([TYPE], Code.PACKAGE_SIGNATURE_FORM),
        ([(OTHER, b"x")], Code.PACKAGE_SIGNATURE_FORM),
        ([TYPE, DIGEST, (cms.MESSAGE_DIGEST, b"x" * 32)], Code.PACKAGE_SIGNATURE_FORM),
        ([TYPE, (cms.CONTENT_TYPE, OTHER), DIGEST], Code.PACKAGE_SIGNATURE_FORM),
        ([(cms.CONTENT_TYPE, OTHER), DIGEST], Code.PACKAGE_SIGNATURE_FORM),
        ([(cms.CONTENT_TYPE, b"x"), DIGEST], Code.PACKAGE_SIGNATURE_FORM),
        ([TYPE, (cms.MESSAGE_DIGEST, hashlib.sha256(b"other").digest())], Code.PACKAGE_SIGNATURE),
        ([TYPE, (cms.MESSAGE_DIGEST, DIGEST[1][:16])], Code.PACKAGE_SIGNATURE),
        ([TYPE, (cms.MESSAGE_DIGEST, cms.DATA)], Code.PACKAGE_SIGNATURE),
    ],
    ids=["no type", "no digest", "neither", "two digests", "two types", "other type", "type no type",
         "digest of other content", "half a digest", "digest no digest"],
)  # fmt: skip
def test_signed_attributes_must_say_type_and_digest_once_and_truly(
    authority: pki.Pki, said: Said, code: Code
) -> None:
    """The signature is genuine over the attributes; what they say of the content is not."""
    assert outcome(authority, sealed(authority, signed(authority, said))) is code


_SHA1 = cms.tlv(cms.HashAlgorithm(algorithm=SHA1))
_SHA384 = cms.tlv(cms.HashAlgorithm(algorithm=cms.SHA384))
_NULLED = cms.HashAlgorithm(algorithm=ObjectIdentifier("1.2.840.10045.4.3.2"), parameters=asn1.Null())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"version": 3}, Code.PACKAGE_SIGNATURE_FORM),
        ({"signer_version": 3}, Code.PACKAGE_SIGNATURE_FORM),
        ({"content_type": OTHER}, Code.PACKAGE_SIGNATURE_FORM),
        ({"digests": []}, Code.PACKAGE_SIGNATURE_FORM),
        ({"digests": [_SHA384]}, Code.PACKAGE_SIGNATURE_FORM),
        ({"signer_digest": _SHA1, "digests": [_SHA1]}, Code.PACKAGE_SIGNATURE_ALGORITHM),
        ({"signer_digest": _SHA384, "digests": [_SHA384]}, Code.PACKAGE_SIGNATURE_ALGORITHM),
        ({"algorithm": cms.tlv(_NULLED)}, Code.PACKAGE_SIGNATURE_ALGORITHM),
        ({"algorithm": _SHA1}, Code.PACKAGE_SIGNATURE_ALGORITHM),
        ({"certificates": []}, Code.PACKAGE_SIGNATURE_FORM),
    ],
    ids=lambda value: value.value if isinstance(value, Code) else "+".join(value),
)  # fmt: skip
def test_signed_part_of_another_form_is_refused_by_name(
    authority: pki.Pki, change: dict[str, Any], code: Code
) -> None:
    """Versions, content type, digests that disagree, algorithms announced otherwise, no certificate."""
    data = signed(authority, [TYPE, DIGEST], lambda parts: parts | change)
    assert outcome(authority, sealed(authority, data)) is code


_SHA1_MASK = replace(
    algorithms.oaep_sha256(), parameters=cms.OaepParameters(hash=cms.HashAlgorithm(algorithm=cms.SHA256))
)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"nonce_bytes": 16}, Code.PACKAGE_CONTENT_CIPHER),
        ({"nonce_bytes": 8}, Code.PACKAGE_CONTENT_CIPHER),
        ({"tag_bytes": 12}, Code.PACKAGE_CONTENT_CIPHER),
        ({"tag_bytes": 4}, Code.PACKAGE_CONTENT_CIPHER),
        ({"tag_bytes": 0}, Code.PACKAGE_CONTENT_CIPHER),
        ({"said_tag_bytes": 12}, Code.PACKAGE_CONTENT_CIPHER),
        ({"tag_bytes": 12, "said_tag_bytes": 16}, Code.PACKAGE_CONTENT_CIPHER),
        ({"cipher": ObjectIdentifier("2.16.840.1.101.3.4.1.6")}, Code.PACKAGE_CONTENT_CIPHER),
        ({"cipher": ObjectIdentifier("2.16.840.1.101.3.4.1.42")}, Code.PACKAGE_CONTENT_CIPHER),
        ({"oaep": _SHA1_MASK}, Code.PACKAGE_KEY_TRANSPORT),
        ({"wrapped": b"k" * 16}, Code.PACKAGE_ALTERED),
        ({"wrapped": b""}, Code.PACKAGE_ALTERED),
        ({"recipients": []}, Code.PACKAGE_RECIPIENT),
        ({"transport_version": 2}, Code.PACKAGE_ENVELOPE),
        ({"version": 1}, Code.PACKAGE_ENVELOPE),
        ({"content_type": OTHER}, Code.PACKAGE_ENVELOPE),
    ],
    ids=lambda value: value.value if isinstance(value, Code) else "+".join(value),
)
def test_outer_envelope_of_another_form_is_refused_by_name(
    authority: pki.Pki, other: dict[str, Any], code: Code
) -> None:
    """Nonces and tags of other lengths (a short tag can be forged), other ciphers, keys, masks and versions."""
    data = sealed(authority, signed(authority, [TYPE, DIGEST]), **other)
    assert outcome(authority, data) is code


def test_signed_part_inside_another_signed_part_is_refused(authority: pki.Pki) -> None:
    """A genuine package wrapped once more is not unwrapped twice."""
    inner = signed(authority, [TYPE, DIGEST])
    wrapped = sealing.sign_by_openssl(inner, authority.offices[CODE].signer)
    assert outcome(authority, sealed(authority, wrapped)) == inner
    assert outcome(authority, sealed(authority, sealed(authority, inner))) is Code.PACKAGE_SIGNATURE_FORM
