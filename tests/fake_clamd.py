"""A server that speaks clamd's protocol, well or as badly as it is told to, for machines without one. Test-only."""

from __future__ import annotations

import hashlib
import shutil
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from juki.dates import JAPAN
from juki.home import Home

Answer = Callable[[socket.socket, bytes], bytes]
"""What is said to a stream: given the connection, which it may misuse, and the content."""


@dataclass(slots=True)
class FakeClamd:
    """One listener; files in `infected` (SHA-256) are found, all others clean, unless `answer` says otherwise."""

    listener: socket.socket
    path: str = ""
    patterns_at: datetime | None = field(default_factory=lambda: datetime.now(UTC) - timedelta(hours=3))
    version: bytes = b""
    """Said in the place of the true answer to VERSION."""
    infected: set[str] = field(default_factory=set)
    answer: Answer | None = None
    scanned: list[str] = field(default_factory=list)
    """The SHA-256 of every stream that came."""
    asked: list[bytes] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where it listens, as a setting names it."""
        return self.path or "{}:{}".format(*self.listener.getsockname())

    def infect(self, path: Path) -> None:
        """Let a file be found from now on."""
        self.infected.add(hashlib.sha256(path.read_bytes()).hexdigest())

    def serve(self) -> None:
        """Answer one connection after the other until the listener is closed."""
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            with link:
                try:
                    self._one(link)
                except OSError:
                    continue

    def _one(self, link: socket.socket) -> None:
        command = b""
        while not command.endswith(b"\0"):
            command += link.recv(1) or b"\0"
        self.asked.append(command)
        if command == b"zVERSION\0":
            link.sendall(self.version or self._version())
        elif command == b"zINSTREAM\0":
            content = _stream(link)
            self.scanned.append(hashlib.sha256(content).hexdigest())
            link.sendall(self.answer(link, content) if self.answer else self._verdict())
        else:
            link.sendall(b"UNKNOWN COMMAND\0")

    def _version(self) -> bytes:
        if self.patterns_at is None:
            return b"ClamAV 1.4.3\0"
        return f"ClamAV 1.4.3/27000/{self.patterns_at.astimezone(JAPAN):%a %b %e %H:%M:%S %Y}\0".encode()

    def _verdict(self) -> bytes:
        is_found = self.scanned[-1] in self.infected
        return b"stream: Made.Up.Signature FOUND\0" if is_found else b"stream: OK\0"


@contextmanager
def scanned(home: Home, address: str) -> Iterator[None]:
    """Let an installation have its inbound files scanned for a while."""
    path = home.settings_file
    before = path.read_text("utf-8")
    lines = (f'scanner_address = "{address}"', "scanner_pattern_hours = 48", "scanner_timeout_seconds = 5")
    path.write_text("\n".join((before, *lines)), "utf-8")
    try:
        yield
    finally:
        path.write_text(before, "utf-8")


def _stream(link: socket.socket) -> bytes:
    content = b""
    while length := struct.unpack(">I", _exactly(link, 4))[0]:
        content += _exactly(link, length)
    return content


def _exactly(link: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = link.recv(length - len(data))
        if not part:
            raise ConnectionResetError
        data += part
    return data


@contextmanager
def fake_clamd(path: str = "") -> Iterator[FakeClamd]:
    """Run one on a socket of its own, on one of the path given, or on a port for `tcp`."""
    # Not below pytest's folders: their long names would exceed the length of a socket path.
    folder = Path(tempfile.mkdtemp(prefix="juki-clamd-"))
    listener = socket.socket(socket.AF_INET if path == "tcp" else socket.AF_UNIX, socket.SOCK_STREAM)
    place = path or str(folder / "s")
    listener.bind(("127.0.0.1", 0) if path == "tcp" else place)
    listener.listen(8)
    fake = FakeClamd(listener, "" if path == "tcp" else place)
    thread = threading.Thread(target=fake.serve, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        # Closing alone does not wake a thread that waits in accept.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
        Path(place).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
