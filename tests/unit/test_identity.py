"""What a package does to a file where the table alone does not say: order, codes, numbers, pairs, repeats."""

from __future__ import annotations

from datetime import datetime

from juki.columns import IdentityFile
from juki.decisions import Effect
from juki.identity import Plan, plan_changes
from juki.known import Known
from juki.notices import Reason
from juki.reasons import Code
from tests.notice_tables import ELSEWHERE, holder, known, newest, notice, notices

N1, N2, N3 = "123456789018", "023456789013", "621498320257"
APPLY, RECORD, REJECT, REPEAT = Effect.APPLY, Effect.RECORD, Effect.REJECT, Effect.REPEAT
MOVED_OUT = {"kind": "deletion", "reason": Reason.MOVED_OUT.value}
DIED = {"kind": "deletion", "reason": Reason.DEATH.value}
MOVED_WITHIN = {"kind": "correction", "reason": Reason.MOVED_WITHIN.value}
NEW_NUMBER = {"kind": "correction", "reason": Reason.NUMBER_CHANGED_ON_REQUEST.value}
NEW_CODE = {"kind": "correction", "reason": Reason.CODE_CHANGED_ON_REQUEST.value}


def judged(*rows: dict[str, str], given: Known | None = None, **options: object) -> Plan:
    """Judge a package about people of whom `given` is known."""
    return plan_changes(notices(rows, **options), given or known())  # type: ignore[arg-type]


def codes(plan: Plan) -> set[Code]:
    """Name what was found."""
    return set(plan.findings.counts())


def test_notices_of_one_person_are_judged_in_order_each_after_the_other() -> None:
    """Entry, correction, deletion in one package: the last is newest, the others are history in a chain."""
    plan = judged(notice(), notice(**MOVED_WITHIN, address="山口県山口市2"), notice(**MOVED_OUT))
    assert plan.effects.tolist() == [APPLY] * 3
    assert plan.superseded_by.tolist() == [1, 2, -1]
    assert plan.becomes_newest.tolist() == [False, False, True]
    assert not codes(plan)


def test_a_notice_refused_in_the_middle_leaves_the_chain_whole() -> None:
    """A correction after the deletion is refused; the entry after it finds the deletion."""
    plan = judged(notice(), notice(**MOVED_OUT), notice(**MOVED_WITHIN), notice(reason=Reason.MOVED_IN.value))
    assert plan.effects.tolist() == [APPLY, APPLY, REJECT, APPLY]
    assert plan.superseded_by.tolist() == [1, 3, -1, -1]


def test_a_notice_that_broke_its_contract_is_as_if_it_had_not_come() -> None:
    """What was not admitted is refused without a finding here, and those after it do not see it."""
    plan = judged(notice(), notice(**MOVED_OUT), notice(**MOVED_WITHIN), admitted=[True, False, True])
    assert plan.effects.tolist() == [APPLY, REJECT, APPLY]
    assert plan.superseded_by.tolist() == [2, -1, -1]


def test_a_malformed_date_in_a_refused_record_disturbs_nobody() -> None:
    """The judging never reads what was not admitted."""
    bad = notice(event_date="令和八年", notified_at="きのう", resident_code="B")
    assert judged(bad, notice(), admitted=[False, True]).effects.tolist() == [REJECT, APPLY]


def test_the_stored_version_is_superseded_by_the_first_notice_only() -> None:
    """Two corrections of a stored person: the first supersedes what is stored, the second the first."""
    given = known([newest(notice())])
    plan = judged(notice(**MOVED_WITHIN), notice(**MOVED_WITHIN, address="山口県山口市2"), given=given)
    assert plan.stored_superseded_by.tolist() == [0]
    assert plan.superseded_by.tolist() == [1, -1]
    assert plan.updates.tolist() == [-1, 0]


# -- repeats ---------------------------------------------------------------------------------------------------


def test_the_same_notice_again_is_a_repeat() -> None:
    """Same record, event and date from the same sender: answered, nothing changes, stored or in the package."""
    again = notice(notified_at="2026-03-26T09:00:00+09:00")
    assert judged(again, given=known([newest(notice())])).effects.tolist() == [REPEAT]
    assert judged(notice(), again, again).effects.tolist() == [APPLY, REPEAT, REPEAT]


def test_a_resend_with_another_reason_date_or_value_is_no_repeat() -> None:
    """A CS may send a notice again with a changed reason: that is a notice of its own."""
    given = known([newest(notice())])
    for change in (
        {"reason": Reason.MOVED_IN.value},
        {"event_date": "2026-03-21"},
        {"name": "山口　花"},
        {"former_name": "宇部"},
        {"individual_number": N1},
    ):
        plan = judged(notice(**change), given=given)
        assert plan.effects.tolist() == [APPLY]
        assert codes(plan) == {Code.LOGIC_ALREADY_STANDING}


def test_the_same_words_from_another_municipality_are_no_repeat() -> None:
    """The sender is part of what a notice says."""
    assert judged(notice(), given=known([newest(notice(), ELSEWHERE)])).effects.tolist() == [APPLY]


def test_a_repeated_code_correction_is_a_repeat_although_its_old_code_is_gone() -> None:
    """After X became Y, the same correction again finds the newest version of Y."""
    change = notice(**NEW_CODE, resident_code="B", previous_resident_code="A")
    plan = judged(change, given=known([newest(change)], replaced={"A": "B"}))
    assert plan.effects.tolist() == [REPEAT]


# -- moves between municipalities ------------------------------------------------------------------------------


def test_a_move_ends_at_the_new_municipality_in_either_order() -> None:
    """Deletion first: erased, then entered. Entry first: entered over the old one, the deletion is history."""
    entry = notice(reason=Reason.MOVED_IN.value)
    after_deletion = judged(entry, given=known([newest(notice(**MOVED_OUT), ELSEWHERE)]))
    assert (after_deletion.effects.tolist(), codes(after_deletion)) == ([APPLY], set())
    before_deletion = judged(entry, given=known([newest(notice(), ELSEWHERE)]))
    assert (before_deletion.effects.tolist(), codes(before_deletion)) == ([APPLY], set())
    late = judged(notice(**MOVED_OUT), given=known([newest(entry, ELSEWHERE)]))
    assert (late.effects.tolist(), late.behind_stored.tolist(), codes(late)) == ([RECORD], [0], set())


def test_an_entry_overtaken_by_the_next_municipality_is_history() -> None:
    """A→B→C, and C's entry arrives before B's: B's was made earlier, so the person stands at C."""
    at_c = newest(notice(reason=Reason.MOVED_IN.value, notified_at="2026-03-28T09:00:00+09:00"), ELSEWHERE)
    plan = judged(notice(reason=Reason.MOVED_IN.value), notice(**MOVED_OUT), given=known([at_c]))
    assert plan.effects.tolist() == [RECORD, RECORD]
    assert Code.LOGIC_ARRIVED_LATE in codes(plan)


def test_a_correction_made_after_the_entry_elsewhere_does_not_hold_the_entry_back() -> None:
    """A corrects somebody it does not know has moved to B; B's earlier entry is still the newer residence."""
    at_a = newest(notice(**MOVED_WITHIN, notified_at="2026-03-28T09:00:00+09:00"), ELSEWHERE)
    assert judged(notice(reason=Reason.MOVED_IN.value), given=known([at_a])).effects.tolist() == [APPLY]


def test_a_correction_after_the_return_does_not_let_an_overtaken_entry_in() -> None:
    """A→B→A, corrected at A, and B's entry and deletion come late: the person stands at A."""
    stay = {"entered_at": "2026-03-28T09:00:00+09:00"}
    at_a = newest(notice(**MOVED_WITHIN, notified_at="2026-03-29T09:00:00+09:00"), ELSEWHERE, **stay)
    plan = judged(notice(reason=Reason.MOVED_IN.value), notice(**MOVED_OUT), given=known([at_a]))
    assert plan.effects.tolist() == [RECORD, RECORD]


def test_an_overtaken_entry_does_not_raise_the_dead() -> None:
    """A→B→C, death at C, and B's notices come late: the death stays the newest."""
    stay = {"entered_at": "2026-03-28T09:00:00+09:00"}
    dead = newest(notice(**DIED, notified_at="2026-03-29T09:00:00+09:00"), ELSEWHERE, **stay)
    plan = judged(notice(reason=Reason.MOVED_IN.value), notice(**MOVED_OUT), given=known([dead]))
    assert plan.effects.tolist() == [RECORD, RECORD]


def test_a_person_who_comes_back_stands_again() -> None:
    """Erased here, erased elsewhere, or standing elsewhere: an entry brings the person back."""
    for row in (
        newest(notice(**MOVED_OUT)),
        newest(notice(**MOVED_OUT), ELSEWHERE),
        newest(notice(), ELSEWHERE),
    ):
        assert judged(notice(reason=Reason.MOVED_IN.value), given=known([row])).becomes_newest.tolist() == [
            True
        ]


def test_a_cancelled_move_out_is_a_new_entry_on_top() -> None:
    """異動の取消し: the deletion becomes history, the person stands; nothing to wonder about."""
    plan = judged(notice(), given=known([newest(notice(**MOVED_OUT))]))
    assert (plan.effects.tolist(), codes(plan)) == ([APPLY], set())


def test_a_cancelled_death_is_applied_and_shown() -> None:
    """Who was erased on death and is entered again needs a second look, stored or in the same package."""
    assert codes(judged(notice(), given=known([newest(notice(**DIED))]))) == {Code.LOGIC_ENTERED_AFTER_DEATH}
    plan = judged(notice(), notice(**DIED), notice())
    assert plan.effects.tolist() == [APPLY] * 3
    assert codes(plan) == {Code.LOGIC_ENTERED_AFTER_DEATH}


def test_naturalisation_is_a_pair_in_either_order() -> None:
    """Deletion of the foreign record and entry of the Japanese one, same code: the Japanese one stands."""
    foreign = notice(is_foreign="1")
    deletion = foreign | {"kind": "deletion", "reason": Reason.DELETED_ON_NATURALISATION.value}
    entry = notice(reason=Reason.ENTERED_ON_NATURALISATION.value)
    in_order = judged(deletion, entry, given=known([newest(foreign)]))
    assert (in_order.becomes_newest.tolist(), codes(in_order)) == ([False, True], set())
    reversed_ = judged(entry, deletion, given=known([newest(foreign)]))
    assert (reversed_.effects.tolist(), codes(reversed_)) == ([APPLY, RECORD], set())
    assert reversed_.superseded_by.tolist() == [-1, 0]


# -- codes -----------------------------------------------------------------------------------------------------


def test_a_code_correction_hands_the_person_over() -> None:
    """The version under the old code is superseded, the new one takes its row, the old code is dead."""
    change = notice(**NEW_CODE, resident_code="B", previous_resident_code="A")
    plan = judged(change, notice(**MOVED_WITHIN), given=known([newest(notice())]))
    assert plan.effects.tolist() == [APPLY, REJECT]
    assert (plan.stored_superseded_by.tolist(), plan.updates.tolist()) == ([0], [0, -1])
    assert plan.code_changes.tolist() == [0]
    assert codes(plan) == {Code.LOGIC_CODE_REPLACED}


def test_a_chain_of_code_corrections_in_one_package_ends_at_the_last_code() -> None:
    """A becomes B becomes C, and C moves: one person, one row, in order."""
    plan = judged(
        notice(**NEW_CODE, resident_code="B", previous_resident_code="A"),
        notice(**NEW_CODE, resident_code="C", previous_resident_code="B"),
        notice(**MOVED_WITHIN, resident_code="C"),
        given=known([newest(notice())]),
    )
    assert plan.effects.tolist() == [APPLY] * 3
    assert plan.superseded_by.tolist() == [1, 2, -1]
    assert plan.updates.tolist() == [-1, -1, 0]
    assert plan.code_changes.tolist() == [0, 1]


def test_a_new_code_that_somebody_has_or_had_is_refused() -> None:
    """A code is given once: neither a standing person's nor a replaced one may be taken."""
    change = notice(**NEW_CODE, resident_code="B", previous_resident_code="A")
    for given in (
        known([newest(notice()), newest(notice(resident_code="B"))]),
        known([newest(notice())], replaced={"B": "C"}),
    ):
        plan = judged(change, given=given)
        assert (plan.effects.tolist(), codes(plan)) == ([REJECT], {Code.LOGIC_NEW_CODE_IN_USE})
        assert plan.code_changes.tolist() == []


def test_a_code_entered_where_there_was_none_names_a_person_never_heard_of() -> None:
    """The law provides for it: applied with an alert, and no code is replaced."""
    plan = judged(notice(kind="correction", reason=Reason.CODE_ENTERED_EX_OFFICIO.value))
    assert (plan.effects.tolist(), plan.code_changes.tolist()) == ([APPLY], [])
    assert codes(plan) == {Code.LOGIC_UNKNOWN_PERSON}


def test_a_fuhyo_code_correction_is_told_by_its_previous_code() -> None:
    """The fuhyo file has no reasons."""
    change = {"kind": "correction", "reason": "", "resident_code": "B", "previous_resident_code": "A"}
    fuhyo = IdentityFile.FUHYO
    plan = judged(notice(**change), given=known([newest(notice(), file=fuhyo)]), file=fuhyo)
    assert (plan.effects.tolist(), plan.code_changes.tolist()) == ([APPLY], [0])


# -- numbers ---------------------------------------------------------------------------------------------------


def test_a_number_that_changes_silently_is_refused() -> None:
    """Only a correction of the number changes it; a move or a deletion with another number is another person's."""
    given = known([newest(notice(individual_number=N1))])
    for event in (MOVED_WITHIN, MOVED_OUT):
        plan = judged(notice(**event, individual_number=N2), given=given)
        assert (plan.effects.tolist(), codes(plan)) == ([REJECT], {Code.LOGIC_NUMBER_DIFFERS})
    assert judged(notice(**NEW_NUMBER, individual_number=N2), given=given).effects.tolist() == [APPLY]
    assert judged(notice(**MOVED_WITHIN), given=given).effects.tolist() == [APPLY]


def test_a_wrong_previous_number_is_shown() -> None:
    """The correction passes, because the municipality is believed, but somebody must look."""
    given = known([newest(notice(individual_number=N1))])
    right = notice(**NEW_NUMBER, individual_number=N2, previous_individual_number=N1)
    assert codes(judged(right, given=given)) == set()
    wrong = judged(right | {"previous_individual_number": N3}, given=given)
    assert (wrong.effects.tolist(), codes(wrong)) == ([APPLY], {Code.LOGIC_PREVIOUS_NUMBER_DIFFERS})


def test_a_number_a_standing_person_holds_is_refused_to_another() -> None:
    """In the store, earlier in the package, or in the very same round."""
    entry = notice(resident_code="B", individual_number=N1)
    stored = judged(entry, given=known(holders=[holder(N1, "A", stands=True)]))
    assert (stored.effects.tolist(), codes(stored)) == ([REJECT], {Code.LOGIC_NUMBER_IN_USE})
    same_round = judged(notice(individual_number=N1), entry)
    assert same_round.effects.tolist() == [APPLY, REJECT]
    later = judged(notice(individual_number=N1), notice(resident_code="B"), entry)
    assert later.effects.tolist() == [APPLY, APPLY, REJECT]


def test_a_number_given_up_is_never_used_by_another() -> None:
    """番号法施行令6条: in the store or given up in this package."""
    stored = judged(
        notice(individual_number=N1), given=known(holders=[holder(N1, "Z", stands=False, is_newest=False)])
    )
    assert (stored.effects.tolist(), codes(stored)) == ([REJECT], {Code.LOGIC_NUMBER_RETIRED})
    given = known([newest(notice(individual_number=N1))])
    in_package = judged(
        notice(**NEW_NUMBER, individual_number=N2),
        notice(resident_code="B"),
        notice(**NEW_NUMBER, resident_code="B", individual_number=N1),
        given=given,
    )
    assert in_package.effects.tolist() == [APPLY, APPLY, REJECT]
    assert codes(in_package) == {Code.LOGIC_NUMBER_RETIRED}


def test_a_person_may_take_an_own_former_number_back() -> None:
    """A correction of a wrong correction."""
    given = known(
        [newest(notice(individual_number=N2))], holders=[holder(N1, "A", stands=False, is_newest=False)]
    )
    assert judged(notice(**NEW_NUMBER, individual_number=N1), given=given).effects.tolist() == [APPLY]


def test_an_erased_persons_number_under_another_code_draws_an_alert() -> None:
    """Someone returning may have two codes with no link: possible, so applied, and shown."""
    plan = judged(notice(individual_number=N1), given=known(holders=[holder(N1, "Z", stands=False)]))
    assert (plan.effects.tolist(), codes(plan)) == ([APPLY], {Code.LOGIC_NUMBER_SEEN_BEFORE})


def test_a_number_follows_its_person_to_a_new_code() -> None:
    """The same number under the new code is not another person's, and stays taken for everybody else."""
    given = known([newest(notice(individual_number=N1))], holders=[holder(N1, "A", stands=True)])
    change = notice(**NEW_CODE, resident_code="B", previous_resident_code="A", individual_number=N1)
    plan = judged(change, notice(resident_code="C", individual_number=N1), given=given)
    assert plan.effects.tolist() == [APPLY, REJECT]
    assert codes(plan) == {Code.LOGIC_NUMBER_IN_USE}


def test_a_person_erased_in_the_package_frees_no_number_without_notice() -> None:
    """After the deletion another code may take the number, with the alert of an erased holder."""
    given = known([newest(notice(individual_number=N1))])
    plan = judged(
        notice(**MOVED_OUT, individual_number=N1), notice(resident_code="B"),
        notice(**NEW_NUMBER, resident_code="B", individual_number=N1), given=given,
    )  # fmt: skip
    assert plan.effects.tolist() == [APPLY] * 3
    assert codes(plan) == {Code.LOGIC_NUMBER_SEEN_BEFORE}


def test_blank_numbers_belong_to_nobody() -> None:
    """Two people without a number are no conflict."""
    assert judged(notice(), notice(resident_code="B")).effects.tolist() == [APPLY, APPLY]


def test_an_empty_package_of_admitted_notices_changes_nothing() -> None:
    """Every record broke its contract."""
    assert judged(notice(), admitted=[False]).effects.tolist() == [REJECT]


def test_two_people_who_change_places_around_a_number_are_judged_in_order() -> None:
    """P, erased with N1, comes back with N2; Q then brings N1: it was given up, stored or in this package."""
    given = known(
        [newest(notice(**MOVED_OUT, individual_number=N1))], holders=[holder(N1, "A", stands=False)]
    )
    plan = judged(notice(individual_number=N2), notice(resident_code="B", individual_number=N1), given=given)
    assert plan.effects.tolist() == [APPLY, REJECT]
    assert codes(plan) == {Code.LOGIC_NUMBER_DIFFERS_ON_ENTRY, Code.LOGIC_NUMBER_RETIRED}


def test_a_former_number_follows_its_person_to_a_new_code() -> None:
    """X had N1 and has N2; X becomes Y; Y may take N1 back, nobody else may."""
    given = known(
        [newest(notice(individual_number=N2))], holders=[holder(N1, "A", stands=False, is_newest=False)]
    )
    change = notice(**NEW_CODE, resident_code="B", previous_resident_code="A", individual_number=N2)
    back = notice(**NEW_NUMBER, resident_code="B", individual_number=N1)
    assert judged(change, back, given=given).effects.tolist() == [APPLY, APPLY]
    other = notice(resident_code="C", individual_number=N1)
    assert judged(change, other, given=given).effects.tolist() == [APPLY, REJECT]


def test_a_late_notice_with_the_number_of_another_is_refused() -> None:
    """What arrives late is kept in history, so what it says of a number must fit the register as well."""
    given = known([newest(notice(), ELSEWHERE)], holders=[holder(N1, "Q", stands=True)])
    plan = judged(notice(**MOVED_OUT, individual_number=N1), given=given)
    assert (plan.effects.tolist(), codes(plan)) == ([REJECT], {Code.LOGIC_NUMBER_IN_USE})


def test_an_entry_with_another_number_under_a_known_code_is_shown() -> None:
    """A municipality that enters a person of another one with a number of its own does not pass unseen."""
    given = known([newest(notice(individual_number=N1), ELSEWHERE)])
    plan = judged(notice(reason=Reason.MOVED_IN.value, individual_number=N2), given=given)
    assert (plan.effects.tolist(), codes(plan)) == ([APPLY], {Code.LOGIC_NUMBER_DIFFERS_ON_ENTRY})
    same = judged(notice(reason=Reason.MOVED_IN.value, individual_number=N1), given=given)
    assert codes(same) == set()


def test_a_number_that_is_no_longer_said_is_shown() -> None:
    """A correction without the number leaves the person without: possible, and somebody must look."""
    given = known([newest(notice(individual_number=N1))])
    plan = judged(notice(**MOVED_WITHIN), given=given)
    assert (plan.effects.tolist(), codes(plan)) == ([APPLY], {Code.LOGIC_NUMBER_BLANK})


# -- clocks, disputes, codes that come again -------------------------------------------------------------------


def test_a_clock_that_runs_ahead_wins_nothing() -> None:
    """An entry that says it was made in 2099 counts as made when it came, here and in later comparisons."""
    ahead = notice(reason=Reason.MOVED_IN.value, notified_at="2099-01-01T00:00:00+09:00")
    received_at = datetime.fromisoformat("2026-03-25T12:00:00+09:00")
    assert notices([ahead], received_at=received_at).made_at.tolist() == [int(received_at.timestamp() * 1e6)]
    stay = {"entered_at": "2026-03-28T09:00:00+09:00"}
    at_b = newest(notice(reason=Reason.MOVED_IN.value), ELSEWHERE, **stay)
    plan = judged(ahead, given=known([at_b]), received_at=received_at)
    assert (plan.effects.tolist(), codes(plan)) == ([RECORD], {Code.LOGIC_ARRIVED_LATE})


def _erased_by_mistake(**said: str) -> Known:
    """B entered A's resident by mistake and took that back: erased at B at nine, never erased at A."""
    taken_back = {"kind": "deletion", "reason": Reason.DELETED_EX_OFFICIO.value}
    row = notice(**(taken_back | {"notified_at": "2026-03-25T09:00:00+09:00"} | said))
    return known([newest(row, ELSEWHERE, own_last_kind="entry")])


def test_a_resident_erased_by_anothers_mistake_stands_again_with_the_next_correction() -> None:
    """The municipality that never erased the person says more than the one that took its own entry back."""
    plan = judged(notice(**MOVED_WITHIN), given=_erased_by_mistake())
    assert (plan.becomes_newest.tolist(), codes(plan)) == ([True], {Code.LOGIC_ERASURE_DISPUTED})


def test_a_correction_made_before_the_erasure_or_after_a_death_revives_nobody() -> None:
    """Overtaken on the way, or contradicted by a death elsewhere: history."""
    early = notice(**MOVED_WITHIN, notified_at="2026-03-25T08:00:00+09:00")
    for said, given in ((early, _erased_by_mistake()), (notice(**MOVED_WITHIN), _erased_by_mistake(**DIED))):
        plan = judged(said, given=given)
        assert (plan.effects.tolist(), codes(plan)) == ([RECORD], {Code.LOGIC_ARRIVED_LATE})


def test_who_was_erased_here_as_well_is_not_disputed() -> None:
    """After the sender's own deletion, stored or late in this package, its correction contradicts itself."""
    erased = notice(kind="deletion", reason=Reason.DEATH.value, notified_at="2026-03-25T09:00:00+09:00")
    stored = known([newest(erased, ELSEWHERE, own_last_kind="deletion")])
    assert judged(notice(**MOVED_WITHIN), given=stored).effects.tolist() == [RECORD]
    plan = judged(notice(**MOVED_OUT), notice(**MOVED_WITHIN), given=_erased_by_mistake())
    assert plan.effects.tolist() == [RECORD, RECORD]


def test_a_code_correction_that_comes_again_with_another_reason_is_applied_to_the_new_code() -> None:
    """A CS may send a notice again, also with a changed reason; the old code is gone by then."""
    change = notice(**NEW_CODE, resident_code="B", previous_resident_code="A")
    again = change | {"reason": Reason.CODE_ENTERED_EX_OFFICIO.value}
    stored = judged(again, given=known([newest(change)], replaced={"A": "B"}))
    assert (stored.effects.tolist(), stored.code_changes.tolist(), codes(stored)) == ([APPLY], [], set())
    assert stored.updates.tolist() == [0]
    in_package = judged(change, again, given=known([newest(notice())]))
    assert in_package.effects.tolist() == [APPLY, APPLY]
    assert in_package.code_changes.tolist() == [0]


def test_a_code_nobody_knows_is_not_used_up_by_being_named() -> None:
    """A correction from a code never heard of is applied with an alert; that code stays free for its person."""
    change = notice(**NEW_CODE, resident_code="B", previous_resident_code="A")
    plan = judged(change, notice(resident_code="A"))
    assert plan.effects.tolist() == [APPLY, APPLY]
    assert plan.code_changes.tolist() == []
    assert codes(plan) == {Code.LOGIC_UNKNOWN_PERSON}
