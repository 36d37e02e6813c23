"""The keys of the holds: one file a provision, outside every database and every backup, gone when the hold ends.

Decides:    how such a key comes to be, and how its file is destroyed: overwritten, cut, taken away, each on disk
            before the next.
Leaves:     what is sealed under a key to `juki.held_copies` and `tasks.bridging`, when it ends to `juki.holds`.
Invariants: a key that was destroyed does not come back; whoever is killed between two steps of destroying does the
            same again. A provision has one key. No key is in a repr, an error or a log. The folder is no part of a
            backup: a copy would outlive the hold.
Source:     design 4, assessment M12, ADR-0028.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from juki.durable import changed_at, overwrite, sync_folder
from juki.errors import ConfigurationError
from juki.keys import KEY_BYTES, read_private, write_private
from juki.numbers import SealingKey
from juki.package_id import PackageId
from juki.reasons import Code

_NAME = re.compile(r"([RF][1-9][0-9]{0,17})\.key|\.([RF][1-9][0-9]{0,17})\.key\.[0-9a-f]+")
"""A key, or what `write_private` leaves of one when it is killed."""


@dataclass(frozen=True, slots=True)
class HoldKeys:
    """The key files of one installation, `<provision>.key`, 0600, in hexadecimal."""

    folder: Path

    def ensure(self, provision: PackageId) -> SealingKey:
        """Return the key of a provision; create it when there is none yet.

        Whether one may be created is for the caller to know, who holds the provision and knows it is not erased.
        """
        if not self._path(provision).exists():
            with suppress(FileExistsError):
                write_private(self._path(provision), secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n")
        return self.key(provision)

    def key(self, provision: PackageId) -> SealingKey:
        """Read a key.

        Raises: ConfigurationError(KEY_MISSING | KEY_PERMISSIONS), also for one that is half destroyed.
        """
        text = read_private(self._path(provision))
        with suppress(ValueError):
            key = bytes.fromhex(text.decode("ascii", "replace"))
            if len(key) == KEY_BYTES and any(key):
                return SealingKey(f"hold-{provision}", key)
        raise ConfigurationError(Code.KEY_MISSING, f"hold-{provision}")

    def exists(self, provision: PackageId) -> bool:
        """Tell whether there is a file of a key, whatever is in it."""
        return self._path(provision).exists() or bool(self._parts(provision))

    def destroy(self, provision: PackageId) -> bool:
        """Destroy a key: overwrite, cut, take away, sync the folder; False when there was none.

        What a killed process left of making it is destroyed as well.
        """
        found = [path for path in (self._path(provision), *self._parts(provision)) if path.exists()]
        for path in found:
            overwrite(path)
            path.unlink()
        sync_folder(self.folder)
        return bool(found)

    def changed_at(self, provision: PackageId) -> datetime | None:
        """Tell when the key of a provision was made; None when there is none."""
        return changed_at((self._path(provision), *self._parts(provision)))

    def listed(self) -> list[PackageId]:
        """List the provisions that have a key file; other files of the folder are nobody's business here."""
        names = [_NAME.fullmatch(path.name) for path in self.folder.iterdir()]
        return sorted({PackageId.parse(match[1] or match[2]) for match in names if match})

    def _path(self, provision: PackageId) -> Path:
        return self.folder / f"{provision}.key"

    def _parts(self, provision: PackageId) -> list[Path]:
        """List what `write_private` leaves when it is killed: hidden, with a random ending."""
        return list(self.folder.glob(f".{provision}.key.*"))
