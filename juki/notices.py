"""What a notice says happened: its kind, its reason, and which reasons belong to which kind.

Source: 施行令30条の5 and 施行規則11条 (resident file); 施行令30条の12の3 (fuhyo file, which has no reasons).
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The three kinds of notice (記載, 消除, 記載の修正)."""

    ENTRY = "entry"
    DELETION = "deletion"
    CORRECTION = "correction"

    @property
    def japanese(self) -> str:
        """The word of the statute."""
        return {"entry": "記載", "deletion": "消除", "correction": "記載の修正"}[self.value]


class Reason(StrEnum):
    """The 20 reasons of 施行規則11条, spelled as the rule spells them."""

    MOVED_IN = "国内転入"
    MOVED_IN_FROM_ABROAD = "国外転入等"
    BIRTH = "出生"
    ENTERED_ON_NATURALISATION = "職権記載等（帰化等）"
    ENTERED_ON_LOSS_OF_NATIONALITY = "職権記載等（国籍喪失）"
    ENTERED_EX_OFFICIO = "職権記載等"
    MOVED_OUT = "国内転出"
    MOVED_ABROAD = "国外転出"
    DEATH = "死亡"
    DELETED_ON_NATURALISATION = "職権消除等（帰化等）"
    DELETED_ON_LOSS_OF_NATIONALITY = "職権消除等（国籍喪失）"
    DELETED_EX_OFFICIO = "職権消除等"
    MOVED_WITHIN = "転居"
    MINOR_CORRECTION = "軽微な修正"
    CORRECTED_EX_OFFICIO = "職権修正等"
    NUMBER_CHANGED_ON_REQUEST = "個人番号の変更請求"
    NUMBER_CORRECTED_EX_OFFICIO = "個人番号の職権修正"
    NUMBER_ENTERED_EX_OFFICIO = "個人番号の職権記載等"
    CODE_CHANGED_ON_REQUEST = "住民票コードの変更請求"
    CODE_ENTERED_EX_OFFICIO = "住民票コードの職権記載等"


NUMBER_CORRECTIONS = frozenset(
    {
        Reason.NUMBER_CHANGED_ON_REQUEST,
        Reason.NUMBER_CORRECTED_EX_OFFICIO,
        Reason.NUMBER_ENTERED_EX_OFFICIO,
    }
)
"""Corrections of 法7条8号の2 (施行規則11条4項)."""

CODE_CORRECTIONS = frozenset({Reason.CODE_CHANGED_ON_REQUEST, Reason.CODE_ENTERED_EX_OFFICIO})
"""Corrections of 法7条13号 (施行規則11条5項)."""

REASONS_OF_KIND: dict[Kind, tuple[Reason, ...]] = {
    Kind.ENTRY: tuple(Reason)[0:6],
    Kind.DELETION: tuple(Reason)[6:12],
    Kind.CORRECTION: tuple(Reason)[12:20],
}
"""施行規則11条1項 (entry), 2項 (deletion), 3–5項 (correction)."""

REASONS_WITH_UNKNOWN_DATE = frozenset({Reason.BIRTH, Reason.DEATH})
"""Only a birth or a death may have happened on an unknown day (domain.md section 3)."""
