"""Our table of legal bases is the statute's, item by item: its text is copied here and read independently."""

from __future__ import annotations

import pytest

from config.bases import load_bases
from config.legal_bases.statute import statute_bases, text_of_law
from juki.home import Home
from juki.recipients import RecipientKind
from tests.statute import Item, act_articles, act_tables, number_of

OTHERS = ["consent", "statistics", "disclosure", "jlis"]


@pytest.mark.parametrize("item", act_tables(), ids=lambda item: item.code)
def test_every_item_of_the_statute_is_a_basis_in_its_own_words(item: Item) -> None:
    """A word left out of an item would open work the law does not name."""
    basis = next(one for one in statute_bases() if one.code == item.code)
    assert basis.title == f"{item.table} {item.item}"
    assert (basis.receiver, basis.work) == (item.receiver, item.work)
    kinds = {"別表第五": RecipientKind.TRANSFER, "別表第六": RecipientKind.PROVIDE}
    assert basis.kind is kinds[item.table]


def test_there_are_a_hundred_and_ten_items_in_the_order_of_the_statute_and_four_other_bases() -> None:
    """None twice, none missing, none invented: what is not in the statute is in the prefecture's own file."""
    items = act_tables()
    assert [item.table for item in items] == ["別表第五"] * 103 + ["別表第六"] * 7
    assert [basis.code for basis in statute_bases()] == [item.code for item in items] + OTHERS


def test_items_are_numbered_as_the_statute_counts() -> None:
    """The reader of the statute itself can be wrong: a few by hand."""
    read = {"一": "1", "一の七": "1-7", "十": "10", "十の十一": "10-11", "二十": "20", "三十四": "34"}
    assert {word: number_of(word) for word in read} == read
    words = [item.item for item in act_tables() if item.table == "別表第五"]
    assert (words[0], words[1], words[-1]) == ("一", "一の二", "三十四")
    assert len(set(words)) == 103


@pytest.mark.parametrize(
    "words",
    [
        "都道府県知事保存本人確認情報（住民票コードを除く。次項並びに次条第二項及び第三項において同じ。）を利用することができる",
        "個人番号については、当該都道府県知事が番号利用法第九条第一項又は第二項の規定により個人番号を利用することができる場合に限り",
        "-一別表第五に掲げる事務を遂行するとき。-二条例で定める事務を遂行するとき。-三本人確認情報の利用につき"
        "当該本人確認情報に係る本人が同意した事務を遂行するとき。-四統計資料の作成を行うとき。",
        "別表第六の上欄に掲げるものから同表の下欄に掲げる事務の処理に関し求めがあつたとき",
        "三附票本人確認情報の利用につき当該附票本人確認情報に係る本人が同意した事務を遂行するとき（国外転出者に係る事務を処理する場合に限る。）",
        "四統計資料（国外転出者に係るものに限る。）の作成を行うとき",
        "都道府県知事保存附票本人確認情報（住民票コードに限る。）を、第三十条の十五第一項若しくは第二項",
        "前条第一項の規定による通知に係る本人確認情報を、機構に通知するものとする",
        "前条第一項の規定による通知に係る附票本人確認情報を、機構に通知するものとする",
        "自己に係る本人確認情報について、書面により、その開示",
        "提供し、又は利用してはならない",
    ],
)
def test_the_words_the_decision_rests_on_stand_in_the_statute(words: str) -> None:
    """When an amendment changes one of these, the rule written from it has to be looked at again."""
    assert words in act_articles()


def test_the_version_word_begins_with_the_text_the_table_was_taken_from(home: Home) -> None:
    """A grant names it, so that years later it can be told by which text it was given."""
    assert text_of_law().in_force_on.isoformat() == text_of_law().version == "2026-06-14"
    assert load_bases(home).version.split("+")[0] == "2026-06-14"
