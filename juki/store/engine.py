"""Connections to the stores: as whom, with which settings, how long, and what of a database error may be told.

Decides:    that every connection acts in the role of one duty, that none outlives its unit of work or, where a run
            keeps them, its run, and that no text of the database leaves.
Leaves:     statements to the modules of this folder; when a run begins and ends to `tasks.boundary`.
Invariants: an error carries its SQLSTATE and nothing else, for PostgreSQL quotes values in DETAIL. A connection that
            is used again has no transaction, no lock and no temporary table of the unit before: settings are made for
            one transaction (SET LOCAL), tables dropped with it, advisory locks let go here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock

import psycopg
import sqlalchemy.exc
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import NullPool, PoolResetState, QueuePool

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


_MOST_IDLE = 16
"""Connections of one duty that lie idle in a run; as many as are needed at once are opened."""


@dataclass(slots=True)
class _Kept:
    """The engines of the runs in this process, and how many runs there are."""

    blocks: int = 0
    engines: dict[tuple[str, IdentityFile, Duty], Engine] = field(default_factory=dict)


_KEPT, _COUNTED = _Kept(), Lock()


@lru_cache(maxsize=32)
def open_engine(url: str, file: IdentityFile | None = None, duty: Duty | None = None) -> Engine:
    """Open an engine that acts in the role of one duty; without a duty, as the owner (installing only).

    `url` is a libpq URL (postgresql://…). The engine is kept, because what SQLAlchemy asks of a new one costs
    more than a small package; its connections are not, but for those of a run (`connections_kept`).
    """
    return create_engine("postgresql+psycopg://", creator=_connecting(url, file, duty), poolclass=NullPool)


@contextmanager
def connections_kept() -> Iterator[None]:
    """Use connections again from unit to unit for as long as the block lasts, and close every one at its end.

    A new connection costs the server more than most units of work do (ADR-0040). Blocks may lie in one another and
    side by side: the last one to end closes.
    """
    with _COUNTED:
        _KEPT.blocks += 1
    try:
        yield
    finally:
        with _COUNTED:
            _KEPT.blocks -= 1
            ended = list(_KEPT.engines.values()) if not _KEPT.blocks else []
            if ended:
                _KEPT.engines.clear()
        for engine in ended:
            engine.dispose()


def engine_now(url: str, file: IdentityFile, duty: Duty) -> Engine:
    """Give the engine a unit of work takes its connection from: that of the run, where one keeps them."""
    with _COUNTED:
        if not _KEPT.blocks:
            return open_engine(url, file, duty)
        key = (url, file, duty)
        if key not in _KEPT.engines:
            _KEPT.engines[key] = _keeping(url, file, duty)
        return _KEPT.engines[key]


def _keeping(url: str, file: IdentityFile, duty: Duty) -> Engine:
    engine = create_engine(
        "postgresql+psycopg://", creator=_connecting(url, file, duty, is_kept=True), poolclass=QueuePool,
        pool_size=_MOST_IDLE, max_overflow=-1, pool_pre_ping=True, pool_reset_on_return=None,
    )  # fmt: skip
    event.listen(engine, "reset", _reset)
    return engine


def _reset(connection: psycopg.Connection, _record: object, state: PoolResetState) -> None:
    """Give a connection back as if it were new."""
    if state.terminate_only:
        return
    connection.rollback()
    connection.autocommit = True
    connection.execute("SELECT pg_advisory_unlock_all()")
    connection.autocommit = False


def _connecting(
    url: str, file: IdentityFile | None, duty: Duty | None, *, is_kept: bool = False
) -> Callable[[], psycopg.Connection]:
    options = "-c timezone=UTC -c client_min_messages=warning"
    if file is not None and duty is not None:
        options += f" -c role={role_name(file, duty)}"

    def connect() -> psycopg.Connection:
        connection = psycopg.connect(url, options=options, connect_timeout=10, application_name="juki")
        if is_kept:
            # A statement prepared over one unit's temporary table would be asked of the next one's.
            connection.prepare_threshold = None
        return connection

    return connect


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
