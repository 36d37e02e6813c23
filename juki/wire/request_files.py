"""Where requests lie: each sealed as it came, by the number of the provision that answers it; refused ones aside.

Decides:    that a request is on disk before its registration commits, and that a file once dealt with is known again.
Leaves:     what is registered to `juki.store.provisions`, the folders of recipients to `juki.wire.folders`.
Invariants: nothing lies here in clear. A mark is set after the commit it stands for: whoever is killed before deals
            with the file again, which changes nothing. What was written for a registration that died is swept.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from juki.durable import overwrite, sync_folder
from juki.errors import JukiError
from juki.home import Home
from juki.package_id import PackageId
from juki.reasons import Code
from juki.wire.refused_files import RefusedFiles, RefusedKind
from juki.wire.spool import disk_refusals

_SEALED = ".p7m"


@dataclass(frozen=True, slots=True)
class RequestFiles:
    """The requests of one installation."""

    home: Home

    def keep(self, provision: PackageId, sealed: bytes) -> None:
        """Keep the request of a provision.

        Raises: StoreError(SPOOL_FULL) when the disk refuses.
        """
        write_whole(self._path(provision), sealed)

    def read(self, provision: PackageId) -> bytes:
        """Read the request of a provision.

        Raises: JukiError(REQUEST_LOST) when it is not there.
        """
        try:
            return self._path(provision).read_bytes()
        except OSError:
            pass
        raise JukiError(Code.REQUEST_LOST, str(provision))

    def remove(self, provision: PackageId) -> None:
        """Overwrite and remove the request of a provision, and what a killed process left of it; gone is gone.

        Raises: OSError when the disk refuses.
        """
        path = self._path(provision)
        for one in (path, _part(path)):
            if one.exists():
                overwrite(one)
                one.unlink()
        sync_folder(self.home.requests)

    def sweep(self, registered: Collection[PackageId], letter: str) -> None:
        """Take away what is kept of provisions of one store that were never registered."""
        names = {f"{provision}{_SEALED}" for provision in registered}
        for path in self.home.requests.glob(f"{letter}*{_SEALED}"):
            if path.name not in names:
                path.unlink(missing_ok=True)

    def is_settled(self, recipient: str, sha256: str) -> bool:
        """Tell whether a file was dealt with, which goes on lying in the folder of its recipient."""
        return self._mark(recipient, sha256).exists()

    def settle(self, recipient: str, sha256: str) -> None:
        """Note that a file was dealt with."""
        write_whole(self._mark(recipient, sha256), b"")

    def quarantine(self, recipient: str, name: str, sha256: str, code: Code, sealed: bytes) -> None:
        """Keep a refused file as it came; its name says of what kind it was, and why it was refused."""
        folder = RefusedFiles(self.home).folder(RefusedKind.REQUESTS, recipient)
        write_whole(folder / f"{sha256[:16]}-{code.value}-{name}", sealed)

    def _path(self, provision: PackageId) -> Path:
        return self.home.requests / f"{provision}{_SEALED}"

    def _mark(self, recipient: str, sha256: str) -> Path:
        return self.home.requests / "settled" / recipient / sha256


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole, for its owner only, making its folder.

    Raises: StoreError(SPOOL_FULL) when the disk refuses.
    """
    with disk_refusals(path.parent.name):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = _part(path)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
