"""The rules themselves, asked directly: every way to break a record, all in one table, mask by mask.

The tests of the contract go through pandera, record by record; here one table holds them all, so that a mask that
marks a neighbour too much is seen as well, and a whole boundary is asked in a moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

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
    STRICT,
    Found,
    Record,
    Where,
    as_table,
    good_record,
    groups_at,
)

from juki.columns import IdentityFile, columns_of
from juki.reasons import Code
from juki.rules import CheckDigitPolicy, RecordContext, Records
from juki.rules.view import CLOCK_SKEW
from validations.models import Boundary

OFF = replace(CONTEXT, resident_code_check=CheckDigitPolicy.OFF)


def cases_at(where: Where, context: RecordContext) -> list[tuple[Record, Found]]:
    """List broken records of a boundary with what must be found, a good one after each."""
    good: tuple[Record, Found] = (good_record(*where), set())
    broken: list[tuple[Record, Found]] = [
        (record, {(group.code, group.column)})
        for group in groups_at(where)
        if group.context is context
        for record in group.records
    ]
    return [good, *(one for case in broken for one in (case, good))]


def masks(where: Where, records: Records) -> list[Found]:
    """Ask every rule of a boundary and tell its findings record by record."""
    found: list[Found] = [set() for _ in range(len(records))]
    for rule in Boundary(*where).rules:
        mask = rule.failing(records)
        assert mask.shape == (len(records),) and mask.dtype == bool
        for row in mask.nonzero()[0].tolist():
            found[row].add((rule.code, rule.column))
    return found


def asked(where: Where, records: Sequence[Record], context: RecordContext = CONTEXT) -> list[Found]:
    """Ask the rules of a boundary about some records."""
    return masks(where, Records(as_table(*where, list(records)), context))


@pytest.mark.parametrize("context", [CONTEXT, STRICT], ids=["alert", "error"])
@pytest.mark.parametrize("where", BOUNDARIES, ids=str)
def test_every_broken_record_is_marked_by_its_rule_and_by_no_other(
    where: Where, context: RecordContext
) -> None:
    """All broken records of a boundary lie side by side: each draws its one code, and its neighbours none."""
    cases = cases_at(where, context)
    assert len(cases) > 1
    assert asked(where, [record for record, _ in cases], context) == [expected for _, expected in cases]


@pytest.mark.parametrize("where", BOUNDARIES, ids=str)
def test_a_part_of_a_table_is_judged_like_the_whole(where: Where) -> None:
    """A package parsed in blocks begins in the middle of a buffer, and may come in several chunks."""
    import pyarrow as pa

    cases = cases_at(where, CONTEXT)
    table = as_table(*where, [record for record, _ in cases])
    expected = [found for _, found in cases]
    assert masks(where, Records(table.slice(3), CONTEXT)) == expected[3:]
    assert masks(where, Records(table.slice(3, 2), CONTEXT)) == expected[3:5]
    chunked = pa.concat_tables([table.slice(0, 4), table.slice(4)])
    assert masks(where, Records(chunked, CONTEXT)) == expected
    assert masks(where, Records(table.slice(0, 0), CONTEXT)) == []


def test_a_wrong_check_digit_of_a_code_is_nobodys_business_when_switched_off() -> None:
    """Neither the alert nor the error is drawn."""
    bad = good_record(NOTICE, RESIDENT, resident_code="24727059609")
    assert asked(Where(NOTICE, RESIDENT), [bad], OFF) == [set()]


LAWFUL: dict[IdentityFile, tuple[Record, ...]] = {
    RESIDENT: (
        {},
        {"name": "", "name_kana": "", "sex": "", "individual_number": ""},
        {"sex": "2"},
        {"notice_no": "1"},
        {"notice_no": "9" * 18},
        {"kind": "entry", "reason": "出生", "event_date": ""},
        {"kind": "deletion", "reason": "死亡", "event_date": ""},
        {"kind": "deletion", "reason": "国内転出", "event_date": "2027-03-31"},
        {"kind": "deletion", "reason": "国外転出", "event_date": "2027-03-31"},
        {"event_date": "2026-11-23"},
        {"notified_at": "2026-11-23T00:00:00Z"},
        {"notified_at": "2026-11-23T10:10:00+09:00"},
        {"notified_at": "2026-11-23T10:09:59.999999999+09:00"},
        NUMBER_CORRECTION,
        NUMBER_CORRECTION | {"previous_individual_number": ""},
        CODE_CORRECTION,
        CODE_CORRECTION | {"previous_resident_code": ""},
        {"is_foreign": "1", "name": "SMITH JOHN", "name_kana": "", "alias": "山田　ジョン"},
        {"former_name": "山" * 100, "former_name_kana": "ア" * 150},
        {"is_foreign": "1", "alias": "山" * 200},
        {"name": "山" * 200, "name_kana": "ア" * 300, "address": "山" * 400},
        {"name": "〓田　〓", "name_gaiji": "2"},
        {"address": "〓" * 400, "address_gaiji": "400"},
        {"name": "葛\U000e0100城　𠮷\U000e0101夫", "name_kana": "ヴァイオリン・ヽヾー　ヷヺㇰ"},
    ),
    FUHYO: (
        {},
        ABROAD,
        {"name": "", "name_kana": "", "sex": ""},
        {"kind": "correction", "previous_resident_code": "24846016224"},
        {"kind": "deletion"},
        {"municipality_code": "352021", "address": "どこでも"},
        {"name": "〓", "name_gaiji": "1", "address": "〓〓", "address_gaiji": "2"},
    ),
}
"""What the law and real registers know, at its longest, shortest, first and last."""
BIRTH_DATES = (
    "00010101", "19800229", "19810229", "19000229", "19120730", "19261225", "19450000", "194500A1", "1945A100",
    "1945B4A3", "1945C200", "1945D300", "19450400", "194504A2", "19450430", "20261123", "20260000",
    "20261100", "202611A1", "202611A3", "2026A100", "2026D4A3", "20251231", "20251200", "2025D400",
)  # fmt: skip


@pytest.mark.parametrize("where", BOUNDARIES, ids=str)
def test_lawful_records_are_marked_by_no_rule(where: Where) -> None:
    """No threshold is one too low, no set of characters one too small, no exception of the law forgotten."""
    columns = columns_of(*where)
    lawful = [good_record(*where, **{name: value for name, value in changes.items() if name in columns})
              for changes in LAWFUL[where.file]]  # fmt: skip
    lawful += [good_record(*where, birth_date=text) for text in BIRTH_DATES]
    assert asked(where, lawful) == [set()] * len(lawful)


@pytest.mark.parametrize(
    ("birth_date", "is_future"),
    [
        ("20261123", False), ("20261124", True), ("20261100", False), ("202611A3", False), ("20261200", True),
        ("202612A1", True), ("20261201", True), ("20260000", False), ("20270000", True), ("2026D400", False),
        ("2027A100", True), ("20270101", True), ("20251231", False), ("20261031", False), ("202600A1", False),
        ("20260031", False), ("2026A131", False), ("20270001", True),
    ],
)  # fmt: skip
def test_a_birth_is_in_the_future_as_far_as_it_is_known(birth_date: str, is_future: bool) -> None:
    """A notice of 23 November 2026: the same day, month or year may be, the next one may not."""
    where = Where(NOTICE, RESIDENT)
    (found,) = asked(where, [good_record(*where, birth_date=birth_date)])
    assert found == ({(Code.BIRTH_DATE_FUTURE, "birth_date")} if is_future else set())


def test_the_clock_of_a_municipality_may_run_ten_minutes_before_ours() -> None:
    """Ours says 10:00 in Japan; unless configured otherwise 10:10:00 passes, a second later draws the alert."""
    assert timedelta(minutes=10) == CLOCK_SKEW
    where = Where(NOTICE, RESIDENT)
    records = [good_record(*where, notified_at=f"2026-11-23T10:{at}+09:00") for at in ("10:00", "10:01")]
    assert asked(where, records) == [set(), {(Code.NOTIFIED_AT_FUTURE, "notified_at")}]


def test_a_day_of_the_event_is_in_the_future_of_its_notice_and_not_of_its_receipt() -> None:
    """A notice made yesterday may not know of today, though it is received today; a snapshot has no day."""
    where = Where(NOTICE, RESIDENT)
    records = [
        good_record(*where, notified_at="2026-11-22T12:00:00+09:00", event_date=day)
        for day in ("2026-11-22", "2026-11-23")
    ]
    assert asked(where, records) == [set(), {(Code.EVENT_DATE_FUTURE, "event_date")}]


def test_a_fraction_of_a_second_has_nine_digits_at_most() -> None:
    """A tenth is in no clock; the instant is read from its end, so it must not pass for a longer one."""
    where = Where(NOTICE, RESIDENT)
    (found,) = asked(where, [good_record(*where, notified_at="2026-11-23T09:00:00.1234567890+09:00")])
    assert found == {(Code.NOTIFIED_AT_FORM, "notified_at")}


@pytest.mark.parametrize(
    ("notified_on", "birth_date", "is_future"),
    [
        ("2026-01-10", "20260110", False), ("2026-01-10", "20260111", True), ("2026-01-10", "20260100", False),
        ("2026-01-10", "20260200", True), ("2026-01-10", "2026A100", False), ("2026-01-10", "20270000", True),
        ("2026-11-22", "20261122", False), ("2026-11-22", "20261123", True), ("2026-11-01", "20261101", False),
        ("2026-11-01", "20261102", True), ("1939-10-31", "19391100", True),
    ],
)  # fmt: skip
def test_births_are_compared_with_the_day_of_the_notice_part_by_part(
    notified_on: str, birth_date: str, is_future: bool
) -> None:
    """In January, on the first of a month, on neighbouring days, and at the end of a month before the next."""
    where = Where(NOTICE, RESIDENT)
    bad = good_record(
        *where, notified_at=f"{notified_on}T12:00:00+09:00", event_date="1930-01-01", birth_date=birth_date
    )
    (found,) = asked(where, [bad])
    assert found == ({(Code.BIRTH_DATE_FUTURE, "birth_date")} if is_future else set())


def test_the_character_behind_the_nine_is_no_digit() -> None:
    """A colon is one more than 9 in ASCII."""
    where = Where(NOTICE, RESIDENT)
    for column, value in (("resident_code", "2472705960:"), ("individual_number", ":23456789018")):
        (found,) = asked(where, [good_record(*where, **{column: value})])
        assert {column for _, column in found} == {column}
        assert {code.value.partition(".")[2] for code, _ in found} == {"form"}


def test_a_count_of_gaiji_is_no_number_beyond_the_longest_text() -> None:
    """400 is a count that may be wrong; 401 is none."""
    where = Where(NOTICE, RESIDENT)
    records = [good_record(*where, address_gaiji=count) for count in ("400", "401")]
    assert asked(where, records) == [
        {(Code.GAIJI_COUNT, "address_gaiji")},
        {(Code.GAIJI_FORM, "address_gaiji")},
    ]
