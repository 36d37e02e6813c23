"""What became of an answer once it was sealed: whether it left, as the person it is about is told (法30条の32).

Decides:    when data counts as given, and the words where it does not.
Leaves:     what is known of a provision to `juki.store.provided_records`.
Invariants: in doubt it was given: only what was never delivered, or was taken back and could not have been fetched
            by all we know, is said not to have been.
Source:     法30条の32第2項, ADR-0028, ADR-0037.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from juki.provisions import ProvisionState

GIVEN = "提供・移転"
UNKNOWN = "提供・移転（送付の記録なし）"
_NOT_GIVEN = {
    ProvisionState.LAPSED: "送付なし（失効）", ProvisionState.REFUSED: "送付なし（拒否）",
}  # fmt: skip
_NOT_YET = "未送付"
_TAKEN_BACK = "受領なし（送付後に取戻し）"


@dataclass(frozen=True, slots=True)
class Became:
    """What is known of one provision after its seal."""

    state: ProvisionState
    delivered_at: datetime | None = None
    is_taken_back: bool = False
    """Its file lay in the delivery folder until its end and was removed from there."""
    is_received: bool = False
    """The recipient acknowledged it, asked for it again, or was handed it on a medium."""

    @property
    def words(self) -> str:
        """Say whether it was given."""
        if self.state is not ProvisionState.DELIVERED:
            return _NOT_GIVEN.get(self.state, _NOT_YET)
        return _TAKEN_BACK if self.is_taken_back and not self.is_received else GIVEN
