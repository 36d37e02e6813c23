"""Letters by SMTP: the notification of an alarm to the people who look after the system.

Decides:    that with STARTTLS the certificate of the server is checked, and that a password is never sent without it.
Leaves:     what a letter says to `juki.alarms`, when one is posted to `juki.notifications`.
Invariants: what the server answers is not kept; whatever fails is one code, transient.
Source:     ADR-0034.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
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


def post_alarm(server: MailServer, alarm: Alarm) -> None:
    """Hand in the letter of one alarm.

    Raises: SourceError(NOTIFICATION_UNDELIVERED), transient, when the server did not take it.
    """
    letter = letter_of(server, alarm)
    try:
        with smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_SECONDS) as connection:
            if server.starttls:
                connection.starttls(context=ssl.create_default_context(cafile=server.authority_file))
                if server.user:
                    connection.login(server.user, server.password)
            connection.send_message(letter)
    except (OSError, smtplib.SMTPException):
        raise SourceError(Code.NOTIFICATION_UNDELIVERED, "smtp", is_transient=True) from None


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
