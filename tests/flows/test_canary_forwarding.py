"""Marked people told to J-LIS by the real flow in the real engine: their marks are in the sealed package alone."""

from __future__ import annotations

from datetime import UTC, datetime

from config.stores import DATABASES, PREFECT_DATABASE
from juki.columns import IdentityFile
from juki.packages import PackageName
from juki.reasons import Code
from juki.wire.envelope import open_envelope
from simulator.installation import PREFECTURE_CODE
from simulator.jlis import Jlis, register
from tests.canary import found_in, found_in_files
from tests.flows.conftest import RESIDENT
from tests.flows.test_canary import (
    ALL_MARKS,
    FUHYO,
    LEAKED,
    MARKS,
    Canary,
    _dump,
    _end,
    _marked,
    _places,
    canary,
)
from tests.lineage_oracle import events_of, stages

__all__ = ["canary"]

TABLES = ("jlis_package", "jlis_message", "outbox", "journal")


def _content(jlis: Jlis, file: IdentityFile) -> bytes:
    """Open the package of a file as J-LIS does."""
    (path,) = jlis.delivery.glob(f"*-{file.value}-jlis-*.p7m")
    assert PackageName.parse(path.name).sequence == 1
    sender, keys = jlis.prefecture.prefecture_as_sender(PREFECTURE_CODE), [jlis.office.receiver.recipient()]
    return open_envelope(path.read_bytes(), recipient=keys, sender=sender, at=datetime.now(UTC))


def test_marked_people_are_told_to_jlis_and_leave_no_trace_anywhere_else(canary: Canary) -> None:
    """A run that fails with the updates in its hands, one that tells them, a report that names them, answers."""
    town = canary.of(RESIDENT)
    jlis = register(town.home, town.made)
    canary.send(1, lambda file: _marked(file, {"kind": "entry", "reason": "職権記載等"}))
    assert canary.run() == "done"
    assert canary.run("forward fail") == Code.RUN_UNEXPECTED.value
    assert jlis.delivery.exists() and list(jlis.delivery.iterdir()) == []
    assert canary.run("forward") == "done"
    for file in IdentityFile:
        told = found_in(_content(jlis, file), MARKS[file])
        assert {hit.split(":")[0] for hit in told} == set(MARKS[file])
    number = {"individual_number": MARKS[RESIDENT]["individual_number"]}
    assert found_in(_content(jlis, FUHYO), number) == set()
    lines = [{"resident_code": MARKS[RESIDENT]["resident_code"], "columns": "name"}]
    jlis.work(datetime.now(UTC))
    jlis.report(RESIDENT, lines, datetime.now(UTC))
    jlis.report(RESIDENT, [lines[0] | {"columns": MARKS[RESIDENT]["name"]}], datetime.now(UTC))
    assert canary.run("forward") == "done"
    assert town.rows("SELECT state, code FROM jlis_message ORDER BY kind, sequence") == [
        ("taken", None), ("taken", None), ("refused", Code.JLIS_REPORT_LINE.value),
    ]  # fmt: skip
    assert canary.run("leak " + " ".join(LEAKED.values())) == "ValueError"
    shown = [
        town.juki("jlis", *words) for words in (("list", "--json"), ("show", "R1"), ("list", "--messages"))
    ]
    _end(canary)
    for place, search in _places(canary).items():
        assert search(ALL_MARKS) == set(), place
    assert found_in("\n".join(one.stdout + one.stderr for one in shown).encode(), ALL_MARKS) == set()
    for folder in (jlis.delivery, jlis.arrivals):
        assert found_in_files(folder, ALL_MARKS) == set()
    for file in IdentityFile:
        assert found_in(_dump(town, DATABASES[file], TABLES), ALL_MARKS) == set()
    assert stages(events_of(town.home), "forward") == [
        "START",
        "FAIL",
        "START",
        "COMPLETE",
        "START",
        "COMPLETE",
    ]
    everything = _dump(town, PREFECT_DATABASE)
    assert found_in(everything, LEAKED) and "J-LISへの通知".encode() in everything
