"""The search for marks finds them however they are written or packed; else the canary could not sing."""

from __future__ import annotations

import base64
import gzip
import io
import json
import pickle
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.canary import found_in, found_in_files

NAME, NUMBER = "鶸野　囀子", "987654321016"
MARKS = {"name": NAME, "number": NUMBER}
TEXT = f"before {NAME} and {NUMBER} after"


def _zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", data)
    return buffer.getvalue()


WRITTEN: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "json": lambda text: json.dumps(text).encode(),
    "json in json": lambda text: json.dumps(json.dumps({"a": text})).encode(),
    "json in capitals": lambda text: json.dumps(text).upper().replace("\\U", "\\u").encode(),
    "repr of bytes": lambda text: repr(text.encode()).encode(),
    "url": lambda text: quote(text).encode(),
    "url of the value alone": lambda text: quote(text, safe="").lower().encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "hex in capitals": lambda text: text.encode().hex().upper().encode(),
    "bytea": lambda text: b"(1,\\x" + text.encode().hex().encode() + b",2)",
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 one off": lambda text: base64.b64encode(b"1" + text.encode()),
    "base64 two off": lambda text: base64.b64encode(b"12" + text.encode()),
    "base64 for urls": lambda text: base64.urlsafe_b64encode(text.encode()),
    "pickle": lambda text: pickle.dumps(ValueError(text)),
    "pickle in base64": lambda text: base64.b64encode(pickle.dumps({"error": text})),
    "gzip": lambda text: gzip.compress(text.encode()),
    "zlib": lambda text: zlib.compress(text.encode()),
    "zlib among other bytes": lambda text: b"\x80\x04header" + zlib.compress(text.encode()) + b"tail",
    "zlib in bytea": lambda text: b"\\x" + zlib.compress(text.encode()).hex().encode(),
    "zip": lambda text: _zipped(text.encode()),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_search_finds_every_mark_however_it_is_written(way: str) -> None:
    """Text in a sentence, as it would stand in a message."""
    names = {hit.split(":")[0] for hit in found_in(WRITTEN[way](TEXT), MARKS)}
    assert names == set(MARKS)


def test_search_finds_nothing_in_what_holds_no_mark() -> None:
    """Neighbouring values, other people, and noise: a search that always finds is as blind as one that never."""
    for harmless in (TEXT.replace(NAME, "鶸野　囁子").replace(NUMBER, "987654221016"), "", "9876543210"):
        for write in WRITTEN.values():
            assert found_in(write(harmless), MARKS) == set()


def test_search_looks_into_files_and_at_their_names(tmp_path: Path) -> None:
    """A folder below a folder."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / NUMBER).write_bytes(b"nothing")
    (inner / "packed").write_bytes(gzip.compress(NAME.encode()))
    hits = found_in_files(tmp_path, MARKS)
    assert {hit.split(": ")[0] for hit in hits} == {NUMBER, "packed"}
