"""A mail server that takes every letter and keeps it, with STARTTLS where it has a certificate. Test-only."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass(slots=True)
class SmtpSink:
    """What a sink was told."""

    port: int = 0
    context: ssl.SSLContext | None = None
    refuses: bool = False
    """Takes no letter for now."""
    nobody: frozenset[str] = frozenset()
    """Receivers it does not know."""
    unwelcome: str = ""
    """The code of the alarm whose letter it never takes."""
    farewell: str = "221 bye"
    """What it says to QUIT; nothing: it only hangs up."""
    letters: list[EmailMessage] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    logins: list[tuple[str, str, bool]] = field(default_factory=list)
    """User, password, and whether the line was encrypted."""


class _Conversation(socketserver.StreamRequestHandler):
    """One client, as far as RFC 5321 needs it here."""

    def handle(self) -> None:
        sink: SmtpSink = self.server.sink  # type: ignore[attr-defined]
        is_encrypted = False
        self._say("220 sink.example")
        while line := self.rfile.readline():
            word = line.decode().strip()
            verb = word.split(" ")[0].upper()
            if verb == "EHLO":
                offers = [*(["STARTTLS"] if sink.context and not is_encrypted else []), "AUTH PLAIN"]
                self._say("250-sink.example", *[f"250-{offer}" for offer in offers], "250 8BITMIME")
            elif verb == "STARTTLS" and sink.context:
                self._say("220 go on")
                self.request = sink.context.wrap_socket(self.request, server_side=True)
                self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
                is_encrypted = True
            elif verb == "AUTH":
                _, user, password = base64.b64decode(word.split(" ")[2]).decode().split("\0")
                sink.logins.append((user, password, is_encrypted))
                self._say("235 welcome")
            elif verb == "RCPT" and sink.refuses:
                self._say("451 later")
            elif verb == "RCPT" and _address(word) in sink.nobody:
                self._say("550 nobody")
            elif verb == "DATA":
                self._say("354 go on")
                letter = self._letter()
                is_taken = letter["X-Juki-Alarm"] != sink.unwelcome
                sink.letters += [letter] if is_taken else []
                self._say("250 taken" if is_taken else "554 never")
            elif verb == "QUIT":
                self._say(*filter(None, [sink.farewell]))
                return
            else:
                sink.receivers += [_address(word)] if verb == "RCPT" else []
                self._say("250 well")

    def _letter(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        read: Any = message_from_bytes(b"".join(lines), policy=policy.default)
        return read

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
        self.wfile.flush()


def _address(word: str) -> str:
    return word.partition("<")[2].rstrip(">")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is not an error of the sink."""


@contextmanager
def smtp_sink(context: ssl.SSLContext | None = None) -> Iterator[SmtpSink]:
    """Take letters on a free port of this machine while the block runs."""
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        sink = SmtpSink(server.server_address[1], context)
        server.sink = sink  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield sink
        server.shutdown()
