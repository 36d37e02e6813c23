"""The demonstration's chapter on copying, on a town that has taken notices in."""

from __future__ import annotations

import io
import json

from rich.console import Console

from juki.reasons import Code
from simulator import copy_demo
from simulator.copy_demo import CopyChapter
from tests.flows.conftest import Town


def test_clerk_is_refused_and_a_pair_of_administrators_makes_a_copy(town: Town) -> None:
    """What the lead shows in the demo; afterwards the installation is as open as before, and the log knows."""
    town.publish(0, 10)
    assert town.work() == 0
    chapter, said = CopyChapter(), io.StringIO()
    copy_demo.run(town.home, chapter)
    copy_demo.tell(Console(file=said, width=200), chapter)
    assert chapter.ok, chapter
    assert chapter.refused_code == Code.OPERATOR_ROLE.value in said.getvalue()
    assert chapter.rows["resident.current"] == 10 and "10 行" in said.getvalue()
    entries = [json.loads(entry) for (entry,) in town.rows("SELECT entry FROM journal ORDER BY entry_no")]
    assert ("operator.refused", "operator:ensyu-uketsuke") in [
        (one["action"], one["actor"]) for one in entries
    ]
    assert town.rows("SELECT count(*) FROM operator") == [(0,)]
