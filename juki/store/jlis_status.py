"""What a store knows of its notices to J-LIS, for people who watch over them: counts and instants.

Leaves:     what needs attention to `juki.jlis`.
Invariants: reads the outbox, packages of both kinds, what came from J-LIS, reconciliations and differences only
            (role: reader).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, func, select

from juki.columns import IdentityFile
from juki.jlis import DUE, JlisFacts, JlisState, MessageState
from juki.store.tables import TABLES


@dataclass(frozen=True, slots=True)
class JlisOverview:
    """The notices of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    def facts(self, lately: datetime) -> JlisFacts:
        """Count what is waiting, delivered, answered and refused; what did not open `lately` only."""
        outbox, package = TABLES[self.file].outbox.c, TABLES[self.file].jlis_package.c
        told = func.coalesce(outbox.last_update_no - outbox.first_update_no + 1, 0)
        is_open = outbox.sent_at.is_(None)
        waiting = self.connection.execute(
            select(
                func.coalesce(func.sum(func.greatest(0, outbox.changes - told)).filter(is_open), 0),
                func.min(outbox.created_at).filter(is_open),
            )
        ).one()
        is_due = package.state.in_([state.value for state in DUE])
        is_unanswered = package.state == JlisState.DELIVERED.value
        is_acknowledged = package.state == JlisState.ACKNOWLEDGED.value
        packages = self.connection.execute(
            select(
                func.coalesce(func.max(package.sequence), 0),
                func.coalesce(func.max(package.last_update_no), 0),
                func.count().filter(is_acknowledged),
                func.max(package.answered_at).filter(is_acknowledged),
                func.coalesce(func.min(package.first_update_no).filter(~is_acknowledged), 0),
                func.count().filter(is_due),
                func.min(package.created_at).filter(is_due),
                func.count().filter(is_unanswered),
                func.min(package.delivered_at).filter(is_unanswered),
                # Refused, also while what was delivered again is not answered yet.
                func.count().filter(package.code.is_not(None)),
                func.coalesce(func.sum(package.unopened).filter(package.created_at >= lately), 0),
            )
        ).one()
        last_sequence, last_update_no, acknowledged, acknowledged_at, first_open, *rest = packages
        undelivered, undelivered_since, unanswered, unanswered_since, refused, unopened = rest
        return JlisFacts(
            self.file, int(waiting[0]), waiting[1], last_sequence, last_update_no, acknowledged, acknowledged_at,
            first_open - 1 if first_open else last_update_no, undelivered, undelivered_since, unanswered,
            unanswered_since, refused, self._lost(), int(unopened), self._messages_refused(), self._reported(),
        )  # fmt: skip

    def _lost(self) -> int:
        """Count the updates lost of municipalities whose file was not found equal since: nothing made them good."""
        tables = TABLES[self.file]
        outbox, package, reconciliation = tables.outbox.c, tables.package.c, tables.reconciliation.c
        is_made_good = exists().where(
            package.package_id == outbox.package_id,
            reconciliation.municipality_code == package.municipality_code,
            reconciliation.is_equal,
            reconciliation.compared_at > outbox.sent_at,
        )
        query = select(func.coalesce(func.sum(outbox.lost), 0)).where(outbox.lost > 0, ~is_made_good)
        return int(self.connection.execute(query).scalar_one())

    def _messages_refused(self) -> int:
        message = TABLES[self.file].jlis_message.c
        query = select(func.count()).where(
            message.state == MessageState.REFUSED.value, message.seen_at.is_(None)
        )
        return int(self.connection.execute(query).scalar_one())

    def _reported(self) -> int:
        difference = TABLES[self.file].difference.c
        query = select(func.count()).where(
            difference.jlis_report_no.is_not(None),
            difference.settled_at.is_(None),
            difference.state != "accepted",
        )
        return int(self.connection.execute(query).scalar_one())
