"""The benchmark runs at a tiny size and measures what it says; nothing here asks how fast anything is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bench import floor, report
from bench.__main__ import run_alone
from bench.child import Job
from bench.measured import Measured
from bench.packages import AGAIN, FIRST
from bench.results import Results
from bench.stages import REST, STAGES, owner_of, stopwatch
from bench.ways import FLOOR, OURS, SMALL
from bench.workplace import Workplace, workplace
from juki.home import Home

SIZE = 200
"""Two of them move between the loads."""


@pytest.fixture(scope="module")
def place() -> Iterator[Workplace]:
    """A workplace of the benchmark with the packages of both loads."""
    folder, before = Path(tempfile.mkdtemp(prefix="juki-bench-")), os.environ.get("JUKI_HOME")
    with workplace(Home.at(folder / "home")) as made:
        os.environ["JUKI_HOME"] = str(made.home.root)
        run_alone(Job("packages", FIRST, SIZE))
        yield made
    os.environ.pop("JUKI_HOME") if before is None else os.environ.update(JUKI_HOME=before)
    shutil.rmtree(folder)


def test_both_loads_and_the_floor_bring_the_same_people(place: Workplace) -> None:
    """The floor copies what the first load stored; the second load supersedes one version in a hundred."""
    place.empty_store()
    first = run_alone(Job(OURS, FIRST, SIZE))
    assert floor.save_rows(place.store_url, place.finished(SIZE)) == SIZE
    place.settle(place.store_url)
    again = run_alone(Job(OURS, AGAIN, SIZE))
    assert (first.records, again.records) == (SIZE, SIZE)
    assert sum(first.stages.values()) == pytest.approx(first.seconds, rel=0.2)
    with psycopg.connect(place.store_url) as connection:
        assert connection.execute("SELECT count(*) FROM history").fetchone() == (SIZE // 100,)
    place.empty_store()
    assert run_alone(Job(FLOOR, FIRST, SIZE)).records == SIZE


@pytest.mark.parametrize("way", ["pandas", "pydantic"])
def test_a_peer_brings_everybody_in_twice(place: Workplace, way: str) -> None:
    """Its own check of the number of people holds after both loads."""
    place.empty_peer()
    for phase in (FIRST, AGAIN):
        assert run_alone(Job(way, phase, SIZE)).records == SIZE


def test_a_peer_that_loses_somebody_fails(place: Workplace) -> None:
    """Or a way that writes nothing would be the fastest."""
    place.empty_peer()
    run_alone(Job("pydantic", FIRST, SIZE))
    with psycopg.connect(place.peer_url, autocommit=True) as connection:
        connection.execute("CREATE RULE lost AS ON INSERT TO people DO INSTEAD NOTHING; TRUNCATE people")
    with pytest.raises(RuntimeError, match="0 of 200 records are there"):
        run_alone(Job("pydantic", AGAIN, SIZE))


def test_a_small_package_goes_through_the_running_flow(place: Workplace) -> None:
    """From the outbox of the CS to the receipt in its inbox, three runs."""
    place.empty_store()
    measured = run_alone(Job(SMALL, FIRST, 0))
    assert len(measured.stages) == 3
    with psycopg.connect(place.store_url) as connection:
        assert connection.execute("SELECT count(*) FROM package WHERE state = 'applied'").fetchone() == (3,)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_stage_names_functions_of_the_product(stage: object) -> None:
    """A function that was renamed would silently count as the rest."""
    with stopwatch() as watch:
        for function in stage.functions:  # type: ignore[attr-defined]
            owner, name = owner_of(function)
            assert getattr(owner, name).__wrapped__ is not None
    assert list(watch.stop()) == [REST]
    assert not hasattr(getattr(*owner_of(stage.functions[0])), "_since")  # type: ignore[attr-defined]


def test_ratios_compare_medians_of_one_size_and_phase() -> None:
    """And the table says whether a bar is met, by the wall."""
    results = Results()
    for seconds in (1.0, 9.0, 2.0):
        results.add(OURS, FIRST, 100_000, Measured(100_000, seconds, 2 * seconds, 300, 200, {REST: seconds}))
    results.add(OURS, AGAIN, 100_000, Measured(100_000, 1.5, 1.0, 310, 200, {REST: 1.5}))
    results.add(FLOOR, FIRST, 100_000, Measured(100_000, 1.0, 1.0, 100, 90))
    assert results.ratio(OURS, FLOOR, FIRST, 100_000) == 2.0
    assert results.ratio(OURS, FLOOR, FIRST, 100_000, of_cpu=True) == 4.0
    assert results.ratio("polars", OURS, FIRST, 100_000) is None
    shown = report.text(results)
    assert [line.split()[-1] for line in shown.splitlines() if line.startswith("初回")] == ["達成", "未達"]
