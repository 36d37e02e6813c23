"""How `make test` deals the suite to its processes: the longest first, so that none works alone at the end.

Decides:    what is dealt as one: a file, or a single test that `costs.tsv` names; and in which order.
Leaves:     the dealing itself to pytest-xdist.
Invariants: the table orders and parts, it never selects: a test that it does not know runs all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

COSTS = Path(__file__).with_name("costs.tsv")
UNKNOWN_SECONDS = 15.0
"""Of a file nobody has measured: early rather than last."""
_HEADING = "unit\tseconds"


def read_costs(path: Path = COSTS) -> dict[str, float]:
    """Read what each unit took when it was last measured."""
    _, *lines = path.read_text("utf-8").splitlines()
    return {unit: float(seconds) for unit, seconds in (line.split("\t") for line in lines)}


def write_costs(costs: Mapping[str, float], path: Path = COSTS) -> None:
    """Write the table, the longest first."""
    ordered = sorted(costs.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"{unit}\t{seconds:.1f}" for unit, seconds in ordered]
    path.write_text("\n".join([_HEADING, *lines, ""]), "utf-8")


def unit_of(node: str, costs: Mapping[str, float]) -> str:
    """Name what a test is dealt with: itself if the table names it, else its file."""
    return node if node in costs else node.partition("::")[0]


def order_of(nodes: Iterable[str], costs: Mapping[str, float]) -> dict[str, int]:
    """Give every test its place: units from the longest to the shortest, within one as they stand."""
    listed = [(node, unit_of(node, costs)) for node in nodes]
    first: dict[str, int] = {}
    for place, (_, unit) in enumerate(listed):
        first.setdefault(unit, place)
    ordered = sorted(listed, key=lambda one: (-costs.get(one[1], UNKNOWN_SECONDS), first[one[1]]))
    return {node: place for place, (node, _) in enumerate(ordered)}


class Dealer(LoadScopeScheduling):
    """Deals units in the order the processes have collected them in."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        # Else it would put files of many tests first, which are not the long ones.
        config.option.loadscopereorder = False
        super().__init__(config, log)
        self._costs = read_costs()

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid, self._costs)


class Measured:
    """What the units of a run took, written to the table at its end."""

    def __init__(self) -> None:
        self._known = read_costs()
        self._costs: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test with what was set up for it and put away after it."""
        unit = unit_of(report.nodeid, self._known)
        self._costs[unit] = self._costs.get(unit, 0.0) + report.duration

    def pytest_sessionfinish(self) -> None:
        """Keep what was not run."""
        write_costs(self._known | self._costs)
