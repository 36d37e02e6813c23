"""The benchmark of the comparison runs at a tiny size and finds what it planted; nothing here asks how fast it is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bench import reconcile_report
from bench.measured import Measured
from bench.reconcile import run_alone
from bench.reconcile_child import FLOOR, KEYED_FLOOR, OURS, PREPARE, Case
from bench.results import Results
from bench.snapshots import PER_MILLE, count_rows, differing
from bench.workplace import Workplace, workplace
from juki.home import Home

SIZE = 1_000


@pytest.fixture(scope="module")
def place() -> Iterator[Workplace]:
    """A workplace with a filled store and its snapshots."""
    folder, before = Path(tempfile.mkdtemp(prefix="juki-bench-")), os.environ.get("JUKI_HOME")
    with workplace(Home.at(folder / "home")) as made:
        os.environ["JUKI_HOME"] = str(made.home.root)
        run_alone(Case(PREPARE, SIZE, 0))
        yield made
    os.environ.pop("JUKI_HOME") if before is None else os.environ.update(JUKI_HOME=before)
    shutil.rmtree(folder)


@pytest.mark.parametrize("per_mille", PER_MILLE)
@pytest.mark.parametrize("way", [OURS, "pandas"])
def test_a_way_finds_what_was_planted(place: Workplace, way: str, per_mille: int) -> None:
    """`run_alone` compares the number of differences with the number planted."""
    assert count_rows(place.store_url) == SIZE
    assert sum(differing(SIZE, per_mille)) == SIZE * per_mille // 1_000
    assert run_alone(Case(way, SIZE, per_mille)).seconds > 0


@pytest.mark.parametrize("way", [FLOOR, KEYED_FLOOR])
def test_a_floor_opens_every_part(place: Workplace, way: str) -> None:
    """A floor that read less would be too low."""
    assert run_alone(Case(way, SIZE, 50)).records == SIZE


def test_an_equal_municipality_reads_no_rows(place: Workplace) -> None:
    """Digests of ranges leave the database, and nothing else; with differences there are rows too."""
    equal, different = (run_alone(Case(OURS, SIZE, per_mille)).stages["read"] for per_mille in (0, 50))
    assert 0 < equal <= 4 * SIZE
    assert different > 2 * equal


def test_a_way_that_misses_somebody_fails(place: Workplace) -> None:
    """Or a way that compares nothing would be the fastest."""
    with psycopg.connect(place.store_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT * FROM current")
        connection.execute("UPDATE current SET name = 'x' WHERE notice_no = 1")
    with pytest.raises(RuntimeError, match="found 1 of 0"):
        run_alone(Case(OURS, SIZE, 0))
    with psycopg.connect(place.store_url) as connection:
        connection.execute("DELETE FROM current; INSERT INTO current SELECT * FROM kept; DROP TABLE kept")


def test_bars_compare_with_the_floor_and_the_best_rival() -> None:
    """A floor is a bound from above, the fastest rival one from below."""
    results = Results()
    for way, seconds in ((OURS, 1.0), (FLOOR, 0.5), (KEYED_FLOOR, 0.8), ("duckdb", 4.0), ("pandas", 2.0)):
        results.add(way, "1", 70_000, Measured(70_000, seconds, seconds, 200, 100))
    shown = [line.split() for line in reconcile_report.text(results).splitlines() if line.split()[-1:] != []]
    assert [line[-1] for line in shown if line[0] in ("当方", "最速の相手")] == ["未達", "達成", "未達"]
