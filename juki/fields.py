"""What may be given out of a record: the fields a request can name, and those nobody can.

Decides:    which columns of the two identity files a grant can hold at all.
Leaves:     which of them a legal basis opens to `juki.bases`.
Invariants: there is no field for 住民票コード: what does not exist can be neither asked for nor granted (法30条の15①,
            30条の44の6①; a notice to J-LIS carries it by its own layout). There is none for 個人番号 either: it is
            asked for by `with_number` and decided on by itself (番号法9条). There is none for 外国人住民, a mark of
            ours for the logical checks: the statute counts it nowhere among the items (法30条の6①).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from juki.columns import BY_NAME, RECORD_COLUMNS, IdentityFile
from juki.reasons import Code

CODE_COLUMN = "resident_code"


class Field(StrEnum):
    """A grantable column of a record; the value is its name in files, tables and answers."""

    NAME = "name"
    NAME_KANA = "name_kana"
    FORMER_NAME = "former_name"
    FORMER_NAME_KANA = "former_name_kana"
    ALIAS = "alias"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    MUNICIPALITY_CODE = "municipality_code"
    ADDRESS = "address"
    IS_ABROAD = "is_abroad"
    NAME_GAIJI = "name_gaiji"
    ADDRESS_GAIJI = "address_gaiji"

    @property
    def japanese(self) -> str:
        """The field on screens and in reports."""
        return BY_NAME[self.value].japanese


_BY_VALUE = {field.value: field for field in Field}

GRANTABLE: dict[IdentityFile, tuple[Field, ...]] = {
    file: tuple(_BY_VALUE[name] for name in columns if name in _BY_VALUE)
    for file, columns in RECORD_COLUMNS.items()
}
"""The fields of each file, in the order of its canonical form."""


def fields_named(names: Sequence[str]) -> tuple[Field, ...] | Code:
    """Read the names a request gives, in its order, or say why they can not be read as fields.

    Returns: PROVISION_CODE_NOT_GIVEN for 住民票コード in whatever case, PROVISION_FIELD_UNKNOWN for any other name
             that is no field or is given twice.
    """
    if any(name.strip().lower() in (CODE_COLUMN, BY_NAME[CODE_COLUMN].japanese) for name in names):
        return Code.PROVISION_CODE_NOT_GIVEN
    if len(set(names)) < len(names) or not set(names) <= _BY_VALUE.keys():
        return Code.PROVISION_FIELD_UNKNOWN
    return tuple(_BY_VALUE[name] for name in names)
