"""What the page of contracts says of the form of each column and key, beside what the contract itself says.

Decides:    the words for a form, and whether a column may be blank at a boundary.
Leaves:     names, terms and sources to `juki.columns`, the checks to `juki.rules`, the page to
            `validations.reference`.
Invariants: bounds and words of an enumeration are taken from where they are decided. That a column may be blank, or
            may not, is held against the contract by a test.
"""

from __future__ import annotations

from dataclasses import dataclass

from juki import codes
from juki.columns import IdentityFile
from juki.notices import REASONS_OF_KIND, Kind
from juki.packages import RecordVerdict
from juki.rules.events import NOTICE_NO_DIGITS
from juki.rules.persons import MAX_CHARACTERS

REQUIRED, OPTIONAL = "必須", "任意"
_RESIDENT, _FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a column, and when it is filled: in both files, or in the fuhyo file where that differs.

    `filled` begins with 必須 where a record of an ordinary event without it is refused, with 任意 where it is not.
    """

    form: str
    filled: str = OPTIONAL
    filled_fuhyo: str = ""

    def filled_in(self, file: IdentityFile) -> str:
        """Tell when the column of a file is filled."""
        return self.filled_fuhyo if file is _FUHYO and self.filled_fuhyo else self.filled


def _text(column: str, what: str = "文字") -> str:
    return f"{what}、{MAX_CHARACTERS[column]}字まで"


def _digits(width: int) -> str:
    return f"ASCII数字{width}桁、末尾は検査数字"


_REASONS = "、".join(f"{kind.japanese}は{'・'.join(REASONS_OF_KIND[kind])}" for kind in Kind)
_ABROAD = f"{REQUIRED}（国外転出者は空欄）"

FORMS: dict[str, Form] = {
    "notice_no": Form(f"1からの連番、ASCII数字{NOTICE_NO_DIGITS}桁まで、先頭の0なし", REQUIRED),
    "notified_at": Form("日時、ISO 8601、秒と時差つき", REQUIRED),
    "kind": Form("、".join(f"`{kind.value}` {kind.japanese}" for kind in Kind), REQUIRED),
    "reason": Form(f"省令の20の事由のとおりの文字。{_REASONS}", REQUIRED),
    "event_date": Form("実在する日、YYYY-MM-DD", f"{REQUIRED}（不詳の出生・死亡は空欄）", REQUIRED),
    "resident_code": Form(_digits(codes.RESIDENT_CODE_WIDTH), REQUIRED),
    "individual_number": Form(
        _digits(codes.INDIVIDUAL_NUMBER_WIDTH), f"{OPTIONAL}（個人番号の修正の通知では必須）"
    ),
    "name": Form(f"{_text('name')}。受け取ったとおり"),
    "name_kana": Form(_text("name_kana", "全角片仮名とその記号・全角空白")),
    "former_name": Form(_text("former_name")),
    "former_name_kana": Form(
        _text("former_name_kana", "全角片仮名とその記号・全角空白"), f"{OPTIONAL}（旧氏がなければ空欄）"
    ),
    "alias": Form(_text("alias"), f"{OPTIONAL}（日本人住民は空欄）"),
    "birth_date": Form(
        "8文字 YYYYMMDD。月 00・A1〜D4、日 00・A1〜A3 などの不詳と、暦にない日を含む", REQUIRED
    ),
    "sex": Form("`1` 男、`2` 女、または空欄"),
    "municipality_code": Form(_digits(codes.MUNICIPALITY_CODE_WIDTH), REQUIRED, _ABROAD),
    "address": Form(f"{_text('address')}。受け取ったとおり", REQUIRED, _ABROAD),
    "is_foreign": Form("`0` 日本人住民、`1` 外国人住民", REQUIRED),
    "is_abroad": Form("`0` 国内、`1` 国外転出者", REQUIRED),
    "name_gaiji": Form("氏名の〓の数、ASCII数字、先頭の0なし", REQUIRED),
    "address_gaiji": Form("住所の〓の数、ASCII数字、先頭の0なし", REQUIRED),
    "previous_resident_code": Form(
        _digits(codes.RESIDENT_CODE_WIDTH), f"{OPTIONAL}（住民票コードの修正でなければ空欄）"
    ),
    "previous_individual_number": Form(
        _digits(codes.INDIVIDUAL_NUMBER_WIDTH), f"{OPTIONAL}（個人番号の修正でなければ空欄）"
    ),
    "update_no": Form("1からの連番", REQUIRED),
    "sender_code": Form(_digits(codes.MUNICIPALITY_CODE_WIDTH), REQUIRED),
    "digest": Form("SHA-256、小文字の16進64桁", REQUIRED),
}
"""By the name of the column."""

_SEQUENCE = "1〜99,999,999 の整数、抜けなし"
KEYS: dict[str, tuple[str, str]] = {
    "municipality_code": ("市町村コード", "数字6桁"),
    "prefecture_code": ("都道府県コード", "数字6桁"),
    "file": ("ファイル", "`resident` 本人確認情報、`fuhyo` 附票本人確認情報"),
    "sender": ("送り元", "市町村・都道府県は数字6桁、機構は `jlis`"),
    "recipient": ("宛先", "市町村・都道府県は数字6桁、提供先は登録した名前、機構は `jlis`"),
    "requester": ("依頼した都道府県", "数字6桁"),
    "requested_at": ("依頼の日時", "ISO 8601、秒と時差つき"),
    "wants": ("求めるもの", "`snapshot` 現況、`digest` 照合値"),
    "sequence": ("連番", _SEQUENCE),
    "first_notice_no": ("最初の通知番号", "1からの整数"),
    "last_notice_no": ("最後の通知番号", "最初の通知番号＋レコード数−1"),
    "first_update_no": ("最初の更新番号", "1からの整数"),
    "last_update_no": ("最後の更新番号", "最初の更新番号＋レコード数−1"),
    "records": ("レコード数", "整数。後に続く CSV の行数（見出しを除く）"),
    "created_at": ("作成日時", "ISO 8601、秒と時差つき"),
    "received_at": ("受領日時", "ISO 8601、秒と時差つき"),
    "expires_at": ("一時保存の期限", "ISO 8601、秒と時差つき"),
    "sha256": ("照合値", "小文字の16進64桁。CSV（提供の受領書では封緘されたファイル）の SHA-256"),
    "package_sha256": ("答えるパッケージの照合値", "小文字の16進64桁（受領書では、読めなければ空）"),
    "verdict": ("結果", "`accepted` 受理、`refused` 拒否"),
    "code": ("理由のコード", "`subject.condition` の形、受理では空"),
    "message": ("理由の文", "400字まで、改行なし、個人の値なし"),
    "as_of": ("基準日時", "ISO 8601、秒と時差つき"),
    "watermark": ("含まれる最後の通知番号", "0からの整数（0は通知なし）"),
    "part": ("何番目の部分か", "1からの整数、部分の数まで"),
    "parts": ("部分の数", "1〜10,000 の整数"),
    "is_equal": ("一致したか", "`true` または `false`"),
    "provision_id": ("提供の番号", "R または F と数字"),
    "request_no": ("要求の番号", "1〜99,999,999 の整数"),
    "basis": ("根拠", "根拠の名前（[legal-bases.md](legal-bases.md)）"),
    "basis_version": ("根拠の一覧の版", "ASCII 100字まで"),
    "fields": ("項目", "列の名前の配列"),
    "prefecture": ("宛先の都道府県", "数字6桁"),
    "purpose": ("目的", "1行200字まで、11桁以上の数字なし"),
    "consent_document": ("同意の文書の番号", "英数字とハイフン、40字まで。同意によるときだけ"),
    "with_number": ("個人番号を求めるか", "`true` または `false`"),
    "people": ("求める者", "1〜100,000 人の配列"),
}  # fmt: skip
"""By the key of a manifest or a document: the Japanese term, and the form."""

REQUEST_KEYS = (
    "recipient", "prefecture", "request_no", "file", "basis", "purpose", "consent_document", "fields", "with_number",
    "created_at", "people",
)  # fmt: skip
"""The keys of a request, in the order of docs/formats/request.md, its format apart."""

PARTS: dict[str, tuple[str, str]] = {
    "verdict": ("結果", "、".join(f"`{verdict.value}`" for verdict in RecordVerdict)),
    "code": ("理由のコード", "`subject.condition` の形、なければ空"),
    "column": ("列", "指摘のあった列の名前、レコード全体なら空"),
    "message": ("理由の文", "コードの文。個人の値なし"),
    "kind": ("差異の種類", "`missing`、`extra`、`differs`、`duplicate`、`moved`"),
    "columns": ("違う列", "列の名前を空白で区切ったもの"),
    "state": ("差異の状態", "`open`、`proposed`、`approved`、`settled`、`accepted`"),
    "request_line": ("要求の行", "1からの整数"),
    "outcome": ("結果", "`found` 一人、`not_found` なし、`ambiguous` 複数、`number_not_held` 個人番号なし"),
}  # fmt: skip
"""By the column of a CSV that is not one of a record: the Japanese term, and the form."""
