"""Mutants of what is written as code: one operator, constant, condition, answer or assignment at a time.

Decides:    which places of a module are broken and how, and how a changed module is put in the place of the
            loaded one.
Leaves:     data that has a table of its own to `bench.mutants_tables`, running to `bench.mutants_run`.
Invariants: a function keeps its identity and gets other code, so whoever holds it calls the mutant. Data of a
            module is rebound wherever it was imported. Not broken: docstrings, annotations, texts of errors and
            screens, representations, and the values of enumerations, which are names and no rules.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from inspect import unwrap
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from bench.mutants_model import Function, Mutant
from bench.mutants_tables import rebind

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_DROPPED = (ast.Not, ast.Invert, ast.USub)
_SCREEN = frozenset({"japanese", "__repr__", "__str__"})
_MASK = "Mask"
_NO_RESULT = frozenset({"zero_copy_only", "strict", "repr"})
"""Arguments that choose a way or guard it, and no result."""
_TAKES_A_NAME = frozenset({"keep", "cast", "TypeVar"})
_MARKS_NOTHING = frozenset({"zeros", "nowhere"})
_SHOWN_CHARACTERS = 120

Place = tuple[str, ast.AST, ast.AST]
"""Where (qualified name of the function, or ""), what stands there, what stands there instead."""


def module_mutants(modules: Iterable[ModuleType]) -> Iterator[Mutant]:
    """Break every place of some modules."""
    for module in modules:
        path = Path(str(module.__file__))
        tree = ast.parse(path.read_text("utf-8"))
        counted: Counter[str] = Counter()
        for name, node, other in places(tree):
            shown = f"{name or 'module'}: {_place(tree, node)}{_shown(node)} → {_shown(other)}"
            counted[shown] += 1
            number = f" #{counted[shown]}" if counted[shown] > 1 else ""
            is_data = not name or name not in _called_later(tree)
            yield Mutant(
                group=module.__name__,
                name=shown + number,
                apply=partial(_install, module, tree, node, other, is_data=is_data),
                function=None if is_data else Function(str(path), name),
                files=frozenset({str(path)}),
            )


def _shown(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:_SHOWN_CHARACTERS]


def _place(tree: ast.Module, node: ast.AST) -> str:
    """Say what a constant stands in, since many constants look alike."""
    if not isinstance(node, ast.Constant):
        return ""
    around = next(one for one in ast.walk(tree) if any(child is node for _, child in _children(one)))
    return f"in `{_shown(around)}` "


def places(tree: ast.Module) -> Iterator[Place]:
    """List what can be broken in a module, and how."""
    for name, body in _bodies(tree):
        for statement in body:
            yield from _in(name, statement)


def _bodies(tree: ast.Module) -> Iterator[tuple[str, list[ast.stmt]]]:
    """List the data of a module, then its functions and methods."""
    yield "", [one for one in tree.body if isinstance(one, ast.Assign | ast.AnnAssign) and one.value]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, [node]
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name not in _SCREEN:
                    yield f"{node.name}.{inner.name}", [inner]


def _in(name: str, root: ast.stmt) -> Iterator[Place]:
    """Walk one function or one assignment."""
    if isinstance(root, ast.FunctionDef):
        is_mask = isinstance(root.returns, ast.Name) and root.returns.id == _MASK
        for statement in root.body:
            if not _is_docstring(statement):
                yield from ((name, *change) for change in _walk(statement, is_mask))
    elif isinstance(root, ast.Assign | ast.AnnAssign) and root.value is not None:
        yield from ((name, *change) for change in _walk(root.value, False))
        yield from ((name, *change) for change in _character_sets(root.value))


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _walk(node: ast.AST, is_mask: bool) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Break a node and everything below it, but for what is only said."""
    if isinstance(node, ast.Raise) or (isinstance(node, ast.keyword) and node.arg in _NO_RESULT):
        return
    if isinstance(node, ast.FunctionDef):
        for statement in node.body:
            yield from _walk(statement, is_mask)
        return
    for other in _others(node, is_mask):
        yield node, other
    for field, child in _children(node):
        if field not in ("annotation", "format_spec", "ctx") and child is not _name_given(node):
            yield from _walk(child, is_mask)


def _name_given(node: ast.AST) -> ast.AST | None:
    """Give the argument of a call that is only a name: of a type, or under which a result is kept."""
    if isinstance(node, ast.Call) and node.args:
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        return node.args[0] if called in _TAKES_A_NAME else None
    return None


def _children(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield field, child


def _others(node: ast.AST, is_mask: bool) -> Iterator[ast.AST]:
    """Give what may stand in the place of one node."""
    if isinstance(node, ast.Compare):
        for position, operator in enumerate(node.ops):
            changed = [*node.ops[:position], _COMPARED[type(operator)](), *node.ops[position + 1 :]]
            yield ast.Compare(node.left, changed, node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.BinOp) and type(node.op) in _CALCULATED:
        yield ast.BinOp(node.left, _CALCULATED[type(node.op)](), node.right)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _CALCULATED:
        yield ast.AugAssign(node.target, _CALCULATED[type(node.op)](), node.value)
        yield ast.Pass()
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, _DROPPED):
        yield node.operand
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        turned = copy.copy(node)
        turned.test = ast.UnaryOp(ast.Not(), node.test)
        yield turned
    elif isinstance(node, ast.Return) and is_mask and node.value is not None:
        yield ast.Return(ast.UnaryOp(ast.Invert(), node.value))
        if not (isinstance(node.value, ast.Call) and getattr(node.value.func, "attr", "") in _MARKS_NOTHING):
            yield ast.Return(ast.BinOp(node.value, ast.BitAnd(), ast.UnaryOp(ast.Invert(), node.value)))
    elif _is_effect(node):
        yield ast.Pass()
    elif isinstance(node, ast.Constant):
        yield from (ast.Constant(value) for value in _other_constants(node.value))


def _is_effect(node: ast.AST) -> bool:
    """Tell whether this is a statement that only changes something it was given."""
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], ast.Subscript | ast.Attribute)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _other_constants(value: object) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, str):
        yield value[:-1] if len(value) > 1 else value + "?"
    elif isinstance(value, bytes):
        yield value[:-1] if len(value) > 1 else value + b"?"


def _character_sets(root: ast.expr) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Take the first character from the texts of a module; the last one goes like that of any text."""
    for node in ast.walk(root):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > 1:
            yield node, ast.Constant(node.value[1:])


# -- putting a changed module in the place of the loaded one --------------------------------------------------------


def _install(module: ModuleType, tree: ast.Module, node: ast.AST, other: ast.AST, *, is_data: bool) -> None:
    """Run the changed source beside the loaded module and take its functions, and its data if that changed."""
    changed = copy.deepcopy(tree, {id(node): node})
    _Replacing(node, other).visit(changed)
    code = compile(ast.fix_missing_locations(changed), str(module.__file__), "exec")
    beside = ModuleType(module.__name__)
    beside.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    loaded = sys.modules[module.__name__]
    sys.modules[module.__name__] = beside
    try:
        exec(code, beside.__dict__)
    finally:
        sys.modules[module.__name__] = loaded
    for name, value in vars(beside).items():
        _take(module, name, value, is_data=is_data)


def _take(module: ModuleType, name: str, new: object, *, is_data: bool) -> None:
    old = module.__dict__.get(name)
    if isinstance(new, type):
        if isinstance(old, type) and new.__module__ == module.__name__:
            for part, method in vars(new).items():
                _take_code(vars(old).get(part), method, str(module.__file__))
    elif isinstance(unwrap_any(new), FunctionType):
        _take_code(old, new, str(module.__file__))
    elif is_data and not name.startswith("__") and not isinstance(new, ModuleType):
        rebind(name, old, new)


def _take_code(old: object, new: object, file: str) -> None:
    mine, other = unwrap_any(old), unwrap_any(new)
    if (
        isinstance(mine, FunctionType)
        and isinstance(other, FunctionType)
        and other.__code__.co_filename == file
    ):
        mine.__code__ = other.__code__


def unwrap_any(value: object) -> object:
    """Find the function in a method, property or decorated function."""
    if isinstance(value, classmethod | staticmethod):
        value = value.__func__
    if isinstance(value, property):
        value = value.fget
    if isinstance(value, cached_property):
        value = value.func
    return unwrap(value) if callable(value) else value


class _Replacing(ast.NodeTransformer):
    """Replace one node of a tree, known by identity."""

    def __init__(self, node: ast.AST, other: ast.AST) -> None:
        self._node, self._other = node, other

    def visit(self, node: ast.AST) -> ast.AST:
        """Replace the node, or go on below it."""
        return self._other if node is self._node else self.generic_visit(node)


def _called_later(tree: ast.Module) -> frozenset[str]:
    """Name the functions and methods that are not only called while the module is loaded."""
    only_at_load = {
        call.func.id
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for call in ast.walk(statement)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    }
    reached: set[str] = set()
    functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    pending: list[str] = list(only_at_load)
    while pending:
        name = pending.pop()
        if name in functions and name not in reached:
            reached.add(name)
            used = (one.id for one in ast.walk(functions[name]) if isinstance(one, ast.Name))
            pending.extend(one for one in used if one in functions)
    return frozenset(name for name, _ in _bodies(tree) if name and name not in reached)
