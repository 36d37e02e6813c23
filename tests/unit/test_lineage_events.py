"""Events of runs: valid for everybody who reads OpenLineage, with no room for a value, kept for some days."""

from __future__ import annotations

import os
import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from juki.home import Home
from juki.lineage import DataSet, Job, Json, Run, Sets, Stage, event_of, in_order
from juki.lineage_files import LineageFiles
from juki.reasons import Code
from tests.lineage_oracle import check

AT = datetime(2026, 11, 30, 9, tzinfo=UTC)
DAY = date(2026, 11, 30)
SETS = Sets(
    (DataSet("municipality/352039/resident/notice", 12, 3), DataSet("store/resident/identity")),
    (DataSet("store/resident/identity", 11), DataSet("municipality/352039/resident/receipt", files=3)),
)


def _event(stage: Stage = Stage.COMPLETE, run_id: UUID | None = None) -> Json:
    return event_of(Run(Job.INTAKE, run_id or uuid4(), "350001"), stage, AT, SETS)


@pytest.fixture
def files(home: Home) -> LineageFiles:
    """A home with nothing in it yet."""
    home.create()
    return LineageFiles(home)


@pytest.mark.parametrize("job", Job)
@pytest.mark.parametrize("stage", Stage)
def test_every_event_is_one_by_the_published_schema(job: Job, stage: Stage) -> None:
    """With everything an event can say, and with nothing but what it must."""
    code = Code.STORE_UNREACHABLE if stage is Stage.FAIL else None
    check(event_of(Run(job, uuid4(), "350001"), stage, AT, SETS, code))
    check(event_of(Run(job, uuid4(), "350001", first=uuid4()), stage, AT))


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("run", {"runId": "12", "facets": {}}),
        ("run", {"facets": {}}),
        ("job", {"namespace": "juki://350001", "name": "intake", "facets": {}, "owner": "x"}),
        ("eventType", "DONE"),
        ("eventTime", "yesterday"),
        ("schemaURL", "https://openlineage.io/spec/1-0-0/OpenLineage.json"),
    ],
    ids=["no-uuid", "no-run-id", "unknown-key", "no-stage", "no-instant", "other-schema"],
)
def test_what_is_no_event_is_found_by_the_same_check(part: str, wrong: object) -> None:
    """Else the test above would say nothing."""
    with pytest.raises((TypeError, ValueError, AssertionError)):
        check(_event() | {part: wrong})


@pytest.mark.parametrize("name", ["", "山口", "store/resident/", "A", "a b", "../x"])
def test_a_name_that_is_none_of_ours_is_refused_without_being_told(name: str) -> None:
    """A value of a person can not become the name of a data set."""
    with pytest.raises(ValueError) as refused:
        DataSet(name)
    assert str(refused.value) == "name of a data set"


def test_counts_of_one_data_set_are_added_and_unknown_ones_stay_unknown() -> None:
    """Two channels of one file write into one table."""
    told = [DataSet("store/b", 2), DataSet("store/a"), DataSet("store/b", 3, 1), DataSet("store/a")]
    assert in_order(told) == (DataSet("store/a"), DataSet("store/b", 5, 1))


def test_events_are_private_and_the_oldest_days_go(files: LineageFiles) -> None:
    """A file a day; after the days that are kept the first goes, and nothing that is no file of events."""
    files.folder.mkdir()
    other = files.folder / "events-notes.txt"
    other.touch()
    (files.folder / "events-2026-99-99.jsonl").write_bytes(b"\xff")
    for day in range(5):
        assert files.write(_event(), DAY + timedelta(days=day), days_kept=3)
    kept = sorted(path.name for path in files.folder.glob("events-2026-1*.jsonl"))
    assert kept == ["events-2026-12-02.jsonl", "events-2026-12-03.jsonl", "events-2026-12-04.jsonl"]
    assert other.exists() and not files.has_end(uuid4())
    assert stat.S_IMODE(files.file_of(DAY + timedelta(days=4)).stat().st_mode) == 0o600


def test_events_that_can_not_be_written_are_seen_until_they_can(files: LineageFiles, tmp_path: Path) -> None:
    """Nothing is raised: a run goes on, and the status page says since when."""
    files.folder.touch()
    assert not files.write(_event(), DAY, days_kept=3)
    assert files.unwritten_since is not None
    files.folder.unlink()
    assert files.write(_event(), DAY, days_kept=3)
    assert files.unwritten_since is None


def test_half_a_line_on_a_full_disk_is_taken_back(
    files: LineageFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next event would stand on the same line, and nobody could read it."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: real(descriptor, line[:20]))
    assert not files.write(_event(), DAY, days_kept=3)
    monkeypatch.undo()
    assert files.write(_event(), DAY, days_kept=3)
    assert len(files.file_of(DAY).read_text("utf-8").splitlines()) == 1


def test_the_end_of_a_run_is_found(files: LineageFiles) -> None:
    """Whoever finds a run dead writes its end only where it has none."""
    ended, running = uuid4(), uuid4()
    assert not files.has_end(ended)
    for run_id, stage in ((ended, Stage.START), (running, Stage.START), (ended, Stage.FAIL)):
        files.write(_event(stage, run_id), DAY, days_kept=3)
    assert files.has_end(ended) and not files.has_end(running)
