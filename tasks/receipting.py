"""Take in what recipients acknowledge: open, compare with what was delivered, shorten the hold, keep what is refused.

Decides:    what becomes of a file in a recipient's folder: noted, refused and kept, or left for a later run.
Leaves:     the form of a receipt to `juki.provision_receipts`, its consequence to `juki.custody.handing_over`.
Invariants: one recipient's folder that can not be read keeps nobody else's receipts waiting, and no purge. A refused
            file is kept under quarantine before it leaves the folder, and the log says why. A receipt that comes
            before its delivery is noted, or while it is worked, waits where it lies. One that was dealt with and can
            not be removed is told once; only its removal is tried again.
Source:     docs/formats/provision-receipt.md, M12.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from prefect import task

from config.identities import recipient_keys, recipient_sender_of
from config.recipients import Recipient, arrivals_of, load_recipients
from juki.columns import IdentityFile
from juki.custody.custody import Custody
from juki.custody.handing_over import note_receipt
from juki.errors import ConfigurationError, JukiError, ScannerError, StoreError
from juki.holds import Hold
from juki.journal import Action, Entry, Outcome
from juki.package_id import PackageId
from juki.provision_receipts import MAX_RECEIPT_BYTES, ProvisionReceipt, receipt_form
from juki.provisions import ProvisionState
from juki.reasons import Code
from juki.store.roles import Duty
from juki.wire import folders
from juki.wire.arrival_marks import ArrivalMarks
from juki.wire.envelope import open_envelope
from juki.wire.folders import Arrived
from juki.wire.refused_files import RefusedFiles, RefusedKind
from tasks import clock
from tasks.boundary import UNIT_OF_WORK, run_actor, sealed
from tasks.custody import custody_of
from tasks.requesting import arrived_from
from tasks.workshop import Workshop

_KIND = RefusedKind.RECEIPTS
NOTED = "noted"
"""The word for receipts that were noted, beside the codes of those that were not."""


@task(name="受領書の取込み", **UNIT_OF_WORK)
@sealed
def take_receipts() -> dict[str, int]:
    """Take in the receipts of all recipients; count them by what became of them: `noted`, or a code."""
    shop, counts = Workshop.open(), Counter[str]()
    custody = custody_of(shop)
    # Whatever is wrong with receipts keeps no purge from its time: it is counted by its code and said.
    try:
        registered = load_recipients(shop.home).recipient
        shop.scan_gate.check_ready(clock.machine_now())
    except (ConfigurationError, ScannerError) as error:
        return {error.code.value: 1}
    for recipient in registered:
        try:
            for became in _taken(shop, custody, recipient):
                counts[became] += 1
        except JukiError as error:
            counts[error.code.value] += 1
            if isinstance(error, ScannerError):
                # The others' receipts could be scanned no more than this one.
                break
    return dict(counts)


def _taken(shop: Workshop, custody: Custody, recipient: Recipient) -> Iterator[str]:
    """Deal with each file by itself: one that can not be read, kept or removed stands in nobody's way."""
    folder = arrivals_of(shop.home, recipient)
    found, marks = arrived_from(shop, recipient, _KIND, receipt_form(recipient.code), MAX_RECEIPT_BYTES)
    for arrived in (*found.known, *found.files):
        try:
            file = _File(folder, marks, arrived)
            if arrived in found.known:
                file.leave(marks.sha256(arrived))
            elif file.read():
                yield _settled(shop, custody, recipient, file)
        except ScannerError:
            raise
        except JukiError as error:
            yield error.code.value
        except OSError:
            yield Code.SPOOL_FULL.value


class _File:
    """One file in a folder of arrivals."""

    def __init__(self, folder: Path, marks: ArrivalMarks, arrived: Arrived) -> None:
        self.folder, self.marks, self.arrived, self.name = folder, marks, arrived, arrived.name
        self.content = b""

    def read(self) -> bool:
        """Read it; False when it is gone."""
        content = folders.read(self.folder, self.name, MAX_RECEIPT_BYTES)
        self.content = content or b""
        return content is not None

    @property
    def sha256(self) -> hashlib._Hash:
        """The digest of what was read."""
        return hashlib.sha256(self.content)

    def leave(self, sha256: bytes) -> None:
        """Take it out of the folder, now that it is dealt with; one that can not be taken out is remembered."""
        try:
            folders.withdraw(self.folder, self.name, sha256)
        except JukiError:
            self.marks.note(self.arrived, sha256)
            raise


def _settled(shop: Workshop, custody: Custody, recipient: Recipient, file: _File) -> str:
    try:
        shop.scan_gate.check(file.content, file.name, clock.machine_now())
        _note(shop, custody, recipient, file)
    except ScannerError:
        raise
    except ConfigurationError as ours:
        return ours.code.value
    except JukiError as error:
        refusal, waits = error.code, error.is_transient
    else:
        file.leave(file.sha256.digest())
        return NOTED
    if not waits and refusal is not Code.FOLDER_FILE_FORM:
        _refuse(custody, recipient, file, refusal)
    return refusal.value


def _note(shop: Workshop, custody: Custody, recipient: Recipient, file: _File) -> None:
    at = custody.now()
    sender = recipient_sender_of(shop.home, recipient)
    content = open_envelope(file.content, recipient=recipient_keys(shop.home), sender=sender, at=at)
    receipt = ProvisionReceipt.parse(content, file.name)
    hold = _hold(custody, receipt.provision) if receipt.recipient == recipient.code else None
    if hold is not None and hold.state is ProvisionState.SEALED:
        # Handed over, and not noted yet: the run that does so is on its way.
        raise StoreError(Code.PROVISION_NOT_DELIVERED, file.name, is_transient=True)
    receipt.check(file.name, hold)
    note_receipt(custody, receipt.provision, at)


def _hold(custody: Custody, provision: PackageId) -> Hold | None:
    with custody.unit(provision.file, Duty.READER) as unit:
        return unit.holds.find(provision.number)


def _refuse(custody: Custody, recipient: Recipient, file: _File, code: Code) -> None:
    """Keep a refused receipt, say why in the log, and take it out of the folder."""
    kept = RefusedFiles(custody.home).folder(_KIND, recipient.code)
    kept.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Two files of one name and other bytes are two files; the same again is one.
    name = f"{file.name.removesuffix('.p7m')}-{file.sha256.hexdigest()[:16]}.p7m"
    folders.deliver(kept, name, file.content)
    at = custody.now()
    store = next(one for one in IdentityFile if f"-{one.value}-receipt-" in file.name)
    with custody.unit(store, Duty.PROVIDER) as unit:
        unit.journal.append(
            Entry(
                action=Action.RECEIPT_REFUSED, file=store, actor=run_actor(), outcome=Outcome.REFUSED, code=code,
                package=file.name, recipient=recipient.code, changes_digest=file.sha256.hexdigest(),
            ),
            at,
        )  # fmt: skip
    file.leave(file.sha256.digest())
