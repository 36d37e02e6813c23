"""The RFC 6962 Merkle tree, grown from its frontier, by one leaf or by many.

Decides:    leaf and node hashes, the root of a tree, and how the frontier grows.
Leaves:     what a leaf says to `juki.journal`; checkpoints and proofs to the issue that publishes them.
Invariants: a frontier holds the roots of the perfect subtrees of the tree from left to right, one for each
            bit set in its size; so it has at most 64 hashes however long the log.
Source:     RFC 6962 section 2.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash one log entry (RFC 6962 2.1: a 0x00 byte, then the entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees (RFC 6962 2.1: a 0x01 byte, then both)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of `size` leaves, known by the roots of its perfect subtrees, largest first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def grown(self, leaf: bytes) -> Frontier:
        """Add one leaf hash: merge as many perfect subtrees as the size has trailing one bits."""
        hashes = list(self.hashes)
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(hashes.pop(), node)
            size >>= 1
        return Frontier(self.size + 1, (*hashes, node))

    def grown_by(self, leaves: Sequence[bytes]) -> Frontier:
        """Add many leaf hashes at once: level by level, each level in pairs."""
        waiting, left = list(self.hashes), list[bytes]()
        nodes, size = list(leaves), self.size
        while nodes or size:
            if size & 1:
                nodes.insert(0, waiting.pop())
            if len(nodes) & 1:
                left.append(nodes.pop())
            nodes = [node_hash(one, other) for one, other in zip(nodes[::2], nodes[1::2], strict=True)]
            size >>= 1
        return Frontier(self.size + len(leaves), tuple(reversed(left)))

    @property
    def root(self) -> bytes:
        """The tree head: the perfect subtrees folded from the right."""
        if not self.hashes:
            return EMPTY_ROOT
        node = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            node = node_hash(left, node)
        return node

    def to_bytes(self) -> bytes:
        """Write the hashes one after the other; the size is kept beside them."""
        return b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, size: int, packed: bytes) -> Frontier:
        """Read what `to_bytes` wrote.

        Raises: ValueError when the number of hashes does not fit the size.
        """
        if len(packed) != HASH_BYTES * size.bit_count():
            raise ValueError("the frontier does not fit the size of the tree")
        return cls(size, tuple(packed[i : i + HASH_BYTES] for i in range(0, len(packed), HASH_BYTES)))


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Compute the root over leaf hashes as the RFC defines it; the frontier is tested against this."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(tree_root(leaves[:split]), tree_root(leaves[split:]))
