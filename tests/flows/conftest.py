"""A small prefecture whose CS runs in this process, for tests of tasks and flows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from config.stores import DATABASES
from juki.cli.app import PLUG_IN_GROUP
from juki.columns import IdentityFile
from juki.credentials import Credentials
from juki.home import Home
from juki.order import Channel
from juki.store import embedded
from simulator import installation, pki
from simulator.office import MunicipalOffice
from simulator.sftp_server import make_key, serve
from simulator.world import World
from tests.emptied import empty
from tests.flows.kill_points import COUNTED
from tests.flows.nursery import Nursery, Order
from tests.flows.prefect_site import Engine

RESIDENT = IdentityFile.RESIDENT
CODES = ("352039", "352012")
FLOWS = frozenset(one.name for one in entry_points(group=PLUG_IN_GROUP))
"""Commands that run flows: Prefect reads its environment once, before anything is loaded."""


@dataclass(slots=True)
class Town:
    """Two municipalities, their notices of a first day, and an installation that knows them."""

    home: Home
    made: pki.Pki
    offices: dict[str, MunicipalOffice]
    tables: dict[str, pa.Table]
    nursery: Nursery
    engine: Engine
    channel: Channel = field(default_factory=lambda: Channel(CODES[0], RESIDENT))

    @property
    def office(self) -> MunicipalOffice:
        """The office of the channel."""
        return self.offices[self.channel.municipality_code]

    def publish(self, first: int = 0, count: int = 10, **how: Any) -> None:
        """Publish some of the first notices of the channel, numbered as they are."""
        table = self.tables[self.channel.municipality_code].slice(first, count)
        self.office.publish(RESIDENT, table, datetime.now(UTC), **how)

    def work(self, point: str = "") -> int:
        """Work the channel in a process of its own; return its exit code (-9: it died at the named point)."""
        return self.nursery.work(Order(self.channel, point=point)).code

    def juki(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line: in a fork of what is loaded already, or in a process of its own if it runs flows."""
        if arguments[0] not in FLOWS:
            order = Order(self.channel, command=arguments, environment=self.environment)
            ended = self.nursery.work(order)
            return subprocess.CompletedProcess(arguments, ended.code, *json.loads(ended.said))
        command = [sys.executable, "-m", "juki", *arguments]
        return subprocess.run(
            command,
            env=self.environment | self.engine.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process that works for this installation."""
        clean = {n: v for n, v in os.environ.items() if not n.startswith(("JUKI_", "PREFECT_"))}
        return clean | {"JUKI_HOME": str(self.home.root)}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the store of the channel."""
        with psycopg.connect(embedded.admin_url(self.home, DATABASES[self.channel.file])) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    @contextmanager
    def registrations(self) -> Iterator[Path]:
        """Give the registered municipalities, which are as they were when the block is over."""
        path = self.home.municipalities_file
        good = path.read_text("utf-8")
        try:
            yield path
        finally:
            path.write_text(good, "utf-8")

    def forget(self) -> None:
        """Begin anew: empty stores but for their keys, empty folders."""
        for name in DATABASES.values():
            empty(embedded.admin_url(self.home, name))
        for folder in (
            self.home.spool,
            self.home.quarantine,
            self.home.witness,
            self.home.lineage,
            self.home.quality,
            *(office.folder for office in self.offices.values()),
        ):
            for path in folder.rglob("*"):
                if path.is_file():
                    path.unlink()


@pytest.fixture(scope="session")
def built() -> Iterator[Town]:
    """Build the town once."""
    folder = Path(tempfile.mkdtemp(prefix="juki-town-"))
    home = Home.at(folder / "home")
    made = installation.prepare(home, CODES)
    os.environ["JUKI_HOME"] = str(home.root)
    tables = {
        channel.municipality_code: table
        for channel, table in World.create(400, 5, date(2026, 3, 25)).initial_notices()
        if channel.file is RESIDENT and channel.municipality_code in CODES
    }
    client = Credentials(home.keys).sftp_public_key.read_text().strip()
    with serve(installation.folder(home) / "cs", dict.fromkeys(CODES, client), make_key()) as server:
        installation.register(home, made, server)
        nursery, engine = Nursery(Channel(CODES[0], RESIDENT)), Engine(home)
        yield Town(home, made, installation.offices(home, made), tables, nursery, engine)
        engine.close()
        nursery.close()
    del os.environ["JUKI_HOME"]
    embedded.stop(home)
    shutil.rmtree(folder)


@pytest.fixture
def town(built: Town) -> Town:
    """The town with nothing sent and nothing stored yet."""
    built.forget()
    return replace(built, offices=installation.offices(built.home, built.made))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print how many deaths were died, where the tests of the kill points have run."""
    for scenario, counts in COUNTED.items():
        told = ", ".join(f"{count} {what}" for what, count in counts.items())
        terminalreporter.write_line(f"kill points, {scenario}: {told}")
