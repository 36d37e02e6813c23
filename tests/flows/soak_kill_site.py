"""Deaths of the site that take minutes: server, supervisor, everything at once, and a run that falls silent.

Run by `make soak`. Each ends with no run Running and the work done once.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import psycopg
import pytest

from config.stores import prefect_url
from flows.serving.automations import SILENT_SECONDS
from flows.serving.children import living_runs, of_the_site
from juki.reasons import Code
from juki.site import SiteState
from tests.flows.conftest import Town
from tests.flows.site_of_town import PATIENCE_SECONDS, TownSite, eventually, kill, site_of
from tests.smtp_sink import smtp_sink


@pytest.fixture(scope="module")
def built_site(built: Town) -> Iterator[TownSite]:
    """A site for the whole file."""
    with smtp_sink() as sink, site_of(built, sink) as made:
        made.up()
        made.pause()
        yield made


@pytest.fixture
def site(built_site: TownSite) -> TownSite:
    """The site over empty stores."""
    built_site.town.forget()
    built_site.town.publish()
    return built_site


def _is_done_once(site: TownSite) -> None:
    assert site.ended(site.start("intake")) in ("COMPLETED", "FAILED")
    assert site.town.rows("SELECT count(*) FROM current") == [(10,)]
    assert site.town.rows("SELECT count(*) FROM journal WHERE action = 'package.applied'") == [(1,)]
    open_states = {"flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}}}
    eventually(lambda: site.api.post("/flow_runs/filter", open_states) == [])


def test_server_killed_in_mid_run_is_started_again_and_the_run_ends(site: TownSite) -> None:
    """The run may have reached its end by itself, or have died with the server; it does not stay Running."""
    run = site.start("intake")
    site.running(run)
    kill(site.child("uvicorn"))
    eventually(lambda: (note := site.files.note()) is not None and note.restarts > 0)
    eventually(lambda: site.files.state is SiteState.UP)
    eventually(lambda: site.ended(run))
    _is_done_once(site)


def test_everything_killed_at_once_is_cleared_up_by_the_next_start(site: TownSite) -> None:
    """As a loss of power: supervisor, server, worker and run; missed runs are made up for once."""
    run = site.start("intake")
    site.running(run)
    note = site.files.note()
    assert note is not None
    kill(int(note.supervisor.partition(":")[0]), *(process.number for process in of_the_site(site.town.home)))
    assert site.files.state is SiteState.BROKEN
    assert [one["code"] for one in site.juki("status")["alarms"]] == [Code.SITE_BROKEN.value]
    missed = _missed(site)
    site.up()
    site.pause()
    assert site.ended(run) == "CRASHED"
    assert {site.state(one) for one in missed[:-1]} == {"CANCELLED"}
    _is_done_once(site)


def _missed(site: TownSite) -> list[str]:
    """Let three runs of a schedule be of an hour ago, as if nobody had been there; return them, oldest first."""
    deployment = site.deployments["purge"]
    with psycopg.connect(prefect_url(site.town.home), autocommit=True) as connection:
        template = connection.execute("SELECT id FROM flow_run WHERE deployment_id = %s", (deployment,))
        numbers = [str(row[0]) for row in template.fetchall()][:3]
        for minutes, number in zip((60, 55, 50), numbers, strict=False):
            connection.execute(
                "UPDATE flow_run SET auto_scheduled = true, state_type = 'SCHEDULED', state_name = 'Scheduled', "
                "expected_start_time = now() - make_interval(mins => %s) WHERE id = %s",
                (minutes, number),
            )
    return numbers


def test_killed_supervisor_is_noticed_and_a_new_one_takes_over(site: TownSite) -> None:
    """Server and worker of the dead one are ended, not doubled."""
    note = site.files.note()
    assert note is not None
    before = {process.number for process in of_the_site(site.town.home)}
    kill(int(note.supervisor.partition(":")[0]))
    assert site.files.state is SiteState.BROKEN
    site.up()
    site.pause()
    assert not before & {process.number for process in of_the_site(site.town.home)}
    _is_done_once(site)


def test_run_that_falls_silent_is_ended_by_its_automation(site: TownSite) -> None:
    """A process that hangs beats no more: after five beats it is a zombie, and somebody is told."""
    run = site.start("intake")
    processes = site.running(run)
    for number in processes:
        os.kill(number, signal.SIGSTOP)
    began = time.monotonic()
    try:
        assert site.ended(run) == "CRASHED"
        assert time.monotonic() - began > SILENT_SECONDS / 2
    finally:
        kill(*processes)
    silent = Code.ALARM_RUN_SILENT.value
    eventually(lambda: [one for one in site.sink.letters if one["X-Juki-Alarm"] == silent])
    eventually(lambda: living_runs(site.town.home) == {})
    assert time.monotonic() - began < PATIENCE_SECONDS
    _is_done_once(site)


def test_run_by_hand_is_on_the_screens_while_the_site_is_up(site: TownSite) -> None:
    """The command uses the server of the site instead of a temporary one of its own."""
    query = {"sort": "START_TIME_DESC", "limit": 1}
    before = site.api.post("/flow_runs/filter", query)[0]["id"]
    site.juki("intake", "--file", "resident")
    newest = site.api.post("/flow_runs/filter", query)[0]
    assert newest["id"] != before and newest["deployment_id"] is None
    assert newest["state_type"] in ("COMPLETED", "FAILED")
