"""Killed between any two steps of crossing, delivering, sending again and purging: the next run finishes it.

The steps are found by tracing an undisturbed run, as in `test_kill_points`. CI tries a sample of the places between
two steps; `make soak` tries both sides of every step.
"""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from juki.home import Home
from juki.package_id import PackageId
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tests.conftest import Stores
from tests.flows.custody_worker import Ended, act
from tests.flows.kill_points import COUNTED, OUTSIDE, Death, Kind, Step, check_told, places_of
from tests.provision_rows import FUHYO, RESIDENT, Lender, number_of

CONTENT = b"the sealed package"
SAMPLE_EVERY = {"attach": 16, "deliver": 10, "resend": 12, "purge": 16}


@dataclass(slots=True)
class Trial:
    """One act of the custody, and what it is done to: made anew for every death."""

    lender: Lender
    name: str
    decoy: PackageId
    steps: list[Step] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    _made: int = 0

    def prepared(self) -> PackageId:
        """Make a provision that stands just before the act."""
        self._made += 1
        serials = [self._made * 10 + 8_000_000, self._made * 10 + 8_000_001]
        self.codes = self.lender.people(2, numbers=[number_of(serial) for serial in serials])
        provision = self.lender.approved()
        if self.name == "attach":
            return provision
        assert act(self.lender, "attach", provision, self.codes).code == 0
        self.lender.seal(provision, CONTENT, 2)
        if self.name == "deliver":
            return provision
        assert act(self.lender, "deliver", provision).code == 0
        if self.name == "resend":
            # The recipient has fetched it, and lost it.
            (self.lender.folder("zeimu") / self.lender.hold(provision).file_name).unlink()
        if self.name == "purge":
            self.lender.at = self.lender.hold(provision).due_at
            # The decoy is younger: its hold goes on, whatever becomes of the others.
            self._younger_decoy()
        return provision

    def _younger_decoy(self) -> None:
        self.decoy = self.lender.delivered(content=CONTENT)

    def act(self, provision: PackageId, death: Death | None = None, *, is_traced: bool = False) -> Ended:
        """Do it, in a process of its own."""
        return act(self.lender, self.name, provision, self.codes, death=death, is_traced=is_traced)

    def trace(self) -> None:
        """Do it undisturbed, and remember the steps."""
        provision = self.prepared()
        ended = self.act(provision, is_traced=True)
        assert ended.code == 0
        self.steps = ended.steps
        CHECKS[self.name](self, provision)

    def dies(self, death: Death) -> PackageId:
        """Do it, dying where told, at the very step that was traced."""
        provision = self.prepared()
        ended = self.act(provision, death)
        counted = [step for step in self.steps if step.kind in death.kinds]
        assert (ended.code, ended.died_at) == (-signal.SIGKILL, counted[death.number].what), death
        return provision

    def recovers(self, provision: PackageId) -> None:
        """Do it again, and hold everything to what must be true then."""
        assert self.act(provision).code == 0
        CHECKS[self.name](self, provision)

    def entries(self, action: str, provision: PackageId) -> int:
        """Count the entries about a provision in the fuhyo store."""
        return sum(one["provision"] == str(provision) for one in self.lender.entries(FUHYO, action))


def _attached(trial: Trial, provision: PackageId) -> None:
    """Every number lent out once, under one key; each crossing has its entry; the hold is open."""
    query = f"SELECT line FROM held_number WHERE provision_id = {provision.number} ORDER BY line"
    assert trial.lender.rows(FUHYO, query) == [(1,), (2,)]
    assert trial.entries("bridge.crossed", provision) == 1
    ((crossings,),) = trial.lender.rows(
        RESIDENT, f"SELECT crossings FROM crossing WHERE provision_id = {provision.number}"
    )
    logged = [
        one for one in trial.lender.entries(RESIDENT, "bridge.crossed") if one["provision"] == str(provision)
    ]
    assert 1 <= crossings == len(logged) <= 3
    assert trial.lender.hold(provision).purged_at is None


def _delivered(trial: Trial, provision: PackageId) -> None:
    """The very bytes under the one name, nothing beside them, noted once."""
    hold = trial.lender.hold(provision)
    path = trial.lender.folder("zeimu") / hold.file_name
    assert hashlib.sha256(path.read_bytes()).digest() == hold.package_sha256
    assert [one for one in path.parent.iterdir() if one.name.startswith(".")] == []
    assert trial.entries("provision.delivered", provision) == 1
    assert (hold.delivered_at, hold.due_at) == (trial.lender.at, trial.lender.at + timedelta(hours=72))


def _resent(trial: Trial, provision: PackageId) -> None:
    """Sent again as often as the log says, never less than once, and the hold as it was."""
    hold = trial.lender.hold(provision)
    path = trial.lender.folder("zeimu") / hold.file_name
    assert path.read_bytes() == CONTENT
    assert 1 <= hold.resent == trial.entries("provision.resent", provision) <= 3
    assert hold.due_at == hold.held_at + timedelta(hours=72)
    assert trial.entries("provision.delivered", provision) == 1


def _purged(trial: Trial, provision: PackageId) -> None:
    """Nothing kept, one proof; what is not due is whole."""
    assert not trial.lender.is_kept(provision)
    assert trial.entries("hold.purged", provision) == 1
    hold = trial.lender.hold(provision)
    assert hold.purged_at is not None
    assert not (trial.lender.folder("zeimu") / hold.file_name).exists()
    custody = trial.lender.custody()
    assert custody.copies.read(trial.decoy, custody.keys.key(trial.decoy)) == CONTENT
    assert trial.lender.hold(trial.decoy).purged_at is None


CHECKS: dict[str, Callable[[Trial, PackageId], None]] = {
    "attach": _attached, "deliver": _delivered, "resend": _resent, "purge": _purged,
}  # fmt: skip


@pytest.fixture(params=CHECKS)
def trial(request: pytest.FixtureRequest, home: Home, stores: Stores) -> Trial:
    """An act, done once undisturbed."""
    lender = Lender(home, stores)
    made = Trial(lender, request.param, lender.delivered(content=CONTENT))
    made.trace()
    expected = {Kind.COMMIT} if made.name == "attach" else {Kind.COMMIT, Kind.DISK}
    assert expected <= {step.kind for step in made.steps}
    return made


def never_a_false_proof(trial: Trial, provision: PackageId) -> None:
    """Whatever a worker left, a proof says the truth from the moment it is there."""
    if trial.name == "purge" and trial.entries("hold.purged", provision):
        assert not trial.lender.is_kept(provision)


def counted(trial: Trial) -> dict[str, int]:
    """Count what was tried of an act."""
    outside = sum(step.kind in OUTSIDE for step in trial.steps)
    return COUNTED.setdefault(
        f"custody {trial.name}", {"steps": len(trial.steps), "outside": outside, "deaths": 0}
    )


def test_act_killed_between_two_steps_is_finished_by_the_next(trial: Trial) -> None:
    """A sample of the places; nothing is lost, nothing is kept, everything is said once."""
    places = places_of(trial.steps)
    for number in sorted({*range(0, len(places), SAMPLE_EVERY[trial.name]), len(places) - 1}):
        provision = trial.dies(places[number])
        never_a_false_proof(trial, provision)
        trial.recovers(provision)
        counted(trial)["deaths"] += 1
    for file in (RESIDENT, FUHYO):
        with open_unit(trial.lender.stores.url(file), file, Duty.AUDITOR) as unit:
            unit.journal.verify()
    check_told(f"custody {trial.name}", trial.steps)
