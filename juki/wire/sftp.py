"""The connection to one municipal CS: list its outbox, fetch packages, deliver answers.

Decides:    what is asked of the server and which of its answers are taken.
Leaves:     login, retry and time limits to `juki.wire.link`, bounds and codes to `juki.wire.endpoint`, the files
            to `juki.wire.spool`, opening of packages to `juki.wire.envelope`.
Invariants: we never delete in an outbox; a name that is no package is not fetched; no more is taken than the
            bounds allow; a delivery appears under its name only when it is whole.
Source:     spec/packages.md section 5, measures M2 and M4.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import asyncssh

from juki.errors import JukiError, SourceError
from juki.packages import PackageName
from juki.reasons import Code
from juki.wire.endpoint import Bounds, Endpoint, Retry, Timeouts
from juki.wire.link import Link, Operation, silence
from juki.wire.spool import Part, RemoteFile, receiving

__all__ = [
    "Bounds",
    "Endpoint",
    "Outbox",
    "RemoteFile",
    "Retry",
    "ServerSession",
    "Timeouts",
    "connect",
]

T = TypeVar("T")

OUTBOX, INBOX = b"outbox", b"inbox"
CHUNK_BYTES = 256 * 1024
"""Asked for at a time; with the time allowed for an answer this is the slowest line we bear."""

_DELIVERABLE = re.compile(r"[0-9a-z][0-9a-z.-]{1,99}")


@dataclass(frozen=True, slots=True)
class Outbox:
    """What lies in an outbox: packages in the order of their channels, and how many other files.

    Other files are counted and not named, because nobody knows what a name may hold. Hidden files (a leading
    dot) are packages still being written and are not counted.
    """

    packages: tuple[RemoteFile, ...]
    unknown: int


@contextmanager
def connect(endpoint: Endpoint) -> Iterator[ServerSession]:
    """Log in to a CS and out again; a session may be used from several threads, one call at a time runs.

    Raises: SourceError(CHANNEL_UNREACHABLE, CHANNEL_HOST_KEY, CHANNEL_LOGIN, CHANNEL_PROTOCOL), as every call
            on the session may; ConfigurationError when a key can not be read.
    """
    silence()
    session = ServerSession(endpoint)
    try:
        session.check()
        yield session
    finally:
        session.close()


class ServerSession:
    """A logged-in connection with its own event loop in a thread of its own; made by `connect`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._link = Link(endpoint)
        self._fetched_bytes = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=f"sftp-{endpoint.municipality_code}", daemon=True
        )
        self._thread.start()

    def check(self) -> None:
        """Connect and log in now rather than at the first call."""
        self._perform(_nothing)

    def outbox(self) -> Outbox:
        """List the outbox; SourceError(CHANNEL_TOO_MANY_FILES) when it holds more names than we bear."""
        return self._perform(self._list)

    def fetch(self, remote: RemoteFile, spool: Path) -> Path:
        """Fetch one package into the spool folder, going on where an earlier attempt broke off.

        Raises: SourceError(PACKAGE_TOO_LARGE, CHANNEL_TOO_MANY_FILES) before a byte is fetched,
                SourceError(CHANNEL_PROTOCOL) when the file is not the one listed, StoreError(SPOOL_FULL).
        """
        bounds = self._endpoint.bounds
        if remote.size > bounds.file_bytes:
            raise SourceError(Code.PACKAGE_TOO_LARGE, str(remote.name))
        if self._fetched_bytes + remote.size > bounds.session_bytes:
            raise SourceError(Code.CHANNEL_TOO_MANY_FILES, self._endpoint.municipality_code)
        self._fetched_bytes += remote.size
        with receiving(remote, spool, bounds.disk_reserve_bytes) as part:
            self._perform(lambda client: self._receive(client, remote, part))
            return part.finish()

    def deliver(self, name: str, data: bytes) -> None:
        """Put a file into the inbox, whole or not at all; one of the same name is replaced."""
        if _DELIVERABLE.fullmatch(name) is None:
            raise SourceError(Code.PACKAGE_FILE_NAME)
        self._perform(lambda client: self._send(client, name.encode("ascii"), data))

    def close(self) -> None:
        """Log out and end the thread; never fails."""
        asyncio.run_coroutine_threadsafe(self._link.drop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _perform(self, operation: Operation[T]) -> T:
        future = asyncio.run_coroutine_threadsafe(self._link.perform(operation), self._loop)
        try:
            return future.result()
        except BaseException:
            # The caller may have been interrupted: the transfer must not go on behind its back.
            future.cancel()
            raise

    async def _list(self, client: asyncssh.SFTPClient) -> Outbox:
        packages: list[RemoteFile] = []
        unknown = 0
        async for entry in self._entries(client):
            name = _bytes(entry.filename)
            if not name.startswith(b"."):
                remote = _remote_file(name, entry.attrs)
                unknown += remote is None
                packages += [remote] if remote else []
        return Outbox(tuple(sorted(packages, key=lambda remote: remote.name)), unknown)

    async def _entries(self, client: asyncssh.SFTPClient) -> AsyncIterator[asyncssh.SFTPName]:
        """Step through the outbox, each step bounded in time, all of them in number."""
        scanning = client.scandir(OUTBOX)
        for _ in range(self._endpoint.bounds.folder_names):
            entry = await self._answer(anext(scanning, None))
            if entry is None:
                return
            yield entry
        raise SourceError(Code.CHANNEL_TOO_MANY_FILES, self._endpoint.municipality_code)

    async def _receive(self, client: asyncssh.SFTPClient, remote: RemoteFile, part: Part) -> None:
        async with self._opened(client, OUTBOX + b"/" + str(remote.name).encode("ascii"), "rb") as file:
            attributes = await self._answer(file.stat())
            if (attributes.size, attributes.mtime) != (remote.size, remote.modified_at.timestamp()):
                raise SourceError(Code.CHANNEL_PROTOCOL, str(remote.name))
            while part.missing:
                part.append(await self._answer(file.read(min(CHUNK_BYTES, part.missing), part.length)))

    async def _send(self, client: asyncssh.SFTPClient, name: bytes, data: bytes) -> None:
        temporary, target = INBOX + b"/." + name + b".tmp", INBOX + b"/" + name
        async with self._opened(client, temporary, "wb") as file:
            for start in range(0, len(data), CHUNK_BYTES):
                await self._answer(file.write(data[start : start + CHUNK_BYTES], start))
        try:
            await self._answer(client.posix_rename(temporary, target))
        except asyncssh.SFTPOpUnsupported:
            # Without the OpenSSH extension a rename does not replace; the gap is healed by the next delivery.
            if await self._answer(client.exists(target)):
                await self._answer(client.remove(target))
            await self._answer(client.rename(temporary, target))

    @asynccontextmanager
    async def _opened(
        self, client: asyncssh.SFTPClient, path: bytes, mode: str
    ) -> AsyncIterator[asyncssh.SFTPClientFile]:
        """Open a remote file; after a failure of the connection there is nobody left to close it at."""
        file: asyncssh.SFTPClientFile = await self._answer(client.open(path, mode))
        try:
            yield file
        except JukiError:
            await self._answer(file.close())
            raise
        await self._answer(file.close())

    async def _answer(self, awaited: Awaitable[T]) -> T:
        return await self._link.within(self._endpoint.timeouts.answer_seconds, awaited)


def _remote_file(name: bytes, attributes: asyncssh.SFTPAttrs) -> RemoteFile | None:
    """Describe a directory entry that is a regular file with the name of a package."""
    if attributes.type not in (asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN):
        return None
    if attributes.size is None or attributes.mtime is None:
        return None
    try:
        package = PackageName.parse(name.decode("ascii"))
    except (SourceError, UnicodeDecodeError):
        return None
    return RemoteFile(package, attributes.size, datetime.fromtimestamp(attributes.mtime, UTC))


def _bytes(name: bytes | str) -> bytes:
    return name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")


async def _nothing(_: asyncssh.SFTPClient) -> None:
    """Do nothing: to be logged in is enough."""
