"""Requests answered from the fuhyo file: only 国外転出者, one by one, their numbers over the bridge and held."""

from __future__ import annotations

import pytest

from juki.errors import StoreError
from juki.journal import Action
from juki.reasons import Code
from tests.flows.conftest import Town
from tests.flows.providing import FUHYO, RESIDENT, Counter, counter


@pytest.fixture
def here(town: Town) -> Counter:
    """A town of whom two have moved abroad; the board may use the number."""
    made = counter(town)
    made.move_abroad(0)
    made.move_abroad(1, code="99999999999")
    return made


FIELDS = ["name", "is_abroad"]


def test_people_abroad_are_provided_with_the_number_the_resident_file_holds(here: Counter) -> None:
    """法30条の44の6③: found in the one file, numbered from the other; not held here is said, and is no failure."""
    people = here.by_four(0, 1, 2)
    here.ask(people, file=FUHYO, fields=FIELDS, with_number=True)
    here.work()
    (answer,) = here.answers()
    first, second = here.people[0], here.people[1]
    assert [tuple(line.values()) for line in answer.lines] == [
        ("1", "found", first["name"], "1", first["individual_number"]),
        ("2", "number_not_held", second["name"], "1", ""),
        ("3", "not_found", "", "", ""),
    ]
    assert here.states(FUHYO) == [("delivered", None)]
    assert here.run_sql(FUHYO, "SELECT numbers FROM hold") == [(1,)]
    assert here.run_sql(FUHYO, "SELECT count(*) FROM held_number") == [(1,)]


def test_crossing_is_in_both_logs_and_the_rest_in_that_of_the_file_asked(here: Counter) -> None:
    """Who looks into either store finds what was done there."""
    here.ask(here.by_four(0, 1), file=FUHYO, fields=FIELDS, with_number=True)
    here.work()
    assert len(here.entries(Action.BRIDGE_CROSSED, RESIDENT)) == 1
    assert len(here.entries(Action.BRIDGE_CROSSED, FUHYO)) == 1
    accessed = [entry["number_accessed"] for entry in here.entries(Action.PERSON_PROVIDED, FUHYO)]
    assert accessed == [True, False]
    for action in (
        Action.REQUEST_RECEIVED,
        Action.PEOPLE_SEARCHED,
        Action.PERSON_PROVIDED,
        Action.PROVISION_SEALED,
    ):
        assert here.entries(action, RESIDENT) == []


def test_without_a_number_the_bridge_is_not_crossed(here: Counter) -> None:
    """What was not granted is not fetched."""
    here.ask(here.by_four(0), file=FUHYO, fields=["name"])
    here.work()
    assert [line["outcome"] for line in here.answers()[0].lines] == ["found"]
    assert here.run_sql(RESIDENT, "SELECT count(*) FROM crossing") == [(0,)]
    assert here.run_sql(RESIDENT, "SELECT count(*) FROM journal WHERE action = 'bridge.crossed'") == [(0,)]


def test_resident_of_japan_asked_from_fuhyo_is_not_found(here: Counter) -> None:
    """The file is opened for 国外転出者 alone, whatever else it holds."""
    here.run_sql(FUHYO, "UPDATE current SET is_abroad = false")
    here.ask(here.by_four(0, 1), file=FUHYO, fields=["name"], with_number=True)
    here.work()
    assert [line["outcome"] for line in here.answers()[0].lines] == ["not_found"] * 2
    assert here.run_sql(RESIDENT, "SELECT count(*) FROM crossing") == [(0,)]


def test_request_by_number_for_fuhyo_is_refused(here: Counter) -> None:
    """The law's way leads from the code to the number, and never back."""
    here.ask([*here.by_four(0), *here.by_number(1)], file=FUHYO, fields=["name"])
    here.work()
    assert here.states(FUHYO) == [("refused", Code.REQUEST_NUMBER_ON_FUHYO.value)]
    assert here.answers() == [] and here.entries(Action.PEOPLE_SEARCHED, FUHYO) == []


def test_other_people_than_the_bridge_was_approved_for_end_the_provision(
    here: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the crossing, somebody came back meanwhile: what was approved is not what would leave."""
    from tasks import providing

    def dies(*_: object) -> None:
        raise StoreError(Code.STORE_UNREACHABLE, is_transient=True)

    here.ask(here.by_four(0, 1), file=FUHYO, fields=["name"], with_number=True)
    with monkeypatch.context() as patched, pytest.raises(Exception, match="store"):
        patched.setattr(providing, "seal_answer", dies)
        here.work()
    assert here.states(FUHYO) == [("approved", None)]
    here.run_sql(FUHYO, "UPDATE current SET is_abroad = false WHERE resident_code = '99999999999'")
    here.work()
    assert here.states(FUHYO) == [("refused", Code.BRIDGE_OTHER_CODES.value)]
    assert here.answers() == []


def test_sequences_of_the_two_files_count_by_themselves(here: Counter) -> None:
    """Each store knows its own provisions."""
    here.ask(here.by_four(0), file=FUHYO, fields=["name"])
    here.ask(here.by_four(0), fields=["name"])
    here.work()
    assert [(one.manifest.provision_id, one.manifest.sequence) for one in here.answers()] == [
        ("F1", 1),
        ("R1", 1),
    ]
