"""Every flow of deployments.yaml that may write an entry signs both logs at its end, whatever it ends with."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import yaml

from juki.store import embedded
from tests.flows.conftest import Town

_DEPLOYMENTS = Path(__file__).resolve().parents[2] / "deployments.yaml"
NAMES = [one["name"] for one in yaml.safe_load(_DEPLOYMENTS.read_text("utf-8"))["deployments"]]
WRITES_NOTHING = {"overview"}
"""What only looks. A new flow signs, or is seen here to write no entry."""
SEEN_ELSEWHERE = {"quality": "test_quality.py"}
"""What takes ten seconds to import, and has a process of its own."""
_SIGNING = (
    "SELECT count(*) FROM task_run JOIN flow_run ON flow_run.id = task_run.flow_run_id"
    " JOIN flow ON flow.id = flow_run.flow_id WHERE flow.name = '個人番号の消去'"
    " AND task_run.name LIKE '操作ログのチェックポイント%%' AND flow_run.start_time >= %s"
)


def _ran(town: Town) -> dict[str, tuple[str, Any, Any]]:
    """Run all of them; tell of each how it ended, and of both logs entries and what is signed, before and after."""
    command = [sys.executable, "-m", "tests.flows.signing_run", *SEEN_ELSEWHERE]
    done = subprocess.run(
        command, env=town.environment | town.engine.environment,
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    said = [json.loads(line[3:]) for line in done.stdout.splitlines() if line.startswith("== ")]
    return {name: (ended, before, after) for name, ended, before, after in said}


def test_flow_signs_what_is_in_the_logs_at_its_end_and_costs_no_task_without_news(town: Town) -> None:
    """Proof of a purge is not left unsigned until the hour is over, nor a refusal of an operator's run."""
    began = datetime.now(UTC)
    ran = _ran(town)
    assert list(ran) == [*(name for name in NAMES if name not in SEEN_ELSEWHERE), "purge again"]
    unsigned = {
        name for name, (_, _, after) in ran.items() if any(entries != signed for entries, signed in after)
    }
    assert unsigned == WRITES_NOTHING
    for name in WRITES_NOTHING:
        _, before, after = ran[name]
        assert before == after, "it writes entries, and leaves them unsigned"
    failed = {name for name, (ended, _, _) in ran.items() if ended != "COMPLETED"}
    assert failed >= {"reconcile", "resend", "approve", "approve-beyond", "release"}, "failed flows sign too"
    ended, before, after = ran["purge again"]
    assert ended == "COMPLETED" and before == after
    with psycopg.connect(embedded.admin_url(town.home, "prefect_engine")) as connection:
        assert connection.execute(_SIGNING, [began]).fetchall() == [(1,)], (
            "of two runs the one with news signed"
        )
