"""Comparing before judging: the plan of a package is the same, whether or not repeats were told apart first."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from juki.columns import IdentityFile
from juki.decisions import Effect
from juki.identity import Plan, plan_changes
from juki.known import Known, Notices
from juki.notices import REASONS_OF_KIND, Reason
from juki.numbers import SealingKey
from juki.store.unit import open_unit
from juki.unchanged import comparable, of_whole, part_of
from juki.versions import Origin
from tests.conftest import Stores
from tests.notice_tables import notice, notices

SENDERS = ("352039", "352012")
CODES = ("A", "B", "C", "D")
NUMBERS = ("", "123456789018", "023456789013")
FIRST_DAY = date(2026, 3, 25)
KEY = SealingKey("resident-number-1", b"k" * 32)
_REASONS = (
    Reason.ENTERED_EX_OFFICIO, Reason.ENTERED_EX_OFFICIO, Reason.MOVED_OUT, Reason.MOVED_WITHIN,
    Reason.CODE_CHANGED_ON_REQUEST, Reason.NUMBER_CHANGED_ON_REQUEST,
)  # fmt: skip
_KIND = {reason: kind for kind, reasons in REASONS_OF_KIND.items() for reason in reasons}

Row = dict[str, str]


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """One notice out of a narrow alphabet, so that repeats, codes and numbers collide."""
    reason = draw(st.sampled_from(_REASONS))
    said = notice(
        kind=_KIND[reason].value,
        reason=reason.value,
        resident_code=draw(st.sampled_from(CODES)),
        name=draw(st.sampled_from(("山口　花子", "宇部　花子"))),
        individual_number=draw(st.sampled_from(NUMBERS)),
        event_date=draw(st.sampled_from(("2026-03-20", "2026-03-21"))),
    )
    if reason is Reason.CODE_CHANGED_ON_REQUEST:
        said["previous_resident_code"] = draw(st.sampled_from(["", *CODES]))
    return said


packages = st.lists(
    st.tuples(st.sampled_from(SENDERS), st.lists(rows(), min_size=1, max_size=6)), min_size=2, max_size=5
)


def _facts(plan: Plan, known: Known) -> tuple[object, ...]:
    """Say what a plan does without naming rows of `known`, which differ."""
    codes = known.newest.column("resident_code").to_pylist()

    def named(positions: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[str]:
        return [codes[position] if position >= 0 else "" for position in positions.tolist()]

    superseded = zip(codes, plan.stored_superseded_by.tolist(), strict=True)
    return (
        plan.effects.tolist(),
        plan.superseded_by.tolist(),
        named(plan.updates),
        named(plan.behind_stored),
        {code: by for code, by in superseded if by >= 0},
        plan.code_changes.tolist(),
        {(one.code, one.column, tuple(one.rows.tolist())) for one in plan.findings.groups},
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=packages, file=st.sampled_from(IdentityFile))
def test_repeats_told_apart_first_change_no_plan(
    module_stores: Stores, history: list[tuple[str, list[Row]]], file: IdentityFile
) -> None:
    """Effects, successors, codes and findings are those of the judging of all; what is stored follows the plan."""
    url = module_stores.url(file)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE current, history, former_code")
    first_no = 1
    for day, (sender, said) in enumerate(history):
        package = notices(said, file, sender, first_no)
        first_no += len(said)
        with open_unit(url, file) as unit:
            everything = unit.identities.known(package)
        with open_unit(url, file) as unit:
            unchanged = unit.identities.unchanged(package, sample_rows=0)
            changing = np.delete(np.arange(len(package)), unchanged)
            known = unit.identities.known(part_of(package, changing))
            plan = of_whole(plan_changes(part_of(package, changing), known), changing, len(package))
            whole = plan_changes(package, everything)
            assert _facts(plan, known) == _facts(whole, everything)
            origin = Origin(sender, day + 1, FIRST_DAY + timedelta(days=day))
            unit.identities.apply(package, known, plan, origin, KEY)


def _unchanged(stores: Stores, package: Notices, sample_rows: int) -> list[int]:
    with open_unit(stores.resident_url, package.file) as unit:
        found: list[int] = unit.identities.unchanged(package, sample_rows).tolist()
    return found


def test_what_is_said_again_is_found_and_nothing_else(stores: Stores) -> None:
    """Same record, event and sender, named once in the package: all of it, or the notice is judged."""
    first = notices([notice(resident_code=code) for code in "ABCDE"])
    with open_unit(stores.resident_url, first.file) as unit:
        known = unit.identities.known(first)
        unit.identities.apply(first, known, plan_changes(first, known), Origin("352039", 1, FIRST_DAY), KEY)
    again = [
        notice(resident_code="A"),
        notice(resident_code="B", name="宇部　花子"),
        notice(resident_code="C", event_date="2026-03-21"),
        notice(resident_code="D", reason=Reason.MOVED_IN.value),
        notice(resident_code="E"),
        notice(resident_code="E"),
    ]
    assert _unchanged(stores, notices(again, first_no=6), 0) == [0]
    assert _unchanged(stores, notices(again, sender="352012", first_no=6), 0) == []
    assert _unchanged(stores, notices(again, first_no=6), 4) == [], (
        "one of four is not worth asking about all"
    )
    assert _unchanged(stores, notices(again, first_no=6), 100) == [], "a small package is judged as a whole"


def test_a_person_named_by_a_previous_code_is_not_compared() -> None:
    """Somebody else's code correction may end that person's code before or after the repeat."""
    change = notice(
        kind="correction", reason=Reason.CODE_CHANGED_ON_REQUEST.value, resident_code="B",
        previous_resident_code="A",
    )  # fmt: skip
    said = [notice(resident_code="A"), change, notice(resident_code="C"), notice(resident_code="D")]
    package = notices(said, admitted=[True, True, True, False])
    assert comparable(package).tolist() == [2]


def test_nothing_left_to_judge_is_a_plan_of_repeats() -> None:
    """A package that only says everything again."""
    package = notices([notice()] * 3)
    nobody = part_of(package, np.empty(0, dtype=np.int64))
    plan = of_whole(plan_changes(nobody, Known.nothing()), np.empty(0, dtype=np.int64), 3)
    assert plan.effects.tolist() == [Effect.REPEAT] * 3
    assert not plan.becomes_newest.any()
    assert not plan.becomes_history.any()
