"""The outbox of an office: packages appear in it whole, and each replacement can be told from what it replaces."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from juki.packages import PackageName


@dataclass(slots=True)
class Outbox:
    """The folder from which the prefecture fetches."""

    folder: Path
    _laid_at: dict[PackageName, int] = field(default_factory=dict)

    def lay(self, name: PackageName, data: bytes) -> None:
        """Write under a hidden name and rename, as the specification asks of a CS.

        SFTP tells time in seconds: what replaces a file is dated a second later at least, or it could not be
        told from the file before.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f".{name}.tmp"
        temporary.write_bytes(data)
        laid_at = max(int(time.time()), self._laid_at.get(name, 0) + 1)
        self._laid_at[name] = laid_at
        os.utime(temporary, (laid_at, laid_at))
        temporary.replace(self.folder / str(name))

    def remove(self, name: PackageName) -> None:
        """Take a package away, if it is there."""
        (self.folder / str(name)).unlink(missing_ok=True)
