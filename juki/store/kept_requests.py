"""Requests that are kept: which have come to the end of their keeping, and that they are gone.

Decides:    the statements; a request is never over while its provision is open or anything of it is held.
Leaves:     the file of a request to `juki.wire.request_files`, terms to `juki.holds`.
Source:     assessment M12, ADR-0032.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from juki.columns import IdentityFile
from juki.package_id import PackageId

_OVER = """
    SELECT p.provision_id, p.recipient FROM provision p LEFT JOIN hold h USING (provision_id), LATERAL (
        SELECT h.purged_at IS NOT NULL OR coalesce(h.due_at <= CAST(:ended_by AS timestamptz), false) AS is_ended
    ) e
    WHERE p.request_removed_at IS NULL
        AND (p.state NOT IN ('received', 'approved') OR (p.state = 'approved' AND e.is_ended))
        AND (h.provision_id IS NULL OR e.is_ended)
        AND (coalesce(p.decided_at, p.received_at) <= :decided_by OR (:with_hold AND e.is_ended))
    ORDER BY p.provision_id LIMIT :most
"""
_REMOVED = """
    UPDATE provision SET request_removed_at = :at WHERE provision_id = ANY(CAST(:ids AS bigint[]))
"""


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A request, by the provision that answers it and whoever asked."""

    provision: PackageId
    recipient: str


@dataclass(frozen=True, slots=True)
class KeptRequests:
    """The kept requests of one store, seen through one open transaction (role: purger)."""

    file: IdentityFile
    connection: Connection

    def over(
        self, decided_by: datetime, most: int | None, *, with_hold: bool, ended_by: datetime | None = None
    ) -> list[KeptRequest]:
        """List requests whose keeping is over: decided by then, or, `with_hold`, as soon as their hold is erased.

        With `ended_by` as if every hold that has come to its end by then were erased.
        """
        asked = {"decided_by": decided_by, "with_hold": with_hold, "most": most, "ended_by": ended_by}
        found = self.connection.execute(text(_OVER), asked)
        return [KeptRequest(PackageId(self.file, number), recipient) for number, recipient in found]

    def removed(self, provisions: Sequence[PackageId], at: datetime) -> None:
        """Note that the requests of some provisions are gone."""
        ids = [one.number for one in provisions]
        self.connection.execute(text(_REMOVED), {"ids": ids, "at": at})
