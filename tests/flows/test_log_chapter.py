"""The demonstration's chapter on the operation log, on a town that has taken notices in."""

from __future__ import annotations

import io
import json

from rich.console import Console

from simulator import log_demo
from simulator.log_demo import LogChapter
from tests.flows.conftest import Town


def test_edited_row_is_named_and_the_log_verifies_again_afterwards(town: Town) -> None:
    """What the lead shows in the demo, and nothing of it stays behind."""
    for number in range(3):
        town.publish(10 * number, 10)
        assert town.work() == 0
        assert town.juki("log", "checkpoint").returncode == 0
    chapter, said = LogChapter(), io.StringIO()
    log_demo.run(town.home, chapter)
    log_demo.tell(Console(file=said, width=200), chapter)
    assert chapter.ok, chapter
    assert chapter.named_entry == chapter.edited_entry > 0
    assert chapter.checkpoints >= 3 and "一致" in said.getvalue() and "不一致" not in said.getvalue()
    assert json.loads(town.juki("log", "verify", "--json").stdout)["logs"][0]["alarms"] == []
    assert not (town.home.root / "log-demo").exists()
