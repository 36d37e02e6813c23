"""Checkpoints of a real log: signed only when it continues what was signed; a superuser's edits are found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from juki.checkpoints import Checkpoint, sign_checkpoint
from juki.errors import JournalError
from juki.merkle import Frontier, leaf_hash
from juki.merkle_proofs import is_included
from juki.oplog.standing import standing_of
from juki.oplog.verifying import prove_entry
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit
from juki.witnesses import Witness, file_name
from tests.conftest import Stores
from tests.oplog_case import FILE, NOW, ORIGINS, LogCase

Forgery = Callable[[LogCase, psycopg.Connection], None]
EDIT = "UPDATE journal SET entry = replace(entry, 'flow-run:test', 'flow-run:none') WHERE entry_no = %s"


@pytest.fixture
def case(module_stores: Stores, tmp_path: Path) -> LogCase:
    """A log with two witnesses and nothing in it: emptied, which is quicker than a new database."""
    case = LogCase.at(module_stores.resident_url, tmp_path)
    with case.superuser() as connection:
        connection.execute("TRUNCATE journal, checkpoint")
    return case


def test_news_is_signed_once_and_written_to_every_witness(case: LogCase) -> None:
    """Without news nothing is signed, and nothing is written again."""
    assert case.sign().size == 0
    case.append(3)
    assert (case.sign().is_new, case.sign().is_new) == (True, False)
    case.grow(2)
    for folder in case.folders:
        witness = Witness(folder, ORIGINS[FILE])
        assert witness.sizes() == [3, 5]
        assert witness.checkpoint(5, case.place.keys).size == 5
    verified = case.verify()
    assert (verified.last, verified.checkpoints, verified.last_checkpoint, verified.alarms) == (5, 2, 5, ())


def test_log_that_grew_since_is_verified_from_its_checkpoint_on(case: LogCase) -> None:
    """The news alone, for whoever has no time for all of it."""
    case.grow(4)
    case.append(3)
    verified = case.verify(news=True)
    assert (verified.first, verified.last, verified.last_checkpoint, verified.alarms) == (5, 7, 4, ())
    with case.superuser() as connection:
        connection.execute(EDIT, (6,))
    assert case.found(news=True) == [("journal.broken", "resident 6")]


def _edit(case: LogCase, connection: psycopg.Connection) -> None:
    connection.execute(EDIT, (5,))


def _edit_and_rewrite(case: LogCase, connection: psycopg.Connection) -> None:
    connection.execute(EDIT, (5,))
    case.rewrite(connection, 5)


def _delete_and_renumber(case: LogCase, connection: psycopg.Connection) -> None:
    connection.execute("DELETE FROM journal WHERE entry_no = 6")
    for number in range(7, 11):
        connection.execute(
            """UPDATE journal SET entry_no = %s, entry = replace(entry, '"entry_no":' || entry_no || ',',
               '"entry_no":' || %s || ',') WHERE entry_no = %s""",
            (number - 1, number - 1, number),
        )
    case.rewrite(connection, 6)


def _swap(case: LogCase, connection: psycopg.Connection) -> None:
    for old, new in ((7, 99), (8, 7), (99, 8)):
        connection.execute("UPDATE journal SET entry_no = %s WHERE entry_no = %s", (new, old))


FORGERIES: dict[str, tuple[Forgery, list[tuple[str, str]]]] = {
    "edited": (_edit, [("journal.broken", "resident 5")]),
    "first deleted": (
        lambda _, connection: connection.execute("DELETE FROM journal WHERE entry_no = 1"),
        [("journal.broken", "resident 1")],
    ),
    "middle deleted": (
        lambda _, connection: connection.execute("DELETE FROM journal WHERE entry_no = 5"),
        [("journal.broken", "resident 5")],
    ),
    "leaf altered": (
        lambda _, connection: connection.execute("UPDATE journal SET leaf_hash = 'x' WHERE entry_no = 3"),
        [("journal.broken", "resident 3")],
    ),
    "reordered": (_swap, [("journal.broken", "resident 7")]),
    "edited, hashed anew": (_edit_and_rewrite, [("journal.forked", "resident 5-8")]),
    "deleted, all hashed anew": (
        _delete_and_renumber,
        [("journal.forked", "resident 5-8")],
    ),
    "tail cut": (
        lambda _, connection: connection.execute("DELETE FROM journal WHERE entry_no > 8"),
        [("journal.rolled_back", "resident 9-10"), ("journal.behind_witness", "resident 9-10")],
    ),
    "old copy of everything": (
        lambda _, connection: (
            connection.execute("DELETE FROM journal WHERE entry_no > 8"),
            connection.execute("DELETE FROM checkpoint WHERE tree_size > 8"),
        ),
        [("journal.behind_witness", "resident 9-10")],
    ),
    "everything emptied": (
        lambda _, connection: connection.execute("TRUNCATE journal, checkpoint"),
        [("journal.behind_witness", "resident 1-4")],
    ),
}  # type: ignore[dict-item] # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_superuser_who_switches_the_guard_off_is_found_and_the_entries_named(
    forgery: str, case: LogCase
) -> None:
    """Checkpoints at 4, 8 and 10; what rewrites all hashes is found between two of them."""
    case.grow(4, 4, 2)
    assert case.found() == []
    forge, wanted = FORGERIES[forgery]
    with case.superuser() as connection:
        forge(case, connection)
    assert case.found() == wanted


@pytest.mark.parametrize("forgery", ["edited, hashed anew", "tail cut", "old copy of everything"])
def test_forged_log_is_not_signed_and_the_alarm_stays(forgery: str, case: LogCase) -> None:
    """A signature under a rewritten log would make it the true one."""
    case.grow(4, 4, 2)
    with case.superuser() as connection:
        FORGERIES[forgery][0](case, connection)
        case.rewrite(connection)
    code = FORGERIES[forgery][1][0][0]
    signing = case.sign()
    assert not signing.is_new and code in {alarm.code.value for alarm in signing.alarms}
    with open_unit(case.url, FILE, Duty.AUDITOR) as unit:
        assert not standing_of(unit, case.place).may_sign
    assert all(Witness(folder, ORIGINS[FILE]).sizes() == [4, 8, 10] for folder in case.folders)


def test_log_that_went_on_after_a_rollback_forks_and_is_not_signed(case: LogCase) -> None:
    """An old copy was put back and grew beyond the checkpoint: sizes alone would not tell."""
    case.grow(4, 4)
    with case.superuser() as connection:
        connection.execute("DELETE FROM journal WHERE entry_no > 6")
        connection.execute("DELETE FROM checkpoint WHERE tree_size > 6")
        connection.execute(EDIT, (6,))
        case.rewrite(connection, 6)
    case.append(5)
    assert [alarm.code for alarm in case.sign().alarms] == [Code.JOURNAL_FORKED]
    assert case.found() == [("journal.forked", "resident 5-8")]


def test_entry_edited_since_the_last_checkpoint_is_found_before_it_would_be_signed(case: LogCase) -> None:
    """The new entries are hashed themselves; the hashes beside them are not believed."""
    case.grow(4)
    case.append(3)
    with case.superuser() as connection:
        connection.execute(EDIT, (6,))
    signing = case.sign()
    assert (signing.is_new, signing.size) == (False, 4)
    assert [(alarm.code, alarm.ref) for alarm in signing.alarms] == [(Code.JOURNAL_BROKEN, "resident 6")]


def test_witness_that_is_away_is_told_and_given_the_last_checkpoint_when_it_is_back(case: LogCase) -> None:
    """A volume that is not mounted keeps nobody from signing, and is never created in its place."""
    case.grow(2)
    away = case.folders[0].rename(case.folders[0].with_name("away"))
    case.append(1)
    signing = case.sign()
    assert signing.is_new and not case.folders[0].exists()
    assert [(alarm.code, alarm.ref) for alarm in signing.alarms] == [(Code.WITNESS_UNREACHABLE, "witness-1")]
    away.rename(case.folders[0])
    assert case.sign().alarms == ()
    assert Witness(case.folders[0], ORIGINS[FILE]).sizes() == [2, 3]


def test_without_any_witness_nothing_is_signed(case: LogCase) -> None:
    """A checkpoint that lies only beside the log proves nothing."""
    case.append(2)
    for folder in case.folders:
        shutil.rmtree(folder)
    signing = case.sign()
    assert not signing.is_new and {alarm.code for alarm in signing.alarms} == {Code.WITNESS_UNREACHABLE}
    with open_unit(case.url, FILE) as unit:
        assert unit.checkpoints.last() is None


def test_witness_that_was_emptied_is_told_until_its_checkpoints_are_back(case: LogCase) -> None:
    """Deleting what speaks against one is a deed of its own; a copy of another witness ends the alarm."""
    case.grow(2, 2)
    first, second = (Witness(folder, ORIGINS[FILE]) for folder in case.folders)
    shutil.rmtree(first.folder)
    assert ("witness.incomplete", "witness-1 resident 2") in case.found()
    signing = case.sign()
    assert [alarm.code for alarm in signing.alarms] == [Code.WITNESS_INCOMPLETE]
    shutil.copytree(second.folder, first.folder)
    assert (case.sign().alarms, case.found()) == ((), [])


@pytest.mark.parametrize("how", ["noise", "other key", "other log", "renamed"])
def test_checkpoint_that_is_not_ours_stops_signing(how: str, case: LogCase, tmp_path: Path) -> None:
    """Who can add files to a witness can at most stop us from signing, and that is seen."""
    case.grow(2, 2)
    witness = Witness(case.folders[0], ORIGINS[FILE])
    other = LogCase.at(case.url, _new(tmp_path / "other"))
    stranger = Checkpoint(ORIGINS[FILE], 9, leaf_hash(b"9"))
    fuhyo = Checkpoint(ORIGINS[list(ORIGINS)[1]], 9, leaf_hash(b"9"))
    content = {
        "noise": b"not a checkpoint",
        "other key": sign_checkpoint(stranger, other.keys.signing_key()),
        "other log": sign_checkpoint(fuhyo, case.keys.signing_key()),
        "renamed": witness.read(2) or b"",
    }[how]
    (witness.folder / file_name(9)).write_bytes(content)
    case.append(1)
    signing = case.sign()
    assert (signing.is_new, [alarm.code for alarm in signing.alarms]) == (False, [Code.WITNESS_DAMAGED])
    assert [code for code, _ in case.found()] == ["witness.damaged"]


def test_run_killed_between_witness_and_register_leaves_nothing_to_mend(case: LogCase) -> None:
    """What a dead run has written is found, agrees, and is noted by the next."""
    case.grow(2)
    with psycopg.connect(case.url) as connection:
        connection.execute("DELETE FROM checkpoint")
    signing = case.sign()
    assert (signing.is_new, signing.size, signing.alarms) == (True, 2, ())
    with open_unit(case.url, FILE) as unit:
        assert [one.size for one in unit.checkpoints.all()] == [2]


def test_two_witnesses_that_disagree_are_a_fork(case: LogCase) -> None:
    """Somebody with the key signed something else for the other folder."""
    case.grow(3)
    witness = Witness(case.folders[1], ORIGINS[FILE])
    path = witness.folder / file_name(3)
    path.unlink()
    path.write_bytes(sign_checkpoint(Checkpoint(ORIGINS[FILE], 3, leaf_hash(b"x")), case.keys.signing_key()))
    assert [alarm.code for alarm in case.sign().alarms] == [Code.JOURNAL_FORKED]
    assert ("journal.forked", "witness-2 resident 3") in case.found()


def test_new_key_signs_from_now_on_and_old_checkpoints_still_count(case: LogCase) -> None:
    """The public part of the old key stays; its private part may go."""
    case.grow(2)
    case.keys.rotate()
    (case.keys.folder / "log_signing-1.key").unlink()
    case.grow(2)
    assert case.verify().checkpoints == 2
    (case.keys.folder / "log_signing-1.vkey").unlink()
    assert {code for code, _ in case.found()} == {"witness.damaged"}


def test_runs_that_end_at_once_sign_one_after_the_other(case: LogCase) -> None:
    """One signs, the others find nothing to do; no two checkpoints of one size."""
    case.append(5)
    with ThreadPoolExecutor(4) as pool:
        signings = list(pool.map(lambda _: case.sign(), range(4)))
    assert sum(one.is_new for one in signings) == 1
    assert all(one.alarms == () for one in signings)


def test_entry_is_proved_by_the_first_checkpoint_that_covers_it(case: LogCase) -> None:
    """With the path an auditor can follow; an entry nobody signed yet is proved in the log as it is."""
    case.grow(3, 4)
    case.append(2)
    with open_unit(case.url, FILE, Duty.AUDITOR) as unit:
        for number, size in ((1, 3), (3, 3), (4, 7), (9, 9)):
            proved = prove_entry(unit, case.place, number)
            leaf = leaf_hash(proved.entry.entry.encode())
            assert proved.size == size and bool(proved.note) == (size < 9)
            assert is_included(number - 1, size, leaf, proved.root, proved.path)
        for unknown in (0, 10):
            with pytest.raises(JournalError) as refused:
                prove_entry(unit, case.place, unknown)
            assert refused.value.code is Code.LOG_ENTRY_UNKNOWN
    with case.superuser() as connection:
        connection.execute(EDIT, (4,))
    with open_unit(case.url, FILE, Duty.AUDITOR) as unit, pytest.raises(JournalError) as broken:
        prove_entry(unit, case.place, 4)
    assert (broken.value.code, broken.value.ref) == (Code.JOURNAL_BROKEN, "resident 4")


def test_entries_added_in_one_piece_may_have_their_tree_with_the_last_only(case: LogCase) -> None:
    """An empty tree inside is no fault; a wrong one is, and so is a log that ends without."""
    case.append(6)
    with case.superuser() as connection:
        connection.execute(r"UPDATE journal SET frontier = '' WHERE entry_no IN (2, 3, 4)")
    assert case.found() == [] and case.sign().is_new
    wrong = Frontier().grown(leaf_hash(b"x")).grown(leaf_hash(b"y")).grown(leaf_hash(b"z")).to_bytes()
    with case.superuser() as connection:
        connection.execute("UPDATE journal SET frontier = %s WHERE entry_no = 3", (wrong,))
    assert case.found() == [("journal.broken", "resident 3")]
    with case.superuser() as connection:
        connection.execute(r"UPDATE journal SET frontier = '' WHERE entry_no IN (3, 6)")
    assert case.found() == [("journal.broken", "resident 6")]


def test_entry_that_says_another_number_is_found_though_all_hashes_fit(case: LogCase) -> None:
    """Exchanged before anything was signed, and hashed anew: only the number in the bytes still tells."""
    case.append(4)
    with case.superuser() as connection:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            connection.execute("UPDATE journal SET entry_no = %s WHERE entry_no = %s", (new, old))
        case.rewrite(connection)
    assert case.found() == [("journal.broken", "resident 2")]
    assert not case.sign().is_new


def test_stale_news_is_told_by_when_its_first_entry_was_written(case: LogCase) -> None:
    """Signed entries do not wait; the first after them does, and from its own instant on."""
    from datetime import timedelta

    from juki.log_health import judged
    from juki.oplog.overview import log_facts

    case.grow(2)
    case.append(1)
    with open_unit(case.url, FILE, Duty.AUDITOR) as unit:
        facts = log_facts(unit, case.place)
    assert (facts.entries, facts.signed, facts.waiting, facts.waiting_since) == (3, 2, 1, NOW)
    limit = timedelta(minutes=10)
    assert judged(facts, limit, NOW + limit).alarms == ()
    later = judged(facts, limit, NOW + limit + timedelta(seconds=1))
    assert later.alarms == ((Code.JOURNAL_CHECKPOINT_STALE, "resident 3"),)


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
