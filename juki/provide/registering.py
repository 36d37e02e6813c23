"""Register requests: each once, its repeats and its forgeries told apart, everything in the operation log.

Decides:    what a request of a number is that was used before, and the order of file, row and entry.
Leaves:     opening a request to `juki.provide.opening`, its answer to the tasks.
Invariants: a registered provision has its request on disk; what is said of a request is journalled in the same
            transaction; nothing of the people it is about is registered but their count.
Source:     docs/formats/request.md section 3, assessment M8, M13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from juki.authority import names_consent
from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.home import Home
from juki.journal import Action, Entry, Outcome
from juki.operators import Acting
from juki.package_id import PackageId
from juki.provisions import Method, ProvisionState
from juki.reasons import Code
from juki.requests import Request, RequestName
from juki.store.provisions import Asking, Provision
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit
from juki.wire.request_files import RequestFiles


@dataclass(frozen=True, slots=True)
class Desk:
    """Where requests are taken in, and who does it."""

    home: Home
    urls: Mapping[IdentityFile, str]
    acting: Acting

    @property
    def files(self) -> RequestFiles:
        """The sealed requests."""
        return RequestFiles(self.home)


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of a request as it came in: the provision that answers it, and a code unless it is new."""

    provision: PackageId | None
    code: Code | None = None

    @property
    def is_refused(self) -> bool:
        """Tell whether it is not to be answered."""
        return self.provision is None


def register(
    desk: Desk, request: Request, sealed: bytes, at: datetime, entered_by: str | None = None
) -> Registered:
    """Register an opened request, or find that it was registered before."""
    with open_unit(desk.urls[request.file], request.file, Duty.PROVIDER) as unit:
        unit.provisions.lock_registration()
        earlier = unit.provisions.of_request(request.recipient, request.request_no)
        if earlier is None:
            done = Registered(_new(desk, unit, request, sealed, _asking(request, at, entered_by)))
        elif earlier.request_sha256 == request.sha256:
            done = Registered(earlier.provision_id, Code.REQUEST_REPEATED)
        else:
            done = Registered(None, Code.REQUEST_NUMBER_REUSED)
        counts = {"lines": len(request.people)}
        unit.journal.append(_entry(desk, request.name, done, request.basis, counts), at)
    return done


def refuse_file(desk: Desk, name: RequestName, code: Code, at: datetime) -> Registered:
    """Note that a file was refused before it could be read as a request."""
    done = Registered(None, code)
    with open_unit(desk.urls[name.file], name.file, Duty.PROVIDER) as unit:
        unit.journal.append(_entry(desk, name, done, "", {}), at)
    return done


def run_again(desk: Desk, provision: PackageId, at: datetime) -> PackageId:
    """Let an old request be answered once more, as a provision of its own with a hold of its own.

    Raises: StoreError(PROVISION_NOT_FOUND), JukiError(PROVISION_NOT_ANSWERED, REQUEST_LOST).
    """
    with open_unit(desk.urls[provision.file], provision.file, Duty.PROVIDER) as unit:
        unit.provisions.lock_registration()
        old = unit.provisions.by_id(provision.number)
        if old.state in (ProvisionState.RECEIVED, ProvisionState.APPROVED):
            raise JukiError(Code.PROVISION_NOT_ANSWERED, str(provision))
        sealed = desk.files.read(provision)
        new = _kept(desk, sealed, unit.provisions.register(_as_before(old), provision.number))
        name = RequestName(old.recipient, provision.file, old.request_no)
        unit.journal.append(_entry(desk, name, Registered(new), old.basis, {"lines": old.lines}), at)
    return new


def _new(desk: Desk, unit: Unit, request: Request, sealed: bytes, asking: Asking) -> PackageId:
    letter = str(PackageId(request.file, 1))[0]
    desk.files.sweep(unit.provisions.registered(), letter)
    return _kept(desk, sealed, unit.provisions.register(asking))


def _kept(desk: Desk, sealed: bytes, provision: PackageId) -> PackageId:
    """Put the request on disk before its registration commits."""
    desk.files.keep(provision, sealed)
    return provision


def _asking(request: Request, at: datetime, entered_by: str | None) -> Asking:
    document = request.consent_document if names_consent(request.consent_document) else None
    return Asking(
        request.recipient, request.request_no, Method.OPERATOR if entered_by else Method.FILE, request.sha256,
        request.basis, request.purpose, document, len(request.people), at, entered_by,
    )  # fmt: skip


def _as_before(old: Provision) -> Asking:
    # The instant of receipt stays: at it the signature of the request was judged, and is again.
    return Asking(
        old.recipient, old.request_no, old.method, old.request_sha256, old.basis, old.purpose,
        old.consent_document, old.lines, old.received_at, old.entered_by,
    )  # fmt: skip


def _entry(desk: Desk, name: RequestName, done: Registered, basis: str, counts: dict[str, int]) -> Entry:
    entry = Entry(
        action=Action.REQUEST_RECEIVED, file=name.file,
        outcome=Outcome.REFUSED if done.is_refused else Outcome.DONE, package=str(name), code=done.code, basis=basis,
        counts=counts, provision=str(done.provision or ""), recipient=name.recipient,
    )  # fmt: skip
    return desk.acting.signed(entry)
