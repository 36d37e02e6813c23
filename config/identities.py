"""Registrations and credentials in the form the wire needs: endpoints, senders, keys, certificates.

Decides:    which file holds what, and how settings become limits of a connection.
Leaves:     what these values prove to `juki.wire`.
Invariants: a file that can not be read as what it must be is named, and its content never told.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from config.municipalities import Municipality, located
from config.recipients import Recipient
from config.settings import Settings
from juki.credentials import Credentials
from juki.errors import ConfigurationError
from juki.home import Home
from juki.keys import read_private
from juki.reasons import Code
from juki.wire.endpoint import Endpoint, Retry, Timeouts
from juki.wire.envelope import RecipientKey, Sender, SigningIdentity
from juki.wire.rsa_keys import read_rsa_key

T = TypeVar("T")


def endpoint_of(home: Home, settings: Settings, registered: Municipality) -> Endpoint:
    """Say where a municipal CS is, how it proves itself, how we log in and how long we wait."""
    return Endpoint(
        municipality_code=registered.code,
        host=registered.host,
        port=registered.port,
        account=registered.account,
        host_key=registered.host_key,
        client_key=Credentials(home.keys).sftp_key,
        timeouts=Timeouts(
            connect_seconds=float(settings.connect_timeout_seconds),
            transfer_seconds=float(settings.transfer_timeout_seconds),
        ),
        retry=Retry(attempts=settings.connect_attempts),
    )


def sender_of(home: Home, registered: Municipality) -> Sender:
    """Say who may sign for a municipality, by the certificates of its registration.

    Raises: ConfigurationError(CONFIG_INVALID) naming the file that can not be read.
    """
    return _sender(home, registered)


def recipient_sender_of(home: Home, recipient: Recipient) -> Sender:
    """Say who may sign requests and receipts for a recipient, whose code stands in the place of a municipality's.

    Raises: ConfigurationError(CONFIG_INVALID) naming the file that can not be read.
    """
    return _sender(home, recipient)


def receipt_certificate_of(home: Home, registered: Municipality) -> x509.Certificate:
    """Read the certificate that receipts to a municipality are encrypted to."""
    return read_with(located(home, registered.receipt_certificate), x509.load_pem_x509_certificate)


def encryption_certificate_of(home: Home, recipient: Recipient) -> x509.Certificate:
    """Read the certificate that answers to a recipient are encrypted to."""
    return read_with(located(home, recipient.encryption_certificate), x509.load_pem_x509_certificate)


def recipient_keys(home: Home) -> tuple[RecipientKey, ...]:
    """Read what opens the packages sent to the prefecture."""
    credentials = Credentials(home.keys)
    certificate = read_with(credentials.envelope_certificate, x509.load_pem_x509_certificate)
    return (RecipientKey(certificate, _private_key(credentials.envelope_key, certificate)),)


def signing_identity(home: Home) -> SigningIdentity:
    """Read what the prefecture signs with; further certificates in the file are the intermediate ones."""
    credentials = Credentials(home.keys)
    first, *others = read_with(credentials.signing_certificate, x509.load_pem_x509_certificates)
    return SigningIdentity(first, _private_key(credentials.signing_key, first), tuple(others))


def _sender(home: Home, registered: Municipality | Recipient) -> Sender:
    roots = [located(home, path) for path in registered.roots]
    lists = [located(home, path) for path in registered.revocation_lists]
    return Sender(
        registered.code,
        frozenset(registered.signing_certificates),
        tuple(one for path in roots for one in read_with(path, x509.load_pem_x509_certificates)),
        tuple(read_with(path, x509.load_pem_x509_crl) for path in lists),
    )


def _private_key(path: Path, certificate: x509.Certificate) -> rsa.RSAPrivateKey:
    """Read the private key of a certificate; the checks of the file are made every time, those of the key once."""
    read_private(path)
    return _parsed_key(path, path.stat().st_mtime_ns, certificate)


@lru_cache(maxsize=8)
def _parsed_key(path: Path, _changed_at: int, certificate: x509.Certificate) -> rsa.RSAPrivateKey:
    return read_with(path, partial(read_rsa_key, certificate=certificate))


def read_with(path: Path, load: Callable[[bytes], T]) -> T:
    """Read a file as what it must be.

    Raises: ConfigurationError(CONFIG_INVALID) naming the file.
    """
    try:
        return load(path.read_bytes())
    except (OSError, ValueError, TypeError):
        pass
    # Outside the except block, so that nothing of the file is carried along as context.
    raise ConfigurationError(Code.CONFIG_INVALID, path.name)
