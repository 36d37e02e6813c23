"""The municipal stand-in against the prefecture's side of the wire: every fault is seen by its code."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pytest

from config.places import known_municipality_codes
from juki.columns import NOTICE_COLUMNS, IdentityFile, Layout
from juki.errors import JukiError
from juki.packages import (
    NoticeManifest,
    PackageKind,
    PackageName,
    PackageVerdict,
    ReceiptManifest,
    check_binding,
    check_name,
    check_notice_numbers,
    read_notice_package,
    sha256_hex,
    write_content,
)
from juki.reasons import Code
from juki.records import parse_records
from juki.rules import RecordContext
from juki.wire.envelope import open_envelope, seal_envelope
from juki.wire.sftp import Endpoint, connect
from simulator import pki
from simulator.drafts import Desk, Prefecture
from simulator.faults import EXPECTED, MUTATIONS, Effect, Fault, Mutation, mutated
from simulator.office import MunicipalOffice
from simulator.sealing import Sealer
from simulator.sftp_server import make_key, public_line, serve
from tests.wire.conftest import AT
from validations.contracts import check_records

CODE = "352039"
PREFECTURE = "350001"
RESIDENT = IdentityFile.RESIDENT
JST = timezone(timedelta(hours=9))
CREATED_AT = datetime(2026, 11, 23, 8, tzinfo=JST)
SAMPLE = {
    "notified_at": "2026-11-20T09:00:00+09:00",
    "kind": "entry",
    "reason": "国内転入",
    "event_date": "2026-11-19",
    "resident_code": "24727059608",
    "individual_number": "123456789018",
    "name": "山口　花子",
    "name_kana": "ヤマグチ　ハナコ",
    "birth_date": "19900405",
    "sex": "2",
    "municipality_code": CODE,
    "address": "山口県山口市滝町1番1号",
    "is_foreign": "0",
    "is_abroad": "0",
    "name_gaiji": "0",
    "address_gaiji": "0",
}


def notices(first: int, count: int, file: IdentityFile = RESIDENT) -> pa.Table:
    """The same notice again and again under ascending numbers."""
    numbers = [str(number) for number in range(first, first + count)]
    columns = {name: [SAMPLE.get(name, "")] * count for name in NOTICE_COLUMNS[file]}
    return pa.table(columns | {"notice_no": numbers}, pa.schema([(name, pa.string()) for name in columns]))


@pytest.fixture
def office(authority: pki.Pki, tmp_path: Path) -> MunicipalOffice:
    """An office with small packages and what the faults need."""
    known = Prefecture(
        PREFECTURE, authority.prefecture.certificate, authority.prefecture_as_sender(PREFECTURE)
    )
    desk = Desk(authority.offices[CODE], known, Sealer.OURS, authority.offices["352080"], authority.root)
    (tmp_path / CODE / "inbox").mkdir(parents=True)
    return MunicipalOffice(desk, tmp_path / CODE, package_records=2)


def intake(authority: pki.Pki, path: Path) -> tuple[NoticeManifest, pa.Table]:
    """What the prefecture does with a file before it looks at records."""
    name = PackageName.parse(path.name)
    check_name(name, CODE)
    content = open_envelope(
        path.read_bytes(), recipient=[authority.prefecture.recipient()], sender=authority.sender(CODE), at=AT
    )
    manifest, csv = read_notice_package(name, content)
    check_binding(name, manifest, CODE, PREFECTURE)
    table = parse_records(csv, NOTICE_COLUMNS[name.file])
    check_notice_numbers(name, manifest, table.column("notice_no"))
    return manifest, table


def seen(authority: pki.Pki, folder: Path) -> dict[int, Code | None]:
    """Take in everything in an outbox: by sequence, the code of the refusal or None."""
    codes: dict[int, Code | None] = {}
    for path in sorted((folder / "outbox").glob("*.p7m")):
        try:
            intake(authority, path)
            codes[PackageName.parse(path.name).sequence] = None
        except JukiError as refusal:
            codes[PackageName.parse(path.name).sequence] = refusal.code
    return codes


def answer(authority: pki.Pki, folder: Path, name: PackageName, *, verdict: str = "accepted") -> None:
    """Lay the prefecture's receipt into the inbox."""
    manifest, table = intake(authority, folder / "outbox" / str(name))
    csv = b"notice_no,verdict,code,column,message\n"
    csv += "".join(f"{number},accepted,,,\n" for number in table.column("notice_no").to_pylist()).encode()
    receipt = ReceiptManifest(
        municipality_code=CODE,
        file=name.file,
        sender=PREFECTURE,
        recipient=CODE,
        sequence=name.sequence,
        package_sha256=manifest.sha256,
        verdict=PackageVerdict(verdict),
        code="",
        message="",
        records=table.num_rows,
        created_at=AT,
        sha256=sha256_hex(csv),
    )
    data = seal_envelope(
        write_content(receipt, csv),
        signer=authority.prefecture.signing(),
        recipient_certificate=authority.offices[CODE].receiver.certificate,
    )
    (folder / "inbox" / str(replace(name, kind=PackageKind.RECEIPT))).write_bytes(data)


def test_notices_travel_whole_over_sftp(authority: pki.Pki, office: MunicipalOffice, tmp_path: Path) -> None:
    """Published, listed, fetched, opened, parsed: the same table, split into numbered packages."""
    table = notices(1, 5)
    names = office.publish(RESIDENT, table, CREATED_AT)
    client = make_key()
    with serve(tmp_path, {CODE: public_line(client)}, make_key()) as server:
        registered = Endpoint(CODE, server.host, server.port, CODE, server.host_key, client)
        with connect(registered) as session:
            outbox = session.outbox()
            paths = [session.fetch(remote, tmp_path / "spool") for remote in outbox.packages]
    opened = [intake(authority, path) for path in paths]
    assert [remote.name for remote in outbox.packages] == names
    assert [manifest.sequence for manifest, _ in opened] == [1, 2, 3]
    assert pa.concat_tables([part for _, part in opened]).combine_chunks().equals(table)


def test_package_is_removed_when_its_receipt_accepts_it(authority: pki.Pki, office: MunicipalOffice) -> None:
    """Not before, not after a refusal, and not by a receipt for other content."""
    first, second = office.publish(RESIDENT, notices(1, 4), CREATED_AT)
    answer(authority, office.folder, first)
    answer(authority, office.folder, second, verdict="refused")
    receipts = office.tidy(AT)
    assert [receipt.manifest.sequence for receipt in receipts] == [1, 2]
    assert receipts[0].lines.column("verdict").to_pylist() == ["accepted", "accepted"]
    assert seen(authority, office.folder) == {2: None}
    assert not list((office.folder / "inbox").iterdir())


BROKEN = [fault for fault, expected in EXPECTED.items() if expected.effect is Effect.BROKEN]


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_package_is_refused_by_its_code_and_healed(
    authority: pki.Pki, office: MunicipalOffice, fault: Fault
) -> None:
    """The fault befalls the last package of a publication; the good one follows under the same name."""
    office.publish(RESIDENT, notices(1, 3), CREATED_AT, fault=fault)
    assert seen(authority, office.folder) == {1: None, 2: EXPECTED[fault].code}
    office.heal()
    assert seen(authority, office.folder) == {1: None, 2: None}


@pytest.mark.parametrize("fault", [Fault.GAP, Fault.LATE])
def test_withheld_package_leaves_a_gap(authority: pki.Pki, office: MunicipalOffice, fault: Fault) -> None:
    """A late package comes with the next publication, a gap stays until it is healed."""
    office.publish(RESIDENT, notices(1, 4), CREATED_AT, fault=fault)
    assert seen(authority, office.folder) == {1: None}
    office.publish(RESIDENT, notices(5, 2), CREATED_AT)
    assert list(seen(authority, office.folder)) == ([1, 3] if fault is Fault.GAP else [1, 2, 3])
    office.heal()
    assert seen(authority, office.folder) == {1: None, 2: None, 3: None}


@pytest.mark.parametrize("fault", [Fault.DUPLICATE, Fault.RESEALED, Fault.REPLAYED, Fault.OTHER_CONTENT])
def test_earlier_package_comes_again(authority: pki.Pki, office: MunicipalOffice, fault: Fault) -> None:
    """Byte for byte, sealed afresh, the very first, or with other content under the same number."""
    sent: dict[int, tuple[bytes, str]] = {}
    for first in (1, 3):
        (name,) = office.publish(RESIDENT, notices(first, 2), CREATED_AT)
        path = office.folder / "outbox" / str(name)
        sent[name.sequence] = (path.read_bytes(), intake(authority, path)[0].sha256)
        answer(authority, office.folder, name)
        office.tidy(AT)
    office.publish(RESIDENT, notices(5, 2), CREATED_AT, fault=fault)
    again = 1 if fault is Fault.REPLAYED else 2
    assert seen(authority, office.folder) == {again: None, 3: None}
    path = office.folder / "outbox" / f"{CODE}-resident-notice-{again:08d}.p7m"
    assert (path.read_bytes() == sent[again][0]) == (fault in (Fault.DUPLICATE, Fault.REPLAYED))
    assert (intake(authority, path)[0].sha256 == sent[again][1]) == (fault is not Fault.OTHER_CONTENT)


def test_package_of_a_neighbour_is_refused_by_its_name(authority: pki.Pki, office: MunicipalOffice) -> None:
    """Genuine, but in the wrong outbox; the good one beside it is not touched."""
    office.publish(RESIDENT, notices(1, 2), CREATED_AT, fault=Fault.WRONG_OUTBOX)
    codes = {}
    for path in (office.folder / "outbox").iterdir():
        name = PackageName.parse(path.name)
        try:
            intake(authority, path)
        except JukiError as refusal:
            codes[name.municipality_code] = refusal.code
    assert codes == {"352080": Code.PACKAGE_BINDING}
    office.heal()
    assert [path.name[:6] for path in (office.folder / "outbox").iterdir()] == [CODE]


def test_reordered_packages_are_all_there(authority: pki.Pki, office: MunicipalOffice) -> None:
    """Laid out last first; nothing else about them is wrong."""
    assert [
        name.sequence for name in office.publish(RESIDENT, notices(1, 6), CREATED_AT, fault=Fault.REORDER)
    ] == [1, 2, 3]
    assert seen(authority, office.folder) == {1: None, 2: None, 3: None}


def test_replaced_package_can_be_told_by_its_time(authority: pki.Pki, office: MunicipalOffice) -> None:
    """A good package in the place of a broken one has a later time in whole seconds, whatever its size."""
    (name,) = office.publish(RESIDENT, notices(1, 2), CREATED_AT, fault=Fault.TAMPERED)
    path = office.folder / "outbox" / str(name)
    before = path.stat()
    office.heal()
    assert int(path.stat().st_mtime) > int(before.st_mtime)


def findings(file: IdentityFile, table: pa.Table) -> set[tuple[Code, str]]:
    """What the contract says of a table."""
    context = RecordContext(CODE, "test", AT, known_municipality_codes())
    found = check_records(Layout.NOTICE, file, table, context)
    return {(group.code, group.column) for group in found.groups}


@pytest.mark.parametrize(
    ("file", "mutation"),
    [(file, mutation) for file, mutations in MUTATIONS.items() for mutation in mutations],
)
def test_bad_value_is_found_by_its_code(file: IdentityFile, mutation: Mutation) -> None:
    """Each wrong value of the simulator leads to the code it promises, and a good record to none."""
    table = notices(1, 2, file)
    assert findings(file, table) == set()
    assert (mutation.code, mutation.column) in findings(file, mutated(table, 1, mutation))


def test_package_with_bad_values_arrives(authority: pki.Pki, office: MunicipalOffice) -> None:
    """The package is good; its records are not."""
    office.package_records = 50
    (name,) = office.publish(RESIDENT, notices(1, 40), CREATED_AT, fault=Fault.BAD_VALUES)
    _, table = intake(authority, office.folder / "outbox" / str(name))
    codes = {code for code, _ in findings(RESIDENT, table)}
    assert codes >= {mutation.code for mutation in MUTATIONS[RESIDENT]}


def test_every_fault_has_its_expectation() -> None:
    """No fault without a code, but for the two that are seen record by record or not at all."""
    assert set(EXPECTED) == set(Fault)
    silent = {fault for fault, expected in EXPECTED.items() if expected.code is None}
    assert silent == {Fault.REORDER, Fault.BAD_VALUES}
