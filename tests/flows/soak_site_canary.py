"""The canary over `juki up` as a whole: everything `test_canary` does to marked people, done by runs of a site.

Run by `make soak`; a short one is in test_site.py. Their marks are in no log of server, worker or supervisor, not in
Prefect's database or storage, in no artifact, event, notification, letter, page or metric.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from config.stores import DATABASES, PREFECT_DATABASE
from juki.columns import IdentityFile
from juki.reasons import Code
from tests.canary import found_in
from tests.flows.conftest import RESIDENT, Town
from tests.flows.site_canary import SiteCanary, site_places
from tests.flows.site_of_town import kill, site_of
from tests.flows.test_canary import (
    ALL_MARKS,
    LEAKED,
    MARKS,
    _dump,
    _reconcile_with_everything_that_fails,
    _send_everything_bad,
)
from tests.smtp_sink import smtp_sink

THE_REST = ("forward", "provide", "purge", "quality", "review", "checkpoint")


@pytest.fixture
def canary(town: Town, tmp_path: Path) -> Iterator[SiteCanary]:
    """A site with nothing taken in yet, whose runs can be made to fail inside."""
    with smtp_sink() as sink, site_of(town, sink) as site:
        made = SiteCanary(site, tmp_path)
        site.settings |= made.settings
        site.up()
        site.pause()
        yield made


def _kill_in_mid_run(canary: SiteCanary) -> None:
    """With the marked package in its hands; told as an alarm."""
    run = canary.site.start("intake")
    kill(*canary.site.running(run))
    assert canary.site.ended(run) == "CRASHED"


def _take_in_and_fail(canary: SiteCanary) -> tuple[pa.Table, int]:
    """Everything that can be wrong with packages, and with us; return the record that stands at the end."""
    town = canary.of(RESIDENT)
    table, number = _send_everything_bad(canary)
    _kill_in_mid_run(canary)
    assert canary.run() == "done"
    assert town.rows("SELECT name FROM current") == [(MARKS[RESIDENT]["name"],)]
    return table, number


def test_marked_people_leave_no_trace_on_a_site_whatever_fails_there(canary: SiteCanary) -> None:
    """Intake, reconciliation, every other flow over what they left; failures of every kind, alarms and letters."""
    site = canary.site
    table, number = _take_in_and_fail(canary)
    _reconcile_with_everything_that_fails(canary, table, number)
    for deployment in THE_REST:
        assert site.ended(site.start(deployment)) in ("COMPLETED", "FAILED"), deployment
    site.is_told(Code.ALARM_RUN_CRASHED, "intake")
    site.is_told(Code.ALARM_RECONCILIATION_FAILED, "reconcile:352039-resident")
    canary.leak()
    places = site_places(canary)
    leaks = set()
    for place, search in places.items():
        assert search(ALL_MARKS) == set(), place
        leaks |= {place for hit in search(LEAKED) if hit}
    assert leaks >= {"Prefect's database", "screens"}
    kept = _dump(site.town, PREFECT_DATABASE)
    for said in ("store.refused", "run.unexpected", "受入", "reconciliation-352039-resident", "Crashed"):
        assert said.encode() in kept, said
    for file in IdentityFile:
        held = _dump(site.town, DATABASES[file], ("current", "history"))
        names = {hit.split(":")[0] for hit in found_in(held, MARKS[file])}
        assert names >= {"name", "address", "resident_code", "birth_date"}
