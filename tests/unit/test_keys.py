"""Keys: the owner's alone, never replaced, never shown."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import asyncssh
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from juki.columns import IdentityFile
from juki.credentials import Credentials
from juki.errors import ConfigurationError
from juki.keys import FileKeys, Purpose, read_private, write_private
from juki.reasons import Code

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_keys_of_stores_and_purposes_all_differ(tmp_path: Path) -> None:
    """Ten keys, ten values of 32 bytes, each in a file only its owner may read."""
    keys = FileKeys(tmp_path)
    ids = [keys.create(file, purpose) for file, purpose in keys.missing()]
    assert len({keys.key(key_id) for key_id in ids}) == len(IdentityFile) * len(Purpose)
    assert {len(keys.key(key_id)) for key_id in ids} == {32}
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert keys.missing() == []


def test_newest_generation_is_active_and_old_ones_still_open(tmp_path: Path) -> None:
    """The tenth generation follows the ninth: numbers, not text, are compared."""
    keys = FileKeys(tmp_path)
    ids = [keys.create(IdentityFile.RESIDENT, Purpose.NUMBER) for _ in range(10)]
    assert keys.active(IdentityFile.RESIDENT, Purpose.NUMBER) == "resident-number-10"
    assert keys.key(ids[0]) != keys.key(ids[9])


def test_absent_key_is_refused_by_name(tmp_path: Path) -> None:
    """Whoever asks for a key that is not there learns which one."""
    keys = FileKeys(tmp_path)
    with pytest.raises(ConfigurationError) as refused:
        keys.active(IdentityFile.FUHYO, Purpose.DIGEST)
    assert (refused.value.code, refused.value.ref) == (Code.KEY_MISSING, "fuhyo-digest")
    with pytest.raises(ConfigurationError) as refused:
        keys.key("fuhyo-digest-1")
    assert (refused.value.code, refused.value.ref) == (Code.KEY_MISSING, "fuhyo-digest-1.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_key_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """A key file opened to group or others is a key that may be known."""
    keys = FileKeys(tmp_path)
    key_id = keys.create(IdentityFile.RESIDENT, Purpose.INDEX)
    (tmp_path / f"{key_id}.key").chmod(mode)
    with pytest.raises(ConfigurationError) as refused:
        keys.key(key_id)
    assert refused.value.code is Code.KEY_PERMISSIONS


@pytest.mark.parametrize("content", [b"", b"00", b"zz" * 32, b"00" * 31, b"00" * 33, b"\xff" * 64])
def test_damaged_key_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """A key of another length is not a key."""
    write_private(tmp_path / "resident-index-1.key", content)
    with pytest.raises(ConfigurationError) as refused:
        FileKeys(tmp_path).key("resident-index-1")
    assert refused.value.code is Code.KEY_MISSING


@pytest.mark.parametrize(
    "key_id", ["", "../prefecture", "resident-index-0", "resident-index-1/../x", "a-b-1\n"]
)
def test_key_id_can_not_name_another_file(tmp_path: Path, key_id: str) -> None:
    """A key id read from a ciphertext never reaches the file system unless it is one of ours."""
    (tmp_path / "prefecture.key").write_bytes(b"00" * 32)
    with pytest.raises(ConfigurationError):
        FileKeys(tmp_path).key(key_id)


def test_key_is_never_replaced(tmp_path: Path) -> None:
    """Writing where something is fails and leaves it as it was, and nothing beside it."""
    write_private(tmp_path / "one", b"first")
    with pytest.raises(FileExistsError):
        write_private(tmp_path / "one", b"second")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert read_private(tmp_path / "one") == b"first"


def test_repr_shows_no_key(tmp_path: Path) -> None:
    """What a log might print of the provider is its folder."""
    keys = FileKeys(tmp_path)
    key = keys.key(keys.create(IdentityFile.RESIDENT, Purpose.NUMBER))
    assert key.hex() not in repr(keys)
    assert str(key) not in repr(keys)


def test_credentials_are_created_once(tmp_path: Path) -> None:
    """A second call creates nothing; the certificate alone is made again from its key when it is gone."""
    credentials = Credentials(tmp_path)
    assert len(credentials.create_missing("350001", NOW)) == 6
    key = credentials.envelope_key.read_bytes()
    assert credentials.create_missing("350001", NOW) == []
    credentials.envelope_certificate.unlink()
    assert credentials.create_missing("350001", NOW) == [credentials.envelope_certificate]
    assert credentials.envelope_key.read_bytes() == key
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_certificates_belong_to_their_keys_and_to_one_use(tmp_path: Path) -> None:
    """The envelope certificate does not sign, the signing certificate does not take envelopes."""
    credentials = Credentials(tmp_path)
    credentials.create_missing("350001", NOW)
    for key_file, certificate_file, signs in (
        (credentials.envelope_key, credentials.envelope_certificate, False),
        (credentials.signing_key, credentials.signing_certificate, True),
    ):
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = load_pem_private_key(key_file.read_bytes(), None)
        assert certificate.public_key() == key.public_key()
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        assert (usage.digital_signature, usage.key_encipherment) == (signs, not signs)
        assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc


def test_sftp_key_is_one_that_ssh_reads(tmp_path: Path) -> None:
    """The client reads the private part, the municipality the public line."""
    credentials = Credentials(tmp_path)
    credentials.create_missing("350001", NOW)
    key = asyncssh.read_private_key(credentials.sftp_key)
    public = asyncssh.read_public_key(credentials.sftp_public_key)
    assert key.convert_to_public() == public
    assert key.get_algorithm() == "ssh-ed25519"
