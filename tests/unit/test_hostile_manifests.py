"""Manifests nobody's software would write: every one refused by its code, none an exception of a library."""

from __future__ import annotations

import json
import random
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone

import pytest

from juki.columns import IdentityFile
from juki.errors import ContractError
from juki.manifests import MAX_MANIFEST_BYTES, NoticeManifest, ReceiptManifest
from juki.packages import MAX_RECORDS, PackageVerdict, sha256_hex
from juki.reasons import Code

SECRET = "目印"
GOOD = NoticeManifest(
    municipality_code="352039",
    file=IdentityFile.RESIDENT,
    recipient="350001",
    sequence=17,
    first_notice_no=20412,
    last_notice_no=20413,
    records=2,
    created_at=datetime(2026, 11, 23, 9, tzinfo=timezone(timedelta(hours=9))),
    sha256=sha256_hex(b""),
)
KEYS = ["format", *(field.name for field in fields(NoticeManifest))]
NUMBERS = ["sequence", "first_notice_no", "last_notice_no", "records"]


def refusal(line: bytes) -> Code:
    """Read a line that must be refused; what is said holds nothing of it and hangs on to no other error."""
    with pytest.raises(ContractError) as caught:
        NoticeManifest.parse(line)
    assert SECRET not in repr(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    return caught.value.code


def raw(key: str, value: str) -> bytes:
    """Write the good manifest with one value as the given piece of JSON."""
    pieces = {name: json.dumps(said) for name, said in json.loads(GOOD.line()).items()} | {key: value}
    return ("{" + ",".join(f'"{name}":{said}' for name, said in pieces.items()) + "}\n").encode()


def test_good_manifest_is_read_as_the_attacks_write_it() -> None:
    """The attacks below differ from it in one value only."""
    assert NoticeManifest.parse(raw("sequence", "17")) == GOOD


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "value",
    ["null", "true", "false", "{}", "[]", '{"a":1}', "[1]", '""', f'"{SECRET}"', "-0", "1e3", "-Infinity"],
)
def test_value_of_another_type_is_refused_under_every_key(key: str, value: str) -> None:
    """Objects, lists, booleans, floats and empty texts, wherever they stand."""
    assert refusal(raw(key, value)) is Code.PACKAGE_MANIFEST


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("value", ["9" * 40, "9" * 3900, "-" + "9" * 100, str(2**63), str(10**15 + 1)])
def test_huge_integers_are_refused(key: str, value: str) -> None:
    """Beyond what a bigint holds, and beyond what Python itself converts."""
    assert refusal(raw(key, value)) in (Code.PACKAGE_MANIFEST, Code.PACKAGE_TOO_MANY_RECORDS)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", [r'"\ud800"', r'"\udfff\ud800"', r'"352039\u0000"', r'"352039\n"'])
def test_lone_surrogates_and_control_characters_are_refused(key: str, value: str) -> None:
    """JSON can write what no text is; it must not travel on as if it were one."""
    assert refusal(raw(key, value)) is Code.PACKAGE_MANIFEST


@pytest.mark.parametrize("key", KEYS)
def test_key_written_twice_is_refused(key: str) -> None:
    """Plainly and under an escape: two readers could read two manifests."""
    said = json.dumps(json.loads(GOOD.line())[key])
    for again in (key, f"\\u{ord(key[0]):04x}{key[1:]}"):
        assert refusal(GOOD.line()[:-2] + f',"{again}":{said}}}\n'.encode()) is Code.PACKAGE_MANIFEST


@pytest.mark.parametrize("key", KEYS)
def test_missing_key_is_refused(key: str) -> None:
    """Every key is required."""
    kept = {name: said for name, said in json.loads(GOOD.line()).items() if name != key}
    assert refusal(json.dumps(kept).encode() + b"\n") is Code.PACKAGE_MANIFEST


@pytest.mark.parametrize(
    "added", ["honseki", "Sequence", "sequence ", "", "__class__", "\ud800", "watermark"]
)
def test_unknown_key_is_refused(added: str) -> None:
    """No other key is allowed, not even one of another format."""
    line = json.dumps({**json.loads(GOOD.line()), added: 1}).encode() + b"\n"
    assert refusal(line) is Code.PACKAGE_MANIFEST


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"a":['])
def test_deep_nesting_is_refused_and_does_not_exhaust_the_stack(opening: str) -> None:
    """As deep as 4 KiB allow, closed and left open."""
    closing = {"[": "]", '{"a":': "}", '{"a":[': "]}"}[opening]
    depth = (MAX_MANIFEST_BYTES - 40) // (len(opening) + len(closing))
    for close in (closing * depth, ""):
        line = ('{"format":' + opening * depth + close + "}\n").encode()
        assert len(line) <= MAX_MANIFEST_BYTES
        assert refusal(line) is Code.PACKAGE_MANIFEST


@pytest.mark.parametrize(
    "created_at",
    [
        "0001-01-01T00:00:00+00:00", "0001-01-01T23:59:59+23:59", "9999-12-31T00:00:00-23:59",
        "9999-12-31T23:59:59Z", "9999-12-31T00:00:00Z", "2026-11-23T09:00:00+24:00", "2026-11-23T09:00:00+99:99",
        "2026-11-23T24:00:00Z", "2026-11-23T23:59:60Z", "２０２６-11-23T09:00:00Z", "2026-W48-1T09:00:00Z",
    ],
)  # fmt: skip
def test_instant_nobody_can_show_is_refused(created_at: str) -> None:
    """At the ends of the calendar it would be stored and then break every list that shows it."""
    assert refusal(raw("created_at", json.dumps(created_at))) is Code.PACKAGE_MANIFEST


def test_line_of_the_longest_permitted_length_is_read_and_one_byte_more_is_not() -> None:
    """4 KiB with the LF."""
    padding = MAX_MANIFEST_BYTES - len(GOOD.line())
    assert NoticeManifest.parse(GOOD.line().replace(b"{", b"{" + b" " * padding, 1)) == GOOD
    assert refusal(GOOD.line().replace(b"{", b"{" + b" " * (padding + 1), 1)) is Code.PACKAGE_MANIFEST


def test_one_record_more_than_the_limit_is_refused_by_its_own_name() -> None:
    """100,001: the sender must know that splitting helps."""
    line = json.loads(GOOD.line()) | {"records": MAX_RECORDS + 1, "last_notice_no": 20412 + MAX_RECORDS}
    assert refusal(json.dumps(line).encode() + b"\n") is Code.PACKAGE_TOO_MANY_RECORDS


def test_no_mutation_of_a_manifest_surfaces_uncoded() -> None:
    """Ten thousand lines with bytes replaced, cut or doubled: read as a whole manifest, or refused by code."""
    source, line = random.Random(20261123), GOOD.line()
    codes = set()
    for _ in range(10_000):
        at, length = source.randrange(len(line)), source.randrange(4)
        mutated = line[:at] + source.randbytes(source.randrange(4)) + line[at + length :]
        try:
            NoticeManifest.parse(mutated)
        except ContractError as error:
            codes.add(error.code)
    assert codes == {Code.PACKAGE_MANIFEST}


def test_receipt_manifest_is_held_to_the_same() -> None:
    """A municipality that reads our receipts by this code is no easier to fool."""
    receipt = ReceiptManifest(
        municipality_code="352039", file=IdentityFile.RESIDENT, sender="350001", recipient="352039", sequence=1,
        package_sha256="", verdict=PackageVerdict.REFUSED, code="package.csv", message=Code.PACKAGE_CSV.message,
        records=0, created_at=datetime(2026, 11, 23, tzinfo=UTC), sha256=sha256_hex(b""),
    )  # fmt: skip
    for bad in (b"NaN", b"true", b"[]", b'"\\ud800"', b"1.0", b"{}"):
        with pytest.raises(ContractError):
            ReceiptManifest.parse(receipt.line().replace(b':1,"package', b":" + bad + b',"package'))
