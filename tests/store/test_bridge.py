"""The bridge, in two real stores: one approved provision, exactly its codes, each crossing in both logs (M6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from juki import numbers as numbers_module
from juki.errors import ConfigurationError, JukiError, StoreError
from juki.home import Home
from juki.package_id import PackageId
from juki.reasons import Code
from juki.store.bridge import Approved, ResidentSide, codes_digest
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tasks.bridging import attach_numbers
from tasks.workshop import Workshop
from tests.conftest import Stores
from tests.provision_rows import FUHYO, RESIDENT, Lender, code_of, number_of, working_for

ELSEWHERE = code_of(999_999_999)
"""A code of somebody whose last address was in another prefecture."""


@pytest.fixture
def lender(home: Home, stores: Stores) -> Iterator[Lender]:
    """An installation this process works for."""
    made = Lender(home, stores)
    with working_for(made):
        yield made


def attach(provision: PackageId, codes: list[str]) -> list[bytes]:
    """Attach numbers as the flow that answers requests does."""
    return attach_numbers(Workshop.open(), provision, codes)


def refusal(provision: PackageId, codes: list[str]) -> Code:
    """Attach numbers, which is refused."""
    with pytest.raises(JukiError) as error:
        attach(provision, codes)
    return error.value.code


def crossings(lender: Lender) -> list[tuple[int, bool]]:
    """How often was crossed for each provision, and whether its approval is closed."""
    return lender.rows(
        RESIDENT, "SELECT crossings, closed_at IS NOT NULL FROM crossing ORDER BY provision_id"
    )


def test_a_crossing_builds_as_many_ciphers_for_many_people_as_for_one(
    lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no row is written by itself: a request may name a hundred thousand people."""
    built, real = list[int](), numbers_module.AESGCM

    def counted(key: bytes) -> Any:
        built.append(1)
        return real(key)

    def refuse(*_: object) -> None:
        raise AssertionError("a row by itself")

    monkeypatch.setattr(numbers_module, "AESGCM", counted)
    monkeypatch.setattr(psycopg.Copy, "write_row", refuse)
    taken = []
    for count in (1, 40):
        codes = lender.people(count)
        provision = lender.approved()
        for _ in ("crossed", "held already"):
            built.clear()
            assert all(attach(provision, codes))
            taken.append(len(built))
    assert taken[:2] == taken[2:]


def test_numbers_come_in_the_order_of_the_codes_and_nothing_where_none_is_held(lender: Lender) -> None:
    """Not found here is a normal outcome; a number on the wrong line would be somebody else's."""
    numbers = [number_of(serial) for serial in (7001, 7002, 7003)]
    one, two, three = lender.people(3, numbers=numbers)
    (blank,) = lender.people(1, numbers=[""])
    found = attach(lender.approved(), [three, ELSEWHERE, one, blank, two])
    assert [value.decode() for value in found] == [numbers[2], "", numbers[0], "", numbers[1]]


def test_code_that_was_replaced_leads_to_the_number_of_its_person(lender: Lender) -> None:
    """The fuhyo file may know an older code than the resident file."""
    (code,) = lender.people(1, numbers=[number_of(7004)])
    with psycopg.connect(lender.stores.resident_url) as connection:
        connection.execute("INSERT INTO former_code VALUES (%s, %s, '352039', 1, 1)", (ELSEWHERE, code))
    assert attach(lender.approved(), [ELSEWHERE]) == [number_of(7004).encode()]


def test_each_crossing_is_in_the_logs_of_both_stores(lender: Lender) -> None:
    """Who, for whom, on which basis, how many, and that numbers were read: never whose."""
    codes = lender.people(2)
    provision = lender.approved()
    attach(provision, [*codes, ELSEWHERE])
    for file, counts in ((RESIDENT, {"codes": 3, "numbers": 2}), (FUHYO, {"numbers": 2})):
        (entry,) = lender.entries(file, "bridge.crossed")
        said = (
            entry["provision"],
            entry["recipient"],
            entry["basis"],
            entry["counts"],
            entry["number_accessed"],
        )
        assert said == (str(provision), "zeimu", "beppyo5-1", counts, True)
        assert not any(code in str(entry) for code in codes)


def test_held_numbers_open_under_the_key_of_their_hold_and_no_other(lender: Lender) -> None:
    """What lies in the fuhyo store is of no use once the key file is gone."""
    codes = lender.people(1)
    provision = lender.approved()
    (number,) = attach(provision, codes)
    ((sealed,),) = lender.rows(FUHYO, "SELECT number_sealed FROM held_number")
    assert number not in bytes(sealed)
    assert bytes(sealed)[2 : 2 + sealed[1]] == f"hold-{provision}".encode()
    custody = lender.custody()
    custody.keys.destroy(provision)
    assert refusal(provision, codes) is Code.PROVISION_PURGED
    assert not custody.keys.exists(provision)


def test_attaching_again_gives_the_same_and_does_not_cross_again(lender: Lender) -> None:
    """A flow that was killed after the crossing goes on where it was."""
    codes = lender.people(2)
    provision = lender.approved()
    first = attach(provision, codes)
    assert attach(provision, codes) == first
    assert crossings(lender) == [(1, False)]
    assert (
        len(lender.entries(RESIDENT, "bridge.crossed")) == len(lender.entries(FUHYO, "bridge.crossed")) == 1
    )


def test_hold_is_open_before_anything_is_lent_out(lender: Lender) -> None:
    """A flow that never comes back after the crossing leaves nothing that no purge would find."""
    provision = lender.approved()
    attach(provision, lender.people(1))
    hold = lender.hold(provision)
    assert (hold.due_at - hold.held_at, hold.held_at) == (lender.custody().terms.hold, lender.at)


# -- refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["received", "delivered", "lapsed", "refused"])
def test_provision_that_does_not_stand_approved_gets_no_numbers(lender: Lender, state: str) -> None:
    """The law was asked before anybody crosses, and is not asked any more afterwards."""
    code = "provision.purged" if state == "refused" else None
    provision = lender.approved(state=state, code=code)
    assert refusal(provision, lender.people(1)) is Code.BRIDGE_NOT_APPROVED
    assert crossings(lender) == []


def test_provision_granted_without_numbers_gets_none(lender: Lender) -> None:
    """番号法9条 is decided with the request, not at the bridge."""
    provision = lender.approved(with_number=False)
    assert refusal(provision, lender.people(1)) is Code.BRIDGE_NOT_APPROVED


def test_resident_provision_has_no_business_at_the_bridge(lender: Lender) -> None:
    """Its numbers are in its own store; F1 and R1 are not the same provision."""
    lender.approved()
    assert refusal(lender.approved(RESIDENT), lender.people(1)) is Code.BRIDGE_NOT_APPROVED


def test_other_codes_than_approved_are_refused(lender: Lender) -> None:
    """One approval, one list of people: no more, no fewer, no other order."""
    one, two, three = lender.people(3)
    provision = lender.approved()
    attach(provision, [one, two])
    for codes in ([one, three], [one], [one, two, three], [two, one], []):
        assert refusal(provision, codes) is Code.BRIDGE_OTHER_CODES
    assert crossings(lender) == [(1, False)]


def test_nobody_else_is_revived_by_a_hold_that_has_come_to_its_end(lender: Lender) -> None:
    """Between its end and its purge a hold gives nothing out any more."""
    codes = lender.people(1)
    provision = lender.approved()
    attach(provision, codes)
    lender.pass_time(hours=72)
    with working_for(lender):
        assert refusal(provision, codes) is Code.HOLD_TERM_REACHED


# -- what the database itself refuses -----------------------------------------------------------------------------


def cross(lender: Lender, provision_id: int, codes: list[str], duty: Duty = Duty.BRIDGE) -> StoreError:
    """Call the function of the database without a look at what Python would say, and without an entry."""
    with pytest.raises(StoreError) as error, open_unit(lender.stores.resident_url, RESIDENT, duty) as unit:
        ResidentSide(unit.connection).cross(provision_id, codes)
    assert error.value.__cause__ is None and error.value.__context__ is None
    return error.value


def approve(lender: Lender, codes: list[str]) -> None:
    """Write an approval for provision F1."""
    with open_unit(lender.stores.resident_url, RESIDENT, Duty.PROVIDER) as unit:
        side = ResidentSide(unit.connection)
        side.approve(Approved(1, "zeimu", "beppyo5-1", "2026-06-01"), codes, lender.at)


def test_crossing_without_an_approval_is_refused_by_the_database(lender: Lender) -> None:
    """JB001: also for the role of the bridge itself, whatever program calls."""
    codes = lender.people(1)
    assert cross(lender, 1, codes).code is Code.BRIDGE_NOT_APPROVED


def test_crossing_after_the_approval_is_closed_is_refused_by_the_database(lender: Lender) -> None:
    """An erased provision is not revived."""
    codes = lender.people(1)
    approve(lender, codes)
    with open_unit(lender.stores.resident_url, RESIDENT, Duty.PROVIDER) as unit:
        unit.holds.close_crossings([1], lender.at)
    assert cross(lender, 1, codes).code is Code.BRIDGE_NOT_APPROVED


def test_crossing_with_other_codes_is_refused_by_the_database(lender: Lender) -> None:
    """JB002: an approval can not be used to fish for somebody else."""
    one, two = lender.people(2)
    approve(lender, [one])
    for codes in ([two], [one, two], []):
        assert cross(lender, 1, codes).code is Code.BRIDGE_OTHER_CODES


def test_codes_can_not_be_cut_otherwise_to_the_same_digest(lender: Lender) -> None:
    """One text with a comma in it digests like two codes; the count tells them apart."""
    one, two = lender.people(2)
    approve(lender, [one, two])
    assert codes_digest([one, two]) == codes_digest([f"{one},{two}"])
    assert cross(lender, 1, [f"{one},{two}"]).code is Code.BRIDGE_OTHER_CODES


def test_crossing_without_an_entry_is_undone_by_the_database(lender: Lender) -> None:
    """JB003: no log, no act; the count of crossings is rolled back with it."""
    codes = lender.people(1)
    approve(lender, codes)
    assert cross(lender, 1, codes).code is Code.BRIDGE_UNLOGGED
    assert crossings(lender) == [(0, False)]


def test_entry_about_another_provision_does_not_cover_a_crossing(lender: Lender) -> None:
    """F1 is not F11."""
    codes = lender.people(1)
    provision = next(one for one in iter(lender.approved, None) if one.number == 2)
    attach(provision, codes)
    approve(lender, codes)
    assert cross(lender, 1, codes).code is Code.BRIDGE_UNLOGGED


def test_entry_of_a_crossing_is_found_by_its_index_and_not_by_reading_the_log(lender: Lender) -> None:
    """The very question of the trigger, over a log of many crossings: a log of years must not slow the bridge."""
    with psycopg.connect(lender.stores.resident_url) as connection:
        connection.execute(
            "INSERT INTO journal (entry_no, entry, leaf_hash, frontier)"
            """ SELECT n, '{"action":"bridge.crossed","provision":"F' || n || '"}', '', '' """
            "FROM generate_series(1, 5000) n"
        )
        connection.execute("ANALYZE journal")
        query = "SELECT prosrc FROM pg_proc WHERE proname = 'refuse_unlogged_crossing'"
        found = connection.execute(query).fetchone()
        assert found is not None
        (asked,) = re.findall(r"NOT EXISTS \(\s*(SELECT .*?)\s*\) THEN", found[0], re.DOTALL)
        plan = connection.execute("EXPLAIN " + asked.replace("NEW.provision_id", "4711::bigint")).fetchall()
    assert "journal_crossed_idx" in str(plan)
    assert "Seq Scan" not in str(plan)


@pytest.mark.parametrize("duty", [duty for duty in Duty if duty is not Duty.BRIDGE])
def test_every_other_duty_is_refused_by_the_database(lender: Lender, duty: Duty) -> None:
    """Not by a check in Python: the right itself is missing, approval or not."""
    codes = lender.people(1)
    approve(lender, codes)
    assert cross(lender, 1, codes, duty).code is Code.STORE_REFUSED


def test_bridge_can_not_write_its_own_approval(lender: Lender) -> None:
    """Whoever crosses does not decide; whoever decides does not cross."""
    with (
        pytest.raises(StoreError) as error,
        open_unit(lender.stores.resident_url, RESIDENT, Duty.BRIDGE) as unit,
    ):
        side = ResidentSide(unit.connection)
        side.approve(Approved(1, "zeimu", "beppyo5-1", ""), [ELSEWHERE], lender.at)
    assert error.value.code is Code.STORE_REFUSED


def test_lost_key_of_the_resident_store_stops_the_crossing(lender: Lender) -> None:
    """Nothing is lent out as if no number were held."""
    codes = lender.people(1)
    provision = lender.approved()
    (key,) = lender.home.keys.glob("resident-number-1.key")
    key.unlink()
    with pytest.raises(ConfigurationError) as error:
        attach(provision, codes)
    assert error.value.code is Code.KEY_MISSING
    assert lender.rows(FUHYO, "SELECT * FROM held_number") == []
