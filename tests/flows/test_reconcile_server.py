"""A reconciliation on a real Prefect server and worker: seen failed, re-run as from the screens, ends equal."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from juki.credentials import Credentials
from juki.differences import Mode
from juki.reasons import Code
from simulator import installation
from simulator.sftp_server import Server, make_key, public_line, serve
from simulator.snapshots import SnapshotFault
from tests.flows.conftest import CODES, Town
from tests.flows.prefect_site import Site, site
from tests.flows.reconciling import FIRST, Round, answering, runs

SETTINGS = {"JUKI_SNAPSHOT_WAIT_SECONDS": "60", "JUKI_CONNECT_ATTEMPTS": "1"}


class Line:
    """The CS of a town on a port of its own, so that it can be away and come back as itself."""

    def __init__(self, town: Town) -> None:
        self.town, self.key = town, make_key()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        installation.register(town.home, town.made, Server(self.port, public_line(self.key)))

    @contextmanager
    def up(self) -> Iterator[None]:
        """Let the CS be there while the block runs."""
        client = Credentials(self.town.home.keys).sftp_public_key.read_text().strip()
        folder, accounts = installation.folder(self.town.home) / "cs", dict.fromkeys(CODES, client)
        with serve(folder, accounts, self.key, port=self.port):
            yield


@pytest.fixture
def here(town: Town) -> Round:
    """A town in good order."""
    return Round(town)


@pytest.fixture
def line(here: Round) -> Iterator[Line]:
    """The town's CS, away for now."""
    with here.town.registrations():
        yield Line(here.town)


def nothing_personal(here: Round, site: Site) -> None:
    """Whatever the server keeps of all runs says nothing of anybody."""
    said = site.everything()
    people = [row for table in here.town.tables.values() for row in table.slice(0, FIRST).to_pylist()]
    columns = ("resident_code", "individual_number", "name", "name_kana", "address", "former_name", "alias")
    values = {row[name] for row in people for name in columns if row[name]}
    assert len(values) > FIRST
    assert [value for value in values if value in said or json.dumps(value)[1:-1] in said] == []


def test_failed_reconciliation_is_run_again_from_the_screens_and_ends_equal(
    here: Round, line: Line, tmp_path: Path
) -> None:
    """The CS is down: failed with its code. It comes back: the same run, retried, repairs and ends equal."""
    here.spoil("UPDATE current SET address = '別の所' WHERE notice_no = 5")
    with site(here.town, tmp_path, **SETTINGS) as prefect:
        run = prefect.start(here.town.channel, Mode.REPAIR)
        state = prefect.ended(run)
        assert state["type"] == "FAILED"
        assert f"[{Code.CHANNEL_UNREACHABLE.value}]" in state["message"]
        name = prefect.get(f"/flow_runs/{run}")["name"]
        assert re.fullmatch(r"352039 山口市 本人確認情報 修復まで \d{4}-\d\d-\d\d \d\d:\d\d", name)
        assert {key: one["data"] for key, one in prefect.artifacts().items()} == {
            "reconciliation-352039-resident-progress": 5.0
        }
        with line.up(), answering(here.town, here.truth):
            prefect.retry(run)
            assert prefect.ended(run, times=2)["type"] == "COMPLETED"
        assert runs(here.town, "mode", "is_equal", "repaired", "code") == [("repair", True, 1, None)]
        shows_what_was_found(prefect, here.town)
        with line.up(), answering(here.town, here.truth, SnapshotFault.HALF):
            again = prefect.start(here.town.channel, Mode.PROPOSE)
            state = prefect.ended(again)
        assert state["type"] == "FAILED"
        assert f"[{Code.RECONCILIATION_BEYOND_BOUND.value}]" in state["message"]
        assert (
            "juki difference approve --run R" in prefect.artifacts()["reconciliation-352039-resident"]["data"]
        )
        nothing_personal(here, prefect)


def shows_what_was_found(prefect: Site, town: Town) -> None:
    """A page, a table and a picture of the channel, with the counts of the run."""
    found = prefect.artifacts()
    key = f"reconciliation-{town.channel.municipality_code}-{town.channel.file.value}"
    page, table, plot = found[key], found[f"{key}-table"], found[f"{key}-plot"]
    assert found[f"{key}-progress"]["data"] == 100.0
    assert (page["type"], table["type"], plot["type"]) == ("markdown", "table", "image")
    assert "差異 1 件を修復し、**一致しました。**" in page["data"]
    counts = {row["名称"]: row["件数"] for row in json.loads(table["data"])}
    assert (counts["内容相違"], counts["当方になし"], counts["住所"]) == (1, 0, 1)
    assert plot["data"].startswith("data:image/")
