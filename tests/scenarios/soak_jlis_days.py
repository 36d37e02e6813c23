"""Days of events of all 19 municipalities told to J-LIS by the real flow: its ledgers end equal to the truth."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from juki.columns import IdentityFile
from juki.home import Home
from juki.store import embedded

PEOPLE = 700
FILES = [file.value for file in IdentityFile]


@pytest.fixture(scope="module")
def said() -> Iterator[dict[str, Any]]:
    """Live through the days once, in a process of its own."""
    folder = Path(tempfile.mkdtemp(prefix="juki-jlis-"))
    home = Home.at(folder / "home")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JUKI_", "PREFECT_"))}
    command = [sys.executable, "-m", "tests.scenarios.jlis_days", str(PEOPLE)]
    done = subprocess.run(
        command,
        env=clean | {"JUKI_HOME": str(home.root)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    try:
        assert done.returncode == 0, done.stderr[-3000:]
        yield json.loads(done.stdout.splitlines()[-1])
    finally:
        embedded.stop(home)
        shutil.rmtree(folder)


@pytest.mark.parametrize("file", FILES)
def test_both_ledgers_of_jlis_equal_the_truth(said: dict[str, Any], file: str) -> None:
    """What municipalities know of everybody is what J-LIS knows, standing and erased, number included."""
    assert said["truth"][file] == {"stores": True, "standing": True, "erased": True}


def test_everything_was_told_once_and_acknowledged(said: dict[str, Any]) -> None:
    """Under consecutive numbers, with a refused package told again; J-LIS found nothing to complain of."""
    chapter = said["chapter"]
    assert chapter["ok"], chapter
    assert (chapter["acknowledged"], chapter["complaints"], chapter["refused_and_told_again"]) == (
        True,
        0,
        True,
    )
    for file in FILES:
        compared = chapter["compared"][file]
        assert compared["compared"] > PEOPLE * 0.9
        assert (compared["only_theirs"], compared["only_ours"]) == (0, 0)
    assert chapter["lost"] == 0


def test_a_report_of_an_error_opened_a_difference_and_was_settled(said: dict[str, Any]) -> None:
    """法30条の8, 30条の43: one for each file, answered by the municipality's own word."""
    assert said["chapter"]["reported"] == 2
    assert said["chapter"]["report_settled"]
