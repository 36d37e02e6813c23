"""The bridge between the two stores: codes of one approved fuhyo provision become sealed numbers, and nothing else.

Decides:    the statements of an approval, a crossing and what is lent out by it.
Leaves:     who may cross to the roles of the database, opening and sealing numbers to `tasks.bridging`, which alone
            may import this module (tests/architecture).
Invariants: an approval names the provision and exactly the codes it is for; the function of the database gives the
            numbers of these codes only, and its crossing commits with an entry in the operation log or not at all.
Source:     法30条の44の6第3項, assessment M6, ADR-0029; migration 0007_bridge.sql.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from sqlalchemy import Connection, Table, select, text
from sqlalchemy.dialects.postgresql import insert

from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.package_id import PackageId
from juki.provisions import ProvisionState
from juki.reasons import Code
from juki.store.bulk import copy_in, cursor_of, sealed_as_bytea
from juki.store.tables import TABLES

_CROSS = """
    SELECT line, sealed_for, number_sealed FROM bridge_numbers(:provision_id, CAST(:codes AS text[])) ORDER BY line
"""


@dataclass(frozen=True, slots=True)
class Approved:
    """What an approval is for: a provision of the fuhyo store that was granted with numbers."""

    provision_id: int
    recipient: str
    basis: str
    basis_version: str


@dataclass(frozen=True, slots=True)
class Crossed:
    """One number as the resident store has it: for which line of the codes, sealed for which code there."""

    line: int
    sealed_for: str
    number_sealed: bytes


@dataclass(frozen=True, slots=True)
class ResidentSide:
    """The resident store as the bridge sees it, through one open transaction."""

    connection: Connection

    @property
    def _crossing(self) -> Table:
        table = TABLES[IdentityFile.RESIDENT].crossing
        assert table is not None
        return table

    def approve(self, approved: Approved, codes: Sequence[str], at: datetime) -> None:
        """Write the approval of a crossing (role: provider); the same again changes nothing.

        Raises: StoreError(BRIDGE_OTHER_CODES) when it was approved for others, BRIDGE_NOT_APPROVED when it is closed.
        """
        digest = codes_digest(codes)
        row = {
            "provision_id": approved.provision_id, "recipient": approved.recipient, "basis": approved.basis,
            "basis_version": approved.basis_version, "codes": len(codes), "codes_digest": digest, "approved_at": at,
        }  # fmt: skip
        self.connection.execute(insert(self._crossing).values(row).on_conflict_do_nothing())
        columns = self._crossing.c
        query = select(columns.codes_digest, columns.closed_at)
        found = self.connection.execute(query.where(columns.provision_id == approved.provision_id)).one()
        ref = str(PackageId(IdentityFile.FUHYO, approved.provision_id))
        if found.closed_at is not None:
            raise StoreError(Code.BRIDGE_NOT_APPROVED, ref)
        if bytes(found.codes_digest) != digest:
            raise StoreError(Code.BRIDGE_OTHER_CODES, ref)

    def cross(self, provision_id: int, codes: Sequence[str]) -> list[Crossed]:
        """Turn codes into sealed numbers (role: bridge); lines count from 1, those without a number are left out."""
        found = self.connection.execute(text(_CROSS), {"provision_id": provision_id, "codes": list(codes)})
        return [Crossed(line, sealed_for, bytes(sealed)) for line, sealed_for, sealed in found]


@dataclass(frozen=True, slots=True)
class FuhyoSide:
    """The fuhyo store as the bridge sees it, through one open transaction."""

    connection: Connection

    @property
    def _held(self) -> Table:
        table = TABLES[IdentityFile.FUHYO].held_number
        assert table is not None
        return table

    def approved(self, provision_id: int) -> Approved:
        """Read what a provision was granted.

        Raises: StoreError(BRIDGE_NOT_APPROVED) unless it stands approved, or sealed, with numbers.
        """
        columns = TABLES[IdentityFile.FUHYO].provision.c
        query = select(columns.recipient, columns.basis, columns.basis_version)
        granted = (
            columns.provision_id == provision_id, columns.with_number,
            columns.state.in_([ProvisionState.APPROVED.value, ProvisionState.SEALED.value]),
        )  # fmt: skip
        found = self.connection.execute(query.where(*granted)).one_or_none()
        if found is None:
            ref = str(PackageId(IdentityFile.FUHYO, provision_id))
            raise StoreError(Code.BRIDGE_NOT_APPROVED, ref)
        return Approved(provision_id, found.recipient, found.basis, found.basis_version or "")

    def keep(self, provision_id: int, lines: Sequence[int], sealed: Sequence[bytes]) -> None:
        """Keep the numbers lent out, sealed under the key of the hold."""
        rows = {
            "provision_id": pa.repeat(pa.scalar(provision_id, pa.int64()), len(lines)),
            "line": pa.array(lines, pa.int32()), "number_sealed": sealed_as_bytea(sealed),
        }  # fmt: skip
        copy_in(cursor_of(self.connection), "held_number", pa.table(rows))

    def held(self, provision_id: int) -> dict[int, bytes]:
        """Read the numbers lent out for a provision, by line."""
        columns = self._held.c
        query = select(columns.line, columns.number_sealed).where(columns.provision_id == provision_id)
        return {line: bytes(sealed) for line, sealed in self.connection.execute(query)}


def codes_digest(codes: Sequence[str]) -> bytes:
    """Digest codes as the function of the database does: joined by commas, in the order of the request."""
    return hashlib.sha256(",".join(codes).encode("ascii")).digest()
