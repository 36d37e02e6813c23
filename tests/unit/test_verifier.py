"""The verifier and a log of 100,000 entries: whatever is done to a copy is found, and the place named."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.checkpoints import Checkpoint, sign_checkpoint
from juki.merkle import Frontier, leaf_hash, tree_root
from juki.merkle_proofs import consistency_ranges, inclusion_ranges, range_roots
from juki.witnesses import file_name
from tests.log_exports import (
    KEY,
    ORIGIN,
    OTHER_KEY,
    VKEY,
    Export,
    alter_lines,
    copied,
    hash_anew,
    renumbered,
)
from tests.oplog_case import ORIGINS, load_verifier
from tests.unit.test_merkle_proofs import CONSISTENCY, INCLUSION, LEAVES, ROOTS

verifier = load_verifier()
COUNT = 100_000
SIZES = (*range(5_000, COUNT, 5_000), COUNT)
RANDOM = random.Random(20261123)
PLACES = [RANDOM.randrange(2, COUNT) for _ in range(2)]


@pytest.fixture(scope="module")
def export() -> Export:
    """A log of 100,000 entries, signed every 5,000."""
    return Export.of(COUNT, SIZES)


@pytest.fixture(scope="module")
def whole(export: Export, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It, written."""
    return export.write(tmp_path_factory.mktemp("whole") / "resident")


@pytest.fixture(scope="module")
def witness(export: Export, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a witness has of it."""
    return export.witness(tmp_path_factory.mktemp("witness"))


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """A copy to tamper with."""
    return copied(whole, tmp_path / "copy")


def _found(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[tuple[Any, ...]]]:
    """Run the verifier with the right key; list what it found: code, first and last entry."""
    code = verifier.main([*map(str, arguments), "--key", VKEY, "--json"])
    told = json.loads(capsys.readouterr().out)
    found = [(one["code"], one["first"], one["last"]) for log in told["logs"] for one in log["findings"]]
    return code, found


def test_untouched_log_is_verified(whole: Path, witness: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All entries, all checkpoints; with the enclosed keys it is said what that is worth."""
    assert _found(capsys, whole, "--witness", witness) == (0, [])
    assert verifier.main([str(whole)]) == 0
    told = capsys.readouterr().out
    assert "100,000" in told and "[key.enclosed]" in told and "verified" in told


def _edit_byte(place: int) -> Callable[[list[bytes]], None]:
    def change(lines: list[bytes]) -> None:
        line = bytearray(lines[place - 1])
        line[RANDOM.randrange(len(line))] ^= 1 << RANDOM.randrange(8)
        lines[place - 1] = bytes(line)

    return change


def _edit(place: int) -> Callable[[list[bytes]], None]:
    def change(lines: list[bytes]) -> None:
        lines[place - 1] = lines[place - 1].replace(b"flow-run:test", b"flow-run:none")

    return change


def _delete(place: int) -> Callable[[list[bytes]], None]:
    def change(lines: list[bytes]) -> None:
        del lines[place - 1]

    return change


def _insert(place: int) -> Callable[[list[bytes]], None]:
    def change(lines: list[bytes]) -> None:
        lines.insert(place - 1, lines[place - 1].replace(b"flow-run:test", b"flow-run:none"))

    return change


def _duplicate(place: int) -> Callable[[list[bytes]], None]:
    def change(lines: list[bytes]) -> None:
        lines.insert(place - 1, lines[place - 2])

    return change


def _swap(place: int) -> Callable[[list[bytes]], None]:
    def change(lines: list[bytes]) -> None:
        lines[place - 1], lines[place] = lines[place], lines[place - 1]

    return change


SIMPLE: dict[str, tuple[Callable[[int], Callable[[list[bytes]], None]], str, int]] = {
    "edited": (_edit, "entry.edited", 0), "deleted": (_delete, "entry.deleted", 0),
    "inserted": (_insert, "entry.inserted", 0), "duplicated": (_duplicate, "entry.duplicated", 0),
    "swapped": (_swap, "entry.swapped", 1),
}  # fmt: skip


@pytest.mark.parametrize("place", [*PLACES, 2, COUNT - 1])
@pytest.mark.parametrize("how", SIMPLE)
def test_what_is_done_to_an_entry_is_named_with_its_number(
    how: str, place: int, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At random places and at both ends."""
    forge, code, more = SIMPLE[how]
    alter_lines(copy, forge(place))
    assert _found(capsys, copy) == (1, [(code, place, place + more)])


@pytest.mark.parametrize("number", range(6))
def test_any_flipped_bit_is_found_at_its_entry(
    number: int, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the bit turns the byte into, also into a line feed."""
    place = RANDOM.randrange(1, COUNT + 1)
    alter_lines(copy, _edit_byte(place))
    code, found = _found(capsys, copy)
    assert code == 1 and [one[1] for one in found] == [place], found


def test_first_and_last_entries_that_are_deleted_are_named(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tail is missing against the leaves, and against the checkpoints where the leaves went too."""
    first, last, tail = (copied(whole, tmp_path / name) for name in ("first", "last", "tail"))
    alter_lines(first, _delete(1))
    assert _found(capsys, first) == (1, [("entry.deleted", 1, 1)])
    alter_lines(last, _delete(COUNT))
    assert _found(capsys, last) == (1, [("log.cut", COUNT, COUNT)])
    alter_lines(tail, lambda lines: lines.__delitem__(slice(COUNT - 123, None)))
    hash_anew(tail)
    told = [("log.cut", COUNT - 122, COUNT), ("log.unsigned", COUNT - 4_999, COUNT - 123)]
    assert _found(capsys, tail) == (1, told)


@pytest.mark.parametrize("how", ["edited", "deleted", "inserted", "swapped"])
def test_log_whose_hashes_were_all_made_anew_is_found_between_two_checkpoints(
    how: str, copy: Path, witness: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever rewrites numbers, leaves and manifest has no key: the entries since the last true checkpoint."""
    place = min(PLACES)
    assert place < COUNT - 5_000
    forge = SIMPLE[how][0](place)

    def change(lines: list[bytes]) -> None:
        forge(lines)
        renumbered(lines, place)

    alter_lines(copy, change)
    hash_anew(copy)
    first = (place - 1) // 5_000 * 5_000
    assert _found(capsys, copy)[1][0] == ("log.forked", first + 1, first + 5_000)
    code, found = _found(capsys, copy, "--witness", witness)
    assert code == 1 and ("log.forked", first + 1, first + 5_000) in found


def test_whole_log_rewritten_and_signed_with_another_key_is_found(
    whole: Path, witness: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It verifies with the keys it encloses, and that is said; not with the right one, nor against a witness."""
    lines = [entry.replace(b"flow-run:test", b"flow-run:none") for entry in Export.of(6_000, ()).entries]
    forged = Export(lines, (5_000, 6_000)).write(tmp_path / "forged", OTHER_KEY)
    assert verifier.main([str(forged)]) == 0
    assert "[key.enclosed]" in capsys.readouterr().out
    code, found = _found(capsys, forged)
    assert code == 1 and [one[0] for one in found[:2]] == ["checkpoint.unknown_key"] * 2
    code, found = _found(capsys, forged, "--witness", witness)
    assert code == 1 and ("log.forked", 1, 5_000) in found


def test_old_copy_is_found_by_what_a_witness_knows(
    export: Export, witness: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything in it is true, and yet it is not all."""
    old = Export(export.entries[:10_000], SIZES[:2]).write(tmp_path / "old")
    assert _found(capsys, old) == (0, [])
    assert _found(capsys, old, "--witness", witness) == (1, [("log.rolled_back", 10_001, COUNT)])


def test_fork_is_found_by_what_a_witness_knows(
    export: Export, witness: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody with the key told somebody else another story, from entry 12,000 on."""
    entries = [
        *export.entries[:12_000],
        *(one.replace(b":test", b":none") for one in export.entries[12_000:20_000]),
    ]
    fork = Export(entries, SIZES[:4]).write(tmp_path / "fork")
    assert _found(capsys, fork) == (0, [])
    code, found = _found(capsys, fork, "--witness", witness)
    assert code == 1 and ("log.forked", 10_001, 15_000) in found
    assert ("checkpoint.forked", 15_000, 15_000) in found


@pytest.mark.parametrize("how", ["other system", "other log", "wrong key", "altered", "noise", "other name"])
def test_checkpoint_that_is_not_of_this_log_is_named(
    how: str, export: Export, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each with its own code; none of them counts."""
    root = Frontier().grown(leaf_hash(export.entries[0])).root
    ours = sign_checkpoint(Checkpoint(ORIGIN, 1, root), KEY)
    content, code = {
        "other system": (
            sign_checkpoint(Checkpoint("juki-renkei/130001/resident", 1, root), KEY),
            "other_log",
        ),
        "other log": (sign_checkpoint(Checkpoint(list(ORIGINS.values())[1], 1, root), KEY), "other_log"),
        "wrong key": (sign_checkpoint(Checkpoint(ORIGIN, 1, root), OTHER_KEY), "unknown_key"),
        "altered": (ours.replace(b"\n1\n", b"\n2\n"), "signature"),
        "noise": (b"\xff\x00", "form"),
        "other name": (ours, "name"),
    }[how]
    path = tmp_path / file_name(2)
    path.write_bytes(content)
    assert _found(capsys, whole, "--witness", path) == (1, [(f"checkpoint.{code}", None, None)])


def test_witness_without_checkpoints_of_this_log_is_told(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty folder must not pass for agreement."""
    assert _found(capsys, whole, "--witness", tmp_path) == (1, [("checkpoint.none", None, None)])


def test_forged_proof_and_manifest_are_named(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the entries themselves are true."""
    proofs, manifest = (copied(whole, tmp_path / name) for name in ("proofs", "manifest"))
    lines = (proofs / "proofs.jsonl").read_text().splitlines()
    (proofs / "proofs.jsonl").unlink()
    forged = json.loads(lines[3])
    forged["proof"][0] = "00" * 32
    (proofs / "proofs.jsonl").write_text("\n".join([*lines[:3], json.dumps(forged), *lines[4:], "noise"]))
    told = [("proof.consistency", 20_001, 25_000), ("proof.consistency", 1, 0)]
    assert _found(capsys, proofs) == (1, told)
    said = json.loads((manifest / "manifest.json").read_text()) | {"root": "00" * 32}
    (manifest / "manifest.json").unlink()
    (manifest / "manifest.json").write_text(json.dumps(said))
    assert _found(capsys, manifest) == (1, [("log.manifest", COUNT, COUNT)])


def test_entry_that_says_another_number_is_no_entry_of_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where somebody with the key hashed and signed it so: nothing but its number tells."""
    entries = Export.of(9, ()).entries
    entries[3], entries[4] = entries[4], entries[3]
    assert _found(capsys, Export(entries, (9,)).write(tmp_path / "log"))[1][0] == ("entry.swapped", 4, 5)


def test_entries_nobody_signed_are_told_and_no_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are hashed and counted; that nothing vouches for their end is said."""
    folder = Export.of(12, (5, 10)).write(tmp_path / "log")
    assert _found(capsys, folder) == (0, [("log.unsigned", 11, 12)])
    alter_lines(folder, _delete(12))
    assert _found(capsys, folder)[1][0] == ("log.cut", 12, 12)


def test_witnesses_are_verified_without_a_log(
    witness: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two witnesses that agree, and one that was told another story."""
    assert _found(capsys, "--witness", witness, "--witness", witness) == (0, [])
    entries = [entry.replace(b":test", b":none") for entry in Export.of(5_000, ()).entries]
    other = Export(entries, (5_000,)).witness(tmp_path / "other")
    assert _found(capsys, "--witness", witness, "--witness", other) == (
        1,
        [("checkpoint.forked", 5_000, 5_000)],
    )


def test_what_can_not_be_verified_is_told_by_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No export, no key, a key that is none, a witness that is away, another format."""
    folder = Export.of(3, (3,)).write(tmp_path / "log")
    (tmp_path / "bad.vkey").write_text("noise")
    for arguments in (
        [], [tmp_path / "none"], [folder, "--key", tmp_path / "bad.vkey"], [folder, "--key", tmp_path / "absent"],
        [folder, "--witness", tmp_path / "away"],
    ):  # fmt: skip
        assert verifier.main(list(map(str, arguments))) == 2
        assert "[verify.impossible]" in capsys.readouterr().out
    (folder / "manifest.json").write_text('{"format":"juki-log-export/2"}')
    assert verifier.main([str(folder), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "verify.impossible"


def test_hostile_entries_end_the_walk_and_not_the_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line without an end, and brackets nested beyond any stack."""
    for name, line in (
        ("long", b"x" * 3_000_000),
        ("deep", b"[" * 200_000 + b"\n"),
        ("digits", b"9" * 9_999 + b"\n"),
    ):
        folder = Export.of(3, (3,)).write(tmp_path / name)
        alter_lines(folder, lambda lines, line=line: lines.__setitem__(1, line))  # type: ignore[misc]
        code, found = _found(capsys, folder)
        assert code == 1 and found[0][1] == 2


def test_proof_of_one_entry_is_checked_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `juki log verify --entry --json` prints is enough; any alteration is found."""
    export = Export.of(20, (17,))
    leaves = [leaf_hash(entry) for entry in export.entries]
    proof = range_roots(leaves, inclusion_ranges(4, 17))
    said = {
        "format": "juki-log-inclusion/1", "entry_no": 5, "entry": export.entries[4].decode(), "size": 17,
        "root": tree_root(leaves[:17]).hex(), "proof": [node.hex() for node in proof],
        "checkpoint": export.signed()[0][17].decode(),
    }  # fmt: skip
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(said))
    assert _found(capsys, "--inclusion", path) == (0, [])
    for altered in (
        {"entry": said["entry"].replace(":test", ":none")}, {"entry_no": 6}, {"proof": said["proof"][1:]},
        {"size": 18}, {"root": "00" * 32}, {"entry": export.entries[5].decode(), "entry_no": 6},
    ):  # fmt: skip
        path.write_text(json.dumps(said | altered))
        assert _found(capsys, "--inclusion", path)[1][0][0] == "proof.inclusion"


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_the_verifier_agrees_with_the_published_inclusion_proofs(
    index: int, size: int, path: list[str]
) -> None:
    """The second implementation is held to the same vectors."""
    root = verifier.path_root(index + 1, size, LEAVES[index], [bytes.fromhex(node) for node in path])
    assert root.hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("first", "size", "path"), CONSISTENCY)
def test_the_verifier_agrees_with_the_published_consistency_proofs(
    first: int, size: int, path: list[str]
) -> None:
    """Both roots come out of it."""
    proof, older = [bytes.fromhex(node) for node in path], bytes.fromhex(ROOTS[first - 1])
    assert verifier.grown_roots(first, size, older, proof) == (older, bytes.fromhex(ROOTS[size - 1]))


@given(st.integers(1, 200), st.data())
def test_both_implementations_agree(size: int, data: st.DataObject) -> None:
    """Roots, inclusion and consistency, which the two compute in different ways."""
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    tree, frontier = verifier.Tree(), Frontier()
    for leaf in leaves:
        tree.add(leaf)
        frontier = frontier.grown(leaf)
    assert tree.root() == frontier.root == tree_root(leaves)
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    path = range_roots(leaves, inclusion_ranges(index, size))
    assert verifier.path_root(index + 1, size, leaves[index], path) == frontier.root
    older = tree_root(leaves[:first])
    proof = range_roots(leaves, consistency_ranges(first, size))
    assert verifier.grown_roots(first, size, older, proof) == (older, frontier.root)
    assert verifier.grown_roots(first, size, older, [*proof, older]) is None


def test_verifier_runs_alone(whole: Path, tmp_path: Path) -> None:
    """As an auditor runs it: its file somewhere else, nothing of ours beside it, nothing of the environment."""
    program = tmp_path / "juki_verify.py"
    program.write_bytes(Path(verifier.__file__).read_bytes())
    command = [sys.executable, "-I", str(program), str(whole), "--key", VKEY]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={}, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "一致しました" in done.stdout
