"""How much of a CS may lie on our disk: what has no room stays with it, is seen, and comes later."""

from __future__ import annotations

import json
from typing import Any

import pytest

from juki.quota import BLOCK_BYTES, Quota
from juki.reasons import Code
from simulator.faults import Fault
from tests.flows.channel_worker import work
from tests.flows.conftest import Town

PLENTY = 1024 * BLOCK_BYTES


def _channel(town: Town) -> dict[str, Any]:
    """What `juki status` says of the channel."""
    said = json.loads(town.juki("status", "--json").stdout)
    (one,) = (
        one
        for one in said["channels"]
        if (one["municipality_code"], one["file"]) == (town.channel.municipality_code, "resident")
    )
    return one


def _codes(town: Town) -> list[str]:
    return [reason["code"] for reason in _channel(town)["reasons"]]


def _publish_five(town: Town) -> int:
    """Lay five packages out of which the first is missing; return the blocks of the largest, in bytes."""
    town.publish(count=2, fault=Fault.GAP)
    for first in (2, 4, 6, 8):
        town.publish(first=first, count=2)
    sizes = [path.stat().st_size for path in (town.office.folder / "outbox").glob("*.p7m")]
    assert len(sizes) == 4
    return -(-max(sizes) // BLOCK_BYTES) * BLOCK_BYTES


def test_files_beyond_the_spool_quota_stay_at_the_cs_and_come_when_there_is_room(town: Town) -> None:
    """A gap fills the spool: the rest waits outside, named in the status; the missing one is let in and frees all."""
    quota = Quota(2 * _publish_five(town), PLENTY)
    assert work(town, quota) == 0
    assert town.rows("SELECT sequence, state FROM package") == [(2, "received"), (3, "received")]
    assert town.rows("SELECT deferred_files, deferred_code FROM channel") == [(2, "channel.spool_quota")]
    assert _codes(town) == [Code.CHANNEL_GAP.value, Code.CHANNEL_SPOOL_QUOTA.value]
    assert _channel(town)["deferred_files"] == 2
    assert len(list((town.office.folder / "outbox").glob("*.p7m"))) == 4
    town.office.heal()
    assert work(town, quota) == 0
    assert town.rows("SELECT count(*), count(*) FILTER (WHERE state = 'applied') FROM package") == [(5, 5)]
    assert town.rows("SELECT count(*) FROM current") == [(10,)]
    assert town.rows("SELECT deferred_files, deferred_code FROM channel") == [(0, None)]
    assert _channel(town)["state"] == "normal"


def test_full_quarantine_stops_the_fetching_and_loses_no_evidence(town: Town) -> None:
    """Refused files fill it: nothing more comes, all that was refused stays, and room lets the good one in."""
    town.publish(count=5, fault=Fault.TAMPERED)
    assert work(town) == 0
    (kept,) = town.home.quarantine.rglob("*.p7m")
    evidence = kept.read_bytes()
    town.office.heal()
    assert work(town, Quota(PLENTY, BLOCK_BYTES)) == 0
    assert town.rows("SELECT state FROM package") == [("refused",)]
    assert kept.read_bytes() == evidence
    channel = _channel(town)
    assert (channel["state"], channel["deferred_files"]) == ("failing", 1)
    reason = next(one for one in channel["reasons"] if one["code"] == Code.CHANNEL_QUARANTINE_QUOTA.value)
    assert reason["next_step"]
    assert work(town) == 0
    assert town.rows("SELECT count(*) FROM current") == [(5,)]
    assert kept.read_bytes() == evidence
    assert _channel(town)["state"] == "normal"


def test_run_tells_that_files_were_left(town: Town) -> None:
    """`juki intake` ends with 1 and the reason, not with an empty all-clear."""
    (town.office.folder / "outbox").mkdir(parents=True, exist_ok=True)
    town.publish(count=2)
    kept = town.home.quarantine / str(town.channel)
    kept.mkdir(parents=True, exist_ok=True)
    with (kept / "0-left.p7m").open("wb") as file:
        file.truncate(600 * 1024**2)
    done = town.juki("intake", "--municipality", town.channel.municipality_code, "--file", "resident")
    assert done.returncode == 1, done.stderr
    assert Code.CHANNEL_QUARANTINE_QUOTA.value in done.stdout
    assert town.rows("SELECT count(*) FROM package") == [(0,)]


@pytest.mark.parametrize("size", [0, 1])
def test_parts_of_broken_transfers_do_not_pile_up(town: Town, size: int) -> None:
    """Neither those of files that are offered no more nor those an earlier version left in the spool."""
    town.publish(count=2)
    spool = town.home.spool / str(town.channel)
    (spool / "arriving").mkdir(parents=True, exist_ok=True)
    for folder in (spool, spool / "arriving"):
        (folder / ".352039-resident-notice-00000007.p7m.9.9.part").write_bytes(b"x" * size)
    assert work(town) == 0
    assert [path for path in town.home.spool.rglob("*") if path.is_file()] == []
