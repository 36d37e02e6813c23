"""What a repair proposes: notices the municipality might have sent, as of the notice its snapshot contains.

Decides:    which event puts a difference right, in which order the proposals of one repair are made, and when the
            file as it is now speaks against one.
Leaves:     contract and logical checks, which every proposal has to pass, to the tasks; the tables to the store.
Invariants: a proposal claims no more than the municipality said: 職権 and nothing about why. What a later notice or
            another municipality has said since is never taken back. Nobody is left with a number that another person
            of the same repair is to get.
Source:     measure M11; 施行規則11条 (職権記載等, 職権消除等, 職権修正等, 個人番号の職権修正); ADR-0011, ADR-0022.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa

from juki.columns import NOTICE_COLUMNS, IdentityFile
from juki.dates import JAPAN
from juki.differences import DifferenceKind
from juki.findings import Mask, Rows
from juki.notices import Kind, Reason
from juki.reasons import Code


@dataclass(frozen=True, slots=True)
class ToRepair:
    """One difference that is to be carried out."""

    difference_id: int
    kind: DifferenceKind
    resident_code: str = field(repr=False)
    columns: frozenset[str]
    held_by: str | None
    watermark: int
    reconciliation_id: int


@dataclass(frozen=True, slots=True, repr=False)
class Standing:
    """What the file says of a person now.

    Shape: `record` has RECORD_COLUMNS as text but for the number, of which there are index and ciphertext.
    """

    sender_code: str
    notice_no: int
    is_erased: bool
    record: dict[str, str]
    number_index: bytes | None
    number_sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """As of what the municipality said what it said."""

    sender_code: str
    watermark: int
    as_of: datetime
    last_notice_no: int
    """The last notice of the municipality that was received: a version with a later one is not by a notice."""


@dataclass(frozen=True, slots=True, repr=False)
class Draft:
    """One difference with what is to be said of its person.

    Shape: `record` in RECORD_COLUMNS, all text: the municipality's, or of `extra` our own; `held` the index of the
           number the file has of the person now, `claimed` that of the number in the record; None where none is.
    """

    asked: ToRepair
    record: dict[str, str]
    held: bytes | None = None
    claimed: bytes | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Proposals:
    """The notices of one repair, in the order in which they are to be judged.

    Shape: `table` in NOTICE_COLUMNS, all text; `drafts` has the position of the draft of each row, `is_release` marks
           those that only make a number free. The first `before` rows are to be applied before the rest is judged.
    """

    table: pa.Table
    drafts: Rows
    is_release: Mask
    before: int


def stands_against(asked: ToRepair, snapshot: Snapshot, now: Standing | None) -> Code | None:
    """Tell why a difference is to be left alone, given the file as it is now."""
    is_missing = asked.kind is DifferenceKind.MISSING
    if now is None:
        return None if is_missing else Code.REPAIR_OVERTAKEN
    is_theirs = now.sender_code == snapshot.sender_code
    if is_theirs and snapshot.watermark < now.notice_no <= snapshot.last_notice_no:
        return Code.REPAIR_OVERTAKEN
    if not is_theirs and not now.is_erased and now.sender_code != asked.held_by:
        return Code.REPAIR_TAKEN_OVER
    stands_theirs = is_theirs and not now.is_erased
    return Code.REPAIR_OVERTAKEN if stands_theirs is is_missing else None


def says_the_same(draft: Draft, now: Standing | None) -> bool:
    """Tell whether the file says meanwhile what the municipality says."""
    return (
        now is not None
        and now.number_index == draft.claimed
        and all(
            now.record[name] == value for name, value in draft.record.items() if name != "individual_number"
        )
    )


def propose(file: IdentityFile, snapshot: Snapshot, drafts: Sequence[Draft]) -> Proposals:
    """Make a notice of every draft: deletions and what frees numbers first, then corrections, then entries."""
    kinds = [draft.asked.kind for draft in drafts]
    parts = [
        _positions(kind is DifferenceKind.EXTRA for kind in kinds),
        _to_release(drafts),
        _positions(kind is DifferenceKind.DIFFERS for kind in kinds),
        _positions(kind is DifferenceKind.MISSING for kind in kinds),
    ]
    rows = np.concatenate(parts)
    is_release = np.repeat([False, True, False, False], [len(part) for part in parts])
    said = [
        _notice(file, snapshot, drafts[row], is_release=bool(release))
        for row, release in zip(rows.tolist(), is_release.tolist(), strict=True)
    ]
    columns = {
        name: pa.array([notice.get(name, "") for notice in said], pa.string())
        for name in NOTICE_COLUMNS[file]
    }
    return Proposals(pa.table(columns), rows, is_release, len(parts[0]) + len(parts[1]))


def _positions(marked: Iterable[bool]) -> Rows:
    return np.flatnonzero(np.fromiter(marked, dtype=np.bool_))


def _to_release(drafts: Sequence[Draft]) -> Rows:
    """Find whose number has to be free before another person of the repair can get it.

    Two people with each other's number could not be put right one after the other (ADR-0011): the first would take a
    number still in use. So everybody concerned is left without one first.
    """
    wanted = {draft.claimed for draft in drafts if draft.asked.kind is not DifferenceKind.EXTRA}
    return _positions(
        draft.asked.kind is DifferenceKind.DIFFERS
        and draft.held is not None
        and draft.held != draft.claimed
        and draft.held in wanted
        for draft in drafts
    )


def _notice(file: IdentityFile, snapshot: Snapshot, draft: Draft, *, is_release: bool) -> dict[str, str]:
    as_of = snapshot.as_of.astimezone(JAPAN)
    kind, reason = _event(draft, is_release=is_release)
    said = draft.record | {
        "notice_no": str(snapshot.watermark),
        "notified_at": as_of.isoformat(timespec="seconds"),
        "kind": kind.value,
        "reason": reason.value,
        "event_date": as_of.date().isoformat(),
    }
    if is_release:
        said["individual_number"] = ""
    if kind is Kind.DELETION and file is IdentityFile.RESIDENT:
        # Whose record it is decides where the address is, whatever a row that is to go says of it.
        said["municipality_code"] = snapshot.sender_code
    return said


def _event(draft: Draft, *, is_release: bool) -> tuple[Kind, Reason]:
    """Choose the event that claims least.

    A record of the other kind of resident is corrected as well: that somebody was naturalised or lost the nationality
    nobody has notified, and the correction passes with an alert.
    """
    if draft.asked.kind is DifferenceKind.MISSING:
        return Kind.ENTRY, Reason.ENTERED_EX_OFFICIO
    if draft.asked.kind is DifferenceKind.EXTRA:
        return Kind.DELETION, Reason.DELETED_EX_OFFICIO
    is_of_number = "individual_number" in draft.asked.columns or draft.held != draft.claimed
    if is_of_number and draft.claimed is not None and not is_release:
        return Kind.CORRECTION, Reason.NUMBER_CORRECTED_EX_OFFICIO
    return Kind.CORRECTION, Reason.CORRECTED_EX_OFFICIO
