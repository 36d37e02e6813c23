"""A walk through an operation log: every entry against its hashes, every checkpoint against the tree.

Decides:    what a fault of a log is, where it begins and how far it reaches.
Leaves:     reading rows to `juki.store.journal_reading`, opening checkpoints to `juki.witnesses`.
Invariants: one frontier at a time, however long the log. An entry added together with the next may have no tree
            beside it, never another one; the last entry has one. A walk ends at the first fault of an entry: what
            follows is hashed over it and says nothing any more. Checkpoints narrow down a rewriting to the entries
            after the last one that agrees.
Source:     RFC 6962 section 2.1, assessment M8.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from juki.merkle import Frontier, leaf_hash
from juki.reasons import Code


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One row of the log as it is stored; `frontier` is empty where only a later entry has the tree."""

    entry_no: int
    entry: str
    leaf_hash: bytes
    frontier: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a log, and from which entry to which."""

    code: Code
    first: int
    last: int

    @property
    def entries(self) -> str:
        """Name the entries."""
        return entries_named(self.first, self.last)


def entries_named(first: int, last: int) -> str:
    """Name entries by their numbers: one, or two with a dash."""
    return str(first) if first == last else f"{first}-{last}"


@dataclass(slots=True)
class Walk:
    """How far a walk has come: the tree so far, the roots it was asked to note, and what it found."""

    frontier: Frontier = field(default_factory=Frontier)
    fault: Fault | None = None
    roots: dict[int, bytes] = field(default_factory=dict)
    """The roots at the sizes that were asked for, as far as the walk came."""

    def through(self, rows: Iterable[StoredEntry], sizes: Iterable[int] = ()) -> Walk:
        """Go on through the rows from the present size on, and note the roots at some sizes."""
        wanted, has_tree = set(sizes), True
        self._note(wanted)
        for row in rows:
            grown = self.frontier.grown(leaf_hash(row.entry.encode()))
            if not _holds(row, grown):
                self.fault = Fault(Code.JOURNAL_BROKEN, grown.size, grown.size)
                return self
            self.frontier, has_tree = grown, bool(row.frontier)
            self._note(wanted)
        if not has_tree:
            self.fault = Fault(Code.JOURNAL_BROKEN, self.frontier.size, self.frontier.size)
        return self

    def _note(self, wanted: set[int]) -> None:
        if self.frontier.size in wanted:
            self.roots[self.frontier.size] = self.frontier.root


def _holds(row: StoredEntry, tree: Frontier) -> bool:
    """Tell whether a row is in its place, says its own number, and has the hashes that follow from it."""
    try:
        said = json.loads(row.entry)
    except ValueError:
        return False
    return (
        row.entry_no == tree.size
        and isinstance(said, dict)
        and said.get("entry_no") == row.entry_no
        and row.leaf_hash == leaf_hash(row.entry.encode())
        and row.frontier in (b"", tree.to_bytes())
    )


def compared(walk: Walk, checkpoints: Mapping[int, bytes], shorter: Code) -> Fault | None:
    """Compare a walk with what was signed: roots by size; `shorter` is the code of a log that lacks its end.

    Returns: the first disagreement, from the entry after the last checkpoint that agrees.
    """
    agreed = 0
    for size, root in sorted(checkpoints.items()):
        if size > walk.frontier.size:
            return None if walk.fault else Fault(shorter, walk.frontier.size + 1, size)
        if size in walk.roots:
            if walk.roots[size] != root:
                return Fault(Code.JOURNAL_FORKED, agreed + 1, size)
            agreed = size
    return None
