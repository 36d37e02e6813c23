"""The register of media in one store: each change only from the state it is allowed in.

Decides:    the statements by which a medium is registered, handed out, taken back and retired.
Leaves:     states to `juki.media`, who acts and why to `juki.cli.medium_actions`.
Invariants: a medium changes under a lock of its row, so that two can not hand out the same one.
Source:     assessment M10.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select
from sqlalchemy.dialects.postgresql import insert

from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.media import Medium, MediumState
from juki.package_id import PackageId
from juki.reasons import Code
from juki.store.tables import TABLES


@dataclass(frozen=True, slots=True)
class Media:
    """The media of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    @property
    def _medium(self) -> Table:
        return TABLES[self.file].medium

    def register(self, label: str, kind: str, place: str, keeper: str, at: datetime) -> Medium:
        """Register a medium.

        Raises: JukiError(MEDIUM_LABEL_TAKEN).
        """
        row = {"label": label, "kind": kind, "place": place, "keeper": keeper, "registered_at": at}
        added = insert(self._medium).values(row).on_conflict_do_nothing().returning(*self._medium.c)
        found = self.connection.execute(added).one_or_none()
        if found is None:
            raise JukiError(Code.MEDIUM_LABEL_TAKEN)
        return self._read(found)

    def hand_out(self, medium_no: int, to: str, due_back_on: date, at: datetime) -> Medium:
        """Note who has a medium that was in its place, and until when.

        Raises: JukiError(MEDIUM_UNKNOWN, MEDIUM_STATE).
        """
        self._locked(medium_no, MediumState.KEPT)
        return self._changed(medium_no, handed_to=to, handed_out_at=at, due_back_on=due_back_on)

    def give_back(self, medium_no: int, place: str) -> Medium:
        """Note that a medium is back in its place, or in another one.

        Raises: JukiError(MEDIUM_UNKNOWN, MEDIUM_STATE).
        """
        medium = self._locked(medium_no, MediumState.HANDED_OUT)
        back = {"handed_to": None, "handed_out_at": None, "due_back_on": None}
        return self._changed(medium_no, place=place or medium.place, **back)

    def retire(self, medium_no: int, at: datetime) -> Medium:
        """Note that a medium in its place was destroyed.

        Raises: JukiError(MEDIUM_UNKNOWN, MEDIUM_STATE).
        """
        self._locked(medium_no, MediumState.KEPT)
        return self._changed(medium_no, retired_at=at)

    def usable(self, medium_no: int) -> Medium:
        """Find a medium that is not retired.

        Raises: JukiError(MEDIUM_UNKNOWN, MEDIUM_STATE).
        """
        return self._locked(medium_no, MediumState.KEPT, MediumState.HANDED_OUT)

    def listed(self, *, every: bool = False) -> list[Medium]:
        """List the media in use, with `every` also those that were retired."""
        query = select(self._medium).order_by(self._medium.c.medium_no)
        if not every:
            query = query.where(self._medium.c.retired_at.is_(None))
        return [self._read(row) for row in self.connection.execute(query)]

    def _locked(self, medium_no: int, *allowed: MediumState) -> Medium:
        query = select(self._medium).where(self._medium.c.medium_no == medium_no).with_for_update()
        row = self.connection.execute(query).one_or_none()
        ref = str(PackageId(self.file, medium_no))
        if row is None:
            raise JukiError(Code.MEDIUM_UNKNOWN, ref)
        medium = self._read(row)
        if medium.state not in allowed:
            raise JukiError(Code.MEDIUM_STATE, ref)
        return medium

    def _changed(self, medium_no: int, **values: Any) -> Medium:
        update = self._medium.update().where(self._medium.c.medium_no == medium_no).values(values)
        return self._read(self.connection.execute(update.returning(*self._medium.c)).one())

    def _read(self, row: Row[Any]) -> Medium:
        said = row._asdict()
        return Medium(PackageId(self.file, said.pop("medium_no")), **said)
