"""Revocation lists are ours to keep current: what is judged when, and whose fault it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from juki.errors import ConfigurationError, JukiError, SourceError
from juki.reasons import Code
from juki.wire.certificates import Sender, check_certificate
from juki.wire.envelope import open_envelope
from simulator import pki, sealing
from tests.wire.conftest import AT

CODE = "352039"
DAY = timedelta(days=1)
CONTENT = b"content"


def _listed(authority: pki.Pki, *lists: x509.CertificateRevocationList) -> Sender:
    return replace(authority.sender(CODE), revocation_lists=lists)


def _found(authority: pki.Pki, sender: Sender, received: timedelta = DAY * 0) -> JukiError | None:
    """Check the certificate of the municipality at AT, as received some time before."""
    try:
        check_certificate(
            authority.offices[CODE].signer.certificate, [], sender, AT - received, AT
        )  # fmt: skip
    except JukiError as error:
        return error
    return None


def _partial(authority: pki.Pki) -> x509.CertificateRevocationList:
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.root.certificate.subject)
    builder = builder.last_update(AT - DAY).next_update(AT + DAY)
    builder = builder.add_extension(x509.DeltaCRLIndicator(1), critical=True)
    return builder.sign(authority.root.key, hashes.SHA256())


def test_list_that_can_not_tell_is_our_fault_and_named_by_what_is_wrong(authority: pki.Pki) -> None:
    """Outdated, from the future, forged, partial, or of another authority: nothing passes, nobody is refused."""
    root = authority.root
    for code, revocation_list in (
        (Code.REVOCATION_LIST_OUTDATED, pki.revocation_list(root, [], AT - 31 * DAY)),
        (Code.REVOCATION_LIST_OUTDATED, pki.revocation_list(root, [], AT + DAY)),
        (Code.REVOCATION_LIST_UNUSABLE, pki.revocation_list(pki.make_root(), [], AT)),
        (Code.REVOCATION_LIST_UNUSABLE, _partial(authority)),
        (Code.REVOCATION_LIST_MISSING, pki.revocation_list(pki.make_root("別の認証局"), [], AT)),
    ):
        error = _found(authority, _listed(authority, revocation_list))
        assert isinstance(error, ConfigurationError)
        assert (error.code, bool(error.code.next_step)) == (code, True)


def test_list_is_judged_at_the_check_so_that_a_renewed_one_helps_what_waits(authority: pki.Pki) -> None:
    """Received while the old list had run out, checked after the new one was issued: it passes."""
    renewed = pki.revocation_list(authority.root, [], AT - DAY)
    assert _found(authority, _listed(authority, renewed), received=5 * DAY) is None
    outdated = pki.revocation_list(authority.root, [], AT - 31 * DAY)
    error = _found(authority, _listed(authority, outdated), received=5 * DAY)
    assert error is not None and error.code is Code.REVOCATION_LIST_OUTDATED
    assert _found(authority, _listed(authority, outdated, renewed)) is None


def test_revoked_certificate_is_refused_whatever_the_date(authority: pki.Pki) -> None:
    """Revoked after the receipt, and by a list that has run out: a stolen key signs with any date."""
    certificate = authority.offices[CODE].signer.certificate
    for issued_at, received in ((AT, 9 * DAY), (AT - 31 * DAY, DAY), (AT - 40 * DAY, 39 * DAY)):
        revoked = pki.revocation_list(authority.root, [certificate], issued_at)
        error = _found(authority, _listed(authority, revoked), received)
        assert isinstance(error, SourceError) and error.code is Code.PACKAGE_CERTIFICATE_REVOKED


def test_forged_list_revokes_nobody(authority: pki.Pki) -> None:
    """Whoever can put a list beside ours must not be able to silence a municipality as revoked."""
    certificate = authority.offices[CODE].signer.certificate
    forged = pki.revocation_list(pki.make_root(), [certificate], AT)
    error = _found(authority, _listed(authority, forged))
    assert isinstance(error, ConfigurationError)


def test_unregistered_certificate_of_an_authority_without_a_list_does_not_stop_the_channel(
    authority: pki.Pki,
) -> None:
    """Anyone with a certificate below the root could else stop a channel with one package."""
    below = pki.issue(authority.root, "below", pki.ec_key(), is_authority=True)
    intruder = pki.issue(below, "intruder", pki.ec_key())
    sender = _listed(authority, pki.revocation_list(authority.root, [], AT))
    with pytest.raises(SourceError) as caught:
        check_certificate(intruder.certificate, [below.certificate], sender, AT, AT)
    assert caught.value.code is Code.PACKAGE_SIGNER_UNREGISTERED


def test_envelope_tells_our_fault_from_the_senders_and_names_the_municipality(authority: pki.Pki) -> None:
    """Through the whole envelope: the error is ours, carries no content, and the renewed list opens it."""
    data = sealing.seal(CONTENT, authority.offices[CODE].signer, authority.prefecture.certificate)
    keys = [authority.prefecture.recipient()]
    outdated = _listed(authority, pki.revocation_list(authority.root, [], AT - 31 * DAY))
    with pytest.raises(ConfigurationError) as caught:
        open_envelope(data, recipient=keys, sender=outdated, at=AT)
    assert (caught.value.ref, caught.value.__cause__) == (CODE, None)
    assert open_envelope(data, recipient=keys, sender=outdated, at=AT, checked_at=AT - 20 * DAY) == CONTENT
