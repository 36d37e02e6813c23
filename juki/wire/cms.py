"""The CMS structures of a package, declared once, and the object identifiers we accept.

Decides:    the exact DER shape of RFC 5652, 5083, 5084 and 8017 structures as far as packages use them.
Leaves:     what a well-formed structure must say to `juki.wire.sealed` and `juki.wire.signed`.
Invariants: decoding is strict DER by cryptography's Rust reader: no indefinite length, no trailing byte, no
            unknown field, sets in order. Parts whose form depends on an identifier are kept as `TLV` and
            read by `parsed`, so that a foreign algorithm is named as such instead of failing as garbage.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

T = TypeVar("T")

DATA = ObjectIdentifier("1.2.840.113549.1.7.1")
SIGNED_DATA = ObjectIdentifier("1.2.840.113549.1.7.2")
AUTH_ENVELOPED_DATA = ObjectIdentifier("1.2.840.113549.1.9.16.1.23")
CONTENT_TYPE = ObjectIdentifier("1.2.840.113549.1.9.3")
MESSAGE_DIGEST = ObjectIdentifier("1.2.840.113549.1.9.4")

AES_256_GCM = ObjectIdentifier("2.16.840.1.101.3.4.1.46")
RSAES_OAEP = ObjectIdentifier("1.2.840.113549.1.1.7")
RSASSA_PSS = ObjectIdentifier("1.2.840.113549.1.1.10")
RSA_ENCRYPTION = ObjectIdentifier("1.2.840.113549.1.1.1")
MGF1 = ObjectIdentifier("1.2.840.113549.1.1.8")
P_SPECIFIED = ObjectIdentifier("1.2.840.113549.1.1.9")
SHA256 = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
SHA384 = ObjectIdentifier("2.16.840.1.101.3.4.2.2")
SHA512 = ObjectIdentifier("2.16.840.1.101.3.4.2.3")


@asn1.sequence
class ContentInfo:
    """RFC 5652 section 3: what kind of CMS content follows."""

    content_type: ObjectIdentifier
    content: Annotated[asn1.TLV, asn1.Explicit(0)]


@asn1.sequence
class IssuerAndSerial:
    """RFC 5652 section 10.2.4: a certificate named by its issuer and number."""

    issuer: asn1.TLV
    serial: int


@asn1.sequence
class HashAlgorithm:
    """A hash function; its parameters are absent or NULL (RFC 5754)."""

    algorithm: ObjectIdentifier
    parameters: asn1.Null | None = None


@asn1.sequence
class MaskAlgorithm:
    """RFC 8017 A.2.1: MGF1 with its hash."""

    algorithm: ObjectIdentifier
    parameters: HashAlgorithm


@asn1.sequence
class LabelSource:
    """RFC 8017 A.2.1: the OAEP label."""

    algorithm: ObjectIdentifier
    parameters: bytes


@asn1.sequence
class OaepParameters:
    """RFC 8017 A.2.1; an absent hash or mask means SHA-1."""

    hash: Annotated[HashAlgorithm | None, asn1.Explicit(0)] = None
    mask: Annotated[MaskAlgorithm | None, asn1.Explicit(1)] = None
    label: Annotated[LabelSource | None, asn1.Explicit(2)] = None


@asn1.sequence
class OaepAlgorithm:
    """The key transport algorithm of the one recipient."""

    algorithm: ObjectIdentifier
    parameters: OaepParameters


@asn1.sequence
class PssParameters:
    """RFC 8017 A.2.3; an absent hash or mask means SHA-1."""

    hash: Annotated[HashAlgorithm | None, asn1.Explicit(0)] = None
    mask: Annotated[MaskAlgorithm | None, asn1.Explicit(1)] = None
    salt_length: Annotated[int, asn1.Explicit(2), asn1.Default(20)] = 20
    trailer: Annotated[int, asn1.Explicit(3), asn1.Default(1)] = 1


@asn1.sequence
class PssAlgorithm:
    """An RSA-PSS signature."""

    algorithm: ObjectIdentifier
    parameters: PssParameters


@asn1.sequence
class GcmParameters:
    """RFC 5084 section 3.2: nonce and length of the tag in bytes."""

    nonce: bytes
    tag_length: Annotated[int, asn1.Default(12)] = 12


@asn1.sequence
class GcmAlgorithm:
    """The content cipher."""

    algorithm: ObjectIdentifier
    parameters: GcmParameters


@asn1.sequence
class KeyTransport:
    """RFC 5652 section 6.2.1: the content key, encrypted to one recipient."""

    version: int
    recipient: IssuerAndSerial | Annotated[bytes, asn1.Implicit(0)]
    algorithm: asn1.TLV
    encrypted_key: bytes


@asn1.sequence
class EncryptedContent:
    """RFC 5652 section 6.1: the encrypted content, its type and cipher."""

    content_type: ObjectIdentifier
    algorithm: asn1.TLV
    encrypted: Annotated[bytes, asn1.Implicit(0)]


@asn1.sequence
class AuthEnvelopedData:
    """RFC 5083 section 2.1, without originator information and attributes, which a package has not."""

    version: int
    recipients: asn1.SetOf[asn1.TLV]
    content: EncryptedContent
    mac: bytes


@asn1.sequence
class Attribute:
    """RFC 5652 section 5.3: one attribute, its values not yet read."""

    type: ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class SignerInfo:
    """RFC 5652 section 5.3; signed attributes are optional there and demanded by us."""

    version: int
    signer: IssuerAndSerial | Annotated[bytes, asn1.Implicit(0)]
    digest_algorithm: asn1.TLV
    signed_attributes: Annotated[asn1.SetOf[Attribute] | None, asn1.Implicit(0)] = None
    signature_algorithm: asn1.TLV
    signature: bytes


@asn1.sequence
class SignedContent:
    """RFC 5652 section 5.2: the content that was signed; absent when it is detached."""

    content_type: ObjectIdentifier
    content: Annotated[bytes | None, asn1.Explicit(0)] = None


@asn1.sequence
class SignedData:
    """RFC 5652 section 5.1, without revocation lists, which we take from our own configuration only."""

    version: int
    digest_algorithms: asn1.SetOf[asn1.TLV]
    content: SignedContent
    certificates: Annotated[asn1.SetOf[x509.Certificate] | None, asn1.Implicit(0)] = None
    signers: asn1.SetOf[asn1.TLV]


def decoded(structure: type[T], der: bytes) -> T | None:
    """Decode a whole DER value, or None when it is not one of this shape."""
    try:
        return asn1.decode_der(structure, der)
    except ValueError:
        return None


def parsed(structure: type[T], tlv: asn1.TLV) -> T | None:
    """Decode a part that was kept unread, or None when it is not of this shape."""
    try:
        value: T = tlv.parse(structure)
    except ValueError:
        return None
    return value


def tlv(structure: object) -> asn1.TLV:
    """Encode a structure into a part that a `TLV` field can hold."""
    return asn1.decode_der(asn1.TLV, asn1.encode_der(structure))


def content_info(content_type: ObjectIdentifier, content: object) -> bytes:
    """Encode a whole CMS message."""
    return asn1.encode_der(ContentInfo(content_type=content_type, content=tlv(content)))


def issuer_and_serial(certificate: x509.Certificate) -> IssuerAndSerial:
    """Name a certificate by its issuer and number."""
    issuer = asn1.decode_der(asn1.TLV, certificate.issuer.public_bytes())
    return IssuerAndSerial(issuer=issuer, serial=certificate.serial_number)


def names_certificate(name: IssuerAndSerial | bytes, certificate: x509.Certificate) -> bool:
    """Tell whether an issuer and number, or a subject key identifier, name this certificate."""
    if isinstance(name, IssuerAndSerial):
        issuer = certificate.issuer.public_bytes()
        return name.serial == certificate.serial_number and asn1.encode_der(name.issuer) == issuer
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return extension.value.digest == name
