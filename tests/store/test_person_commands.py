"""`juki person`: who is looked for is found and logged; guessing, looking too much and seeing numbers is not let."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from juki.cli.person_actions import SUBJECT_PLACE
from juki.columns import IdentityFile
from juki.home import Home
from juki.keys import Purpose
from juki.store.looking import Looking
from juki.store.unit import open_unit
from juki.subjects import opened_subject, subject_index
from tests.conftest import Stores
from tests.console import FUHYO, RESIDENT, Console
from tests.gateway import Desk
from tests.person_case import (
    ADDRESS,
    BORN,
    CODE,
    KANA,
    NAME,
    NEW_CODE,
    NUMBER,
    OLD_ADDRESS,
    OTHER_CODE,
    OTHER_NUMBER,
    PURPOSE,
    SAID,
    WHO,
    Counter,
    refusal,
)


@pytest.fixture
def counter(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Counter:  # fmt: skip
    """A counter with one person who has moved house."""
    counter = Counter(Console(home, module_stores, monkeypatch, capsys), tmp_path)
    counter.enter()
    return counter


@pytest.mark.parametrize(
    "who", [{"resident_code": CODE}, {"individual_number": NUMBER}, WHO, {**WHO, "sex": "1"}]
)
def test_person_is_found_each_way_and_told_apart_without_number_or_code(
    counter: Counter, who: dict[str, str]
) -> None:
    """What an operator needs at a counter, and the purpose is in the log with everybody who was shown."""
    said = counter.ask("find", who, "--json")
    (person,) = said.data["people"]
    assert (said.code, person["name"], person["address"], person["position"]) == (0, NAME, ADDRESS, 1)
    assert NUMBER not in said.out and CODE not in said.out
    searched, listed = counter.logged()
    assert (searched["action"], listed["action"]) == ("person.searched", "person.listed")
    assert searched["counts"]["found"] == 1 and searched["basis"] == listed["basis"] == PURPOSE
    assert searched["number_accessed"] is ("individual_number" in who)
    assert not {NAME, KANA, CODE, NUMBER, ADDRESS} & set(json.dumps([searched, listed]).split('"'))


def test_entry_about_whoever_was_shown_is_found_by_them_and_opens_to_them(counter: Counter) -> None:
    """Sealed for whoever has the key, keyed for whoever looks for it."""
    counter.ask("show", {"resident_code": CODE})
    (viewed,) = counter.logged()
    key = counter.key(RESIDENT, Purpose.SUBJECT)
    assert viewed["subject_index"] == subject_index(CODE.encode(), key)
    assert opened_subject(RESIDENT, SUBJECT_PLACE, viewed["subject"], key) == CODE.encode()


def test_view_shows_what_stands_and_what_stood_with_reason_notice_and_day(counter: Counter) -> None:
    """The number is only said to be held."""
    said = counter.ask("show", WHO, "--json")
    now, before = said.data["versions"]
    assert (now["address"], before["address"], now["reason"]) == (ADDRESS, OLD_ADDRESS, "転居")
    assert (now["birth_date_words"], now["superseded_on"]) == ("1970年04月日不詳", None)
    assert before["superseded_on"] and before["notice_no"] == 1
    assert (now["has_number"], now["individual_number"]) == (True, None) and NUMBER not in said.out
    plain = counter.ask("show", WHO).out
    assert (
        "（保有・非表示）" in plain
        and "氏名の振り仮名" in plain
        and "置換日" in plain
        and NUMBER not in plain
    )


def test_number_is_shown_on_a_word_and_the_log_says_so(counter: Counter) -> None:
    """On whose word stands in the log."""
    said = counter.ask("show", WHO, "--with-number", "番号法9条による照会 甲12", "--json")
    assert [one["individual_number"] for one in said.data["versions"]] == [NUMBER, NUMBER]
    (viewed,) = counter.logged()
    assert (
        viewed["number_accessed"] is True
        and viewed["basis"] == f"{PURPOSE}（個人番号: 番号法9条による照会 甲12）"
    )


def test_person_is_found_by_a_code_they_had_before_and_by_what_was_erased(counter: Counter) -> None:
    """History follows a person; who is erased is held for 150 years and can be asked for."""
    counter.recode()
    data = counter.ask("show", {"resident_code": CODE}, "--json").data
    assert [one["resident_code"] for one in data["versions"]] == [NEW_CODE, CODE, CODE]
    counter.notify(
        kind="deletion", reason="死亡", resident_code=NEW_CODE, individual_number=NUMBER, name=NAME,
        name_kana=KANA, birth_date=BORN, sex="1", address=ADDRESS, notified_at="2026-03-28T10:00:00+09:00",
    )  # fmt: skip
    (person,) = counter.ask("find", WHO, "--json").data["people"]
    assert person["is_erased"] is True


def test_one_of_several_is_chosen_by_position_and_nobody_is_shown_before(counter: Counter) -> None:
    """A wrong one of two would be the worst answer."""
    counter.enter(OTHER_CODE, OTHER_NUMBER)
    assert counter.ask("find", WHO, "--json").data["total"] == 2
    refused = counter.ask("show", WHO)
    assert (
        refused.code == 2 and refusal(refused) == "person.several" and NAME not in refused.out + refused.err
    )
    seen = counter.ask("show", {**WHO, "position": 2}, "--json").data["versions"][0]["resident_code"]
    assert seen == sorted((CODE, OTHER_CODE))[1]
    assert refusal(counter.ask("show", {**WHO, "position": 3})) == "person.not_found"
    assert [one["outcome"] for one in counter.logged() if one["action"] == "person.viewed"] == [
        "refused", "done", "refused",
    ]  # fmt: skip


def test_more_than_are_shown_are_counted_and_said(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody takes the first fifty for all."""
    monkeypatch.setattr("juki.cli.person_actions.MOST_HITS", 1)
    counter.enter(OTHER_CODE, OTHER_NUMBER)
    said = counter.ask("find", WHO)
    assert "2 人が該当" in said.out and "はじめの 1 人だけ" in said.out
    assert [one["action"] for one in counter.logged()] == ["person.searched", "person.listed"]


def test_finding_nobody_is_in_the_log_without_a_subject(counter: Counter) -> None:
    """Guessing shows: of a search, and of a view that was tried."""
    stranger = {"resident_code": OTHER_CODE}
    assert counter.ask("find", stranger).code == 1
    assert refusal(counter.ask("show", stranger)) == "person.not_found"
    searched, viewed = counter.logged()
    assert (searched["counts"]["found"], viewed["code"]) == (0, "person.not_found")
    assert "subject" not in searched and "subject" not in viewed


def test_fuhyo_file_is_asked_by_itself_and_never_by_number(counter: Counter) -> None:
    """The two stores are not joined at a counter (M6)."""
    counter.notify(
        FUHYO, resident_code=CODE, name=NAME, name_kana=KANA, birth_date=BORN, address="", is_abroad="1"
    )
    said = counter.ask("show", {"resident_code": CODE}, "--file", "fuhyo", "--json")
    assert (
        said.data["versions"][0]["is_abroad"] is True and "individual_number" not in said.data["versions"][0]
    )
    assert [one["action"] for one in counter.logged(FUHYO)] == ["person.viewed"] and not counter.logged()
    refused = counter.ask("find", {"individual_number": NUMBER}, "--file", "fuhyo")
    assert (refused.code, refusal(refused) == "person.number_on_fuhyo") == (2, True)


def test_looking_too_much_within_an_hour_is_refused_and_logged(counter: Counter) -> None:
    """Each cap by itself; tries that found nobody count, tries the cap refused do not."""
    with counter.console.home.settings_file.open("a", encoding="utf-8") as settings:
        settings.write("\nperson_searches_hourly = 2\nperson_views_hourly = 1\n")
    stranger = {"resident_code": OTHER_CODE}
    assert [counter.ask("find", who).code for who in (WHO, stranger)] == [0, 1]
    for _ in range(2):
        refused = counter.ask("find", WHO)
        assert refusal(refused) == "person.limit_searches" and NAME not in refused.out
    assert counter.ask("show", WHO).code == 0
    assert refusal(counter.ask("show", WHO)) == "person.limit_views"
    codes = [one["code"] for one in counter.logged() if one["outcome"] == "refused"]
    assert codes == ["person.limit_searches"] * 2 + ["person.limit_views"]


def test_an_hour_later_and_somebody_else_may_look(counter: Counter) -> None:
    """The cap is of one operator, and of the last hour."""
    from datetime import UTC, datetime, timedelta

    from juki.cli.acting import local_administrator
    from juki.journal import Action

    counter.ask("find", WHO)
    now = datetime.now(UTC)
    with open_unit(counter.console.stores.resident_url, RESIDENT) as unit:
        lately = Looking(unit.connection).lately
        assert lately(local_administrator(), Action.PERSON_SEARCHED, now) == 1
        assert lately(local_administrator(), Action.PERSON_SEARCHED, now + timedelta(minutes=61)) == 0
        assert lately("operator:op-9", Action.PERSON_SEARCHED, now) == 0


@pytest.mark.parametrize(
    "who",
    [
        {}, {"resident_code": "1" * 10}, {"resident_code": "１" * 11}, {"resident_code": CODE, **WHO},
        {"name_kana": KANA}, {**WHO, "name": NAME}, {**WHO, "position": 0}, {**WHO, "position": True},
        {"individual_number": "1" * 11}, {**WHO, "line": 1}, {"resident_code": [CODE]},
    ],
    ids=str,
)  # fmt: skip
def test_document_of_another_form_is_refused_before_anybody_is_looked_for(
    counter: Counter, who: dict[str, Any]
) -> None:
    """One way, exactly its keys; nothing of it is echoed."""
    refused = counter.ask("find", who)
    assert refused.code == 2 and refusal(refused) == "person.query_form"
    assert KANA not in refused.err and CODE not in refused.err and not counter.logged()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"format":"juki-person/2"}',
        b"\xff{",
        b'{"format":"juki-person/1","sex":NaN}',
        b" " * 20000,
    ],
)
def test_document_that_is_no_document_is_refused(
    counter: Counter, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From standard input, as from a file."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    refused = counter.console.juki("person", "find", "-", "--purpose", PURPOSE)
    assert refusal(refused) == "person.query_form"


def test_key_that_stands_twice_is_refused(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two programs could read two people."""
    text = f'{{"format": "juki-person/1", "resident_code": "{CODE}", "resident_code": "{OTHER_CODE}"}}'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert refusal(counter.console.juki("person", "find", "-", "--purpose", PURPOSE)) == "person.query_form"


@pytest.mark.parametrize(
    "answers", [[CODE, ""], ["", NUMBER, ""], ["", "", KANA, BORN, "1", "山口県", ""]], ids=len
)
def test_who_is_meant_is_asked_for_at_a_terminal(
    counter: Counter, answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code, else the number, else the four information; none of it in an argument."""
    asked = list[str]()

    def answer(question: str, **_how: object) -> str:
        asked.append(question)
        return answers[len(asked) - 1]

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", answer)
    said = counter.console.juki("person", "find", "-", "--purpose", PURPOSE, "--json")
    assert [one["name"] for one in said.data["people"]] == [NAME] and len(asked) == len(answers)


def test_document_others_can_read_and_a_purpose_with_a_number_are_refused(counter: Counter) -> None:
    """Neither a value of a person beside the files nor in the log."""
    open_to_all = counter.document(WHO, mode=0o644)
    assert (
        refusal(counter.console.juki("person", "find", open_to_all, "--purpose", PURPOSE))
        == "document.permissions"
    )
    absent = counter.console.juki("person", "find", CODE, "--purpose", PURPOSE)
    assert refusal(absent) == "document.missing" and CODE not in absent.err
    for purpose in ("", f"問合せ {NUMBER}"):
        assert refusal(counter.ask("find", WHO, purpose=purpose)) == "reason_text.form"
    assert not counter.logged()


def test_viewer_looks_auditor_does_not_and_numbers_are_for_providers(counter: Counter) -> None:
    """By the matrix, and by the role again where a number is asked for; the log names the operator."""
    desk = Desk(counter.console, counter.folder)
    for operator, role in (("op-3", "viewer"), ("op-4", "auditor"), ("op-5", "provider")):
        desk.register(operator, role)

    def look(operator: str, *words: str) -> Any:
        document = counter.document(WHO)
        target = " ".join((*SAID, "resident", f'"{PURPOSE}"', *words))
        options = ["--with-number", *words] if words else []
        arguments = ["person", "show", document, "--purpose", PURPOSE, *options]
        return counter.console.juki(*arguments, *desk.one(operator, "person show", target, is_personal=True))

    assert look("op-3").code == 0
    assert refusal(look("op-4")) == "operator.role"
    assert refusal(look("op-3", "照会")) == "person.number_role"
    assert NUMBER in look("op-5", "照会").out
    viewed = [(one["actor"], one["outcome"], one["number_accessed"]) for one in counter.logged()]
    assert viewed == [
        ("operator:op-3", "done", False), ("operator:op-3", "refused", False), ("operator:op-5", "done", True),
    ]  # fmt: skip


def test_assertion_for_one_person_shows_no_other(counter: Counter) -> None:
    """Neither with the document exchanged after the palm was shown, nor with the target in the clear."""
    desk = Desk(counter.console, counter.folder)
    desk.register("op-3", "viewer")
    counter.enter(OTHER_CODE, OTHER_NUMBER, name_kana="ハギジョウ　ハナコ")
    meant, other = counter.document(WHO), counter.document({"resident_code": OTHER_CODE})
    asked = ("--purpose", PURPOSE, "--json")
    target = counter.console.juki("person", "show", meant, *asked, "--show-target").data["target"]
    in_the_clear = desk.one("op-3", "person show", target)
    attested = desk.one("op-3", "person show", target, is_personal=True)
    for document, used in ((other, attested), (meant, in_the_clear)):
        refused = counter.console.juki("person", "show", document, *asked, *used)
        assert refused.data["error"]["code"] == "operator.assertion_act"
    assert not counter.logged()
    assert counter.console.juki("person", "show", meant, *asked, *attested).code == 0


def test_auditor_finds_the_entries_about_one_person_by_their_code_alone(counter: Counter) -> None:
    """In whichever log; by a name nobody is looked up from here."""
    counter.ask("show", WHO)
    document = counter.document({"resident_code": CODE})
    found = counter.console.juki("log", "search", "--subject", document, "--json").data["entries"]
    assert [one["action"] for one in found if one["file"] == "resident"] == ["person.viewed"]
    by_name = counter.console.juki("log", "search", "--subject", counter.document(WHO))
    assert refusal(by_name) == "person.query_form"
    (searched,) = [one for one in counter.console.entries() if one["action"] == "log.searched"]
    assert searched["subject_index"] and CODE not in str(searched)


def test_auditor_finds_what_was_done_under_the_codes_a_person_had_before_and_has_since(
    counter: Counter,
) -> None:
    """Whichever of them is asked for, in either log; whoever had their code changed would be lost from sight."""
    counter.ask("show", {"resident_code": CODE})
    counter.recode()
    counter.ask("show", {"resident_code": NEW_CODE})
    counter.provided_abroad(CODE)
    counter.enter(OTHER_CODE, OTHER_NUMBER)
    counter.ask("show", {"resident_code": OTHER_CODE})
    for code, views in ((CODE, 2), (NEW_CODE, 2), (OTHER_CODE, 1)):
        document = counter.document({"resident_code": code})
        said = counter.console.juki("log", "search", "--subject", document, "--json").data["entries"]
        found = [(one["file"], one["action"]) for one in said if one["action"] != "log.searched"]
        abroad = [] if code == OTHER_CODE else [("fuhyo", "person.provided")]
        assert sorted(found) == [*abroad, *[("resident", "person.viewed")] * views]
    searched = [one for one in counter.console.entries() if one["action"] == "log.searched"]
    assert len({one["subject_index"] for one in searched}) == 3, "each under the code that was given"
    assert {one["basis"] for one in searched} == {"subject_index"}


def test_search_that_can_not_be_logged_shows_nobody(counter: Counter) -> None:
    """No log, no look."""
    with psycopg.connect(counter.console.stores.resident_url) as connection:
        connection.execute("ALTER TABLE journal ADD CONSTRAINT shut CHECK (false) NOT VALID")
    try:
        said = counter.ask("find", WHO)
    finally:
        with psycopg.connect(counter.console.stores.resident_url) as connection:
            connection.execute("ALTER TABLE journal DROP CONSTRAINT shut")
    assert said.code == 2 and NAME not in said.out


@pytest.mark.parametrize("file", list(IdentityFile))
def test_entries_about_one_person_and_looks_of_one_operator_are_found_by_an_index(
    counter: Counter, file: IdentityFile
) -> None:
    """However long the log is; asked as the programs ask."""
    from sqlalchemy import select, text

    from juki.store.journal_reading import Sought
    from juki.store.looking import _LATELY
    from juki.store.tables import TABLES

    with open_unit(counter.console.stores.url(file), file) as unit:
        unit.connection.execute(text("SET LOCAL enable_seqscan = off"))
        narrowed = unit.journal_reader._narrowed(Sought(subject_index="ab" * 16, other_indexes=("cd" * 16,)))
        query = select(TABLES[file].journal.c.entry).where(*narrowed)
        shown = str(query.compile(unit.connection, compile_kwargs={"literal_binds": True}))
        for statement, index in ((shown, "journal_subject_index_idx"),):
            plan = unit.connection.exec_driver_sql("EXPLAIN " + statement.replace("%", "%%")).scalars()
            assert index in "\n".join(plan)
        asked = {"actor": "a", "action": "person.viewed", "since": "2026", "caps": ["x"]}
        plan = unit.connection.execute(text("EXPLAIN " + _LATELY), asked).scalars()
        assert "journal_looking_idx" in "\n".join(plan)
