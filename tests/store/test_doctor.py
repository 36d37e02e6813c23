"""`juki doctor`: an installation in order is found in order, and each fault planted alone is the only one found."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from config.logs import log_keys
from config.settings import load_settings
from config.store_keys import keys_at_hand
from juki.cli import doctor_command
from juki.columns import IdentityFile
from juki.credentials import Credentials
from juki.home import Home
from juki.keys import FileKeys, write_private
from juki.operators import Operator, Role
from juki.processes import identity_of
from juki.reasons import Code
from juki.site import SiteFiles, SiteNote
from juki.store.key_register import register_keys
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tests.conftest import Stores
from tests.console import UBE, Console
from tests.gateway import Gateway

NOW = datetime.now(UTC).replace(microsecond=0)
RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
DAY = timedelta(days=1)
SETTINGS = (
    "gap_deadline_hours = 24", "contact_alert_hours = 24", "confirmed_alert_hours = 200",
    "snapshot_deadline_hours = 12", "hold_period_hours = 72", "hold_after_receipt_hours = 24",
    "jlis_answer_alert_hours = 24",
)  # fmt: skip
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "試験の認証局")])


@pytest.fixture(scope="module")
def certificate_key() -> ec.EllipticCurvePrivateKey:
    """The key every certificate of this module is of."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of every key an installation has; made once, for RSA keys take their time."""
    home = Home.at(tmp_path_factory.mktemp("doctor") / "home")
    home.create()
    for file, purpose in FileKeys(home.keys).missing():
        FileKeys(home.keys).create(file, purpose)
    Credentials(home.keys).create_missing("350001", NOW)
    log_keys(home, load_settings(home)).create_missing()
    return home.keys


@pytest.fixture
def console(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    keys: Path, certificate_key: ec.EllipticCurvePrivateKey,
) -> Console:  # fmt: skip
    """An installation in perfect order."""
    made = Console(home, module_stores, monkeypatch, capsys)
    home.witness.chmod(0o700)
    settled(made)
    shutil.copytree(keys, home.keys, dirs_exist_ok=True)
    for file in IdentityFile:
        with psycopg.connect(module_stores.url(file)) as connection:
            connection.execute("DELETE FROM store_key")
        register_keys(module_stores.url(file), file, keys_at_hand(home, file), "試験", NOW)
    for name in ("root", "352039", "352012", UBE):
        certify(home, f"{name}.crt", certificate_key)
    Gateway().trusted_in(home)
    with open_unit(module_stores.resident_url, RESIDENT, Duty.ADMINISTRATOR) as unit:
        for one in ("op-1", "op-2"):
            unit.operators.register(_administrator(one), NOW)
    # One that is up is asked for its schedules: tests/flows/test_site.py has a real server for that.
    at = datetime.now(UTC).isoformat()
    SiteFiles(home).write(SiteNote(identity_of(os.getpid()), 4200, at, beat=at))
    return made


def _administrator(operator_id: str) -> Operator:
    roles, terminals = frozenset({Role.ADMINISTRATOR}), frozenset({"T-01"})
    return Operator(operator_id, f"職員{operator_id}", roles, terminals, date(2020, 1, 1), None)


def settled(console: Console, *more: str) -> None:
    """Write the settings; how full this machine is says nothing of the installation under test."""
    room = () if any(one.startswith("disk") for one in more) else ("disk_free_alert_mib = 1",)
    console.settings(*SETTINGS, *room, *more)


def certify(
    home: Home, name: str, key: ec.EllipticCurvePrivateKey, end: datetime = NOW + 400 * DAY,
    begin: datetime = NOW - 9000 * DAY,
) -> None:  # fmt: skip
    """Put a certificate into the home."""
    made = (
        x509.CertificateBuilder()
        .subject_name(_NAME)
        .issuer_name(_NAME)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    (home.root / name).write_bytes(made.public_bytes(Encoding.PEM))


def revoke(home: Home, key: ec.EllipticCurvePrivateKey, end: datetime) -> None:
    """Register a revocation list of the first municipality."""
    made = x509.CertificateRevocationListBuilder().issuer_name(_NAME).last_update(end - 7 * DAY)
    (home.root / "root.crl").write_bytes(
        made.next_update(end).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    )
    file = home.municipalities_file
    file.write_text(
        file.read_text("utf-8").replace("receipt_", 'revocation_lists = ["root.crl"]\nreceipt_', 1), "utf-8"
    )


def found(console: Console) -> set[tuple[Code, str]]:
    """Let the doctor look; return what is wrong and where, after its exit code was held to it."""
    said = console.juki("doctor", "--json")
    wrong = {(Code(one["code"]), one["ref"]) for one in said.data["findings"] if one["state"] != "ok"}
    severities = {code.severity.value for code, _ in wrong}
    assert said.code == (2 if "error" in severities else 1 if severities else 0)
    assert said.err == ""
    return wrong


def codes(console: Console) -> set[Code]:
    """Return what is wrong."""
    return {code for code, _ in found(console)}


def test_installation_in_order_is_found_in_order(console: Console) -> None:
    """Nothing is wrong, every subject was looked at, and nothing was changed."""
    before = {path: path.stat().st_mtime_ns for path in console.home.root.rglob("*")}
    said = console.juki("doctor")
    assert (said.code, said.err) == (0, ""), said.out
    assert "調べていません" not in said.out
    assert "PostgreSQL" not in said.out
    assert {path: path.stat().st_mtime_ns for path in console.home.root.rglob("*")} == before
    data = console.juki("doctor", "--json").data
    assert data["state"] == "ok"
    assert data["versions"]["prefect"] != "-"


def test_fault_is_said_in_japanese_with_its_code_and_next_step(console: Console) -> None:
    """What people read is the sentence, the place, and what to do."""
    console.home.keys.chmod(0o755)
    said = console.juki("doctor")
    assert said.code == 2
    assert f"誤り [home.not_private] {Code.HOME_NOT_PRIVATE.message}" in said.out
    assert "home/keys" in said.out
    assert f"→ {Code.HOME_NOT_PRIVATE.next_step}" in said.out


# -- files and keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [".", "keys", "holds", "witness", "spool", "prefect"])
def test_folder_open_to_others_is_found(console: Console, place: str) -> None:
    """Also the home itself, which may be passed through by root's server and listed by nobody."""
    (console.home.root / place).chmod(0o755)
    assert codes(console) == {Code.HOME_NOT_PRIVATE}


def test_key_of_another_account_is_found(console: Console) -> None:
    """Whoever owns a key may open it to anybody."""
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(console.home.keys / "sftp_client.pub", 12345, -1)
    assert found(console) == {(Code.HOME_NOT_PRIVATE, "home/keys/sftp_client.pub")}


def test_lost_store_key_is_found(console: Console) -> None:
    """The store knows a key of which there is no file."""
    (console.home.keys / "fuhyo-digest-1.key").unlink()
    assert codes(console) == {Code.KEY_MISSING}


def test_key_of_another_installation_is_found(console: Console) -> None:
    """The file is there and opens nothing."""
    path = console.home.keys / "resident-number-1.key"
    path.write_text("00" * 32 + "\n", encoding="ascii")
    assert found(console) == {(Code.KEY_OTHER, "resident resident-number-1")}


@pytest.mark.parametrize("name", ["sftp_client.key", "log_signing-1.key"])
def test_lost_key_of_our_own_is_found(console: Console, name: str) -> None:
    """Nothing could be fetched, or nothing be signed."""
    (console.home.keys / name).unlink()
    assert found(console) == {(Code.KEY_MISSING, f"keys {name}")}


# -- what ends --------------------------------------------------------------------------------------------


def test_certificate_near_its_end_is_an_alert_and_after_it_an_error(
    console: Console, certificate_key: ec.EllipticCurvePrivateKey
) -> None:
    """Thirty days are said in advance; of which municipality is said too."""
    for end, code in ((29 * DAY, Code.CERTIFICATE_EXPIRING), (-DAY, Code.CERTIFICATE_NOT_VALID)):
        certify(console.home, f"{UBE}.crt", certificate_key, NOW + end)
        assert found(console) == {(code, f"{UBE} receipt")}
    certify(console.home, f"{UBE}.crt", certificate_key, begin=NOW + DAY)
    assert codes(console) == {Code.CERTIFICATE_NOT_VALID}


def test_certificate_that_is_none_hides_no_other(
    console: Console, certificate_key: ec.EllipticCurvePrivateKey
) -> None:
    """Those after it are still looked at."""
    (console.home.root / "352039.crt").write_text("これは証明書ではない", encoding="utf-8")
    certify(console.home, f"{UBE}.crt", certificate_key, NOW - DAY)
    assert codes(console) == {Code.CONFIG_INVALID, Code.CERTIFICATE_NOT_VALID}


@pytest.mark.parametrize(
    ("left", "code"),
    [(DAY, Code.CERTIFICATE_EXPIRING), (-DAY, Code.REVOCATION_LIST_OUTDATED), (6 * DAY, None)],
    ids=["near", "over", "fresh"],
)
def test_revocation_list_is_renewed_in_days_not_months(
    console: Console, certificate_key: ec.EllipticCurvePrivateKey, left: timedelta, code: Code | None
) -> None:
    """A list of a week is in order in its first days."""
    revoke(console.home, certificate_key, NOW + left)
    assert codes(console) == ({code} if code else set())


def test_gateway_key_at_its_end_is_found_unless_the_next_is_registered(console: Console) -> None:
    """Old keys stay beside new ones: only the last end of a gateway counts."""
    file, today = console.home.issuers_file, NOW.date()
    first = file.read_text("utf-8")
    ending = f"{first}valid_to = {today + 10 * DAY}\n"
    file.write_text(ending, "utf-8")
    assert found(console) == {(Code.CERTIFICATE_EXPIRING, "gw-1 gw-1.2026")}
    following = first.replace("gw-1.2026", "gw-1.2027").replace("2020-01-01", str(today + 5 * DAY))
    file.write_text(ending + following, "utf-8")
    assert codes(console) == set()
    file.write_text(f"{first}valid_to = {today - 2 * DAY}\n", "utf-8")
    assert codes(console) == {Code.CERTIFICATE_NOT_VALID}


# -- the machine ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "code"),
    [(3, None), (10, Code.CLOCK_APART), (-10, Code.CLOCK_APART), (90, Code.CLOCK_FAR_APART)],
)
def test_clock_beside_that_of_the_databases_is_found(
    console: Console, monkeypatch: pytest.MonkeyPatch, ahead: int, code: Code | None
) -> None:
    """Of both databases, in both directions."""
    monkeypatch.setattr(doctor_command, "now_utc", lambda: datetime.now(UTC) + timedelta(seconds=ahead))
    assert found(console) == ({(code, "resident"), (code, "fuhyo")} if code else set())


def test_disk_without_the_room_asked_for_is_found(console: Console) -> None:
    """A prefecture says how much it wants; a tenth of it is far too little."""
    free = shutil.disk_usage(console.home.root).free // (1024 * 1024)
    settled(console, f"disk_free_alert_mib = {free * 2}")
    assert found(console) == {(Code.DISK_LOW, "home")}
    settled(console, f"disk_free_alert_mib = {free * 20}")
    assert found(console) == {(Code.DISK_SHORT, "home")}


def _site_note(supervisor: str, port: int, is_answering: bool) -> SiteNote:
    at = datetime.now(UTC).isoformat()
    return SiteNote(supervisor, port, at, True, is_answering, is_working=True, beat=at)


def test_site_that_is_down_or_died_is_found(console: Console) -> None:
    """Without it no schedule runs."""
    site = SiteFiles(console.home)
    site.write(_site_note("1:0", 4200, True))
    assert codes(console) == {Code.SITE_BROKEN}
    site.write(_site_note(identity_of(os.getpid()), 4200, False))
    assert codes(console) == {Code.SITE_SILENT}
    site.write(_site_note(identity_of(os.getpid()), 1, True))
    assert found(console) == {(Code.SITE_SILENT, "site /deployments/filter 0")}
    site.forget()
    assert found(console) == {(Code.SITE_DOWN, "down")}


def test_mail_password_that_can_not_be_used_is_found(console: Console) -> None:
    """Open to others, not sayable, gone: each would keep every letter here, and is said before the first alarm."""
    secret = console.home.root / "smtp"
    write_private(secret, "暗証".encode())
    settled(
        console, 'smtp_host = "mail.example"', 'smtp_from = "a@pref.example"', 'smtp_to = ["b@pref.example"]',
        'smtp_user = "juki"', f'smtp_password_file = "{secret}"',
    )  # fmt: skip
    assert found(console) == {(Code.NOTIFICATION_PASSWORD, "smtp smtp_password_file")}
    secret.chmod(0o640)
    assert found(console) == {(Code.KEY_PERMISSIONS, "smtp smtp")}
    secret.unlink()
    assert found(console) == {(Code.KEY_MISSING, "smtp smtp")}
    write_private(secret, b"s3cret\n")
    assert found(console) == set()


def test_witness_that_is_gone_is_found(console: Console, tmp_path: Path) -> None:
    """A volume that is not mounted."""
    settled(console, f"witness_folders = {json.dumps([str(tmp_path / 'volume')])}")
    assert found(console) == {(Code.WITNESS_UNREACHABLE, "volume")}


def test_witness_inside_the_database_is_found(console: Console, server_home: Home) -> None:
    """Whoever rewrites the log there would rewrite its witness."""
    settled(console, f"witness_folders = {json.dumps([str(server_home.postgres / 'data')])}")
    assert found(console) == {(Code.WITNESS_BESIDE_DATABASE, "data")}


# -- the databases ----------------------------------------------------------------------------------------


@pytest.fixture
def altered(console: Console) -> Iterator[psycopg.Connection]:
    """A hand on the resident store that leaves it as it was."""
    with psycopg.connect(console.stores.resident_url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(
    ("done", "undone", "told"),
    [
        ("GRANT DELETE ON current TO juki_resident_reader", "REVOKE DELETE ON current FROM juki_resident_reader",
         "+ juki_resident_reader DELETE current"),
        ("REVOKE INSERT ON journal FROM juki_resident_intake", "GRANT INSERT ON journal TO juki_resident_intake",
         "- juki_resident_intake INSERT journal"),
        ("GRANT SELECT ON channel TO juki_fuhyo_reader", "REVOKE SELECT ON channel FROM juki_fuhyo_reader",
         "+ juki_fuhyo_reader SELECT channel"),
        ("GRANT SELECT ON history TO PUBLIC", "REVOKE SELECT ON history FROM PUBLIC", "+ PUBLIC SELECT history"),
        ("GRANT SELECT (name) ON current TO juki_resident_purger",
         "REVOKE SELECT (name) ON current FROM juki_resident_purger",
         "+ juki_resident_purger SELECT current.name"),
        ("GRANT EXECUTE ON FUNCTION bridge_numbers TO PUBLIC",
         "REVOKE EXECUTE ON FUNCTION bridge_numbers FROM PUBLIC",
         "+ PUBLIC EXECUTE bridge_numbers(bigint,text[])"),
        ("ALTER ROLE juki_resident_bridge LOGIN", "ALTER ROLE juki_resident_bridge NOLOGIN",
         "+ juki_resident_bridge LOGIN"),
    ],
    ids=["surplus", "missing", "other file", "everybody", "one column", "function", "login"],
)  # fmt: skip
def test_right_nobody_decided_is_named(
    console: Console, altered: psycopg.Connection, done: str, undone: str, told: str
) -> None:
    """Each duty holds exactly its grants, and a role is nothing one logs in with."""
    altered.execute(done)  # type: ignore[arg-type]
    try:
        assert found(console) == {(Code.STORE_RIGHTS, f"resident {told}")}
    finally:
        altered.execute(undone)  # type: ignore[arg-type]


def test_store_of_another_version_is_found(console: Console, altered: psycopg.Connection) -> None:
    """Only that: rights that differ because the tables do are not told."""
    (newest,) = altered.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    altered.execute("UPDATE alembic_version SET version_num = '0001'")
    try:
        altered.execute("GRANT DELETE ON current TO juki_resident_reader")
        assert found(console) == {(Code.STORE_SCHEMA, "resident 0001")}
    finally:
        altered.execute("REVOKE DELETE ON current FROM juki_resident_reader")
        altered.execute("UPDATE alembic_version SET version_num = %s", (newest,))


def test_store_without_its_keys_is_found(console: Console, altered: psycopg.Connection) -> None:
    """Nobody would notice other keys."""
    altered.execute("DELETE FROM store_key")
    assert found(console) == {(Code.KEY_UNREGISTERED, "resident resident")}


def test_store_that_does_not_answer_hides_no_other(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one is still looked at, and nothing of the URL is told."""
    monkeypatch.setenv("JUKI_FUHYO_URL", "postgresql://nobody:himitsu@127.0.0.1:1/none")
    said = console.juki("doctor")
    assert said.code == 2
    assert "himitsu" not in said.out + said.err
    assert found(console) == {(Code.STORE_UNREACHABLE, "fuhyo no answer")}


# -- operators and settings -------------------------------------------------------------------------------


def test_installation_open_to_whoever_has_an_account_is_found(
    console: Console, altered: psycopg.Connection
) -> None:
    """One administrator is none: nothing that needs two can be done."""
    altered.execute("UPDATE operator SET locked_at = now() WHERE operator_id = 'op-2'")
    assert found(console) == {(Code.OPERATOR_INSTALLATION_OPEN, "operator")}


def test_operators_without_a_gateway_are_found(console: Console) -> None:
    """Nobody could act."""
    console.home.issuers_file.unlink()
    assert found(console) == {(Code.OPERATOR_NO_ISSUER, "issuers.toml")}


def test_registration_that_can_not_be_read_hides_no_other(console: Console) -> None:
    """The file is named, and everything else is still looked at."""
    console.home.recipients_file.write_text("recipient = 1 = 2", encoding="utf-8")
    assert found(console) == {(Code.CONFIG_INVALID, "recipients.toml recipients.toml")}


def test_settings_that_can_not_be_read_are_a_finding(console: Console) -> None:
    """There is nothing else to look by."""
    settled(console, "unknown_key = 1")
    assert codes(console) == {Code.CONFIG_UNKNOWN}


def test_home_that_was_never_initialised_is_a_finding(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is not made by looking."""
    monkeypatch.setenv("JUKI_HOME", str(tmp_path / "elsewhere"))
    assert codes(console) == {Code.CONFIG_NOT_INITIALISED}
    assert not (tmp_path / "elsewhere").exists()


def test_look_that_fails_as_nobody_foresaw_is_a_finding(console: Console) -> None:
    """A file where a folder should be: its kind is told, no traceback, and the other looks are made."""
    shutil.rmtree(console.home.witness)
    (console.home.root / "gateway.pem").unlink()
    (console.home.root / "gateway.pem").mkdir()
    assert Code.WITNESS_UNREACHABLE in codes(console)
    assert Code.CONFIG_INVALID in codes(console)
