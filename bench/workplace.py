"""Where the benchmark works: an installation of its own, one municipality, and databases that are empty when asked.

Decides:    that every case starts from a copy of a freshly installed store, on the embedded server as it is
            delivered (durable settings), after a checkpoint.
Leaves:     what is measured to the cases.
Invariants: works only in a home that an exercise made; stops the server at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from config.stores import DATABASES
from juki.columns import IdentityFile
from juki.credentials import Credentials
from juki.home import Home
from juki.order import Channel
from juki.store import embedded

CHANNEL = Channel("352039", IdentityFile.RESIDENT)
STORE = DATABASES[IdentityFile.RESIDENT]
PEER_STORE = "bench_peer"
_INSTALLED = "bench_installed"


@dataclass(frozen=True, slots=True)
class Workplace:
    """One installation with its server running."""

    home: Home

    @property
    def store_url(self) -> str:
        """Where the resident store is."""
        return embedded.admin_url(self.home, STORE)

    @property
    def peer_url(self) -> str:
        """Where the peers write: the same server, a database of their own."""
        return embedded.admin_url(self.home, PEER_STORE)

    def packages(self, phase: str, size: int) -> Path:
        """Name the folder of the packages of one load."""
        return self.home.root / "bench" / f"{phase}-{size}"

    def finished(self, size: int) -> Path:
        """Name the folder of the finished rows of a first load."""
        return self.home.root / "bench" / f"finished-{size}"

    def snapshot(self, per_mille: int, size: int) -> Path:
        """Name the folder of the parts of one snapshot."""
        return self.home.root / "bench" / f"snapshot-{size}-{per_mille}"

    def keep_installed(self) -> None:
        """Put the installed, empty store aside as the pattern of all others."""
        with self._server() as connection:
            _copy(connection, STORE, _INSTALLED)

    def empty_store(self) -> None:
        """Begin with an empty store and an empty spool."""
        with self._server() as connection:
            _copy(connection, _INSTALLED, STORE)
        for path in self.home.spool.rglob("*.p7m"):
            path.unlink()
        self.settle()

    def empty_peer(self) -> None:
        """Begin with an empty database for a peer."""
        with self._server() as connection:
            _create(connection, PEER_STORE, "template0")
        self.settle()

    def settle(self, url: str = "") -> None:
        """Let the server finish what earlier work left behind; of `url`, what autovacuum would do overnight."""
        if url:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("VACUUM (ANALYZE)")
        with self._server() as connection:
            connection.execute("CHECKPOINT")

    @contextmanager
    def _server(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(embedded.admin_url(self.home), autocommit=True) as connection:
            yield connection


@contextmanager
def workplace(home: Home) -> Iterator[Workplace]:
    """Install in `home`, with the CS of the municipality running; the server stops at the end."""
    # A measured process needs none of the simulator, and its memory should not show any.
    from simulator import installation
    from simulator.sftp_server import make_key, serve

    code = CHANNEL.municipality_code
    made = installation.prepare(home, [code])
    client = Credentials(home.keys).sftp_public_key.read_text().strip()
    try:
        with serve(installation.folder(home) / "cs", {code: client}, make_key()) as server:
            installation.register(home, made, server)
            place = Workplace(home)
            place.keep_installed()
            yield place
    finally:
        embedded.stop(home)


def _copy(connection: psycopg.Connection, pattern: str, name: str) -> None:
    _create(connection, name, pattern)


def _create(connection: psycopg.Connection, name: str, pattern: str) -> None:
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    connection.execute(drop.format(sql.Identifier(name)))
    connection.execute(create.format(sql.Identifier(name), sql.Identifier(pattern)))
