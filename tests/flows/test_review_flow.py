"""The weekly review through the real engine: what it shows in the Prefect UI, and what Prefect keeps of it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import datetime

import psycopg
import pytest
from psycopg import sql

from config.stores import DATABASES
from juki.columns import IdentityFile
from juki.dates import JAPAN
from juki.journal import Action, Entry, Outcome
from juki.store import embedded
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tests.flows.conftest import Town

RESIDENT = IdentityFile.RESIDENT
NIGHT = datetime(2026, 11, 24, 23, 0, tzinfo=JAPAN)
INDEX, SEALED, WHO = "5eedcafe" * 8, "sealed-subject-of-somebody", "op-of-the-night"
_RUN = """
from config.settings import home_of, load_settings
from flows.environment import prepare
home = home_of()
prepare(home, load_settings(home))
from flows.review import review
review()
"""


@pytest.fixture
def here(town: Town) -> Town:
    """A town in which one operator worked at night."""
    entry = Entry(
        action=Action.PERSON_PROVIDED, file=RESIDENT, outcome=Outcome.DONE, actor=f"operator:{WHO}",
        terminal="T|07", subject=SEALED, subject_index=INDEX, number_accessed=True,
    )  # fmt: skip
    url = embedded.admin_url(town.home, DATABASES[RESIDENT])
    with open_unit(url, RESIDENT, Duty.AUDITOR) as unit:
        unit.journal.append(entry, NIGHT)
    return town


def _prefect(town: Town) -> psycopg.Connection:
    """The records of the server all flows of the session share."""
    return psycopg.connect(embedded.admin_url(town.home, "prefect_engine"))


def _tables_holding(town: Town, mark: str) -> set[str]:
    """Name the tables of Prefect in which a text stands, in whatever column."""
    with _prefect(town) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        count = "SELECT count(*) FROM {} AS one WHERE one::text LIKE %s"
        return {
            name for (name,) in names
            if connection.execute(
                sql.SQL(count).format(sql.Identifier(name)), (f"%{mark}%",)
            ).fetchall() != [(0,)]
        }  # fmt: skip


def test_weekly_review_shows_page_table_and_plot_and_prefect_keeps_nothing_of_a_person(here: Town) -> None:
    """By operator and terminal; the run ends well though something was found."""
    environment = here.environment | here.engine.environment
    done = subprocess.run(
        [sys.executable, "-c", _RUN],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with _prefect(here) as connection:
        rows = connection.execute("SELECT key, data FROM artifact WHERE key LIKE 'review-%'").fetchall()
    found = {row[0]: str(row[1]) for row in rows}
    assert set(found) == {"review-summary", "review-findings", "review-plot"}
    page, plot = found["review-summary"], found["review-plot"]
    assert "夜間の操作" in page and f"| {WHO} | T\\|07 | 1 |" in page and "juki review show 2" in page
    (row,) = json.loads(found["review-findings"])
    assert (row["種類"], row["操作者"], row["端末"], row["件数"], row["操作ログの番号"]) == (
        "夜間の操作", WHO, "T|07", 1, "R1",
    )  # fmt: skip
    assert "点検" in base64.b64decode(plot.split(",", 1)[1]).decode()
    ((entry,),) = here.rows("SELECT entry::jsonb FROM journal WHERE action = 'review.done'")
    assert entry["actor"].startswith("flow-run:") and entry["counts"]["night"] == 1
    assert "artifact" in _tables_holding(here, WHO), "the search finds what is there"
    assert _tables_holding(here, INDEX) == _tables_holding(here, SEALED) == set()
    assert not [mark for mark in (INDEX, SEALED) if mark in done.stdout + done.stderr]
