"""The operation log (操作ログ): what an entry says, and the bytes that are hashed.

Decides:    the fields of an entry and their canonical form.
Leaves:     the transaction to `juki.store.journal`, the tree to `juki.merkle`.
Invariants: an entry is one line of canonical JSON (sorted keys, no spaces, UTF-8); it carries codes, counts
            and keyed or sealed subjects, never a personal value; its number is part of it, so entries can
            not be swapped.
Source:     assessment M8, design 5, ADR-0005.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from juki.columns import IdentityFile
from juki.reasons import Code

FORMAT = "juki-journal/1"


class Action(StrEnum):
    """What was done; never renamed, since old entries keep the word."""

    PACKAGE_APPLIED = "package.applied"
    PACKAGE_REFUSED = "package.refused"
    PACKAGE_REPEATED = "package.repeated"
    PACKAGE_CONFLICT = "package.conflict"
    PACKAGE_RELEASED = "package.released"
    PACKAGE_RETRIED = "package.retried"
    RECORDS_RETRIED = "records.retried"
    RECORDS_JUDGED_AGAIN = "records.judged_again"
    RECORDS_REPAIRED = "records.repaired"
    """What a comparison found was put right by proposed notices."""
    PACKAGE_REPLACED = "package.replaced"
    """A waiting package gave its place up: another file of its sequence came, or its own was lost."""
    PACKAGE_CLOSED = "package.closed"
    """The records refused of an applied package were dealt with."""
    CONNECTION_REFUSED = "connection.refused"
    """A CS did not prove itself, or did not let us in."""
    RECEIPT_DELIVERED = "receipt.delivered"
    SNAPSHOT_REQUESTED = "snapshot.requested"
    SNAPSHOT_REFUSED = "snapshot.refused"
    """A part of a snapshot was not what it should be, and was left out."""
    FILES_COMPARED = "files.compared"
    """A file was compared with what a municipality holds (M11)."""
    DIGESTS_COMPARED = "digests.compared"
    """A file was compared with a municipality's digests: equal, or a snapshot has to say where not (M11)."""
    RECONCILIATION_ENDED = "reconciliation.ended"
    REPAIRS_HELD_BACK = "repairs.held_back"
    """More would have been changed than one approval covers."""
    REPORT_DELIVERED = "report.delivered"
    DIFFERENCES_PROPOSED = "differences.proposed"
    DIFFERENCES_APPROVED = "differences.approved"
    DIFFERENCES_ACCEPTED = "differences.accepted"
    BOUND_APPROVED = "bound.approved"
    """Changes beyond the bound were approved, up to the number they were."""
    STORE_INSTALLED = "store.installed"
    REQUEST_RECEIVED = "request.received"
    PROVISION_DECIDED = "provision.decided"
    """What the law gives was granted, or the request refused."""
    PEOPLE_SEARCHED = "people.searched"
    """People were looked for; found or not, it is told that it was done."""
    PERSON_PROVIDED = "person.provided"
    """Data of one person left, or was made ready to leave."""
    BRIDGE_CROSSED = "bridge.crossed"
    """Codes of one approved provision were turned into numbers across the stores (法30条の44の6第3項)."""
    PROVISION_SEALED = "provision.sealed"
    PROVISION_DELIVERED = "provision.delivered"
    PROVISION_RESENT = "provision.resent"
    PROVISION_RECEIPTED = "provision.receipted"
    HOLD_PURGED = "hold.purged"
    """The proof that a held package and its numbers are erased (M12)."""
    HOLD_SWEPT = "hold.swept"
    """A key or a copy that no hold is for was taken away."""
    DELIVERY_WITHDRAWN = "delivery.withdrawn"
    """What was erased before lies in the folder of its recipient no more."""
    REQUEST_ERASED = "request.erased"
    """The request of an answered or refused provision has come to the end of its keeping."""
    QUARANTINE_ERASED = "quarantine.erased"
    """A refused file of a recipient has come to the end of its keeping."""
    RECORDS_ERASED = "records.erased"
    """Versions whose 150 years are over were erased (M14), and what hung on them."""
    PURGE_STOPPED = "purge.stopped"
    """The clock is not to be trusted: nothing was erased until a person decides."""
    CLOCK_CONFIRMED = "clock.confirmed"
    """Somebody vouches for the clock, so that a purge may go on."""
    PROVISION_HANDED_OVER = "provision.handed_over"
    """A delivered package was put on a registered medium."""
    RECEIPT_REFUSED = "receipt.refused"
    """What came as the receipt of a provision is none."""
    MEDIUM_REGISTERED = "medium.registered"
    MEDIUM_HANDED_OUT = "medium.handed_out"
    MEDIUM_RETURNED = "medium.returned"
    MEDIUM_RETIRED = "medium.retired"
    JLIS_FORMED = "jlis.formed"
    """Updates were put into one package for J-LIS, with their numbers (法30条の7, 30条の42)."""
    JLIS_DELIVERED = "jlis.delivered"
    JLIS_ACKNOWLEDGED = "jlis.acknowledged"
    JLIS_REFUSED = "jlis.refused"
    """J-LIS did not take a package; it is delivered again."""
    JLIS_RESENT = "jlis.resent"
    JLIS_MESSAGE_REFUSED = "jlis.message_refused"
    """A file that claims to come from J-LIS was not what it should be, and was kept."""
    JLIS_MESSAGE_CLOSED = "jlis.message_closed"
    JLIS_REPORT_TAKEN = "jlis.report_taken"
    """J-LIS told of errors in what we hold; differences were opened (法30条の8, 30条の43)."""
    OPERATOR_REGISTERED = "operator.registered"
    OPERATOR_CHANGED = "operator.changed"
    """Name, roles, terminals or days of an operator changed."""
    OPERATOR_REMOVED = "operator.removed"
    OPERATOR_LOCKED = "operator.locked"
    """An operator may not act until two administrators let him: by hand, or after too many refusals."""
    OPERATOR_UNLOCKED = "operator.unlocked"
    OPERATOR_REFUSED = "operator.refused"
    """Somebody wanted to act and was not let: the assertion, the operator or the role was not what it must be."""
    RUN_STARTED = "run.started"
    """An operator started by hand what otherwise runs by the clock."""
    ACT_BEGUN = "act.begun"
    """An operator begins an act in both stores, or beyond them: his assertion is used up before anything is done."""
    ACT_IDLE = "act.idle"
    """What an operator did changed nothing and had no entry of its own: his assertion is used up all the same."""
    INFECTION_CLOSED = "infection.closed"
    """Somebody noted that the infected files refused so far were dealt with (M10)."""
    PERSON_SEARCHED = "person.searched"
    """Somebody at our own desk looked for people, found or not."""
    PERSON_LISTED = "person.listed"
    """One person was among those such a search showed."""
    PERSON_VIEWED = "person.viewed"
    """Somebody at our own desk looked at one person's record."""
    DISCLOSURE_RECEIVED = "disclosure.received"
    """A person asked what is held of them, or that it be corrected (法30条の32, 30条の35)."""
    DISCLOSURE_EXTENDED = "disclosure.extended"
    """A person was told why it takes longer, and until when (法30条の33第2項)."""
    DISCLOSURE_CLOSED = "disclosure.closed"
    PERSON_DISCLOSED = "person.disclosed"
    """A document with a person's own record was made for them."""
    LOG_SEARCHED = "log.searched"
    """Somebody looked into this log."""
    LOG_EXPORTED = "log.exported"
    """A copy of this log was made for whoever checks it."""
    COPY_BEGUN = "copy.begun"
    """A copy of what is kept begins; this stands before anything is copied (M9)."""
    COPY_MADE = "copy.made"
    """A copy is complete: what, how much, where to, for whom."""
    COPY_REFUSED = "copy.refused"
    """A copy was not begun, or broken off; what was written of it was removed."""
    LOG_KEY_ROTATED = "log.key_rotated"
    """Checkpoints of this log are signed with a new key from here on."""
    ALARM_RAISED = "alarm.raised"
    """Something about the schedules or the site needs somebody, and was told."""

    QUALITY_CHECKED = "quality.checked"
    """The tables of a file were checked as a whole."""
    QUALITY_ACCEPTED = "quality.accepted"
    """What a check found was let stand."""
    REVIEW_DONE = "review.done"
    """How people used the system was looked through, in a stretch of both logs."""
    REVIEW_ACKNOWLEDGED = "review.acknowledged"
    """Findings of a review were looked into."""


class Outcome(StrEnum):
    """How it ended; refusals are recorded like acts."""

    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Authentication:
    """The assertions an act rests on, that of who acts and then that of who approves, and the act they are used for.

    The log keeps their ids. An id is used for one act only: the store refuses it under another `act_id`.
    """

    act_id: str
    assertions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation: who (operator id or run id), what, on which package, with what result."""

    action: Action
    file: IdentityFile
    outcome: Outcome
    actor: str = ""
    municipality_code: str = ""
    package: str = ""
    package_id: int | None = None
    code: Code | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    changes_digest: str = ""
    number_accessed: bool = False
    terminal: str = ""
    basis: str = ""
    provision: str = ""
    """The provision it is about, as `R12` or `F12`."""
    recipient: str = ""
    subject: str = ""
    """Whose record, sealed, for whoever holds the key of subjects."""
    subject_index: str = ""
    """The same, keyed: equal for equal people, and readable by nobody."""
    due_at: str = ""
    """When a hold had come to its end; when it was erased is the instant of the entry."""
    medium: str = ""
    """The medium it is about, as `R3` or `F3`."""
    authentication: Authentication | None = None
    """What an operator proved before the act."""
    approver: str = ""
    """The second operator, where one may not act alone."""
    operator: str = ""
    """The operator it is about, where the register of operators changes."""
    change: str = ""
    """What of it changes, in words of the register."""


def instant_text(at: datetime) -> str:
    """Write an instant as entries do: in UTC, to the microsecond, so that texts sort as instants do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def canonical_bytes(entry: Entry, entry_no: int, recorded_at: datetime) -> bytes:
    """Write an entry as the bytes that are stored and hashed.

    Units: entry_no counts from 1; recorded_at is aware and written in UTC to the microsecond.
    """
    fields = {
        "format": FORMAT,
        "entry_no": entry_no,
        "recorded_at": instant_text(recorded_at),
        "actor": entry.actor,
        "terminal": entry.terminal,
        "action": entry.action.value,
        "file": entry.file.value,
        "municipality_code": entry.municipality_code,
        "package": entry.package,
        "package_id": entry.package_id,
        "basis": entry.basis,
        "counts": dict(entry.counts),
        "changes_digest": entry.changes_digest,
        "number_accessed": entry.number_accessed,
        "outcome": entry.outcome.value,
        "code": entry.code.value if entry.code else "",
    }
    # Later keys stand only where they say something, so that the bytes of older kinds of entries stay as they were.
    later = (
        "provision", "recipient", "subject", "subject_index", "due_at", "medium", "approver", "operator", "change",
    )  # fmt: skip
    fields |= {name: getattr(entry, name) for name in later if getattr(entry, name)}
    if entry.authentication is not None:
        fields["assertions"] = list(entry.authentication.assertions)
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
