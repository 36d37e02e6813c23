"""Killed at every step of a reconciliation: asked, compared, repaired and reported once, whoever died on the way.

The steps are found by tracing an undisturbed run, as in `test_kill_points`. CI tries a sample of the places between
two steps; `make soak` tries both sides of every step.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from juki.differences import Mode
from juki.reasons import Code
from tasks import clock
from tests.flows.conftest import Town
from tests.flows.kill_points import COUNTED, OUTSIDE, Death, Kind, Step, check_told, places_of
from tests.flows.kill_scenarios import Look, Stage
from tests.flows.nursery import Ended, Order
from tests.flows.reconciling import FIRST, Round

SAMPLE_EVERY = 14
"""In CI every fourteenth place is tried: each scenario has another first one."""
ENVIRONMENT = {
    "JUKI_SNAPSHOT_WAIT_SECONDS": "0", "JUKI_RECONCILE_BOUND_SHARE": "0.5", "JUKI_CONNECT_ATTEMPTS": "1",
}  # fmt: skip


@dataclass(slots=True)
class Trial:
    """A reconciliation about to be run, of two parts with one row that differs and one that is missing."""

    here: Round
    stage: Stage
    steps: list[Step] = field(default_factory=list)

    def run(self, minutes: int = 0, **how: Any) -> Ended:
        """Let a worker reconcile, some minutes after the stage was set."""
        at = self.stage.at + timedelta(minutes=minutes)
        town = self.here.town
        ended = town.nursery.work(Order(town.channel, at, reconciles=True, environment=ENVIRONMENT, **how))
        self.stage.settled()
        return ended

    def dies(self, death: Death) -> None:
        """Put everything back and let a worker die where told, at the very step that was traced."""
        self.stage.put_back()
        ended = self.run(death=death)
        counted = [step for step in self.steps if step.kind in death.kinds]
        assert (ended.code, ended.said) == (-signal.SIGKILL, counted[death.number].what), death

    def recovers(self) -> Look:
        """Run again, with the office answering what it is asked; look at what is there then."""
        ended = self.run(minutes=1)
        if ended.said == Code.SNAPSHOT_NOT_ANSWERED.value:
            with clock.held_at(self.stage.at + timedelta(minutes=1)):
                self.here.answer(part_records=FIRST // 2)
            ended = self.run(minutes=2)
        assert (ended.code, ended.said) == (0, "")
        return self.stage.look()


def _asked(here: Round) -> None:
    """Nobody has asked yet: the run asks, and its end is that nobody has answered."""


def _repaired(here: Round) -> None:
    """The answer lies in the outbox: the run fetches, compares, repairs and reports."""
    here.ask(Mode.REPAIR)
    here.answer(part_records=FIRST // 2)


SCENARIOS = {"asked": _asked, "repaired": _repaired}


@pytest.fixture(params=SCENARIOS)
def trial(request: pytest.FixtureRequest, town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    """Lay a scenario out and run it undisturbed, traced."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    here = Round(town)
    first, second, *_ = here.codes()
    here.spoil(f"UPDATE current SET address = '別の所' WHERE resident_code = '{first}'")
    here.spoil(f"DELETE FROM current WHERE resident_code = '{second}'")
    SCENARIOS[request.param](here)
    made = Trial(here, Stage(town))
    made.stage.keep()
    made.steps = made.run(is_traced=True).steps
    assert {Kind.COMMIT, Kind.REMOTE} <= {step.kind for step in made.steps}
    yield made
    made.stage.forget()


def repaired_once(trial: Trial) -> None:
    """Recover, and hold what is there then to everything that may not depend on who died."""
    look = trial.recovers()
    everybody = trial.here.town.rows(
        "SELECT count(*), count(*) FILTER (WHERE address = '別の所') FROM current"
    )
    assert everybody == [(FIRST, 0)]
    rows = look.rows
    (package,) = (row["package_id"] for row in rows["package"] if row["kind"] == "repair")
    assert [row["changes"] for row in rows["outbox"] if row["package_id"] == package] == [2]
    said = sorted((row["kind"], row["state"], row["settled_by"]) for row in rows["difference"])
    assert said == [("differs", "settled", "repair"), ("missing", "settled", "repair")]
    runs = sorted(rows["reconciliation"], key=lambda row: row["reconciliation_id"])
    assert all((row["state"], row["is_equal"]) == ("finished", True) for row in runs)
    assert [row["repaired"] for row in runs] == [2] + [None] * (len(runs) - 1)
    done = Counter(row["action"] for row in rows["journal"])
    assert done["records.repaired"] == 1
    assert done["reconciliation.ended"] == done["report.delivered"] == len(runs)
    assert trial.stage.verify_journal() == len(rows["journal"])
    folders = Counter(name.rpartition("/")[0] for name in look.files)
    assert not any(folder.startswith("spool") for folder in folders)
    reports = [name for name in look.files if "-differences-" in name]
    assert len(reports) == len(runs) and all(row["report_sent_at"] for row in runs)
    assert [name for name in look.files if "/inbox/." in name] == []


def counted(request: pytest.FixtureRequest, trial: Trial) -> dict[str, int]:
    """Count what was tried in the scenario of a test."""
    name = f"reconciliation {request.node.callspec.params['trial']}"
    outside = sum(step.kind in OUTSIDE for step in trial.steps)
    return COUNTED.setdefault(name, {"steps": len(trial.steps), "outside": outside, "deaths": 0})


def test_reconciliation_killed_between_two_steps_is_gone_on_with(
    trial: Trial, request: pytest.FixtureRequest
) -> None:
    """A sample of the places; the run that follows repairs what is still to be repaired, and everything once."""
    places = places_of(trial.steps)
    tried = {*range(0, len(places), SAMPLE_EVERY), len(places) - 1}
    for number in sorted(tried):
        trial.dies(places[number])
        repaired_once(trial)
        counted(request, trial)["deaths"] += 1
    check_told(f"reconciliation {request.node.callspec.params['trial']}", trial.steps)
