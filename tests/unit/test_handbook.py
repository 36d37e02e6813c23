"""The handbook of the operators (運用の手引き) names no code and no command that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from juki.journal import Action
from juki.operator_matrix import MATRIX
from juki.reasons import Code

PAGE = Path(__file__).resolve().parents[2] / "docs" / "handbook" / "README.md"
TEXT = PAGE.read_text("utf-8")
CODES = sorted(set(re.findall(r"`([a-z]+\.[a-z_]+)`", TEXT)) - {"issuers.toml", "backup.md"})
COMMANDS = sorted(set(re.findall(r"juki ([a-z]+(?: [a-z][a-z-]*)?)", TEXT)))


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_the_handbook_exists(code: str) -> None:
    """What a page tells somebody to look for can be seen."""
    assert code in {one.value for one in Code} | {one.value for one in Action}


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_of_the_handbook_exists(words: str) -> None:
    """What a page tells somebody to type can be typed."""
    assert words in MATRIX or words.split()[0] in MATRIX


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(\.\./([a-z/.-]+)\)", TEXT))))
def test_every_page_the_handbook_leads_to_exists(target: str) -> None:
    """No link leads nowhere."""
    assert (PAGE.parents[1] / target).is_file()
