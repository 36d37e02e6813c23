"""Sealing as a municipality does it: by our own code, or by nothing but the openssl program.

Leaves:     what is sealed to `simulator.office`; opening by openssl is for the tests.
Invariants: the commands are those of spec/packages.md section 1, so that a vendor can copy them.
"""

from __future__ import annotations

import subprocess
import tempfile
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from juki.wire.envelope import seal_envelope
from juki.wire.sealed import seal as encrypt
from simulator.pki import Identity, save

OAEP_SHA256 = (
    "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256", "-keyopt", "rsa_mgf1_md:sha256",
)  # fmt: skip


class Sealer(StrEnum):
    """Who seals."""

    OURS = "ours"
    OPENSSL = "openssl"


def seal(
    content: bytes, signer: Identity, recipient: x509.Certificate, sealer: Sealer = Sealer.OURS
) -> bytes:
    """Sign and encrypt a content."""
    if sealer is Sealer.OPENSSL:
        return seal_by_openssl(content, signer, recipient)
    return seal_envelope(content, signer=signer.signing(), recipient_certificate=recipient)


def seal_signed(signed: bytes, recipient: x509.Certificate) -> bytes:
    """Encrypt any bytes as if they were a signed message: what an outsider can do."""
    return encrypt(signed, recipient)


def seal_by_openssl(
    content: bytes,
    signer: Identity,
    recipient: x509.Certificate,
    *,
    sign_options: tuple[str, ...] = ("-md", "sha256"),
    encrypt_options: tuple[str, ...] = ("-aes-256-gcm",),
    recipient_options: tuple[str, ...] = OAEP_SHA256,
) -> bytes:
    """Sign and encrypt with the openssl program; other options make the packages we must refuse."""
    signed = sign_by_openssl(content, signer, sign_options)
    return encrypt_by_openssl(signed, recipient, encrypt_options, recipient_options)


def sign_by_openssl(
    content: bytes,
    signer: Identity,
    options: tuple[str, ...] = ("-md", "sha256"),
    *,
    is_detached: bool = False,
) -> bytes:
    """Run `openssl cms -sign`."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = save(signer, Path(folder) / "signer")
        attached = () if is_detached else ("-nodetach",)
        identity = ("-signer", str(certificate), "-inkey", str(key))
        return openssl(
            "cms", "-sign", "-binary", *attached, "-outform", "DER", *identity, *options, data=content
        )


def encrypt_by_openssl(
    content: bytes,
    recipient: x509.Certificate,
    options: tuple[str, ...] = ("-aes-256-gcm",),
    recipient_options: tuple[str, ...] = OAEP_SHA256,
) -> bytes:
    """Run `openssl cms -encrypt`."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = Path(folder) / "recipient.crt"
        certificate.write_bytes(recipient.public_bytes(serialization.Encoding.PEM))
        to = ("-recip", str(certificate), *recipient_options)
        return openssl("cms", "-encrypt", "-binary", *options, "-outform", "DER", *to, data=content)


def open_by_openssl(sealed: bytes, recipient: Identity, root: x509.Certificate) -> bytes:
    """Run `openssl cms -decrypt` and `-verify`, as a municipality reads a receipt."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        certificate, key = save(recipient, folder / "recipient")
        authority = folder / "root.crt"
        authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        own = ("-recip", str(certificate), "-inkey", str(key))
        signed = openssl("cms", "-decrypt", "-binary", "-inform", "DER", *own, data=sealed)
        trust = ("-CAfile", str(authority), "-purpose", "any")
        return openssl("cms", "-verify", "-binary", "-inform", "DER", *trust, data=signed)


def openssl(*arguments: str, data: bytes) -> bytes:
    """Run the openssl program on some bytes."""
    done = subprocess.run(("openssl", *arguments), input=data, capture_output=True, check=False, timeout=60)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]} {arguments[1]} failed: {done.stderr.decode()[:300]}")
    return done.stdout
