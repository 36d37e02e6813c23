"""The handbook of the operators (運用の手引き): every code has its place, and nothing is named that is not there."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from juki.journal import Action
from juki.operator_matrix import MATRIX
from juki.reasons import Code

_ROOT = Path(__file__).resolve().parents[2]
_FOLDER = _ROOT / "docs" / "handbook"
_CODES = {one.value for one in Code}
_SECTIONS = ("## 見えるもの", "## 意味", "## すること", "## このページのコード")
NOT_AN_OPERATORS: frozenset[str] = frozenset()
"""Codes no operator can meet; there is none today."""


def _index() -> ModuleType:
    spec = importlib.util.spec_from_file_location("handbook_index", _ROOT / "scripts" / "handbook_index.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


INDEX = _index()
TEXTS = {path.name: path.read_text("utf-8") for path in sorted(_FOLDER.glob("*.md"))}
PAGES = [path.name for path in INDEX.pages()]


def test_every_code_has_its_place_on_exactly_one_page() -> None:
    """Without a page somebody does not know what to do; with two, he does half of it."""
    found = Counter(code for code, _ in INDEX.places())
    assert sorted(_CODES - found.keys() - NOT_AN_OPERATORS) == []
    assert sorted(found.keys() - _CODES) == []
    assert {code: count for code, count in found.items() if count > 1} == {}


def test_committed_index_of_the_handbook_is_current() -> None:
    """Run `python scripts/handbook_index.py > docs/handbook/codes.md` after changing a page or a code."""
    assert TEXTS["codes.md"] == INDEX.index()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_what_is_seen_what_it_means_and_what_to_do(page: str) -> None:
    """In this order, with something to type, and reached from the first page."""
    text = TEXTS[page]
    places = [text.find(section) for section in _SECTIONS]
    assert -1 not in places and places == sorted(places)
    assert re.search(r"juki [a-z]+", text[places[2] : places[3]])
    assert f"({page})" in TEXTS["README.md"]


@pytest.mark.parametrize("page", TEXTS)
def test_every_code_a_page_speaks_of_exists(page: str) -> None:
    """What a page tells somebody to look for can be seen."""
    said = set(re.findall(r"[`\[]([a-z_]+\.[a-z_]+)[`\]]", TEXTS[page]))
    files = {
        one
        for one in said
        if one.endswith((".toml", ".yaml", ".md", ".txt", ".log", ".conf", ".pub", ".p7m"))
    }
    assert said - files <= _CODES | {one.value for one in Action}


@pytest.mark.parametrize("page", TEXTS)
def test_every_command_of_the_handbook_exists(page: str) -> None:
    """What a page tells somebody to type can be typed: the words and every option."""
    for words in re.findall(r"juki ([a-z]+(?: [a-z][a-z-]*)?)", TEXTS[page]):
        assert words in MATRIX or words.split()[0] in MATRIX, words


def test_every_option_of_the_handbook_is_one_of_its_command() -> None:
    """A line that begins with a command is typed as it stands."""
    from tests.unit.test_cli_language import _commands

    takes = {words: {opt for one in command.params for opt in one.opts} for words, command in _commands({})}
    lines = [line.strip() for text in TEXTS.values() for line in text.splitlines()]
    typed = [line.removeprefix("$ ") for line in lines if line.startswith("$ juki ")]
    assert len(typed) > 40
    for line in typed:
        words = " ".join(re.match(r"juki(?: [a-z][a-z-]*)+", line)[0].split()[:3])  # type: ignore[index]
        command = words if words in takes else " ".join(words.split()[:2])
        assert set(re.findall(r" (--[a-z-]+)", line)) <= takes[command], line


@pytest.mark.parametrize("page", TEXTS)
def test_every_link_of_the_handbook_leads_somewhere(page: str) -> None:
    """From where the page is."""
    targets = set(re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", TEXTS[page]))
    assert [target for target in targets if not (_FOLDER / target).exists()] == []
