"""Whom alarms are told: the folder of notifications, and the mail server of the settings.

Decides:    that without a mail server letters are not written, and with one none is lost while it is away; what a
            name and a password at the mail server may be made of.
Leaves:     what is told to `juki.alarms`.
Invariants: whether letters are posted is known from the settings alone, so that a password nobody can read keeps no
            alarm from being told; the password is read when a letter is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from config.settings import Settings
from juki.errors import ConfigurationError
from juki.home import Home
from juki.keys import read_private
from juki.notifications import Notifications
from juki.reasons import Code
from juki.wire.mail import MailServer, post_alarm


def is_posting(settings: Settings) -> bool:
    """Tell whether letters are posted; reads no file."""
    return _addresses(settings) is not None


def mail_server(settings: Settings) -> MailServer | None:
    """Return the mail server of the settings with its password; None when letters are not posted.

    Raises: ConfigurationError(KEY_MISSING | KEY_PERMISSIONS) for a password that can not be read privately;
            ConfigurationError(NOTIFICATION_PASSWORD) for a name or a password no mail server could be told.
    """
    addresses = _addresses(settings)
    if addresses is None:
        return None
    host, sender, receivers = addresses
    return MailServer(
        host=host, port=settings.smtp_port, sender=sender, receivers=receivers,
        starttls=settings.smtp_starttls, user=_sayable(settings.smtp_user or "", "smtp_user"),
        password=_password(settings),
        authority_file=str(settings.smtp_ca_file) if settings.smtp_ca_file else None,
    )  # fmt: skip


def notifications(home: Home) -> Notifications:
    """Name the notifications of a home."""
    return Notifications(home.notifications)


def post_unsent(home: Home, settings: Settings) -> int:
    """Post the letters that wait; return how many were taken.

    Raises: SourceError(NOTIFICATION_UNDELIVERED), transient; SourceError(NOTIFICATION_REFUSED) and
            StoreError(NOTIFICATION_UNWRITTEN) as `Notifications.post`; ConfigurationError as `mail_server` does.
    """
    told = notifications(home)
    server = mail_server(settings) if told.waiting else None
    return 0 if server is None else told.post(partial(post_alarm, server), server.receivers)


def _addresses(settings: Settings) -> tuple[str, str, Sequence[str]] | None:
    """Give the mail server, the sender and the receivers; None where letters are not posted."""
    if settings.smtp_host and settings.smtp_from and settings.smtp_to:
        return settings.smtp_host, settings.smtp_from, settings.smtp_to
    return None


def _password(settings: Settings) -> str:
    secret = settings.smtp_password_file
    if secret is None:
        return ""
    said = _sayable(read_private(secret).decode("utf-8", "replace").strip(), "smtp_password_file")
    if not said:
        raise ConfigurationError(Code.NOTIFICATION_PASSWORD, "smtp_password_file")
    return said


def _sayable(word: str, setting: str) -> str:
    """Let a word through that the conversation with a mail server has room for: ASCII of one line."""
    if not (word.isascii() and word.isprintable()):
        raise ConfigurationError(Code.NOTIFICATION_PASSWORD, setting)
    return word
