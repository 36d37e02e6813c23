"""Requests answered from the resident file: what was asked and granted, to whom it is meant for, once."""

from __future__ import annotations

import pytest

from juki.journal import Action
from juki.reasons import Code
from tasks import clock
from tests.flows.conftest import Town
from tests.flows.providing import RESIDENT, Counter, counter


@pytest.fixture
def here(town: Town) -> Counter:
    """A town with people, and recipients that ask for them."""
    return counter(town)


NOBODY = {"name_kana": "ダレモイナイ", "birth_date": "19000101"}


def test_people_are_provided_by_number_and_by_four_information(here: Counter) -> None:
    """The recipient opens with openssl what it asked for: the fields in its order, line by line, and no more."""
    here.ask([*here.by_number(0), NOBODY, *here.by_four(1)], fields=["address", "name"], with_number=True)
    taken = here.work()
    assert (taken.registered, taken.codes, taken.failures) == (1, {}, {})
    (answer,) = here.answers()
    assert answer.table.column_names == ["request_line", "outcome", "address", "name", "individual_number"]
    first, second = here.people[0], here.people[1]
    assert [tuple(line.values()) for line in answer.lines] == [
        ("1", "found", first["address"], first["name"], first["individual_number"]),
        ("2", "not_found", "", "", ""),
        ("3", "found", second["address"], second["name"], second["individual_number"]),
    ]
    assert (answer.manifest.request_no, answer.manifest.sequence, answer.manifest.provision_id) == (
        1,
        1,
        "R1",
    )
    assert answer.manifest.fields == ("address", "name", "individual_number")


def test_everything_is_in_the_operation_log_and_names_nobody(here: Counter) -> None:
    """Received, decided, searched, one entry a person, sealed, delivered: sealed and keyed, whose it was."""
    here.ask([*here.by_number(0, 1), NOBODY], with_number=True)
    here.work()
    people = here.entries(Action.PERSON_PROVIDED)
    assert [entry["number_accessed"] for entry in people] == [True, True]
    assert (
        len({entry["subject_index"] for entry in people}) == len({entry["subject"] for entry in people}) == 2
    )
    assert {(entry["provision"], entry["recipient"], entry["basis"]) for entry in people} == {
        ("R1", "kyoiku", "beppyo6-3")
    }
    (searched,) = here.entries(Action.PEOPLE_SEARCHED)
    assert searched["counts"] == {
        "lines": 3, "found": 2, "not_found": 1, "ambiguous": 0, "number_not_held": 0,
    }  # fmt: skip
    for action in (
        Action.REQUEST_RECEIVED,
        Action.PROVISION_DECIDED,
        Action.PROVISION_SEALED,
        Action.PROVISION_DELIVERED,
    ):
        (entry,) = here.entries(action)
        assert (entry["provision"], entry["outcome"]) == ("R1", "done")
    whole = str(here.run_sql(RESIDENT, "SELECT entry FROM journal"))
    for name in ("resident_code", "individual_number", "name"):
        assert here.people[0][name] not in whole


def test_run_again_with_nothing_new_changes_nothing(here: Counter) -> None:
    """The request still lies in the folder: it was dealt with."""
    here.ask(here.by_number(0))
    here.work()
    before = here.run_sql(RESIDENT, "SELECT count(*) FROM journal")
    taken = here.work()
    assert (taken.registered, taken.codes) == (0, {})
    assert here.run_sql(RESIDENT, "SELECT count(*) FROM journal") == before
    assert len(here.answers()) == 1


def test_second_answer_takes_the_next_place_without_a_gap(here: Counter) -> None:
    """The recipient sees by the sequence that it has everything; a refusal takes no place."""
    here.ask(here.by_number(0))
    here.ask(here.by_number(1), basis="beppyo6-9")
    here.ask(here.by_number(2))
    here.work()
    assert [answer.manifest.sequence for answer in here.answers()] == [1, 2]
    assert [answer.manifest.request_no for answer in here.answers()] == [1, 3]
    assert here.states()[1] == ("refused", Code.PROVISION_BASIS_UNKNOWN.value)


def test_person_without_a_number_is_given_without_it_and_said_so(here: Counter) -> None:
    """個人番号 can be blank on a real record."""
    code = here.people[0]["resident_code"]
    here.run_sql(
        RESIDENT,
        "UPDATE current SET number_sealed = NULL, number_index = NULL WHERE resident_code = %s",
        [code],
    )
    here.ask(here.by_four(0), with_number=True, fields=["name"])
    here.work()
    (answer,) = here.answers()
    assert [tuple(line.values()) for line in answer.lines] == [
        ("1", "number_not_held", here.people[0]["name"], "")
    ]
    (entry,) = here.entries(Action.PERSON_PROVIDED)
    assert entry["number_accessed"] is False


def test_package_says_until_when_it_can_be_had_again(here: Counter) -> None:
    """expires_at of the manifest is the end of the hold as it was opened."""
    here.ask(here.by_number(0))
    here.work()
    (answer,) = here.answers()
    waited = answer.manifest.expires_at - answer.manifest.created_at
    assert waited.total_seconds() == 72 * 3600
    assert answer.manifest.created_at <= clock.now()
