"""A municipal office answers our requests: the truth in parts, and every fault seen by its code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from config.places import known_municipality_codes
from juki.columns import RECORD_COLUMNS, IdentityFile, Layout
from juki.difference_reports import REPORT_COLUMNS, write_report
from juki.errors import JukiError
from juki.home import Home
from juki.order import Channel
from juki.packages import (
    DifferencesManifest,
    PackageKind,
    PackageName,
    check_binding,
    check_count,
    read_digest_package,
    read_snapshot_package,
)
from juki.reasons import Code
from juki.records import parse_records
from juki.rules import RecordContext
from juki.snapshot_digests import record_digest_hex
from juki.snapshot_requests import SnapshotRequest, Wants
from juki.snapshots import Answer, ArrivedPart, answer_to, check_order, is_wanted
from juki.wire.envelope import open_envelope, seal_envelope
from juki.wire.sftp import Endpoint, ServerSession, connect
from juki.wire.snapshot_files import SnapshotFiles
from simulator import pki
from simulator.drafts import Desk, Prefecture
from simulator.exercise import Exercise
from simulator.notices import Channel as SimulatedChannel
from simulator.office import MunicipalOffice
from simulator.sealing import Sealer
from simulator.sftp_server import make_key, public_line, serve
from simulator.snapshots import EXPECTED, SnapshotFault
from simulator.world import World
from validations.contracts import check_records

CODE, NEIGHBOUR, PREFECTURE = "352039", "352080", "350001"
RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
COLUMNS = {Wants.SNAPSHOT: RECORD_COLUMNS[RESIDENT], Wants.DIGEST: ("resident_code", "digest")}
AT = datetime(2026, 11, 23, 11, tzinfo=timezone(timedelta(hours=9)))
SKEW = timedelta(minutes=10)
CLIENT_KEY, HOST_KEY = make_key(), make_key()


@pytest.fixture(scope="module")
def world() -> World:
    """A small prefecture, its first notices drawn."""
    made = World.create(3000, 5, AT.date(), is_spiced=True)
    for _ in made.initial_notices():
        pass
    return made


@dataclass(slots=True)
class Prefectural:
    """The prefecture's side: asks, fetches what it wants, opens it, and says what came of the request."""

    session: ServerSession
    files: SnapshotFiles
    authority: pki.Pki
    request: SnapshotRequest
    refused: list[Code] = field(default_factory=list)
    tables: dict[PackageName, pa.Table] = field(default_factory=dict)

    def ask(self, at: datetime, wants: Wants = Wants.SNAPSHOT) -> None:
        """Lay a request into the inbox."""
        self.request = replace(self.request, requested_at=at, wants=wants)
        self.session.deliver(self.request.file_name, self.request.line())

    def collect(self, used: int = 0) -> Answer:
        """Fetch and open all parts that may answer; a part that is refused is of no use."""
        self.refused.clear()
        for remote in self.session.outbox().packages:
            if is_wanted(remote.name, self.request, used) and not self.files.has(remote):
                self.files.fetch(self.session, remote)
                self.files.admit(remote, self.request.requested_at + timedelta(minutes=1))
        arrived = []
        for part in self.files.stored():
            try:
                arrived.append(self._opened(part.name, part.sha256, part.received_at))
            except JukiError as refusal:
                self.refused.append(refusal.code)
        found = answer_to(self.request, arrived, clock_skew=SKEW, used_sequence=used)
        after = ""
        for one in found.parts:
            after = check_order(one.name, self.tables[one.name].column("resident_code"), after)
        return found

    def records(self, found: Answer) -> pa.Table:
        """All records of a complete answer."""
        return pa.concat_tables([self.tables[part.name] for part in found.parts]).combine_chunks()

    def _opened(self, name: PackageName, sha256: bytes, received_at: datetime) -> ArrivedPart:
        sealed = self.files.read(name, sha256)
        assert sealed is not None
        keys, sender = [self.authority.prefecture.recipient()], self.authority.sender(CODE)
        content = open_envelope(sealed, recipient=keys, sender=sender, at=received_at)
        read = read_digest_package if name.kind is PackageKind.DIGEST else read_snapshot_package
        manifest, csv = read(name, content)
        check_binding(name, manifest, CODE, PREFECTURE)
        table = parse_records(csv, COLUMNS[self.request.wants])
        check_count(name, manifest, table.num_rows)
        self.tables[name] = table
        return ArrivedPart(name, manifest, sha256, received_at)


@pytest.fixture
def office(authority: pki.Pki, tmp_path: Path) -> MunicipalOffice:
    """An office that seals with our own code and knows its neighbour, for the faults."""
    known = Prefecture(
        PREFECTURE, authority.prefecture.certificate, authority.prefecture_as_sender(PREFECTURE)
    )
    desk = Desk(authority.offices[CODE], known, Sealer.OURS, authority.offices[NEIGHBOUR], authority.root)
    return MunicipalOffice(desk, tmp_path / "cs" / CODE)


@pytest.fixture
def prefecture(
    authority: pki.Pki, office: MunicipalOffice, tmp_path: Path, home: Home
) -> Iterator[Prefectural]:
    """The prefecture, logged in at the office's CS."""
    with serve(tmp_path / "cs", {CODE: public_line(CLIENT_KEY)}, HOST_KEY) as server:
        registered = Endpoint(CODE, server.host, server.port, CODE, server.host_key, CLIENT_KEY)
        with connect(registered) as session:
            channel = Channel(CODE, RESIDENT)
            request = SnapshotRequest(CODE, RESIDENT, PREFECTURE, AT, Wants.SNAPSHOT)
            yield Prefectural(session, SnapshotFiles.of(home, channel), authority, request)


def truth(world: World, file: IdentityFile = RESIDENT, code: str = CODE) -> pa.Table:
    """What stands, as the world itself knows it."""
    table = world.standing(file)
    return table.filter(pc.equal(table["sender_code"], code)).drop_columns(["sender_code"]).combine_chunks()


def publish(office: MunicipalOffice, count: int) -> None:
    """Publish notices, of which only the last number matters here."""
    table = pa.table({"notice_no": [str(number) for number in range(1, count + 1)]})
    office.publish(RESIDENT, table, AT)


def test_request_is_answered_with_the_truth_in_parts(
    world: World, office: MunicipalOffice, prefecture: Prefectural
) -> None:
    """Asked, answered, fetched, opened, put together: the records that stand, as of the last notice."""
    publish(office, 7)
    size = truth(world).num_rows // 3
    prefecture.ask(AT)
    names = office.answer_requests(world.standing, AT, part_records=size)
    found = prefecture.collect()
    assert [part.name for part in found.parts] == names
    assert (found.first.watermark, found.first.as_of, found.first.parts) == (7, AT, len(names))
    assert prefecture.records(found).equals(truth(world))
    assert [part.manifest.sequence for part in found.parts] == list(range(1, len(names) + 1))
    assert not list((office.folder / "inbox").iterdir())
    assert office.answer_requests(world.standing, AT) == []


def test_sequences_count_on_and_the_answer_before_is_removed(
    world: World, office: MunicipalOffice, prefecture: Prefectural
) -> None:
    """Over all snapshots without gaps; the prefecture's next look finds the new answer only."""
    prefecture.ask(AT)
    office.answer_requests(world.standing, AT, part_records=100)
    used = prefecture.collect().last_sequence
    later = AT + timedelta(days=1)
    prefecture.ask(later)
    names = office.answer_requests(world.standing, later, part_records=100)
    assert names[0].sequence == used + 1
    assert [remote.name for remote in prefecture.session.outbox().packages] == names
    assert prefecture.collect(used).last_sequence == names[-1].sequence


def test_digests_are_answered_by_digests_of_the_same_records(
    world: World, office: MunicipalOffice, prefecture: Prefectural
) -> None:
    """The shortcut says of every record what the definition of the core says, under sequences of its own."""
    prefecture.ask(AT, Wants.DIGEST)
    office.answer_requests(world.standing, AT, part_records=100)
    found = prefecture.collect()
    table, records = prefecture.records(found), truth(world)
    assert table.column("resident_code").equals(records.column("resident_code"))
    assert (
        table.column("digest").to_pylist() == record_digest_hex(records, COLUMNS[Wants.SNAPSHOT]).to_pylist()
    )
    assert found.parts[0].name.kind is PackageKind.DIGEST
    prefecture.ask(AT)
    (name,) = office.answer_requests(world.standing, AT)
    assert name.sequence == 1


def test_fuhyo_snapshot_holds_whom_the_municipality_keeps_wherever_they_live(
    world: World, office: MunicipalOffice
) -> None:
    """附票管理市町村, not the municipality of the address."""
    request = SnapshotRequest(CODE, FUHYO, PREFECTURE, AT, Wants.SNAPSHOT)
    (office.folder / "inbox").mkdir(parents=True)
    (office.folder / "inbox" / request.file_name).write_bytes(request.line())
    names = office.answer_requests(world.standing, AT)
    places = set(truth(world, FUHYO).column("municipality_code").to_pylist())
    assert [name.file for name in names] == [FUHYO]
    assert len(places) > 1


def test_municipality_without_records_answers_with_one_empty_part(
    office: MunicipalOffice, prefecture: Prefectural, world: World
) -> None:
    """Nobody there is an answer too, as of a watermark of 0."""
    prefecture.ask(AT)
    office.answer_requests(lambda file: world.standing(file).slice(0, 0), AT)
    found = prefecture.collect()
    assert (found.first.records, found.first.parts, found.first.watermark) == (0, 1, 0)
    assert prefecture.records(found).num_rows == 0


def test_foreign_or_broken_requests_are_left_alone(world: World, office: MunicipalOffice) -> None:
    """Of another prefecture, to another municipality, or none at all."""
    inbox = office.folder / "inbox"
    inbox.mkdir(parents=True)
    good = SnapshotRequest(CODE, RESIDENT, PREFECTURE, AT, Wants.SNAPSHOT)
    for request in (
        replace(good, requester="340006"),
        replace(good, municipality_code=NEIGHBOUR, file=FUHYO),
    ):
        (inbox / request.file_name).write_bytes(request.line())
    broken = replace(good, file=FUHYO)
    (inbox / broken.file_name).write_bytes(broken.line()[:-1])
    before = sorted(inbox.iterdir())
    assert office.answer_requests(world.standing, AT) == []
    assert sorted(inbox.iterdir()) == before


def test_exercise_answers_for_all_offices_and_a_fault_befalls_one_channel(
    world: World, office: MunicipalOffice, prefecture: Prefectural, home: Home
) -> None:
    """Both files are asked at once; the one without a fault is answered with the truth."""
    prefecture.ask(AT)
    other = replace(prefecture.request, file=FUHYO)
    prefecture.session.deliver(other.file_name, other.line())
    lived = Exercise(home, world, {CODE: office})
    names = lived.answer_requests(AT, {SimulatedChannel(CODE, FUHYO): SnapshotFault.NEVER_ANSWERED})
    assert {name.file for name in names} == {RESIDENT}
    assert prefecture.records(prefecture.collect()).equals(truth(world))
    assert not list((office.folder / "inbox").iterdir())


@pytest.mark.parametrize("fault", list(SnapshotFault))
def test_fault_of_an_answer_is_seen_by_its_code(
    world: World, office: MunicipalOffice, prefecture: Prefectural, fault: SnapshotFault
) -> None:
    """Each leads to what the simulator promises: a code, or an answer only a comparison can doubt."""
    prefecture.ask(AT)
    office.answer_requests(world.standing, AT, part_records=150)
    used = prefecture.collect().last_sequence
    later = AT + timedelta(days=1)
    prefecture.ask(later)
    office.answer_requests(world.standing, later, part_records=150, fault=fault)
    try:
        found = prefecture.collect(0 if fault is SnapshotFault.REPLAYED else used)
        codes = {found.code, *(one.code for one in found.unused), *prefecture.refused}
    except JukiError as refusal:
        codes = {refusal.code}
    assert EXPECTED[fault] in codes
    assert (EXPECTED[fault] is None) == (codes == {None})


@pytest.mark.parametrize(
    ("fault", "rows"),
    [
        (SnapshotFault.PART_AGAIN, 0),
        (SnapshotFault.ANY_ORDER, 0),
        (SnapshotFault.HALF, None),
        (SnapshotFault.EMPTY, None),
        (SnapshotFault.DUPLICATE, 1),
    ],
)
def test_fault_that_passes_has_the_records_it_says(
    world: World, office: MunicipalOffice, prefecture: Prefectural, fault: SnapshotFault, rows: int | None
) -> None:
    """What a comparison will see: all of them, half of them, none, or one twice."""
    prefecture.ask(AT)
    office.answer_requests(world.standing, AT, part_records=150, fault=fault)
    got, true = prefecture.records(prefecture.collect()), truth(world)
    if rows is None:
        assert got.equals(true.slice(0, true.num_rows // 2 if fault is SnapshotFault.HALF else 0))
    else:
        assert got.slice(rows).equals(true)
        assert got.slice(0, rows).equals(true.slice(0, rows))


def test_withheld_part_arrives_when_the_office_heals(
    world: World, office: MunicipalOffice, prefecture: Prefectural
) -> None:
    """Then the answer is complete without another request, and nothing is fetched twice."""
    prefecture.ask(AT)
    office.answer_requests(world.standing, AT, part_records=150, fault=SnapshotFault.PART_MISSING)
    found = prefecture.collect()
    assert (found.code, len(found.missing)) == (Code.SNAPSHOT_INCOMPLETE, 1)
    office.heal()
    found = prefecture.collect()
    assert found.is_complete
    assert prefecture.records(found).equals(truth(world))


def test_every_fault_of_an_answer_has_its_expectation() -> None:
    """No fault without a code, but for those only a comparison can see or that are none."""
    assert set(EXPECTED) == set(SnapshotFault)


def report(office: MunicipalOffice, found: Answer, signer: pki.Identity, sequence: int = 1) -> None:
    """Lay a report on a snapshot into the inbox, signed by somebody."""
    manifest = DifferencesManifest(
        municipality_code=CODE, file=RESIDENT, sender=PREFECTURE, recipient=CODE, sequence=sequence,
        as_of=found.first.as_of, watermark=found.first.watermark, is_equal=False, records=0, created_at=AT,
        sha256="",
    )  # fmt: skip
    lines = pa.table(dict(zip(REPORT_COLUMNS, (["24727059608"], ["missing"], [""], ["open"]), strict=True)))
    data = seal_envelope(
        write_report(manifest, lines),
        signer=signer.signing(),
        recipient_certificate=office.desk.office.receiver.certificate,
    )
    name = PackageName(CODE, RESIDENT, PackageKind.DIFFERENCES, sequence)
    (office.folder / "inbox" / str(name)).write_bytes(data)


def test_office_reads_the_report_and_removes_the_parts_it_is_about(
    world: World, office: MunicipalOffice, prefecture: Prefectural, authority: pki.Pki
) -> None:
    """Kept for whoever asks what the municipality was told; a report on another snapshot removes nothing."""
    prefecture.ask(AT)
    office.answer_requests(world.standing, AT, part_records=150)
    first = prefecture.collect()
    later = AT + timedelta(days=1)
    prefecture.ask(later)
    names = office.answer_requests(world.standing, later, part_records=150)
    report(office, first, authority.prefecture)
    assert office.tidy(AT) == []
    assert len(list((office.folder / "outbox").iterdir())) == len(names)
    report(office, prefecture.collect(first.last_sequence), authority.prefecture, 2)
    assert office.tidy(AT) == []
    assert [one.manifest.sequence for one in office.reports] == [1, 2]
    assert office.reports[0].lines.to_pylist() == [
        {"resident_code": "24727059608", "kind": "missing", "columns": "", "state": "open"}
    ]
    assert not list((office.folder / "outbox").iterdir())
    assert not list((office.folder / "inbox").iterdir())


def test_report_that_the_prefecture_did_not_sign_is_not_read(
    world: World, office: MunicipalOffice, prefecture: Prefectural, authority: pki.Pki
) -> None:
    """Whoever can write to an inbox could otherwise make a municipality correct its register."""
    prefecture.ask(AT)
    office.answer_requests(world.standing, AT)
    report(office, prefecture.collect(), authority.offices[NEIGHBOUR].signer)
    with pytest.raises(JukiError) as caught:
        office.tidy(AT)
    assert caught.value.code is Code.PACKAGE_SIGNER_UNREGISTERED
    assert office.reports == []


@pytest.mark.parametrize("file", list(IdentityFile))
def test_true_records_hold_their_contract(world: World, file: IdentityFile) -> None:
    """What stands in the simulated registers is what a snapshot may say: no error and no alert."""
    for code in world.municipalities:
        context = RecordContext(code, "test", AT, known_municipality_codes())
        assert check_records(Layout.SNAPSHOT, file, truth(world, file, code), context).groups == ()
