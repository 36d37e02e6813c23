"""Connections a run keeps: used again from unit to unit, with nothing of the unit before, and none after the run."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

import juki.store
from juki.columns import IdentityFile
from juki.errors import SourceError, StoreError
from juki.store.engine import connections_kept
from juki.store.roles import Duty, role_name
from juki.store.unit import channel_lock, open_unit
from tests.conftest import Stores

RESIDENT = IdentityFile.RESIDENT
HERE = "352039"


def backend(url: str, duty: Duty = Duty.INTAKE) -> tuple[int, str]:
    """Ask a unit of work which process of the server does it, and in whose name."""
    with open_unit(url, RESIDENT, duty) as unit:
        process, role = unit.cursor.execute("SELECT pg_backend_pid(), current_user").fetchall()[0]
        return process, role


def lives(url: str, process: int) -> bool:
    """Tell whether a process of the server is there; one that ends needs a moment."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(100):
            if not connection.execute(query, (process,)).fetchall()[0][0]:
                return False
            connection.execute("SELECT pg_sleep(0.05)")
        return True


def test_run_uses_a_connection_again_and_leaves_none(stores: Stores) -> None:
    """Runs within and beside one another close together; outside of them every unit has its own."""
    url = stores.url(RESIDENT)
    with connections_kept():
        first = backend(url)
        with connections_kept():
            assert backend(url) == first
        assert backend(url) == first
        assert backend(url, Duty.READER)[1] == role_name(RESIDENT, Duty.READER) != first[1]
    assert not lives(url, first[0])
    assert backend(url)[0] != backend(url)[0]


def test_nothing_of_a_unit_is_there_for_the_next(stores: Stores) -> None:
    """Neither the lock of a channel, nor a table, a setting or a role, nor what a failed unit wrote."""
    url = stores.url(RESIDENT)
    with connections_kept():
        with channel_lock(url, RESIDENT, HERE), pytest.raises(SourceError), channel_lock(url, RESIDENT, HERE):
            pass
        with channel_lock(url, RESIDENT, HERE):
            pass
        with pytest.raises(StoreError), open_unit(url, RESIDENT) as unit:
            unit.cursor.execute("CREATE TEMPORARY TABLE asked (who text) ON COMMIT DROP")
            unit.cursor.execute("SET LOCAL work_mem = '77MB'")
            unit.packages.attempt(HERE, None)  # type: ignore[arg-type] # a column that may not be empty
            unit.cursor.execute("SELECT 1/0")
        with open_unit(url, RESIDENT) as unit, open_unit(url, RESIDENT) as other:
            for one in (unit, other):
                left = one.cursor.execute(
                    "SELECT to_regclass('pg_temp.asked'), current_setting('work_mem'), current_user, "
                    "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())"
                )
                table, memory, role, locks = left.fetchall()[0]
                assert (table, role, locks) == (None, role_name(RESIDENT, Duty.INTAKE), 0)
                assert memory != "77MB"


def test_connection_that_was_cut_is_replaced_before_it_is_used(stores: Stores) -> None:
    """The server was started again between two units of one run."""
    url = stores.url(RESIDENT)
    with connections_kept():
        process, _ = backend(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", (process,))
        assert backend(url)[0] != process


def test_no_statement_of_the_store_is_for_a_session() -> None:
    """What is set or made for longer than a transaction would meet the next unit of the connection."""
    said = "\n".join(
        path.read_text("utf-8") for path in sorted(Path(juki.store.__file__).parent.glob("*.py"))
    )
    assert set(re.findall(r"""["';] ?SET (\w+)""", said)) <= {"LOCAL", "TRANSACTION"}
    made = re.findall(r"CREATE TEMPORARY TABLE.*?(?:\"\"\"|\"\n|\"\))", said, re.DOTALL)
    assert len(made) > 5 and all("ON COMMIT DROP" in one for one in made)
