"""A municipality's packages before the scanner: infected ones are kept unopened, and nothing passes without it."""

from __future__ import annotations

import io
import json
import socket
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from juki.cli import main
from juki.reasons import Code
from simulator.faults import Fault
from tasks import channels
from tasks.boundary import PipelineError
from tests.console import Said
from tests.fake_clamd import FakeClamd, fake_clamd, scanned
from tests.flows.conftest import Town


@pytest.fixture
def clamd(town: Town) -> Iterator[FakeClamd]:
    """A scanner the installation of the town is configured for."""
    with fake_clamd() as fake, scanned(town.home, fake.address):
        yield fake


def outbox(town: Town) -> list[Path]:
    """The files the municipality has laid out."""
    return sorted((town.office.folder / "outbox").glob("*.p7m"))


def states(town: Town) -> list[tuple[Any, ...]]:
    """The packages of the channel, as they stand."""
    return town.rows("SELECT sequence, state, code FROM package ORDER BY package_id")


def work(town: Town) -> str:
    """Work the channel in this process, without the engine; return the code of a failure, or nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("fetch_packages", "settle_next", "judge_again", "deliver_receipts"):
            patch.setattr(channels, name, getattr(channels, name).fn)
        try:
            channels.intake_channel.fn(town.channel)
        except PipelineError as failure:
            return failure.code.value
        return ""


def juki(*arguments: str) -> Said:
    """Run the command line in this process, which works for the town."""
    out = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(out),
        pytest.raises(SystemExit) as ended,
    ):
        patch.setattr(sys, "argv", ["juki", *arguments])
        main()
    return Said(int(ended.value.code or 0), out.getvalue(), "")


def status(town: Town) -> dict[str, Any]:
    """What `juki status` says, with the channel under `channel`."""
    said: dict[str, Any] = juki("status", "--json").data
    wanted = (town.channel.municipality_code, "resident")
    (one,) = (one for one in said["channels"] if (one["municipality_code"], one["file"]) == wanted)
    return said | {"channel": one}


def spooled(town: Town) -> list[str]:
    """Everything that lies in the spool of the channel."""
    return [path.name for path in (town.home.spool / str(town.channel)).rglob("*") if path.is_file()]


def test_infected_package_is_kept_unopened_answered_and_seen_and_the_next_good_one_goes_on(
    town: Town, clamd: FakeClamd
) -> None:
    """The refusal says infected, not what else is wrong with it: nothing of it was opened."""
    town.publish(count=5, fault=Fault.TRUNCATED)
    (laid,) = outbox(town)
    content = laid.read_bytes()
    clamd.infect(laid)
    assert work(town) == ""
    assert states(town) == [(1, "refused", Code.PACKAGE_INFECTED.value)]
    assert town.rows("SELECT count(*) FROM current") == [(0,)]
    (kept,) = (town.home.quarantine / str(town.channel)).iterdir()
    assert (kept.read_bytes(), spooled(town)) == (content, [])
    (receipt,) = town.office.tidy(datetime.now(UTC))
    assert (receipt.manifest.verdict.value, receipt.manifest.code) == ("refused", "package.infected")
    said = status(town)
    assert [one["code"] for one in said["channel"]["reasons"]] == [Code.CHANNEL_REFUSED_OPEN.value]
    (cause,) = said["channel"]["reasons"][0]["packages"]
    assert (cause["code"], cause["next_step"]) == ("package.infected", Code.PACKAGE_INFECTED.next_step)
    (alarm,) = said["alarms"]
    assert (alarm["code"], alarm["which"]) == (Code.INFECTION_OPEN.value, [laid.name])
    assert said["scanner"]["state"] == "fresh"
    assert work(town) == ""
    assert len(states(town)) == 1

    town.office.heal()
    town.publish(first=5, count=5)
    assert work(town) == ""
    assert states(town)[1:] == [(1, "applied", None), (2, "applied", None)]
    # The channel is well again; that somebody sent an infected file is not forgotten with it.
    assert status(town)["alarms"] == [alarm]
    (seen,) = juki("scanner", "show", "--json").data["infections"]
    other = seen["id"].replace("R", "F")
    assert juki("scanner", "close", other, "--reason", "別の保存先", "--json").data["closed"]["resident"] == 0
    assert len(juki("scanner", "show", "--json").data["infections"]) == 1
    assert juki("scanner", "close", seen["id"], "--reason", "駆除を確認", "--json").data["closed"] == {
        "resident": 1, "fuhyo": 0,
    }  # fmt: skip
    assert status(town)["alarms"] == []
    again = juki("scanner", "close", seen["id"], "--reason", "駆除を確認")
    assert (again.code, "何も変えていません" in again.out) == (0, True)
    entries = town.rows("SELECT entry FROM journal WHERE action = 'infection.closed'")
    assert [json.loads(row[0])["counts"]["infections"] for row in entries] == [1]


def test_file_called_infected_by_mistake_passes_with_newer_patterns(town: Town, clamd: FakeClamd) -> None:
    """Retried as any refused package, it is scanned again."""
    town.publish(count=5)
    clamd.infect(*outbox(town))
    assert work(town) == ""
    (listed,) = juki("package", "list", "--json").data["packages"]
    assert juki("package", "retry", listed["id"]).code == 0
    assert work(town) == ""
    assert states(town) == [(1, "refused", Code.PACKAGE_INFECTED.value)]
    clamd.infected.clear()
    assert juki("package", "retry", listed["id"]).code == 0
    assert work(town) == ""
    assert states(town) == [(1, "applied", None)]


def test_without_its_scanner_nothing_is_fetched_and_it_goes_on_by_itself(town: Town) -> None:
    """The status names why; the next run after the scanner is back needs nobody."""
    town.publish(count=5)
    before = [(path.name, path.stat().st_mtime_ns) for path in outbox(town)]
    with fake_clamd() as fake:
        address = fake.address
    with scanned(town.home, address):
        assert work(town) == Code.SCANNER_UNREACHABLE.value
        assert (states(town), spooled(town)) == ([], [])
        said = status(town)
        assert said["channel"]["reasons"][0]["code"] == Code.SCANNER_UNREACHABLE.value
        assert said["scanner"]["reason"]["code"] == Code.SCANNER_UNREACHABLE.value
        shown = juki("scanner", "show")
        assert (shown.code, "[scanner.unreachable]" in shown.out) == (1, True)
        assert [(path.name, path.stat().st_mtime_ns) for path in outbox(town)] == before
        Path(address).parent.mkdir()
        with fake_clamd(address):
            assert work(town) == ""
            said = status(town)
        Path(address).parent.rmdir()
    assert states(town) == [(1, "applied", None)]
    assert (said["channel"]["state"], said["scanner"]["state"]) == ("normal", "fresh")


def test_old_patterns_stop_the_intake_until_they_are_renewed(town: Town, clamd: FakeClamd) -> None:
    """Nothing is fetched or streamed; the page shows of when the patterns are and what to do."""
    clamd.patterns_at = datetime.now(UTC) - timedelta(hours=49)
    town.publish(count=5)
    assert work(town) == Code.SCANNER_PATTERNS_OLD.value
    assert (states(town), clamd.scanned) == ([], [])
    page = juki("status")
    assert page.code == 1
    assert "ウイルス検査: 止まっています [scanner.patterns_old]" in page.out
    assert Code.SCANNER_PATTERNS_OLD.next_step in page.out
    clamd.patterns_at = datetime.now(UTC)
    assert work(town) == ""
    assert states(town) == [(1, "applied", None)]


def _garbage(_link: socket.socket, _content: bytes) -> bytes:
    return b"stream: OK\0stream: OK\0"


def test_package_waits_where_it_is_when_the_scanner_fails_in_the_middle_of_a_run(
    town: Town, clamd: FakeClamd
) -> None:
    """Fetched, registered, not opened and not refused: the sender did nothing wrong."""
    town.publish(count=5)
    clamd.answer = _garbage
    assert work(town) == Code.SCANNER_ANSWER.value
    assert states(town) == [(1, "received", None)]
    assert status(town)["channel"]["reasons"][0]["code"] == Code.SCANNER_ANSWER.value
    assert not (town.home.quarantine / str(town.channel)).exists() or not list(
        (town.home.quarantine / str(town.channel)).iterdir()
    )
    clamd.answer = None
    assert work(town) == ""
    assert states(town) == [(1, "applied", None)]


class _Undelivered:
    """A run that ends before it delivers its answers."""

    fn = staticmethod(lambda _channel: 0)


def test_answer_that_is_due_leaves_although_nothing_may_come_in(town: Town, clamd: FakeClamd) -> None:
    """What goes out needs no scanner: the municipality gets its receipt."""
    town.publish(count=5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channels, "deliver_receipts", _Undelivered)
        assert work(town) == ""
    clamd.patterns_at = None
    assert work(town) == Code.SCANNER_PATTERNS_UNDATED.value
    assert len(list((town.office.folder / "inbox").glob("*.p7m"))) == 1


def test_scanning_that_is_off_is_said_and_stops_nothing(town: Town) -> None:
    """As it comes out of the box: in one line, every time."""
    town.publish(count=5)
    assert work(town) == ""
    said = status(town)
    assert said["scanner"]["state"] == "off"
    assert said["scanner"]["reason"]["code"] == Code.SCANNER_OFF.value
    assert "ウイルス検査: していません" in juki("scanner", "show").out
