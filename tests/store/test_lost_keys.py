"""Keys that are lost or exchanged are noticed by the stores themselves, wherever the stores are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from psycopg import sql

from juki.cli.setup_commands import initialise
from juki.columns import IdentityFile
from juki.errors import ConfigurationError
from juki.home import Home
from juki.keys import FileKeys, Purpose
from juki.reasons import Code
from juki.store import embedded
from juki.store.engine import open_engine
from juki.store.install import migration_config

RESIDENT = IdentityFile.RESIDENT


@pytest.fixture
def urls(
    postgres: str, server_home: Home, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[IdentityFile, str]]:
    """Two empty databases of another server, named by the environment."""
    names = {file: f"keys_{file}_{uuid4().hex}" for file in IdentityFile}
    for file, name in names.items():
        embedded.ensure_database(postgres, name)
        monkeypatch.setenv(f"JUKI_{file.value.upper()}_URL", embedded.admin_url(server_home, name))
    yield {file: embedded.admin_url(server_home, name) for file, name in names.items()}
    with psycopg.connect(postgres, autocommit=True) as connection:
        for name in names.values():
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _init(home: Home) -> None:
    for _ in initialise(home, datetime.now(UTC)):
        pass


def _refused(home: Home) -> tuple[Code, str]:
    with pytest.raises(ConfigurationError) as caught:
        _init(home)
    return caught.value.code, caught.value.ref


def _lose(home: Home) -> None:
    """Lose everything but the stores."""
    shutil.rmtree(home.root)


def _key_ids(home: Home) -> list[str]:
    return sorted(path.stem for path in home.keys.glob("*.key") if path.stem.count("-") == 2)


def test_store_remembers_its_keys_once_and_logs_that_it_does(
    home: Home, urls: dict[IdentityFile, str]
) -> None:
    """One entry of the operation log, five keys each, and no key in the database in any form."""
    _init(home)
    _init(home)
    for file, url in urls.items():
        with psycopg.connect(url) as connection:
            rows = connection.execute("SELECT key_id, check_value FROM store_key ORDER BY key_id").fetchall()
            entries = connection.execute("SELECT entry FROM journal").fetchall()
            (dump,) = connection.execute("SELECT string_agg(k::text, ' ') FROM store_key k").fetchall()[0]
        assert [key_id for key_id, _ in rows] == sorted(f"{file}-{use}-1" for use in Purpose)
        ((entry,),) = entries
        said = json.loads(entry)
        assert (said["action"], said["counts"]) == ("store.installed", {"keys": len(Purpose)})
        for key_id, _ in rows:
            assert FileKeys(home.keys).key(key_id).hex() not in dump


def test_new_home_before_an_old_store_gets_no_new_keys(home: Home, urls: dict[IdentityFile, str]) -> None:
    """The home was lost, marker and all: what is stored could never be read again under new keys."""
    _init(home)
    _lose(home)
    code, ref = _refused(home)
    assert code is Code.KEY_MISSING
    assert "resident-number" in ref and "fuhyo-digest" in ref
    assert _key_ids(home) == []
    assert urls


def test_store_of_the_first_version_gets_no_new_keys_either(
    home: Home, urls: dict[IdentityFile, str]
) -> None:
    """It remembers none, but it is there; with its keys at hand the upgrade registers them."""
    _init(home)
    for file, url in urls.items():
        with open_engine(url).begin() as connection:
            command.downgrade(migration_config(connection, file), "0001")
    kept = home.root.with_name("kept")
    shutil.copytree(home.root, kept)
    _lose(home)
    assert _refused(home)[0] is Code.KEY_MISSING
    _init(Home.at(kept))
    with psycopg.connect(urls[RESIDENT]) as connection:
        assert connection.execute("SELECT count(*) FROM store_key").fetchall() == [(len(Purpose),)]


def test_keys_of_another_installation_are_refused(
    home: Home,
    urls: dict[IdentityFile, str],
    monkeypatch: pytest.MonkeyPatch,
    server_home: Home,
    postgres: str,
) -> None:
    """Complete, well-formed, of the same names, and not those of these stores."""
    _init(home)
    other = Home.at(home.root.with_name("other"))
    shutil.copytree(home.root, other.root)
    for file in IdentityFile:
        for purpose in Purpose:
            (other.keys / f"{file}-{purpose}-1.key").unlink()
            FileKeys(other.keys).create(file, purpose)
    code, ref = _refused(other)
    assert (code, ref) == (Code.KEY_OTHER, "resident-digest-1")
    _init(home)


def test_one_lost_key_and_one_too_many_are_named(home: Home, urls: dict[IdentityFile, str]) -> None:
    """A key in place of the lost one, and a generation nobody registered."""
    _init(home)
    lost = home.keys / "fuhyo-digest-1.key"
    kept = lost.rename(home.root / "kept.key")
    (home.keys / ".stores-installed").unlink()
    assert _refused(home) == (Code.KEY_MISSING, "fuhyo-digest")
    kept.rename(lost)
    newer = FileKeys(home.keys).create(RESIDENT, Purpose.NUMBER)
    assert _refused(home) == (Code.KEY_OTHER, newer)
    assert urls


def test_embedded_store_is_asked_as_well(home: Home) -> None:
    """Keys and marker are gone, the embedded databases are there."""
    try:
        _init(home)
        shutil.rmtree(home.keys)
        assert _refused(home)[0] is Code.KEY_MISSING
        assert _key_ids(home) == []
    finally:
        embedded.stop(home)
