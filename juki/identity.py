"""What the notices of one package do to an identity file: which become newest, which are history, which refused.

Decides:    the effect of every notice, in order for each person, many people at a time; which version each one
            supersedes; which codes are replaced.
Leaves:     the rules of the table to `juki.decisions`; the transaction and the rows to `juki.store.identities`.
Invariants: notices of one person are judged in the order of the package, each seeing what the one before it
            did; notices of different people do not see each other, unless they share a number.
Source:     法30条の6①, 30条の41①; 施行令30条の6 (history); 番号法施行令6条 (numbers); ADR-0011.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import IdentityFile
from juki.decisions import CODE_ORDER, EVENTS, NO_CODE, Effect, FuhyoEvent, Lookup, State, kind_of, lookup_of
from juki.findings import Finding, Findings, Mask, Rows
from juki.holders import NumberHolders
from juki.known import Known, Notices, Numbers, event_mask, event_numbers
from juki.notices import CODE_CORRECTIONS, NUMBER_CORRECTIONS, Kind, Reason
from juki.reasons import Code
from juki.register import (
    NO_NOTICE,
    NOBODY,
    STORED,
    People,
    as_dates,
    as_pairs,
    foreign_flags,
    is_same,
    is_some,
    people_of,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write for one package.

    Shape: one value per notice. `effects` of `Effect`; `superseded_by` the later notice of this package that
           supersedes it, or -1; `updates` the row of `Known.newest` its version takes the place of, or -1
           when the person is new; `behind_stored` for recorded notices the row of `Known.newest` that is
           newer, or -1 when a notice of this package is (then `superseded_by`). `stored_superseded_by` has
           one value per row of `Known.newest`: the first notice that supersedes it, or -1. `code_changes`
           are the positions of applied code corrections that hand a known person over to a new code.
    """

    effects: Numbers
    superseded_by: Numbers
    updates: Numbers
    behind_stored: Numbers
    stored_superseded_by: Numbers
    code_changes: Rows
    findings: Findings

    def where(self, effect: Effect) -> Mask:
        """Mark the notices with one effect."""
        mask: Mask = self.effects == effect
        return mask

    @property
    def becomes_newest(self) -> Mask:
        """Mark the notices whose version is the newest one when the package ends."""
        mask: Mask = self.where(Effect.APPLY) & (self.superseded_by == NO_NOTICE)
        return mask

    @property
    def becomes_history(self) -> Mask:
        """Mark the notices that go to history at once: superseded within the package, or recorded late."""
        mask: Mask = self.where(Effect.APPLY) & (self.superseded_by != NO_NOTICE) | self.where(Effect.RECORD)
        return mask


def plan_changes(notices: Notices, known: Known) -> Plan:
    """Judge the admitted notices of one package against what the file knows.

    Returns: a plan over all notices; those not admitted have `Effect.REJECT` and no further finding here.
    """
    return _Judge(notices, known).judge()


@dataclass(slots=True)
class _Facts:
    """What the notices say, one value per notice."""

    event: Numbers
    is_entry: Mask
    is_correction: Mask
    is_deletion: Mask
    is_death: Mask
    number_correction: Mask
    code_correction: Mask
    foreign: np.ndarray[tuple[int], np.dtype[np.int8]]
    event_date: Numbers
    notice_no: Numbers


def _facts_of(notices: Notices) -> _Facts:
    table, file = notices.table, notices.file
    has_previous = np.asarray(
        pc.not_equal(table.column("previous_resident_code"), "").to_numpy(zero_copy_only=False),
        dtype=np.bool_,
    )
    reasons = table.column("reason") if file is IdentityFile.RESIDENT else table.column("kind")
    event = event_numbers(file, table.column("kind"), reasons, has_previous)
    kinds = np.array([kind_of(event) for event in EVENTS[file]])
    kind = kinds[event]
    code_events = (
        CODE_CORRECTIONS if file is IdentityFile.RESIDENT else frozenset({FuhyoEvent.CODE_CORRECTION})
    )
    return _Facts(
        event=event,
        is_entry=kind == Kind.ENTRY,
        is_correction=kind == Kind.CORRECTION,
        is_deletion=kind == Kind.DELETION,
        is_death=event_mask(file, frozenset({Reason.DEATH}))[event],
        number_correction=event_mask(file, NUMBER_CORRECTIONS)[event],
        code_correction=event_mask(file, code_events)[event],
        foreign=foreign_flags(notices),
        # What was not admitted may hold anything in the place of a date.
        event_date=as_dates(pc.if_else(pa.array(notices.admitted), table.column("event_date"), "")),
        notice_no=_counted(notices),
    )


@dataclass(slots=True)
class _Judge:
    """One package being judged: rounds over the first, second, third … notice of each person."""

    notices: Notices
    known: Known
    facts: _Facts = field(init=False)
    people: People = field(init=False)
    holders: NumberHolders = field(init=False)
    lookup: Lookup = field(init=False)
    plan: Plan = field(init=False)
    found: list[Finding] = field(init=False, default_factory=list)
    handed_over: list[Rows] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        n = len(self.notices)
        self.facts = _facts_of(self.notices)
        self.people = people_of(self.notices, self.known, self.facts.code_correction)
        self.holders = NumberHolders.of(self.notices, self.known, self.people)
        self.lookup = lookup_of(self.notices.file)
        self.plan = Plan(
            effects=np.full(n, Effect.REJECT, dtype=np.int64),
            superseded_by=np.full(n, NO_NOTICE, dtype=np.int64),
            updates=np.full(n, NOBODY, dtype=np.int64),
            behind_stored=np.full(n, NOBODY, dtype=np.int64),
            stored_superseded_by=np.full(self.known.newest.num_rows, NO_NOTICE, dtype=np.int64),
            code_changes=np.empty(0, dtype=np.int64),
            findings=Findings(n),
        )

    def judge(self) -> Plan:
        for rows in self._rounds():
            self._judge_round(rows)
        plan = self.plan
        newest = np.flatnonzero(plan.becomes_newest)
        plan.updates[newest] = self.people.stored_row[self.people.named[newest]]
        return Plan(
            plan.effects, plan.superseded_by, plan.updates, plan.behind_stored, plan.stored_superseded_by,
            np.sort(np.concatenate([np.empty(0, dtype=np.int64), *self.handed_over])),
            Findings(len(self.notices), _merged(self.found)),
        )  # fmt: skip

    def _rounds(self) -> list[Rows]:
        """Split the admitted notices into rounds: the k-th round has the k-th notice of each person.

        People who have to do with each other – by a code correction, or by one number – count as one, so that
        the order of the package holds among them.
        """
        rows = np.flatnonzero(self.notices.admitted)
        if len(rows) == 0:
            return []
        people = self.people
        handed = rows[people.subject[rows] != people.named[rows]]
        by_code = zip(people.subject[handed].tolist(), people.named[handed].tolist(), strict=True)
        group = _joined(len(people.exists), chain(by_code, self.holders.shared(rows, people)))
        return _ranked(rows, group[people.subject[rows]])

    def _judge_round(self, rows: Rows) -> None:
        repeated = self._is_repeat(rows)
        self.plan.effects[rows[repeated]] = Effect.REPEAT
        rows = rows[~repeated]
        if len(rows) == 0:
            return
        self.people.name_anew(rows[self.facts.code_correction[rows]])
        state = self.people.states(rows, self.facts.foreign[rows], self.notices.made_at[rows])
        effects = self.lookup.effects[self.facts.event[rows], state].astype(np.int64)
        self._report_codes(rows, self.lookup.codes[self.facts.event[rows], state])
        self._guard_late_entry(rows, state, effects)
        self._guard_own_order(rows, effects)
        self._guard_new_code(rows, effects)
        self._guard_death(rows, effects)
        if self.notices.file is IdentityFile.RESIDENT:
            self._guard_numbers(rows, state, effects)
        self.plan.effects[rows] = effects
        self._record(rows[effects == Effect.RECORD])
        self._apply(rows[effects == Effect.APPLY])

    # -- guards: what the table can not say because it takes more than one person or value ------------------

    def _is_repeat(self, rows: Rows) -> Mask:
        """The newest version of the person says exactly the same, from the same sender."""
        person = self.people.named[rows]
        people, facts = self.people, self.facts
        same: Mask = people.exists[person] & people.here[person]
        same &= is_same(people.digest[person], as_pairs(self.notices.digests)[rows])
        same &= people.event[person] == facts.event[rows]
        same &= people.event_date[person] == facts.event_date[rows]
        return same

    def _guard_late_entry(self, rows: Rows, state: Numbers, effects: Numbers) -> None:
        """An entry made before the entry that began a stay elsewhere was overtaken on the way: it is history.

        Entries are compared with entries, whatever was corrected or deleted there since, and by the time they
        were made as far as the receipt bears it out: a clock that runs ahead wins nothing.
        """
        person = self.people.subject[rows]
        late = (state == State.ELSEWHERE) | (state == State.ERASED_ELSEWHERE) | (state == State.DISPUTED)
        late &= self.facts.is_entry[rows] & (effects == Effect.APPLY)
        late &= self.people.entered_at[person] > self.notices.made_at[rows]
        effects[late] = Effect.RECORD
        self._report(Code.LOGIC_ARRIVED_LATE, "", rows[late])

    def _guard_own_order(self, rows: Rows, effects: Numbers) -> None:
        """A notice judged again after a later one of the same municipality made the newest version is history."""
        person = self.people.subject[rows]
        late = self.people.here[person] & (self.people.notice_no[person] > self.facts.notice_no[rows])
        late &= effects == Effect.APPLY
        effects[late] = Effect.RECORD
        self._report(Code.LOGIC_ARRIVED_LATE, "", rows[late])

    def _guard_new_code(self, rows: Rows, effects: Numbers) -> None:
        """A code correction must lead to a code that nobody has or had."""
        new, old = self.people.named[rows], self.people.subject[rows]
        taken = (new != old) & (self.people.exists[new] | self.people.replaced[new])
        taken &= effects != Effect.REJECT
        effects[taken] = Effect.REJECT
        self._report(Code.LOGIC_NEW_CODE_IN_USE, "resident_code", rows[taken])

    def _guard_death(self, rows: Rows, effects: Numbers) -> None:
        """Who was erased on death and is entered again needs a second look."""
        person = self.people.subject[rows]
        risen = self.facts.is_entry[rows] & self.people.dead[person] & self.people.exists[person]
        self._report(Code.LOGIC_ENTERED_AFTER_DEATH, "reason", rows[risen & (effects != Effect.REJECT)])

    def _guard_numbers(self, rows: Rows, state: Numbers, effects: Numbers) -> None:
        """個人番号: changed only by its own correction, held by one person, never used again by another."""
        facts, person = self.facts, self.people.subject[rows]
        new, stored = self.holders.number[rows], self.people.number[person]
        has_new, has_stored = is_some(new), is_some(stored)
        differs = has_new & has_stored & ~is_same(new, stored)
        standing_here = (state == State.HERE) | (state == State.HERE_AS_OTHER)
        silent = differs & standing_here & ~facts.is_entry[rows] & ~facts.number_correction[rows]
        self._reject(Code.LOGIC_NUMBER_DIFFERS, "individual_number", rows, effects, silent)

        previous = as_pairs(self.notices.previous_number_indexes)[rows]
        wrong = is_some(previous) & ~is_same(previous, stored) & standing_here
        self._report(
            Code.LOGIC_PREVIOUS_NUMBER_DIFFERS,
            "previous_individual_number",
            rows[wrong & (effects != Effect.REJECT)],
        )
        # A notice that arrives late is asked as well: what it says of a number is kept in history.
        for code, hit in self.holders.conflicts(rows, person):
            self._reject(code, "individual_number", rows, effects, hit)
        applied, column = effects == Effect.APPLY, "individual_number"
        entered = differs & facts.is_entry[rows] & applied
        self._report(Code.LOGIC_NUMBER_DIFFERS_ON_ENTRY, column, rows[entered])
        self._report(Code.LOGIC_NUMBER_BLANK, column, rows[has_stored & ~has_new & applied])

    def _reject(self, code: Code, column: str, rows: Rows, effects: Numbers, hit: Mask) -> None:
        """Report, and refuse when the code is an error."""
        hit = hit & (effects != Effect.REJECT)
        self._report(code, column, rows[hit])
        if code.severity == "error":
            effects[hit] = Effect.REJECT

    def _report_codes(self, rows: Rows, codes: np.ndarray[tuple[int], np.dtype[np.int8]]) -> None:
        for position in np.unique(codes[codes != NO_CODE]):
            self._report(CODE_ORDER[position], "", rows[codes == position])

    def _report(self, code: Code, column: str, rows: Rows) -> None:
        if len(rows):
            self.found.append(Finding(code, column, np.sort(rows)))

    # -- effects --------------------------------------------------------------------------------------------

    def _record(self, rows: Rows) -> None:
        """Keep the notice behind the version that is newer than it."""
        person = self.people.subject[rows]
        origin = self.people.origin[person]
        in_package = origin >= 0
        self.plan.superseded_by[rows[in_package]] = origin[in_package]
        self.plan.behind_stored[rows[~in_package]] = self.people.stored_row[person[~in_package]]
        # Under the code it names: what is kept behind a replaced code says nothing of that one.
        by_name = person == self.people.named[rows]
        self.people.stood_here[person[by_name]] = ~self.facts.is_deletion[rows[by_name]]

    def _apply(self, rows: Rows) -> None:
        """Let the notice make the newest version of its person, and supersede the one before."""
        people, facts = self.people, self.facts
        old, new = people.subject[rows], people.named[rows]
        self._supersede(rows, old)
        # A code nobody knows is not replaced by being named: it may yet turn out to be somebody else's.
        moved = (old != new) & people.exists[old]
        self.handed_over.append(rows[moved])
        people.hand_over(old[moved], new[moved])
        self.holders.hand_over(old[moved], new[moved])
        people.exists[new] = True
        people.erased[new] = facts.is_deletion[rows]
        people.dead[new] = facts.is_death[rows]
        people.here[new] = True
        people.foreign[new] = facts.foreign[rows]
        people.event[new] = facts.event[rows]
        people.event_date[new] = facts.event_date[rows]
        people.digest[new] = as_pairs(self.notices.digests)[rows]
        people.number[new] = self.holders.number[rows]
        people.origin[new] = rows
        people.notice_no[new] = facts.notice_no[rows]
        self.holders.claim(rows, new, ~facts.is_deletion[rows])

    def _supersede(self, rows: Rows, person: Numbers) -> None:
        origin = self.people.origin[person]
        self.plan.superseded_by[origin[origin >= 0]] = rows[origin >= 0]
        stored = origin == STORED
        self.plan.stored_superseded_by[self.people.stored_row[person[stored]]] = rows[stored]


def _counted(notices: Notices) -> Numbers:
    """Read the notice numbers; 0 for what was not admitted, which may say anything."""
    said = pc.if_else(pa.array(notices.admitted), notices.table.column("notice_no"), "0")
    return np.asarray(pc.cast(said, pa.int64()).to_numpy(), dtype=np.int64)


def _merged(found: list[Finding]) -> tuple[Finding, ...]:
    """Make one finding of all rounds of a check, in the order the checks were first met."""
    rows: dict[tuple[Code, str], list[Rows]] = {}
    for one in found:
        rows.setdefault((one.code, one.column), []).append(one.rows)
    return tuple(
        Finding(code, column, np.sort(np.concatenate(parts))) for (code, column), parts in rows.items()
    )


def _ranked(rows: Rows, group: Numbers) -> list[Rows]:
    """Split rows by their rank within their group, in order."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    rank = np.empty(len(rows), dtype=np.int64)
    rank[order] = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
    by_rank = np.argsort(rank, kind="stable")
    cuts = np.flatnonzero(np.diff(rank[by_rank])) + 1
    return [rows[part] for part in np.split(by_rank, cuts)]


def _joined(size: int, pairs: Iterable[tuple[int, int]]) -> Numbers:
    """Give each of `size` people a group; two people of a pair share it.

    A loop over the pairs, which are few, and linear when they are not.
    """
    parent: dict[int, int] = {}

    def root(person: int) -> int:
        while (above := parent.get(person, person)) != person:
            parent[person] = parent.get(above, above)
            person = above
        return person

    for one, other in pairs:
        parent[root(other)] = root(one)
    group = np.arange(size)
    for person in parent:
        group[person] = root(person)
    return group
