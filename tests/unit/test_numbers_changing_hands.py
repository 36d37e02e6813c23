"""Numbers that change hands and codes that change within one package, in the order of the package.

Each case here is one that a broken line of `juki.holders` or `juki.register` gets wrong.
"""

from __future__ import annotations

import pytest

from juki.columns import IdentityFile
from juki.decisions import Effect
from juki.identity import Plan, plan_changes
from juki.known import Known
from juki.notices import Reason
from juki.reasons import Code
from tests.notice_tables import ELSEWHERE, HERE, holder, known, newest, notice, notices

APPLY, REJECT, REPEAT = Effect.APPLY, Effect.REJECT, Effect.REPEAT
N1, N2, N3 = "111111111111", "222222222222", "333333333333"
NEW_NUMBER = {"kind": "correction", "reason": Reason.NUMBER_CORRECTED_EX_OFFICIO.value}
NEW_CODE = {"kind": "correction", "reason": Reason.CODE_CHANGED_ON_REQUEST.value}
MOVED_OUT = {"kind": "deletion", "reason": Reason.MOVED_OUT.value}
FUHYO_CODE = {"kind": "correction", "reason": "", "resident_code": "B", "previous_resident_code": "A"}


def standing(*numbers: str) -> Known:
    """Let people A, B, … stand with these numbers."""
    people = [(chr(ord("A") + place), number) for place, number in enumerate(numbers)]
    return known(
        [newest(notice(resident_code=code, individual_number=number)) for code, number in people],
        holders=[holder(number, code, stands=True) for code, number in people],
    )


def judged(
    *rows: dict[str, str], given: Known | None = None, file: IdentityFile = IdentityFile.RESIDENT
) -> Plan:
    """Judge a package."""
    return plan_changes(notices(list(rows), file), given or known())


def told(plan: Plan) -> tuple[list[int], dict[Code, int]]:
    """Give the effects, and how often each code was drawn."""
    return plan.effects.tolist(), dict(plan.findings.counts())


def test_a_number_given_up_a_moment_ago_is_retired_and_no_longer_in_use() -> None:
    """Who held it stands with another by now: the newcomer is told why the number is dead."""
    plan = judged(
        notice(**NEW_NUMBER, individual_number=N2), notice(resident_code="C", individual_number=N1),
        given=standing(N1),
    )  # fmt: skip
    assert told(plan) == ([APPLY, REJECT], {Code.LOGIC_NUMBER_RETIRED: 1})


def test_a_number_held_between_two_corrections_is_retired_as_well() -> None:
    """N1, N2, N3 in one package: nobody else may have N2, though no version that stands ever showed it."""
    plan = judged(
        notice(**NEW_NUMBER, individual_number=N2), notice(**NEW_NUMBER, individual_number=N3),
        notice(resident_code="C", individual_number=N2), given=standing(N1),
    )  # fmt: skip
    assert told(plan) == ([APPLY, APPLY, REJECT], {Code.LOGIC_NUMBER_RETIRED: 1})


def test_a_number_left_behind_with_the_old_code_is_given_up() -> None:
    """The record under the new code names no number: the one before is nobody's and stays so."""
    plan = judged(
        notice(**NEW_CODE, resident_code="B", previous_resident_code="A"),
        notice(resident_code="C", individual_number=N1), given=standing(N1),
    )  # fmt: skip
    assert told(plan) == ([APPLY, REJECT], {Code.LOGIC_NUMBER_RETIRED: 1, Code.LOGIC_NUMBER_BLANK: 1})


def test_a_number_taken_along_to_a_new_code_and_corrected_there_is_retired() -> None:
    """A stands with N1, is known as B, and then gets N2."""
    plan = judged(
        notice(**NEW_CODE, resident_code="B", previous_resident_code="A", individual_number=N1),
        notice(**NEW_NUMBER, resident_code="B", individual_number=N2),
        notice(resident_code="C", individual_number=N1), given=standing(N1),
    )  # fmt: skip
    assert told(plan) == ([APPLY, APPLY, REJECT], {Code.LOGIC_NUMBER_RETIRED: 1})


def test_one_leaves_and_another_comes_side_by_side() -> None:
    """A deletion and an entry of two people in one round: each keeps its own number."""
    plan = judged(
        notice(**MOVED_OUT, individual_number=N1), notice(resident_code="B", individual_number=N2),
        notice(resident_code="C", individual_number=N1), notice(resident_code="D", individual_number=N2),
        given=standing(N1),
    )  # fmt: skip
    expected = {Code.LOGIC_NUMBER_SEEN_BEFORE: 1, Code.LOGIC_NUMBER_IN_USE: 1}
    assert told(plan) == ([APPLY, APPLY, APPLY, REJECT], expected)


def test_pairs_that_share_a_number_are_each_judged_in_order() -> None:
    """Two numbers, two people each: the first of each pair has it, the second is refused."""
    brought = (("A", N1), ("B", N1), ("C", N2), ("D", N2))
    plan = judged(*(notice(resident_code=code, individual_number=number) for code, number in brought))
    assert told(plan) == ([APPLY, REJECT, APPLY, REJECT], {Code.LOGIC_NUMBER_IN_USE: 2})


def test_who_shares_one_number_with_one_and_another_with_another_waits_for_both() -> None:
    """B has N1 before C and N2 before A, though A is known longer and has fewer notices."""
    plan = judged(
        notice(), notice(resident_code="B", individual_number=N1),
        notice(resident_code="C", individual_number=N1),
        notice(**NEW_NUMBER, resident_code="B", individual_number=N2),
        notice(**NEW_NUMBER, individual_number=N2),
    )  # fmt: skip
    assert told(plan) == ([APPLY, APPLY, REJECT, APPLY, REJECT], {Code.LOGIC_NUMBER_IN_USE: 2})


def test_an_erased_person_who_comes_back_with_another_number_gives_the_first_up() -> None:
    """Erased with N1 and back with N2: N1 is a former number of A, as the file will say from then on."""
    erased = notice(**MOVED_OUT, individual_number=N1)
    given = known([newest(erased)], holders=[holder(N1, "A", stands=False)])
    plan = judged(notice(individual_number=N2), notice(resident_code="C", individual_number=N1), given=given)
    expected = {Code.LOGIC_NUMBER_DIFFERS_ON_ENTRY: 1, Code.LOGIC_NUMBER_RETIRED: 1}
    assert told(plan) == ([APPLY, REJECT], expected)


def test_holders_of_each_sort_are_told_apart() -> None:
    """Standing, erased and former holders of three numbers in one answer of the file."""
    given = known(
        [newest(notice(resident_code="X", individual_number=N1))],
        holders=[
            holder(N1, "X", stands=True), holder(N2, "Y", stands=False),
            holder(N3, "Z", stands=True, is_newest=False),
        ],
    )  # fmt: skip
    for number, effect, code in (
        (N1, REJECT, Code.LOGIC_NUMBER_IN_USE),
        (N2, APPLY, Code.LOGIC_NUMBER_SEEN_BEFORE),
        (N3, REJECT, Code.LOGIC_NUMBER_RETIRED),
    ):
        assert told(judged(notice(individual_number=number), given=given)) == ([effect], {code: 1})


def test_a_fuhyo_code_correction_again_is_a_repeat() -> None:
    """The event of a stored version without reasons is read from its previous code."""
    given = known([newest(notice(**FUHYO_CODE), file=IdentityFile.FUHYO)], replaced={"A": "B"})
    assert told(judged(notice(**FUHYO_CODE), given=given, file=IdentityFile.FUHYO)) == ([REPEAT], {})
    plain = notice(kind="correction", reason="")
    stored = known([newest(plain, file=IdentityFile.FUHYO)])
    assert told(judged(plain, given=stored, file=IdentityFile.FUHYO)) == ([REPEAT], {})


@pytest.mark.parametrize("place", range(3))
def test_a_replaced_code_is_known_wherever_it_stands_among_others(place: int) -> None:
    """Several people are known, several codes replaced, some hold numbers: each is found as what it is."""
    rows = [
        newest(notice(resident_code=code, individual_number=number))
        for code, number in (("A", N1), ("B", N2))
    ]
    replaced = {"P": "X", "Q": "Y", "R": "Z"}
    given = known(
        rows, replaced=replaced, holders=[holder(N1, "A", stands=True), holder(N2, "B", stands=True)]
    )
    plan = judged(
        notice(resident_code="B", individual_number=N2, name="宇部　花子"),
        notice(resident_code=list(replaced)[place]),
        notice(resident_code="N", individual_number=N3), given=given,
    )  # fmt: skip
    expected = {Code.LOGIC_ALREADY_STANDING: 1, Code.LOGIC_CODE_REPLACED: 1}
    assert told(plan) == ([APPLY, REJECT, APPLY], expected)
    assert plan.updates.tolist() == [1, -1, -1]
    assert plan.stored_superseded_by.tolist() == [-1, 0]


def test_known_people_are_told_by_where_and_how_they_stand() -> None:
    """Here, elsewhere, erased here and erased elsewhere, all in one package of corrections."""
    moved = {"kind": "correction", "reason": Reason.MOVED_WITHIN.value}
    rows = [
        newest(notice(resident_code="A"), HERE), newest(notice(resident_code="B"), ELSEWHERE),
        newest(notice(**MOVED_OUT, resident_code="C"), HERE),
        newest(notice(**MOVED_OUT, resident_code="D"), ELSEWHERE),
    ]  # fmt: skip
    plan = judged(*(notice(**moved, resident_code=code) for code in "ABCDE"), given=known(rows))
    assert told(plan) == (
        [APPLY, Effect.RECORD, REJECT, Effect.RECORD, APPLY],
        {
            Code.LOGIC_STANDING_ELSEWHERE: 1, Code.LOGIC_NOT_STANDING: 1, Code.LOGIC_ARRIVED_LATE: 1,
            Code.LOGIC_UNKNOWN_PERSON: 1,
        },
    )  # fmt: skip


def test_who_was_erased_takes_nobodys_number_away_by_coming_back() -> None:
    """A was erased with N1, C stands with it since; A is entered again without a number: N1 stays in use."""
    given = known(
        [newest(notice(**MOVED_OUT, individual_number=N1))],
        holders=[holder(N1, "A", stands=False), holder(N1, "C", stands=True)],
    )
    plan = judged(notice(), notice(resident_code="D", individual_number=N1), given=given)
    assert told(plan) == ([APPLY, REJECT], {Code.LOGIC_NUMBER_IN_USE: 1, Code.LOGIC_NUMBER_BLANK: 1})


@pytest.mark.parametrize(
    "stored", [newest(notice(**MOVED_OUT), HERE), newest(notice(reason=Reason.MOVED_IN.value), ELSEWHERE)]
)
def test_another_nationality_is_only_a_contradiction_where_a_person_stands_here(
    stored: dict[str, object],
) -> None:
    """Erased here or standing elsewhere as Japanese, entered as a foreign resident: an ordinary entry."""
    plan = judged(notice(reason=Reason.MOVED_IN.value, is_foreign="1"), given=known([stored]))
    assert told(plan) == ([APPLY], {})
