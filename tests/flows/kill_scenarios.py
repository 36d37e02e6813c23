"""What a package may meet, and what must be true of a channel whatever died on the way.

A scenario is laid out once and put back as often as wanted: rows from copies of the tables in the same database,
files from copies beside them. What a channel looks like is compared with the same scenario undisturbed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg

from config.stores import DATABASES
from juki.store import embedded
from juki.store.roles import Duty
from juki.store.unit import open_unit
from juki.wire.envelope import open_envelope
from simulator.faults import Fault
from tests.flows.conftest import RESIDENT, Town

TABLES = (
    "current", "history", "former_code", "channel", "package", "rejection", "quarantine", "outbox", "journal",
    "reconciliation", "difference",
)  # fmt: skip
_FRESH_EACH_TIME = {"number_sealed", "record_sealed", "leaf_hash", "frontier", "outbox_no"}
"""Sealed under a nonce of its own, or made of what is; a number drawn by the dead is not drawn again."""
_OF_PACKAGE = ("package_id", "superseded_by_package_id")


def _first(town: Town, fault: Fault | None, count: int = 7) -> None:
    town.publish(count=count, fault=fault)


def _second(town: Town, fault: Fault) -> None:
    """Let a first package be applied and its receipt be read; the next one comes with a fault."""
    town.publish(count=5)
    assert town.work() == 0
    town.office.tidy(datetime.now(UTC))
    town.publish(first=5, count=5, fault=fault)


SCENARIOS: dict[str, Callable[[Town], None]] = {
    "applied": lambda town: _first(town, None),
    "rejected records": lambda town: _first(town, Fault.BAD_VALUES, 30),
    "refused": lambda town: _first(town, Fault.TAMPERED),
    "stray": lambda town: _first(town, Fault.WRONG_OUTBOX),
    "repeat": lambda town: _second(town, Fault.DUPLICATE),
    "incident": lambda town: _second(town, Fault.OTHER_CONTENT),
}


@dataclass(frozen=True, slots=True)
class Look:
    """Everything another process finds: rows of every table, files with their digests."""

    rows: dict[str, list[dict[str, Any]]]
    files: dict[str, str]

    @property
    def essence(self) -> dict[str, Any]:
        """What must be the same however often somebody died: everything but numbers and nonces drawn anew."""
        names = self._package_names()
        tables = {table: sorted(_essential(row, names) for row in rows) for table, rows in self.rows.items()}
        return {**tables, "files": sorted(self._file_name(name, names) for name in self.files)}

    def _package_names(self) -> dict[int, str]:
        """Name packages by file and rank, because a number drawn by the dead is not drawn again."""
        counted: Counter[str] = Counter()
        names: dict[int, str] = {}
        for row in sorted(self.rows["package"], key=lambda row: row["package_id"]):
            counted[row["file_name"]] += 1
            names[row["package_id"]] = f"{row['file_name']} {counted[row['file_name']]}"
        return names

    def _file_name(self, name: str, names: dict[int, str]) -> str:
        folder, _, last = name.rpartition("/")
        number = last.partition("-")[0]
        known = names.get(int(number)) if folder.startswith("quarantine") and number.isdigit() else None
        return f"{folder}/{known}" if known else name


def _essential(row: dict[str, Any], names: dict[int, str]) -> str:
    said = {name: value for name, value in row.items() if name not in _FRESH_EACH_TIME}
    for name in _OF_PACKAGE:
        if name in said:
            said[name] = names.get(said[name], said[name])
    if "entry" in said:
        entry = json.loads(said["entry"])
        entry["package_id"] = names.get(entry.get("package_id"))
        said["entry"] = json.dumps(entry, sort_keys=True)
    return repr(sorted(said.items()))


@dataclass(slots=True)
class Stage:
    """A scenario laid out, ready to be put back; `at` is the instant at which all its workers live."""

    town: Town
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def _folders(self) -> dict[str, Path]:
        home = self.town.home
        return {"spool": home.spool, "quarantine": home.quarantine, "cs": self.town.office.folder}

    @property
    def _kept(self) -> Path:
        return self.town.home.root / "kept"

    def keep(self) -> None:
        """Keep the state of everything."""
        with self._connected() as connection:
            connection.execute("DROP SCHEMA IF EXISTS kept CASCADE")
            connection.execute("CREATE SCHEMA kept")
            for table in TABLES:
                connection.execute(f"CREATE TABLE kept.{table} AS SELECT * FROM public.{table}")  # type: ignore[arg-type]
        shutil.rmtree(self._kept, ignore_errors=True)
        for name, folder in self._folders.items():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copytree(folder, self._kept / name)

    def put_back(self) -> None:
        """Put everything back as it was kept, once the connections of the dead are gone."""
        with self._connected() as connection:
            self._wait_for_the_dead(connection)
            connection.execute("SET LOCAL session_replication_role = replica")
            for table in TABLES:
                connection.execute(f"DELETE FROM public.{table}")  # type: ignore[arg-type]
                columns = ", ".join(_written_columns(connection, table))
                connection.execute(
                    f"INSERT INTO public.{table} ({columns}) OVERRIDING SYSTEM VALUE "  # type: ignore[arg-type]
                    f"SELECT {columns} FROM kept.{table}"
                )
        for name, folder in self._folders.items():
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(self._kept / name, folder)

    def forget(self) -> None:
        """Leave no copy."""
        with self._connected() as connection:
            connection.execute("DROP SCHEMA IF EXISTS kept CASCADE")
        shutil.rmtree(self._kept, ignore_errors=True)

    def settled(self) -> None:
        """Wait until the database has noticed that a worker is dead."""
        with self._connected() as connection:
            self._wait_for_the_dead(connection)

    def look(self) -> Look:
        """Look at everything."""
        rows: dict[str, list[dict[str, Any]]] = {}
        with self._connected() as connection:
            for table in TABLES:
                cursor = connection.execute(f"SELECT * FROM {table}")  # type: ignore[arg-type]
                names = [column.name for column in cursor.description or ()]
                rows[table] = [dict(zip(names, row, strict=True)) for row in cursor]
        files = {
            f"{name}/{path.relative_to(folder)}": hashlib.sha256(path.read_bytes()).hexdigest()
            for name, folder in self._folders.items()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        return Look(rows, files)

    def receipts(self) -> dict[str, bytes]:
        """Open the receipts in the inbox."""
        office, inbox = self.town.office.desk, self.town.office.folder / "inbox"
        keys, sender = [office.office.receiver.recipient()], office.prefecture.sender
        return {
            path.name: open_envelope(path.read_bytes(), recipient=keys, sender=sender, at=self.at)
            for path in sorted(inbox.glob("*.p7m"))
        }

    def verify_journal(self) -> int:
        """Walk the chain; return its length."""
        url = embedded.admin_url(self.town.home, DATABASES[RESIDENT])
        with open_unit(url, RESIDENT, Duty.AUDITOR) as unit:
            return unit.journal.verify().size

    def _connected(self) -> psycopg.Connection:
        url = embedded.admin_url(self.town.home, DATABASES[RESIDENT])
        return psycopg.connect(url, application_name="juki-test")

    @staticmethod
    def _wait_for_the_dead(connection: psycopg.Connection) -> None:
        alive = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'juki'"
        for _ in range(500):
            connection.execute("SELECT pg_stat_clear_snapshot()")
            if connection.execute(alive).fetchone() == (0,):
                return
            connection.execute("SELECT pg_sleep(0.01)")
        raise AssertionError("a dead worker still holds a connection")


def _written_columns(connection: psycopg.Connection, table: str) -> list[str]:
    """List the columns that are stored and not computed."""
    query = """
        SELECT column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position
    """
    return [name for (name,) in connection.execute(query, (table,))]


# -- what must hold -----------------------------------------------------------------------------------------------


def check(look: Look, expected: Look, *, notices: int) -> None:
    """Hold a channel to everything that may not depend on who died."""
    for what, lines in expected.essence.items():
        found = look.essence[what]
        more, less = (
            [one for one in left if one not in right] for left, right in ((found, lines), (lines, found))
        )
        assert found == lines, f"{what}: {more} instead of {less}"
    _each_notice_once(look, notices)
    _one_version_at_a_time(look)
    _one_entry_for_each_end(look)
    _files_where_they_belong(look)


def _each_notice_once(look: Look, notices: int) -> None:
    """Every notice of an applied package is a version or sealed in quarantine: never both, never neither."""
    applied = [row for row in look.rows["package"] if row["state"] == "applied"]
    versions = Counter(row["notice_no"] for table in ("current", "history") for row in look.rows[table])
    first = {row["package_id"]: row["first_notice_no"] for row in applied}
    sealed = Counter(first[row["package_id"]] + row["line"] - 2 for row in look.rows["quarantine"])
    everything = range(1, sum(row["records"] for row in applied) + 1)
    assert versions + sealed == Counter(everything)
    assert len(everything) == notices
    coded = {(row["package_id"], row["line"]) for row in look.rows["rejection"] if row["severity"] == "error"}
    assert coded == {(row["package_id"], row["line"]) for row in look.rows["quarantine"]}


def _one_version_at_a_time(look: Look) -> None:
    """A person has one current row, and the days of the versions before it follow one another."""
    people = Counter(row["resident_code"] for row in look.rows["current"])
    assert all(count == 1 for count in people.values())
    ends: dict[str, list[tuple[int, Any, Any]]] = {}
    for row in look.rows["history"]:
        span = (row["notice_no"], row["received_on"], row["superseded_on"])
        ends.setdefault(row["resident_code"], []).append(span)
    for spans in ends.values():
        spans.sort()
        assert all(begin <= end for _, begin, end in spans)
        assert all(end <= begin for (_, _, end), (_, begin, _) in pairwise(spans))


def _one_entry_for_each_end(look: Look) -> None:
    """Every package that ended has one entry that says so, and every receipt one that says it was delivered."""
    ends = {"applied", "refused", "repeated", "conflict"}
    said = Counter(
        (entry["package_id"], entry["action"])
        for entry in (json.loads(row["entry"]) for row in look.rows["journal"])
    )
    ended = [row for row in look.rows["package"] if row["state"] in ends]
    for row in ended:
        assert said.pop((row["package_id"], f"package.{row['state']}")) == 1
    assert {action for _, action in said} <= {"receipt.delivered"}
    assert all(row["receipt_sent_at"] is not None for row in ended if row["receipt"] is not None)
    assert set(said) == {
        (row["package_id"], "receipt.delivered") for row in ended if row["receipt"] is not None
    }


def _files_where_they_belong(look: Look) -> None:
    """The spool holds what waits for its turn, quarantine what was refused as a whole, and nothing else."""
    spooled = sorted(name.rpartition("/")[2] for name in look.files if name.startswith("spool/"))
    waiting = sorted(row["file_name"] for row in look.rows["package"] if row["state"] == "received")
    assert spooled == waiting
    kept = {name.rpartition("/")[2] for name in look.files if name.startswith("quarantine/")}
    refused = {
        f"{row['package_id']}-{row['file_name']}"
        for row in look.rows["package"]
        if row["state"] in ("refused", "conflict")
    }
    assert kept == refused
    assert [name for name in look.files if "/inbox/." in name] == []
