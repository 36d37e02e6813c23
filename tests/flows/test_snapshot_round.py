"""A snapshot from request to records through the real parts, beside an intake that has nothing to do with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.snapshot_requests import SnapshotRequest, Wants
from juki.snapshots import Answer, answer_to, check_order, is_wanted
from juki.wire.sftp import connect
from juki.wire.snapshot_files import SnapshotFiles
from tasks.snapshots import OpenedPart, check_snapshot_records, open_part, parse_part, request_of
from tasks.workshop import Workshop
from tests.flows.conftest import CODES, Town

COLUMNS = RECORD_COLUMNS[IdentityFile.RESIDENT]
QUOTA_BYTES = 64 * 1024**2
SKEW = timedelta(minutes=10)


def standing(town: Town) -> pa.Table:
    """The true records of the town's municipalities, as a world gives them."""
    parts = [
        table.select(COLUMNS).append_column("sender_code", pa.array([code] * table.num_rows))
        for code, table in town.tables.items()
    ]
    return pa.concat_tables(parts).sort_by("resident_code")


def own(town: Town) -> pa.Table:
    """Those of the municipality that is asked."""
    return town.tables[CODES[0]].select(COLUMNS).sort_by("resident_code").combine_chunks()


def ask(town: Town, wants: Wants = Wants.SNAPSHOT) -> SnapshotRequest:
    """Lay a request into the inbox of the municipality."""
    shop = Workshop.open()
    with connect(shop.endpoint(town.channel)) as session:
        request = request_of(shop, town.channel, wants, datetime.now(UTC))
        session.deliver(request.file_name, request.line())
        return request


def collect(town: Town, request: SnapshotRequest) -> tuple[Answer, dict[str, OpenedPart]]:
    """Fetch what may answer, open it, and say what came of the request."""
    shop, files = Workshop.open(), SnapshotFiles.of(town.home, town.channel)
    with connect(shop.endpoint(town.channel)) as session:
        for remote in session.outbox().packages:
            if is_wanted(remote.name, request) and not files.has(remote):
                assert files.has_room(remote, QUOTA_BYTES)
                files.fetch(session, remote)
                files.admit(remote, datetime.now(UTC))
    opened = {}
    for part in files.stored():
        sealed = files.read(part.name, part.sha256)
        assert sealed is not None
        opened[str(part.name)] = open_part(shop, town.channel, part.name, sealed, part.received_at)
    return answer_to(request, [part.arrived for part in opened.values()], clock_skew=SKEW), opened


def test_asked_answered_fetched_opened_and_held_to_its_contract(town: Town) -> None:
    """Every step by the product's own function, over a real line: the municipality's records, whole and sorted."""
    town.publish(count=10)
    request = ask(town)
    town.office.answer_requests(lambda _: standing(town), datetime.now(UTC), part_records=7)
    found, opened = collect(town, request)
    after, tables = "", []
    for part in found.parts:
        table = parse_part(opened[str(part.name)])
        after = check_order(part.name, table.column("resident_code"), after)
        assert check_snapshot_records(Workshop.open(), town.channel, part, table).groups == ()
        tables.append(table)
    assert len(tables) > 1
    assert pa.concat_tables(tables).combine_chunks().equals(own(town))
    assert found.first.watermark == 10


def test_intake_ignores_snapshots_in_the_outbox_and_in_the_spool(town: Town) -> None:
    """It registers and answers its notices only, and a snapshot half fetched is there afterwards as before."""
    town.publish(count=10)
    request = ask(town)
    town.office.answer_requests(lambda _: standing(town), datetime.now(UTC), part_records=7)
    collect(town, request)
    files = SnapshotFiles.of(town.home, town.channel)
    (files.arriving / ".begun.part").write_bytes(b"x")
    before = {path.name: path.read_bytes() for path in files.folder.rglob("*") if path.is_file()}
    assert len(before) > 2
    assert town.work() == 0
    assert town.rows("SELECT file_name, state FROM package") == [
        (f"{CODES[0]}-resident-notice-00000001.p7m", "applied")
    ]
    assert town.rows("SELECT unknown_files FROM channel") == [(0,)]
    assert {path.name: path.read_bytes() for path in files.folder.rglob("*") if path.is_file()} == before
    town.publish(first=10, count=5)
    assert town.work() == 0
    assert {path.name: path.read_bytes() for path in files.folder.rglob("*") if path.is_file()} == before
    assert collect(town, request)[0].is_complete
    assert [receipt.manifest.sequence for receipt in town.office.tidy(datetime.now(UTC))] == [1, 2]


def test_report_on_differences_in_an_outbox_is_left_alone_like_a_receipt(town: Town) -> None:
    """It is only ever sent by us: inbound it is neither fetched nor registered, and no unknown file."""
    town.publish(count=5)
    for kind in ("differences", "receipt"):
        (town.office.folder / "outbox" / f"{CODES[0]}-resident-{kind}-00000001.p7m").write_bytes(b"x")
    assert town.work() == 0
    assert town.rows("SELECT file_name FROM package") == [(f"{CODES[0]}-resident-notice-00000001.p7m",)]
    assert town.rows("SELECT unknown_files, deferred_files FROM channel") == [(0, 0)]
    with connect(Workshop.open().endpoint(town.channel)) as session:
        names = [remote.name for remote in session.outbox().packages]
    request = ask(town)
    assert len(names) == 3
    assert not any(is_wanted(name, request) for name in names)
