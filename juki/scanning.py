"""Virus scanning (ウイルス検査): what the scanner's answers mean, and whether the intake may go on with it.

Decides:    which answer says that a file is clean or infected, how old patterns may be, and where a scanner may be.
Leaves:     talking to the scanner to `juki.wire.scanner`, when a file is scanned to the tasks.
Invariants: only the exact answer of a clean file is one; whatever else is not understood stops. A pattern date nobody
            can tell, or one that lies ahead of the clock, counts as none: it would look fresh for ever.
Source:     assessment M10, ADR-0031; clamd(8): INSTREAM, VERSION; the header of a ClamAV database.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

from juki.dates import JAPAN
from juki.errors import ScannerError
from juki.reasons import Code

HEADER_BYTES = 512
"""The head of a ClamAV database, which says when it was made."""
CLOCK_SKEW = timedelta(hours=1)
"""How far ahead of our clock a pattern date may lie."""
_CLEAN = b"stream: OK\0"
_FOUND = re.compile(rb"stream: ([\x21-\x7e]{1,256}) FOUND\0")
_NOT_SCANNED = b"Heuristics.Limits.Exceeded"
"""What is found in a file that is larger than the scanner looks into."""
_TOO_LONG = b"INSTREAM size limit exceeded. ERROR\0"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = rf"({'|'.join(_MONTHS)})"
_VERSION = re.compile(
    rf"ClamAV [\x21-\x2e\x30-\x7e]{{1,64}}(?:/[0-9]{{1,10}}/[A-Z][a-z]{{2}} {_MONTH} ([ 0-3][0-9])"
    r" ([0-2][0-9]):([0-5][0-9]):([0-6][0-9]) ([0-9]{4}))?\0"
)
_HEADER = re.compile(
    rf"ClamAV-VDB:([0-3 ][0-9]) {_MONTH} ([0-9]{{4}}) ([0-2][0-9])-([0-5][0-9]) ([+-])([01][0-9])([0-5][0-9]):"
)
_UNIX = re.compile(r"/[^\0]{1,106}")
"""No path of a socket may be longer."""
_PORT = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253}):([0-9]{1,5})")
_HIGHEST_PORT = 65_535


class ScannerState(StrEnum):
    """Whether inbound files are scanned."""

    OFF = "off"
    FRESH = "fresh"
    STOPPED = "stopped"

    @property
    def japanese(self) -> str:
        """The word on screens."""
        return {"off": "していません", "fresh": "しています", "stopped": "止まっています"}[self.value]


@dataclass(frozen=True, slots=True)
class Standing:
    """How scanning stands: its state, why it is not in order, and when the patterns were made."""

    state: ScannerState
    code: Code | None = None
    patterns_at: datetime | None = None


OFF = Standing(ScannerState.OFF, Code.SCANNER_OFF)
"""Nobody has configured a scanner."""


@dataclass(frozen=True, slots=True)
class ScannerAddress:
    """Where the scanner listens: the path of a socket, or host and port."""

    socket: str = ""
    host: str = ""
    port: int = 0

    @classmethod
    def parse(cls, text: str) -> ScannerAddress:
        """Read `/path/of/socket`, `host:port` or `[address]:port`; ValueError for anything else."""
        if _UNIX.fullmatch(text):
            return cls(socket=text)
        match = _PORT.fullmatch(text)
        if match is None or not 1 <= int(match[2]) <= _HIGHEST_PORT:
            raise ValueError("address")
        return cls(host=match[1].strip("[]"), port=int(match[2]))


def is_infected(answer: bytes) -> bool:
    """Tell whether a file is infected by what the scanner answered to it.

    Raises: ScannerError(SCANNER_LIMIT) when it did not look at all of the file, ScannerError(SCANNER_ANSWER) when it
            said anything but that the file is clean or what was found.
    """
    if answer == _CLEAN:
        return False
    found = _FOUND.fullmatch(answer)
    if answer == _TOO_LONG or (found and found[1].startswith(_NOT_SCANNED)):
        raise ScannerError(Code.SCANNER_LIMIT)
    if found is None:
        raise ScannerError(Code.SCANNER_ANSWER)
    return True


def patterns_of_version(answer: bytes) -> datetime | None:
    """Read when the patterns were made that a scanner has loaded; None when it does not say.

    The scanner writes its local time without an offset. It is read as Japanese time: for a scanner whose clock shows
    UTC the patterns then look nine hours older than they are, never newer.
    Raises: ScannerError(SCANNER_ANSWER) for what is no answer to VERSION.
    """
    match = _VERSION.fullmatch(answer.decode("ascii", "replace"))
    if match is None:
        raise ScannerError(Code.SCANNER_ANSWER)
    if match[1] is None:
        return None
    month, day, hour, minute, second, year = match.groups()
    return _instant((year, month, day, hour, minute, second), JAPAN)


def patterns_of_header(head: bytes) -> datetime | None:
    """Read when a database was made from its first bytes; None when they are of no database."""
    match = _HEADER.match(head[:HEADER_BYTES].decode("ascii", "replace"))
    if match is None:
        return None
    day, month, year, hour, minute, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return _instant((year, month, day, hour, minute, "0"), timezone(offset if sign == "+" else -offset))


def judge(patterns_at: datetime | None, limit: timedelta, now: datetime) -> Standing:
    """Judge by the age of its patterns whether a scanner that answers may be relied on."""
    if patterns_at is None or patterns_at > now + CLOCK_SKEW:
        return Standing(ScannerState.STOPPED, Code.SCANNER_PATTERNS_UNDATED, patterns_at)
    if now - patterns_at > limit:
        return Standing(ScannerState.STOPPED, Code.SCANNER_PATTERNS_OLD, patterns_at)
    return Standing(ScannerState.FRESH, None, patterns_at)


def _instant(parts: tuple[str, ...], zone: timezone) -> datetime | None:
    year, month, day, hour, minute, second = parts
    numbers = (int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second))
    try:
        return datetime(*numbers, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
