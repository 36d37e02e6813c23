"""The operation log in a real PostgreSQL: gapless under many writers, and every alteration found at its number."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest

from juki.columns import IdentityFile
from juki.errors import JournalError
from juki.journal import Action, Entry, Outcome
from juki.merkle import Frontier
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tests.conftest import Stores

RESIDENT = IdentityFile.RESIDENT
AT = datetime(2026, 3, 25, tzinfo=UTC)


def entry(number: int = 0) -> Entry:
    """Make an entry that differs by a count."""
    return Entry(Action.PACKAGE_APPLIED, RESIDENT, "system", Outcome.DONE, counts={"records": number})


def write(stores: Stores, count: int) -> None:
    """Append some entries, each in a transaction of its own."""
    for number in range(count):
        with open_unit(stores.resident_url, RESIDENT) as unit:
            unit.journal.append(entry(number), AT)


def verify(stores: Stores) -> Frontier:
    """Verify the whole log as the auditor."""
    with open_unit(stores.resident_url, RESIDENT, Duty.AUDITOR) as unit:
        return unit.journal.verify()


def tamper(stores: Stores, *statements: str) -> None:
    """Do what only a superuser with ill will can: switch the trigger off and change the log."""
    with psycopg.connect(stores.resident_url) as connection:
        connection.execute("ALTER TABLE journal DISABLE TRIGGER journal_is_append_only")
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]


def test_many_writers_leave_no_gap_and_one_tree(stores: Stores) -> None:
    """Eight at once, forty entries, one number each."""

    def append(number: int) -> int:
        with open_unit(stores.resident_url, RESIDENT) as unit:
            return unit.journal.append(entry(number), AT)

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(append, range(40)))
    assert sorted(numbers) == list(range(1, 41))
    assert verify(stores).size == 40


def test_an_entry_and_its_change_go_together(stores: Stores) -> None:
    """What is rolled back leaves no entry, and the next one takes its number."""
    with pytest.raises(ZeroDivisionError), open_unit(stores.resident_url, RESIDENT) as unit:
        unit.journal.append(entry(), AT)
        raise ZeroDivisionError
    write(stores, 1)
    assert verify(stores).size == 1


@pytest.mark.parametrize(
    ("statements", "place"),
    [
        pytest.param(["UPDATE journal SET entry = replace(entry, ':2}', ':3}') WHERE entry_no = 3"], 3, id="edited"),
        pytest.param(["DELETE FROM journal WHERE entry_no = 1"], 1, id="first deleted"),
        pytest.param(["DELETE FROM journal WHERE entry_no = 3"], 3, id="middle deleted"),
        pytest.param(
            [
                "DELETE FROM journal WHERE entry_no = 3",
                "UPDATE journal SET entry_no = entry_no - 1 WHERE entry_no > 3",
            ],
            3, id="deleted and renumbered",
        ),
        pytest.param(
            [
                "UPDATE journal SET entry_no = 99 WHERE entry_no = 2",
                "UPDATE journal SET entry_no = 2 WHERE entry_no = 4",
                "UPDATE journal SET entry_no = 4 WHERE entry_no = 99",
            ],
            2, id="swapped",
        ),
        pytest.param(["UPDATE journal SET leaf_hash = sha256('x') WHERE entry_no = 4"], 4, id="hash replaced"),
        pytest.param(["UPDATE journal SET frontier = leaf_hash WHERE entry_no = 5"], 5, id="tree replaced"),
    ],
)  # fmt: skip
def test_an_altered_log_is_found_at_its_number(stores: Stores, statements: list[str], place: int) -> None:
    """Also when the database's own guard was switched off."""
    write(stores, 5)
    assert verify(stores).size == 5
    tamper(stores, *statements)
    with pytest.raises(JournalError) as found:
        verify(stores)
    assert found.value.code is Code.JOURNAL_BROKEN
    assert found.value.ref == f"resident {place}"


def test_nothing_is_written_after_a_broken_end(stores: Stores) -> None:
    """No log, no act."""
    write(stores, 3)
    tamper(stores, "UPDATE journal SET frontier = '' WHERE entry_no = 3")
    with pytest.raises(JournalError), open_unit(stores.resident_url, RESIDENT) as unit:
        unit.journal.append(entry(), AT)


def test_what_the_log_is_searched_by_is_what_was_hashed(stores: Stores) -> None:
    """The columns beside an entry are computed from it."""
    write(stores, 1)
    with psycopg.connect(stores.resident_url) as connection:
        row = connection.execute("SELECT action, actor, outcome, recorded_at FROM journal").fetchone()
    assert row == ("package.applied", "system", "done", "2026-03-25T00:00:00.000000+00:00")
