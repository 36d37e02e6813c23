"""`juki up` as a user has it: locked, scheduled, watched over; what dies in it is put right; `down` leaves nothing.

One site for the whole file: its processes import for many seconds.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.schedules import wanted_deployments
from config.settings import load_settings
from flows.serving.automations import PREFIX, automations
from flows.serving.children import of_the_site, worker_name
from juki.columns import IdentityFile
from juki.errors import SourceError
from juki.reasons import Code
from juki.site import SiteState
from juki.wire.site_schedules import drop_surplus
from tests.flows.conftest import Town
from tests.flows.site_canary import SiteCanary, site_places
from tests.flows.site_of_town import TownSite, command_of, eventually, kill, site_of
from tests.flows.test_canary import ALL_MARKS, LEAKED, _marked, _refusing_the_marked, _spoilt
from tests.lineage_oracle import events_of
from tests.smtp_sink import smtp_sink

DEPLOYMENTS = {"intake", "reconcile", "provide", "purge", "checkpoint", "forward", "alarm"}


@pytest.fixture(scope="module")
def site(built: Town) -> Iterator[TownSite]:
    """A site that was started once, with everything it scheduled by itself seen and then paused."""
    built.forget()
    with smtp_sink() as sink, site_of(built, sink) as made:
        assert made.up()["started"] is True
        runs = made.api.post("/flow_runs/filter", {"limit": 100})
        # An alarm may have had a run of its own by now.
        assert any(one["auto_scheduled"] for one in runs), "the scheduler makes no runs"
        made.pause()
        yield made


def _asked(site: TownSite, method: str, path: str, **headers: str) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    connection.request(method, path, "{}" if method == "POST" else None, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


def test_everything_is_there_and_nothing_is_made_twice(site: TownSite) -> None:
    """Deployments, pool, worker, limits, automations; started again it is the same site."""
    assert set(site.deployments) >= DEPLOYMENTS
    workers = site.api.post("/work_pools/juki/workers/filter")
    assert [one["name"] for one in workers] == [worker_name(site.town.home)]
    there = {one["name"]: one["enabled"] for one in site.api.post("/automations/filter")}
    wanted = [one.name for one in automations(load_settings(site.town.home))]
    assert {name for name in there if name.startswith(PREFIX)} == set(wanted) and all(there.values())
    deployed = site.api.get(f"/deployments/{site.deployments['purge']}")
    assert deployed["global_concurrency_limit"]["limit"] == 1
    before = site.files.note()
    again = site.juki("up")
    assert (again["started"], again["state"]) == (False, SiteState.UP.value)
    after = site.files.note()
    assert before is not None and after is not None
    assert replace(after, beat=before.beat) == before
    assert again["url"] == f"http://127.0.0.1:{site.port}"


def test_no_process_but_the_server_and_its_supervisor_holds_the_port(site: TownSite) -> None:
    """The supervisor keeps it while the server is started again; a worker or a run could answer in its place."""
    listing = Path("/proc/net/tcp").read_text().splitlines()[1:]
    (inode,) = (
        one.split()[9] for one in listing if one.split()[1] == f"0100007F:{site.port:04X}" and " 0A " in one
    )
    holders = set[int]()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if str(link.readlink()) == f"socket:[{inode}]":
                holders.add(int(link.parts[2]))
    note = site.files.note()
    assert note is not None
    assert holders == {int(note.supervisor.partition(":")[0]), site.child("flows.serving.server")}


def test_nobody_without_the_password_or_from_another_page_comes_in(site: TownSite) -> None:
    """No password, a forged request of another page, another name for this machine: each is turned away."""
    assert _asked(site, "GET", "/api/admin/version")[0] == 401
    assert _asked(site, "POST", "/api/deployments/filter")[0] in (401, 403)
    password = {"Authorization": site.api._let_in()["Authorization"], "Content-Type": "application/json"}
    assert _asked(site, "POST", "/api/deployments/filter", **password)[0] == 403
    assert _asked(site, "GET", "/api/health", Host="juki.attacker.example")[0] == 421
    status, headers = _asked(site, "GET", "/")
    assert status == 200 and "default-src 'self'" in headers["content-security-policy"]
    for secret in (
        site.files.password_file,
        site.files.note_file,
        *(site.town.home.prefect / name for name in ("encryption-key", "site-key")),
    ):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_the_password_of_the_screens_runs_no_program_of_its_own(site: TownSite, tmp_path: Path) -> None:
    """A command in the variables of a run, a deployment of other code, another template: refused; nothing is run."""
    purge, trace = site.deployments["purge"], tmp_path / "trace"
    variables = {"command": f"touch {trace}", "env": {"PYTHONPATH": str(tmp_path)}}
    attacks = (
        (f"/deployments/{purge}/create_flow_run", {"parameters": {}, "job_variables": variables}),
        ("/deployments/", {"name": "other", "flow_id": purge, "entrypoint": "os:system"}),
        ("/work_pools/", {"name": "other", "type": "process"}),
        ("/automations/", {"name": "other", "actions": []}),
        ("/admin/database/clear", {"confirm": True}),
    )
    for path, said in attacks:
        with pytest.raises(SourceError, match=r" 403"):
            site.api.post(path, said)
    assert site.api.get(f"/deployments/{purge}")["entrypoint"] == "flows.purge:purge"
    assert not trace.exists()


def _schedules_told(site: TownSite) -> set[tuple[str, str]]:
    """Let the doctor look at the schedules; return what is wrong and where."""
    findings = json.loads(site.town.juki("doctor", "--json").stdout)["findings"]
    told = [one for one in findings if one["subject"] == "site"]
    assert (told[0]["ref"], told[0]["state"]) == ("up", "ok") and len(told) >= len(site.deployments)
    return {(one["code"], one["ref"]) for one in told if one["state"] != "ok"}


def test_doctor_holds_the_schedules_to_those_that_were_decided(site: TownSite) -> None:
    """All were paused by hand; one is taken away, comes back at another hour, and one more is slipped in."""
    off = {(Code.SCHEDULE_OFF.value, name) for name in site.deployments}
    assert _schedules_told(site) == off
    purge = f"/deployments/{site.deployments['purge']}"
    (own,) = site.api.get(purge)["schedules"]
    site.furniture.delete(f"{purge}/schedules/{own['id']}")
    place = f"purge/{own['slug']}"
    assert _schedules_told(site) == off | {(Code.SCHEDULE_MISSING.value, place)}
    other = own["schedule"] | {"cron": "0 3 * * 0"}
    more = [{"schedule": other, "slug": slug, "active": True} for slug in (own["slug"], "slipped-in")]
    site.furniture.post(f"{purge}/schedules", more)
    changed = off | {(Code.SCHEDULE_CHANGED.value, place)}
    assert _schedules_told(site) == changed | {(Code.SCHEDULE_SURPLUS.value, "purge/slipped-in")}
    assert drop_surplus(site.furniture, wanted_deployments()) == 1
    assert _schedules_told(site) == changed


def test_the_password_is_on_no_command_line(site: TownSite) -> None:
    """Every user of a machine sees the commands of all."""
    password = site.files.credentials().partition(":")[2]
    numbers = [process.number for process in of_the_site(site.town.home)]
    assert len(numbers) >= 2
    assert not any(password in " ".join(command_of(number)) for number in numbers)


def test_a_run_killed_with_its_worker_ends_and_its_work_is_done_once_by_the_next(site: TownSite) -> None:
    """The run does not stay Running, the worker is started again, the alarms are logged, on the disk and posted."""
    site.town.publish()
    run = site.start("intake")
    processes = site.running(run)
    kill(site.child("worker", "start"), *processes)
    assert site.ended(run) == "CRASHED"
    again = site.start("intake")
    assert site.ended(again) in ("COMPLETED", "FAILED")
    assert site.town.rows("SELECT count(*) FROM current") == [(10,)]
    applied = site.town.rows("SELECT count(*) FROM journal WHERE action = 'package.applied'")
    assert applied == [(1,)]
    site.is_told(Code.ALARM_SITE_RESTARTED, "worker")
    site.is_told(Code.ALARM_RUN_CRASHED, "intake")
    # What killed the run wrote no end of it: the alarm did, once.
    told = eventually(lambda: _ends_of(site, run))
    assert told == ["ABORT"]
    assert _ends_of(site, again) in (["COMPLETE"], ["FAIL"])


def _ends_of(site: TownSite, run: str) -> list[str]:
    events = events_of(site.town.home)
    return [one["eventType"] for one in events if one["run"]["runId"] == run and one["eventType"] != "START"]


def test_late_run_and_failed_reconciliation_raise_their_alarms(site: TownSite) -> None:
    """Each by its automation, as the server sees it happen; that of a channel stands in the log of its file.

    That the schedule's own failures do so, and all other automations: soak_site_alarms.py.
    """
    worker = site.child("worker", "start")
    os.kill(worker, signal.SIGSTOP)
    try:
        late = site.start_at("checkpoint", datetime.now(UTC) - timedelta(minutes=10))
        eventually(lambda: site.run(late)["state_name"] == "Late")
        site.end(late, "CANCELLED")
    finally:
        os.kill(worker, signal.SIGCONT)
    _fail_reconciliation(site, "附票本人確認情報")
    site.is_told(Code.ALARM_RUN_LATE, "checkpoint")
    site.is_told(Code.ALARM_RECONCILIATION_FAILED, "reconcile:352012-fuhyo", IdentityFile.FUHYO)


def _fail_reconciliation(site: TownSite, file: str) -> None:
    """Let one end failed that never began."""
    failed = site.start_at(
        "reconcile", datetime.now(UTC) + timedelta(hours=1),
        municipality="352012 下関市", file=file, mode="照合のみ",
    )  # fmt: skip
    site.end(failed, "FAILED")


def test_marked_people_leave_no_trace_on_the_site(site: TownSite, tmp_path: Path) -> None:
    """The database refuses their rows, then each of their columns is bad: what the site wrote names nobody.

    Whatever else can fail on a site: soak_site_canary.py.
    """
    site.begin_anew()
    canary = SiteCanary(site, tmp_path)
    canary.send(1, lambda file: _marked(file, {}, *_spoilt(file)))
    with _refusing_the_marked(site.town):
        assert canary.run() == "run.channels_failed"
    assert canary.run() == "done"
    assert site.town.rows("SELECT count(DISTINCT code) > 12 FROM rejection") == [(True,)]
    canary.leak()
    _fail_reconciliation(site, "本人確認情報")
    site.is_told(Code.ALARM_RECONCILIATION_FAILED, "reconcile:352012-resident")
    places = site_places(canary)
    for place, search in places.items():
        assert search(ALL_MARKS) == set(), place
    assert places["Prefect's database"](LEAKED) != set()


def test_down_leaves_no_process_and_says_so(site: TownSite) -> None:
    """The last of the file: afterwards nothing of the site is alive."""
    assert site.down()["stopped"] is True
    assert of_the_site(site.town.home) == []
    assert site.files.state_at(datetime.now(UTC)) is SiteState.DOWN
