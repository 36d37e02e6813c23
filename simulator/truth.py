"""The oracle: what both files must hold after the notices received so far, by a model anyone can check by eye.

Decides:    which record stands, which is erased, which versions are history and from when each may be erased.
Leaves:     whether a notice is well formed: give it valid notices only.
Invariants: written from the statute alone and shares nothing with the product's decisions or stores. People of
            whom only one entry was ever received stay in the columns they came in; all others are plain objects.
Source:     法30条の6, 30条の41; 施行令30条の6, 30条の12の4; domain.md sections 3 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from juki.columns import RECORD_COLUMNS, IdentityFile
from simulator.registers import sorted_by_code

KEPT_YEARS = 150
_ENTRY, _DELETION = "entry", "deletion"
_ORDER = [("resident_code", "ascending"), ("received_on", "ascending"), ("sender_code", "ascending")]
VERSION_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("resident_code", "sender_code", "notice_no", "kind")]
    + [(name, pa.date32()) for name in ("received_on", "superseded_on", "expires_on")]
)
"""History for comparison; no `expires_on` while the clock of a version has not started."""


def expires_on(start: date) -> date:
    """Give the first day on which a version may be erased whose clock started on `start`.

    The first day counts, so the 150 years are over when the anniversary begins; 29 February gives 1 March in a
    year without it.
    """
    is_leap_day = (start.month, start.day) == (2, 29)
    year = start.year + KEPT_YEARS
    if is_leap_day and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)):
        return date(year, 3, 1)
    return date(year, start.month, start.day)


@dataclass(slots=True, repr=False)
class Version:
    """One notice that was kept: what it said, who sent it, when it came and when a newer one did."""

    record: dict[str, str]
    said: tuple[str, ...]
    kind: str
    sender_code: str
    notice_no: str
    received_on: date
    superseded_on: date | None = None

    @property
    def expires_on(self) -> date | None:
        """A deletion counts from its own notice, anything else from the newer one (施行令30条の6)."""
        start = self.received_on if self.kind == _DELETION else self.superseded_on
        return expires_on(start) if start else None


@dataclass(slots=True, repr=False)
class Person:
    """All versions of one person as received, and the one that counts."""

    versions: list[Version] = field(default_factory=list)
    newest: Version | None = None

    def receive(self, version: Version) -> None:
        """Judge one notice: a repeat, something overtaken, something impossible, or the newest version."""
        newest = self.newest
        if newest is not None:
            if version.said == newest.said and version.sender_code == newest.sender_code:
                return
            if version.kind != _ENTRY and version.sender_code != newest.sender_code:
                version.superseded_on = version.received_on
                self.versions.append(version)
                return
            if newest.kind == _DELETION and version.kind not in (_ENTRY, _DELETION):
                return
            newest.superseded_on = version.received_on
        self.versions.append(version)
        self.newest = version


@dataclass(frozen=True, slots=True, repr=False)
class _Load:
    """A table of first entries about people otherwise unheard of; `order` sorts `codes`."""

    table: pa.Table
    sender_code: str
    received_on: date
    order: NDArray[np.int64]
    codes: NDArray[np.int64]

    def find(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Find the row of each code, −1 where it is not in here."""
        place = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        return np.where(self.codes[place] == codes, self.order[place], -1)


@dataclass(slots=True, repr=False)
class FileTruth:
    """The model of one file."""

    file: IdentityFile
    loads: list[_Load] = field(default_factory=list)
    taken: list[set[int]] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)

    def receive(self, received_on: date, sender_code: str, notices: pa.Table) -> None:
        """Receive valid notices of one channel on a day, in their order."""
        if not len(notices):
            return
        codes = _as_numbers(notices["resident_code"])
        if self._is_first_load(notices, codes):
            order = np.argsort(codes, kind="stable")
            self.loads.append(_Load(notices, sender_code, received_on, order, codes[order]))
            self.taken.append(set())
            return
        self._take_from_loads(notices)
        for notice in notices.to_pylist():
            self._receive_one(received_on, sender_code, notice)

    def standing(self) -> pa.Table:
        """Give the records that stand: RECORD_COLUMNS and sender_code, sorted by resident_code."""
        loaded = [_with_sender(self._untouched(n), load) for n, load in enumerate(self.loads)]
        names = [*RECORD_COLUMNS[self.file], "sender_code"]
        return sorted_by_code(
            pa.concat_tables([*(t.select(names) for t in loaded), self._newest(erased=False)])
        )

    def erased(self) -> pa.Table:
        """Give the records whose newest version is a deletion, as they stood: same columns and order."""
        return sorted_by_code(self._newest(erased=True))

    def versions(self) -> pa.Table:
        """Give every version ever kept (VERSION_SCHEMA), by code, day and sender."""
        loaded = [_first_versions(self._untouched(n), load) for n, load in enumerate(self.loads)]
        rows = [
            {name: getattr(version, name, version.record.get(name)) for name in VERSION_SCHEMA.names}
            for person in self.people.values()
            for version in person.versions
        ]
        table = pa.concat_tables([*loaded, pa.Table.from_pylist(rows, VERSION_SCHEMA)])
        return table.sort_by(_ORDER)

    def _receive_one(self, received_on: date, sender_code: str, notice: dict[str, str]) -> None:
        code, previous = notice["resident_code"], notice["previous_resident_code"]
        if code in self.replaced or (previous in self.replaced and code not in self.people):
            return
        if previous and code not in self.people:
            self.people[code] = self.people.pop(previous) if previous in self.people else Person()
            self.replaced.add(previous)
        self.people.setdefault(code, Person()).receive(_version(self.file, received_on, sender_code, notice))

    def _is_first_load(self, notices: pa.Table, codes: NDArray[np.int64]) -> bool:
        """Tell whether all are entries of people never heard of, once each."""
        if pc.any(pc.not_equal(notices["kind"], _ENTRY)).as_py() or len(np.unique(codes)) < len(codes):
            return False
        if any((load.find(codes) >= 0).any() for load in self.loads):
            return False
        heard_of = self.people.keys() | self.replaced
        return not (heard_of and heard_of.intersection(notices["resident_code"].to_pylist()))

    def _take_from_loads(self, notices: pa.Table) -> None:
        """Turn the loaded entries these notices are about into plain people."""
        named = pc.unique(
            pa.chunked_array(
                [*_chunks(notices, "resident_code"), *_chunks(notices, "previous_resident_code")]
            )
        )
        named = named.filter(pc.not_equal(named, ""))
        codes = _as_numbers(named)
        for load, taken in zip(self.loads, self.taken, strict=True):
            rows = [row for row in load.find(codes).tolist() if row >= 0 and row not in taken]
            taken.update(rows)
            for notice in load.table.take(pa.array(rows, pa.int64())).to_pylist():
                self._receive_one(load.received_on, load.sender_code, notice)

    def _untouched(self, number: int) -> pa.Table:
        load, taken = self.loads[number], self.taken[number]
        kept = np.ones(len(load.table), dtype=np.bool_)
        kept[list(taken)] = False
        return load.table.filter(pa.array(kept))

    def _newest(self, *, erased: bool) -> pa.Table:
        names = RECORD_COLUMNS[self.file]
        newest = [
            person.newest
            for person in self.people.values()
            if person.newest is not None and (person.newest.kind == _DELETION) is erased
        ]
        columns = {
            name: pa.array([version.record[name] for version in newest], pa.string()) for name in names
        }
        columns["sender_code"] = pa.array([version.sender_code for version in newest], pa.string())
        return pa.table(columns)


@dataclass(slots=True, repr=False)
class Truth:
    """Both files; `receive` in the order of arrival, then ask."""

    files: dict[IdentityFile, FileTruth] = field(
        default_factory=lambda: {file: FileTruth(file) for file in IdentityFile}
    )

    def receive(self, received_on: date, file: IdentityFile, sender_code: str, notices: pa.Table) -> None:
        """Receive the notices of one package on a civil day in Japan."""
        self.files[file].receive(received_on, sender_code, notices)

    def standing(self, file: IdentityFile) -> pa.Table:
        """Give the records that must stand: RECORD_COLUMNS and sender_code, sorted by resident_code."""
        return self.files[file].standing()

    def erased(self, file: IdentityFile) -> pa.Table:
        """Give the records that must be erased ones: same columns, as the deletion carried them."""
        return self.files[file].erased()

    def versions(self, file: IdentityFile) -> pa.Table:
        """Give all versions that must be kept, with the days on which their clocks run out."""
        return self.files[file].versions()


def _version(file: IdentityFile, received_on: date, sender_code: str, notice: dict[str, str]) -> Version:
    record = {name: notice[name] for name in RECORD_COLUMNS[file]}
    said = (*record.values(), notice["kind"], notice.get("reason", ""), notice["event_date"])
    return Version(record, said, notice["kind"], sender_code, notice["notice_no"], received_on)


def _with_sender(table: pa.Table, load: _Load) -> pa.Table:
    return table.append_column("sender_code", pa.repeat(load.sender_code, len(table)))


def _first_versions(table: pa.Table, load: _Load) -> pa.Table:
    rows = len(table)
    open_end = pa.nulls(rows, pa.date32())
    received = pa.repeat(pa.scalar(load.received_on, pa.date32()), rows)
    columns = _with_sender(table, load).select(["resident_code", "sender_code", "notice_no", "kind"]).columns
    return pa.table([*columns, received, open_end, open_end], schema=VERSION_SCHEMA)


def _chunks(table: pa.Table, column: str) -> list[pa.Array]:
    chunks: list[pa.Array] = table[column].chunks
    return chunks


def _as_numbers(codes: pa.ChunkedArray) -> NDArray[np.int64]:
    """Read codes as numbers, inside here only: they have one width, so order and identity stay the same."""
    return np.asarray(pc.cast(codes, pa.int64()), dtype=np.int64)
