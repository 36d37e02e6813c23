"""A whole database as `pg_dump` writes it, piece by piece, with the rows of every table as of the same instant.

Decides:    which `pg_dump` is run and how; that what is counted and what is dumped are one snapshot.
Leaves:     sealing the pieces to `juki.copying`, what has to be kept besides to docs/backup.md.
Invariants: nothing of a dump touches a disk here; the URL of a store, which may hold a password, is in no list of
            arguments; what the program prints is not kept, for it may quote what it reads. It acts as the owner of
            the database: no duty may read every table.
Source:     assessment M9, M15, ADR-0038; PostgreSQL documentation, pg_dump.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psycopg
from sqlalchemy import Connection, text

from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.reasons import Code
from juki.store import embedded
from juki.store.engine import open_engine, sealed_errors
from juki.store.tables import TABLES

PIECE_BYTES = 8 * 1024 * 1024
_OPTIONS = ("--format=custom", "--no-owner", "--no-privileges", "--no-password")
_MAJOR = re.compile(rb"\(PostgreSQL\) ([0-9]+)")
_COUNT = "SELECT count(*) FROM {table}"
_FROZEN = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


@dataclass(frozen=True, slots=True)
class Frozen:
    """A database held at one instant: its snapshot, the major version of its server, its rows by table."""

    url: str = field(repr=False)
    snapshot: str
    major: int
    rows: Mapping[str, int]


@contextmanager
def frozen_database(url: str, file: IdentityFile) -> Iterator[Frozen]:
    """Hold a database at this instant as long as the block lasts; others go on writing."""
    with sealed_errors(), open_engine(url).begin() as connection:
        connection.execute(_FROZEN)
        snapshot: str = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        major: int = connection.execute(
            text("SELECT current_setting('server_version_num')::int / 10000")
        ).scalar_one()
        yield Frozen(url, snapshot, major, _rows(connection, file))


def dumped(frozen: Frozen, piece_bytes: int = PIECE_BYTES) -> Generator[bytes, None, None]:
    """Dump a database as of its snapshot, in pieces of one size and a last one.

    Raises: StoreError(COPY_DUMP_FAILED) after the last piece, when the program did not end well: what came is void.
    """
    command = [str(_program(frozen)), *_OPTIONS, f"--snapshot={frozen.snapshot}"]
    process = subprocess.Popen(  # noqa: S603 - a program of the wheel or of the machine, no shell
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/",
        env=_environment(frozen.url),
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield from _pieces(process.stdout, piece_bytes)
    finally:
        # Whoever stops reading in the middle stops the program too.
        process.stdout.close()  # type: ignore[union-attr]
        status = process.wait()
    if status != 0:
        raise StoreError(Code.COPY_DUMP_FAILED, "pg_dump")


def _rows(connection: Connection, file: IdentityFile) -> dict[str, int]:
    names = sorted(TABLES[file].metadata.tables)
    return {name: connection.execute(text(_COUNT.format(table=name))).scalar_one() for name in names}


def _pieces(stream: IO[bytes], piece_bytes: int) -> Iterator[bytes]:
    while piece := stream.read(piece_bytes):
        yield piece


def _program(frozen: Frozen) -> Path:
    """Choose a program at least as new as the server; by a network, first that of the machine, which speaks TLS.

    Raises: StoreError(COPY_DUMP_FAILED) when there is none.
    """
    own, machine = embedded.program("pg_dump"), shutil.which("pg_dump")
    by_socket = psycopg.conninfo.conninfo_to_dict(frozen.url).get("host", "").startswith("/")  # type: ignore[union-attr]
    candidates = [own, *([Path(machine)] if machine else [])]
    for candidate in candidates if by_socket else reversed(candidates):
        if _major(candidate) >= frozen.major:
            return candidate
    raise StoreError(Code.COPY_DUMP_FAILED, "pg_dump")


def _major(program: Path) -> int:
    try:
        told = subprocess.run([program, "--version"], capture_output=True, check=True, timeout=60)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return 0
    found = _MAJOR.search(told.stdout)
    return int(found[1]) if found else 0


def _environment(url: str) -> dict[str, str]:
    """Tell the program by its environment where the database is: only its owner and root can read that."""
    options = psycopg.pq.Conninfo.parse(url.encode())
    told = {one.envvar.decode(): one.val.decode() for one in options if one.envvar and one.val}
    return {"PATH": os.environ.get("PATH", ""), "PGCONNECT_TIMEOUT": "10"} | told
