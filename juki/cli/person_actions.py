"""Look for people and at one person at our own desk: capped, with a purpose, and in the operation log.

Decides:    what is written of a search and of a view; who may see a 個人番号, and on what word.
Leaves:     who may look at all to `juki.operator_matrix`, the looking to `juki.store.person_records`.
Invariants: the entry is in the log before anything is shown, one for everybody who is shown; whoever finds nobody
            is in it too, so that guessing shows. The caps are counted and the entry written under one lock. A value
            of a person goes to the screen of who asked, and nowhere else.
Source:     assessment M8, M9, ADR-0037.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from juki.cli.acting import acting
from juki.cli.installation import Installation
from juki.cli.person_document import PersonDocument
from juki.cli.store_keys import StoreKeys, keys_of
from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.journal import Action, Entry, Outcome
from juki.opened_numbers import opened_numbers
from juki.operators import Role
from juki.person_queries import MOST_HITS, PersonQuery, check_file
from juki.reason_text import checked_reason
from juki.reasons import Code
from juki.store.looking import Looking
from juki.store.person_records import PersonRecords, Version
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit
from juki.subjects import subjects_of

T = TypeVar("T")
SUBJECT_PLACE = "person"
"""What the sealed subject of these entries is bound to, as that of a provision is to its number."""
_SEE_NUMBERS = frozenset({Role.PROVIDER, Role.ADMINISTRATOR})
_NOTED = frozenset(
    {
        Code.PERSON_LIMIT_SEARCHES, Code.PERSON_LIMIT_VIEWS, Code.PERSON_NOT_FOUND, Code.PERSON_SEVERAL,
        Code.PERSON_NUMBER_ROLE,
    }
)  # fmt: skip
"""Refusals that are in the log: they tell something of who looks, or of whom."""
_BEFORE_SEARCHING = frozenset({Code.PERSON_LIMIT_VIEWS, Code.PERSON_NUMBER_ROLE})
"""Refusals after which nobody was looked for."""


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """Who is looked for in which file and why; with `number_basis`, the number as well, on this word."""

    file: IdentityFile
    query: PersonQuery
    purpose: str
    number_basis: str = ""

    @property
    def basis(self) -> str:
        """What the log says of why."""
        return f"{self.purpose}（個人番号: {self.number_basis}）" if self.number_basis else self.purpose


@dataclass(frozen=True, slots=True, repr=False)
class Hits:
    """Who fits: the first of them, and how many there are."""

    shown: Sequence[Mapping[str, str]]
    total: int


@dataclass(frozen=True, slots=True, repr=False)
class Seen:
    """One person: every version, and beside each its number, empty where none is held, None where it is masked."""

    versions: Sequence[Version]
    numbers: Sequence[str | None]


def asked_for(
    who: PersonDocument, file: IdentityFile, purpose: str, number_basis: str | None = None
) -> Asked:
    """Read who is looked for from a private file or standard input.

    Raises: ConfigurationError(DOCUMENT_PERMISSIONS, DOCUMENT_MISSING, REASON_TEXT_FORM),
            ContractError(PERSON_QUERY_FORM,
            PERSON_NUMBER_ON_FUHYO).
    """
    why = checked_reason(purpose, "--purpose")
    word = "" if number_basis is None else checked_reason(number_basis, "--number-basis")
    check_file(who.query, file)
    return Asked(file, who.query, why, word)


def find(installation: Installation, asked: Asked, at: datetime) -> Hits:
    """Look for people.

    Raises: JukiError(PERSON_LIMIT_SEARCHES).
    """
    most = installation.settings.person_searches_hourly

    def searched() -> Hits:
        with _desk(installation, asked.file) as unit:
            keys = keys_of(installation, unit)
            found = PersonRecords(asked.file, unit.connection).hits(asked.query, keys.index)
            hits = Hits(found[:MOST_HITS], len(found))
            _hold_to_cap(unit, Action.PERSON_SEARCHED, most, Code.PERSON_LIMIT_SEARCHES, at)
            counts = {"found": hits.total, "shown": len(hits.shown), f"by_{asked.query.way}": 1}
            unit.journal.append(_entry(asked, Action.PERSON_SEARCHED, counts=counts), at)
            codes = [one["resident_code"] for one in hits.shown]
            _note_each(unit, _entry(asked, Action.PERSON_LISTED), codes, keys, at)
            return hits

    return _noting_refusals(installation, asked, Action.PERSON_SEARCHED, at, searched)


def show(installation: Installation, asked: Asked, at: datetime) -> Seen:
    """Look at one person: what stands, and what stood before.

    Raises: JukiError(PERSON_LIMIT_VIEWS, PERSON_NOT_FOUND, PERSON_SEVERAL, PERSON_NUMBER_ROLE).
    """
    most = installation.settings.person_views_hourly

    def viewed() -> Seen:
        _check_number_role(asked)
        with _desk(installation, asked.file) as unit:
            keys, records = keys_of(installation, unit), PersonRecords(asked.file, unit.connection)
            _hold_to_cap(unit, Action.PERSON_VIEWED, most, Code.PERSON_LIMIT_VIEWS, at)
            code = chosen(asked.query, records.hits(asked.query, keys.index))
            seen = seen_of(asked.file, records.versions(code), keys, with_numbers=bool(asked.number_basis))
            counts = {"versions": len(seen.versions), f"by_{asked.query.way}": 1}
            _note_each(unit, _entry(asked, Action.PERSON_VIEWED, counts=counts), [code], keys, at)
            return seen

    return _noting_refusals(installation, asked, Action.PERSON_VIEWED, at, viewed)


def chosen(query: PersonQuery, hits: Sequence[Mapping[str, str]]) -> str:
    """Give the code of the one person meant.

    Raises: JukiError(PERSON_NOT_FOUND, PERSON_SEVERAL).
    """
    if not hits or query.position > len(hits):
        raise JukiError(Code.PERSON_NOT_FOUND)
    if len(hits) > 1 and not query.position:
        raise JukiError(Code.PERSON_SEVERAL)
    return hits[max(query.position - 1, 0)]["resident_code"]


def seen_of(file: IdentityFile, versions: Sequence[Version], keys: StoreKeys, *, with_numbers: bool) -> Seen:
    """Put the number beside each version, opened or masked.

    Raises: StoreError(CIPHER_ALTERED).
    """
    sealed = [one.number_sealed or b"" for one in versions]
    if not with_numbers:
        return Seen(versions, [None if one else "" for one in sealed])
    codes = [one.resident_code.encode() for one in versions]
    return Seen(versions, [one.decode() for one in opened_numbers(file, codes, sealed, keys.key_of)])


def _check_number_role(asked: Asked) -> None:
    who = acting()
    if asked.number_basis and who.operator_id and not who.roles & _SEE_NUMBERS:
        raise JukiError(Code.PERSON_NUMBER_ROLE)


def _hold_to_cap(unit: Unit, action: Action, most: int, code: Code, at: datetime) -> None:
    """Refuse whoever has looked too often within the hour; the end of the log stays locked until commit."""
    unit.journal.lock()
    if Looking(unit.connection).lately(acting().actor, action, at) >= most:
        raise JukiError(code)


def _noting_refusals(
    installation: Installation, asked: Asked, action: Action, at: datetime, work: Callable[[], T]
) -> T:
    try:
        return work()
    except JukiError as error:
        if error.code not in _NOTED:
            raise
        code = error.code
    with _desk(installation, asked.file) as unit:
        unit.journal.append(_entry(asked, action, code=code), at)
    raise JukiError(code)


def _note_each(unit: Unit, entry: Entry, codes: Sequence[str], keys: StoreKeys, at: datetime) -> None:
    subjects = subjects_of(unit.file, SUBJECT_PLACE, [code.encode() for code in codes], keys.subject)
    unit.journal.append_many(entry, subjects, at)


def _entry(
    asked: Asked, action: Action, *, code: Code | None = None, counts: Mapping[str, int] | None = None
) -> Entry:
    return acting().signed(Entry(
        action=action, file=asked.file, outcome=Outcome.REFUSED if code else Outcome.DONE, code=code,
        basis=asked.basis, counts=counts or {},
        number_accessed=_has_touched_number(asked, code),
    ))  # fmt: skip


def _has_touched_number(asked: Asked, code: Code | None) -> bool:
    """Tell whether a number was dealt with: looked for, though nobody was found, or shown."""
    is_searched = asked.query.is_by_number and code not in _BEFORE_SEARCHING
    return is_searched or (code is None and bool(asked.number_basis))


def _desk(installation: Installation, file: IdentityFile) -> AbstractContextManager[Unit]:
    return open_unit(installation.store_url(file), file, Duty.PROVIDER)
