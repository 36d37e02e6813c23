"""The RFC 6962 tree against the published vectors and against its own definition."""

from __future__ import annotations

from hashlib import sha256

import pytest

from juki.merkle import EMPTY_ROOT, Frontier, leaf_hash, tree_root

# The inputs and roots of the reference implementation (google/certificate-transparency, merkletree tests;
# the same are used by transparency-dev/merkle): trees of 1 to 8 leaves.
INPUTS = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def grown(leaves: list[bytes]) -> Frontier:
    """Grow a tree leaf by leaf."""
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.grown(leaf)
    return frontier


@pytest.mark.parametrize("size", range(1, 9))
def test_the_published_roots_come_out(size: int) -> None:
    """Both ways to compute a root give the reference's."""
    leaves = [leaf_hash(bytes.fromhex(text)) for text in INPUTS[:size]]
    assert tree_root(leaves).hex() == grown(leaves).root.hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    """RFC 6962 2.1."""
    assert EMPTY_ROOT == tree_root([]) == Frontier().root == sha256(b"").digest()


def test_the_frontier_agrees_with_the_definition_for_every_size() -> None:
    """Sizes 0 to 70 cross several powers of two."""
    leaves = [leaf_hash(str(number).encode()) for number in range(70)]
    for size in range(71):
        frontier = grown(leaves[:size])
        assert frontier.root == tree_root(leaves[:size])
        assert len(frontier.hashes) == size.bit_count()
        assert Frontier.from_bytes(size, frontier.to_bytes()) == frontier


def test_a_frontier_that_does_not_fit_its_size_is_refused() -> None:
    """A cut or lengthened frontier can not be continued."""
    packed = grown([leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")]).to_bytes()
    for size, wrong in ((3, packed[:-1]), (3, packed + b"\0" * 32), (4, packed), (0, packed)):
        with pytest.raises(ValueError, match="does not fit"):
            Frontier.from_bytes(size, wrong)


def test_a_leaf_is_never_taken_for_a_node() -> None:
    """The prefixes keep a forged leaf made of two hashes apart from their parent."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != tree_root([left, right])
