"""A line to PostgreSQL that breaks at a chosen COMMIT: before the server hears of it, or after it has done it.

A relay between the driver and the socket of the embedded server. It reads the messages of the protocol as far
as it must to know a COMMIT; after the cut it lets later connections pass, as a network does that has recovered.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""A simple query as the frontend sends it: type, length, text (PostgreSQL protocol 3)."""
_BYTES = 1 << 16


class Cut(StrEnum):
    """Where the line breaks."""

    BEFORE = "before COMMIT"
    AFTER = "after COMMIT"
    IN_COPY = "in COPY"


@dataclass(slots=True)
class Line:
    """What the relay does and what it saw; `commit_no` counts the COMMITs of all connections from 1."""

    server: str
    cut: Cut | None = None
    commit_no: int = 0
    commits: int = 0
    is_cut: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def break_at(self, cut: Cut, commit_no: int = 0) -> None:
        """Break once at a COMMIT counted from now, or at the first rows that are copied."""
        self.cut, self.commit_no, self.commits, self.is_cut = cut, commit_no, 0, False

    def breaks_at(self, message: bytes) -> Cut | None:
        """Tell whether the line breaks at this message of the client; it does so once."""
        with self.lock:
            is_commit = _COMMIT in message
            self.commits += is_commit
            if self.is_cut or self.cut is None:
                return None
            is_here = is_commit and self.commits == self.commit_no
            if self.cut is Cut.IN_COPY:
                is_here = b"COPY " in message and b"FROM STDIN" in message
            self.is_cut = is_here
            return self.cut if is_here else None


class _Relay(socketserver.BaseRequestHandler):
    """One connection of a client."""

    def handle(self) -> None:
        """Pass bytes on until either side hangs up or the line breaks."""
        line: Line = self.server.line  # type: ignore[attr-defined]
        with socket.socket(socket.AF_UNIX) as upstream:
            upstream.connect(line.server)
            back = threading.Thread(target=self._back, args=(upstream,), daemon=True)
            back.start()
            self.is_mute = False
            while message := _received(self.request):
                cut = line.breaks_at(message)
                self.is_mute = cut is Cut.AFTER
                if cut in (None, Cut.AFTER):
                    upstream.sendall(message)
                if cut is Cut.AFTER:
                    # The server answers when it has committed; the client will not hear of it.
                    back.join(0.5)
                if cut is not None:
                    break
            _hang_up(upstream)
            _hang_up(self.request)
            back.join()

    def _back(self, upstream: socket.socket) -> None:
        while message := _received(upstream):
            if self.is_mute:
                return
            with contextlib.suppress(OSError):
                self.request.sendall(message)
        _hang_up(self.request)


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(_BYTES)
    except OSError:
        return b""


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Listener(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


@contextlib.contextmanager
def relayed(socket_path: Path) -> Iterator[tuple[str, Line]]:
    """Listen in a folder of its own; give that folder (the `host` of a URL) and the line."""
    with tempfile.TemporaryDirectory(prefix="juki-line-") as folder:
        line = Line(str(socket_path))
        with _Listener(str(Path(folder) / socket_path.name), _Relay) as listener:
            listener.line = line  # type: ignore[attr-defined]
            threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
            try:
                yield folder, line
            finally:
                listener.shutdown()
