"""The decision tables, cell by cell: what each cell must say, reasoned anew, and what the judging makes of it."""

from __future__ import annotations

import pytest

from juki.columns import IdentityFile
from juki.decisions import DECISIONS, EVENTS, Effect, Event, FuhyoEvent, State, kind_of
from juki.identity import plan_changes
from juki.known import Known
from juki.notices import CODE_CORRECTIONS, Kind, Reason
from juki.reasons import Code, Severity
from tests.notice_tables import ELSEWHERE, HERE, known, newest, notice, notices

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
PAIRED_ENTRIES = {Reason.ENTERED_ON_NATURALISATION, Reason.ENTERED_ON_LOSS_OF_NATIONALITY}
PAIRED_DELETIONS = {Reason.DELETED_ON_NATURALISATION, Reason.DELETED_ON_LOSS_OF_NATIONALITY}
MOVES_IN = {Reason.MOVED_IN, FuhyoEvent.ENTRY}
MOVES_OUT = {Reason.MOVED_OUT, FuhyoEvent.DELETION}

EARLIER = "2026-03-25T09:00:00+09:00"

CELLS = [
    pytest.param(file, event, state, id=f"{file.value}-{event.value}-{state.name}")
    for file in IdentityFile
    for event in EVENTS[file]
    for state in State
    if not (file is FUHYO and state is State.HERE_AS_OTHER)
]


def expected(event: Event, state: State) -> tuple[Effect, Code | None]:
    """Reason a cell out of ADR-0011, sentence by sentence, without looking at the table."""
    if state is State.REPLACED:
        return Effect.REJECT, Code.LOGIC_CODE_REPLACED
    kind = kind_of(event)
    if kind is Kind.ENTRY:
        return Effect.REJECT if _contradicts(event, state) else Effect.APPLY, _said_of_entry(event, state)
    if state is State.UNKNOWN:
        return Effect.APPLY, Code.LOGIC_UNKNOWN_PERSON
    if state is State.DISPUTED and event is Reason.DEATH:
        return Effect.APPLY, Code.LOGIC_ALREADY_ERASED
    if state is State.DISPUTED and kind is Kind.CORRECTION:
        return Effect.APPLY, Code.LOGIC_ERASURE_DISPUTED
    if state in (State.ERASED_ELSEWHERE, State.DISPUTED):
        return Effect.RECORD, Code.LOGIC_ARRIVED_LATE
    if state is State.ELSEWHERE:
        return Effect.RECORD, None if event in MOVES_OUT else Code.LOGIC_STANDING_ELSEWHERE
    if state is State.ERASED:
        return (
            (Effect.APPLY, Code.LOGIC_ALREADY_ERASED)
            if kind is Kind.DELETION
            else (Effect.REJECT, Code.LOGIC_NOT_STANDING)
        )
    if state is State.HERE_AS_OTHER:
        if event in PAIRED_DELETIONS:
            return Effect.RECORD, None
        return Effect.APPLY, Code.LOGIC_NATIONALITY_KIND_DIFFERS
    return Effect.APPLY, None


def _contradicts(event: Event, state: State) -> bool:
    return event is Reason.BIRTH and state is State.ELSEWHERE


def _said_of_entry(event: Event, state: State) -> Code | None:
    if event in PAIRED_ENTRIES:
        said = {
            State.UNKNOWN: Code.LOGIC_PAIR_MISSING, State.ERASED_ELSEWHERE: Code.LOGIC_PAIR_MISSING,
            State.DISPUTED: Code.LOGIC_PAIR_MISSING,
            State.HERE: Code.LOGIC_NATIONALITY_KIND_SAME, State.ELSEWHERE: Code.LOGIC_STANDING_ELSEWHERE,
        }  # fmt: skip
        return said.get(state)
    said = {
        State.HERE: Code.LOGIC_ALREADY_STANDING, State.HERE_AS_OTHER: Code.LOGIC_NATIONALITY_KIND_DIFFERS,
    }  # fmt: skip
    if state is State.ELSEWHERE:
        if event in MOVES_IN:
            return None
        return Code.LOGIC_BORN_ELSEWHERE if event is Reason.BIRTH else Code.LOGIC_STANDING_ELSEWHERE
    if event is Reason.BIRTH and state in (State.ERASED, State.ERASED_ELSEWHERE, State.DISPUTED):
        return Code.LOGIC_BORN_BEFORE
    return said.get(state)


@pytest.mark.parametrize(("file", "event", "state"), CELLS)
def test_the_cell_says_what_the_reasons_of_the_decision_say(
    file: IdentityFile, event: Event, state: State
) -> None:
    """Every cell follows from the sentences of ADR-0011, so a flipped cell is noticed."""
    cell = DECISIONS[file][event, state]
    assert (cell.effect, cell.code) == expected(event, state)


def test_every_cell_of_both_tables_is_decided() -> None:
    """20 reasons × 8 states, and 4 events × 7 states."""
    assert {file: len(cells) for file, cells in DECISIONS.items()} == {RESIDENT: 160, FUHYO: 28}


def test_an_error_refuses_and_an_alert_never_does() -> None:
    """The severity of a code and the effect of its cells agree."""
    for cells in DECISIONS.values():
        for cell in cells.values():
            is_error = cell.code is not None and cell.code.severity is Severity.ERROR
            assert is_error == (cell.effect is Effect.REJECT)


def _event_fields(file: IdentityFile, event: Event) -> dict[str, str]:
    fields = {"kind": kind_of(event).value, "reason": event.value if file is RESIDENT else ""}
    is_code_correction = event in CODE_CORRECTIONS or event is FuhyoEvent.CODE_CORRECTION
    return fields | ({"previous_resident_code": "A", "resident_code": "B"} if is_code_correction else {})


def _known_in(state: State, file: IdentityFile) -> Known:
    """Bring the person known as A into a state, seen from HERE."""
    standing = notice(reason=Reason.MOVED_IN.value)
    erased = notice(kind="deletion", reason=Reason.MOVED_OUT.value)
    rows = {
        State.HERE: newest(standing, HERE, file=file),
        State.HERE_AS_OTHER: newest(standing | {"is_foreign": "1"}, HERE, file=file),
        State.ELSEWHERE: newest(standing, ELSEWHERE, file=file),
        State.ERASED: newest(erased, HERE, file=file),
        State.ERASED_ELSEWHERE: newest(erased, ELSEWHERE, file=file),
        State.DISPUTED: newest(
            erased | {"notified_at": EARLIER}, ELSEWHERE, file=file, own_last_kind="correction"
        ),
    }
    if state is State.REPLACED:
        return known(replaced={"A": "Z"})
    return known([rows[state]] if state in rows else [])


@pytest.mark.parametrize(("file", "event", "state"), CELLS)
def test_the_judging_does_what_the_cell_says(file: IdentityFile, event: Event, state: State) -> None:
    """A notice of the event about a person in the state ends as the cell decides, and so does the file."""
    effect, code = expected(event, state)
    said = notice(name="山口　太郎", event_date="2026-03-24", **_event_fields(file, event))
    plan = plan_changes(notices([said], file), _known_in(state, file))
    assert plan.effects.tolist() == [effect]
    assert set(plan.findings.counts()) == ({code} if code else set())
    is_stored = state not in (State.UNKNOWN, State.REPLACED)
    assert plan.becomes_newest.tolist() == [effect is Effect.APPLY]
    assert plan.becomes_history.tolist() == [effect is Effect.RECORD]
    assert plan.updates.tolist() == [0 if effect is Effect.APPLY and is_stored else -1]
    assert plan.behind_stored.tolist() == [0 if effect is Effect.RECORD else -1]
    assert plan.stored_superseded_by.tolist() == ([0 if effect is Effect.APPLY else -1] if is_stored else [])
