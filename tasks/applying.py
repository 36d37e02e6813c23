"""Judge notices, apply them, and write down what that did: one way for packages, second judgings and repairs.

Decides:    nothing of its own: the core judges, the store writes.
Invariants: what is applied, what J-LIS is to be told of it and the journal entry that says so are of one transaction.
            The entry is bound to what every notice did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from juki.decisions import Effect
from juki.findings import Finding, Findings, Mask
from juki.identity import Plan, plan_changes
from juki.journal import Entry
from juki.known import Known, Notices, Numbers, indexed
from juki.receipts import verdict_counts, verdict_numbers
from juki.store.unit import Unit
from juki.unchanged import of_whole, part_of
from juki.versions import Origin
from tasks import clock
from tasks.workshop import Keyring

Judge = Callable[[Unit, Notices, bytes], tuple[Notices, Known, Plan]]
"""Judges notices, and gives them back with the numbers indexed, by this key, of those that were judged."""


@dataclass(frozen=True, slots=True, repr=False)
class Carried:
    """Notices that were judged and applied: what each of them did, and everything that was found on them."""

    notices: Notices
    effects: Numbers
    findings: Findings

    def where(self, effect: Effect) -> Mask:
        """Mark the notices with one effect."""
        mask: Mask = self.effects == effect
        return mask

    @property
    def verdicts(self) -> Numbers:
        """The verdict of each notice."""
        return verdict_numbers(self.effects, self.findings)

    @property
    def counts(self) -> dict[str, int]:
        """Notices by verdict."""
        return verdict_counts(self.verdicts)

    @property
    def codes(self) -> dict[str, int]:
        """Notices by code found on them."""
        return self.findings.codes()


def judge(unit: Unit, notices: Notices, index_key: bytes) -> tuple[Notices, Known, Plan]:
    """Judge the notices against the file; what only says again what stands needs neither index nor judging."""
    changing = np.delete(np.arange(len(notices)), unit.identities.unchanged(notices))
    notices = indexed(notices, changing, index_key)
    part = notices if len(changing) == len(notices) else part_of(notices, changing)
    known = unit.identities.known(part)
    return notices, known, of_whole(plan_changes(part, known), changing, len(notices))


def carry_out(
    unit: Unit,
    notices: Notices,
    findings: Findings,
    origin: Origin,
    keys: Keyring,
    judged_by: Judge = judge,
) -> Carried:
    """Judge notices held to their contract and apply what may be applied."""
    notices, known, plan = judged_by(unit, notices, keys.index)
    unit.identities.apply(notices, known, plan, origin, keys.number)
    return Carried(notices, plan.effects, findings + plan.findings)


def record_changes(unit: Unit, entry: Entry, carried: Carried, told: list[int] | None = None) -> int:
    """Let J-LIS be told of what was applied, and add the journal entry; return its number.

    `told` names the notices where they are not all that the package changed. A late notice is kept as history only:
    the file as J-LIS knows it has not changed (法30条の7, 30条の42).
    """
    at, changes = clock.now(), int(carried.where(Effect.APPLY).sum())
    if entry.package_id is None:
        raise ValueError("changes have a package")
    unit.put_in_outbox(entry.package_id, changes, at, told)
    counted = replace(entry, counts=dict(entry.counts) | carried.counts | carried.codes)
    return unit.journal.append(with_changes(counted, carried), at)


def joined(parts: list[Carried]) -> Carried:
    """See notices carried out in several parts of one package as one."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0].notices
    starts = np.cumsum([0, *(len(part.notices) for part in parts)])
    names = ("digests", "number_indexes", "previous_number_indexes", "notified_at", "made_at", "admitted")
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part.notices, name) for part in parts]) for name in names
    }
    groups = tuple(
        Finding(one.code, one.column, one.rows + start)
        for part, start in zip(parts, starts[:-1], strict=True)
        for one in part.findings.groups
    )
    table = pa.concat_tables([part.notices.table for part in parts])
    return Carried(
        replace(first, table=table, **arrays),
        np.concatenate([part.effects for part in parts]),
        Findings(int(starts[-1]), groups),
    )


def with_changes(entry: Entry, carried: Carried) -> Entry:
    """Bind the entry to what every notice did: number, effect and digest of its record, in order."""
    numbers = np.array(carried.notices.table.column("notice_no").to_pylist(), dtype="S16")
    digest = hashlib.sha256()
    for column in (numbers, carried.effects, carried.notices.digests):
        digest.update(np.ascontiguousarray(column).tobytes())
    return replace(entry, changes_digest=digest.hexdigest())
