"""Manifests of the parts of a snapshot: exactly their keys, their limits, and the binding of their package."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.columns import IdentityFile
from juki.errors import ContractError, JukiError
from juki.packages import (
    DigestManifest,
    NoticeManifest,
    PackageKind,
    PackageName,
    SnapshotManifest,
    check_binding,
    check_count,
    kind_of,
    read_digest_package,
    read_snapshot_package,
    sha256_hex,
    write_content,
)
from juki.reasons import Code
from juki.snapshot_manifests import MAX_PARTS, MAX_SNAPSHOT_RECORDS, PartManifest

JST = timezone(timedelta(hours=9))
CSV = b"resident_code,digest\n"
NAME = PackageName("352039", IdentityFile.RESIDENT, PackageKind.SNAPSHOT, 4)
DIGEST_NAME = replace(NAME, kind=PackageKind.DIGEST)
FORMS: tuple[type[PartManifest], ...] = (SnapshotManifest, DigestManifest)


def manifest(form: type[PartManifest] = SnapshotManifest, **said: object) -> PartManifest:
    """A good manifest, but for what is said."""
    values: dict[str, object] = {
        "municipality_code": "352039", "file": IdentityFile.RESIDENT, "recipient": "350001", "sequence": 4,
        "as_of": datetime(2026, 11, 23, 2, 0, 5, tzinfo=JST), "watermark": 20415, "part": 1, "parts": 2,
        "records": 0, "created_at": datetime(2026, 11, 23, 2, 0, 9, tzinfo=JST), "sha256": sha256_hex(CSV),
    }  # fmt: skip
    return form(**(values | said))  # type: ignore[arg-type]


def changed(form: type[PartManifest], **values: object) -> bytes:
    """Write the manifest with some keys set to other values; `...` removes a key."""
    merged = json.loads(manifest(form).line()) | values
    return json.dumps({key: value for key, value in merged.items() if value is not ...}).encode() + b"\n"


def refusal(form: type[PartManifest], **values: object) -> Code:
    """The code a changed manifest is refused by; what is said holds nothing of it."""
    with pytest.raises(ContractError) as caught:
        form.parse(changed(form, **values), str(NAME))
    assert (caught.value.ref, caught.value.__context__) == (str(NAME), None)
    return caught.value.code


@pytest.mark.parametrize("form", FORMS)
def test_part_reads_back_as_written_in_the_order_of_the_page(form: type[PartManifest]) -> None:
    """parse ∘ line is the identity, and the line is the one of docs/formats/snapshot-request.md."""
    line = manifest(form).line()
    assert form.parse(line) == manifest(form)
    assert type(form.parse(line)) is form
    assert list(json.loads(line)) == [
        "format", "municipality_code", "file", "recipient", "sequence", "as_of", "watermark", "part", "parts",
        "records", "created_at", "sha256",
    ]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "values",
    [
        {"format": "juki-notice/1"},
        {"watermark": -1},
        {"watermark": 10**15 + 1},
        {"watermark": True},
        {"watermark": "20415"},
        {"watermark": ...},
        {"part": 0},
        {"part": 3},
        {"part": True},
        {"parts": 0, "part": 0},
        {"parts": MAX_PARTS + 1},
        {"parts": 2.0},
        {"sequence": 1, "part": 2},
        {"sequence": 0},
        {"as_of": "2026-11-23T02:00:05"},
        {"as_of": "9999-12-31T23:59:59Z"},
        {"as_of": 1},
        {"as_of": ...},
        {"records": -1},
        {"records": None},
        {"first_notice_no": 1},
        {"sha256": "A" * 64},
        {"file": "both"},
    ],
)
def test_part_with_a_wrong_key_or_value_is_refused(
    form: type[PartManifest], values: dict[str, object]
) -> None:
    """Every key required, no other allowed, every value of its exact type and within its bounds."""
    assert refusal(form, **values) is Code.PACKAGE_MANIFEST


@pytest.mark.parametrize("form", FORMS)
def test_the_least_and_the_most_are_read(form: type[PartManifest]) -> None:
    """Nobody notified, no records, and the largest snapshot anyone may send (the page says how large)."""
    assert (MAX_PARTS, MAX_SNAPSHOT_RECORDS) == (10_000, 50_000)
    for said in (
        {"watermark": 0, "parts": 1, "sequence": 1},
        {
            "part": MAX_PARTS,
            "parts": MAX_PARTS,
            "sequence": MAX_PARTS,
            "records": MAX_SNAPSHOT_RECORDS,
            "watermark": 10**15,
        },
    ):
        assert form.parse(changed(form, **said)) == manifest(form, **said)


def test_one_record_more_than_a_part_bears_is_refused_by_name() -> None:
    """50,001: the sender must know that more parts help."""
    for form in FORMS:
        assert refusal(form, records=MAX_SNAPSHOT_RECORDS + 1) is Code.PACKAGE_TOO_MANY_RECORDS


def test_records_are_not_taken_for_digests_nor_digests_for_records() -> None:
    """The two say the same keys; only the format tells them apart, and it is read."""
    for form, other in (FORMS, FORMS[::-1]):
        with pytest.raises(ContractError) as caught:
            other.parse(manifest(form).line())
        assert caught.value.code is Code.PACKAGE_MANIFEST
    assert manifest(SnapshotManifest) != manifest(DigestManifest)


def test_packages_of_both_formats_read_back_without_a_copy() -> None:
    """The CSV handed on is a view into the content, and only the one announced."""
    for read, form in ((read_snapshot_package, SnapshotManifest), (read_digest_package, DigestManifest)):
        content = write_content(manifest(form), CSV)
        said, csv = read(NAME, content)  # type: ignore[operator]
        assert (said, bytes(csv)) == (manifest(form), CSV)
        assert csv.obj is content
        with pytest.raises(ContractError) as caught:
            read(NAME, content + b"x")  # type: ignore[operator]
        assert caught.value.code is Code.PACKAGE_DIGEST


@pytest.mark.parametrize(
    ("name", "form", "endpoint", "recipient"),
    [
        (NAME, SnapshotManifest, "352021", "350001"),
        (NAME, SnapshotManifest, "352039", "340006"),
        (replace(NAME, sequence=5), SnapshotManifest, "352039", "350001"),
        (replace(NAME, file=IdentityFile.FUHYO), SnapshotManifest, "352039", "350001"),
        (replace(NAME, kind=PackageKind.NOTICE), SnapshotManifest, "352039", "350001"),
        (DIGEST_NAME, SnapshotManifest, "352039", "350001"),
        (NAME, DigestManifest, "352039", "350001"),
        (replace(NAME, municipality_code="352021"), SnapshotManifest, "352021", "350001"),
    ],
)
def test_part_that_disagrees_with_its_name_endpoint_or_recipient_is_refused(
    name: PackageName, form: type[PartManifest], endpoint: str, recipient: str
) -> None:
    """The same binding as of change notices, kind included."""
    check_binding(NAME, manifest(), "352039", "350001")
    check_binding(DIGEST_NAME, manifest(DigestManifest), "352039", "350001")
    with pytest.raises(JukiError) as caught:
        check_binding(name, manifest(form), endpoint, recipient)
    assert caught.value.code is Code.PACKAGE_BINDING


def test_every_format_names_its_kind() -> None:
    """What a manifest is written for stands in its format."""
    assert kind_of(manifest(SnapshotManifest)) is PackageKind.SNAPSHOT
    assert kind_of(manifest(DigestManifest)) is PackageKind.DIGEST
    assert NoticeManifest.FORMAT == "juki-notice/1"


def test_wrong_number_of_records_of_a_part_is_refused() -> None:
    """A part has what it announces, none included."""
    check_count(NAME, manifest(), 0)
    with pytest.raises(ContractError) as caught:
        check_count(NAME, manifest(), 1)
    assert caught.value.code is Code.PACKAGE_COUNT


@given(
    watermark=st.integers(0, 10**15),
    parts=st.integers(1, MAX_PARTS),
    records=st.integers(0, MAX_SNAPSHOT_RECORDS),
    as_of=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(JST)),  # noqa: DTZ001
    data=st.data(),
)
def test_any_manifest_within_its_bounds_reads_back(
    watermark: int, parts: int, records: int, as_of: datetime, data: st.DataObject
) -> None:
    """What we can write, we can read: no bound is narrower on one side."""
    part = data.draw(st.integers(1, parts))
    said = manifest(
        watermark=watermark, parts=parts, part=part, records=records, as_of=as_of, sequence=part + 7
    )
    assert SnapshotManifest.parse(said.line()) == said
