"""The decision on one request: every refusal by its code, every day by one day more and less."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta

import pytest

from juki.authority import (
    GRANTABLE,
    Asked,
    Coverage,
    Decided,
    Field,
    Granted,
    LegalBases,
    LegalBasis,
    Limits,
    NumberUse,
    Recipient,
    RecipientKind,
    Refused,
    decide,
    fields_asked,
    names_consent,
)
from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.reasons import Code, Scope

RESIDENT, FUHYO = IdentityFile
FIRST, LAST, TODAY = date(2026, 4, 1), date(2027, 3, 31), date(2026, 11, 24)
DAY = timedelta(days=1)
NUMBER = Decided("number allowed", date(2026, 10, 1), "条例3条", "総務部長", date(2026, 9, 1))
STOP = Decided("withdrawn", date(2026, 12, 1), "事務の終了", "総務部長", date(2026, 11, 1))


FORBIDDING = {RESIDENT: "法30条の25①", FUHYO: "法30条の44の13において準用する30条の25①"}


def _coverage(file: IdentityFile, number: NumberUse = NumberUse.UNDECIDED) -> Coverage:
    article = "法30条の15②一" if file is RESIDENT else "法30条の44の6②一"
    return Coverage(file, article, frozenset(GRANTABLE[file]), number, "番号法9条", file is FUHYO)


BASIS = LegalBasis(
    code="beppyo6-3", title="別表第六 三", kind=RecipientKind.PROVIDE, receiver="教育委員会", work="医療の援助",
    coverage=(_coverage(RESIDENT), _coverage(FUHYO)), needs_consent=False, valid_from=FIRST, valid_to=LAST,
    version="v1",
)  # fmt: skip
BODY = Recipient(
    "kyoiku", "学事課", RecipientKind.PROVIDE, "教育委員会", frozenset({"beppyo6-3"}), Limits(1, 1, 1)
)
ASKED = Asked("kyoiku", "beppyo6-3", RESIDENT, (Field.NAME, Field.ADDRESS))


def test_what_is_granted_is_what_was_asked_with_article_and_version() -> None:
    """The record of provision names them; nothing is added, nothing is left out in silence."""
    answer = decide(ASKED, BASIS, BODY, TODAY)
    article = "法30条の15②一"
    assert answer == Granted(RESIDENT, ASKED.fields, False, "beppyo6-3", "v1", article, False)
    assert isinstance(answer, Granted)
    assert answer.columns == ("name", "address")
    whole = replace(answer, with_number=True)
    assert whole.columns == ("name", "address", "individual_number")


def test_fuhyo_is_granted_for_people_abroad_only() -> None:
    """法30条の44の6 opens the file for 国外転出者: the grant says so, for whoever looks people up."""
    answer = decide(replace(ASKED, file=FUHYO), BASIS, BODY, TODAY)
    assert isinstance(answer, Granted)
    assert (answer.abroad_only, answer.article) == (True, "法30条の44の6②一")


OTHER_BODY = replace(BODY, receiver="監査委員")
CONSENT = replace(BASIS, needs_consent=True)
REFUSALS = [
    (ASKED, BASIS, None, Code.PROVISION_RECIPIENT_UNKNOWN),
    (ASKED, BASIS, replace(BODY, code="kansa"), Code.PROVISION_RECIPIENT_UNKNOWN),
    (ASKED, None, BODY, Code.PROVISION_BASIS_UNKNOWN),
    (ASKED, replace(BASIS, code="beppyo6-4"), BODY, Code.PROVISION_BASIS_UNKNOWN),
    (ASKED, BASIS, replace(BODY, bases=frozenset({"beppyo6-4"})), Code.PROVISION_BASIS_NOT_PERMITTED),
    (ASKED, BASIS, replace(BODY, kind=RecipientKind.TRANSFER), Code.PROVISION_RECIPIENT_KIND),
    (ASKED, BASIS, replace(BODY, kind=RecipientKind.JLIS), Code.PROVISION_RECIPIENT_KIND),
    (ASKED, BASIS, OTHER_BODY, Code.PROVISION_RECEIVER_DIFFERS),
    (ASKED, replace(BASIS, valid_from=TODAY + DAY), BODY, Code.PROVISION_BASIS_NOT_YET),
    (ASKED, BASIS.withdrawn(replace(STOP, effective_from=TODAY)), BODY, Code.PROVISION_BASIS_WITHDRAWN),
    (ASKED, replace(BASIS, valid_to=TODAY - DAY), BODY, Code.PROVISION_BASIS_EXPIRED),
    (
        replace(ASKED, file=FUHYO),
        replace(BASIS, coverage=(_coverage(RESIDENT),)),
        BODY,
        Code.PROVISION_FILE_NOT_COVERED,
    ),
    (ASKED, CONSENT, BODY, Code.PROVISION_CONSENT_MISSING),
    (replace(ASKED, fields=(Field.IS_ABROAD,)), BASIS, BODY, Code.PROVISION_FIELD_BEYOND_BASIS),
    (replace(ASKED, file=FUHYO, fields=(Field.ALIAS,)), BASIS, BODY, Code.PROVISION_FIELD_BEYOND_BASIS),
    (replace(ASKED, with_number=True), BASIS, BODY, Code.PROVISION_NUMBER_NOT_ALLOWED),
]


@pytest.mark.parametrize(("asked", "basis", "to", "code"), REFUSALS)
def test_what_is_not_permitted_is_refused_by_its_own_code(
    asked: Asked, basis: LegalBasis | None, to: Recipient | None, code: Code
) -> None:
    """法30条の25 forbids whatever no article opens; each reason has its own code and an article."""
    answer = decide(asked, basis, to, TODAY)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.code.scope) == (code, Scope.REQUEST)
    assert answer.article


@pytest.mark.parametrize("file", list(IdentityFile))
def test_what_no_basis_opens_is_refused_by_the_article_that_forbids_it(file: IdentityFile) -> None:
    """A letter of refusal quotes it: 法30条の25 for the one file, as applied by 30条の44の13 for the other."""
    asked = replace(ASKED, file=file)
    other = IdentityFile.FUHYO if file is RESIDENT else RESIDENT
    elsewhere = replace(BASIS, coverage=(_coverage(other),))
    stranger = replace(BODY, bases=frozenset[str]())
    for basis, to in ((BASIS, None), (None, BODY), (elsewhere, BODY), (elsewhere, stranger)):
        answer = decide(asked, basis, to, TODAY)
        assert isinstance(answer, Refused)
        assert answer.article == FORBIDDING[file]


def test_one_field_too_many_refuses_all() -> None:
    """A request cut down in silence would be answered for a purpose nobody looked at."""
    asked = replace(ASKED, fields=(Field.NAME, Field.IS_ABROAD))
    assert decide(asked, BASIS, BODY, TODAY) == Refused(Code.PROVISION_FIELD_BEYOND_BASIS, "法30条の15②一")


def test_a_stranger_learns_nothing_of_the_basis() -> None:
    """Whoever is not registered for a basis is told just that, and not whether it holds or what it opens."""
    probing = replace(BODY, bases=frozenset[str]())
    worst = replace(CONSENT, valid_to=FIRST, kind=RecipientKind.TRANSFER)
    asked = replace(ASKED, fields=tuple(Field), with_number=True)
    answer = decide(asked, worst, probing, TODAY)
    assert isinstance(answer, Refused)
    assert answer.code is Code.PROVISION_BASIS_NOT_PERMITTED


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (FIRST - DAY, Code.PROVISION_BASIS_NOT_YET),
        (FIRST, None),
        (FIRST + DAY, None),
        (LAST - DAY, None),
        (LAST, None),
        (LAST + DAY, Code.PROVISION_BASIS_EXPIRED),
    ],
)
def test_a_basis_holds_from_its_first_day_to_its_last(day: date, code: Code | None) -> None:
    """Both days belong to it, as 「三月三十一日まで」 says; one day before and one after do not."""
    assert _code(decide(ASKED, BASIS, BODY, day)) is code


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_a_withdrawn_basis_ends_with_the_day_before(shift: int) -> None:
    """The day of the withdrawal is the first without the basis: between request and delivery it may come."""
    day = STOP.effective_from + shift * DAY
    expected = Code.PROVISION_BASIS_WITHDRAWN if shift >= 0 else None
    assert _code(decide(ASKED, BASIS.withdrawn(STOP), BODY, day)) is expected
    ended = replace(BASIS.withdrawn(STOP), valid_to=STOP.effective_from - DAY)
    assert _code(decide(ASKED, ended, BODY, day)) is expected


@pytest.mark.parametrize("shift", [-1, 0, 1])
@pytest.mark.parametrize("file", list(IdentityFile))
def test_a_number_goes_along_from_the_day_of_the_decision(file: IdentityFile, shift: int) -> None:
    """Not a day earlier, and of both files, since the work is the same (法30条の44の6③)."""
    basis = BASIS.with_number_decided(NumberUse.ALLOWED, NUMBER)
    asked = replace(ASKED, file=file, with_number=True)
    answer = decide(asked, basis, BODY, NUMBER.effective_from + shift * DAY)
    assert _code(answer) is (Code.PROVISION_NUMBER_NOT_ALLOWED if shift < 0 else None)
    assert isinstance(answer, Refused) == (shift < 0)


@pytest.mark.parametrize("use", [NumberUse.NEVER, NumberUse.UNDECIDED])
def test_no_decision_brings_a_number_back_that_the_statute_closed(use: NumberUse) -> None:
    """What was left undecided can be decided; what the law says can not."""
    closed = replace(BASIS, coverage=(_coverage(RESIDENT, use), _coverage(FUHYO, NumberUse.NEVER)))
    basis = closed.with_number_decided(NumberUse.ALLOWED, NUMBER)
    assert basis.may_use_number(RESIDENT, TODAY) == (use is NumberUse.UNDECIDED)
    assert not basis.may_use_number(FUHYO, TODAY)
    assert basis.decisions == (NUMBER,)


def test_the_receiver_all_other_bodies_is_every_other_body() -> None:
    """別表第六 一 and 六 name 都道府県知事以外の執行機関: each of them, and the governor's departments not."""
    basis = replace(BASIS, receiver="都道府県知事以外の執行機関")
    assert _code(decide(ASKED, basis, OTHER_BODY, TODAY)) is None
    department = replace(OTHER_BODY, kind=RecipientKind.TRANSFER)
    assert _code(decide(ASKED, basis, department, TODAY)) is Code.PROVISION_RECIPIENT_KIND


@pytest.mark.parametrize("document", ["7", "R8-0007", "A" * 40, "1234567890", "doui-2026-11-24-a"])
def test_a_number_of_a_document_is_consent(document: str) -> None:
    """What the recipient's files are kept under."""
    assert names_consent(document)
    assert _code(decide(replace(ASKED, consent_document=document), CONSENT, BODY, TODAY)) is None


@pytest.mark.parametrize(
    "document",
    [
        None,
        "",
        " ",
        "-1",
        "A" * 41,
        "R8 0007",
        "同意書7号",
        "R8-0007\n",
        "１２３",
        "12345678901",
        "1234-5678-9012",
    ],
)
def test_what_can_not_be_the_number_of_a_document_is_no_consent(document: str | None) -> None:
    """It goes into the log for good: neither names nor as many digits as a person's number has."""
    assert not names_consent(document)
    answer = decide(replace(ASKED, consent_document=document), CONSENT, BODY, TODAY)
    assert _code(answer) is Code.PROVISION_CONSENT_MISSING


@pytest.mark.parametrize("name", ["resident_code", "RESIDENT_CODE", " resident_code ", "住民票コード"])
@pytest.mark.parametrize("file", list(IdentityFile))
def test_whoever_asks_for_the_resident_code_is_refused_by_name(name: str, file: IdentityFile) -> None:
    """Among other fields too: the statute takes it out of everything that is used or provided."""
    answer = fields_asked(["name", name], file)
    articles = {
        RESIDENT: "法30条の15①（住民票コードを除く。）", FUHYO: "法30条の44の6①（住民票コードを除く。）",
    }  # fmt: skip
    assert answer == Refused(Code.PROVISION_CODE_NOT_GIVEN, articles[file])


@pytest.mark.parametrize("names", [["individual_number"], ["name", "name"], ["is_foreign"], ["Name"], [""]])
def test_names_that_are_no_fields_are_refused(names: list[str]) -> None:
    """The number is asked for by itself, the mark of foreign residents by nobody; nothing is guessed."""
    for file, article in FORBIDDING.items():
        assert fields_asked(names, file) == Refused(Code.PROVISION_FIELD_UNKNOWN, article)


def test_fields_are_read_in_the_order_asked() -> None:
    """The answer has its columns in it."""
    assert fields_asked(["sex", "name"], RESIDENT) == (Field.SEX, Field.NAME)
    assert fields_asked([], FUHYO) == ()
    assert fields_asked([field.value for field in Field], FUHYO) == tuple(Field)


def test_no_value_of_a_grant_can_hold_a_resident_code() -> None:
    """By construction: no field is it, no grant has a place for it, and of a record all other items are fields."""
    ungranted = {"resident_code", "individual_number", "is_foreign"}
    columns = {name for names in RECORD_COLUMNS.values() for name in names}
    assert {field.value for field in Field} == columns - ungranted
    assert {file: [f.value for f in GRANTABLE[file]] for file in IdentityFile} == {
        file: [name for name in names if name not in ungranted] for file, names in RECORD_COLUMNS.items()
    }
    assert {one.name for one in fields(Granted)} == {
        "file", "fields", "with_number", "basis", "version", "article", "abroad_only",
    }  # fmt: skip
    assert all("住民票コード" not in field.japanese for field in Field)


def test_the_version_word_of_a_table_stays_the_same_in_every_version_of_the_program() -> None:
    """Provisions of years are recorded under it: reading the same table must give the same word again."""
    table = LegalBases.of_table("2026-06-14", [BASIS, CONSENT.withdrawn(STOP)])
    assert table.version == "2026-06-14+2a635e422f01"
    assert LegalBases.of_table("2026-06-14", table.bases) == table


def _code(answer: Granted | Refused) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None
