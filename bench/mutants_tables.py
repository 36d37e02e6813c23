"""Mutants of what is written as data: rules on records, cells of the decision tables, severities of codes.

Decides:    how each entry is broken: a rule is dropped, turned round, given another code or other arguments, on
            one layout at a time; a cell gets each other effect, loses its code or gets another; a severity is
            flipped.
Invariants: the tables are read from the loaded modules, so a new rule, cell or code is broken without a line here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from bench.mutants_model import Mutant
from juki import decisions, reasons
from juki.columns import IdentityFile, Layout, columns_of
from juki.decisions import CODE_ORDER, DECISIONS, Cell, Effect
from juki.reasons import Code, Severity
from juki.rules import catalogue, characters, events, identifiers, persons, places
from juki.rules.catalogue import RULES, Rule
from juki.rules.view import Mask, Records
from validations.models import BOUNDARIES, Boundary

_RULE_FILES = frozenset(
    str(module.__file__) for module in (catalogue, characters, events, identifiers, persons, places)
)
_DECISION_FILES = frozenset({str(decisions.__file__)})
_IDENTIFIERS = (identifiers.CODE, identifiers.NUMBER, identifiers.MUNICIPALITY)


def rebind(name: str, old: object, new: object) -> None:
    """Put a new object in the place of an old one wherever a loaded module of ours knows it by this name."""
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get(name) is old:
            setattr(module, name, new)


# -- rules ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Placed(Rule):
    """A rule that applies on one layout only, or on all its layouts but one."""

    layout: Layout = Layout.NOTICE
    file: IdentityFile = IdentityFile.RESIDENT
    is_there: bool = True

    def applies_to(self, layout: Layout, file: IdentityFile) -> bool:
        """Tell whether the rule holds here."""
        is_this = (layout, file) == (self.layout, self.file)
        # Not super(): a dataclass with slots is made twice, and the first one is no parent of the second.
        return Rule.applies_to(self, layout, file) and is_this == self.is_there


def _placed(rule: Rule, where: Boundary, *, is_there: bool) -> Rule:
    parts = {part.name: getattr(rule, part.name) for part in fields(Rule)}
    return _Placed(**parts, layout=where.layout, file=where.file, is_there=is_there)


def _install(rule: Rule, where: Boundary, broken: Rule | None) -> None:
    """Let a broken rule take the place of a good one on one layout."""
    parts = [_placed(rule, where, is_there=False)]
    if broken is not None:
        parts.append(_placed(broken, where, is_there=True))
    changed = tuple(new for old in RULES for new in (parts if old is rule else [old]))
    rebind("RULES", RULES, changed)


def rule_mutants() -> Iterator[Mutant]:
    """Break every rule on every layout it applies to."""
    for where in BOUNDARIES:
        for rule in where.rules:
            for how, broken in (("dropped", None), *_broken(rule, where)):
                name = f"{rule.code.value} on {rule.column}: {how}"
                apply = partial(_install, rule, where, broken)
                yield Mutant(f"rules of {where.name}", name, apply, files=_RULE_FILES)


def _broken(rule: Rule, where: Boundary) -> Iterator[tuple[str, Rule]]:
    yield "turned round", replace(rule, failing=partial(_turned, rule.failing))
    order = list(Code)
    yield "another code", replace(rule, code=order[(order.index(rule.code) + 1) % len(order)])
    yield "another column", replace(rule, column=_other_column(rule.column, where))
    if isinstance(rule.failing, partial):
        for keyword, value in rule.failing.keywords.items():
            for shown, other in _other_arguments(value, where):
                shifted = partial(rule.failing.func, **(rule.failing.keywords | {keyword: other}))
                yield f"{keyword} is {shown}", replace(rule, failing=shifted)


def _turned(failing: Callable[[Records], Mask], records: Records) -> Mask:
    return ~failing(records)


def _other_column(column: str, where: Boundary) -> str:
    columns = columns_of(where.layout, where.file)
    return columns[(columns.index(column) + 1) % len(columns)]


def _other_arguments(value: Any, where: Boundary) -> Iterator[tuple[str, Any]]:
    if isinstance(value, str):
        yield _other_column(value, where), _other_column(value, where)
    elif isinstance(value, identifiers.Identifier):
        for other in _IDENTIFIERS:
            if other is not value:
                yield f"of {other.width} digits", other
    else:
        for _, kind in catalogue._CLASSES:
            if kind is not value:
                yield kind.name or "", kind


# -- decision tables ----------------------------------------------------------------------------------------------


def cell_mutants() -> Iterator[Mutant]:
    """Break every cell of both decision tables."""
    for file, cells in DECISIONS.items():
        for key, cell in cells.items():
            for how, broken in _broken_cells(cell):
                name = f"{key[0].value} × {key[1].name.lower()}: {how}"
                apply = partial(cells.__setitem__, key, broken)
                yield Mutant(f"decisions on the {file.value} file", name, apply, files=_DECISION_FILES)


def _broken_cells(cell: Cell) -> Iterator[tuple[str, Cell]]:
    for effect in (Effect.APPLY, Effect.RECORD, Effect.REJECT):
        if effect is not cell.effect:
            yield f"{cell.effect.name.lower()} → {effect.name.lower()}", replace(cell, effect=effect)
    following = CODE_ORDER[(CODE_ORDER.index(cell.code) + 1) % len(CODE_ORDER) if cell.code else 0]
    said = cell.code.value if cell.code else "no code"
    if cell.code:
        yield f"{said} → no code", replace(cell, code=None)
    yield f"{said} → {following.value}", replace(cell, code=following)


# -- severities ---------------------------------------------------------------------------------------------------


def severity_mutants() -> Iterator[Mutant]:
    """Make an alert of every error and an error of every alert."""
    for code in Code:
        other = Severity.ALERT if code.severity is Severity.ERROR else Severity.ERROR
        name = f"{code.value}: {code.severity.value} → {other.value}"
        apply = partial(setattr, code, "severity", other)
        yield Mutant("severities of codes", name, apply, files=frozenset({str(reasons.__file__)}))
