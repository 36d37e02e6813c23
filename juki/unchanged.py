"""What a package only says again: notices that repeat, word for word, what stands.

Decides:    which notices may be judged by comparison alone, without what else is known of their people; how the plan
            of the others becomes that of the whole package.
Leaves:     the comparison to `juki.store.identities`, all other notices to `juki.identity`.
Invariants: the plan is the one `plan_changes` would make of the whole package: who is named once, by the newest
            version's own sender, with the same record and the same event, is repeated whatever the others say, and
            changes nothing for them. A repeat has passed its contract like any other notice.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from juki.decisions import Effect
from juki.findings import Finding, Findings, Mask, Rows
from juki.identity import Plan
from juki.known import Notices, Numbers
from juki.numbers import combined


def comparable(notices: Notices) -> Rows:
    """Find the admitted notices whose person no other notice of the package names, by a previous code neither."""
    own, previous = (combined(notices.table, name) for name in ("resident_code", "previous_resident_code"))
    has_previous = np.asarray(pc.not_equal(previous, "").to_numpy(zero_copy_only=False), dtype=np.bool_)
    named = pa.concat_arrays([own, previous.filter(pa.array(has_previous))]).dictionary_encode().indices
    number = named.to_numpy()
    named_once: Mask = np.bincount(number)[number[: len(own)]] == 1
    return np.flatnonzero(notices.admitted & named_once & ~has_previous)


def part_of(notices: Notices, rows: Rows) -> Notices:
    """Take some notices of a package, in order."""
    return replace(
        notices,
        table=notices.table.take(pa.array(rows)),
        digests=notices.digests[rows],
        number_indexes=notices.number_indexes[rows],
        previous_number_indexes=notices.previous_number_indexes[rows],
        notified_at=notices.notified_at[rows],
        made_at=notices.made_at[rows],
        admitted=notices.admitted[rows],
    )


def of_whole(plan: Plan, rows: Rows, size: int) -> Plan:
    """Lay the plan of some notices out over their package of `size`, in which all others are repeats.

    Shape: `rows` has the place in the package of each notice of the plan, ascending.
    """

    def spread(values: Numbers, rest: int) -> Numbers:
        whole = np.full(size, rest, dtype=np.int64)
        whole[rows] = values
        return whole

    def placed(values: Numbers) -> Numbers:
        return np.where(values >= 0, rows[np.maximum(values, 0)], values) if len(rows) else values

    groups = (Finding(one.code, one.column, rows[one.rows]) for one in plan.findings.groups)
    return Plan(
        effects=spread(plan.effects, Effect.REPEAT),
        superseded_by=spread(placed(plan.superseded_by), -1),
        updates=spread(plan.updates, -1),
        behind_stored=spread(plan.behind_stored, -1),
        stored_superseded_by=placed(plan.stored_superseded_by),
        code_changes=rows[plan.code_changes],
        findings=Findings(size, tuple(groups)),
    )
