"""Why the gateway issues nothing: one sentence in Japanese and a stable code each."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """A code of the gateway and what it tells the operator or the administrator of the device."""

    message: str

    def __new__(cls, value: str, message: str) -> Refusal:
        """Attach the sentence; the value stays a plain string."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.message = message
        return member

    # One code for palm, one-time code and unknown 照合ID alike: telling them apart would help to find one after
    # the other.
    NOT_AUTHENTICATED = (
        "vein.not_authenticated",
        "照合ID・手のひら・ワンタイムパスワードのいずれかが一致しません。",
    )
    LOCKED = "vein.locked", "失敗が続いたため止めています。本人を確認のうえ、管理者が解除してください。"
    ALREADY_ENROLLED = "vein.already_enrolled", "登録済みです。登録し直すには、先に失効させてください。"
    NOT_ENROLLED = "vein.not_enrolled", "その照合IDの有効な登録がありません。"
    POOR_CAPTURES = "vein.poor_captures", "採取した静脈のデータが揃いません。採取し直してください。"
    FORM = "vein.form", "照合ID・端末・命令・対象のいずれかが、決まりの形ではありません。"
    PERSONAL_TARGET = (
        "vein.personal_target",
        "対象に個人を識別する番号があります。個人についての命令として求めてください。",
    )
    RECORD_DAMAGED = (
        "vein.record_damaged",
        "登録が壊れているか、別の照合IDのものです。失効させて登録し直してください。",
    )


class VeinRefusedError(Exception):
    """The gateway refused; the message says why and holds no value."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(f"[{refusal.value}] {refusal.message}")
