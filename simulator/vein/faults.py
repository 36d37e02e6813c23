"""What can be wrong with an operator assertion: one code and one sentence in Japanese each, for vendors."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """A code of the conformance test and what it tells the vendor of a gateway."""

    message: str

    def __new__(cls, value: str, message: str) -> Fault:
        """Attach the sentence; the value stays a plain string."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.message = message
        return member

    # fmt: off
    FORM = "token.form", "JWS compact（base64url、パディングなしの3部分、JSONオブジェクト）ではありません。"
    SIZE = "token.size", "4,096バイトを超えています。"
    DUPLICATE_KEY = "token.duplicate_key", "JSONに同じ名前が二度あります。"
    SIGNATURE = "token.signature", "署名が登録された公開鍵と合いません。"
    ALGORITHM = "header.alg", "alg が EdDSA（又は Ed25519）ではありません。none・HS256・ES256 などは受け付けません。"
    TYPE = "header.typ", "typ が juki-assertion+jwt ではありません。"
    KEY_ID = "header.kid", "kid がないか、登録された鍵のものではありません。"
    CRITICAL = "header.crit", "crit は使えません。"
    ENCLOSED_KEY = "header.key", "鍵をヘッダーに入れられません（jwk・jku・x5c・x5u・x5t）。"
    OTHER_HEADER = "header.other", "ヘッダーに alg・typ・kid 以外があります。"
    ISSUER = "claim.iss", "iss がゲートウェイの名前（英数字で始まる、英数字と . _ - の40字まで）ではありません。"
    AUDIENCE = "claim.aud", "aud が「juki-renkei:都道府県コード2桁」の一つの文字列ではないか、別の宛先です。"
    OPERATOR = "claim.sub", "sub が照合ID（英数字で始まる40字まで。数字は10個まで）ではありません。"
    TIMES = "claim.times", "iat・exp が整数の秒ではありません。"
    LIFETIME = "claim.lifetime", "exp − iat が1秒以上300秒以下ではありません。"
    EXPIRED = "claim.expired", "期限（exp）が過ぎています。"
    NOT_YET = "claim.not_yet", "発行時刻（iat）が先の時刻です。時計を合わせてください。"
    NUMBER = "claim.jti", "jti がないか、URLで使える文字（英数字と _ -）の22字以上64字以下ではありません。"
    REPEATED = "claim.jti_repeated", "同じ jti の証明が二つあります。証明ごとに128ビット以上の乱数で作ってください。"
    VEIN = "claim.amr_vein", "amr（配列）に vein がありません。"
    SECOND_FACTOR = "claim.amr_second", "amr に第二の要素（otp 又は hwk）がありません。"
    ACT = "claim.act", "act が command と target の二つの文字列ではありません。"
    PERSON = "claim.act_person", "act.target に個人を識別する番号があります。scrypt の値にしてください。"
    TERMINAL = "claim.terminal", "terminal が端末の名前（英数字で始まる、英数字と . _ - の40字まで）ではありません。"
    # fmt: on
