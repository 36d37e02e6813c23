"""Packages for J-LIS in the store: numbered without gaps, kept sealed until acknowledged.

Decides:    the statements by which a package is formed, delivered and answered; a state is left in the allowed way
            only.
Leaves:     which updates are in it to `juki.store.jlis_updates`, what an answer does to `juki.jlis`.
Invariants: numbers are given under the lock of `juki.store.unit.forward_lock`, each once: the next sequence and the
            next update follow the last. What is delivered again is what was sealed. A row of the outbox is told whole
            before a later one is begun, so its numbers follow each other.
Source:     法30条の7, 30条の42; ADR-0027.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.jlis import DUE, DueRow, JlisState, Sent
from juki.reasons import Code, known_code
from juki.store.bulk import cursor_of
from juki.store.jlis_updates import TellableRow
from juki.store.tables import TABLES

_MOST_ROWS = 50_000
"""Rows of the outbox looked at for one package: each has one update at least."""
_TOLD = """
    UPDATE outbox o SET
        first_update_no = coalesce(o.first_update_no, t.first_no),
        last_update_no = coalesce(t.last_no, o.last_update_no),
        told_notice_no = coalesce(t.notice_no, o.told_notice_no),
        told_repair_no = coalesce(t.repair_no, o.told_repair_no),
        sent_at = CASE WHEN t.is_whole THEN %(at)s::timestamptz END,
        lost = CASE WHEN t.is_whole THEN greatest(0, o.changes - coalesce(
            coalesce(t.last_no, o.last_update_no) - coalesce(o.first_update_no, t.first_no) + 1, 0)) ELSE 0 END
    FROM unnest(%(rows)s::bigint[], %(firsts)s::bigint[], %(lasts)s::bigint[], %(notices)s::bigint[],
                %(repairs)s::bigint[], %(wholes)s::boolean[])
         t (outbox_no, first_no, last_no, notice_no, repair_no, is_whole)
    WHERE o.outbox_no = t.outbox_no AND o.sent_at IS NULL
    RETURNING o.lost
"""


@dataclass(frozen=True, slots=True)
class ToldRow:
    """What was told of one row of the outbox: the numbers, the last version, whether nothing is left of it.

    The numbers are None where no version was found.
    """

    outbox_no: int
    first_update_no: int | None
    last_update_no: int | None
    notice_no: int | None
    repair_no: int | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class JlisPackage:
    """One package as it is registered."""

    sequence: int
    first_update_no: int
    last_update_no: int
    records: int
    unopened: int
    content_sha256: str
    file_sha256: str
    state: JlisState
    code: Code | None
    their_code: str | None
    """Why J-LIS refused it, in J-LIS's own code."""
    attempts: int
    created_at: datetime
    delivered_at: datetime | None
    last_delivered_at: datetime | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class SealedPackage:
    """A package about to be registered: its numbers and its bytes."""

    sequence: int
    first_update_no: int
    last_update_no: int
    unopened: int
    content_sha256: str
    file_sha256: str
    sealed: bytes = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True)
class JlisPackages:
    """The packages of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    @property
    def _package(self) -> Table:
        return TABLES[self.file].jlis_package

    # -- forming ------------------------------------------------------------------------------------------

    def due(self) -> tuple[list[DueRow], dict[int, TellableRow]]:
        """List the rows of the outbox not told whole, the one that was begun first, then as they were written."""
        outbox = TABLES[self.file].outbox.c
        told = func.coalesce(outbox.last_update_no - outbox.first_update_no + 1, 0)
        query = (
            select(
                outbox.outbox_no, outbox.package_id, func.greatest(1, outbox.changes - told).label("updates")
            )
            .where(outbox.sent_at.is_(None))
            .order_by(outbox.first_update_no.is_(None), outbox.outbox_no)
            .limit(_MOST_ROWS)
        )
        rows = self.connection.execute(query).all()
        tellable = {row.outbox_no: TellableRow(row.outbox_no, row.package_id) for row in rows}
        return [DueRow(row.outbox_no, row.updates) for row in rows], tellable

    def last_numbers(self) -> tuple[int, int]:
        """Give the last sequence and the last update number; 0 before the first."""
        columns = self._package.c
        query = select(columns.sequence, columns.last_update_no).order_by(columns.sequence.desc()).limit(1)
        row = self.connection.execute(query).one_or_none()
        return (row.sequence, row.last_update_no) if row else (0, 0)

    def add(self, package: SealedPackage) -> None:
        """Register a package that waits to be delivered."""
        row = {
            "sequence": package.sequence, "first_update_no": package.first_update_no,
            "last_update_no": package.last_update_no, "unopened": package.unopened,
            "records": package.last_update_no - package.first_update_no + 1,
            "content_sha256": bytes.fromhex(package.content_sha256),
            "file_sha256": bytes.fromhex(package.file_sha256), "sealed": package.sealed,
            "state": JlisState.SEALED.value, "created_at": package.created_at,
        }  # fmt: skip
        self.connection.execute(self._package.insert(), row)

    def told(self, rows: Sequence[ToldRow], at: datetime) -> int:
        """Note what was told of the outbox; return how many updates were not found.

        Raises: StoreError(STORE_CONFLICT) when a row was told meanwhile.
        """
        said = {
            "at": at, "rows": [row.outbox_no for row in rows], "firsts": [row.first_update_no for row in rows],
            "lasts": [row.last_update_no for row in rows], "notices": [row.notice_no for row in rows],
            "repairs": [row.repair_no for row in rows], "wholes": [row.is_whole for row in rows],
        }  # fmt: skip
        lost = cursor_of(self.connection).execute(_TOLD, said).fetchall()
        if len(lost) != len(rows):
            raise StoreError(Code.STORE_CONFLICT, "outbox", is_transient=True)
        return sum(count for (count,) in lost)

    # -- delivering and answers ---------------------------------------------------------------------------

    def due_deliveries(self) -> list[int]:
        """List the sequences that are to be put into the folder, in order."""
        columns = self._package.c
        query = select(columns.sequence).where(columns.state.in_([state.value for state in DUE]))
        return list(self.connection.execute(query.order_by(columns.sequence)).scalars())

    def sealed(self, sequence: int) -> bytes:
        """Read the sealed bytes of a package that is not acknowledged."""
        query = select(self._package.c.sealed).where(self._package.c.sequence == sequence)
        return bytes(self.connection.execute(query).scalar_one())

    def delivered(self, sequence: int, at: datetime) -> None:
        """Note that a package lies in the folder; why it was refused before stays until it is acknowledged."""
        columns = self._package.c
        self._update(
            sequence, DUE, state=JlisState.DELIVERED.value, attempts=columns.attempts + 1,
            delivered_at=func.coalesce(columns.delivered_at, at), last_delivered_at=at,
        )  # fmt: skip

    def sent(self, sequence: int) -> Sent | None:
        """Give a package as an answer to it needs it, and keep others from answering it until commit."""
        columns = self._package.c
        query = select(columns.state, columns.content_sha256, columns.delivered_at)
        row = self.connection.execute(
            query.where(columns.sequence == sequence).with_for_update()
        ).one_or_none()
        if row is None:
            return None
        return Sent(JlisState(row.state), bytes(row.content_sha256).hex(), row.delivered_at is not None)

    def acknowledged(self, sequence: int, at: datetime) -> None:
        """Note that J-LIS has a package; its sealed bytes are needed no longer. Once is enough."""
        if self.sent_state(sequence) is not JlisState.ACKNOWLEDGED:
            self._update(
                sequence, (*DUE, JlisState.DELIVERED), state=JlisState.ACKNOWLEDGED.value, sealed=None, code=None,
                their_code=None, answered_at=at,
            )  # fmt: skip

    def refused(self, sequence: int, code: Code, their_code: str, at: datetime) -> None:
        """Note that J-LIS did not take a package, and why in its words."""
        before = (JlisState.DELIVERED, JlisState.REFUSED)
        self._update(
            sequence,
            before,
            state=JlisState.REFUSED.value,
            code=code.value,
            their_code=their_code,
            answered_at=at,
        )

    def deliver_again(self, sequence: int) -> None:
        """Let the next run put a package into the folder once more.

        Raises: StoreError(JLIS_NOT_FOUND, JLIS_ACKNOWLEDGED).
        """
        state = self.sent_state(sequence)
        if state is JlisState.ACKNOWLEDGED:
            raise StoreError(Code.JLIS_ACKNOWLEDGED, str(sequence))
        self._update(sequence, (*DUE, JlisState.DELIVERED), state=JlisState.SEALED.value)

    def sent_state(self, sequence: int) -> JlisState:
        """Tell how far a package has come; StoreError(JLIS_NOT_FOUND) when there is none."""
        query = select(self._package.c.state).where(self._package.c.sequence == sequence)
        state = self.connection.execute(query).scalar_one_or_none()
        if state is None:
            raise StoreError(Code.JLIS_NOT_FOUND, str(sequence))
        return JlisState(state)

    def _update(self, sequence: int, before: Sequence[JlisState], **values: object) -> None:
        columns = self._package.c
        changed = self.connection.execute(
            self._package.update()
            .where(columns.sequence == sequence, columns.state.in_([state.value for state in before]))
            .values(values)
        )
        if changed.rowcount != 1:
            raise StoreError(Code.STORE_CONFLICT, "jlis_package", is_transient=True)

    # -- what is shown --------------------------------------------------------------------------------------

    def listed(self, state: JlisState | None = None, limit: int | None = None) -> list[JlisPackage]:
        """List packages, the newest first."""
        query = self._selection().order_by(self._package.c.sequence.desc()).limit(limit)
        if state is not None:
            query = query.where(self._package.c.state == state.value)
        return [_package_of(row) for row in self.connection.execute(query)]

    def by_sequence(self, sequence: int) -> JlisPackage:
        """Find one package; StoreError(JLIS_NOT_FOUND)."""
        row = self.connection.execute(
            self._selection().where(self._package.c.sequence == sequence)
        ).one_or_none()
        if row is None:
            raise StoreError(Code.JLIS_NOT_FOUND, str(sequence))
        return _package_of(row)

    def _selection(self) -> Any:
        return select(*(column for column in self._package.c if column.name != "sealed"))


def _package_of(row: Row[Any]) -> JlisPackage:
    values = dict(row._mapping) | {
        "content_sha256": bytes(row.content_sha256).hex(), "file_sha256": bytes(row.file_sha256).hex(),
        "state": JlisState(row.state), "code": known_code(row.code),
    }  # fmt: skip
    return JlisPackage(**values)
