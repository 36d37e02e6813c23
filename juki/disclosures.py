"""Requests to be told what is held (開示請求) and to have it corrected (訂正の申出): their clock and their end.

Decides:    the last day to disclose, when it may be put off, which ends each kind can have, what needs somebody now.
Leaves:     the register to `juki.store.disclosures`, the document to `juki.disclosed`.
Invariants: days are civil dates in Japan and come in as arguments. The day of receipt is the first of the thirty
            (受理した日から起算して), so the last is twenty-nine days later. For a correction the statute names
            no day, only 遅滞なく: what it is alarmed by is a setting and no term of the law.
Source:     法30条の32から30条の35まで, 30条の44の13; ADR-0037.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from juki.errors import JukiError
from juki.reasons import Code

DISCLOSURE_DAYS = 30
"""法30条の33第1項: 受理した日から起算して三十日以内."""


class DisclosureKind(StrEnum):
    """What a person asks for in writing."""

    DISCLOSURE = "disclosure"
    CORRECTION = "correction"

    @property
    def japanese(self) -> str:
        """The words of the statute."""
        return {"disclosure": "開示の請求", "correction": "訂正の申出"}[self.value]


class Decision(StrEnum):
    """How it ended."""

    DISCLOSED = "disclosed"
    NOT_HELD = "not_held"
    """They were told that nothing is held, which is a disclosure too (法30条の32第1項括弧書)."""
    DISMISSED = "dismissed"
    CORRECTED = "corrected"
    NOT_CORRECTED = "not_corrected"
    WITHDRAWN = "withdrawn"

    @property
    def japanese(self) -> str:
        """The word in reports."""
        return {
            "disclosed": "開示", "not_held": "不存在の通知", "dismissed": "却下（本人と確認できないなど）",
            "corrected": "訂正（市町村の通知による）", "not_corrected": "訂正しない", "withdrawn": "取下げ",
        }[self.value]  # fmt: skip


ENDS: dict[DisclosureKind, frozenset[Decision]] = {
    DisclosureKind.DISCLOSURE: frozenset(
        {Decision.DISCLOSED, Decision.NOT_HELD, Decision.DISMISSED, Decision.WITHDRAWN}
    ),
    DisclosureKind.CORRECTION: frozenset(
        {Decision.CORRECTED, Decision.NOT_CORRECTED, Decision.WITHDRAWN}
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Disclosure:
    """One request as the register has it; who it is of stands there only sealed and keyed.

    `follows` is the disclosure a correction is asked after; `due_on` is as it was extended; `subject` is empty where
    nobody was found.
    """

    number: int
    kind: DisclosureKind
    follows: int | None
    subject: str
    subject_index: str
    received_on: date
    due_on: date | None
    extended_on: date | None
    printed_at: datetime | None
    decision: Decision | None
    answered_on: date | None
    printed_versions: int | None = None
    """How many versions the document tells; None where none was made, or before that was noted."""

    def __str__(self) -> str:
        """Its number as people say it."""
        return f"D{self.number}"

    def __repr__(self) -> str:
        """Name the request, never whom it is of."""
        return f"Disclosure({self})"

    @property
    def is_open(self) -> bool:
        """Tell whether it waits for an end."""
        return self.decision is None


@dataclass(frozen=True, slots=True)
class AlarmDays:
    """How many days before the last one a disclosure, and after receipt a correction, needs somebody."""

    before_due: int
    correction_after: int


def number_of(text: str) -> int:
    """Read the number of a request, `D12`.

    Raises: JukiError(DISCLOSURE_NOT_FOUND).
    """
    digits = text.removeprefix("D")
    if digits == text or not digits.isascii() or not digits.isdigit() or not 0 < len(digits) < 10:
        raise JukiError(Code.DISCLOSURE_NOT_FOUND)
    return int(digits)


def due_on(kind: DisclosureKind, received_on: date) -> date | None:
    """Tell the last day to answer; None where the statute names none."""
    if kind is DisclosureKind.CORRECTION:
        return None
    return received_on + timedelta(days=DISCLOSURE_DAYS - 1)


def check_received(received_on: date, today: date) -> None:
    """Refuse a day that has not come yet, or of a request older than anybody answers.

    Raises: JukiError(DISCLOSURE_DATE).
    """
    if received_on > today or today - received_on > timedelta(days=366):
        raise JukiError(Code.DISCLOSURE_DATE)


def check_extension(request: Disclosure, until: date, notified_on: date, today: date) -> None:
    """Refuse to put off twice, what has no term, or where the person was told after it (法30条の33第2項).

    Raises: JukiError(DISCLOSURE_STATE, DISCLOSURE_DATE).
    """
    if not request.is_open or request.due_on is None or request.extended_on is not None:
        raise JukiError(Code.DISCLOSURE_STATE, str(request))
    is_told_in_time = request.received_on <= notified_on <= min(request.due_on, today)
    if not is_told_in_time or until <= request.due_on:
        raise JukiError(Code.DISCLOSURE_DATE, str(request))


def check_end(request: Disclosure, decision: Decision, answered_on: date, today: date) -> None:
    """Refuse an end its kind can not have, one before its beginning or to come, and one its document does not say.

    Raises: JukiError(DISCLOSURE_STATE, DISCLOSURE_DECISION, DISCLOSURE_DATE).
    """
    if not request.is_open:
        raise JukiError(Code.DISCLOSURE_STATE, str(request))
    if decision not in ENDS[request.kind]:
        raise JukiError(Code.DISCLOSURE_DECISION, str(request))
    if decision in (Decision.DISCLOSED, Decision.NOT_HELD) and not _is_said(request, decision):
        raise JukiError(Code.DISCLOSURE_STATE, str(request))
    if not request.received_on <= answered_on <= today:
        raise JukiError(Code.DISCLOSURE_DATE, str(request))


def _is_said(request: Disclosure, decision: Decision) -> bool:
    """Tell whether the document that was made says what a person is to have been told by it."""
    if request.printed_at is None or request.printed_versions is None:
        return request.printed_at is not None
    return (request.printed_versions > 0) == (decision is Decision.DISCLOSED)


def alarm_of(request: Disclosure, today: date, days: AlarmDays) -> Code | None:
    """Say why an open request needs somebody today; the last day itself is still in time."""
    if not request.is_open:
        return None
    if request.due_on is None:
        is_long = today - request.received_on >= timedelta(days=days.correction_after)
        return Code.CORRECTION_UNANSWERED if is_long else None
    if today > request.due_on:
        return Code.DISCLOSURE_OVERDUE
    return Code.DISCLOSURE_DUE_SOON if request.due_on - today <= timedelta(days=days.before_due) else None
