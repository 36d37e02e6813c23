"""Connections to the stores: as whom, with which settings, and what of a database error may be told.

Decides:    that every connection acts in the role of one duty, and that no text of the database leaves.
Leaves:     statements to the modules of this folder.
Invariants: an error carries its SQLSTATE and nothing else, for PostgreSQL quotes values in DETAIL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import psycopg
import sqlalchemy.exc
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.reasons import Code
from juki.store.roles import Duty, role_name

_CONFLICTS = frozenset({"40001", "40P01", "23505", "55P03"})
"""Serialisation failure, deadlock, unique violation in a race, lock not available: another writer was first."""
_OTHER_SCHEMA = frozenset({"42P01", "42703"})
"""A table or a column is not there: the program is newer than the store, or older."""
_BRIDGE = {
    "JB001": Code.BRIDGE_NOT_APPROVED, "JB002": Code.BRIDGE_OTHER_CODES, "JB003": Code.BRIDGE_UNLOGGED,
}  # fmt: skip
"""What the database itself says of a crossing (migration 0007)."""
_UNREACHABLE_CLASSES = ("08", "57", "53")
"""Connection exceptions, operator intervention (shutdown), insufficient resources."""


@lru_cache(maxsize=32)
def open_engine(url: str, file: IdentityFile | None = None, duty: Duty | None = None) -> Engine:
    """Open an engine that acts in the role of one duty; without a duty, as the owner (installing only).

    `url` is a libpq URL (postgresql://…). The engine is kept, because what SQLAlchemy asks of a new one costs
    more than a small package; its connections are not, so that none outlives its unit of work.
    """
    options = "-c timezone=UTC -c client_min_messages=warning"
    if file is not None and duty is not None:
        options += f" -c role={role_name(file, duty)}"

    def connect() -> psycopg.Connection:
        return psycopg.connect(url, options=options, connect_timeout=10, application_name="juki")

    return create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)


@contextmanager
def sealed_errors() -> Iterator[None]:
    """Turn any database error into a StoreError with its SQLSTATE as the only detail."""
    failure: StoreError | None = None
    try:
        yield
    except sqlalchemy.exc.DBAPIError as error:
        failure = _told(error.orig if isinstance(error.orig, psycopg.Error) else None)
    except psycopg.Error as error:
        failure = _told(error)
    if failure is not None:
        try:
            raise failure
        finally:
            # Python hangs the old error, which quotes rows, to the new one wherever it is being handled,
            # and that includes the end of a `with` block: `from None` would only hide it.
            failure.__context__ = None


def _told(error: psycopg.Error | None) -> StoreError:
    state = error.sqlstate if error is not None else None
    if state in _CONFLICTS:
        return StoreError(Code.STORE_CONFLICT, state or "", is_transient=True)
    if state is None or state.startswith(_UNREACHABLE_CLASSES):
        return StoreError(Code.STORE_UNREACHABLE, state or "no answer", is_transient=True)
    if state in _BRIDGE:
        return StoreError(_BRIDGE[state], state)
    if state in _OTHER_SCHEMA:
        return StoreError(Code.STORE_SCHEMA, state)
    return StoreError(Code.STORE_REFUSED, state)
