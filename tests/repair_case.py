"""A file of a few people with the truth beside it, a plain comparison, and ways to break the file by SQL.

Test-only. The comparison here is the plainest there can be, and shares nothing with that of the product.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pyarrow as pa

from juki.columns import NOTICE_COLUMNS, RECORD_COLUMNS, IdentityFile
from juki.found import FOUND_SCHEMA, Found
from juki.journal import Action, Entry, Outcome
from juki.numbers import number_index
from juki.order import Channel, FileMark
from juki.store.difference_notes import Noted
from juki.store.packages import Applied, Arrival
from juki.store.roles import Duty
from juki.store.unit import open_unit
from juki.versions import Origin
from tasks import clock
from tasks.applying import carry_out, record_changes
from tasks.opening import hold_to_contract
from tasks.repairing import Repaired, repair
from tasks.workshop import Workshop
from tests.emptied import empty

Row = dict[str, str]
TABLES = (
    "current, history, former_code, channel, package, rejection, quarantine, outbox, reconciliation, difference, "
    "jlis_package, jlis_message"
)


@dataclass(slots=True)
class Case:
    """One identity file of the installation of JUKI_HOME, and what is true of it."""

    file: IdentityFile
    truth: defaultdict[str, dict[str, Row]] = field(default_factory=lambda: defaultdict(dict))
    """By municipality, by code: the record that stands there."""
    last_no: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    sequences: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(days=1))
    """The clock of the municipalities: an hour goes by with every package and comparison."""

    @property
    def url(self) -> str:
        """Where the store is."""
        return Workshop.open().store_url(self.file)

    def forget(self) -> None:
        """Begin anew with an empty store."""
        empty(self.url)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Do something to the store that no notice does, or ask it."""
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def send(self, municipality: str, *said: Row) -> list[int]:
        """Let a municipality send notices that are applied as a package; return their effects."""
        first = self.last_no[municipality] + 1
        self.at += timedelta(hours=1)
        rows = [
            row | {"notice_no": str(first + place), "notified_at": self.at.isoformat(timespec="seconds")}
            for place, row in enumerate(said)
        ]
        self.last_no[municipality] += len(rows)
        self.sequences[municipality] += 1
        for row in rows:
            if row["kind"] == "deletion":
                self.truth[municipality].pop(row["resident_code"], None)
            else:
                self.truth[municipality][row["resident_code"]] = {
                    n: row[n] for n in RECORD_COLUMNS[self.file]
                }
                for other in self.truth.keys() - {municipality} if row["kind"] == "entry" else ():
                    self.truth[other].pop(row["resident_code"], None)
        return self._apply(Channel(municipality, self.file), first, rows)

    def _apply(self, channel: Channel, first: int, rows: list[Row]) -> list[int]:
        shop, code, sequence = (
            Workshop.open(),
            channel.municipality_code,
            self.sequences[channel.municipality_code],
        )
        keys = shop.keyring(self.file)
        columns = {
            n: pa.array([row.get(n, "") for row in rows], pa.string()) for n in NOTICE_COLUMNS[self.file]
        }
        with open_unit(self.url, self.file) as unit:
            unit.packages.attempt(code, self.at)
            mark = FileMark(f"{channel}-notice-{sequence:08d}.p7m", 1, self.at)
            number = unit.packages.register(Arrival(code, sequence, mark, bytes(32), self.at))
            package = unit.packages.by_id(number)
            assert package is not None
            notices, findings = hold_to_contract(shop, channel, package, pa.table(columns), keys)
            origin = Origin(code, number, clock.civil_date(self.at))
            carried = carry_out(unit, notices, findings, origin, keys)
            unit.packages.advance(code, sequence, self.last_no[code], self.at)
            applied = Applied(bytes(32), self.at, first, self.last_no[code], carried.counts)
            unit.packages.settle_applied(number, applied, b"", self.at)
            entry = Entry(Action.PACKAGE_APPLIED, self.file, Outcome.DONE, "test", code, mark.name, number)
            record_changes(unit, entry, carried)
        effects: list[int] = carried.effects.tolist()
        return effects

    # -- comparing ------------------------------------------------------------------------------------------

    def stored(self) -> dict[str, Row]:
        """Read what stands in the file: the record with the index of the number, and the sender, by code."""
        names = [name for name in RECORD_COLUMNS[self.file] if name != "individual_number"]
        number = "encode(number_index, 'hex')" if self.file is IdentityFile.RESIDENT else "NULL"
        rows = self.sql(
            f"SELECT sender_code, {number}, {', '.join(names)} FROM current WHERE kind <> 'deletion'"
        )
        return {
            row[2]: {"sender": row[0], "number": row[1] or ""}
            | dict(zip(names, map(_text, row[2:]), strict=True))
            for row in rows
        }

    def differing(self, municipality: str) -> list[dict[str, Any]]:
        """Compare one municipality's truth with the file, person by person."""
        stored, truth = self.stored(), self.truth[municipality]
        found = []
        for code in sorted(truth.keys() | {c for c, row in stored.items() if row["sender"] == municipality}):
            theirs, ours = truth.get(code), stored.get(code)
            row = {"resident_code": code, "columns": [], "held_by": None, "package_id": None}
            if theirs is None:
                found.append(row | {"kind": "extra"})
            elif ours is None or ours["sender"] != municipality:
                found.append(row | {"kind": "missing", "held_by": ours["sender"] if ours else None})
            elif columns := [name for name in theirs if self._said(theirs, name) != ours[_name(name)]]:
                found.append(row | {"kind": "differs", "columns": columns})
        return found

    def _said(self, row: Row, name: str) -> str:
        if name != "individual_number":
            return row[name]
        number = row[name].encode()
        return number_index(number, Workshop.open().keyring(self.file).index).hex() if number else ""

    def reconcile(self, municipality: str, watermark: int | None = None) -> int:
        """Compare, and keep what was found; return the number of the comparison."""
        self.at += timedelta(hours=1)
        number = self.begin(municipality, watermark)
        self.note(municipality, number)
        return number

    def begin(self, municipality: str, watermark: int | None = None) -> int:
        """Register a comparison, over as far as the register is concerned."""
        mark = self.last_no[municipality] if watermark is None else watermark
        rows = len(self.truth[municipality])
        ((number,),) = self.sql(
            "INSERT INTO reconciliation (municipality_code, mode, state, requested_at, deadline_at, finished_at,"
            " as_of, watermark, rows_theirs, rows_ours) VALUES (%s, 'repair', 'finished', %s, %s, %s, %s, %s, %s, %s)"
            " RETURNING reconciliation_id",
            municipality, self.at, self.at, self.at, self.at, mark, rows, rows,
        )  # fmt: skip
        return int(number)

    def note(self, municipality: str, number: int) -> Noted:
        """Keep what there is to be found now."""
        ((watermark,),) = self.sql(
            "SELECT watermark FROM reconciliation WHERE reconciliation_id = %s", number
        )
        found, truth = self.differing(municipality), self.truth[municipality]
        records = [truth[row["resident_code"]] for row in found if row["kind"] != "extra"]
        schema = pa.schema([(name, pa.string()) for name in RECORD_COLUMNS[self.file]])
        told = Found(
            pa.Table.from_pylist(found, FOUND_SCHEMA), pa.Table.from_pylist(records, schema), 0, 0, bytes(32)
        )
        key = Workshop.open().keyring(self.file).quarantine
        with open_unit(self.url, self.file) as unit:
            return unit.differences.note(number, municipality, watermark, self.at, told, key)

    # -- repairing ------------------------------------------------------------------------------------------

    def approve(self, kinds: Sequence[str] = ("missing", "differs", "extra")) -> None:
        """Let an administrator approve everything open of some kinds."""
        rows = self.sql(
            "SELECT difference_id FROM difference WHERE kind = ANY(%s) AND state = 'open'"
            " AND repair_package_id IS NULL", list(kinds),
        )  # fmt: skip
        with open_unit(self.url, self.file, Duty.ADMINISTRATOR) as unit:
            unit.differences.approve([number for (number,) in rows], "local-administrator:a", self.at)

    def repair(self, municipality: str, number: int, *, is_approved_beyond: bool = True) -> Repaired:
        """Repair after a comparison."""
        channel = Channel(municipality, self.file)
        done: Repaired = repair.fn(channel, number, is_approved_beyond=is_approved_beyond)
        return done

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Read all that a repair may change."""
        tables = (*TABLES.split(", "), "journal")
        return {name: sorted(self.sql(f"SELECT t::text FROM {name} t")) for name in tables}


def _name(name: str) -> str:
    return "number" if name == "individual_number" else name


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)
