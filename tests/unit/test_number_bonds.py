"""Bonds between numbers and people, and what coincidences around one number may and may not do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from juki.decisions import Effect
from juki.holders import Bonds
from juki.notices import Reason
from juki.reasons import Code
from tests.notice_tables import ELSEWHERE, holder, known, newest, notice
from tests.unit.test_identity import (
    MOVED_OUT,
    MOVED_WITHIN,
    N1,
    N2,
    NEW_CODE,
    NEW_NUMBER,
    codes,
    judged,
)

APPLY, RECORD, REJECT = Effect.APPLY, Effect.RECORD, Effect.REJECT
EARLIER = "2026-03-25T09:00:00+09:00"
TAKEN_BACK = {"kind": "deletion", "reason": Reason.DELETED_EX_OFFICIO.value, "notified_at": EARLIER}


def _of(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def test_a_bond_is_anothers_until_it_is_loosened() -> None:
    """Two people bound to one number: each sees the other, and no longer when that bond is gone."""
    bonds = Bonds(numbers=3, people=9)
    bonds.add(_of(1, 1), _of(4, 7))
    assert bonds.is_anothers(_of(1, 1, 2), _of(4, 8, 4)).tolist() == [True, True, False]
    bonds.remove(_of(1), _of(7))
    assert bonds.is_anothers(_of(1, 1), _of(4, 8)).tolist() == [False, True]
    assert bonds.is_bound(_of(1, 1), _of(4, 7)).tolist() == [True, False]


def test_bonds_follow_every_person_to_a_new_code_and_leave_the_others() -> None:
    """Several are handed over at once, below, between and above people who are not."""
    bonds = Bonds(numbers=2, people=20)
    bonds.add(_of(0, 0, 1, 1, 1), _of(1, 3, 4, 5, 9))
    bonds.hand_over(_of(5, 3), _of(15, 13))
    asked = _of(1, 3, 13, 4, 5, 15, 9)
    assert bonds.is_bound(_of(0, 0, 0, 1, 1, 1, 1), asked).tolist() == [
        True, False, True, True, False, True, True,
    ]  # fmt: skip


def test_a_number_given_up_by_two_is_taken_back_by_neither() -> None:
    """P, erased with N1, comes back with N2 and then wants N1, which R had as well."""
    given = known(
        [newest(notice(**MOVED_OUT, individual_number=N1))],
        holders=[holder(N1, "A", stands=False), holder(N1, "R", stands=False, is_newest=False)],
    )
    plan = judged(notice(individual_number=N2), notice(**NEW_NUMBER, individual_number=N1), given=given)
    assert plan.effects.tolist() == [APPLY, REJECT]
    assert Code.LOGIC_NUMBER_RETIRED in codes(plan)


def test_a_number_taken_back_is_given_up_no_longer() -> None:
    """P takes N1 back and is erased with it: it is an erased record's, so another may bear it with an alert."""
    given = known(
        [newest(notice(individual_number=N2))], holders=[holder(N1, "A", stands=False, is_newest=False)]
    )
    plan = judged(
        notice(**NEW_NUMBER, individual_number=N1), notice(**MOVED_OUT, individual_number=N1),
        notice(resident_code="Q", individual_number=N1), given=given,
    )  # fmt: skip
    assert (plan.effects.tolist(), codes(plan)) == ([APPLY] * 3, {Code.LOGIC_NUMBER_SEEN_BEFORE})


def test_who_stands_with_a_number_keeps_it_whoever_had_it_before() -> None:
    """A former holder does not take the number from the person who stands with it."""
    given = known(
        [newest(notice(individual_number=N1))], holders=[holder(N1, "R", stands=False, is_newest=False)]
    )
    plan = judged(notice(**MOVED_WITHIN, individual_number=N1), given=given)
    assert (plan.effects.tolist(), codes(plan)) == ([APPLY], set())


def test_a_number_its_person_stands_with_elsewhere_is_known_without_being_asked() -> None:
    """B gives N1 up in this package; A, who stands with N1 elsewhere, moves here with it."""
    given = known(
        [
            newest(notice(**MOVED_OUT, resident_code="B", individual_number=N1)),
            newest(notice(individual_number=N1), ELSEWHERE),
        ]
    )
    moved_in = notice(reason=Reason.MOVED_IN.value, individual_number=N1)
    plan = judged(notice(resident_code="B"), moved_in, given=given)
    assert plan.effects.tolist() == [APPLY, APPLY]


def test_a_disputed_person_with_a_new_code_meets_no_erased_self() -> None:
    """Erased elsewhere by mistake, corrected to a new code here: the number is the person's own."""
    given = known([newest(notice(**TAKEN_BACK, individual_number=N1), ELSEWHERE, own_last_kind="entry")])
    change = notice(**NEW_CODE, resident_code="B", previous_resident_code="A", individual_number=N1)
    again = notice(**MOVED_WITHIN, resident_code="B", individual_number=N1)
    plan = judged(change, again, given=given)
    assert (plan.effects.tolist(), codes(plan)) == ([APPLY, APPLY], {Code.LOGIC_ERASURE_DISPUTED})


def test_a_disputed_person_with_a_new_code_takes_no_number_from_who_stands_with_it() -> None:
    """Q stands with the number the erased record bore; a third still may not have it."""
    given = known(
        [newest(notice(**TAKEN_BACK, individual_number=N1), ELSEWHERE, own_last_kind="entry")],
        holders=[holder(N1, "Q", stands=True)],
    )
    change = notice(**NEW_CODE, resident_code="B", previous_resident_code="A")
    plan = judged(change, notice(resident_code="C", individual_number=N1), given=given)
    assert plan.effects.tolist() == [APPLY, REJECT]
    assert Code.LOGIC_NUMBER_IN_USE in codes(plan)


def test_only_an_erasure_can_be_disputed() -> None:
    """Who stands elsewhere is corrected there: two corrections from here, one after the other, are history."""
    given = known([newest(notice(notified_at=EARLIER), ELSEWHERE)])
    plan = judged(notice(**MOVED_WITHIN), notice(**MOVED_WITHIN, name="山口　花"), given=given)
    assert plan.effects.tolist() == [RECORD, RECORD]


def test_who_never_stood_here_disputes_nothing_and_neither_does_the_same_instant() -> None:
    """A municipality that never had the person, and a correction not made after the erasure."""
    never = known([newest(notice(**TAKEN_BACK), ELSEWHERE)])
    assert judged(notice(**MOVED_WITHIN), given=never).effects.tolist() == [RECORD]
    stood = known([newest(notice(**TAKEN_BACK), ELSEWHERE, own_last_kind="entry")])
    assert judged(notice(**MOVED_WITHIN, notified_at=EARLIER), given=stood).effects.tolist() == [RECORD]


def test_an_older_notice_of_the_same_municipality_is_history() -> None:
    """Judged again after a later one made the newest version."""
    given = known([newest(notice(), notice_no=10)])
    plan = judged(notice(**MOVED_WITHIN), given=given, first_no=5)
    assert (plan.effects.tolist(), codes(plan)) == ([RECORD], {Code.LOGIC_ARRIVED_LATE})
    assert judged(notice(**MOVED_WITHIN), given=given, first_no=11).effects.tolist() == [APPLY]


def test_a_code_entered_without_a_previous_one_is_about_the_person_of_that_code() -> None:
    """職権記載等 of a code where there was none names nobody else."""
    given = known([newest(notice())])
    plan = judged(notice(kind="correction", reason=Reason.CODE_ENTERED_EX_OFFICIO.value), given=given)
    assert (plan.effects.tolist(), plan.updates.tolist(), codes(plan)) == ([APPLY], [0], set())


def test_who_was_erased_here_after_the_dispute_is_erased() -> None:
    """Corrected back into the file, then erased by the same municipality: its next correction contradicts that."""
    given = known([newest(notice(**TAKEN_BACK), ELSEWHERE, own_last_kind="entry")])
    plan = judged(notice(**MOVED_WITHIN), notice(**MOVED_OUT), notice(**MOVED_WITHIN), given=given)
    assert plan.effects.tolist() == [APPLY, APPLY, REJECT]
