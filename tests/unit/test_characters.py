"""The classes of characters, at the first and last character of every block, written anew from the Unicode charts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from juki.rules import characters
from juki.rules.characters import CharacterClass, Characters, classify, lacks_katakana
from juki.rules.view import RecordContext, Records, TextColumn

SELECTOR = "\U000e0100"

_CONTROL = """
    0000-001F C0 controls            007F-009F delete and C1 controls      00AD-00AD soft hyphen
    061C-061C Arabic letter mark     180E-180E Mongolian vowel separator   200B-200F zero width, direction
    2028-202E separators, overrides  2060-206F joiners and isolates        FEFF-FEFF byte order mark
    FFF9-FFFB interlinear annotation
"""
_HANGUL = """
    1100-11FF jamo                   302E-302F tone marks                  3130-318F compatibility jamo
    3200-321E parenthesised          3260-327E circled                     A960-A97F jamo extended A
    AC00-D7FF syllables and jamo B   FFA0-FFDC half-width
"""
_PRIVATE = "E000-F8FF of the basic plane   F0000-FFFFD plane 15   100000-10FFFD plane 16"
_NO_CHARACTER = """
    FDD0-FDEF noncharacters          FFFC-FFFD replaced objects            E0000-E00FF tags
    E01F0-E0FFF rest of the plane's ignorables
    FFFE-FFFF 1FFFE-1FFFF 2FFFE-2FFFF 3FFFE-3FFFF 4FFFE-4FFFF 5FFFE-5FFFF 6FFFE-6FFFF 7FFFE-7FFFF 8FFFE-8FFFF
    9FFFE-9FFFF AFFFE-AFFFF BFFFE-BFFFF CFFFE-CFFFF DFFFE-DFFFF EFFFE-EFFFF FFFFE-FFFFF 10FFFE-10FFFF
"""
_SELECTOR = "FE00-FE0F variation selectors   E0100-E01EF ideographic variation selectors"
_IDEOGRAPH = """
    3400-4DBF extension A   4E00-9FFF unified   FA0E-FA0F FA11-FA11 FA13-FA14 FA1F-FA1F FA21-FA21 FA23-FA24
    FA27-FA29 the twelve unified ones among the compatibility ideographs
    20000-2EE5D extensions B to F and I   30000-3347F extensions G, H and J
"""
_KATAKANA = (
    "30A1-30FE letters, iteration and long marks   31F0-31FF small letters   3000-3000 ideographic space"
)
_SPACE = "0020-0020 00A0-00A0 3000-3000"

BLOCKS: dict[CharacterClass, str] = {
    CharacterClass.CONTROL: _CONTROL,
    CharacterClass.HANGUL: _HANGUL,
    CharacterClass.PRIVATE_USE: _PRIVATE,
    CharacterClass.NO_CHARACTER: _NO_CHARACTER,
    CharacterClass.SELECTOR: _SELECTOR,
    CharacterClass.IDEOGRAPH: _IDEOGRAPH,
    CharacterClass.KATAKANA: _KATAKANA,
    CharacterClass.SPACE: _SPACE,
}
REPORTED = (
    CharacterClass.CONTROL, CharacterClass.HANGUL, CharacterClass.PRIVATE_USE, CharacterClass.NO_CHARACTER,
)  # fmt: skip


def ranges(kind: CharacterClass) -> list[range]:
    """Read the blocks of a class."""
    words = [
        word.split("-") for word in BLOCKS[kind].split() if "-" in word and word[0] in "0123456789ABCDEF"
    ]
    return [range(int(low, 16), int(high, 16) + 1) for low, high in words if len(high) >= 4]


def edges() -> list[str]:
    """List the characters at both sides of every edge of every class."""
    points = {
        point
        for kind in BLOCKS
        for block in ranges(kind)
        for point in (block.start - 1, block.start, block.stop - 1, block.stop)
    }
    return [chr(point) for point in sorted(points) if 0 <= point < 0x110000 and not 0xD800 <= point < 0xE000]


def is_in(kind: CharacterClass, character: str) -> bool:
    """Tell whether the charts put a character into a class."""
    return any(ord(character) in block for block in ranges(kind))


def classified(values: Iterable[str]) -> Characters:
    """Classify some values."""
    return classify(TextColumn(pa.array(list(values), pa.string())))


@pytest.mark.parametrize("kind", REPORTED, ids=lambda kind: kind.name)
def test_a_reported_class_begins_and_ends_where_the_charts_say(kind: CharacterClass) -> None:
    """One character less and a forbidden one passes; one more and a lawful name is refused."""
    found = classified(edges()).found
    assert [bool(one & kind) for one in found.tolist()] == [is_in(kind, one) for one in edges()]


def test_katakana_is_what_the_charts_say() -> None:
    """A reading holds these characters and no others."""
    values = list(edges())
    context = RecordContext("352039", "", datetime(2026, 4, 1, tzinfo=UTC), frozenset())
    records = Records(pa.table({"name_kana": pa.array(values)}), context)
    lacks = lacks_katakana(records, "name_kana").tolist()
    assert lacks == [not is_in(CharacterClass.KATAKANA, one) for one in values]


def test_a_selector_stands_well_only_behind_an_ideograph() -> None:
    """Unified ideographs take variation selectors; kana, letters and other selectors do not."""
    strays = classified(one + SELECTOR for one in edges()).has_stray_selector.tolist()
    expected = [not is_in(CharacterClass.IDEOGRAPH, one) for one in edges()]
    assert strays == expected


def test_every_selector_is_known_as_one() -> None:
    """Alone, at the head of a value, it selects nothing."""
    strays = classified(edges()).has_stray_selector.tolist()
    assert strays == [is_in(CharacterClass.SELECTOR, one) for one in edges()]


def test_a_selector_at_the_head_does_not_reach_back_into_the_value_before() -> None:
    """Values lie one behind the other in memory; the ideograph of the one before is not its own."""
    values = ["葛", SELECTOR, "", SELECTOR + "葛", "葛" + SELECTOR, ""]
    assert classified(values).has_stray_selector.tolist() == [False, True, False, True, False, False]


def test_a_value_of_nothing_but_spaces_is_known_as_one() -> None:
    """An address of nothing but spaces is none."""
    values = list(edges())
    assert classified(values).is_only_spaces.tolist() == [is_in(CharacterClass.SPACE, one) for one in values]
    mixed = [" \u3000\u00a0", "山 口", "", " 山", "山 "]
    assert classified(mixed).is_only_spaces.tolist() == [True, False, True, False, False]


def test_a_column_of_one_value_is_classified_like_any_other() -> None:
    """A selector alone, a space alone: nothing before or behind them hides them."""
    assert classified([SELECTOR]).has_stray_selector.tolist() == [True]
    assert classified([" "]).is_only_spaces.tolist() == [True]


def test_values_are_classified_alike_however_the_column_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks keep memory bounded and decide nothing."""
    values = ["山口", " ", "", SELECTOR + "葛", "葛" + SELECTOR, "〓〓", "a" * 40, "\u200b", "カナ"]
    whole = classified(values)
    monkeypatch.setattr(characters, "_BLOCK_BYTES", 8)
    for one, other in zip(classified(values), whole, strict=True):
        assert one.tolist() == other.tolist()
