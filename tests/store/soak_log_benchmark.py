"""The benchmark of the operation log runs at a tiny size; nothing here asks how fast it is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from bench.log import ENTRIES, measure, write
from bench.log_steps import STEPS
from bench.workplace import workplace
from juki.home import Home


def test_every_step_goes_through_the_whole_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Laid in, signed, verified, exported, and verified by the program that shares nothing; the page is written."""
    folder = Path(tempfile.mkdtemp(prefix="juki-bench-"))
    try:
        with workplace(Home.at(folder / "home")) as place:
            monkeypatch.setenv("JUKI_HOME", str(place.home.root))
            measured = measure(place, 300)
            write(measured, tmp_path / "log.md")
            assert list(measured) == list(STEPS)
        assert {step: one.records for step, one in measured.items()} == {
            "floor": 300, "sign": 30, "verify": 300, "news": 1, "export": 300, "verifier": 300,
        }  # fmt: skip
        assert f"{ENTRIES:,}" in (tmp_path / "log.md").read_text("utf-8")
    finally:
        shutil.rmtree(folder)
