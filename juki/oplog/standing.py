"""How a log stands against what was signed of it: the witnesses asked, and every disagreement named.

Decides:    which checkpoints count (the newest of each witness and of the register), and what each disagreement is.
Leaves:     the whole log against every checkpoint to `juki.oplog.verifying`, signing to `juki.oplog.signing`.
Invariants: quick, for it is asked at every run and on every status page: a few rows are read. A tree stored beside an
            entry is believed only where it gives the root that was signed.
Source:     assessment M8, ADR-0030.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from juki.checkpoints import Checkpoint, VerifierKey, verify_checkpoint
from juki.columns import IdentityFile
from juki.errors import JournalError
from juki.log_walk import entries_named
from juki.reasons import Code, Severity
from juki.store.checkpoints import Signed
from juki.store.unit import Unit
from juki.witnesses import Witness


@dataclass(frozen=True, slots=True)
class LogPlace:
    """One log with what is known of it outside the database: its name, its public keys, its witnesses."""

    file: IdentityFile
    origin: str
    keys: Sequence[VerifierKey]
    folders: Sequence[Witness]


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong: the code, and where (the store and the entries, or the witness)."""

    code: Code
    ref: str

    @property
    def forbids_signing(self) -> bool:
        """Tell whether nothing may be signed before somebody has looked."""
        return self.code.severity is Severity.ERROR


@dataclass(frozen=True, slots=True)
class Standing:
    """What was found: the alarms, the newest checkpoint that agrees, the register's last row, who lacks what."""

    size: int
    alarms: tuple[Alarm, ...]
    agreed: Checkpoint | None
    last: Signed | None
    reached: tuple[Witness, ...]
    """The witnesses that can be read and written."""

    @property
    def may_sign(self) -> bool:
        """Tell whether nothing stands against a new checkpoint."""
        return not any(alarm.forbids_signing for alarm in self.alarms)


def standing_of(unit: Unit, place: LogPlace) -> Standing:
    """Compare the end of a log with the newest checkpoints of it, wherever they lie."""
    size, alarms, agreed = unit.journal_reader.size(), list[Alarm](), list[Checkpoint]()
    last, reached = unit.checkpoints.last(), list[Witness]()
    if last is not None:
        try:
            newest = verify_checkpoint(last.note, place.keys, place.origin)
            alarms += _disagreement(unit, place, newest, size, Code.JOURNAL_ROLLED_BACK, agreed)
        except JournalError as error:
            alarms.append(Alarm(error.code, error.ref))
    for witness in place.folders:
        try:
            sizes = witness.sizes()
            reached.append(witness)
            given = unit.checkpoints.last_written_to(witness.name)
            if given and given not in sizes:
                alarms.append(
                    Alarm(Code.WITNESS_INCOMPLETE, f"{witness.root.name} {place.file.value} {given}")
                )
            if sizes:
                newest = witness.checkpoint(sizes[-1], place.keys)
                alarms += _disagreement(unit, place, newest, size, Code.JOURNAL_BEHIND_WITNESS, agreed)
        except JournalError as error:
            alarms.append(Alarm(error.code, error.ref))
    best = max(agreed, key=lambda one: one.size, default=None)
    return Standing(size, tuple(dict.fromkeys(alarms)), best, last, tuple(reached))


def _disagreement(
    unit: Unit, place: LogPlace, signed: Checkpoint, size: int, shorter: Code, agreed: list[Checkpoint]
) -> list[Alarm]:
    """Name how the log differs from a checkpoint; one it agrees with is added to those that count."""
    if signed.size > size:
        return [Alarm(shorter, f"{place.file.value} {entries_named(size + 1, signed.size)}")]
    tree = unit.journal_reader.frontier_at(signed.size)
    if tree is None or tree.root != signed.root:
        return [Alarm(Code.JOURNAL_FORKED, f"{place.file.value} {signed.size}")]
    agreed.append(signed)
    return []
