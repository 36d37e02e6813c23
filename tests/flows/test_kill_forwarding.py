"""Killed at every step of telling J-LIS: the same package under the same number once, whoever died on the way.

The steps are found by tracing an undisturbed run, as in `test_kill_points`. CI tries a sample of the places between
two steps; `make soak` tries both sides of every step.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from juki.columns import IdentityFile
from juki.order import Channel
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tasks import clock
from tests.flows.conftest import CODES, Town
from tests.flows.kill_points import COUNTED, OUTSIDE, Death, Kind, Step, check_told, places_of
from tests.flows.nursery import Ended, Order
from tests.forwarding_case import MOVED, Telling

HERE, _ = CODES
SAMPLE_EVERY = 8
"""In CI every eighth place is tried, and the last."""
UPDATES = 7


def _due(telling: Telling) -> None:
    """Two packages of municipalities wait to be told."""
    first, *_ = telling.people()
    telling.case.send(HERE, *telling.people())
    telling.case.send(HERE, first | MOVED | {"address": "山口県山口市別所1番"})


def _answered(telling: Telling) -> None:
    """One package was refused, a second acknowledged, an error reported, and there is more to tell."""
    first, *others = telling.people()
    telling.case.send(HERE, first, *others[:3])
    telling.forward()
    telling.case.send(HERE, *others[3:])
    telling.forward()
    telling.jlis.work(clock.now(), answers=False)
    sent = telling.ledger.applied
    telling.jlis.acknowledge(telling.file, 1, sent[1], clock.now(), code="jlis.maintenance")
    telling.jlis.acknowledge(telling.file, 2, sent[2], clock.now())
    telling.jlis.report(
        telling.file, [{"resident_code": first["resident_code"], "columns": "name"}], clock.now()
    )
    telling.case.send(HERE, first | MOVED | {"address": "山口県山口市別所1番"})


SCENARIOS = {"due": _due, "answered": _answered}


@dataclass(slots=True)
class Trial:
    """A run about to be made in a worker, and how it goes undisturbed."""

    town: Town
    lay: Any
    telling: Telling = field(init=False)
    steps: list[Step] = field(default_factory=list)

    def begin(self) -> None:
        """Lay the scenario out anew."""
        self.telling = Telling.of(self.town, IdentityFile.RESIDENT)
        self.lay(self.telling)

    def run(self, **how: Any) -> Ended:
        """Let a worker tell J-LIS; the lock of the dead is gone when its connection is."""
        ended = self.town.nursery.work(Order(Channel(HERE, self.telling.file), forwards=True, **how))
        while self.telling.case.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") != [(0,)]:
            time.sleep(0.02)
        return ended

    def dies(self, death: Death) -> None:
        """Begin anew and let a worker die where told, at the very step that was traced."""
        self.begin()
        ended = self.run(death=death)
        counted = [step for step in self.steps if step.kind in death.kinds]
        assert (ended.code, ended.said) == (-signal.SIGKILL, counted[death.number].what), death

    def recovers(self) -> None:
        """Run again, let J-LIS work, and once more: everything is told once, whoever had died."""
        for _ in range(2):
            ended = self.run()
            assert (ended.code, ended.said) == (0, "")
            self.telling.jlis.work(clock.now())
        assert self.run().said == ""
        self.told_once()

    def told_once(self) -> None:
        """Hold what is there then to everything that may not depend on who died."""
        telling, case = self.telling, self.telling.case
        assert telling.is_equal()
        assert telling.ledger.last_update_no == UPDATES
        packages = telling.packages("sequence", "first_update_no", "last_update_no", "state", "code")
        assert {row[3:] for row in packages} == {("acknowledged", None)}
        assert [row[0] for row in packages] == list(range(1, len(packages) + 1))
        assert len(packages) == len(telling.ledger.applied)
        assert case.sql("SELECT count(*) FROM outbox WHERE sent_at IS NULL OR lost <> 0") == [(0,)]
        actions = telling.actions()
        assert actions["jlis.formed"] == actions["jlis.acknowledged"] == len(packages)
        assert telling.names() == []
        taken = case.sql("SELECT kind, state FROM jlis_message WHERE kind = 'report'")
        opened = case.sql("SELECT kind, state, jlis_report_no FROM difference")
        wanted = [("differs", "open", 1)] if taken else []
        assert opened == wanted and set(taken) <= {("report", "taken")} and len(taken) == len(wanted)
        assert actions["jlis.report_taken"] == len(taken)
        with open_unit(case.url, telling.file, Duty.AUDITOR) as unit:
            assert unit.journal.verify().size == actions.total()


@pytest.fixture(params=SCENARIOS)
def trial(request: pytest.FixtureRequest, town: Town) -> Iterator[Trial]:
    """Lay a scenario out and run it undisturbed, traced."""
    made = Trial(town, SCENARIOS[request.param])
    made.begin()
    made.steps = made.run(is_traced=True).steps
    assert {Kind.COMMIT, Kind.DISK} <= {step.kind for step in made.steps}
    yield made
    made.telling.case.forget()


def counted(request: pytest.FixtureRequest, trial: Trial) -> dict[str, int]:
    """Count what was tried in the scenario of a test."""
    name = f"forwarding {request.node.callspec.params['trial']}"
    outside = sum(step.kind in OUTSIDE for step in trial.steps)
    return COUNTED.setdefault(name, {"steps": len(trial.steps), "outside": outside, "deaths": 0})


def test_forwarding_killed_between_two_steps_is_gone_on_with(
    trial: Trial, request: pytest.FixtureRequest
) -> None:
    """A sample of the places; the run that follows tells what is still to be told, and everything once."""
    trial.recovers()
    places = places_of(trial.steps)
    tried = {*range(0, len(places), SAMPLE_EVERY), len(places) - 1}
    for number in sorted(tried):
        trial.dies(places[number])
        trial.recovers()
        counted(request, trial)["deaths"] += 1
    check_told(f"forwarding {request.node.callspec.params['trial']}", trial.steps)
