"""Names, manifests and the binding of packages: what is refused, and that reading and writing agree."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from juki.columns import IdentityFile
from juki.errors import ContractError, JukiError, SourceError
from juki.packages import (
    MAX_CONTENT_BYTES,
    MAX_RECORDS,
    NoticeManifest,
    PackageKind,
    PackageName,
    PackageVerdict,
    ReceiptManifest,
    check_binding,
    check_count,
    check_name,
    check_notice_numbers,
    read_notice_package,
    read_receipt_package,
    sha256_hex,
    split_content,
    write_content,
)
from juki.reasons import Code

NAME = PackageName("352039", IdentityFile.RESIDENT, PackageKind.NOTICE, 17)
CSV = b"notice_no\n20412\n20413\n"
JST = timezone(timedelta(hours=9))
MANIFEST = NoticeManifest(
    municipality_code="352039",
    file=IdentityFile.RESIDENT,
    recipient="350001",
    sequence=17,
    first_notice_no=20412,
    last_notice_no=20413,
    records=2,
    created_at=datetime(2026, 11, 23, 9, tzinfo=JST),
    sha256=sha256_hex(CSV),
)
RECEIPT = ReceiptManifest(
    municipality_code="352039",
    file=IdentityFile.FUHYO,
    sender="350001",
    recipient="352039",
    sequence=17,
    package_sha256="",
    verdict=PackageVerdict.REFUSED,
    code=Code.PACKAGE_ALTERED.value,
    message=Code.PACKAGE_ALTERED.message,
    records=0,
    created_at=datetime(2026, 11, 23, 0, tzinfo=UTC),
    sha256=sha256_hex(b""),
)


def code_of(call: object, *arguments: object) -> Code:
    """Call and return the code it refuses with."""
    assert callable(call)
    with pytest.raises(JukiError) as caught:
        call(*arguments)
    return caught.value.code


def changed(**values: object) -> bytes:
    """Write the manifest with some keys set to other values; `...` removes a key."""
    merged = json.loads(MANIFEST.line()) | values
    kept = {key: value for key, value in merged.items() if value is not ...}
    return json.dumps(kept, ensure_ascii=False).encode() + b"\n"


def test_name_reads_back_as_written() -> None:
    """The form of the specification is both what we print and what we read."""
    assert str(NAME) == "352039-resident-notice-00000017.p7m"
    assert PackageName.parse(str(NAME)) == NAME


def test_names_sort_in_the_order_of_their_channel() -> None:
    """A listing sorted by name is in the order of the sequence."""
    names = [replace(NAME, sequence=number) for number in (10, 2, 99_999_999, 1)]
    assert [name.sequence for name in sorted(names)] == [1, 2, 10, 99_999_999]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "352039-resident-notice-00000017.P7M",
        "352039-resident-notice-00000017.p7m\n",
        "352039-resident-notice-0000017.p7m",
        "352039-resident-notice-00000000.p7m",
        "３５２０３９-resident-notice-00000017.p7m",
        "352039-resident-notice-0000001７.p7m",
        "352039-Resident-notice-00000017.p7m",
        "352039-resident-letter-00000017.p7m",
        "../352039-resident-notice-00000017.p7m",
        "352039-resident-notice-00000017.p7m.tmp",
        "35203-resident-notice-00000017.p7m",
        "352039-resident-notice--0000017.p7m",
    ],
)
def test_other_file_names_are_refused(text: str) -> None:
    """Nothing but the exact form is a package: no path, no full-width digit, no zero."""
    with pytest.raises(SourceError) as caught:
        PackageName.parse(text)
    assert caught.value.code is Code.PACKAGE_FILE_NAME
    assert text == "" or text not in str(caught.value)


def test_manifest_reads_back_as_written() -> None:
    """parse ∘ line is the identity, offset of the instant included."""
    assert NoticeManifest.parse(MANIFEST.line()) == MANIFEST
    assert NoticeManifest.parse(MANIFEST.line()).created_at.utcoffset() == timedelta(hours=9)
    assert ReceiptManifest.parse(RECEIPT.line()) == RECEIPT


def test_manifest_of_the_specification_is_read() -> None:
    """The example of spec/packages.md section 2, order of keys and spaces as a vendor may write them."""
    line = (
        b'{"sha256": "%s", "format":"juki-notice/1","municipality_code":"352039","file":"resident",'
        b'"recipient":"350001","sequence":17,"first_notice_no":20412,"last_notice_no":20415,"records":4,'
        b'"created_at":"2026-11-23T09:00:00+09:00"}\n' % (b"0" * 64)
    )
    assert NoticeManifest.parse(line).records == 4


@pytest.mark.parametrize(
    "values",
    [
        {"format": "juki-notice/2"},
        {"format": ["juki-notice/1"]},
        {"municipality_code": "35203"},
        {"municipality_code": "３５２０３９"},
        {"municipality_code": 352039},
        {"file": "both"},
        {"file": None},
        {"recipient": "35000１"},
        {"sequence": 0},
        {"sequence": -1},
        {"sequence": True},
        {"sequence": "17"},
        {"sequence": 17.0},
        {"sequence": 100_000_000},
        {"first_notice_no": 0, "records": 20414},
        {"first_notice_no": 20413},
        {"last_notice_no": 20411, "records": 0},
        {"records": 3},
        {"records": True, "last_notice_no": 20412},
        {"records": None},
        {"created_at": "2026-11-23T09:00:00"},
        {"created_at": "2026-11-23"},
        {"created_at": "2026-02-30T09:00:00+09:00"},
        {"created_at": "0001-01-01T00:00:00+09:00"},
        {"created_at": "20261123T090000+0900"},
        {"created_at": 1},
        {"sha256": "A" * 64},
        {"sha256": "0" * 63},
        {"name": "x"},
        {"sha256": ...},
        {"sequence": ...},
        {"format": ...},
    ],
)
def test_manifest_with_a_wrong_key_or_value_is_refused(values: dict[str, object]) -> None:
    """Every key required, no other allowed, every value of its exact type and form."""
    assert code_of(NoticeManifest.parse, changed(**values)) is Code.PACKAGE_MANIFEST


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b"\xef\xbb\xbf" + MANIFEST.line(),
        b" " + MANIFEST.line(),
        MANIFEST.line()[:-1],
        MANIFEST.line()[:-1] + b"\r\n",
        MANIFEST.line()[:-2] + b',"sequence":17}\n',
        MANIFEST.line().replace(b":17,", b":NaN,"),
        MANIFEST.line().replace(b":17,", b":Infinity,"),
        MANIFEST.line().replace(b":17,", b":1.7e1,"),
        MANIFEST.line().replace(b":17,", b":017,"),
        MANIFEST.line().replace(b":17,", b":" + b"9" * 3000 + b","),
        MANIFEST.line().replace(b"resident", b"resid\xffent"),
        MANIFEST.line().decode().encode("utf-16"),
        b'{"a":' * 800 + b"1" + b"}" * 800 + b"\n",
        b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}\n",
        b'{"a":"' + b"x" * 5000 + b'"}\n',
    ],
)
def test_line_that_is_not_the_one_json_object_is_refused(line: bytes) -> None:
    """Duplicate keys, NaN, floats, BOM, CRLF, other encodings, deep nesting, no LF, too long."""
    assert code_of(NoticeManifest.parse, line) is Code.PACKAGE_MANIFEST


def test_more_records_than_the_limit_are_refused_by_name() -> None:
    """The limit of 100,000 has its own code, so that the sender knows to split."""
    line = changed(records=MAX_RECORDS + 1, last_notice_no=20412 + MAX_RECORDS)
    assert code_of(NoticeManifest.parse, line) is Code.PACKAGE_TOO_MANY_RECORDS
    NoticeManifest.parse(changed(records=MAX_RECORDS, last_notice_no=20411 + MAX_RECORDS))


def test_package_reads_back_without_a_copy() -> None:
    """The CSV handed on is a view into the content."""
    content = write_content(MANIFEST, CSV)
    manifest, csv = read_notice_package(NAME, content)
    assert manifest == MANIFEST
    assert csv.obj is content
    assert bytes(csv) == CSV


def test_receipt_reads_back() -> None:
    """A municipality reads our receipt by the same rules."""
    name = replace(NAME, file=IdentityFile.FUHYO, kind=PackageKind.RECEIPT)
    assert read_receipt_package(name, write_content(RECEIPT, b"")) == (RECEIPT, b"")
    assert code_of(read_receipt_package, name, write_content(RECEIPT, b"x")) is Code.PACKAGE_DIGEST


def test_changed_csv_is_refused() -> None:
    """A byte more, less or other than the manifest's SHA-256 says."""
    for csv in (CSV + b"\n", CSV[:-1], CSV.replace(b"3", b"4"), b""):
        assert code_of(read_notice_package, NAME, MANIFEST.line() + csv) is Code.PACKAGE_DIGEST


def test_content_without_a_manifest_line_is_refused() -> None:
    """No LF within the first 4 KiB."""
    assert code_of(split_content, b"") is Code.PACKAGE_MANIFEST
    assert code_of(split_content, b"{" + b" " * 5000 + b"}\n") is Code.PACKAGE_MANIFEST


def test_content_beyond_64_mib_is_refused_unread() -> None:
    """The limit is judged before anything else."""
    assert code_of(split_content, bytes(MAX_CONTENT_BYTES + 1)) is Code.PACKAGE_TOO_LARGE


@pytest.mark.parametrize(
    ("name", "manifest", "endpoint", "prefecture"),
    [
        (NAME, MANIFEST, "352021", "350001"),
        (NAME, MANIFEST, "352039", "340006"),
        (replace(NAME, sequence=18), MANIFEST, "352039", "350001"),
        (replace(NAME, file=IdentityFile.FUHYO), MANIFEST, "352039", "350001"),
        (replace(NAME, kind=PackageKind.SNAPSHOT), MANIFEST, "352039", "350001"),
        (replace(NAME, municipality_code="352021"), MANIFEST, "352021", "350001"),
        (NAME, replace(MANIFEST, municipality_code="352021"), "352039", "350001"),
    ],
)
def test_disagreement_of_name_manifest_endpoint_and_recipient_is_refused(
    name: PackageName, manifest: NoticeManifest, endpoint: str, prefecture: str
) -> None:
    """Any one of the four that says otherwise refuses the package."""
    check_binding(NAME, MANIFEST, "352039", "350001")
    assert code_of(check_binding, name, manifest, endpoint, prefecture) is Code.PACKAGE_BINDING


def test_package_in_the_outbox_of_another_municipality_is_refused() -> None:
    """Judged by the name alone, before the file is fetched or opened."""
    check_name(NAME, "352039")
    assert code_of(check_name, NAME, "352021") is Code.PACKAGE_BINDING


def test_wrong_number_of_records_is_refused() -> None:
    """The CSV has what the manifest announces."""
    check_count(NAME, MANIFEST, 2)
    assert code_of(check_count, NAME, MANIFEST, 1) is Code.PACKAGE_COUNT


@pytest.mark.parametrize(
    "numbers",
    [["20413", "20412"], ["20412"], ["20412", "20412"], ["20412", "20414"], ["20412", "020413"], ["", ""]],
)
def test_notices_not_numbered_one_by_one_are_refused(numbers: list[str]) -> None:
    """Ascending from the first to the last of the manifest, without gap or repetition."""
    check_notice_numbers(NAME, MANIFEST, pa.chunked_array([["20412"], ["20413"]]))
    column = pa.chunked_array([pa.array(numbers, pa.string())])
    with pytest.raises(ContractError) as caught:
        check_notice_numbers(NAME, MANIFEST, column)
    assert caught.value.code is Code.PACKAGE_COUNT


def test_manifest_is_written_as_the_specification_shows_it() -> None:
    """Exactly the keys of the specification, in its order, on one line."""
    assert list(json.loads(MANIFEST.line())) == [
        "format", "municipality_code", "file", "recipient", "sequence", "first_notice_no", "last_notice_no",
        "records", "created_at", "sha256",
    ]  # fmt: skip
    assert MANIFEST.line().startswith(b'{"format":"juki-notice/1","municipality_code":"352039",')
