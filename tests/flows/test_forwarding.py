"""Every update reaches J-LIS once, in order, under one number: packages, answers, and what may go wrong with both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from juki.columns import JLIS_COLUMNS, IdentityFile
from juki.jlis import MAX_UPDATES
from juki.jlis_manifests import read_updates
from juki.notices import Reason
from juki.packages import PackageName
from juki.reasons import Code
from juki.store.jlis_status import JlisOverview
from juki.store.roles import Duty
from juki.store.unit import forward_lock, open_unit
from juki.wire.envelope import open_envelope
from simulator.installation import PREFECTURE_CODE
from tasks import clock, jlis_forming
from tasks.boundary import PipelineError
from tasks.forwarding import ForwardSummary
from tasks.jlis_forming import form_next
from tests.flows.conftest import CODES, Town
from tests.forwarding_case import DIED, FUHYO, MOVED, Telling

HERE, ELSEWHERE = CODES
RESIDENT = IdentityFile.RESIDENT


@pytest.fixture(params=list(IdentityFile), ids=lambda file: file.value)
def telling(request: pytest.FixtureRequest, town: Town) -> Iterator[Telling]:
    """Each of the two files, empty."""
    made = Telling.of(town, request.param)
    yield made
    made.case.forget()


@pytest.fixture
def residents(town: Town) -> Iterator[Telling]:
    """The resident file, empty."""
    made = Telling.of(town, RESIDENT)
    yield made
    made.case.forget()


def opened(telling: Telling) -> dict[str, tuple[bytes, pa.Table]]:
    """Open what lies in the folder, without taking it away: the content and the updates by name."""
    found = {}
    for path in sorted(telling.jlis.delivery.glob("*.p7m")):
        sender = telling.jlis.prefecture.prefecture_as_sender(PREFECTURE_CODE)
        keys = [telling.jlis.office.receiver.recipient()]
        content = open_envelope(path.read_bytes(), recipient=keys, sender=sender, at=clock.now())
        found[path.name] = (content, read_updates(PackageName.parse(path.name), content)[1])
    return found


def test_every_update_is_told_in_order_and_the_ledger_equals_the_file(telling: Telling) -> None:
    """Entries, a correction, a deletion: several packages in, one package out, acknowledged, equal."""
    first, second, *others = telling.people()
    telling.case.send(HERE, first, second, *others)
    telling.case.send(HERE, first | MOVED | {"address": "山口県山口市別所1番"}, second | DIED)
    done = telling.told()
    assert (done.packages, done.updates, done.delivered, done.lost) == (1, 8, 1, 0)
    assert telling.packages("sequence", "first_update_no", "last_update_no", "state", "attempts") == [
        (1, 1, 8, "acknowledged", 1)
    ]
    assert telling.ledger.last_update_no == 8
    assert telling.is_equal()
    assert telling.case.sql("SELECT count(*) FROM outbox WHERE sent_at IS NULL OR lost > 0") == [(0,)]


def test_running_again_tells_nothing_twice(telling: Telling) -> None:
    """The flow is run every few minutes: without an update there is no package and no entry."""
    telling.case.send(HERE, *telling.people())
    telling.told()
    before = telling.actions()
    again = telling.forward()
    assert (again.packages, again.delivered, again.answers) == (0, 0, {})
    assert telling.actions() == before
    assert telling.names() == []


def test_packages_are_numbered_without_gaps_and_a_large_one_is_cut(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row of the outbox may fill several packages, and its updates follow each other in them."""
    monkeypatch.setattr(jlis_forming.form_next, "__defaults__", (4,))
    telling.case.send(HERE, *telling.people(6))
    telling.case.send(ELSEWHERE, *telling.people(5, ELSEWHERE))
    assert telling.told().packages == 3
    assert telling.packages("sequence", "first_update_no", "last_update_no") == [
        (1, 1, 4),
        (2, 5, 8),
        (3, 9, 11),
    ]
    assert telling.case.sql("SELECT first_update_no, last_update_no FROM outbox ORDER BY 1") == [
        (1, 6),
        (7, 11),
    ]
    assert telling.is_equal()


def test_a_package_whose_bytes_are_too_many_is_halved(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long names and addresses must not make a package that J-LIS may not open."""
    monkeypatch.setattr(jlis_forming, "MAX_CONTENT_BYTES", 2_000)
    telling.case.send(HERE, *telling.people(12))
    assert telling.told().packages > 1
    assert telling.ledger.last_update_no == 12
    assert telling.is_equal()


def test_a_row_of_the_outbox_that_became_visible_late_does_not_part_the_numbers_of_another(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that began earlier may commit later: what was begun is finished first."""
    monkeypatch.setattr(jlis_forming.form_next, "__defaults__", (4,))
    telling.case.send(ELSEWHERE, *telling.people(3, ELSEWHERE))
    ((late,),) = telling.case.sql("SELECT outbox_no FROM outbox")
    telling.case.send(HERE, *telling.people(6))
    telling.case.sql("UPDATE outbox SET sent_at = now() WHERE outbox_no = %s", late)
    form_next(telling.file)
    telling.case.sql("UPDATE outbox SET sent_at = NULL WHERE outbox_no = %s", late)
    telling.told()
    assert telling.case.sql("SELECT first_update_no, last_update_no FROM outbox ORDER BY outbox_no") == [
        (7, 9), (1, 6),
    ]  # fmt: skip
    assert telling.is_equal()


def test_fuhyo_packages_have_no_number_column_and_resident_ones_have_the_number(telling: Telling) -> None:
    """法30条の7 and 30条の42: the number is told with the resident file only."""
    telling.case.send(HERE, *telling.people(3))
    telling.forward()
    ((content, updates),) = opened(telling).values()
    assert tuple(updates.column_names) == JLIS_COLUMNS[telling.file]
    numbers = [row["individual_number"] for row in telling.town.tables[HERE].slice(0, 3).to_pylist()]
    if telling.file is FUHYO:
        assert b"number" not in content.split(b"\n")[1]
        assert not any(number.encode() in content for number in numbers)
    else:
        assert updates.column("individual_number").to_pylist() == numbers


def test_a_number_correction_tells_the_number_before_it(residents: Telling) -> None:
    """The previous number is that of the version superseded, which J-LIS holds (施行令30条の5四号)."""
    first, *_ = residents.people(1)
    residents.case.send(HERE, first)
    changed = {"kind": "correction", "reason": Reason.NUMBER_CHANGED_ON_REQUEST.value}
    residents.case.send(
        HERE, first | changed
        | {"individual_number": "123456789018", "previous_individual_number": first["individual_number"]},
        first | MOVED | {"individual_number": "123456789018", "address": "山口県山口市別所2番"},
    )  # fmt: skip
    residents.forward()
    ((_, updates),) = opened(residents).values()
    said = updates.select(["individual_number", "previous_individual_number"]).to_pylist()
    assert [tuple(row.values()) for row in said] == [
        (first["individual_number"], ""), ("123456789018", first["individual_number"]), ("123456789018", ""),
    ]  # fmt: skip


def test_a_code_correction_moves_the_person_in_the_ledger(telling: Telling) -> None:
    """The new code takes the place of the previous one, which nobody has any more."""
    first, *others = telling.people(3)
    telling.case.send(HERE, first, *others)
    changed = {
        "kind": "correction",
        "resident_code": "24727059608",
        "previous_resident_code": first["resident_code"],
    }
    if telling.file is RESIDENT:
        changed["reason"] = Reason.CODE_CHANGED_ON_REQUEST.value
    telling.case.send(HERE, first | changed)
    telling.told()
    assert first["resident_code"] not in telling.ledger.newest
    assert telling.is_equal()


def test_a_late_notice_is_not_told(residents: Telling) -> None:
    """It was history from the start: the file as J-LIS knows it has not changed."""
    first, second = residents.people(2)
    residents.case.send(HERE, first)
    moved_in = {"municipality_code": ELSEWHERE, "reason": Reason.MOVED_IN.value}
    residents.case.send(ELSEWHERE, first | moved_in)
    # The deletion of a municipality whose resident has been entered elsewhere meanwhile, beside a notice in time.
    deletion = first | {"kind": "deletion", "reason": Reason.MOVED_OUT.value}
    residents.case.send(HERE, deletion, second)
    assert residents.case.sql("SELECT count(*) FROM history WHERE NOT was_newest") == [(1,)]
    assert residents.told().updates == 3
    assert residents.is_equal()


def test_a_rejected_notice_is_not_told(residents: Telling) -> None:
    """What was refused changed nothing."""
    first, second, *_ = residents.people(2)
    residents.case.send(HERE, first, second | {"individual_number": first["individual_number"]})
    assert residents.told().updates == 1
    assert residents.is_equal()


def test_what_was_judged_again_is_told_once_with_its_own_row(residents: Telling) -> None:
    """The package's own row tells what it did at first, whenever it is read; the other row the rest."""
    first, second, third, *_ = residents.people(3)
    residents.case.send(HERE, first, second, third)
    ((package_id,),) = residents.case.sql("SELECT package_id FROM outbox")
    # As if the second had been refused at first and accepted when it was judged again.
    residents.case.sql("UPDATE outbox SET changes = 2")
    residents.case.sql(
        "INSERT INTO outbox (package_id, changes, created_at, notice_nos) VALUES (%s, 1, now(), '{2}')",
        package_id,
    )
    residents.forward()
    ((_, updates),) = opened(residents).values()
    assert updates.column("notice_no").to_pylist() == ["1", "3", "2"]
    residents.jlis.work(clock.now())
    assert residents.is_equal()


def test_a_repair_is_told_like_any_update(telling: Telling) -> None:
    """What was corrupted behind the back of everything and put right: J-LIS has the right one in the end."""
    first, second, third, *_ = telling.people()
    telling.case.send(HERE, *telling.people())
    telling.told()
    telling.case.sql("UPDATE current SET name = '改竄' WHERE resident_code = %s", first["resident_code"])
    telling.case.sql("DELETE FROM current WHERE resident_code = %s", second["resident_code"])
    del telling.case.truth[HERE][third["resident_code"]]
    number = telling.case.reconcile(HERE)
    telling.case.approve(["extra"])
    assert telling.case.repair(HERE, number).repaired == 3
    assert telling.told().updates == 3
    assert telling.is_equal()


def test_updates_lost_before_they_were_told_are_counted_and_the_rest_is_told(telling: Telling) -> None:
    """A row taken out behind the back of everything must not stop J-LIS from hearing of all the others."""
    first, *_ = telling.people()
    telling.case.send(HERE, *telling.people())
    telling.case.sql("DELETE FROM current WHERE resident_code = %s", first["resident_code"])
    done = telling.told()
    assert (done.updates, done.lost) == (5, 1)
    assert telling.case.sql("SELECT lost, sent_at IS NOT NULL FROM outbox") == [(1, True)]
    code = telling.case.sql("SELECT entry::json ->> 'code' FROM journal WHERE action = 'jlis.formed'")
    assert code == [(Code.JLIS_UPDATE_LOST.value,)]


def test_updates_lost_stay_on_the_page_until_their_municipality_was_confirmed_equal(telling: Telling) -> None:
    """No number of hours makes them good, nor what was compared before, nor another municipality."""

    def shown() -> int:
        with open_unit(telling.case.url, telling.file, Duty.READER) as unit:
            return JlisOverview(telling.file, unit.connection).facts(clock.now() + timedelta(days=400)).lost

    def compared(municipality: str, at: str, *, is_equal: bool) -> int:
        number = telling.case.begin(municipality)
        telling.case.sql(
            f"UPDATE reconciliation SET is_equal = %s, compared_at = {at} WHERE reconciliation_id = %s",
            is_equal,
            number,
        )
        return shown()

    first, *_ = telling.people()
    telling.case.send(HERE, *telling.people())
    telling.case.sql("DELETE FROM current WHERE resident_code = %s", first["resident_code"])
    assert (telling.told().lost, shown()) == (1, 1)
    sent = "(SELECT max(sent_at) FROM outbox)"
    assert compared(HERE, f"{sent} - interval '1 s'", is_equal=True) == 1
    assert compared(HERE, f"{sent} + interval '1 s'", is_equal=False) == 1
    assert compared(ELSEWHERE, f"{sent} + interval '1 s'", is_equal=True) == 1
    assert compared(HERE, f"{sent} + interval '1 s'", is_equal=True) == 0


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ({"lost": 1}, Code.JLIS_UPDATE_LOST),
        ({"unopened": 2}, Code.JLIS_NUMBER_UNOPENED),
        ({"lost": 1, "failure": Code.CONFIG_MISSING}, Code.CONFIG_MISSING),
        ({"updates": 9, "delivered": 1}, None),
    ],
    ids=lambda one: getattr(one, "value", ""),
)
def test_what_can_never_be_told_as_it_was_fails_the_run(told: dict[str, Any], fault: Code | None) -> None:
    """A number that did not open leaves the page after some hours: over a weekend nobody would have heard of it."""
    assert ForwardSummary(IdentityFile.RESIDENT, **told).fault is fault


def test_the_rest_of_a_row_that_is_lost_leaves_its_numbers_as_they_are(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told of a row keeps its numbers, for an update is found again by them."""
    monkeypatch.setattr(jlis_forming.form_next, "__defaults__", (4,))
    telling.case.send(HERE, *telling.people(6))
    form_next(telling.file)
    telling.case.sql("DELETE FROM current WHERE notice_no > 4")
    assert telling.told().lost == 2
    said = "SELECT first_update_no, last_update_no, lost, sent_at IS NOT NULL FROM outbox"
    assert telling.case.sql(said) == [(1, 4, 2, True)]


def test_an_outbox_row_of_which_nothing_is_left_makes_no_package(telling: Telling) -> None:
    """A package without updates has no place in the numbering."""
    telling.case.send(HERE, *telling.people(1))
    telling.case.sql("DELETE FROM current")
    done = telling.forward()
    assert (done.packages, done.lost, done.failure) == (0, 1, None)
    assert telling.packages("sequence") == []


def test_a_version_brought_back_behind_our_back_is_not_told_twice(residents: Telling) -> None:
    """The same notice in both tables is one update: the number would be given twice."""
    first, *_ = residents.people(1)
    residents.case.send(HERE, first)
    residents.case.send(HERE, first | MOVED | {"address": "山口県山口市別所3番"})
    query = (
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = 'current'"
    )
    names = [name for (name,) in residents.case.sql(query) if name != "expires_on"]
    listed = ", ".join(names)
    residents.case.sql("DELETE FROM current")
    residents.case.sql(f"INSERT INTO current ({listed}) SELECT {listed} FROM history")
    residents.case.sql("UPDATE current SET name = '改竄'")
    done = residents.told()
    assert (done.updates, done.lost) == (1, 1)
    assert residents.ledger.told[0].column("name").to_pylist() == [first["name"]]


def test_a_version_that_came_by_no_notice_is_not_told(residents: Telling) -> None:
    """A row copied behind our back and given a number of its own by a repair (ADR-0022) is no update."""
    first, second, *_ = residents.people(2)
    residents.case.send(HERE, first, second)
    residents.case.sql(
        "UPDATE current SET repair_no = package_id * 1000000 + 500001 WHERE resident_code = %s",
        second["resident_code"],
    )
    done = residents.told()
    assert (done.updates, done.lost) == (1, 1)


def test_a_number_that_does_not_open_is_left_out_and_counted(residents: Telling) -> None:
    """One broken cell must not stop every other update; a repair tells the number again."""
    first, second, *_ = residents.people(2)
    residents.case.send(HERE, first, second)
    residents.case.sql(
        "UPDATE current SET number_sealed = set_byte(number_sealed, 40, 255 - get_byte(number_sealed, 40))"
        " WHERE resident_code = %s", first["resident_code"],
    )  # fmt: skip
    assert residents.told().unopened == 1
    told = {row["resident_code"]: row["individual_number"] for row in residents.ledger.told[0].to_pylist()}
    assert told == {first["resident_code"]: "", second["resident_code"]: second["individual_number"]}


def test_a_retry_delivers_the_same_bytes_under_the_same_number(telling: Telling) -> None:
    """Whoever fetched it and lost it again gets exactly what was sealed, not something like it."""
    telling.case.send(HERE, *telling.people())
    telling.forward()
    (name,) = telling.names()
    before = (telling.jlis.delivery / name).read_bytes()
    telling.jlis.refusing[telling.file, 1] = "jlis.maintenance"
    telling.jlis.work(clock.now())
    assert telling.names() == []
    again = telling.forward()
    assert (again.packages, again.delivered, again.answers) == (0, 1, {"refused": 1})
    assert (telling.jlis.delivery / name).read_bytes() == before
    assert telling.packages("state", "code", "their_code", "attempts") == [
        ("delivered", Code.JLIS_REFUSED.value, "jlis.maintenance", 2)
    ]
    telling.told()
    assert telling.packages("state", "code", "sealed IS NULL") == [("acknowledged", None, True)]
    assert telling.is_equal()


def test_a_folder_that_is_away_keeps_packages_waiting_and_numbers_as_they_are(telling: Telling) -> None:
    """The medium is not mounted: packages are formed, the failure has its code, and nothing is lost."""
    telling.case.send(HERE, *telling.people())
    away = telling.jlis.delivery.with_name("away")
    telling.jlis.delivery.rename(away)
    done = telling.forward()
    assert (done.failure, done.packages, done.delivered) == (Code.FOLDER_UNREACHABLE, 1, 0)
    assert telling.packages("state", "attempts") == [("sealed", 0)]
    away.rename(telling.jlis.delivery)
    telling.told()
    assert telling.is_equal()


def test_a_file_of_somebody_else_in_the_place_of_a_package_stops_it_and_those_behind_it(
    telling: Telling,
) -> None:
    """Nothing is overwritten, and J-LIS never gets the second before the first."""
    telling.case.send(HERE, *telling.people(2))
    form_next(telling.file)
    telling.case.send(ELSEWHERE, *telling.people(2, ELSEWHERE))
    foreign = telling.jlis.delivery / f"{PREFECTURE_CODE}-{telling.file.value}-jlis-00000001.p7m"
    foreign.write_bytes(b"somebody else's")
    assert telling.forward().failure is Code.FOLDER_CONTENT_DIFFERS
    assert telling.names() == [foreign.name]
    foreign.unlink()
    telling.told()
    assert telling.is_equal()


def test_two_runs_at_once_do_not_give_a_number_twice(telling: Telling) -> None:
    """The second waits for its turn with a code; the file's numbers are given by one run."""
    telling.case.send(HERE, *telling.people(2))
    with forward_lock(telling.case.url, telling.file), pytest.raises(PipelineError) as error:
        telling.forward()
    assert error.value.code is Code.JLIS_BUSY
    assert telling.packages("sequence") == []


def test_without_a_registration_nothing_leaves(telling: Telling) -> None:
    """J-LIS is a recipient like any other: who is not registered gets nothing (法30条の25)."""
    telling.case.send(HERE, *telling.people(2))
    registered = telling.home.recipients_file
    text = registered.read_text("utf-8")
    registered.unlink()
    try:
        with pytest.raises(PipelineError) as error:
            telling.forward()
    finally:
        registered.write_text(text, encoding="utf-8")
    assert error.value.code is Code.JLIS_UNREGISTERED
    assert telling.names() == []


def test_the_bound_of_a_package_is_the_one_of_the_format() -> None:
    """docs/formats/jlis.md says 50,000."""
    assert MAX_UPDATES == 50_000
