"""A made-up certificate authority for exercises: the prefecture, the municipalities and their keys.

Leaves:     sealing to `simulator.sealing`, the registration of the certificates to the caller.
Invariants: made-up names only; private keys are files of mode 0600. Building twice in one folder keeps what is
            there, because making RSA keys is the slow part.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from juki.wire.envelope import RecipientKey, Sender, SigningIdentity, fingerprint

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

RSA_BITS = 3072
VALID_FROM = datetime(2020, 1, 1, tzinfo=UTC)
VALID_UNTIL = datetime(2045, 1, 1, tzinfo=UTC)
RSA_SIGNER_EVERY = 5
"""Every fifth municipality signs with RSA, the others with ECDSA P-256, so that both are exercised."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)

    def signing(self) -> SigningIdentity:
        """Use it to sign."""
        return SigningIdentity(self.certificate, self.key)

    def recipient(self) -> RecipientKey:
        """Use it to open what was encrypted to it; it must be an RSA identity."""
        assert isinstance(self.key, rsa.RSAPrivateKey)
        return RecipientKey(self.certificate, self.key)


@dataclass(frozen=True, slots=True)
class Office:
    """What a municipality has: an identity to sign packages and one to receive receipts."""

    municipality_code: str
    signer: Identity
    receiver: Identity


@dataclass(frozen=True, slots=True)
class Pki:
    """The root, the prefecture and the municipalities of one exercise."""

    root: Identity
    prefecture: Identity
    offices: dict[str, Office]

    def sender(self, municipality_code: str) -> Sender:
        """Register a municipality as the prefecture would."""
        own = frozenset({fingerprint(self.offices[municipality_code].signer.certificate)})
        return Sender(municipality_code, own, (self.root.certificate,))

    def prefecture_as_sender(self, prefecture_code: str) -> Sender:
        """Register the prefecture as a municipality would, to verify receipts."""
        own = frozenset({fingerprint(self.prefecture.certificate)})
        return Sender(prefecture_code, own, (self.root.certificate,))


def ec_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """Make an elliptic curve key, P-256 unless told otherwise."""
    return ec.generate_private_key(curve or ec.SECP256R1())


def rsa_key(bits: int = RSA_BITS) -> rsa.RSAPrivateKey:
    """Make an RSA key."""
    return rsa.generate_private_key(65537, bits)


def make_root(name: str = "演習用認証局", valid_until: datetime = VALID_UNTIL) -> Identity:
    """Make a self-signed certificate authority."""
    key = ec_key()
    subject = _name(name)
    builder = _builder(subject, subject, key, VALID_FROM, valid_until)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return Identity(builder.add_extension(_usage(is_authority=True), True).sign(key, hashes.SHA256()), key)


def issue(
    issuer: Identity,
    name: str,
    key: PrivateKey,
    *,
    valid_from: datetime = VALID_FROM,
    valid_until: datetime = VALID_UNTIL,
    is_authority: bool = False,
) -> Identity:
    """Issue a certificate; with other instants an expired or a not yet valid one."""
    builder = _builder(_name(name), issuer.certificate.subject, key, valid_from, valid_until)
    builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    builder = builder.add_extension(_usage(is_authority=is_authority), critical=True)
    return Identity(builder.sign(issuer.key, hashes.SHA256()), key)


def expired(issuer: Identity, identity: Identity, until: datetime) -> Identity:
    """Issue the same name and key again with a validity that ended at an instant."""
    subject = identity.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0]
    return issue(issuer, str(subject.value), identity.key, valid_until=until)


def revocation_list(
    issuer: Identity, revoked: Iterable[x509.Certificate], issued_at: datetime, *, valid_days: int = 30
) -> x509.CertificateRevocationList:
    """Issue a revocation list of the certificates given."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(issued_at)
        .next_update(issued_at + timedelta(days=valid_days))
    )
    for certificate in revoked:
        entry = x509.RevokedCertificateBuilder(certificate.serial_number, issued_at)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256())


def build(folder: Path, municipality_codes: Iterable[str], prefecture: Identity | None = None) -> Pki:
    """Make or load everything for an exercise; `prefecture` may bring its own key and certificate."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    root = kept(folder / "root", make_root)
    if prefecture is None:
        prefecture = kept(folder / "prefecture", lambda: issue(root, "演習用都道府県", rsa_key()))
    # Making RSA keys releases the interpreter lock: as many at once as there are cores.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        offices = pool.map(
            lambda item: _office(folder, root, item[1], is_rsa=item[0] % RSA_SIGNER_EVERY == 0),
            enumerate(sorted(municipality_codes)),
        )
        return Pki(root, prefecture, {office.municipality_code: office for office in offices})


def counterpart(folder: Path, root: Identity, code: str) -> Office:
    """Make or load the identities of somebody who is no municipality: J-LIS, a recipient."""
    return _office(folder, root, code, is_rsa=False)


def save(identity: Identity, stem: Path) -> tuple[Path, Path]:
    """Write `<stem>.crt` and `<stem>.key` (PEM, the key 0600) and return both paths."""
    certificate, key = stem.with_suffix(".crt"), stem.with_suffix(".key")
    certificate.write_bytes(identity.certificate.public_bytes(serialization.Encoding.PEM))
    pem = identity.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    return certificate, key


def load(stem: Path) -> Identity:
    """Read what `save` wrote."""
    certificate = x509.load_pem_x509_certificate(stem.with_suffix(".crt").read_bytes())
    # Ours since `save`: to prove the primes of every key again takes longer than to make packages for all of them.
    pem = stem.with_suffix(".key").read_bytes()
    key = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return Identity(certificate, key)


def kept(stem: Path, make: Callable[[], Identity]) -> Identity:
    """Load the identity kept under a stem, or make and keep it."""
    if stem.with_suffix(".key").exists() and stem.with_suffix(".crt").exists():
        return load(stem)
    identity = make()
    save(identity, stem)
    return identity


def _office(folder: Path, root: Identity, code: str, *, is_rsa: bool) -> Office:
    receiver = kept(folder / f"{code}-receiver", lambda: issue(root, f"演習用受信 {code}", rsa_key()))
    signer = kept(
        folder / f"{code}-signer",
        lambda: issue(root, f"演習用署名 {code}", receiver.key if is_rsa else ec_key()),
    )
    return Office(code, signer, receiver)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, valid_from: datetime, valid_until: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(min(valid_from, valid_until - timedelta(days=1)))
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.not_valid_after(valid_until).add_extension(identifier, critical=False)


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=not is_authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
