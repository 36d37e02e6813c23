"""docs/threats.md says nothing that is not so: its tests and codes exist, and no code of a package is left out."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

from juki.reasons import Code, Scope

_ROOT = Path(__file__).parents[2]
_PAGE = _ROOT / "docs" / "threats.md"
_BY_VALUE = {code.value: code for code in Code}


@dataclass(frozen=True, slots=True)
class Threat:
    """One row of the page."""

    threat: str
    control: str
    where: str
    codes: tuple[str, ...]
    tests: tuple[str, ...]


def _quoted(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


def _threats() -> list[Threat]:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in _PAGE.read_text("utf-8").splitlines()
        if line.startswith("|") and not line.startswith(("| threat", "|---"))
    ]
    assert all(len(row) == 5 for row in rows)
    return [Threat(row[0], row[1], row[2].strip("`"), _quoted(row[3]), _quoted(row[4])) for row in rows]


@lru_cache(maxsize=1)
def _sources() -> dict[str, str]:
    """The source of the file of every test, by the name of the test."""
    found: dict[str, str] = {}
    for path in (_ROOT / "tests").rglob("test_*.py"):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found[node.name] = found.get(node.name, "") + text
    return found


@pytest.mark.parametrize("threat", _threats(), ids=lambda threat: threat.threat)
def test_every_threat_has_a_control_that_is_there_and_tests_that_exist(threat: Threat) -> None:
    """A renamed test or a moved module turns this red, not the page wrong."""
    assert threat.control and threat.tests
    assert (_ROOT / threat.where).is_file()
    assert [name for name in threat.tests if name not in _sources()] == []


@pytest.mark.parametrize("threat", _threats(), ids=lambda threat: threat.threat)
def test_every_code_of_a_threat_exists_and_is_named_where_it_is_tested(threat: Threat) -> None:
    """The tests of the row speak of the code itself, not only of a failure."""
    for value in threat.codes:
        code = _BY_VALUE[value]
        names = (f"Code.{code.name}", f'"{value}', f"'{value}")
        assert any(name in _sources()[test] for test in threat.tests for name in names), value


def test_every_code_of_a_package_stands_against_a_threat() -> None:
    """Sections 1 to 3 of the specification can refuse a package by these codes and no other."""
    told = {code for threat in _threats() for code in threat.codes}
    assert {code.value for code in Code if code.scope is Scope.PACKAGE} - told == set()


def test_every_code_of_a_request_stands_against_a_threat() -> None:
    """Whatever can refuse identification information to somebody stands against somebody who asks."""
    told = {code for threat in _threats() for code in threat.codes}
    assert {code.value for code in Code if code.scope is Scope.REQUEST} - told == set()


def test_every_measure_of_the_assessment_stands_in_a_heading() -> None:
    """Whoever asks what stands behind a promise of the assessment finds where to look."""
    headings = " ".join(line for line in _PAGE.read_text("utf-8").splitlines() if line.startswith("## "))
    assert set(re.findall(r"M(\d+)", headings)) == {str(number) for number in range(1, 16)}


def test_no_threat_is_told_twice() -> None:
    """One row each."""
    names = [threat.threat for threat in _threats()]
    assert len(names) == len(set(names))
