"""One JSON object on one line, as every manifest and request is written: read strictly, written in one form.

Decides:    what counts as such a line, and the form of the values several formats share.
Leaves:     which keys a format has to its own module (`juki.manifests`, `juki.snapshot_manifests`, …).
Invariants: every key of a format is required and no other is allowed; no key occurs twice; a number is a
            JSON integer (never true, 1.0 or NaN). Nothing is repaired. No error carries a byte of the line.
"""

from __future__ import annotations

import json
import re
from dataclasses import Field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, NoReturn, Protocol

from juki.columns import IdentityFile
from juki.errors import ContractError
from juki.reasons import Code
from juki.records import MAX_RECORDS
from juki.strict_json import read_json

MAX_MANIFEST_BYTES = 4096
"""Length of the line with its LF (spec/packages.md section 2)."""
MAX_SEQUENCE = 99_999_999
"""The sequence has 8 digits in the file name (spec/packages.md section 1)."""
MAX_NOTICE_NO = 10**15
"""Keeps a notice number within a bigint; no municipality will ever reach it."""

MUNICIPALITY = re.compile(r"[0-9]{6}")
SHA256 = re.compile(r"[0-9a-f]{64}")

_A_DAY = timedelta(days=1)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


class Line(Protocol):
    """A dataclass whose fields are the keys of the format it names, in the order they are written."""

    FORMAT: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


class Fields:
    """The keys of one line, each taken by the form it must have; anything else is refused by one code."""

    def __init__(self, line: bytes, form: type[Line], ref: str, code: Code = Code.PACKAGE_MANIFEST) -> None:
        self._ref = ref
        self._code = code
        self._values = _object(line) or self.refuse()
        if self._values.keys() != {"format", *(field.name for field in fields(form))}:
            self.refuse()
        if self._values["format"] != form.FORMAT:
            self.refuse()

    def refuse(self) -> NoReturn:
        """Refuse the line as a whole."""
        raise ContractError(self._code, self._ref)

    def text(self, key: str, form: re.Pattern[str]) -> str:
        """Take a text of exactly this form."""
        value = self._values[key]
        if not isinstance(value, str) or form.fullmatch(value) is None:
            self.refuse()
        return value

    def number(self, key: str, low: int, high: int) -> int:
        """Take an integer within these bounds."""
        value = self._values[key]
        # bool is an int to isinstance, and `true` is not a number.
        if type(value) is not int or not low <= value <= high:
            self.refuse()
        return value

    def flag(self, key: str) -> bool:
        """Take true or false."""
        value = self._values[key]
        if not isinstance(value, bool):
            self.refuse()
        return value

    def records(self, low: int, most: int = MAX_RECORDS) -> int:
        """Take the number of records; too many have a code of their own, so that the sender knows to split."""
        records = self.number("records", low, MAX_NOTICE_NO)
        if records > most:
            raise ContractError(Code.PACKAGE_TOO_MANY_RECORDS, self._ref)
        return records

    def texts(self, key: str, form: re.Pattern[str], most: int) -> tuple[str, ...]:
        """Take an array of at most so many texts of this form."""
        values = self._values[key]
        if not isinstance(values, list) or len(values) > most:
            self.refuse()
        if not all(isinstance(value, str) and form.fullmatch(value) for value in values):
            self.refuse()
        return tuple(values)

    def file(self) -> IdentityFile:
        """Take the identity file."""
        return IdentityFile(self.text("file", re.compile("resident|fuhyo")))

    def instant(self, key: str) -> datetime:
        """Take an aware instant that can be shown everywhere."""
        return instant_of(self.text(key, _INSTANT)) or self.refuse()


def write_line(values: Line) -> bytes:
    """Write the one line, LF included; ContractError(PACKAGE_MANIFEST) when it would be too long."""
    written: dict[str, object] = {"format": values.FORMAT}
    for field in fields(values):
        value = getattr(values, field.name)
        written[field.name] = value.isoformat() if isinstance(value, datetime) else value
    text = json.dumps(written, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    line = text.encode("utf-8") + b"\n"
    if len(line) > MAX_MANIFEST_BYTES:
        raise ContractError(Code.PACKAGE_MANIFEST)
    return line


def instant_of(text: str) -> datetime | None:
    """Read an aware instant in its one written form; None when it is none, or none that can be shown."""
    if _INSTANT.fullmatch(text) is None:
        return None
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
        value = read_json(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
