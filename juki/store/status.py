"""What the store knows of channels, packages and findings, for people who watch over them.

Decides:    the questions that can be asked and how they are read; nothing is changed here.
Leaves:     what needs attention to `juki.health`; changing packages to `juki.store.packages`.
Invariants: reads the register only (role: reader), never an identity file: codes, places and counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from juki.columns import IdentityFile
from juki.health import ChannelFacts, Confirmation, OpenPackage
from juki.order import Channel, PackageKind, PackageState
from juki.package_id import PackageId
from juki.reasons import Code, Severity, known_code
from juki.store.confirmations import Confirmations
from juki.store.tables import TABLES, StoreTables

_COUNTS = ("records", "accepted", "alerted", "rejected", "repeated")


@dataclass(frozen=True, slots=True)
class PackageRecord:
    """Everything registered of one package; the digests are of the file and of what was sealed in it."""

    package_id: PackageId
    channel: Channel
    sequence: int
    file_name: str
    file_bytes: int
    file_sha256: str
    content_sha256: str
    state: PackageState
    code: Code | None
    received_at: datetime
    settled_at: datetime | None
    created_at: datetime | None
    first_notice_no: int | None
    last_notice_no: int | None
    counts: dict[str, int]
    """Records by verdict, once they were judged."""
    has_receipt: bool
    receipt_sent_at: datetime | None
    closed_at: datetime | None
    """When its refused records were dealt with."""
    judge_again_at: datetime | None = None
    """When it was asked that its refused records be judged again, if they are not yet."""
    kind: PackageKind = PackageKind.NOTICE

    @property
    def is_stray(self) -> bool:
        """Tell whether it bears the name of another municipality than the one it was fetched from."""
        return not self.file_name.startswith(f"{self.channel.municipality_code}-")


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """One finding on one record: which package, where in it, why."""

    package_id: PackageId
    channel: Channel
    file_name: str
    line: int
    notice_no: int | None
    column: str
    code: Code
    severity: Severity
    settled_at: datetime | None = None
    """When the record was accepted after all, judged again."""


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How much was done since an instant: channels that were taken up, packages settled, their records."""

    channels: int = 0
    packages: int = 0
    records: int = 0

    def __add__(self, other: RunProgress) -> RunProgress:
        """Join the progress of two stores."""
        return RunProgress(
            self.channels + other.channels, self.packages + other.packages, self.records + other.records
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is narrowed to; an empty field narrows nothing."""

    municipality_code: str = ""
    state: PackageState | None = None
    code: Code | None = None
    severity: Severity | None = None
    package_number: int | None = None
    is_open: bool = False
    """Findings only of records that are not accepted meanwhile."""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """The register of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    @property
    def _tables(self) -> StoreTables:
        return TABLES[self.file]

    # -- channels -----------------------------------------------------------------------------------------

    def channels(self, registered: Sequence[str], closed: Sequence[str] = ()) -> list[ChannelFacts]:
        """Tell how every channel is: the registered ones in their order, then those only the store knows."""
        facts = self._known_channels(frozenset(registered), frozenset(closed))
        others = sorted(set(facts) - set(registered))
        return [facts.get(code) or ChannelFacts(Channel(code, self.file)) for code in (*registered, *others)]

    def _known_channels(self, registered: frozenset[str], closed: frozenset[str]) -> dict[str, ChannelFacts]:
        channel, totals = self._tables.channel, self._totals().subquery()
        joined = channel.outerjoin(totals, totals.c.municipality_code == channel.c.municipality_code)
        columns = (column for column in totals.c if column.name != "municipality_code")
        rows = self.connection.execute(select(channel, *columns).select_from(joined)).all()
        conflicts, refused = (
            self._open_packages(PackageState.CONFLICT),
            self._open_packages(PackageState.REFUSED),
        )
        confirmations = Confirmations(self.file, self.connection).by_municipality()
        return {
            row.municipality_code: ChannelFacts(
                channel=Channel(row.municipality_code, self.file),
                is_registered=row.municipality_code in registered,
                is_closed=row.municipality_code in closed,
                last_sequence=row.last_sequence,
                last_attempt_at=row.last_attempt_at,
                last_contact_at=row.last_contact_at,
                last_failure=known_code(row.last_failure_code),
                gap_since=row.gap_since,
                waiting=row.waiting or 0,
                first_waiting=row.first_waiting,
                oldest_waiting_at=row.oldest_waiting_at,
                conflicts=tuple(conflicts[row.municipality_code]),
                refused=tuple(refused[row.municipality_code]),
                rejected_records=row.rejected_records or 0,
                receipts_due=row.receipts_due or 0,
                unknown_files=row.unknown_files,
                deferred_files=row.deferred_files,
                deferred_code=known_code(row.deferred_code),
                confirmation=confirmations.get(row.municipality_code, Confirmation()),
            )
            for row in rows
        }

    def _totals(self) -> Select[Any]:
        columns = self._tables.package.c
        waits = columns.state == PackageState.RECEIVED.value
        is_open = columns.closed_at.is_(None)
        is_due = columns.receipt.is_not(None) & columns.receipt_sent_at.is_(None)
        return (
            select(
                columns.municipality_code,
                func.count().filter(waits).label("waiting"),
                func.min(columns.sequence).filter(waits).label("first_waiting"),
                func.min(columns.received_at).filter(waits).label("oldest_waiting_at"),
                func.coalesce(func.sum(columns.rejected).filter(is_open), 0).label("rejected_records"),
                func.count().filter(is_due).label("receipts_due"),
            )
            .where(columns.kind == PackageKind.NOTICE.value)
            .group_by(columns.municipality_code)
        )

    def _open_packages(self, state: PackageState) -> defaultdict[str, list[OpenPackage]]:
        """List packages that ended so and are not made good: no applied package has taken their place.

        A stray one has no place in the order that another could take: it stays open until it is released.
        """
        package, channel = self._tables.package.c, self._tables.channel.c
        query = select(package.municipality_code, package.package_id, package.code).where(
            package.municipality_code == channel.municipality_code,
            package.state == state.value,
            package.kind == PackageKind.NOTICE.value,
        )
        if state is PackageState.REFUSED:
            own_name = func.starts_with(package.file_name, package.municipality_code + "-")
            query = query.where((package.sequence > channel.last_sequence) | ~own_name)
        found = defaultdict[str, list[OpenPackage]](list)
        for row in self.connection.execute(query.order_by(package.package_id)):
            code = known_code(row.code) or Code.RUN_UNEXPECTED
            found[row.municipality_code].append(OpenPackage(PackageId(self.file, row.package_id), code))
        return found

    # -- packages -----------------------------------------------------------------------------------------

    def packages(self, wanted: Wanted) -> list[PackageRecord]:
        """List packages, the newest first."""
        columns = self._tables.package.c
        query = self._package_query().order_by(columns.package_id.desc())
        query = query.where(*self._narrowed(wanted)).limit(wanted.limit)
        return [self._package(row) for row in self.connection.execute(query)]

    def package(self, number: int) -> PackageRecord | None:
        """Find one package."""
        query = self._package_query().where(self._tables.package.c.package_id == number)
        row = self.connection.execute(query).one_or_none()
        return self._package(row) if row else None

    def settled_since(self, at: datetime, municipality_codes: Sequence[str]) -> list[PackageRecord]:
        """List what came from some municipalities and was settled at or after an instant, in that order."""
        columns = self._tables.package.c
        query = self._package_query().order_by(columns.settled_at, columns.package_id)
        query = query.where(
            columns.settled_at >= at,
            columns.municipality_code.in_(municipality_codes),
            columns.kind == PackageKind.NOTICE.value,
        )
        return [self._package(row) for row in self.connection.execute(query)]

    def progress_since(self, at: datetime, municipality_codes: Sequence[str]) -> RunProgress:
        """Tell how much was done for some municipalities since an instant."""
        channel, package = self._tables.channel.c, self._tables.package.c
        taken_up = select(func.count()).where(
            channel.last_attempt_at >= at, channel.municipality_code.in_(municipality_codes)
        )
        settled = select(func.count(), func.coalesce(func.sum(package.records), 0)).where(
            package.settled_at >= at,
            package.municipality_code.in_(municipality_codes),
            package.kind == PackageKind.NOTICE.value,
        )
        packages, records = self.connection.execute(settled).one()
        return RunProgress(self.connection.execute(taken_up).scalar_one(), packages, records)

    def _package_query(self) -> Select[Any]:
        """Select everything but the receipt itself."""
        package = self._tables.package
        columns = [column for column in package.c if column.name != "receipt"]
        return select(*columns, package.c.receipt.is_not(None).label("has_receipt"))

    def _package(self, row: Row[Any]) -> PackageRecord:
        values = row._mapping
        return PackageRecord(
            package_id=PackageId(self.file, row.package_id),
            channel=Channel(row.municipality_code, self.file),
            sequence=row.sequence, file_name=row.file_name, file_bytes=row.file_bytes,
            file_sha256=bytes(row.file_sha256).hex(), content_sha256=bytes(row.content_sha256 or b"").hex(),
            state=PackageState(row.state), code=known_code(row.code),
            received_at=row.received_at, settled_at=row.settled_at, created_at=row.created_at,
            first_notice_no=row.first_notice_no, last_notice_no=row.last_notice_no,
            counts={name: values[name] for name in _COUNTS if values[name] is not None},
            has_receipt=row.has_receipt, receipt_sent_at=row.receipt_sent_at, closed_at=row.closed_at,
            judge_again_at=row.judge_again_at, kind=PackageKind(row.kind),
        )  # fmt: skip

    # -- findings -----------------------------------------------------------------------------------------

    def findings(self, wanted: Wanted) -> list[FindingRecord]:
        """List findings on records, those of the newest package first, in the order of its lines."""
        rejection, package = self._tables.rejection.c, self._tables.package.c
        query = (
            select(self._tables.rejection, package.municipality_code, package.file_name)
            .where(*self._findings_narrowed(wanted))
            .order_by(rejection.package_id.desc(), rejection.line, rejection.code, rejection.column_name)
            .limit(wanted.limit)
        )
        return [self._finding(row) for row in self.connection.execute(query)]

    def finding_counts(self, wanted: Wanted) -> dict[Code, int]:
        """Count findings by code, whatever the limit of the list."""
        rejection = self._tables.rejection.c
        query = select(rejection.code, func.count().label("found")).where(*self._findings_narrowed(wanted))
        rows = self.connection.execute(query.group_by(rejection.code).order_by(rejection.code))
        return {known_code(row.code) or Code.RUN_UNEXPECTED: row.found for row in rows}

    def _finding(self, row: Row[Any]) -> FindingRecord:
        return FindingRecord(
            package_id=PackageId(self.file, row.package_id), channel=Channel(row.municipality_code, self.file),
            file_name=row.file_name, line=row.line, notice_no=row.notice_no, column=row.column_name,
            code=known_code(row.code) or Code.RUN_UNEXPECTED, severity=Severity(row.severity),
            settled_at=row.settled_at,
        )  # fmt: skip

    def _findings_narrowed(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        rejection = self._tables.rejection.c
        narrowed = [rejection.package_id == self._tables.package.c.package_id, *self._narrowed(wanted)]
        if wanted.code is not None:
            narrowed.append(rejection.code == wanted.code.value)
        if wanted.is_open:
            narrowed.append(rejection.settled_at.is_(None))
        if wanted.severity is not None:
            narrowed.append(rejection.severity == wanted.severity.value)
        return narrowed

    def _narrowed(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        columns = self._tables.package.c
        narrowed: list[ColumnElement[bool]] = []
        if wanted.municipality_code:
            narrowed.append(columns.municipality_code == wanted.municipality_code)
        if wanted.state is not None:
            narrowed.append(columns.state == wanted.state.value)
        if wanted.package_number is not None:
            narrowed.append(columns.package_id == wanted.package_number)
        return narrowed
