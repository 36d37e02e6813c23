"""The search key of a reading: 清音化, our own table because none is published.

Decides:    which readings are found together. 濁点 and 半濁点 go (ガ → カ, パ → ハ, ヴ → ウ), small kana
            become large (ャ → ヤ, ッ → ツ, ヵ → カ), long marks, middle dots and spaces go. Hiragana and half-width
            kana become full-width katakana first, so that what an operator types meets what was received.
Leaves:     the received reading alone: the key stands in a column of its own (domain.md section 3).
Invariants: folding twice equals folding once; other characters stay as they are; "" stays "".
"""

from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_SMALL = "ァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ"
_LARGE = "アイウエオツヤユヨワカケクシストヌハヒフヘホムラリルレロ"
_DROPPED = "ー-‐―・　 \u3099\u309a"
"""The hyphen is what the full-width one, typed in the place of a long mark, has become by then."""
_FIRST_KATAKANA, _LAST_KATAKANA = 0x30A1, 0x30FE
_HIRAGANA_SHIFT = 0x60
_SEPARATOR = "\n"
_FULL_WIDTH_SPACE = "\u3000"


def _folding() -> dict[int, str]:
    """Build the table: each katakana to its unvoiced large form, each hiragana likewise."""
    table = {
        code: unicodedata.normalize("NFD", chr(code))[0]
        for code in range(_FIRST_KATAKANA, _LAST_KATAKANA + 1)
    }
    table |= {ord(small): large for small, large in zip(_SMALL, _LARGE, strict=True)}
    table |= {code - _HIRAGANA_SHIFT: table[code] for code in range(0x30A1, 0x30F7)}
    return table | dict.fromkeys(map(ord, _DROPPED), "")


_TABLE = _folding()


def search_key(reading: str) -> str:
    """Fold one reading, as typed by an operator or as received, to its search key."""
    return unicodedata.normalize("NFKC", reading).translate(_TABLE)


def search_keys(names: pa.Array) -> pa.Array:
    """Fold a column of readings to search keys.

    A reading is folded part by part: spaces go anyway, and a prefecture has far fewer surnames and given names
    than people. Each different part is folded once, all in one call.

    Shape: text without nulls in, text of the same length out.
    """
    parts = pc.split_pattern(names, _FULL_WIDTH_SPACE)
    encoded = parts.flatten().dictionary_encode()
    folded = pa.array(_folded(encoded.dictionary.to_pylist()), pa.string()).take(encoded.indices)
    ends = np.cumsum(pc.list_value_length(parts).to_numpy(), dtype=np.int32)
    offsets = pa.array(np.concatenate((np.zeros(1, dtype=np.int32), ends)))
    return pc.binary_join(pa.ListArray.from_arrays(offsets, folded), "")


def _folded(readings: list[str]) -> list[str]:
    """Fold many readings in one call, unless one of them holds the separator itself."""
    text = _SEPARATOR.join(readings)
    if text.count(_SEPARATOR) + 1 != len(readings):
        return [search_key(reading) for reading in readings]
    return search_key(text).split(_SEPARATOR)
