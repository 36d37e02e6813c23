"""A real clamd with a tiny database of our own, for machines that have one. Test-only."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

CLAMD = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin")
PATTERN = b"JUKI-RENKEI-MADE-UP-PATTERN"
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RealClamd:
    """A running clamd: where it listens, where its database lies."""

    folder: Path

    @property
    def address(self) -> str:
        """Its socket."""
        return str(self.folder / "clamd.sock")

    @property
    def database(self) -> Path:
        """The folder of its database."""
        return self.folder / "db"

    def renew(self, made_at: datetime) -> None:
        """Replace the database by one made at an instant, and wait until it is loaded."""
        before = ask(self.address, b"zVERSION\0")
        write_database(self.database, made_at)
        ask(self.address, b"zRELOAD\0")
        ends = time.monotonic() + _START_SECONDS
        while ask(self.address, b"zVERSION\0") == before and time.monotonic() < ends:
            time.sleep(0.05)


def ask(address: str, command: bytes) -> bytes:
    """Ask something by hand."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(_START_SECONDS)
        link.connect(address)
        link.sendall(command)
        answer = b""
        while data := link.recv(4096):
            answer += data
        return answer


def write_database(folder: Path, made_at: datetime) -> None:
    """Write a daily database of one pattern; `.cud` is the form clamd takes without ClamAV's own signature."""
    pattern = f"Made.Up.Pattern:0:*:{PATTERN.hex()}\n".encode()
    at = f"{made_at.astimezone(UTC):%d %b %Y %H-%M} +0000"
    head = f"ClamAV-VDB:{at}:1:1:90:{'0' * 32}:x:x:{int(made_at.timestamp())}"
    info = f"{head}\ndaily.ndb:{len(pattern)}:{hashlib.sha256(pattern).hexdigest()}\n".encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in (("daily.info", info), ("daily.ndb", pattern)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    part = folder / ".part"
    part.write_bytes(head.encode().ljust(512) + packed.getvalue())
    part.replace(folder / "daily.cud")


@contextmanager
def real_clamd(made_at: datetime, *lines: str) -> Iterator[RealClamd]:
    """Start one in Japanese time, with more lines for its configuration if need be; stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="juki-real-clamd-"))
    clamd = RealClamd(folder)
    clamd.database.mkdir()
    write_database(clamd.database, made_at)
    # Run by root, clamd becomes nobody else: DatabaseOwner and User stay unset.
    said = (
        f"LocalSocket {clamd.address}", f"DatabaseDirectory {clamd.database}", f"TemporaryDirectory {folder}",
        "Foreground yes", "MaxThreads 2", *lines,
    )  # fmt: skip
    (folder / "clamd.conf").write_text("\n".join(said) + "\n")
    environment = os.environ | {"TZ": "Asia/Tokyo"}
    command = [CLAMD or "clamd", "-c", str(folder / "clamd.conf")]
    running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(clamd, running)
        yield clamd
    finally:
        running.terminate()
        running.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(clamd: RealClamd, running: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + _START_SECONDS
    while time.monotonic() < ends and running.poll() is None:
        try:
            ask(clamd.address, b"zPING\0")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("clamd")
