"""Letters of alarms, handed in at a real SMTP server, with and without STARTTLS."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from juki.alarms import Alarm, AlarmKind
from juki.errors import SourceError
from juki.notifications import Notifications
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


def test_a_server_that_is_away_is_one_transient_code() -> None:
    """What the library says of it may hold anything and is not kept."""
    with smtp_sink() as sink:
        pass
    with pytest.raises(SourceError) as away:
        post_alarm(_server(sink.port), ALARM)
    assert (away.value.code, away.value.is_transient) == (Code.NOTIFICATION_UNDELIVERED, True)
    assert away.value.__cause__ is None and "refused" not in str(away.value)


@pytest.mark.parametrize(
    "said",
    [
        {"user": "利用者", "password": "x"},
        {"user": "juki", "password": "暗証"},
        {"sender": "県@pref.example"},
    ],
)
def test_name_or_password_outside_ascii_is_the_code_of_a_letter_that_stays(
    shown: tuple[Path, Path], said: dict[str, str]
) -> None:
    """The library raises another kind of error for each; whoever posts expects one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*shown)
    with smtp_sink(context) as sink, pytest.raises(SourceError) as refused:
        post_alarm(_server(sink.port, starttls=True, authority_file=str(shown[0]), **said), ALARM)
    assert refused.value.code is Code.NOTIFICATION_UNDELIVERED
    assert refused.value.__cause__ is None and refused.value.__context__ is None
    assert sink.letters == []


def test_receiver_the_server_does_not_know_is_told_and_the_others_have_the_letter() -> None:
    """So is everybody where it takes nothing, and nobody else gets it twice."""
    with smtp_sink() as sink:
        sink.nobody = frozenset({"b@pref.example"})
        assert post_alarm(_server(sink.port), ALARM) == ["b@pref.example"]
        assert sink.receivers == ["a@pref.example"] and len(sink.letters) == 1
        assert post_alarm(_server(sink.port), ALARM, ["b@pref.example"]) == ["b@pref.example"]
        sink.nobody, sink.refuses = frozenset(), True
        assert post_alarm(_server(sink.port), ALARM) == ["a@pref.example", "b@pref.example"]
        sink.refuses, sink.unwelcome = False, "alarm.run_late"
        assert post_alarm(_server(sink.port), ALARM) == ["a@pref.example", "b@pref.example"]
    assert len(sink.letters) == 1


@pytest.mark.parametrize("farewell", ["421 closing", "500 what", ""])
def test_letter_the_server_took_is_taken_whatever_it_says_to_our_leave(farewell: str) -> None:
    """Else it would go out with every try."""
    with smtp_sink() as sink:
        sink.farewell = farewell
        assert post_alarm(_server(sink.port), ALARM) == []
    assert len(sink.letters) == 1


def test_refused_receiver_and_refused_letter_wait_and_everything_else_arrives_once(tmp_path: Path) -> None:
    """The folder and the server together, by a server that also takes its leave badly, tried three times."""
    told, later = Notifications(tmp_path), Alarm(AlarmKind.PURGE_OVERDUE, "purge", NOW)
    told.tell(ALARM, is_posted=True)
    told.tell(later, is_posted=True)
    with smtp_sink() as sink:
        server = _server(sink.port)
        sink.farewell, sink.unwelcome, sink.nobody = (
            "421 closing",
            "alarm.run_late",
            frozenset({"b@pref.example"}),
        )
        for _ in range(3):
            with pytest.raises(SourceError):
                told.post(partial(post_alarm, server), server.receivers)
        assert [one["X-Juki-Alarm"] for one in sink.letters] == ["alarm.purge_overdue"] and told.waiting == 2
        sink.unwelcome, sink.nobody = "", frozenset()
        sink.receivers.clear()
        assert told.post(partial(post_alarm, server), server.receivers) == 2
    assert sorted(sink.receivers) == ["a@pref.example", "b@pref.example", "b@pref.example"]
    assert told.waiting == 0


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
