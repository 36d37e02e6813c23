"""The client of a clamd: one question a connection, one bounded answer, one deadline for all of it.

Decides:    how a file is streamed (INSTREAM) and when an answer is whole: the scanner has closed the connection.
Leaves:     what an answer means to `juki.scanning`; which files are scanned to the tasks.
Invariants: only bytes go out, never a name or a path. No more than the bound is read, and nothing waits beyond the
            deadline, however slowly the other side drips. A file that was not sent to its end is never called clean.
Source:     clamd(8): commands with the prefix `z`, chunks of four bytes length (network order) and data.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from juki.errors import ScannerError
from juki.reasons import Code
from juki.scanning import ScannerAddress, is_infected, patterns_of_version

CHUNK_BYTES = 64 * 1024
MAX_ANSWER_BYTES = 1024
VERSION_SECONDS = 10
"""The scanner knows its version without looking for it."""
_VERSION, _STREAM, _END = b"zVERSION\0", b"zINSTREAM\0", b"\0\0\0\0"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scanner:
    """One clamd, and how many seconds it may take for a file."""

    address: ScannerAddress
    timeout_seconds: float

    def patterns_at(self) -> datetime | None:
        """Ask when the loaded patterns were made; None when the scanner does not say.

        Raises: ScannerError(SCANNER_UNREACHABLE, SCANNER_ANSWER).
        """
        with self._connected(min(VERSION_SECONDS, self.timeout_seconds)) as line:
            line.send(_VERSION)
            return patterns_of_version(line.answer())

    def is_infected(self, content: bytes) -> bool:
        """Have a file scanned.

        Raises: ScannerError(SCANNER_UNREACHABLE, SCANNER_ANSWER, SCANNER_LIMIT).
        """
        with self._connected(self.timeout_seconds) as line:
            is_whole = line.send_all(_streamed(content))
            infected = is_infected(line.answer())
        if not infected and not is_whole:
            raise ScannerError(Code.SCANNER_ANSWER)
        return infected

    @contextmanager
    def _connected(self, seconds: float) -> Iterator[_Line]:
        address, ends = self.address, time.monotonic() + seconds
        family = socket.AF_UNIX if address.socket else socket.AF_UNSPEC
        link = _asked(lambda: _connect(address, family, seconds))
        with link:
            yield _Line(link, ends)


@dataclass(slots=True)
class _Line:
    """An open connection and the instant by which everything must be said."""

    link: socket.socket
    ends: float

    def send(self, data: bytes) -> None:
        """Send a short command."""
        _asked(lambda: self._in_time().sendall(data))

    def send_all(self, parts: Iterator[bytes]) -> bool:
        """Send a stream; False when the other side did not want the rest, which it says in its answer."""
        for part in parts:
            try:
                self._in_time().sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                return False
            except OSError:
                break
        else:
            return True
        raise ScannerError(Code.SCANNER_UNREACHABLE)

    def answer(self) -> bytes:
        """Read until the other side closes; more than an answer can be is none."""
        answer = b""
        while data := _asked(lambda: self._in_time().recv(MAX_ANSWER_BYTES)):
            answer += data
            if len(answer) > MAX_ANSWER_BYTES:
                raise ScannerError(Code.SCANNER_ANSWER)
        return answer

    def _in_time(self) -> socket.socket:
        left = self.ends - time.monotonic()
        if left <= 0:
            raise ScannerError(Code.SCANNER_UNREACHABLE)
        self.link.settimeout(left)
        return self.link


def _connect(address: ScannerAddress, family: socket.AddressFamily, seconds: float) -> socket.socket:
    if family is not socket.AF_UNIX:
        return socket.create_connection((address.host, address.port), timeout=seconds)
    link = socket.socket(family, socket.SOCK_STREAM)
    link.settimeout(seconds)
    try:
        link.connect(address.socket)
    except OSError:
        link.close()
        raise
    return link


def _streamed(content: bytes) -> Iterator[bytes]:
    """Cut a content into chunks that say how long they are; one of no length ends it."""
    yield _STREAM
    view = memoryview(content)
    for start in range(0, len(view), CHUNK_BYTES):
        part = view[start : start + CHUNK_BYTES]
        yield len(part).to_bytes(4, "big") + part
    yield _END


def _asked(step: Callable[[], T]) -> T:
    """Turn every failure of the connection into ours; addresses stay out of it."""
    try:
        return step()
    # A host name that can not even be asked for is no OSError.
    except (OSError, UnicodeError):
        pass
    raise ScannerError(Code.SCANNER_UNREACHABLE)
