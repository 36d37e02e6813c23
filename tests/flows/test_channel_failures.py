"""What fails in a channel and how it goes on: our own lists, a CS that is down or not itself, replaced files."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import serialization

from juki.columns import IdentityFile
from juki.order import Channel
from juki.reasons import Code
from simulator import installation, pki
from simulator.faults import Fault
from simulator.sftp_server import make_key, public_line
from tests.flows.channel_worker import FAILED, work
from tests.flows.conftest import CODES, Town

RESIDENT = IdentityFile.RESIDENT
DAY = timedelta(days=1)


@contextmanager
def _registered(town: Town, old: str, new: str) -> Iterator[None]:
    """Change the registration of the channel's municipality for a while."""
    with town.registrations() as path:
        parts = path.read_text("utf-8").split("[[municipality]]")
        changed = [
            part.replace(old, new, 1) if f'code = "{town.channel.municipality_code}"' in part else part
            for part in parts
        ]
        assert changed != parts
        path.write_text("[[municipality]]".join(changed), "utf-8")
        yield


def _status(town: Town) -> dict[str, Any]:
    said = json.loads(town.juki("status", "--json").stdout)
    wanted = (town.channel.municipality_code, "resident")
    (one,) = (one for one in said["channels"] if (one["municipality_code"], one["file"]) == wanted)
    return one


def _entries(town: Town, action: str) -> list[dict[str, Any]]:
    rows = town.rows(f"SELECT entry FROM journal WHERE action = '{action}' ORDER BY entry_no")
    return [json.loads(row[0]) for row in rows]


# -- revocation lists of ours -----------------------------------------------------------------------------


def _put_list(town: Town, issued_at: datetime) -> None:
    folder = installation.folder(town.home) / "pki"
    root = pki.build(folder, CODES).root
    listed = pki.revocation_list(root, [], issued_at)
    (folder / "root.crl").write_bytes(listed.public_bytes(serialization.Encoding.PEM))


def test_package_waits_for_a_renewed_revocation_list_and_then_goes_on_by_itself(town: Town) -> None:
    """Our list has run out: nobody is refused, the status says what to do, and the renewal is enough."""
    town.publish(count=5)
    with _registered(town, "\nport", '\nrevocation_lists = ["exercise/pki/root.crl"]\nport'):
        _put_list(town, datetime.now(UTC) - 31 * DAY)
        assert work(town) == FAILED
        assert town.rows("SELECT state, code FROM package") == [("received", None)]
        status = _status(town)
        assert status["state"] == "failing"
        assert status["reasons"][0]["code"] == Code.REVOCATION_LIST_OUTDATED.value
        assert status["reasons"][0]["next_step"]
        assert not list(town.home.quarantine.rglob("*.p7m"))
        # Issued after the receipt: as of the receipt it would not be in force yet.
        renewed_at = datetime.now(UTC) + timedelta(hours=1)
        _put_list(town, renewed_at)
        assert work(town, at=renewed_at + timedelta(minutes=1)) == 0
        assert town.rows("SELECT state FROM package") == [("applied",)]
        assert _status(town)["state"] == "normal"


def test_certificate_that_ran_out_while_the_package_waited_is_still_good(town: Town) -> None:
    """Validity is that of the receipt: years later the package is applied, once our list is of that time."""
    town.publish(count=5)
    assert town.work("read from the spool") == -signal.SIGKILL
    later = datetime.now(UTC) + 365 * 30 * DAY
    with _registered(town, "\nport", '\nrevocation_lists = ["exercise/pki/root.crl"]\nport'):
        _put_list(town, datetime.now(UTC) - DAY)
        assert work(town, at=later) == FAILED
        assert town.rows("SELECT state FROM package") == [("received",)]
        _put_list(town, later - DAY)
        assert work(town, at=later) == 0
        assert town.rows("SELECT state FROM package") == [("applied",)]


def test_receipts_are_delivered_while_a_package_waits_for_our_list(town: Town) -> None:
    """One step that can not go on does not keep the others: the answer that is due still goes out."""
    town.publish(count=5)
    assert town.work("settled, receipt not delivered") == -signal.SIGKILL
    town.publish(first=5, count=5)
    with _registered(town, "\nport", '\nrevocation_lists = ["exercise/pki/root.crl"]\nport'):
        _put_list(town, datetime.now(UTC) - 31 * DAY)
        assert work(town) == FAILED
    assert [path.name[-12:] for path in (town.office.folder / "inbox").iterdir()] == ["00000001.p7m"]
    assert town.rows("SELECT state FROM package ORDER BY sequence") == [("applied",), ("received",)]
    assert work(town) == 0
    assert town.rows("SELECT count(*) FROM current") == [(10,)]


def test_gap_that_is_put_aside_does_not_shorten_the_deadline_of_the_next(town: Town) -> None:
    """A wrong number waited for long and was put aside: a later gap counts from its own first sight."""
    town.publish(count=2, fault=Fault.GAP)
    town.publish(first=2, count=2)
    assert work(town) == 0
    (listed,) = json.loads(town.juki("package", "list", "--json").stdout)["packages"]
    assert town.juki("package", "release", listed["id"], "--reason", "番号の誤り").returncode == 0
    assert work(town) == 0
    assert town.rows("SELECT gap_since FROM channel") == [(None,)]
    assert _status(town)["state"] == "normal"


# -- a CS that is down or not itself ----------------------------------------------------------------------


def test_packages_in_the_spool_are_worked_although_the_cs_is_unreachable(town: Town) -> None:
    """The run applies what it has, then says what failed; the receipt follows when the CS is back."""
    town.publish(count=5)
    assert town.work("read from the spool") == -signal.SIGKILL
    assert town.rows("SELECT state FROM package") == [("received",)]
    with _registered(town, "\nport = ", "\nport = 1 #"):
        assert work(town) == FAILED
        assert town.rows("SELECT count(*) FROM current") == [(5,)]
        status = _status(town)
        assert [one["code"] for one in status["reasons"]] == ["channel.unreachable", "channel.receipt_due"]
    assert _entries(town, "connection.refused") == []
    assert work(town) == 0
    assert len(list((town.office.folder / "inbox").glob("*.p7m"))) == 1
    assert _status(town)["state"] == "normal"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("host_key = ", f'host_key = "{public_line(make_key())}" #', Code.CHANNEL_HOST_KEY),
        ("\naccount = ", '\naccount = "nobody" #', Code.CHANNEL_LOGIN),
    ],
    ids=["host key", "login"],
)
def test_refused_connection_is_in_the_operation_log_once_a_run(
    town: Town, old: str, new: str, code: Code
) -> None:
    """M2: who is not who it should be, or lets us not in, is logged; not at every retry, but every run."""
    town.publish(count=5)
    with _registered(town, old, new):
        assert work(town) == FAILED
        (entry,) = _entries(town, "connection.refused")
        assert (entry["code"], entry["outcome"]) == (code.value, "refused")
        assert (entry["municipality_code"], entry["package"]) == (town.channel.municipality_code, "")
        assert work(town) == FAILED
        assert len(_entries(town, "connection.refused")) == 2
        assert _status(town)["reasons"][0]["code"] == code.value
    assert work(town) == 0
    assert _status(town)["state"] == "normal"


# -- replaced while waiting -------------------------------------------------------------------------------


def _rewritten(town: Town) -> tuple[Path, bytes]:
    """Let the second package wait behind a gap, then write it anew; return the old bytes."""
    town.publish(count=5, fault=Fault.GAP)
    town.publish(first=5, count=5)
    assert town.work() == 0
    path = town.office.folder / "outbox" / f"{town.channel}-notice-00000002.p7m"
    old = path.read_bytes()
    _rewrite(path, old[:-40] + bytes([old[-40] ^ 1]) + old[-39:])
    return path, old


def _rewrite(path: Path, data: bytes) -> None:
    later = path.stat().st_mtime + 5
    path.write_bytes(data)
    os.utime(path, (later, later))


def test_package_replaced_while_it_waits_is_kept_logged_and_listed(town: Town) -> None:
    """The first file is evidence; the one in its place is judged when its turn comes."""
    path, old = _rewritten(town)
    assert town.work() == 0
    assert town.rows("SELECT state, code FROM package ORDER BY package_id") == [
        ("replaced", "package.replaced"),
        ("received", None),
    ]
    (kept,) = town.home.quarantine.rglob("*.p7m")
    assert kept.read_bytes() == old
    (entry,) = _entries(town, "package.replaced")
    assert (entry["package"], entry["code"]) == (path.name, "package.replaced")
    assert f"R{entry['package_id']}\t" in town.juki("package", "list").stdout
    assert "差替え\t" in town.juki("package", "list").stdout
    town.office.heal()
    _rewrite(path, old)
    assert town.work() == 0
    assert town.rows("SELECT count(*) FROM current") == [(10,)]
    assert len(list(town.home.quarantine.rglob("*.p7m"))) == 2
    assert _status(town)["state"] == "normal"


def test_same_file_laid_out_again_replaces_nothing(town: Town) -> None:
    """Touched, not changed: one package, no evidence, no entry, and it is not fetched for ever."""
    path, old = _rewritten(town)
    _rewrite(path, old)
    for _ in range(2):
        assert town.work() == 0
    assert town.rows("SELECT state FROM package") == [("received",)]
    assert list(town.home.quarantine.rglob("*.p7m")) == []
    assert _entries(town, "package.replaced") == []
    town.office.heal()
    assert town.work() == 0
    assert town.rows("SELECT count(*) FROM current") == [(10,)]


@pytest.mark.parametrize(
    "point",
    [
        "quarantined, not said",
        "journalled, not committed",
        "admitted, not committed",
        "registered, not committed",
    ],
)
def test_replacement_is_logged_once_and_keeps_the_old_file_wherever_the_worker_dies(
    town: Town, point: str
) -> None:
    """Also when the new file lies in the place of the old one already: it must not be kept as the old one."""
    _, old = _rewritten(town)
    assert town.work(point) == -signal.SIGKILL
    assert town.work() == 0
    assert town.rows("SELECT state FROM package ORDER BY package_id") == [("replaced",), ("received",)]
    assert len(_entries(town, "package.replaced")) == 1
    (kept,) = town.home.quarantine.rglob("*.p7m")
    assert kept.read_bytes() == old


def test_file_the_spool_lost_is_logged_and_fetched_again(town: Town) -> None:
    """Somebody emptied the spool: the package is listed as lost, and comes once more by itself."""
    town.publish(count=5)
    assert town.work("read from the spool") == -signal.SIGKILL
    for path in town.home.spool.rglob("*.p7m"):
        path.write_bytes(b"swapped")
    assert town.work() == 0
    assert town.rows("SELECT state, code FROM package") == [("replaced", "package.spool_lost")]
    (entry,) = _entries(town, "package.replaced")
    assert entry["code"] == "package.spool_lost"
    assert town.work() == 0
    assert town.rows("SELECT count(*) FROM current") == [(5,)]
    assert _status(town)["state"] == "normal"


# -- what J-LIS is told -----------------------------------------------------------------------------------


def _with(table: pa.Table, **values: str) -> pa.Table:
    for name, value in values.items():
        column = pa.array([value] * table.num_rows, pa.string())
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def test_late_notice_is_no_update_that_jlis_is_told_of(town: Town) -> None:
    """The person has moved on and stands elsewhere: the late deletion is history, the other entry an update."""
    here, there = (Channel(code, RESIDENT) for code in CODES)
    person, other = (town.tables[here.municipality_code].slice(n, 1) for n in (0, 1))
    now = datetime.now(UTC)
    town.office.publish(RESIDENT, person, now)
    assert town.work() == 0
    town.channel = there
    moved = _with(
        person, municipality_code=there.municipality_code, reason="国内転入", notified_at=_at(now, 0),
        event_date=f"{now - DAY:%Y-%m-%d}",
    )  # fmt: skip
    town.office.publish(RESIDENT, moved, now)
    assert town.work() == 0
    town.channel = here
    left = _with(
        person, notice_no="2", kind="deletion", reason="国内転出", notified_at=_at(now, 1),
        event_date=f"{now - DAY:%Y-%m-%d}",
    )  # fmt: skip
    town.office.publish(RESIDENT, pa.concat_tables([left, _with(other, notice_no="3")]), now)
    assert town.work() == 0
    counts = "SELECT accepted + alerted, rejected FROM package WHERE sequence = 2"
    assert town.rows(counts) == [(2, 0)]
    assert town.rows("SELECT changes FROM outbox ORDER BY package_id") == [(1,), (1,), (1,)]
    assert town.rows("SELECT count(*) FROM history WHERE kind = 'deletion'") == [(1,)]


def _at(now: datetime, hours_ago: int) -> str:
    return (now - timedelta(hours=hours_ago)).isoformat(timespec="seconds")


# -- keys -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"00" * 32 + b"\n"], ids=["missing", "other"])
def test_intake_with_keys_that_are_not_those_of_the_store_does_nothing_and_says_so(
    town: Town, content: bytes
) -> None:
    """Neither fetched nor applied; the status names the code, and the right key is enough to go on."""
    town.publish(count=5)
    path = town.home.keys / "resident-index-1.key"
    good = path.read_bytes()
    try:
        path.unlink()
        if content:
            path.write_bytes(content)
            path.chmod(0o600)
        assert work(town) == FAILED
        assert town.rows("SELECT count(*) FROM package") == [(0,)]
        reason = _status(town)["reasons"][0]
        assert reason["code"] == (Code.KEY_OTHER if content else Code.KEY_MISSING).value
        assert reason["next_step"]
        # The step that applies asks once more, in its own transaction.
        assert town.work() != 0
        assert town.rows("SELECT count(*) FROM current") == [(0,)]
    finally:
        path.write_bytes(good)
        path.chmod(0o600)
    assert work(town) == 0
    assert town.rows("SELECT count(*) FROM current") == [(5,)]
