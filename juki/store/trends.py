"""How much came, differed, was held and took how long, day by day: counts for plots.

Decides:    the questions and how they are read; nothing is changed here.
Leaves:     adding up to `juki.overview.trends`, drawing to `juki.overview.charts`.
Invariants: reads registers only (role: reader): packages, differences, holds, reconciliations, never an identity
            file. Grouped by the database, so that what is fetched does not grow with it. Days are those of Japan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, case, cast, func, select

from juki.columns import IdentityFile
from juki.differences import ReconciliationState
from juki.order import PackageKind, PackageState
from juki.store.tables import TABLES, StoreTables

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Duration:
    """How long something took in one channel: the median in seconds, and of how many."""

    median_seconds: float
    count: int


@dataclass(frozen=True, slots=True)
class TrendRegister:
    """The registers of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    @property
    def _tables(self) -> StoreTables:
        return TABLES[self.file]

    def notices(self, first: date) -> dict[date, int]:
        """Count the notices of applied packages by the day on which they were applied, from a day on."""
        package = self._tables.package.c
        day = _day(package.settled_at)
        query = select(day, func.sum(package.records)).where(*self._applied(), day >= first).group_by(day)
        return {on: int(count) for on, count in self.connection.execute(query)}

    def differences_opened(self, first: date) -> dict[date, int]:
        """Count the differences by the day on which each was first seen; all earlier ones on the day before."""
        return self._differences_by(self._tables.difference.c.first_seen_at, first)

    def differences_closed(self, first: date) -> dict[date, int]:
        """Count the differences by the day on which each was settled or accepted; earlier ones on the day before."""
        difference = self._tables.difference.c
        is_accepted = difference.reason.is_not(None)
        return self._differences_by(
            case((is_accepted, difference.approved_at), else_=difference.settled_at), first
        )

    def lifetimes(self, since: datetime) -> dict[int, int]:
        """Count the provisions erased since an instant by the whole days they were held for."""
        hold = self._tables.hold.c
        return self._held(hold.purged_at, hold.purged_at >= since)

    def ages(self, now: datetime) -> dict[int, int]:
        """Count the provisions held now by the whole days they have been held for."""
        return self._held(now, self._tables.hold.c.purged_at.is_(None))

    def intake_durations(self, since: datetime) -> dict[str, Duration]:
        """Tell by municipality how long packages waited here, from their arrival until they were applied."""
        package = self._tables.package.c
        took = package.settled_at - package.received_at
        return self._durations(package, took, *self._applied(), package.settled_at >= since)

    def reconciliation_durations(self, since: datetime) -> dict[str, Duration]:
        """Tell by municipality how long reconciliations took, from the request until their end."""
        run = self._tables.reconciliation.c
        is_finished = run.state == ReconciliationState.FINISHED.value
        return self._durations(run, run.finished_at - run.requested_at, is_finished, run.finished_at >= since)

    def _applied(self) -> tuple[ColumnElement[bool], ...]:
        package = self._tables.package.c
        return package.state == PackageState.APPLIED.value, package.kind == PackageKind.NOTICE.value

    def _differences_by(self, at: ColumnElement[Any], first: date) -> dict[date, int]:
        day = func.greatest(_day(at), cast(first, Date) - 1)
        query = select(day, func.count()).where(at.is_not(None)).group_by(day)
        return {on: int(count) for on, count in self.connection.execute(query)}

    def _held(self, until: Any, wanted: ColumnElement[bool]) -> dict[int, int]:
        hold, provision = self._tables.hold, self._tables.provision
        since = func.coalesce(provision.c.delivered_at, hold.c.held_at)
        days = func.floor(func.extract("epoch", until - since) / _DAY_SECONDS)
        query = (
            select(days, func.count())
            .join_from(hold, provision, hold.c.provision_id == provision.c.provision_id)
            .where(wanted)
            .group_by(days)
        )
        return {max(0, int(held)): int(count) for held, count in self.connection.execute(query)}

    def _durations(
        self, columns: Any, took: ColumnElement[Any], *wanted: ColumnElement[bool]
    ) -> dict[str, Duration]:
        code = columns.municipality_code
        median = func.percentile_cont(0.5).within_group(func.extract("epoch", took))
        query = select(code, median, func.count()).where(*wanted).group_by(code)
        return {
            code: Duration(float(median), int(count))
            for code, median, count in self.connection.execute(query)
        }


def _day(at: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.timezone("Asia/Tokyo", at), Date)
