"""The notices the simulated municipalities make: numbered per channel without gaps, in the order they happened.

Decides:    notice numbers and the times of day.
Leaves:     what happened to `simulator.scene` and the events.
Invariants: within a channel numbers ascend by one and times never go back, so one person's events stay in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from juki.columns import NOTICE_COLUMNS, RECORD_COLUMNS, IdentityFile
from juki.notices import Kind, Reason
from simulator.households import ISO_DAYS, day_number
from simulator.people import Population
from simulator.towns import load_towns

JAPAN = timezone(timedelta(hours=9))
_INITIAL_LOAD_AT = time(6, 0)
_OFFICE_OPENS = time(8, 30)
_OFFICE_SECONDS = 9 * 60 * 60
_NETWORK_BEGAN = date(2002, 8, 5)

Notice = dict[str, str]
"""One notice by column; number and time are empty until the day is closed."""


class Channel(NamedTuple):
    """One line of numbered notices: a sending municipality and a file."""

    municipality_code: str
    file: IdentityFile


class NoticeLog:
    """Notices of the day by channel, and the last number each channel has used."""

    def __init__(self) -> None:
        self.last_no: Counter[Channel] = Counter()
        self._today: dict[Channel, list[Notice]] = {}

    def add(self, channel: Channel, notice: Notice) -> None:
        """Put a notice at the end of its channel's day."""
        self._today.setdefault(channel, []).append(notice)

    def close(self, day: date, rng: np.random.Generator) -> dict[Channel, pa.Table]:
        """Number and date the notices of the day and start a new one; channels in order, none empty."""
        today, self._today = self._today, {}
        return {channel: self._table(channel, today[channel], day, rng) for channel in sorted(today)}

    def _table(
        self, channel: Channel, notices: list[Notice], day: date, rng: np.random.Generator
    ) -> pa.Table:
        opens = datetime.combine(day, _OFFICE_OPENS, JAPAN)
        seconds = np.sort(rng.integers(0, _OFFICE_SECONDS, len(notices))).tolist()
        first_no = self.last_no[channel] + 1
        self.last_no[channel] += len(notices)
        columns = {
            name: pa.array([notice.get(name, "") for notice in notices], pa.string())
            for name in NOTICE_COLUMNS[channel.file]
        }
        columns["notice_no"] = pa.array([str(first_no + n) for n in range(len(notices))])
        columns["notified_at"] = pa.array([(opens + timedelta(seconds=s)).isoformat() for s in seconds])
        return pa.table(columns)


def initial_tables(
    population: Population, log: NoticeLog, start: date, limit: int, rng: np.random.Generator
) -> Iterator[tuple[Channel, pa.Table]]:
    """Stream the first load as entry notices, channel by channel, at most `limit` records a table."""
    for file in IdentityFile:
        events = pa.array(_entry_days(population, file, start, rng))
        for place in load_towns().home():
            channel = Channel(load_towns().municipalities[place].code, file)
            rows = np.flatnonzero(population.senders[file] == place)
            for first in range(0, len(rows), limit):
                chosen = pa.array(rows[first : first + limit])
                records = population.records[file].take(chosen)
                yield channel, _entries(channel, records, events.take(chosen), log, start)


def _entries(channel: Channel, records: pa.Table, days: pa.Array, log: NoticeLog, start: date) -> pa.Table:
    """Dress records as the entry notices of a first load."""
    rows, file = len(records), channel.file
    first_no = log.last_no[channel] + 1
    log.last_no[channel] += rows
    at = datetime.combine(start, _INITIAL_LOAD_AT, JAPAN).isoformat()
    columns = {name: records[name] for name in RECORD_COLUMNS[file]}
    columns["notice_no"] = pa.array(np.arange(first_no, first_no + rows)).cast(pa.string())
    columns["notified_at"] = pa.repeat(at, rows)
    columns["kind"] = pa.repeat(Kind.ENTRY.value, rows)
    columns["reason"] = pa.repeat(Reason.ENTERED_EX_OFFICIO.value, rows)
    columns["event_date"] = ISO_DAYS.take(days)
    for name in ("previous_resident_code", "previous_individual_number"):
        columns[name] = pa.repeat("", rows)
    return pa.table({name: columns[name] for name in NOTICE_COLUMNS[file]})


def _entry_days(
    population: Population, file: IdentityFile, start: date, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw the day each record was entered: after the birth, since the network began, not after the start."""
    rows = len(population.records[file])
    born = np.full(rows, day_number(_NETWORK_BEGAN))
    known = population.residents if file is IdentityFile.RESIDENT else population.both
    born[:known] = population.born[:known]
    earliest = np.maximum(born, day_number(_NETWORK_BEGAN))
    entered: NDArray[np.int64] = np.floor(earliest + rng.random(rows) * (day_number(start) - earliest))
    return entered.astype(np.int64)
