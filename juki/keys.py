"""Where the keys of the stores come from: a small protocol, and key files as its default.

Decides:    what keys there are, what they are called, and that a key file is the owner's alone.
Leaves:     what is done with a key to `juki.numbers`, `juki.journal` and the stores.
Invariants: the keys of the two stores differ; a key is never overwritten and never created in place of a lost
            one; no key material is in a repr, an error or a log (design 4, ADR-0004).
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from juki.columns import IdentityFile
from juki.durable import sync_folder
from juki.errors import ConfigurationError
from juki.reasons import Code

KEY_BYTES = 32
_KEY_ID = re.compile(r"[a-z]+-[a-z]+-[1-9][0-9]*")
_OPEN_TO_OTHERS = 0o077


class Purpose(StrEnum):
    """What one key is for; a key is never used for two purposes."""

    NUMBER = "number"
    """Encryption of 個人番号 (AES-256-GCM)."""
    INDEX = "index"
    """Equality lookup of 個人番号 (HMAC-SHA-256)."""
    DIGEST = "digest"
    """Digest of a record for reconciliation (keyed BLAKE2b)."""
    SUBJECT = "subject"
    """Sealed subject of a journal entry (AES-256-GCM)."""
    QUARANTINE = "quarantine"
    """Encryption of rejected records (AES-256-GCM)."""


class KeyProvider(Protocol):
    """Whoever keeps the keys: files here, a hardware module or a vault elsewhere."""

    def key(self, key_id: str) -> bytes:
        """Return the 32 bytes of a key, also of one no longer active.

        Raises: ConfigurationError(KEY_MISSING | KEY_PERMISSIONS).
        """

    def active(self, file: IdentityFile, purpose: Purpose) -> str:
        """Name the key to use now, such as `resident-number-1`.

        Raises: ConfigurationError(KEY_MISSING).
        """


@dataclass(frozen=True, slots=True)
class FileKeys:
    """Keys in files of mode 0600, one key a file, `<key id>.key`, in hexadecimal."""

    folder: Path

    def key(self, key_id: str) -> bytes:
        """Read a key; see `KeyProvider.key`."""
        if _KEY_ID.fullmatch(key_id) is None:
            raise ConfigurationError(Code.KEY_MISSING)
        text = read_private(self.folder / f"{key_id}.key")
        with suppress(ValueError):
            key = bytes.fromhex(text.decode("ascii", "replace"))
            if len(key) == KEY_BYTES:
                return key
        raise ConfigurationError(Code.KEY_MISSING, key_id)

    def has(self, key_id: str) -> bool:
        """Tell whether there is a file for a key, whatever is in it."""
        return (self.folder / f"{key_id}.key").exists()

    def active(self, file: IdentityFile, purpose: Purpose) -> str:
        """Name the newest generation; see `KeyProvider.active`."""
        generations = self._generations(file, purpose)
        if not generations:
            raise ConfigurationError(Code.KEY_MISSING, f"{file}-{purpose}")
        return f"{file}-{purpose}-{max(generations)}"

    def missing(self) -> list[tuple[IdentityFile, Purpose]]:
        """List the stores and purposes for which there is no key at all."""
        return [(file, use) for file in IdentityFile for use in Purpose if not self._generations(file, use)]

    def create(self, file: IdentityFile, purpose: Purpose) -> str:
        """Create the next generation of a key, which becomes the active one, and name it."""
        generation = max(self._generations(file, purpose), default=0) + 1
        key_id = f"{file}-{purpose}-{generation}"
        write_private(self.folder / f"{key_id}.key", secrets.token_bytes(KEY_BYTES).hex().encode() + b"\n")
        return key_id

    def _generations(self, file: IdentityFile, purpose: Purpose) -> list[int]:
        names = [path.stem for path in self.folder.glob(f"{file}-{purpose}-*.key")]
        return [int(name.rsplit("-", 1)[1]) for name in names if _KEY_ID.fullmatch(name)]


def read_private(path: Path) -> bytes:
    """Read a file only its owner may read.

    Raises: ConfigurationError(KEY_MISSING | KEY_PERMISSIONS) naming the file.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OPEN_TO_OTHERS:
                raise ConfigurationError(Code.KEY_PERMISSIONS, path.name)
            return file.read()
    except OSError:
        raise ConfigurationError(Code.KEY_MISSING, path.name) from None


def write_private(path: Path, content: bytes) -> None:
    """Create a file of mode 0600, whole or not at all, on the disk when this returns.

    Raises: FileExistsError, because a key that is replaced is a key that is lost.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: it fails where a rename would replace.
        path.hardlink_to(aside)
    finally:
        aside.unlink()
    sync_folder(path.parent)
