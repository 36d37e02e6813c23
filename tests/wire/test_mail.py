"""Letters of alarms, handed in at a real SMTP server, with and without STARTTLS."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from juki.alarms import Alarm, AlarmKind
from juki.errors import SourceError
from juki.reasons import Code
from juki.wire.mail import MailServer, letter_of, post_alarm
from tests.smtp_sink import smtp_sink

NOW = datetime.now(UTC)
ALARM = Alarm(AlarmKind.RUN_LATE, "intake", NOW)


def _server(port: int, **how: object) -> MailServer:
    plain = MailServer("127.0.0.1", port, "juki@pref.example", ["a@pref.example", "b@pref.example"], False)
    return replace(plain, **how)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sink.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW - timedelta(days=1))
    builder = builder.not_valid_after(NOW + timedelta(days=1))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    path = tmp_path_factory.mktemp("mail") / "sink.pem"
    private = serialization.PrivateFormat.PKCS8
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()) + pem
    )
    return path


@pytest.fixture(scope="module")
def context(authority: Path) -> ssl.SSLContext:
    """What a server shows."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(authority)
    return made


def test_every_receiver_gets_the_letter() -> None:
    """In Japanese, with the code as a header for filters."""
    with smtp_sink() as sink:
        post_alarm(_server(sink.port), ALARM)
    assert sink.receivers == ["a@pref.example", "b@pref.example"]
    letter = sink.letters[0]
    assert letter["Subject"] == ALARM.heading and letter["X-Juki-Alarm"] == "alarm.run_late"
    assert ALARM.kind.code.next_step in letter.get_content()


def test_a_server_that_is_away_or_refuses_is_one_transient_code() -> None:
    """What it answered may hold anything and is not kept."""
    with smtp_sink() as sink:
        sink.refuses = True
        with pytest.raises(SourceError) as refused:
            post_alarm(_server(sink.port), ALARM)
    with pytest.raises(SourceError) as away:
        post_alarm(_server(sink.port), ALARM)
    for error in (refused.value, away.value):
        assert (error.code, error.is_transient) == (Code.NOTIFICATION_UNDELIVERED, True)
        assert error.__cause__ is None and "later" not in str(error)


def test_password_goes_over_an_encrypted_line_to_a_proven_server(
    authority: Path, context: ssl.SSLContext
) -> None:
    """The certificate is checked before anything is said."""
    with smtp_sink(context) as sink:
        server = _server(sink.port, starttls=True, user="juki", password="s3cret")
        post_alarm(replace(server, authority_file=str(authority)), ALARM)
        assert sink.logins == [("juki", "s3cret", True)]
        with pytest.raises(SourceError):
            post_alarm(server, ALARM)
    assert len(sink.letters) == len(sink.logins) == 1


def test_server_without_encryption_gets_neither_password_nor_letter() -> None:
    """Somebody in between who takes STARTTLS out of the offer learns nothing."""
    with smtp_sink() as sink, pytest.raises(SourceError):
        post_alarm(_server(sink.port, starttls=True, user="juki", password="s3cret"), ALARM)
    assert sink.logins == [] and sink.letters == []


def test_line_break_in_what_it_is_about_adds_no_header() -> None:
    """A run's name can not address the letter to somebody else."""
    letter = letter_of(_server(25), Alarm(AlarmKind.RUN_LATE, "intake\r\nBcc: x@attacker.example", NOW))
    assert letter["Bcc"] is None and "\n" not in letter["Subject"]


def test_the_password_is_in_no_repr() -> None:
    """Neither in a log nor in a failed test."""
    assert "s3cret" not in repr(_server(25, password="s3cret"))
