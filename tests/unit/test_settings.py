"""Settings: what is wrong is named by its key, never by its value; what nobody decided is not assumed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.municipalities import load_municipalities
from config.notifying import is_posting, mail_server, notifications, post_unsent
from config.places import known_municipality_codes, municipality_name, yamaguchi_municipalities
from config.presentation import shown_settings, template
from config.settings import Period, Settings, load_settings
from flows.environment import database_settings
from juki.alarms import Alarm, AlarmKind
from juki.codes import is_municipality_code
from juki.columns import IdentityFile
from juki.differences import DEFAULT_BOUND, Bound
from juki.errors import ConfigurationError
from juki.home import Home
from juki.keys import write_private
from juki.reasons import Code
from juki.review import ReviewLimits
from juki.wire.mail import MailServer

SECRET = "s3cr3t-pässword"
URL = f"postgresql://admin:{SECRET}@db.example:5433/juki?options=-c%20{SECRET}"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests must not decide them."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"JUKI_{name.upper()}", raising=False)


def _write(home: Home, text: str) -> None:
    home.create()
    home.settings_file.write_text(text, "utf-8")
    home.settings_file.chmod(0o600)


def _refusal(home: Home) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(home)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    return refused.value


def test_defaults_are_technical_only(home: Home) -> None:
    """Without any file the servers are embedded, and no period is known."""
    settings = load_settings(home)
    assert settings.url(IdentityFile.RESIDENT) is None
    for period in Period:
        with pytest.raises(ConfigurationError) as refused:
            settings.hours(period)
        assert (refused.value.code, refused.value.ref) == (Code.CONFIG_MISSING, period.value)


def test_variable_wins_over_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file decides for good, a variable for one run."""
    _write(home, "max_channels = 7\ngap_deadline_hours = 48\n")
    monkeypatch.setenv("JUKI_MAX_CHANNELS", "9")
    settings = load_settings(home)
    assert settings.max_channels == 9
    assert settings.hours(Period.GAP_DEADLINE) == timedelta(hours=48)
    origins = {shown.key: shown.origin for shown in shown_settings(settings, home)}
    assert origins["max_channels"] == "env"
    assert origins["gap_deadline_hours"] == "file"
    assert origins["contact_alert_hours"] == "missing"
    assert origins["connect_attempts"] == "default"


def test_unknown_key_in_the_file_is_refused_by_name(home: Home) -> None:
    """A misspelt key would otherwise be silently without effect."""
    _write(home, f'max_chanels = 3\nresident_url = "{SECRET}"\n')
    refusal = _refusal(home)
    assert refusal.code is Code.CONFIG_UNKNOWN
    assert "max_chanels" in str(refusal)
    assert SECRET not in str(refusal)


def test_unknown_variable_is_refused_by_name(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """So would a misspelt variable."""
    monkeypatch.setenv("JUKI_RESIDENT_ULR", SECRET)
    refusal = _refusal(home)
    assert (refusal.code, refusal.ref) == (Code.CONFIG_UNKNOWN, "JUKI_RESIDENT_ULR")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (f'max_channels = "{SECRET}"', "max_channels"),
        ("max_channels = 0", "max_channels"),
        (f'resident_url = "mysql://{SECRET}"', "resident_url"),
        ('prefecture_code = "350000"', "prefecture_code"),
        ('prefecture_code = "３５０００１"', "prefecture_code"),
        (f'resident_code_check = "{SECRET}"', "resident_code_check"),
        ("gap_deadline_hours = 0", "gap_deadline_hours"),
    ],
)
def test_wrong_value_is_named_by_its_key_only(home: Home, line: str, key: str) -> None:
    """The value of a setting may be a secret; the message holds none."""
    _write(home, line)
    refusal = _refusal(home)
    assert refusal.code is Code.CONFIG_INVALID
    assert key in refusal.ref
    assert SECRET not in str(refusal)


@pytest.mark.parametrize("content", [f"resident_url = {SECRET}".encode(), b"\xff\xfe", b"[a]\n[a]\n"])
def test_file_that_is_no_toml_is_refused_without_its_text(home: Home, content: bytes) -> None:
    """The parser's own message quotes the line."""
    home.create()
    home.settings_file.write_bytes(content)
    refusal = _refusal(home)
    assert (refusal.code, refusal.ref) == (Code.CONFIG_INVALID, "juki.toml")


def test_url_comes_from_a_private_file(home: Home, tmp_path: Path) -> None:
    """A secret in a file others may read is refused."""
    secret = tmp_path / "url"
    secret.write_text(f"{URL}\n")
    secret.chmod(0o600)
    _write(home, f'resident_url_file = "{secret}"\nfuhyo_url_file = "{secret}"\n')
    assert load_settings(home).url(IdentityFile.FUHYO) == URL
    secret.chmod(0o644)
    assert _refusal(home).code is Code.KEY_PERMISSIONS


def test_file_that_holds_a_url_must_be_private(home: Home) -> None:
    """juki.toml itself becomes a secret once it holds one."""
    _write(home, f'resident_url = "{URL}"\nfuhyo_url = "{URL}"\n')
    home.settings_file.chmod(0o644)
    assert _refusal(home).code is Code.KEY_PERMISSIONS


def test_one_url_alone_is_refused(home: Home) -> None:
    """One store elsewhere and one embedded is nobody's intention."""
    _write(home, f'resident_url = "{URL}"\n')
    assert _refusal(home).code is Code.CONFIG_MISSING


def test_secrets_are_shown_by_where_they_lead(home: Home) -> None:
    """Neither the screen nor a repr holds user, password or options."""
    _write(home, f'resident_url = "{URL}"\nfuhyo_url = "{URL}"\n')
    settings = load_settings(home)
    values = {shown.key: shown.value for shown in shown_settings(settings, home)}
    assert values["resident_url"] == "postgresql://***@db.example:5433/juki"
    assert SECRET not in repr(settings) + str(values)


def test_template_sets_nothing_but_what_was_decided(home: Home) -> None:
    """The file `juki init` writes can be read at once and explains every setting."""
    _write(home, template())
    assert load_settings(home) == load_settings(Home.at(home.root / "none"))
    assert all(name in template() for name in Settings.model_fields)
    _write(home, template({Period.GAP_DEADLINE: 24, Period.CONTACT_ALERT: 26}))
    assert load_settings(home).hours(Period.CONTACT_ALERT) == timedelta(hours=26)


def _registration(**changes: object) -> str:
    values = {
        "code": "352039",
        "name": "山口市",
        "host": "cs.example",
        "account": "pref35",
        "host_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGSm8FmL",
        "signing_certificates": ["ab" * 32],
        "roots": ["pki/root.pem"],
        "receipt_certificate": "pki/352039.pem",
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in (values | changes).items() if value is not None]
    return "\n".join(["[[municipality]]", *lines, ""])


def _register(home: Home, *registrations: str) -> None:
    home.create()
    home.municipalities_file.write_text("\n".join(registrations), "utf-8")


def test_registered_municipality_is_found_by_its_code(home: Home) -> None:
    """What is registered is what is used; the port has its usual default."""
    _register(home, _registration())
    registered = load_municipalities(home, "350001")
    assert registered.of("352039").port == 22
    with pytest.raises(ConfigurationError):
        registered.of("352021")


def test_digests_are_asked_of_those_who_say_that_they_answer_them(home: Home) -> None:
    """A CS that does not know them would be waited for in vain, and every number opened for nothing."""
    _register(home, _registration())
    assert not load_municipalities(home, "350001").of("352039").answers_digests
    _register(home, _registration(answers_digests=True))
    assert load_municipalities(home, "350001").of("352039").answers_digests


def test_no_file_means_nobody_is_registered(home: Home) -> None:
    """Before registration there is no source at all."""
    assert load_municipalities(home, "350001").codes == []


@pytest.mark.parametrize(
    ("changes", "code", "key"),
    [
        ({"code": "352038"}, Code.CONFIG_INVALID, "municipality[1].code"),
        ({"code": "131016"}, Code.CONFIG_INVALID, "municipality.code"),
        ({"host_key": "ssh-ed25519 AAAA cs.example"}, Code.CONFIG_INVALID, "municipality[1].host_key"),
        ({"host_key": "cs.example ssh-ed25519 AAAA"}, Code.CONFIG_INVALID, "municipality[1].host_key"),
        ({"host_key": None}, Code.CONFIG_MISSING, "municipality[1].host_key"),
        ({"signing_certificates": []}, Code.CONFIG_INVALID, "municipality[1].signing_certificates"),
        ({"signing_certificates": ["AB" * 32]}, Code.CONFIG_INVALID, "signing_certificates[1]"),
        ({"roots": []}, Code.CONFIG_INVALID, "municipality[1].roots"),
        ({"port": "22"}, Code.CONFIG_INVALID, "municipality[1].port"),
        ({"answers_digests": "yes"}, Code.CONFIG_INVALID, "municipality[1].answers_digests"),
        ({"answers_digests": 1}, Code.CONFIG_INVALID, "municipality[1].answers_digests"),
        ({"verify": False}, Code.CONFIG_UNKNOWN, "municipality[1].verify"),
    ],
)
def test_registration_at_fault_is_refused(
    home: Home, changes: dict[str, object], code: Code, key: str
) -> None:
    """Nothing is guessed, nothing can be switched off."""
    _register(home, _registration(**changes))
    with pytest.raises(ConfigurationError) as refused:
        load_municipalities(home, "350001")
    assert refused.value.code is code
    assert key in refused.value.ref


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"signing_certificates": ["cd" * 32], "account": "other"}, "code"),
        ({"code": "352021", "account": "other"}, "signing_certificates"),
        ({"code": "352021", "signing_certificates": ["cd" * 32]}, "account"),
    ],
)
def test_two_municipalities_can_not_share_an_identity(
    home: Home, changes: dict[str, object], key: str
) -> None:
    """One certificate in two registrations would let one municipality speak for the other."""
    _register(home, _registration(), _registration(**changes))
    with pytest.raises(ConfigurationError) as refused:
        load_municipalities(home, "350001")
    assert (refused.value.code, refused.value.ref) == (Code.CONFIG_SHARED, key)


def test_published_codes_end_right_and_hold_the_prefecture() -> None:
    """Every code of the list has a valid check digit; the 19 of Yamaguchi are among them."""
    assert len(known_municipality_codes()) == 1741
    assert all(is_municipality_code(code) for code in known_municipality_codes())
    assert len(yamaguchi_municipalities()) == 19
    assert set(yamaguchi_municipalities()) <= known_municipality_codes()
    assert municipality_name("352039") == "山口市"
    assert municipality_name("000000") == "000000"


def test_the_bound_of_repairs_is_a_share_and_a_number(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of the box what ADR-0022 says; a share of nothing or of more than all, or nobody at all, is an error."""
    assert load_settings(home).reconcile_bound == DEFAULT_BOUND
    _write(home, "reconcile_bound_share = 0.01\nreconcile_bound_most = 7\n")
    assert load_settings(home).reconcile_bound == Bound(0.01, 7)
    shown = {one.key: one.value for one in shown_settings(load_settings(home), home)}
    assert (shown["reconcile_bound_share"], shown["reconcile_bound_most"]) == ("0.01", "7")
    for name, value in (("SHARE", "0"), ("SHARE", "1.1"), ("MOST", "0")):
        with monkeypatch.context() as variables:
            variables.setenv(f"JUKI_RECONCILE_BOUND_{name}", value)
            assert f"reconcile_bound_{name.lower()}" in str(_refusal(home))


def test_letters_need_addresses_and_a_password_an_encrypted_line(home: Home) -> None:
    """A server alone would post nothing, and nobody would notice."""
    _write(home, 'smtp_host = "mail.example"\nsmtp_from = "a@pref.example"\n')
    assert (_refusal(home).code, _refusal(home).ref) == (Code.CONFIG_MISSING, "smtp_from, smtp_to")
    addresses = 'smtp_host = "mail.example"\nsmtp_from = "a@pref.example"\nsmtp_to = ["b@pref.example"]\n'
    _write(home, addresses)
    assert mail_server(load_settings(home)) == MailServer(
        "mail.example", 587, "a@pref.example", ["b@pref.example"], starttls=True
    )
    _write(home, addresses + 'smtp_user = "juki"\nsmtp_starttls = false\n')
    assert _refusal(home).ref == "smtp_starttls, smtp_password_file"
    _write(home, 'smtp_to = ["nobody"]\n')
    assert _refusal(home).code is Code.CONFIG_INVALID


@pytest.mark.parametrize("mode", [0o640, None], ids=["open to others", "missing"])
def test_alarm_is_told_although_the_mail_password_can_not_be_read(home: Home, mode: int | None) -> None:
    """That letters are posted is known without it: the letter waits, and the failure is that of posting it."""
    secret = _with_mail(home)
    if mode is None:
        secret.unlink()
    else:
        secret.chmod(mode)
    settings, told = load_settings(home), notifications(home)
    assert is_posting(settings)
    assert post_unsent(home, settings) == 0
    told.tell(Alarm(AlarmKind.RUN_LATE, "intake", datetime.now(UTC)), is_posted=is_posting(settings))
    with pytest.raises(ConfigurationError) as refused:
        post_unsent(home, settings)
    code = Code.KEY_PERMISSIONS if mode else Code.KEY_MISSING
    assert (refused.value.code, refused.value.ref, told.waiting) == (code, "smtp", 1)


@pytest.mark.parametrize(
    ("user", "password", "setting"),
    [("利用者", "x", "smtp_user"), ("juki", SECRET, "smtp_password_file"), ("juki", "\n", "smtp_password_file"),
     ("juki", "x\ny", "smtp_password_file")],
)  # fmt: skip
def test_name_and_password_that_no_mail_server_can_be_told_are_said_by_their_setting(
    home: Home, user: str, password: str, setting: str
) -> None:
    """Neither is in the message."""
    _with_mail(home, user, password)
    with pytest.raises(ConfigurationError) as refused:
        mail_server(load_settings(home))
    assert (refused.value.code, refused.value.ref) == (Code.NOTIFICATION_PASSWORD, setting)


def _with_mail(home: Home, user: str = "juki", password: str = "x") -> Path:
    """Set a mail server with a password; return the file of the password."""
    home.create()
    secret = home.root / "smtp"
    write_private(secret, password.encode())
    _write(
        home,
        'smtp_host = "127.0.0.1"\nsmtp_port = 1\nsmtp_from = "a@pref.example"\nsmtp_to = ["b@pref.example"]\n'
        f'smtp_user = "{user}"\nsmtp_password_file = "{secret}"\n',
    )
    return secret


def test_database_of_prefect_is_reached_encrypted_and_proven_or_not_at_all(home: Home) -> None:
    """`require` encrypts towards whoever answers; that proves nothing."""
    url = "postgresql://prefect:x@db.example/prefect?sslmode=verify-full&sslrootcert=/srv/root.pem"
    _write(home, f'prefect_url = "{url}"\n')
    said = database_settings(home, load_settings(home))
    name = "PREFECT_API_DATABASE_CONNECTION_URL"
    assert said.pop(name) == "postgresql+asyncpg://prefect:x@db.example/prefect"
    assert sorted(said.values()) == ["/srv/root.pem", "true", "true"]
    assert len([key for key in said if "_TLS_" in key]) == 3
    _write(home, f'prefect_url = "{url.replace("verify-full", "require")}"\n')
    with pytest.raises(ConfigurationError) as refused:
        database_settings(home, load_settings(home))
    assert (refused.value.code, refused.value.ref) == (Code.CONFIG_INVALID, "prefect_url sslmode")
    _write(home, "")
    embedded = database_settings(home, load_settings(home))
    assert list(embedded) == [name] and embedded[name].startswith(
        "postgresql+asyncpg://prefect@/prefect?host=/"
    )


def test_limits_of_the_review_are_those_of_the_settings_and_an_office_opens_before_it_closes(
    home: Home,
) -> None:
    """Without a word the defaults of the rules; hours the other way round would make every act one by night."""
    _write(home, "")
    assert load_settings(home).review_limits == ReviewLimits()
    _write(home, "review_office_opens_hour = 7\nreview_numbers_a_day = 9")
    assert load_settings(home).review_limits == ReviewLimits(opens_hour=7, numbers_a_day=9)
    _write(home, "review_office_opens_hour = 20")
    with pytest.raises(ConfigurationError) as refused:
        load_settings(home)
    assert refused.value.code is Code.CONFIG_INVALID and "review_office_opens_hour" in refused.value.ref
