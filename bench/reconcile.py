"""`make bench-reconcile`: the comparison with a municipality against floors and rivals, in one run on one machine.

Decides:    what is run how often; the ways take turns and the median is told; every way must find what was planted.
Leaves:     the layout of the result to `bench.reconcile_report`.

Environment: SIZES (default 70000,1330000), REPEATS (default 3; of more than a million people always 1),
             WAYS (names of WAYS, default all), BENCH_HOME (default .juki-bench).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from bench import reconcile_report
from bench.measured import Measured
from bench.reconcile_child import FLOOR, KEYED_FLOOR, PREPARE, Case
from bench.reconcile_report import WAYS
from bench.results import Results
from bench.snapshots import PER_MILLE, differing
from bench.workplace import Workplace, workplace
from juki.home import Home, close_to_others

_SIZES = "70000,1330000"
_LARGE = 1_000_000


def main() -> int:
    """Run everything, print the result and write it to docs/bench/reconcile.md when it is the whole."""
    close_to_others()
    sizes = [int(size) for size in os.environ.get("SIZES", _SIZES).split(",")]
    chosen = os.environ.get("WAYS", "").split(",") if os.environ.get("WAYS") else [way.name for way in WAYS]
    results = Results()
    with workplace(Home.at(Path(os.environ.get("BENCH_HOME", ".juki-bench")).absolute())) as place:
        os.environ["JUKI_HOME"] = str(place.home.root)
        for size in sizes:
            _compare(place, size, chosen, results)
        if "WAYS" not in os.environ and "SIZES" not in os.environ:
            reconcile_report.write(results, Path("docs/bench/reconcile.md"))
        sys.stdout.write(reconcile_report.text(results))
    return 0


def _compare(place: Workplace, size: int, chosen: list[str], results: Results) -> None:
    place.empty_store()
    run_alone(Case(PREPARE, size, 0))
    for number in range(1 if size > _LARGE else int(os.environ.get("REPEATS", 3))):
        for per_mille in PER_MILLE:
            for way in WAYS:
                if way.name in chosen and size <= way.most:
                    case = Case(way.name, size, per_mille)
                    measured = run_alone(case)
                    results.add(way.name, str(per_mille), size, measured)
                    sys.stderr.write(
                        f"{case} #{number + 1}: {measured.seconds:.3f} s, {measured.peak_mb} MB\n"
                    )


def run_alone(case: Case) -> Measured:
    """Run a case in a process of its own; RuntimeError when it fails, or finds something else than was planted."""
    command = [sys.executable, "-m", "bench.reconcile_child", json.dumps(asdict(case))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{case} failed:\n{done.stderr[-4000:]}")
    if case.way == PREPARE:
        return Measured(case.size, 0.0, 0.0, 0, 0)
    told = json.loads(done.stdout.splitlines()[-1])
    addresses, codes = differing(case.size, case.per_mille)
    found, planted = told.pop("found"), addresses + 2 * codes
    if case.way not in (FLOOR, KEYED_FLOOR) and found != planted:
        raise RuntimeError(f"{case} found {found} of {planted}")
    return Measured(**told)


if __name__ == "__main__":
    sys.exit(main())
