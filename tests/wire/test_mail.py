"""Letters of alarms, handed in at a real SMTP server, with and without STARTTLS."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from juki.alarms import Alarm, AlarmKind
from juki.errors import SourceError
from juki.reasons import Code
from juki.wire.mail import MailServer, letter_of, post_alarm
from tests.loopback_certificate import write_loopback_certificate
from tests.smtp_sink import smtp_sink

NOW = datetime.now(UTC)
ALARM = Alarm(AlarmKind.RUN_LATE, "intake", NOW)


def _server(port: int, **how: object) -> MailServer:
    plain = MailServer("127.0.0.1", port, "juki@pref.example", ["a@pref.example", "b@pref.example"], False)
    return replace(plain, **how)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    return write_loopback_certificate(tmp_path_factory.mktemp("mail"), "sink")


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
    shown: tuple[Path, Path],
) -> None:
    """The certificate is checked before anything is said."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*shown)
    with smtp_sink(context) as sink:
        server = _server(sink.port, starttls=True, user="juki", password="s3cret")
        post_alarm(replace(server, authority_file=str(shown[0])), ALARM)
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
