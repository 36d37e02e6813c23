"""Where the parts of snapshots lie: a folder of their own in the spool of their channel, apart from its packages.

Decides:    how a part is kept so that a run that was killed finds again what it had, and when it came; that a part
            sent again lies beside the one before, so that two contents of one part are seen.
Leaves:     the transfer to `juki.wire.sftp`, which parts are of use to `juki.snapshots`, when they are cleared to
            the caller. One run at a time works a folder: the caller holds the channel.
Invariants: no more lies here than the quota, but for one broken transfer; a part is read only if it is the one that
            was admitted; what lies here is sealed as it came. The intake never looks into this folder.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from juki.durable import sync_folder
from juki.home import Home
from juki.order import Channel
from juki.packages import PackageName
from juki.quota import cost_bytes, held_bytes
from juki.wire.package_files import PackageFiles
from juki.wire.sftp import ServerSession
from juki.wire.spool import RemoteFile

_NAME = re.compile(r"([0-9a-z-]+\.p7m)\.([0-9]{1,15})\.([0-9]{1,12})")
"""Package name, size and time of the remote file, by which one version of a part is told from the next."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part that lies here whole: what it was at the CS, when it came, and the SHA-256 of the sealed file."""

    remote: RemoteFile
    received_at: datetime
    sha256: bytes

    @property
    def name(self) -> PackageName:
        """The name of its package."""
        return self.remote.name


@dataclass(frozen=True, slots=True)
class SnapshotFiles:
    """The parts of one channel that are here."""

    folder: Path

    @classmethod
    def of(cls, home: Home, channel: Channel) -> SnapshotFiles:
        """Name the folder of a channel."""
        return cls(home.spool / str(channel) / "snapshot")

    @property
    def arriving(self) -> Path:
        """Where a part lies while it is being fetched."""
        return self._transfers.arriving

    def held_bytes(self) -> int:
        """Measure what lies here."""
        return held_bytes(path.stat().st_size for path in self._whole())

    def has_room(self, remote: RemoteFile, quota_bytes: int) -> bool:
        """Tell whether a part fits; one that does not stays at the CS (`channel.spool_quota`)."""
        return self.held_bytes() + cost_bytes(remote.size) <= quota_bytes

    def has(self, remote: RemoteFile) -> bool:
        """Tell whether exactly this version of a part is here and need not be fetched again."""
        return self._path(remote).exists()

    def fetch(self, session: ServerSession, remote: RemoteFile) -> None:
        """Bring a part over the line, going on where an earlier attempt broke off; errors are the session's."""
        self._transfers.continue_with(remote)
        session.fetch(remote, self.arriving)

    def admit(self, remote: RemoteFile, received_at: datetime) -> StoredPart:
        """Give a part that arrived whole its place, in one step, with the instant at which it came."""
        arrived = self.arriving / str(remote.name)
        at = (received_at - _EPOCH) // _MICROSECOND * 1000
        os.utime(arrived, ns=(at, at))
        arrived.replace(self._path(remote))
        sync_folder(self.folder)
        return _stored(self._path(remote), remote)

    def stored(self) -> list[StoredPart]:
        """List the parts that are here by name, the earliest version first; every file is read once for it."""
        found = [(path, remote) for path in self._whole() if (remote := _remote(path)) is not None]
        parts = [_stored(path, remote) for path, remote in found]
        return sorted(parts, key=lambda part: (part.name, part.received_at, part.remote.modified_at))

    def read(self, name: PackageName, sha256: bytes) -> bytes | None:
        """Read the part of this name and content; None when it is not here or another file lies in its place."""
        for path in self.folder.glob(f"{name}.*"):
            content = path.read_bytes()
            if hashlib.sha256(content).digest() == sha256:
                return content
        return None

    def drop(self, part: StoredPart) -> None:
        """Give a part up, as if it had never come."""
        self._path(part.remote).unlink(missing_ok=True)

    def quarantine(self, part: StoredPart, channel: PackageFiles) -> None:
        """Keep an infected part among the refused packages of its channel; it stays here until all is cleared.

        Raises: StoreError(SPOOL_FULL) when the disk refuses.
        """
        channel.keep(self._path(part.remote), f"part-{part.sha256.hex()[:16]}-{part.name}")

    def clear(self, keep: Collection[StoredPart] = ()) -> None:
        """Remove all parts but those to keep, and what a broken transfer left."""
        kept = {self._path(part.remote) for part in keep}
        for path in list(self._whole()):
            if path not in kept:
                path.unlink(missing_ok=True)
        self._transfers.continue_with(None)

    @property
    def _transfers(self) -> PackageFiles:
        return PackageFiles(self.folder, self.folder)

    def _whole(self) -> Iterator[Path]:
        return self.folder.glob("*.p7m.*")

    def _path(self, remote: RemoteFile) -> Path:
        return self.folder / f"{remote.name}.{remote.size}.{int(remote.modified_at.timestamp())}"


def _remote(path: Path) -> RemoteFile | None:
    """Read what a file was at the CS from the name it bears here."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    modified_at = datetime.fromtimestamp(int(match[3]), UTC)
    return RemoteFile(PackageName.parse(match[1]), int(match[2]), modified_at)


def _stored(path: Path, remote: RemoteFile) -> StoredPart:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return StoredPart(remote, _EPOCH + path.stat().st_mtime_ns // 1000 * _MICROSECOND, digest)
