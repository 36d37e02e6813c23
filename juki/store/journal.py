"""The operation log in the database: entries are added, never changed, each with the tree after it.

Decides:    the number of an entry and the growth of the tree, within the transaction of what is recorded.
Leaves:     fields and bytes to `juki.journal`, the tree to `juki.merkle`.
Invariants: one writer at a time per database until commit, so numbers have no gaps; an entry and the change it
            records commit together or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from sqlalchemy import Connection, func, select

from juki.columns import IdentityFile
from juki.errors import JournalError
from juki.journal import Entry, canonical_bytes
from juki.journal_many import canonical_texts
from juki.merkle import Frontier, leaf_hash
from juki.reasons import Code
from juki.store.bulk import copy_in, cursor_of
from juki.store.operators import UsedAssertions
from juki.store.tables import TABLES
from juki.subjects import Subjects

_APPEND_LOCK = 0x6A726E6C
"""The advisory lock of the log's only end ("jrnl")."""


@dataclass(frozen=True, slots=True)
class Journal:
    """The log of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    def lock(self) -> None:
        """Keep everybody else from the end of the log until commit."""
        self.connection.execute(select(func.pg_advisory_xact_lock(_APPEND_LOCK)))

    def append(self, entry: Entry, recorded_at: datetime) -> int:
        """Add an entry as the last one and return its number.

        Raises: JournalError(JOURNAL_BROKEN) when the last entry does not carry a tree of its size;
                DeniedError(OPERATOR_ASSERTION_REPLAYED) when its assertion was used for another act.
        """
        self.lock()
        frontier = self.frontier()
        content = canonical_bytes(entry, frontier.size + 1, recorded_at)
        leaf = leaf_hash(content)
        self._use(entry, frontier.size + 1, recorded_at)
        self.connection.execute(
            TABLES[self.file].journal.insert(),
            {
                "entry_no": frontier.size + 1,
                "entry": content.decode(),
                "leaf_hash": leaf,
                "frontier": frontier.grown(leaf).to_bytes(),
            },
        )
        return frontier.size + 1

    def append_many(self, entry: Entry, subjects: Subjects, recorded_at: datetime) -> range:
        """Add an entry once for each subject, in one piece, and return their numbers.

        The tree is kept with the last of them only: those before it have an empty frontier.
        Raises: JournalError(JOURNAL_BROKEN) as `append` does.
        """
        self.lock()
        frontier = self.frontier()
        numbers = range(frontier.size + 1, frontier.size + 1 + len(subjects))
        if not numbers:
            return numbers
        self._use(entry, numbers.start, recorded_at)
        texts = canonical_texts(entry, subjects, numbers.start, recorded_at)
        leaves = [leaf_hash(text.encode()) for text in texts]
        last = frontier.grown_by(leaves).to_bytes()
        rows = {
            "entry_no": pa.array(numbers, pa.int64()),
            "entry": pa.array(texts, pa.string()),
            "leaf_hash": pa.array(leaves, pa.binary()),
            "frontier": pa.array([b""] * (len(numbers) - 1) + [last], pa.binary()),
        }
        copy_in(cursor_of(self.connection), "journal", pa.table(rows))
        return numbers

    def _use(self, entry: Entry, entry_no: int, at: datetime) -> None:
        """Use the assertions an act rests on with its first entry: an operator acts once on each."""
        if entry.authentication is not None:
            UsedAssertions(self.file, self.connection).use(entry.authentication, entry_no, at)

    def frontier(self) -> Frontier:
        """Read the tree as the last entry left it."""
        journal = TABLES[self.file].journal
        last = self.connection.execute(
            select(journal.c.entry_no, journal.c.frontier).order_by(journal.c.entry_no.desc()).limit(1)
        ).one_or_none()
        if last is None:
            return Frontier()
        try:
            return Frontier.from_bytes(last.entry_no, bytes(last.frontier))
        except ValueError:
            raise JournalError(Code.JOURNAL_BROKEN, self.file.value) from None

    def verify(self) -> Frontier:
        """Walk the whole log and compare every hash and tree with what is stored.

        An entry that was added together with the next one may have no tree beside it, but never another one; the
        last entry of the log has it, or the end was cut off.
        Returns: the frontier of the whole log.
        Raises: JournalError(JOURNAL_BROKEN) naming the number of the first entry that does not hold.
        """
        journal = TABLES[self.file].journal
        frontier, has_tree = Frontier(), True
        columns = (journal.c.entry_no, journal.c.entry, journal.c.leaf_hash, journal.c.frontier)
        for row in self.connection.execute(select(*columns).order_by(journal.c.entry_no)):
            leaf = leaf_hash(row.entry.encode())
            frontier = frontier.grown(leaf)
            has_tree = len(row.frontier) > 0
            tree = frontier.to_bytes() if has_tree else b""
            stored = (row.entry_no, bytes(row.leaf_hash), bytes(row.frontier))
            # Where no tree stands beside an entry, its own number says whether it is in its place.
            if stored != (frontier.size, leaf, tree) or f'"entry_no":{row.entry_no},' not in row.entry:
                raise JournalError(Code.JOURNAL_BROKEN, f"{self.file.value} {frontier.size}")
        if not has_tree:
            raise JournalError(Code.JOURNAL_BROKEN, f"{self.file.value} {frontier.size}")
        return frontier
