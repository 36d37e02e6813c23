"""Put right what a comparison found: proposed notices through the same contract and checks as any notice.

Decides:    nothing of its own: `juki.proposals` says what is proposed and when it is too late, the core judges.
Invariants: everything is of one transaction: changes, register, findings, outbox, journal, and what becomes of each
            difference. A notice or another municipality that was faster wins. What would change more people than it
            may changes nobody. Made once for each comparison; made again, it changes nothing more.
Source:     measure M11, 法30条の6, 30条の41; ADR-0022.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from juki.decisions import Effect
from juki.differences import is_beyond
from juki.errors import StoreError
from juki.findings import Finding, Findings
from juki.identity import Plan, plan_changes
from juki.journal import Action
from juki.known import Bytes16, Known, Notices, indexed
from juki.notices import Kind
from juki.order import Channel
from juki.proposals import Draft, Proposals, Snapshot, propose
from juki.reasons import Code, Severity
from juki.receipts import verdict_counts
from juki.records import format_records
from juki.store.packages import Repair
from juki.store.unit import Unit, open_unit
from juki.versions import Origin
from tasks import clock
from tasks.applying import Carried, Judge, carry_out, joined, record_changes
from tasks.boundary import UNIT_OF_WORK, sealed
from tasks.drafting import Drafted, draft_repairs
from tasks.entries import channel_entry
from tasks.opening import hold_to_contract
from tasks.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Repaired:
    """What became of one repair: numbers and codes, nothing else."""

    package_id: int | None = None
    repaired: int = 0
    """Differences put right."""
    refused: dict[str, int] = field(default_factory=dict)
    """Differences not put right, by the code that says why."""
    counts: dict[str, int] = field(default_factory=dict)
    """Notices applied, by verdict."""
    alerts: dict[str, int] = field(default_factory=dict)
    """Notices applied with an alert, by code."""
    beyond: int = 0
    """How many people would have been changed, where that is more than one repair may without approval."""
    allowed: int = 0


@dataclass(frozen=True, slots=True)
class _Made:
    """The repair as its records see it: made by ourselves, just now."""

    file_name: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a repair did before it is known whether it may: the people it changed, and each difference."""

    people: int
    repaired: Repaired
    refused: dict[int, Code]


@task(name="差異の修復", **UNIT_OF_WORK)
@sealed
def repair(channel: Channel, reconciliation_id: int, *, is_approved_beyond: bool = False) -> Repaired:
    """Carry out what may be carried out of the differences a comparison has seen; the channel's lock is held.

    Raises: PipelineError(RECONCILIATION_STALE) when a later comparison was followed by a repair already.
    """
    shop, code = Workshop.open(), channel.municipality_code
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        shop.check_keys(unit)
        last_notice_no = unit.packages.progress(code, lock=True).last_notice_no
        occasion = unit.repairs.occasion(reconciliation_id, code)
        unit.differences.check_not_stale(code, occasion.watermark)
        if unit.packages.has_repair(code, reconciliation_id):
            return Repaired()
        snapshot = Snapshot(code, occasion.watermark, occasion.as_of, last_notice_no)
        drafted = draft_repairs(shop, unit, snapshot, reconciliation_id, shop.keyring(channel.file).index)
        bound, outcome = shop.settings.reconcile_bound, _Outcome(0, Repaired(), {})
        if drafted.drafts:
            with unit.connection.begin_nested() as tentative:
                outcome = _carry_out(shop, unit, channel, snapshot, drafted, reconciliation_id)
                is_too_much = is_beyond(outcome.people, occasion.rows, bound) and not is_approved_beyond
                if is_too_much or not outcome.people:
                    tentative.rollback()
            if is_too_much:
                return Repaired(beyond=outcome.people, allowed=bound.allowed(occasion.rows))
        refused = drafted.refused | outcome.refused
        unit.differences.refused(refused)
    return replace(outcome.repaired, refused=_counted(refused))


def _carry_out(
    shop: Workshop, unit: Unit, channel: Channel, snapshot: Snapshot, drafted: Drafted, reconciliation_id: int
) -> _Outcome:
    """Make one package of proposals, apply what may be applied, and write down what that did."""
    made = _Made(f"{channel}-repair-{reconciliation_id:08d}", clock.now())
    proposals = propose(channel.file, snapshot, drafted.drafts)
    package_id = unit.packages.register_repair(
        Repair(
            snapshot.sender_code, reconciliation_id, made.file_name, format_records(proposals.table),
            snapshot.watermark, snapshot.as_of,
        ), made.received_at,
    )  # fmt: skip
    unit.repairs.make_room([draft.asked.resident_code for draft in drafted.drafts], snapshot, package_id)
    origin = Origin(snapshot.sender_code, package_id, clock.civil_date(made.received_at))
    carried = _apply_parts(shop, unit, channel, made, drafted.drafts, proposals, origin)
    applied = carried.where(Effect.APPLY)
    codes = carried.notices.table.column("resident_code").filter(pa.array(applied))
    people = pc.count_distinct(codes).as_py()
    if not people:
        return _Outcome(0, Repaired(), _refused(drafted.drafts, proposals, carried))
    counts, alerts = verdict_counts(carried.verdicts[applied]), _only_on(carried.findings, applied)
    unit.rejections.add(package_id, carried.notices, alerts)
    unit.packages.repair_counted(package_id, counts)
    entry = channel_entry(
        channel, Action.RECORDS_REPAIRED, package=made.file_name, package_id=package_id,
        number_accessed=drafted.has_opened_numbers, basis=f"reconciliation:{reconciliation_id}",
    )  # fmt: skip
    entry_no = record_changes(unit, entry, carried)
    final = applied & ~proposals.is_release
    ids = [drafted.drafts[place].asked.difference_id for place in proposals.drafts[final].tolist()]
    unit.differences.repaired(ids, package_id, entry_no)
    repaired = Repaired(package_id, len(ids), counts=counts, alerts=alerts.codes())
    return _Outcome(people, repaired, _refused(drafted.drafts, proposals, carried))


def _apply_parts(
    shop: Workshop,
    unit: Unit,
    channel: Channel,
    made: _Made,
    drafts: list[Draft],
    proposals: Proposals,
    origin: Origin,
) -> Carried:
    """Judge and apply what has to be before the rest, then the rest, which sees what it did."""
    keys, carried = shop.keyring(channel.file), list[Carried]()
    judged_by = _judge_for({draft.asked.resident_code: draft.asked.held_by for draft in drafts})
    for start, stop in ((0, proposals.before), (proposals.before, proposals.table.num_rows)):
        if start == stop:
            continue
        if carried:
            unit.repairs.next_part()
        table = proposals.table.slice(start, stop - start).combine_chunks()
        notices, findings = hold_to_contract(shop, channel, made, table, keys)
        part_origin = origin.of_repairs_after(start)
        carried.append(carry_out(unit, notices, findings, part_origin, keys, judged_by))
    return joined(carried)


def _judge_for(held_by: Mapping[str, str | None]) -> Judge:
    """Judge proposals as notices are, but never as repeats, and only those that would be the newest version.

    What was changed behind the back of the intake may still bear the digest of what it was.
    """

    def judged(unit: Unit, notices: Notices, index_key: bytes) -> tuple[Notices, Known, Plan]:
        notices = indexed(notices, np.arange(len(notices)), index_key)
        known = unit.identities.known(notices)
        check_holders(known, notices.sender_code, held_by)
        digests = pa.nulls(known.newest.num_rows, Bytes16)
        place = known.newest.column_names.index("record_digest")
        known = replace(known, newest=known.newest.set_column(place, "record_digest", digests))
        plan = plan_changes(notices, known)
        is_late = plan.where(Effect.RECORD)
        return notices, known, replace(plan, effects=np.where(is_late, Effect.REJECT, plan.effects))

    return judged


def check_holders(known: Known, sender_code: str, held_by: Mapping[str, str | None]) -> None:
    """Begin again when another municipality has entered somebody since we looked."""
    newest = known.newest.select(["resident_code", "sender_code", "kind"]).to_pylist()
    for one in newest:
        is_theirs = one["sender_code"] in (sender_code, held_by.get(one["resident_code"]))
        if not is_theirs and one["kind"] != Kind.DELETION.value:
            raise StoreError(Code.STORE_CONFLICT, "version", is_transient=True)


def _refused(drafts: list[Draft], proposals: Proposals, carried: Carried) -> dict[int, Code]:
    """Say for each difference whose proposal was not applied why: its first error, or else what made it history."""
    is_refused = ~carried.where(Effect.APPLY) & ~proposals.is_release
    codes = dict[int, Code]()
    groups = carried.findings.groups
    errors = [group for group in groups if group.code.severity is Severity.ERROR]
    # The table alerts first; that an entry came too late is found after it.
    alerts = [group for group in reversed(groups) if group.code.severity is Severity.ALERT]
    for group in (*errors, *alerts):
        for row in group.rows[is_refused[group.rows]].tolist():
            codes.setdefault(drafts[proposals.drafts[row]].asked.difference_id, group.code)
    return codes


def _only_on(findings: Findings, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Findings:
    """Keep what was found on some rows."""
    groups = (Finding(one.code, one.column, one.rows[rows[one.rows]]) for one in findings.groups)
    return Findings(findings.records, tuple(group for group in groups if len(group.rows)))


def _counted(codes: Mapping[int, Code]) -> dict[str, int]:
    return dict(sorted(Counter(code.value for code in codes.values()).items()))
