"""The quality check finds each planted fault and nothing else, and nothing personal is in what it keeps."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.stores import DATABASES, PREFECT_DATABASE
from juki.checkpoints import origin_of
from juki.columns import IdentityFile
from juki.quality_files import QualityFiles
from juki.reasons import Code
from juki.store import embedded
from juki.witnesses import Witness
from tests.canary import found_in, found_in_files
from tests.flows.conftest import RESIDENT, Town
from tests.flows.test_canary import _dump
from tests.lineage_oracle import events_of, stages
from tests.unit.test_operation_log_page import SAID

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = 50
MARKS = {"name": "鶸田　標子", "kana": "ヒワダ　シルシコ", "address": "標町四丁目87番65-432号"}
_TABLES = ("current", "history", "former_code", "package", "reconciliation", "channel")
_MARKED = "UPDATE current SET name = %s, name_kana = %s, address = %s WHERE notice_no = 7"
_ONE = "(SELECT min(notice_no) FROM current)"
_HISTORY = """
    INSERT INTO history ({columns}, superseded_on, superseded_by_sender_code, superseded_by_notice_no,
        superseded_by_package_id, expires_on)
    SELECT {changed}, received_on, sender_code, notice_no, package_id, DATE '2176-01-01' FROM current
    WHERE notice_no <= 5
"""
"""Five people had an older version: notices 1001 to 1005, which the package says it brought."""
_RECONCILED = """
    INSERT INTO reconciliation (municipality_code, mode, state, requested_at, deadline_at, as_of, watermark,
        rows_theirs, missing_found, finished_at)
    SELECT '352039', 'report', 'finished', now(), now(), now() + interval '1 day', 1000, 55, {missing}, now()
"""

FAULTS = {
    "a person who is current twice": (
        "ALTER TABLE current DROP CONSTRAINT current_pkey; "
        f"UPDATE current SET number_index = NULL, number_sealed = NULL WHERE notice_no = {_ONE}; "
        f"INSERT INTO current SELECT * FROM current WHERE notice_no = {_ONE}",
        {"people": 2, "package_rows": 1},
    ),
    "a version that stands and is history": (
        "UPDATE history SET notice_no = 9 WHERE notice_no = 1001", {"current_in_history": 1},
    ),
    "history of somebody who is not there": (
        "UPDATE history SET resident_code = '00000000019' WHERE notice_no = 1001", {"history_people": 1},
    ),
    "a former code that leads nowhere": (
        "INSERT INTO former_code VALUES ('00000000019', '00000000027', '352039', 1, 1)", {"former_codes": 1},
    ),
    "history whose newer notice is lost": (
        "UPDATE history SET superseded_by_notice_no = 999999 WHERE notice_no <= 1002", {"history_newer": 2},
    ),
    "history that was overtaken before it came": (
        "UPDATE history SET superseded_on = received_on - 1 WHERE notice_no = 1003", {"history_order": 1},
    ),
    "history in another municipality's name": (
        "UPDATE history SET sender_code = '352012' WHERE notice_no = 1001", {"history_packages": 1},
    ),
    "a current record of a package that was refused": (
        "UPDATE current SET package_id = (SELECT package_id FROM package WHERE state = 'refused')"
        " WHERE notice_no = 7", {"current_packages": 1, "package_rows": 1},
    ),
    "a package of which a record is lost": (
        "UPDATE package SET accepted = accepted + 1 WHERE state = 'applied'", {"package_rows": 1},
    ),
    "a birth in the year 1850": ("UPDATE current SET birth_date = '18500101' WHERE notice_no = 9", {"ages": 1}),
    "a birth in the future": ("UPDATE current SET birth_date = '29990101' WHERE notice_no = 9", {"ages": 1}),
    "half of the people gone": (
        "DELETE FROM current WHERE notice_no > 25", {"package_rows": 1, "standing": 2},
    ),
    "many more without a sex": ("UPDATE current SET sex = NULL WHERE notice_no > 20", {"unknowns": 1}),
    "everybody suddenly old": (
        "UPDATE current SET birth_date = '19300101' WHERE notice_no > 5", {"age_shares": None},
    ),
    "history that shrinks": ("DELETE FROM history", {"package_rows": 1, "history_kept": 1}),
    "a register of packages that shrinks": (
        "DELETE FROM package WHERE state = 'refused'", {"packages_kept": 1},
    ),
    "fewer people than the municipality listed": (_RECONCILED.format(missing=0), {"snapshot": 1}),
    "fewer people than listed, and told by that comparison": (_RECONCILED.format(missing=5), {}),
}  # fmt: skip


@dataclass(slots=True)
class Checker:
    """A town with fifty people, and the running process."""

    town: Town
    process: subprocess.Popen[str]
    errors: Path
    output: list[str] = field(default_factory=list)

    def tell(self, command: str) -> str:
        """Let the process do something; return what it says of it."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            self.output.append(line)
            if line.startswith("== "):
                return line[3:].strip()
        raise AssertionError("the process ended: " + self.errors.read_text("utf-8")[-3000:])

    def change(self, statements: str) -> None:
        """Change the store by SQL, as nobody should."""
        with psycopg.connect(embedded.admin_url(self.town.home, DATABASES[RESIDENT])) as connection:
            connection.execute(statements)  # type: ignore[arg-type]

    def restore(self) -> None:
        """Put everything back as it was."""
        for name in _TABLES:
            back = f"INSERT INTO {name} OVERRIDING SYSTEM VALUE SELECT * FROM kept.{name}"
            self.change(f"TRUNCATE {name}; {back}")
        self.change("ALTER TABLE current DROP CONSTRAINT IF EXISTS current_pkey")
        self.change("ALTER TABLE current ADD PRIMARY KEY (resident_code)")

    @property
    def files(self) -> QualityFiles:
        """The reports."""
        return QualityFiles(self.town.home)

    def signed(self) -> int:
        """Tell how many entries of the resident file are signed."""
        return max(Witness(self.town.home.witness, origin_of("350001", RESIDENT)).sizes())

    def entries(self, file: IdentityFile) -> list[dict[str, Any]]:
        """Read what both logs say of checks."""
        url = embedded.admin_url(self.town.home, DATABASES[file])
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                "SELECT entry FROM journal WHERE action LIKE 'quality.%' ORDER BY entry_no"
            )
            return [json.loads(entry) for (entry,) in rows]


def _fill(town: Town) -> None:
    """Take fifty people in, and lay a past beside them that fits."""
    town.forget()
    town.publish(count=PEOPLE)
    assert town.work() == 0
    url = embedded.admin_url(town.home, DATABASES[RESIDENT])
    with psycopg.connect(url) as connection:
        connection.execute(_MARKED, tuple(MARKS.values()))
        found = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND table_name = 'current' AND column_name <> 'expires_on'"
        ).fetchall()
        columns = [name for (name,) in found]
        changed = ["notice_no + 1000" if name == "notice_no" else name for name in columns]
        connection.execute(_HISTORY.format(columns=", ".join(columns), changed=", ".join(changed)))  # type: ignore[arg-type]
        connection.execute("UPDATE package SET accepted = accepted + 5")
        connection.execute(
            "INSERT INTO package (municipality_code, sequence, file_name, file_bytes, file_sha256,"
            " remote_modified_at, state, received_at) VALUES ('352039', 9, 'x', 1, '', now(), 'refused', now())"
        )
        connection.execute("DROP SCHEMA IF EXISTS kept CASCADE")
        connection.execute("CREATE SCHEMA kept")
        for name in _TABLES:
            connection.execute(f"CREATE TABLE kept.{name} AS TABLE {name}")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def running(built: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    """Fill the town and start the process; its first run finds everything as it should be."""
    _fill(built)
    stderr = tmp_path_factory.mktemp("quality") / "stderr"
    with stderr.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.flows.quality_run"], cwd=ROOT, text=True, encoding="utf-8",
            env=built.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
        )  # fmt: skip
        checker = Checker(built, process, stderr)
        try:
            assert checker.tell("run") == "-", stderr.read_text()
            yield checker
        finally:
            process.communicate(timeout=240)
            for file in IdentityFile:
                with psycopg.connect(embedded.admin_url(built.home, DATABASES[file])) as connection:
                    connection.execute("DROP SCHEMA IF EXISTS kept CASCADE")
    assert stderr.read_text() == "" or not found_in(stderr.read_bytes(), MARKS)


@pytest.fixture
def checker(running: Checker) -> Iterator[Checker]:
    """The town as it should be, and again afterwards."""
    yield running
    running.restore()


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_planted_alone_is_found_and_nothing_else(fault: str, checker: Checker) -> None:
    """What a fault does by itself (a row more is a row too many of its package) is part of what is found."""
    planted, expected = FAULTS[fault]
    checker.change(planted)
    said = dict(one.split("=") for one in checker.tell("check").split() if one != "-")
    assert set(said) == set(expected)
    assert all(count is None or said[check] == str(count) for check, count in expected.items())


def test_question_that_can_not_be_answered_is_no_pass(checker: Checker) -> None:
    """A table of another version: the run fails and says which question it was."""
    checker.change("ALTER TABLE history RENAME COLUMN superseded_by_notice_no TO renamed")
    said = checker.tell("check")
    checker.change("ALTER TABLE history RENAME COLUMN renamed TO superseded_by_notice_no")
    assert said == f"{Code.QUALITY_UNANSWERED.value} {'history_newer'}"


def test_fault_fails_the_run_is_logged_and_is_known_once_accepted(checker: Checker) -> None:
    """The flow fails with the code, log and page say so; accepted, only more of it fails again.

    What changed suddenly is not believed by the next run: it fails again until somebody accepts it.
    """
    checker.change("UPDATE history SET superseded_by_notice_no = 999999 WHERE notice_no <= 1002")
    checker.change("UPDATE current SET sex = NULL WHERE notice_no > 20")
    said = checker.tell("run")
    assert said == f"{Code.QUALITY_REFERENCE.value} resident history_newer, resident unknowns"
    assert checker.tell("check") == "history_newer=2 unknowns=1"
    report = checker.files.last()
    assert report is not None and "不合格" in checker.files.page(report.run).read_text("utf-8")
    checker.files.accept(report)
    assert checker.tell("check") == "-"
    checker.change("UPDATE history SET superseded_by_notice_no = 999999 WHERE notice_no <= 1003")
    assert checker.tell("check") == "history_newer=3"
    checker.files.folder.joinpath("accepted.json").unlink()
    assert checker.signed() == len(checker.town.rows("SELECT FROM journal")), "a failed flow signs too"
    for file, code in ((RESIDENT, Code.QUALITY_REFERENCE.value), (IdentityFile.FUHYO, "")):
        entries = checker.entries(file)
        assert [(one["action"], one["code"]) for one in entries] == [
            ("quality.checked", ""),
            ("quality.checked", code),
        ]
        assert all(
            {n for n in set().union(*SAID.values()) if one.get(n)} <= SAID[one["action"]] for one in entries
        )


def test_nothing_personal_is_in_reports_pages_artifacts_or_the_database_of_prefect(checker: Checker) -> None:
    """Marked people, a failing run, and a look at everything that was kept of it."""
    marks = MARKS | {
        f"code {place}": code
        for place, (code,) in enumerate(checker.town.rows("SELECT resident_code FROM current LIMIT 20"))
    }
    checker.change("UPDATE current SET birth_date = '18500101' WHERE notice_no = 7")
    assert checker.tell("run").startswith(Code.QUALITY_AGE.value)
    assert len(list(checker.files.folder.glob("2*.html"))) == 3
    kept = _dump(checker.town, PREFECT_DATABASE)
    assert b"quality-expectations" in kept and b"quality-page" in kept
    assert not found_in(kept, marks)
    assert not found_in("".join(checker.output).encode(), marks)
    assert not found_in_files(checker.town.home.prefect, marks)
    assert not found_in_files(checker.files.folder, marks)
    assert not found_in_files(checker.town.home.lineage, marks)
    assert {"START", "COMPLETE", "FAIL"} == set(stages(events_of(checker.town.home), "quality"))
    for file in IdentityFile:
        assert not found_in(json.dumps(checker.entries(file), ensure_ascii=False).encode(), marks)
