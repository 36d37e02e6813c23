"""The operation log on the real database: no gap, no entry without its change, no change unseen."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from juki.columns import IdentityFile
from juki.errors import JournalError, StoreError
from juki.journal import Action, Entry, Outcome
from juki.merkle import Frontier, leaf_hash, tree_root
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tests.conftest import Stores

FILE = IdentityFile.RESIDENT
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
Forgery = Callable[[psycopg.Connection], None]


def _entry(package_id: int = 1) -> Entry:
    return Entry(
        action=Action.PACKAGE_APPLIED, file=FILE, actor="system", outcome=Outcome.DONE,
        municipality_code="352039", package=f"352039-resident-notice-{package_id:08}.p7m",
        package_id=package_id, counts={"records": 2},
    )  # fmt: skip


def _append(url: str, package_id: int) -> int:
    with open_unit(url, FILE) as unit:
        return unit.journal.append(_entry(package_id), NOW)


def _verify(url: str) -> Frontier:
    with open_unit(url, FILE, Duty.AUDITOR) as unit:
        return unit.journal.verify()


def _rows(url: str, columns: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(f"SELECT {columns} FROM journal ORDER BY entry_no").fetchall()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "operator:op-7",
        "受付",
        '"',
        "\\",
        '\\"',
        '"actor":"',
        '","outcome":"done","actor":"',
        "a\nb",
        '{"action":"x',
    ],
    ids=repr,
)
def test_what_is_searched_by_is_what_the_entry_says_whatever_stands_in_it(stores: Stores, text: str) -> None:
    """It is cut out of the entry and not read from it: no value may pass for another."""
    entry = replace(
        _entry(), actor=text, municipality_code=text, basis=text, subject_index=text, subject=text
    )
    with open_unit(stores.resident_url, FILE) as unit:
        unit.journal.append(entry, NOW)
        unit.journal.append(_entry(), NOW)
    names = ("recorded_at", "action", "actor", "municipality_code", "outcome", "subject_index")
    for said, *columns in _rows(stores.resident_url, f"entry::jsonb, {', '.join(names)}"):
        assert columns == [said.get(name) for name in names]


def test_eight_writers_at_once_leave_no_gap_and_one_tree(stores: Stores) -> None:
    """Channels are worked side by side; each entry has a number of its own and the tree of all before it."""
    url = stores.resident_url
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda package_id: _append(url, package_id), range(1, 49)))
    assert sorted(numbers) == list(range(1, 49))
    rows = _rows(url, "entry_no, entry, leaf_hash, (entry::jsonb ->> 'entry_no')::bigint")
    assert [row[0] for row in rows] == [row[3] for row in rows] == list(range(1, 49))
    leaves = [leaf_hash(str(entry).encode()) for _, entry, _, _ in rows]
    assert leaves == [bytes(leaf) for _, _, leaf, _ in rows]
    assert _verify(url).root == tree_root(leaves)


def test_entry_is_searched_by_what_was_hashed(stores: Stores) -> None:
    """The columns to search by are computed from the entry and can not be written."""
    _append(stores.resident_url, 7)
    (row,) = _rows(stores.resident_url, "recorded_at, action, actor, municipality_code, outcome")
    assert row == ("2026-11-23T01:00:00.000000+00:00", "package.applied", "system", "352039", "done")
    insert = (
        "INSERT INTO journal (entry_no, entry, leaf_hash, frontier, actor) VALUES (2, '{}', '', '', 'me')"
    )
    with psycopg.connect(stores.resident_url) as connection, pytest.raises(psycopg.errors.GeneratedAlways):
        connection.execute(insert)


def test_rollback_leaves_no_entry_and_no_gap(stores: Stores) -> None:
    """What was not done is not in the log, and the next entry takes the number."""
    url = stores.resident_url
    _append(url, 1)
    with pytest.raises(JournalError), open_unit(url, FILE) as unit:
        assert unit.journal.append(_entry(2), NOW) == 2
        raise JournalError(Code.JOURNAL_BROKEN)
    assert _append(url, 3) == 2
    assert [row[0] for row in _rows(url, "(entry::jsonb ->> 'package_id')::int")] == [1, 3]
    assert _verify(url).size == 2


def _execute(*statements: str) -> Forgery:
    def forge(connection: psycopg.Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    return forge


def _edit_with_its_hash(connection: psycopg.Connection) -> None:
    """Change an entry and compute its leaf anew, as somebody would who knows the format."""
    entry = '{"entry_no":3,"actor":"somebody else"}'
    connection.execute(
        "UPDATE journal SET entry = %s, leaf_hash = %s WHERE entry_no = 3", (entry, leaf_hash(entry.encode()))
    )


def _insert_with_its_tree(connection: psycopg.Connection) -> None:
    """Push an entry of one's own between the second and the third, with a leaf and a tree that fit there."""
    leaves = [
        bytes(leaf) for (leaf,) in connection.execute("SELECT leaf_hash FROM journal ORDER BY entry_no")
    ]
    entry = '{"entry_no":3,"actor":"never there"}'
    tree = Frontier().grown(leaves[0]).grown(leaves[1]).grown(leaf_hash(entry.encode()))
    connection.execute("UPDATE journal SET entry_no = entry_no + 100 WHERE entry_no >= 3")
    connection.execute("UPDATE journal SET entry_no = entry_no - 99 WHERE entry_no > 100")
    connection.execute(
        "INSERT INTO journal (entry_no, entry, leaf_hash, frontier) VALUES (3, %s, %s, %s)",
        (entry, leaf_hash(entry.encode()), tree.to_bytes()),
    )


FORGERIES: dict[str, tuple[Forgery, int]] = {
    "edited": (
        _execute("UPDATE journal SET entry = replace(entry, 'system', 'nobody') WHERE entry_no = 3"),
        3,
    ),
    "edited with its hash": (_edit_with_its_hash, 3),
    "first one edited": (_execute("UPDATE journal SET entry = entry || ' ' WHERE entry_no = 1"), 1),
    "last one edited": (_execute("UPDATE journal SET entry = entry || ' ' WHERE entry_no = 6"), 6),
    "deleted": (_execute("DELETE FROM journal WHERE entry_no = 3"), 3),
    "deleted and closed up": (
        _execute(
            "DELETE FROM journal WHERE entry_no = 3", "UPDATE journal SET entry_no = 3 WHERE entry_no = 4"
        ),
        3,
    ),
    "swapped": (
        _execute(
            "UPDATE journal SET entry_no = 99 WHERE entry_no = 3",
            "UPDATE journal SET entry_no = 3 WHERE entry_no = 4",
            "UPDATE journal SET entry_no = 4 WHERE entry_no = 99",
        ),
        3,
    ),
    "inserted": (_insert_with_its_tree, 4),
    "leaf altered": (_execute(r"UPDATE journal SET leaf_hash = '\x00' WHERE entry_no = 5"), 5),
    "tree altered": (_execute(r"UPDATE journal SET frontier = '\x00' WHERE entry_no = 5"), 5),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_journal_is_found_at_the_number_where_it_was_forged(forgery: str, stores: Stores) -> None:
    """The superuser can switch the trigger off; the tree still tells."""
    url, (forge, number) = stores.resident_url, FORGERIES[forgery]
    for package_id in range(1, 7):
        _append(url, package_id)
    assert _verify(url).size == 6
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE journal DISABLE TRIGGER journal_is_append_only")
        forge(connection)
    with pytest.raises(JournalError) as found:
        _verify(url)
    assert (found.value.code, found.value.ref) == (Code.JOURNAL_BROKEN, f"resident {number}")


def test_nothing_is_added_to_a_journal_whose_end_is_broken(stores: Stores) -> None:
    """No log, no act: whoever can not continue the tree can not change anything either."""
    url = stores.resident_url
    _append(url, 1)
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE journal DISABLE TRIGGER journal_is_append_only")
        connection.execute(r"UPDATE journal SET frontier = '\x00'")
    with pytest.raises(JournalError) as stopped, open_unit(url, FILE) as unit:
        unit.packages.attempt("352039", NOW)
        unit.journal.append(_entry(2), NOW)
    assert stopped.value.code is Code.JOURNAL_BROKEN
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM channel").fetchone() == (0,)


def test_writer_who_is_killed_lets_go_of_the_end_of_the_log(stores: Stores) -> None:
    """The lock lives with the connection; its entry goes with it."""
    url = stores.resident_url
    with pytest.raises(StoreError) as killed, open_unit(url, FILE) as unit:
        unit.journal.append(_entry(1), NOW)
        with psycopg.connect(url, autocommit=True) as other:
            pid = unit.cursor.connection.info.backend_pid
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        unit.journal.append(_entry(2), NOW)
    assert killed.value.is_transient
    assert _append(url, 3) == 1
