"""The manifest line of a package: what it must say, read strictly and written in one form.

Decides:    which keys each format has, what a value may look like, how one line is written.
Leaves:     file names and the binding of name, manifest and endpoint to `juki.packages`.
Invariants: every key of a format is required and no other is allowed; no key occurs twice; a number is a
            JSON integer (never true, 1.0 or NaN). Nothing is repaired. No error carries a byte of the line.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, NoReturn

from juki.columns import IdentityFile
from juki.errors import ContractError
from juki.reasons import Code
from juki.records import MAX_RECORDS

MAX_MANIFEST_BYTES = 4096
"""Length of the manifest line with its LF (spec/packages.md section 2)."""
MAX_RECEIPT_LINES = 1_000_000
"""Lines of one receipt: a notice has one for each finding, so there may be more than notices."""
MAX_SEQUENCE = 99_999_999
"""The sequence has 8 digits in the file name (spec/packages.md section 1)."""
MAX_NOTICE_NO = 10**15
"""Keeps a notice number within a bigint; no municipality will ever reach it."""

_A_DAY = timedelta(days=1)

_MUNICIPALITY = re.compile(r"[0-9]{6}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA256_OR_NONE = re.compile(r"(?:[0-9a-f]{64})?")
_CODE_OR_NONE = re.compile(r"(?:[a-z_]{1,40}\.[a-z_]{1,60})?")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


class PackageVerdict(StrEnum):
    """What became of a package as a whole; the verdicts of its records are in the CSV part of the receipt."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class NoticeManifest:
    """The manifest of change notices (`juki-notice/1`): numbers are of one municipality and file."""

    FORMAT: ClassVar[str] = "juki-notice/1"

    municipality_code: str
    file: IdentityFile
    recipient: str
    sequence: int
    first_notice_no: int
    last_notice_no: int
    records: int
    created_at: datetime
    sha256: str

    @classmethod
    def parse(cls, line: bytes, ref: str = "") -> NoticeManifest:
        """Read the line of the package `ref`; ContractError(PACKAGE_MANIFEST) for anything unspecified."""
        keys = _Fields(line, cls, ref)
        manifest = cls(
            municipality_code=keys.text("municipality_code", _MUNICIPALITY),
            file=keys.file(),
            recipient=keys.text("recipient", _MUNICIPALITY),
            sequence=keys.number("sequence", 1, MAX_SEQUENCE),
            first_notice_no=keys.number("first_notice_no", 1, MAX_NOTICE_NO),
            last_notice_no=keys.number("last_notice_no", 1, MAX_NOTICE_NO),
            records=keys.records(1),
            created_at=keys.instant("created_at"),
            sha256=keys.text("sha256", _SHA256),
        )
        if manifest.last_notice_no - manifest.first_notice_no + 1 != manifest.records:
            keys.refuse()
        return manifest

    def line(self) -> bytes:
        """Write the manifest as its one line, LF included."""
        return _line(self)


@dataclass(frozen=True, slots=True)
class ReceiptManifest:
    """The manifest of our answer to one package (`juki-receipt/1`, docs/formats/receipt.md).

    `sequence` and `package_sha256` are those of the answered package (`package_sha256` is the `sha256` of its
    manifest, empty if none could be read); `code` and `message` say why a package was refused.
    """

    FORMAT: ClassVar[str] = "juki-receipt/1"

    municipality_code: str
    file: IdentityFile
    sender: str
    recipient: str
    sequence: int
    package_sha256: str
    verdict: PackageVerdict
    code: str
    message: str
    records: int
    created_at: datetime
    sha256: str

    @classmethod
    def parse(cls, line: bytes, ref: str = "") -> ReceiptManifest:
        """Read the line of the receipt `ref`; ContractError(PACKAGE_MANIFEST) when it is not one."""
        keys = _Fields(line, cls, ref)
        verdict = keys.text("verdict", re.compile("accepted|refused"))
        return cls(
            municipality_code=keys.text("municipality_code", _MUNICIPALITY),
            file=keys.file(),
            sender=keys.text("sender", _MUNICIPALITY),
            recipient=keys.text("recipient", _MUNICIPALITY),
            sequence=keys.number("sequence", 1, MAX_SEQUENCE),
            package_sha256=keys.text("package_sha256", _SHA256_OR_NONE),
            verdict=PackageVerdict(verdict),
            code=keys.text("code", _CODE_OR_NONE),
            message=keys.text("message", re.compile(r"[^\x00-\x1f\ud800-\udfff]{0,400}")),
            records=keys.records(0, MAX_RECEIPT_LINES),
            created_at=keys.instant("created_at"),
            sha256=keys.text("sha256", _SHA256),
        )

    def line(self) -> bytes:
        """Write the manifest as its one line, LF included."""
        return _line(self)


Manifest = NoticeManifest | ReceiptManifest
"""Any manifest we can write; reading always names the one format expected."""


class _Fields:
    """The keys of one manifest, each taken by the form it must have."""

    def __init__(self, line: bytes, manifest: type[Manifest], ref: str) -> None:
        self._ref = ref
        self._values = _object(line) or self.refuse()
        if self._values.keys() != {"format", *(field.name for field in fields(manifest))}:
            self.refuse()
        if self._values["format"] != manifest.FORMAT:
            self.refuse()

    def refuse(self) -> NoReturn:
        raise ContractError(Code.PACKAGE_MANIFEST, self._ref)

    def text(self, key: str, form: re.Pattern[str]) -> str:
        value = self._values[key]
        if not isinstance(value, str) or form.fullmatch(value) is None:
            self.refuse()
        return value

    def number(self, key: str, low: int, high: int) -> int:
        value = self._values[key]
        # bool is an int to isinstance, and `true` is not a number.
        if type(value) is not int or not low <= value <= high:
            self.refuse()
        return value

    def records(self, low: int, most: int = MAX_RECORDS) -> int:
        records = self.number("records", low, MAX_NOTICE_NO)
        if records > most:
            raise ContractError(Code.PACKAGE_TOO_MANY_RECORDS, self._ref)
        return records

    def file(self) -> IdentityFile:
        return IdentityFile(self.text("file", re.compile("resident|fuhyo")))

    def instant(self, key: str) -> datetime:
        return _instant(self.text(key, _INSTANT)) or self.refuse()


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
        # An instant at the edge of the calendar has no equivalent in UTC, or none in Japan where it is shown.
        for beside in (-_A_DAY, _A_DAY):
            _ = instant.astimezone(UTC) + beside
    except (ValueError, OverflowError):
        return None
    return instant


def _object(line: bytes) -> dict[str, object] | None:
    """Read the one JSON object of a line, bare: no space around it, no BOM, no key twice, integers only."""
    if len(line) > MAX_MANIFEST_BYTES or not line.startswith(b"{") or not line.endswith(b"}\n"):
        return None
    try:
        value: object = json.loads(
            line.decode("utf-8"), object_pairs_hook=_unique, parse_float=_no_number, parse_constant=_no_number
        )
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError
    return values


def _no_number(_: str) -> NoReturn:
    raise ValueError


def _line(manifest: Manifest) -> bytes:
    values: dict[str, object] = {"format": manifest.FORMAT}
    for field in fields(manifest):
        value = getattr(manifest, field.name)
        values[field.name] = value.isoformat() if isinstance(value, datetime) else value
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    line = text.encode("utf-8") + b"\n"
    if len(line) > MAX_MANIFEST_BYTES:
        raise ContractError(Code.PACKAGE_MANIFEST)
    return line
