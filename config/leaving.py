"""Whether what was sealed for a recipient may still be handed over, by what is registered at this moment.

Decides:    which registrations are asked again before a package leaves, and leaves again.
Leaves:     what a basis opens to `juki.authority`, terms and bytes to `juki.custody`.
Invariants: read anew every time: what was withdrawn or revoked since the sealing counts (法30条の25), also of the
            certificate the request was signed with. A request entered here bears our own signature and is not asked.
"""

from __future__ import annotations

from datetime import datetime

from config.bases import load_bases
from config.identities import encryption_certificate_of, recipient_keys, recipient_sender_of
from config.recipients import load_recipients
from juki.authority import unusable
from juki.dates import civil_date
from juki.errors import ConfigurationError, JukiError
from juki.holds import Hold
from juki.home import Home
from juki.provide.opening import Opener, check_encryption
from juki.provisions import Method
from juki.reasons import Code
from juki.wire.request_files import RequestFiles


def refusal_to_leave(home: Home, hold: Hold, at: datetime) -> Code | None:
    """Say why a sealed package may not leave any more: registration, basis, number, certificates; None when it may.

    Raises: ConfigurationError naming what can not be read; then nothing leaves either.
    """
    registered = {one.code: one for one in load_recipients(home).recipient}.get(hold.recipient)
    if registered is None:
        return Code.PROVISION_RECIPIENT_UNKNOWN
    basis, today = load_bases(home).of(hold.basis), civil_date(at)
    if basis is None:
        return Code.PROVISION_BASIS_UNKNOWN
    refused = unusable(basis, registered.pure, today)
    if refused is None and hold.numbers and not basis.may_use_number(hold.provision.file, today):
        refused = Code.PROVISION_NUMBER_NOT_ALLOWED
    if refused is not None:
        return refused
    try:
        sender = recipient_sender_of(home, registered)
        check_encryption(encryption_certificate_of(home, registered), sender, at)
        if hold.method is Method.FILE:
            request = RequestFiles(home).read(hold.provision)
            Opener(recipient_keys(home), sender, "").content(request, hold.received_at or at, at)
    except ConfigurationError:
        raise
    except JukiError as error:
        refused = error.code
    return refused
