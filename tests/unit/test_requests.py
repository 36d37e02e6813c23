"""Requests of recipients: exactly one form, refused as a whole otherwise, and nothing of them in an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from juki.columns import IdentityFile
from juki.errors import ContractError, JukiError, SourceError
from juki.people_sought import MAX_PEOPLE
from juki.reasons import Code
from juki.requests import Request, RequestName, check_binding, parse_request, request_names

Document = dict[str, Any]
Change = Callable[[Document], object]

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/formats/request.schema.json").read_text("utf-8"))
VALID = jsonschema.Draft202012Validator(SCHEMA)
MARK = "カナリア"


def document(**changes: Any) -> Document:
    """Make a request that is as it should be, with some keys changed."""
    return {
        "format": "juki-request/1", "recipient": "kyoiku", "prefecture": "350001", "request_no": 3,
        "file": "resident", "basis": "beppyo6-3", "purpose": "奨学金の返還に関する事務",
        "fields": ["name", "address"], "with_number": True, "created_at": "2026-11-23T09:00:00+09:00",
        "people": [
            {"line": 1, "individual_number": "123456789018"},
            {"line": 2, "name_kana": MARK, "birth_date": "19700401"},
            {"line": 3, "name_kana": MARK, "birth_date": "1945D100", "sex": "2", "address_prefix": "山口県萩市"},
        ],
        **changes,
    }  # fmt: skip


def _read(given: Document) -> Request:
    return parse_request(json.dumps(given, ensure_ascii=False).encode())


def _person(**keys: Any) -> Document:
    return document(people=[{"line": 1, "name_kana": MARK, "birth_date": "19700401", **keys}])


RIGHT: dict[str, Document] = {
    "as it should be": document(),
    "consent": document(consent_document="D-12"),
    "only the number": document(fields=[]),
    "only fields": document(with_number=False),
    "a field that is none": document(fields=["resident_code"]),
    "fuhyo": document(file="fuhyo"),
    "with sex": _person(sex="1"),
    "greatest number": document(request_no=99_999_999),
}
WRONG: dict[str, Document] = {
    "a key too many": document(note=MARK),
    "other format": document(format="juki-request/2"),
    "recipient in capitals": document(recipient="Kyoiku"),
    "number as text": document(request_no="3"),
    "number zero": document(request_no=0),
    "number true": document(request_no=True),
    "number too great": document(request_no=100_000_000),
    "file unknown": document(file="history"),
    "prefecture too short": document(prefecture="35001"),
    "prefecture in full width": document(prefecture="３５０００１"),
    "basis with space": document(basis="beppyo6 3"),
    "basis too long": document(basis="a" * 65),
    "purpose empty": document(purpose=""),
    "purpose of two lines": document(purpose="事務\n事務"),
    "purpose padded": document(purpose=" 事務"),
    "purpose too long": document(purpose="事" * 201),
    "purpose with a number of a person": document(purpose="1234-5678-9018 の照会"),
    "consent with space": document(consent_document="D 12"),
    "consent null": document(consent_document=None),
    "fields as text": document(fields="name"),
    "field as number": document(fields=[1]),
    "field with line end": document(fields=["name\n"]),
    "too many fields": document(fields=["name"] * 31),
    "nothing asked for": document(fields=[], with_number=False),
    "with_number as 1": document(with_number=1),
    "with_number as text": document(with_number="true"),
    "created without offset": document(created_at="2026-11-23T09:00:00"),
    "people as object": document(people={"1": {}}),
    "nobody": document(people=[]),
    "a person as text": document(people=["1"]),
    "a person as null": document(people=[None]),
    "neither way": document(people=[{"line": 1}]),
    "reading alone": document(people=[{"line": 1, "name_kana": MARK}]),
    "both ways": _person(individual_number="123456789018"),
    "a person's key too many": _person(resident_code="12345678903"),
    "number and sex": document(people=[{"line": 1, "individual_number": "123456789018", "sex": "1"}]),
    "sex null": _person(sex=None),
    "sex empty": _person(sex=""),
    "sex 3": _person(sex="3"),
    "sex as number": _person(sex=1),
    "prefix empty": _person(address_prefix=""),
    "prefix too long": _person(address_prefix="あ" * 201),
    "reading null": _person(name_kana=None),
    "reading with control": _person(name_kana="ヤマ\x00ダ"),
    "birth date with hyphens": _person(birth_date="1970-04-01"),
    "birth date too short": _person(birth_date="1970040"),
    "number too short": document(people=[{"line": 1, "individual_number": "12345678901"}]),
    "number with line end": document(people=[{"line": 1, "individual_number": "123456789018\n"}]),
    "number in full width": document(people=[{"line": 1, "individual_number": "１２３４５６７８９０１８"}]),
    "number as number": document(people=[{"line": 1, "individual_number": 123456789018}]),
    "line as text": _person(line="1"),
    "line true": _person(line=True),
    "line zero": _person(line=0),
}
BEYOND_SCHEMA: dict[str, Document] = {
    "line 2 first": _person(line=2),
    "a gap": document(people=[{"line": n, "individual_number": "123456789018"} for n in (1, 3)]),
    "a line twice": document(people=[{"line": 1, "individual_number": "123456789018"}] * 2),
    "a day that is none": document(created_at="2026-02-30T09:00:00+09:00"),
}
"""What a JSON Schema can not say: the parser alone refuses it."""


@pytest.mark.parametrize("given", RIGHT.values(), ids=RIGHT)
def test_request_of_the_form_is_read_and_fits_the_published_schema(given: Document) -> None:
    """A recipient that keeps to the schema is understood."""
    request = _read(given)
    assert VALID.is_valid(given)
    assert (request.request_no, request.fields, len(request.people)) == (
        given["request_no"], tuple(given["fields"]), len(given["people"]),
    )  # fmt: skip


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
def test_malformed_request_is_refused_by_parser_and_schema_and_not_echoed(given: Document) -> None:
    """One code for whatever is not the form; the error holds nothing of the document."""
    with pytest.raises(ContractError) as refused:
        _read(given)
    assert (refused.value.code, refused.value.ref) == (Code.REQUEST_FORM, "")
    assert refused.value.__context__ is None
    assert not VALID.is_valid(given)


@pytest.mark.parametrize("key", [key for key in document() if key != "people"] + ["people"])
def test_request_without_a_key_is_refused(key: str) -> None:
    """Nothing has a default: what is not said was not asked for."""
    given = document()
    del given[key]
    with pytest.raises(ContractError) as refused:
        _read(given)
    assert refused.value.code is Code.REQUEST_FORM
    assert not VALID.is_valid(given)


@pytest.mark.parametrize("given", BEYOND_SCHEMA.values(), ids=BEYOND_SCHEMA)
def test_what_a_schema_can_not_say_is_refused_all_the_same(given: Document) -> None:
    """Lines are answered by their number: one number, one line."""
    with pytest.raises(ContractError) as refused:
        _read(given)
    assert refused.value.code is Code.REQUEST_FORM


_PLAIN = json.dumps(document(), ensure_ascii=False)
HOSTILE_BYTES: dict[str, bytes] = {
    "nothing": b"",
    "BOM": b"\xef\xbb\xbf" + _PLAIN.encode(),
    "space before": b" " + _PLAIN.encode(),
    "rest after": _PLAIN.encode() + b"{}",
    "UTF-16": _PLAIN.encode("utf-16-le"),
    "Shift_JIS": _PLAIN.encode("cp932"),
    "an array": b"[" + _PLAIN.encode() + b"]",
    "cut off": _PLAIN.encode()[:-9],
    "key twice": _PLAIN.replace('"file": ', '"file": "fuhyo", "file": ').encode(),
    "a person's key twice": _PLAIN.replace('"line": 1,', '"line": 1, "line": 1,').encode(),
    "NaN": _PLAIN.replace('"request_no": 3', '"request_no": NaN').encode(),
    "a fraction": _PLAIN.replace('"request_no": 3', '"request_no": 3.0').encode(),
    "a power": _PLAIN.replace('"request_no": 3', '"request_no": 3e0').encode(),
    "endless digits": _PLAIN.replace('"request_no": 3', '"request_no": ' + "3" * 5_000).encode(),
    "half a surrogate": _PLAIN.replace(MARK, "\\ud83d", 1).encode(),
    "depth": b'{"format": ' + b"[" * 100_000,
}


@pytest.mark.parametrize("given", HOSTILE_BYTES.values(), ids=HOSTILE_BYTES)
def test_hostile_bytes_are_refused_without_an_error_of_a_library(given: bytes) -> None:
    """JSON has room for what is read one way here and another way there: none of it passes."""
    with pytest.raises(ContractError) as refused:
        parse_request(given)
    assert refused.value.code is Code.REQUEST_FORM
    assert refused.value.__context__ is None


def test_more_people_than_one_request_may_name_have_a_code_of_their_own() -> None:
    """The recipient learns that it has to split."""
    people = [{"line": line, "individual_number": "123456789018"} for line in range(1, MAX_PEOPLE + 2)]
    with pytest.raises(ContractError) as refused:
        _read(document(people=people))
    assert refused.value.code is Code.REQUEST_TOO_MANY_LINES
    assert len(_read(document(people=people[:-1])).people) == MAX_PEOPLE


def test_request_shows_its_name_and_nobody() -> None:
    """A repr ends up in a traceback sooner or later."""
    assert repr(_read(document())) == "Request(kyoiku-resident-request-00000003.p7m)"
    assert MARK not in repr(_read(document()).people)


NAME = RequestName("kyoiku", IdentityFile.RESIDENT, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"recipient": "zeimu"}, {"file": "fuhyo"}, {"request_no": 4}, {"prefecture": "340006"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_request_under_another_name_or_for_another_prefecture_is_refused(change: Document) -> None:
    """A request taken from one place and laid in another must not be answered there."""
    check_binding(NAME, _read(document()), "kyoiku", "350001")
    with pytest.raises(SourceError) as refused:
        check_binding(NAME, _read(document(**change)), "kyoiku", "350001")
    assert refused.value.code is Code.REQUEST_BINDING


def test_request_of_one_recipient_in_the_folder_of_another_is_refused() -> None:
    """Whose folder it is decides whose certificate is asked for."""
    with pytest.raises(SourceError) as refused:
        check_binding(NAME, _read(document()), "zeimu", "350001")
    assert refused.value.code is Code.REQUEST_BINDING


@pytest.mark.parametrize(
    "text",
    [
        "kyoiku-resident-request-0000003.p7m", "kyoiku-resident-request-00000000.p7m",
        "Kyoiku-resident-request-00000003.p7m", "kyoiku-history-request-00000003.p7m",
        "kyoiku-resident-request-００００００03.p7m", "kyoiku-resident-request-00000003.p7m\n",
        "../kyoiku-resident-request-00000003.p7m",
    ],
)  # fmt: skip
def test_file_name_of_another_form_is_refused(text: str) -> None:
    """A name goes into the register and into paths."""
    with pytest.raises(JukiError) as refused:
        RequestName.parse(text)
    assert refused.value.code is Code.REQUEST_FORM
    assert request_names("kyoiku").fullmatch(text) is None or "00000000" in text


def test_name_of_a_request_is_written_as_it_is_read() -> None:
    """One form, both ways."""
    assert RequestName.parse(str(NAME)) == NAME
    assert request_names("kyoiku").fullmatch(str(NAME)) and not request_names("kyo").fullmatch(str(NAME))
