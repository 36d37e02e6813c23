"""`juki init` and `juki stop`: everything an installation needs, and the end of what was started.

Decides:    the order in which an installation comes to be, so that breaking off anywhere is harmless.
Invariants: safe to repeat; what exists is never replaced. A lost key is an error, never a new key: a new one
            would make the store unreadable without anyone noticing. The stores themselves know their keys, so a
            home that is lost, or another one, is noticed wherever the stores are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.logs import log_keys
from config.presentation import template
from config.settings import Settings, home_of, load_settings
from config.store_keys import keys_at_hand
from config.stores import DATABASES, PREFECT_DATABASE, admin_url, ensure_servers, is_embedded
from juki.cli.acting import local_administrator
from juki.cli.output import AsJson, Result, Table, finish
from juki.columns import IdentityFile
from juki.credentials import Credentials
from juki.errors import ConfigurationError, StoreError
from juki.home import Home
from juki.key_checks import compare_keys
from juki.keys import FileKeys, write_private
from juki.reasons import Code
from juki.site import SiteFiles
from juki.store import embedded
from juki.store.install import install
from juki.store.key_register import keys_of_store, register_keys
from juki.store.roles import Duty
from juki.store.unit import open_unit


@dataclass(frozen=True, slots=True)
class Step:
    """One thing an installation needs, and whether this run made it."""

    name: str
    created: bool


def init(as_json: AsJson = False) -> None:
    """鍵・データベース・設定を用意する。繰り返しても、すでにあるものは変えない。"""
    home = home_of()
    steps = list(initialise(home, datetime.now(UTC)))
    rows = [(step.name, "作成しました" if step.created else "あります") for step in steps]
    data = {"home": str(home.root), "steps": [asdict(step) for step in steps]}
    lines = [f"準備ができました。JUKI_HOME: {home.root}", "次にすること: juki config show"]
    finish(Result(data, [Table("初期化", ("項目", "状態"), rows)], lines), as_json=as_json)


def stop(as_json: AsJson = False) -> None:
    """組込みの PostgreSQL を止める。止まっていれば何もしない。"""
    # Refused with SITE_RUNNING while server and worker use it.
    note = SiteFiles(home_of()).note()
    if note is not None and note.is_owned:
        raise StoreError(Code.SITE_RUNNING, "juki stop")
    stopped = embedded.stop(home_of())
    line = "組込みの PostgreSQL を止めました。" if stopped else "組込みの PostgreSQL は動いていません。"
    finish(Result({"stopped": stopped}, lines=[line]), as_json=as_json)


def initialise(home: Home, now: datetime) -> Iterator[Step]:
    """Make what an installation needs, step by step; consume it whole.

    Raises: ConfigurationError(KEY_MISSING | KEY_OTHER) when a store exists whose keys are not those at hand.
    """
    yield Step("JUKI_HOME", home.create())
    yield Step(home.settings_file.name, _write_template(home))
    settings = load_settings(home)
    databases = list(_ensure_databases(home, settings))
    yield Step("鍵", _ensure_keys(home, settings))
    created = Credentials(home.keys).create_missing(settings.prefecture_code, now)
    yield Step("県の証明書とSFTPの鍵", bool(created))
    _install_stores(home, settings, now)
    yield Step("操作ログの署名の鍵", _ensure_log_key(home, settings))
    if settings.witness_folders is None:
        yield Step("操作ログのチェックポイントの保管先", _ensure_witness(home))
    yield from databases


def _write_template(home: Home) -> bool:
    if home.settings_file.exists():
        return False
    write_private(home.settings_file, template().encode())
    return True


def _ensure_databases(home: Home, settings: Settings) -> Iterator[Step]:
    """Start the embedded server and make the databases that are absent; elsewhere they are the administrator's."""
    ensure_servers(home, settings)
    server = embedded.admin_url(home)
    for file in IdentityFile:
        created = is_embedded(settings) and embedded.ensure_database(server, DATABASES[file])
        yield Step(f"データベース {DATABASES[file]}", created)
    if is_embedded(settings):
        created = embedded.ensure_database(server, PREFECT_DATABASE, ["pg_trgm"], owner=PREFECT_DATABASE)
        yield Step(f"データベース {PREFECT_DATABASE}", created)


def _ensure_keys(home: Home, settings: Settings) -> bool:
    """Create the keys of both stores while there is no store; afterwards a missing one is lost."""
    keys, missing = FileKeys(home.keys), FileKeys(home.keys).missing()
    known = {file: keys_of_store(admin_url(home, settings, file), file) for file in IdentityFile}
    has_stores = _marker(home).exists() or any(registered is not None for registered in known.values())
    if missing and has_stores:
        raise ConfigurationError(Code.KEY_MISSING, ", ".join(f"{file}-{use}" for file, use in missing))
    for file, registered in known.items():
        if registered:
            compare_keys(file, registered, keys_at_hand(home, file, registered))
    for file, use in missing:
        keys.create(file, use)
    return bool(missing)


def _install_stores(home: Home, settings: Settings, now: datetime) -> None:
    """Bring both stores to this version; one that knows no keys yet is told those at hand."""
    for file in IdentityFile:
        url = admin_url(home, settings, file)
        install(url, file)
        register_keys(url, file, keys_at_hand(home, file), local_administrator(), now)
    _marker(home).touch(mode=0o600)


def _ensure_log_key(home: Home, settings: Settings) -> bool:
    """Create the key that signs the logs, unless something was signed with one that is lost."""
    keys = log_keys(home, settings)
    for file in IdentityFile:
        with open_unit(admin_url(home, settings, file), file, Duty.AUDITOR) as unit:
            if unit.checkpoints.last() is not None and not keys.verifiers():
                raise ConfigurationError(Code.KEY_MISSING, "log_signing")
    return keys.create_missing()


def _ensure_witness(home: Home) -> bool:
    """Make the witness folder of the home; those outside are there, or they are missing."""
    is_new = not home.witness.is_dir()
    home.witness.mkdir(mode=0o700, exist_ok=True)
    return is_new


def _marker(home: Home) -> Path:
    """Name the file that says that stores were installed with these keys, also when no store can be asked."""
    return home.keys / ".stores-installed"
