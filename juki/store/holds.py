"""The register of holds: what is kept of which provision until when, and the proof that it is gone.

Decides:    the statements by which a hold and the delivery of its provision change, and who works a provision now.
Leaves:     terms to `juki.holds`, key files and copies to their modules, the bridge to `juki.store.bridge`.
Invariants: a hold that was erased is never opened again; an end moves later by the delivery only. While a provision
            is delivered or sent again nobody erases it, and the other way round: both take its lock.
Source:     assessment M12, ADR-0028.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, Table, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import insert

from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.holds import Hold
from juki.package_id import PackageId
from juki.provisions import Method, ProvisionState
from juki.reasons import Code
from juki.store.engine import engine_now, sealed_errors
from juki.store.roles import Duty
from juki.store.tables import TABLES

T = TypeVar("T")

_PROVISION_LOCKS = 0x686F
"""The advisory locks of provisions that are worked ("ho")."""
_MAX_LOCKS = 1_000
"""Provisions erased at once: the server's table of locks has room for a few thousand."""

_TRY_LOCKS = """
    SELECT wanted.id FROM unnest(CAST(:ids AS bigint[])) AS wanted (id)
    WHERE pg_try_advisory_lock(:locks, CAST(wanted.id % 2147483648 AS integer))
"""
_DELETE_NUMBERS = "DELETE FROM held_number WHERE provision_id = ANY(CAST(:ids AS bigint[]))"
_COUNT_NUMBERS = """
    SELECT provision_id, count(*) AS kept FROM held_number
    WHERE provision_id = ANY(CAST(:ids AS bigint[])) GROUP BY provision_id
"""
_NEWEST = """
    SELECT greatest(
        (SELECT max(greatest(received_at, decided_at, sealed_at, delivered_at, resent_at, receipt_at))
            FROM provision),
        (SELECT max(greatest(held_at, purged_at)) FROM hold),
        (SELECT CAST(CAST(entry AS jsonb) ->> 'recorded_at' AS timestamptz) FROM journal
            WHERE action <> 'purge.stopped' ORDER BY entry_no DESC LIMIT 1)
    )
"""


@dataclass(frozen=True, slots=True)
class Holds:
    """The holds of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    @property
    def _hold(self) -> Table:
        return TABLES[self.file].hold

    @property
    def _provision(self) -> Table:
        return TABLES[self.file].provision

    @property
    def _crossing(self) -> Table:
        table = TABLES[self.file].crossing
        if table is None:
            raise ValueError("approvals of the bridge are in the resident store")
        return table

    # -- opening, delivering, shortening ------------------------------------------------------------------

    def open(self, provision_id: int, numbers: int, held_at: datetime, due_at: datetime) -> None:
        """Open the hold of a provision, before anything of it is kept; until its delivery, again as often as wanted.

        Raises: StoreError(PROVISION_PURGED) when it was erased.
        """
        values = {"numbers": numbers, "held_at": held_at, "due_at": due_at}
        never_delivered = ~select(self._provision.c.provision_id).where(
            self._provision.c.provision_id == provision_id, self._provision.c.delivered_at.is_not(None)
        ).exists()  # fmt: skip
        opened = insert(self._hold).values(provision_id=provision_id, **values)
        self.connection.execute(
            opened.on_conflict_do_update(
                index_elements=["provision_id"], set_=values, where=self._hold.c.purged_at.is_(None) & never_delivered
            )
        )  # fmt: skip
        found = self.find(provision_id)
        if found is None or found.purged_at is not None:
            raise StoreError(Code.PROVISION_PURGED, str(PackageId(self.file, provision_id)))

    def delivered(self, provision_id: int, at: datetime, due_at: datetime) -> None:
        """Note that a package lies in the folder of its recipient, and when its hold ends now."""
        state = ProvisionState.DELIVERED.value
        self._note(provision_id, state=state, delivered_at=at, tries=0, failure=None)
        self._end(provision_id, due_at=due_at)

    def resent(self, provision_id: int, at: datetime) -> None:
        """Note that the same package was handed over once more; the end of the hold stays."""
        self._note(provision_id, resent=self._provision.c.resent + 1, resent_at=at)

    def receipted(self, provision_id: int, at: datetime, due_at: datetime) -> None:
        """Note that the recipient has it; the end moves earlier, or stays."""
        self._note(provision_id, receipt_at=at)
        self.shorten(provision_id, due_at)

    def shorten(self, provision_id: int, due_at: datetime) -> None:
        """Let a hold end earlier; a later end changes nothing."""
        self._end(provision_id, due_at=func.least(self._hold.c.due_at, due_at))

    def handed_over(self, provision_id: int, medium_no: int) -> None:
        """Note the medium a package is handed over on."""
        self._note(provision_id, medium_no=medium_no)

    # -- erasing ------------------------------------------------------------------------------------------

    def due(self, at: datetime, among: Sequence[int] | None = None) -> list[Hold]:
        """List the holds that have come to their end, the earliest first; all, or those of some provisions."""
        hold = self._hold.c
        query = self._query().where(hold.purged_at.is_(None), hold.due_at <= at)
        query = query if among is None else query.where(hold.provision_id.in_(among))
        return self._listed(query.order_by(hold.due_at, hold.provision_id))

    def erase_numbers(self, provision_ids: Sequence[int]) -> int:
        """Delete the numbers held for some provisions; count them. There are none in the resident store."""
        if self.file is IdentityFile.RESIDENT:
            return 0
        return self.connection.execute(text(_DELETE_NUMBERS), {"ids": list(provision_ids)}).rowcount

    def numbers_left(self, provision_ids: Sequence[int]) -> dict[int, int]:
        """Count what is still held, by provision; those of which nothing is are left out."""
        if self.file is IdentityFile.RESIDENT:
            return {}
        found = self.connection.execute(text(_COUNT_NUMBERS), {"ids": list(provision_ids)})
        return {row.provision_id: row.kept for row in found}

    def close_crossings(self, provision_ids: Sequence[int], at: datetime) -> None:
        """Close the approvals of the bridge for some fuhyo provisions (resident store, role: provider)."""
        table = self._crossing
        open_ones = (table.c.provision_id.in_(provision_ids), table.c.closed_at.is_(None))
        self.connection.execute(table.update().where(*open_ones).values(closed_at=at))

    def open_crossings(self, provision_ids: Sequence[int]) -> set[int]:
        """Name those of some fuhyo provisions whose approval is not closed (resident store)."""
        columns = self._crossing.c
        wanted = (columns.provision_id.in_(provision_ids), columns.closed_at.is_(None))
        return set(self.connection.execute(select(columns.provision_id).where(*wanted)).scalars())

    def is_erased(self, provision_ids: Sequence[int]) -> dict[int, bool]:
        """Tell of some provisions whether their hold is erased; those that never had one are left out."""
        columns = self._hold.c
        query = select(columns.provision_id, columns.purged_at).where(columns.provision_id.in_(provision_ids))
        return {row.provision_id: row.purged_at is not None for row in self.connection.execute(query)}

    def deliveries_left(self) -> list[Hold]:
        """List what is erased and may still lie in the folder of its recipient, the earliest end first."""
        hold = self._hold.c
        left = (
            hold.purged_at.is_not(None),
            hold.withdrawn_at.is_(None),
            self._provision.c.sequence.is_not(None),
        )
        return self._listed(self._query().where(*left).order_by(hold.due_at, hold.provision_id))

    def withdrawn(self, provision_id: int, at: datetime) -> bool:
        """Note that a package lies in the folder of its recipient no more; False when that was known."""
        table = self._hold
        wanted = (table.c.provision_id == provision_id, table.c.withdrawn_at.is_(None))
        return self.connection.execute(table.update().where(*wanted).values(withdrawn_at=at)).rowcount == 1

    def purged(self, provision_id: int, at: datetime, entry_no: int) -> None:
        """Note that a hold is erased and which entry proves it; a provision never delivered has lapsed."""
        self._end(provision_id, purged_at=at, entry_no=entry_no)
        self.connection.execute(
            self._provision.update()
            .where(
                self._provision.c.provision_id == provision_id,
                self._provision.c.state.in_([ProvisionState.APPROVED.value, ProvisionState.SEALED.value]),
            )
            .values(state=ProvisionState.LAPSED.value)
        )

    # -- looking ------------------------------------------------------------------------------------------

    def find(self, provision_id: int) -> Hold | None:
        """Find the hold of a provision; None when nothing of it was ever kept."""
        found = self._listed(self._query().where(self._hold.c.provision_id == provision_id))
        return found[0] if found else None

    def by_sequence(self, recipient: str, sequence: int) -> Hold | None:
        """Find the hold of a package by its place among those of a recipient."""
        provision = self._provision.c
        wanted = self._query().where(provision.recipient == recipient, provision.sequence == sequence)
        found = self._listed(wanted)
        return found[0] if found else None

    def listed(self, *, every: bool = False) -> list[Hold]:
        """List what is kept now, the earliest end first; with `every`, what was erased as well."""
        query = self._query().order_by(self._hold.c.due_at, self._hold.c.provision_id)
        return self._listed(query if every else query.where(self._hold.c.purged_at.is_(None)))

    def newest_instant(self) -> datetime | None:
        """Tell the newest instant this store knows; what a purge that stopped says of its clock does not count."""
        newest: datetime | None = self.connection.execute(text(_NEWEST)).scalar_one()
        return newest

    def _query(self) -> Select[Any]:
        hold, provision = self._hold.c, self._provision.c
        return select(
            hold.provision_id, hold.numbers, hold.held_at, hold.due_at, provision.state, provision.recipient,
            provision.basis, provision.sequence, provision.package_sha256, provision.sealed_at,
            provision.delivered_at, provision.receipt_at, provision.resent, hold.purged_at, hold.entry_no,
            provision.medium_no, provision.method, provision.received_at,
        ).join_from(self._hold, self._provision, hold.provision_id == provision.provision_id)  # fmt: skip

    def _listed(self, query: Select[Any]) -> list[Hold]:
        return [_hold(self.file, row) for row in self.connection.execute(query)]

    def _note(self, provision_id: int, **values: Any) -> None:
        table = self._provision
        self.connection.execute(table.update().where(table.c.provision_id == provision_id).values(values))

    def _end(self, provision_id: int, **values: Any) -> None:
        table = self._hold
        wanted = (table.c.provision_id == bindparam("wanted"), table.c.purged_at.is_(None))
        self.connection.execute(table.update().where(*wanted).values(values), {"wanted": provision_id})


def _hold(file: IdentityFile, row: Row[Any]) -> Hold:
    said = row._asdict()
    said["provision"] = PackageId(file, said.pop("provision_id"))
    said["state"], said["method"] = ProvisionState(said["state"]), Method(said["method"])
    said["package_sha256"] = bytes(said["package_sha256"]) if said["package_sha256"] else None
    return Hold(**said)


@contextmanager
def provision_lock(url: str, provision: PackageId) -> Iterator[None]:
    """Hold a provision for as long as it is worked; whoever dies lets go, for the lock lives with the connection.

    Raises: StoreError(HOLD_BUSY), transient, when another process delivers or erases it.
    """
    with provisions_locked(url, provision.file, [provision.number], Duty.PROVIDER) as locked:
        if not locked:
            raise StoreError(Code.HOLD_BUSY, str(provision), is_transient=True)
        yield


@contextmanager
def provisions_locked(
    url: str, file: IdentityFile, wanted: Sequence[int], duty: Duty = Duty.PURGER
) -> Iterator[list[int]]:
    """Hold those of some provisions that nobody else works; say which."""
    if len(wanted) > _MAX_LOCKS:
        raise ValueError("more provisions at once than locks")
    with sealed_errors(), engine_now(url, file, duty).connect() as connection:
        values = {"ids": list(wanted), "locks": _PROVISION_LOCKS}
        locked = [int(one) for one in connection.execute(text(_TRY_LOCKS), values).scalars()]
        connection.commit()
        try:
            yield locked
        finally:
            # The server lets go by itself, but only when it has noticed that the connection is closed.
            connection.execute(text("SELECT pg_advisory_unlock_all()"))
            connection.commit()


def in_batches(provisions: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut many provisions, or their holds, into as many as can be locked at once."""
    for start in range(0, len(provisions), _MAX_LOCKS):
        yield provisions[start : start + _MAX_LOCKS]
