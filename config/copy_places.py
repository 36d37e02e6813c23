"""What a copy must not be put into, and whose certificate it must not be sealed to.

Decides:    that a copy is no way around the provision of data: nobody who gets data from us otherwise, and no folder
            others look into.
Leaves:     what a copy is to `juki.copies`.
Source:     法30条の25, assessment M9, ADR-0038.
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from config.identities import encryption_certificate_of, receipt_certificate_of, recipient_keys
from config.municipalities import Municipalities
from config.recipients import arrivals_of, delivery_of, load_recipients
from config.settings import Settings
from juki.credentials import Credentials
from juki.errors import ConfigurationError
from juki.home import Home


def closed_places(home: Home, settings: Settings) -> list[Path]:
    """List the folders a copy may neither lie in nor hold: ours, those of recipients, those of witnesses."""
    registered = load_recipients(home).recipient
    folders = [place(home, one) for one in registered for place in (delivery_of, arrivals_of)]
    return [one.resolve() for one in (home.root, *folders, *settings.witnesses(home))]


def is_taken(certificate: x509.Certificate, home: Home, municipalities: Municipalities) -> bool:
    """Tell whether a certificate means somebody who gets data otherwise, or this machine itself could open it.

    Keys are compared: a certificate issued anew opens what the old one did.
    """
    return any(one.public_key() == certificate.public_key() for one in _taken(home, municipalities))


def _taken(home: Home, municipalities: Municipalities) -> list[x509.Certificate]:
    """List what is registered; one that can not be read is nobody's, for what it is for does not work either."""
    found = [key.certificate for key in recipient_keys(home)] if _has_envelope(home) else []
    for recipient in load_recipients(home).recipient:
        try:
            found.append(encryption_certificate_of(home, recipient))
        except ConfigurationError:
            continue
    for registered in municipalities.municipality:
        try:
            found.append(receipt_certificate_of(home, registered))
        except ConfigurationError:
            continue
    return found


def _has_envelope(home: Home) -> bool:
    return Credentials(home.keys).envelope_certificate.exists()
