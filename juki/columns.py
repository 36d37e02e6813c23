"""Every column of the two identity files, once: name, Japanese name, meaning and source.

Decides:    which columns a layout has (the statutory whitelist of measure M1) and what each one is called.
Leaves:     the rules on values to `juki.rules`, table types to `juki.store.tables`.
Invariants: a column has one name everywhere; a layout never contains an item the law does not let a
            municipality notify (法30条の6①, 30条の41①).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class IdentityFile(StrEnum):
    """The two files a prefecture keeps; the value is the code used in packages, tables and commands."""

    RESIDENT = "resident"
    FUHYO = "fuhyo"

    @property
    def japanese(self) -> str:
        """The name of the file on screens and in reports."""
        return {"resident": "本人確認情報", "fuhyo": "附票本人確認情報"}[self.value]


class Layout(StrEnum):
    """The record layouts municipalities send (spec/packages.md section 3)."""

    NOTICE = "notice"
    SNAPSHOT = "snapshot"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `name` in files and tables, `japanese` on screens, what it holds and what it rests on."""

    name: str
    japanese: str
    meaning: str
    source: str


_COLUMNS = (
    Column(
        "notice_no",
        "通知番号",
        "number of the notice of one municipality and file, from 1 without gaps",
        "spec 2",
    ),
    Column("notified_at", "通知日時", "instant at which the municipality made the notice", "spec 3"),
    Column(
        "kind", "異動区分", "entry 記載, deletion 消除 or correction 記載の修正", "施行令30条の5, 30条の12の3"
    ),
    Column("reason", "異動事由", "one of the 20 reasons of the statute", "施行規則11条"),
    Column(
        "event_date",
        "異動年月日",
        "day of the event; of a notified move out the planned day",
        "施行令30条の5",
    ),
    Column("resident_code", "住民票コード", "11 digits; the key of a person", "法7条13号, 17条7号"),
    Column("individual_number", "個人番号", "12 digits; 特定個人情報", "法7条8号の2"),
    Column("name", "氏名", "name, byte for byte as received", "法7条1号, 17条2号"),
    Column(
        "name_kana", "氏名の振り仮名", "reading of the name in full-width katakana", "法7条1号の2, 17条2号の2"
    ),
    Column("former_name", "旧氏", "former surname, if recorded", "施行令30条の13"),
    Column("former_name_kana", "旧氏の振り仮名", "its reading", "施行令30条の13"),
    Column("alias", "通称", "alias of a foreign resident, if recorded", "施行令30条の16"),
    Column(
        "birth_date",
        "生年月日",
        "8 characters YYYYMMDD with unknown and non-calendar forms",
        "法7条2号, 17条5号",
    ),
    Column("sex", "性別", "1 男, 2 女 or blank", "法7条3号, 17条6号"),
    Column(
        "municipality_code", "市区町村コード", "全国地方公共団体コード of the address", "法7条7号, 17条3号"
    ),
    Column("address", "住所", "address, byte for byte as received", "法7条7号, 17条3号"),
    Column("is_foreign", "外国人住民", "1 for the record of a foreign resident", "法30条の45"),
    Column("is_abroad", "国外転出者", "1 for a person who has moved abroad", "法17条3号"),
    Column("name_gaiji", "氏名外字数", "number of 〓 in the name", "spec 3"),
    Column("address_gaiji", "住所外字数", "number of 〓 in the address", "spec 3"),
    Column(
        "previous_resident_code",
        "修正前住民票コード",
        "the code before a code correction",
        "施行令30条の5五号",
    ),
    Column(
        "previous_individual_number",
        "修正前個人番号",
        "the number before a number correction",
        "施行令30条の5四号",
    ),
    Column("update_no", "更新番号", "number of the update of one file, told to J-LIS, from 1", "ADR-0027"),
    Column(
        "sender_code", "通知市町村コード", "the municipality whose notice made the update", "M2, ADR-0027"
    ),
    Column(
        "digest",
        "照合値",
        "SHA-256 of a record in its canonical form, for reconciliation",
        "spec 3, ADR-0021",
    ),
)

BY_NAME: dict[str, Column] = {column.name: column for column in _COLUMNS}

_EVENT = ("notice_no", "notified_at", "kind", "reason", "event_date")
_PREVIOUS = ("previous_resident_code", "previous_individual_number")

RECORD_COLUMNS: dict[IdentityFile, tuple[str, ...]] = {
    IdentityFile.RESIDENT: (
        "resident_code", "individual_number", "name", "name_kana", "former_name", "former_name_kana", "alias",
        "birth_date", "sex", "municipality_code", "address", "is_foreign", "name_gaiji", "address_gaiji",
    ),
    IdentityFile.FUHYO: (
        "resident_code", "name", "name_kana", "birth_date", "sex", "municipality_code", "address", "is_abroad",
        "name_gaiji", "address_gaiji",
    ),
}  # fmt: skip
"""The identification information itself, in the order of its canonical form: what a snapshot carries."""

NOTICE_COLUMNS: dict[IdentityFile, tuple[str, ...]] = {
    IdentityFile.RESIDENT: (*_EVENT, *RECORD_COLUMNS[IdentityFile.RESIDENT], *_PREVIOUS),
    IdentityFile.FUHYO: (
        *(name for name in _EVENT if name != "reason"),
        *RECORD_COLUMNS[IdentityFile.FUHYO],
        "previous_resident_code",
    ),
}
"""A notice: the record, what happened to it, and what stood before (施行令30条の5, 30条の12の3)."""

JLIS_COLUMNS: dict[IdentityFile, tuple[str, ...]] = {
    file: ("update_no", "sender_code", *columns) for file, columns in NOTICE_COLUMNS.items()
}
"""An update as J-LIS is told it: the notice that made it, who sent it, and its place among all updates of the file.

That of the fuhyo file has no number, because its notice has none (法30条の41①, 30条の42①).
"""


def columns_of(layout: Layout, file: IdentityFile) -> tuple[str, ...]:
    """Name the columns a layout must have, no more and no fewer, in our canonical order."""
    if layout is Layout.NOTICE:
        return NOTICE_COLUMNS[file]
    if layout is Layout.SNAPSHOT:
        return RECORD_COLUMNS[file]
    return ("resident_code", "digest")
