"""The order of a channel: which files to fetch, which package is next, what a gap is.

Decides:    from the listing of an outbox and from what is registered, what is new; from the last applied
            sequence and the waiting packages, what happens next (spec/packages.md section 2).
Leaves:     fetching to `juki.wire`, applying to the tasks.
Invariants: packages of a channel are applied in sequence without gaps; a sequence is applied at most once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from juki.columns import IdentityFile
from juki.reasons import Code


class PackageState(StrEnum):
    """What has become of a file that was fetched."""

    RECEIVED = "received"
    """Waits for its turn."""
    APPLIED = "applied"
    REFUSED = "refused"
    """Not accepted as a whole; the sequence is still expected."""
    REPEATED = "repeated"
    """The same as an applied one; the receipt was given again."""
    CONFLICT = "conflict"
    """Same sequence as an applied one, other content: an incident, the channel is stopped."""
    RELEASED = "released"
    """An operator has decided: an incident, or a package whose turn does not come."""
    REPLACED = "replaced"
    """A newer file of the same sequence came before its turn."""

    @property
    def japanese(self) -> str:
        """The state in the words of screens."""
        return {
            "received": "受信済（待ち）", "applied": "適用済", "refused": "拒否", "repeated": "再送（適用済）",
            "conflict": "事故（停止中）", "released": "解除済", "replaced": "差替え",
        }[self.value]  # fmt: skip


class PackageKind(StrEnum):
    """Who made a package."""

    NOTICE = "notice"
    """The municipality: a file that was fetched."""
    REPAIR = "repair"
    """This prefecture, of what a comparison found: proposed notices in the municipality's name."""

    @property
    def japanese(self) -> str:
        """The kind in the words of screens."""
        return {"notice": "通知", "repair": "修復"}[self.value]


@dataclass(frozen=True, slots=True, order=True)
class Channel:
    """One municipality and one file: what is ordered, locked and watched on its own."""

    municipality_code: str
    file: IdentityFile

    def __str__(self) -> str:
        return f"{self.municipality_code}-{self.file.value}"


@dataclass(frozen=True, slots=True)
class FileMark:
    """What tells one file in an outbox from another of the same name: its size and time."""

    name: str
    size: int
    modified_at: datetime


class Step(StrEnum):
    """What happens next in a channel."""

    STOPPED = "stopped"
    ANSWER = "answer"
    """A package of an applied sequence came again: compare and answer."""
    APPLY = "apply"
    WAIT = "wait"
    """Packages are here, but an earlier one is missing."""
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Next:
    """The next step of a channel and the sequence it is about (for `WAIT`: the one that is missing)."""

    step: Step
    sequence: int


def new_files(listed: Iterable[FileMark], registered: Iterable[FileMark]) -> list[FileMark]:
    """Tell which files of an outbox were not fetched yet, in the order given.

    A file that was written again has another time or size; then it is fetched again and compared.
    """
    known = set(registered)
    return [mark for mark in listed if mark not in known]


def next_step(last_sequence: int, received: Sequence[int], *, is_stopped: bool) -> Next:
    """Decide the next step from the last applied sequence and the sequences that wait.

    Source: spec/packages.md section 2: repeats are answered, a gap makes later packages wait.
    """
    if is_stopped:
        return Next(Step.STOPPED, last_sequence)
    waiting = sorted(received)
    if not waiting:
        return Next(Step.IDLE, last_sequence)
    if waiting[0] <= last_sequence:
        return Next(Step.ANSWER, waiting[0])
    if waiting[0] == last_sequence + 1:
        return Next(Step.APPLY, waiting[0])
    return Next(Step.WAIT, last_sequence + 1)


def counts_from(received_at: datetime, last_received_at: datetime | None) -> datetime:
    """Tell since when a package counts as received: when it and all before it in its channel had arrived.

    So the days of a history do not depend on when a gap happened to be closed, and never run backwards.
    """
    return received_at if last_received_at is None else max(received_at, last_received_at)


def gap_code(gap_since: datetime | None, now: datetime, deadline: timedelta) -> Code | None:
    """Name the condition of a gap: none, waiting within its deadline, or overdue."""
    if gap_since is None:
        return None
    return Code.CHANNEL_GAP_OVERDUE if now - gap_since > deadline else Code.CHANNEL_GAP
