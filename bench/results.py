"""The results of one run of the benchmark: medians and ratios.

Invariants: a ratio compares two ways of the same run, phase and size; memory is the highest of all repeats.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from bench.measured import Measured

Key = tuple[str, str, int]
"""Way, phase, number of notices."""


@dataclass(slots=True)
class Results:
    """What was measured, by way, phase and size."""

    runs: dict[Key, list[Measured]] = field(default_factory=dict)

    def add(self, way: str, phase: str, size: int, measured: Measured) -> None:
        """Keep one run."""
        self.runs.setdefault((way, phase, size), []).append(measured)

    def has(self, way: str, phase: str, size: int) -> bool:
        """Tell whether a way was run."""
        return (way, phase, size) in self.runs

    @property
    def sizes(self) -> list[int]:
        """The sizes that were run, ascending; 0 stands for the small package and is none."""
        return sorted({size for _, _, size in self.runs if size})

    def seconds(self, way: str, phase: str, size: int) -> float:
        """The median of the seconds."""
        return median(one.seconds for one in self.runs[way, phase, size])

    def cpu_seconds(self, way: str, phase: str, size: int) -> float:
        """The median of the seconds of processors."""
        return median(one.cpu_seconds for one in self.runs[way, phase, size])

    def peak_mb(self, way: str, phase: str, size: int) -> int:
        """The highest memory."""
        return max(one.peak_mb for one in self.runs[way, phase, size])

    def idle_mb(self, way: str, phase: str, size: int) -> int:
        """The memory before the work."""
        return max(one.idle_mb for one in self.runs[way, phase, size])

    def records(self, way: str, phase: str, size: int) -> int:
        """The records of one run."""
        return self.runs[way, phase, size][0].records

    def stages(self, way: str, phase: str, size: int) -> dict[str, float]:
        """The stages of the run in the middle."""
        ordered = sorted(self.runs[way, phase, size], key=lambda one: one.seconds)
        return ordered[(len(ordered) - 1) // 2].stages

    def ratio(self, one: str, other: str, phase: str, size: int, *, of_cpu: bool = False) -> float | None:
        """How many times as long one way takes as another, or processor time; None where either was not run."""
        if not (self.has(one, phase, size) and self.has(other, phase, size)):
            return None
        told = self.cpu_seconds if of_cpu else self.seconds
        return told(one, phase, size) / told(other, phase, size)
