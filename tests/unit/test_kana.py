"""The search key of readings (清音化)."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest

from juki.kana import search_key, search_keys


@pytest.mark.parametrize(
    ("reading", "key"),
    [
        ("", ""),
        ("ガギグゲゴ", "カキクケコ"),
        ("パピプペポバビブベボ", "ハヒフヘホハヒフヘホ"),
        ("ヴァイオリン", "ウアイオリン"),
        ("ヷヸヹヺ", "ワヰヱヲ"),
        ("シャッチョウ", "シヤツチヨウ"),
        ("ヶヵヮ", "ケカワ"),
        ("ㇰㇷ゚", "クフ"),
        ("サトー　ジロー", "サトシロ"),
        ("メアリー・アン", "メアリアン"),
        ("やまだ　たろう", "ヤマタタロウ"),
        ("ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマタタロウ"),
        ("ブスヾ", "フスヽ"),
    ],
)
def test_reading_is_folded(reading: str, key: str) -> None:
    """Voicing marks, small kana, long marks, spaces; hiragana and half-width as typed by an operator."""
    assert search_key(reading) == key
    assert search_key(key) == key


def test_column_is_folded_value_by_value() -> None:
    """Equal readings share a key, line breaks inside a value shift nothing, empty stays empty."""
    readings = ["ガ", "", "カ\nガ", "ガ", "　ヤマダ　　タロー　", "　"]
    expected = ["カ", "", "カ\nカ", "カ", "ヤマタタロ", ""]
    assert search_keys(pa.array(readings)).to_pylist() == expected
    assert search_keys(pa.array(readings[4:])).to_pylist() == expected[4:]
    assert search_keys(pa.array(readings).slice(1, 3)).to_pylist() == expected[1:4]
    assert search_keys(pa.array([], pa.string())).to_pylist() == []


def test_every_katakana_and_hiragana_has_its_key() -> None:
    """The whole of both blocks, against the decomposition of Unicode and the small kana by their names."""
    marks = {"ー": "", "・": ""}
    for code in range(0x30A1, 0x30FF):
        letter = chr(code)
        name = unicodedata.name(letter)
        large = unicodedata.normalize("NFD", letter)[0]
        if "LETTER SMALL" in name:
            large = unicodedata.lookup(name.replace("SMALL ", ""))
        assert search_key(letter) == marks.get(letter, large), name
        if code <= 0x30F6:
            assert search_key(chr(code - 0x60)) == large, name
    for code in range(0x31F0, 0x3200):
        name = unicodedata.name(chr(code))
        assert search_key(chr(code)) == unicodedata.lookup(name.replace("SMALL ", "")), name


def test_other_characters_stay_and_marks_of_every_sort_go() -> None:
    """Kanji and Latin letters are what they are; every hyphen that stands for a long mark goes."""
    assert search_key("山A田\u3040\u3097") == "山A田\u3040\u3097"
    assert search_key("サ－ト‐ウ―ア・イ　ウ エ\u3099カ\u309a") == "サトウアイウエカ"


def test_separators_of_the_folding_itself_are_no_reading() -> None:
    """A reading that holds line breaks, alone and many, is folded by itself and shifts no neighbour."""
    readings = ["ガ\nギ", "\n", "グ", "\n\nゲ", "ゴ　\n"]
    assert search_keys(pa.array(readings)).to_pylist() == ["カ\nキ", "\n", "ク", "\n\nケ", "コ\n"]
    assert search_keys(pa.array(["ガ", "ギ"])).to_pylist() == ["カ", "キ"]
