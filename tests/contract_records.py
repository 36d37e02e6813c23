"""Records that keep the contract, and every way to break it: one broken record per code and column.

All people here are made up; numbers and codes have valid check digits and belong to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa

from juki.columns import IdentityFile, Layout, columns_of
from juki.findings import Findings
from juki.reasons import Code
from juki.rules import CheckDigitPolicy, RecordContext
from validations.contracts import check_records

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
NOTICE, SNAPSHOT = Layout.NOTICE, Layout.SNAPSHOT
Record = dict[str, str]
Found = set[tuple[Code, str]]

CONTEXT = RecordContext(
    sender_code="352039",
    package="352039-resident-notice-00000001.p7m",
    received_at=datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
    known_municipalities=frozenset({"352039", "352021", "011002"}),
)
STRICT = replace(CONTEXT, resident_code_check=CheckDigitPolicy.ERROR)

_RESIDENT_RECORD: Record = {
    "notice_no": "20412",
    "notified_at": "2026-11-23T09:00:00+09:00",
    "kind": "entry",
    "reason": "国内転入",
    "event_date": "2026-11-20",
    "resident_code": "24727059608",
    "individual_number": "123456789018",
    "name": "山田　太郎",
    "name_kana": "ヤマダ　タロウ",
    "former_name": "",
    "former_name_kana": "",
    "alias": "",
    "birth_date": "19800229",
    "sex": "1",
    "municipality_code": "352039",
    "address": "山口県山口市滝町１番１号",
    "is_foreign": "0",
    "name_gaiji": "0",
    "address_gaiji": "0",
    "previous_resident_code": "",
    "previous_individual_number": "",
}
_FUHYO_RECORD: Record = {
    name: value for name, value in _RESIDENT_RECORD.items() if name in columns_of(NOTICE, FUHYO)
} | {"municipality_code": "011002", "address": "北海道札幌市中央区北１条西２丁目", "is_abroad": "0"}

NUMBER_CORRECTION: Record = {
    "kind": "correction",
    "reason": "個人番号の変更請求",
    "previous_individual_number": "023456789013",
}
CODE_CORRECTION: Record = {
    "kind": "correction",
    "reason": "住民票コードの変更請求",
    "previous_resident_code": "24846016224",
}
ABROAD: Record = {"is_abroad": "1", "municipality_code": "", "address": ""}


def good_record(layout: Layout, file: IdentityFile, **changes: str) -> Record:
    """A record that keeps the contract, with the given values in place of its own."""
    record = (_RESIDENT_RECORD if file is RESIDENT else _FUHYO_RECORD) | changes
    return {column: record[column] for column in columns_of(layout, file)}


def as_table(layout: Layout, file: IdentityFile, records: list[Record]) -> pa.Table:
    """Records as the parser gives them: text columns in canonical order."""
    columns = columns_of(layout, file)
    return pa.table({name: pa.array([record[name] for record in records], pa.string()) for name in columns})


def found_by_row(findings: Findings) -> list[Found]:
    """The findings record by record."""
    rows: list[Found] = [set() for _ in range(findings.records)]
    for group in findings.groups:
        for row in group.rows.tolist():
            rows[row].add((group.code, group.column))
    return rows


def found_in(
    layout: Layout, file: IdentityFile, *records: Record, context: RecordContext = CONTEXT
) -> list[Found]:
    """Hold records to the contract and tell the findings record by record."""
    return found_by_row(check_records(layout, file, as_table(layout, file, list(records)), context))


class Where(NamedTuple):
    """A boundary at which a record can be broken."""

    layout: Layout
    file: IdentityFile

    def __str__(self) -> str:
        return f"{self.file.value}-{self.layout.value}"


BOUNDARIES = [Where(layout, file) for layout in (NOTICE, SNAPSHOT) for file in IdentityFile]


@dataclass(frozen=True)
class Broken:
    """One way to break a record: what is found, and the values that cause it and nothing else."""

    code: Code
    column: str
    changes: Record
    file: IdentityFile | None = None
    context: RecordContext = field(default=CONTEXT, repr=False)

    def breaks(self, where: Where) -> bool:
        """Tell whether the layout of this boundary has every changed column."""
        return self.file in (None, where.file) and set(self.changes) <= set(columns_of(*where))


_ALIAS_BASE = {"is_foreign": "1"}
_FORMER_BASE = {"former_name": "山本"}


def _in_text(code: Code, text: str) -> list[Broken]:
    """The same bad text in every column of names and addresses."""
    return [
        Broken(code, "name", {"name": text}),
        Broken(code, "former_name", {"former_name": text}),
        Broken(code, "alias", _ALIAS_BASE | {"alias": text}),
        Broken(code, "address", {"address": text}),
    ]


def _codes(code: Code, value: str, context: RecordContext = CONTEXT) -> list[Broken]:
    """The same bad code as the code of the person and as the one before, in both files."""
    return [
        Broken(code, "resident_code", {"resident_code": value}, context=context),
        Broken(
            code,
            "previous_resident_code",
            CODE_CORRECTION | {"previous_resident_code": value},
            context=context,
        ),
        Broken(
            code,
            "previous_resident_code",
            {"kind": "correction", "previous_resident_code": value},
            FUHYO,
            context,
        ),
    ]


def _numbers(code: Code, value: str) -> list[Broken]:
    return [
        Broken(code, "individual_number", {"individual_number": value}),
        Broken(
            code,
            "previous_individual_number",
            NUMBER_CORRECTION | {"previous_individual_number": value},
        ),
    ]


BROKEN: list[Broken] = [
    *(
        Broken(Code.NOTICE_NO_FORM, "notice_no", {"notice_no": bad})
        for bad in ("", "0", "-1", "01", "1.0", "１", "1\n", "9" * 19)
    ),
    *(
        Broken(Code.NOTIFIED_AT_FORM, "notified_at", {"notified_at": bad})
        for bad in (
            "",
            "2026-11-23",
            "2026-11-23T09:00:00",
            "2026-11-23 09:00:00+09:00",
            "2026-11-23T09:00:00+0900",
            "2026-02-30T09:00:00+09:00",
            "2026-11-23T24:00:00+09:00",
            "2026-11-23T09:60:00+09:00",
            "2026-11-23T09:00:60+09:00",
            "2026-11-23T09:00:00+09:60",
            "2026-11-23T09:00:00+15:00",
            "2026-11-23T09:00:00.+09:00",
            "2026-11-23T09:00:00x+09:00",
            "2026-11-23T09:00:00_09:00",
            "2026-11-23T09-00:00+09:00",
            "2026-11-23T09:00-00+09:00",
            "2026-11-23T09:00:00+09-00",
            "2026-11-23Tx9:00:00+09:00",
            "2026-11-23T09:00:00z",
            "2026-11-23T09:00:00xZ",
            "２026-11-23T09:00:00Z",
        )
    ),
    Broken(Code.NOTIFIED_AT_FUTURE, "notified_at", {"notified_at": "2026-11-23T10:10:01+09:00"}),
    *(Broken(Code.KIND_UNKNOWN, "kind", {"kind": bad}) for bad in ("", "記載", "Entry", "entry ")),
    *(
        Broken(Code.REASON_UNKNOWN, "reason", {"reason": bad})
        for bad in ("", "転入", "国内転入 ", "職権記載等(帰化等)")
    ),
    Broken(Code.REASON_OTHER_KIND, "reason", {"reason": "死亡"}),
    Broken(Code.REASON_OTHER_KIND, "reason", {"kind": "correction"}, RESIDENT),
    Broken(Code.REASON_OTHER_KIND, "reason", {"kind": "deletion", "reason": "転居"}),
    Broken(Code.EVENT_DATE_MISSING, "event_date", {"event_date": ""}),
    *(
        Broken(Code.EVENT_DATE_FORM, "event_date", {"event_date": bad})
        for bad in ("20261120", "2026/11/20", "2026-11-2", "２026-11-20", "2026-11-A1", "2026-11-20 ", "2026-11x20")
    ),
    *(
        Broken(Code.EVENT_DATE_UNREAL, "event_date", {"event_date": bad})
        for bad in ("2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-11-00", "0000-01-01")
    ),
    Broken(Code.EVENT_DATE_FUTURE, "event_date", {"event_date": "2026-11-24"}),
    Broken(Code.RESIDENT_CODE_MISSING, "resident_code", {"resident_code": ""}),
    *(
        case
        for bad in ("2472705960", "247270596080", "2472705960x", "２4727059", "2472705960 ", "2472705960/")
        for case in _codes(Code.RESIDENT_CODE_FORM, bad)
    ),
    *_codes(Code.RESIDENT_CODE_ZERO, "00000000000"),
    *_codes(Code.RESIDENT_CODE_CHECK_DIGIT, "24727059609"),
    *_codes(Code.RESIDENT_CODE_REFUSED_DIGIT, "24727059609", STRICT),
    Broken(
        Code.INDIVIDUAL_NUMBER_MISSING,
        "individual_number",
        NUMBER_CORRECTION | {"individual_number": ""},
    ),
    *(
        case
        for bad in (
            "12345678901", "1234567890180", "12345678901x", "１２３４５６７８９０１８", "１2345678901",
            " 12345678901",
        )
        for case in _numbers(Code.INDIVIDUAL_NUMBER_FORM, bad)
    ),
    *_numbers(Code.INDIVIDUAL_NUMBER_ZERO, "000000000000"),
    *(
        case
        for bad in ("621498320258", "983205673210", "507957100722")
        for case in _numbers(Code.INDIVIDUAL_NUMBER_CHECK_DIGIT, bad)
    ),
    *(
        case
        for bad in (
            "山\n田", "山\r\n田", "\x00山", "\x1f", "\x7f", "山\x85", "山\u2028", "山\u2029", "\u202e山", "\u200b",
            "\ufeff山", "\u00ad", "\u2066x", "\t",
        )
        for case in _in_text(Code.TEXT_CONTROL, bad)
    ),
    *(
        case
        for bad in ("\uac00", "\ud6ff", "\ud7a3", "山\u1100", "\u3131", "\uffa1")
        for case in _in_text(Code.TEXT_HANGUL, bad)
    ),
    *(
        case
        for bad in ("\ue000", "山\uf8ff", "\U000f0000", "\U0010fffd")
        for case in _in_text(Code.TEXT_PRIVATE_USE, bad)
    ),
    *(
        case
        for bad in ("\ufffd", "山\uffff", "\ufdd0", "\U0001fffe", "\U0010ffff", "\U000e0001", "\U000e007f")
        for case in _in_text(Code.TEXT_NO_CHARACTER, bad)
    ),
    *(
        case
        for bad in ("\U000e0100", "ア\U000e0100", "葛\U000e0100\U000e0101", "\ufe00", "a\ufe0f", "\uf900\U000e0100")
        for case in _in_text(Code.TEXT_STRAY_SELECTOR, bad)
    ),
    Broken(Code.TEXT_TOO_LONG, "name", {"name": "山" * 201}),
    Broken(Code.TEXT_TOO_LONG, "former_name", {"former_name": "山" * 101}),
    Broken(Code.TEXT_TOO_LONG, "alias", _ALIAS_BASE | {"alias": "山" * 201}),
    Broken(Code.TEXT_TOO_LONG, "address", {"address": "山" * 401}),
    Broken(Code.TEXT_TOO_LONG, "name_kana", {"name_kana": "ア" * 301}),
    Broken(Code.TEXT_TOO_LONG, "former_name_kana", _FORMER_BASE | {"former_name_kana": "ア" * 151}),
    *(
        case
        for bad in ("やまだ", "ﾔﾏﾀﾞ", "ヤマダ タロウ", "YAMADA", "ヤマダ\n", "ヤマダ1", "カ\u3099", "ヤマダ゛")
        for case in (
            Broken(Code.KANA_CHARACTER, "name_kana", {"name_kana": bad}),
            Broken(Code.KANA_CHARACTER, "former_name_kana", _FORMER_BASE | {"former_name_kana": bad}),
        )
    ),
    Broken(Code.FORMER_NAME_KANA_ALONE, "former_name_kana", {"former_name_kana": "ヤマモト"}),
    Broken(Code.FORMER_NAME_OF_FOREIGNER, "former_name", {"is_foreign": "1", "former_name": "山本"}),
    Broken(Code.ALIAS_OF_JAPANESE, "alias", {"alias": "山本"}),
    Broken(Code.BIRTH_DATE_MISSING, "birth_date", {"birth_date": ""}),
    *(
        Broken(Code.BIRTH_DATE_FORM, "birth_date", {"birth_date": bad})
        for bad in (
            "1980-02-29", "1980022", "198002290", "１9800229", "00000101", "19801301", "19800230", "19800431",
            "19800132", "1980E101", "1980A501", "1980A001", "198001A4", "198001B1", "1980a101", "198001a1",
            "1980XX01", "昭55", "198001A0",
        )
    ),
    *(
        Broken(Code.BIRTH_DATE_FUTURE, "birth_date", {"birth_date": bad})
        for bad in ("20261124", "20270000", "2027A100", "20261200", "202612A1")
    ),
    *(Broken(Code.SEX_UNKNOWN, "sex", {"sex": bad}) for bad in ("0", "3", "男", "１", " ")),
    *(
        Broken(Code.FLAG_FORM, column, {column: bad})
        for column in ("is_foreign", "is_abroad")
        for bad in ("", "2", "true", "１", "01")
    ),
    Broken(Code.MUNICIPALITY_MISSING, "municipality_code", {"municipality_code": ""}),
    *(
        Broken(Code.MUNICIPALITY_FORM, "municipality_code", {"municipality_code": bad})
        for bad in ("35203", "3520390", "35203x", "３５２０３９", "３520")
    ),
    Broken(Code.MUNICIPALITY_CHECK_DIGIT, "municipality_code", {"municipality_code": "352038"}),
    Broken(Code.MUNICIPALITY_NOT_SENDER, "municipality_code", {"municipality_code": "352021"}, RESIDENT),
    Broken(Code.MUNICIPALITY_UNKNOWN, "municipality_code", {"municipality_code": "352080"}, FUHYO),
    *(Broken(Code.ADDRESS_MISSING, "address", {"address": bad}) for bad in ("", " ", "　　")),
    Broken(Code.PLACE_ABROAD, "municipality_code", ABROAD | {"municipality_code": "011002"}),
    Broken(Code.PLACE_ABROAD, "address", ABROAD | {"address": "フランス"}),
    *(
        Broken(Code.GAIJI_FORM, column, {column: bad})
        for column in ("name_gaiji", "address_gaiji")
        for bad in ("", "-1", "00", "０", "x", "1.0")
    ),
    Broken(Code.GAIJI_COUNT, "name_gaiji", {"name_gaiji": "1"}),
    Broken(Code.GAIJI_COUNT, "name_gaiji", {"name": "〓田　〓", "name_gaiji": "1"}),
    Broken(Code.GAIJI_COUNT, "address_gaiji", {"address": "〓町", "address_gaiji": "0"}),
    Broken(
        Code.PREVIOUS_CODE_UNEXPECTED,
        "previous_resident_code",
        {"previous_resident_code": "24846016224"},
    ),
    Broken(
        Code.PREVIOUS_CODE_UNEXPECTED,
        "previous_resident_code",
        {"kind": "correction", "reason": "転居", "previous_resident_code": "24846016224"},
    ),
    Broken(
        Code.PREVIOUS_CODE_SAME,
        "previous_resident_code",
        CODE_CORRECTION | {"previous_resident_code": "24727059608"},
    ),
    Broken(
        Code.PREVIOUS_CODE_SAME,
        "previous_resident_code",
        {"kind": "correction", "previous_resident_code": "24727059608"},
        FUHYO,
    ),
    Broken(
        Code.PREVIOUS_NUMBER_UNEXPECTED,
        "previous_individual_number",
        {"previous_individual_number": "023456789013"},
    ),
    Broken(
        Code.PREVIOUS_NUMBER_UNEXPECTED,
        "previous_individual_number",
        CODE_CORRECTION | {"previous_individual_number": "023456789013"},
    ),
    Broken(
        Code.PREVIOUS_NUMBER_SAME,
        "previous_individual_number",
        NUMBER_CORRECTION | {"previous_individual_number": "123456789018"},
    ),
]  # fmt: skip


class Group(NamedTuple):
    """All ways to draw one code on one column at one boundary."""

    where: Where
    code: Code
    column: str
    broken: tuple[Broken, ...]

    def __str__(self) -> str:
        return f"{self.where}-{self.code.value}-{self.column}"

    @property
    def context(self) -> RecordContext:
        """The context the cases need; one for the whole group."""
        (context,) = {id(case.context): case.context for case in self.broken}.values()
        return context

    @property
    def records(self) -> list[Record]:
        """The broken records."""
        return [good_record(*self.where, **case.changes) for case in self.broken]


def groups_at(where: Where) -> list[Group]:
    """Gather the cases of a boundary by code and column."""
    cases: dict[tuple[Code, str], list[Broken]] = {}
    for broken in BROKEN:
        if broken.breaks(where):
            cases.setdefault((broken.code, broken.column), []).append(broken)
    return [Group(where, code, column, tuple(found)) for (code, column), found in cases.items()]
