"""Take in what recipients ask for: every new file of every folder, once.

Decides:    that one recipient's folder or file does not keep the others from being taken in, and that a refused
            file is kept as it came.
Leaves:     what a request of a used number is to `juki.provide.registering`, the answer to `tasks.providing`.
Invariants: nothing is taken away from the folder of a recipient; a file that was dealt with is known by name, size
            and time without being read again, and by its SHA-256 however often it is laid there. Whoever has used up
            the room for refused files is not heard until there is room again: nothing is dropped.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from prefect import task

from config.identities import recipient_keys, recipient_sender_of
from config.recipients import Recipient, arrivals_of, load_recipients
from juki.columns import IdentityFile
from juki.errors import ContractError, JukiError, ScannerError, SourceError, StoreError
from juki.operators import Acting
from juki.provide.opening import Opener
from juki.provide.registering import Desk, Registered, refuse_file, register
from juki.reasons import Code
from juki.recipients import RecipientKind
from juki.requests import MAX_REQUEST_BYTES, RequestName, request_names
from juki.wire import folders
from juki.wire.arrival_marks import ArrivalMarks
from juki.wire.folders import Arrivals
from juki.wire.refused_files import RefusedFiles, RefusedKind
from tasks import clock
from tasks.boundary import UNIT_OF_WORK, run_actor, sealed
from tasks.workshop import Workshop

_KIND = RefusedKind.REQUESTS
_MAX_FILE_BYTES = MAX_REQUEST_BYTES + 64 * 1024
"""The envelope adds a few KiB."""


@dataclass(slots=True)
class TakenIn:
    """What came in: requests by what became of them, and folders or files that could not be looked at."""

    registered: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    more: int = 0
    """New files left to the next run: there were more than one run takes."""

    def add(self, done: Registered) -> None:
        """Count one request."""
        self.registered += done.code is None
        self.codes.update([done.code.value] if done.code else [])


@task(name="要求の受付", **UNIT_OF_WORK)
@sealed
def take_in_requests() -> TakenIn:
    """Take in the new requests of all recipients."""
    shop, taken = Workshop.open(), TakenIn()
    try:
        shop.scan_gate.check_ready(clock.machine_now())
        for recipient in load_recipients(shop.home).recipient:
            if recipient.kind is not RecipientKind.JLIS:
                _take_in(shop, recipient, taken)
    except ScannerError as stopped:
        # The others' files could be scanned no more than this one: they wait where they lie.
        taken.failures[stopped.code.value] += 1
    return taken


def desk_of(shop: Workshop) -> Desk:
    """Say where requests are taken in, by the run."""
    return Desk(shop.home, {file: shop.store_url(file) for file in IdentityFile}, Acting(run_actor()))


def opener_of(shop: Workshop, recipient: Recipient) -> Opener:
    """Say how requests of a recipient are opened."""
    sender = recipient_sender_of(shop.home, recipient)
    return Opener(recipient_keys(shop.home), sender, shop.settings.prefecture_code)


def room_for_refused(shop: Workshop, kind: RefusedKind, recipient: str) -> int:
    """Tell how many files of a recipient may be looked at now: each might have to be kept.

    Raises: StoreError(RECIPIENT_QUARANTINE_FULL).
    """
    kept = RefusedFiles(shop.home).count(kind, recipient)
    room = min(folders.MAX_ARRIVALS, shop.settings.recipient_quarantine_files - kept)
    if room <= 0:
        raise StoreError(Code.RECIPIENT_QUARANTINE_FULL, recipient)
    return room


def arrived_from(
    shop: Workshop, recipient: Recipient, kind: RefusedKind, form: re.Pattern[str], max_bytes: int
) -> tuple[Arrivals, ArrivalMarks]:
    """List what is in the folder of a recipient, and the marks of what was dealt with and is there still.

    Raises: StoreError(FOLDER_UNREACHABLE, RECIPIENT_QUARANTINE_FULL).
    """
    folder, marks = arrivals_of(shop.home, recipient), ArrivalMarks.of(shop.home, kind, recipient.code)
    known = marks.known()
    listed = folders.arrivals(
        folder, form, max_bytes, is_known=lambda one: one.mark in known,
        most=room_for_refused(shop, kind, recipient.code),
    )  # fmt: skip
    marks.keep_only(listed.known)
    return listed, marks


def _take_in(shop: Workshop, recipient: Recipient, taken: TakenIn) -> None:
    """Take in what lies in one folder; whatever is wrong there is counted, but for a scanner that fails all."""
    try:
        _take_all(shop, recipient, taken)
    except ScannerError:
        raise
    except JukiError as failure:
        taken.failures[failure.code.value] += 1


def _take_all(shop: Workshop, recipient: Recipient, taken: TakenIn) -> None:
    folder = arrivals_of(shop.home, recipient)
    listed, marks = arrived_from(shop, recipient, _KIND, request_names(recipient.code), _MAX_FILE_BYTES)
    taken.more += listed.more
    if listed.too_large:
        taken.failures[Code.PACKAGE_TOO_LARGE.value] += listed.too_large
    for arrived in listed.files:
        try:
            sha256 = _take(shop, recipient, folder, arrived.name, taken)
            if sha256 is not None:
                marks.note(arrived, sha256)
        except ScannerError:
            raise
        except JukiError as failure:
            # Ours to mend, such as a revocation list that is out of date: the file waits.
            taken.failures[failure.code.value] += 1


def _take(shop: Workshop, recipient: Recipient, folder: Path, file_name: str, taken: TakenIn) -> bytes | None:
    """Deal with one file, unless that was done before; the mark comes after what it stands for.

    Returns: the digest of what was dealt with; None when the file is gone.
    """
    desk, sealed_request = desk_of(shop), folders.read(folder, file_name, _MAX_FILE_BYTES)
    if sealed_request is None:
        return None
    sha256 = hashlib.sha256(sealed_request)
    digest = sha256.hexdigest()
    if desk.files.is_settled(recipient.code, f"{file_name}-{digest}"):
        return sha256.digest()
    done = _dealt_with(shop, desk, recipient, file_name, sealed_request)
    if done.is_refused and done.code is not None:
        desk.files.quarantine(recipient.code, file_name, digest, done.code, sealed_request)
    desk.files.settle(recipient.code, f"{file_name}-{digest}")
    taken.add(done)
    return sha256.digest()


def _dealt_with(
    shop: Workshop, desk: Desk, recipient: Recipient, file_name: str, sealed_request: bytes
) -> Registered:
    name, at = RequestName.parse(file_name), clock.now()
    try:
        shop.scan_gate.check(sealed_request, file_name, clock.machine_now())
        request = opener_of(shop, recipient).request(name, sealed_request, at, at)
    except (SourceError, ContractError) as refusal:
        code = refusal.code
    else:
        return register(desk, request, sealed_request, at)
    return refuse_file(desk, name, code, at)
