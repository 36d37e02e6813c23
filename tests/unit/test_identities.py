"""From files to what the wire needs: read whole, or refused by the name of the file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config import identities
from config.municipalities import Municipality
from config.settings import Settings
from juki.credentials import Credentials
from juki.errors import ConfigurationError
from juki.home import Home
from juki.reasons import Code

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def equipped(home: Home) -> Home:
    """A home with the prefecture's credentials; its own certificate plays the municipality's."""
    home.create()
    Credentials(home.keys).create_missing("350001", NOW)
    return home


def _registered(certificate: str = "keys/prefecture.crt") -> Municipality:
    return Municipality(
        code="352039",
        name="山口市",
        host="cs.example",
        port=2222,
        account="pref35",
        host_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGSm8FmL",
        signing_certificates=["ab" * 32],
        roots=[certificate],
        receipt_certificate=certificate,
    )


def test_endpoint_takes_place_from_the_register_and_limits_from_the_settings(equipped: Home) -> None:
    """What is registered is what is connected to, with our key and our patience."""
    settings = Settings(connect_timeout_seconds=7, transfer_timeout_seconds=70, connect_attempts=2)
    endpoint = identities.endpoint_of(equipped, settings, _registered())
    assert (endpoint.municipality_code, endpoint.host, endpoint.port) == ("352039", "cs.example", 2222)
    assert (endpoint.timeouts.connect_seconds, endpoint.timeouts.transfer_seconds) == (7, 70)
    assert endpoint.retry.attempts == 2
    assert endpoint.login_key().get_algorithm() == "ssh-ed25519"


def test_sender_is_bound_to_the_registered_fingerprint(equipped: Home) -> None:
    """Roots come from the files of the registration, fingerprints from the registration itself."""
    sender = identities.sender_of(equipped, _registered())
    assert sender.municipality_code == "352039"
    assert sender.fingerprints == {"ab" * 32}
    assert len(sender.roots) == 1
    assert sender.revocation_lists == ()


def test_own_keys_and_certificates_belong_together(equipped: Home) -> None:
    """What opens is not what signs, and each key fits its certificate."""
    (recipient,) = identities.recipient_keys(equipped)
    signer = identities.signing_identity(equipped)
    assert recipient.certificate.public_key() == recipient.private_key.public_key()
    assert signer.certificate.public_key() == signer.private_key.public_key()
    assert recipient.certificate != signer.certificate


def test_unreadable_certificate_is_named_and_not_quoted(equipped: Home) -> None:
    """A wrong file is the administrator's to find: its name is told, its content is not."""
    (equipped.root / "wrong.pem").write_text("secret content")
    for path in ("wrong.pem", "absent.pem"):
        for read in (identities.sender_of, identities.receipt_certificate_of):
            with pytest.raises(ConfigurationError) as refused:
                read(equipped, _registered(path))
            assert (refused.value.code, refused.value.ref) == (Code.CONFIG_INVALID, path)
            assert refused.value.__context__ is None


def test_key_others_may_read_does_not_open_anything(equipped: Home) -> None:
    """The envelope key is refused when it is no longer private."""
    Credentials(equipped.keys).envelope_key.chmod(0o644)
    with pytest.raises(ConfigurationError) as refused:
        identities.recipient_keys(equipped)
    assert refused.value.code is Code.KEY_PERMISSIONS
