"""JUKI_HOME: everything in one folder, closed to others, safe to create again."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from juki.home import Home


def test_creating_again_creates_nothing(home: Home) -> None:
    """The first time says yes, every further time no."""
    assert not home.exists
    assert home.create()
    assert home.exists
    assert not home.create()


def test_folders_are_closed_to_others(home: Home) -> None:
    """The folders inside are the owner's alone; root's home may be passed through, but not listed."""
    home.create()
    home.keys.chmod(0o755)
    home.root.chmod(0o755)
    home.create()
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in home.root.iterdir()} == {0o700}
    assert stat.S_IMODE(home.root.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)


def test_lost_folder_comes_back(home: Home) -> None:
    """A folder someone removed is made again."""
    home.create()
    home.spool.rmdir()
    assert home.create()
    assert home.spool.is_dir()


def test_home_is_named_absolutely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative JUKI_HOME means the same after a change of folder."""
    monkeypatch.chdir(tmp_path)
    home = Home.at(".juki")
    monkeypatch.chdir("/")
    assert home.root == tmp_path.resolve() / ".juki"
