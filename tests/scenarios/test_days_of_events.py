"""Days of events of all 19 municipalities and both files, through the real flow, ending equal to the truth.

The one place where everything meets: people, events, faults, sealing, SFTP, Prefect, contracts, judging,
PostgreSQL, receipts. The demo is that run, so it is made once in a process of its own, as a user makes it, and
each test looks at another side of what it left behind. `.ci/run` has made it a moment ago and says where
(DEMO_HOME, with what it printed in DEMO_OUTPUT): then it is looked at there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.stores import DATABASES, PREFECT_DATABASE
from juki.columns import IdentityFile
from juki.home import Home
from juki.store import embedded

PEOPLE = 1_500
FILES = list(IdentityFile)


@dataclass(frozen=True, slots=True)
class Lived:
    """What a run of days left behind."""

    home: Home
    summary: dict[str, Any]
    output: str

    def rows(self, file: IdentityFile, query: str) -> list[tuple[Any, ...]]:
        """Ask one store."""
        with psycopg.connect(embedded.admin_url(self.home, DATABASES[file])) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def lived() -> Iterator[Lived]:
    """Live through the days once, unless somebody just has."""
    if "DEMO_HOME" in os.environ:
        home = Home.at(Path(os.environ["DEMO_HOME"]))
        embedded.start(home)
        yield _left_in(home, Path(os.environ["DEMO_OUTPUT"]).read_text("utf-8"))
        return
    folder = Path(tempfile.mkdtemp(prefix="juki-days-"))
    home = Home.at(folder / "home")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JUKI_", "PREFECT_"))}
    environment = clean | {"JUKI_HOME": str(home.root), "PEOPLE": str(PEOPLE)}
    command = [sys.executable, "-m", "simulator.demo"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    embedded.start(home)
    yield _left_in(home, done.stdout + done.stderr)
    embedded.stop(home)
    shutil.rmtree(folder)


def _left_in(home: Home, output: str) -> Lived:
    return Lived(home, json.loads(home.demo_summary.read_text())["intake"], output)


PLANTED_OFF = {IdentityFile.RESIDENT: 3, IdentityFile.FUHYO: 1}
"""Versions the corruptions of `simulator.reconciliation_demo` take out or double."""


def test_demo_says_plainly_that_nothing_is_scanned(lived: Lived) -> None:
    """Nobody who watches it takes it for scanned; the summary says the same."""
    assert "● ウイルス検査: していません" in lived.output
    assert json.loads(lived.home.demo_summary.read_text())["scanner"]["state"] == "off"


@pytest.mark.parametrize("file", FILES)
def test_the_stores_equal_the_truth_person_by_person(lived: Lived, file: IdentityFile) -> None:
    """Standing and erased people with every column, and every version with its days of keeping."""
    for what, counts in lived.summary["compared"][file.value].items():
        assert counts["compared"] > 0, what
        assert (counts["only_in_store"], counts["only_in_truth"]) == (0, 0), what


def test_exactly_the_spoilt_notices_were_rejected(lived: Lived) -> None:
    """Receipts reject what was spoilt on purpose, all of it and nothing else."""
    assert lived.summary["rejected_as_spoilt"]
    assert lived.summary["records"]["rejected"] > 15


def test_every_fault_was_seen_by_its_code(lived: Lived) -> None:
    """Nothing that went wrong between a municipality and us went unnoticed."""
    assert lived.summary["every_fault_seen"]


def test_taking_in_again_changes_nothing(lived: Lived) -> None:
    """Row counts of every table are as they were."""
    assert lived.summary["rerun_changes_nothing"]


@pytest.mark.parametrize("file", FILES)
def test_a_person_has_one_newest_version_and_no_two_overlap(lived: Lived, file: IdentityFile) -> None:
    """No code is both replaced and newest; nothing is superseded before it was received."""
    assert lived.rows(file, "SELECT count(*) FROM current JOIN former_code USING (resident_code)") == [(0,)]
    assert lived.rows(file, "SELECT count(*) FROM history WHERE superseded_on < received_on") == [(0,)]
    both = "SELECT count(*) FROM current c JOIN history h USING (sender_code, notice_no, repair_no)"
    assert lived.rows(file, both) == [(0,)]


@pytest.mark.parametrize("file", FILES)
def test_every_accepted_notice_is_a_version_of_its_package(lived: Lived, file: IdentityFile) -> None:
    """Accepted and alerted notices of a package are exactly its rows in current and history, or superseded ones.

    But for what the demonstration takes out of the stores behind the back of everything: a row that is lost, and
    where an older version is brought back, the newer one that is gone and the older one that is there twice.
    """
    query = """
        SELECT p.package_id, p.accepted + p.alerted, (SELECT count(*) FROM (
            SELECT package_id FROM current UNION ALL SELECT package_id FROM history) v
            WHERE v.package_id = p.package_id)
        FROM package p WHERE state = 'applied'
    """
    off = {
        package_id: n
        for package_id, accepted, versions in lived.rows(file, query)
        if (n := versions - accepted)
    }
    assert sum(map(abs, off.values())) == PLANTED_OFF[file], off


@pytest.mark.parametrize("file", FILES)
def test_every_applied_package_has_one_entry_one_receipt_and_its_outbox_row(
    lived: Lived, file: IdentityFile
) -> None:
    """The journal, the answer and the notice to J-LIS go with the change."""
    entries = """
        SELECT p.package_id FROM package p LEFT JOIN journal j
        ON j.action = CASE p.kind WHEN 'notice' THEN 'package.applied' ELSE 'records.repaired' END
           AND (j.entry::jsonb ->> 'package_id')::bigint = p.package_id
        WHERE p.state = 'applied' GROUP BY 1 HAVING count(j.entry_no) <> 1
    """
    assert lived.rows(file, entries) == []
    unanswered = (
        "SELECT count(*) FROM package WHERE state = 'applied' AND kind = 'notice' AND receipt_sent_at IS NULL"
    )
    assert lived.rows(file, unanswered) == [(0,)]
    # A notice that came late is behind what was applied before it: history only, and no update of the file.
    outbox = """
        WITH applied AS (
            SELECT (entry::jsonb ->> 'package_id')::bigint AS package_id, entry_no FROM journal
            WHERE action = 'package.applied'
        ), late AS (
            SELECT h.package_id, count(*) AS versions FROM history h
            JOIN applied own USING (package_id) JOIN applied above ON above.package_id = h.superseded_by_package_id
            WHERE (above.entry_no, h.superseded_by_notice_no) < (own.entry_no, h.notice_no)
            GROUP BY h.package_id
        )
        SELECT count(*) FROM package p
        LEFT JOIN outbox o USING (package_id) LEFT JOIN late l USING (package_id)
        WHERE p.state = 'applied'
            AND coalesce(o.changes, 0) <> p.accepted + p.alerted - coalesce(l.versions, 0)
    """
    assert lived.rows(file, outbox) == [(0,)]


@pytest.mark.parametrize("file", FILES)
def test_every_rejected_record_lies_sealed_in_quarantine(lived: Lived, file: IdentityFile) -> None:
    """Nothing notified is lost, and nothing of it can be read there."""
    blocked = "SELECT DISTINCT package_id, line FROM rejection WHERE severity = 'error' ORDER BY 1, 2"
    kept = lived.rows(file, "SELECT package_id, line FROM quarantine ORDER BY 1, 2")
    assert kept == lived.rows(file, blocked)
    for (sealed,) in lived.rows(file, "SELECT record_sealed FROM quarantine"):
        assert b"resident_code" not in sealed


def test_the_spool_is_empty_and_refused_files_lie_in_quarantine(lived: Lived) -> None:
    """What was settled leaves no copy behind; what was refused is kept as it came."""
    assert [path for path in lived.home.spool.rglob("*") if path.is_file()] == []
    kept = {path.name for path in lived.home.quarantine.rglob("*.p7m")}
    refused = {
        f"{package_id}-{name}"
        for file in FILES
        for package_id, name in lived.rows(
            file, "SELECT package_id, file_name FROM package WHERE state IN ('refused', 'conflict')"
        )
    }
    assert kept == refused


def _marks(lived: Lived) -> set[str]:
    """Names, codes and addresses of the people of this world that are long enough not to occur by chance."""
    marks: set[str] = set()
    for file in FILES:
        for row in lived.rows(file, "SELECT resident_code, name, name_kana, address FROM current"):
            marks |= {value for value in row if value and len(value) >= 5}
    return marks


def test_nothing_personal_reaches_prefect_logs_or_the_terminal(lived: Lived) -> None:
    """Search Prefect's database, every log and all output for what the stores hold."""
    with psycopg.connect(embedded.admin_url(lived.home, PREFECT_DATABASE)) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        told = [
            str(row[0])
            for (table,) in tables
            for row in connection.execute(f'SELECT t::text FROM "{table}" t').fetchall()  # type: ignore[arg-type]
        ]
    logs = [path for folder in (lived.home.logs, lived.home.prefect, lived.home.postgres / "logs")
            for path in folder.rglob("*") if path.is_file()]  # fmt: skip
    told += [path.read_bytes().decode("utf-8", "replace") for path in logs]
    for file in FILES:
        told += [str(row) for row in lived.rows(file, "SELECT entry FROM journal")]
    everything = "\n".join([*told, lived.output])
    assert "受入" in everything
    marks = _marks(lived)
    assert len(marks) > lived.summary["people"]
    assert sum(mark in everything for mark in marks) == 0
