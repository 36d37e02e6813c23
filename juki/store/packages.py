"""The register of fetched packages and of how far each channel has come.

Decides:    the statements by which a package changes its state; a state is left only in the allowed way.
Leaves:     what the state should be to `juki.order` and the tasks.
Invariants: a row of `channel` is locked by whoever applies a package of it; a sequence has at most one applied
            and at most one waiting package (unique indexes).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, select
from sqlalchemy.dialects.postgresql import insert

from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.order import FileMark, PackageKind, PackageState
from juki.reasons import Code
from juki.store.tables import TABLES

_WAITING = frozenset({PackageState.RECEIVED})
_PUT_ASIDE = frozenset({PackageState.REFUSED, PackageState.RELEASED})
_DECIDED = frozenset({PackageState.CONFLICT, PackageState.REFUSED})
"""What an operator decides: an incident, and a package that was refused by its name alone."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file as it was fetched."""

    municipality_code: str
    sequence: int
    mark: FileMark
    file_sha256: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Package:
    """A registered package, as far as deciding about it needs."""

    package_id: int
    municipality_code: str
    sequence: int
    file_name: str
    file_sha256: bytes
    state: PackageState
    received_at: datetime
    content_sha256: bytes | None


@dataclass(frozen=True, slots=True)
class Applied:
    """What is remembered of an applied package."""

    content_sha256: bytes
    created_at: datetime
    first_notice_no: int
    last_notice_no: int
    counts: Mapping[str, int]
    """records, accepted, alerted, rejected, repeated."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair as it is registered: the proposals in canonical form are its file, which is nowhere kept."""

    municipality_code: str
    reconciliation_id: int
    file_name: str
    content: bytes
    watermark: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a channel has come."""

    municipality_code: str
    last_sequence: int
    last_notice_no: int
    last_received_at: datetime | None
    gap_since: datetime | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """An answer that waits to be delivered: the content of the receipt package, no personal value in it."""

    package_id: int
    sequence: int
    content: bytes


@dataclass(frozen=True, slots=True)
class PackageRegister:
    """Packages and channels of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    @property
    def _package(self) -> Table:
        return TABLES[self.file].package

    @property
    def _channel(self) -> Table:
        return TABLES[self.file].channel

    # -- channels -----------------------------------------------------------------------------------------

    def attempt(self, municipality_code: str, at: datetime) -> None:
        """Note that a channel is being tried; creates its row the first time."""
        row = {"municipality_code": municipality_code, "last_attempt_at": at}
        self.connection.execute(
            insert(self._channel).values(row).on_conflict_do_update(
                index_elements=["municipality_code"], set_={"last_attempt_at": at}
            )
        )  # fmt: skip

    def contacted(self, municipality_code: str, at: datetime, unknown_files: int) -> None:
        """Note that the CS answered, and how many files lie in its outbox whose names say nothing to us."""
        self._update_channel(
            municipality_code, last_contact_at=at, last_failure_code=None, unknown_files=unknown_files
        )

    def deferred(self, municipality_code: str, files: int, code: Code | None) -> None:
        """Note how many new files were left in the outbox for want of room, and which room; 0 and None clear it."""
        self._update_channel(
            municipality_code, deferred_files=files, deferred_code=code.value if code else None
        )

    def succeeded(self, municipality_code: str) -> None:
        """Note that a run worked the channel to its end: what failed before does not any more."""
        self._update_channel(municipality_code, last_failure_code=None)

    def failed(self, municipality_code: str, code: Code) -> None:
        """Note why the last attempt failed."""
        self._update_channel(municipality_code, last_failure_code=code.value)

    def set_gap(self, municipality_code: str, since: datetime | None) -> None:
        """Note since when a package is missing, or that none is."""
        self._update_channel(municipality_code, gap_since=since)

    def advance(self, municipality_code: str, sequence: int, notice_no: int, counts_from: datetime) -> None:
        """Note the package that was applied last and since when it counts; a gap before it is closed."""
        self._update_channel(
            municipality_code, last_sequence=sequence, last_notice_no=notice_no,
            last_received_at=counts_from, gap_since=None,
        )  # fmt: skip

    def progress(self, municipality_code: str, *, lock: bool = False) -> Progress:
        """Read how far a channel has come; with `lock`, nobody else can apply to it until commit.

        A channel that no intake has tried yet has come nowhere.
        """
        columns = self._channel.c
        query = select(
            columns.municipality_code,
            columns.last_sequence,
            columns.last_notice_no,
            columns.last_received_at,
            columns.gap_since,
        ).where(columns.municipality_code == municipality_code)
        row = self.connection.execute(query.with_for_update() if lock else query).one_or_none()
        return Progress(*row) if row else Progress(municipality_code, 0, 0, None, None)

    def _update_channel(self, municipality_code: str, **values: object) -> None:
        self.connection.execute(
            self._channel.update()
            .where(self._channel.c.municipality_code == municipality_code)
            .values(values)
        )

    # -- packages -----------------------------------------------------------------------------------------

    def register(self, arrival: Arrival) -> int:
        """Register a file that lies whole in the spool; an earlier one still waiting is replaced.

        Returns: the number of the package.
        """
        package = self._package
        self.connection.execute(
            package.update()
            .where(
                package.c.municipality_code == arrival.municipality_code,
                package.c.sequence == arrival.sequence,
                package.c.state == PackageState.RECEIVED.value,
            )
            .values(
                state=PackageState.REPLACED.value,
                code=Code.PACKAGE_REPLACED.value,
                settled_at=arrival.received_at,
            )
        )
        return self._insert(arrival, PackageState.RECEIVED)

    def seen_again(self, package_id: int, mark: FileMark) -> None:
        """Note that a waiting file was laid out once more, the same bytes under another time."""
        package = self._package
        self.connection.execute(
            package.update()
            .where(package.c.package_id == package_id)
            .values(file_bytes=mark.size, remote_modified_at=mark.modified_at)
        )

    def register_refused(self, arrival: Arrival, code: Code) -> int:
        """Register a file that is refused by its name alone and takes no place in the order of the channel."""
        return self._insert(arrival, PackageState.REFUSED, code=code.value, settled_at=arrival.received_at)

    def _insert(self, arrival: Arrival, state: PackageState, **values: object) -> int:
        package = self._package
        row = {
            "municipality_code": arrival.municipality_code,
            "sequence": arrival.sequence,
            "file_name": arrival.mark.name,
            "file_bytes": arrival.mark.size,
            "remote_modified_at": arrival.mark.modified_at,
            "file_sha256": arrival.file_sha256,
            "received_at": arrival.received_at,
            "state": state.value,
        }
        inserted = self.connection.execute(
            package.insert().values(row | values).returning(package.c.package_id)
        )
        return int(inserted.scalar_one())

    def register_repair(self, repair: Repair, at: datetime) -> int:
        """Register a repair, applied as soon as this transaction is; its counts follow.

        Returns: the number of the package.
        """
        digest = sha256(repair.content).digest()
        mark = FileMark(repair.file_name, len(repair.content), repair.as_of)
        arrival = Arrival(repair.municipality_code, repair.reconciliation_id, mark, digest, at)
        return self._insert(
            arrival, PackageState.APPLIED, kind=PackageKind.REPAIR.value, settled_at=at, content_sha256=digest,
            created_at=repair.as_of, first_notice_no=repair.watermark, last_notice_no=repair.watermark,
        )  # fmt: skip

    def repair_counted(self, package_id: int, counts: Mapping[str, int]) -> None:
        """Note what a repair did, by verdict."""
        package = self._package
        self.connection.execute(package.update().where(package.c.package_id == package_id).values(counts))

    def has_repair(self, municipality_code: str, reconciliation_id: int) -> bool:
        """Tell whether a comparison was followed by a repair already."""
        columns = self._package.c
        query = select(columns.package_id).where(
            columns.municipality_code == municipality_code,
            columns.sequence == reconciliation_id,
            columns.kind == PackageKind.REPAIR.value,
        )
        return self.connection.execute(query).first() is not None

    def counted_from(self, package: Package) -> datetime:
        """Tell since when an applied package counts as received: when it and all before it had arrived."""
        columns = self._package.c
        query = select(func.max(columns.received_at)).where(
            columns.municipality_code == package.municipality_code,
            columns.sequence <= package.sequence,
            columns.state == PackageState.APPLIED.value,
            self._is_notice,
        )
        since: datetime | None = self.connection.execute(query).scalar_one()
        return since or package.received_at

    @property
    def _is_notice(self) -> ColumnElement[bool]:
        """Leave repairs out: they came from nowhere, and their sequence is that of a comparison."""
        return self._package.c.kind == PackageKind.NOTICE.value

    def marks(self, municipality_code: str) -> list[FileMark]:
        """List the files fetched from an outbox, less those replaced before their turn."""
        columns = self._package.c
        query = select(columns.file_name, columns.file_bytes, columns.remote_modified_at)
        kept = columns.state != PackageState.REPLACED.value
        rows = self.connection.execute(
            query.where(columns.municipality_code == municipality_code, kept, self._is_notice)
        )
        return [FileMark(*row) for row in rows]

    def numbers_of(self, municipality_code: str, file_name: str) -> set[int]:
        """List the numbers of all packages that came under one name."""
        columns = self._package.c
        query = select(columns.package_id).where(
            columns.municipality_code == municipality_code, columns.file_name == file_name, self._is_notice
        )
        return set(self.connection.execute(query).scalars())

    def waiting(self, municipality_code: str) -> list[Package]:
        """List the packages that wait for their turn, in sequence."""
        return self._packages(municipality_code, PackageState.RECEIVED)

    def is_stopped(self, municipality_code: str) -> bool:
        """Tell whether an incident stops the channel."""
        return bool(self._packages(municipality_code, PackageState.CONFLICT))

    def by_id(self, package_id: int) -> Package | None:
        """Find one package."""
        row = self.connection.execute(
            self._selection().where(self._package.c.package_id == package_id)
        ).one_or_none()
        return _package_of(row) if row else None

    def applied(self, municipality_code: str, sequence: int) -> Package | None:
        """Find the applied package of a sequence."""
        columns = self._package.c
        row = self.connection.execute(
            self._selection().where(
                columns.municipality_code == municipality_code,
                columns.sequence == sequence,
                columns.state == PackageState.APPLIED.value,
                self._is_notice,
            )
        ).one_or_none()
        return _package_of(row) if row else None

    def settle_applied(self, package_id: int, applied: Applied, receipt: bytes, at: datetime) -> None:
        """Note that a package is applied, what it did, and the answer that is due."""
        self._settle(
            package_id, _WAITING, PackageState.APPLIED, at,
            content_sha256=applied.content_sha256, created_at=applied.created_at,
            first_notice_no=applied.first_notice_no, last_notice_no=applied.last_notice_no,
            receipt=zlib.compress(receipt), **applied.counts,
        )  # fmt: skip

    def settle(
        self,
        package_id: int,
        state: PackageState,
        code: Code | None,
        at: datetime,
        receipt: bytes | None = None,
    ) -> None:
        """Note that a package ended otherwise, why, and the answer that is due, if any."""
        packed = zlib.compress(receipt) if receipt is not None else None
        before = _DECIDED if state is PackageState.RELEASED else _WAITING
        self._settle(package_id, before, state, at, code=code.value if code else None, receipt=packed)

    def reopen(self, package_id: int) -> None:
        """Let a refused or released package wait for its turn again."""
        cleared = {"code": None, "receipt": None, "receipt_sent_at": None}
        self._settle(package_id, _PUT_ASIDE, PackageState.RECEIVED, None, **cleared)

    def withdraw(self, package_id: int, at: datetime) -> None:
        """Note that an operator took a package out of the order whose turn had not come."""
        self._settle(package_id, _WAITING, PackageState.RELEASED, at, code=Code.PACKAGE_WITHDRAWN.value)

    def close(self, package_id: int, at: datetime) -> None:
        """Note that the records refused of a package are dealt with; they stay in quarantine."""
        columns = self._package.c
        closed = self.connection.execute(
            self._package.update()
            .where(columns.package_id == package_id, columns.closed_at.is_(None))
            .values(closed_at=at)
        )
        if closed.rowcount != 1:
            raise StoreError(Code.STORE_CONFLICT, "package", is_transient=True)

    def ask_to_judge_again(self, package_id: int, at: datetime | None) -> None:
        """Note that the refused records of an applied package are to be judged again; None: it is done."""
        package = self._package
        self.connection.execute(
            package.update().where(package.c.package_id == package_id).values(judge_again_at=at)
        )

    def to_judge_again(self, municipality_code: str) -> list[Package]:
        """List the packages whose refused records are to be judged again."""
        columns = self._package.c
        rows = self.connection.execute(
            self._selection()
            .where(
                columns.municipality_code == municipality_code,
                columns.judge_again_at.is_not(None),
                self._is_notice,
            )
            .order_by(columns.package_id)
        )
        return [_package_of(row) for row in rows]

    def judged_again(self, package_id: int, counts: Mapping[str, int]) -> None:
        """Count records that are refused no longer under what became of them; the order to judge is done."""
        package = self._package
        settled = {name: package.c[name] + counts[name] for name in ("accepted", "alerted", "repeated")}
        settled["rejected"] = package.c.rejected - sum(counts[name] for name in settled)
        self.connection.execute(
            package.update()
            .where(package.c.package_id == package_id)
            .values(settled | {"judge_again_at": None})
        )

    def answer_again(self, package_id: int) -> None:
        """Let the receipt of an applied package be delivered once more, the same bytes of content."""
        package = self._package
        self.connection.execute(
            package.update().where(package.c.package_id == package_id).values(receipt_sent_at=None)
        )

    def receipts_due(self, municipality_code: str) -> list[Receipt]:
        """List the answers not delivered yet, oldest first."""
        columns = self._package.c
        rows = self.connection.execute(
            select(columns.package_id, columns.sequence, columns.receipt)
            .where(
                columns.municipality_code == municipality_code,
                columns.receipt.is_not(None),
                columns.receipt_sent_at.is_(None),
                self._is_notice,
            )
            .order_by(columns.package_id)
        )
        return [Receipt(row.package_id, row.sequence, zlib.decompress(row.receipt)) for row in rows]

    def receipt_sent(self, package_id: int, at: datetime) -> None:
        """Note that an answer lies in the inbox of the municipality."""
        package = self._package
        self.connection.execute(
            package.update().where(package.c.package_id == package_id).values(receipt_sent_at=at)
        )

    def _settle(
        self,
        package_id: int,
        before: frozenset[PackageState],
        state: PackageState,
        at: datetime | None,
        **values: object,
    ) -> None:
        """Leave a state in the one allowed way; StoreError(STORE_CONFLICT), transient, when another run did."""
        package = self._package
        changed = self.connection.execute(
            package.update()
            .where(package.c.package_id == package_id, package.c.state.in_(before))
            .values(state=state.value, settled_at=at, **values)
        )
        if changed.rowcount != 1:
            raise StoreError(Code.STORE_CONFLICT, "package", is_transient=True)

    def _packages(self, municipality_code: str, state: PackageState) -> list[Package]:
        columns = self._package.c
        rows = self.connection.execute(
            self._selection()
            .where(
                columns.municipality_code == municipality_code, columns.state == state.value, self._is_notice
            )
            .order_by(columns.sequence)
        )
        return [_package_of(row) for row in rows]

    def _selection(self) -> Select[Any]:
        columns = self._package.c
        return select(
            columns.package_id, columns.municipality_code, columns.sequence, columns.file_name,
            columns.file_sha256, columns.state, columns.received_at, columns.content_sha256,
        )  # fmt: skip


def _package_of(row: Row[Any]) -> Package:
    return Package(
        package_id=row.package_id, municipality_code=row.municipality_code, sequence=row.sequence,
        file_name=row.file_name, file_sha256=bytes(row.file_sha256), state=PackageState(row.state),
        received_at=row.received_at,
        content_sha256=bytes(row.content_sha256) if row.content_sha256 is not None else None,
    )  # fmt: skip
