"""The register of operators (操作者台帳) in the resident store.

Decides:    the statements by which an operator is registered, changed, locked, unlocked and removed.
Leaves:     who may do so to `juki.operator_matrix`, what an operator may do to `juki.operators`.
Invariants: a row is never deleted; a removed operator does not come back, and his id is never given again.
Source:     assessment M7, ADR-0036.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select
from sqlalchemy.dialects.postgresql import insert

from juki.columns import IdentityFile
from juki.errors import DeniedError, JukiError
from juki.journal import Authentication
from juki.operators import Operator, Role
from juki.reasons import Code
from juki.store.tables import TABLES


@dataclass(frozen=True, slots=True)
class Operators:
    """The operators, seen through one open transaction on the resident store."""

    connection: Connection

    @property
    def _operator(self) -> Table:
        return TABLES[IdentityFile.RESIDENT].metadata.tables["operator"]

    def find(self, operator_id: str, *, lock: bool = False) -> Operator | None:
        """Find an operator by id; locked rows wait for whoever changes them."""
        wanted = select(self._operator).where(self._operator.c.operator_id == operator_id)
        row = self.connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
        return _read(row) if row is not None else None

    def of(self, operator_id: str) -> Operator:
        """Return a registered operator, his row locked.

        Raises: JukiError(OPERATOR_NOT_REGISTERED).
        """
        found = self.find(operator_id, lock=True)
        if found is None:
            raise JukiError(Code.OPERATOR_NOT_REGISTERED)
        return found

    def listed(self) -> list[Operator]:
        """List all operators there ever were, by id."""
        found = self.connection.execute(select(self._operator).order_by(self._operator.c.operator_id))
        return [_read(row) for row in found]

    def lock_register(self) -> None:
        """Keep everybody else from changing the register until commit, so that who remains can be counted."""
        self.connection.execute(select(func.pg_advisory_xact_lock(_REGISTER_LOCK)))

    def administrators(self, today: date) -> int:
        """Count who may act as administrator today."""
        return sum(one.is_active(today) and Role.ADMINISTRATOR in one.roles for one in self.listed())

    def lasting_administrators(self, today: date) -> int:
        """Count who may act as administrator today, and whose days do not end soon."""
        return sum(one.lasts(today) and Role.ADMINISTRATOR in one.roles for one in self.listed())

    def ever_administrators(self) -> int:
        """Count who was ever registered as administrator and has not been changed since; it never falls to zero."""
        return sum(Role.ADMINISTRATOR in one.roles for one in self.listed())

    def register(self, operator: Operator, at: datetime) -> None:
        """Add an operator.

        Raises: JukiError(OPERATOR_ID_TAKEN), also for the id of one who was removed.
        """
        row = {**_written(operator), "registered_at": at}
        added = (
            insert(self._operator)
            .values(row)
            .on_conflict_do_nothing()
            .returning(self._operator.c.operator_id)
        )
        if self.connection.execute(added).one_or_none() is None:
            raise JukiError(Code.OPERATOR_ID_TAKEN)

    def write(self, operator: Operator) -> None:
        """Write what an operator has become."""
        found = self._operator.c.operator_id == operator.operator_id
        self.connection.execute(self._operator.update().where(found).values(_written(operator)))


_REGISTER_LOCK = 0x6F707267
"""One change of the register at a time ("oprg")."""


@dataclass(frozen=True, slots=True)
class UsedAssertions:
    """The assertions that were used in one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    def are_of(self, authentication: Authentication, *, or_unused: bool = False) -> bool:
        """Tell whether all its assertions were used for this very act; `or_unused`: or not at all."""
        used = TABLES[self.file].metadata.tables["used_assertion"]
        wanted = select(used.c.jti, used.c.act_id).where(used.c.jti.in_(authentication.assertions))
        acts = {row.jti: row.act_id for row in self.connection.execute(wanted)}
        other = authentication.act_id if or_unused else ""
        return all(acts.get(jti, other) == authentication.act_id for jti in authentication.assertions)

    def use(self, authentication: Authentication, entry_no: int, at: datetime) -> None:
        """Use assertions for an act, or find that they are being used for this very act.

        Who comes second waits for the first to commit, and is refused.
        Raises: DeniedError(OPERATOR_ASSERTION_REPLAYED).
        """
        used = TABLES[self.file].metadata.tables["used_assertion"]
        for jti in authentication.assertions:
            row = {"jti": jti, "act_id": authentication.act_id, "entry_no": entry_no, "used_at": at}
            self.connection.execute(insert(used).values(row).on_conflict_do_nothing())
            act_id = self.connection.execute(select(used.c.act_id).where(used.c.jti == jti)).scalar_one()
            if act_id != authentication.act_id:
                raise DeniedError(Code.OPERATOR_ASSERTION_REPLAYED)


def _read(row: Row[Any]) -> Operator:
    return Operator(
        operator_id=row.operator_id, name=row.name, roles=frozenset(map(Role, row.roles)),
        terminals=frozenset(row.terminals), valid_from=row.valid_from, valid_to=row.valid_to,
        failures=row.failures, locked_at=row.locked_at, removed_at=row.removed_at,
    )  # fmt: skip


def _written(operator: Operator) -> dict[str, Any]:
    return {
        "operator_id": operator.operator_id, "name": operator.name, "roles": _sorted(operator.roles),
        "terminals": _sorted(operator.terminals), "valid_from": operator.valid_from, "valid_to": operator.valid_to,
        "failures": operator.failures, "locked_at": operator.locked_at, "removed_at": operator.removed_at,
    }  # fmt: skip


def _sorted(words: Iterable[str]) -> list[str]:
    return sorted(str(word) for word in words)
