"""Repairs on the real store: through contract and checks, once, in one transaction, never against a newer word."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from juki.columns import NOTICE_COLUMNS, RECORD_COLUMNS, IdentityFile
from juki.errors import StoreError
from juki.notices import Reason
from juki.reasons import Code
from tasks.boundary import PipelineError
from tasks.repairing import check_holders
from tests.flows.conftest import CODES, Town
from tests.notice_tables import known, newest, notice
from tests.repair_case import Case, Row

RESIDENT = IdentityFile.RESIDENT
HERE, ELSEWHERE = CODES
MOVED = {"kind": "correction", "reason": Reason.MOVED_WITHIN.value}
DIED = {"kind": "deletion", "reason": Reason.DEATH.value}


@pytest.fixture
def case(town: Town) -> Iterator[Case]:
    """An empty resident file."""
    made = Case(RESIDENT)
    made.forget()
    yield made
    made.forget()


def people(town: Town, count: int = 6, municipality: str = HERE) -> list[Row]:
    """Take the entries of the first people of a municipality."""
    rows = town.tables[municipality].slice(0, count).to_pylist()
    return [{name: row[name] for name in NOTICE_COLUMNS[RESIDENT]} for row in rows]


def test_what_was_changed_lost_or_slipped_in_is_put_right(town: Town, case: Case) -> None:
    """A cell, a lost row and a row nobody notified: the file says again what the municipality says."""
    first, second, third, *_ = people(town)
    case.send(HERE, *people(town))
    case.sql("UPDATE current SET name = '改竄' WHERE resident_code = %s", first["resident_code"])
    case.sql("DELETE FROM current WHERE resident_code = %s", second["resident_code"])
    del case.truth[HERE][third["resident_code"]]
    number = case.reconcile(HERE)
    case.approve(["extra"])
    done = case.repair(HERE, number)
    assert (done.repaired, done.refused) == (3, {})
    assert case.differing(HERE) == []
    assert case.sql(
        "SELECT kind, reason, notice_no, repair_no > 0 FROM current WHERE repair_no > 0 ORDER BY 1"
    ) == [
        ("correction", "職権修正等", 6, True),
        ("deletion", "職権消除等", 6, True),
        ("entry", "職権記載等", 6, True),
    ]
    # Each has a number of its own, or one would stand in the other's way when both are history.
    assert case.sql("SELECT count(DISTINCT repair_no) FROM current WHERE repair_no > 0") == [(3,)]
    assert case.sql("SELECT name FROM history WHERE name = '改竄'") == [("改竄",)]
    assert case.reconcile(HERE) == number + 1
    assert case.sql("SELECT DISTINCT state, settled_by FROM difference") == [("settled", "repair")]


def test_a_repair_is_registered_told_to_jlis_and_in_the_log(town: Town, case: Case) -> None:
    """One package of its own kind, one row of the outbox, one entry bound to the changes, with the number opened."""
    first, second, *_ = people(town)
    case.send(HERE, *people(town))
    case.sql("UPDATE current SET address = '別の所' WHERE resident_code = %s", first["resident_code"])
    del case.truth[HERE][second["resident_code"]]
    number = case.reconcile(HERE)
    case.approve()
    done = case.repair(HERE, number)
    package = (
        "SELECT package_id, file_name, state, sequence, first_notice_no, records, accepted, alerted, rejected"
    )
    assert case.sql(f"{package} FROM package WHERE kind = 'repair'") == [
        (done.package_id, f"{HERE}-resident-repair-{number:08d}", "applied", number, 6, 2, 2, 0, 0)
    ]
    assert case.sql("SELECT changes FROM outbox WHERE package_id = %s", done.package_id) == [(2,)]
    entry = "entry::jsonb ->> 'number_accessed', entry::jsonb ->> 'basis', entry::jsonb ->> 'package_id'"
    assert case.sql(f"SELECT entry_no, {entry} FROM journal WHERE action = 'records.repaired'") == [
        (2, "true", f"reconciliation:{number}", str(done.package_id))
    ]
    assert case.sql("SELECT DISTINCT repair_package_id, entry_no FROM difference") == [(done.package_id, 2)]
    assert case.sql("SELECT count(*) FROM current WHERE package_id = %s", done.package_id) == [(2,)]


def test_made_again_a_repair_changes_nothing_more(town: Town, case: Case) -> None:
    """Whoever was killed after the commit runs again: not a row, not an entry more, also with an approval since."""
    first, second, *_ = people(town)
    case.send(HERE, *people(town))
    case.sql("UPDATE current SET address = '別の所' WHERE resident_code = %s", first["resident_code"])
    del case.truth[HERE][second["resident_code"]]
    number = case.reconcile(HERE)
    assert case.repair(HERE, number).repaired == 1
    case.approve()
    before = case.everything()
    assert case.repair(HERE, number).repaired == 0
    assert case.everything() == before
    assert case.repair(HERE, case.reconcile(HERE)).repaired == 1
    assert case.differing(HERE) == []


def test_a_notice_between_comparison_and_repair_wins(town: Town, case: Case) -> None:
    """Whether it corrects, retires or enters: the person is left alone, and the others are repaired."""
    rows = people(town)
    case.send(HERE, *rows)
    codes = [row["resident_code"] for row in rows]
    case.sql("UPDATE current SET name = '改竄' WHERE resident_code = ANY(%s)", codes[:3])
    case.sql("DELETE FROM current WHERE resident_code = ANY(%s)", codes[3:5])
    number = case.reconcile(HERE)
    case.send(HERE, rows[0] | MOVED, rows[1] | DIED, rows[3] | MOVED)
    stands = case.sql("SELECT * FROM current WHERE resident_code = ANY(%s)", [codes[0], codes[1], codes[3]])
    done = case.repair(HERE, number)
    assert (done.repaired, done.refused) == (2, {"repair.overtaken": 3})
    assert (
        case.sql("SELECT * FROM current WHERE resident_code = ANY(%s)", [codes[0], codes[1], codes[3]])
        == stands
    )
    assert case.differing(HERE) == []
    case.reconcile(HERE)
    assert sorted(case.sql("SELECT settled_by, count(*) FROM difference GROUP BY 1")) == [
        ("notice", 3),
        ("repair", 2),
    ]


def test_a_person_taken_over_since_is_left_alone(town: Town, case: Case) -> None:
    """Another municipality entered the person after the comparison: no repair takes anybody from it unasked."""
    rows = people(town)
    case.send(HERE, *rows)
    case.send(ELSEWHERE, *people(town, 2, ELSEWHERE))
    changed, lost, retired = rows[:3]
    case.sql("UPDATE current SET name = '改竄' WHERE resident_code = %s", changed["resident_code"])
    case.sql("DELETE FROM current WHERE resident_code = %s", lost["resident_code"])
    del case.truth[HERE][retired["resident_code"]]
    number = case.reconcile(HERE)
    case.approve()
    there = {"reason": Reason.MOVED_IN.value, "municipality_code": ELSEWHERE}
    case.send(ELSEWHERE, changed | there, lost | there, retired | there)
    done = case.repair(HERE, number)
    assert (done.repaired, done.refused) == (0, {"repair.taken_over": 3})
    assert case.differing(ELSEWHERE) == case.differing(HERE) == []
    assert case.sql("SELECT count(*) FROM package WHERE kind = 'repair'") == [(0,)]


def test_a_person_held_elsewhere_comes_back_only_with_an_approval(town: Town, case: Case) -> None:
    """A row of a wrong municipality, changed by SQL: what an operator approved is the holder that was seen."""
    rows = people(town)
    case.send(HERE, *rows)
    case.send(ELSEWHERE, *people(town, 2, ELSEWHERE))
    case.sql(
        "UPDATE current SET sender_code = %s WHERE resident_code = %s", ELSEWHERE, rows[0]["resident_code"]
    )
    assert case.repair(HERE, case.reconcile(HERE)).repaired == 0
    case.approve()
    done = case.repair(HERE, case.reconcile(HERE))
    assert (done.repaired, done.alerts, done.refused) == (1, {"logic.standing_elsewhere": 1}, {})
    assert case.differing(HERE) == case.differing(ELSEWHERE) == []


def test_an_entry_elsewhere_made_after_the_snapshot_stands(town: Town, case: Case) -> None:
    """Approved or not: judged as a notice it is a late one, and what would only be history is no repair."""
    first, second, *_ = people(town)
    case.send(HERE, *people(town))
    number = case.begin(HERE)
    case.send(ELSEWHERE, first | {"reason": Reason.MOVED_IN.value, "municipality_code": ELSEWHERE})
    case.truth[HERE][first["resident_code"]] = {name: first[name] for name in RECORD_COLUMNS[RESIDENT]}
    case.sql("UPDATE current SET name = '改竄' WHERE resident_code = %s", second["resident_code"])
    case.note(HERE, number)
    case.approve()
    done = case.repair(HERE, number)
    assert (done.repaired, done.refused) == (1, {"logic.arrived_late": 1})
    assert case.sql("SELECT name FROM history WHERE resident_code <> %s", first["resident_code"]) == [
        ("改竄",)
    ]
    assert case.sql("SELECT count(*) FROM history WHERE resident_code = %s", first["resident_code"]) == [(1,)]
    assert case.sql("SELECT state, code FROM difference WHERE code IS NOT NULL") == [
        ("approved", "logic.arrived_late")
    ]


def test_whoever_is_entered_elsewhere_while_a_repair_is_made_makes_it_begin_again() -> None:
    """Between the look and the judging another channel was faster: nothing is taken from it unasked."""
    there = notice(municipality_code=ELSEWHERE)
    found = known([newest(there, ELSEWHERE)])
    with pytest.raises(StoreError) as refused:
        check_holders(found, HERE, {"A": None})
    assert (refused.value.code, refused.value.is_transient) == (Code.STORE_CONFLICT, True)
    check_holders(found, HERE, {"A": ELSEWHERE})
    check_holders(known([newest(there | DIED, ELSEWHERE), newest(notice(resident_code="B"), HERE)]), HERE, {})


def test_numbers_that_two_people_have_of_each_other_are_put_right(town: Town, case: Case) -> None:
    """Neither can get a number still in use (ADR-0011): both are left without one first, within one package."""
    first, second, *_ = people(town)
    case.send(HERE, *people(town))
    swap(case, first["resident_code"], second["resident_code"])
    done = case.repair(HERE, case.reconcile(HERE))
    assert (done.repaired, done.refused) == (2, {})
    assert case.differing(HERE) == []
    reasons = case.sql("SELECT reason, count(*) FROM current WHERE repair_no > 0 GROUP BY 1")
    assert reasons == [("個人番号の職権修正", 2)]
    assert case.sql("SELECT count(*) FROM history WHERE repair_no > 0 AND number_index IS NULL") == [(2,)]
    case.send(HERE, first | MOVED, second | MOVED)
    assert case.differing(HERE) == []


def swap(case: Case, one: str, other: str) -> None:
    """Give two people each other's number, as nobody may."""
    query = "SELECT number_sealed, number_index FROM current WHERE resident_code = %s"
    (mine,), (theirs,) = case.sql(query, one), case.sql(query, other)
    give = "UPDATE current SET number_sealed = %s, number_index = %s WHERE resident_code = %s"
    case.sql(give, None, None, one)
    case.sql(give, *mine, other)
    case.sql(give, *theirs, one)


def test_a_number_somebody_else_stands_with_is_refused_and_stays_open(town: Town, case: Case) -> None:
    """The checks are the same as for a notice; the difference says why, and the others go through."""
    first, second, *_ = people(town)
    other, *_ = people(town, 2, ELSEWHERE)
    case.send(HERE, *people(town))
    case.send(ELSEWHERE, *people(town, 2, ELSEWHERE))
    code = first["resident_code"]
    case.truth[HERE][code] = case.truth[HERE][code] | {"individual_number": other["individual_number"]}
    case.sql("UPDATE current SET name = '改竄' WHERE resident_code = %s", second["resident_code"])
    done = case.repair(HERE, case.reconcile(HERE))
    assert (done.repaired, done.refused) == (1, {"logic.number_in_use": 1})
    assert case.sql("SELECT state, code FROM difference WHERE resident_code = %s", code) == [
        ("open", "logic.number_in_use")
    ]
    assert case.sql("SELECT repair_no FROM current WHERE resident_code = %s", code) == [(0,)]
    assert case.sql("SELECT count(*) FROM rejection") == [(0,)], (
        "a refused proposal is a difference, not a record"
    )


def test_a_record_that_breaks_its_contract_is_not_repaired(town: Town, case: Case) -> None:
    """What a municipality's snapshot says passes the same contract as its notices; alone, it leaves no package."""
    first, *_ = people(town)
    case.send(HERE, *people(town))
    code = first["resident_code"]
    case.truth[HERE][code] = case.truth[HERE][code] | {"birth_date": "19991399"}
    done = case.repair(HERE, case.reconcile(HERE))
    assert (done.package_id, done.repaired, done.refused) == (None, 0, {"birth_date.form": 1})
    assert case.sql("SELECT code FROM difference") == [("birth_date.form",)]
    assert case.sql("SELECT count(*) FROM package WHERE kind = 'repair'") == [(0,)]
    assert case.sql("SELECT count(*) FROM outbox") == [(1,)]


def test_an_older_version_brought_back_goes_to_history_beside_itself(town: Town, case: Case) -> None:
    """Its number is in history already; the version that was lost is made anew, and nothing is written over."""
    first, *_ = people(town)
    case.send(HERE, *people(town))
    case.send(HERE, first | MOVED | {"address": "山口県山口市滝町9番9号"})
    bring_back(case, first["resident_code"])
    before = case.sql("SELECT * FROM history")
    done = case.repair(HERE, case.reconcile(HERE))
    assert (done.repaired, done.refused) == (1, {})
    assert case.differing(HERE) == []
    after = case.sql("SELECT * FROM history")
    assert len(after) == len(before) + 1
    assert set(before) <= set(after)


def test_an_older_version_brought_back_does_not_stop_its_channel(town: Town, case: Case) -> None:
    """Else the next notice about the person could never be applied, nor any comparison be made after it."""
    first, second, *_ = people(town)
    case.send(HERE, *people(town))
    case.send(HERE, first | MOVED | {"address": "山口県山口市滝町9番9号"}, second | MOVED)
    for row in (first, second):
        bring_back(case, row["resident_code"])
    case.send(HERE, first | MOVED, second | DIED)
    assert case.differing(HERE) == []
    versions = case.sql("SELECT notice_no, repair_no > 0, count(*) FROM history GROUP BY 1, 2 ORDER BY 1, 2")
    assert versions == [(1, False, 1), (1, True, 1), (2, False, 1), (2, True, 1)]


def bring_back(case: Case, code: str) -> None:
    """Put a superseded version in the place of the newest one."""
    columns = case.sql(
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns c WHERE table_name = 'current'"
        " AND column_name <> 'expires_on' AND table_schema = 'public'"
    )[0][0]
    case.sql("DELETE FROM current WHERE resident_code = %s", code)
    case.sql(f"INSERT INTO current ({columns}) SELECT {columns} FROM history WHERE resident_code = %s", code)


def test_a_row_copied_for_a_person_who_is_not_is_retired(town: Town, case: Case) -> None:
    """It bears the number of another version and a sealed number that opens for somebody else only."""
    first, second, *_ = people(town)
    case.send(HERE, first)
    case.sql("UPDATE current SET resident_code = %s", second["resident_code"])
    number = case.reconcile(HERE)
    case.approve(["extra"])
    done = case.repair(HERE, number)
    assert (done.repaired, done.refused, done.alerts) == (2, {}, {"logic.number_blank": 1})
    assert case.differing(HERE) == []
    case.send(HERE, first | MOVED)
    assert case.sql("SELECT count(*), count(DISTINCT (sender_code, notice_no, repair_no)) FROM history") == [
        (2, 2)
    ]


def test_a_version_with_a_number_never_notified_is_not_taken_for_a_newer_one(town: Town, case: Case) -> None:
    """Otherwise a changed number would keep a person from being repaired for ever."""
    first, *_ = people(town)
    case.send(HERE, *people(town))
    case.sql(
        "UPDATE current SET notice_no = 999, name = '改竄' WHERE resident_code = %s", first["resident_code"]
    )
    assert case.repair(HERE, case.reconcile(HERE)).repaired == 1
    assert case.differing(HERE) == []
    assert case.sql("SELECT notice_no FROM history") == [(6,)]


def test_a_nationality_changed_by_nobody_is_corrected_with_an_alert(town: Town, case: Case) -> None:
    """Nobody notified a naturalisation: the event that claims least, and the alert that says so."""
    first, *_ = people(town)
    case.send(HERE, *people(town))
    case.sql(
        "UPDATE current SET is_foreign = NOT is_foreign WHERE resident_code = %s", first["resident_code"]
    )
    done = case.repair(HERE, case.reconcile(HERE))
    assert (done.repaired, done.alerts) == (1, {"logic.nationality_kind_differs": 1})
    assert case.differing(HERE) == []
    assert case.sql("SELECT code, settled_at FROM rejection") == [("logic.nationality_kind_differs", None)]


def test_what_still_bears_its_old_digest_is_no_repeat(town: Town, case: Case) -> None:
    """Repaired today and changed again by SQL: the proposal equals the digest of the version, not its content."""
    first, *_ = people(town)
    case.send(HERE, *people(town))
    change = "UPDATE current SET name = '改竄' WHERE resident_code = %s"
    for expected in (1, 1):
        case.sql(change, first["resident_code"])
        assert case.repair(HERE, case.reconcile(HERE)).repaired == expected
        assert case.differing(HERE) == []


def test_more_than_may_be_changed_changes_nobody_until_approved(town: Town, case: Case) -> None:
    """Six people of six: the bound lets one through. The number is told; approved, all are repaired."""
    rows = people(town)
    case.send(HERE, *rows)
    case.sql("UPDATE current SET name = '改竄'")
    number = case.reconcile(HERE)
    before = case.everything()
    stopped = case.repair(HERE, number, is_approved_beyond=False)
    assert (stopped.beyond, stopped.allowed, stopped.repaired) == (6, 1, 0)
    assert case.everything() == before
    assert case.repair(HERE, number).repaired == 6


def test_what_can_not_be_repaired_does_not_count_against_the_bound(town: Town, case: Case) -> None:
    """People refused night after night must not keep the one who could be repaired from it."""
    rows = people(town)
    case.send(HERE, *rows)
    for row in rows[1:]:
        code = row["resident_code"]
        case.truth[HERE][code] = case.truth[HERE][code] | {"birth_date": "19991399"}
    case.sql("UPDATE current SET name = '改竄' WHERE resident_code = %s", rows[0]["resident_code"])
    done = case.repair(HERE, case.reconcile(HERE), is_approved_beyond=False)
    assert (done.repaired, done.refused, done.beyond) == (1, {"birth_date.form": 5}, 0)


def test_a_stale_comparison_rolls_nothing_back(town: Town, case: Case) -> None:
    """A comparison as of an earlier notice than a repair that was made is refused by code, changing nothing."""
    first, *_ = people(town)
    case.send(HERE, *people(town))
    stale = case.reconcile(HERE, watermark=5)
    case.sql("UPDATE current SET name = '改竄' WHERE resident_code = %s", first["resident_code"])
    case.repair(HERE, case.reconcile(HERE))
    before = case.everything()
    with pytest.raises(PipelineError, match=r"reconciliation\.stale"):
        case.repair(HERE, stale)
    assert case.everything() == before


def test_a_comparison_that_is_not_the_newest_repairs_nothing(town: Town, case: Case) -> None:
    """What it saw was seen again, or is gone: another record than its own is not to be carried out in its name."""
    first, *_ = people(town)
    case.send(HERE, *people(town))
    case.sql("UPDATE current SET name = '改竄' WHERE resident_code = %s", first["resident_code"])
    older, newer = case.reconcile(HERE), case.reconcile(HERE)
    assert case.repair(HERE, older).repaired == 0
    assert case.repair(HERE, newer).repaired == 1


def test_a_record_that_was_tampered_with_is_not_carried_out(town: Town, case: Case) -> None:
    """It is named by code, and the next comparison brings what the municipality really says."""
    first, *_ = people(town)
    case.send(HERE, *people(town))
    case.sql("UPDATE current SET name = '改竄' WHERE resident_code = %s", first["resident_code"])
    number = case.reconcile(HERE)
    case.sql("UPDATE difference SET record_sealed = record_sealed || '\\x00'")
    assert case.repair(HERE, number).refused == {"cipher.altered": 1}
    assert case.repair(HERE, case.reconcile(HERE)).repaired == 1


def test_a_repair_killed_before_its_commit_left_nothing(town: Town, case: Case) -> None:
    """kill -9 at the journal entry, the last thing written: then made again, once."""
    first, *_ = people(town)
    case.send(HERE, *people(town))
    case.sql("UPDATE current SET name = '改竄' WHERE resident_code = %s", first["resident_code"])
    number = case.reconcile(HERE)
    before = case.everything()
    assert _killed(case, number) == -9
    assert case.everything() == before
    assert case.repair(HERE, number).repaired == 1
    assert case.differing(HERE) == []


def _killed(case: Case, number: int) -> int:
    """Repair in a child that kills itself when it marks the differences; return how it ended."""
    pid = os.fork()
    if pid == 0:
        from juki.store.differences import Differences

        Differences.repaired = lambda *_: os.kill(os.getpid(), 9)  # type: ignore[assignment,method-assign]
        try:
            case.repair(HERE, number)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_repair_is_no_package_of_its_channel(town: Town, case: Case) -> None:
    """The sequence of a comparison is not that of a package: the next package of that sequence is applied."""
    town.publish(count=5)
    assert town.work() == 0
    case.truth[HERE] = {}
    case.last_no[HERE] = 5
    rows = people(town, 5)
    for row in rows:
        case.truth[HERE][row["resident_code"]] = {name: row[name] for name in RECORD_COLUMNS[RESIDENT]}
    case.sql("ALTER TABLE reconciliation ALTER COLUMN reconciliation_id RESTART WITH 2")
    case.sql("UPDATE current SET name = '改竄' WHERE resident_code = %s", rows[0]["resident_code"])
    assert case.repair(HERE, case.reconcile(HERE)).repaired == 1
    town.publish(first=5, count=5)
    assert town.work() == 0
    applied = case.sql("SELECT kind, sequence, state FROM package ORDER BY package_id")
    assert applied == [("notice", 1, "applied"), ("repair", 2, "applied"), ("notice", 2, "applied")]
    assert case.sql("SELECT count(*) FROM package WHERE receipt IS NOT NULL") == [(2,)]
    shown = town.juki("package", "list", "--json").stdout
    assert '"kind": "repair"' in shown
    assert town.juki("rejection", "retry", "R2").returncode == 2
