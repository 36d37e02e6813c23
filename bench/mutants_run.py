"""Run the tests against mutants, each in a process forked from one in which everything is loaded.

Decides:    which tests a mutant is shown to (those that call what it changes, the quickest first, those that
            found its neighbours before all), and when one counts as killed: a test fails, or does not end.
Leaves:     what is broken to the other modules of this name.
Invariants: the tests are collected once, before anything is broken, so what they expect is never a mutant's own
            word. They pass unbroken, or nothing is run. A child changes only itself and is gone afterwards.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, Phase, settings

from bench.mutants_model import Function, Mutant

LONGEST_CPU_SECONDS = 30
"""A mutant whose tests have worked for so long goes round in circles, however busy the machine is."""
_MORE_MEMORY_BYTES = 3 * 1024**3
_PIPE_BYTES = 4096
_NEEDS_DATABASE = frozenset({"postgres", "stores", "module_stores", "new_stores", "server_home"})
ENDLESS = "did not end"

settings.register_profile(
    "mutants", derandomize=True, max_examples=25, deadline=None, database=None,
    phases=[Phase.explicit, Phase.generate], report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: the test that killed it, or nothing."""

    mutant: Mutant
    killer: str


class BaselineError(Exception):
    """A test fails although nothing is broken."""


@dataclass(slots=True)
class Runner:
    """A pytest plugin that runs mutants in the place of the tests it collected."""

    mutants: Sequence[Mutant]
    files: frozenset[str]
    """The files of the product of which it is watched who calls what."""
    workers: int
    verdicts: list[Verdict] = field(default_factory=list)
    calls: dict[str, frozenset[Function]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    killers: Counter[tuple[str, str]] = field(default_factory=Counter)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Watch the tests pass once, then show them every mutant."""
        items = [one for one in session.items if not _NEEDS_DATABASE & set(_fixtures(one))]
        for item in items:
            self._watch(item)
        by_id = {item.nodeid: item for item in items}
        # What is loaded stays as it is: a child would copy every page its collector looks at.
        gc.collect()
        gc.freeze()
        for done, verdict in enumerate(self._judged(by_id), start=1):
            self.verdicts.append(verdict)
            if done % 100 == 0:
                print(f"  {done:,} / {len(self.mutants):,}", file=sys.__stderr__, flush=True)
        return True

    def _watch(self, item: pytest.Item) -> None:
        """Run a test unbroken and note what of the product it calls."""
        called: set[Function] = set()

        def watch(frame: Any, event: str, _: object) -> None:
            if event == "call" and frame.f_code.co_filename in self.files:
                called.add(Function(frame.f_code.co_filename, frame.f_code.co_qualname))

        start = time.perf_counter()
        sys.setprofile(watch)
        try:
            failed = _fails(item)
        finally:
            sys.setprofile(None)
        if failed:
            raise BaselineError(item.nodeid)
        self.seconds[item.nodeid] = time.perf_counter() - start
        self.calls[item.nodeid] = frozenset(called)

    def _chosen(self, mutant: Mutant) -> list[str]:
        """List the tests that may see a mutant, the likeliest to find it first."""

        def sees(test: str) -> bool:
            if mutant.function is not None:
                return mutant.function in self.calls[test]
            return any(function.file in mutant.files for function in self.calls[test])

        place = _place(mutant)
        found = [test for test in self.calls if sees(test)] or list(self.calls)
        return sorted(found, key=lambda test: (-self.killers[place, test], self.seconds[test]))

    def _judged(self, items: dict[str, pytest.Item]) -> Iterator[Verdict]:
        """Run every mutant, some side by side."""
        running: dict[int, tuple[Mutant, int]] = {}
        for mutant in self.mutants:
            if len(running) >= self.workers:
                yield self._ended(running)
            tests = [items[name] for name in self._chosen(mutant)]
            pid, pipe = _forked(mutant, tests)
            running[pid] = (mutant, pipe)
        while running:
            yield self._ended(running)

    def _ended(self, running: dict[int, tuple[Mutant, int]]) -> Verdict:
        pid, status = os.wait()
        mutant, pipe = running.pop(pid)
        said = os.read(pipe, _PIPE_BYTES).decode()
        os.close(pipe)
        if not os.WIFEXITED(status):
            return Verdict(mutant, ENDLESS)
        if said:
            self.killers[_place(mutant), said] += 1
        return Verdict(mutant, said)


def _place(mutant: Mutant) -> str:
    return mutant.function.name if mutant.function else mutant.group


def _fixtures(item: pytest.Item) -> Iterable[str]:
    return getattr(item, "fixturenames", ())


def _forked(mutant: Mutant, tests: Sequence[pytest.Item]) -> tuple[int, int]:
    """Break the product in a child and run the tests there; the child says which one fails."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        said = _killer(mutant, tests)
    except BaseException as error:  # noqa: BLE001 - a child must never come back into the parent's code
        said = f"can not be loaded: {type(error).__name__}"
    os.write(writing, said.encode()[:_PIPE_BYTES])
    os._exit(0)


def _killer(mutant: Mutant, tests: Sequence[pytest.Item]) -> str:
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_CPU_SECONDS, LONGEST_CPU_SECONDS))
    used = int(_memory_bytes())
    resource.setrlimit(resource.RLIMIT_AS, (used + _MORE_MEMORY_BYTES, used + _MORE_MEMORY_BYTES))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    mutant.apply()
    return next((test.nodeid for test in tests if _fails(test)), "")


def _memory_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - one number of the kernel's
        return int(file.read().split()[0]) * resource.getpagesize()


def _fails(item: pytest.Item) -> bool:
    return any(report.failed for report in runtestprotocol(item, nextitem=None, log=False))


def run(runner: Runner, tests: Sequence[str]) -> None:
    """Collect tests and run the mutants against them.

    Raises: BaselineError when a test fails unbroken, RuntimeError when the tests can not be collected.
    """
    options = ["-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutants", "--no-header", "--no-summary"]
    code = pytest.main([*options, *tests], plugins=[runner])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise RuntimeError(f"pytest ended with {code}")
