"""Our own keys are read without searching them for primes, and nothing but the whole key of a certificate passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from config import identities
from juki.credentials import Credentials
from juki.errors import ConfigurationError
from juki.home import Home
from juki.reasons import Code
from juki.wire.rsa_keys import is_key_of, read_rsa_key

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    def altered(self, **parts: int) -> bytes:
        """The key with other numbers in some of its parts."""
        whole = self.key.private_numbers()
        names = ("p", "q", "d", "dmp1", "dmq1", "iqmp")
        numbers = {name: parts.get(name, getattr(whole, name)) for name in names}
        public = rsa.RSAPublicNumbers(parts.get("e", whole.public_numbers.e), whole.public_numbers.n)
        made = rsa.RSAPrivateNumbers(**numbers, public_numbers=public)
        return _pem(made.private_key(unsafe_skip_rsa_key_validation=True))


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


@pytest.fixture(scope="module")
def equipped(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with the prefecture's credentials."""
    home = Home.at(tmp_path_factory.mktemp("keys") / "home")
    home.create()
    Credentials(home.keys).create_missing("350001", NOW)
    return home


@pytest.fixture(scope="module")
def pair(equipped: Home) -> Pair:
    """The envelope certificate and its key."""
    credentials = Credentials(equipped.keys)
    key = serialization.load_pem_private_key(credentials.envelope_key.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return Pair(x509.load_pem_x509_certificate(credentials.envelope_certificate.read_bytes()), key)


def test_whole_key_is_read_as_the_library_reads_it(pair: Pair) -> None:
    """Nothing of it is lost by not searching for primes."""
    read = read_rsa_key(_pem(pair.key), pair.certificate)
    assert read.private_numbers() == pair.key.private_numbers()


@pytest.mark.parametrize("part", ["d", "dmp1", "dmq1", "iqmp"])
def test_key_with_one_altered_part_is_refused(pair: Pair, part: str) -> None:
    """A signature made with it would give the whole key away, and an envelope would seem altered by its sender."""
    whole = getattr(pair.key.private_numbers(), part)
    with pytest.raises(ValueError, match="not the key"):
        read_rsa_key(pair.altered(**{part: whole + 2}), pair.certificate)


def test_factors_that_do_not_make_the_modulus_are_refused(pair: Pair) -> None:
    """The one thing primes are searched for: here the certificate says what they must multiply to."""
    whole = pair.key.private_numbers()
    public, n = whole.public_numbers, whole.public_numbers.n
    assert is_key_of(whole, public)
    for p, q in ((whole.p, whole.q + 2), (whole.p, whole.p), (n, 1), (1, n), (-whole.p, -whole.q)):
        parts = {"d": whole.d, "dmp1": whole.dmp1, "dmq1": whole.dmq1, "iqmp": whole.iqmp}
        assert not is_key_of(rsa.RSAPrivateNumbers(p=p, q=q, **parts, public_numbers=public), public)


def test_exponent_other_than_the_certificates_is_refused(pair: Pair) -> None:
    """The public part counts as well."""
    with pytest.raises(ValueError, match=r"."):
        read_rsa_key(pair.altered(e=3), pair.certificate)


def test_key_of_another_kind_is_refused(pair: Pair) -> None:
    """An EC key in the place of ours opens nothing."""
    with pytest.raises(TypeError, match="not an RSA key"):
        read_rsa_key(_pem(ec.generate_private_key(ec.SECP256R1())), pair.certificate)


def test_key_of_another_certificate_is_our_fault_and_named_by_its_file(equipped: Home) -> None:
    """Or every package would be refused as altered, and every receipt be signed by nobody known."""
    credentials = Credentials(equipped.keys)
    credentials.envelope_key.write_bytes(credentials.signing_key.read_bytes())
    with pytest.raises(ConfigurationError) as refused:
        identities.recipient_keys(equipped)
    assert (refused.value.code, refused.value.ref) == (Code.CONFIG_INVALID, credentials.envelope_key.name)
    assert refused.value.__context__ is None
