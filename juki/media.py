"""Media (媒体): where each is, who keeps it, who has it, and whether it should be back.

Decides:    the states of a medium, and what may be done in each.
Leaves:     rows to `juki.store.media`, screens to `juki.cli`.
Invariants: a medium is in its place, handed out to one, or retired for good; a retired one is never used again.
Source:     assessment M10.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from juki.dates import JAPAN
from juki.package_id import PackageId


class MediumState(StrEnum):
    """Where a medium is."""

    KEPT = "kept"
    HANDED_OUT = "handed_out"
    RETIRED = "retired"

    @property
    def japanese(self) -> str:
        """The word on screens."""
        return {"kept": "保管中", "handed_out": "貸出中", "retired": "廃棄済み"}[self.value]


@dataclass(frozen=True, slots=True)
class Medium:
    """One registered medium; `due_back_on` is a civil date in Japan."""

    medium_id: PackageId
    label: str
    kind: str
    place: str
    keeper: str
    registered_at: datetime
    handed_to: str | None = None
    handed_out_at: datetime | None = None
    due_back_on: date | None = None
    retired_at: datetime | None = None

    @property
    def state(self) -> MediumState:
        """Where it is."""
        if self.retired_at is not None:
            return MediumState.RETIRED
        return MediumState.HANDED_OUT if self.handed_out_at is not None else MediumState.KEPT

    def is_overdue(self, today: date) -> bool:
        """Tell whether it should have come back before today; the day itself is still in time."""
        return (
            self.state is MediumState.HANDED_OUT and self.due_back_on is not None and self.due_back_on < today
        )

    def overdue_since(self, today: date) -> datetime | None:
        """Tell from which instant it is late, the first one after its day in Japan; None when it is not."""
        if self.due_back_on is None or not self.is_overdue(today):
            return None
        return datetime.combine(self.due_back_on, time(), JAPAN) + timedelta(days=1)
