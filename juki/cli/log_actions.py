"""What is done with the operation log by the local administrator, and is in it: searching, copying, a new key.

Decides:    who acts and how it is recorded, until operators do (M7).
Leaves:     what is read to `juki.store.journal_reading`, what is written to `juki.oplog.exporting`.
Invariants: the entry is in the log before anybody sees what was found, and before a file is written: no log, no act.
            A search is recorded by the names of what narrowed it, and by the keyed index of the person it was for,
            under the code that was given.
Source:     assessment M8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from config.logs import log_keys, log_place
from juki.cli.acting import acting
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.errors import ContractError
from juki.journal import Action, Entry, Outcome
from juki.keys import FileKeys, Purpose
from juki.numbers import SealingKey
from juki.oplog.exporting import Exported, export_log
from juki.oplog.signing import Signing, sign_log
from juki.person_queries import PersonQuery, Way
from juki.reasons import Code
from juki.store.journal_reading import Sought
from juki.store.person_records import PersonRecords
from juki.store.roles import Duty
from juki.store.unit import open_unit
from juki.subjects import subject_index


@dataclass(frozen=True, slots=True)
class FoundEntries:
    """The newest entries that were looked for, and how many there are of them."""

    entries: list[dict[str, Any]]
    total: int


def search(
    installation: Installation, file: IdentityFile, sought: Sought, limit: int, at: datetime
) -> FoundEntries:
    """Look into the log of a file, and say so in it."""
    with open_unit(installation.store_url(file), file, Duty.AUDITOR) as unit:
        reader = unit.journal_reader
        found = FoundEntries(reader.found(sought, limit), reader.count(sought))
        counts = {"found": found.total, "shown": len(found.entries)}
        entry = _entry(Action.LOG_SEARCHED, file, counts, ",".join(sought.named), sought.subject_index)
        unit.journal.append(entry, at)
    return found


def subject_code(query: PersonQuery) -> str:
    """Give the 住民票コード of who the entries are to be about.

    Raises: ContractError(PERSON_QUERY_FORM) for whoever is named otherwise: an auditor looks into the log, not into
            the files.
    """
    if query.way is not Way.RESIDENT_CODE:
        raise ContractError(Code.PERSON_QUERY_FORM)
    return query.resident_code


def about(installation: Installation, file: IdentityFile, sought: Sought, code: str) -> Sought:
    """Narrow a search to the entries about one person, as one store names them; to nobody where no code is given.

    An entry names a person by the code they had then: those under the codes before and after it count too.
    """
    if not code:
        return sought
    keys = FileKeys(installation.home.keys)
    key_id = keys.active(file, Purpose.SUBJECT)
    key = SealingKey(key_id, keys.key(key_id))
    index, *others = (subject_index(one.encode("ascii"), key) for one in _codes(installation, code))
    return replace(sought, subject_index=index, other_indexes=tuple(others))


def _codes(installation: Installation, code: str) -> list[str]:
    """List the code that was asked for and then every other one of this person, as either file knows it."""
    codes = {code: None}
    for file in IdentityFile:
        # Whoever looks into the log reads no codes: this one person's are asked for as whoever provides does.
        with open_unit(installation.store_url(file), file, Duty.PROVIDER) as unit:
            codes |= dict.fromkeys(PersonRecords(file, unit.connection).every_code(code))
    return list(codes)


def export(
    installation: Installation, file: IdentityFile, parent: Path, at: datetime
) -> tuple[Exported, Signing]:
    """Copy the log of a file into a folder, signed up to the entry that says so."""
    url, place = installation.store_url(file), log_place(installation.home, installation.settings, file)
    with open_unit(url, file, Duty.AUDITOR) as unit:
        entries = unit.journal_reader.size() + 1
        unit.journal.append(_entry(Action.LOG_EXPORTED, file, {"entries": entries}), at)
    signing = sign_log(url, place, log_keys(installation.home, installation.settings).signing_key, at)
    with open_unit(url, file, Duty.AUDITOR) as unit:
        return export_log(unit, place, parent), signing


def rotate_key(installation: Installation, at: datetime) -> int:
    """Sign with a new key from now on, and say so in both logs."""
    generation = log_keys(installation.home, installation.settings).rotate()
    for file in IdentityFile:
        with open_unit(installation.store_url(file), file, Duty.ADMINISTRATOR) as unit:
            unit.journal.append(_entry(Action.LOG_KEY_ROTATED, file, {"generation": generation}), at)
    return generation


def _entry(
    action: Action, file: IdentityFile, counts: Mapping[str, int], basis: str = "", subject_index: str = ""
) -> Entry:
    return acting().signed(Entry(
        action=action, file=file, outcome=Outcome.DONE, counts=counts, basis=basis, subject_index=subject_index,
    ))  # fmt: skip
