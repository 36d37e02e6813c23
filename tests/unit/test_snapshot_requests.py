"""Requests for snapshots: one exact form, bound to their name, and nothing personal in them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from juki.columns import IdentityFile
from juki.errors import ContractError
from juki.order import Channel
from juki.packages import PackageKind
from juki.reasons import Code
from juki.snapshot_requests import SnapshotRequest, Wants

_PAGE = Path(__file__).parents[2] / "docs" / "formats" / "snapshot-request.md"
REQUEST = SnapshotRequest(
    municipality_code="352039",
    file=IdentityFile.RESIDENT,
    requester="350001",
    requested_at=datetime(2026, 11, 23, 2, tzinfo=timezone(timedelta(hours=9))),
    wants=Wants.SNAPSHOT,
)
NAME = "352039-resident-snapshot-request.json"


def refusal(name: str, line: bytes) -> Code:
    """Read a request that must be refused; the error hangs on to no other and quotes nothing."""
    with pytest.raises(ContractError) as caught:
        SnapshotRequest.parse(name, line)
    assert (caught.value.ref, caught.value.__context__) == ("", None)
    return caught.value.code


def changed(**values: object) -> bytes:
    """Write the request with some keys set to other values; `...` removes a key."""
    merged = json.loads(REQUEST.line()) | values
    return json.dumps({key: value for key, value in merged.items() if value is not ...}).encode() + b"\n"


def test_request_is_written_as_the_page_shows_it() -> None:
    """A vendor reads exactly this; the example of docs/formats/snapshot-request.md is a real one."""
    assert REQUEST.line().decode() == (
        '{"format":"juki-snapshot-request/1","municipality_code":"352039","file":"resident",'
        '"requester":"350001","requested_at":"2026-11-23T02:00:00+09:00","wants":"snapshot"}\n'
    )
    assert REQUEST.file_name == NAME
    assert REQUEST.line().decode() in _PAGE.read_text("utf-8")


@pytest.mark.parametrize("wants", list(Wants))
@pytest.mark.parametrize("file", list(IdentityFile))
def test_request_reads_back_as_written(file: IdentityFile, wants: Wants) -> None:
    """parse ∘ line is the identity for both files and for what may be wanted."""
    request = SnapshotRequest("352021", file, "350001", REQUEST.requested_at, wants)
    assert SnapshotRequest.parse(request.file_name, request.line()) == request
    assert request.channel == Channel("352021", file)
    assert request.wants.kind is PackageKind(wants.value)


@pytest.mark.parametrize(
    "values",
    [
        {"format": "juki-snapshot/1"},
        {"municipality_code": "35203"},
        {"municipality_code": 352039},
        {"file": "both"},
        {"requester": "３５０００１"},
        {"requester": ...},
        {"requested_at": "2026-11-23"},
        {"requested_at": "2026-11-23T02:00:00"},
        {"requested_at": None},
        {"wants": "notice"},
        {"wants": "SNAPSHOT"},
        {"wants": True},
        {"wants": ...},
        {"resident_code": "x"},
        {"sequence": 1},
    ],
)
def test_request_with_a_wrong_key_or_value_is_refused(values: dict[str, object]) -> None:
    """Every key required, no other allowed: nothing personal can be asked for by it, nor hidden in it."""
    assert refusal(NAME, changed(**values)) is Code.SNAPSHOT_REQUEST_FORM


@pytest.mark.parametrize(
    "line",
    [b"", b"{}\n", b"[]\n", REQUEST.line()[:-1], b" " + REQUEST.line(), REQUEST.line() * 2,
     REQUEST.line()[:-2] + b',"wants":"digest"}\n', b"\xef\xbb\xbf" + REQUEST.line(), b"{" + b" " * 5000 + b"}\n"],
)  # fmt: skip
def test_request_that_is_not_the_one_line_is_refused(line: bytes) -> None:
    """Cut off, doubled, with a key twice, with a BOM, too long."""
    assert refusal(NAME, line) is Code.SNAPSHOT_REQUEST_FORM


@pytest.mark.parametrize(
    "name",
    [
        "352021-resident-snapshot-request.json",
        "352039-fuhyo-snapshot-request.json",
        NAME.upper(),
        f"./{NAME}",
    ],
)
def test_request_under_another_name_is_refused(name: str) -> None:
    """A request copied into another inbox or for the other file is not answered."""
    assert refusal(name, REQUEST.line()) is Code.SNAPSHOT_REQUEST_FORM
