"""A copy of what is kept, by two administrators: in the log before it begins, sealed as it comes, its end in the log.

Decides:    the order: what is asked is judged, the beginning committed in each log, the copy made, its end noted.
Leaves:     who may to `juki.cli.acting`, what a copy consists of to `juki.copying`.
Invariants: no log, no act: nothing is read before the entry that says so is committed. A copy that breaks off is
            removed, and the log says why; one whose process is killed has no manifest, and no entry of its end.
Source:     assessment M8, M9, ADR-0038.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from config.copy_places import closed_places, is_taken
from config.identities import signing_identity
from juki.cli.acting import acting
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.copies import Manifest, Wanted, destination
from juki.copying.folder import CopyFolder, checked_place
from juki.copying.recipient import named_certificate
from juki.copying.writing import write_dump, write_rows
from juki.errors import JukiError
from juki.journal import Action, Entry, Outcome
from juki.keys import FileKeys
from juki.number_opening import NumberOpener
from juki.numbers import SealingKey
from juki.reason_text import checked_reason
from juki.reasons import Code
from juki.store.copying import count
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: of which files, in the words of the log; where to, sealed to whom, and why."""

    files: Sequence[IdentityFile]
    what: str
    to: Path
    certificate: Path
    fingerprint: str
    reason: str
    has_number: bool
    municipality_code: str = ""

    def said(self) -> str:
        """Say it as the log does."""
        return f"{self.what} {destination(str(self.to), self.fingerprint)}"


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that is complete."""

    place: Path
    parts: int
    rows: Mapping[str, int]


def export(installation: Installation, wanted: Wanted, order: Order) -> Copied:
    """Copy the rows of a file; JukiError with a code of `copy.*`, ConfigurationError(REASON_TEXT_FORM)."""
    url = installation.store_url(wanted.file)
    opener = _opener(installation, wanted.file) if wanted.has_number else None

    def planned(unit: Unit) -> dict[str, int]:
        return {f"rows_{kept.value}": rows for kept, rows in count(unit, wanted).items()}

    return _copied(installation, order, planned, lambda folder: write_rows(folder, url, wanted, opener))


def back_up(installation: Installation, order: Order) -> Copied:
    """Copy one store or both as dumps; JukiError with a code of `copy.*`, ConfigurationError(REASON_TEXT_FORM)."""

    def written(folder: CopyFolder) -> dict[str, int]:
        rows: dict[str, int] = {}
        for file in order.files:
            rows |= write_dump(folder, installation.store_url(file), file)
        return rows

    def planned(unit: Unit) -> dict[str, int]:
        return {f"rows_{kept.value}": rows for kept, rows in count(unit, Wanted.whole(unit.file)).items()}

    return _copied(installation, order, planned, written)


def _copied(
    installation: Installation, order: Order, planned: Callable[[Unit], Mapping[str, int]],
    write: Callable[[CopyFolder], dict[str, int]],
) -> Copied:  # fmt: skip
    log = _Log(installation, order, checked_reason(order.reason))
    folder = log.refusing(lambda: _folder(installation, order))
    begun_at = datetime.now(UTC)
    entries = {file: log.note(file, Action.COPY_BEGUN, planned) for file in order.files}

    def made() -> dict[str, int]:
        folder.begin()
        rows = write(folder)
        # No copy without an entry that says so: what follows the entry is only the name by which it becomes one.
        for file in order.files:
            log.note(file, Action.COPY_MADE, lambda unit: _counts(unit.file, folder, rows))
        folder.complete(
            Manifest(
                installation.settings.prefecture_code, order.what, order.files, order.municipality_code, begun_at,
                entries, folder.parts, rows,
            )
        )  # fmt: skip
        return rows

    rows = log.refusing(made, folder)
    return Copied(folder.place, len(folder.parts), rows)


def _folder(installation: Installation, order: Order) -> CopyFolder:
    """Judge where a copy goes and whom it is sealed to; nothing is made yet."""
    home, settings = installation.home, installation.settings
    place = checked_place(order.to, closed_places(home, settings))
    certificate = named_certificate(order.certificate, order.fingerprint, datetime.now(UTC))
    if is_taken(certificate, home, installation.municipalities):
        raise JukiError(Code.COPY_CERTIFICATE_TAKEN, "--certificate")
    return CopyFolder(place, signing_identity(home), certificate)


def _counts(file: IdentityFile, folder: CopyFolder, rows: Mapping[str, int]) -> dict[str, int]:
    own = [one for one in folder.parts if one.name.startswith(f"{file.value}-")]
    told = {
        f"rows_{name.partition('.')[2]}": many
        for name, many in rows.items()
        if name.startswith(f"{file.value}.")
    }
    kept = {name: many for name, many in told.items() if name in ("rows_current", "rows_history")}
    return kept | {"parts": len(own), "bytes": sum(one.content_bytes for one in own)}


@dataclass(frozen=True, slots=True)
class _Log:
    """What the logs of the files say of one copy."""

    installation: Installation
    order: Order
    reason: str

    def note(self, file: IdentityFile, action: Action, counted: Callable[[Unit], Mapping[str, int]]) -> int:
        """Add and commit an entry; return its number."""
        with open_unit(self.installation.store_url(file), file, Duty.ADMINISTRATOR) as unit:
            entry = self._entry(file, action, Outcome.DONE, counts=counted(unit))
            return unit.journal.append(entry, datetime.now(UTC))

    def refusing(self, work: Callable[[], T], folder: CopyFolder | None = None) -> T:
        """Do a part of the work; what stops it is noted in each log, and what was written is removed."""
        try:
            return work()
        except BaseException as error:
            if folder is not None:
                folder.discard()
            code = error.code if isinstance(error, JukiError) else Code.RUN_UNEXPECTED
            # A store that went away can not be told; the beginning without an end stands there.
            with suppress(JukiError):
                self._note_refusal(code)
            raise

    def _note_refusal(self, code: Code) -> None:
        for file in self.order.files:
            with open_unit(self.installation.store_url(file), file, Duty.ADMINISTRATOR) as unit:
                entry = self._entry(file, Action.COPY_REFUSED, Outcome.REFUSED, code=code)
                unit.journal.append(entry, datetime.now(UTC))

    def _entry(
        self, file: IdentityFile, action: Action, outcome: Outcome, *,
        counts: Mapping[str, int] | None = None, code: Code | None = None,
    ) -> Entry:  # fmt: skip
        is_done = outcome is Outcome.DONE
        return acting().signed(Entry(
            action=action, file=file, outcome=outcome, code=code, counts=counts or {}, basis=self.reason,
            change=self.order.said(), municipality_code=self.order.municipality_code,
            # Sealed or not, a number in a copy is a number that leaves.
            number_accessed=is_done and self.order.has_number,
        ))  # fmt: skip


def _opener(installation: Installation, file: IdentityFile) -> NumberOpener:
    keys = FileKeys(installation.home.keys)
    return NumberOpener(file, lambda key_id: SealingKey(key_id, keys.key(key_id)))
