"""All codes by which the system says why: one enumeration, one sentence in Japanese, one source each.

Decides:    what a code means, how severe it is, whom it concerns and what to do next.
Leaves:     finding the conditions to `juki.rules`, `juki.decisions`, `juki.order` and `juki.wire`.
Invariants: codes are `subject.condition`, never reused, and no sentence has room for a value. Every code is
            documented (docs/codes.md is generated from here) and produced by a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`error` blocks what it is said of; `alert` lets it pass and is shown."""

    ERROR = "error"
    ALERT = "alert"


class Scope(StrEnum):
    """What a code is said of."""

    RECORD = "record"
    PACKAGE = "package"
    CHANNEL = "channel"
    REQUEST = "request"
    RUN = "run"


_R, _P, _C, _Q, _N = Scope.RECORD, Scope.PACKAGE, Scope.CHANNEL, Scope.REQUEST, Scope.RUN
_E, _A = Severity.ERROR, Severity.ALERT


class Code(StrEnum):
    """Stable codes with scope, severity, sentence (Japanese), source and the next step for the reader."""

    scope: Scope
    severity: Severity
    message: str
    source: str
    next_step: str

    def __new__(
        cls, value: str, scope: Scope, severity: Severity, message: str, source: str, next_step: str = ""
    ) -> Code:
        """Attach the meaning to the member; the value stays a plain string."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.scope, member.severity = scope, severity
        member.message, member.source, member.next_step = message, source, next_step
        return member

    # fmt: off
    # -- a record breaks the contract (validations/, juki.rules) -------------------------------------------
    NOTICE_NO_FORM = (
        "notice_no.form", _R, _E, "通知番号が1からの連番の形（ASCII数字、先頭の0なし）ではありません。",
        "spec 2, 3", "市町村の作成ソフトを確認してください。",
    )
    NOTIFIED_AT_FORM = (
        "notified_at.form", _R, _E, "通知日時が実在する日時（ISO 8601、秒と時差つき）ではありません。",
        "ISO 8601, spec 3", "市町村の作成ソフトを確認してください。",
    )
    NOTIFIED_AT_FUTURE = (
        "notified_at.future", _R, _A, "通知日時が受信日時より後です。",
        "spec 3", "市町村CSの時計を確認してください。",
    )
    KIND_UNKNOWN = (
        "kind.unknown", _R, _E, "異動区分が記載・消除・記載の修正のいずれでもありません。",
        "施行令30条の5, 30条の12の3", "市町村の作成ソフトを確認してください。",
    )
    REASON_UNKNOWN = (
        "reason.unknown", _R, _E, "異動事由が省令の20の事由のいずれでもありません。",
        "施行規則11条", "省令のとおりの表記で通知し直すよう市町村に求めてください。",
    )
    REASON_OTHER_KIND = (
        "reason.other_kind", _R, _E, "異動事由がこの異動区分のものではありません。",
        "施行規則11条", "異動区分と異動事由を市町村に確認してください。",
    )
    EVENT_DATE_MISSING = (
        "event_date.missing", _R, _E, "異動年月日がありません（不詳は出生と死亡に限ります）。",
        "施行令30条の5, 30条の12の3", "市町村に異動年月日を確認してください。",
    )
    EVENT_DATE_FORM = (
        "event_date.form", _R, _E, "異動年月日が YYYY-MM-DD の形ではありません。",
        "spec 3", "市町村の作成ソフトを確認してください。",
    )
    EVENT_DATE_UNREAL = (
        "event_date.unreal", _R, _E, "異動年月日が暦にない日です。",
        "施行令30条の5, 30条の12の3", "市町村に異動年月日を確認してください。",
    )
    EVENT_DATE_FUTURE = (
        "event_date.future", _R, _A, "異動年月日が通知の日より後です（転出の予定を除きます）。",
        "施行令30条の5二号", "市町村に異動年月日を確認してください。",
    )
    RESIDENT_CODE_MISSING = (
        "resident_code.missing", _R, _E, "住民票コードがないため、誰の記録か定められません。",
        "法7条13号, 17条7号; 施行令30条の12の3四号", "住民票コードの記載の後に通知し直すよう市町村に求めてください。",
    )
    RESIDENT_CODE_FORM = (
        "resident_code.form", _R, _E, "住民票コードがASCII数字11桁ではありません。",
        "法7条13号, 施行規則1条", "市町村に住民票コードを確認してください。",
    )
    RESIDENT_CODE_ZERO = (
        "resident_code.zero", _R, _E, "住民票コードがすべて0です。",
        "法7条13号", "市町村に住民票コードを確認してください。",
    )
    RESIDENT_CODE_CHECK_DIGIT = (
        "resident_code.check_digit", _R, _A, "住民票コードの検査数字が合いません。",
        "施行規則1条二号（算式は未公表）", "市町村に住民票コードを確認してください。",
    )
    RESIDENT_CODE_REFUSED_DIGIT = (
        "resident_code.refused_digit", _R, _E, "住民票コードの検査数字が合いません（拒否する設定です）。",
        "施行規則1条二号（算式は未公表）", "市町村に住民票コードを確認してください。",
    )
    INDIVIDUAL_NUMBER_MISSING = (
        "individual_number.missing", _R, _E, "個人番号の修正の通知に新しい個人番号がありません。",
        "施行令30条の5四号", "個人番号を含めて通知し直すよう市町村に求めてください。",
    )
    INDIVIDUAL_NUMBER_FORM = (
        "individual_number.form", _R, _E, "個人番号がASCII数字12桁ではありません。",
        "番号法2条5項, 省令85号5条", "市町村に個人番号を確認してください。",
    )
    INDIVIDUAL_NUMBER_ZERO = (
        "individual_number.zero", _R, _E, "個人番号がすべて0です。",
        "番号法2条5項", "市町村に個人番号を確認してください。",
    )
    INDIVIDUAL_NUMBER_CHECK_DIGIT = (
        "individual_number.check_digit", _R, _E, "個人番号の検査用数字が合いません。",
        "省令85号5条", "市町村に個人番号を確認してください。",
    )
    TEXT_CONTROL = (
        "text.control", _R, _E, "改行・制御文字・見えない書式文字が含まれています。",
        "spec 3, domain 3", "市町村に文字の入力または変換を確認してください。",
    )
    TEXT_HANGUL = (
        "text.hangul", _R, _E, "ハングルが含まれています。住基ネット統一文字が変換されていない疑いがあります。",
        "domain 3", "市町村の文字コード変換を確認してください。",
    )
    TEXT_PRIVATE_USE = (
        "text.private_use", _R, _E, "私用領域の文字（外字）が含まれています。",
        "spec 3", "外字は〓に置き換え、数を記すよう市町村に求めてください。",
    )
    TEXT_NO_CHARACTER = (
        "text.no_character", _R, _E, "文字ではない符号または変換に失敗した文字が含まれています。",
        "spec 3, domain 3", "市町村の文字コード変換を確認してください。",
    )
    TEXT_STRAY_SELECTOR = (
        "text.stray_selector", _R, _E, "異体字セレクタが漢字の直後にありません。",
        "domain 3, UTS #37", "市町村の文字コード変換を確認してください。",
    )
    TEXT_TOO_LONG = (
        "text.too_long", _R, _E, "文字数が上限を超えています。",
        "spec 3（上限は当システムの定め）", "市町村に項目の取り違えがないか確認してください。",
    )
    KANA_CHARACTER = (
        "kana.character", _R, _E, "振り仮名に全角片仮名以外の文字が含まれています。",
        "法7条1号の2, domain 3", "市町村の作成ソフトを確認してください。",
    )
    FORMER_NAME_KANA_ALONE = (
        "former_name_kana.alone", _R, _E, "旧氏がないのに旧氏の振り仮名があります。",
        "施行令30条の13", "旧氏の記載の有無を市町村に確認してください。",
    )
    FORMER_NAME_OF_FOREIGNER = (
        "former_name.of_foreigner", _R, _A, "外国人住民の記録に旧氏があります。",
        "施行令30条の13, 30条の16", "通称との取り違えがないか市町村に確認してください。",
    )
    ALIAS_OF_JAPANESE = (
        "alias.of_japanese", _R, _E, "日本人住民の記録に通称があります。",
        "施行令30条の16", "外国人住民の別または旧氏との取り違えを市町村に確認してください。",
    )
    BIRTH_DATE_MISSING = (
        "birth_date.missing", _R, _E, "生年月日がありません。",
        "法7条2号, 17条5号", "不詳の部分は定められた形で示すよう市町村に求めてください。",
    )
    BIRTH_DATE_FORM = (
        "birth_date.form", _R, _E, "生年月日が定められた8文字の形（不詳・暦外の形を含む）ではありません。",
        "domain 3, spec 3", "市町村に生年月日を確認してください。",
    )
    BIRTH_DATE_FUTURE = (
        "birth_date.future", _R, _E, "生年月日が通知の日より後です。",
        "法7条2号, 17条5号", "市町村に生年月日を確認してください。",
    )
    SEX_UNKNOWN = (
        "sex.unknown", _R, _E, "性別が1・2・空白のいずれでもありません。",
        "法7条3号, 17条6号", "市町村の作成ソフトを確認してください。",
    )
    FLAG_FORM = (
        "flag.form", _R, _E, "該当の有無が0・1のいずれでもありません。",
        "spec 3", "市町村の作成ソフトを確認してください。",
    )
    MUNICIPALITY_MISSING = (
        "municipality_code.missing", _R, _E, "市区町村コードがありません。",
        "法7条7号, 17条3号", "市町村に住所を確認してください。",
    )
    MUNICIPALITY_FORM = (
        "municipality_code.form", _R, _E, "市区町村コードがASCII数字6桁ではありません。",
        "全国地方公共団体コード", "市町村の作成ソフトを確認してください。",
    )
    MUNICIPALITY_CHECK_DIGIT = (
        "municipality_code.check_digit", _R, _E, "市区町村コードの検査数字が合いません。",
        "全国地方公共団体コード", "市町村の作成ソフトを確認してください。",
    )
    MUNICIPALITY_NOT_SENDER = (
        "municipality_code.not_sender", _R, _E, "送り元の市町村の住民の記録ではありません。",
        "法30条の6①, M2", "住所地の市町村から通知するよう求めてください。",
    )
    MUNICIPALITY_UNKNOWN = (
        "municipality_code.unknown", _R, _A, "市区町村コードが一覧にありません。",
        "全国地方公共団体コード", "廃置分合があれば一覧を更新してください。",
    )
    ADDRESS_MISSING = (
        "address.missing", _R, _E, "住所がありません。",
        "法7条7号, 17条3号", "市町村に住所を確認してください。",
    )
    PLACE_ABROAD = (
        "place.abroad", _R, _E, "国外転出者の記録に住所または市区町村コードがあります。",
        "法17条3号, spec 3", "国外転出者である旨か住所のどちらが正しいか市町村に確認してください。",
    )
    GAIJI_FORM = (
        "gaiji.form", _R, _E, "外字数が0以上の数の形（ASCII数字、先頭の0なし）ではありません。",
        "spec 3", "市町村の作成ソフトを確認してください。",
    )
    GAIJI_COUNT = (
        "gaiji.count", _R, _E, "外字数が〓の数と一致しません。",
        "spec 3", "市町村の作成ソフトと外字の変換を確認してください。",
    )
    PREVIOUS_CODE_UNEXPECTED = (
        "previous_resident_code.unexpected", _R, _E, "住民票コードの修正ではないのに修正前の住民票コードがあります。",
        "施行令30条の5五号, 30条の12の3四号", "異動の内容を市町村に確認してください。",
    )
    PREVIOUS_CODE_SAME = (
        "previous_resident_code.same", _R, _E, "修正前と修正後の住民票コードが同じです。",
        "施行令30条の5五号, 30条の12の3四号", "異動の内容を市町村に確認してください。",
    )
    PREVIOUS_NUMBER_UNEXPECTED = (
        "previous_individual_number.unexpected", _R, _E, "個人番号の修正ではないのに修正前の個人番号があります。",
        "施行令30条の5四号", "異動の内容を市町村に確認してください。",
    )
    PREVIOUS_NUMBER_SAME = (
        "previous_individual_number.same", _R, _E, "修正前と修正後の個人番号が同じです。",
        "施行令30条の5四号", "異動の内容を市町村に確認してください。",
    )

    # -- a record against the state of the person (juki.decisions) -----------------------------------------
    LOGIC_ALREADY_STANDING = (
        "logic.already_standing",
        _R,
        _A,
        "すでに記載されている者の記載の通知です。",
        "施行令30条の5一号",
        "市町村に再送または記載の経緯を確認してください。",
    )
    LOGIC_ARRIVED_LATE = (
        "logic.arrived_late", _R, _A, "後の異動がすでに届いている者の、前の異動の通知です。履歴として保存しました。",
        "施行令30条の6", "届いた順序の入れ替わりです。続く場合は市町村に確認してください。",
    )
    LOGIC_ERASURE_DISPUTED = (
        "logic.erasure_disputed", _R, _A, "他の市町村が消除した後に、送り元が記載中の者として通知しました。送り元の記載を有効としました。",
        "施行令30条の5三号, 30条の12の3", "他の市町村の記載または消除に誤りがないか、双方の市町村に確認してください。",
    )
    LOGIC_PAIR_MISSING = (
        "logic.pair_missing", _R, _A, "帰化・国籍喪失による記載ですが、対になる消除の通知がありません。", "施行令8条の2",
        "対になる消除の通知が拒否されていないか確認してください。",
    )
    LOGIC_BORN_BEFORE = (
        "logic.born_before", _R, _A, "保存したことのある者の出生による記載です。", "施行規則11条1項三号",
        "住民票コードの誤りがないか市町村に確認してください。",
    )
    LOGIC_STANDING_ELSEWHERE = (
        "logic.standing_elsewhere",
        _R,
        _A,
        "他の市町村で記載中の者についての通知です。",
        "施行令30条の5",
        "双方の市町村に異動の順序を確認してください。",
    )
    LOGIC_BORN_ELSEWHERE = (
        "logic.born_elsewhere",
        _R,
        _E,
        "出生による記載ですが、他の市町村で記載中の者です。",
        "施行規則11条1項三号",
        "住民票コードの誤りがないか市町村に確認してください。",
    )
    LOGIC_NOT_STANDING = (
        "logic.not_standing",
        _R,
        _E,
        "消除済みの者の記載の修正です。",
        "施行令30条の5三号",
        "回復の記載が先に必要です。市町村に確認してください。",
    )
    LOGIC_ALREADY_ERASED = (
        "logic.already_erased",
        _R,
        _A,
        "すでに消除済みの者の消除の通知です。",
        "施行令30条の5二号",
        "市町村に再送または消除の経緯を確認してください。",
    )
    LOGIC_ENTERED_AFTER_DEATH = (
        "logic.entered_after_death",
        _R,
        _A,
        "死亡により消除した者の記載の通知です。",
        "施行規則11条2項三号",
        "死亡の取消しか、住民票コードの誤りかを市町村に確認してください。",
    )
    LOGIC_UNKNOWN_PERSON = (
        "logic.unknown_person",
        _R,
        _A,
        "保存していない者の修正または消除の通知です。",
        "法30条の6①, 30条の41①",
        "先行する記載の通知が拒否されていないか確認してください。",
    )
    LOGIC_CODE_REPLACED = (
        "logic.code_replaced",
        _R,
        _E,
        "変更前の住民票コードによる通知です。",
        "法30条の4",
        "変更後の住民票コードで通知するよう市町村に求めてください。",
    )
    LOGIC_NEW_CODE_IN_USE = (
        "logic.new_code_in_use",
        _R,
        _E,
        "変更後の住民票コードがすでに使われています。",
        "法30条の2",
        "機構の指定と相違がないか市町村に確認してください。",
    )
    LOGIC_NATIONALITY_KIND_DIFFERS = (
        "logic.nationality_kind_differs",
        _R,
        _A,
        "日本人住民・外国人住民の別が保存中の記録と異なります。",
        "施行令8条の2, 法30条の45",
        "帰化または国籍喪失の通知が抜けていないか確認してください。",
    )
    LOGIC_NATIONALITY_KIND_SAME = (
        "logic.nationality_kind_same",
        _R,
        _A,
        "帰化・国籍喪失による通知ですが、日本人・外国人の別が変わっていません。",
        "施行令8条の2",
        "市町村に記載の内容を確認してください。",
    )
    LOGIC_NUMBER_IN_USE = (
        "logic.number_in_use",
        _R,
        _E,
        "個人番号が他の者に使われています。",
        "番号法7条, 番号法施行令6条",
        "直ちに市町村に確認してください。",
    )
    LOGIC_NUMBER_RETIRED = (
        "logic.number_retired",
        _R,
        _E,
        "変更により使われなくなった他の者の個人番号です。",
        "番号法施行令6条",
        "直ちに市町村に確認してください。",
    )
    LOGIC_NUMBER_SEEN_BEFORE = (
        "logic.number_seen_before",
        _R,
        _A,
        "消除済みの別の住民票コードの者と同じ個人番号です。",
        "番号法施行令6条",
        "同一人が別の住民票コードで再び記載されたのかを市町村に確認してください。",
    )
    LOGIC_NUMBER_DIFFERS = (
        "logic.number_differs",
        _R,
        _E,
        "個人番号の修正ではないのに個人番号が保存中のものと異なります。",
        "施行令30条の5四号",
        "個人番号の修正の通知が抜けていないか市町村に確認してください。",
    )
    LOGIC_NUMBER_DIFFERS_ON_ENTRY = (
        "logic.number_differs_on_entry", _R, _A, "記載の通知の個人番号が、保存中の同じ住民票コードの者のものと異なります。",
        "施行令30条の5一号, 番号法7条", "個人番号の変更があったか、住民票コードの誤りかを市町村に確認してください。",
    )
    LOGIC_NUMBER_BLANK = (
        "logic.number_blank", _R, _A, "個人番号を保存している者について、個人番号が空白の通知です。",
        "施行令30条の5", "個人番号が記載から消えた理由を市町村に確認してください。前の個人番号は履歴にあります。",
    )
    LOGIC_PREVIOUS_NUMBER_DIFFERS = (
        "logic.previous_number_differs",
        _R,
        _A,
        "修正前の個人番号が保存中のものと異なります。",
        "施行令30条の5四号",
        "保存中の記録の経緯を市町村に確認してください。",
    )

    # -- a package as a whole: envelope, binding, layout (juki.wire, juki.packages, validations) -------------
    PACKAGE_FILE_NAME = (
        "package.file_name",
        _P,
        _E,
        "ファイル名が定められた形ではありません。",
        "spec 1",
        "市町村に正しい名前での再送を求めてください。",
    )
    PACKAGE_TOO_LARGE = (
        "package.too_large",
        _P,
        _E,
        "パッケージが上限（64 MiB）を超えています。",
        "spec 2",
        "分割して再送するよう求めてください。",
    )
    PACKAGE_TOO_MANY_RECORDS = (
        "package.too_many_records",
        _P,
        _E,
        "レコード数が上限（通知 100,000、現況の一つの部分 50,000）を超えています。",
        "spec 2, 3",
        "分割して再送するよう求めてください。",
    )
    PACKAGE_ENVELOPE = (
        "package.envelope",
        _P,
        _E,
        "暗号化の封筒（CMS）として読めません。",
        "RFC 5652, spec 1",
        "破損または改変の疑いがあります。再送を求めてください。",
    )
    PACKAGE_CONTENT_CIPHER = (
        "package.content_cipher",
        _P,
        _E,
        "内容の暗号方式が AES-256-GCM（12バイト・16バイト）ではありません。",
        "RFC 5084, spec 1",
        "市町村の封緘の設定を確認してください。",
    )
    PACKAGE_KEY_TRANSPORT = (
        "package.key_transport",
        _P,
        _E,
        "鍵の渡し方が RSA-OAEP（SHA-256）ではありません。",
        "RFC 8017, spec 1",
        "市町村の封緘の設定を確認してください。",
    )
    PACKAGE_RECIPIENT = (
        "package.recipient",
        _P,
        _E,
        "当県のみにあてて暗号化されたものではありません。",
        "spec 1, 2",
        "宛先の証明書を確認してください。",
    )
    PACKAGE_ALTERED = (
        "package.altered",
        _P,
        _E,
        "復号時の検査に失敗しました。改変または破損の疑いがあります。",
        "RFC 5084",
        "再送を求め、回線の異常を調べてください。",
    )
    PACKAGE_SIGNATURE = (
        "package.signature",
        _P,
        _E,
        "署名が正しくありません。",
        "RFC 5652 5.6",
        "改変の疑いがあります。再送を求めてください。",
    )
    PACKAGE_SIGNATURE_FORM = (
        "package.signature_form",
        _P,
        _E,
        "署名の形が定めと異なります（署名者1名・署名属性・署名対象を内包）。",
        "RFC 5652 5, spec 1",
        "市町村の封緘の設定を確認してください。",
    )
    PACKAGE_SIGNATURE_ALGORITHM = (
        "package.signature_algorithm",
        _P,
        _E,
        "署名の方式または鍵の長さが認められたものではありません。",
        "spec 1",
        "市町村の署名の設定を確認してください。",
    )
    PACKAGE_SIGNER_UNREGISTERED = (
        "package.signer_unregistered",
        _P,
        _E,
        "署名者の証明書がこの市町村に登録されたものではありません。",
        "M2, spec 1",
        "証明書の更新であれば登録を改めてから再試行してください。",
    )
    PACKAGE_CERTIFICATE_CHAIN = (
        "package.certificate_chain",
        _P,
        _E,
        "署名者の証明書が登録された認証局につながりません。",
        "RFC 5280, spec 1",
        "認証局の登録を確認してください。",
    )
    PACKAGE_CERTIFICATE_EXPIRED = (
        "package.certificate_expired",
        _P,
        _E,
        "署名者の証明書が有効期間の外にあります。",
        "RFC 5280, spec 1",
        "新しい証明書での再送を求めてください。",
    )
    PACKAGE_CERTIFICATE_REVOKED = (
        "package.certificate_revoked",
        _P,
        _E,
        "署名者の証明書は失効しています。",
        "RFC 5280",
        "市町村に失効の経緯を確認してください。",
    )
    PACKAGE_REVOCATION_LIST = (
        # Given by the first version only, and still written in its rows; since then see revocation_list.*.
        "package.revocation_list", _P, _E, "失効リストが古いか、発行者のものと確かめられません。", "RFC 5280 5, spec 1",
        "新しい失効リストを取り込んでから再試行してください。",
    )
    PACKAGE_MANIFEST = (
        "package.manifest",
        _P,
        _E,
        "マニフェストが定められた形ではありません。",
        "spec 2",
        "市町村の作成ソフトを確認してください。",
    )
    PACKAGE_BINDING = (
        "package.binding",
        _P,
        _E,
        "ファイル名・マニフェスト・証明書・取得先が一致しません。",
        "M2, spec 2",
        "送り元の取り違えまたはなりすましの疑いがあります。市町村に確認してください。",
    )
    PACKAGE_DIGEST = (
        "package.digest",
        _P,
        _E,
        "レコード部の SHA-256 がマニフェストと異なります。",
        "spec 2",
        "再送を求めてください。",
    )
    PACKAGE_COUNT = (
        "package.count",
        _P,
        _E,
        "レコード数または通知番号の範囲がマニフェストと異なります。",
        "spec 2",
        "再送を求めてください。",
    )
    PACKAGE_NOTICE_NO = (
        "package.notice_no",
        _P,
        _E,
        "通知番号が前のパッケージから続いていません。",
        "spec 2",
        "抜けた通知を含めて再送を求めてください。",
    )
    PACKAGE_CSV = (
        "package.csv",
        _P,
        _E,
        "レコード部が CSV（RFC 4180, UTF-8）として読めません。",
        "RFC 4180, spec 2",
        "市町村の作成ソフトを確認してください。",
    )
    PACKAGE_COLUMNS = (
        "package.columns",
        _P,
        _E,
        "列が法令で通知されるべきものと一致しません（不明・不足・重複）。",
        "M1, 法30条の6①, 30条の41①",
        "列を正しくして再送を求めてください。余分な列の内容は読んでいません。",
    )
    PACKAGE_CONTENT_DIFFERS = (
        "package.content_differs",
        _P,
        _E,
        "受入済みの連番で内容の異なるパッケージが届きました。",
        "spec 2",
        "事故として扱います。市町村に確認のうえ juki package release で再開してください。",
    )
    PACKAGE_REPLACED = (
        "package.replaced", _P, _A, "順番を待つ間に、同じ連番の別のファイルに差し替えられました。元のファイルは隔離しました。", "spec 2, M8",
        "差替えの経緯を市町村に確認してください。",
    )
    PACKAGE_SPOOL_LOST = (
        "package.spool_lost", _P, _A, "受信領域のファイルが失われたか、受信したものと異なるため、取り直します。", "design 2",
        "次の実行で取り直します。続く場合はディスクを調べてください。",
    )
    PACKAGE_WITHDRAWN = (
        "package.withdrawn", _P, _A, "順番を待っていたパッケージを、担当者が待ちから外しました。ファイルは隔離しました。", "spec 2, M8",
        "誤って外したときは juki package retry で待ちに戻せます。",
    )
    PACKAGE_REPEATED = (
        "package.repeated",
        _P,
        _A,
        "受入済みのパッケージと同じものです。同じ受領書を返しました。",
        "spec 2",
    )
    PACKAGE_INFECTED = (
        "package.infected", _P, _E, "ウイルス検査で感染が見つかりました。開かずに隔離しました。", "M10, ADR-0031",
        "隔離したファイルを開かず、送り元に連絡して駆除と再送を求めてください。検出名は clamd のログにあります。誤検出なら、新しいパターンになってから再試行できます。",
    )

    SNAPSHOT_STALE = (
        "snapshot.stale", _P, _E, "現況の基準日時が依頼の日時より前です。比べていません。", "spec 3, M11",
        "依頼の後の時点で作り直すよう市町村に求めてください。続く場合は過去のものの再利用を疑ってください。",
    )
    SNAPSHOT_AHEAD = (
        "snapshot.ahead", _P, _E, "現況の基準日時が受信日時より後です。比べていません。", "spec 3, M11",
        "市町村CSの時計を確認し、作り直すよう求めてください。",
    )
    SNAPSHOT_INCONSISTENT = (
        "snapshot.inconsistent", _P, _E, "同じ基準日時の現況の部分どうしが矛盾しています（通知番号・部分の数・連番・内容）。比べていません。",
        "spec 3, M11", "すべての部分を作り直すよう市町村に求めてください。",
    )
    SNAPSHOT_NOT_SORTED = (
        "snapshot.not_sorted", _P, _E, "現況が住民票コードの順に並んでいません。比べていません。", "spec 3",
        "市町村の作成ソフトを確認し、作り直すよう求めてください。",
    )
    SNAPSHOT_DIGEST_FORM = (
        "snapshot.digest_form", _P, _E, "照合値が SHA-256（小文字の16進64桁）ではありません。比べていません。", "spec 3, ADR-0021",
        "市町村の作成ソフトを確認し、作り直すよう求めてください。",
    )

    # -- an action of the local administrator on a package (juki.cli) ----------------------------------------
    PACKAGE_ID_FORM = (
        "package.id_form", _N, _E, "パッケージの番号が R12 または F12 の形ではありません（R 本人確認情報、F 附票本人確認情報）。", "design 8",
        "juki package list で番号を確かめてください。",
    )
    PACKAGE_NOT_FOUND = (
        "package.not_found", _N, _E, "この番号のパッケージはありません。", "design 8", "juki package list で番号を確かめてください。",
    )
    PACKAGE_NOT_REFUSED = (
        "package.not_refused", _N, _E, "拒否または解除したパッケージではないため、再試行できません。", "design 8",
        "juki package show で状態を確かめてください。",
    )
    PACKAGE_NOT_EXPECTED = (
        "package.not_expected", _N, _E, "この連番のパッケージはすでに受け入れたため、再試行できません。", "spec 2",
        "再試行は要りません。juki package list で同じ連番のパッケージを確かめてください。",
    )
    PACKAGE_NEWER_WAITING = (
        "package.newer_waiting", _N, _E, "同じ連番の新しいパッケージが処理を待っているため、再試行できません。", "spec 2",
        "juki intake を実行し、新しいパッケージの結果を確かめてください。",
    )
    PACKAGE_STRAY = (
        "package.stray", _N, _E, "他の市町村の名前のパッケージのため、再試行できません。", "M2",
        "市町村に確認し、経緯が分かったら juki package release で確認済みにしてください。",
    )
    PACKAGE_FILE_MISSING = (
        "package.file_missing", _N, _E, "隔離したファイルがないか、登録されたものと異なるため、再試行できません。", "design 2",
        "市町村に再送を求めてください。届いたものは自動的に受け入れます。",
    )
    PACKAGE_NOT_INCIDENT = (
        "package.not_incident", _N, _E, "事故として止めたものでも、順番の来ない拒否・待ちのパッケージでもないため、解除できません。",
        "spec 2", "juki package show で状態を確かめてください。",
    )
    PACKAGE_NOTHING_OPEN = (
        "package.nothing_open", _N, _E, "拒否したレコードの残る適用済みのパッケージではありません。", "design 8",
        "juki package show で状態を確かめてください。",
    )
    REASON_TEXT_FORM = (
        "reason_text.form", _N, _E, "理由は1〜200字の1行で、11桁以上の数字（個人番号・住民票コードなど）を含まないでください。",
        "M8", "操作ログに残る文です。人を特定する値を除いて書き直してください。",
    )
    COMMAND_ARGUMENT = (
        "command.argument", _N, _E, "指定に誤りがあります。", "design 8", "--help で使い方を確かめてください。",
    )

    # -- what a reconciliation found, and what may be done about it (juki.differences, tasks.repairing) ------
    DIFFERENCE_UNKNOWN = (
        "difference.unknown", _N, _E, "その番号の差異はありません。", "M11", "juki difference list で番号を確認してください。",
    )
    DIFFERENCE_STATE = (
        "difference.state", _N, _E, "差異の今の状態では、その操作はできません。", "M11, ADR-0022",
        "juki difference show で状態を確認してください。",
    )
    DIFFERENCE_NO_REPAIR = (
        "difference.no_repair", _N, _E, "当方では修復できない種類の差異です。", "M11, ADR-0022",
        "市町村に通知の再送または記録の確認を依頼してください。そのままとする場合は容認してください。",
    )
    RECONCILIATION_STALE = (
        "reconciliation.stale", _C, _E, "すでに適用した修復より前の時点の現況です。", "M11, ADR-0022",
        "もう一度照合を実行し、新しい現況を受け取ってください。",
    )
    REPAIR_OVERTAKEN = (
        "repair.overtaken", _R, _E, "照合の時点より後の異動が適用されているため、修復しませんでした。", "M11, ADR-0022",
        "次の照合で、差異が残っているかを確かめてください。",
    )
    REPAIR_TAKEN_OVER = (
        "repair.taken_over", _R, _E, "照合の後に他の市町村の記録となったため、修復しませんでした。", "M11, ADR-0022",
        "次の照合で、差異が残っているかを確かめてください。",
    )
    # -- a channel: order and contact (juki.order, tasks) ----------------------------------------------------
    CHANNEL_GAP = (
        "channel.gap",
        _C,
        _A,
        "連番が抜けているため、後のパッケージが待っています。",
        "spec 2",
        "抜けた連番の再送を市町村に求めてください。待っている方の連番が誤りなら juki package release で待ちから外せます。",
    )
    CHANNEL_GAP_OVERDUE = (
        "channel.gap_overdue",
        _C,
        _E,
        "抜けた連番が期限までに届いていません。",
        "spec 2",
        "市町村に至急連絡し、抜けた連番の再送を求めてください。待っている方の連番が誤りなら juki package release で待ちから外せます。",
    )
    CHANNEL_STOPPED = (
        "channel.stopped",
        _C,
        _E,
        "事故のため受入を止めています。",
        "spec 2",
        "juki package show で内容を確認し、juki package release で再開してください。",
    )
    CHANNEL_BUSY = (
        "channel.busy",
        _C,
        _A,
        "この市町村の受入は別の実行が行っています。",
        "design 3",
        "終わるのを待って再び実行してください。",
    )
    CHANNEL_UNREACHABLE = (
        "channel.unreachable",
        _C,
        _E,
        "市町村CSに接続できません。",
        "spec 5",
        "回線と市町村CSの状態を確認してください。次の実行で自動的に再試行します。",
    )
    CHANNEL_HOST_KEY = (
        "channel.host_key",
        _C,
        _E,
        "接続先のホスト鍵が登録と異なります。",
        "M2, M4",
        "なりすましの疑いがあります。市町村に鍵の変更の有無を確認してください。",
    )
    CHANNEL_LOGIN = (
        "channel.login",
        _C,
        _E,
        "市町村CSに接続できましたが、ログインを拒まれました。",
        "spec 5",
        "アカウントと公開鍵の登録を市町村に確認してください。",
    )
    CHANNEL_TOO_MANY_FILES = ("channel.too_many_files", _C, _E, "市町村CSの送信フォルダのファイル数が上限を超えています。", "spec 5", "受領済みのパッケージを片付けるよう市町村に求めてください。")
    CHANNEL_PROTOCOL = (
        "channel.protocol",
        _C,
        _E,
        "市町村CSとのファイル転送に失敗しました。",
        "spec 5",
        "次の実行で再試行します。続く場合は市町村に確認してください。",
    )
    CHANNEL_WAITING = (
        "channel.waiting", _C, _A, "受信したパッケージが処理を待っています。", "design 2",
        "次の実行で処理します。急ぐときは juki intake を実行してください。",
    )
    CHANNEL_REFUSED_OPEN = (
        "channel.refused_open", _C, _E, "拒否したパッケージに代わるものが届いていません。", "spec 2",
        "juki package show で理由を確かめ、再送を求めるか juki package retry で再試行してください。順番の来ない連番のものは juki package release で片付けられます。",
    )
    CHANNEL_RECORDS_REJECTED = (
        "channel.records_rejected", _C, _A, "拒否したレコードがあります。", "法30条の6, 30条の41",
        "juki rejection list で理由を確かめ、市町村に訂正の通知を求めてください。原因がなくなったものは juki rejection retry で再判定できます。済んだら juki package close で確認済みにしてください。",
    )
    CHANNEL_NEVER_CONTACTED = (
        "channel.never_contacted", _C, _A, "市町村CSにまだ一度も接続していません。", "spec 5",
        "juki intake を実行するか、配備した受入の予定を確かめてください。",
    )
    CHANNEL_SILENT = (
        "channel.silent", _C, _E, "市町村CSと連絡の取れない時間が、定めた長さを超えています。", "spec 5",
        "受入が予定どおり動いているか、回線と市町村CSが動いているかを確かめてください。",
    )
    CHANNEL_RECEIPT_DUE = (
        "channel.receipt_due", _C, _A, "市町村にまだ届けていない受領書があります。", "spec 4",
        "次の実行で届けます。続く場合は市町村CSの受信フォルダを確かめてください。",
    )
    CHANNEL_UNKNOWN_FILES = (
        "channel.unknown_files", _C, _A, "市町村CSの送信フォルダに、定められた名前でないファイルがあります。", "spec 1, 5",
        "取り込んでいません。市町村に名前を確かめてください。",
    )
    CHANNEL_CLOSED_WAITING = (
        "channel.closed_waiting", _C, _A, "廃置分合でなくなった市町村のパッケージが、処理されずに残っています。", "design 2",
        "引き継いだ市町村に確かめ、juki package release で待ちから外してください。",
    )
    CHANNEL_SPOOL_QUOTA = (
        "channel.spool_quota", _C, _A, "受信領域の割当てに空きがないため、残りのファイルを市町村CSに置いたままにしています。", "design 2",
        "抜けた連番や事故を解決すると、空いた分から自動的に取り込みます。足りなければ spool_quota_mib を増やしてください。",
    )
    CHANNEL_QUARANTINE_QUOTA = (
        "channel.quarantine_quota", _C, _E, "隔離領域の割当てに空きがないため、この市町村からの取込みを止めています。", "design 2",
        "juki package list で拒否の理由を確かめて市町村に連絡し、隔離したファイルを別の保管先に移すか quarantine_quota_mib を増やしてください。次の実行から自動的に取り込みます。",
    )
    REVOCATION_LIST_MISSING = (
        "revocation_list.missing", _C, _E, "署名者の認証局の失効リストが登録されていないため、署名を検査できません。", "RFC 5280 5, spec 1",
        "municipalities.toml に失効リストを登録してください。待っているパッケージは次の実行で処理します。",
    )
    REVOCATION_LIST_UNUSABLE = (
        "revocation_list.unusable", _C, _E, "登録した失効リストが、署名者の認証局の全体のものと確かめられません。", "RFC 5280 5, spec 1",
        "認証局が公開する完全な失効リストに差し替えてください。待っているパッケージは次の実行で処理します。",
    )
    REVOCATION_LIST_OUTDATED = (
        "revocation_list.outdated", _C, _E, "登録した失効リストが、いま有効なものではありません。", "RFC 5280 5, spec 1",
        "認証局の新しい失効リストに差し替えてください。待っているパッケージは次の実行で処理します。",
    )
    SNAPSHOT_NOT_ANSWERED = (
        "snapshot.not_answered", _C, _E, "依頼した現況が届いていません。", "spec 3, 5, M11",
        "市町村CSが依頼を受け取っているか確かめ、整合処理をもう一度実行してください。",
    )
    SNAPSHOT_INCOMPLETE = (
        "snapshot.incomplete", _C, _E, "現況の一部が届いていません。", "spec 3, M11",
        "残りの部分を送るよう市町村に求め、整合処理をもう一度実行してください。",
    )
    SNAPSHOT_REQUEST_FORM = (
        "snapshot.request_form", _C, _E, "現況の依頼が定められた形ではありません。", "spec 5, docs/formats/snapshot-request.md",
        "受信フォルダの依頼を消し、整合処理をもう一度実行してください。",
    )
    CHANNEL_UNREGISTERED = (
        "channel.unregistered", _C, _A, "登録のない市町村の受入の記録があります。", "M2",
        "municipalities.toml の登録を確かめてください。廃置分合でなくなった市町村は closed に加えてください。",
    )
    CHANNEL_NEVER_CONFIRMED = (
        "channel.never_confirmed", _C, _A, "整合処理で一致を確認したことがありません。", "法30条の6, 30条の41; M11",
        "juki reconcile --mode report で照合してください。",
    )
    CHANNEL_CONFIRMED_LONG_AGO = (
        "channel.confirmed_long_ago", _C, _A, "整合処理で一致を確認してから、決めた時間が過ぎています。", "M11",
        "juki reconcile で照合し、差異があれば juki difference list で理由を確かめてください。",
    )
    CHANNEL_DIFFERENCES_OPEN = (
        "channel.differences_open", _C, _A, "市町村の記録との差異が残っています。", "M11",
        "juki difference list で差異を確かめ、修復を承認するか、市町村に再送を求めてください。",
    )

    # -- reconciliation (整合処理: juki.differences, tasks) ---------------------------------------------------
    RECONCILIATION_BUSY = (
        "reconciliation.busy", _C, _A, "この市町村・ファイルの整合処理は別の実行が行っています。", "M11",
        "終わるのを待って再び実行してください。",
    )
    RECONCILIATION_BEHIND = (
        "reconciliation.behind", _C, _A, "まだ照合できません。市町村の現況に含まれる通知を、当方がまだ受け入れていません。", "spec 3, M11",
        "受入（juki intake）の後に、もう一度実行してください。届いている現況はそのまま使います。",
    )
    RECONCILIATION_BEYOND_BOUND = (
        "reconciliation.beyond_bound", _C, _E, "修復する件数が上限を超えるため、何も変更していません。", "M11",
        "市町村の現況が欠けていないか確かめてください。正しければ juki difference approve --run で承認し、もう一度実行してください。",
    )
    RECONCILIATION_NOT_FOUND = (
        "reconciliation.not_found", _N, _E, "この番号の整合処理はありません。", "design 8",
        "juki difference list --runs で番号を確かめてください。",
    )
    RECONCILIATION_NOTHING_BEYOND = (
        "reconciliation.nothing_beyond", _N, _E, "上限を超えて止まった、最後の整合処理ではありません。", "M11",
        "juki difference list --runs で、止まっている整合処理の番号を確かめてください。",
    )

    # -- a request of a recipient: who may get what (juki.authority, juki.fields) -----------------------------
    PROVISION_RECIPIENT_UNKNOWN = (
        "provision.recipient_unknown", _Q, _E, "登録のない提供先からの要求です。", "法30条の25①, M13",
        "提供または移転してよい相手なら recipients.toml に登録してください。",
    )
    PROVISION_BASIS_UNKNOWN = (
        "provision.basis_unknown", _Q, _E, "根拠の一覧にない根拠による要求です。", "法30条の25①, M13",
        "juki basis list で根拠の名前を確かめてください。条例で定める事務は ordinance_bases.toml に登録します。",
    )
    PROVISION_BASIS_NOT_PERMITTED = (
        "provision.basis_not_permitted", _Q, _E, "この提供先に登録されていない根拠による要求です。", "法30条の25①, M13",
        "juki recipient show で登録した根拠を確かめてください。その事務を担う相手なら recipients.toml に加えてください。",
    )
    PROVISION_RECIPIENT_KIND = (
        "provision.recipient_kind", _Q, _E, "根拠が、この種類の提供先（移転・提供・機構・本人）のものではありません。",
        "法30条の15①②, 30条の44の6①②", "移転は別表第五など、提供は別表第六などによります。根拠を確かめてください。",
    )
    PROVISION_RECEIVER_DIFFERS = (
        "provision.receiver_differs", _Q, _E, "根拠が提供を受けると定める執行機関と、提供先の執行機関が違います。",
        "法30条の15②, 別表第六", "juki basis show で提供を受ける執行機関を確かめてください。",
    )
    PROVISION_BASIS_NOT_YET = (
        "provision.basis_not_yet", _Q, _E, "根拠がまだ効力を生じていません。", "法30条の25①, M13",
        "効力の生じる日から要求し直すよう提供先に伝えてください。",
    )
    PROVISION_BASIS_WITHDRAWN = (
        "provision.basis_withdrawn", _Q, _E, "この都道府県が使うことをやめた根拠です。", "法30条の25①, M13",
        "juki basis show で、いつ誰がやめることを決めたか確かめてください。",
    )
    PROVISION_BASIS_EXPIRED = (
        "provision.basis_expired", _Q, _E, "根拠が効力を失っています。", "法30条の25①, M13",
        "今の根拠を確かめて要求し直すよう提供先に伝えてください。",
    )
    PROVISION_FILE_NOT_COVERED = (
        "provision.file_not_covered", _Q, _E, "根拠が、求められたファイルに及びません。", "法30条の25①, 30条の44の13",
        "juki basis show で、根拠の及ぶファイルを確かめてください。",
    )
    PROVISION_CONSENT_MISSING = (
        "provision.consent_missing", _Q, _E, "本人の同意による要求に、同意の文書の番号がないか、番号の形ではありません。",
        "法30条の15①三, 30条の44の6①三", "同意の文書の番号（英数字とハイフン、40字まで、数字は10桁まで）を添えて要求し直すよう求めてください。",
    )
    PROVISION_CODE_NOT_GIVEN = (
        "provision.code_not_given", _Q, _E, "住民票コードは提供も移転もできません。", "法30条の15①, 30条の44の6①（住民票コードを除く。）",
        "住民票コードを除いて要求し直すよう提供先に伝えてください。",
    )
    PROVISION_FIELD_UNKNOWN = (
        "provision.field_unknown", _Q, _E, "求められた項目に、定められた名前でないものか、重なるものがあります。", "法30条の25①, M13",
        "juki basis show で項目の名前を確かめてください。個人番号は項目とは別に求めます。",
    )
    PROVISION_FIELD_BEYOND_BASIS = (
        "provision.field_beyond_basis", _Q, _E, "根拠が開く範囲を超える項目が求められています。", "法30条の25①, M13",
        "juki basis show で項目を確かめ、範囲内で要求し直すよう提供先に伝えてください。",
    )
    PROVISION_NUMBER_NOT_ALLOWED = (
        "provision.number_not_allowed", _Q, _E, "この根拠では個人番号を提供も移転もできません。", "法30条の15①②ただし書, 30条の44の6③; 番号法9条①②",
        "番号法9条で個人番号を利用できる事務なら、その決定を basis_decisions.toml に記してください。決定のない事務には出しません。",
    )

    # -- a request of a recipient as a file, and what keeps it from being answered (juki.requests, juki.probing) --
    REQUEST_FORM = (
        "request.form", _Q, _E, "要求が定められた形（juki-request/1）ではありません。", "docs/formats/request.md, M13",
        "形式（docs/formats/request.md）に従って作り直すよう提供先に伝えてください。",
    )
    REQUEST_TOO_MANY_LINES = (
        "request.too_many_lines", _Q, _E, "一つの要求の人数が 100,000 人を超えています。", "docs/formats/request.md",
        "要求を分けるよう提供先に伝えてください。",
    )
    REQUEST_BINDING = (
        "request.binding", _Q, _E, "要求のファイル名・内容・置かれた場所の、提供先・ファイル・番号・宛先が一致しません。", "M13, docs/formats/request.md",
        "他の提供先の要求が紛れていないか、提供先に確かめてください。",
    )
    REQUEST_NUMBER_REUSED = (
        "request.number_reused", _Q, _E, "受け付けた要求と同じ番号で、内容の違う要求です。", "docs/formats/request.md, M13",
        "次の番号で要求し直すよう提供先に伝え、取り違えや偽造でないか確かめてください。",
    )
    REQUEST_REPEATED = (
        "request.repeated", _Q, _A, "受け付けた要求と同じものです。何も変更していません。", "docs/formats/request.md",
    )
    REQUEST_LOST = (
        "request.lost", _Q, _E, "受け付けた要求のファイルがないか、受け付けたものと違います。", "M13",
        "同じ内容を次の番号で要求し直すよう提供先に伝えてください。",
    )
    REQUEST_NOT_KEPT = (
        "request.not_kept", _N, _E, "この要求は保存する期間を過ぎて消去したため、もう一度答えることはできません。", "M12, ADR-0032",
        "同じ内容を次の番号で要求し直すよう提供先に伝えてください。",
    )
    RECIPIENT_QUARANTINE_FILLING = (
        "recipient.quarantine_filling", _N, _A, "受け付けなかったファイルが、提供先ごとの上限に近づいています。", "M8, ADR-0032",
        "juki request list で理由を確かめ、提供先に伝えてください。上限に達すると、その提供先の新しいファイルを受け付けません。",
    )
    RECIPIENT_QUARANTINE_FULL = (
        "recipient.quarantine_full", _N, _E, "受け付けなかったファイルが上限に達したため、この提供先の新しいファイルを受け付けていません。",
        "M8, ADR-0032", "提供先に確かめてください。ファイルはそのまま待ちます。保存する期間を過ぎたものは消去され、受付を続けます。",
    )
    REQUEST_NUMBER_ON_FUHYO = (
        "request.number_on_fuhyo", _Q, _E, "附票本人確認情報は個人番号では探せません。", "法30条の41①, 30条の44の6③, M6",
        "氏名の振り仮名と生年月日で要求し直すよう提供先に伝えてください。",
    )
    PROVISION_LIMIT_LINES = (
        "provision.limit_lines", _Q, _E, "24時間に求めてよい人数の上限を超えています。", "M13",
        "探りでないことを提供先に確かめてください。事務に必要な量なら recipients.toml の daily_lines を改め、juki provision rerun で答え直せます。",
    )
    PROVISION_LIMIT_MISSES = (
        "provision.limit_misses", _Q, _E, "24時間に該当者のなかった照会の数が上限を超えています。", "M13",
        "探りでないことを提供先に確かめてください。時間をおいて juki provision rerun で答え直せます。",
    )
    PROVISION_LIMIT_SAME_PERSON = (
        "provision.limit_same_person", _Q, _E, "24時間に同じ人を求めた回数が上限を超えています。", "M13",
        "特定の人を繰り返し調べる理由を提供先に確かめてください。時間をおいて juki provision rerun で答え直せます。",
    )
    PROVISION_NOT_FOUND = (
        "provision.not_found", _N, _E, "この番号の提供・移転はありません。", "design 8", "juki provision list で番号を確かめてください。",
    )
    PROVISION_NOT_ANSWERED = (
        "provision.not_answered", _N, _E, "まだ答えていない要求のため、もう一度行うことはできません。", "design 8",
        "juki provide を実行してください。",
    )
    PROVISION_BUSY = (
        "provision.busy", _N, _E, "別の実行が、このファイルの提供・移転を行っています。", "design 3",
        "その実行が終わってから、もう一度実行してください。",
    )
    PROVISION_REFUSED_RECENTLY = (
        "provision.refused_recently", _N, _A, "最近、拒否した要求があります。", "M13",
        "juki provision list --state refused で理由を確かめ、提供先に伝えてください。",
    )
    PROVISION_TRIED_OFTEN = (
        "provision.tried_often", _N, _A, "何度実行しても先に進まない提供・移転があります。", "M12, ADR-0032",
        "juki provision show で理由を確かめてください。直らなければシステム管理者に連絡してください。",
    )
    PROVISION_UNDELIVERED = (
        "provision.undelivered", _N, _A, "封緘して、まだ送付していない提供・移転があります。", "M12",
        "送付フォルダを確かめ、juki provide を実行してください。",
    )

    # -- what is lent out and comes to an end: the bridge, holds, receipts, media (juki.holds, tasks) ----------
    BRIDGE_NOT_APPROVED = (
        "bridge.not_approved", _N, _E, "個人番号を付ける承認がないか、すでに閉じています。", "法30条の44の6③, M6, ADR-0029",
        "承認された、個人番号つきの附票本人確認情報の提供か確かめてください。消去の後は、新しい提供として求めてください。",
    )
    BRIDGE_OTHER_CODES = (
        "bridge.other_codes", _N, _E, "承認したときと異なる者について個人番号を求めました。", "法30条の44の6③, M6, ADR-0029",
        "何も渡していません。操作ログで経緯を確かめてください。",
    )
    BRIDGE_UNLOGGED = (
        "bridge.unlogged", _N, _E, "操作ログに残さずに個人番号を求めたため、データベースが取り消しました。", "M6, M8, ADR-0029",
        "何も渡していません。システム管理者に連絡してください。",
    )
    HOLD_UNKNOWN = (
        "hold.unknown", _N, _E, "この番号の提供には、一時保存したものがありません。", "M12, ADR-0028",
        "juki hold list --all で番号を確かめてください。",
    )
    HOLD_BUSY = (
        "hold.busy", _N, _E, "この提供は別の実行が送付または消去しています。", "M12, ADR-0028",
        "終わるのを待ってください。次の実行で再試行します。",
    )
    HOLD_TERM_REACHED = (
        "hold.term_reached", _N, _E, "一時保存の期限が来ているため、送付も再送もできません。", "M12, ADR-0028",
        "次の消去で消えます。必要なら、新しい提供として求めてください。",
    )
    HOLD_OVERDUE = (
        "hold.overdue", _N, _E, "期限の来た一時保存が、猶予を過ぎても消去されていません。", "M12, ADR-0028",
        "消去（juki purge）が予定どおり動いているか、juki hold list で何が残っているかを確かめてください。",
    )
    HOLD_NOT_ERASED = (
        "hold.not_erased", _N, _E, "消去した後に確かめたところ、まだ残っているものがあります。消去の証拠は残していません。", "M12, ADR-0028",
        "鍵のフォルダとディスクの状態を確かめてください。次の実行で再び消去します。",
    )
    HOLD_DELIVERY_LEFT = (
        "hold.delivery_left", _N, _A, "一時保存は消去しましたが、送付したファイルが提供先のフォルダにないことを確かめられません。", "M12, ADR-0032",
        "提供先の登録と送付フォルダ（媒体の接続、同じ名前の別のファイル）を確かめてください。次の消去で再び取り除きます。",
    )
    HOLD_COPY_LOST = (
        "hold.copy_lost", _N, _E, "一時保存した提供のファイルがないか、封緘したときのものと異なります。", "M12, ADR-0028",
        "送付していません。ディスクの状態を確かめ、新しい提供として求めてください。",
    )
    RETENTION_DAY_WRONG = (
        "retention.day_wrong", _N, _E, "保存期間の満了の日が、受信の日・更新の日から数えた日より早い記録があります。その記録は消去していません。",
        "M14, 施行令30条の6, 30条の12の4", "データベースが直接変更された疑いがあります。juki quality と juki log verify を実行し、システム管理者に連絡してください。",
    )
    PROVISION_PURGED = (
        "provision.purged", _N, _E, "一時保存したものは消去済みのため、送付も再送もできません。", "M12, ADR-0028",
        "新しい提供として求めてください。",
    )
    PROVISION_NOT_SEALED = (
        "provision.not_sealed", _N, _E, "封緘していない提供のため、送付できません。", "M12, ADR-0028",
        "juki provision show で状態を確かめてください。",
    )
    PROVISION_NOT_DELIVERED = (
        "provision.not_delivered", _N, _E, "まだ送付していない提供のため、再送も受領の記録もできません。", "M12, ADR-0028",
        "juki provision show で状態を確かめてください。",
    )
    CLOCK_BEHIND = (
        "clock.behind", _N, _E, "この機械の時計が、記録された最も新しい時点より遅れています。何も消去していません。", "M12, ADR-0028",
        "時計を確かめてください。時計が正しければ juki purge --confirm-clock に理由を添えて実行してください。",
    )
    CLOCK_AHEAD = (
        "clock.ahead", _N, _E, "この機械の時計が、最後に消去した時点から考えられる以上に進んでいます。何も消去していません。", "M12, ADR-0028",
        "時計を確かめてください。時計が正しければ juki purge --confirm-clock に理由を添えて実行してください。",
    )
    CLOCK_APART = (
        "clock.apart", _N, _A, "この機械の時計とデータベースの時計が5秒以上ずれています。", "M8, M12",
        "時刻の同期（NTP）を、この機械とデータベースの機械の両方で確かめてください。",
    )
    CLOCK_FAR_APART = (
        "clock.far_apart", _N, _E, "この機械の時計とデータベースの時計が60秒以上ずれています。", "M8, M12",
        "時刻の同期（NTP）を直すまで、消去と認証を行わないでください。期限と認証結果の判定が狂います。",
    )
    RECEIPT_FORM = (
        "receipt.form", _N, _E, "提供の受領書が定められた形ではありません。", "docs/formats/provision-receipt.md",
        "提供先の作成ソフトを確認してください。期限は変えていません。",
    )
    RECEIPT_OTHER_RECIPIENT = (
        "receipt.other_recipient", _N, _E, "他の提供先あての提供についての受領書です。", "M13, docs/formats/provision-receipt.md",
        "提供先に確認してください。期限は変えていません。",
    )
    RECEIPT_OTHER_CONTENT = (
        "receipt.other_content", _N, _E, "受領書の照合値が、送付したファイルのものと異なります。", "M12, docs/formats/provision-receipt.md",
        "届いたファイルが壊れているか、すり替えられた疑いがあります。提供先に確かめ、juki provision resend で再送してください。",
    )
    RECEIPT_REPEATED = (
        "receipt.repeated", _N, _A, "受領を記録済みの提供についての受領書です。", "docs/formats/provision-receipt.md",
        "期限は変えていません。続く場合は提供先に確認してください。",
    )
    MEDIUM_UNKNOWN = (
        "medium.unknown", _N, _E, "この番号の媒体は登録されていません。", "M10", "juki medium list --all で番号を確かめてください。",
    )
    MEDIUM_STATE = (
        "medium.state", _N, _E, "媒体の今の状態では、その操作はできません。", "M10", "juki medium list --all で状態を確かめてください。",
    )
    MEDIUM_LABEL_TAKEN = (
        "medium.label_taken", _N, _E, "同じ名前の媒体が登録されています。", "M10", "別の名前にしてください。",
    )
    MEDIUM_OVERDUE = (
        "medium.overdue", _N, _A, "返却の期限を過ぎた媒体があります。", "M10",
        "渡した先に返却を求め、戻ったら juki medium return で記録してください。",
    )

    # -- virus scanning (ウイルス検査: juki.scanning, juki.wire.scanner) ---------------------------------------
    SCANNER_OFF = (
        "scanner.off", _N, _A, "届いたファイルのウイルス検査をしていません（設定がありません）。", "M10, ADR-0031",
        "clamd を用意し、juki.toml に scanner_address と scanner_pattern_hours を設定してください。",
    )
    SCANNER_UNREACHABLE = (
        "scanner.unreachable", _N, _E, "ウイルス検査の clamd に接続できないか、答えがありません。取込みを止めています。", "M10, ADR-0031",
        "clamd が動いているか、scanner_address が正しいかを確かめてください。回復すれば、次の実行から自動的に取り込みます。",
    )
    SCANNER_ANSWER = (
        "scanner.answer", _N, _E, "ウイルス検査の答えが clamd の定めの形ではありません。取込みを止めています。", "M10, ADR-0031",
        "scanner_address の先が clamd であるか、clamd のログに誤りがないかを確かめてください。回復すれば、次の実行から自動的に取り込みます。",
    )
    SCANNER_LIMIT = (
        "scanner.limit", _N, _E, "ファイルが clamd の検査できる大きさを超えているため、検査できません。取込みを止めています。", "M10, ADR-0031",
        "clamd.conf の StreamMaxLength・MaxFileSize・MaxScanSize を 100M 以上にしてください。次の実行から自動的に取り込みます。",
    )
    SCANNER_PATTERNS_OLD = (
        "scanner.patterns_old", _N, _E, "ウイルス検査のパターンが、決めた時間より古くなっています。取込みを止めています。", "M10, ADR-0031",
        "freshclam などでパターンを更新してください。更新されれば、次の実行から自動的に取り込みます。",
    )
    SCANNER_PATTERNS_UNDATED = (
        "scanner.patterns_undated", _N, _E, "ウイルス検査のパターンの日付が分からないか、この機械の時計より先の日付です。取込みを止めています。",
        "M10, ADR-0031",
        "clamd が daily のデータベースを読み込んでいるか、両方の機械の時計が正しいかを確かめるか、scanner_database_folder を設定してください。",
    )
    INFECTION_OPEN = (
        "infection.open", _N, _A, "感染のため拒否したファイルがあり、確認済みになっていません。", "M10, ADR-0031",
        "送り元に連絡し、経緯を確かめたら juki scanner show の番号と理由で juki scanner close を行ってください。",
    )

    # -- notices to J-LIS (機構への通知: juki.jlis, tasks.forwarding) -----------------------------------------
    JLIS_BUSY = (
        "jlis.busy", _N, _A, "このファイルの機構への通知は別の実行が行っています。", "ADR-0027",
        "終わるのを待って再び実行してください。",
    )
    JLIS_UNREGISTERED = (
        "jlis.unregistered", _N, _E, "機構（jlis）が通知先に登録されていないため、更新を通知できません。", "法30条の7, 30条の42",
        "recipients.toml に機構を登録し、juki forward を実行してください。",
    )
    JLIS_WAITING = (
        "jlis.waiting", _N, _E, "機構に通知していない更新があり、決めた時間が過ぎています。", "法30条の7, 30条の42",
        "機構への通知の予定が動いているか、受渡しフォルダが使えるかを確かめてください。",
    )
    JLIS_UNDELIVERED = (
        "jlis.undelivered", _N, _E, "機構への通知パッケージを受渡しフォルダに届けられていません。", "法30条の7, 30条の42",
        "受渡しフォルダを確かめ、juki forward を実行してください。同じ内容を同じ番号で届けます。",
    )
    JLIS_UNANSWERED = (
        "jlis.unanswered", _N, _E, "機構に届けたパッケージの受領確認が、決めた時間が過ぎても届いていません。", "法30条の7, 30条の42",
        "機構に受領を確かめてください。届いていなければ juki jlis resend で同じものを届け直せます。",
    )
    JLIS_REFUSED = (
        "jlis.refused", _N, _E, "機構がパッケージの受領を拒みました。次の実行で同じものを届け直します。", "ADR-0027",
        "juki jlis show で機構の示した理由を確かめ、機構に連絡してください。",
    )
    JLIS_UPDATE_LOST = (
        "jlis.update_lost", _N, _A, "通知すべき更新の記録が失われており、通知できないものがありました。", "法30条の7, 30条の42, M11",
        "整合処理（juki reconcile）で失われた記録を修復してください。修復は更新として通知します。",
    )
    JLIS_NUMBER_UNOPENED = (
        "jlis.number_unopened", _N, _A, "復号できない個人番号があり、個人番号を空白として通知しました。", "法30条の7, M11",
        "整合処理（juki reconcile）で個人番号を修復してください。修復は更新として通知します。",
    )
    JLIS_MESSAGE_REFUSED = (
        "jlis.message_refused", _N, _E, "機構からのものとして届いたファイルを拒否しました。", "M2, ADR-0027",
        "juki jlis list --messages で理由を確かめ、機構に連絡してください。",
    )
    JLIS_MESSAGE_NAME = (
        "jlis.message_name", _P, _E, "機構からのファイルの名前と内容（ファイル・連番・宛先）が一致しません。", "ADR-0027",
        "機構に確かめてください。取り込んでいません。",
    )
    JLIS_MESSAGE_FORM = (
        "jlis.message_form", _P, _E, "機構からのファイルが定められた形ではありません。", "ADR-0027",
        "機構に確かめてください。取り込んでいません。",
    )
    JLIS_ANSWER_UNKNOWN = (
        "jlis.answer_unknown", _P, _E, "届けていない連番の受領確認です。", "ADR-0027",
        "なりすましの疑いがあります。機構に確かめてください。",
    )
    JLIS_ANSWER_OTHER = (
        "jlis.answer_other", _P, _E, "受領確認が、届けたものと異なる内容のものです。", "ADR-0027",
        "機構が開いた内容を確かめてください。当方の内容の SHA-256 は juki jlis show にあります。",
    )
    JLIS_ANSWER_AFTER = (
        "jlis.answer_after", _P, _E, "受領を確認した後に、同じパッケージの受領を拒む回答が届きました。", "ADR-0027",
        "機構に経緯を確かめてください。受領確認はそのままです。",
    )
    JLIS_ANSWER_REPLAYED = (
        "jlis.answer_replayed", _P, _A, "すでに取り込んだものと同じ内容です。何も変わりません。", "ADR-0027",
        "繰り返す場合は、受渡しフォルダに誰が置いているかを確かめてください。",
    )
    JLIS_REPORT_REUSED = (
        "jlis.report_reused", _P, _E, "取り込んだ通報の連番で、内容の異なる通報が届きました。", "法30条の8, 30条の43",
        "なりすましの疑いがあります。機構に確かめてください。",
    )
    JLIS_REPORT_LINE = (
        "jlis.report_line", _P, _E, "通報の行が定められた形ではないか、通知していない更新番号を示しています。", "法30条の8, 30条の43",
        "機構に確かめてください。通報の全体を取り込んでいません。",
    )
    JLIS_REPORTED = (
        "jlis.reported", _N, _A, "機構から、保存する記録に誤りがあるとの通報がありました。", "法30条の8, 30条の43",
        "juki difference list で確かめ、市町村に記録を確かめてください。次の整合処理で市町村の現況と照合します。",
    )
    JLIS_NOT_FOUND = (
        "jlis.not_found", _N, _E, "この番号の機構への通知パッケージはありません。", "design 8",
        "juki jlis list で番号を確かめてください。",
    )
    JLIS_ACKNOWLEDGED = (
        "jlis.acknowledged", _N, _E, "機構が受領を確認したパッケージのため、届け直せません。", "ADR-0027",
        "機構が失ったときは、機構の保存するものの回復（法30条の7④）について機構と決めてください。",
    )

    # -- a run: configuration, stores, journal ---------------------------------------------------------------
    CONFIG_MISSING = (
        "config.missing",
        _N,
        _E,
        "必要な設定がありません。",
        "design 1",
        "juki.toml または JUKI_ 環境変数を確認してください。",
    )
    CONFIG_INVALID = (
        "config.invalid",
        _N,
        _E,
        "設定に誤りがあります。",
        "design 1",
        "示された項目を直してください。",
    )
    CONFIG_UNKNOWN = ("config.unknown", _N, _E, "知らない設定項目です。", "design 1", "綴りを確かめるか、その項目を消してください。")
    CONFIG_SHARED = (
        "config.shared", _N, _E, "複数の市町村または提供先が同じもの（コード・証明書・アカウント・フォルダ）で登録されています。", "M2, M13",
        "市町村・提供先ごとに別のものを登録してください。",
    )
    CONFIG_NOT_INITIALISED = (
        "config.not_initialised",
        _N,
        _E,
        "初期化されていません。",
        "design 8",
        "juki init を実行してください。",
    )
    KEY_MISSING = (
        "key.missing",
        _N,
        _E,
        "鍵がありません。",
        "design 4",
        "鍵の保管場所とバックアップを確認してください。",
    )
    KEY_PERMISSIONS = (
        "key.permissions",
        _N,
        _E,
        "鍵ファイルが他の利用者から読めます。",
        "design 4",
        "鍵ファイルを 0600 にしてください。",
    )
    KEY_OTHER = (
        "key.other", _N, _E, "鍵が、データベースに登録された鍵と違います。", "design 4",
        "データベースと対になる鍵を保管場所かバックアップから戻してください。新しい鍵で置き換えると、保存した記録が読めなくなります。",
    )
    KEY_UNREGISTERED = (
        "key.unregistered", _N, _E, "データベースに鍵が登録されていません。", "design 4", "juki init を実行してください。",
    )
    HOME_NOT_PRIVATE = (
        "home.not_private", _N, _E, "JUKI_HOME のファイルまたはフォルダが、他の利用者に開かれているか、他の利用者のものです。",
        "design 4, M9", "誰が変えたかを確かめ、所有者を戻し、フォルダは 0700、ファイルは 0600 にしてください。",
    )
    CERTIFICATE_EXPIRING = (
        "certificate.expiring", _N, _A, "証明書・認証装置の鍵（30日以内）または失効リスト（2日以内）の期限が近づいています。",
        "RFC 5280, M2", "期限の前に新しいものを受け取り、登録してください。失効リストは認証局の最新のものに差し替えてください。",
    )
    CERTIFICATE_NOT_VALID = (
        "certificate.not_valid", _N, _E, "登録した証明書または認証装置の鍵が、有効期間の外にあります。", "RFC 5280, M2",
        "新しいものを登録し、使わなくなったものは登録から消してください。",
    )
    DISK_LOW = (
        "disk.low", _N, _A, "ディスクの空きが、設定した量（disk_free_alert_mib）を下回っています。", "M8",
        "古いログと隔離されたファイルを確かめ、容量を増やしてください。",
    )
    DISK_SHORT = (
        "disk.short", _N, _E, "ディスクの空きが、設定した量（disk_free_alert_mib）の十分の一を下回っています。", "M8",
        "すぐに容量を増やしてください。足りなくなると受入も操作ログも止まります。",
    )
    CIPHER_ALTERED = (
        "cipher.altered",
        _N,
        _E,
        "暗号化された項目を復号できません。",
        "design 4",
        "改変または鍵の取り違えの疑いがあります。管理者に連絡してください。",
    )
    STORE_UNREACHABLE = (
        "store.unreachable",
        _N,
        _E,
        "データベースに接続できません。",
        "design 3",
        "データベースの状態を確認してください。次の実行で再試行します。",
    )
    STORE_CONFLICT = (
        "store.conflict",
        _N,
        _E,
        "同時の更新と競合しました。",
        "design 3",
        "自動的に再試行します。",
    )
    STORE_REFUSED = (
        "store.refused",
        _N,
        _E,
        "データベースが更新を拒みました。",
        "design 3",
        "システム管理者に連絡してください。",
    )
    STORE_SCHEMA = (
        "store.schema",
        _N,
        _E,
        "データベースの版がこのプログラムと合いません。",
        "design 3",
        "juki init を実行してください。",
    )
    STORE_EMBEDDED = (
        "store.embedded", _N, _E, "組込みの PostgreSQL を起動または停止できません。", "design 3",
        "JUKI_HOME の postgres/logs を確認してください。folder owner は所有者の相違、version は版の相違です。",
    )
    STORE_SERVER_OLD = (
        "store.server_old", _N, _E, "PostgreSQL の版が古すぎます（15以上が必要です）。", "design 3", "PostgreSQL を更新してください。",
    )
    STORE_RIGHTS = (
        "store.rights", _N, _E, "データベースの役割または権限が、定めたものと違います（- 足りない、+ 余計）。", "design 3, M9, M10",
        "誰が変えたかを確かめてください。juki init を実行すると、表と関数の権限は定めたものに戻ります。",
    )
    SPOOL_FULL = (
        "spool.full",
        _N,
        _E,
        "受信領域に書き込めません。",
        "design 2",
        "ディスクの空きを確認してください。",
    )
    FOLDER_UNREACHABLE = (
        "folder.unreachable", _N, _E, "受渡しフォルダがないか、読み書きできません。", "M5, ADR-0027",
        "媒体が接続されているか、フォルダの権限と空きを確かめてください。次の実行で再試行します。",
    )
    FOLDER_BUSY = (
        "folder.busy", _N, _E, "同じファイルを別の実行が受渡しフォルダに書き込んでいます。", "ADR-0027",
        "終わるのを待ってください。次の実行で再試行します。",
    )
    FOLDER_CONTENT_DIFFERS = (
        "folder.content_differs", _N, _E, "受渡しフォルダに、同じ名前で内容の異なるファイルがあります。何も上書きしていません。",
        "ADR-0027", "誰が置いたものかを確かめ、フォルダから移してください。次の実行で再び届けます。",
    )
    FOLDER_FILE_FORM = (
        "folder.file_form", _N, _E, "受渡しフォルダのファイルが、定められた名前と大きさの通常のファイルではありません。",
        "M2, ADR-0027", "誰が置いたものかを確かめてください。取り込んでいません。",
    )
    JOURNAL_BROKEN = (
        "journal.broken",
        _N,
        _E,
        "操作ログのつながりが壊れています。",
        "M8, RFC 6962",
        "更新を止め、管理者と監査者に連絡してください。",
    )
    JOURNAL_FORKED = (
        "journal.forked", _N, _E, "操作ログが、署名したチェックポイントと食い違っています。書き換えられた疑いがあります。",
        "M8, RFC 6962", "何も直さずに juki log verify で範囲を確かめ、監査者に連絡してください。受入は続きます。",
    )
    JOURNAL_ROLLED_BACK = (
        "journal.rolled_back", _N, _E, "操作ログが、自らのチェックポイントより短くなっています。末尾が消された疑いがあります。",
        "M8, RFC 6962", "何も直さずに juki log verify で範囲を確かめ、監査者に連絡してください。受入は続きます。",
    )
    JOURNAL_BEHIND_WITNESS = (
        "journal.behind_witness", _N, _E, "操作ログが、保管先のチェックポイントより古い状態です。古い写しに戻された疑いがあります。",
        "M8, RFC 6962", "復元した場合は、その後の分が失われています。何も直さずに juki log verify で範囲を確かめてください。",
    )
    JOURNAL_CHECKPOINT_STALE = (
        "journal.checkpoint_stale", _N, _A, "操作ログに、署名したチェックポイントのまだない古い記録があります。", "M8",
        "juki log checkpoint を実行し、Prefect の予定（checkpoint）が動いているか確かめてください。",
    )
    WITNESS_UNREACHABLE = (
        "witness.unreachable", _N, _A, "チェックポイントの保管先がないか、読み書きできません。", "M8, ADR-0030",
        "保管先が接続されているか、権限と空きを確かめてください。次の実行で再試行します。",
    )
    WITNESS_INCOMPLETE = (
        "witness.incomplete", _N, _A, "チェックポイントの保管先に、かつて書いたものがありません。", "M8, ADR-0030",
        "誰が消したかを確かめ、別の保管先または書き出した操作ログの checkpoints から写してください。",
    )
    WITNESS_DAMAGED = (
        "witness.damaged", _N, _E, "チェックポイントが読めないか、この操作ログの既知の鍵で署名されたものではありません。",
        "M8, C2SP tlog-checkpoint", "誰が置いたものかを確かめ、保管先の外へ移してください。それまで新しい署名はしません。",
    )
    WITNESS_BESIDE_DATABASE = (
        "witness.beside_database", _N, _E, "チェックポイントの保管先が、データベースのフォルダの中にあります。", "M8, ADR-0030",
        "データベースを書き換えた者が証拠も書き換えられます。外のフォルダを witness_folders に指定してください。",
    )
    # -- operators (juki.operators, juki.assertions) ----------------------------------------------------------
    OPERATOR_ASSERTION_MISSING = (
        "operator.assertion_missing", _N, _E, "この操作には、操作者の生体認証による認証結果が要ります。", "M7, ADR-0036",
        "juki operator target で操作と対象の書き方を確かめ、認証装置で認証し、--assertion に結果のファイルを指定してください。",
    )
    OPERATOR_ASSERTION_FORM = (
        "operator.assertion_form", _N, _E, "認証結果が定めた形ではありません。操作していません。", "M7, ADR-0036",
        "認証装置で認証し直してください。続く場合は装置の保守業者に連絡してください。",
    )
    OPERATOR_ASSERTION_SIGNATURE = (
        "operator.assertion_signature", _N, _E, "登録した認証装置の署名ではありません。操作していません。", "M7, ADR-0036",
        "偽造の疑いがあります。認証結果の出所と、認証装置の鍵の登録（issuers.toml）を確かめてください。",
    )
    OPERATOR_ASSERTION_AUDIENCE = (
        "operator.assertion_audience", _N, _E, "他のシステムのための認証結果です。操作していません。", "M7, ADR-0036",
        "認証装置の設定を確かめ、認証し直してください。",
    )
    OPERATOR_ASSERTION_EXPIRED = (
        "operator.assertion_expired", _N, _E, "認証結果の期限（5分以内）が切れているか、時刻が合いません。操作していません。", "M7, ADR-0036",
        "認証し直してください。続く場合は認証装置とこの機械の時計を確かめてください。",
    )
    OPERATOR_ASSERTION_FACTORS = (
        "operator.assertion_factors", _N, _E, "静脈認証と第二の要素の両方を終えた認証結果ではありません。操作していません。", "M7",
        "静脈認証と第二の要素（ワンタイムパスワードなど）の両方で認証し直してください。",
    )
    OPERATOR_ASSERTION_ACT = (
        "operator.assertion_act", _N, _E, "この操作と対象のための認証結果ではありません。操作していません。", "M7, ADR-0036",
        "juki operator target で操作と対象の書き方を確かめ、認証し直してください。",
    )
    OPERATOR_ASSERTION_REPLAYED = (
        "operator.assertion_replayed", _N, _E, "すでに使われた認証結果です。操作していません。", "M7, ADR-0036",
        "認証し直してください。使った覚えがなければ、認証結果が他人に渡った疑いがあります。",
    )
    OPERATOR_UNKNOWN = (
        "operator.unknown", _N, _E, "登録されていない操作者です。操作していません。", "M7", "管理者に登録を依頼してください。",
    )
    OPERATOR_LOCKED = (
        "operator.locked", _N, _E, "この操作者は停止されています。操作していません。", "M7",
        "管理者二人による juki operator unlock を依頼してください。",
    )
    OPERATOR_NOT_VALID = (
        "operator.not_valid", _N, _E, "この操作者は有効期間の外にあるか、削除されています。操作していません。", "M7",
        "管理者に確かめてください。",
    )
    OPERATOR_TERMINAL = (
        "operator.terminal", _N, _E, "この操作者に許していない端末での認証です。操作していません。", "M7, M9",
        "許された端末で認証し直すか、管理者に端末の登録を依頼してください。",
    )
    OPERATOR_ROLE = (
        "operator.role", _N, _E, "この操作者の権限（操作者ID）では許されない操作です。操作していません。", "M7, M9, M10",
        "juki operator matrix で操作ごとの権限を確かめてください。",
    )
    OPERATOR_SECOND_MISSING = (
        "operator.second_missing", _N, _E, "この操作には、もう一人の管理者の認証結果が要ります。", "M7, M10, ADR-0036",
        "もう一人の管理者が同じ操作と対象で認証し、--approval に結果のファイルを指定してください。",
    )
    OPERATOR_SELF_APPROVAL = (
        "operator.self_approval", _N, _E, "自分の操作を自分で承認することはできません。操作していません。", "M7, M11, ADR-0036",
        "ほかの操作者が承認してください。",
    )
    OPERATOR_NO_ISSUER = (
        "operator.no_issuer", _N, _E, "操作者は登録されていますが、認証装置の鍵が登録されていません。操作できません。", "M7, ADR-0036",
        "issuers.toml に認証装置の鍵を登録してください。",
    )
    OPERATOR_NOT_REGISTERED = (
        "operator.not_registered", _N, _E, "その照合IDの操作者はいません。", "M7", "juki operator list で照合IDを確かめてください。",
    )
    OPERATOR_ID_TAKEN = (
        "operator.id_taken", _N, _E, "その照合IDは使われているか、かつて使われていました。", "M7, M8",
        "古い操作ログが指す人が変わらないよう、別の照合IDを使ってください。",
    )
    OPERATOR_STATE = (
        "operator.state", _N, _E, "操作者の今の状態では、その操作はできません。", "M7", "juki operator list で状態を確かめてください。",
    )
    OPERATOR_FEW_ADMINISTRATORS = (
        "operator.few_administrators", _N, _E, "有効な管理者が足りなくなる（登録は二人未満、停止は一人もいない）ため、できません。", "M7, ADR-0036",
        "先にほかの管理者を登録してください。",
    )
    OPERATOR_INSTALLATION_OPEN = (
        "operator.installation_open", _N, _A, "有効な管理者が二人未満です。初めからなら、操作者の認証なしに操作できる状態です。",
        "M7, ADR-0036", "juki operator register で管理者を二人登録してください。一人になったなら、もう一人を有効に戻してください。",
    )
    OPERATOR_ADMINISTRATORS_ENDING = (
        "operator.administrators_ending", _N, _A, "三十日以内に、有効な管理者が二人未満になります。", "M7, ADR-0036",
        "juki operator change --valid-to で期間を延ばすか、juki operator register でほかの管理者を登録してください。",
    )
    OPERATOR_SYSTEM_ACT = (
        "operator.system_act", _N, _E, "予定による実行には許されていない操作です。", "M7, ADR-0036",
        "操作者が認証し、実行の認証結果の欄に指定してください。",
    )

    # -- seeing people, and telling them what is held of them (juki.cli.person_actions, juki.disclosures) --------
    PERSON_QUERY_FORM = (
        "person.query_form", _N, _E, "誰を探すかの文書が定めた形ではありません。探していません。", "M9, ADR-0037",
        "docs/formats/person.md の三つの形のどれか一つで書き直してください。",
    )
    PERSON_NUMBER_ON_FUHYO = (
        "person.number_on_fuhyo", _N, _E, "附票本人確認情報は個人番号では探せません。", "法30条の41①, M6",
        "住民票コードか、氏名の振り仮名と生年月日で探してください。",
    )
    PERSON_NOT_FOUND = (
        "person.not_found", _N, _E, "該当する人はいません。", "M9", "条件を確かめて探し直してください。本人への通知は juki disclosure で行います。",
    )
    DOCUMENT_MISSING = (
        "document.missing", _N, _E, "指定された文書のファイルがないか、読めません。", "docs/formats/person.md",
        "ファイルの名前を確かめるか、- で標準入力から渡してください。",
    )
    DOCUMENT_PERMISSIONS = (
        "document.permissions", _N, _E, "文書のファイルが他の利用者から読めます。読んでいません。", "M9",
        "chmod 600 で自分だけが読めるようにしてから、もう一度行ってください。",
    )
    PERSON_SEVERAL = (
        "person.several", _N, _E, "該当する人が複数います。誰の記録も示していません。", "M9",
        "juki person find で順を確かめ、文書に position を加えてください。",
    )
    PERSON_LIMIT_SEARCHES = (
        "person.limit_searches", _N, _E, "一時間に人を探してよい回数を超えました。探していません。", "M9, ADR-0037",
        "時間をおいてください。業務に足りなければ管理者が person_searches_hourly を見直してください。",
    )
    PERSON_LIMIT_VIEWS = (
        "person.limit_views", _N, _E, "一時間に記録を見てよい人数を超えました。示していません。", "M9, ADR-0037",
        "時間をおいてください。業務に足りなければ管理者が person_views_hourly を見直してください。",
    )
    PERSON_NUMBER_ROLE = (
        "person.number_role", _N, _E, "個人番号を見られるのは提供担当と管理者だけです。示していません。", "M9, 番号法20条",
        "個人番号なしで見るか、権限のある操作者に依頼してください。",
    )
    DISCLOSURE_NOT_FOUND = (
        "disclosure.not_found", _N, _E, "その番号の請求・申出はありません。", "法30条の32", "juki disclosure list で番号を確かめてください。",
    )
    DISCLOSURE_STATE = (
        "disclosure.state", _N, _E, "請求・申出の今の状態では、その操作はできません。", "法30条の32から30条の35まで",
        "juki disclosure show で状態を確かめてください。",
    )
    DISCLOSURE_DATE = (
        "disclosure.date", _N, _E, "日付が、受理の日や期限と合わないか、先の日付です。", "法30条の33",
        "受理の日は今日まで、延長の通知は元の期限まで、延ばす期限は元の期限より後でなければなりません。",
    )
    DISCLOSURE_DECISION = (
        "disclosure.decision", _N, _E, "その種類の請求・申出に、その結果はありません。", "法30条の32, 30条の35",
        "開示の請求は disclosed・not_held・dismissed・withdrawn、訂正の申出は corrected・not_corrected・withdrawn です。",
    )
    DISCLOSURE_DUE_SOON = (
        "disclosure.due_soon", _N, _A, "開示の期限が近づいている請求があります。", "法30条の33①",
        "juki disclose で書面を作り、渡したら juki disclosure close で記録してください。",
    )
    DISCLOSURE_OVERDUE = (
        "disclosure.overdue", _N, _A, "開示の期限を過ぎた請求があります。", "法30条の33",
        "直ちに開示してください。期限内に延長を通知していたなら juki disclosure extend で記録してください。",
    )
    CORRECTION_UNANSWERED = (
        "disclosure.correction_unanswered", _N, _A, "調査の結果を通知していない訂正の申出があります。", "法30条の35",
        "市町村に調査を求め、結果を書面で通知し、juki disclosure close で記録してください。",
    )
    DISCLOSURE_CHARACTER = (
        "disclosure.character", _N, _E, "書体にない文字があるため、開示の書面を作っていません。空白にはしません。", "法30条の32②, ADR-0037",
        "その文字を持つ書体（IPAmj明朝など）のファイルを disclosure_font に指定してください。",
    )
    DISCLOSURE_FONT = (
        "disclosure.font", _N, _E, "開示の書面に使う書体のファイルがないか、読めません。", "ADR-0037",
        "disclosure_font が OpenType か TrueType のファイルを指すか確かめてください。",
    )
    DISCLOSURE_FOLDER = (
        "disclosure.folder", _N, _E, "書面を置くフォルダがないか書き込めないか、同じ名前の書面がすでにあります。", "M9, ADR-0037",
        "自分だけが読めるフォルダを指定し、古い書面は渡すか廃棄してください。",
    )
    LOG_ENTRY_UNKNOWN = (
        "log.entry_unknown", _N, _E, "この番号の操作ログはありません。", "M8", "juki log search で番号を確かめてください。",
    )
    # -- reviews of the operation log (点検: juki.review, juki.oplog.reviewing) -------------------------------
    REVIEW_UNKNOWN = (
        "review.unknown", _N, _E, "この番号の点検、または未確認の指摘はありません。", "M8, ADR-0039",
        "juki review list と juki review show で番号を確かめてください。",
    )
    REVIEW_DIFFERS = (
        "review.differs", _N, _E, "この版のプログラムで点検し直した結果が、点検した時の指摘と一致しません。", "M8, ADR-0039",
        "juki log verify で操作ログに異常がないことを確かめてください。版の違いによるものなら、指摘の番号を付けずに、まとめて確認済みにしてください。",
    )
    REVIEW_OWN_FINDING = (
        "review.own_finding", _N, _E, "自分の操作についての指摘を自分で確認済みにすることはできません。何も記録していません。", "M8, ADR-0039",
        "ほかの監査者が確認してください。ほかの指摘は、番号を指定して確認済みにできます。",
    )
    REVIEW_UNACKNOWLEDGED = (
        "review.unacknowledged", _N, _A, "操作ログの点検の指摘が、確認されないまま期限を過ぎています。", "M8, ADR-0039",
        "juki review show で指摘を調べ、監査者が juki review acknowledge で確認済みにしてください。",
    )

    LOG_EXPORT_FOLDER = (
        "log.export_folder", _N, _E, "操作ログの書出し先が空のフォルダではないか、書き込めません。", "M8",
        "新しいフォルダを指定してください。",
    )
    QUALITY_DUPLICATE = (
        "quality.duplicate", _N, _E, "一つであるべきもの（一人の現在の記録、一つの通知の版）が重複しています。", "M11, ADR-0033",
        "索引の破損が疑われます。REINDEX の前に複写を取り、システム管理者に連絡してください。",
    )
    QUALITY_ORPHAN = (
        "quality.orphan", _N, _E, "履歴または旧住民票コードに、現在の記録につながらないものがあります。", "M11, 施行令30条の6",
        "その市町村の整合処理（juki reconcile）を実行し、記録が失われた原因を確かめてください。",
    )
    QUALITY_REFERENCE = (
        "quality.reference", _N, _E, "記録の元となったパッケージ、または後の通知が、登録にないか前後が逆です。", "M2, M11, ADR-0033",
        "データベースが直接変更された疑いがあります。juki log verify で操作ログを確かめ、システム管理者に連絡してください。",
    )
    QUALITY_ROWS_LOST = (
        "quality.rows_lost", _N, _E, "適用したパッケージの件数と、保存している版の数が合いません。", "M11, 施行令30条の6",
        "その市町村の整合処理（juki reconcile）を実行してください。原因が分かったら juki quality accept で記録します。",
    )
    QUALITY_COUNT = (
        "quality.count", _N, _E, "市町村の直近の現況の人数と、その後の通知では説明できない差があります。", "M11",
        "その市町村の整合処理（juki reconcile）を実行してください。",
    )
    QUALITY_AGE = (
        "quality.age", _N, _E, "記載中の者に、あり得ない年齢となる生年月日があります。", "法7条2号, ADR-0033",
        "市町村に生年月日または消除の漏れを確かめてください。確かめた分は juki quality accept で記録します。",
    )
    QUALITY_SUDDEN_CHANGE = (
        "quality.sudden_change", _N, _E, "前回の検査から、件数または年齢の分布が急に変わりました。", "M11, ADR-0033",
        "受入・整合処理の結果を確かめ、正しい変化なら juki quality accept で記録してください。",
    )
    QUALITY_UNKNOWNS_ROSE = (
        "quality.unknowns_rose", _N, _E, "前回の検査から、不明・空欄の者が急に増えました。", "M11, ADR-0033",
        "その市町村に、通知の作成が変わっていないか確かめてください。正しい変化なら juki quality accept で記録します。",
    )
    QUALITY_UNANSWERED = (
        "quality.unanswered", _N, _E, "品質検査の問いに、データベースが答えませんでした。", "ADR-0033",
        "juki status とデータベースの状態を確かめてください。次の実行で再び検査します。",
    )
    QUALITY_UNWRITTEN = (
        "quality.unwritten", _N, _E, "品質検査の報告を保存できません。", "ADR-0033",
        "JUKI_HOME の quality フォルダの権限と、ディスクの空きを確かめてください。",
    )
    QUALITY_STALE = (
        "quality.stale", _N, _A, "品質検査が長い間行われていません。", "M11, ADR-0033",
        "juki quality を実行し、Prefect の予定（quality）が動いているか確かめてください。",
    )
    QUALITY_RUN_UNKNOWN = (
        "quality.run_unknown", _N, _E, "この品質検査の報告はありません。", "ADR-0033", "juki quality show --list で確かめてください。",
    )

    # -- the site: server, worker, schedules, alarms (juki.site, juki.alarms, flows/serving) -------------------
    ALARM_RUN_LATE = (
        "alarm.run_late", _N, _A, "予定の時刻を過ぎても始まらない実行があります。", "ADR-0034",
        "juki status でワーカが動いているか、長く続いている実行がないかを確かめてください。",
    )
    ALARM_RUN_CRASHED = (
        "alarm.run_crashed", _N, _A, "実行が途中で異常終了しました。", "ADR-0034",
        "次の実行が続きから行います。繰り返すときは画面の実行の記録と juki status を確かめてください。",
    )
    ALARM_RUN_SILENT = (
        "alarm.run_silent", _N, _A, "実行からの連絡が途絶えたため、異常終了として扱いました。", "ADR-0034",
        "次の実行が続きから行います。ワーカの機械が動いているかを確かめてください。",
    )
    ALARM_RUN_FAILED = (
        "alarm.run_failed", _N, _A, "予定の実行が失敗しました。", "ADR-0034",
        "画面の実行の記録か juki status でコードと理由を確かめ、その「次にすること」を行ってください。次の予定で再び実行します。",
    )
    ALARM_RECONCILIATION_FAILED = (
        "alarm.reconciliation_failed", _N, _A, "整合処理が失敗しました。", "M11, ADR-0034",
        "juki status で理由を確かめ、画面からそのまま、または方法を変えて再実行してください。",
    )
    ALARM_PURGE_OVERDUE = (
        "alarm.purge_overdue", _N, _A, "個人番号の消去が予定どおりに終わっていません。", "M12, ADR-0034",
        "juki status と juki hold list で理由と残っているものを確かめてください。",
    )
    ALARM_CHECKPOINT_STALE = (
        "alarm.checkpoint_stale", _N, _A, "操作ログの署名が予定どおりに終わっていません。", "M8, ADR-0034",
        "juki status で理由を確かめ、juki log checkpoint を実行してください。",
    )
    ALARM_SITE_RESTARTED = (
        "alarm.site_restarted", _N, _A, "Prefect のサーバまたはワーカがひとりでに終わったため、起動し直します。", "ADR-0034",
        "juki status で動いているかを確かめてください。繰り返すときは JUKI_HOME/logs の prefect-server.log と prefect-worker.log を確かめてください。",
    )
    SITE_SILENT = (
        "site.silent", _N, _E, "Prefect のサーバが応答しないか、求めを受け付けません。", "ADR-0034",
        "juki status で状態を、JUKI_HOME/logs/prefect-server.log で理由を確かめてください。",
    )
    SITE_WORKER_SILENT = (
        "site.worker_silent", _N, _E, "Prefect のワーカが応答しません。予定は実行されません。", "M11, M12, ADR-0034",
        "数分待っても変わらなければ、JUKI_HOME/logs/prefect-worker.log で理由を確かめてください。",
    )
    SITE_UNWATCHED = (
        "site.unwatched", _N, _E,
        "Prefect のサイトを見守るプロセスが応答しないか、見守りに失敗しています。落ちたものが起動し直されません。", "ADR-0034",
        "ディスクの空きと JUKI_HOME/logs/prefect-site.log を確かめ、juki down のあと juki up を実行してください。",
    )
    SITE_BROKEN = (
        "site.broken", _N, _E, "Prefect のサイトが止められないまま終わっています。予定は実行されません。", "ADR-0034",
        "juki up で起動し直してください。途中の実行は異常終了として片付けられ、次の実行が続きから行います。",
    )
    SITE_DOWN = (
        "site.down", _N, _A, "Prefect のサイトが動いていません。予定は実行されません。", "ADR-0034", "juki up で起動してください。",
    )
    SCHEDULE_MISSING = (
        "schedule.missing", _N, _E, "予定のファイル（deployments.yaml）にある予定がPrefectのサーバにありません。", "M11, M12, ADR-0034",
        "juki down のあと juki up を実行してください。",
    )
    SCHEDULE_CHANGED = (
        "schedule.changed", _N, _E, "Prefectのサーバの予定が、予定のファイル（deployments.yaml）と異なります。", "M11, M12, ADR-0034",
        "更新した後であれば juki down のあと juki up を実行してください。そうでなければ、誰が変えたかを調べてください。",
    )
    SCHEDULE_SURPLUS = (
        "schedule.surplus", _N, _E, "予定のファイル（deployments.yaml）にない予定がPrefectのサーバにあります。", "M11, M12, ADR-0034",
        "更新した後であれば juki down のあと juki up を実行してください。そうでなければ、誰が加えたかを調べてください。",
    )
    SCHEDULE_OFF = (
        "schedule.off", _N, _A, "予定が止められています。この予定は実行されません。", "M11, M12, ADR-0034",
        "画面の Deployments で止めた理由を確かめて、動かし直してください。juki down と juki up でも動きます。",
    )
    SCHEDULE_UNCOVERED = (
        "schedule.uncovered", _N, _A, "登録した市町村の、整合処理の予定がありません。一致は夜ごとに確かめられません。", "M11, ADR-0034",
        "予定のファイル（deployments.yaml）の reconcile に、市町村とファイルごとの予定を加えてください。",
    )
    SITE_NOT_STARTED = (
        "site.not_started", _N, _E, "Prefect のサイトを起動できませんでした。", "ADR-0034",
        "JUKI_HOME/logs の prefect-site.log、prefect-server.log、prefect-worker.log で理由を確かめてください。",
    )
    SITE_PORT_TAKEN = (
        "site.port_taken", _N, _E, "このポートはほかのプログラムが使っています。", "ADR-0034",
        "prefect_port を変えるか、そのプログラムを止めてください。",
    )
    SITE_RUNNING = (
        "site.running", _N, _E, "Prefect のサイトが動いている間はできません。", "ADR-0034", "先に juki down を実行してください。",
    )
    NOTIFICATION_UNWRITTEN = (
        "notification.unwritten", _N, _E, "警報を通知のフォルダに書けません。", "ADR-0034",
        "JUKI_HOME/notifications の権限とディスクの空きを確かめてください。",
    )
    NOTIFICATION_UNDELIVERED = (
        "notification.undelivered", _N, _A, "警報のメールを送れません。送れるまで残し、繰り返し試みます。", "ADR-0034",
        "smtp_host などの設定と、メールサーバが動いているかを確かめてください。",
    )
    NOTIFICATION_REFUSED = (
        "notification.refused", _N, _A, "警報のメールを、メールサーバが一部またはすべての宛先について受け付けません。受け付けられるまで残し、繰り返し試みます。",
        "ADR-0034", "smtp_from と smtp_to のアドレスを確かめてください。smtp_to から除いた宛先へのメールは消えます。",
    )
    NOTIFICATION_PASSWORD = (
        "notification.password", _N, _E, "メールサーバの利用者名か暗証が、ASCIIの一行でないか、空です。警報のメールを送れません。", "ADR-0034",
        "smtp_user と、smtp_password_file のファイルの内容（一行）を確かめてください。警報は JUKI_HOME/notifications にあります。",
    )

    # -- events of runs for whoever follows data (juki.lineage_files) ------------------------------------------
    LINEAGE_UNWRITTEN = (
        "lineage.unwritten", _N, _A, "実行の来歴（OpenLineage）を書けません。実行そのものには影響しません。", "ADR-0041",
        "JUKI_HOME の lineage フォルダの権限とディスクの空きを確かめてください。書けるようになれば消えます。",
    )

    # -- copies of what is kept (juki.copying) ------------------------------------------------------------------
    COPY_CERTIFICATE_FORM = (
        "copy.certificate_form", _N, _E, "写しを封緘する証明書が読めないか、暗号化に使えるRSA 3072ビット以上のものではありません。",
        "M9, ADR-0038", "受け取る者の証明書（PEM、一枚、鍵の用途が鍵の暗号化を含むもの）を確かめてください。",
    )
    COPY_CERTIFICATE_EXPIRED = (
        "copy.certificate_expired", _N, _E, "写しを封緘する証明書が有効期間の外にあります。", "M9, ADR-0038",
        "受け取る者に新しい証明書を求めてください。",
    )
    COPY_CERTIFICATE_OTHER = (
        "copy.certificate_other", _N, _E, "証明書のフィンガープリントが、承認されたもの（--fingerprint）と異なります。",
        "M9, ADR-0038", "証明書がすり替えられていないか、受け取る者に確かめてください。",
    )
    COPY_CERTIFICATE_TAKEN = (
        "copy.certificate_taken", _N, _E, "提供先・機構・市町村またはこのシステム自身の証明書には、写しを封緘できません。",
        "法30条の25, M9, ADR-0038", "提供は juki provide によります。写しには、保管する者の別の証明書を使ってください。",
    )
    COPY_FOLDER = (
        "copy.folder", _N, _E, "写しの置き場所が、新しいか空のフォルダでないか、使えない名前か、置いてはならない場所です。",
        "M9, M10, ADR-0038", "JUKI_HOME・受渡しフォルダ・保管先の外の、ASCIIの名前の新しいフォルダを、リンクを通らない絶対パスで指定してください。",
    )
    COPY_NOT_WRITTEN = (
        "copy.not_written", _N, _E, "写しを書き込めませんでした。書きかけたものは消しました。", "M9, ADR-0038",
        "媒体の接続・空き・権限を確かめ、認証からやり直してください。",
    )
    COPY_DUMP_FAILED = (
        "copy.dump_failed", _N, _E, "データベースの写しを作れませんでした。書きかけたものは消しました。", "M9, M15, ADR-0038",
        "サーバーと同じかより新しい版の pg_dump があるか、データベースが動いているかを確かめ、認証からやり直してください。",
    )
    RUN_CHANNELS_FAILED = (
        "run.channels_failed", _N, _E, "一部の市町村の受入に失敗しました。ほかの市町村は受け入れました。", "design 5",
        "juki status で市町村ごとの理由を確認してください。次の実行で自動的に再試行します。",
    )
    RUN_PROVISIONS_FAILED = (
        "run.provisions_failed", _N, _E, "一部の提供・移転に失敗しました。ほかは終えました。", "design 5",
        "juki status で理由を確認してください。次の実行で自動的に再試行します。",
    )
    RUN_UNEXPECTED = (
        "run.unexpected",
        _N,
        _E,
        "予期しない失敗です。",
        "design 6",
        "実行の番号を添えてシステム管理者に連絡してください。",
    )
    # fmt: on


_BY_VALUE = {code.value: code for code in Code}


def known_code(value: str | None) -> Code | None:
    """Read a stored code; one this version does not know any more reads as an unexpected failure."""
    return _BY_VALUE.get(value, Code.RUN_UNEXPECTED) if value else None


@dataclass(frozen=True, slots=True)
class Rejection:
    """One finding on one record of one package: where and why, never what.

    `line` is the line of the record in the CSV part, the header being line 1; `column` is empty where the
    finding is on the record as a whole.
    """

    code: Code
    package: str
    line: int
    column: str
