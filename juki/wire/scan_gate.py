"""What every inbound file passes before anything of it is opened: the scanner, its patterns fresh.

Decides:    that the age of the patterns is asked before each file, so that none passes on old ones.
Leaves:     the answers to `juki.scanning`, the connection to `juki.wire.scanner`.
Invariants: a gate with a scanner lets nothing through that was not called clean (fail closed); one without lets
            everything through and says so. The bytes that are scanned are the bytes that are opened.
Source:     assessment M10, ADR-0031.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from juki.errors import ScannerError, SourceError
from juki.reasons import Code
from juki.scanning import HEADER_BYTES, OFF, ScannerState, Standing, judge, patterns_of_header
from juki.wire.scanner import Scanner

_DATABASES = ("daily.cvd", "daily.cld")
"""The database that changes every day, as it is fetched and as it is updated in pieces."""


@dataclass(frozen=True, slots=True)
class ScanGate:
    """The scanner of an installation, if it has one, and how old its patterns may be."""

    scanner: Scanner | None = None
    limit: timedelta = timedelta()
    database: Path | None = None
    """Where the scanner's databases lie, for one that does not say when they were made."""

    def standing(self, now: datetime) -> Standing:
        """Ask how scanning stands; what is wrong is part of the answer."""
        if self.scanner is None:
            return OFF
        try:
            said = self.scanner.patterns_at()
        except ScannerError as error:
            return Standing(ScannerState.STOPPED, error.code)
        return judge(said or self._on_disk(), self.limit, now)

    def check_ready(self, now: datetime) -> None:
        """Let nothing begin that would have to stop.

        Raises: ScannerError with the code of what is wrong.
        """
        standing = self.standing(now)
        if standing.state is ScannerState.STOPPED and standing.code is not None:
            raise ScannerError(standing.code)

    def check(self, content: bytes, name: str, now: datetime) -> None:
        """Let a file through that is clean, or that nobody scans; its name is for the error alone.

        Raises: SourceError(PACKAGE_INFECTED), ScannerError when nobody can tell.
        """
        if self.scanner is None:
            return
        self.check_ready(now)
        if self.scanner.is_infected(content):
            raise SourceError(Code.PACKAGE_INFECTED, name)

    def _on_disk(self) -> datetime | None:
        return max(self._made(), default=None)

    def _made(self) -> Iterator[datetime]:
        for name in _DATABASES if self.database else ():
            made = patterns_of_header(_head(Path(self.database or ""), name))
            if made is not None:
                yield made


def _head(folder: Path, name: str) -> bytes:
    try:
        with (folder / name).open("rb") as file:
            return file.read(HEADER_BYTES)
    except OSError:
        return b""
