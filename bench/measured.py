"""What one run of one way measured, and the clocks it is measured by.

Decides:    that work is told in seconds of the wall and in seconds of the processors, ours and the database server's
            together: on a machine that does something else, the second is what a way costs.
"""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path

from juki.home import Home

_PROCESSES = Path("/proc")
_OWN, _OWN_AND_ENDED = slice(11, 13), slice(11, 15)
"""In /proc/PID/stat after the name: utime and stime; with them those of children that have ended."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run in a process of its own.

    Units: seconds of the wall and of processors; MB of resident memory at its highest, and before the work began.
    """

    records: int
    seconds: float
    cpu_seconds: float
    peak_mb: int
    idle_mb: int
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds


@dataclass(slots=True)
class Meter:
    """A stopwatch that can be started and stopped again."""

    home: Home
    idle_mb: int = field(default_factory=lambda: peak_mb())
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    _started: tuple[float, float] = (0.0, 0.0)

    def __enter__(self) -> Meter:
        self._started = self._now()
        return self

    def __exit__(self, *_: object) -> None:
        now = self._now()
        self.seconds += now[0] - self._started[0]
        self.cpu_seconds += now[1] - self._started[1]

    def measured(self, records: int, stages: dict[str, float] | None = None) -> Measured:
        """Tell what was measured."""
        return Measured(records, self.seconds, self.cpu_seconds, peak_mb(), self.idle_mb, stages or {})

    def _now(self) -> tuple[float, float]:
        return time.perf_counter(), time.process_time() + server_cpu_seconds(self.home)


def server_cpu_seconds(home: Home) -> float:
    """Sum up what all processes of the embedded server have used; 0 where the machine does not tell."""
    if not _PROCESSES.exists():
        return 0.0
    server = (home.postgres / "data" / "postmaster.pid").read_text().split()[0]
    children = (_PROCESSES / server / "task" / server / "children").read_text().split()
    ticks = _ticks(server, _OWN_AND_ENDED) + sum(_ticks(child, _OWN) for child in children)
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(process: str, fields: slice) -> int:
    try:
        told = (_PROCESSES / process / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(ticks) for ticks in told.rsplit(")", 1)[1].split()[fields])


def peak_mb() -> int:
    """Tell the highest resident memory of this process so far.

    Where Linux tells it, from /proc: `ru_maxrss` of a child begins with what its parent had when it was started.
    """
    status = _PROCESSES / "self" / "status"
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
