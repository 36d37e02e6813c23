"""A simulated prefecture: its people, their lives day by day, and the notices its municipalities make.

Decides:    how many of which event a day brings, and in which order.
Leaves:     the events themselves to their modules, sealing and sending to the municipal side, and whatever a
            fault does to a package on its way.
Invariants: everything follows from (people, seed, start, days lived); the same calls give the same bytes. The
            state is the truth as of the last day lived, whether or not any notice has arrived anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from juki.columns import IdentityFile
from simulator.events import EVENTS, Event
from simulator.identifiers import Issuer
from simulator.notices import Channel, initial_tables
from simulator.people import populate
from simulator.scene import Scene
from simulator.towns import populations

MOST_RECORDS_PER_TABLE = 100_000
SPICE_DAYS = 3
"""In a spiced world every kind of event is made to happen within this many days."""


@dataclass(slots=True, repr=False)
class World:
    """The prefecture; `initial_notices` first, then `live` with ascending days."""

    scene: Scene
    start: date
    is_spiced: bool
    pace: float
    days_lived: int = 0

    @classmethod
    def create(
        cls, people: int, seed: int, start: date, *, is_spiced: bool = False, pace: float = 1.0
    ) -> World:
        """Draw a prefecture of `people` residents and about as many fuhyo records, as of `start`.

        A spiced world makes every kind of event happen within SPICE_DAYS days however few its people are (the
        demonstration and the tests need that). What follows from one (an arrival, a cancellation, somebody
        moving back) takes up to three days more. `pace` multiplies the rate of everything that happens.
        """
        rng = np.random.default_rng(seed)
        issuer = Issuer.draw(rng)
        population = populate(people, start, rng, issuer)
        return cls(Scene(population, issuer, rng, start), start, is_spiced, pace)

    @property
    def municipalities(self) -> tuple[str, ...]:
        """The codes of the municipalities of the prefecture."""
        return tuple(populations())

    @property
    def happened(self) -> Counter[str]:
        """How often each event has happened, by the names of `simulator.events.EVENTS`."""
        return self.scene.happened

    def initial_notices(self, limit: int = MOST_RECORDS_PER_TABLE) -> Iterator[tuple[Channel, pa.Table]]:
        """Stream the first load: entry notices numbered from 1 in tables of at most `limit` records.

        Reason: 職権記載等. Consume it wholly, once, before the first day: it numbers the notices.
        """
        return initial_tables(self.scene.population, self.scene.log, self.start, limit, self.scene.rng)

    def live(self, day: date) -> dict[Channel, pa.Table]:
        """Let one day happen and give its notices by channel, in the order they were made.

        Raises: ValueError for a day before the last one lived.
        """
        if day < self.scene.today:
            raise ValueError("days are lived in order")
        self.scene.today = day
        self.scene.run_due()
        for event in self._plan(day):
            if event.act(self.scene):
                self.scene.happened[event.name] += 1
        self.days_lived += 1
        return self.scene.log.close(day, self.scene.rng)

    def live_for(self, days: int) -> Iterator[tuple[date, dict[Channel, pa.Table]]]:
        """Live a number of days on end, the first being the day after the start or the last one lived."""
        for _ in range(days):
            day = self.scene.today + timedelta(days=1)
            yield day, self.live(day)

    def standing(self, file: IdentityFile) -> pa.Table:
        """Give the true standing records: RECORD_COLUMNS and sender_code, sorted by resident_code."""
        return self.scene.registers[file].standing()

    def _plan(self, day: date) -> list[Event]:
        """Draw the events of a day in the order they happen."""
        residents = self.scene.population.residents
        planned = [
            event
            for number, event in enumerate(EVENTS)
            for _ in range(max(self._drawn(event, residents, day), self._forced(number, event)))
        ]
        return [planned[n] for n in self.scene.rng.permutation(len(planned))]

    def _drawn(self, event: Event, residents: int, day: date) -> int:
        return int(self.scene.rng.poisson(self.pace * event.expected(residents, day)))

    def _forced(self, number: int, event: Event) -> int:
        """Demand an event once in a spiced world: a third of the kinds a day, and again until it happened."""
        is_its_day = self.days_lived % SPICE_DAYS >= number % SPICE_DAYS
        return int(self.is_spiced and is_its_day and not self.happened[event.name])
