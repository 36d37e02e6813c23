"""What is done with requests to be told what is held: taken in, put off, ended; each with its entry in the log.

Decides:    whom a request is of, and that a correction follows a disclosure that was made (法30条の35).
Leaves:     days and ends to `juki.disclosures`, the document to `juki.cli.disclose_action`.
Invariants: a change and its entry commit together; who it is of is in row and entry only sealed and keyed. That
            nothing is held is never concluded from a search alone: whoever takes the request in says so.
Source:     法30条の32から30条の35まで, assessment M8, ADR-0037.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime

from juki.cli.acting import acting
from juki.cli.installation import Installation
from juki.cli.person_actions import Asked, chosen, find
from juki.cli.store_keys import keys_of
from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.disclosures import (
    Decision,
    Disclosure,
    DisclosureKind,
    check_end,
    check_extension,
    check_received,
    due_on,
)
from juki.errors import JukiError
from juki.journal import Action, Entry, Outcome
from juki.person_queries import CODE_COLUMN, PersonQuery
from juki.reason_text import checked_reason
from juki.reasons import Code
from juki.store.disclosures import NewDisclosure
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit
from juki.subjects import opened_subject, subjects_of

RESIDENT = IdentityFile.RESIDENT
ARTICLES = {
    DisclosureKind.DISCLOSURE: "住民基本台帳法30条の32第1項",
    DisclosureKind.CORRECTION: "住民基本台帳法30条の35",
}


@dataclass(frozen=True, slots=True, repr=False)
class Received:
    """A request that was taken in, and whom it was taken for: the counter compares that with the person before it."""

    request: Disclosure
    person: Mapping[str, str] | None


def receive(
    installation: Installation, query: PersonQuery, received_on: date, at: datetime, *, not_held: bool
) -> Received:
    """Take in a request for disclosure; with `not_held`, one of somebody of whom nothing is found.

    Raises: JukiError(PERSON_NOT_FOUND, PERSON_SEVERAL, DISCLOSURE_DATE), and what a search raises.
    """
    check_received(received_on, civil_date(at))
    person = _person(installation, query, at)
    if (person is None) != not_held:
        raise JukiError(Code.PERSON_NOT_FOUND if person is None else Code.DISCLOSURE_STATE)
    kind, code = DisclosureKind.DISCLOSURE, None if person is None else person[CODE_COLUMN]
    new = NewDisclosure(kind, None, received_on, due_on(kind, received_on))
    return Received(_registered(installation, new, code, at), person)


def receive_correction(
    installation: Installation, follows: int, received_on: date, at: datetime
) -> Disclosure:
    """Take in a request for correction by whoever was told what is held (法30条の35).

    Raises: JukiError(DISCLOSURE_NOT_FOUND, DISCLOSURE_STATE, DISCLOSURE_DATE).
    """
    check_received(received_on, civil_date(at))
    with _desk(installation) as unit:
        told = unit.disclosures.of(follows)
        if told.decision is not Decision.DISCLOSED or told.kind is not DisclosureKind.DISCLOSURE:
            raise JukiError(Code.DISCLOSURE_STATE, str(told))
        code = subject_of(installation, unit, told)
    new = NewDisclosure(DisclosureKind.CORRECTION, follows, received_on, None)
    return _registered(installation, new, code, at)


def extend(
    installation: Installation, number: int, until: date, notified_on: date, reason: str, at: datetime
) -> Disclosure:
    """Note that the person was told in writing why it takes longer, and until when (法30条の33第2項).

    Raises: JukiError(DISCLOSURE_NOT_FOUND, DISCLOSURE_STATE, DISCLOSURE_DATE), ConfigurationError(REASON_TEXT_FORM).
    """

    def put_off(unit: Unit, request: Disclosure) -> None:
        check_extension(request, until, notified_on, civil_date(at))
        unit.disclosures.extend(number, until, notified_on)

    said = f"法30条の33第2項 {until.isoformat()}まで: {checked_reason(reason)}"
    return _changed(installation, number, Action.DISCLOSURE_EXTENDED, said, at, put_off)


def close(
    installation: Installation, number: int, decision: Decision, answered_on: date, reason: str, at: datetime
) -> Disclosure:
    """Note how a request ended, and on which day the person was told.

    Raises: JukiError(DISCLOSURE_NOT_FOUND, DISCLOSURE_STATE, DISCLOSURE_DECISION, DISCLOSURE_DATE),
            ConfigurationError(REASON_TEXT_FORM).
    """

    def ended(unit: Unit, request: Disclosure) -> None:
        check_end(request, decision, answered_on, civil_date(at))
        unit.disclosures.end(number, decision, answered_on)

    said = f"{decision.value} {answered_on.isoformat()}: {checked_reason(reason)}"
    return _changed(installation, number, Action.DISCLOSURE_CLOSED, said, at, ended)


def subject_of(installation: Installation, unit: Unit, request: Disclosure) -> str | None:
    """Open whom a request is of; None where nobody was found.

    Raises: StoreError(CIPHER_ALTERED).
    """
    if not request.subject:
        return None
    key = keys_of(installation, unit).subject
    return opened_subject(RESIDENT, str(request), request.subject, key).decode("ascii")


def _person(installation: Installation, query: PersonQuery, at: datetime) -> Mapping[str, str] | None:
    """Look for one person in both files; both searches are in the log.

    Whoever fits in one file is not meant yet while somebody else fits in the other: who lives abroad stands in the
    fuhyo file alone, and may share name and birth date with a resident.
    """
    hits = dict[str, Mapping[str, str]]()
    for file in IdentityFile:
        if file is IdentityFile.FUHYO and query.is_by_number:
            continue
        found = find(installation, Asked(file, query, "開示請求の受付（法30条の32第1項）"), at)
        hits = {one[CODE_COLUMN]: one for one in found.shown} | hits
        if found.total > len(found.shown):
            raise JukiError(Code.PERSON_SEVERAL)
    ordered = sorted(hits.values(), key=lambda one: (one["name_kana"], one[CODE_COLUMN]))
    return _chosen(query, ordered) if hits else None


def _chosen(query: PersonQuery, hits: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    code = chosen(query, hits)
    return next(one for one in hits if one[CODE_COLUMN] == code)


def _registered(installation: Installation, new: NewDisclosure, code: str | None, at: datetime) -> Disclosure:
    with _desk(installation) as unit:
        key = keys_of(installation, unit).subject

        def seal(place: str) -> tuple[str, str]:
            subjects = subjects_of(RESIDENT, place, [(code or "").encode("ascii")], key)
            return subjects.sealed[0], subjects.indexes[0]

        request = unit.disclosures.register(new, at, seal if code else None)
        unit.journal.append(_entry(request, Action.DISCLOSURE_RECEIVED, ARTICLES[new.kind]), at)
    return request


def _changed(
    installation: Installation, number: int, action: Action, basis: str, at: datetime,
    change: Callable[[Unit, Disclosure], None],
) -> Disclosure:  # fmt: skip
    with _desk(installation) as unit:
        request = unit.disclosures.of(number, lock=True)
        change(unit, request)
        unit.journal.append(_entry(request, action, basis), at)
        return unit.disclosures.of(number)


def _entry(request: Disclosure, action: Action, basis: str) -> Entry:
    return acting().signed(Entry(
        action=action, file=RESIDENT, outcome=Outcome.DONE, provision=str(request), basis=basis,
        subject=request.subject, subject_index=request.subject_index,
    ))  # fmt: skip


def _desk(installation: Installation) -> AbstractContextManager[Unit]:
    return open_unit(installation.store_url(RESIDENT), RESIDENT, Duty.PROVIDER)
