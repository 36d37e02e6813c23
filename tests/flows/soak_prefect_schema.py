"""Prefect's own database, taken to an older schema and back with the record of a run in it.

Run by `make soak`. What an upgrade does is what its server does at every start; going back is a command of Prefect's.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from config.settings import load_settings
from config.stores import prefect_url
from flows.serving.children import server_environment
from tests.flows.conftest import Town
from tests.flows.site_of_town import PATIENCE_SECONDS, TownSite, site_of
from tests.smtp_sink import smtp_sink


@pytest.fixture
def site(town: Town) -> Iterator[TownSite]:
    """A site that was started as an operator starts it."""
    with smtp_sink() as sink, site_of(town, sink) as made:
        made.up()
        made.pause()
        yield made


def migrated(site: TownSite, *command: str) -> str:
    """Let Prefect migrate its database while nothing of the site is up; return at which revision it is."""
    home = site.town.home
    environment = server_environment(home, load_settings(home), site.port)
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "server", "database", *command, "-y"], env=environment,
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    with psycopg.connect(prefect_url(home)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchall()[0][0])


def test_records_of_runs_outlive_an_older_schema_and_the_way_back(site: TownSite) -> None:
    """The run is there, the schedules are ours, and the next run goes through."""
    site.town.publish()
    run = site.start("intake")
    assert site.ended(run) == "COMPLETED"
    site.down()
    newest = migrated(site, "upgrade")
    assert migrated(site, "downgrade", "-r", "-1") != newest
    site.up()
    assert site.state(run) == "COMPLETED"
    site.pause()
    assert site.ended(site.start("intake")) == "COMPLETED"
    assert site.town.rows("SELECT count(*) FROM current") == [(10,)]
