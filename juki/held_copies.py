"""The sealed packages of provisions, kept for a re-send: encrypted once more under the key of their hold.

Decides:    where a copy lies, and that it is whole and on disk before it counts as kept.
Leaves:     the key to `juki.hold_keys`, the end of the hold to `juki.holds`.
Invariants: what is kept is byte for byte what was sealed. Without the key of the hold nothing of it can be read,
            wherever a remnant of the file lies: so destroying the key erases it.
Source:     assessment M12, ADR-0028.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from juki.durable import changed_at, sync_folder
from juki.errors import StoreError
from juki.home import Home
from juki.numbers import SealingKey, seal, unseal
from juki.package_id import PackageId
from juki.reasons import Code

_NAME = re.compile(r"([RF][1-9][0-9]{0,17})\.held|\.([RF][1-9][0-9]{0,17})\.held\.part")
"""A copy, or the part of one; other files of the folder are nobody's business here."""


@dataclass(frozen=True, slots=True)
class HeldCopies:
    """The kept copies of one installation, `<provision>.held`."""

    home: Home

    def keep(self, provision: PackageId, key: SealingKey, sealed: bytes) -> None:
        """Keep a sealed package, in place of what was kept of this provision before.

        Raises: StoreError(SPOOL_FULL) when the disk refuses.
        """
        (content,) = seal([sealed], [_binding(provision)], key)
        try:
            _written(self._path(provision), content)
        except OSError:
            pass
        else:
            return
        raise StoreError(Code.SPOOL_FULL, str(provision))

    def read(self, provision: PackageId, key: SealingKey) -> bytes:
        """Read a kept package.

        Raises: StoreError(HOLD_COPY_LOST) when it is not there, StoreError(CIPHER_ALTERED) when it does not open.
        """
        try:
            content = self._path(provision).read_bytes()
        except OSError:
            content = b""
        if not content:
            raise StoreError(Code.HOLD_COPY_LOST, str(provision))
        return unseal(content, _binding(provision), key)

    def exists(self, provision: PackageId) -> bool:
        """Tell whether anything is kept of a provision, a part of a killed process included."""
        return self._path(provision).exists() or self._part(provision).exists()

    def remove(self, provision: PackageId) -> bool:
        """Take a copy away, and what a killed process left of one; False when there was none."""
        found = [path for path in (self._path(provision), self._part(provision)) if path.exists()]
        for path in found:
            path.unlink(missing_ok=True)
        sync_folder(self.home.provisions)
        return bool(found)

    def changed_at(self, provision: PackageId) -> datetime | None:
        """Tell when a copy was last kept of a provision; None when there is none."""
        return changed_at((self._path(provision), self._part(provision)))

    def listed(self) -> list[PackageId]:
        """List the provisions of which something is kept."""
        names = [_NAME.fullmatch(path.name) for path in self.home.provisions.iterdir()]
        return sorted({PackageId.parse(match[1] or match[2]) for match in names if match})

    def _path(self, provision: PackageId) -> Path:
        return self.home.provisions / f"{provision}.held"

    def _part(self, provision: PackageId) -> Path:
        return self.home.provisions / f".{provision}.held.part"


def _binding(provision: PackageId) -> bytes:
    return f"held-copy|{provision}".encode()


def _written(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)
