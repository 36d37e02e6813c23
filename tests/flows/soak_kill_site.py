"""Deaths of the site that take minutes: server, supervisor, everything at once, and a run that falls silent.

Run by `make soak`. Each ends with no run Running and the work done once.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

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

MISSED_MINUTES = (60, 55, 50)
"""How long ago runs were due that nobody was there for, the oldest first."""


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
    built_site.begin_anew()
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
    kill(site.child("flows.serving.server"))
    eventually(lambda: (note := site.files.note()) is not None and note.restarts > 0)
    eventually(lambda: site.files.state_at(datetime.now(UTC)) is SiteState.UP)
    eventually(lambda: site.ended(run))
    _is_done_once(site)


def test_everything_killed_at_once_is_cleared_up_by_the_next_start(site: TownSite) -> None:
    """As a loss of power: supervisor, server, worker and run; missed runs are made up for once."""
    run = site.start("intake")
    site.running(run)
    soon = datetime.now(UTC) + timedelta(hours=1)
    missed = [site.start_at("purge", soon) for _ in MISSED_MINUTES]
    note = site.files.note()
    assert note is not None
    kill(int(note.supervisor.partition(":")[0]), *(process.number for process in of_the_site(site.town.home)))
    assert site.files.state_at(datetime.now(UTC)) is SiteState.BROKEN
    assert Code.SITE_BROKEN.value in [one["code"] for one in site.juki("status")["alarms"]]
    _let_be_missed(site, missed)
    site.up()
    assert site.ended(run) == "CRASHED"
    assert [site.ended(one) for one in missed] == ["CANCELLED", "CANCELLED", "COMPLETED"]
    site.pause()
    _is_done_once(site)


def _let_be_missed(site: TownSite, runs: list[str]) -> None:
    """Let runs be those of a schedule whose time passed while nobody was there."""
    with psycopg.connect(prefect_url(site.town.home), autocommit=True) as connection:
        for minutes, run in zip(MISSED_MINUTES, runs, strict=True):
            connection.execute(
                "UPDATE flow_run SET auto_scheduled = true, "
                "expected_start_time = now() - make_interval(mins => %(minutes)s), "
                "next_scheduled_start_time = now() - make_interval(mins => %(minutes)s) WHERE id = %(run)s",
                {"minutes": minutes, "run": run},
            )


def test_killed_supervisor_is_noticed_and_a_new_one_takes_over(site: TownSite) -> None:
    """Server and worker of the dead one are ended, not doubled."""
    note = site.files.note()
    assert note is not None
    before = {process.number for process in of_the_site(site.town.home)}
    kill(int(note.supervisor.partition(":")[0]))
    assert site.files.state_at(datetime.now(UTC)) is SiteState.BROKEN
    site.up()
    site.pause()
    assert not before & {process.number for process in of_the_site(site.town.home)}
    _is_done_once(site)


def test_run_that_falls_silent_is_ended_by_its_automation(site: TownSite) -> None:
    """A process that hangs beats no more: after five beats it is a zombie, somebody is told, and it is ended."""
    run = site.start("intake")
    processes = site.running(run)
    for number in processes:
        os.kill(number, signal.SIGSTOP)
    began = time.monotonic()
    assert site.ended(run) == "CRASHED"
    assert time.monotonic() - began > SILENT_SECONDS / 2
    site.is_told(Code.ALARM_RUN_SILENT, "intake")
    eventually(lambda: run not in living_runs(site.town.home))
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
