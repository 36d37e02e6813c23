"""`make bench-provide`: answers to requests for many people against the floor and a plain way, in one run.

Decides:    what is run how often; the ways take turns and the median is told; every way must find everybody.
Leaves:     one run in a process of its own to `bench.provide_child`, the layout to `bench.provide_report`.

Environment: SIZES (default 10000,100000), REPEATS (default 3), WAYS (default all), BENCH_HOME (default .juki-bench).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from bench import provide_report
from bench.measured import Measured
from bench.provide_child import PREPARE, Case, Search
from bench.provide_report import WAYS
from bench.results import Results
from bench.workplace import Workplace, workplace
from juki.home import Home, close_to_others

_SIZES = "10000,100000"


def main() -> int:
    """Run everything, print the result and write it to docs/bench/provide.md when it is the whole."""
    close_to_others()
    sizes = [int(size) for size in os.environ.get("SIZES", _SIZES).split(",")]
    chosen = os.environ.get("WAYS", "").split(",") if os.environ.get("WAYS") else [way.name for way in WAYS]
    results = Results()
    with workplace(Home.at(Path(os.environ.get("BENCH_HOME", ".juki-bench")).absolute())) as place:
        os.environ["JUKI_HOME"] = str(place.home.root)
        for size in sizes:
            _compare(place, size, chosen, results)
        if "WAYS" not in os.environ and "SIZES" not in os.environ:
            provide_report.write(results, Path("docs/bench/provide.md"))
        sys.stdout.write(provide_report.text(results))
    return 0


def _compare(place: Workplace, size: int, chosen: list[str], results: Results) -> None:
    place.empty_store()
    run_alone(Case(PREPARE, Search.NUMBER, size))
    place.settle(place.store_url)
    for number in range(int(os.environ.get("REPEATS", 3))):
        for search in Search:
            for way in WAYS:
                if way.name in chosen and size <= way.most:
                    case = Case(way.name, search, size)
                    measured = run_alone(case)
                    results.add(way.name, search.value, size, measured)
                    sys.stderr.write(
                        f"{case} #{number + 1}: {measured.seconds:.3f} s, {measured.peak_mb} MB\n"
                    )


def run_alone(case: Case) -> Measured:
    """Run a case in a process of its own; RuntimeError when it fails, or does not find everybody."""
    command = [sys.executable, "-m", "bench.provide_child", json.dumps(asdict(case))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{case} failed:\n{done.stderr[-4000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    found = told.pop("found")
    if case.way != PREPARE and found != case.size:
        raise RuntimeError(f"{case} found {found} of {case.size}")
    return Measured(**told)


if __name__ == "__main__":
    sys.exit(main())
