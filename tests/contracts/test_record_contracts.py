"""Every code of the record contract, produced with one bad record among good ones and with all bad."""

from __future__ import annotations

from dataclasses import replace

import pytest
from contract_records import (
    ABROAD,
    BOUNDARIES,
    CODE_CORRECTION,
    CONTEXT,
    FUHYO,
    NOTICE,
    NUMBER_CORRECTION,
    RESIDENT,
    SNAPSHOT,
    STRICT,
    Group,
    Where,
    found_in,
    good_record,
    groups_at,
)

from juki.columns import Layout
from juki.reasons import Code, Scope, Severity
from juki.rules import RULES, CheckDigitPolicy, rules_of

_GROUPS = [group for where in BOUNDARIES for group in groups_at(where)]


@pytest.mark.parametrize("group", _GROUPS, ids=str)
def test_bad_record_among_good_ones_is_found_alone(group: Group) -> None:
    """The bad record draws its code and no other; its good neighbours draw none."""
    good, bad = good_record(*group.where), group.records[0]
    found = found_in(*group.where, good, bad, good, context=group.context)
    assert found == [set(), {(group.code, group.column)}, set()]


@pytest.mark.parametrize("group", _GROUPS, ids=str)
def test_all_bad_records_are_found_alike(group: Group) -> None:
    """The same code is found when every record is bad, each in its own way."""
    records = group.records + group.records
    found = found_in(*group.where, *records, context=group.context)
    assert found == [{(group.code, group.column)}] * len(records)


@pytest.mark.parametrize("where", BOUNDARIES, ids=str)
def test_every_rule_of_a_boundary_has_a_broken_record(where: Where) -> None:
    """No rule can be dropped from the catalogue or from these cases unnoticed."""
    produced = {(group.code, group.column) for group in groups_at(where)}
    assert produced == {(rule.code, rule.column) for rule in rules_of(*where)}


def test_rules_are_listed_in_the_order_of_their_codes() -> None:
    """The order of the enumeration is the order of evaluation."""
    order = list(Code)
    positions = [order.index(rule.code) for rule in RULES]
    assert positions == sorted(positions)
    assert all(rule.code.scope is Scope.RECORD for rule in RULES)


def test_a_record_broken_in_many_ways_draws_every_code() -> None:
    """All failures of a record are reported, errors and alerts, not only the first."""
    bad = good_record(
        NOTICE,
        RESIDENT,
        sex="9",
        individual_number="621498320258",
        resident_code="24727059609",
        name="\uac00\n",
    )
    assert found_in(NOTICE, RESIDENT, bad) == [
        {
            (Code.SEX_UNKNOWN, "sex"),
            (Code.INDIVIDUAL_NUMBER_CHECK_DIGIT, "individual_number"),
            (Code.RESIDENT_CODE_CHECK_DIGIT, "resident_code"),
            (Code.TEXT_HANGUL, "name"),
            (Code.TEXT_CONTROL, "name"),
        }
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "", "name_kana": "", "sex": "", "individual_number": ""},
        {"kind": "entry", "reason": "出生", "event_date": ""},
        {"kind": "deletion", "reason": "死亡", "event_date": ""},
        {"kind": "deletion", "reason": "国内転出", "event_date": "2027-03-31"},
        {"kind": "deletion", "reason": "国外転出", "event_date": "2027-03-31"},
        {"event_date": "2026-11-23"},
        {"event_date": "2024-02-29"},
        {"notified_at": "2026-11-23T00:00:00Z"},
        {"notified_at": "2026-11-23T09:00:00.123456+09:00"},
        {"notified_at": "2026-11-22T14:00:00-10:00"},
        {"notified_at": "2026-11-23T10:10:00+09:00"},
        NUMBER_CORRECTION,
        NUMBER_CORRECTION | {"previous_individual_number": ""},
        CODE_CORRECTION,
        CODE_CORRECTION | {"previous_resident_code": ""},
        {"is_foreign": "1", "name": "SMITH JOHN", "name_kana": "", "alias": "山田　ジョン"},
        {"former_name": "山本", "former_name_kana": "ヤマモト"},
        {"name": "葛\U000e0100城　𠮷\U000e0101夫", "name_kana": "カツラギ　ヨシオ"},
        {"name": "〓田　〓", "name_gaiji": "2"},
        {"name": "é", "address": "é"},
        {"name": "か\u3099"},
        {"name": "\u4e0d\u3000\uf900"},
        {"name_kana": "ヴァイオリン・ヽヾー　ヷヺㇰ"},
        {"name": "山" * 200, "address": "山" * 400},
    ],
)
def test_lawful_resident_notices_pass(changes: dict[str, str]) -> None:
    """What the law and real registers know passes without a finding, alerts included."""
    assert found_in(NOTICE, RESIDENT, good_record(NOTICE, RESIDENT, **changes)) == [set()]


@pytest.mark.parametrize(
    "birth_date",
    [
        "19800229", "19810229", "19000229", "19120730", "19261225", "19450000", "194500A1", "1945A100", "1945B4A3",
        "1945C200", "1945D300", "19450400", "194504A2", "18680101", "20261123", "20260000", "20261100", "2026A100",
    ],
)  # fmt: skip
def test_unknown_and_non_calendar_birth_dates_are_legal(birth_date: str) -> None:
    """Unknown parts, seasons, thirds of a month and 29 February of a common year stand on real records."""
    for where in BOUNDARIES:
        assert found_in(*where, good_record(*where, birth_date=birth_date)) == [set()]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        ABROAD,
        {"name": "", "name_kana": "", "sex": ""},
        {"kind": "correction", "previous_resident_code": "24846016224"},
        {"kind": "deletion"},
        {"municipality_code": "352021", "address": "どこでも"},
    ],
)
def test_lawful_fuhyo_notices_pass(changes: dict[str, str]) -> None:
    """People of the supplement live anywhere in Japan or abroad."""
    assert found_in(NOTICE, FUHYO, good_record(NOTICE, FUHYO, **changes)) == [set()]


def test_fuhyo_event_needs_its_day_and_knows_no_planned_one() -> None:
    """The fuhyo file has no reason that would excuse an unknown or a coming day."""
    missing, coming = (good_record(NOTICE, FUHYO, event_date=day) for day in ("", "2027-03-31"))
    assert found_in(NOTICE, FUHYO, missing, coming) == [
        {(Code.EVENT_DATE_MISSING, "event_date")},
        {(Code.EVENT_DATE_FUTURE, "event_date")},
    ]


def test_previous_code_on_a_fuhyo_entry_is_refused() -> None:
    """Only a correction has something that stood before."""
    bad = good_record(NOTICE, FUHYO, previous_resident_code="24846016224")
    assert found_in(NOTICE, FUHYO, bad) == [{(Code.PREVIOUS_CODE_UNEXPECTED, "previous_resident_code")}]


def test_day_of_a_notice_is_the_day_in_japan() -> None:
    """Shortly after midnight in Japan it is still yesterday in UTC."""
    late = replace(CONTEXT, received_at=CONTEXT.received_at.replace(day=22, hour=16))
    good = good_record(NOTICE, RESIDENT, notified_at="2026-11-22T15:30:00Z", event_date="2026-11-23")
    early = good_record(NOTICE, RESIDENT, notified_at="2026-11-22T14:59:59Z", event_date="2026-11-23")
    assert found_in(NOTICE, RESIDENT, good, early, context=late) == [
        set(),
        {(Code.EVENT_DATE_FUTURE, "event_date")},
    ]


@pytest.mark.parametrize(
    ("policy", "severity"),
    [
        (CheckDigitPolicy.ALERT, Severity.ALERT),
        (CheckDigitPolicy.ERROR, Severity.ERROR),
        (CheckDigitPolicy.OFF, None),
    ],
)
def test_check_digit_of_the_resident_code_is_configurable(
    policy: CheckDigitPolicy, severity: Severity | None
) -> None:
    """The formula is not public: an alert by default, refused or ignored when configured so."""
    bad = good_record(NOTICE, RESIDENT, resident_code="24727059609")
    (found,) = found_in(NOTICE, RESIDENT, bad, context=replace(CONTEXT, resident_code_check=policy))
    assert {code.severity for code, _ in found} == ({severity} if severity else set())


def test_strict_context_leaves_good_codes_alone() -> None:
    """Refusing wrong check digits refuses no right one."""
    assert found_in(NOTICE, RESIDENT, good_record(NOTICE, RESIDENT), context=STRICT) == [set()]


def test_severity_decides_what_is_blocked() -> None:
    """Alerts let a record pass; the codes of this contract are alerts exactly where agreed."""
    alerts = {rule.code for rule in RULES if rule.code.severity is Severity.ALERT}
    assert alerts == {
        Code.NOTIFIED_AT_FUTURE,
        Code.EVENT_DATE_FUTURE,
        Code.RESIDENT_CODE_CHECK_DIGIT,
        Code.FORMER_NAME_OF_FOREIGNER,
        Code.MUNICIPALITY_UNKNOWN,
    }


@pytest.mark.parametrize("layout", [NOTICE, SNAPSHOT])
def test_snapshot_shares_the_rules_on_records(layout: Layout) -> None:
    """A snapshot row is held to every rule that speaks only of columns it has."""
    codes = {rule.code for rule in rules_of(layout, RESIDENT)}
    assert {Code.INDIVIDUAL_NUMBER_CHECK_DIGIT, Code.TEXT_HANGUL, Code.BIRTH_DATE_FUTURE} <= codes
    assert (Code.KIND_UNKNOWN in codes) is (layout is NOTICE)
