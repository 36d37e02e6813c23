"""`juki init` and `juki stop` as a user runs them: repeatable, honest about lost keys, value-free on errors."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.settings import load_settings
from config.stores import admin_url, prefect_url
from juki.columns import IdentityFile
from juki.home import Home
from juki.store import embedded


def _juki(home: Home, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JUKI_")}
    command = [sys.executable, "-c", "from juki.cli import main; main()", *arguments]
    environment = clean | {"JUKI_HOME": str(home.root)} | variables
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def installed() -> Iterator[Home]:
    """A home after the first `juki init`."""
    with tempfile.TemporaryDirectory(prefix="juki-setup-") as folder:
        home = Home.at(Path(folder) / "home")
        done = _juki(home, "init", "--json")
        assert done.returncode == 0, done.stderr
        assert all(step["created"] for step in json.loads(done.stdout)["steps"])
        yield home
        embedded.stop(home)


def test_second_init_makes_nothing_new(installed: Home) -> None:
    """Keys, settings and databases are those of the first time."""
    before = {path.name: path.read_bytes() for path in installed.keys.iterdir()}
    done = _juki(installed, "init", "--json")
    assert done.returncode == 0, done.stderr
    assert not any(step["created"] for step in json.loads(done.stdout)["steps"])
    assert {path.name: path.read_bytes() for path in installed.keys.iterdir()} == before


def test_both_stores_and_prefect_have_databases_of_their_own(installed: Home) -> None:
    """Three databases; Prefect's role owns its own and may make tables there."""
    settings = load_settings(installed)
    for file in IdentityFile:
        with psycopg.connect(admin_url(installed, settings, file)) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables").fetchall()
        assert ("journal",) in tables
    with psycopg.connect(prefect_url(installed)) as connection:
        connection.execute("CREATE TABLE probe ()")
        extensions = connection.execute("SELECT extname FROM pg_extension").fetchall()
        connection.rollback()
    assert ("pg_trgm",) in extensions


def test_everything_in_the_home_is_closed_to_others(installed: Home) -> None:
    """No file and no folder of the home can be read by group or others."""
    _juki(installed, "config", "show")
    opened = [path for path in installed.root.rglob("*") if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    assert opened == []
    assert stat.S_IMODE(installed.root.stat().st_mode) in (0o700, 0o711)


def test_lost_key_is_reported_not_replaced(installed: Home) -> None:
    """A new key in place of a lost one would make the store unreadable in silence."""
    lost = installed.keys / "fuhyo-digest-1.key"
    kept = lost.rename(installed.root / "kept.key")
    try:
        done = _juki(installed, "init")
        assert done.returncode == 2
        assert "[key.missing]" in done.stderr
        assert "fuhyo-digest" in done.stderr
        assert not lost.exists()
    finally:
        kept.rename(lost)


def test_stop_and_start_again(installed: Home) -> None:
    """`juki stop` says what it did; `juki init` brings the server back."""
    assert json.loads(_juki(installed, "stop", "--json").stdout) == {"stopped": True}
    assert json.loads(_juki(installed, "stop", "--json").stdout) == {"stopped": False}
    assert _juki(installed, "init").returncode == 0
    assert embedded.is_running(installed)


def test_urls_of_other_servers_are_used_instead(home: Home, new_urls: dict[str, str]) -> None:
    """With both URLs set nothing is embedded."""
    done = _juki(home, "init", **new_urls)
    assert done.returncode == 0, done.stderr
    assert not home.postgres.exists()


@pytest.fixture
def new_urls(postgres: str, server_home: Home) -> dict[str, str]:
    """Two empty databases on a server that is not the home's own."""
    names = {"JUKI_RESIDENT_URL": "elsewhere_resident", "JUKI_FUHYO_URL": "elsewhere_fuhyo"}
    for name in names.values():
        embedded.ensure_database(postgres, name)
    return {variable: embedded.admin_url(server_home, name) for variable, name in names.items()}


def test_error_is_one_json_object_on_request(home: Home) -> None:
    """A program reads code, reference and next step; the value of the variable is nowhere."""
    done = _juki(home, "init", "--json", JUKI_MAX_CHANNELS="123456789018")
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 2
    assert (error["code"], error["ref"]) == ("config.invalid", "juki.toml: max_channels")
    assert "123456789018" not in done.stdout + done.stderr


def test_unforeseen_failure_shows_no_traceback(home: Home) -> None:
    """A traceback could quote a value; the kind of failure is all that is told."""
    program = "import juki.cli.app as a, juki.cli.output as o\n"
    program += "def fail(): raise RuntimeError('123456789018')\na.build_app = fail\na.main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "[run.unexpected]" in done.stderr
    assert "RuntimeError" in done.stderr
    assert "123456789018" not in done.stderr


def test_help_imports_no_command(home: Home) -> None:
    """`juki --help` answers at once: nothing heavy is loaded, and it names every command."""
    program = "import sys\nfrom juki.cli.app import build_app, BUILT_IN\n"
    program += "try: build_app()(['--help'])\nexcept SystemExit: pass\n"
    program += "heavy = {'prefect', 'pandas', 'pandera', 'sqlalchemy', 'pydantic', 'rich', 'psycopg'}\n"
    program += "print(sorted(heavy & set(sys.modules)), [c.name for c in BUILT_IN])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "[] ['init', 'stop'" in done.stdout
    assert "鍵・データベース・設定を用意する" in done.stdout
