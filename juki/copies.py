"""Copies of what is kept (複製): what may be asked for, what a part is called, and what the manifest says.

Decides:    the columns of an export, the names of its parts, which paths the log may tell, the words of the log.
Leaves:     reading rows and dumping to `juki.store`, sealing and files to `juki.copying`, who may to `juki.gate`.
Invariants: a number stands in an export only where it was asked for; what the log says of a copy holds no value of a
            person; a manifest names every part, how much is in it, and the SHA-256 of the part as it lies there.
Source:     assessment M9, M10, ADR-0038, docs/backup.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from juki.columns import NOTICE_COLUMNS, IdentityFile
from juki.journal import instant_text

FORMAT = "juki-copy/1"
MANIFEST = "manifest.p7m"
UNFINISHED = "UNFINISHED"
"""Lies in the folder from the first byte on, and is taken away when the manifest is there."""

_PLACE = re.compile(r"/[A-Za-z0-9._+-][A-Za-z0-9/._+-]{0,254}")
_LIKE_AN_IDENTIFIER = re.compile(r"[0-9]{11}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_OF_THE_VERSION = ("sender_code", "repair_no", "package_id", "received_on", "expires_on")
_OF_ITS_END = (
    *("superseded_on", "superseded_by_sender_code", "superseded_by_notice_no", "superseded_by_package_id"),
    "was_newest",
)


class Extent(StrEnum):
    """Whether what was superseded is copied as well."""

    CURRENT = "current"
    ALL = "all"


class Kept(StrEnum):
    """The two tables versions are kept in; each makes parts of its own."""

    CURRENT = "current"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a file is exported; without a municipality, what all have said."""

    file: IdentityFile
    extent: Extent = Extent.CURRENT
    municipality_code: str = ""
    with_number: bool = False

    @classmethod
    def whole(cls, file: IdentityFile) -> Wanted:
        """Everything of a file, as a dump of its store holds it."""
        return cls(file, Extent.ALL, with_number=True)

    @property
    def tables(self) -> tuple[Kept, ...]:
        """The tables it is taken from."""
        return (Kept.CURRENT,) if self.extent is Extent.CURRENT else tuple(Kept)

    @property
    def has_number(self) -> bool:
        """Tell whether numbers leave with it; the fuhyo file has none."""
        return self.with_number and self.file is IdentityFile.RESIDENT

    def columns(self, kept: Kept) -> tuple[str, ...]:
        """Name the columns, in the order of `juki.columns`, then what our register adds."""
        left_out = {"previous_individual_number"} | (set() if self.has_number else {"individual_number"})
        carried = tuple(name for name in NOTICE_COLUMNS[self.file] if name not in left_out)
        return (*carried, *_OF_THE_VERSION, *(_OF_ITS_END if kept is Kept.HISTORY else ()))

    def said(self) -> str:
        """Say it as the log does."""
        return f"export={self.extent.value} number={'yes' if self.has_number else 'no'}"


@dataclass(frozen=True, slots=True)
class Part:
    """One sealed file of a copy: how many rows or bytes of a dump are in it, and its digest as it lies there."""

    name: str
    rows: int
    content_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a copy consists of, sealed and signed like its parts and written after them."""

    prefecture_code: str
    what: str
    files: Sequence[IdentityFile]
    municipality_code: str
    begun_at: datetime
    entries: Mapping[IdentityFile, int]
    """The number of the entry in each log that says the copy begins."""
    parts: Sequence[Part]
    rows: Mapping[str, int] = field(default_factory=dict)
    """Rows by `<file>.<table>`, as of the one instant the file was copied at."""

    def to_bytes(self) -> bytes:
        """Write it as JSON with sorted keys."""
        told = {
            "format": FORMAT, "prefecture_code": self.prefecture_code, "what": self.what,
            "files": [file.value for file in self.files], "municipality_code": self.municipality_code,
            "begun_at": instant_text(self.begun_at),
            "entries": {file.value: number for file, number in self.entries.items()},
            "rows": dict(self.rows),
            "parts": [
                {"name": one.name, "rows": one.rows, "bytes": one.content_bytes, "sha256": one.sha256}
                for one in self.parts
            ],
        }  # fmt: skip
        return json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"


def part_name(stem: str, number: int) -> str:
    """Name a part; in order of their names, parts are in order."""
    return f"{stem}-{number:05d}.p7m"


def is_place(path: str) -> bool:
    """Tell whether a path may stand in the log: ASCII, from the root, nothing like a number of a person."""
    return _PLACE.fullmatch(path) is not None and _LIKE_AN_IDENTIFIER.search(path) is None


def normal_fingerprint(text: str) -> str:
    """Read a fingerprint as openssl prints it or as we do; empty when it is none."""
    plain = text.replace(":", "").strip().lower()
    return plain if _FINGERPRINT.fullmatch(plain) else ""


def destination(place: str, fingerprint: str) -> str:
    """Say where a copy goes and whom it is sealed to, as the log does; what may not stand there is left out."""
    to = place if is_place(place) else "-"
    return f"to={to} certificate={normal_fingerprint(fingerprint) or '-'}"
