"""別表第五 and 別表第六 read from the text of the law, sharing nothing with the product but the wish to agree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_LAW = Path(__file__).parent / "law"
GOVERNOR = "都道府県知事"
_DIGITS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}


@dataclass(frozen=True)
class Item:
    """One item of a table of the statute, and the code our table is to give it."""

    code: str
    table: str
    item: str
    receiver: str
    work: str


def act_tables() -> list[Item]:
    """Read every item of both tables in the order of the statute."""
    text = (_LAW / "act_tables.md").read_text("utf-8")
    head, fifth, sixth = re.split(r"^\*\*別表第[五六]\*\*$", text, flags=re.MULTILINE)
    assert head == ""
    return [*_listed(fifth), *_tabled(sixth)]


def act_articles() -> str:
    """Give the articles without line breaks and spaces, to look words up in."""
    return re.sub(r"\s", "", (_LAW / "act_articles.md").read_text("utf-8"))


def number_of(word: str) -> str:
    """Write the number of an item as in a code: 二十七の十一 is 27-11."""
    return "-".join(str(_spelt(part)) for part in word.split("の"))


def _listed(text: str) -> list[Item]:
    lines = [line.removeprefix("- ") for line in text.splitlines() if line]
    assert all(line.count("　") == 1 for line in lines)
    pairs = [line.split("　") for line in lines]
    return [Item(f"beppyo5-{number_of(item)}", "別表第五", item, GOVERNOR, work) for item, work in pairs]


def _tabled(text: str) -> list[Item]:
    head, rule, *rows = [line.strip("| ") for line in text.splitlines() if line]
    assert head.startswith("提供を受ける都道府県知事以外の都道府県の執行機関") and set(rule) <= set("-| ")
    items = []
    for row in rows:
        upper, work = row.split(" | ")
        item, receiver = upper.split("　")
        items.append(Item(f"beppyo6-{number_of(item)}", "別表第六", item, receiver, work))
    return items


def _spelt(word: str) -> int:
    tens, found, units = word.rpartition("十")
    return (_DIGITS[tens] if tens else 1) * 10 * bool(found) + (_DIGITS[units] if units else 0)
