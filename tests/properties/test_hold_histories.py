"""Over random histories of providing, receipts, re-sends, purges and clock steps, holds are those of a model.

The model is twenty lines of dictionaries that know nothing of keys, files or rows. A clock that is set back or jumps
ahead is part of the histories: then a purge erases nothing until somebody confirms it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from juki.columns import IdentityFile
from juki.custody import timing
from juki.custody.handing_over import deliver, note_receipt, resend
from juki.custody.purging import Purge
from juki.errors import JukiError
from juki.home import Home
from juki.package_id import PackageId
from tests.conftest import Stores
from tests.provision_rows import AFTER_RECEIPT, FUHYO, HOLD, RESIDENT, Lender

BOUND, GRACE, TOLERANCE = timedelta(days=14), timedelta(hours=1), timedelta(minutes=1)
CONTENT = b"sealed"
WORDS = ("seal", "deliver", "receipt", "resend", "purge", "confirm", "kill")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(WORDS), st.integers(0, 3)),
        st.tuples(st.just("pass"), st.sampled_from([1, 23, 24, 71, 72, 73, 24 * 13, 24 * 15, -1, -30])),
    ),
    max_size=24,
)  # fmt: skip


@dataclass(slots=True)
class Model:
    """What is kept until when: name → end; what was delivered and acknowledged; and which times were seen."""

    live: dict[str, datetime] = field(default_factory=dict)
    delivered: set[str] = field(default_factory=set)
    received: set[str] = field(default_factory=set)
    seen: datetime | None = None
    trusted: datetime | None = None
    accepted: datetime | None = None

    def may_leave(self, name: str, at: datetime) -> bool:
        """Tell whether a package may be handed over."""
        return name in self.live and self.live[name] > at

    def doubts(self, at: datetime) -> bool:
        """Tell whether a purge stops."""
        known = [
            self.trusted,
            self.seen if not (self.accepted and self.seen and self.seen <= self.accepted) else None,
        ]
        newest = max((one for one in known if one), default=at)
        last = self.trusted or self.seen or at
        return at < newest - TOLERANCE or at - last > BOUND

    def purge(self, at: datetime, is_confirmed: bool) -> set[str]:
        """Erase what is due, unless the clock is doubted."""
        if self.doubts(at):
            if not is_confirmed:
                return set()
            self.accepted = self.seen if self.seen and self.seen > at else None
        elif self.accepted and self.accepted <= at:
            self.accepted = None
        self.trusted = at
        gone = {name for name, end in self.live.items() if end <= at}
        self.live = {name: end for name, end in self.live.items() if name not in gone}
        return gone


@dataclass(slots=True)
class History:
    """The real thing beside the model."""

    lender: Lender
    model: Model = field(default_factory=Model)
    names: list[PackageId] = field(default_factory=list)

    def do(self, word: str, number: int) -> None:
        """Take one step on both sides; both must say the same."""
        if word == "pass":
            self.lender.pass_time(hours=number)
        elif word == "seal":
            self._seal(RESIDENT if number % 2 else FUHYO)
        elif word in ("purge", "confirm", "kill"):
            self._purge(word == "confirm", dies=word == "kill")
        elif self.names:
            self._act(word, self.names[number % len(self.names)])

    def _seal(self, file: IdentityFile) -> None:
        at, provision = self.lender.at, self.lender.sealed(file, CONTENT)
        if file is FUHYO:
            self._lend(provision)
        self.names.append(provision)
        self.model.live[str(provision)] = at + HOLD
        self._saw(at)

    def _lend(self, provision: PackageId) -> None:
        """Leave what a crossing leaves: numbers held under the key, and an approval that stands open."""
        number = provision.number
        self.lender.run_sql(FUHYO, f"INSERT INTO held_number VALUES ({number}, 1, ''), ({number}, 2, '')")
        self.lender.run_sql(
            RESIDENT,
            "INSERT INTO crossing (provision_id, recipient, basis, basis_version, codes, codes_digest, approved_at)"
            f" VALUES ({number}, 'zeimu', 'b', 'v', 2, '', now())",
        )

    def _act(self, word: str, provision: PackageId) -> None:
        custody, at, name, model = self.lender.custody(), self.lender.at, str(provision), self.model
        may = {
            "deliver": model.may_leave(name, at),
            "resend": model.may_leave(name, at) and name in model.delivered,
            "receipt": name in model.delivered,
        }[word]
        try:
            {"deliver": deliver, "resend": resend, "receipt": lambda c, p: note_receipt(c, p, at)}[word](
                custody, provision
            )
        except JukiError:
            assert not may
            return
        assert may
        if word == "deliver" and name not in model.delivered:
            model.delivered.add(name)
            model.live[name] = at + HOLD
        elif word == "receipt" and name not in model.received:
            model.received.add(name)
            if name in model.live:
                model.live[name] = min(model.live[name], at + AFTER_RECEIPT)
        elif word != "resend":
            return
        self._saw(at)

    def _purge(self, is_confirmed: bool, *, dies: bool) -> None:
        """Purge; or die right after the keys are gone, and purge again."""
        custody, at = self.lender.custody(), self.lender.at
        gone = self.model.purge(at, is_confirmed)
        reference = timing.settled(custody, BOUND, "確かめた" if is_confirmed else "")
        work = Purge(custody, reference.at, GRACE)
        if reference.doubt:
            assert gone == set()
            return
        if dies:
            for hold in work.plan().due:
                custody.keys.destroy(hold.provision)
        assert {str(one) for one in work.run().erased} == gone
        if gone or is_confirmed:
            self._saw_in_proofs()

    def _saw(self, at: datetime) -> None:
        self.model.seen = max(self.model.seen or at, at)

    def _saw_in_proofs(self) -> None:
        """What a purge or a confirmation wrote is an instant of the store like any other."""
        self._saw(self.lender.at)

    def agree(self) -> None:
        """Compare what is really there with the model."""
        kept = {str(one) for one in self.names if self.lender.is_kept(one)}
        assert kept == set(self.model.live)
        lent = {f"F{number}" for (number,) in self.lender.rows(FUHYO, "SELECT provision_id FROM held_number")}
        query = "SELECT provision_id FROM crossing WHERE closed_at IS NULL"
        crossed = {f"F{number}" for (number,) in self.lender.rows(RESIDENT, query)}
        assert lent == crossed == {name for name in self.model.live if name.startswith("F")}
        for one in self.names:
            hold = self.lender.hold(one)
            assert (hold.purged_at is None) == (str(one) in self.model.live)
            if str(one) in self.model.live:
                assert hold.due_at == self.model.live[str(one)]
        proofs = [
            entry["provision"] for file in IdentityFile for entry in self.lender.entries(file, "hold.purged")
        ]
        assert sorted(proofs) == sorted(str(one) for one in self.names if str(one) not in self.model.live)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, module_stores: Stores) -> Iterator[tuple[Path, Stores]]:
    """Stores that are emptied between two histories."""
    yield tmp_path_factory.mktemp("histories"), module_stores


def fresh(place: tuple[Path, Stores]) -> Lender:
    """Begin anew."""
    root, stores = place
    shutil.rmtree(root / "home", ignore_errors=True)
    for file in IdentityFile:
        with psycopg.connect(stores.url(file)) as connection:
            connection.execute("ALTER TABLE journal DISABLE TRIGGER journal_is_append_only")
            beside = "held_number" if file is FUHYO else "crossing"
            connection.execute(f"TRUNCATE provision, hold, journal, {beside} RESTART IDENTITY")
            connection.execute("ALTER TABLE journal ENABLE TRIGGER journal_is_append_only")
    return Lender(Home.at(root / "home"), stores)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(steps=STEPS)
def test_live_holds_are_those_of_the_model(place: tuple[Path, Stores], steps: list[tuple[str, int]]) -> None:
    """Whatever happened in whatever order: kept is what the model keeps, and each erasure has its one proof."""
    history = History(fresh(place))
    for word, number in steps:
        history.do(word, number)
    history.agree()
