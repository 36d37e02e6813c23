"""What every test may ask for: a home of its own and one real PostgreSQL for the whole session."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from juki.columns import IdentityFile
from juki.home import Home
from juki.store import embedded
from tests import dealing

settings.register_profile("ci", derandomize=True, max_examples=25, deadline=None)
settings.register_profile("soak", max_examples=int(os.environ.get("EXAMPLES", "20000")), deadline=None)

_SERVER_FOLDER = "juki-test-"
"""Folders of session servers in the temporary folder; the number after it is the process of the session."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run write down what it took."""
    parser.addoption(
        "--record-costs", action="store_true", help="write tests/costs.tsv anew (see CONTRIBUTING.md)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Measure where asked; the processes of a run report to the one that deals."""
    if config.getoption("--record-costs") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(dealing.Measured())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order what is dealt to several processes; a run by hand keeps the order of the files."""
    if hasattr(config, "workerinput"):
        places = dealing.order_of([item.nodeid for item in items], dealing.read_costs())
        items.sort(key=lambda item: places[item.nodeid])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> dealing.Dealer:
    """Deal by cost."""
    return dealing.Dealer(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: much of the time is spent waiting for servers and disks."""
    return len(os.sched_getaffinity(0)) + 1


@dataclass(frozen=True, slots=True)
class Stores:
    """A freshly installed pair of databases, by their administrator URLs."""

    resident_url: str
    fuhyo_url: str

    def url(self, file: IdentityFile) -> str:
        """Return the administrator URL of the database of one identity file."""
        return self.resident_url if file is IdentityFile.RESIDENT else self.fuhyo_url


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A JUKI_HOME that does not exist yet."""
    return Home.at(tmp_path / "home")


@pytest.fixture(scope="session")
def server_home() -> Iterator[Home]:
    """The home of the session's PostgreSQL, stopped and removed at the end."""
    for left_over in Path(tempfile.gettempdir()).glob(f"{_SERVER_FOLDER}*"):
        if not Path(f"/proc/{left_over.name.split('-')[2]}").exists() and os.access(left_over, os.W_OK):
            _remove_server(left_over)
    # Not below pytest's folders: their long names would exceed the length of a socket path.
    folder = Path(tempfile.mkdtemp(prefix=f"{_SERVER_FOLDER}{os.getpid()}-"))
    yield Home.at(folder / "home")
    _remove_server(folder)


def _remove_server(folder: Path) -> None:
    """Stop a session's server and remove its data; also that of a session that was killed."""
    embedded.stop(Home.at(folder / "home"))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(server_home: Home) -> str:
    """The administrator URL of a running PostgreSQL; what it holds need not outlive the machine."""
    url = embedded.start(server_home)
    with psycopg.connect(url, autocommit=True) as connection:
        # Only this: the rest of its settings is the product's, and whether they are durable test_embedded asks.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    return url


@pytest.fixture(scope="session")
def templates(postgres: str, server_home: Home) -> dict[IdentityFile, str]:
    """One installed database for each file, never written to, by name: copies are made of them."""
    from juki.store.install import install

    names = {file: f"juki_{file.value}" for file in IdentityFile}
    for file, name in names.items():
        embedded.ensure_database(postgres, name)
        install(embedded.admin_url(server_home, name), file)
    return names


@pytest.fixture(scope="session")
def new_stores(
    postgres: str, server_home: Home, templates: dict[IdentityFile, str]
) -> Iterator[Callable[[], Stores]]:
    """Return a function that makes fresh pairs of databases; all are dropped at the end."""
    counter, made = itertools.count(1), list[str]()

    def make() -> Stores:
        suffix = f"_{next(counter)}"
        with psycopg.connect(postgres, autocommit=True) as connection:
            for template in templates.values():
                copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
                connection.execute(copy.format(sql.Identifier(template + suffix), sql.Identifier(template)))
                made.append(template + suffix)
        return Stores(*(embedded.admin_url(server_home, templates[file] + suffix) for file in IdentityFile))

    yield make
    with psycopg.connect(postgres, autocommit=True) as connection:
        for name in made:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def stores(new_stores: Callable[[], Stores]) -> Stores:
    """A fresh pair of databases for one test."""
    return new_stores()


@pytest.fixture(scope="module")
def module_stores(new_stores: Callable[[], Stores]) -> Stores:
    """A fresh pair of databases for all tests of one module."""
    return new_stores()
