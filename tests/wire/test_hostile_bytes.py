"""Bytes that no municipality sent: every prefix, bit flips, noise. None opens, none surfaces uncoded."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
from hypothesis import settings

from juki.errors import SourceError
from juki.reasons import Code, Scope
from juki.wire.envelope import open_envelope
from juki.wire.signed import open_signed
from simulator import pki, sealing
from tests.wire.conftest import AT

CODE = "352039"
CONTENT = b'{"format":"juki-notice/1"}\nnotice_no\n1\n'
KEY_FLIPS = min(3_000, 8 * settings().max_examples)
"""Tried on the encrypted key in the package of each sealer: every one costs a decryption by RSA."""
INNER_FLIPS = min(3_000, 24 * settings().max_examples)


class RememberingKey:
    """The prefecture's private key, which decrypts what it has decrypted before by looking it up.

    Whoever flips a bit outside the encrypted key has it decrypted unaltered, which takes nine tenths of the time of
    opening; the padding is always the one the product insists on.
    """

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        """Know nothing yet."""
        self._key = key
        self.key_size = key.key_size
        self.known = dict[bytes, bytes]()

    def decrypt(self, ciphertext: bytes, padding: AsymmetricPadding) -> bytes:
        """Decrypt, or raise as the real one does."""
        if ciphertext not in self.known:
            self.known[ciphertext] = self._key.decrypt(ciphertext, padding)
        return self.known[ciphertext]


def attempt(authority: pki.Pki, data: bytes, key: RememberingKey | None = None) -> bytes | Code:
    """Open and return the content or the code; any other exception fails the test."""
    recipient = authority.prefecture.recipient()
    if key is not None:
        recipient = replace(recipient, private_key=key)  # type: ignore[arg-type]
    try:
        return open_envelope(data, recipient=[recipient], sender=authority.sender(CODE), at=AT)
    except SourceError as refusal:
        return refusal.code


def flipped(data: bytes, bit: int) -> bytes:
    """Turn one bit over."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.fixture(scope="module", params=list(sealing.Sealer))
def package(request: pytest.FixtureRequest, authority: pki.Pki) -> bytes:
    """A small package that opens, by each sealer."""
    data = sealing.seal(
        CONTENT, authority.offices[CODE].signer, authority.prefecture.certificate, request.param
    )
    assert attempt(authority, data) == CONTENT
    return data


@pytest.fixture(scope="module")
def signed(authority: pki.Pki) -> bytes:
    """The inner envelope of a small package, in which no bit is free."""
    return sealing.sign_by_openssl(CONTENT, authority.offices[CODE].signer)


def test_no_prefix_of_a_package_opens(authority: pki.Pki, package: bytes) -> None:
    """A transfer cut anywhere: every prefix down to the last byte but one."""
    codes = {attempt(authority, package[:length]) for length in range(len(package))}
    assert codes == {Code.PACKAGE_ENVELOPE}


def test_no_prefix_of_the_signed_part_opens(authority: pki.Pki, signed: bytes) -> None:
    """Cut before it was encrypted, so that the outer envelope is whole."""
    whole = authority.prefecture.certificate
    codes = {attempt(authority, sealing.seal_signed(signed[:length], whole)) for length in range(len(signed))}
    assert codes == {Code.PACKAGE_SIGNATURE_FORM}


def test_nothing_may_follow_a_package(authority: pki.Pki, package: bytes) -> None:
    """A byte after the end is not overlooked."""
    for tail in (b"\x00", b"\n", package):
        assert attempt(authority, package + tail) is Code.PACKAGE_ENVELOPE


def test_no_flipped_bit_is_accepted(authority: pki.Pki, package: bytes) -> None:
    """Every bit of a package matters, in the authenticated parts and in those around them.

    Some 7,000 bits by each sealer, all there are but those of the encrypted key, of which a sample is tried.
    """
    key = RememberingKey(authority.prefecture.recipient().private_key)
    assert attempt(authority, package, key) == CONTENT
    (encrypted_key,) = key.known
    start = package.index(encrypted_key) * 8
    of_key = range(start, start + len(encrypted_key) * 8)
    others = [bit for bit in range(len(package) * 8) if bit not in of_key]
    assert len(others) > 6_000
    found = {attempt(authority, flipped(package, bit), key) for bit in others}
    assert found == {
        Code.PACKAGE_ENVELOPE,
        Code.PACKAGE_CONTENT_CIPHER,
        Code.PACKAGE_KEY_TRANSPORT,
        Code.PACKAGE_RECIPIENT,
        Code.PACKAGE_ALTERED,
    }
    bits = random.Random(20261123).sample(of_key, KEY_FLIPS)
    assert {attempt(authority, flipped(package, bit)) for bit in bits} == {Code.PACKAGE_ALTERED}


def test_no_flipped_bit_of_the_signed_part_is_accepted(authority: pki.Pki, signed: bytes) -> None:
    """Anyone can encrypt to us: the inner envelope alone must withstand the same."""
    assert open_signed(signed, authority.sender(CODE), AT, AT) == CONTENT
    whole = authority.prefecture.certificate
    bits = random.Random(7).sample(range(len(signed) * 8), INNER_FLIPS)
    found = {attempt(authority, sealing.seal_signed(flipped(signed, bit), whole)) for bit in bits}
    assert all(isinstance(one, Code) and one.scope is Scope.PACKAGE for one in found)
    assert found >= {
        Code.PACKAGE_SIGNATURE,
        Code.PACKAGE_SIGNATURE_FORM,
        Code.PACKAGE_SIGNATURE_ALGORITHM,
        Code.PACKAGE_CERTIFICATE_CHAIN,
    }


def test_noise_is_refused(authority: pki.Pki) -> None:
    """Random bytes, empty input, text, a very deep nesting."""
    source = random.Random(1)
    noise = [source.randbytes(source.randrange(400)) for _ in range(300)]
    deep = b"\x30\x80" * 5000
    nested = b""
    for _ in range(300):
        nested = (
            b"\x30"
            + (bytes([len(nested)]) if len(nested) < 128 else b"\x82" + len(nested).to_bytes(2, "big"))
            + nested
        )
    for data in (*noise, b"", b"\x00", b"\x30", b"-----BEGIN CMS-----\n", deep, nested):
        assert isinstance(attempt(authority, data), Code)
