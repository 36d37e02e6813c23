"""The morning page through the real engine: the run ends well whatever it finds, and its artifacts are there."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from config.places import municipality_name
from juki.reasons import Code
from juki.site import MORNING_PAGE
from juki.store import embedded
from tests.flows.conftest import CODES, Town

_RUN = """
from datetime import UTC, datetime
from config.settings import home_of, load_settings
from flows.environment import prepare
home = home_of()
prepare(home, load_settings(home))
from flows.overview import overview
from tasks import clock
with clock.held_at(datetime(2026, 11, 29, 22, 30, tzinfo=UTC)):
    overview()

from prefect import flow
from tasks.progress import ProgressBar

@flow
def bars():
    ProgressBar("bar-in-one-go", "x")(1, 1)
    ProgressBar("bar-of-nothing", "x")(0, 0)
    ProgressBar.begun("bar-begun", "x")
    for key, steps in {"bar-whole": (1, 2, 4), "bar-half": (2, 1)}.items():
        bar = ProgressBar(key, "x")
        for done in steps:
            bar(done, 4)

bars()
"""
_PLOTS = ("notices", "differences", "holds", "intake-durations", "reconcile-durations")


def test_run_publishes_page_and_plots_by_the_day_and_fails_for_nothing_it_finds(town: Town) -> None:
    """Channels nobody ever contacted are on the page with their code; neither store nor log is changed."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN], env=town.environment | town.engine.environment, capture_output=True,
        text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    with psycopg.connect(embedded.admin_url(town.home, "prefect_engine")) as connection:
        # By its name, which is its instant: other tests of this installation look as well.
        looks = connection.execute(
            "SELECT r.id, r.name, r.state_type FROM flow_run r JOIN flow f ON f.id = r.flow_id"
            " WHERE f.name = '朝の一覧' AND r.name LIKE '2026-11-%'"
        ).fetchall()
        runs = [(name, state) for _, name, state in looks]
        found = dict(
            connection.execute(
                "SELECT key, data FROM artifact WHERE key LIKE 'morning%%' AND flow_run_id = ANY(%s)",
                [[number for number, *_ in looks]],
            ).fetchall()
        )
        bars = dict(connection.execute("SELECT key, data FROM artifact WHERE key LIKE 'bar-%'").fetchall())
    # Done in one go leaves none; one never goes back.
    assert {key: float(str(data)) for key, data in bars.items()} == {
        "bar-begun": 0.0,
        "bar-whole": 100.0,
        "bar-half": 50.0,
    }
    assert runs == [("2026-11-30 07:30", "COMPLETED")]
    assert set(found) == {MORNING_PAGE, *(f"{MORNING_PAGE}-{name}" for name in _PLOTS)}
    page = _text(found[MORNING_PAGE])
    assert page.startswith("# 朝の一覧 2026-11-30（月）07:30 現在\n") and "**確認の要ることが" in page
    assert "`channel.never_contacted`" in page
    # Of each file how it is, and when it was last confirmed equal.
    assert all(page.count(f"\n| {municipality_name(code)} | ") == 4 for code in CODES)
    for name in _PLOTS:
        kind, _, image = _text(found[f"{MORNING_PAGE}-{name}"]).partition(",")
        assert kind == "data:image/svg+xml;base64" and base64.b64decode(image).startswith(b"<svg ")
    assert town.rows("SELECT count(*) FROM journal") == town.rows("SELECT count(*) FROM channel") == [(0,)]


_RUN_TWICE = """
from datetime import UTC, datetime
from config.settings import home_of, load_settings
from flows.environment import prepare
home = home_of()
prepare(home, load_settings(home))
from flows.overview import overview
from tasks import clock
with clock.held_at(datetime(2026, 12, 1, 22, 30, tzinfo=UTC)):
    overview()
home.municipalities_file.write_text("municipality = 1 = 2", "utf-8")
with clock.held_at(datetime(2026, 12, 2, 22, 30, tzinfo=UTC)):
    overview()
"""


@pytest.fixture
def register(town: Town) -> Iterator[None]:
    """The registered municipalities of the town, as they were when the test is over."""
    with town.registrations():
        yield


@pytest.mark.usefixtures("register")
def test_look_that_fails_takes_the_place_of_the_last_good_page(town: Town) -> None:
    """Whoever opens the screens would read yesterday's verdict as today's; the run fails by the same code."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN_TWICE], env=town.environment | town.engine.environment, capture_output=True,
        text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and Code.CONFIG_INVALID.value in done.stderr, done.stdout + done.stderr
    with psycopg.connect(embedded.admin_url(town.home, "prefect_engine")) as connection:
        pages = [
            _text(data)
            for (data,) in connection.execute(
                "SELECT data FROM artifact WHERE key = %s ORDER BY created DESC LIMIT 2", [MORNING_PAGE]
            )
        ]
        (state,) = connection.execute(
            "SELECT state_type FROM flow_run WHERE name = '2026-12-03 07:30'"
        ).fetchone() or ("",)
    assert pages[0].startswith("# 朝の一覧 2026-12-03（木）07:30 現在\n\n**確認できませんでした。**")
    assert pages[1].startswith("# 朝の一覧 2026-12-02（水）07:30 現在\n") and state == "FAILED"
    assert f"`{Code.CONFIG_INVALID.value}`" in pages[0] and Code.CONFIG_INVALID.next_step in pages[0]


def _text(data: object) -> str:
    """Give what Prefect keeps of an artifact, which is JSON."""
    return str(json.loads(data)) if isinstance(data, str) and data.startswith('"') else str(data)
