"""One request as it is decided on: who asked, what the registrations say of them now, and the answer of the law.

Decides:    nothing of its own: it brings request, basis and registration of this moment to `juki.authority`.
Invariants: registrations, bases and revocation lists are read anew for every decision, so that whatever was withdrawn
            in between counts. Without a registration there is nobody to decide for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from config.bases import load_bases
from config.identities import encryption_certificate_of, recipient_keys, recipient_sender_of, signing_identity
from config.recipients import Recipient, load_recipients
from juki.authority import FORBIDDEN, Asked, Granted, Refused, decide, fields_asked
from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.provide.opening import Opener, check_encryption, own_sender
from juki.provisions import Method
from juki.reasons import Code
from juki.recipients import Limits
from juki.requests import Request, RequestName
from juki.store.provisions import Provision
from juki.wire.request_files import RequestFiles
from tasks import clock
from tasks.workshop import Workshop

_NUMBER_ARTICLE = "法30条の44の6③"
"""The law's way leads from the fuhyo file to the number, and never back."""


@dataclass(frozen=True, slots=True)
class Counter:
    """One request at the counter, with the registration of whoever asked; none where it was taken away."""

    shop: Workshop
    record: Provision
    registered: Recipient | None

    @property
    def limits(self) -> Limits:
        """How much this recipient may ask for in a day; nothing without a registration."""
        return self.registered.pure.limits if self.registered else Limits(0, 0, 0)

    def opened(self, at: datetime) -> Request:
        """Open the request as it was kept, its signature judged against the revocation lists of now.

        Raises: SourceError, ContractError, JukiError(REQUEST_LOST), ConfigurationError as the opener does.
        """
        record = self.record
        name = RequestName(record.recipient, record.provision_id.file, record.request_no)
        kept = RequestFiles(self.shop.home).read(record.provision_id)
        request = self._opener().request(name, kept, record.received_at, at)
        if request.sha256 != record.request_sha256:
            raise JukiError(Code.REQUEST_LOST, str(record.provision_id))
        return request

    def decide(self, request: Request, at: datetime) -> Granted | Refused:
        """Ask the law, on the civil day in Japan."""
        if request.file is IdentityFile.FUHYO and len(request.people.rows_by_number()):
            return Refused(Code.REQUEST_NUMBER_ON_FUHYO, _NUMBER_ARTICLE)
        fields = fields_asked(request.fields, request.file)
        if isinstance(fields, Refused):
            return fields
        asked = Asked(
            request.recipient,
            request.basis,
            request.file,
            fields,
            request.with_number,
            request.consent_document,
        )
        basis = load_bases(self.shop.home).of(request.basis)
        pure = self.registered.pure if self.registered else None
        return decide(asked, basis, pure, clock.civil_date(at))

    def decide_again(self, request: Request, at: datetime) -> Granted | Refused:
        """Ask once more just before sealing: registration, signature, certificate of the answer, basis.

        Raises: SourceError with the code of a certificate that does not hold any more.
        """
        now = counter_of(self.shop, self.record)
        if now.registered is None:
            return Refused(Code.PROVISION_RECIPIENT_UNKNOWN, FORBIDDEN[request.file])
        kept = RequestFiles(self.shop.home).read(self.record.provision_id)
        now._opener().content(kept, self.record.received_at, at)
        sender = recipient_sender_of(self.shop.home, now.registered)
        check_encryption(encryption_certificate_of(self.shop.home, now.registered), sender, at)
        return now.decide(request, at)

    def _opener(self) -> Opener:
        home, prefecture = self.shop.home, self.shop.settings.prefecture_code
        if self.record.method is Method.OPERATOR:
            sender = own_sender(signing_identity(home), prefecture)
        elif self.registered is not None:
            sender = recipient_sender_of(home, self.registered)
        else:
            raise JukiError(Code.PROVISION_RECIPIENT_UNKNOWN, str(self.record.provision_id))
        return Opener(recipient_keys(home), sender, prefecture)


def counter_of(shop: Workshop, record: Provision) -> Counter:
    """Bring a request to the counter, with what is registered of its recipient now."""
    registered = {one.code: one for one in load_recipients(shop.home).recipient}
    return Counter(shop, record, registered.get(record.recipient))
