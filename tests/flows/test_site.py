"""`juki up` as a user has it: locked, scheduled, watched over; what dies in it is put right; `down` leaves nothing.

One site for the whole file: its processes import for many seconds.
"""

from __future__ import annotations

import http.client
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import load_settings
from flows.serving.automations import PREFIX, automations
from flows.serving.children import of_the_site, worker_name
from juki.errors import SourceError
from juki.reasons import Code
from juki.site import SiteState
from tests.flows.conftest import Town
from tests.flows.site_of_town import TownSite, command_of, eventually, kill, site_of
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
    assert site.files.note() == before
    assert again["url"] == f"http://127.0.0.1:{site.port}"


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
    _is_told(site, Code.ALARM_SITE_RESTARTED, "worker")
    _is_told(site, Code.ALARM_RUN_CRASHED, "intake")
    # What killed the run wrote no end of it: the alarm did, once.
    told = eventually(lambda: _ends_of(site, run))
    assert told == ["ABORT"]
    assert _ends_of(site, again) in (["COMPLETE"], ["FAIL"])


def _ends_of(site: TownSite, run: str) -> list[str]:
    events = events_of(site.town.home)
    return [one["eventType"] for one in events if one["run"]["runId"] == run and one["eventType"] != "START"]


def _is_told(site: TownSite, kind: Code, about: str) -> None:
    """Find one alarm in the operation log, in the folder of notifications, and in a letter that was received."""
    code, folder = kind.value, site.town.home.notifications
    logged = "SELECT entry FROM journal WHERE action = 'alarm.raised'"

    def entries() -> list[dict[str, str]]:
        found = [json.loads(row[0]) for row in site.town.rows(logged)]
        return [one for one in found if one["code"] == code]

    assert [one["basis"].split(" ")[0] for one in eventually(entries)] == [about]
    told = [json.loads(line) for line in (folder / "alarms.jsonl").read_text("utf-8").splitlines()]
    assert [one["about"] for one in told if one["code"] == code] == [about]
    letter = eventually(lambda: [one for one in site.sink.letters if one["X-Juki-Alarm"] == code])[0]
    assert letter["To"] == "duty@pref.example" and kind.message in letter.get_content()


def test_down_leaves_no_process_and_says_so(site: TownSite) -> None:
    """The last of the file: afterwards nothing of the site is alive."""
    assert site.down()["stopped"] is True
    assert of_the_site(site.town.home) == []
    assert site.files.state is SiteState.DOWN
