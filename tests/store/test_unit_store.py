"""One unit of work: all or nothing, in the role of its duty, and errors that tell no value."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pyarrow as pa
import pytest
from sqlalchemy import text

from juki.columns import IdentityFile
from juki.errors import SourceError, StoreError
from juki.home import Home
from juki.reasons import Code
from juki.store import embedded
from juki.store.bulk import copy_in
from juki.store.roles import Duty
from juki.store.unit import Unit, channel_lock, open_unit
from tests.conftest import Stores

FILES = pytest.mark.parametrize("file", list(IdentityFile))
RESIDENT = IdentityFile.RESIDENT
CODE = "352039"
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MARK = "山口　標花"
MARKED_NUMBER = "123456789018"


def _channels(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [code for (code,) in connection.execute("SELECT municipality_code FROM channel")]


def test_unit_that_ends_well_is_committed(stores: Stores) -> None:
    """What was written is there for others."""
    with open_unit(stores.resident_url, RESIDENT) as unit:
        unit.packages.attempt(CODE, NOW)
        assert _channels(stores.resident_url) == []
    assert _channels(stores.resident_url) == [CODE]


def test_failure_inside_takes_everything_back_and_stays_itself(stores: Stores) -> None:
    """Our own errors pass unchanged; nothing written before them stays."""
    refusal = SourceError(Code.PACKAGE_BINDING, "352039-resident-notice-00000001.p7m")
    with pytest.raises(SourceError) as raised, open_unit(stores.resident_url, RESIDENT) as unit:
        unit.packages.attempt(CODE, NOW)
        raise refusal
    assert raised.value is refusal
    assert _channels(stores.resident_url) == []


@FILES
@pytest.mark.parametrize("duty", list(Duty))
def test_unit_acts_in_the_role_of_its_duty(file: IdentityFile, duty: Duty, module_stores: Stores) -> None:
    """Also on the driver's cursor, by which rows are copied."""
    with open_unit(module_stores.url(file), file, duty) as unit:
        asked = unit.cursor.execute("SELECT current_user, current_setting('TimeZone')").fetchone()
        assert asked == (f"juki_{file.value}_{duty.value}", "UTC")


def _insert(connection: psycopg.Cursor, **values: object) -> None:
    row = {
        "notified_at": NOW, "kind": "entry", "resident_code": "24727059608", "name": MARK,
        "birth_date": "19800229", "reason": "出生", "is_foreign": False, "name_gaiji": 0, "address_gaiji": 0,
        "record_digest": b"d", "sender_code": CODE, "notice_no": 1, "package_id": 1, "received_on": NOW.date(),
    } | values  # fmt: skip
    connection.execute(
        f"INSERT INTO current ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", list(row.values())
    )


def _twice(unit: Unit) -> None:
    _insert(unit.cursor, resident_code=MARKED_NUMBER)
    _insert(unit.cursor, resident_code=MARKED_NUMBER)


def _number_twice(unit: Unit) -> None:
    for code in ("24727059608", "24846016224"):
        _insert(unit.cursor, resident_code=code, number_index=MARKED_NUMBER.encode(), number_sealed=b"s")


def _unknown_table(unit: Unit) -> None:
    unit.connection.execute(text(f"SELECT '{MARK}' FROM no_such_table"))


def _bound_value(unit: Unit) -> None:
    unit.connection.execute(text("SELECT CAST(:value AS integer)"), {"value": MARKED_NUMBER + MARK})


def _copy_of_no_date(unit: Unit) -> None:
    with unit.cursor.copy("COPY current (resident_code, name, event_date) FROM STDIN") as copy:
        copy.write(f"{MARKED_NUMBER}\t{MARK}\t2026-02-30\n")


def _nul(unit: Unit) -> None:
    copy_in(unit.cursor, "current", pa.table({"resident_code": [MARKED_NUMBER], "name": [f"{MARK}\x00"]}))


def _delete(unit: Unit) -> None:
    unit.cursor.execute("DELETE FROM current WHERE name = %s", (MARK,))


PROVOKED: dict[str, tuple[Callable[[Unit], None], Code, str]] = {
    "the same person twice": (_twice, Code.STORE_CONFLICT, "23505"),
    "the same number twice": (_number_twice, Code.STORE_CONFLICT, "23505"),
    "a broken check": (lambda unit: _insert(unit.cursor, expires_on=NOW.date()), Code.STORE_REFUSED, "23514"),
    "an absent value": (lambda unit: _insert(unit.cursor, birth_date=None), Code.STORE_REFUSED, "23502"),
    "a copied row that is none": (_copy_of_no_date, Code.STORE_REFUSED, "22008"),
    "a copied NUL": (_nul, Code.STORE_REFUSED, "22021"),
    "a bound value that does not fit": (_bound_value, Code.STORE_REFUSED, "22003"),
    "a table of another version": (_unknown_table, Code.STORE_SCHEMA, "42P01"),
    "a forbidden act": (_delete, Code.STORE_REFUSED, "42501"),
}


def _chain(error: BaseException | None) -> list[BaseException]:
    """The error and everything that can be reached from it, suppressed or not."""
    reached: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in reached:
            reached.append(one)
            waiting += [one.__cause__, one.__context__]
    return reached


@pytest.mark.parametrize("what", PROVOKED)
def test_database_error_tells_its_state_and_no_value(what: str, module_stores: Stores) -> None:
    """PostgreSQL quotes rows in DETAIL and CONTEXT, the driver and SQLAlchemy quote parameters."""
    provoke, code, state = PROVOKED[what]
    with pytest.raises(StoreError) as raised, open_unit(module_stores.resident_url, RESIDENT) as unit:
        provoke(unit)
    assert (raised.value.code, raised.value.ref) == (code, state)
    assert raised.value.is_transient == (code is Code.STORE_CONFLICT)
    assert _chain(raised.value) == [raised.value]
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    assert MARK not in told
    assert MARKED_NUMBER not in told


@pytest.mark.parametrize("kind", ["no socket", "no listener", "no database"])
def test_unreachable_store_is_transient_and_tells_no_address(
    kind: str, server_home: Home, postgres: str
) -> None:
    """What the driver says of a failed connection quotes host, account and database."""
    url = {
        "no socket": "postgresql://account:password@/database?host=/nonexistent",
        "no listener": "postgresql://account:password@127.0.0.1:1/database",
        "no database": embedded.admin_url(server_home, "database"),
    }[kind]
    with pytest.raises(StoreError) as raised, open_unit(url, RESIDENT):
        pass
    assert (raised.value.code, raised.value.is_transient) == (Code.STORE_UNREACHABLE, True)
    assert _chain(raised.value) == [raised.value]
    assert str(raised.value) == f"[store.unreachable] {Code.STORE_UNREACHABLE.message}（no answer）"


def test_channel_is_held_by_one_run_at_a_time(stores: Stores) -> None:
    """A second run leaves at once; another channel and the other file are free."""
    url = stores.resident_url
    with channel_lock(url, RESIDENT, CODE):
        with pytest.raises(SourceError) as busy, channel_lock(url, RESIDENT, CODE):
            pass
        assert (busy.value.code, busy.value.ref) == (Code.CHANNEL_BUSY, CODE)
        with channel_lock(url, RESIDENT, "352021"):
            pass
        with channel_lock(stores.fuhyo_url, IdentityFile.FUHYO, CODE):
            pass
    with channel_lock(url, RESIDENT, CODE):
        pass


def test_run_that_died_does_not_hold_its_channel(stores: Stores) -> None:
    """The lock lives with the connection of the run."""
    url = stores.resident_url
    held = channel_lock(url, RESIDENT, CODE)
    held.__enter__()
    query = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute(query).fetchall() == [(True,)]
    with channel_lock(url, RESIDENT, CODE):
        pass
    held.__exit__(None, None, None)
