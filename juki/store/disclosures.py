"""The register of requests to be told what is held, and to have it corrected, in the resident store.

Decides:    the statements by which a request comes in, is put off, printed and ended.
Leaves:     what is allowed when to `juki.disclosures`, the seal of who it is of to `juki.subjects`.
Invariants: a row is never deleted; a row that is changed was locked when it was judged.
Source:     法30条の32から30条の35まで, ADR-0037.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from juki.columns import IdentityFile
from juki.disclosures import Decision, Disclosure, DisclosureKind
from juki.errors import JukiError
from juki.reasons import Code
from juki.store.tables import TABLES


@dataclass(frozen=True, slots=True)
class NewDisclosure:
    """What is known of a request when it comes in."""

    kind: DisclosureKind
    follows: int | None
    received_on: date
    due_on: date | None


@dataclass(frozen=True, slots=True)
class DisclosureRegister:
    """The requests, seen through one open transaction on the resident store."""

    connection: Connection

    @property
    def _table(self) -> Table:
        return TABLES[IdentityFile.RESIDENT].metadata.tables["disclosure"]

    def register(
        self, new: NewDisclosure, at: datetime, subject_of: Callable[[str], tuple[str, str]] | None
    ) -> Disclosure:
        """Add a request; `subject_of` gives seal and index of who it is of, bound to its number."""
        row = {
            "kind": new.kind.value, "follows": new.follows, "received_on": new.received_on, "due_on": new.due_on,
            "registered_at": at,
        }  # fmt: skip
        added = self._table.insert().values(row).returning(self._table.c.disclosure_no)
        number = int(self.connection.execute(added).scalar_one())
        if subject_of is not None:
            subject, index = subject_of(f"D{number}")
            self._update(number, subject=subject, subject_index=index)
        return self.of(number)

    def of(self, number: int, *, lock: bool = False) -> Disclosure:
        """Return a request with who it is of, sealed.

        Raises: JukiError(DISCLOSURE_NOT_FOUND).
        """
        wanted = select(self._table).where(self._table.c.disclosure_no == number)
        row = self.connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
        if row is None:
            raise JukiError(Code.DISCLOSURE_NOT_FOUND)
        return _read(row)

    def shown(self, number: int) -> Disclosure:
        """Return a request as a screen shows it.

        Raises: JukiError(DISCLOSURE_NOT_FOUND).
        """
        wanted = select(*self._days).where(self._table.c.disclosure_no == number)
        row = self.connection.execute(wanted).one_or_none()
        if row is None:
            raise JukiError(Code.DISCLOSURE_NOT_FOUND)
        return _read(row)

    def listed(self, limit: int, *, only_open: bool = False) -> list[Disclosure]:
        """List requests as a screen shows them, the newest first."""
        query = select(*self._days).order_by(self._table.c.disclosure_no.desc()).limit(limit)
        if only_open:
            query = query.where(self._table.c.decision.is_(None))
        return [_read(row) for row in self.connection.execute(query)]

    def extend(self, number: int, until: date, notified_on: date) -> None:
        """Put the last day off."""
        self._update(number, due_on=until, extended_on=notified_on)

    def printed(self, number: int, sha256: bytes, versions: int, at: datetime) -> None:
        """Note that the document was made, and how many versions it tells; none where nothing is held."""
        self._update(number, printed_at=at, document_sha256=sha256, printed_versions=versions)

    def end(self, number: int, decision: Decision, answered_on: date) -> None:
        """End a request."""
        self._update(number, decision=decision.value, answered_on=answered_on)

    @property
    def _days(self) -> list[Any]:
        """Everything but who it is of: what a reader may see."""
        return [column for column in self._table.columns if not column.name.startswith("subject")]

    def _update(self, number: int, **values: object) -> None:
        self.connection.execute(
            self._table.update().where(self._table.c.disclosure_no == number).values(values)
        )


def _read(row: Row[Any]) -> Disclosure:
    return Disclosure(
        number=row.disclosure_no, kind=DisclosureKind(row.kind), follows=row.follows,
        subject=getattr(row, "subject", None) or "", subject_index=getattr(row, "subject_index", None) or "",
        received_on=row.received_on, due_on=row.due_on,
        extended_on=row.extended_on, printed_at=row.printed_at,
        decision=Decision(row.decision) if row.decision else None, answered_on=row.answered_on,
        printed_versions=row.printed_versions,
    )  # fmt: skip
