"""What a reconciliation can find and what becomes of it: words and the one way from each state to the next.

Decides:    the kinds of difference, the states of a difference and of a reconciliation, what may be repaired
            by whom, and from how many changes on nothing is changed without a second look.
Leaves:     finding them to `juki.comparison`, making a notice of one to `juki.proposals`.
Source:     measure M11; the bound guards against a snapshot that is not what it claims to be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """How far a reconciliation goes."""

    REPORT = "report"
    """Compare, and keep what was found."""
    PROPOSE = "propose"
    """Make a proposal of every repair that may be proposed; an operator approves them."""
    REPAIR = "repair"
    """Carry out what may be carried out without an operator, and what one has approved."""

    @property
    def japanese(self) -> str:
        """The mode in the words of screens."""
        return {"report": "照合のみ", "propose": "修復の提案まで", "repair": "修復まで"}[self.value]


def stronger(one: Mode, other: Mode) -> Mode:
    """Return the mode that goes further."""
    order = list(Mode)
    return max(one, other, key=order.index)


class DifferenceKind(StrEnum):
    """How a file and a municipality differ about one person."""

    MISSING = "missing"
    """They have the person, we do not."""
    EXTRA = "extra"
    """We have the person as theirs, they do not, and no other municipality is known to."""
    DIFFERS = "differs"
    """Both have the person, and some columns differ."""
    DUPLICATE = "duplicate"
    """They list the person twice."""
    MOVED = "moved"
    """Extra here, and current for another municipality: their deletion has not reached us."""

    @property
    def japanese(self) -> str:
        """The kind in the words of screens."""
        return {
            "missing": "当方になし", "extra": "当方のみ", "differs": "内容相違", "duplicate": "先方で重複",
            "moved": "転出済（消除未着）",
        }[self.value]  # fmt: skip


class DifferenceState(StrEnum):
    """What is being done about a difference."""

    OPEN = "open"
    PROPOSED = "proposed"
    """A repair can be made of it; an operator approves it."""
    APPROVED = "approved"
    """The next reconciliation in mode repair carries it out."""
    SETTLED = "settled"
    """A later comparison did not find it any more."""
    ACCEPTED = "accepted"
    """Stays as it is, for a reason an operator gave."""

    @property
    def japanese(self) -> str:
        """The state in the words of screens."""
        return {
            "open": "未処理", "proposed": "修復を提案", "approved": "修復を承認", "settled": "解消",
            "accepted": "容認",
        }[self.value]  # fmt: skip


class ReconciliationState(StrEnum):
    """How far a reconciliation has come."""

    REQUESTED = "requested"
    """The CS was asked, or is about to be; parts may have arrived."""
    COMPARED = "compared"
    """The differences are kept; repairs and the report are still to be done."""
    FINISHED = "finished"
    FAILED = "failed"
    """Ended without a comparison, for the reason its code says."""


class DigestOutcome(StrEnum):
    """What a municipality's digests said, where it was asked for them before its records: once a reconciliation."""

    EQUAL = "equal"
    """Both sides are equal: no snapshot is asked for."""
    DIFFERENT = "different"
    """They are not, or it can not be told: a snapshot says where."""
    UNANSWERED = "unanswered"
    """No digests of use came while the run waited: a snapshot is asked for as if there were none."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How many people one reconciliation may change without a second approval."""

    share: float = 0.001
    """Of the larger of both sides."""
    most: int = 100

    def allowed(self, rows: int) -> int:
        """Say how many changes pass at a file of `rows`: the smaller bound; one always passes."""
        return min(self.most, max(1, math.ceil(self.share * rows)))


DEFAULT_BOUND = Bound()


def is_beyond(changes: int, rows: int, bound: Bound) -> bool:
    """Tell whether a run would change more than it may, of the larger of both sides' `rows`."""
    return changes > bound.allowed(rows)


AUTOMATIC: Mapping[DifferenceKind, bool] = {
    DifferenceKind.MISSING: True,
    DifferenceKind.DIFFERS: True,
    DifferenceKind.EXTRA: False,
}
"""Which kinds a repair can be made of, and whether mode `repair` may do so without an operator.

`extra` would retire a person, so an operator approves it. Nothing is to be repaired here where a municipality
lists a person twice, or where only its deletion is missing of somebody who is current elsewhere.
"""


def needs_operator(kind: DifferenceKind, *, is_held_elsewhere: bool) -> bool:
    """Tell whether a repair waits for an operator: it retires a person, or takes one from another municipality."""
    return is_held_elsewhere or not AUTOMATIC.get(kind, False)


MAY_BECOME: Mapping[DifferenceState, frozenset[DifferenceState]] = {
    DifferenceState.OPEN: frozenset(
        {
            DifferenceState.PROPOSED,
            DifferenceState.APPROVED,
            DifferenceState.ACCEPTED,
            DifferenceState.SETTLED,
        }
    ),
    DifferenceState.PROPOSED: frozenset(
        {DifferenceState.OPEN, DifferenceState.APPROVED, DifferenceState.ACCEPTED, DifferenceState.SETTLED}
    ),
    DifferenceState.APPROVED: frozenset(
        {DifferenceState.OPEN, DifferenceState.ACCEPTED, DifferenceState.SETTLED}
    ),
    DifferenceState.ACCEPTED: frozenset({DifferenceState.OPEN, DifferenceState.SETTLED}),
    DifferenceState.SETTLED: frozenset(),
}
"""From which state a difference may come into which; what is settled and seen again is a new difference."""
