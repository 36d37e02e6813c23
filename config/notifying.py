"""Whom alarms are told: the folder of notifications, and the mail server of the settings.

Decides:    that without a mail server letters are not written, and with one none is lost while it is away.
Leaves:     what is told to `juki.alarms`.
"""

from __future__ import annotations

from functools import partial

from config.settings import Settings
from juki.home import Home
from juki.keys import read_private
from juki.notifications import Notifications
from juki.wire.mail import MailServer, post_alarm


def mail_server(settings: Settings) -> MailServer | None:
    """Return the mail server of the settings; None when letters are not posted.

    Raises: ConfigurationError(KEY_MISSING | KEY_PERMISSIONS) for a password that can not be read privately.
    """
    if not (settings.smtp_host and settings.smtp_from and settings.smtp_to):
        return None
    secret = settings.smtp_password_file
    return MailServer(
        host=settings.smtp_host, port=settings.smtp_port, sender=settings.smtp_from, receivers=settings.smtp_to,
        starttls=settings.smtp_starttls, user=settings.smtp_user or "",
        password=read_private(secret).decode("utf-8", "replace").strip() if secret else "",
        authority_file=str(settings.smtp_ca_file) if settings.smtp_ca_file else None,
    )  # fmt: skip


def notifications(home: Home) -> Notifications:
    """Name the notifications of a home."""
    return Notifications(home.notifications)


def post_unsent(home: Home, settings: Settings) -> int:
    """Post the letters that wait; return how many were taken.

    Raises: SourceError(NOTIFICATION_UNDELIVERED), transient; ConfigurationError as `mail_server` does.
    """
    server = mail_server(settings)
    return 0 if server is None else notifications(home).post(partial(post_alarm, server))
