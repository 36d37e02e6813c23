"""Keys and witnesses of the operation logs: made once, followed and never replaced; named in the settings or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.logs import log_place
from config.presentation import shown_settings
from config.settings import Settings, load_settings
from juki.checkpoints import VerifierKey, verifier_of
from juki.columns import IdentityFile
from juki.errors import ConfigurationError, JournalError
from juki.home import Home
from juki.log_keys import LogKeys
from juki.reasons import Code
from juki.witnesses import Witness, file_name
from tests.oplog_case import ORIGINS


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests must not decide them."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"JUKI_{name.upper()}", raising=False)


@pytest.fixture
def keys(tmp_path: Path) -> LogKeys:
    """The keys of both logs, made."""
    keys = LogKeys(tmp_path, list(ORIGINS.values()))
    assert keys.create_missing()
    return keys


def test_one_key_signs_both_logs_under_the_name_of_each(keys: LogKeys) -> None:
    """Made once and private; the public part is a line for each log, and anybody may have it."""
    assert not keys.create_missing()
    private = keys.signing_key()
    assert keys.verifiers() == [verifier_of(private, origin) for origin in ORIGINS.values()]
    assert (keys.folder / "log_signing-1.key").stat().st_mode & 0o077 == 0
    lines = (keys.folder / "log_signing-1.vkey").read_text().splitlines()
    assert [VerifierKey.parse(line).name for line in lines] == list(ORIGINS.values())


def test_rotated_key_signs_and_the_old_one_is_still_known(keys: LogKeys) -> None:
    """The newest first; whoever lost the public part gets it back from the private one."""
    old = keys.verifiers()
    assert keys.rotate() == 2
    assert keys.verifiers()[2:] == old and keys.verifiers()[0].public != old[0].public
    assert verifier_of(keys.signing_key(), ORIGINS[IdentityFile.RESIDENT]) == keys.verifiers()[0]
    (keys.folder / "log_signing-2.vkey").unlink()
    assert keys.create_missing() and len(keys.verifiers()) == 4


@pytest.mark.parametrize("how", ["gone", "noise", "open"])
def test_lost_or_damaged_private_key_is_told_and_not_replaced(how: str, keys: LogKeys) -> None:
    """Another key in its place would sign what nobody can trace back."""
    path = keys.folder / "log_signing-1.key"
    if how == "noise":
        path.write_bytes(b"noise")
    elif how == "open":
        path.chmod(0o644)
    else:
        path.unlink()
    with pytest.raises(ConfigurationError) as told:
        keys.signing_key()
    wanted = Code.KEY_PERMISSIONS if how == "open" else Code.KEY_MISSING
    assert (told.value.code, told.value.ref) == (wanted, path.name)
    assert not keys.create_missing()


def test_public_key_that_is_none_is_told(keys: LogKeys) -> None:
    """An unreadable key must not pass for a key that signed nothing."""
    (keys.folder / "log_signing-1.vkey").write_text("noise\n")
    with pytest.raises(ConfigurationError) as told:
        keys.verifiers()
    assert (told.value.code, told.value.ref) == (Code.KEY_MISSING, "log_signing-1.vkey")


def test_witnesses_are_the_folders_of_the_settings_or_that_of_the_home(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several, each once, absolute; none at all would prove nothing."""
    assert load_settings(home).witnesses(home) == [home.witness]
    monkeypatch.setenv("JUKI_WITNESS_FOLDERS", '["/srv/a", "/srv/b", "/srv/a"]')
    settings = load_settings(home)
    assert settings.witnesses(home) == [Path("/srv/a"), Path("/srv/b")]
    place = log_place(home, settings, IdentityFile.FUHYO)
    assert [one.folder for one in place.folders] == [
        Path("/srv/a/juki-renkei/350001/fuhyo"), Path("/srv/b/juki-renkei/350001/fuhyo"),
    ]  # fmt: skip
    shown = {one.key: one.value for one in shown_settings(settings, home)}
    assert shown["witness_folders"] == "/srv/a, /srv/b, /srv/a"
    for wrong in ("[]", '["relative"]', '["~/witness"]'):
        monkeypatch.setenv("JUKI_WITNESS_FOLDERS", wrong)
        with pytest.raises(ConfigurationError) as refused:
            load_settings(home)
        assert refused.value.code is Code.CONFIG_INVALID and "witness_folders" in refused.value.ref


def test_checkpoint_is_never_overwritten_and_a_missing_folder_never_made(tmp_path: Path) -> None:
    """The same again is the same; another of the same size is a fork; what is no folder is no witness."""
    witness = Witness(tmp_path / "witness", ORIGINS[IdentityFile.RESIDENT])
    for act in (witness.sizes, lambda: witness.write(1, b"one")):
        with pytest.raises(JournalError) as away:
            act()
        assert (away.value.code, away.value.ref) == (Code.WITNESS_UNREACHABLE, "witness")
    assert not witness.root.exists()
    witness.root.mkdir()
    witness.write(1, b"one")
    witness.write(1, b"one")
    with pytest.raises(JournalError) as forked:
        witness.write(1, b"two")
    assert forked.value.code is Code.JOURNAL_FORKED
    assert (witness.read(1), witness.read(2), witness.sizes()) == (b"one", None, [1])
    assert [path.name for path in witness.folder.iterdir()] == [file_name(1)]
