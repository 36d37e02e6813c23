"""Every automation of the site seen to fire once: its cause made to happen, the alarm in log, folder and letter.

Run by `make soak`. Bounds of hours are set to seconds; the triggers, their actions and the server are the product's.
What is quick, and a run killed with its worker, is in test_site.py; a run that hangs, at its true bound, in
soak_kill_site.py.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from config.settings import load_settings
from flows.serving.automations import automations, ensure_automations
from flows.serving.recovering import worker_heard_at
from juki.hold_clock import ClockFile
from juki.holds import ClockNote
from juki.processes import began
from juki.reasons import Code
from tests.flows.conftest import Town
from tests.flows.site_of_town import TownSite, eventually, kill, site_of
from tests.smtp_sink import smtp_sink

SHORT_SECONDS = 20
BEATS_SECONDS = 45
"""Longer than from one beat of a run to the next, shorter than five of them."""


@pytest.fixture(scope="module")
def built_site(built: Town) -> Iterator[TownSite]:
    """A site for the whole file."""
    built.forget()
    with smtp_sink() as sink, site_of(built, sink) as made:
        made.settings["JUKI_SNAPSHOT_WAIT_SECONDS"] = "0"
        made.up()
        made.pause()
        yield made


@pytest.fixture
def site(built_site: TownSite) -> TownSite:
    """The site with nothing told yet, and nothing about to be."""
    built_site.begin_anew()
    return built_site


@contextmanager
def bound_of(site: TownSite, title: str, seconds: int) -> Iterator[None]:
    """Set the bound of one automation while the block runs; afterwards it is as `juki up` makes it."""
    settings = load_settings(site.town.home)
    there = {one["name"]: one["id"] for one in site.api.post("/automations/filter")}
    (own,) = [one for one in automations(settings) if one.title == title]
    altered = replace(own, within_seconds=seconds).specification(site.deployments)
    site.furniture.delete(f"/automations/{there[own.name]}")
    site.furniture.post("/automations/", altered)
    try:
        yield
    finally:
        ensure_automations(site.furniture, settings)


def test_crashed_run_is_told(site: TownSite) -> None:
    """Its process dies, its worker lives."""
    site.town.publish()
    run = site.start("intake")
    kill(*site.running(run))
    assert site.ended(run) == "CRASHED"
    site.is_told(Code.ALARM_RUN_CRASHED, "intake")


def test_failed_reconciliation_is_told_in_the_log_of_its_file(site: TownSite) -> None:
    """The municipality does not answer."""
    run = site.start("reconcile", municipality="352039 山口市", file="本人確認情報", mode="照合のみ")
    assert site.ended(run) == "FAILED"
    site.is_told(Code.ALARM_RECONCILIATION_FAILED, "reconcile:352039-resident")


def test_failed_run_of_any_other_deployment_is_told_once_a_day(site: TownSite) -> None:
    """One that never began: what it failed of makes no difference."""
    for _ in range(2):
        run = site.start_at("forward", datetime.now(UTC) + timedelta(hours=1))
        site.end(run, "FAILED")
    site.is_told(Code.ALARM_RUN_FAILED, "forward")
    site.at_rest()
    assert len([one for one in site.sink.letters if one["X-Juki-Alarm"] == "alarm.run_failed"]) == 1


def test_failed_purge_is_told(site: TownSite) -> None:
    """The clock is behind what the last purge saw."""
    clock = ClockFile(site.town.home)
    before = clock.read()
    clock.write(ClockNote(datetime.now(UTC) + timedelta(days=2), None, None))
    try:
        assert site.ended(site.start("purge")) == "FAILED"
    finally:
        clock.write(before)
    site.is_told(Code.ALARM_PURGE_OVERDUE, "purge")


def test_failed_checkpoint_is_told(site: TownSite) -> None:
    """The volume of a witness is not mounted."""
    site.town.publish()
    assert site.town.work() == 0
    shutil.rmtree(site.town.home.witness)
    try:
        assert site.ended(site.start("checkpoint")) == "FAILED"
    finally:
        site.town.home.witness.mkdir(mode=0o700)
    site.is_told(Code.ALARM_CHECKPOINT_STALE, "checkpoint")


@pytest.mark.parametrize(
    ("title", "kind", "about"),
    [
        ("終わらない消去", Code.ALARM_PURGE_OVERDUE, "purge"),
        ("終わらない操作ログの署名", Code.ALARM_CHECKPOINT_STALE, "checkpoint"),
    ],
)
def test_schedule_that_stands_still_is_told(site: TownSite, title: str, kind: Code, about: str) -> None:
    """No run of it at all: nothing happens, and that is what is noticed."""
    with bound_of(site, title, SHORT_SECONDS):
        site.is_told(kind, about)


def test_run_that_does_not_begin_is_ended_and_told(site: TownSite) -> None:
    """A worker took it and never started its process."""
    run = site.start_at("forward", datetime.now(UTC) + timedelta(hours=1))
    with bound_of(site, "始まらない実行", SHORT_SECONDS):
        site.end(run, "PENDING")
        assert site.ended(run) == "CRASHED"
        site.is_told(Code.ALARM_RUN_SILENT, "forward")


def test_run_by_hand_that_was_killed_is_ended_and_nobody_is_woken(site: TownSite) -> None:
    """Whoever ran the command knows; the screens are put right."""
    site.town.publish()
    before = {one["id"] for one in site.api.post("/flow_runs/filter", {"limit": 200})}
    with bound_of(site, "途絶えた手作業の実行", BEATS_SECONDS):
        command = [sys.executable, "-m", "juki", "intake", "--file", "resident"]
        process = subprocess.Popen(command, env=site.environment, stdout=subprocess.DEVNULL)

        def running() -> str | None:
            runs = site.api.post("/flow_runs/filter", {"limit": 200})
            own = [one for one in runs if one["id"] not in before and one["deployment_id"] is None]
            return next((str(one["id"]) for one in own if one["state_type"] == "RUNNING"), None)

        run = eventually(running)
        kill(process.pid)
        process.wait()
        assert site.ended(run) == "CRASHED"
        assert site.run(run)["state_name"] == "Zombie"
    site.at_rest()
    assert site.town.rows("SELECT count(*) FROM journal WHERE action = 'alarm.raised'") == [(0,)]


def test_worker_that_hangs_is_started_again_and_told(site: TownSite) -> None:
    """It takes no run any more, not even that of an alarm: the supervisor sees that its beats stay away."""
    worker = site.child("worker", "start")
    began_at, since = began(worker), time.monotonic()
    os.kill(worker, signal.SIGSTOP)
    try:
        eventually(lambda: worker_heard_at(site.api, site.town.home) is None)
        eventually(lambda: began(worker) != began_at)
    finally:
        if began(worker) == began_at:
            os.kill(worker, signal.SIGCONT)
    assert time.monotonic() - since < 600
    site.is_told(Code.ALARM_SITE_RESTARTED, "worker")
    assert site.ended(site.start("checkpoint")) == "COMPLETED"
