"""The municipal CS as a server: one account per municipality, each shut into its own folder.

Leaves:     what lies in the folders to `simulator.office`.
Invariants: loopback only, login by key only, SFTP only. Files appear in `outbox/` by rename. The behaviour of a
            bad line or a bad CS is a subclass of `MunicipalFiles`, given to `serve`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakSet

import asyncssh

HOST = "127.0.0.1"

_Connections = WeakSet[asyncssh.SSHServerConnection]


class MunicipalFiles(asyncssh.SFTPServer):
    """The files of one municipality, chrooted to its folder."""

    root: Path

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
        account = str(channel.get_extra_info("username"))
        super().__init__(channel, chroot=str(self.root / account).encode())


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and how to register it."""

    port: int
    host_key: str
    host: str = HOST


@contextmanager
def serve(
    root: Path,
    accounts: Mapping[str, str],
    host_key: asyncssh.SSHKey,
    *,
    port: int = 0,
    files: type[MunicipalFiles] = MunicipalFiles,
) -> Iterator[Server]:
    """Run a server in a thread of its own while the block runs.

    Shape: `accounts` maps account names to the public keys (OpenSSH form) that may log in; the folder of an
           account is `root/<account>`; port 0 takes a free one.
    """
    for account in accounts:
        for folder in ("outbox", "inbox"):
            (root / account / folder).mkdir(parents=True, exist_ok=True)
    chrooted = type(files.__name__, (files,), {"root": root})
    keys = {account: asyncssh.import_public_key(key) for account, key in accounts.items()}
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="municipal-cs", daemon=True)
    thread.start()
    connections: _Connections = WeakSet()
    starting = _listen(port, host_key, keys, chrooted, connections)
    listening = asyncio.run_coroutine_threadsafe(starting, loop).result()
    try:
        yield Server(listening.get_port(), public_line(host_key))
    finally:
        asyncio.run_coroutine_threadsafe(_shut(listening, connections), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def make_key() -> asyncssh.SSHKey:
    """Make an Ed25519 key for a host or an account."""
    return asyncssh.generate_private_key("ssh-ed25519")


def public_line(key: asyncssh.SSHKey) -> str:
    """Write the public half as OpenSSH does."""
    return key.export_public_key("openssh").decode().strip()


class _Login(asyncssh.SSHServer):
    """Let an account in by its key, and by nothing else."""

    def __init__(self, keys: Mapping[str, asyncssh.SSHKey], open_connections: _Connections) -> None:
        self._keys = keys
        self._open = open_connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._open.add(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._keys.get(username) == key


async def _listen(
    port: int,
    host_key: asyncssh.SSHKey,
    keys: Mapping[str, asyncssh.SSHKey],
    files: type[MunicipalFiles],
    connections: _Connections,
) -> asyncssh.SSHAcceptor:
    return await asyncssh.listen(
        HOST,
        port,
        server_factory=lambda: _Login(keys, connections),
        server_host_keys=[host_key],
        sftp_factory=files,
        allow_scp=False,
        config=None,
    )


async def _shut(listening: asyncssh.SSHAcceptor, connections: _Connections) -> None:
    listening.close()
    for connection in connections:
        connection.abort()
    await listening.wait_closed()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
