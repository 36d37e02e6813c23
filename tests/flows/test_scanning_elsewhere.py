"""Snapshots, requests, receipts and messages of J-LIS before the scanner: as packages, each in its own way."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from juki.columns import IdentityFile
from juki.journal import Action
from juki.reasons import Code
from juki.store.infections import Infections
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tasks import clock
from tasks.receipting import take_receipts
from tasks.workshop import Workshop
from tests.fake_clamd import FakeClamd, fake_clamd, scanned
from tests.flows.conftest import CODES, Town
from tests.flows.providing import counter
from tests.flows.reconciling import Round
from tests.forwarding_case import Telling

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
INFECTED = Code.PACKAGE_INFECTED.value
OLD = Code.SCANNER_PATTERNS_OLD.value


@pytest.fixture
def clamd(town: Town) -> Iterator[FakeClamd]:
    """A scanner the installation of the town is configured for."""
    with fake_clamd() as fake, scanned(town.home, fake.address):
        yield fake


def grow_old(clamd: FakeClamd) -> None:
    """Let the patterns be too old."""
    clamd.patterns_at = datetime.now(UTC) - timedelta(days=3)


def renew(clamd: FakeClamd) -> None:
    """Let the patterns be fresh, and nothing infected."""
    clamd.patterns_at = datetime.now(UTC)
    clamd.infected.clear()


def open_infections(file: IdentityFile) -> list[tuple[str, str]]:
    """Whose files are waiting for somebody to close them, by name."""
    with open_unit(Workshop.open().store_url(file), file, Duty.AUDITOR) as unit:
        return [(one.sender, one.file_name) for one in Infections(file, unit.connection).open_ones()]


def test_requests_wait_for_a_fresh_scanner_and_an_infected_one_is_kept(town: Town, clamd: FakeClamd) -> None:
    """Nothing is read of either; the file goes on lying in its folder, as any other request does."""
    here = counter(town)
    here.ask(here.by_number(0))
    (laid,) = here.board.arrivals.glob("*.p7m")
    streamed = len(clamd.scanned)
    grow_old(clamd)
    assert dict(here.take_in().failures) == {OLD: 1}
    assert (len(clamd.scanned), here.states()) == (streamed, [])
    renew(clamd)
    clamd.infect(laid)
    taken = here.take_in()
    assert (taken.registered, dict(taken.codes), dict(taken.failures)) == (0, {INFECTED: 1}, {})
    (kept,) = (town.home.quarantine / "requests" / "kyoiku").iterdir()
    assert INFECTED in kept.name and kept.read_bytes() == laid.read_bytes()
    (entry,) = here.entries(Action.REQUEST_RECEIVED)
    assert (entry["outcome"], entry["code"]) == ("refused", INFECTED)
    assert open_infections(RESIDENT) == [("kyoiku", laid.name)]
    renew(clamd)
    laid.unlink()
    here.ask(here.by_number(0))
    assert here.take_in().registered == 1


def test_receipts_wait_for_a_fresh_scanner_and_an_infected_one_is_kept(town: Town, clamd: FakeClamd) -> None:
    """It shortens no hold and is not opened: what is in it would be refused for its envelope."""
    board = counter(town).board.arrivals
    name = "kyoiku-resident-receipt-00000001.p7m"
    (board / name).write_bytes(b"not sealed at all")
    grow_old(clamd)
    assert take_receipts.fn() == {OLD: 1}
    assert (board / name).exists()
    renew(clamd)
    clamd.infect(board / name)
    assert take_receipts.fn() == {INFECTED: 1}
    assert not (board / name).exists()
    (kept,) = (town.home.quarantine / "receipts" / "kyoiku").iterdir()
    assert kept.read_bytes() == b"not sealed at all"
    assert open_infections(RESIDENT) == [("kyoiku", name)]
    assert take_receipts.fn() == {}


def test_messages_of_jlis_wait_and_an_infected_one_is_kept_while_deliveries_go_on(
    town: Town, clamd: FakeClamd
) -> None:
    """What leaves needs no scanner; an acknowledgement is believed only when it was scanned."""
    told = Telling.of(town, FUHYO)
    told.case.send(CODES[0], *told.people())
    grow_old(clamd)
    summary = told.forward()
    assert (summary.delivered, summary.failure) == (1, Code.SCANNER_PATTERNS_OLD)
    told.jlis.work(clock.now())
    (laid,) = told.jlis.arrivals.glob("*.p7m")
    assert (told.forward().answers, told.packages("state")) == ({}, [("delivered",)])
    renew(clamd)
    clamd.infect(laid)
    assert told.forward().answers == {INFECTED: 1}
    assert told.messages()[-1][1:] == ("refused", INFECTED)
    assert open_infections(FUHYO) == [("", laid.name)]
    renew(clamd)
    content = laid.read_bytes()
    laid.unlink()
    laid.write_bytes(content)
    assert told.forward().answers == {"acknowledged": 1}
    told.case.forget()


def _garbage(_link: socket.socket, _content: bytes) -> bytes:
    return b"stream: OK\0\0"


def test_snapshot_waits_for_a_fresh_scanner_and_an_infected_part_is_left_out_and_kept(
    town: Town, clamd: FakeClamd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is compared; a part that could not be scanned is fetched again as if it had never come."""
    monkeypatch.setenv("JUKI_SNAPSHOT_WAIT_SECONDS", "0")
    here = Round(town)
    here.ask()
    here.answer(part_records=100)
    (laid,) = (town.office.folder / "outbox").glob("*snapshot*.p7m")
    grow_old(clamd)
    assert here.reconcile() == OLD
    renew(clamd)
    clamd.answer = _garbage
    assert here.reconcile() == Code.SCANNER_ANSWER.value
    assert here.parts() == []
    clamd.answer = None
    clamd.infect(laid)
    assert here.reconcile() == INFECTED
    assert here.reconcile() == INFECTED
    (entry,) = here.entries("snapshot.refused")
    assert (entry["code"], entry["package"]) == (INFECTED, laid.name)
    (kept,) = (town.home.quarantine / str(town.channel)).iterdir()
    assert (kept.name.startswith("part-"), kept.read_bytes()) == (True, laid.read_bytes())
    assert here.entries("files.compared") == []
    assert open_infections(RESIDENT) == [(CODES[0], laid.name)]
    renew(clamd)
    assert here.reconcile() == ""
