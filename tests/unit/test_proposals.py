"""What a repair proposes: lawful events, in an order in which numbers are free, and nothing against a newer word."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from juki.columns import NOTICE_COLUMNS, RECORD_COLUMNS, IdentityFile, Layout
from juki.decisions import DECISIONS, Effect, FuhyoEvent, State
from juki.differences import DifferenceKind
from juki.identity import plan_changes
from juki.notices import Reason
from juki.proposals import (
    Draft,
    Proposals,
    Snapshot,
    Standing,
    ToRepair,
    propose,
    says_the_same,
    stands_against,
)
from juki.reasons import Code
from juki.rules import RecordContext
from tests.notice_tables import ELSEWHERE, HERE, index, known, newest, notice, notices
from validations.contracts import check_records

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
MISSING, DIFFERS, EXTRA = DifferenceKind.MISSING, DifferenceKind.DIFFERS, DifferenceKind.EXTRA
AS_OF = datetime(2026, 3, 25, 15, 30, tzinfo=UTC)
"""Half past midnight of the next day in Japan."""
SNAPSHOT = Snapshot(HERE, 40, AS_OF, 45)
N1, N2, N3 = "123456789018", "023456789013", "621498320257"
CODES = ("24727059608", "24846016224", "25208017643")


def asked(kind: DifferenceKind, code: str = CODES[0], *columns: str, held_by: str | None = None) -> ToRepair:
    """A difference to be carried out."""
    return ToRepair(1, kind, code, frozenset(columns), held_by, SNAPSHOT.watermark, 1)


def draft(
    kind: DifferenceKind, code: str = CODES[0], number: str = "", held: str = "", file: IdentityFile = RESIDENT,
    columns: tuple[str, ...] = (), **said: str,
) -> Draft:  # fmt: skip
    """A draft of one person with the number in the record and the one the file has."""
    row = notice(resident_code=code, individual_number=number, **said)
    record = {name: row.get(name, "") for name in RECORD_COLUMNS[file]}
    return Draft(asked(kind, code, *columns), record, index(held), index(number))


def events(proposals: Proposals) -> list[tuple[str, str, str]]:
    """Say code, kind and reason of each proposal."""
    rows = proposals.table.to_pylist()
    return [(row["resident_code"], row["kind"], row.get("reason", "")) for row in rows]


def test_a_proposal_claims_no_more_than_the_municipality_said() -> None:
    """職権, as of the notice the snapshot contains, on the civil day of Japan; the record as it was said."""
    proposals = propose(RESIDENT, SNAPSHOT, [draft(MISSING, name="葛\U000e0100飾")])
    (row,) = proposals.table.to_pylist()
    assert proposals.table.column_names == list(NOTICE_COLUMNS[RESIDENT])
    said = {"notice_no": "40", "notified_at": "2026-03-26T00:30:00+09:00", "event_date": "2026-03-26"}
    assert row | said | {"kind": "entry", "reason": "職権記載等", "name": "葛\U000e0100飾"} == row
    assert row["previous_resident_code"] == row["previous_individual_number"] == ""


def test_fuhyo_proposals_have_no_reason_and_no_number() -> None:
    """施行令30条の12の3 knows neither."""
    drafts = [
        draft(kind, code, file=FUHYO) for kind, code in zip((MISSING, DIFFERS, EXTRA), CODES, strict=True)
    ]
    proposals = propose(FUHYO, SNAPSHOT, drafts)
    assert proposals.table.column_names == list(NOTICE_COLUMNS[FUHYO])
    assert [kind for _, kind, _ in events(proposals)] == ["deletion", "correction", "entry"]


@pytest.mark.parametrize(
    ("number", "held", "columns", "reason"),
    [
        (N1, N1, ("name",), Reason.CORRECTED_EX_OFFICIO),
        (N1, N2, ("individual_number",), Reason.NUMBER_CORRECTED_EX_OFFICIO),
        (N1, "", ("individual_number",), Reason.NUMBER_CORRECTED_EX_OFFICIO),
        (N1, N1, ("individual_number",), Reason.NUMBER_CORRECTED_EX_OFFICIO),
        (N1, N2, ("name",), Reason.NUMBER_CORRECTED_EX_OFFICIO),
        ("", N2, ("individual_number",), Reason.CORRECTED_EX_OFFICIO),
    ],
)
def test_a_number_is_corrected_by_its_own_kind_of_correction(
    number: str, held: str, columns: tuple[str, ...], reason: Reason
) -> None:
    """Any other would be refused; and where the municipality has none, its own kind would be: it needs a number."""
    proposals = propose(RESIDENT, SNAPSHOT, [draft(DIFFERS, number=number, held=held, columns=columns)])
    assert events(proposals) == [(CODES[0], "correction", reason.value)]


def test_what_frees_a_number_comes_before_who_is_to_get_it() -> None:
    """Two with each other's number, one who is retired with it: all are free of it before anybody gets any."""
    a, b, c = CODES
    proposals = propose(
        RESIDENT, SNAPSHOT, [draft(DIFFERS, a, N2, N1), draft(DIFFERS, b, N1, N2), draft(EXTRA, c, N3, N3)]
    )
    assert [row["individual_number"] for row in proposals.table.to_pylist()] == [N3, "", "", N2, N1]
    assert [code for code, _, _ in events(proposals)] == [c, a, b, a, b]
    assert (proposals.before, proposals.is_release.tolist()) == (3, [False, True, True, False, False])
    assert proposals.drafts.tolist() == [2, 0, 1, 0, 1]


def test_nobody_is_left_without_a_number_for_nothing() -> None:
    """A number that only its person, or who is to be retired, has anything to do with stays until it is corrected."""
    a, b, c = CODES
    drafts = [
        draft(DIFFERS, a, N1, N1),
        draft(DIFFERS, b, N2, ""),
        draft(EXTRA, c, N3, N3),
        draft(DIFFERS, c, "", N3),
    ]
    assert not propose(RESIDENT, SNAPSHOT, drafts).is_release.any()


def test_a_person_holding_what_an_entry_brings_is_freed_of_it() -> None:
    """The one who was lost had that number, and another was given it."""
    proposals = propose(RESIDENT, SNAPSHOT, [draft(DIFFERS, CODES[0], N1, N2), draft(MISSING, CODES[1], N2)])
    assert [(code, kind) for code, kind, _ in events(proposals)] == [
        (CODES[0], "correction"),
        (CODES[0], "correction"),
        (CODES[1], "entry"),
    ]


def test_who_is_retired_is_said_to_have_lived_where_the_record_was_kept() -> None:
    """A row that is to go may name another municipality as that of its address; a fuhyo record may rightly."""
    elsewhere = draft(EXTRA, municipality_code=ELSEWHERE)
    assert propose(RESIDENT, SNAPSHOT, [elsewhere]).table.column("municipality_code").to_pylist() == [HERE]
    elsewhere = draft(EXTRA, municipality_code=ELSEWHERE, file=FUHYO)
    assert propose(FUHYO, SNAPSHOT, [elsewhere]).table.column("municipality_code").to_pylist() == [ELSEWHERE]


# -- contract and logic, cell by cell -----------------------------------------------------------------------

_EVENT = {
    RESIDENT: {
        MISSING: Reason.ENTERED_EX_OFFICIO, DIFFERS: Reason.CORRECTED_EX_OFFICIO, EXTRA: Reason.DELETED_EX_OFFICIO,
    },
    FUHYO: {MISSING: FuhyoEvent.ENTRY, DIFFERS: FuhyoEvent.CORRECTION, EXTRA: FuhyoEvent.DELETION},
}  # fmt: skip
_MET = {
    MISSING: (State.UNKNOWN, State.ELSEWHERE, State.ERASED, State.ERASED_ELSEWHERE, State.DISPUTED),
    DIFFERS: (State.HERE, State.HERE_AS_OTHER),
    EXTRA: (State.HERE,),
}
"""The states in which a person can be of whom a difference of the kind is carried out."""


@pytest.mark.parametrize("kind", _MET)
@pytest.mark.parametrize("file", list(IdentityFile))
def test_the_event_of_a_proposal_is_applied_in_every_state_it_can_meet(
    file: IdentityFile, kind: DifferenceKind
) -> None:
    """The decision table itself: none of them is refused or only recorded."""
    for state in _MET[kind]:
        if file is FUHYO and state is State.HERE_AS_OTHER:
            continue
        assert DECISIONS[file][_EVENT[file][kind], state].effect is Effect.APPLY, (kind, state)
    replaced = DECISIONS[file][_EVENT[file][kind], State.REPLACED]
    assert (replaced.effect, replaced.code) == (Effect.REJECT, Code.LOGIC_CODE_REPLACED)


@pytest.mark.parametrize("is_foreign", ["0", "1"])
@pytest.mark.parametrize("held_foreign", ["0", "1"])
@pytest.mark.parametrize("number", ["", N1])
@pytest.mark.parametrize("kind", _MET)
def test_a_proposal_passes_contract_and_logic(
    kind: DifferenceKind, number: str, held_foreign: str, is_foreign: str
) -> None:
    """Whoever stands or not, of either nationality, with a number or without: applied, and at most an alert."""
    held = N2 if number and kind is DIFFERS else number
    proposals = propose(RESIDENT, SNAPSHOT, [draft(kind, number=number, held=held, is_foreign=is_foreign)])
    context = RecordContext(HERE, "repair", AS_OF, frozenset({HERE}))
    assert not check_records(Layout.NOTICE, RESIDENT, proposals.table, context).blocked.any()
    standing = notice(resident_code=CODES[0], is_foreign=held_foreign, individual_number=held)
    before = [] if kind is MISSING else [newest(standing, notice_no=12)]
    package = notices(proposals.table.to_pylist(), first_no=SNAPSHOT.watermark)
    plan = plan_changes(package, known(before))
    assert plan.effects.tolist() == [Effect.APPLY]


# -- what speaks against a repair -----------------------------------------------------------------------------


def standing(sender: str = HERE, notice_no: int = 30, *, is_erased: bool = False) -> Standing:
    """What the file says of a person."""
    return Standing(sender, notice_no, is_erased, {}, None, None)


@pytest.mark.parametrize(
    ("kind", "held_by", "now", "code"),
    [
        (MISSING, None, None, None),
        (DIFFERS, None, None, Code.REPAIR_OVERTAKEN),
        (EXTRA, None, None, Code.REPAIR_OVERTAKEN),
        (DIFFERS, None, standing(), None),
        (EXTRA, None, standing(notice_no=40), None),
        (MISSING, None, standing(), Code.REPAIR_OVERTAKEN),
        (DIFFERS, None, standing(notice_no=41), Code.REPAIR_OVERTAKEN),
        (EXTRA, None, standing(notice_no=45), Code.REPAIR_OVERTAKEN),
        (DIFFERS, None, standing(notice_no=46), None),
        (MISSING, None, standing(notice_no=41, is_erased=True), Code.REPAIR_OVERTAKEN),
        (MISSING, None, standing(is_erased=True), None),
        (EXTRA, None, standing(is_erased=True), Code.REPAIR_OVERTAKEN),
        (MISSING, None, standing(ELSEWHERE), Code.REPAIR_TAKEN_OVER),
        (MISSING, ELSEWHERE, standing(ELSEWHERE, 99), None),
        (MISSING, "352021", standing(ELSEWHERE), Code.REPAIR_TAKEN_OVER),
        (MISSING, None, standing(ELSEWHERE, is_erased=True), None),
        (DIFFERS, None, standing(ELSEWHERE), Code.REPAIR_TAKEN_OVER),
        (DIFFERS, None, standing(ELSEWHERE, is_erased=True), Code.REPAIR_OVERTAKEN),
    ],
)
def test_the_file_as_it_is_now_decides_whether_a_repair_is_too_late(
    kind: DifferenceKind, held_by: str | None, now: Standing | None, code: Code | None
) -> None:
    """A later notice received, another municipality, a state the repair is not for; not a number never received."""
    assert stands_against(asked(kind, held_by=held_by), SNAPSHOT, now) is code


def test_what_says_the_same_by_now_is_seen_by_record_and_number() -> None:
    """The number is compared by index, the rest word for word."""
    one = draft(DIFFERS, number=N1, held=N1)
    record = {name: value for name, value in one.record.items() if name != "individual_number"}
    now = Standing(HERE, 30, False, record, index(N1), b"sealed")
    assert says_the_same(one, now)
    assert not says_the_same(one, Standing(HERE, 30, False, record, index(N2), b"sealed"))
    assert not says_the_same(one, Standing(HERE, 30, False, record | {"name": ""}, index(N1), b"sealed"))
    assert not says_the_same(one, None)


def test_nothing_of_a_person_is_shown_by_what_is_passed_on() -> None:
    """Drafts, proposals and what stands are passed between functions, and end in a trace when one fails."""
    one = draft(DIFFERS, number=N1, held=N2, name="山口　標花")
    shown = repr(
        (one, one.asked, propose(RESIDENT, SNAPSHOT, [one]), Standing(HERE, 1, False, one.record, None, None))
    )
    assert not any(mark in shown for mark in ("標花", N1, CODES[0]))


def test_no_drafts_are_no_proposals() -> None:
    """An empty table of the right columns, and nothing before it."""
    proposals = propose(RESIDENT, SNAPSHOT, [])
    assert (proposals.table.num_rows, proposals.before, len(proposals.drafts)) == (0, 0, 0)
    assert proposals.is_release.dtype == np.bool_
