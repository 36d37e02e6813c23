"""The register of checkpoints of one store: what was signed, and to which witnesses it was written.

Decides:    that one run signs at a time.
Leaves:     what is signed to `juki.checkpoints`, when to `juki.oplog`.
Invariants: a row is never changed but for the witnesses beside it. The register is a convenience: whoever can change
            the log can change it too, so what is proved is proved by the witnesses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, any_, func, literal, select

from juki.columns import IdentityFile
from juki.store.tables import TABLES

_SIGNING_LOCK = 0x636B7074
"""The advisory lock of whoever signs ("ckpt")."""


@dataclass(frozen=True, slots=True)
class Signed:
    """One checkpoint as it was signed; `root` is that of the tree of `size` leaves."""

    size: int
    root: bytes
    note: bytes
    signed_at: datetime
    written_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckpointRegister:
    """The register, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    def lock(self) -> bool:
        """Keep other runs from signing until commit; False when one is at it."""
        held = self.connection.execute(select(func.pg_try_advisory_xact_lock(_SIGNING_LOCK)))
        return bool(held.scalar_one())

    def last(self) -> Signed | None:
        """Read the newest checkpoint."""
        table = TABLES[self.file].checkpoint
        query = select(table).order_by(table.c.tree_size.desc()).limit(1)
        row = self.connection.execute(query).one_or_none()
        return _signed(row) if row else None

    def all(self) -> list[Signed]:
        """Read every checkpoint, by size."""
        table = TABLES[self.file].checkpoint
        return [_signed(row) for row in self.connection.execute(select(table).order_by(table.c.tree_size))]

    def last_written_to(self, witness: str) -> int:
        """Tell the size of the newest checkpoint a witness was given; 0 when it never was given any."""
        table = TABLES[self.file].checkpoint
        query = select(func.max(table.c.tree_size)).where(literal(witness) == any_(table.c.written_to))
        return int(self.connection.execute(query).scalar_one() or 0)

    def add(self, signed: Signed) -> None:
        """Note a checkpoint that was signed and written."""
        row = {
            "tree_size": signed.size, "root_hash": signed.root, "note": signed.note.decode(),
            "signed_at": signed.signed_at, "written_to": list(signed.written_to),
        }  # fmt: skip
        self.connection.execute(TABLES[self.file].checkpoint.insert(), row)

    def written(self, size: int, witnesses: Sequence[str]) -> None:
        """Note to which witnesses a checkpoint is written by now."""
        table = TABLES[self.file].checkpoint
        update = table.update().where(table.c.tree_size == size).values(written_to=list(witnesses))
        self.connection.execute(update)


def _signed(row: Row[tuple[object, ...]]) -> Signed:
    return Signed(
        row.tree_size, bytes(row.root_hash), row.note.encode(), row.signed_at, tuple(row.written_to)
    )
