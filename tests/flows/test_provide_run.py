"""The flow of provision in the real engine: it connects to nothing but the databases, and nothing leaks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from config.stores import DATABASES, PREFECT_DATABASE
from juki.columns import IdentityFile
from juki.reasons import Code
from juki.store import embedded
from tests.canary import found_in, found_in_files
from tests.flows.conftest import Town
from tests.flows.providing import FUHYO, RESIDENT, Counter, counter
from tests.lineage_oracle import events_of, stages

ROOT = Path(__file__).parents[2]
SECONDS = 240
FIELDS = ("name", "name_kana", "address", "resident_code", "individual_number", "birth_date")
SOUGHT = {"sought name": "ヒワノ　サエズリコ", "sought date": "19031127", "sought number": "987654321018"}
PROGRAMS = {"python -m uvicorn"}
"""What a run starts: the temporary server of Prefect, which ends with it."""
ASKING_THE_MACHINE = {"ldconfig", "gcc", "cc", "ld", "objdump", "file"}
"""What the interpreter asks for libraries (asyncssh looks for optional ones) and for its own kind, where they are."""
REGISTER = ("provision", "hold", "journal", "crossing", "held_number")


@dataclass(slots=True)
class Run:
    """The running process, and everything it said."""

    here: Counter
    process: subprocess.Popen[str]
    folder: Path
    output: list[str] = field(default_factory=list)

    def do(self, command: str) -> tuple[str, list[str]]:
        """Let it run once; return the code it ended with, and every place it has connected to so far."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            self.output.append(line)
            if line.startswith("== "):
                said, connected = json.loads(line[3:])
                return said, connected
        raise AssertionError("the process ended")


@pytest.fixture
def run(town: Town, tmp_path: Path) -> Iterator[Run]:
    """Start the process; let it end by itself whatever became of the test."""
    here = counter(town)
    here.move_abroad(0)
    (tmp_path / "errors").mkdir()
    command = [sys.executable, "-m", "tests.flows.provide_run", str(tmp_path / "errors")]
    with (tmp_path / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            command, cwd=ROOT, env=town.environment, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
        )  # fmt: skip
        try:
            yield Run(here, process, tmp_path)
        finally:
            if process.poll() is None:
                process.communicate(timeout=SECONDS)


def _stray(town: Town, connected: list[str]) -> list[str]:
    """List the places that are neither a database nor Prefect's own API on this machine."""
    socket = str(embedded.socket_folder(town.home))
    own = (
        f"libpq:{socket}",
        f"unix:{socket}/",
        "inet:127.0.0.1:",
        "name:127.0.0.1",
        "name:localhost",
        "program:",
    )
    return [one for one in connected if not one.startswith(own) and one != "name:None"]


def _programs(connected: list[str]) -> set[str]:
    """Name the programs that were started: what they connect to nobody here can hear."""
    started = {one.removeprefix("program:") for one in connected if one.startswith("program:")}
    return started - ASKING_THE_MACHINE


def _ask(here: Counter) -> None:
    here.ask(
        [*here.by_number(0, 1), *here.by_four(2)], fields=["name", "name_kana", "address"], with_number=True
    )
    here.ask(here.by_four(0), file=FUHYO, fields=["name"], with_number=True)


def test_provision_connects_to_the_databases_and_to_nothing_else(run: Run) -> None:
    """M5: no connection between office systems and either store; what they get is a file in a folder."""
    here = run.here
    _ask(here)
    said, connected = run.do("run")
    assert said == "done"
    assert [answer.manifest.provision_id for answer in here.answers()] == ["F1", "R1"]
    assert _stray(here.town, connected) == []
    ports = {one.rpartition(":")[2] for one in connected if one.startswith("inet:")}
    assert len(ports) == 1, "one port of this machine: Prefect's own API"
    assert f"libpq:{embedded.socket_folder(here.town.home)}" in connected
    assert _programs(connected) == PROGRAMS
    # That the net has no hole: a connection elsewhere is seen, a datagram without one, a program.
    _, connected = run.do("elsewhere")
    assert _stray(here.town, connected) == [f"inet:192.0.2.1:{port}" for port in (10, 11, 9)]
    assert _programs(connected) == PROGRAMS | {"true", "shell"}


def _dump(town: Town, database: str, tables: tuple[str, ...] = ()) -> bytes:
    with psycopg.connect(embedded.admin_url(town.home, database)) as connection:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        there = [str(name) for (name,) in connection.execute(query).fetchall()]
        select = sql.SQL("SELECT t::text FROM {} t")
        wanted = [name for name in there if not tables or name in tables]
        rows = [row for name in wanted for row in connection.execute(select.format(sql.Identifier(name)))]
    return "\n".join(str(row[0]) for row in rows).encode()


def _places(run: Run) -> dict[str, set[str]]:
    """Search everywhere a value could have ended up."""
    town, home, here = run.here.town, run.here.town.home, run.here
    people = here.people[:3]
    marks = {
        f"{place} {name}": one[name]
        for place, one in enumerate(people)
        for name in FIELDS
        if len(one[name]) > 7
    }
    marks |= SOUGHT
    folders = {
        "errors": run.folder, "Prefect's home": home.prefect, "logs": home.logs, "quarantine": home.quarantine,
        "requests": home.requests, "kept copies": home.provisions, "PostgreSQL's log": home.postgres / "logs",
        "recipients": home.root / "exercise/recipients", "lineage": home.lineage,
    }  # fmt: skip
    commands = (
        ("status",),
        ("provision", "list", "--json"),
        ("provision", "show", "R1"),
        ("request", "list"),
    )
    told = [town.juki(*command) for command in commands]
    texts = {
        "output": "".join(run.output).encode(),
        "Prefect's database": _dump(town, PREFECT_DATABASE),
        "command line": "\n".join(one.stdout + one.stderr for one in told).encode(),
        **{f"register of {file.value}": _dump(town, DATABASES[file], REGISTER) for file in IdentityFile},
    }
    found = {name: found_in_files(folder, marks) for name, folder in folders.items()}
    return found | {name: found_in(text, marks) for name, text in texts.items()}


def test_nobody_sought_or_found_leaves_a_trace_outside_the_stores_whatever_fails(run: Run) -> None:
    """Found, not found, refused, malformed, failing while searched and while sealed: codes are all that is said."""
    here = run.here
    _ask(here)
    lines = [
        {"name_kana": SOUGHT["sought name"], "birth_date": SOUGHT["sought date"]},
        {"individual_number": SOUGHT["sought number"]},
    ]
    assert run.do("fail-search")[0] == Code.RUN_PROVISIONS_FAILED.value
    assert run.do("fail-seal")[0] == Code.RUN_PROVISIONS_FAILED.value
    here.ask(lines)
    here.ask(lines, basis="beppyo6-99")
    here.ask([{**lines[0], "birth_date": "1903-11-27"}, lines[1]])
    here.ask([*lines, {"individual_number": SOUGHT["sought number"], "note": SOUGHT["sought name"]}])
    assert run.do("run")[0] == "done"
    assert here.states() == [
        ("delivered", None),
        ("delivered", None),
        ("refused", Code.PROVISION_BASIS_UNKNOWN.value),
    ]
    assert len(list((here.town.home.quarantine / "requests" / "kyoiku").iterdir())) == 2
    rest, _ = run.process.communicate(timeout=SECONDS)
    run.output.append(rest)
    assert run.process.returncode == 0
    assert {name: hits for name, hits in _places(run).items() if hits} == {}
    told = stages(events_of(here.town.home), "provide")
    assert told == ["START", "FAIL", "START", "FAIL", "START", "COMPLETE"]
    # That the search has eyes: the people are in the stores.
    assert found_in(_dump(here.town, DATABASES[RESIDENT], ("current",)), {"name": here.people[0]["name"]})
