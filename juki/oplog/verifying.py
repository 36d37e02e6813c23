"""Verifying a log on the spot: all of it, what came since the last checkpoint, or one entry.

Decides:    against which checkpoints each is held, and what is told of it.
Leaves:     the walk to `juki.log_walk`; an auditor who trusts nothing of ours to `verifier/juki_verify.py`.
Invariants: changes nothing. Every checkpoint of every witness is opened when all of the log is verified.
Source:     assessment M8, RFC 6962.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from juki.checkpoints import verify_checkpoint
from juki.errors import JournalError
from juki.log_walk import StoredEntry, Walk, compared
from juki.merkle import Frontier, leaf_hash
from juki.merkle_proofs import inclusion_ranges, is_included, range_roots
from juki.oplog.standing import Alarm, LogPlace, standing_of
from juki.reasons import Code
from juki.store.unit import Unit
from juki.witnesses import Witness


@dataclass(frozen=True, slots=True)
class Verified:
    """What was verified: from which entry to which, the root at the end, and what is wrong."""

    first: int
    last: int
    root: bytes
    checkpoints: int
    """Checkpoints that agree."""
    last_checkpoint: int
    """The size of the newest one that agrees; 0 when there is none."""
    alarms: tuple[Alarm, ...] = ()


@dataclass(frozen=True, slots=True)
class Proved:
    """One entry, and the proof that it is in the tree whose root was signed (or, without checkpoint, in ours)."""

    entry: StoredEntry
    size: int
    root: bytes
    path: tuple[bytes, ...]
    note: bytes = b""
    """The signed checkpoint of that tree."""


@dataclass(slots=True)
class _Collected:
    """The roots that were signed, by size, of the register and of each witness, and what could not be opened."""

    register: dict[int, bytes] = field(default_factory=dict)
    witnesses: dict[int, bytes] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)

    @property
    def sizes(self) -> set[int]:
        return {*self.register, *self.witnesses}


def verify_all(unit: Unit, place: LogPlace) -> Verified:
    """Hold every stored entry to its hashes, and the tree to every checkpoint there is."""
    collected = _collected(unit, place)
    walk = Walk().through(unit.journal_reader.rows(), collected.sizes)
    alarms = [*collected.alarms, *_faults(walk, place, collected)]
    agreeing = [size for size in collected.sizes if _agrees(walk, collected, size)]
    return Verified(
        1, walk.frontier.size, walk.frontier.root, len(agreeing), max(agreeing, default=0),
        tuple(dict.fromkeys(alarms)),
    )  # fmt: skip


def verify_news(unit: Unit, place: LogPlace) -> Verified:
    """Compare the log with the newest checkpoint of each witness, and hold what came since to the hashes."""
    standing = standing_of(unit, place)
    agreed = standing.agreed
    tree = (unit.journal_reader.frontier_at(agreed.size) if agreed else None) or Frontier()
    walk = Walk(tree).through(unit.journal_reader.rows(after=tree.size))
    alarms = list(standing.alarms)
    if walk.fault is not None:
        alarms.append(Alarm(walk.fault.code, f"{place.file.value} {walk.fault.entries}"))
    return Verified(
        tree.size + 1,
        walk.frontier.size,
        walk.frontier.root,
        int(agreed is not None),
        tree.size,
        tuple(alarms),
    )


def prove_entry(unit: Unit, place: LogPlace, entry_no: int) -> Proved:
    """Prove that an entry is in the log as it was signed, by the first checkpoint that covers it.

    Raises: JournalError(LOG_ENTRY_UNKNOWN), JournalError(JOURNAL_BROKEN) when the proof does not hold.
    """
    reader = unit.journal_reader
    entry = next(reader.rows(after=entry_no - 1, up_to=entry_no), None)
    if entry_no < 1 or entry is None:
        raise JournalError(Code.LOG_ENTRY_UNKNOWN, f"{place.file.value} {entry_no}")
    covering = next((one for one in unit.checkpoints.all() if one.size >= entry_no), None)
    note = covering.note if covering else b""
    if covering is not None:
        signed = verify_checkpoint(note, place.keys, place.origin)
        size, root = signed.size, signed.root
    else:
        size = reader.size()
        root = (reader.frontier_at(size) or Frontier()).root
    leaf = leaf_hash(entry.entry.encode())
    try:
        path = range_roots(reader.leaves(size), inclusion_ranges(entry_no - 1, size))
    except ValueError:
        path = []
    if not is_included(entry_no - 1, size, leaf, root, path):
        raise JournalError(Code.JOURNAL_BROKEN, f"{place.file.value} {entry_no}")
    return Proved(entry, size, root, tuple(path), note)


def _collected(unit: Unit, place: LogPlace) -> _Collected:
    """Open every checkpoint there is of a log."""
    collected = _Collected()
    registered = unit.checkpoints.all()
    for signed in registered:
        try:
            opened = verify_checkpoint(signed.note, place.keys, place.origin)
            collected.register[opened.size] = opened.root
        except JournalError as error:
            collected.alarms.append(Alarm(error.code, f"{place.file.value} {signed.size}"))
    for witness in place.folders:
        given = {signed.size for signed in registered if witness.name in signed.written_to}
        _collect(collected, place, witness, given)
    return collected


def _collect(collected: _Collected, place: LogPlace, witness: Witness, given: set[int]) -> None:
    """Open every checkpoint of one witness, and name the first that it was given and has no more."""
    try:
        sizes = witness.sizes()
    except JournalError as error:
        collected.alarms.append(Alarm(error.code, error.ref))
        return
    if lost := sorted(given.difference(sizes)):
        ref = f"{witness.root.name} {place.file.value} {lost[0]}"
        collected.alarms.append(Alarm(Code.WITNESS_INCOMPLETE, ref))
    for size in sizes:
        try:
            root = witness.checkpoint(size, place.keys).root
        except JournalError as error:
            collected.alarms.append(Alarm(error.code, error.ref))
            continue
        if collected.witnesses.setdefault(size, root) != root:
            collected.alarms.append(
                Alarm(Code.JOURNAL_FORKED, f"{witness.root.name} {place.file.value} {size}")
            )


def _faults(walk: Walk, place: LogPlace, collected: _Collected) -> list[Alarm]:
    """Name what is wrong with the entries, and where they disagree with the register and with the witnesses."""
    faults = (
        walk.fault,
        compared(walk, collected.register, Code.JOURNAL_ROLLED_BACK),
        compared(walk, collected.witnesses, Code.JOURNAL_BEHIND_WITNESS),
    )
    return [Alarm(one.code, f"{place.file.value} {one.entries}") for one in faults if one is not None]


def _agrees(walk: Walk, collected: _Collected, size: int) -> bool:
    roots = {kept[size] for kept in (collected.register, collected.witnesses) if size in kept}
    return roots == {walk.roots.get(size)}
