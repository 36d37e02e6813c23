"""Looking people up in the real stores: who stands is found by what was said of them, nobody else, nobody near."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from juki.columns import IdentityFile
from juki.kana import search_key
from juki.numbers import number_index
from juki.people_sought import as_columns
from juki.provisions import LineOutcome
from juki.search import Answers, answers, sought
from juki.store.lookup import Lookup
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tests.conftest import Stores

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
FOUND, NOT_FOUND, AMBIGUOUS = (one.value for one in list(LineOutcome)[:3])
KEY = b"k" * 32
NUMBER, OTHER_NUMBER = "123456789018", "023456789013"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
COLUMNS = ("name", "address", "sex")


def add(stores: Stores, file: IdentityFile, code: str, **values: Any) -> None:
    """Put a person into a file, standing unless told otherwise."""
    row: dict[str, Any] = {
        "notified_at": NOW, "kind": "entry", "resident_code": code, "name": "山田　太郎",
        "name_kana": "ヤマダ　タロウ",
        "birth_date": "19700401", "sex": "1", "municipality_code": "352039", "address": "山口県山口市亀山町２番１号",
        "name_gaiji": 0, "address_gaiji": 0, "record_digest": b"d", "sender_code": "352039",
        "notice_no": int(code[-4:]), "package_id": 1, "received_on": date(2026, 11, 1), **values,
    }  # fmt: skip
    number = row.pop("number", None)
    if file is RESIDENT:
        row |= {"reason": "出生", "is_foreign": False}
    else:
        row |= {"is_abroad": row.get("is_abroad", True)}
    if number is not None:
        row |= {"number_sealed": b"sealed", "number_index": number_index(number.encode(), KEY)}
    if row["kind"] == "deletion":
        row["expires_on"] = date(2176, 11, 1)
    row["search_key"] = search_key(row["name_kana"]) if row["name_kana"] else None
    names = ", ".join(row)
    marks = ", ".join(f"%({name})s" for name in row)
    with psycopg.connect(stores.url(file)) as connection:
        connection.execute(f"INSERT INTO current ({names}) VALUES ({marks})", row)  # type: ignore[arg-type]


def ask(stores: Stores, file: IdentityFile, *lines: dict[str, str]) -> Answers:
    """Look up some lines in the role of the provider."""
    names = sorted({name for line in lines for name in line})
    people = as_columns({name: [line.get(name, "") for line in lines] for name in names})
    with open_unit(stores.url(file), file, Duty.PROVIDER) as unit:
        return answers(len(lines), Lookup(file, unit.cursor).hits(sought(people, KEY), COLUMNS))


def outcomes(found: Answers) -> Sequence[str]:
    """The outcome of each line."""
    words: Sequence[str] = found.outcomes.to_pylist()
    return words


WHO = {"name_kana": "ヤマダ　タロウ", "birth_date": "19700401"}


def test_person_is_found_by_number_and_by_four_information_with_exactly_what_was_asked(
    stores: Stores,
) -> None:
    """Both ways lead to the same person, and the answer is in the order of the lines."""
    add(stores, RESIDENT, "00000000001", number=NUMBER)
    found = ask(stores, RESIDENT, {"individual_number": OTHER_NUMBER}, WHO, {"individual_number": NUMBER})
    assert outcomes(found) == [NOT_FOUND, FOUND, FOUND]
    assert found.codes.to_pylist() == ["", "00000000001", "00000000001"]
    assert found.people.column_names == ["resident_code", *COLUMNS]
    given = ["山田　太郎", "山口県山口市亀山町２番１号", "1"]
    assert [list(row.values())[1:] for row in found.people.to_pylist()] == [["", "", ""], given, given]


def test_number_with_a_wrong_check_digit_finds_nobody(stores: Stores) -> None:
    """The index is of the first eleven digits, so a number with any last digit would meet it."""
    add(stores, RESIDENT, "00000000001", number=NUMBER)
    wrong = [{"individual_number": NUMBER[:-1] + digit} for digit in "01234567" + "9"]
    assert set(outcomes(ask(stores, RESIDENT, *wrong, {"individual_number": "0" * 12}))) == {NOT_FOUND}


@pytest.mark.parametrize(
    "reading", ["ヤマタ　タロウ", "やまだたろう", "ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダ・タロー"[:6] + "ウ"]
)
def test_readings_with_equal_search_keys_meet(stores: Stores, reading: str) -> None:
    """清音化 forgives how a reading was typed."""
    add(stores, RESIDENT, "00000000001")
    assert outcomes(ask(stores, RESIDENT, {**WHO, "name_kana": reading})) == [FOUND]


@pytest.mark.parametrize(
    "change",
    [
        {"name_kana": "ヤマダ　ジロウ"}, {"name_kana": "ヤマダ"}, {"name_kana": "ヤマダ　タロウ%"},
        {"birth_date": "19700402"},
        {"birth_date": "19700400"}, {"sex": "2"}, {"address_prefix": "山口県山口市亀山町２番２"},
        {"address_prefix": "口県"}, {"address_prefix": "%"}, {"name_kana": "ー"},
    ],
)  # fmt: skip
def test_nothing_is_guessed(stores: Stores, change: dict[str, str]) -> None:
    """One thing different is another person, and no sign means more than itself."""
    add(stores, RESIDENT, "00000000001")
    add(stores, RESIDENT, "00000000002", name_kana="", number=NUMBER)
    assert outcomes(ask(stores, RESIDENT, {**WHO, **change})) == [NOT_FOUND]


def test_several_who_fit_are_told_apart_or_nobody_is_given(stores: Stores) -> None:
    """Ambiguous gives no data; with sex or address there may be one."""
    add(stores, RESIDENT, "00000000001")
    add(stores, RESIDENT, "00000000002", sex="2", address="山口県萩市江向１番地")
    add(stores, RESIDENT, "00000000003", sex=None, address="山口県萩市江向２番地")
    lines = [WHO, {**WHO, "sex": "1"}, {**WHO, "address_prefix": "山口県萩市"}]
    lines += [
        {**WHO, "address_prefix": "山口県萩市江向１"},
        {**WHO, "sex": "2", "address_prefix": "山口県萩市"},
    ]
    found = ask(stores, RESIDENT, *lines)
    assert outcomes(found) == [AMBIGUOUS, FOUND, AMBIGUOUS, FOUND, FOUND]
    assert found.codes.to_pylist() == ["", "00000000001", "", "00000000002", "00000000002"]
    assert found.people.column("name").to_pylist()[0] == ""


def test_erased_person_is_not_found(stores: Stores) -> None:
    """A deletion is kept for 150 years and is not current."""
    add(stores, RESIDENT, "00000000001", kind="deletion", number=NUMBER)
    assert outcomes(ask(stores, RESIDENT, {"individual_number": NUMBER}, WHO)) == [NOT_FOUND, NOT_FOUND]


def test_only_who_moved_abroad_is_found_in_the_fuhyo_file(stores: Stores) -> None:
    """法30条の44の6 opens the file for 国外転出者, person by person: a resident of Japan is not found."""
    add(stores, FUHYO, "00000000001", is_abroad=False)
    assert outcomes(ask(stores, FUHYO, WHO)) == [NOT_FOUND]
    add(stores, FUHYO, "00000000002", address=None, municipality_code=None)
    add(stores, FUHYO, "00000000003", kind="deletion", address=None, municipality_code=None)
    found = ask(stores, FUHYO, WHO)
    assert (outcomes(found), found.codes.to_pylist()) == ([FOUND], ["00000000002"])


def test_the_same_person_on_several_lines_is_answered_on_each(stores: Stores) -> None:
    """Lines are answered, not people."""
    add(stores, RESIDENT, "00000000001", number=NUMBER)
    assert outcomes(ask(stores, RESIDENT, WHO, WHO, {"individual_number": NUMBER})) == [FOUND] * 3


def test_numbers_are_laid_beside_the_people_they_were_asked_for(stores: Stores) -> None:
    """A number on another line would be another person's."""
    add(stores, RESIDENT, "00000000001")
    add(stores, RESIDENT, "00000000002", name_kana="サトウ　ハナ")
    lines = [WHO, {**WHO, "birth_date": "19000101"}, {**WHO, "name_kana": "サトウ　ハナ"}]
    found = ask(stores, RESIDENT, *lines)
    numbered = found.with_numbers([b"", NUMBER.encode()], found.found)
    assert outcomes(numbered) == [LineOutcome.NUMBER_NOT_HELD.value, NOT_FOUND, FOUND]
    assert numbered.people.column("individual_number").to_pylist() == ["", "", NUMBER]
    assert isinstance(numbered.people, pa.Table)
