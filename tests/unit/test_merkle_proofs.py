"""Proofs over the tree against the published vectors, against the definition, and against every corruption."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.merkle import HASH_BYTES, Frontier, leaf_hash, tree_root
from juki.merkle_proofs import (
    consistency_proof,
    consistency_ranges,
    inclusion_ranges,
    is_consistent,
    is_included,
    range_roots,
    successive_proofs,
)
from tests.unit.test_merkle import INPUTS, ROOTS

# The published proofs over the same eight leaves (google/certificate-transparency, LogVerifier tests; now
# transparency-dev/merkle, proof/verify_test.go): leaf counted from 0, size, path.
INCLUSION = [
    (0, 1, []),
    (0, 8, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"]),
    (5, 8, ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (1, 5, ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"]),
]  # fmt: skip
CONSISTENCY = [
    (1, 1, []),
    (1, 8, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"]),
    (6, 8, ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
    (2, 5, ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"]),
    (6, 7, ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
]  # fmt: skip
LEAVES = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]
SIZES = st.integers(1, 70)


def _leaves(size: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(size)]


def _frontier(leaves: Sequence[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.grown(leaf)
    return frontier


def _bytes(texts: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_the_published_inclusion_proofs_come_out_and_hold(index: int, size: int, path: list[str]) -> None:
    """Made and checked: somebody else's program would agree with ours."""
    assert range_roots(LEAVES, inclusion_ranges(index, size)) == _bytes(path)
    assert is_included(index, size, LEAVES[index], bytes.fromhex(ROOTS[size - 1]), _bytes(path))


@pytest.mark.parametrize(("first", "size", "path"), CONSISTENCY)
def test_the_published_consistency_proofs_come_out_and_hold(first: int, size: int, path: list[str]) -> None:
    """From all leaves, and from the older frontier with the news alone."""
    assert range_roots(LEAVES, consistency_ranges(first, size)) == _bytes(path)
    assert consistency_proof(_frontier(LEAVES[:first]), LEAVES[first:size], size) == _bytes(path)
    older, newer = bytes.fromhex(ROOTS[first - 1]), bytes.fromhex(ROOTS[size - 1])
    assert is_consistent(first, size, older, newer, _bytes(path))


def test_every_entry_of_every_small_tree_can_be_proved() -> None:
    """All 2,485 pairs up to 70 leaves, over several powers of two."""
    for size in range(1, 71):
        leaves = _leaves(size)
        root = tree_root(leaves)
        for index in range(size):
            proof = range_roots(leaves, inclusion_ranges(index, size))
            assert is_included(index, size, leaves[index], root, proof)
            assert not is_included(index, size, leaf_hash(b"another"), root, proof)


def test_every_small_tree_is_the_beginning_of_every_larger_one() -> None:
    """All pairs up to 70 leaves; the empty tree is the beginning of all."""
    leaves = _leaves(70)
    for size in range(71):
        root = tree_root(leaves[:size])
        for first in range(size + 1):
            proof = consistency_proof(_frontier(leaves[:first]), leaves[first:size], size)
            assert proof == range_roots(leaves, consistency_ranges(first, size))
            assert is_consistent(first, size, tree_root(leaves[:first]), root, proof)


@given(st.sets(SIZES, min_size=1))
def test_proofs_of_many_checkpoints_come_of_one_pass_over_the_leaves(chosen: set[int]) -> None:
    """Each is the proof one would make of the two alone; where leaves are missing, the rest is left out."""
    sizes, leaves = sorted(chosen), _leaves(70)
    pairs = list(pairwise(sizes))
    wanted = [(a, b, range_roots(leaves, consistency_ranges(a, b))) for a, b in pairs]
    assert list(successive_proofs(iter(leaves), sizes)) == wanted
    assert list(successive_proofs(leaves[: sizes[-1] - 1], sizes)) == wanted[: max(len(wanted) - 1, 0)]


@given(SIZES, st.data())
def test_no_corrupted_inclusion_proof_holds(size: int, data: st.DataObject) -> None:
    """Another place, size, leaf or root, a hash more or less, or a flipped bit: as in the published probes."""
    leaves = _leaves(size)
    index = data.draw(st.integers(0, size - 1))
    root, proof = tree_root(leaves), range_roots(leaves, inclusion_ranges(index, size))
    for other in {index - 1, index + 1, index ^ 2} - {index}:
        assert not is_included(other, size, leaves[index], root, proof)
    assert not is_included(index, size * 2, leaves[index], root, proof)
    assert not is_included(index, size, root + b"\0", root, proof)
    for wrong in _corrupted(proof, root, data):
        assert not is_included(index, size, leaves[index], root, wrong)


@given(SIZES, st.data())
def test_no_corrupted_consistency_proof_holds(size: int, data: st.DataObject) -> None:
    """A log that was rewritten can not be made to look like the continuation of the old one."""
    leaves = _leaves(size + 1)
    size += 1
    first = data.draw(st.integers(1, size - 1))
    older, newer = tree_root(leaves[:first]), tree_root(leaves)
    proof = range_roots(leaves, consistency_ranges(first, size))
    rewritten = tree_root([leaf_hash(b"another"), *leaves[1:first]])
    assert not is_consistent(first, size, rewritten, newer, proof)
    assert not is_consistent(first, size, newer, older, proof)
    assert not is_consistent(size, first, newer, older, proof)
    assert not is_consistent(first, size, older, newer, [])
    for wrong in _corrupted(proof, newer, data):
        assert not is_consistent(first, size, older, newer, wrong)


def _corrupted(proof: list[bytes], root: bytes, data: st.DataObject) -> list[list[bytes]]:
    wrong = [[*proof, b""], [*proof, root], [b"", *proof], [root, *proof]]
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        bit = data.draw(st.integers(0, 8 * HASH_BYTES - 1))
        flipped = bytearray(proof[place])
        flipped[bit // 8] ^= 1 << bit % 8
        wrong += [proof[:-1], proof[1:], [*proof[:place], bytes(flipped), *proof[place + 1 :]]]
    return wrong


def test_what_can_not_be_proved_is_not_asked_for() -> None:
    """An entry beyond the end, a past larger than the present, leaves that are not there."""
    for index, size in ((-1, 3), (3, 3), (0, 0)):
        with pytest.raises(ValueError, match="no such leaf"):
            inclusion_ranges(index, size)
    with pytest.raises(ValueError, match="larger"):
        consistency_ranges(4, 3)
    with pytest.raises(ValueError, match="fewer leaves"):
        range_roots(LEAVES[:2], [(0, 3)])
