"""A part of a snapshot as a vendor makes it with openssl, opened by us; and each way in which it is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.errors import JukiError
from juki.order import Channel
from juki.packages import (
    DigestManifest,
    PackageKind,
    PackageName,
    SnapshotManifest,
    sha256_hex,
    write_content,
)
from juki.reasons import Code
from juki.records import format_records
from juki.snapshot_digests import record_digest_hex
from juki.snapshot_manifests import PartManifest
from simulator.sealing import Sealer, seal
from tasks.snapshots import OpenedPart, check_snapshot_records, open_part, parse_part
from tasks.workshop import Workshop
from tests.flows.conftest import CODES, Town

RESIDENT = IdentityFile.RESIDENT
AT = datetime(2026, 3, 25, 2, tzinfo=UTC)
NAME = PackageName(CODES[0], RESIDENT, PackageKind.SNAPSHOT, 1)
COLUMNS = RECORD_COLUMNS[RESIDENT]


@pytest.fixture
def records(built: Town) -> pa.Table:
    """Some records of the municipality, sorted."""
    table = built.tables[CODES[0]].select(COLUMNS)
    return table.sort_by("resident_code").slice(0, 5)


def content(table: pa.Table, form: type[PartManifest] = SnapshotManifest, **said: Any) -> bytes:
    """Write a part; `said` makes the manifest say something else."""
    csv = format_records(table)
    manifest = form(
        municipality_code=CODES[0], file=RESIDENT, recipient="350001", sequence=1, as_of=AT, watermark=3, part=1,
        parts=1, records=table.num_rows, created_at=AT, sha256=sha256_hex(csv),
    )  # fmt: skip
    return write_content(replace(manifest, **said), csv)


def opened(town: Town, data: bytes, name: PackageName = NAME, sender: str = CODES[0]) -> OpenedPart:
    """Seal with nothing but openssl, and open as the prefecture does."""
    known = town.office.desk.prefecture
    sealed = seal(data, town.made.offices[sender].signer, known.certificate, Sealer.OPENSSL)
    shop, channel = Workshop.open(), Channel(CODES[0], RESIDENT)
    return open_part(shop, channel, name, sealed, AT)


def refusal(town: Town, data: bytes, **how: Any) -> Code:
    """The code by which a part is refused when it is opened or parsed; no value is in what is said."""
    with pytest.raises(JukiError) as caught:
        parse_part(opened(town, data, **how))
    assert caught.value.__context__ is None
    return caught.value.code


def test_snapshot_made_by_openssl_is_opened_and_holds_its_contract(built: Town, records: pa.Table) -> None:
    """A municipal vendor needs nothing of ours to answer."""
    part = opened(built, content(records))
    assert (part.manifest.watermark, part.arrived.name, len(part.file_sha256)) == (3, NAME, 32)
    table = parse_part(part)
    assert table.equals(records.combine_chunks())
    found = check_snapshot_records(Workshop.open(), Channel(CODES[0], RESIDENT), part.arrived, table)
    assert (found.records, found.groups) == (5, ())
    name = records.column("name")[0].as_py()
    assert name not in repr(part)


def test_snapshot_without_records_is_legal(built: Town, records: pa.Table) -> None:
    """A municipality may have nobody: a header line, and nothing to find."""
    part = opened(built, content(records.slice(0, 0)))
    table = parse_part(part)
    assert (table.num_rows, tuple(table.column_names)) == (0, COLUMNS)
    found = check_snapshot_records(Workshop.open(), Channel(CODES[0], RESIDENT), part.arrived, table)
    assert (found.records, found.groups) == (0, ())


def test_digests_made_by_openssl_are_opened(built: Town, records: pa.Table) -> None:
    """The shortcut comes by the same way."""
    digests = pa.table(
        {
            "resident_code": records.column("resident_code"),
            "digest": record_digest_hex(records, COLUMNS),
        }
    )
    name = replace(NAME, kind=PackageKind.DIGEST)
    table = parse_part(opened(built, content(digests, DigestManifest), name))
    assert table.equals(digests.combine_chunks())
    shouted = digests.set_column(1, "digest", pa.array([d.upper() for d in digests["digest"].to_pylist()]))
    assert refusal(built, content(shouted, DigestManifest), name=name) is Code.SNAPSHOT_DIGEST_FORM


def test_bad_record_of_a_snapshot_is_found_by_code_and_column_alone(built: Town, records: pa.Table) -> None:
    """The same rules as for a notice; what is said of it holds no value."""
    sex = pa.array(["9", *records.column("sex").to_pylist()[1:]], pa.string())
    bad = records.set_column(COLUMNS.index("sex"), "sex", sex)
    part = opened(built, content(bad))
    found = check_snapshot_records(
        Workshop.open(), Channel(CODES[0], RESIDENT), part.arrived, parse_part(part)
    )
    assert [(group.code, group.column, group.rows.tolist()) for group in found.groups] == [
        (Code.SEX_UNKNOWN, "sex", [0])
    ]


def test_part_of_another_municipality_file_kind_or_number_is_refused(built: Town, records: pa.Table) -> None:
    """Signed by a neighbour, or genuine under a name that is not its own."""
    assert refusal(built, content(records), sender=CODES[1]) is Code.PACKAGE_SIGNER_UNREGISTERED
    for said in (
        {"municipality_code": CODES[1]},
        {"file": IdentityFile.FUHYO},
        {"recipient": "340006"},
        {"sequence": 2},
    ):
        assert refusal(built, content(records, **said)) is Code.PACKAGE_BINDING
    foreign = replace(NAME, municipality_code=CODES[1])
    genuine = content(records, municipality_code=CODES[1])
    assert refusal(built, genuine, name=foreign, sender=CODES[1]) is Code.PACKAGE_BINDING
    digest = replace(NAME, kind=PackageKind.DIGEST)
    assert refusal(built, content(records), name=digest) is Code.PACKAGE_MANIFEST
    notice = replace(NAME, kind=PackageKind.NOTICE)
    assert refusal(built, content(records), name=notice) is Code.PACKAGE_BINDING


def test_part_that_is_not_what_it_announces_is_refused(built: Town, records: pa.Table) -> None:
    """Other columns, other counts, other order: nothing of it is compared."""
    assert refusal(built, content(records, records=4)) is Code.PACKAGE_COUNT
    assert refusal(built, content(records.take(list(range(4, -1, -1))))) is Code.SNAPSHOT_NOT_SORTED
    assert refusal(built, content(records.drop_columns(["sex"]))) is Code.PACKAGE_COLUMNS
    extra = records.append_column("relationship", pa.array(["世帯主"] * 5))
    assert refusal(built, content(extra)) is Code.PACKAGE_COLUMNS
    assert refusal(built, content(built.tables[CODES[0]].slice(0, 2))) is Code.PACKAGE_COLUMNS


def test_more_records_than_a_part_bears_are_refused_unparsed(built: Town, records: pa.Table) -> None:
    """Memory is bounded by a part: 50,001 rows are refused although the manifest says fewer."""
    many = pa.concat_tables([records] * 10_001)
    assert refusal(built, content(many, records=5)) is Code.PACKAGE_TOO_MANY_RECORDS
