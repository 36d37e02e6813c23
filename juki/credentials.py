"""The prefecture's own credentials: what municipalities encrypt to, what we sign with, what we log in with.

Decides:    kind and size of these keys, and what the first certificates say.
Leaves:     sealing and opening to `juki.wire.envelope`, the login to `juki.wire.sftp`.
Invariants: one key for one use: what decrypts never signs. Private parts are mode 0600 and never replaced; a
            certificate may be replaced by one of a certification authority under the same name.
Source:     spec/packages.md sections 1 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import NameOID

from juki.errors import ConfigurationError
from juki.keys import read_private, write_private
from juki.reasons import Code

RSA_BITS = 3072
"""The least the interchange accepts (spec 1), for both uses."""
_VALIDITY = timedelta(days=5 * 365)
_CLOCK_TOLERANCE = timedelta(hours=1)
_OTHER_USES = (
    *("content_commitment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"),
    *("encipher_only", "decipher_only"),
)
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Credentials:
    """The files of the prefecture's credentials in the folder of keys."""

    folder: Path

    @property
    def envelope_key(self) -> Path:
        """Private key that opens what municipalities send (PKCS #8, PEM)."""
        return self.folder / "prefecture.key"

    @property
    def envelope_certificate(self) -> Path:
        """Certificate that municipalities encrypt to; public (PEM)."""
        return self.folder / "prefecture.crt"

    @property
    def signing_key(self) -> Path:
        """Private key that signs receipts and whatever else leaves (PKCS #8, PEM)."""
        return self.folder / "prefecture_signing.key"

    @property
    def signing_certificate(self) -> Path:
        """Certificate of the signatures of the prefecture; public (PEM)."""
        return self.folder / "prefecture_signing.crt"

    @property
    def sftp_key(self) -> Path:
        """Private key of the login to the municipal CS (Ed25519, OpenSSH)."""
        return self.folder / "sftp_client.key"

    @property
    def sftp_public_key(self) -> Path:
        """Its public part, to be registered at each municipal CS (one OpenSSH line)."""
        return self.folder / "sftp_client.pub"

    def create_missing(self, prefecture_code: str, now: datetime) -> list[Path]:
        """Create what is absent, public parts last, and list it; what exists stays as it is."""
        pairs = (
            (self.envelope_key, self.envelope_certificate, "juki-renkei envelope", False),
            (self.signing_key, self.signing_certificate, "juki-renkei signing", True),
        )
        created = [
            path
            for key, certificate, name, is_signing in pairs
            for path in _ensure_rsa(key, certificate, f"{name} {prefecture_code}", now, is_signing)
        ]
        return created + _ensure_ssh(self.sftp_key, self.sftp_public_key)


def _ensure_rsa(key_file: Path, certificate: Path, name: str, now: datetime, is_signing: bool) -> list[Path]:
    created = []
    if not key_file.exists():
        new = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        form = serialization.PrivateFormat.PKCS8
        write_private(key_file, new.private_bytes(_PEM, form, serialization.NoEncryption()))
        created.append(key_file)
    if not certificate.exists():
        key = serialization.load_pem_private_key(read_private(key_file), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ConfigurationError(Code.KEY_MISSING, key_file.name)
        write_private(certificate, _self_signed(key, name, now, is_signing).public_bytes(_PEM))
        created.append(certificate)
    return created


def _self_signed(key: rsa.RSAPrivateKey, name: str, now: datetime, is_signing: bool) -> x509.Certificate:
    """Make a certificate that says of its key what it is for, and that it is no authority."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = dict.fromkeys(_OTHER_USES, False)
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_TOLERANCE)
        .not_valid_after(now + _VALIDITY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=is_signing, key_encipherment=not is_signing, **usage),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def _ensure_ssh(key_file: Path, public_file: Path) -> list[Path]:
    created = []
    if not key_file.exists():
        form = serialization.PrivateFormat.OpenSSH
        new = ed25519.Ed25519PrivateKey.generate()
        write_private(key_file, new.private_bytes(_PEM, form, serialization.NoEncryption()))
        created.append(key_file)
    if not public_file.exists():
        key = serialization.load_ssh_private_key(read_private(key_file), password=None)
        openssh = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        write_private(public_file, key.public_key().public_bytes(*openssh) + b" juki-renkei\n")
        created.append(public_file)
    return created
