"""The stage on which events happen: the true state of both files, the calendar, and the notices of the day.

Decides:    what an entry, a deletion or a correction does to the true state and which notice it makes.
Leaves:     which events happen to whom to the event modules.
Invariants: state and notice change together. Somebody to whom something happened rests for three weeks, so one
            person's events never cross while packages are a little late. A deletion carries the items that stood.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from juki.columns import IdentityFile
from juki.notices import Kind, Reason
from simulator.identifiers import Issuer
from simulator.notices import Channel, Notice, NoticeLog
from simulator.people import Population
from simulator.pools import Pools, pools_of
from simulator.registers import Record, Register, Standing

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
_REST = timedelta(days=21)
_TRIES = 60
_REMEMBERED = 400

Action = Callable[[], None]


@dataclass(frozen=True, slots=True, repr=False)
class Told:
    """A notice as made, for sending again: its channel, the person, and the notice without number and time."""

    channel: Channel
    person: int
    notice: Notice


@dataclass(slots=True, repr=False)
class Scene:
    """Everything an event may read or change."""

    population: Population
    issuer: Issuer
    rng: np.random.Generator
    today: date
    log: NoticeLog = field(default_factory=NoticeLog)
    pools: Pools = field(init=False)
    registers: dict[IdentityFile, Register] = field(init=False)
    newcomers: list[int] = field(default_factory=list)
    departed: list[int] = field(default_factory=list)
    last_records: dict[int, Record] = field(default_factory=dict)
    told: deque[Told] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    newest: dict[tuple[IdentityFile, int], Notice] = field(default_factory=dict)
    happened: Counter[str] = field(default_factory=Counter)
    _last_touched: dict[int, date] = field(default_factory=dict)
    _due: list[tuple[date, int, Action]] = field(default_factory=list)
    _pending: Counter[int] = field(default_factory=Counter)
    _people: int = field(init=False)

    def __post_init__(self) -> None:
        self.registers = {file: Register(file, self.population) for file in IdentityFile}
        self.pools = pools_of(self.population, self.today)
        self._people = self.population.people

    # -- choosing people -----------------------------------------------------------------------------------

    def new_person(self) -> int:
        """Number a person nobody had heard of before."""
        self._people += 1
        self.newcomers.append(self._people - 1)
        self.touch(self._people - 1)
        return self._people - 1

    def pick(
        self, pool: NDArray[np.int64], file: IdentityFile, fits: Callable[[Record], bool] = lambda _: True
    ) -> int | None:
        """Choose somebody of the pool who stands in the file, fits and is rested; None if none is found."""
        for _ in range(_TRIES if len(pool) else 0):
            person = int(pool[self.rng.integers(len(pool))])
            standing = self.registers[file].get(person) if self.is_rested(person) else None
            if standing is not None and fits(standing.record):
                self.touch(person)
                return person
        return None

    def pick_resident(self, fits: Callable[[Record], bool] = lambda _: True) -> int | None:
        """Choose any resident, those who came later included."""
        everybody = self.population.residents + len(self.newcomers)
        drawn = self.rng.integers(0, everybody, _TRIES)
        late = drawn - self.population.residents
        pool = np.array([self.newcomers[n] if n >= 0 else int(p) for p, n in zip(drawn, late, strict=True)])
        return self.pick(pool, RESIDENT, fits)

    def is_rested(self, person: int) -> bool:
        """Tell whether nothing happened to the person lately and nothing is about to."""
        return self.has_been_left_alone(person, _REST)

    def has_been_left_alone(self, person: int, period: timedelta) -> bool:
        """Tell whether nothing happened to the person for a period and nothing is about to."""
        last = self._last_touched.get(person)
        return not self._pending[person] and (last is None or self.today - last >= period)

    def touch(self, person: int) -> None:
        """Note that something happens to the person today."""
        self._last_touched[person] = self.today

    # -- the resident file ---------------------------------------------------------------------------------

    def resident(self, person: int) -> Record:
        """Give the standing resident record of somebody known to be registered."""
        return _required(self.registers[RESIDENT].get(person)).record

    def enter(self, person: int, record: Record, reason: Reason, on: date | None) -> None:
        """記載: the record stands from now on."""
        standing = Standing(record["municipality_code"], record)
        self.registers[RESIDENT].put(person, standing)
        self._tell(RESIDENT, person, standing, Kind.ENTRY, reason, on)

    def erase(self, person: int, reason: Reason, on: date | None) -> None:
        """消除: nothing stands any more; the notice carries what stood."""
        standing = _required(self.registers[RESIDENT].get(person))
        self.registers[RESIDENT].put(person, None)
        self.last_records[person] = standing.record
        self._tell(RESIDENT, person, standing, Kind.DELETION, reason, on)

    def correct(
        self, person: int, changes: Record, reason: Reason, on: date | None, previous: Record | None = None
    ) -> None:
        """記載の修正; `previous` holds the previous_* items of a number or code correction."""
        standing = _changed(_required(self.registers[RESIDENT].get(person)), changes)
        self.registers[RESIDENT].put(person, standing)
        self._tell(RESIDENT, person, standing, Kind.CORRECTION, reason, on, previous)

    def correct_unheard_of(self, person: int, record: Record, reason: Reason) -> None:
        """記載の修正 of a record that could not be notified before, having had no code."""
        standing = Standing(record["municipality_code"], record)
        self.registers[RESIDENT].put(person, standing)
        self._tell(RESIDENT, person, standing, Kind.CORRECTION, reason, self.today)

    # -- the fuhyo file ------------------------------------------------------------------------------------

    def kept(self, person: int) -> Standing | None:
        """Give the standing fuhyo record of a person, if it is kept in the prefecture."""
        return self.registers[FUHYO].get(person)

    def keep(self, person: int, keeper: str, record: Record) -> None:
        """記載 in the fuhyo by a keeper; dated the day it is made."""
        self.registers[FUHYO].put(person, Standing(keeper, record))
        self._tell(FUHYO, person, Standing(keeper, record), Kind.ENTRY, None, self.today)

    def drop(self, person: int) -> None:
        """消除 from the fuhyo, if one is kept in the prefecture."""
        standing = self.kept(person)
        if standing is not None:
            self.registers[FUHYO].put(person, None)
            self._tell(FUHYO, person, standing, Kind.DELETION, None, self.today)

    def amend(self, person: int, changes: Record, previous: Record | None = None) -> None:
        """記載の修正 of the fuhyo, if one is kept in the prefecture and the changes concern it."""
        standing = self.kept(person)
        if standing is None:
            return
        changed = _changed(standing, {name: changes[name] for name in changes if name in standing.record})
        if changed != standing:
            self.registers[FUHYO].put(person, changed)
            self._tell(FUHYO, person, changed, Kind.CORRECTION, None, self.today, previous)

    def amend_unheard_of(self, person: int, keeper: str, record: Record) -> None:
        """記載の修正 of a fuhyo record that could not be notified before, having had no code."""
        self.registers[FUHYO].put(person, Standing(keeper, record))
        self._tell(FUHYO, person, Standing(keeper, record), Kind.CORRECTION, None, self.today)

    # -- notices that change nothing, and days to come -----------------------------------------------------

    def tell_belated(
        self, file: IdentityFile, standing: Standing, reason: Reason | None, on: date | None
    ) -> None:
        """Notify the deletion of a record after the next municipality has already entered the person."""
        self.log.add(Channel(standing.sender_code, file), _notice(standing, Kind.DELETION, reason, on, None))

    def tell_again(self, told: Told, reason: Reason | None = None) -> None:
        """Make the same notice again, perhaps with another reason."""
        notice = {**told.notice, "reason": reason.value} if reason else dict(told.notice)
        self.newest[told.channel.file, told.person] = notice
        self.touch(told.person)
        self.log.add(told.channel, notice)

    def later(self, days: int, person: int, action: Action) -> None:
        """Let something happen to a person on a later day; nothing else happens to them before."""
        self._pending[person] += 1
        self._due.append((self.today + timedelta(days=days), person, action))

    def run_due(self) -> None:
        """Do what was put off until today or before, in the order it was put off."""
        due = [item for item in self._due if item[0] <= self.today]
        self._due = [item for item in self._due if item[0] > self.today]
        for _, person, action in due:
            self._pending[person] -= 1
            self.touch(person)
            action()

    def is_pending(self, person: int) -> bool:
        """Tell whether something is still to happen to the person."""
        return bool(self._pending[person])

    def _tell(
        self,
        file: IdentityFile,
        person: int,
        standing: Standing,
        kind: Kind,
        reason: Reason | None,
        on: date | None,
        previous: Record | None = None,
    ) -> None:
        notice = _notice(standing, kind, reason, on, previous)
        channel = Channel(standing.sender_code, file)
        self.newest[file, person] = notice
        self.told.append(Told(channel, person, notice))
        self.touch(person)
        self.log.add(channel, notice)


def _notice(
    standing: Standing, kind: Kind, reason: Reason | None, on: date | None, previous: Record | None
) -> Notice:
    return {
        **standing.record,
        "kind": kind.value,
        "reason": reason.value if reason else "",
        "event_date": on.isoformat() if on else "",
        **(previous or {}),
    }


def _changed(standing: Standing, changes: Record) -> Standing:
    return Standing(standing.sender_code, {**standing.record, **changes})


def _required(standing: Standing | None) -> Standing:
    if standing is None:
        raise ValueError("the person has no standing record")
    return standing
