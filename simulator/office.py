"""A municipal office: numbers its packages, lays them out, reads our answers, answers our requests.

Leaves:     the notices and their numbers to the caller, sealing to `simulator.drafts`, the bytes of each fault
            to `simulator.faults`, snapshots to `simulator.answering`.
Invariants: sequences run from 1 without gaps; a package appears in `outbox/` whole, by rename; it is removed
            when its receipt says that it was accepted. Whatever a fault spoilt or held back, `heal` makes good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from juki.columns import IdentityFile
from juki.difference_reports import parse_report
from juki.packages import (
    MAX_RECEIPT_LINES,
    RECEIPT_COLUMNS,
    DifferencesManifest,
    Manifest,
    PackageKind,
    PackageName,
    PackageVerdict,
    ReceiptManifest,
    check_binding,
    read_package,
    sha256_hex,
)
from juki.records import MAX_RECORDS, parse_records
from juki.snapshot_manifests import MAX_SNAPSHOT_RECORDS
from juki.wire.envelope import open_envelope
from simulator import faults
from simulator.answering import Answering
from simulator.drafts import Desk, Draft
from simulator.faults import Effect, Fault
from simulator.outbox import Outbox
from simulator.snapshots import SnapshotFault, Standing

M = TypeVar("M", bound=Manifest)

_REMEMBERED_RECORDS = 10_000
"""Larger packages are not kept for faults that need an earlier one, so that a full load stays small."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as the office reads it: the manifest and its lines (RECEIPT_COLUMNS)."""

    manifest: ReceiptManifest
    lines: pa.Table


@dataclass(frozen=True, slots=True)
class Report:
    """A report on differences as the office reads it: the manifest and its lines (REPORT_COLUMNS)."""

    manifest: DifferencesManifest
    lines: pa.Table


@dataclass(frozen=True, slots=True)
class _Sent:
    """A package laid out: the SHA-256 of its CSV and, if it was small, the package itself."""

    sha256: str
    kept: tuple[Draft, bytes] | None


@dataclass(slots=True)
class MunicipalOffice:
    """The side of one municipality; `folder` is that of its account on the SFTP server."""

    desk: Desk
    folder: Path
    package_records: int = MAX_RECORDS
    next_sequence: dict[IdentityFile, int] = field(default_factory=lambda: dict.fromkeys(IdentityFile, 1))
    receipts: list[Receipt] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    _sent: dict[tuple[IdentityFile, int], _Sent] = field(default_factory=dict)
    _answered: dict[IdentityFile, list[tuple[Draft, bytes]]] = field(default_factory=dict)
    _withheld: list[Draft] = field(default_factory=list)
    _late: list[Draft] = field(default_factory=list)
    _overdue: list[Draft] = field(default_factory=list)
    _strays: list[PackageName] = field(default_factory=list)
    _outbox: Outbox = field(init=False)
    _answering: Answering = field(init=False)

    def __post_init__(self) -> None:
        """Open the outbox, and the counter where requests are answered."""
        self._outbox = Outbox(self.folder / "outbox")
        self._answering = Answering(self.desk, self._outbox)

    def publish(
        self, file: IdentityFile, table: pa.Table, created_at: datetime,
        *, fault: Fault | None = None, brings_late: bool = True,
    ) -> list[PackageName]:  # fmt: skip
        """Lay notices out in packages of at most `package_records`; a fault befalls the last of them.

        Shape:   `table` in the columns of its layout, `notice_no` ascending without gaps.
        Returns: the names given, those withheld included. What was late in this file arrives now, or when it is
                 brought (`bring_late`).
        """
        late = [draft for draft in self._late if draft.name.file is file]
        self._late = [draft for draft in self._late if draft.name.file is not file]
        drafts = list(self._drafts(file, table, created_at))
        if drafts:
            self._answering.last_notice_no[file] = int(table.column("notice_no")[-1].as_py())
        order = reversed(drafts) if fault is Fault.REORDER else iter(drafts)
        for draft in order:
            if fault and draft is drafts[-1]:
                self._befall(draft, fault)
            else:
                self._lay_draft(draft)
        self._overdue += late
        if brings_late:
            self.bring_late()
        return [draft.name for draft in drafts]

    def bring_late(self) -> None:
        """Lay out what is overdue: packages that were late and whose successors are there."""
        overdue, self._overdue = self._overdue, []
        for draft in overdue:
            self._lay_draft(draft)

    def heal(self) -> list[PackageName]:
        """Release what is withheld, put good packages in the place of broken ones, remove strays."""
        drafts, self._withheld, self._late = [*self._withheld, *self._late], [], []
        strays, self._strays = self._strays, []
        for name in strays:
            self._outbox.remove(name)
        for draft in drafts:
            self._lay_draft(draft)
        self._answering.heal()
        return [draft.name for draft in drafts]

    def answer_requests(
        self, standing: Standing, at: datetime,
        *, part_records: int = MAX_SNAPSHOT_RECORDS, fault: SnapshotFault | None = None,
        only: IdentityFile | None = None,
    ) -> list[PackageName]:  # fmt: skip
        """Answer the prefecture's requests in the inbox, all or those for one file, and remove them.

        Call it when the notices of a day are out and before the next is lived: then what `standing` gives is the
        truth as of the last notice published. A fault befalls every answer of the call. Returns the names laid out.
        """
        names: list[PackageName] = []
        for file in [only] if only else IdentityFile:
            names += self._answering.answer(self.folder / "inbox", file, standing, at, part_records, fault)
        return names

    def numbers(self) -> dict[str, dict[str, int]]:
        """Tell by file where the numbers of this office have come to, so that another process can go on."""
        return {
            file.value: {"package": self.next_sequence[file], **self._answering.numbers(file)}
            for file in IdentityFile
        }

    def go_on_from(self, numbers: Mapping[str, Mapping[str, int]]) -> None:
        """Go on where the numbers of an earlier process had come to."""
        for file in IdentityFile:
            said = numbers[file.value]
            self.next_sequence[file] = said["package"]
            self._answering.go_on_from(file, said)

    def tidy(self, at: datetime) -> list[Receipt]:
        """Read the receipts and reports in the inbox, remove them, and remove what they say is dealt with."""
        read = [self._read_receipt(path, at) for path in self._answers(PackageKind.RECEIPT)]
        for receipt in read:
            self._settle(receipt.manifest)
        self.receipts += read
        reports = [self._read_report(path, at) for path in self._answers(PackageKind.DIFFERENCES)]
        for report in reports:
            self._answering.settle(report.manifest.file, report.manifest.as_of)
        self.reports += reports
        return read

    def _settle(self, answer: ReceiptManifest) -> None:
        """Remove a package that was accepted, if the receipt is about the one we sent."""
        sent = self._sent.get((answer.file, answer.sequence))
        if sent is None or answer.verdict is not PackageVerdict.ACCEPTED:
            return
        if sent.sha256 == answer.package_sha256:
            self._outbox.remove(self._name(answer.file, answer.sequence))
            answered = self._answered.setdefault(answer.file, [])
            if sent.kept:
                # The first for the replay, the last for the rest.
                self._answered[answer.file] = [*answered[:1], sent.kept]

    def _answers(self, kind: PackageKind) -> list[Path]:
        return sorted((self.folder / "inbox").glob(f"*-{kind}-*.p7m"))

    def _read_receipt(self, path: Path, at: datetime) -> Receipt:
        _, manifest, csv = self._open(path, at, ReceiptManifest)
        lines = parse_records(csv, RECEIPT_COLUMNS, max_records=MAX_RECEIPT_LINES)
        path.unlink()
        return Receipt(manifest, lines)

    def _read_report(self, path: Path, at: datetime) -> Report:
        name, manifest, csv = self._open(path, at, DifferencesManifest)
        lines = parse_report(name, manifest, csv)
        path.unlink()
        return Report(manifest, lines)

    def _open(self, path: Path, at: datetime, form: type[M]) -> tuple[PackageName, M, memoryview]:
        """Open what the prefecture sent to this office, and bind it to its name."""
        keys, own = [self.desk.office.receiver.recipient()], self.desk.office.municipality_code
        name, sender = PackageName.parse(path.name), self.desk.prefecture.sender
        content = open_envelope(path.read_bytes(), recipient=keys, sender=sender, at=at)
        manifest, csv = read_package(name, content, form)
        check_binding(name, manifest, own, own)
        return name, manifest, csv

    def _drafts(self, file: IdentityFile, table: pa.Table, created_at: datetime) -> Iterator[Draft]:
        for start in range(0, table.num_rows, self.package_records):
            sequence = self.next_sequence[file]
            self.next_sequence[file] = sequence + 1
            part = table.slice(start, self.package_records)
            yield Draft(self._name(file, sequence), part, created_at, self.desk.prefecture.code)

    def _befall(self, draft: Draft, fault: Fault) -> None:
        """Let a fault happen to a package."""
        effect = faults.EXPECTED[fault].effect
        if effect is Effect.WITHHELD:
            (self._late if fault is Fault.LATE else self._withheld).append(draft)
        elif effect is Effect.BROKEN:
            self._withheld.append(draft)
            self._outbox.lay(draft.name, faults.broken(draft, fault, self.desk))
        elif effect is Effect.RECORDS:
            self._lay_draft(faults.with_bad_values(draft))
        else:
            self._add(draft, fault)
            self._lay_draft(draft)

    def _add(self, draft: Draft, fault: Fault) -> None:
        """Lay something out beside a good package; nothing while no earlier package has been answered."""
        answered = self._answered.get(draft.name.file, [])
        if fault is Fault.WRONG_OUTBOX:
            name, sealed = faults.foreign(draft, self.desk)
            self._strays.append(name)
            self._outbox.lay(name, sealed)
        elif answered and fault is not Fault.REORDER:
            earlier, sealed = answered[0] if fault is Fault.REPLAYED else answered[-1]
            self._outbox.lay(earlier.name, faults.again(earlier, sealed, fault, self.desk))
            if fault is Fault.OTHER_CONTENT:
                self._strays.append(earlier.name)

    def _lay_draft(self, draft: Draft) -> None:
        content = draft.content()
        sealed = self.desk.seal(content)
        csv = memoryview(content)[content.index(b"\n") + 1 :]
        is_small = draft.table.num_rows <= _REMEMBERED_RECORDS
        key = (draft.name.file, draft.name.sequence)
        self._sent[key] = _Sent(sha256_hex(csv), (draft, sealed) if is_small else None)
        self._outbox.lay(draft.name, sealed)

    def _name(self, file: IdentityFile, sequence: int) -> PackageName:
        return PackageName(self.desk.office.municipality_code, file, PackageKind.NOTICE, sequence)
