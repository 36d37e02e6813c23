"""Random histories by the real way in: sealed packages that come late, twice and out of order, against the model."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.places import known_municipality_codes
from config.stores import DATABASES
from juki.columns import NOTICE_COLUMNS, IdentityFile, Layout
from juki.order import Channel
from juki.rules import RecordContext
from juki.store import embedded
from juki.store.unit import open_unit
from simulator import installation, pki
from tasks import clock
from tasks.answers import deliver_receipts
from tasks.receiving import fetch_packages
from tasks.settling import settle_next
from tests.flows.conftest import CODES, Town
from tests.histories import Row, rows
from tests.model import Model
from validations.contracts import check_records

RESIDENT = IdentityFile.RESIDENT
BEGIN = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
"""After the certificates of the exercise were made, and after every notice of the past."""
PEOPLE = {"A": "24727059608", "B": "24846016224", "C": "25208017643"}

EXAMPLES = max(8, settings().max_examples // 100)
"""A history by the real way in takes most of a second."""

packages = st.lists(
    st.tuples(st.sampled_from(CODES), st.lists(rows(), min_size=1, max_size=4)), min_size=1, max_size=5
)


@dataclass(frozen=True, slots=True)
class Package:
    """A package of one municipality: its place in the channel, its notices, its sealed file."""

    sender: str
    sequence: int
    rows: list[Row]
    file: Path


@dataclass(slots=True)
class Channels:
    """What arrives, taken in the order of each channel: a gap makes later packages wait, a repeat does nothing."""

    model: Model = field(default_factory=Model)
    arrived: dict[tuple[str, int], tuple[Package, datetime]] = field(default_factory=dict)
    last: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    applied: int = 0

    def arrive(self, package: Package, at: datetime) -> None:
        """Let a package arrive, and apply whatever is next in its channel."""
        self.arrived.setdefault((package.sender, package.sequence), (package, at))
        sequence, counts_from = self.last.get(package.sender, (0, at))
        while ready := self.arrived.get((package.sender, sequence + 1)):
            one, received_at = ready
            sequence, counts_from = sequence + 1, max(received_at, counts_from)
            self._take(one, received_at, clock.civil_date(counts_from))
        self.last[package.sender] = (sequence, counts_from)

    def _take(self, package: Package, received_at: datetime, received_on: date) -> None:
        for row, is_blocked in zip(package.rows, _blocked(package, received_at), strict=True):
            if not is_blocked:
                self.model.receive(package.sender, received_on, _instant(received_at), row)
        self.applied += 1


def _instant(at: datetime) -> str:
    return at.astimezone(clock.JAPAN).isoformat()


def _table(said: list[Row]) -> pa.Table:
    return pa.table(
        {name: pa.array([row.get(name, "") for row in said]) for name in NOTICE_COLUMNS[RESIDENT]}
    )


def _blocked(package: Package, received_at: datetime) -> list[bool]:
    """Say which notices break their contract; that is judged by tests of its own."""
    context = RecordContext(package.sender, "", received_at, known_municipality_codes())
    blocked: np.ndarray = check_records(Layout.NOTICE, RESIDENT, _table(package.rows), context).blocked
    return [bool(one) for one in blocked]


def _said(row: Row, sender: str, notice_no: int) -> Row:
    """Make a notice of the narrow alphabet one that a municipality could send."""
    hours = int(row["notified_at"][11:13])
    return row | {
        "notice_no": str(notice_no), "municipality_code": sender,
        "resident_code": PEOPLE[row["resident_code"]],
        "previous_resident_code": PEOPLE.get(row.get("previous_resident_code", ""), ""),
        "notified_at": _instant(BEGIN + timedelta(hours=12 * (hours - 8))),
    }  # fmt: skip


def _sealed(town: Town, history: list[tuple[str, list[Row]]]) -> Iterator[Package]:
    """Let the offices seal every package, and hold all of them back."""
    held = town.home.root / "held"
    shutil.rmtree(held, ignore_errors=True)
    held.mkdir()
    next_no = dict.fromkeys(CODES, 1)
    for sender, said in history:
        rows_ = [_said(row, sender, next_no[sender] + place) for place, row in enumerate(said)]
        next_no[sender] += len(said)
        office = town.offices[sender]
        (name,) = office.publish(RESIDENT, _table(rows_), BEGIN)
        file = shutil.move(office.folder / "outbox" / str(name), held / str(name))
        yield Package(sender, name.sequence, rows_, Path(file))


def _begun_anew(town: Town) -> Town:
    """Empty stores and folders, and offices that have sent nothing yet."""
    town.forget()
    made = pki.build(installation.folder(town.home) / "pki", CODES)
    return replace(town, offices=installation.offices(town.home, made))


def _work(town: Town, channel: Channel) -> None:
    with open_unit(embedded.admin_url(town.home, DATABASES[RESIDENT]), RESIDENT) as unit:
        unit.packages.attempt(channel.municipality_code, clock.now())
    fetch_packages.fn(channel)
    while settle_next.fn(channel) is not None:
        pass
    deliver_receipts.fn(channel)


def _stored(town: Town) -> set[tuple[object, ...]]:
    columns = "resident_code, sender_code, notice_no::text, received_on"
    query = (
        f"SELECT {columns}, NULL::date, expires_on FROM current "
        f"UNION ALL SELECT {columns}, superseded_on, expires_on FROM history"
    )
    return set(town.rows(query))


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=packages, data=st.data())
def test_both_files_hold_what_the_statute_says_however_the_packages_come(
    town: Town, history: list[tuple[str, list[Row]]], data: st.DataObject
) -> None:
    """Every package once at least, some twice, in any order, each channel worked after each arrival."""
    town = _begun_anew(town)
    sent = list(_sealed(town, history))
    order = data.draw(st.permutations(range(len(sent))))
    again = data.draw(st.lists(st.integers(0, len(sent) - 1), max_size=3))
    expected = Channels()
    for place, number in enumerate([*order, *again]):
        package, at = sent[number], BEGIN + timedelta(days=place, hours=1)
        with clock.held_at(at):
            laid = town.offices[package.sender].folder / "outbox" / package.file.name
            shutil.copy(package.file, laid)
            os.utime(laid, (at.timestamp(), at.timestamp()))
            _work(town, Channel(package.sender, RESIDENT))
        expected.arrive(package, at)
    assert _stored(town) == expected.model.versions()
    assert town.rows("SELECT count(*) FROM package WHERE state = 'applied'") == [(expected.applied,)]
    assert dict(town.rows("SELECT resident_code, new_code FROM former_code")) == expected.model.replaced
