"""The weekly review through the real engine: what it shows in the Prefect UI, and what Prefect keeps of it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from juki.dates import JAPAN
from juki.home import Home
from juki.journal import Action, Entry, Outcome
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tests.conftest import Stores
from tests.console import RESIDENT, Console

NIGHT = datetime(2026, 11, 24, 23, 0, tzinfo=JAPAN)
INDEX, SEALED = "5eedcafe" * 8, "sealed-subject-of-somebody"
_RUN = """
import json
from config.settings import home_of, load_settings
from flows.environment import prepare
home = home_of()
prepare(home, load_settings(home))
from flows.review import review
from prefect.client.orchestration import get_client
review()
with get_client(sync_client=True) as client:
    found = {one.key: one.data for one in client.read_artifacts()}
print(json.dumps(found))
"""


@pytest.fixture
def console(
    home: Home, stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation in which one operator worked at night."""
    made = Console(home, stores, monkeypatch, capsys)
    entry = Entry(
        action=Action.PERSON_PROVIDED, file=RESIDENT, outcome=Outcome.DONE, actor="operator:op-7",
        terminal="T|07", subject=SEALED, subject_index=INDEX, number_accessed=True,
    )  # fmt: skip
    with open_unit(stores.resident_url, RESIDENT, Duty.AUDITOR) as unit:
        unit.journal.append(entry, NIGHT)
    return made


def _artifacts() -> dict[str, Any]:
    """Run the flow in a process of its own, and read what it published."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_weekly_review_shows_page_table_and_plot_and_prefect_keeps_nothing_of_a_person(
    console: Console,
) -> None:
    """By operator and terminal; the run ends well though something was found."""
    found = _artifacts()
    assert set(found) == {"review-summary", "review-findings", "review-plot"}
    page, plot = found["review-summary"], found["review-plot"]
    assert "夜間の操作" in page and "| op-7 | T\\|07 | 1 |" in page and "juki review show 2" in page
    (row,) = json.loads(found["review-findings"])
    assert (row["種類"], row["操作者"], row["端末"], row["件数"], row["操作ログの番号"]) == (
        "夜間の操作", "op-7", "T|07", 1, "R1",
    )  # fmt: skip
    assert "点検" in base64.b64decode(plot.split(",", 1)[1]).decode()
    (done,) = [one for one in console.entries() if one["action"] == "review.done"]
    assert done["actor"].startswith("flow-run:") and done["counts"]["night"] == 1
    kept = [path for path in console.home.prefect.rglob("*") if path.is_file()]
    assert kept and not [path for path in kept if _holds(path, INDEX, SEALED)]


def _holds(path: Path, *marks: str) -> bool:
    content = path.read_bytes()
    return any(mark.encode() in content for mark in marks)
