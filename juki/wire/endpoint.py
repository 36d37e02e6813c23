"""One municipal CS as the configuration registers it, and how long and how much we bear from it.

Decides:    the defaults of the technical limits, which failures are transient, and the code of each.
Leaves:     the connection to `juki.wire.sftp`.
Invariants: no text of a library reaches an error: host names, accounts and paths stay out of logs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from juki.errors import ConfigurationError, SourceError
from juki.packages import MAX_FILE_BYTES
from juki.reasons import Code

LIBRARY_ERRORS = (OSError, EOFError, ValueError, asyncssh.Error)
"""Whatever a connection can end with; TimeoutError is an OSError."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait: for the connection with login, for any one answer, for one whole transfer or listing."""

    connect_seconds: float = 15.0
    answer_seconds: float = 30.0
    transfer_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a transient failure is tried again, and the pauses between: first × factor^n, at most longest."""

    attempts: int = 4
    first_seconds: float = 1.0
    factor: float = 3.0
    longest_seconds: float = 30.0

    def pause_seconds(self, attempt: int) -> float:
        """Seconds to wait after the given failed attempt, counted from 1."""
        return min(self.first_seconds * self.factor ** (attempt - 1), self.longest_seconds)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a CS, broken or hostile, can at most make us hold.

    Names in one folder, bytes of one file, bytes fetched in one session, and bytes left free on the disk.
    """

    folder_names: int = 20_000
    file_bytes: int = MAX_FILE_BYTES
    session_bytes: int = 4 * 1024**3
    disk_reserve_bytes: int = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a municipality's CS is, how it proves itself, and how we log in.

    `host_key` is the pinned public key as OpenSSH writes it (`ssh-ed25519 AAAA…`); `client_key` the file of our
    private key, or the key itself.
    """

    municipality_code: str
    host: str
    port: int
    account: str
    host_key: str
    client_key: Path | asyncssh.SSHKey = field(repr=False)
    timeouts: Timeouts = Timeouts()
    retry: Retry = Retry()
    bounds: Bounds = Bounds()

    def pinned_key(self) -> asyncssh.SSHKey:
        """Read the registered host key; ConfigurationError(CONFIG_INVALID) when it is not one."""
        try:
            return asyncssh.import_public_key(self.host_key)
        except (asyncssh.KeyImportError, ValueError):
            pass
        raise ConfigurationError(Code.CONFIG_INVALID, f"{self.municipality_code} host_key")

    def login_key(self) -> asyncssh.SSHKey:
        """Read our private key; ConfigurationError(KEY_MISSING) when it can not be read."""
        if isinstance(self.client_key, asyncssh.SSHKey):
            return self.client_key
        try:
            return asyncssh.read_private_key(self.client_key)
        except (asyncssh.KeyImportError, OSError, ValueError):
            pass
        raise ConfigurationError(Code.KEY_MISSING, f"{self.municipality_code} client_key")


def refusal_of(error: Exception, municipality_code: str) -> SourceError:
    """Name a failure of the connection by its code; only a connection that is lost or late is transient."""
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return SourceError(Code.CHANNEL_HOST_KEY, municipality_code)
    if isinstance(error, asyncssh.PermissionDenied | asyncssh.IllegalUserName):
        return SourceError(Code.CHANNEL_LOGIN, municipality_code)
    if isinstance(error, _TRANSIENT):
        return SourceError(Code.CHANNEL_UNREACHABLE, municipality_code, is_transient=True)
    return SourceError(Code.CHANNEL_PROTOCOL, municipality_code)


_TRANSIENT = (
    OSError,
    EOFError,
    asyncssh.ConnectionLost,
    asyncssh.ServiceNotAvailable,
    asyncssh.ChannelOpenError,
    asyncssh.SFTPConnectionLost,
    asyncssh.SFTPNoConnection,
)
