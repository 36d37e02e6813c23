"""`make bench-log`: signing, verifying and exporting a log of a million entries, and the verifier on the export.

Decides:    what is measured, each step in a process of its own, on a log signed every `EVERY` entries.
Leaves:     the way in of entries to the benchmark of the intake: they are laid into the store in one piece.
Invariants: every step must say how many entries it went through, or the run fails.

Environment: ENTRIES (default 1000000), BENCH_HOME (default .juki-bench).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.log_steps import DOES, STEPS
from bench.measured import Measured
from bench.report import Row, aligned, machine
from bench.workplace import Workplace, workplace
from juki.home import Home, close_to_others

ENTRIES, EVERY = 1_000_000, 10_000


def main() -> int:
    """Measure everything, print the result and write it to docs/bench/log.md when it is the whole."""
    close_to_others()
    entries = int(os.environ.get("ENTRIES", ENTRIES))
    with workplace(Home.at(Path(os.environ.get("BENCH_HOME", ".juki-bench")).absolute())) as place:
        os.environ["JUKI_HOME"] = str(place.home.root)
        measured = measure(place, entries)
        if entries == ENTRIES:
            write(measured, Path("docs/bench/log.md"))
        sys.stdout.write(aligned(list(_rows(measured))) + "\n")
    return 0


def measure(place: Workplace, entries: int) -> dict[str, Measured]:
    """Lay the log into an empty store and run every step."""
    from bench.log_filling import fill

    place.empty_store()
    fill(
        place.home, entries, min(EVERY, entries // 10), datetime(2026, 1, 1, tzinfo=UTC), timedelta(seconds=3)
    )
    place.settle(place.store_url)
    return {step: _alone(step, entries) for step in STEPS}


def _alone(step: str, entries: int) -> Measured:
    command = [sys.executable, "-m", "bench.log_steps", step]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{step} failed:\n{done.stderr[-4000:]}")
    measured = Measured(**json.loads(done.stdout.splitlines()[-1]))
    if step in ("verify", "export", "verifier") and measured.records < entries:
        raise RuntimeError(f"{step} went through {measured.records} of {entries}")
    sys.stderr.write(f"{step}: {measured.seconds:.2f} s, {measured.peak_mb} MB\n")
    return measured


def write(measured: dict[str, Measured], path: Path) -> None:
    """Write docs/bench/log.md."""
    does = "\n".join(f"| {japanese} | {what} |" for japanese, what in DOES.values())
    path.write_text(
        f"""# Speed of the operation log

Made by `make bench-log`; not edited by hand. {machine()}

A log of {ENTRIES:,} entries with a checkpoint every {EVERY:,}, on the embedded server with durable settings.
Every step runs in a process of its own, once. Absolute times move from machine to machine and with what else it
does: the floor of the same run is beside them. Memory is that of the process at its highest, and before the work.

| ステップ | していること |
|---|---|
{does}

```
{aligned(list(_rows(measured)))}
```
""",
        encoding="utf-8",
    )


def _rows(measured: dict[str, Measured]) -> Iterator[Row]:
    yield ("ステップ", "件数", "秒", "件/秒", "CPU秒", "最大MB", "開始時MB")
    for step, one in measured.items():
        yield (
            DOES[step][0], f"{one.records:,}", f"{one.seconds:.2f}", f"{one.rate:,.0f}", f"{one.cpu_seconds:.2f}",
            f"{one.peak_mb:,}", f"{one.idle_mb:,}",
        )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
