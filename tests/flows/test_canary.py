"""Marked people through runs that fail in every way there is: afterwards their marks are nowhere.

Nowhere is: what the processes printed, errors with all their causes, Prefect's database, storage and log,
PostgreSQL's log, spool and quarantine, the journal, the register and the findings, receipts, and what the
command line shows. The identity tables themselves hold them, and only those.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql

from config.stores import DATABASES, PREFECT_DATABASE
from juki.columns import RECORD_COLUMNS, IdentityFile, Layout, columns_of
from juki.order import Channel
from juki.reasons import Code
from juki.records import format_records
from juki.store import embedded
from simulator.faults import tampered
from simulator.snapshots import SnapshotFault
from tests.canary import found_in, found_in_files
from tests.flows import fault_work
from tests.flows.attack import content_of, lay, lay_sealed, made_up_people, with_words
from tests.flows.conftest import CODES, RESIDENT, Town
from tests.flows.forks import told
from tests.flows.nursery import Order
from tests.lineage_oracle import events_of, stages

FUHYO = IdentityFile.FUHYO
ROOT = Path(__file__).parents[2]
MARKS = {
    RESIDENT: {
        "name": "鶸野　囀子", "name_kana": "ヒワノ　サエズリコ", "former_name": "雀部鶯",
        "former_name_kana": "スズメベウグ", "alias": "カナリア　セキセイ",
        "address": "山口県山口市啼鳥九百九十番地鳥籠", "birth_date": "19031127",
        "resident_code": "97531086426", "individual_number": "987654321018",
    },
    FUHYO: {
        "name": "鷦鷯　啄木", "name_kana": "ミソサザイ　ツツキ", "address": "北海道札幌市囀八百八十番地",
        "birth_date": "19041229", "resident_code": "86420975319",
    },
}  # fmt: skip
ALL_MARKS = {f"{file.value} {name}": mark for file, marks in MARKS.items() for name, mark in marks.items()}
LEAKED = {"leaked name": "駒鳥籠抜次郎", "leaked number": "976543210983"}
REGISTER = ("channel", "package", "rejection", "quarantine", "outbox", "journal")
SECONDS = 180


def _marked(file: IdentityFile, *changes: dict[str, str], first_no: int = 1) -> pa.Table:
    """The marked person once for every set of changes, as foreign so that every column may be filled."""
    people = made_up_people(file, 1)
    base = people.to_pylist()[0] | MARKS[file]
    records = [base | {"notice_no": str(first_no + place)} | change for place, change in enumerate(changes)]
    return pa.Table.from_pylist(records, people.schema)


def _spoilt(file: IdentityFile) -> Iterator[dict[str, str]]:
    """A bad value in each column, made of a mark wherever the column is none of the person's."""
    marks = MARKS[file]
    for column in columns_of(Layout.NOTICE, file):
        if column == "notice_no":
            continue
        mark = marks.get(column, marks["name"])
        bad = mark + ("9" if mark.isascii() else "\uac00")
        yield {column: bad}
        if column.startswith("previous_"):
            yield {
                column: marks.get(column.removeprefix("previous_"), marks["name"]) + "9",
                "kind": "correction",
            }
    yield {"individual_number": "９" * 12, "resident_code": marks["resident_code"].translate(_FULL_WIDTH)}


_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@dataclass(slots=True)
class Canary:
    """A town by one of its channels, the running process, and everything that was said so far."""

    town: Town
    process: subprocess.Popen[str]
    folder: Path
    output: list[str] = field(default_factory=list)

    def run(self, command: str = "run") -> str:
        """Let the process run the flow; return the code it ended with."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            self.output.append(line)
            if line.startswith("== "):
                return line[3:].strip()
        raise AssertionError("the process ended: " + "".join(self.output)[-3000:])

    def of(self, file: IdentityFile) -> Town:
        """The town by the channel of a file."""
        return replace(self.town, channel=Channel(CODES[0], file))

    def send(self, sequence: int, table: Callable[[IdentityFile], pa.Table]) -> None:
        """Lay out a package in both channels."""
        for file in IdentityFile:
            rows = table(file)
            town, first = self.of(file), int(rows.column("notice_no")[0].as_py())
            said = {
                "sequence": sequence,
                "first_notice_no": first,
                "last_notice_no": first + rows.num_rows - 1,
            }
            lay_sealed(town, content_of(town, format_records(rows), rows.num_rows, **said), sequence)


@pytest.fixture
def canary(town: Town, tmp_path: Path) -> Iterator[Canary]:
    """Start the process; let it end by itself whatever became of the test."""
    (tmp_path / "errors").mkdir()
    command = [sys.executable, "-m", "tests.flows.canary_run", str(tmp_path / "errors")]
    with (tmp_path / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            command, cwd=ROOT, env=town.environment, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr,
        )  # fmt: skip
        try:
            yield Canary(town, process, tmp_path)
        finally:
            # Ended by itself, it also ends the temporary server of Prefect, which outlives one that is killed.
            process.communicate(timeout=SECONDS)


def _end(canary: Canary) -> None:
    """Let the process end by itself, so that whatever it still had to write is written."""
    rest, _ = canary.process.communicate(timeout=SECONDS)
    canary.output.append(rest)
    assert canary.process.returncode == 0


def _dump(town: Town, database: str, tables: tuple[str, ...] = ()) -> bytes:
    """Every row of the tables of a database as text."""
    with psycopg.connect(embedded.admin_url(town.home, database)) as connection:
        if not tables:
            query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            tables = tuple(name for (name,) in connection.execute(query).fetchall())
        select = sql.SQL("SELECT t::text FROM {} t")
        rows = [row for name in tables for row in connection.execute(select.format(sql.Identifier(name)))]
    return "\n".join(str(row[0]) for row in rows).encode()


def _places(canary: Canary) -> dict[str, Callable[[dict[str, str]], set[str]]]:
    """Everywhere a value could have ended up, by name, each with its search."""
    town, home = canary.town, canary.town.home
    folders = {
        "errors": canary.folder, "Prefect's home": home.prefect, "logs": home.logs, "spool": home.spool,
        "quarantine": home.quarantine, "PostgreSQL's log": home.postgres / "logs", "lineage": home.lineage,
    }  # fmt: skip
    commands = (
        ("status",), ("package", "list", "--json"), ("rejection", "list"),
        ("difference", "list", "--all", "--json"), ("difference", "list", "--runs"),
    )  # fmt: skip
    told = [town.juki(*command) for command in commands]
    texts = {
        "output": "".join(canary.output).encode(),
        "Prefect's database": _dump(town, PREFECT_DATABASE),
        "command line": "\n".join(one.stdout + one.stderr for one in told).encode(),
        "receipts": "\n".join(
            f"{one.manifest} {one.lines.to_pylist()}" for one in town.office.tidy(datetime.now(UTC))
        ).encode(),
        **{f"register of {file.value}": _dump(town, DATABASES[file], REGISTER) for file in IdentityFile},
    }
    return {
        **{name: lambda marks, folder=folder: found_in_files(folder, marks) for name, folder in folders.items()},
        **{name: lambda marks, text=text: found_in(text, marks) for name, text in texts.items()},
    }  # fmt: skip


@contextmanager
def _refusing_the_marked(town: Town) -> Iterator[None]:
    """Make PostgreSQL refuse the marked rows, which it quotes whole in its DETAIL."""
    table = {file: sql.SQL("ALTER TABLE current") for file in IdentityFile}

    def alter(file: IdentityFile, change: sql.Composable) -> None:
        url = embedded.admin_url(town.home, DATABASES[file])
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL(" ").join([table[file], change]))

    add = sql.SQL("ADD CONSTRAINT canary CHECK (name <> {}) NOT VALID")
    for file in IdentityFile:
        alter(file, add.format(sql.Literal(MARKS[file]["name"])))
    try:
        yield
    finally:
        for file in IdentityFile:
            alter(file, sql.SQL("DROP CONSTRAINT canary"))


def _send_bad_values(canary: Canary) -> dict[IdentityFile, int]:
    """Bad values in every column beside a lawful record, then errors of logic; return the next notice numbers."""
    person = {"individual_number": "", "reason": "軽微な修正", "kind": "correction"}
    changes = {
        file: [{}, *_spoilt(file), {"kind": "deletion", "reason": "死亡"}, person] for file in IdentityFile
    }
    canary.send(1, lambda file: _marked(file, *changes[file]))
    assert canary.run() == "done"
    town = canary.of(RESIDENT)
    assert town.rows("SELECT accepted + alerted FROM package") == [(2,)]
    assert town.rows("SELECT count(DISTINCT code) > 12 FROM rejection") == [(True,)]
    assert town.rows("SELECT count(*) FROM rejection WHERE code LIKE 'logic.%'") != [(0,)]
    return {file: 1 + len(changes[file]) for file in IdentityFile}


def _send_broken_packages(canary: Canary, contents: dict[IdentityFile, tuple[bytes, dict[str, int]]]) -> None:
    """Refused as a whole in both files, the marks standing in the very bytes that are at fault."""
    attacks = {file: _attacks(canary.of(file), *contents[file]) for file in IdentityFile}
    for several in zip(*attacks.values(), strict=True):
        for file, attack in zip(attacks, several, strict=True):
            lay_sealed(canary.of(file), attack, 2)
        assert canary.run() == "done"
    for file, (csv, said) in contents.items():
        town, name = canary.of(file), MARKS[file]["name"]
        lay(town, tampered(town.office.desk.seal(content_of(town, csv, 1, **said))), 2)
        stray = town.office.folder / "outbox" / f"{name}-987654321018.p7m"
        stray.write_text(name, encoding="utf-8")
    assert canary.run() == "done"
    for file in IdentityFile:
        refused = canary.of(file).rows("SELECT code FROM package WHERE state = 'refused'")
        assert {code for (code,) in refused} == {
            "package.csv", "package.columns", "package.manifest", "package.altered",
        }  # fmt: skip


def _attacks(town: Town, csv: bytes, said: dict[str, int]) -> tuple[bytes, ...]:
    """A quote within a name, a name for a heading, a name that is no UTF-8, a person in the manifest."""
    marks = MARKS[town.channel.file]
    family, given = marks["name"].split("\u3000")
    return (
        content_of(town, csv.replace(family.encode(), f'"{family}'.encode()), 1, **said),
        content_of(town, csv.replace(b"name,", f"{marks['name']},".encode(), 1), 1, **said),
        content_of(town, csv.replace(given[0].encode(), b"\xff"), 1, **said),
        with_words(town, **marks),
    )


def _fail_on_our_side(canary: Canary) -> None:
    """The database refuses the marked row and says which; our own code fails with the records in its hands."""
    failure = "SELECT last_failure_code FROM channel"
    with _refusing_the_marked(canary.town):
        assert canary.run() == "run.channels_failed"
    assert [canary.of(file).rows(failure) for file in IdentityFile] == [[("store.refused",)]] * 2
    assert canary.run("fail") == "run.channels_failed"
    assert [canary.of(file).rows(failure) for file in IdentityFile] == [[("run.unexpected",)]] * 2


def _reconcile_with_everything_that_fails(canary: Canary, person: pa.Table, number: int) -> None:
    """A refused part, a failure with the snapshot in its hands, one of the database; then a repair and a report."""
    town = canary.of(RESIDENT)
    truth = person.select(RECORD_COLUMNS[RESIDENT]).append_column("sender_code", pa.array([CODES[0]]))
    town.office._answering.last_notice_no[RESIDENT] = number

    def answer(fault: SnapshotFault | None = None) -> None:
        town.office.answer_requests(lambda _: truth, datetime.now(UTC), fault=fault, only=RESIDENT)

    with psycopg.connect(embedded.admin_url(town.home, DATABASES[RESIDENT])) as connection:
        connection.execute("UPDATE current SET address = '別の所', birth_date = '19000101'")
    assert canary.run("reconcile") == "snapshot.not_answered"
    answer(SnapshotFault.FORGED)
    assert canary.run("reconcile") == "package.certificate_chain"
    answer()
    assert canary.run("reconcile fail") == "run.unexpected"
    with _refusing_the_marked(town):
        assert canary.run("reconcile") == "store.refused"
    assert canary.run("reconcile") == "done"
    assert town.rows("SELECT is_equal, differs_found, repaired FROM reconciliation") == [(True, 1, 1)]
    assert town.rows("SELECT address FROM current") == [(MARKS[RESIDENT]["address"],)]
    (report,) = (town.office.folder / "inbox").glob("*-differences-*")
    assert report.name == f"{CODES[0]}-resident-differences-00000001.p7m"
    found = found_in(_dump(town, DATABASES[RESIDENT], ("difference", "reconciliation")), MARKS[RESIDENT])
    assert {hit.split(":")[0] for hit in found} == {"resident_code"}


def _die_and_restart(canary: Canary) -> None:
    """A worker is killed with the records in its hands, and the database ends under the next one."""
    for file in IdentityFile:
        channel = Channel(CODES[0], file)
        ended = canary.town.nursery.work(Order(channel, point="journalled, not committed"))
        assert ended.code == -signal.SIGKILL
    said = told(fault_work.over_a_restart, Channel(CODES[0], RESIDENT), "versions written")
    assert said == [f"{Code.STORE_UNREACHABLE.value} transient", fault_work.APPLIED]


def _send_everything_bad(canary: Canary) -> tuple[pa.Table, int]:
    """Send everything that can be wrong with packages, and with us; return the record still to be taken in."""
    numbers = _send_bad_values(canary)
    tables = {
        file: _marked(file, {"kind": "entry", "reason": "職権記載等"}, first_no=number)
        for file, number in numbers.items()
    }
    said = {
        file: {"sequence": 2, "first_notice_no": number, "last_notice_no": number}
        for file, number in numbers.items()
    }
    contents = {file: (format_records(table), said[file]) for file, table in tables.items()}
    _send_broken_packages(canary, contents)
    for file, (csv, values) in contents.items():
        town = canary.of(file)
        lay_sealed(town, content_of(town, csv, 1, **values), 2)
    _fail_on_our_side(canary)
    _die_and_restart(canary)
    return tables[RESIDENT], numbers[RESIDENT]


def test_marked_people_leave_no_trace_outside_the_stores_whatever_fails(canary: Canary) -> None:
    """Bad values in every column, broken and forged packages, errors of logic, of the database and of ours.

    A worker is killed with the records in its hands, the database restarts under another one.
    The same of a reconciliation: forged parts, a comparison that fails, a repair, a report.
    """
    town = canary.of(RESIDENT)
    table, number = _send_everything_bad(canary)
    assert canary.run() == "done"
    assert town.rows("SELECT name FROM current") == [(MARKS[RESIDENT]["name"],)]
    _reconcile_with_everything_that_fails(canary, table, number)
    assert canary.run("overview") == "done"
    assert canary.run("leak " + " ".join(LEAKED.values())) == "ValueError"
    _end(canary)
    _look_everywhere(canary)
    _look_at_lineage(canary)


def _look_at_lineage(canary: Canary) -> None:
    """Every run has a beginning and an end that others can read, with counts and codes."""
    events = events_of(canary.town.home)
    for job in ("intake", "reconcile"):
        told = stages(events, job)
        assert told[::2] == ["START"] * (len(told) // 2)
        assert set(told[1::2]) == {"COMPLETE", "FAIL"}
    runs = [one["run"]["runId"] for one in events]
    assert runs[::2] == runs[1::2] and len(set(runs)) == len(runs) // 2
    first = next(one for one in events if one["eventType"] == "COMPLETE")
    counted = {one["name"]: one["outputFacets"] for one in first["outputs"]}
    assert counted["store/resident/identity"]["outputStatistics"]["rowCount"] == 2
    said = [one["run"]["facets"]["errorMessage"]["message"] for one in events if one["eventType"] == "FAIL"]
    assert {"[run.channels_failed]", "[snapshot.not_answered]"} <= {one.split(" ")[0] for one in said}


def _look_everywhere(canary: Canary) -> None:
    """No mark anywhere; and what was leaked on purpose, without the boundary, is found where one would fear."""
    leaks = set()
    for place, search in _places(canary).items():
        assert search(ALL_MARKS) == set(), place
        leaks |= {place for hit in search(LEAKED) if hit}
    assert leaks >= {"errors", "Prefect's database"}
    everything = _dump(canary.town, PREFECT_DATABASE)
    assert b"store.refused" in everything and "受入".encode() in everything
    assert b"reconciliation-352039-resident" in everything and "整合処理".encode() in everything
    assert "# 朝の一覧".encode() in everything and b"morning-notices" in everything
    for file in IdentityFile:
        held = _dump(canary.town, DATABASES[file], ("current", "history"))
        names = {hit.split(":")[0] for hit in found_in(held, MARKS[file])}
        assert names >= {"name", "address", "resident_code", "birth_date"}
