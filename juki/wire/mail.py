"""Letters by SMTP: the notification of an alarm to the people who look after the system.

Decides:    that with STARTTLS the certificate of the server is checked, and that a password is never sent without it.
Leaves:     what a letter says to `juki.alarms`, when one is posted to `juki.notifications`.
Invariants: what the server answers is not kept; that nothing could be handed in is one code, transient. A letter the
            server has taken is taken, whatever becomes of the line afterwards.
Source:     ADR-0034.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime

from juki.alarms import Alarm
from juki.errors import SourceError
from juki.reasons import Code

_TIMEOUT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed in, as whom, and for whom."""

    host: str
    port: int
    sender: str
    receivers: Sequence[str]
    starttls: bool = True
    user: str = ""
    password: str = field(default="", repr=False)
    authority_file: str | None = None
    """PEM file of the authorities the server's certificate may chain to; those of the machine without it."""


def post_alarm(server: MailServer, alarm: Alarm, receivers: Sequence[str] | None = None) -> list[str]:
    """Hand in the letter of one alarm; return the receivers for whom it was not taken.

    Shape:  `receivers` are those who have not got it yet; None: all of the server's.
    Raises: SourceError(NOTIFICATION_UNDELIVERED), transient, when nothing could be handed in at all.
    """
    wanted = list(server.receivers if receivers is None else receivers)
    with suppress(OSError, smtplib.SMTPException, ValueError):
        return _posted(server, letter_of(server, alarm), wanted)
    # Raised where nothing is being handled: a word that is no ASCII stands in the error of the library.
    raise SourceError(Code.NOTIFICATION_UNDELIVERED, "smtp", is_transient=True)


def _posted(server: MailServer, letter: EmailMessage, receivers: list[str]) -> list[str]:
    connection = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_SECONDS)
    try:
        _let_in(server, connection)
        lacking = _handed_in(connection, letter, receivers)
        # Taken is taken: what the server says to our leave changes nothing.
        with suppress(OSError, smtplib.SMTPException):
            connection.quit()
    finally:
        connection.close()
    return lacking


def _let_in(server: MailServer, connection: smtplib.SMTP) -> None:
    """Encrypt the line and say who we are, as far as the settings ask for it."""
    if server.starttls:
        connection.starttls(context=ssl.create_default_context(cafile=server.authority_file))
        if server.user:
            connection.login(server.user, server.password)


def _handed_in(connection: smtplib.SMTP, letter: EmailMessage, receivers: list[str]) -> list[str]:
    """Hand in a letter; return for whom it was refused, which is everybody where the letter itself was."""
    try:
        refused = connection.send_message(letter, to_addrs=receivers)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError):
        return receivers
    return [one for one in receivers if one in refused]


def letter_of(server: MailServer, alarm: Alarm) -> EmailMessage:
    """Write the letter of an alarm; a line break in what it is about can not add a header."""
    letter = EmailMessage()
    letter["Subject"] = " ".join(alarm.heading.split())
    letter["From"] = server.sender
    letter["To"] = ", ".join(server.receivers)
    letter["Date"] = format_datetime(alarm.at)
    letter["X-Juki-Alarm"] = alarm.kind.code.value
    letter.set_content("\n".join(alarm.lines) + "\n")
    return letter
