"""Proofs over the RFC 6962 tree: that an entry is in it, and that an older tree is the beginning of a newer one.

Decides:    which ranges of leaves a proof is made of, and whether a proof holds.
Leaves:     hashes and frontiers to `juki.merkle`, roots that are worth comparing with to `juki.checkpoints`.
Invariants: a proof names ranges that do not overlap, so its hashes are computed in one pass over the leaves with one
            frontier at a time. Checking never raises: a proof of any other length or shape does not hold.
Source:     RFC 6962 sections 2.1.1 and 2.1.2; checking as in RFC 9162 sections 2.1.3.2 and 2.1.4.2.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from juki.merkle import HASH_BYTES, Frontier, node_hash

Range = tuple[int, int]
"""Leaves from the first (counted from 0) up to, and without, the second."""


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """List the ranges whose roots prove leaf `index` in a tree of `size`, from the leaf upwards.

    Raises: ValueError when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    ranges, start, end = list[Range](), 0, size
    while end - start > 1:
        split = start + _left(end - start)
        if index < split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    return ranges[::-1]


def consistency_ranges(first: int, size: int) -> list[Range]:
    """List the ranges whose roots prove that the tree of `first` leaves is the beginning of that of `size`.

    Empty for equal sizes, and for the empty tree, with which everything begins.
    Raises: ValueError when the older tree is the larger.
    """
    if not 0 <= first <= size:
        raise ValueError("the older tree is the larger")
    if first in (0, size):
        return []
    ranges, start, end, is_whole = list[Range](), 0, size, True
    while first != end:
        split = start + _left(end - start)
        if first <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start, is_whole = split, False
    # The root of the older tree itself is known to whoever checks.
    return ranges[::-1] if is_whole else [(start, end), *ranges[::-1]]


def range_roots(leaves: Iterable[bytes], ranges: Sequence[Range]) -> list[bytes]:
    """Compute the roots of ranges that do not overlap in one pass over the leaf hashes, in the order asked for.

    Raises: ValueError when there are fewer leaves than the ranges name.
    """
    roots, waiting, place = dict[Range, bytes](), sorted(ranges), 0
    frontier = Frontier()
    for index, leaf in enumerate(leaves):
        if place == len(waiting):
            break
        start, end = waiting[place]
        if index >= start:
            frontier = frontier.grown(leaf)
        if index == end - 1:
            roots[waiting[place]], frontier, place = frontier.root, Frontier(), place + 1
    if place < len(waiting):
        raise ValueError("fewer leaves than the ranges name")
    return [roots[one] for one in ranges]


def consistency_proof(first: Frontier, news: Iterable[bytes], size: int) -> list[bytes]:
    """Prove that a tree grew from its frontier, from the leaves that came since alone.

    Shape: `news` are the leaf hashes from `first.size` on, at least up to `size`. What lies before is made of
           perfect subtrees, and those are the hashes of the frontier.
    """
    ranges = consistency_ranges(first.size, size)
    known = dict(zip(_subtrees(first.size), first.hashes, strict=True))
    fresh = [(start - first.size, end - first.size) for start, end in ranges if start >= first.size]
    computed = iter(range_roots(news, fresh))
    return [known[one] if one[1] <= first.size else next(computed) for one in ranges]


def successive_proofs(
    leaves: Iterable[bytes], sizes: Iterable[int]
) -> Iterator[tuple[int, int, list[bytes]]]:
    """Prove for ascending sizes that each tree continues the one before, in one pass over the leaf hashes.

    Returns: (older size, newer size, proof) of each two in a row, as far as there are leaves.
    """
    waiting, frontier, older = iter(leaves), Frontier(), 0

    def up_to(size: int) -> Iterator[bytes]:
        nonlocal frontier
        while frontier.size < size and (leaf := next(waiting, None)) is not None:
            frontier = frontier.grown(leaf)
            yield leaf

    for size in sizes:
        base, news = frontier, up_to(size)
        try:
            proof = consistency_proof(base, news, size)
        except ValueError:
            return
        deque(news, maxlen=0)
        if older:
            yield older, size, proof
        older = size


def is_included(index: int, size: int, leaf: bytes, root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether a proof shows that a leaf hash is leaf `index` of the tree with this size and root."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    place, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and node == root


def is_consistent(first: int, size: int, first_root: bytes, root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether a proof shows that the tree of `first` leaves is the beginning of the tree of `size`."""
    if not 0 <= first <= size or not _are_hashes(first_root, root, *proof):
        return False
    if first == 0:
        return not proof
    if first == size:
        return not proof and first_root == root
    nodes = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    return bool(nodes) and _grows(first - 1, size - 1, first_root, root, nodes)


def _grows(place: int, last: int, first_root: bytes, root: bytes, nodes: Sequence[bytes]) -> bool:
    """Fold the nodes into both roots at once (RFC 9162 2.1.4.2)."""
    while place & 1:
        place, last = place >> 1, last >> 1
    older = newer = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            older, newer = node_hash(node, older), node_hash(node, newer)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            newer = node_hash(newer, node)
        place, last = place >> 1, last >> 1
    return last == 0 and older == first_root and newer == root


def _are_hashes(*hashes: bytes) -> bool:
    return all(len(one) == HASH_BYTES for one in hashes)


def _left(leaves: int) -> int:
    """Tell how many of more than one leaf are in the left subtree: the largest power of two below."""
    return 1 << ((leaves - 1).bit_length() - 1)


def _subtrees(size: int) -> list[Range]:
    """List the perfect subtrees of a tree from left to right, as its frontier holds them."""
    ranges, start = list[Range](), 0
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            ranges.append((start, start + (1 << bit)))
            start += 1 << bit
    return ranges
