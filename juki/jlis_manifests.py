"""The three formats between the prefecture and J-LIS: updates, acknowledgements, reports of errors.

Decides:    the names of the files, and what each of them must say.
Leaves:     reading and writing of the line to `juki.manifest_line`, the CSV to `juki.records`, the envelope to
            `juki.wire`.
Invariants: name and content agree in everything the name says, or the file is refused. An acknowledgement is bound to
            the content J-LIS opened by its SHA-256. An update of the fuhyo file has no column for a number.
Source:     spec/packages.md section 4, docs/formats/jlis.md, ADR-0027.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import numpy as np
import pyarrow as pa

from juki.columns import JLIS_COLUMNS, IdentityFile
from juki.errors import ContractError
from juki.jlis import MAX_UPDATES, MessageKind
from juki.manifest_line import MAX_NOTICE_NO, MAX_SEQUENCE, MUNICIPALITY, SHA256, Fields, write_line
from juki.manifests import PackageVerdict
from juki.packages import PackageKind, PackageName, sha256_hex, split_content
from juki.reasons import Code
from juki.recipients import JLIS_CODE
from juki.records import format_records, parse_records

MAX_UPDATE_NO = MAX_NOTICE_NO
MAX_REPORT_LINES = 10_000
MESSAGE_BYTES = {MessageKind.ACKNOWLEDGEMENT: 64 * 1024, MessageKind.REPORT: 4 * 1024 * 1024}
"""The largest file of each kind."""
REPORT_COLUMNS = ("resident_code", "columns", "update_no", "code")

_JLIS = re.compile(JLIS_CODE)
_THEIR_CODE = re.compile(r"(?:[a-z_]{1,40}\.[a-z_]{1,60})?")
_WORDS = {"jlis-receipt": MessageKind.ACKNOWLEDGEMENT, "jlis-report": MessageKind.REPORT}
MESSAGE_NAME = re.compile(rf"([0-9]{{6}})-(resident|fuhyo)-({'|'.join(_WORDS)})-([0-9]{{8}})\.p7m")
"""What a file from J-LIS is called: prefecture, file, kind and sequence; others are not for us to read."""


@dataclass(frozen=True, slots=True)
class MessageName:
    """The name of a file from J-LIS, `350001-resident-jlis-receipt-00000017.p7m`."""

    prefecture_code: str
    file: IdentityFile
    kind: MessageKind
    sequence: int

    @classmethod
    def parse(cls, text: str) -> MessageName | None:
        """Read a name; None when it is not of the form."""
        match = MESSAGE_NAME.fullmatch(text)
        if match is None or not 1 <= int(match[4]) <= MAX_SEQUENCE:
            return None
        return cls(match[1], IdentityFile(match[2]), _WORDS[match[3]], int(match[4]))

    def __str__(self) -> str:
        word = next(word for word, kind in _WORDS.items() if kind is self.kind)
        return f"{self.prefecture_code}-{self.file.value}-{word}-{self.sequence:08d}.p7m"


@dataclass(frozen=True, slots=True)
class JlisManifest:
    """The manifest of updates told to J-LIS (`juki-jlis/1`); numbers are of one prefecture and file."""

    FORMAT: ClassVar[str] = "juki-jlis/1"

    prefecture_code: str
    file: IdentityFile
    recipient: str
    sequence: int
    first_update_no: int
    last_update_no: int
    records: int
    created_at: datetime
    sha256: str

    @classmethod
    def parse(cls, line: bytes, ref: str = "") -> JlisManifest:
        """Read the line of the package `ref`; ContractError(PACKAGE_MANIFEST) when it is not one."""
        keys = Fields(line, cls, ref)
        manifest = cls(
            prefecture_code=keys.text("prefecture_code", MUNICIPALITY),
            file=keys.file(),
            recipient=keys.text("recipient", _JLIS),
            sequence=keys.number("sequence", 1, MAX_SEQUENCE),
            first_update_no=keys.number("first_update_no", 1, MAX_UPDATE_NO),
            last_update_no=keys.number("last_update_no", 1, MAX_UPDATE_NO),
            records=keys.records(1, MAX_UPDATES),
            created_at=keys.instant("created_at"),
            sha256=keys.text("sha256", SHA256),
        )
        if manifest.last_update_no - manifest.first_update_no + 1 != manifest.records:
            keys.refuse()
        return manifest

    @property
    def name(self) -> PackageName:
        """The name of the file that carries it."""
        return PackageName(self.prefecture_code, self.file, PackageKind.JLIS, self.sequence)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """J-LIS's answer to one package (`juki-jlis-receipt/1`): the whole content is this line.

    `package_sha256` is the SHA-256 of the whole content J-LIS opened: manifest and CSV together.
    """

    FORMAT: ClassVar[str] = "juki-jlis-receipt/1"

    prefecture_code: str
    file: IdentityFile
    sender: str
    sequence: int
    package_sha256: str
    verdict: PackageVerdict
    code: str
    created_at: datetime

    @classmethod
    def parse(cls, line: bytes, ref: str = "") -> Acknowledgement:
        """Read the whole content of an answer; ContractError(JLIS_MESSAGE_FORM) when it is not one."""
        keys = Fields(line, cls, ref, Code.JLIS_MESSAGE_FORM)
        answer = cls(
            prefecture_code=keys.text("prefecture_code", MUNICIPALITY),
            file=keys.file(),
            sender=keys.text("sender", _JLIS),
            sequence=keys.number("sequence", 1, MAX_SEQUENCE),
            package_sha256=keys.text("package_sha256", SHA256),
            verdict=PackageVerdict(keys.text("verdict", re.compile("accepted|refused"))),
            code=keys.text("code", _THEIR_CODE),
            created_at=keys.instant("created_at"),
        )
        if (answer.verdict is PackageVerdict.REFUSED) != bool(answer.code):
            keys.refuse()
        return answer

    def line(self) -> bytes:
        """Write the answer as its one line, LF included."""
        return write_line(self)


@dataclass(frozen=True, slots=True)
class ReportManifest:
    """The manifest of a report of errors (`juki-jlis-report/1`); J-LIS counts its reports of one file from 1."""

    FORMAT: ClassVar[str] = "juki-jlis-report/1"

    prefecture_code: str
    file: IdentityFile
    sender: str
    sequence: int
    records: int
    created_at: datetime
    sha256: str

    @classmethod
    def parse(cls, line: bytes, ref: str = "") -> ReportManifest:
        """Read the line of the report `ref`; ContractError(JLIS_MESSAGE_FORM) when it is not one."""
        keys = Fields(line, cls, ref, Code.JLIS_MESSAGE_FORM)
        return cls(
            prefecture_code=keys.text("prefecture_code", MUNICIPALITY),
            file=keys.file(),
            sender=keys.text("sender", _JLIS),
            sequence=keys.number("sequence", 1, MAX_SEQUENCE),
            records=keys.number("records", 1, MAX_REPORT_LINES),
            created_at=keys.instant("created_at"),
            sha256=keys.text("sha256", SHA256),
        )

    def line(self) -> bytes:
        """Write the manifest as its one line, LF included."""
        return write_line(self)


def write_updates(
    prefecture_code: str, file: IdentityFile, sequence: int, updates: pa.Table, created_at: datetime
) -> tuple[JlisManifest, bytes]:
    """Write the content of a package of updates: the same rows, number and instant give the same bytes.

    Shape: `updates` in JLIS_COLUMNS of the file, all text, update_no ascending without gaps.
    """
    if tuple(updates.column_names) != JLIS_COLUMNS[file]:
        raise ValueError("columns of an update")
    csv = format_records(updates)
    first, last = (int(updates.column("update_no")[place].as_py()) for place in (0, -1))
    manifest = JlisManifest(
        prefecture_code, file, JLIS_CODE, sequence, first, last, updates.num_rows, created_at, sha256_hex(csv)
    )
    return manifest, write_line(manifest) + csv


def read_updates(name: PackageName, content: bytes) -> tuple[JlisManifest, pa.Table]:
    """Read a package of updates as J-LIS does: everything it says must agree with everything else.

    Raises: ContractError(PACKAGE_MANIFEST, PACKAGE_DIGEST, PACKAGE_COUNT, PACKAGE_COLUMNS, PACKAGE_CSV,
            PACKAGE_BINDING).
    """
    line, csv = split_content(content)
    manifest = JlisManifest.parse(line, str(name))
    if manifest.name != name:
        raise ContractError(Code.PACKAGE_BINDING, str(name))
    if sha256_hex(csv) != manifest.sha256:
        raise ContractError(Code.PACKAGE_DIGEST, str(name))
    updates = parse_records(csv, JLIS_COLUMNS[manifest.file])
    expected = pa.array(np.arange(manifest.first_update_no, manifest.last_update_no + 1)).cast(pa.string())
    if not updates.column("update_no").equals(pa.chunked_array([expected])):
        raise ContractError(Code.PACKAGE_COUNT, str(name))
    return manifest, updates


def read_acknowledgement(name: MessageName, content: bytes) -> Acknowledgement:
    """Read an answer; ContractError(JLIS_MESSAGE_FORM, JLIS_MESSAGE_NAME)."""
    answer = Acknowledgement.parse(content, str(name))
    _check_name(name, answer)
    return answer


def read_report(name: MessageName, content: bytes) -> tuple[ReportManifest, pa.Table]:
    """Read a report and its lines, all text; ContractError(JLIS_MESSAGE_FORM, JLIS_MESSAGE_NAME)."""
    end = content.find(b"\n") + 1
    manifest, csv = ReportManifest.parse(content[:end], str(name)), content[end:]
    _check_name(name, manifest)
    lines = _lines(csv)
    if sha256_hex(csv) != manifest.sha256 or lines is None or lines.num_rows != manifest.records:
        raise ContractError(Code.JLIS_MESSAGE_FORM, str(name))
    return manifest, lines


def _lines(csv: bytes) -> pa.Table | None:
    try:
        return parse_records(csv, REPORT_COLUMNS, max_records=MAX_REPORT_LINES)
    except ContractError:
        return None


def _check_name(name: MessageName, said: Acknowledgement | ReportManifest) -> None:
    named = (name.prefecture_code, name.file, name.sequence)
    if (said.prefecture_code, said.file, said.sequence) != named:
        raise ContractError(Code.JLIS_MESSAGE_NAME, str(name))
