"""Which characters a name, an address or a reading may hold, found by one pass over the code points.

Decides:    control and format characters, Hangul, private use, what is no character, and variation selectors
            out of place.
Leaves:     the characters themselves: nothing is normalised or folded, a good value passes byte for byte.
Invariants: the classes are our own table, the same on every Python, whatever Unicode version it carries.
            Memory is bounded by a block of the column, not by the column.
Source:     domain.md section 3. Hangul in a name means an unconverted file of the 住基ネット統一文字, whose
            own range is J+AC00–D6FF.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntFlag
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from juki.rules.view import Mask, Records, TextColumn

CodePoints = NDArray[np.uint32]
Flags = NDArray[np.uint8]

GETA = 0x3013
"""〓, which stands for one gaiji."""

_BLOCK_BYTES = 4 * 1024 * 1024
_UNICODE_END = 0x110000


class CharacterClass(IntFlag):
    """What a code point is to the rules; an ordinary character is none of these."""

    CONTROL = 1
    HANGUL = 2
    PRIVATE_USE = 4
    NO_CHARACTER = 8
    SELECTOR = 16
    IDEOGRAPH = 32
    KATAKANA = 64
    SPACE = 128


_RANGES: tuple[tuple[CharacterClass, tuple[tuple[int, int], ...]], ...] = (
    (
        # C0, DEL and C1; line and paragraph separators; invisible and bidirectional format characters, by
        # which a name can be made to look like another.
        CharacterClass.CONTROL,
        (
            (0x00, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x061C, 0x061C), (0x180E, 0x180E), (0x200B, 0x200F),
            (0x2028, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB),
        ),
    ),
    (
        CharacterClass.HANGUL,
        (
            (0x1100, 0x11FF), (0x302E, 0x302F), (0x3130, 0x318F), (0x3200, 0x321E), (0x3260, 0x327E),
            (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xFFA0, 0xFFDC),
        ),
    ),
    (CharacterClass.PRIVATE_USE, ((0xE000, 0xF8FF), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD))),
    (
        # U+FFFC and U+FFFD stand for something lost; tag characters are no part of any Japanese text.
        CharacterClass.NO_CHARACTER,
        (
            (0xD800, 0xDFFF), (0xFDD0, 0xFDEF), (0xFFFC, 0xFFFD), (0xE0000, 0xE00FF), (0xE01F0, 0xE0FFF),
            *((plane + 0xFFFE, plane + 0xFFFF) for plane in range(0, _UNICODE_END, 0x10000)),
        ),
    ),
    (CharacterClass.SELECTOR, ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))),
    (
        # Unified ideographs with all extensions, and the compatibility ideographs Unicode names as unified.
        CharacterClass.IDEOGRAPH,
        (
            (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xFA0E, 0xFA0F), (0xFA11, 0xFA11), (0xFA13, 0xFA14),
            (0xFA1F, 0xFA1F), (0xFA21, 0xFA21), (0xFA23, 0xFA24), (0xFA27, 0xFA29), (0x20000, 0x2EE5D),
            (0x30000, 0x3347F),
        ),
    ),
    # Full-width katakana with their small forms, iteration marks, the long mark, the middle dot and a space.
    (CharacterClass.KATAKANA, ((0x30A1, 0x30FE), (0x31F0, 0x31FF), (0x3000, 0x3000))),
    (CharacterClass.SPACE, ((0x20, 0x20), (0x3000, 0x3000), (0xA0, 0xA0))),
)  # fmt: skip


class Characters(NamedTuple):
    """What one column holds, record by record.

    Shape: `found` has the classes seen anywhere in the value, `has_stray_selector` marks values with a selector
           that follows no ideograph, `is_only_spaces` those without any other character, the empty included;
           `length` counts characters, `geta` the 〓 among them.
    """

    found: Flags
    has_stray_selector: Mask
    is_only_spaces: Mask
    length: NDArray[np.int64]
    geta: NDArray[np.int64]


class _Block(NamedTuple):
    """The values of some rows as code points: `starts` has the place of each value among them, and the end."""

    rows: slice
    points: NDArray[np.uint32]
    classes: Flags
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]


def characters_of(records: Records, column: str) -> Characters:
    """Classify the characters of a column, once for all rules."""
    return records.keep(("characters", column), lambda: classify(records.text(column)))


def lacks_katakana(records: Records, column: str) -> Mask:
    """Mark values with a character that is not katakana, one of its marks or a full-width space, once."""
    return records.keep(("katakana", column), lambda: _lacks_katakana(records.text(column)))


def _lacks_katakana(text: TextColumn) -> Mask:
    lacks = np.zeros(len(text), np.bool_)
    for block in _blocks(text):
        lacks[block.rows] = _rows_with((block.classes & CharacterClass.KATAKANA) == 0, block.starts)
    return lacks


def classify(text: TextColumn) -> Characters:
    """Classify every character of every value; most classes are seen in no value at all."""
    size = len(text)
    result = Characters(
        found=np.zeros(size, np.uint8),
        has_stray_selector=np.zeros(size, np.bool_),
        is_only_spaces=np.zeros(size, np.bool_),
        length=np.zeros(size, np.int64),
        geta=np.zeros(size, np.int64),
    )
    for rows, points, classes, starts, lengths in _blocks(text):
        seen = np.bitwise_or.reduce(classes, initial=0)
        _mark(classes, seen, starts, result.found[rows])
        if seen & CharacterClass.SELECTOR:
            result.has_stray_selector[rows] = _rows_with(_stray_selectors(classes, starts), starts)
        result.is_only_spaces[rows] = _only_spaces(classes, starts, lengths)
        result.length[rows] = lengths
        result.geta[rows] = _count(points == GETA, starts)
    return result


def _blocks(text: TextColumn) -> Iterator[_Block]:
    """Read values as code points, some rows at a time, because code points take up to four times the bytes."""
    first, size = 0, len(text)
    while first < size:
        limit = text.offsets[first] + _BLOCK_BYTES
        last = min(size, max(first + 1, int(np.searchsorted(text.offsets, limit, side="right")) - 1))
        data = text.data[text.offsets[first] : text.offsets[last]]
        points = np.frombuffer(data.tobytes().decode("utf-8").encode("utf-32-le"), dtype=np.uint32)
        lengths = pc.utf8_length(text.array.slice(first, last - first)).to_numpy()
        starts = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
        yield _Block(slice(first, last), points, _CLASSES[points], starts, lengths)
        first = last


def _mark(classes: Flags, seen: np.uint8, starts: NDArray[np.int64], found: Flags) -> None:
    """Collect the classes seen in each value, except those that nearly every value has."""
    for kind in (
        CharacterClass.CONTROL,
        CharacterClass.HANGUL,
        CharacterClass.PRIVATE_USE,
        CharacterClass.NO_CHARACTER,
    ):
        if seen & kind:
            found[_rows_with((classes & kind) != 0, starts)] |= np.uint8(kind)


def _only_spaces(classes: Flags, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Mask:
    """Mark the values without a character other than spaces; nearly none begins with one."""
    only: Mask = lengths == 0
    begins = starts[:-1][~only]
    if ((classes[begins] & CharacterClass.SPACE) != 0).any():
        only |= _count((classes & CharacterClass.SPACE) != 0, starts) == lengths
    return only


def _stray_selectors(classes: Flags, starts: NDArray[np.int64]) -> Mask:
    """Mark the variation selectors whose predecessor in the same value is not an ideograph."""
    is_selector = (classes & CharacterClass.SELECTOR) != 0
    follows_ideograph = np.concatenate(([False], (classes[:-1] & CharacterClass.IDEOGRAPH) != 0))
    follows_ideograph[starts[:-1][starts[:-1] < len(classes)]] = False
    strays: Mask = is_selector & ~follows_ideograph
    return strays


def _rows_with(is_hit: Mask, starts: NDArray[np.int64]) -> Mask:
    """Mark the values that have at least one hit among their characters."""
    found: Mask = _count(is_hit, starts) > 0
    return found


def _count(is_hit: Mask, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the hits among the characters of each value; most columns have none."""
    if not is_hit.any():
        return np.zeros(len(starts) - 1, dtype=np.int64)
    before = np.concatenate(([0], np.cumsum(is_hit)))
    return np.diff(before[starts])


def _class_table() -> Flags:
    """Lay the ranges out as one byte per code point."""
    table = np.zeros(_UNICODE_END, dtype=np.uint8)
    for kind, ranges in _RANGES:
        for low, high in ranges:
            table[low : high + 1] |= np.uint8(kind)
    return table


_CLASSES = _class_table()
