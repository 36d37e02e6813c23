"""The settings of one installation: `JUKI_` variables over `juki.toml` in JUKI_HOME, secrets by file.

Decides:    which settings there are, their form, which have a default and which must be decided by someone.
Leaves:     registered municipalities to `config.municipalities`.
Invariants: an unknown key is an error, in the file and among the variables. A period the law leaves open has
            no default: whoever needs it asks `Settings.hours`, and an absent one is an error that names it.
            Settings are read once; no secret is in a repr.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.reading import read_toml, validated
from juki.codes import is_municipality_code
from juki.columns import IdentityFile
from juki.differences import DEFAULT_BOUND, Bound
from juki.errors import ConfigurationError
from juki.holds import HoldTerms
from juki.home import DEFAULT_HOME, Home
from juki.keys import read_private
from juki.reasons import Code
from juki.review import ReviewLimits
from juki.scanning import ScannerAddress

PREFIX = "JUKI_"
_NOT_SETTINGS = frozenset({"JUKI_HOME"})
"""Variables that start like a setting and are none."""


class Period(StrEnum):
    """Periods no law and no published rule fixes: each prefecture decides its own (domain.md)."""

    GAP_DEADLINE = "gap_deadline_hours"
    CONTACT_ALERT = "contact_alert_hours"
    SNAPSHOT_DEADLINE = "snapshot_deadline_hours"
    CONFIRMED_ALERT = "confirmed_alert_hours"
    HOLD = "hold_period_hours"
    HOLD_AFTER_RECEIPT = "hold_after_receipt_hours"
    JLIS_ANSWER_ALERT = "jlis_answer_alert_hours"


def _body_code(code: str) -> str:
    if not is_municipality_code(code):
        raise ValueError("code")
    return code


BodyCode = Annotated[str, AfterValidator(_body_code)]
"""A 全国地方公共団体コード of six digits."""
_ADDRESS = r"^[^@\s,<>]+@[^@\s,<>]+$"
Hours = Annotated[int, Field(ge=1, le=24 * 366)]


def _absolute(folder: Path) -> Path:
    if not folder.is_absolute():
        raise ValueError("relative")
    return folder


AbsoluteFolder = Annotated[Path, AfterValidator(_absolute)]
"""A folder outside JUKI_HOME, named from the root, whatever the working folder of a process is."""


def _scanner_place(text: str) -> str:
    if text:
        ScannerAddress.parse(text)
    return text


ScannerPlace = Annotated[str, AfterValidator(_scanner_place)]
"""Where a clamd listens; empty for none."""


class Settings(BaseSettings):
    """All settings; descriptions are what `juki init` writes into juki.toml and `juki config show` prints."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    prefecture_code: BodyCode = Field("350001", description="この都道府県の全国地方公共団体コード")
    resident_url: SecretStr | None = Field(
        None, description="本人確認情報ファイルの PostgreSQL の URL（なければ組込みを使う）"
    )
    resident_url_file: Path | None = Field(None, description="上の URL を収めたファイル（0600、絶対パス）")
    fuhyo_url: SecretStr | None = Field(
        None, description="附票本人確認情報ファイルの PostgreSQL の URL（なければ組込みを使う）"
    )
    fuhyo_url_file: Path | None = Field(None, description="上の URL を収めたファイル（0600、絶対パス）")
    gap_deadline_hours: Hours | None = Field(
        None, description="連番が抜けてから、抜けた通知を待つ時間。法令に定めがないため必ず決めること"
    )
    contact_alert_hours: Hours | None = Field(
        None,
        description="市町村CSと最後に連絡が取れてから警告するまでの時間。法令に定めがないため必ず決めること",
    )
    snapshot_deadline_hours: Hours | None = Field(
        None,
        description="整合処理で市町村CSに現況を求めてから、届くのを待つ時間。法令に定めがないため必ず決めること",
    )
    confirmed_alert_hours: Hours | None = Field(
        None,
        description="整合処理で一致を最後に確認してから警告するまでの時間。法令に定めがないため必ず決めること",
    )
    hold_period_hours: Hours | None = Field(
        None,
        description="個人番号を含む提供を、送付の失敗に備えて一時保存する時間。送付から数える。法令に定めがないため必ず決めること",
    )
    hold_after_receipt_hours: Hours | None = Field(
        None,
        description="提供先の受領から一時保存を続ける時間。期限を早めることはあっても延ばさない。法令に定めがないため必ず決めること",
    )
    request_keep_days: int | None = Field(
        None, ge=1, le=366 * 7,
        description="提供先の要求と受け付けなかったファイルを、決定または拒否から保存する日数（なければ一時保存と同じ期間）",
    )  # fmt: skip
    recipient_quarantine_files: int = Field(
        1000, ge=10, le=100_000,
        description="一つの提供先の、受け付けなかった要求と受領書をそれぞれ何件まで保管するか。達すると新しいものを受け付けない",
    )  # fmt: skip
    purge_grace_minutes: int = Field(
        60, ge=1, le=60 * 24 * 7, description="一時保存の期限から、消去されていないと警告するまでの分数"
    )
    purge_clock_bound_hours: int = Field(
        24 * 14, ge=1, le=24 * 366,
        description="最後の消去からこの時間を超えて時計が進んでいれば、消去せずに止まり、確認を求める",
    )  # fmt: skip
    jlis_answer_alert_hours: Hours | None = Field(
        None,
        description="更新を機構に通知し、受領確認が届くまでに、それぞれ警告するまでの時間。法令に定めがないため必ず決めること",
    )
    operator_failures_most: int = Field(
        5, ge=1, le=100, description="操作者の認証結果を続けて何回拒めば、その操作者を停止するか"
    )
    person_searches_hourly: int = Field(
        60, ge=1, le=10_000, description="一人の操作者が一時間に、一つのファイルで人を探してよい回数"
    )
    person_views_hourly: int = Field(
        60, ge=1, le=10_000, description="一人の操作者が一時間に、一つのファイルで記録を見てよい人数"
    )
    disclosure_alert_days: int = Field(
        7, ge=1, le=29, description="開示の期限（法30条の33、受理の日を含めて30日）の何日前から警告するか"
    )
    correction_alert_days: int = Field(
        30, ge=1, le=366,
        description="訂正の申出（法30条の35、遅滞なく調査）を受けてから、答えていないと警告するまでの日数。法定の期限ではない",
    )  # fmt: skip
    disclosure_font: Path | None = Field(
        None, description="開示の書面に使う書体のファイル（絶対パス。なければ Noto Sans CJK JP）"
    )
    snapshot_wait_seconds: int = Field(
        300, ge=0, le=86_400,
        description="一回の実行の中で現況が届くのを待つ秒数。過ぎれば実行は失敗とし、次の実行が期限まで続きを行う",
    )  # fmt: skip
    snapshot_clock_skew_seconds: int = Field(
        120,
        ge=0,
        le=3600,
        description="現況の時点が、求めた時点より前でもよい秒数（市町村CSの時計のずれ）",
    )
    resident_code_check: Literal["alert", "error", "off"] = Field(
        "alert", description="住民票コードの検査数字の誤りの扱い（告示が公開されていないため既定は警告）"
    )
    max_channels: int = Field(4, ge=1, le=64, description="同時に受け入れる市町村の数")
    spool_quota_mib: int = Field(
        1024, ge=256, le=1_048_576,
        description="一つの市町村の処理前のファイルに使う容量（MiB、両ファイルで半分ずつ）。超える分は市町村CSに置いたままにする",
    )  # fmt: skip
    quarantine_quota_mib: int = Field(
        1024, ge=256, le=1_048_576,
        description="一つの市町村の隔離したファイルに使う容量（MiB、両ファイルで半分ずつ）。使い切ると新しい取込みを止める",
    )  # fmt: skip
    disk_free_alert_mib: int = Field(
        10_240, ge=1, le=1_073_741_824,
        description="juki doctor がディスクの空きの不足を警告する量（MiB）。その十分の一を下回れば誤りとする",
    )  # fmt: skip
    reconcile_bound_share: float = Field(
        DEFAULT_BOUND.share, gt=0, le=1,
        description="一回の照合で第二の承認なしに修復してよい人数の、全員に対する割合（下の件数と小さい方。一人は常に修復できる）",
    )  # fmt: skip
    reconcile_bound_most: int = Field(
        DEFAULT_BOUND.most, ge=1, le=100_000, description="一回の照合で第二の承認なしに修復してよい人数の上限"
    )
    witness_folders: list[AbsoluteFolder] | None = Field(
        None, min_length=1,
        description="操作ログのチェックポイントを写すフォルダ（絶対パスの配列。なければ home の witness）",
    )  # fmt: skip
    checkpoint_stale_minutes: int = Field(
        150, ge=10, le=10_080,
        description="操作ログの記録が、署名したチェックポイントに含まれないまま過ぎてよい分数（署名は処理のたびと毎時）",
    )  # fmt: skip
    scanner_address: ScannerPlace = Field(
        "",
        description="届いたファイルを検査する clamd（ソケットの絶対パスか ホスト:ポート。空なら検査をしない）",
    )
    scanner_pattern_hours: Hours | None = Field(
        None,
        description="ウイルス検査のパターンが作られてからの時間の上限。過ぎると取込みを止める。検査をするなら必ず決めること",
    )
    scanner_database_folder: AbsoluteFolder | None = Field(
        None,
        description="clamd がパターンの日付を答えないときに、日付を読むデータベースのフォルダ（絶対パス）",
    )
    scanner_timeout_seconds: int = Field(
        120, ge=1, le=3600, description="一つのファイルのウイルス検査を待つ秒数"
    )
    quality_runs_kept: int = Field(
        90,
        ge=2,
        le=3_650,
        description="品質検査の報告をいくつ残すか（比べる元の報告は、これより古くても残る）",
    )
    quality_stale_hours: int = Field(
        50, ge=1, le=24 * 366, description="最後の品質検査からこの時間を過ぎたら警告する（予定は毎日）"
    )
    lineage: bool = Field(
        True,
        description="実行の来歴を OpenLineage の形で JUKI_HOME の lineage フォルダに書く（件数とコードだけ）",
    )
    lineage_days_kept: int = Field(90, ge=1, le=3_660, description="実行の来歴を何日分残すか")
    prefect_port: int = Field(
        4200, ge=1024, le=65_535, description="juki up の画面と API のポート（この機械の中からだけ届く）"
    )
    prefect_url: SecretStr | None = Field(
        None,
        description="Prefect の記録を置く PostgreSQL の URL（なければ組込み。両ファイルとは別のデータベース）",
    )
    prefect_url_file: Path | None = Field(None, description="上の URL を収めたファイル（0600、絶対パス）")
    smtp_host: str | None = Field(
        None, min_length=1, description="警報を送るメールサーバ（なければ送らない）"
    )
    smtp_port: int = Field(587, ge=1, le=65_535, description="メールサーバのポート")
    smtp_from: str | None = Field(None, pattern=_ADDRESS, description="警報の差出人のアドレス")
    smtp_to: list[Annotated[str, Field(pattern=_ADDRESS)]] | None = Field(
        None, min_length=1, max_length=50, description="警報の宛先のアドレスの配列"
    )
    smtp_starttls: bool = Field(
        True, description="STARTTLS で暗号化し、証明書を確かめる（false は庁内の中継サーバなどに限る）"
    )
    smtp_ca_file: Path | None = Field(
        None, description="メールサーバの証明書の認証局（PEM、絶対パス。なければこの機械のもの）"
    )
    smtp_user: str | None = Field(
        None, min_length=1, description="メールサーバの利用者名（STARTTLS のときだけ使う）"
    )
    smtp_password_file: Path | None = Field(None, description="その暗証を収めたファイル（0600、絶対パス）")
    review_office_opens_hour: int = Field(
        8, ge=0, le=23, description="操作ログの点検で、夜間でないとする最初の時（日本時間）"
    )
    review_office_closes_hour: int = Field(
        20, ge=1, le=24, description="操作ログの点検で、夜間とする最初の時（日本時間）"
    )
    review_searches_an_hour: int = Field(
        30, ge=1, le=100_000, description="一人の操作者の検索・閲覧が一時間に何件あれば、大量として指摘するか"
    )
    review_views_of_one_a_week: int = Field(
        5, ge=1, le=10_000, description="一人の操作者が同じ人を七日に何回閲覧すれば、繰返しとして指摘するか"
    )
    review_act_within_hours: int = Field(
        24,
        ge=1,
        le=24 * 31,
        description="閲覧した操作者が、何時間以内に処理をすれば、処理を伴う閲覧とみなすか",
    )
    review_views_without_act_a_day: int = Field(
        5, ge=1, le=10_000, description="処理を伴わない閲覧が二十四時間に何件あれば指摘するか"
    )
    review_failures_a_day: int = Field(
        3, ge=1, le=10_000, description="認証の失敗・権限の拒否が二十四時間に何件あれば指摘するか"
    )
    review_numbers_a_day: int = Field(
        50, ge=1, le=1_000_000, description="一人の操作者が個人番号を二十四時間に何件取り扱えば指摘するか"
    )
    review_acknowledge_days: int = Field(
        14, ge=1, le=366, description="操作ログの点検の指摘を監査者が確認するまでの日数。過ぎれば警告する"
    )
    connect_timeout_seconds: int = Field(30, ge=1, le=600, description="市町村CSへの接続を待つ秒数")
    transfer_timeout_seconds: int = Field(600, ge=1, le=7200, description="一つのファイルの転送を待つ秒数")
    connect_attempts: int = Field(3, ge=1, le=10, description="接続を試みる回数（間隔は倍々に延ばす）")

    @field_validator("resident_url", "fuhyo_url", "prefect_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("scheme")
        return url

    @model_validator(mode="after")
    def _has_both_urls_or_none(self) -> Settings:
        """One file here and the other on an embedded server would be half an installation."""
        if (self.url(IdentityFile.RESIDENT) is None) != (self.url(IdentityFile.FUHYO) is None):
            raise ConfigurationError(Code.CONFIG_MISSING, "resident_url, fuhyo_url")
        return self

    @model_validator(mode="after")
    def _knows_how_old_patterns_may_be(self) -> Settings:
        """A scanner whose patterns may be of any age would let everything through in the end."""
        if self.scanner_address and self.scanner_pattern_hours is None:
            raise ConfigurationError(Code.CONFIG_MISSING, "scanner_pattern_hours")
        return self

    @model_validator(mode="after")
    def _can_post(self) -> Settings:
        """A server without addresses would post nothing; a password goes over an encrypted line only."""
        if self.smtp_host and not (self.smtp_from and self.smtp_to):
            raise ConfigurationError(Code.CONFIG_MISSING, "smtp_from, smtp_to")
        if self.smtp_user and not (self.smtp_starttls and self.smtp_password_file):
            raise ConfigurationError(Code.CONFIG_MISSING, "smtp_starttls, smtp_password_file")
        return self

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Settings:
        """An office that never opens would make every act one by night, and one that never closes none."""
        if self.review_office_opens_hour >= self.review_office_closes_hour:
            raise ConfigurationError(
                Code.CONFIG_INVALID, "review_office_opens_hour, review_office_closes_hour"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let variables win over what was read from the file."""
        return env_settings, init_settings

    def hours(self, period: Period) -> timedelta:
        """Return a period that must have been decided.

        Raises: ConfigurationError(CONFIG_MISSING) naming it.
        """
        value: int | None = getattr(self, period.value)
        if value is None:
            raise ConfigurationError(Code.CONFIG_MISSING, period.value)
        return timedelta(hours=value)

    def witnesses(self, home: Home) -> list[Path]:
        """List the folders checkpoints are written to, each once."""
        return list(dict.fromkeys(self.witness_folders or [home.witness]))

    @property
    def hold_terms(self) -> HoldTerms:
        """How long what was provided is held.

        Raises: ConfigurationError(CONFIG_MISSING) naming the period nobody has decided.
        """
        kept = None if self.request_keep_days is None else timedelta(days=self.request_keep_days)
        return HoldTerms(self.hours(Period.HOLD), self.hours(Period.HOLD_AFTER_RECEIPT), kept)

    @property
    def review_limits(self) -> ReviewLimits:
        """From how much on a review of the operation log has a finding."""
        return ReviewLimits(
            self.review_office_opens_hour, self.review_office_closes_hour, self.review_searches_an_hour,
            self.review_views_of_one_a_week, self.review_act_within_hours, self.review_views_without_act_a_day,
            self.review_failures_a_day, self.review_numbers_a_day,
        )  # fmt: skip

    @property
    def reconcile_bound(self) -> Bound:
        """How many people one comparison may change without a second approval."""
        return Bound(self.reconcile_bound_share, self.reconcile_bound_most)

    def url(self, file: IdentityFile) -> str | None:
        """Return the administrator URL of the store of a file; None when the embedded server keeps it.

        Raises: ConfigurationError(KEY_MISSING | KEY_PERMISSIONS) for a file that can not be read privately.
        """
        return self._url_of(file.value)

    @property
    def own_prefect_url(self) -> str | None:
        """The URL of the database of Prefect; None when it is on the embedded server. Raises as `url` does."""
        return self._url_of("prefect")

    def _url_of(self, owner: str) -> str | None:
        direct: SecretStr | None = getattr(self, f"{owner}_url")
        by_file: Path | None = getattr(self, f"{owner}_url_file")
        if direct is not None:
            return direct.get_secret_value()
        return read_private(by_file).decode("utf-8", "replace").strip() if by_file else None


def home_of(environ: Mapping[str, str] = os.environ) -> Home:
    """Name the JUKI_HOME of this process."""
    return Home.at(environ.get("JUKI_HOME") or DEFAULT_HOME)


def load_settings(home: Home) -> Settings:
    """Read the settings of a home.

    Raises: ConfigurationError naming the keys that are unknown or at fault.
    """
    _refuse_unknown_variables(os.environ)
    values = read_toml(home.settings_file)
    if any(values.get(f"{owner}_url") for owner in (*IdentityFile, "prefect")):
        read_private(home.settings_file)
    return validated(lambda: Settings(**values), home.settings_file.name)


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | _NOT_SETTINGS
    unknown = sorted(
        name for name in environ if name.upper().startswith(PREFIX) and name.upper() not in known
    )
    if unknown:
        raise ConfigurationError(Code.CONFIG_UNKNOWN, ", ".join(unknown))
