"""The true state of one identity file: the records of the first day and what has changed since.

Decides:    what stands for a person right now, and with which municipality.
Leaves:     why it changed to the events; comparing it with anything to the caller.
Invariants: a person has at most one standing record; records are replaced, never altered in place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from juki.columns import RECORD_COLUMNS, IdentityFile
from simulator.people import Population
from simulator.towns import load_towns

Record = dict[str, str]
"""The items of one record by column."""


@dataclass(frozen=True, slots=True, repr=False)
class Standing:
    """A record that stands, and the municipality that keeps it."""

    sender_code: str
    record: Record


class Register:
    """One file: the first day's table, with changed people laid over it (None: no longer standing)."""

    def __init__(self, file: IdentityFile, population: Population) -> None:
        self.file = file
        self._population = population
        self._table = population.records[file].combine_chunks()
        self._senders: NDArray[np.int64] = population.senders[file]
        self._changed: dict[int, Standing | None] = {}

    def get(self, person: int) -> Standing | None:
        """Give what stands for a person, or None."""
        if person in self._changed:
            return self._changed[person]
        row = self._population.record_row(self.file, person)
        if row is None:
            return None
        sender = load_towns().municipalities[self._senders[row]].code
        return Standing(sender, self._table.slice(row, 1).to_pylist()[0])

    def put(self, person: int, standing: Standing | None) -> None:
        """Let a record stand for a person, or none."""
        self._changed[person] = standing

    def standing(self) -> pa.Table:
        """Give all standing records: RECORD_COLUMNS and sender_code, sorted by resident_code."""
        names = RECORD_COLUMNS[self.file]
        rows = [self._population.record_row(self.file, person) for person in self._changed]
        kept = np.ones(len(self._table), dtype=np.bool_)
        kept[[row for row in rows if row is not None]] = False
        senders = load_towns().codes.take(pa.array(self._senders))
        first = self._table.append_column("sender_code", senders).filter(pa.array(kept))
        later = [standing for standing in self._changed.values() if standing is not None]
        columns = {name: pa.array([s.record[name] for s in later], pa.string()) for name in names}
        columns["sender_code"] = pa.array([s.sender_code for s in later], pa.string())
        return sorted_by_code(pa.concat_tables([first, pa.table(columns)]))


def sorted_by_code(table: pa.Table) -> pa.Table:
    """Sort by resident_code; the codes are of equal width, so as numbers."""
    order = np.argsort(pc.cast(table["resident_code"], pa.int64()).to_numpy(), kind="stable")
    return table.take(pa.array(order)).combine_chunks()


def fuhyo_items(record: Record) -> Record:
    """Say of a resident what the fuhyo says: the same items, and that the person is in Japan."""
    known = {**record, "is_abroad": "0"}
    return {name: known[name] for name in RECORD_COLUMNS[IdentityFile.FUHYO]}
