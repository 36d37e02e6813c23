"""`juki init` and `juki stop`: everything an installation needs, and the end of what was started.

Decides:    the order in which an installation comes to be, so that breaking off anywhere is harmless.
Invariants: safe to repeat; what exists is never replaced. A lost key is an error, never a new key: a new one
            would make the store unreadable without anyone noticing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from config.presentation import template
from config.settings import Settings, home_of, load_settings
from config.stores import DATABASES, PREFECT_DATABASE, admin_url, ensure_servers, is_embedded
from juki.cli.output import AsJson, Result, Table, finish
from juki.columns import IdentityFile
from juki.credentials import Credentials
from juki.errors import ConfigurationError
from juki.home import Home
from juki.keys import FileKeys, write_private
from juki.reasons import Code
from juki.store import embedded
from juki.store.install import install


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
    stopped = embedded.stop(home_of())
    line = "組込みの PostgreSQL を止めました。" if stopped else "組込みの PostgreSQL は動いていません。"
    finish(Result({"stopped": stopped}, lines=[line]), as_json=as_json)


def initialise(home: Home, now: datetime) -> Iterator[Step]:
    """Make what an installation needs, step by step; consume it whole.

    Raises: ConfigurationError(KEY_MISSING) when a store exists whose keys are gone.
    """
    yield Step("JUKI_HOME", home.create())
    yield Step(home.settings_file.name, _write_template(home))
    settings = load_settings(home)
    yield Step("鍵", _create_keys(home))
    created = Credentials(home.keys).create_missing(settings.prefecture_code, now)
    yield Step("県の証明書とSFTPの鍵", bool(created))
    yield from _install_stores(home, settings)


def _write_template(home: Home) -> bool:
    if home.settings_file.exists():
        return False
    write_private(home.settings_file, template().encode())
    return True


def _create_keys(home: Home) -> bool:
    """Create the keys of both stores, before there is a store; afterwards a missing one is lost."""
    keys, marker = FileKeys(home.keys), home.keys / ".stores-installed"
    missing = keys.missing()
    if missing and marker.exists():
        raise ConfigurationError(Code.KEY_MISSING, ", ".join(f"{file}-{use}" for file, use in missing))
    for file, use in missing:
        keys.create(file, use)
    return bool(missing)


def _install_stores(home: Home, settings: Settings) -> Iterator[Step]:
    ensure_servers(home, settings)
    server = embedded.admin_url(home)
    for file in IdentityFile:
        name = f"データベース {DATABASES[file]}"
        yield Step(name, is_embedded(settings) and embedded.ensure_database(server, DATABASES[file]))
        install(admin_url(home, settings, file), file)
    if is_embedded(settings):
        created = embedded.ensure_database(server, PREFECT_DATABASE, ["pg_trgm"], owner=PREFECT_DATABASE)
        yield Step(f"データベース {PREFECT_DATABASE}", created)
    (home.keys / ".stores-installed").touch(mode=0o600)
