"""One job in a process of its own, so that its peak of memory is its alone: `python -m bench.child JOB`.

Prints one line of JSON: what was measured.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.measured import Measured
from bench.workplace import Workplace
from config.settings import home_of


@dataclass(frozen=True, slots=True)
class Job:
    """What to run: a way, the phase of its load, the number of notices."""

    way: str
    phase: str
    size: int


def main(job: Job) -> None:
    """Run a job in the home of the environment (JUKI_HOME) and print what it measured."""
    place = Workplace(home_of())
    measured = _run(job, place, place.packages(job.phase, job.size))
    sys.stdout.write(json.dumps(asdict(measured)) + "\n")


def _run(job: Job, place: Workplace, folder: Path) -> Measured:
    # Imported where they are used: a way pays for its own libraries only.
    if job.way == "packages":
        from bench import packages

        packages.write(
            place.home, {phase: place.packages(phase, job.size) for phase in packages.PHASES}, job.size
        )
        return Measured(job.size, 0.0, 0.0, 0, 0)
    if job.way == "ours":
        from bench import intake

        return intake.settle(folder)
    if job.way == "floor":
        from bench import floor

        return floor.copy_rows(place.home, place.store_url, place.finished(job.size))
    if job.way == "small":
        from bench import small

        return small.run(place.home)
    from bench.peers import load

    return load(job.way, place, sorted(folder.glob("*.csv")))


if __name__ == "__main__":
    main(Job(**json.loads(sys.argv[1])))
