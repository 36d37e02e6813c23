"""The register of reconciliations: which were asked for, how far each has come, what each has found.

Decides:    the statements by which a reconciliation goes on; a state is left only in the allowed way.
Leaves:     what is found of whom to `juki.store.differences`.
Invariants: at most one reconciliation of a channel is open (unique index), so one that was interrupted is found again
            and goes on; what a finished one has found is never changed.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, select

from juki.columns import IdentityFile
from juki.differences import DifferenceKind, DigestOutcome, Mode, ReconciliationState, stronger
from juki.errors import StoreError
from juki.found import Found
from juki.order import Channel, PackageKind
from juki.reasons import Code, known_code
from juki.snapshot_requests import Wants
from juki.store.tables import TABLES


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One reconciliation as it is registered."""

    reconciliation_id: int
    channel: Channel
    mode: Mode
    state: ReconciliationState
    code: Code | None
    requested_at: datetime
    deadline_at: datetime
    as_of: datetime | None
    watermark: int | None
    parts: int | None
    compared_at: datetime | None
    rows_theirs: int | None
    rows_ours: int | None
    root_digest: str
    is_equal: bool | None
    found: Mapping[str, int]
    """Differences by kind, as the comparison found them before anything was repaired."""
    column_counts: Mapping[str, int]
    broken_counts: Mapping[Code, int]
    """Their records that differed and broke a rule of the contract, by its code."""
    repaired: int | None
    beyond_bound: int | None
    """How many changes were not made because they were too many for one approval."""
    approved_at: datetime | None
    approved_by: str | None
    started_by: str
    """Who had it run, in words apart: the run where the clock did; each operator who ordered it or resumed it."""
    report_sent_at: datetime | None
    finished_at: datetime | None
    digests: DigestOutcome | None
    """What digests said, where they were asked for before a snapshot."""
    numbers_unopened: int | None
    """How many numbers of ours did not open as their person's, where digests made us open them."""

    def was_started_by(self, actor: str) -> bool:
        """Tell whether somebody had it run, alone or after others."""
        return actor in self.started_by.split()


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """A report that waits to be delivered: its number in the channel, and its content."""

    reconciliation_id: int
    report_no: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Reconciliations:
    """The register of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    @property
    def _table(self) -> Table:
        return TABLES[self.file].reconciliation

    def begin(
        self, municipality_code: str, mode: Mode, at: datetime, deadline_at: datetime, started_by: str = ""
    ) -> Reconciliation:
        """Open a reconciliation, or go on with the one that is open.

        What was ordered of it stands: whoever goes on with it in a weaker mode takes nothing from it, and who had it
        run is remembered beside each operator who has it run after him.
        """
        is_open = self.open_one(municipality_code)
        if is_open is not None:
            kept = {"mode": stronger(is_open.mode, mode).value, "started_by": _joined(is_open, started_by)}
            self._update(is_open.reconciliation_id, code=None, **kept)
            return self.by_id(is_open.reconciliation_id)
        row = {
            "municipality_code": municipality_code, "mode": mode.value, "requested_at": at,
            "deadline_at": deadline_at, "state": ReconciliationState.REQUESTED.value, "started_by": started_by,
        }  # fmt: skip
        inserted = self.connection.execute(
            self._table.insert().values(row).returning(self._table.c.reconciliation_id)
        )
        return self.by_id(int(inserted.scalar_one()))

    def open_one(self, municipality_code: str) -> Reconciliation | None:
        """Find the reconciliation of a channel that has not ended."""
        columns = self._table.c
        return self._one(columns.municipality_code == municipality_code, columns.finished_at.is_(None))

    def by_id(self, reconciliation_id: int) -> Reconciliation:
        """Read one reconciliation; StoreError(RECONCILIATION_NOT_FOUND) when there is none."""
        found = self._one(self._table.c.reconciliation_id == reconciliation_id)
        if found is None:
            raise StoreError(Code.RECONCILIATION_NOT_FOUND, str(reconciliation_id))
        return found

    def last_to_change(self, municipality_code: str) -> Reconciliation | None:
        """Find the last reconciliation of a channel that ended with a comparison and was to do more than compare."""
        columns = self._table.c
        return self._one(
            columns.municipality_code == municipality_code,
            columns.state == ReconciliationState.FINISHED.value,
            columns.mode != Mode.REPORT.value,
        )

    def last_equal(self, municipality_code: str) -> Reconciliation | None:
        """Find when both sides were last confirmed to be equal."""
        columns = self._table.c
        return self._one(columns.municipality_code == municipality_code, columns.is_equal.is_(True))

    def used_sequence(self, municipality_code: str, wants: Wants = Wants.SNAPSHOT) -> int:
        """Tell the last sequence of snapshots, or digests, that reconciliations ended with, of use or not."""
        columns = self._table.c
        used = columns.last_sequence if wants is Wants.SNAPSHOT else columns.digest_sequence
        query = select(func.coalesce(func.max(used), 0)).where(
            columns.municipality_code == municipality_code, columns.finished_at.is_not(None)
        )
        return int(self.connection.execute(query).scalar_one())

    def recent(self, municipality_code: str, limit: int) -> list[Reconciliation]:
        """List the reconciliations of a channel, the newest first."""
        query = self._selection().where(self._table.c.municipality_code == municipality_code).limit(limit)
        return [self._read(row) for row in self.connection.execute(query)]

    def noted(self, reconciliation_id: int, code: Code) -> None:
        """Note why a run could not go on; the reconciliation stays open."""
        self._update(reconciliation_id, code=code.value)

    def digested(
        self, reconciliation_id: int, outcome: DigestOutcome, sequence: int | None, unopened: int | None
    ) -> None:
        """Note what digests said: they are not asked for again in this reconciliation."""
        self._update(
            reconciliation_id, digests=outcome.value, digest_sequence=sequence, numbers_unopened=unopened
        )

    def compared(
        self, reconciliation_id: int, snapshot: Mapping[str, Any], found: Found, at: datetime,
        broken: Mapping[Code, int] | None = None,
    ) -> None:  # fmt: skip
        """Note what the first comparison found; of the snapshot `as_of`, `watermark`, `parts`, `last_sequence`.

        Where digests were found to be equal there is no `last_sequence`. `broken` counts the records of theirs that
        differ and break a rule of the contract.
        """
        columns = Counter(found.differences.column("columns").combine_chunks().flatten().to_pylist())
        self._update(
            reconciliation_id, state=ReconciliationState.COMPARED.value, compared_at=at, code=None,
            rows_theirs=found.rows_theirs, rows_ours=found.rows_ours, root_digest=found.root_digest,
            is_equal=found.is_equal,
            column_counts=dict(sorted(columns.items())),
            broken_counts={code.value: count for code, count in (broken or {}).items()},
            **{f"{kind.value}_found": found.count(kind) for kind in DifferenceKind}, **snapshot,
        )  # fmt: skip

    def repaired(self, reconciliation_id: int, changes: int, beyond_bound: int | None) -> None:
        """Note how many changes the repairs made, or how many were too many."""
        self._update(reconciliation_id, repaired=changes, beyond_bound=beyond_bound)

    def confirmed(self, reconciliation_id: int, found: Found) -> None:
        """Note what the comparison after the repairs has found."""
        self._update(reconciliation_id, rows_ours=found.rows_ours, is_equal=found.is_equal)

    def approve(self, reconciliation_id: int, by: str, at: datetime) -> None:
        """Note that changes beyond the bound were approved."""
        self._update(reconciliation_id, approved_at=at, approved_by=by)

    def count_repairs(self, reconciliation_id: int) -> None:
        """Note how many differences the repair put right that was made for this comparison, if one was.

        Whoever was killed after it has not said so, and the run that goes on finds both sides equal.
        """
        difference, package = TABLES[self.file].difference.c, TABLES[self.file].package.c
        of_run = select(self._table.c.municipality_code).where(
            self._table.c.reconciliation_id == reconciliation_id
        )
        query = select(func.count()).where(
            difference.repair_package_id == package.package_id,
            package.kind == PackageKind.REPAIR.value,
            package.municipality_code == of_run.scalar_subquery(),
            package.sequence == reconciliation_id,
        )
        if made := int(self.connection.execute(query).scalar_one()):
            self._update(reconciliation_id, repaired=made)

    def withdraw(self, reconciliation_id: int, last_sequence: int) -> None:
        """Note the last sequence of a snapshot that is of no use, so that it is not taken for the next answer."""
        self._update(reconciliation_id, last_sequence=last_sequence)

    def end(
        self, reconciliation_id: int, at: datetime, code: Code | None = None, report: Report | None = None
    ) -> None:
        """End a reconciliation: with the report that is due, or without a comparison for the reason of the code."""
        state = ReconciliationState.FINISHED if report is not None else ReconciliationState.FAILED
        table = self._table
        ended = self.connection.execute(
            table.update()
            .where(table.c.reconciliation_id == reconciliation_id, table.c.finished_at.is_(None))
            .values(
                state=state.value, finished_at=at, code=code.value if code else None,
                report=zlib.compress(report.content) if report is not None else None,
                report_no=report.report_no if report is not None else None,
            )
        )  # fmt: skip
        if ended.rowcount != 1:
            raise StoreError(Code.STORE_CONFLICT, "reconciliation", is_transient=True)

    def next_report_no(self, municipality_code: str) -> int:
        """Tell the number of the next report: reports of a channel are counted from 1."""
        columns = self._table.c
        query = select(func.coalesce(func.max(columns.report_no), 0)).where(
            columns.municipality_code == municipality_code
        )
        return int(self.connection.execute(query).scalar_one()) + 1

    def reports_due(self, municipality_code: str) -> list[Report]:
        """List the reports not delivered yet, oldest first."""
        columns = self._table.c
        rows = self.connection.execute(
            select(columns.reconciliation_id, columns.report_no, columns.report)
            .where(
                columns.municipality_code == municipality_code,
                columns.report.is_not(None),
                columns.report_sent_at.is_(None),
            )
            .order_by(columns.reconciliation_id)
        )
        return [Report(row.reconciliation_id, row.report_no, zlib.decompress(row.report)) for row in rows]

    def report_sent(self, reconciliation_id: int, at: datetime) -> None:
        """Note that a report lies in the inbox of the municipality; what it said of whom is not kept once more."""
        self._update(reconciliation_id, report_sent_at=at, report=None)

    def _update(self, reconciliation_id: int, **values: object) -> None:
        table = self._table
        self.connection.execute(
            table.update().where(table.c.reconciliation_id == reconciliation_id).values(values)
        )

    def _one(self, *conditions: Any) -> Reconciliation | None:
        row = self.connection.execute(self._selection().where(*conditions).limit(1)).one_or_none()
        return self._read(row) if row else None

    def _selection(self) -> Select[Any]:
        columns = [column for column in self._table.c if column.name != "report"]
        return select(*columns).order_by(self._table.c.reconciliation_id.desc())

    def _read(self, row: Row[Any]) -> Reconciliation:
        values = row._mapping
        return Reconciliation(
            reconciliation_id=row.reconciliation_id,
            channel=Channel(row.municipality_code, self.file),
            mode=Mode(row.mode), state=ReconciliationState(row.state),
            code=known_code(row.code),
            requested_at=row.requested_at, deadline_at=row.deadline_at,
            as_of=row.as_of, watermark=row.watermark, parts=row.parts, compared_at=row.compared_at,
            rows_theirs=row.rows_theirs, rows_ours=row.rows_ours,
            root_digest=bytes(row.root_digest or b"").hex(), is_equal=row.is_equal,
            found={kind.value: values[f"{kind.value}_found"] or 0 for kind in DifferenceKind},
            column_counts=row.column_counts or {}, broken_counts=_by_code(row.broken_counts or {}),
            repaired=row.repaired, beyond_bound=row.beyond_bound, approved_at=row.approved_at,
            approved_by=row.approved_by, started_by=row.started_by or "",
            report_sent_at=row.report_sent_at, finished_at=row.finished_at,
            digests=DigestOutcome(row.digests) if row.digests else None, numbers_unopened=row.numbers_unopened,
        )  # fmt: skip


def _by_code(counts: Mapping[str, int]) -> dict[Code, int]:
    return {code: count for value, count in counts.items() if (code := known_code(value)) is not None}


def _joined(is_open: Reconciliation, actor: str) -> str:
    """Add an operator to who had a reconciliation run; of runs the first is enough, for no run approves anything."""
    is_new = actor.startswith("operator:") and not is_open.was_started_by(actor)
    return f"{is_open.started_by} {actor}".strip() if is_new else is_open.started_by
