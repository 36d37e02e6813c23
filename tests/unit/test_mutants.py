"""The tool that breaks rules really breaks them: a mutant that changes nothing would pass for a good test."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bench.mutants_syntax import module_mutants
from bench.mutants_tables import cell_mutants, rule_mutants, severity_mutants
from juki.decisions import DECISIONS
from juki.reasons import Code
from validations.models import BOUNDARIES

SOURCE = '''
"""A module to be broken."""
Mask = object
LIMIT = 3


class Words:
    """Methods and properties are broken where they stand."""

    @property
    def is_short(self) -> bool:
        """Tell."""
        return not self.longer()

    def longer(self) -> bool:
        """Tell."""
        return LIMIT == 3


def is_long(values: list[int]) -> bool:
    """Tell."""
    if not values:
        raise ValueError("texts of errors are not broken")
    return len(values) > LIMIT and values[0] != 7
'''


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[ModuleType]:
    """Load the module, and forget it."""
    path = tmp_path / "module_to_be_broken.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("module_to_be_broken", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[module.__name__]


def _answers(module: ModuleType) -> list[object]:
    def asked(values: list[int]) -> object:
        try:
            return module.is_long(values)
        except ValueError:
            return ValueError

    lists = ([], [1] * 2, [1] * 3, [1] * 4, [1] * 5, [7] * 4, [6] * 4, [8] * 4, [1, 7, 1, 1], [1, 1, 1, 7])
    return [*map(asked, lists), module.Words().is_short, module.Words().longer()]


def _names(module: ModuleType) -> list[str]:
    return [mutant.name for mutant in module_mutants([module])]


def test_every_place_is_broken_and_texts_of_errors_are_not(broken: ModuleType) -> None:
    """Comparisons, constants, conditions, and what joins them, in functions, methods, properties and data."""
    names = _names(broken)
    assert len(names) == len(set(names)) == 15
    assert not any(" in `ValueError" in name for name in names)


@pytest.mark.parametrize("number", range(15))
def test_a_mutant_answers_otherwise_than_the_module_did(broken: ModuleType, number: int) -> None:
    """Through the very functions that were imported before, as the tests of the product hold them."""
    before = _answers(broken)
    function, longer = broken.is_long, broken.Words.longer
    mutant = list(module_mutants([broken]))[number]
    mutant.apply()
    assert (broken.is_long, broken.Words.longer) == (function, longer)
    assert _answers(broken) != before, mutant.name


def test_no_rule_cell_or_severity_is_left_out() -> None:
    """Every rule of every layout, every cell with both other effects, every code."""
    rules = Counter(mutant.group for mutant in rule_mutants() if mutant.name.endswith("dropped"))
    assert rules == {f"rules of {where.name}": len(where.rules) for where in BOUNDARIES}
    effects = [mutant for mutant in cell_mutants() if mutant.name.split(": ")[1].split()[0].isalpha()]
    assert sum(" → " in mutant.name for mutant in effects) >= 2 * sum(map(len, DECISIONS.values()))
    assert len(list(severity_mutants())) == len(Code)
