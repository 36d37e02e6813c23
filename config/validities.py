"""Everything of the registrations that has an end: certificates, revocation lists, keys of gateways.

Decides:    which files are looked at, and by which words each is named.
Leaves:     when an end is near to `juki.doctor`.
Invariants: a file that can not be read is named, its content never told. What others sign with is registered by its
            fingerprint alone: its end is seen when a file of theirs is opened, not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from cryptography import x509

from config.identities import read_with
from config.issuers import load_issuers
from config.municipalities import Municipality, located
from config.recipients import Recipient
from juki.credentials import Credentials
from juki.doctor import Validity
from juki.home import Home

_NO_END = datetime.max.replace(tzinfo=UTC)


def own_validities(home: Home) -> Iterator[Validity]:
    """Read the certificates others encrypt to and know our signatures by."""
    credentials = Credentials(home.keys)
    for path in (credentials.envelope_certificate, credentials.signing_certificate):
        yield from _certificates(path, path.name)


def municipality_validities(home: Home, registered: Municipality) -> Iterator[Validity]:
    """Read what is registered of a municipality."""
    yield from _authorities(home, registered)
    yield from _certificates(
        located(home, registered.receipt_certificate), _named(registered.code, "receipt")
    )


def recipient_validities(home: Home, registered: Recipient) -> Iterator[Validity]:
    """Read what is registered of a recipient."""
    yield from _authorities(home, registered)
    place = located(home, registered.encryption_certificate)
    yield from _certificates(place, _named(registered.code, "encryption"))


def gateway_validities(home: Home, now: datetime) -> Iterator[Validity]:
    """Read until when each gateway is believed: its keys follow one another, and old ones stay beside the new."""
    keys = sorted(load_issuers(home), key=lambda one: (one.issuer, one.valid_to or _NO_END))
    for issuer, found in groupby(keys, key=lambda one: one.issuer):
        *others, last = found
        in_force = [one.valid_from for one in others if one.valid_to is None or now <= one.valid_to]
        yield Validity(f"{issuer} {last.kid}", min([last.valid_from, *in_force]), last.valid_to)


def _authorities(home: Home, registered: Municipality | Recipient) -> Iterator[Validity]:
    for path in registered.roots:
        yield from _certificates(located(home, path), _named(registered.code, Path(path).name))
    for path in registered.revocation_lists:
        read = read_with(located(home, path), x509.load_pem_x509_crl)
        # A list without an end is one nobody may believe: the check of signatures refuses it as well.
        ends_at = read.next_update_utc or read.last_update_utc
        name = _named(registered.code, Path(path).name)
        yield Validity(name, read.last_update_utc, ends_at, is_revocation_list=True)


def _certificates(path: Path, ref: str) -> Iterator[Validity]:
    for one in read_with(path, x509.load_pem_x509_certificates):
        yield Validity(ref, one.not_valid_before_utc, one.not_valid_after_utc)


def _named(code: str, what: str) -> str:
    return f"{code} {what}"
