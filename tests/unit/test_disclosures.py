"""The thirty days of a disclosure (法30条の33) and the ends requests can have: every day by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from juki.became import Became
from juki.columns import IdentityFile
from juki.disclosed import HeldRecord, HeldVersion, Names, access_row, disclosure_paper, era_date, told_row
from juki.disclosures import (
    ENDS,
    AlarmDays,
    Decision,
    Disclosure,
    DisclosureKind,
    alarm_of,
    check_end,
    check_extension,
    check_received,
    due_on,
    number_of,
)
from juki.errors import JukiError
from juki.provisions import ProvisionState
from juki.reasons import Code
from juki.record_words import birth_date_words, value_words

RECEIVED, DUE = date(2026, 11, 1), date(2026, 11, 30)
ASKED = Disclosure(
    3, DisclosureKind.DISCLOSURE, None, "s", "i", RECEIVED, DUE, None, datetime(2026, 11, 2, tzinfo=UTC), None, None
)  # fmt: skip
CORRECTION = replace(ASKED, kind=DisclosureKind.CORRECTION, follows=2, due_on=None)
DAYS = AlarmDays(7, 30)


def code_of(act: object, *arguments: object) -> Code:
    """Call what refuses."""
    with pytest.raises(JukiError) as refused:
        act(*arguments)  # type: ignore[operator]
    return refused.value.code


def test_the_day_of_receipt_is_the_first_of_thirty() -> None:
    """受理した日から起算して三十日以内: the thirtieth day is the last; a correction has no day in the statute."""
    assert due_on(DisclosureKind.DISCLOSURE, RECEIVED) == DUE
    assert due_on(DisclosureKind.DISCLOSURE, date(2028, 2, 1)) == date(2028, 3, 1)
    assert due_on(DisclosureKind.CORRECTION, RECEIVED) is None


@pytest.mark.parametrize(
    ("today", "code"),
    [
        (DUE - timedelta(days=8), None), (DUE - timedelta(days=7), Code.DISCLOSURE_DUE_SOON),
        (DUE, Code.DISCLOSURE_DUE_SOON), (DUE + timedelta(days=1), Code.DISCLOSURE_OVERDUE),
    ],
)  # fmt: skip
def test_disclosure_is_alarmed_before_and_after_its_last_day(today: date, code: Code | None) -> None:
    """The last day itself is still in time; what is ended is silent."""
    assert alarm_of(ASKED, today, DAYS) is code
    assert alarm_of(replace(ASKED, decision=Decision.DISCLOSED), today, DAYS) is None


def test_unanswered_correction_is_alarmed_by_the_setting() -> None:
    """遅滞なく, which is not thirty days."""
    assert alarm_of(CORRECTION, RECEIVED + timedelta(days=29), DAYS) is None
    assert alarm_of(CORRECTION, RECEIVED + timedelta(days=30), DAYS) is Code.CORRECTION_UNANSWERED


def test_extension_is_told_within_the_term_once_and_ends_later() -> None:
    """法30条の33第2項: within the period, with the reason and the new last day."""
    later = DUE + timedelta(days=20)
    check_extension(ASKED, later, DUE, DUE)
    for until, told, today in (
        (DUE, DUE, DUE),
        (later, DUE + timedelta(days=1), later),
        (later, DUE, RECEIVED),
    ):
        assert code_of(check_extension, ASKED, until, told, today) is Code.DISCLOSURE_DATE
    assert code_of(check_extension, replace(ASKED, extended_on=DUE), later, DUE, DUE) is Code.DISCLOSURE_STATE
    assert code_of(check_extension, CORRECTION, later, DUE, DUE) is Code.DISCLOSURE_STATE


@pytest.mark.parametrize("request_", [ASKED, CORRECTION], ids=repr)
@pytest.mark.parametrize("decision", list(Decision))
def test_each_kind_has_its_ends_and_no_other(request_: Disclosure, decision: Decision) -> None:
    """Every cell."""
    if decision in ENDS[request_.kind]:
        check_end(request_, decision, DUE, DUE)
    else:
        assert code_of(check_end, request_, decision, DUE, DUE) is Code.DISCLOSURE_DECISION


def test_nothing_ends_twice_before_it_began_or_without_its_document() -> None:
    """What was told was told in writing."""
    ended = replace(ASKED, decision=Decision.DISCLOSED, answered_on=DUE)
    assert code_of(check_end, ended, Decision.DISCLOSED, DUE, DUE) is Code.DISCLOSURE_STATE
    unprinted = replace(ASKED, printed_at=None)
    assert code_of(check_end, unprinted, Decision.DISCLOSED, DUE, DUE) is Code.DISCLOSURE_STATE
    check_end(unprinted, Decision.DISMISSED, DUE, DUE)
    for versions, said, other in (
        (0, Decision.NOT_HELD, Decision.DISCLOSED),
        (2, Decision.DISCLOSED, Decision.NOT_HELD),
    ):
        printed = replace(ASKED, printed_versions=versions)
        check_end(printed, said, DUE, DUE)
        assert code_of(check_end, printed, other, DUE, DUE) is Code.DISCLOSURE_STATE
    for day in (RECEIVED - timedelta(days=1), DUE + timedelta(days=1)):
        assert code_of(check_end, ASKED, Decision.DISCLOSED, day, DUE) is Code.DISCLOSURE_DATE
        assert code_of(check_received, DUE + timedelta(days=1), DUE) is Code.DISCLOSURE_DATE


@pytest.mark.parametrize("text", ["", "D", "3", "d3", "D３", "D-1", "D12345678901"])
def test_what_is_no_number_of_a_request_is_not_found(text: str) -> None:
    """A code of a person typed in its place among them."""
    assert code_of(number_of, text) is Code.DISCLOSURE_NOT_FOUND


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("19700401", "1970年04月01日"), ("19700000", "1970年月不詳日不詳"), ("1970A100", "1970年春日不詳"),
        ("1970B4A3", "1970年初冬下旬"), ("1970", "1970"),
    ],
)  # fmt: skip
def test_birth_dates_read_as_they_are_known(text: str, words: str) -> None:
    """Unknown and non-calendar parts are legal and are said."""
    assert birth_date_words(text) == words


def test_values_of_no_known_form_are_shown_as_they_are() -> None:
    """Nothing is repaired on a document of what is held."""
    assert (value_words("sex", "9"), value_words("sex", None), value_words("name", "〓田")) == (
        "9",
        "",
        "〓田",
    )


def test_document_says_what_is_not_held() -> None:
    """Of one file, or of both: then it is a notice of that (法30条の32第1項括弧書)."""
    version = HeldVersion([("氏名", "x")], None)
    of_one = disclosure_paper("D3", "x", RECEIVED, DUE, [HeldRecord(IdentityFile.RESIDENT, [version], [])])
    assert "附票本人確認情報は、保存していません。" in of_one.lines and of_one.title == "本人確認情報等開示書"
    of_none = disclosure_paper("D3", "x", RECEIVED, DUE, [])
    assert (
        of_none.title == "本人確認情報等不存在通知書"
        and not of_none.grids
        and "保存していません" in of_none.lines[1]
    )


ENTRY = {
    "action": "person.provided", "outcome": "done", "recorded_at": "2026-11-23T01:02:03.000000+00:00",
    "recipient": "kyoiku", "actor": "flow-run:1", "basis": "beppyo6-3", "number_accessed": True, "provision": "R7",
}  # fmt: skip
NAMES = Names({"kyoiku": "教育委員会"}, {"beppyo6-3": "法30条の15第2項第1号 奨学金"})
LEFT_AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def test_entries_read_as_accesses_and_refusals_do_not() -> None:
    """Who, when, on what basis; a run is nobody's hand."""
    assert access_row(ENTRY, NAMES, {"R7": Became(ProvisionState.DELIVERED, LEFT_AT)}) == (
        "2026-11-23 11:00", "提供・移転", "教育委員会", "法30条の15第2項第1号 奨学金", "取扱いあり",
    )  # fmt: skip
    own = {
        **ENTRY,
        "action": "person.viewed",
        "actor": "operator:op-7",
        "basis": "窓口",
        "number_accessed": False,
    }
    del own["recipient"], own["provision"]
    assert access_row(own, NAMES, {}) == ("2026-11-23 10:02", "閲覧", "本県の操作者 op-7", "窓口", "なし")
    assert access_row({**ENTRY, "outcome": "refused"}, NAMES, {}) is None
    assert access_row({**ENTRY, "action": "package.applied"}, NAMES, {}) is None


@pytest.mark.parametrize(
    ("became", "time", "words"),
    [
        (Became(ProvisionState.SEALED), "10:02", "未送付"),
        (Became(ProvisionState.LAPSED), "10:02", "送付なし（失効）"),
        (Became(ProvisionState.LAPSED, is_taken_back=True), "10:02", "送付なし（失効）"),
        (Became(ProvisionState.DELIVERED, LEFT_AT), "11:00", "提供・移転"),
        (Became(ProvisionState.DELIVERED, LEFT_AT, is_taken_back=True), "11:00", "受領なし（送付後に取戻し）"),
        (Became(ProvisionState.DELIVERED, LEFT_AT, is_taken_back=True, is_received=True), "11:00", "提供・移転"),
        (None, "10:02", "提供・移転（送付の記録なし）"),
    ],
    ids=["sealed", "lapsed", "lapsed in the folder", "given", "taken back", "received", "unknown"],
)  # fmt: skip
def test_provision_reads_as_what_became_of_it(became: Became | None, time: str, words: str) -> None:
    """Its entry is written at the seal: whether it left is another thing, and in doubt it did."""
    row = access_row(ENTRY, NAMES, {"R7": became} if became else {})
    assert row is not None and row[:2] == (f"2026-11-23 {time}", words)


def test_update_told_to_jlis_reads_as_the_article_of_its_file() -> None:
    """法30条の7 and 30条の42; a fuhyo notice has no number."""
    rows = [told_row(file, LEFT_AT, has_number=file is IdentityFile.RESIDENT) for file in IdentityFile]
    assert rows == [
        ("2026-11-23 11:00", "変更の通知", "地方公共団体情報システム機構", "住民基本台帳法第30条の7", "取扱いあり"),
        ("2026-11-23 11:00", "変更の通知", "地方公共団体情報システム機構", "住民基本台帳法第30条の42", "なし"),
    ]  # fmt: skip


def test_days_are_written_with_their_era() -> None:
    """令和 began on 1 May 2019."""
    days = (date(2019, 4, 30), date(2019, 5, 1), date(2026, 11, 30))
    assert list(map(era_date, days)) == ["2019年4月30日", "令和元年5月1日", "令和8年11月30日"]
