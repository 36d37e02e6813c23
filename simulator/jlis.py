"""J-LIS as a stand-in: opens every package, checks its numbers, keeps two ledgers, answers, reports errors.

Decides:    when a package is in order: signed by the prefecture, the next sequence, the next update, nothing more
            than the columns told; what its ledger says after it.
Leaves:     what must be in the ledger to the truth (`simulator.truth`), sealing to `simulator.sealing`.
Invariants: written from docs/formats/jlis.md: an update takes the place of what stood under its code, and of what
            stood under its previous code. A package is applied once, however often it comes. Who fetches takes the
            file away.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.home import Home
from juki.jlis import MessageKind
from juki.jlis_manifests import (
    REPORT_COLUMNS,
    Acknowledgement,
    MessageName,
    ReportManifest,
    read_updates,
)
from juki.manifests import PackageVerdict
from juki.packages import PackageName, sha256_hex
from juki.records import format_records
from juki.wire.envelope import fingerprint, open_envelope
from juki.wire.folders import deliver
from simulator import pki
from simulator.installation import PREFECTURE_CODE, folder
from simulator.registers import sorted_by_code
from simulator.sealing import seal

CODE = "jlis"
_NUMBER_COLUMNS = (b"individual_number", b"number")


@dataclass(slots=True, repr=False)
class Ledger:
    """What J-LIS keeps of one file: every update it was told, and which of them says how each person is."""

    file: IdentityFile
    last_sequence: int = 0
    last_update_no: int = 0
    applied: dict[int, str] = field(default_factory=dict)
    """The SHA-256 of the content of each sequence."""
    told: list[pa.Table] = field(default_factory=list)
    newest: dict[str, int] = field(default_factory=dict)
    """The number of the newest update of each person, by code."""

    def apply(self, updates: pa.Table) -> None:
        """Apply updates in their order."""
        self.told.append(updates)
        columns = (updates.column(name).to_pylist() for name in ("resident_code", "previous_resident_code"))
        for update_no, (code, previous) in enumerate(zip(*columns, strict=True), self.last_update_no + 1):
            self.newest.pop(previous, None)
            self.newest[code] = update_no
        self.last_update_no += updates.num_rows

    def records(self, *, erased: bool) -> pa.Table:
        """Give the records that stand, or those that are erased: RECORD_COLUMNS and sender_code, by code."""
        names = [*RECORD_COLUMNS[self.file], "sender_code"]
        if not self.told:
            return pa.table({name: pa.array([], pa.string()) for name in names})
        every = pa.concat_tables(self.told)
        rows = every.take(pa.array([number - 1 for number in self.newest.values()], pa.int64()))
        is_erased = pc.equal(rows.column("kind"), "deletion")
        chosen = rows.filter(is_erased if erased else pc.invert(is_erased))
        return sorted_by_code(chosen.select(names))


@dataclass(slots=True)
class Jlis:
    """The stand-in: `delivery` is where the prefecture puts packages, `arrivals` where it looks for answers."""

    office: pki.Office
    prefecture: pki.Pki
    delivery: Path
    arrivals: Path
    ledgers: dict[IdentityFile, Ledger] = field(
        default_factory=lambda: {file: Ledger(file) for file in IdentityFile}
    )
    refusing: dict[tuple[IdentityFile, int], str] = field(default_factory=dict)
    """Packages it does not take the next time they come, with the code it says."""
    complaints: list[str] = field(default_factory=list)
    """What was not in order; empty if all is well."""
    repeats: int = 0
    reports: dict[IdentityFile, int] = field(default_factory=lambda: dict.fromkeys(IdentityFile, 0))

    def work(self, at: datetime, *, answers: bool = True) -> int:
        """Fetch what lies in the folder, in order, and answer it; count the packages fetched."""
        fetched = sorted(self.delivery.glob("[!.]*.p7m"))
        for path in fetched:
            self._fetch(path, at, answers=answers)
        return len(fetched)

    def _fetch(self, path: Path, at: datetime, *, answers: bool) -> None:
        name, sealed = PackageName.parse(path.name), path.read_bytes()
        sender = self.prefecture.prefecture_as_sender(PREFECTURE_CODE)
        content = open_envelope(sealed, recipient=[self.office.receiver.recipient()], sender=sender, at=at)
        path.unlink()
        code = self._check_in(name, content)
        if answers:
            self.acknowledge(name.file, name.sequence, hashlib.sha256(content).hexdigest(), at, code=code)

    def _check_in(self, name: PackageName, content: bytes) -> str:
        """Apply a package that is in order; the code for which it is not taken otherwise."""
        if (refused := self.refusing.pop((name.file, name.sequence), "")) != "":
            return refused
        ledger, digest = self.ledgers[name.file], sha256_hex(content)
        if name.sequence in ledger.applied:
            self.repeats += 1
            return (
                "" if ledger.applied[name.sequence] == digest else self._complain(name, "jlis.other_content")
            )
        if name.sequence != ledger.last_sequence + 1:
            return self._complain(name, "jlis.gap")
        manifest, updates = read_updates(name, content)
        if manifest.first_update_no != ledger.last_update_no + 1:
            return self._complain(name, "jlis.update_gap")
        header = content.split(b"\n", 2)[1]
        if name.file is IdentityFile.FUHYO and any(word in header for word in _NUMBER_COLUMNS):
            return self._complain(name, "jlis.number_in_fuhyo")
        ledger.apply(updates)
        ledger.last_sequence, ledger.applied[name.sequence] = name.sequence, digest
        return ""

    def _complain(self, name: PackageName, code: str) -> str:
        self.complaints.append(f"{name}: {code}")
        return code

    def acknowledge(
        self, file: IdentityFile, sequence: int, content_sha256: str, at: datetime, *, code: str = ""
    ) -> None:
        """Answer a package: with a code, it was not taken."""
        verdict = PackageVerdict.REFUSED if code else PackageVerdict.ACCEPTED
        answer = Acknowledgement(PREFECTURE_CODE, file, CODE, sequence, content_sha256, verdict, code, at)
        self.put(MessageName(PREFECTURE_CODE, file, MessageKind.ACKNOWLEDGEMENT, sequence), answer.line())

    def report(self, file: IdentityFile, lines: list[dict[str, str]], at: datetime) -> MessageName:
        """Tell the prefecture of errors: each line in REPORT_COLUMNS, what is absent left out."""
        self.reports[file] += 1
        sequence = self.reports[file]
        content = report_content(file, sequence, lines, at)
        name = MessageName(PREFECTURE_CODE, file, MessageKind.REPORT, sequence)
        self.put(name, content)
        return name

    def put(self, name: MessageName | str, content: bytes, signer: pki.Identity | None = None) -> None:
        """Seal a content for the prefecture and lay it into its folder, in the place of an earlier one."""
        sealed = seal(content, signer or self.office.signer, self.prefecture.prefecture.certificate)
        (self.arrivals / str(name)).unlink(missing_ok=True)
        deliver(self.arrivals, str(name), sealed)


def report_content(file: IdentityFile, sequence: int, lines: list[dict[str, str]], at: datetime) -> bytes:
    """Write the content of a report."""
    table = pa.table(
        {name: pa.array([line.get(name, "") for line in lines], pa.string()) for name in REPORT_COLUMNS}
    )
    csv = format_records(table)
    manifest = ReportManifest(PREFECTURE_CODE, file, CODE, sequence, len(lines), at, sha256_hex(csv))
    return manifest.line() + csv


def register(home: Home, made: pki.Pki) -> Jlis:
    """Open a stand-in with empty ledgers and folders, and add it to the register of recipients."""
    base = folder(home)
    office = pki.counterpart(base / "pki", made.root, CODE)
    shutil.rmtree(base / CODE, ignore_errors=True)
    delivery, arrivals = (base / CODE / name for name in ("delivery", "arrivals"))
    for place in (delivery, arrivals):
        place.mkdir(parents=True)
    known = home.recipients_file.read_text("utf-8") if home.recipients_file.exists() else ""
    if f'code = "{CODE}"' not in known:
        home.recipients_file.write_text(known + _registration(office), encoding="utf-8")
    return Jlis(office, made, delivery, arrivals)


def _registration(office: pki.Office) -> str:
    return "\n".join(
        [
            "[[recipient]]",
            f'code = "{CODE}"',
            'name = "地方公共団体情報システム機構"',
            'kind = "jlis"',
            'receiver = "地方公共団体情報システム機構"',
            f'signing_certificates = ["{fingerprint(office.signer.certificate)}"]',
            'roots = ["exercise/pki/root.crt"]',
            f'encryption_certificate = "exercise/pki/{CODE}-receiver.crt"',
            f'delivery = "exercise/{CODE}/delivery"',
            f'arrivals = "exercise/{CODE}/arrivals"',
            "",
        ]
    )
