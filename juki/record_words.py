"""A record in words: what its columns are called and how their values read, on screens and on paper.

Decides:    how a birth date with unknown parts, a sex and a mark are written.
Leaves:     which columns there are to `juki.columns`, showing them to the command line and to `juki.printing`.
Invariants: names and addresses are shown byte for byte; a value of no known form is shown as it is, never repaired.
Source:     domain.md section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from juki.columns import BY_NAME, RECORD_COLUMNS, IdentityFile
from juki.notices import Kind

NUMBER_COLUMN = "individual_number"
NOTHING = "（記録なし）"
_SEXES = {"1": "男", "2": "女"}
_SEASONS = {"A": "", "B": "初", "C": "仲", "D": "晩"}
_SEASON_NAMES = {"1": "春", "2": "夏", "3": "秋", "4": "冬"}
_THIRDS = {"A1": "上旬", "A2": "中旬", "A3": "下旬"}
_MARKS = {"is_foreign": ("", "外国人住民"), "is_abroad": ("", "国外転出者")}
_NOT_SHOWN = frozenset({"name_gaiji", "address_gaiji"})
"""Counts for the machine; the 〓 they count is seen in the value."""


def birth_date_words(text: str) -> str:
    """Write the eight characters of a birth date as people read them; what is unknown is said to be."""
    if len(text) != 8:
        return text
    year, month, day = text[:4], text[4:6], text[6:]
    return f"{year}年{_month_words(month)}{_day_words(day)}"


def _month_words(month: str) -> str:
    if month == "00":
        return "月不詳"
    if month[0] in _SEASONS and month[1] in _SEASON_NAMES:
        return f"{_SEASONS[month[0]]}{_SEASON_NAMES[month[1]]}"
    return f"{month}月"


def _day_words(day: str) -> str:
    if day == "00":
        return "日不詳"
    return _THIRDS.get(day) or f"{day}日"


def value_words(column: str, value: Any) -> str:
    """Write one value of a record; empty where there is none."""
    if value is None or value == "":
        return ""
    if column in _MARKS:
        return _MARKS[column][1 if value in (True, "1") else 0]
    if column == "birth_date":
        return birth_date_words(str(value))
    if column == "sex":
        return _SEXES.get(str(value), str(value))
    return Kind(value).japanese if column == "kind" else str(value)


def record_rows(file: IdentityFile, values: Mapping[str, Any], number: str) -> list[tuple[str, str]]:
    """List the items of one version of a record under their names; `number` is what stands for 個人番号."""
    shown = {**values, NUMBER_COLUMN: number}
    names = [name for name in RECORD_COLUMNS[file] if name not in _NOT_SHOWN]
    words = [(name, value_words(name, shown.get(name))) for name in names]
    return [(BY_NAME[name].japanese, said) for name, said in words if said or name not in _MARKS]


def headings(columns: Sequence[str]) -> list[str]:
    """Name columns in Japanese."""
    return [BY_NAME[name].japanese for name in columns]
