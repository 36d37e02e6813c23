"""Which way the arrows point: every import of the product is walked, and an offender is named by its edge.

flows → tasks → validations → juki, with config beside them (docs/decisions/0001). Inside the core the pure part
imports nothing that knows a clock, an environment, a database or a network.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("juki", "validations", "tasks", "flows", "config")
OURS = (*PRODUCT, "simulator", "tests", "bench")
DATA = frozenset({"numpy", "pandas", "pyarrow"})
IMPURE = frozenset(
    {"os", "time", "socket", "subprocess", "random", "secrets", "tempfile", "logging", "shutil"}
)
"""Parts of the standard library by which a rule would depend on more than its arguments."""


@dataclass(frozen=True, slots=True)
class Room:
    """One part of the house: the parts of ours it may import, foreign packages, and whether it is pure."""

    ours: tuple[str, ...]
    foreign: frozenset[str] = DATA
    is_pure: bool = False


_RULES = ("juki.*",)
"""The pure part: modules of `juki` that are no room of their own below."""
_CORE = (
    *(*_RULES, "juki.durable", "juki.home", "juki.keys", "juki.credentials", "juki.numbers"),
    *("juki.checkpoints", "juki.log_keys", "juki.witnesses"),
)

ROOMS: dict[str, Room] = {
    # Sealing is given its keys and asks nobody: rules may use it.
    "juki": Room((*_RULES, "juki.numbers"), is_pure=True),
    # Key material: the one place of the core beside wire/ that needs cryptography, files and randomness.
    "juki.durable": Room(_RULES),
    "juki.home": Room(_RULES),
    "juki.processes": Room(_RULES),
    "juki.site": Room((*_RULES, "juki.durable", "juki.home", "juki.keys", "juki.processes")),
    "juki.notifications": Room((*_RULES, "juki.durable", "juki.keys")),
    "juki.keys": Room((*_RULES, "juki.durable", "juki.home")),
    "juki.credentials": Room(_CORE, DATA | {"cryptography"}),
    "juki.numbers": Room(_CORE, DATA | {"cryptography"}),
    "juki.hold_keys": Room((*_CORE,), DATA),
    "juki.held_copies": Room((*_CORE,), DATA),
    "juki.hold_clock": Room((*_CORE,), DATA),
    "juki.quality_files": Room((*_CORE,), frozenset()),
    "juki.lineage_files": Room((*_RULES, "juki.home"), frozenset()),
    # Steps that touch keys, files, rows and folders in one order; flows and commands do the same ones.
    "juki.custody": Room(
        (
            "juki.*",
            "juki.home",
            "juki.numbers",
            "juki.hold_keys",
            "juki.held_copies",
            "juki.hold_clock",
            "juki.store",
            "juki.wire",
            "juki.custody",
        )
    ),
    # Checkpoints are signed and read with keys that are given; the key files and the witness folders are apart.
    "juki.checkpoints": Room(_RULES, frozenset({"cryptography"}), is_pure=True),
    # A token is checked with keys and at an instant that are given.
    "juki.assertions": Room(_RULES, frozenset({"joserfc"}), is_pure=True),
    # What a person decides, with files, rows and the log in one order; a terminal and a run do the same.
    "juki.acts": Room((*_CORE, "juki.store", "juki.wire", "juki.acts")),
    # Everything that is known of an installation, gathered from its stores and files for whoever shows it.
    "juki.overview": Room(
        (
            *_CORE,
            "juki.hold_clock",
            "juki.lineage_files",
            "juki.quality_files",
            "juki.site",
            "juki.notifications",
            "juki.oplog",
            "juki.store",
            "juki.wire.refused_files",
            "juki.overview",
        ),
        frozenset(),
    ),
    "juki.gate": Room((*_CORE, "juki.assertions", "juki.store")),
    "juki.log_keys": Room(_CORE, frozenset({"cryptography"})),
    "juki.witnesses": Room(_CORE, frozenset()),
    # The log as a whole: its store, its keys and its witnesses together.
    "juki.oplog": Room(
        (*_CORE, "juki.notifications", "juki.store", "juki.oplog"), frozenset({"cryptography"})
    ),
    "juki.store": Room((*_CORE, "juki.store"), DATA | {"sqlalchemy", "psycopg", "alembic"}),
    "juki.wire": Room((*_CORE, "juki.wire"), DATA | {"asyncssh", "cryptography"}),
    # Copies bring rows, keys, the envelope and a folder together.
    "juki.copying": Room((*_CORE, "juki.store", "juki.wire", "juki.copying"), DATA | {"cryptography"}),
    # What is put on paper: a form knows fonts and pages, and neither a clock nor a store.
    "juki.printing": Room(
        (*_RULES, "juki.printing"), frozenset({"fpdf", "uharfbuzz", "noto_cjk_sans_jp_regular"})
    ),
    "juki.printing.paper": Room(_RULES, is_pure=True),
    "juki.disclosed": Room((*_RULES, "juki.printing.paper"), is_pure=True),
    # Requests as runs and the command line take them in alike.
    "juki.provide": Room((*_CORE, "juki.store", "juki.wire", "juki.provide"), DATA | {"cryptography"}),
    # The command line is the outermost room: it may see everything of the core, and config.
    "juki.cli": Room(("juki", "config"), DATA | {"typer", "rich"}),
    "juki.__main__": Room(("juki.cli",)),
    "config": Room(("juki", "config"), frozenset({"pydantic", "pydantic_settings", "cryptography", "yaml"})),
    "validations": Room((*_CORE, "validations"), DATA | {"pandera", "great_expectations"}),
    "tasks": Room(("juki", "config", "validations", "tasks"), DATA | {"prefect", "pydantic"}),
    "flows": Room(("juki", "config", "validations", "tasks", "flows"), DATA | {"prefect", "pydantic"}),
    # The process of the site's server: what serves Prefect's application comes with Prefect.
    "flows.serving.server": Room((), frozenset({"uvicorn"})),
    # What is plugged into the command line speaks its language.
    "flows.commands": Room(("juki", "config", "tasks", "flows"), DATA | {"prefect", "typer", "rich"}),
}
NOBODY_IMPORTS = ("juki.cli", "juki.__main__")
"""Rooms only their own kind and plug-ins may import."""
MAY_IMPORT_CLI = ("juki.cli", "juki.__main__", "flows.commands")

SQL = re.compile(
    r"\b(SELECT\s+\S.*\sFROM\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|TRUNCATE\s+\w"
    r"|(CREATE|ALTER|DROP)\s+(TABLE|ROLE|DATABASE|INDEX|SCHEMA|FUNCTION)\s)",
    re.DOTALL,
)
THE_BRIDGE, CROSSES = "juki.store.bridge", "tasks.bridging"
"""Nobody else joins the two stores (M6)."""
CLOCKS = frozenset({"now", "today", "utcnow"})


def room_of(module: str) -> str:
    """Name the innermost room a module lies in; `juki.*` stands for the pure part."""
    return max((name for name in ROOMS if _lies_in(module, name)), key=len, default="")


def imports_of(tree: ast.AST) -> Iterator[str]:
    """List what a source imports, also inside functions; `from a import b` counts as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offences(module: str, source: str) -> list[str]:
    """List what a module does that its room may not, each as a sentence that names the edge."""
    tree = ast.parse(source)
    room_name = room_of(module)
    room = ROOMS[room_name]
    found = [f"{module} → {name}" for name in imports_of(tree) if not _may_import(module, room, name)]
    if room.is_pure:
        found += [f"{module} asks a clock: .{name}()" for name in _clock_calls(tree)]
    if not _lies_in(module, "juki.store"):
        found += [f"{module} holds SQL on line {line}" for line in _sql_lines(tree)]
    return found


def _lies_in(module: str, name: str) -> bool:
    return module == name or module.startswith(name + ".")


def _may_import(module: str, room: Room, name: str) -> bool:
    top = name.split(".")[0]
    if top not in OURS:
        if top in sys.stdlib_module_names:
            return not (room.is_pure and top in IMPURE)
        return top in room.foreign
    if _lies_in(name, THE_BRIDGE):
        return module == CROSSES
    if any(_lies_in(name, closed) for closed in NOBODY_IMPORTS):
        return any(_lies_in(module, allowed) for allowed in MAY_IMPORT_CLI)
    is_rule = room_of(name) == "juki"
    return any(is_rule if part == "juki.*" else _lies_in(name, part) for part in room.ours)


def _clock_calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            yield node.func.attr


def _sql_lines(tree: ast.AST) -> Iterator[int]:
    """Find statements in string literals; a docstring may speak of SQL."""
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in documentation and SQL.search(node.value):
            yield node.lineno


def _modules() -> Iterator[tuple[str, Path]]:
    for package in PRODUCT:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__"), path


@pytest.mark.parametrize(("module", "path"), list(_modules()), ids=lambda value: str(value).split("/")[-1])
def test_module_stays_in_its_room(module: str, path: Path) -> None:
    """No module imports against the arrows, asks a clock where it is pure, or holds SQL outside the store."""
    assert offences(module, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source", "edge"),
    [
        ("juki.decisions", "import prefect", "juki.decisions → prefect"),
        ("juki.decisions", "from juki.store import engine", "juki.decisions → juki.store.engine"),
        ("juki.decisions", "from juki import keys", "juki.decisions → juki.keys"),
        ("juki.decisions", "import os", "juki.decisions → os"),
        (
            "juki.decisions",
            "from config.settings import Settings",
            "juki.decisions → config.settings.Settings",
        ),
        ("juki.decisions", "import datetime\nx = datetime.datetime.now()", "asks a clock"),
        (
            "juki.rules.dates",
            "def f():\n    from sqlalchemy import text",
            "juki.rules.dates → sqlalchemy.text",
        ),
        ("juki.store.engine", "import asyncssh", "juki.store.engine → asyncssh"),
        ("juki.store.engine", "from juki.wire import sftp", "juki.store.engine → juki.wire.sftp"),
        ("juki.wire.sftp", "import psycopg", "juki.wire.sftp → psycopg"),
        ("validations.contracts", "import prefect", "validations.contracts → prefect"),
        ("validations.contracts", "from tasks import intake", "validations.contracts → tasks.intake"),
        ("tasks.intake", "from flows.intake import intake", "tasks.intake → flows.intake.intake"),
        ("tasks.intake", "import pandera", "tasks.intake → pandera"),
        ("flows.intake", "from simulator import people", "flows.intake → simulator.people"),
        ("flows.intake", "from juki.cli import output", "flows.intake → juki.cli.output"),
        ("tasks.provide", "from juki.store.bridge import ResidentSide", "tasks.provide → juki.store.bridge"),
        ("tasks.provide", "from juki.store import bridge", "tasks.provide → juki.store.bridge"),
        ("juki.store.unit", "import juki.store.bridge", "juki.store.unit → juki.store.bridge"),
        ("config.settings", "from tasks import intake", "config.settings → tasks.intake"),
        ("tasks.intake", "q = 'SELECT name FROM current'", "tasks.intake holds SQL on line 1"),
        ("juki.cli.app", "q = f'DELETE FROM {x}'", "juki.cli.app holds SQL on line 1"),
    ],
)
def test_planted_offender_is_named(module: str, source: str, edge: str) -> None:
    """The walk itself can fail, for every kind of offence, and says where."""
    found = offences(module, source)
    assert found
    assert edge in found[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("juki.decisions", "import numpy as np\nfrom juki.columns import Kind\nfrom datetime import date"),
        ("juki.store.engine", "import psycopg\nfrom juki.keys import FileKeys\nq = 'SELECT 1 FROM t'"),
        ("juki.cli.app", "from config.settings import Settings\nfrom juki.store import engine"),
        ("flows.intake", "from tasks.intake import accept\nfrom prefect import flow"),
        ("tasks.intake", "'''It does not SELECT anything FROM anywhere.'''"),
    ],
)
def test_lawful_import_is_left_alone(module: str, source: str) -> None:
    """What the design allows draws no complaint."""
    assert offences(module, source) == []


def test_no_flow_hides_a_package() -> None:
    """A file of flows/ named like a package would be imported in its place."""
    stems = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__"}
    assert not stems & set(OURS)
    assert [stem for stem in sorted(stems) if importlib.util.find_spec(stem) is not None] == []


def test_verifier_shares_nothing_with_what_it_verifies() -> None:
    """One file that imports the standard library and `cryptography`: an auditor needs nothing of ours."""
    files = list((ROOT / "verifier").rglob("*.py"))
    assert [path.name for path in files] == ["juki_verify.py"]
    imported = {name.split(".")[0] for name in imports_of(ast.parse(files[0].read_text("utf-8")))}
    assert imported - sys.stdlib_module_names == {"cryptography"}
