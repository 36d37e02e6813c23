"""What a person may decide about differences: propose, approve, accept, let many changes pass.

Decides:    that nobody approves what he himself had proposed, or let begin (M7).
Leaves:     which decision a difference allows to `juki.store.differences`, carrying repairs out to the flow.
Invariants: a decision and its journal entry commit together. A run that would change more than the bound is let pass
            up to the number of changes that was seen, and only if no other was to change anything since.
Source:     measure M11, M8, ADR-0022.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime

from juki.acts.site import Site
from juki.columns import IdentityFile
from juki.errors import DeniedError, JukiError
from juki.journal import Action, Entry, Outcome
from juki.order import Channel
from juki.package_id import PackageId
from juki.reason_text import checked_reason
from juki.reasons import Code
from juki.store.reconciliations import Reconciliation
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit


def propose(site: Site, channels: Sequence[Channel], at: datetime) -> int:
    """Make a proposal of every open difference of these channels that may be repaired; count them."""
    proposed = 0
    for channel in channels:
        with _acting_on(site, channel.file) as unit:
            count = unit.differences.propose(channel.municipality_code, site.acting.actor)
            if count:
                action, counts = Action.DIFFERENCES_PROPOSED, {"differences": count}
                entry = _entry(site, action, channel.file, counts, municipality=channel.municipality_code)
                unit.journal.append(entry, at)
        proposed += count
    return proposed


def approve(site: Site, ids: Sequence[PackageId], at: datetime) -> int:
    """Approve the repair of some differences; count those that were not approved before.

    Raises: JukiError(DIFFERENCE_UNKNOWN, DIFFERENCE_STATE, DIFFERENCE_NO_REPAIR); then none of them is.
            DeniedError(OPERATOR_SELF_APPROVAL) when the operator proposed one of them himself.
    """

    def approved(unit: Unit, numbers: Sequence[int]) -> int:
        if site.acting.operator_id and unit.differences.any_proposed_by(numbers, site.acting.actor):
            raise DeniedError(Code.OPERATOR_SELF_APPROVAL)
        return unit.differences.approve(numbers, site.acting.actor, at)

    return _decided(site, ids, Action.DIFFERENCES_APPROVED, "", at, approved)


def accept(site: Site, ids: Sequence[PackageId], reason: str, at: datetime) -> int:
    """Let some differences stay as they are; count those that were not accepted before.

    Raises: ConfigurationError(REASON_TEXT_FORM), JukiError(DIFFERENCE_UNKNOWN, DIFFERENCE_STATE); then none is.
    """
    basis = checked_reason(reason)
    return _decided(
        site, ids, Action.DIFFERENCES_ACCEPTED, basis, at,
        lambda unit, numbers: unit.differences.accept(numbers, site.acting.actor, basis, at),
    )  # fmt: skip


def approve_run(site: Site, run: PackageId, at: datetime) -> Reconciliation:
    """Let the next run of a channel make as many changes as its last one was stopped for.

    Raises: JukiError(RECONCILIATION_NOT_FOUND), JukiError(RECONCILIATION_NOTHING_BEYOND) when this is not the last
            run of its channel that was to change something, or it was not stopped; that others have only compared
            since does no harm. DeniedError(OPERATOR_SELF_APPROVAL) when the operator had it run himself.
    """
    with _acting_on(site, run.file) as unit:
        wanted = unit.reconciliations.by_id(run.number)
        code = wanted.channel.municipality_code
        last = unit.reconciliations.last_to_change(code)
        if last is None or last.reconciliation_id != run.number or not last.beyond_bound:
            raise JukiError(Code.RECONCILIATION_NOTHING_BEYOND, str(run))
        if site.acting.operator_id and last.was_started_by(site.acting.actor):
            raise DeniedError(Code.OPERATOR_SELF_APPROVAL)
        if last.approved_at is None:
            unit.reconciliations.approve(run.number, site.acting.actor, at)
            changes = {"changes": last.beyond_bound}
            entry = _entry(site, Action.BOUND_APPROVED, run.file, changes, municipality=code, change=str(run))
            unit.journal.append(entry, at)
        return unit.reconciliations.by_id(run.number)


def _decided(
    site: Site, ids: Sequence[PackageId], action: Action, basis: str, at: datetime,
    decide: Callable[[Unit, Sequence[int]], int],
) -> int:  # fmt: skip
    """Decide in both stores before either commits: what is refused in one is done in none."""
    decided = 0
    with ExitStack() as stores:
        for file, numbers in _by_file(ids).items():
            unit = stores.enter_context(_acting_on(site, file))
            if count := decide(unit, numbers):
                named = " ".join(str(PackageId(file, number)) for number in numbers)
                entry = _entry(site, action, file, {"differences": count}, basis, change=named)
                unit.differences.decided_in(numbers, unit.journal.append(entry, at))
            decided += count
    return decided


def _acting_on(site: Site, file: IdentityFile) -> AbstractContextManager[Unit]:
    return open_unit(site.urls[file], file, Duty.ADMINISTRATOR)


def _by_file(ids: Sequence[PackageId]) -> Mapping[IdentityFile, list[int]]:
    return {
        file: numbers
        for file in IdentityFile
        if (numbers := sorted({one.number for one in ids if one.file is file}))
    }


def _entry(
    site: Site,
    action: Action,
    file: IdentityFile,
    counts: Mapping[str, int],
    basis: str = "",
    municipality: str = "",
    change: str = "",
) -> Entry:
    return site.acting.signed(Entry(
        action=action, file=file, outcome=Outcome.DONE, municipality_code=municipality, basis=basis, counts=counts,
        change=change,
    ))  # fmt: skip
