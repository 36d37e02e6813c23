"""Which certificates may speak for a municipality, apart from any package."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from juki.errors import SourceError
from juki.reasons import Code
from juki.wire.certificates import Sender, check_certificate, fingerprint
from simulator import pki
from simulator.sealing import openssl
from tests.wire.conftest import AT

NAME = x509.Name.from_rfc4514_string("CN=test")


def judge(certificate: x509.Certificate, root: x509.Certificate, *others: x509.Certificate) -> Code | None:
    """Judge a registered certificate; None when it may speak."""
    sender = Sender("352039", frozenset({fingerprint(certificate)}), (root,))
    try:
        check_certificate(certificate, others, sender, AT, AT)
    except SourceError as refusal:
        return refusal.code
    return None


def made(
    issuer: pki.Identity | None,
    *extensions: tuple[x509.ExtensionType, bool],
    key: pki.PrivateKey | None = None,
) -> pki.Identity:
    """A certificate with just these extensions, self-signed without an issuer."""
    key = key or pki.ec_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(NAME if issuer else x509.Name.from_rfc4514_string("CN=root"))
        .issuer_name(issuer.certificate.subject if issuer else x509.Name.from_rfc4514_string("CN=root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(AT - timedelta(days=1))
        .not_valid_after(AT + timedelta(days=1))
    )
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, is_critical)
    return pki.Identity(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


AUTHORITY = (x509.BasicConstraints(ca=True, path_length=None), True)


def test_certificate_without_extensions_may_speak() -> None:
    """Nothing beyond what signing needs is demanded of a signer."""
    root = made(None, AUTHORITY)
    assert judge(made(root).certificate, root.certificate) is None


def test_self_signed_certificate_is_its_own_root() -> None:
    """A prefecture without an authority can be registered by its certificate alone."""
    alone = made(None)
    assert judge(alone.certificate, alone.certificate) is None


def test_authority_may_not_exceed_its_path_length() -> None:
    """A root that allows no authority below it."""
    root = made(None, (x509.BasicConstraints(ca=True, path_length=0), True))
    below = pki.issue(root, "below", pki.ec_key(), is_authority=True)
    signer = pki.issue(below, "signer", pki.ec_key())
    code = judge(signer.certificate, root.certificate, below.certificate)
    assert code is Code.PACKAGE_CERTIFICATE_CHAIN
    assert judge(made(root).certificate, root.certificate) is None


def test_root_that_is_no_authority_vouches_for_nobody() -> None:
    """Absent or false basic constraints."""
    for root in (made(None), made(None, (x509.BasicConstraints(ca=False, path_length=None), True))):
        assert judge(made(root).certificate, root.certificate) is Code.PACKAGE_CERTIFICATE_CHAIN


def test_unknown_critical_extension_is_refused() -> None:
    """RFC 5280 4.2: what must be understood and is not."""
    root = made(None, AUTHORITY)
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    assert judge(made(root, (unknown, True)).certificate, root.certificate) is Code.PACKAGE_CERTIFICATE_CHAIN
    assert judge(made(root, (unknown, False)).certificate, root.certificate) is None


def test_certificate_for_encryption_alone_may_not_sign() -> None:
    """A key usage that leaves out signing."""
    root = made(None, AUTHORITY)
    usage = x509.KeyUsage(False, False, True, False, False, False, False, False, False)
    assert judge(made(root, (usage, True)).certificate, root.certificate) is Code.PACKAGE_CERTIFICATE_CHAIN


def test_authority_that_may_not_sign_certificates_vouches_for_nobody() -> None:
    """A key usage of the root that leaves out signing certificates."""
    usage = x509.KeyUsage(True, False, False, False, False, False, True, False, False)
    root = made(None, AUTHORITY, (usage, True))
    assert judge(made(root).certificate, root.certificate) is Code.PACKAGE_CERTIFICATE_CHAIN


def test_too_many_enclosed_certificates_are_refused() -> None:
    """A package may not make us search without end."""
    root = made(None, AUTHORITY)
    others = [made(root).certificate for _ in range(4)]
    assert judge(made(root).certificate, root.certificate, *others) is Code.PACKAGE_CERTIFICATE_CHAIN


def test_certificates_of_the_openssl_program_may_speak(tmp_path: Path) -> None:
    """An authority run with nothing but the openssl program; its certificates must be X.509 version 3."""
    ca, key, request = (str(tmp_path / name) for name in ("ca.crt", "ca.key", "cs.csr"))
    subject = ("-nodes", "-newkey", "rsa:3072", "-keyout")
    openssl("req", "-x509", *subject, key, "-out", ca, "-subj", "/CN=ca", "-days", "9999", data=b"")
    openssl("req", *subject, str(tmp_path / "cs.key"), "-out", request, "-subj", "/CN=cs", data=b"")
    extensions = tmp_path / "extensions"
    extensions.write_text("basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n")
    issue = ("x509", "-req", "-in", request, "-CA", ca, "-CAkey", key, "-CAcreateserial", "-days", "9999")
    root = x509.load_pem_x509_certificate(Path(ca).read_bytes())
    third = openssl(*issue, "-extfile", str(extensions), data=b"")
    signer = x509.load_pem_x509_certificate(third)
    sender = Sender("352039", frozenset({fingerprint(signer)}), (root,))
    at = signer.not_valid_before_utc + timedelta(days=1)
    check_certificate(signer, [], sender, at, at)
    with pytest.raises(SourceError) as caught:
        check_certificate(signer, [], Sender("352039", frozenset(), (root,)), at, at)
    assert caught.value.code is Code.PACKAGE_SIGNER_UNREGISTERED
