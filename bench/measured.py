"""What one run of one way measured."""

from __future__ import annotations

import resource
from dataclasses import dataclass, field
from pathlib import Path

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Measured:
    """One run in a process of its own.

    Units: seconds of the wall; MB of resident memory at its highest, and before the work began.
    """

    records: int
    seconds: float
    peak_mb: int
    idle_mb: int
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds


def peak_mb() -> int:
    """Tell the highest resident memory of this process so far.

    Where Linux tells it, from /proc: `ru_maxrss` of a child begins with what its parent had when it was started.
    """
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
