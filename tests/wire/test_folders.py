"""Files delivered into a folder and found in one: whole or not at all, once, and never through a link."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from juki.errors import JukiError, SourceError, StoreError
from juki.reasons import Code
from juki.wire.folders import arrivals, deliver, read, withdraw

NAME = "350001-resident-jlis-00000001.p7m"
FORM = re.compile(r"350001-(resident|fuhyo)-jlis-[0-9]{8}\.p7m")
CONTENT = b"sealed" * 1000
_DELIVERY = """
import os, signal, sys
from pathlib import Path
from juki.wire import folders
step, folder, name = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
module = sys.modules["os"]
done = getattr(module, step)
def die(*args, **values):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(module, step, die)
folders.deliver(folder, name, b"sealed" * 1000)
"""
"""Delivers and is killed in the place of one call of the system."""


def refusal(error: pytest.ExceptionInfo[JukiError]) -> Code:
    """The code of what was raised."""
    return error.value.code


def test_a_file_is_delivered_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    """Who fetches must never find a part, and the folder holds only what was delivered."""
    assert deliver(tmp_path, NAME, CONTENT)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert (tmp_path / NAME).stat().st_mode & 0o007 == 0


def test_the_same_file_delivered_again_changes_nothing(tmp_path: Path) -> None:
    """A delivery whose note was lost is repeated; the file fetched meanwhile is the same one."""
    deliver(tmp_path, NAME, CONTENT)
    before = (tmp_path / NAME).stat()
    assert not deliver(tmp_path, NAME, CONTENT)
    assert (tmp_path / NAME).stat().st_ino == before.st_ino


@pytest.mark.parametrize("other", [b"", b"sealed", CONTENT + b"!", b"x" * len(CONTENT)])
def test_other_bytes_under_a_given_name_are_an_error_and_stay(tmp_path: Path, other: bytes) -> None:
    """A name says which content it is; whoever put another one there must not be hidden by us."""
    (tmp_path / NAME).write_bytes(other)
    with pytest.raises(StoreError) as error:
        deliver(tmp_path, NAME, CONTENT)
    assert refusal(error) is Code.FOLDER_CONTENT_DIFFERS
    assert (tmp_path / NAME).read_bytes() == other


def test_a_link_in_the_place_of_a_delivery_is_not_followed(tmp_path: Path) -> None:
    """Somebody who may write into the folder must not make us overwrite or read a file elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(CONTENT)
    folder = tmp_path / "delivery"
    folder.mkdir()
    (folder / NAME).symlink_to(elsewhere)
    with pytest.raises(StoreError) as error:
        deliver(folder, NAME, CONTENT)
    assert refusal(error) is Code.FOLDER_CONTENT_DIFFERS
    (folder / NAME).unlink()
    (folder / f".{NAME}.part").symlink_to(elsewhere)
    with pytest.raises(StoreError) as error:
        deliver(folder, NAME, b"other")
    assert refusal(error) is Code.FOLDER_UNREACHABLE
    assert elsewhere.read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["../x.p7m", "a/b.p7m", ".hidden.p7m", "x.p7m.part", "", "X.p7m", "x.csv"])
def test_a_name_that_leaves_the_folder_or_hides_is_refused(tmp_path: Path, name: str) -> None:
    """Names are ours; one that came from outside must not reach beyond the folder."""
    for act in (
        lambda: deliver(tmp_path, name, CONTENT),
        lambda: read(tmp_path, name, 10),
        lambda: withdraw(tmp_path, name, bytes(32)),
    ):
        with pytest.raises(SourceError) as error:
            act()
        assert refusal(error) is Code.FOLDER_FILE_FORM


def test_a_folder_that_is_not_there_is_an_error_and_not_made(tmp_path: Path) -> None:
    """A medium that is not mounted must not look like an empty one, nor take a delivery."""
    missing = tmp_path / "medium"
    for act in (lambda: deliver(missing, NAME, CONTENT), lambda: arrivals(missing, FORM, 10)):
        with pytest.raises(StoreError) as error:
            act()
        assert refusal(error) is Code.FOLDER_UNREACHABLE
        assert error.value.is_transient
    assert not missing.exists()


def test_two_deliveries_of_one_name_at_once_do_not_mix(tmp_path: Path) -> None:
    """The one that comes second waits for the next run instead of writing into the other's part."""
    import fcntl

    with (tmp_path / f".{NAME}.part").open("wb") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        with pytest.raises(StoreError) as error:
            deliver(tmp_path, NAME, CONTENT)
    assert refusal(error) is Code.FOLDER_BUSY
    assert deliver(tmp_path, NAME, CONTENT)


@pytest.mark.parametrize("step", ["ftruncate", "fsync", "rename"])
def test_a_delivery_killed_anywhere_is_made_good_by_the_next(tmp_path: Path, step: str) -> None:
    """Between two steps lies either no file of that name or the whole one, and the rest disappears."""
    command = [sys.executable, "-c", _DELIVERY, step, str(tmp_path), NAME]
    assert subprocess.run(command, check=False).returncode == -9
    assert arrivals(tmp_path, FORM, 10**6).files == ()
    deliver(tmp_path, NAME, CONTENT)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_only_regular_files_of_the_form_are_arrivals(tmp_path: Path) -> None:
    """Links, folders, pipes, other names and too large files are counted and left alone."""
    (tmp_path / NAME).write_bytes(b"12345")
    (tmp_path / "350001-fuhyo-jlis-00000001.p7m").write_bytes(b"1" * 11)
    (tmp_path / "350001-fuhyo-jlis-00000002.p7m").symlink_to(tmp_path / NAME)
    (tmp_path / "350001-fuhyo-jlis-00000003.p7m").mkdir()
    os.mkfifo(tmp_path / "350001-fuhyo-jlis-00000004.p7m")
    (tmp_path / "notes.txt").write_bytes(b"1")
    (tmp_path / f".{NAME}.part").write_bytes(b"1")
    found = arrivals(tmp_path, FORM, 10)
    assert [(one.name, one.size) for one in found.files] == [(NAME, 5)]
    assert (found.too_large, found.others) == (1, 4)


def test_more_files_than_are_listed_at_once_are_all_reached(tmp_path: Path) -> None:
    """The oldest names first; what is known takes no place, whoever leaves it lying there."""
    names = [f"350001-fuhyo-jlis-{number:08d}.p7m" for number in range(1, 8)]
    for name in reversed(names):
        (tmp_path / name).write_bytes(b"1")
    known, batches = set[str](), []
    for _ in range(3):
        found = arrivals(tmp_path, FORM, 10, is_known=lambda one: one.mark in known, most=3)
        batches.append(([one.name for one in found.files], found.more, len(found.known)))
        known.update(one.mark for one in found.files)
    assert batches == [(names[:3], 4, 0), (names[3:6], 1, 3), (names[6:], 0, 6)]


@pytest.mark.parametrize("change", ["size", "time"])
def test_file_that_was_exchanged_is_not_taken_for_the_one_that_is_known(tmp_path: Path, change: str) -> None:
    """The same name over another file is a new file."""
    path = tmp_path / NAME
    path.write_bytes(b"1")
    (before,) = arrivals(tmp_path, FORM, 10).files
    if change == "size":
        path.write_bytes(b"22")
    else:
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))
    (after,) = arrivals(tmp_path, FORM, 10, is_known=lambda one: one.mark == before.mark).files
    assert after.name == before.name


def test_part_somebody_else_can_reach_is_not_taken_over(tmp_path: Path) -> None:
    """What somebody else laid there as our part stays theirs: nothing of ours is written into it."""
    part, elsewhere = tmp_path / f".{NAME}.part", tmp_path / "elsewhere"
    elsewhere.write_bytes(b"theirs")
    part.hardlink_to(elsewhere)
    with pytest.raises(StoreError) as error:
        deliver(tmp_path, NAME, CONTENT)
    assert refusal(error) is Code.FOLDER_CONTENT_DIFFERS
    assert elsewhere.read_bytes() == b"theirs"
    part.unlink()
    part.write_bytes(b"theirs")
    if os.geteuid() == 0:
        os.chown(part, 65534, 65534)
        with pytest.raises(StoreError) as error:
            deliver(tmp_path, NAME, CONTENT)
        assert refusal(error) is Code.FOLDER_CONTENT_DIFFERS
        assert part.read_bytes() == b"theirs"


def test_reading_follows_no_link_and_reads_no_more_than_the_limit(tmp_path: Path) -> None:
    """A file that was exchanged after it was listed is refused, however it was exchanged."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (tmp_path / "a.p7m").symlink_to(secret)
    (tmp_path / "b.p7m").write_bytes(b"1" * 11)
    (tmp_path / "d.p7m").mkdir()
    os.mkfifo(tmp_path / "c.p7m")
    for name in ("a.p7m", "b.p7m", "c.p7m", "d.p7m"):
        with pytest.raises(SourceError) as error:
            read(tmp_path, name, 10)
        assert refusal(error) is Code.FOLDER_FILE_FORM
    assert read(tmp_path, "none.p7m", 10) is None
    (tmp_path / "b.p7m").write_bytes(b"1" * 10)
    assert read(tmp_path, "b.p7m", 10) == b"1" * 10


def test_only_what_was_delivered_is_withdrawn(tmp_path: Path) -> None:
    """A file that somebody put there under our name stays; ours goes, with what a cut delivery left."""
    digest = hashlib.sha256(CONTENT).digest()
    (tmp_path / NAME).write_bytes(b"of somebody else")
    with pytest.raises(StoreError) as error:
        withdraw(tmp_path, NAME, digest)
    assert refusal(error) is Code.FOLDER_CONTENT_DIFFERS
    assert (tmp_path / NAME).exists()
    (tmp_path / NAME).write_bytes(CONTENT)
    (tmp_path / f".{NAME}.part").write_bytes(CONTENT[:10])
    assert withdraw(tmp_path, NAME, digest)
    assert list(tmp_path.iterdir()) == []
    assert not withdraw(tmp_path, NAME, digest)
