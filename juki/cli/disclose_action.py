"""Make the document a person is given of their own record: both files, every version, and who was given or saw it.

Decides:    what is read for it, and the order: the entries are in both logs before a file is there.
Leaves:     its words to `juki.disclosed`, its form to `juki.printing`.
Invariants: nothing of it is written while a character can not be printed; a file is the owner's alone and replaces
            none. This is the one place where both files of a person are shown together, and only to that person's
            own request (法30条の32, 30条の44の13); no number crosses from one store to the other.
Source:     法30条の32第2項, assessment M6, M8, ADR-0037.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.bases import load_bases
from config.places import PREFECTURE_DIGITS, places
from config.recipients import load_recipients
from juki.cli.acting import acting
from juki.cli.disclosure_actions import subject_of
from juki.cli.installation import Installation
from juki.cli.person_actions import SUBJECT_PLACE, seen_of
from juki.cli.store_keys import StoreKeys, keys_of
from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.disclosed import HeldRecord, HeldVersion, Names, access_row, disclosure_paper, told_row
from juki.disclosures import Disclosure, DisclosureKind
from juki.errors import JukiError
from juki.journal import Action, Entry, Outcome
from juki.keys import write_private
from juki.package_id import PackageId
from juki.printing.font import PrintingFont
from juki.printing.html_form import html_of
from juki.printing.paper import Paper
from juki.printing.pdf_form import pdf_of
from juki.reasons import Code
from juki.record_words import NOTHING, record_rows, value_words
from juki.store.journal_reading import Sought
from juki.store.person_records import PersonRecords, Version
from juki.store.provided_records import ProvidedRecords
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit
from juki.subjects import subject_index, subjects_of

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
BASIS = "住民基本台帳法30条の32第2項"
_ALL_ENTRIES = 1_000_000


@dataclass(frozen=True, slots=True)
class Printed:
    """The document that was made."""

    request: Disclosure
    pdf: Path
    html: Path
    versions: int
    accesses: int


def disclose(installation: Installation, number: int, folder: Path, at: datetime) -> Printed:
    """Make the document of a request, as HTML and PDF.

    Raises: JukiError(DISCLOSURE_NOT_FOUND, DISCLOSURE_STATE, DISCLOSURE_CHARACTER, DISCLOSURE_FOLDER),
            ConfigurationError(DISCLOSURE_FONT).
    """
    font = PrintingFont.open(installation.settings.disclosure_font)
    pdf, html = _paths(folder, number)
    with _desk(installation, RESIDENT) as ours, _desk(installation, FUHYO) as other:
        request = ours.disclosures.of(number, lock=True)
        if request.kind is not DisclosureKind.DISCLOSURE or not request.is_open:
            raise JukiError(Code.DISCLOSURE_STATE, str(request))
        code = subject_of(installation, ours, request)
        records = _records(installation, (ours, other), code, request, at)
        paper = disclosure_paper(
            str(request), _issuer(installation), request.received_on, civil_date(at), records
        )
        contents = pdf_of(paper, font, at), html_of(paper)
        versions = sum(len(record.versions) for record in records)
        ours.disclosures.printed(number, hashlib.sha256(contents[0]).digest(), versions, at)
        if code is None:
            ours.journal.append(_entry(RESIDENT, request, 0), at)
    # The entries stand now: a document that then could not be written is said to exist, never the other way round.
    for path, content in ((pdf, contents[0]), (html, contents[1])):
        _write(path, content)
    return Printed(request, pdf, html, versions, _accesses(paper))


def _paths(folder: Path, number: int) -> tuple[Path, Path]:
    pdf, html = (folder / f"kaiji-D{number}.{ending}" for ending in ("pdf", "html"))
    if not folder.is_dir() or not os.access(folder, os.W_OK) or pdf.exists() or html.exists():
        raise JukiError(Code.DISCLOSURE_FOLDER)
    return pdf, html


def _write(path: Path, content: bytes) -> None:
    try:
        write_private(path, content)
    except OSError:
        path = Path()
    if not path.name:
        raise JukiError(Code.DISCLOSURE_FOLDER)


def _records(
    installation: Installation, units: Sequence[Unit], code: str | None, request: Disclosure, at: datetime
) -> list[HeldRecord]:
    """Read both files for one person, each under the codes they had, and note in each log that it was."""
    if code is None:
        return []
    codes = sorted(
        {one for unit in units for one in PersonRecords(unit.file, unit.connection).every_code(code)}
    )
    names, records = _names(installation), list[HeldRecord]()
    for unit in units:
        keys, file = keys_of(installation, unit), unit.file
        versions = _versions(unit, codes)
        seen = seen_of(file, versions, keys, with_numbers=True)
        held = [
            _held(file, one, number or "") for one, number in zip(seen.versions, seen.numbers, strict=True)
        ]
        records.append(HeldRecord(file, held, _accesses_of(unit, codes, keys, names)))
        if held:
            subjects = subjects_of(file, SUBJECT_PLACE, [versions[0].resident_code.encode()], keys.subject)
            unit.journal.append_many(_entry(file, request, len(held)), subjects, at)
    return records


def _versions(unit: Unit, codes: Sequence[str]) -> list[Version]:
    """Read the person under whichever code this file has them now."""
    records = PersonRecords(unit.file, unit.connection)
    newest = dict.fromkeys(records.newest_code(code) for code in codes)
    return [version for code in newest for version in records.versions(code)]


def _held(file: IdentityFile, version: Version, number: str) -> HeldVersion:
    values = version.values
    # What is not recorded is said to be: a blank could be a fault of the paper.
    rows = [(item, said or NOTHING) for item, said in record_rows(file, values, number)]
    day = values["event_date"]
    event = "　".join(word for word in (
        value_words("kind", values["kind"]), value_words("reason", values.get("reason")), str(day) if day else "",
    ) if word)  # fmt: skip
    return HeldVersion(
        [*rows, ("異動", event), ("通知を受けた日", str(values["received_on"]))], version.superseded_on
    )


def _accesses_of(unit: Unit, codes: Sequence[str], keys: StoreKeys, names: Names) -> list[tuple[str, ...]]:
    entries = [
        entry
        for code in codes
        for entry in unit.journal_reader.found(
            Sought(subject_index=subject_index(code.encode(), keys.subject)), _ALL_ENTRIES
        )
    ]
    provided = {one["provision"] for one in entries if one["action"] == Action.PERSON_PROVIDED.value}
    records = ProvidedRecords(unit.file, unit.connection)
    became = records.became([PackageId.parse(one) for one in provided])
    rows = [access_row(entry, names, became) for entry in entries]
    told = [told_row(unit.file, one.at, has_number=one.has_number) for one in records.told_jlis(codes)]
    return [*(row for row in rows if row is not None), *told]


def _names(installation: Installation) -> Names:
    recipients = {one.code: one.name for one in load_recipients(installation.home).recipient}
    bases = {
        one.code: f"{one.coverage[0].article} {one.work}"
        for one in load_bases(installation.home).bases
        if one.coverage
    }
    return Names(recipients, bases)


def _issuer(installation: Installation) -> str:
    digits = installation.settings.prefecture_code[:PREFECTURE_DIGITS]
    names = (place.prefecture for code, place in places().items() if code.startswith(digits))
    return f"{next(names, '')}知事"


def _accesses(paper: Paper) -> int:
    return len(paper.grids[-1].rows) if paper.grids else 0


def _entry(file: IdentityFile, request: Disclosure, versions: int) -> Entry:
    return acting().signed(Entry(
        action=Action.PERSON_DISCLOSED, file=file, outcome=Outcome.DONE, provision=str(request), basis=BASIS,
        counts={"versions": versions}, number_accessed=file is RESIDENT and versions > 0,
    ))  # fmt: skip


def _desk(installation: Installation, file: IdentityFile) -> AbstractContextManager[Unit]:
    return open_unit(installation.store_url(file), file, Duty.PROVIDER)
