"""Many entries at once are the entries one by one: the same bytes, the same tree, the same proof of order."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.columns import IdentityFile
from juki.errors import JournalError, StoreError
from juki.journal import Action, Entry, Outcome, canonical_bytes
from juki.journal_many import canonical_texts
from juki.merkle import Frontier, leaf_hash
from juki.numbers import SealingKey
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit
from juki.subjects import Subjects, opened_subject, subject_index, subjects_of
from tests.conftest import Stores

FILE = IdentityFile.RESIDENT
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
KEY = SealingKey("resident-subject-1", b"s" * 32)
CODES = [b"00000000%03d" % number for number in range(200)]
ENTRY = Entry(
    action=Action.PERSON_PROVIDED, file=FILE, actor="flow-run:1", outcome=Outcome.DONE, basis='a "basis": 0',
    provision="R12", recipient="kyoiku", counts={"entry_no": 1}, number_accessed=True,
)  # fmt: skip


def _subjects(count: int) -> Subjects:
    return subjects_of(FILE, "R12", CODES[:count], KEY)


def test_bytes_of_many_are_those_of_each_by_itself() -> None:
    """The template is a shortcut, not another format; quotes in a value do not mislead it."""
    subjects = _subjects(3)
    texts = canonical_texts(ENTRY, subjects, 41, NOW)
    for place, text in enumerate(texts):
        one = replace(ENTRY, subject=subjects.sealed[place], subject_index=subjects.indexes[place])
        assert text.encode() == canonical_bytes(one, 41 + place, NOW)
        assert json.loads(text)["entry_no"] == 41 + place


@given(st.integers(0, 70), st.integers(0, 70))
def test_tree_grown_by_many_is_the_tree_grown_one_by_one(before: int, more: int) -> None:
    """Whatever the sizes, both ways lead to one frontier."""
    leaves = [leaf_hash(b"%d" % number) for number in range(before + more)]
    one_by_one = Frontier()
    for leaf in leaves:
        one_by_one = one_by_one.grown(leaf)
    assert Frontier().grown_by(leaves[:before]).grown_by(leaves[before:]) == one_by_one


def test_log_written_by_many_verifies_and_goes_on(stores: Stores) -> None:
    """Between single entries, and after it, the log is one log."""
    single = replace(ENTRY, action=Action.PROVISION_SEALED)
    for duty, count in ((Duty.INTAKE, 1), (Duty.PROVIDER, 150), (Duty.PROVIDER, 0), (Duty.PROVIDER, 7)):
        with open_unit(stores.resident_url, FILE, duty) as unit:
            unit.journal.append(single, NOW)
            numbers = unit.journal.append_many(ENTRY, _subjects(count), NOW)
            assert len(numbers) == count
    with open_unit(stores.resident_url, FILE, Duty.PROVIDER) as unit:
        unit.journal.append(single, NOW)
    with open_unit(stores.resident_url, FILE, Duty.AUDITOR) as unit:
        verified = unit.journal.verify()
    assert verified.size == 5 + 158
    with psycopg.connect(stores.resident_url) as connection:
        rows = connection.execute("SELECT entry FROM journal ORDER BY entry_no").fetchall()
    assert verified == Frontier().grown_by([leaf_hash(entry.encode()) for (entry,) in rows])
    assert [json.loads(entry)["entry_no"] for (entry,) in rows] == list(range(1, 164))


_FORGERIES: dict[str, tuple[str, int]] = {
    "an entry among many is edited": (
        "UPDATE journal SET entry = replace(entry, 'kyoiku', 'zeimu') WHERE entry_no = 50", 50,
    ),
    "a wrong tree is laid beside one of many": (
        "UPDATE journal SET frontier = (SELECT frontier FROM journal WHERE entry_no = 100) WHERE entry_no = 50", 50,
    ),
    "the end of many is cut off": ("DELETE FROM journal WHERE entry_no > 50", 50),
    "one of many is taken out": ("DELETE FROM journal WHERE entry_no = 50", 50),
    "two of many change places": (
        "UPDATE journal SET entry_no = CASE entry_no WHEN 50 THEN -51 ELSE -50 END WHERE entry_no IN (50, 51);"
        "UPDATE journal SET entry_no = -entry_no WHERE entry_no < 0", 50,
    ),
    "the last tree is taken away": ("UPDATE journal SET frontier = '' WHERE entry_no = 100", 100),
}  # fmt: skip


@pytest.mark.parametrize(("forgery", "number"), _FORGERIES.values(), ids=_FORGERIES)
def test_forged_entry_among_many_is_found_at_its_number(
    new_stores: Callable[[], Stores], forgery: str, number: int
) -> None:
    """An empty tree beside an entry proves nothing by itself: the entries and the last tree do."""
    stores = new_stores()
    with open_unit(stores.resident_url, FILE, Duty.PROVIDER) as unit:
        unit.journal.append_many(ENTRY, _subjects(100), NOW)
    with psycopg.connect(stores.resident_url) as connection:
        connection.execute("ALTER TABLE journal DISABLE TRIGGER ALL")
        connection.execute("ALTER TABLE journal DROP CONSTRAINT journal_counts_from_one")
        connection.execute(forgery)  # type: ignore[arg-type]
    with (
        pytest.raises(JournalError) as broken,
        open_unit(stores.resident_url, FILE, Duty.AUDITOR) as unit,
    ):
        unit.journal.verify()
    assert (broken.value.code, broken.value.ref) == (Code.JOURNAL_BROKEN, f"resident {number}")


def test_subject_is_opened_by_its_key_in_its_provision_only() -> None:
    """Who may look has the key; a seal that was moved speaks of nobody."""
    subjects = _subjects(2)
    assert opened_subject(FILE, "R12", subjects.sealed[1], KEY) == CODES[1]
    for file, provision, key in (
        (FILE, "R13", KEY), (IdentityFile.FUHYO, "R12", KEY), (FILE, "R12", SealingKey(KEY.key_id, b"t" * 32)),
    ):  # fmt: skip
        with pytest.raises(StoreError) as refused:
            opened_subject(file, provision, subjects.sealed[1], key)
        assert refused.value.code is Code.CIPHER_ALTERED


def test_entries_about_one_person_are_found_by_the_index_and_look_unlike() -> None:
    """The index can be asked for by whoever has the key and guessed by nobody; the seal repeats nothing."""
    one, other = _subjects(1), _subjects(1)
    assert one.indexes == other.indexes == [subject_index(CODES[0], KEY)]
    assert one.sealed != other.sealed
    assert subject_index(CODES[0], SealingKey(KEY.key_id, b"t" * 32)) != one.indexes[0]
