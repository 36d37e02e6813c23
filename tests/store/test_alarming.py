"""An alarm is logged and told together, once a day for what it is about, and `juki status` says how the site is."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from juki.alarms import Alarm, AlarmKind
from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.home import Home
from juki.notifications import Notifications
from juki.oplog.alarming import _raised_today, raise_alarm
from juki.processes import identity_of
from juki.reasons import Code
from juki.site import SiteFiles, SiteNote
from juki.store.roles import Duty
from juki.store.tables import TABLES
from juki.store.unit import open_unit
from tests.conftest import Stores
from tests.console import FUHYO, RESIDENT, Console


@pytest.fixture
def console(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation with empty stores."""
    return Console(home, module_stores, monkeypatch, capsys)


def _told(console: Console) -> Notifications:
    return Notifications(console.home.notifications)


def _raise(console: Console, alarm: Alarm, url: str = "") -> bool:
    url = url or console.stores.url(alarm.file)
    return raise_alarm(url, alarm, "flow-run:1", _told(console), alarm.at, is_posted=True)


def _entries(console: Console, file: IdentityFile) -> list[dict[str, Any]]:
    with psycopg.connect(console.stores.url(file)) as connection:
        rows = connection.execute("SELECT entry FROM journal WHERE action = 'alarm.raised' ORDER BY entry_no")
        return [json.loads(row[0]) for row in rows]


def test_the_same_alarm_is_logged_and_told_once_a_day(console: Console) -> None:
    """A purge that fails every five minutes is one letter; the next day it is another."""
    alarm = Alarm(AlarmKind.PURGE_OVERDUE, "purge", console.now, "flow-run:7")
    assert _raise(console, alarm)
    assert not _raise(console, Alarm(AlarmKind.PURGE_OVERDUE, "purge", console.now, "flow-run:8"))
    assert _raise(console, Alarm(AlarmKind.PURGE_OVERDUE, "purge", console.now + timedelta(days=1)))
    first, second = _entries(console, RESIDENT)
    assert first["code"] == second["code"] == "alarm.purge_overdue"
    assert (first["basis"], first["actor"]) == ("purge flow-run:7", "flow-run:1")
    assert _told(console).waiting == len(_told(console).lines_file.read_text("utf-8").splitlines()) == 2


def test_alarms_of_other_kinds_objects_and_files_are_others(console: Console) -> None:
    """Each stands in the log of its file."""
    about = "reconcile:352039-fuhyo"
    assert _raise(console, Alarm(AlarmKind.RUN_LATE, "intake", console.now))
    assert _raise(console, Alarm(AlarmKind.RUN_CRASHED, "intake", console.now))
    assert _raise(console, Alarm(AlarmKind.RUN_LATE, "purge", console.now))
    kind = AlarmKind.RECONCILIATION_FAILED
    assert _raise(console, Alarm(kind, about, console.now, "", FUHYO, "352039"))
    assert [one["basis"] for one in _entries(console, RESIDENT)] == ["intake", "intake", "purge"]
    assert [one["municipality_code"] for one in _entries(console, FUHYO)] == ["352039"]


def test_nothing_is_logged_that_could_not_be_told(console: Console) -> None:
    """Else the next run would take it for told."""
    console.home.notifications.write_text("")
    with pytest.raises(StoreError) as refused:
        _raise(console, Alarm(AlarmKind.RUN_LATE, "intake", console.now))
    assert refused.value.code is Code.NOTIFICATION_UNWRITTEN
    assert _entries(console, RESIDENT) == []


def test_an_alarm_is_told_also_when_the_log_is_away(console: Console) -> None:
    """The database that is down is itself a reason to wake somebody."""
    with pytest.raises(StoreError):
        _raise(
            console, Alarm(AlarmKind.RUN_LATE, "intake", console.now), "postgresql://nobody@127.0.0.1:1/none"
        )
    assert _told(console).waiting == 1


def test_alarms_of_today_are_found_without_reading_the_whole_log(console: Console) -> None:
    """Everybody who writes waits for the end of the log meanwhile: a log of years would hold up the intake."""
    earlier = """INSERT INTO journal (entry_no, entry, leaf_hash, frontier)
        SELECT n, format('{"action":"%s","recorded_at":"2026-%s"}', kind, n), '', ''
        FROM generate_series(1, 20000) n,
             LATERAL (SELECT CASE WHEN n % 200 = 0 THEN 'alarm.raised' ELSE 'package.applied' END AS kind) k"""
    with psycopg.connect(console.stores.url(RESIDENT), autocommit=True) as connection:
        connection.execute(earlier)
        connection.execute("ANALYZE journal")
    alarm = Alarm(AlarmKind.RUN_LATE, "intake", console.now)
    with open_unit(console.stores.url(RESIDENT), RESIDENT, Duty.AUDITOR) as unit:
        narrowed = unit.journal_reader._narrowed(_raised_today(alarm))
        query = select(TABLES[RESIDENT].journal.c.entry).where(*narrowed)
        query = query.order_by(TABLES[RESIDENT].journal.c.entry_no.desc()).limit(10_000)
        shown = str(query.compile(unit.connection, compile_kwargs={"literal_binds": True}))
        plan = "\n".join(unit.connection.exec_driver_sql("EXPLAIN " + shown.replace("%", "%%")).scalars())
    assert "journal_alarm_idx" in plan and "Seq Scan" not in plan


def _note(console: Console, supervisor: str, **said: Any) -> None:
    at = console.now.isoformat()
    SiteFiles(console.home).write(SiteNote(supervisor, 4200, at, **{"beat": at, "is_working": True} | said))


def test_status_says_whether_schedules_run(console: Console) -> None:
    """Never started is a fact; started and dead, deaf, or letters that wait are alarms."""
    console.contact_all()
    down = console.juki("status", "--json")
    assert (down.code, down.data["site"]["state"], down.data["alarms"]) == (0, "down", [])
    _note(console, identity_of(os.getpid()), is_ready=True, is_answering=True)
    running = console.juki("status", "--json")
    assert (running.code, running.data["site"]["state"]) == (0, "up")
    assert "http://127.0.0.1:4200" in console.juki("status").out
    _note(console, identity_of(os.getpid()), is_ready=True)
    assert [one["code"] for one in console.juki("status", "--json").data["alarms"]] == ["site.silent"]
    _note(console, identity_of(os.getpid()), is_ready=True, is_answering=True, is_working=False)
    deaf = console.juki("status", "--json")
    assert (deaf.code, deaf.data["site"]["state"]) == (1, "troubled")
    assert [one["code"] for one in deaf.data["alarms"]] == ["site.worker_silent"]
    _note(console, f"{os.getpid()}:1", is_ready=True, is_answering=True)
    _told(console).tell(Alarm(AlarmKind.RUN_LATE, "intake", console.now), is_posted=True)
    broken = console.juki("status", "--json")
    assert [one["code"] for one in broken.data["alarms"]] == ["site.broken", "notification.undelivered"]
    assert broken.code == 1 and broken.data["site"]["unsent_letters"] == 1


def test_the_database_is_not_stopped_under_a_running_site(console: Console) -> None:
    """`juki stop` says what to do first; `juki down` without a site has nothing to do and says so."""
    _note(console, identity_of(os.getpid()), is_ready=True, is_answering=True)
    refused = console.juki("stop", "--json")
    assert (refused.code, refused.data["error"]["code"]) == (2, Code.SITE_RUNNING.value)
    SiteFiles(console.home).forget()
    assert console.juki("down", "--json").data == {"stopped": False, "database_stopped": False}
