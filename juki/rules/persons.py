"""Rules on who a record is of: names and their readings, gaiji, birth date, sex, nationality.

Leaves:     the names themselves untouched: no normalisation, no folding, no repair (domain.md section 3).
Invariants: name and sex may be blank on real records, the birth date may not.
Source:     法7条1号〜3号, 17条2号〜6号; 施行令30条の13, 30条の16; spec/packages.md section 3.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from juki import dates
from juki.rules.characters import CharacterClass, characters_of, lacks_katakana
from juki.rules.events import notified_on, spread_dates
from juki.rules.view import Mask, Records

MAX_CHARACTERS = {
    "name": 200,
    "name_kana": 300,
    "former_name": 100,
    "former_name_kana": 150,
    "alias": 200,
    "address": 400,
}
"""Generous bounds of our own, since none is published: they only refuse an accident."""

_SEXES = pa.array(["", "1", "2"])
_FLAGS = pa.array(["0", "1"])
_COUNTS = pa.array([str(count) for count in range(max(MAX_CHARACTERS.values()) + 1)])


def has_class(records: Records, column: str, kind: CharacterClass) -> Mask:
    """Mark values with a character of a class no name or address may hold."""
    found: Mask = (characters_of(records, column).found & np.uint8(kind)) != 0
    return found


def has_stray_selector(records: Records, column: str) -> Mask:
    """Mark values with a variation selector that follows no ideograph (an IVS is base and selector)."""
    return characters_of(records, column).has_stray_selector


def is_too_long(records: Records, column: str) -> Mask:
    """Mark values beyond our bound, counted in code points."""
    return characters_of(records, column).length > MAX_CHARACTERS[column]


def has_other_than_katakana(records: Records, column: str) -> Mask:
    """Mark readings with anything but full-width katakana, its marks and full-width spaces."""
    return lacks_katakana(records, column)


def is_former_kana_alone(records: Records) -> Mask:
    """Mark a reading of a former surname without the former surname."""
    return ~records.is_blank("former_name_kana") & records.is_blank("former_name")


def is_former_name_of_foreigner(records: Records) -> Mask:
    """Mark a former surname on the record of a foreign resident, who has none in the register (alert)."""
    return ~records.is_blank("former_name") & _is_flag(records, "is_foreign", "1")


def is_alias_of_japanese(records: Records) -> Mask:
    """Mark an alias on the record of a Japanese national."""
    return ~records.is_blank("alias") & _is_flag(records, "is_foreign", "0")


def is_malformed_count(records: Records, column: str) -> Mask:
    """Mark gaiji counts that are not a number in ASCII digits without leading zeros."""
    return _count(records, column) < 0


def disagrees_with_gaiji(records: Records, column: str, counted: str) -> Mask:
    """Mark well-written gaiji counts that are not the number of 〓 in the field."""
    count = _count(records, column)
    found: Mask = (count >= 0) & (count != characters_of(records, counted).geta)
    return found


def is_illegal_birth_date(records: Records) -> Mask:
    """Mark birth dates that are present and none of the legal forms, unknown and non-calendar included."""
    return ~records.is_blank("birth_date") & ~_birth(records).is_form


def is_born_in_future(records: Records) -> Mask:
    """Mark births after the day of the notice, as far as the birth date is known."""
    birth = _birth(records)
    written = birth.year * 10_000 + birth.month * 100 + np.where(birth.month == 0, 0, birth.day)
    known = np.where(birth.month == 0, 10_000, np.where(birth.day == 0, 100, 1))
    return birth.is_form & (written // known > notified_on(records) // known)


def is_unknown_sex(records: Records) -> Mask:
    """Mark anything but 1 男, 2 女 and blank."""
    return ~_is_one_of(records, "sex", _SEXES)


def is_malformed_flag(records: Records, column: str) -> Mask:
    """Mark flags that are neither 0 nor 1."""
    return ~_is_one_of(records, column, _FLAGS)


def _is_flag(records: Records, column: str, flag: str) -> Mask:
    return _is_one_of(records, column, pa.array([flag]))


def _is_one_of(records: Records, column: str, values: pa.StringArray) -> Mask:
    found: Mask = pc.is_in(records.text(column).array, values).to_numpy(zero_copy_only=False)
    return found


def _count(records: Records, column: str) -> dates.Ints:
    """Read gaiji counts; −1 where there is none to read."""
    return records.keep(("count", column), lambda: _counts(records.text(column).array))


def _counts(array: pa.StringArray) -> dates.Ints:
    found: dates.Ints = pc.fill_null(pc.index_in(array, _COUNTS), -1).to_numpy().astype(np.int64)
    return found


def _birth(records: Records) -> dates.Dates:
    return records.keep(("birth_date",), lambda: _birth_dates(records))


def _birth_dates(records: Records) -> dates.Dates:
    is_width, values = records.text("birth_date").of_width(dates.BIRTH_DATE_WIDTH)
    return spread_dates(is_width, dates.parse_birth_dates(values))
