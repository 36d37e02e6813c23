"""What J-LIS is told and answers: states of a package, what an answer does to it, what counts as overdue.

Decides:    which updates go into one package, what an acknowledgement changes, and what of it needs attention.
Leaves:     the formats to `juki.jlis_manifests`, reading updates to `juki.store.jlis_updates`, the order of work to
            `tasks.forwarding`.
Invariants: an acknowledgement is taken only for the content J-LIS opened and we sealed: whoever names it has had the
            package, also where we died before we noted its delivery. What is acknowledged stays so. What was taken in
            once changes nothing again.
Source:     法30条の7, 30条の8, 30条の42, 30条の43; ADR-0027.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from juki.columns import IdentityFile
from juki.manifests import PackageVerdict
from juki.reasons import Code

MAX_UPDATES = 50_000
"""Updates in one package."""
BASIS = {IdentityFile.RESIDENT: "法30条の7", IdentityFile.FUHYO: "法30条の42"}
"""What the journal names as the reason why a file's updates leave."""
REPORT_BASIS = {IdentityFile.RESIDENT: "法30条の8", IdentityFile.FUHYO: "法30条の43"}


class JlisState(StrEnum):
    """How far a package for J-LIS has come."""

    SEALED = "sealed"
    """Waits to be put into the folder."""
    DELIVERED = "delivered"
    """Lies in the folder, or was fetched from it; the answer is awaited."""
    REFUSED = "refused"
    """J-LIS did not take it; it is delivered again, the same bytes."""
    ACKNOWLEDGED = "acknowledged"

    @property
    def japanese(self) -> str:
        """The state in the words of screens."""
        return {
            "sealed": "送付待ち", "delivered": "受領確認待ち", "refused": "受領拒否", "acknowledged": "受領確認済",
        }[self.value]  # fmt: skip


DUE = (JlisState.SEALED, JlisState.REFUSED)
"""What is to be put into the folder by the next run."""


class MessageKind(StrEnum):
    """What J-LIS sends."""

    ACKNOWLEDGEMENT = "acknowledgement"
    REPORT = "report"

    @property
    def japanese(self) -> str:
        """The kind in the words of screens."""
        return {"acknowledgement": "受領確認", "report": "誤りの通報"}[self.value]


class MessageState(StrEnum):
    """What became of a file that came as J-LIS's."""

    TAKEN = "taken"
    REPEATED = "repeated"
    """The same content as one that was taken."""
    REFUSED = "refused"

    @property
    def japanese(self) -> str:
        """The state in the words of screens."""
        return {"taken": "取込済", "repeated": "再送（取込済）", "refused": "拒否"}[self.value]


@dataclass(frozen=True, slots=True)
class Sent:
    """A package as far as an answer to it needs it: how far it has come, and the SHA-256 of its content."""

    state: JlisState
    content_sha256: str
    is_delivered: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer does: the next state of its package, or the code for which it is refused."""

    state: JlisState | None
    code: Code | None = None


def judge_answer(sent: Sent | None, package_sha256: str, verdict: PackageVerdict) -> Answered:
    """Say what an answer, opened and signed by J-LIS, does to the package it names."""
    if sent is None:
        return Answered(None, Code.JLIS_ANSWER_UNKNOWN)
    if package_sha256 != sent.content_sha256:
        return Answered(None, Code.JLIS_ANSWER_OTHER if sent.is_delivered else Code.JLIS_ANSWER_UNKNOWN)
    if verdict is PackageVerdict.ACCEPTED:
        return Answered(JlisState.ACKNOWLEDGED)
    if sent.state is JlisState.ACKNOWLEDGED:
        return Answered(None, Code.JLIS_ANSWER_AFTER)
    return Answered(JlisState.REFUSED, Code.JLIS_REFUSED)


@dataclass(frozen=True, slots=True)
class DueRow:
    """A row of the outbox that is not told whole: its number, and how many updates are still to be told of it."""

    outbox_no: int
    updates: int


def rows_of_one_package(due: Sequence[DueRow], most: int = MAX_UPDATES) -> list[int]:
    """Choose the rows of the outbox, in order, that fill one package; the last may go on in the next."""
    chosen, updates = list[int](), 0
    for row in due:
        if updates >= most:
            break
        chosen.append(row.outbox_no)
        updates += row.updates
    return chosen


@dataclass(frozen=True, slots=True)
class JlisFacts:
    """What a store knows of its notices to J-LIS."""

    file: IdentityFile
    waiting: int = 0
    """Updates not yet in any package."""
    waiting_since: datetime | None = None
    last_sequence: int = 0
    last_update_no: int = 0
    acknowledged: int = 0
    """Packages acknowledged."""
    acknowledged_at: datetime | None = None
    acknowledged_update_no: int = 0
    """The last update of all of which J-LIS has acknowledged, none missing before it."""
    undelivered: int = 0
    undelivered_since: datetime | None = None
    unanswered: int = 0
    unanswered_since: datetime | None = None
    refused: int = 0
    lost: int = 0
    """Updates not found when they were to be told, of municipalities whose file was not confirmed equal since."""
    unopened: int = 0
    """Numbers that did not open, lately."""
    messages_refused: int = 0
    """Files refused that nobody has looked at."""
    reported: int = 0
    """Differences J-LIS reported that are not settled."""


@dataclass(frozen=True, slots=True)
class JlisCondition:
    """One thing that needs attention: why, how many, since when."""

    code: Code
    count: int
    since: datetime | None = None


def judge(
    facts: JlisFacts, alert_after: timedelta, now: datetime, *, is_registered: bool
) -> list[JlisCondition]:
    """Find what needs attention in the notices of one file."""

    def overdue(since: datetime | None) -> bool:
        return since is not None and now - since > alert_after

    found = list[JlisCondition]()
    if facts.waiting and not is_registered:
        found.append(JlisCondition(Code.JLIS_UNREGISTERED, facts.waiting, facts.waiting_since))
    elif overdue(facts.waiting_since):
        found.append(JlisCondition(Code.JLIS_WAITING, facts.waiting, facts.waiting_since))
    if facts.undelivered:
        found.append(JlisCondition(Code.JLIS_UNDELIVERED, facts.undelivered, facts.undelivered_since))
    if overdue(facts.unanswered_since):
        found.append(JlisCondition(Code.JLIS_UNANSWERED, facts.unanswered, facts.unanswered_since))
    counted = {
        Code.JLIS_REFUSED: facts.refused, Code.JLIS_MESSAGE_REFUSED: facts.messages_refused,
        Code.JLIS_UPDATE_LOST: facts.lost, Code.JLIS_NUMBER_UNOPENED: facts.unopened,
        Code.JLIS_REPORTED: facts.reported,
    }  # fmt: skip
    return found + [JlisCondition(code, count) for code, count in counted.items() if count]
