"""Marks no text holds by chance, and the search for them in anything, however it is written or packed.

Decides:    in which writings a value is looked for, and what is unpacked on the way.
Invariants: every writing is shown to be found by a test of its own; a mark that is not found anywhere proves
            something only because of that.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

_DEPTH = 4
_HEX = re.compile(rb"(?:\\x)?((?:[0-9a-fA-F]{2}){12,})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@lru_cache(maxsize=256)
def writings(mark: str) -> Mapping[str, bytes]:
    """Every way a value could have been written down, by the name of the way."""
    plain = mark.encode()
    escaped = json.dumps(mark)[1:-1]
    found = {
        "plain": plain,
        "utf-16-le": mark.encode("utf-16-le"),
        "utf-16-be": mark.encode("utf-16-be"),
        "cp932": mark.encode("cp932", "ignore"),
        "json": escaped.encode(),
        "json upper": re.sub(r"\\u([0-9a-f]{4})", lambda m: "\\u" + m[1].upper(), escaped).encode(),
        "json twice": json.dumps(escaped)[1:-1].encode(),
        "python bytes": repr(plain)[2:-1].encode(),
        "url": quote(mark, safe="").encode(),
        "url lower": quote(mark, safe="").lower().encode(),
        "entities": "".join(f"&#{ord(character)};" for character in mark).encode(),
        "hex": plain.hex().encode(),
        "hex upper": plain.hex().upper().encode(),
        "hex of utf-16": mark.encode("utf-16-le").hex().encode(),
        "full width": mark.translate(_FULL_WIDTH).encode(),
        "without spaces": mark.replace("\u3000", "").encode(),
    }
    for offset in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64 url", base64.urlsafe_b64encode)):
            # The first and last characters also depend on what stands beside the value.
            whole, bits = encode(b"x" * offset + plain), 8 * (offset + len(plain))
            found[f"{name} at {offset}"] = whole[-(-offset * 4 // 3) : bits // 6]
    return found


def unpacked(data: bytes, depth: int = _DEPTH) -> Iterator[bytes]:
    """Give the data itself and everything packed in it: gzip, zlib, zip, hexadecimal and base64, nested."""
    yield data
    if depth:
        for inner in _inner(data):
            if inner and inner != data:
                yield from unpacked(inner, depth - 1)


def found_in(data: bytes, marks: Mapping[str, str]) -> set[str]:
    """Tell which marks are in the data and how they are written, as `name: writing`."""
    return {
        f"{name}: {way}"
        for piece in unpacked(data)
        for name, mark in marks.items()
        for way, written in writings(mark).items()
        if written in piece
    }


def found_in_files(folder: Path, marks: Mapping[str, str]) -> set[str]:
    """Search every file below a folder, and its name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        f"{path.name}: {hit}"
        for path in files
        for hit in found_in(path.read_bytes(), marks) | found_in(str(path).encode(), marks)
    }


def _inner(data: bytes) -> Iterator[bytes]:
    if data[:2] == b"\x1f\x8b":
        yield _or_nothing(gzip.decompress, data)
    if data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    for start in _ZLIB.finditer(data):
        yield _or_nothing(zlib.decompressobj().decompress, data[start.start() :])
    for match in _HEX.finditer(data):
        yield binascii.unhexlify(match[1])
    for match in _BASE64.finditer(data):
        text = match[0].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        yield _or_nothing(base64.b64decode, text + b"=" * (-len(text) % 4))


def _or_nothing(unpack: object, data: bytes) -> bytes:
    assert callable(unpack)
    try:
        return bytes(unpack(data))
    except (OSError, EOFError, zlib.error, binascii.Error, ValueError):
        return b""
