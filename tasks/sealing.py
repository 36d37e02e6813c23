"""Seal the answer to a request, keep it, and say in one transaction whose data it holds.

Decides:    the order: the hold before anything is kept, the kept copy before the store says it is there.
Leaves:     the layout to `juki.provision_manifests`, what is kept to `juki.custody`.
Invariants: the package that is registered is the one that is kept; a copy of a run that was killed is replaced. Every
            person whose data is in it has a journal entry, with whether their number is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pyarrow.compute as pc

from config.identities import encryption_certificate_of, signing_identity
from juki.authority import Granted
from juki.holds import provision_name
from juki.journal import Action, Entry, Outcome
from juki.keys import FileKeys, Purpose
from juki.package_id import PackageId
from juki.packages import sha256_hex
from juki.people_sought import NUMBER_COLUMN
from juki.provision_manifests import ProvisionManifest, answer_table
from juki.provisions import LineOutcome, ProvisionState
from juki.records import format_records
from juki.search import Answers
from juki.store.provisions import Provision, SealedPackage
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit
from juki.subjects import subjects_of
from juki.wire.envelope import seal_envelope
from tasks import clock
from tasks.boundary import run_actor
from tasks.custody import custody_of
from tasks.deciding import Counter
from tasks.workshop import Workshop


def seal_answer(shop: Workshop, counter: Counter, granted: Granted, found: Answers) -> None:
    """Seal and keep an answer; nothing happens where another run was first."""
    provision, custody = counter.record.provision_id, custody_of(shop)
    numbers = _numbers(found) if granted.with_number else 0
    with custody.lock(provision):
        key = custody.opened(provision, numbers)
        with open_unit(shop.store_url(provision.file), provision.file, Duty.PROVIDER) as unit:
            record = unit.provisions.by_id(provision.number, lock=True)
            if record.state is not ProvisionState.APPROVED:
                return
            at = clock.now()
            due_at = custody.terms.due_at(sealed_at=at)
            sequence = unit.provisions.next_sequence(record.recipient)
            content = _content(shop, record, granted, found, sequence, at, due_at)
            package = _sealed(shop, counter, content)
            custody.copies.keep(provision, key, package)
            unit.provisions.seal(provision.number, found, _noted(package, sequence, at))
            unit.holds.open(provision.number, numbers, at, due_at)
            _journal(shop, unit, record, granted, found, sequence, at)


def _numbers(found: Answers) -> int:
    return int(pc.sum(pc.not_equal(found.people.column(NUMBER_COLUMN), "")).as_py() or 0)


def _content(
    shop: Workshop, record: Provision, granted: Granted, found: Answers, sequence: int, at: datetime, due_at: datetime
) -> bytes:  # fmt: skip
    csv = format_records(answer_table(found, granted.columns))
    manifest = ProvisionManifest(
        sender=shop.settings.prefecture_code,
        recipient=record.recipient,
        file=granted.file,
        sequence=sequence,
        provision_id=str(record.provision_id),
        request_no=record.request_no,
        basis=granted.basis,
        basis_version=granted.version,
        fields=granted.columns,
        records=len(found),
        created_at=at,
        expires_at=due_at,
        sha256=sha256_hex(csv),
    )
    return manifest.line() + csv


def _sealed(shop: Workshop, counter: Counter, content: bytes) -> bytes:
    assert counter.registered is not None
    certificate = encryption_certificate_of(shop.home, counter.registered)
    return seal_envelope(content, signer=signing_identity(shop.home), recipient_certificate=certificate)


def _noted(package: bytes, sequence: int, at: datetime) -> SealedPackage:
    return SealedPackage(sequence, bytes.fromhex(sha256_hex(package)), len(package), at)


def _journal(
    shop: Workshop, unit: Unit, record: Provision, granted: Granted, found: Answers, sequence: int, at: datetime
) -> None:  # fmt: skip
    """Write one entry for each person, those with their number and those without, and one for the package."""
    provided = _entry(record, Action.PERSON_PROVIDED)
    key = shop.sealing_key(FileKeys(shop.home.keys).active(unit.file, Purpose.SUBJECT))
    is_found = pc.equal(found.outcomes, LineOutcome.FOUND.value).to_numpy(zero_copy_only=False)
    is_given = pc.not_equal(found.codes, "").to_numpy(zero_copy_only=False)
    has_number = is_given & is_found if granted.with_number else np.zeros(len(found), dtype=np.bool_)
    for chosen, is_accessed in ((has_number, True), (is_given & ~has_number, False)):
        codes = [code.encode() for code in found.codes.filter(chosen).to_pylist()]
        people = subjects_of(unit.file, str(record.provision_id), codes, key)
        unit.journal.append_many(replace(provided, number_accessed=is_accessed), people, at)
    counts = {outcome.value: found.count(outcome) for outcome in LineOutcome}
    counts |= {"fields": len(granted.columns), "numbers": int(has_number.sum())}
    name = provision_name(record.recipient, record.provision_id, sequence)
    entry = _entry(record, Action.PROVISION_SEALED)
    sealed_entry = replace(entry, package=name, counts=counts, number_accessed=bool(has_number.any()))
    unit.journal.append(sealed_entry, at)


def _entry(record: Provision, action: Action) -> Entry:
    provision: PackageId = record.provision_id
    return Entry(
        action=action, file=provision.file, actor=run_actor(), outcome=Outcome.DONE, basis=record.basis,
        provision=str(provision), recipient=record.recipient,
    )  # fmt: skip
