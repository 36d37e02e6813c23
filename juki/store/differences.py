"""The differences a file has with its municipalities: kept, decided about, repaired.

Decides:    the statements by which a difference changes its state, in the ways `juki.differences` allows only.
Leaves:     bringing them up to date to `juki.store.difference_notes`, what a repair does to `tasks.repairing`.
Invariants: a difference is open once per municipality, person and kind. The municipality's record is ciphertext; it
            is opened for repairing only. Lists and counts carry no person: numbers of differences, kinds, columns.
Source:     measure M11, ADR-0022.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, literal, select

from juki.columns import IdentityFile
from juki.differences import AUTOMATIC, MAY_BECOME, DifferenceKind, DifferenceState, Mode
from juki.errors import JukiError, StoreError
from juki.found import Found, no_records
from juki.numbers import SealingKey
from juki.order import PackageKind
from juki.proposals import ToRepair
from juki.reasons import Code
from juki.store.bulk import copy_out, cursor_of
from juki.store.difference_notes import USE, Noted, Notes, Occasion, place_of
from juki.store.difference_records import (
    CARRIED_OUT,
    SHOWN,
    Difference,
    Repairable,
    WantedDifferences,
    difference_of,
    is_due,
    to_repair_of,
)
from juki.store.sealed_records import open_record
from juki.store.tables import TABLES

_SEEN_IN = """
    SELECT resident_code, kind, array_to_string(columns, ' '), state FROM difference
    WHERE last_reconciliation_id = {} ORDER BY resident_code COLLATE "C", kind
"""
_SEEN_SCHEMA = pa.schema([(name, pa.string()) for name in ("resident_code", "kind", "columns", "state")])
MOST_NEW = 10_000
"""New differences one run keeps; who differs in more people needs another look than one by one."""


@dataclass(frozen=True, slots=True)
class Differences:
    """The differences of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    @property
    def _difference(self) -> Table:
        return TABLES[self.file].difference

    # -- what was found -------------------------------------------------------------------------------------

    def note(
        self,
        reconciliation_id: int,
        municipality_code: str,
        watermark: int,
        at: datetime,
        found: Found,
        key: SealingKey,
        most_new: int = MOST_NEW,
        is_cut: Callable[[int], bool] = lambda _changes: False,
        unfit: Mapping[str, Code] = MappingProxyType({}),
    ) -> Noted:
        """Keep what a comparison found.

        `is_cut` tells by the number of people a run would change whether the snapshot may be cut short: then nobody
        it does not name is settled. `unfit` names the people whose record breaks a rule of the contract, and which.
        Raises: JukiError(RECONCILIATION_STALE) for a snapshot as of an earlier notice than a repair made already.
        """
        self.check_not_stale(municipality_code, watermark)
        occasion = Occasion(reconciliation_id, municipality_code, watermark, at)
        notes = Notes(self.file, cursor_of(self.connection))
        return notes.bring_up_to_date(occasion, found, key, most_new, is_cut, unfit)

    def entered(self, reconciliation_id: int, entry_no: int) -> None:
        """Name the entry of the comparison with those it found of which no entry says anything yet."""
        columns = self._difference.c
        self.connection.execute(
            self._difference.update()
            .where(columns.last_reconciliation_id == reconciliation_id, columns.entry_no.is_(None))
            .values(entry_no=entry_no)
        )

    def decided_in(self, ids: Sequence[int], entry_no: int) -> None:
        """Name the entry of a decision with the differences it was about."""
        columns = self._difference.c
        self.connection.execute(
            self._difference.update().where(columns.difference_id.in_(ids)).values(entry_no=entry_no)
        )

    def check_not_stale(self, municipality_code: str, watermark: int) -> None:
        """Refuse what was said as of a notice before the newest repair: it would take the repair back."""
        package = TABLES[self.file].package.c
        newest = select(func.max(package.last_notice_no)).where(
            package.municipality_code == municipality_code, package.kind == PackageKind.REPAIR.value
        )
        if watermark < (self.connection.execute(newest).scalar_one() or 0):
            raise JukiError(Code.RECONCILIATION_STALE, f"{municipality_code}-{self.file.value}")

    # -- what is decided ------------------------------------------------------------------------------------

    def propose(self, municipality_code: str, by: str) -> int:
        """Make a proposal of every open difference of which a repair may be proposed; count them."""
        columns = self._difference.c
        proposed = self.connection.execute(
            self._difference.update()
            .where(
                columns.municipality_code == municipality_code,
                columns.state == DifferenceState.OPEN.value,
                columns.repair_package_id.is_(None),
                columns.kind.in_([kind.value for kind, is_automatic in AUTOMATIC.items() if is_automatic]),
            )
            .values(state=DifferenceState.PROPOSED.value, proposed_by=by)
        )
        return proposed.rowcount

    def any_proposed_by(self, ids: Sequence[int], by: str) -> bool:
        """Tell whether one of some differences was made a proposal by this very actor, alone or with others."""
        columns = self._difference.c
        proposers = func.string_to_array(columns.proposed_by, " ")
        query = select(columns.difference_id).where(
            columns.difference_id.in_(ids), literal(by) == func.any(proposers)
        )
        return self.connection.execute(query.limit(1)).one_or_none() is not None

    def approve(self, ids: Sequence[int], by: str, at: datetime) -> int:
        """Note that an operator approved repairs; count those not approved before.

        Raises: JukiError(DIFFERENCE_UNKNOWN, DIFFERENCE_STATE, DIFFERENCE_NO_REPAIR); then none of them is.
        """
        found = self._to_become(DifferenceState.APPROVED, ids)
        if any(one.kind not in AUTOMATIC for one in found):
            raise JukiError(
                Code.DIFFERENCE_NO_REPAIR, _named(one for one in found if one.kind not in AUTOMATIC)
            )
        return self._become(DifferenceState.APPROVED, found, approved_by=by, approved_at=at)

    def accept(self, ids: Sequence[int], by: str, reason: str, at: datetime) -> int:
        """Note that differences stay as they are, and why; count those not accepted before.

        Raises: JukiError(DIFFERENCE_UNKNOWN, DIFFERENCE_STATE); then none of them is.
        """
        found = self._to_become(DifferenceState.ACCEPTED, ids)
        return self._become(DifferenceState.ACCEPTED, found, reason=reason, approved_by=by, approved_at=at)

    def _to_become(self, state: DifferenceState, ids: Sequence[int]) -> list[Difference]:
        """Lock differences that may come into a state; those already in it are left out."""
        columns = self._difference.c
        query = self._selection().where(columns.difference_id.in_(ids)).order_by(columns.difference_id)
        found = [difference_of(row) for row in self.connection.execute(query.with_for_update())]
        unknown = sorted(set(ids) - {one.difference_id for one in found})
        if unknown:
            raise JukiError(Code.DIFFERENCE_UNKNOWN, ", ".join(map(str, unknown)))
        found = [one for one in found if one.state is not state]
        barred = [
            one for one in found if state not in MAY_BECOME[one.state] or one.repair_package_id is not None
        ]
        if barred:
            raise JukiError(Code.DIFFERENCE_STATE, _named(barred))
        return found

    def _become(self, state: DifferenceState, found: Sequence[Difference], **values: object) -> int:
        ids = [one.difference_id for one in found]
        changed = self.connection.execute(
            self._difference.update()
            .where(self._difference.c.difference_id.in_(ids))
            .values(state=state.value, **values)
        )
        return changed.rowcount

    # -- what is shown --------------------------------------------------------------------------------------

    def listed(self, wanted: WantedDifferences) -> list[Difference]:
        """List differences, the oldest first."""
        columns = self._difference.c
        narrowed: list[ColumnElement[bool]] = []
        if wanted.municipality_code:
            narrowed.append(columns.municipality_code == wanted.municipality_code)
        if wanted.kind is not None:
            narrowed.append(columns.kind == wanted.kind.value)
        if wanted.state is not None:
            narrowed.append(columns.state == wanted.state.value)
        if wanted.is_open:
            narrowed.append(columns.settled_at.is_(None))
        query = self._selection().where(*narrowed).order_by(columns.difference_id).limit(wanted.limit)
        return [difference_of(row) for row in self.connection.execute(query)]

    def by_id(self, difference_id: int) -> Difference | None:
        """Find one difference."""
        query = self._selection().where(self._difference.c.difference_id == difference_id)
        row = self.connection.execute(query).one_or_none()
        return difference_of(row) if row else None

    def counts(self, municipality_code: str = "") -> Counter[tuple[DifferenceKind, DifferenceState]]:
        """Count the differences not settled by kind and state, of one municipality or of all."""
        columns = self._difference.c
        query = select(columns.kind, columns.state, func.count()).where(columns.settled_at.is_(None))
        if municipality_code:
            query = query.where(columns.municipality_code == municipality_code)
        rows = self.connection.execute(query.group_by(columns.kind, columns.state))
        return Counter({(DifferenceKind(kind), DifferenceState(state)): count for kind, state, count in rows})

    def seen_in(self, reconciliation_id: int) -> pa.Table:
        """Read what a reconciliation found for the municipality it is about: its own codes, and no values.

        Shape: resident_code, kind, columns (their names with a space between), state; in the order of the codes.
        """
        return copy_out(cursor_of(self.connection), _SEEN_IN.format(int(reconciliation_id)), _SEEN_SCHEMA)

    def _selection(self) -> Select[Any]:
        return select(*(self._difference.c[name] for name in SHOWN))

    # -- what is repaired -----------------------------------------------------------------------------------

    def to_repair(
        self, municipality_code: str, mode: Mode, key_of: Callable[[str], SealingKey]
    ) -> Repairable:
        """Find what is to be carried out: in mode repair what needs no operator, and what one has approved."""
        if mode is not Mode.REPAIR:
            return Repairable((), no_records(self.file))
        columns = self._difference.c
        query = (
            select(*(columns[name] for name in (*SHOWN, "resident_code", "record_sealed")))
            .where(
                columns.municipality_code == municipality_code,
                columns.repair_package_id.is_(None),
                columns.state.in_([state.value for state in CARRIED_OUT]),
            )
            .order_by(columns.resident_code, columns.kind)
        )
        rows = [row for row in self.connection.execute(query.with_for_update()) if is_due(row)]
        return self._opened(rows, key_of)

    def _opened(self, rows: Sequence[Row[Any]], key_of: Callable[[str], SealingKey]) -> Repairable:
        due, records, unreadable = list[ToRepair](), list[dict[str, str]](), list[int]()
        for row in rows:
            one = to_repair_of(row)
            if one.kind is not DifferenceKind.EXTRA:
                place = place_of(row.municipality_code, row.watermark, row.resident_code)
                try:
                    records.append(
                        open_record(self.file, USE, place, bytes(row.record_sealed or b""), key_of)
                    )
                except StoreError:
                    unreadable.append(one.difference_id)
                    continue
            due.append(one)
        schema = no_records(self.file).schema
        return Repairable(tuple(due), pa.Table.from_pylist(records, schema), tuple(unreadable))

    def repaired(self, ids: Sequence[int], package_id: int, entry_no: int) -> None:
        """Note by which repair differences were put right; the next comparison settles them."""
        self._mark(ids, repair_package_id=package_id, entry_no=entry_no, code=None)

    def refused(self, codes: Mapping[int, Code]) -> None:
        """Note why repairs were not made; the differences stay as they are."""
        for code in sorted(set(codes.values())):
            self._mark([one for one, why in codes.items() if why is code], code=code.value)

    def _mark(self, ids: Sequence[int], **values: object) -> None:
        self.connection.execute(
            self._difference.update().where(self._difference.c.difference_id.in_(ids)).values(values)
        )


def _named(differences: Iterable[Difference]) -> str:
    return ", ".join(str(one.difference_id) for one in differences)
