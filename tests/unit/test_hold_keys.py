"""Keys of holds and kept copies: gone when destroyed, at whatever step a destroyer died; others untouched."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from juki.columns import IdentityFile
from juki.errors import ConfigurationError, StoreError
from juki.held_copies import HeldCopies
from juki.hold_clock import ClockFile
from juki.hold_keys import HoldKeys
from juki.holds import ClockNote
from juki.home import Home
from juki.package_id import PackageId
from juki.reasons import Code

ONE, OTHER, TEN = (PackageId(IdentityFile.FUHYO, number) for number in (1, 2, 10))
RESIDENT_ONE = PackageId(IdentityFile.RESIDENT, 1)
SEALED = b"a sealed package"


@pytest.fixture
def keys(home: Home) -> HoldKeys:
    """The keys of a new home."""
    home.create()
    return HoldKeys(home.holds)


class Died(BaseException):
    """Stands for a kill: nothing of the code under test catches it."""


def _dies_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> Callable[[], None]:
    def die(*_: object, **__: object) -> None:
        raise Died

    monkeypatch.setattr(owner, name, die)
    return monkeypatch.undo


def test_every_provision_has_a_key_of_its_own(keys: HoldKeys) -> None:
    """So that the end of one hold is the end of nothing else."""
    made = [keys.ensure(one) for one in (ONE, OTHER, RESIDENT_ONE)]
    assert len({one.key for one in made}) == 3
    assert [one.key_id for one in made] == ["hold-F1", "hold-F2", "hold-R1"]
    assert keys.ensure(ONE) == made[0] == keys.key(ONE)
    assert made[0].key.hex() not in repr(made[0]) + repr(keys)


def test_key_file_is_its_owners_alone(keys: HoldKeys) -> None:
    """Others neither read the file nor look into the folder."""
    keys.ensure(ONE)
    (path,) = keys.folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    with pytest.raises(ConfigurationError) as refused:
        keys.key(ONE)
    assert refused.value.code is Code.KEY_PERMISSIONS


def test_destroyed_key_is_overwritten_before_its_name_goes(
    keys: HoldKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remnant of the file on the disk must hold nothing; its bytes are seen through a second name."""
    key = keys.ensure(ONE)
    (path,) = keys.folder.iterdir()
    written: list[bytes] = []
    real = os.ftruncate

    def cut(descriptor: int, length: int) -> None:
        written.append(path.read_bytes())
        real(descriptor, length)

    monkeypatch.setattr(os, "ftruncate", cut)
    second = keys.folder.parent / "second-name"
    second.hardlink_to(path)
    assert keys.destroy(ONE)
    assert written == [bytes(2 * len(key.key) + 1)]
    assert second.read_bytes() == b""
    assert not keys.exists(ONE)
    assert not keys.destroy(ONE)
    with pytest.raises(ConfigurationError):
        keys.key(ONE)


@pytest.mark.parametrize(
    ("owner", "name"),
    [(os, "write"), (os, "fsync"), (os, "ftruncate"), (Path, "unlink")],
    ids=["before overwriting", "before syncing", "before cutting", "before removing"],
)
def test_destroying_that_was_killed_is_finished_by_the_next(
    keys: HoldKeys, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    """A half destroyed key is none, is not made anew, and is destroyed like a whole one."""
    keys.ensure(ONE)
    undo = _dies_at(monkeypatch, owner, name)
    with pytest.raises(Died):
        keys.destroy(ONE)
    undo()
    if name in ("ftruncate", "unlink"):
        with pytest.raises(ConfigurationError) as missing:
            keys.ensure(ONE)
        assert missing.value.code is Code.KEY_MISSING
    assert keys.destroy(ONE)
    assert not keys.exists(ONE)
    assert list(keys.folder.iterdir()) == []


def test_what_a_killed_maker_left_is_destroyed_with_the_key(
    keys: HoldKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key lay under a hidden name for a moment: a kill there leaves the same bytes twice, or once."""
    undo = _dies_at(monkeypatch, Path, "unlink")
    with pytest.raises(Died):
        keys.ensure(ONE)
    undo()
    assert len(list(keys.folder.iterdir())) == 2
    assert keys.destroy(ONE)
    assert list(keys.folder.iterdir()) == []


def test_decoys_in_the_folder_survive(keys: HoldKeys) -> None:
    """F1 is not F10, not R1, and what else lies there is nobody's business here."""
    for one in (ONE, TEN, RESIDENT_ONE):
        keys.ensure(one)
    for name in ("F1.key.bak", "F01.key", "notes.txt", "purge-clock.json"):
        (keys.folder / name).write_text("decoy")
    keys.destroy(ONE)
    left = {path.name for path in keys.folder.iterdir()}
    assert left == {"F10.key", "R1.key", "F1.key.bak", "F01.key", "notes.txt", "purge-clock.json"}
    assert keys.listed() == [TEN, RESIDENT_ONE]


def test_link_in_the_place_of_a_key_is_not_followed(keys: HoldKeys, tmp_path: Path) -> None:
    """Whoever can lay a link must not have another file overwritten."""
    victim = tmp_path / "victim"
    victim.write_text("stays")
    (keys.folder / "F1.key").symlink_to(victim)
    with pytest.raises(OSError, match="Too many levels"):
        keys.destroy(ONE)
    assert victim.read_text() == "stays"


def test_kept_copy_is_the_very_bytes_and_opens_under_its_key_only(home: Home, keys: HoldKeys) -> None:
    """A re-send differs in nothing; without the key of the hold nothing can be read."""
    copies = HeldCopies(home)
    copies.keep(ONE, keys.ensure(ONE), SEALED)
    (path,) = home.provisions.iterdir()
    assert (path.name, stat.S_IMODE(path.stat().st_mode)) == ("F1.held", 0o600)
    assert SEALED not in path.read_bytes()
    assert copies.read(ONE, keys.key(ONE)) == SEALED
    path.rename(path.with_name("F2.held"))
    for provision, key in ((OTHER, keys.key(ONE)), (OTHER, keys.ensure(OTHER))):
        with pytest.raises(StoreError) as refused:
            copies.read(provision, key)
        assert refused.value.code is Code.CIPHER_ALTERED
    with pytest.raises(StoreError) as lost:
        copies.read(ONE, keys.key(ONE))
    assert lost.value.code is Code.HOLD_COPY_LOST


def test_removed_copy_takes_the_part_of_a_killed_process_along(home: Home, keys: HoldKeys) -> None:
    """And nothing of another provision."""
    copies = HeldCopies(home)
    for one in (ONE, TEN, RESIDENT_ONE):
        copies.keep(one, keys.ensure(one), SEALED)
    (home.provisions / ".F1.held.part").write_bytes(b"cut")
    (home.provisions / "F01.held").write_bytes(b"decoy")
    assert copies.listed() == [ONE, TEN, RESIDENT_ONE]
    assert copies.remove(ONE)
    assert not copies.exists(ONE)
    assert not copies.remove(ONE)
    assert sorted(path.name for path in home.provisions.iterdir()) == ["F01.held", "F10.held", "R1.held"]


def test_part_left_alone_counts_as_kept_until_it_is_removed(home: Home) -> None:
    """A look that missed it would prove what is not so."""
    home.create()
    (home.provisions / ".F1.held.part").write_bytes(b"cut")
    assert HeldCopies(home).exists(ONE)
    assert HeldCopies(home).listed() == [ONE]


@pytest.mark.parametrize("content", ["", "{}", "[]", "nonsense", '{"trusted_at": "2026-04-01T00:00:00"}'])
def test_clock_note_that_can_not_be_read_is_none(home: Home, content: str) -> None:
    """Then the store alone says what the clock is compared with."""
    home.create()
    (home.holds / "purge-clock.json").write_text(content)
    assert ClockFile(home).read() == ClockNote()
