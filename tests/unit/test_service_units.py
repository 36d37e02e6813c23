"""The service units of docs/systemd: every line of a known form, and every command they call exists."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

import pytest

from juki.cli.app import BUILT_IN, plugged_in

_ROOT = Path(__file__).parents[2]
UNITS = sorted((_ROOT / "docs" / "systemd").glob("*.service"))
COMMANDS = {command.name for command in (*BUILT_IN, *plugged_in())}


def _unit(path: Path) -> ConfigParser:
    read = ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(path, "utf-8")
    return read


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_service_closes_its_files_and_starts_again(path: Path) -> None:
    """No unit runs as root, leaves files open to others, or stays down."""
    service = _unit(path)["Service"]
    assert service["User"] == "juki" and service["UMask"] == "0077" and service["Restart"] == "always"
    assert service["NoNewPrivileges"] == "true"


@pytest.mark.parametrize("page", [*UNITS, _ROOT / "docs" / "production.md"], ids=lambda path: path.name)
def test_every_command_of_ours_that_is_named_exists(page: Path) -> None:
    """A renamed command turns this red, not a machine dark."""
    called = re.findall(r"(?:bin/|`|    |&& )juki ([a-z]+)", page.read_text("utf-8"))
    assert set(called) <= COMMANDS
    assert called or "worker" in page.name
