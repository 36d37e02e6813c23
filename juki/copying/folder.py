"""The folder a copy is written into: new or empty, outside everything others look into, and nothing in it in clear.

Decides:    when a folder may be used, what lies in it until a copy is complete, what is removed of one that is not.
Leaves:     which folders are closed to copies to `config.copy_places`, the envelope to `juki.wire.envelope`.
Invariants: folders 0700, files 0600, none replaced and no link followed; the manifest is the last file, and while
            there is none `UNFINISHED` is there; a parent folder is never made: a medium that is not mounted must not
            look like an empty one. Each part is on the disk before the next begins.
Source:     assessment M9, M10, ADR-0038.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from juki.copies import MANIFEST, UNFINISHED, Manifest, Part, is_place, part_name
from juki.durable import sync_folder
from juki.errors import JukiError, StoreError
from juki.reasons import Code
from juki.wire.envelope import SigningIdentity, seal_envelope

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CLOSED, _PRIVATE = 0o700, 0o600
_TEXT = "この写しは完成していません。manifest.p7m がないものは使わないでください。 / incomplete, do not use\n"


def checked_place(path: Path, closed: Sequence[Path]) -> Path:
    """Return where a copy may be put: the very path that was approved, from the root and by no link.

    Raises: JukiError(COPY_FOLDER) when it leads elsewhere, may not stand in the log, is a file or not empty, its
            parent is not there, or it lies in, or holds, a closed folder.
    """
    place = path.resolve()
    overlaps = any(place.is_relative_to(one) or one.is_relative_to(place) for one in closed)
    if place != path or overlaps or not is_place(str(place)) or not _is_free(place):
        raise JukiError(Code.COPY_FOLDER, "--to")
    return place


def _is_free(place: Path) -> bool:
    try:
        if place.exists():
            return place.is_dir() and not any(place.iterdir())
        return place.parent.is_dir()
    except OSError:
        return False


@dataclass(slots=True)
class CopyFolder:
    """A copy being written: every part is signed by us and sealed to one certificate."""

    place: Path
    signer: SigningIdentity
    certificate: x509.Certificate
    parts: list[Part] = field(default_factory=list)
    is_new: bool = False
    _names: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Make the folder, and say in it that the copy is not complete.

        Raises: StoreError(COPY_NOT_WRITTEN).
        """
        with _disk():
            self.is_new = not self.place.exists()
            if self.is_new:
                self.place.mkdir(mode=_CLOSED)
            self.place.chmod(_CLOSED)
            self._write(UNFINISHED, _TEXT.encode())

    def add(self, stem: str, content: bytes, rows: int = 0) -> None:
        """Seal a part and write it.

        Raises: StoreError(COPY_NOT_WRITTEN).
        """
        number = sum(one.name.rpartition("-")[0] == stem for one in self.parts) + 1
        name, sealed = part_name(stem, number), self._sealed(content)
        with _disk():
            self._write(name, sealed)
        self.parts.append(Part(name, rows, len(content), hashlib.sha256(sealed).hexdigest()))

    def complete(self, manifest: Manifest) -> None:
        """Write the manifest: from here on it is a copy.

        Raises: StoreError(COPY_NOT_WRITTEN).
        """
        with _disk():
            self._write(MANIFEST, self._sealed(manifest.to_bytes()))
            (self.place / UNFINISHED).unlink()
            sync_folder(self.place)

    def discard(self) -> None:
        """Remove what was written, as far as the disk lets us; what stays is sealed and says that it is no copy."""
        for name in reversed(self._names):
            with suppress(OSError):
                (self.place / name).unlink(missing_ok=True)
        with suppress(OSError):
            if self.is_new:
                self.place.rmdir()

    def _sealed(self, content: bytes) -> bytes:
        return seal_envelope(content, signer=self.signer, recipient_certificate=self.certificate)

    def _write(self, name: str, content: bytes) -> None:
        with os.fdopen(os.open(self.place / name, _CREATE, _PRIVATE), "wb") as file:
            self._names.append(name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.place)


@contextmanager
def _disk() -> Iterator[None]:
    """Turn a refusal of the disk into our own error; paths stay out of it."""
    try:
        yield
    except OSError:
        pass
    else:
        return
    raise StoreError(Code.COPY_NOT_WRITTEN)
