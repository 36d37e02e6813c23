"""Signing a checkpoint: only what continues everything that was signed before, and only where it is kept outside.

Decides:    the order: compare, walk what is new, prove that it continues the last checkpoint, sign, write outside,
            note in the register.
Leaves:     what disagrees to `juki.oplog.standing`.
Invariants: nothing is signed that does not continue every checkpoint at hand. The new entries themselves are hashed,
            not the hashes stored beside them. A checkpoint is written to a witness before the register says so:
            whoever dies between finds it there and goes on. Without news nothing is signed, but a witness that lacks
            the last checkpoint is given it.
Source:     c2sp.org/tlog-checkpoint ("a log MUST NOT sign any checkpoint which is inconsistent with any checkpoint it
            previously signed"); RFC 6962 2.1.2; ADR-0030.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from juki.checkpoints import Checkpoint, sign_checkpoint
from juki.errors import JournalError, JukiError
from juki.log_walk import Walk
from juki.merkle import Frontier, leaf_hash
from juki.merkle_proofs import consistency_proof, is_consistent
from juki.oplog.standing import Alarm, LogPlace, Standing, standing_of
from juki.reasons import Code
from juki.store.checkpoints import Signed
from juki.store.unit import Unit, open_unit
from juki.witnesses import Witness


@dataclass(frozen=True, slots=True)
class Signing:
    """What came of it: the checkpoint that is the newest now, whether it is new, and what is wrong."""

    size: int
    is_new: bool
    alarms: tuple[Alarm, ...] = ()


def has_news(unit: Unit) -> bool:
    """Tell by two look-ups whether the log is other than the register of checkpoints knows it."""
    last = unit.checkpoints.last()
    return unit.journal_reader.size() != (last.size if last else 0)


def sign_log(
    url: str, place: LogPlace, signing_key: Callable[[], Ed25519PrivateKey], at: datetime
) -> Signing:
    """Sign the log of a store in a transaction of its own; whatever fails is among the alarms."""
    try:
        with open_unit(url, place.file) as unit:
            return sign_news(unit, place, signing_key, at)
    except JukiError as error:
        return Signing(0, False, (Alarm(error.code, error.ref or place.file.value),))


def sign_news(
    unit: Unit, place: LogPlace, signing_key: Callable[[], Ed25519PrivateKey], at: datetime
) -> Signing:
    """Sign the log as it stands, when there is news and nothing stands against it.

    `signing_key` is asked only when something is signed.
    """
    if not unit.checkpoints.lock():
        return Signing(0, is_new=False)
    standing = standing_of(unit, place)
    if not standing.may_sign or not standing.size:
        return Signing(_size(standing.agreed), False, standing.alarms)
    walk = _walked(unit, standing)
    if walk.fault is not None:
        alarm = Alarm(walk.fault.code, f"{place.file.value} {walk.fault.entries}")
        return Signing(_size(standing.agreed), False, (*standing.alarms, alarm))
    if standing.last is not None and standing.last.size == walk.frontier.size:
        return _given_to_all(unit, place, standing, standing.last)
    return _signed(unit, place, standing, walk.frontier, signing_key(), at)


def _walked(unit: Unit, standing: Standing) -> Walk:
    """Hash what came after the newest checkpoint that agrees, and see that the log proves to continue it."""
    base = _tree(unit, standing.agreed)
    walk = Walk(base).through(unit.journal_reader.rows(after=base.size, up_to=standing.size))
    if walk.fault is None and base.size:
        size, news = walk.frontier.size, unit.journal_reader.rows(after=base.size, up_to=standing.size)
        proof = consistency_proof(base, (leaf_hash(row.entry.encode()) for row in news), size)
        if not is_consistent(base.size, size, base.root, walk.frontier.root, proof):
            raise JournalError(Code.JOURNAL_FORKED, f"{unit.file.value} {size}")
    return walk


def _tree(unit: Unit, agreed: Checkpoint | None) -> Frontier:
    if agreed is None:
        return Frontier()
    tree = unit.journal_reader.frontier_at(agreed.size)
    if tree is None or tree.root != agreed.root:
        raise JournalError(Code.JOURNAL_FORKED, f"{unit.file.value} {agreed.size}")
    return tree


def _signed(
    unit: Unit, place: LogPlace, standing: Standing, tree: Frontier, key: Ed25519PrivateKey, at: datetime
) -> Signing:
    existing = _existing(standing.reached, tree.size)
    note = existing or sign_checkpoint(Checkpoint(place.origin, tree.size, tree.root), key)
    written, alarms = _write(standing.reached, tree.size, note)
    alarms = (*standing.alarms, *alarms)
    if not written:
        return Signing(_size(standing.agreed), False, alarms)
    unit.checkpoints.add(Signed(tree.size, tree.root, note, at, written))
    return Signing(tree.size, True, alarms)


def _existing(witnesses: Sequence[Witness], size: int) -> bytes | None:
    """Find the note of this size a run has written that died before it could note it; it was found to agree."""
    return next((note for one in witnesses if (note := one.read(size)) is not None), None)


def _given_to_all(unit: Unit, place: LogPlace, standing: Standing, last: Signed) -> Signing:
    """Give the last checkpoint to the witnesses that were never given it: new ones, and those that were away."""
    lacking = [one for one in standing.reached if one.name not in last.written_to]
    written, alarms = _write(lacking, last.size, last.note)
    if written:
        unit.checkpoints.written(last.size, [*last.written_to, *written])
    return Signing(last.size, False, (*standing.alarms, *alarms))


def _write(witnesses: Sequence[Witness], size: int, note: bytes) -> tuple[tuple[str, ...], tuple[Alarm, ...]]:
    """Write a checkpoint to each witness; one that can not be written to does not keep the others from it."""
    written, alarms = list[str](), list[Alarm]()
    for witness in witnesses:
        try:
            witness.write(size, note)
            written.append(witness.name)
        except JournalError as error:
            alarms.append(Alarm(error.code, error.ref))
    return tuple(written), tuple(alarms)


def _size(checkpoint: Checkpoint | None) -> int:
    return checkpoint.size if checkpoint else 0
