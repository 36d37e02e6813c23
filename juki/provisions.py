"""What a provision (提供) or transfer (移転) is: its states, how it was asked for, and what came of each line.

Decides:    the words of the register, and the name of a package that answers a request.
Leaves:     who may get what to `juki.authority`, how long numbers are held to `juki.holds`.
Invariants: a word is never renamed, since old rows keep it; every line of a request has exactly one outcome.
Source:     assessment M12 and M13, spec/packages.md section 4.
"""

from __future__ import annotations

from enum import StrEnum

TRIES_BEFORE_ALARM = 5
"""Runs in vain after which somebody has to look; a run every five minutes makes that half an hour."""


class ProvisionState(StrEnum):
    """How far a provision has come."""

    RECEIVED = "received"
    """Its request is here, opened and well-formed; nothing is decided."""
    APPROVED = "approved"
    """The law gives it: what is granted is fixed."""
    SEALED = "sealed"
    """Its package is made and kept; it may be delivered now and again, always the same bytes."""
    DELIVERED = "delivered"
    REFUSED = "refused"
    LAPSED = "lapsed"
    """It was not delivered until its term had come: its package and its numbers are erased."""

    @property
    def japanese(self) -> str:
        """The word for reports."""
        return _STATES[self]


_STATES = {
    ProvisionState.RECEIVED: "受付",
    ProvisionState.APPROVED: "承認",
    ProvisionState.SEALED: "封緘済み（未送付）",
    ProvisionState.DELIVERED: "送付済み",
    ProvisionState.REFUSED: "拒否",
    ProvisionState.LAPSED: "失効（送付されないまま期限）",
}


class Method(StrEnum):
    """How a request came to us."""

    FILE = "file"
    """Sealed and signed by the recipient."""
    OPERATOR = "operator"
    """Entered by a person here, from a request on paper."""


class LineOutcome(StrEnum):
    """What came of one line of a request (spec/packages.md section 4)."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    """Several people fit what was asked: nothing is given of any of them."""
    NUMBER_NOT_HELD = "number_not_held"
    """Found, and everything granted is given but the number, which the resident file does not hold."""

    @property
    def japanese(self) -> str:
        """The word for reports."""
        return _OUTCOMES[self]


_OUTCOMES = {
    LineOutcome.FOUND: "該当あり",
    LineOutcome.NOT_FOUND: "該当なし",
    LineOutcome.AMBIGUOUS: "複数該当",
    LineOutcome.NUMBER_NOT_HELD: "個人番号なし",
}
