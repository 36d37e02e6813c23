"""The keys a store was installed with, as the store itself remembers them.

Decides:    the statements; that a key once registered is never replaced.
Leaves:     what is remembered and compared to `juki.key_checks`.
Invariants: ids and check values only. Written by the owner when installing; the intake may read it, nobody else
            may change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, inspect, select

from juki.columns import IdentityFile
from juki.journal import Action, Entry, Outcome
from juki.store.engine import open_engine, sealed_errors
from juki.store.journal import Journal
from juki.store.tables import TABLES


@dataclass(frozen=True, slots=True)
class KeyRegister:
    """The registered keys of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    def registered(self) -> dict[str, bytes]:
        """Read the check values by key id."""
        table = TABLES[self.file].store_key
        rows = self.connection.execute(select(table.c.key_id, table.c.check_value))
        return {row.key_id: bytes(row.check_value) for row in rows}

    def is_empty(self) -> bool:
        """Tell whether the store knows no keys yet."""
        return not self.registered()


def keys_of_store(admin_url: str, file: IdentityFile) -> dict[str, bytes] | None:
    """Look, changing nothing, which keys a store knows; None when there is no store at this URL yet.

    Empty for a store of the first version, which remembered none.
    """
    with sealed_errors(), open_engine(admin_url).connect() as connection:
        tables = set(inspect(connection).get_table_names())
        if TABLES[file].journal.name not in tables:
            return None
        if TABLES[file].store_key.name not in tables:
            return {}
        return KeyRegister(file, connection).registered()


def register_keys(
    admin_url: str, file: IdentityFile, checks: Mapping[str, bytes], actor: str, at: datetime
) -> bool:
    """Register check values of keys with a store that knows none, once, and log it; say whether this call did."""
    with sealed_errors(), open_engine(admin_url).begin() as connection:
        journal = Journal(file, connection)
        # The lock of the log's end also keeps a second installer from registering beside us.
        journal.lock()
        if not KeyRegister(file, connection).is_empty():
            return False
        rows = [
            {"key_id": key_id, "check_value": value, "registered_at": at} for key_id, value in checks.items()
        ]
        connection.execute(TABLES[file].store_key.insert(), rows)
        entry = Entry(
            action=Action.STORE_INSTALLED, file=file, actor=actor, outcome=Outcome.DONE,
            counts={"keys": len(rows)},
        )  # fmt: skip
        journal.append(entry, at)
    return True
