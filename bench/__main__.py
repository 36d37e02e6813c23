"""`make bench`: the intake against the floor and peers, in one run on one machine.

Decides:    what is run how often; the order: the ways take turns, so that whatever else the machine does meets all
            of them, and the median of each is told.
Leaves:     the layout of the result to `bench.report`.

Environment: SIZES (default 1000,100000,1000000), REPEATS (default 3, of a million notices 1),
             WAYS (names of `bench.ways`, default all), BENCH_HOME (default .juki-bench).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from bench import floor, report
from bench.child import Job
from bench.measured import Measured
from bench.packages import AGAIN, FIRST
from bench.results import Results
from bench.ways import FLOOR, OURS, SMALL, WAYS, Way
from bench.workplace import Workplace, workplace
from juki.home import Home, close_to_others

_SIZES = "1000,100000,1000000"


def main() -> int:
    """Run everything, print the result and write it to docs/bench/intake.md when it is the whole."""
    close_to_others()
    sizes = [int(size) for size in os.environ.get("SIZES", _SIZES).split(",")]
    chosen = os.environ.get("WAYS", "").split(",") if os.environ.get("WAYS") else None
    ways = [way for way in WAYS if chosen is None or way.name in chosen]
    results = Results()
    with workplace(Home.at(Path(os.environ.get("BENCH_HOME", ".juki-bench")).absolute())) as place:
        os.environ["JUKI_HOME"] = str(place.home.root)
        for size in sizes:
            _compare(place, size, ways, results)
        if chosen is None or SMALL in chosen:
            place.empty_store()
            results.add(SMALL, FIRST, 0, run_alone(Job(SMALL, FIRST, 0)))
        if chosen is None and "SIZES" not in os.environ:
            report.write(results, Path("docs/bench/intake.md"))
    sys.stdout.write(report.text(results))
    return 0


def _compare(place: Workplace, size: int, ways: list[Way], results: Results) -> None:
    run_alone(Job("packages", FIRST, size))
    for number in range(_repeats(size)):
        for way in ways:
            if size <= way.most:
                for job, measured in _take_turn(place, way, size):
                    _tell(job, number, measured)
                    results.add(way.name, job.phase, size, measured)


def _take_turn(place: Workplace, way: Way, size: int) -> Iterator[tuple[Job, Measured]]:
    """Run one way once: the first load into an empty store, then the same people again."""
    first, again = Job(way.name, FIRST, size), Job(way.name, AGAIN, size)
    is_ours = way.name in (OURS, FLOOR)
    if is_ours:
        place.empty_store()
    else:
        place.empty_peer()
    yield first, run_alone(first)
    if way.name == OURS:
        floor.save_rows(place.store_url, place.finished(size))
    if way.has_again:
        place.settle(place.store_url if is_ours else place.peer_url)
        yield again, run_alone(again)


def _repeats(size: int) -> int:
    default = 3 if size < 1_000_000 else 1
    return int(os.environ.get("REPEATS", default))


def run_alone(job: Job) -> Measured:
    """Run a job in a process of its own; RuntimeError with what it said when it fails."""
    command = [sys.executable, "-m", "bench.child", json.dumps(asdict(job))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{job} failed:\n{done.stderr[-4000:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def _tell(job: Job, number: int, measured: Measured) -> None:
    sys.stderr.write(
        f"{job.way:10} {job.phase:6} {job.size:>9,} #{number + 1}: {measured.seconds:8.3f} s, "
        f"CPU {measured.cpu_seconds:7.2f} s {measured.rate:>10,.0f}/s {measured.peak_mb:>6,} MB\n"
    )


if __name__ == "__main__":
    sys.exit(main())
