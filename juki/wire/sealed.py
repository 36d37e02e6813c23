"""The outer envelope: AuthEnvelopedData with AES-256-GCM for exactly one RSA-OAEP recipient.

Decides:    which cipher, key transport and recipient are accepted, each refused by its own code.
Leaves:     the signature inside to `juki.wire.signed`.
Invariants: nothing is handed on before the 16-byte tag has been verified; a wrong key and tag give the
            same code, so that an answer tells nothing about the padding.
Source:     RFC 5083, RFC 5084, RFC 8017, spec/packages.md section 1.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from juki.errors import SourceError
from juki.reasons import Code
from juki.wire import algorithms, cms

MIN_RSA_BITS = 3072
_KEY_BYTES, _NONCE_BYTES, _TAG_BYTES = 32, 12, 16


@dataclass(frozen=True, slots=True)
class RecipientKey:
    """A certificate that packages may be encrypted to, and its private key."""

    certificate: x509.Certificate
    private_key: rsa.RSAPrivateKey = field(repr=False)


RecipientKeys = Sequence[RecipientKey]
"""The keys we can open with: the current one and, while municipalities change over, the one before."""


def open_sealed(data: bytes, keys: RecipientKeys) -> bytes:
    """Decrypt an AuthEnvelopedData and verify its tag.

    Raises: SourceError(PACKAGE_ENVELOPE, PACKAGE_CONTENT_CIPHER, PACKAGE_KEY_TRANSPORT, PACKAGE_RECIPIENT,
            PACKAGE_ALTERED).
    """
    envelope = _envelope(data)
    gcm = _gcm(envelope)
    transport = _transport(envelope)
    content_key = _content_key(transport, _recipient(transport, keys))
    return _decrypted(content_key, gcm.parameters.nonce, envelope)


def seal(content: bytes, recipient: x509.Certificate) -> bytes:
    """Encrypt to the RSA certificate of one recipient (≥ 3072 bits, else PACKAGE_KEY_TRANSPORT)."""
    public_key = recipient.public_key()
    if not isinstance(public_key, rsa.RSAPublicKey) or public_key.key_size < MIN_RSA_BITS:
        raise SourceError(Code.PACKAGE_KEY_TRANSPORT)
    content_key, nonce = os.urandom(_KEY_BYTES), os.urandom(_NONCE_BYTES)
    encryptor = Cipher(AES(content_key), modes.GCM(nonce)).encryptor()
    encrypted = encryptor.update(content)
    encryptor.finalize()
    transport = cms.KeyTransport(
        version=0,
        recipient=cms.issuer_and_serial(recipient),
        algorithm=cms.tlv(algorithms.oaep_sha256()),
        encrypted_key=public_key.encrypt(content_key, _oaep_padding()),
    )
    gcm = cms.GcmParameters(nonce=nonce, tag_length=_TAG_BYTES)
    envelope = cms.AuthEnvelopedData(
        version=0,
        recipients=asn1.SetOf([cms.tlv(transport)]),
        content=cms.EncryptedContent(
            content_type=cms.DATA,
            algorithm=cms.tlv(cms.GcmAlgorithm(algorithm=cms.AES_256_GCM, parameters=gcm)),
            encrypted=encrypted,
        ),
        mac=encryptor.tag,
    )
    return cms.content_info(cms.AUTH_ENVELOPED_DATA, envelope)


def _envelope(data: bytes) -> cms.AuthEnvelopedData:
    outer = cms.decoded(cms.ContentInfo, data)
    if outer is None:
        raise SourceError(Code.PACKAGE_ENVELOPE)
    if outer.content_type != cms.AUTH_ENVELOPED_DATA:
        # A CBC or other unauthenticated cipher comes as EnvelopedData, another content type altogether.
        raise SourceError(Code.PACKAGE_CONTENT_CIPHER)
    envelope = cms.parsed(cms.AuthEnvelopedData, outer.content)
    if envelope is None or envelope.version != 0 or envelope.content.content_type != cms.DATA:
        raise SourceError(Code.PACKAGE_ENVELOPE)
    return envelope


def _gcm(envelope: cms.AuthEnvelopedData) -> cms.GcmAlgorithm:
    """Insist on AES-256-GCM with a full tag: a shorter one can be forged in few attempts."""
    gcm = cms.parsed(cms.GcmAlgorithm, envelope.content.algorithm)
    if (
        gcm is None
        or gcm.algorithm != cms.AES_256_GCM
        or len(gcm.parameters.nonce) != _NONCE_BYTES
        or gcm.parameters.tag_length != _TAG_BYTES
        or len(envelope.mac) != _TAG_BYTES
    ):
        raise SourceError(Code.PACKAGE_CONTENT_CIPHER)
    return gcm


def _transport(envelope: cms.AuthEnvelopedData) -> cms.KeyTransport:
    """Insist on one recipient by RSA-OAEP with SHA-256 throughout and no label."""
    recipients = envelope.recipients.as_list()
    if len(recipients) != 1:
        raise SourceError(Code.PACKAGE_RECIPIENT)
    transport = cms.parsed(cms.KeyTransport, recipients[0])
    oaep = cms.parsed(cms.OaepAlgorithm, transport.algorithm) if transport else None
    if transport is None or oaep is None or not algorithms.is_oaep_sha256(oaep):
        raise SourceError(Code.PACKAGE_KEY_TRANSPORT)
    if transport.version != (2 if isinstance(transport.recipient, bytes) else 0):
        raise SourceError(Code.PACKAGE_ENVELOPE)
    return transport


def _recipient(transport: cms.KeyTransport, keys: RecipientKeys) -> RecipientKey:
    for key in keys:
        if cms.names_certificate(transport.recipient, key.certificate):
            return key
    raise SourceError(Code.PACKAGE_RECIPIENT)


def _content_key(transport: cms.KeyTransport, key: RecipientKey) -> bytes:
    if key.private_key.key_size < MIN_RSA_BITS:
        raise SourceError(Code.PACKAGE_KEY_TRANSPORT)
    try:
        content_key = key.private_key.decrypt(transport.encrypted_key, _oaep_padding())
    except ValueError:
        content_key = b""
    if len(content_key) != _KEY_BYTES:
        raise SourceError(Code.PACKAGE_ALTERED)
    return content_key


def _decrypted(content_key: bytes, nonce: bytes, envelope: cms.AuthEnvelopedData) -> bytes:
    """Decrypt in one call, without joining cipher text and tag, and give out nothing unless the tag holds."""
    decryptor = Cipher(AES(content_key), modes.GCM(nonce, envelope.mac)).decryptor()
    content = decryptor.update(envelope.content.encrypted)
    try:
        decryptor.finalize()
    except InvalidTag:
        is_intact = False
    else:
        is_intact = True
    if not is_intact:
        raise SourceError(Code.PACKAGE_ALTERED)
    return content


def _oaep_padding() -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
