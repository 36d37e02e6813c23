"""The search key of readings (清音化)."""

from __future__ import annotations

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
