"""The identity file in a real PostgreSQL: bytes as received, one holder per number, races without loss."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import numpy as np
import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from juki.columns import IdentityFile
from juki.decisions import Effect
from juki.errors import StoreError
from juki.identity import plan_changes
from juki.known import Known
from juki.notices import Reason
from juki.numbers import SealingKey, bound_to, unseal
from juki.reasons import Code
from juki.store.bulk import as_bytea, copy_in, copy_out
from juki.store.unit import Unit, open_unit
from juki.versions import Origin
from tests.conftest import Stores
from tests.notice_tables import ELSEWHERE, HERE, notice, notices

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
KEY = SealingKey("resident-number-1", b"k" * 32)
DAY, NEXT_DAY = date(2026, 3, 25), date(2026, 3, 26)
N1, N2 = "123456789018", "023456789013"
MOVED_OUT = {"kind": "deletion", "reason": Reason.MOVED_OUT.value}
NEW_NUMBER = {"kind": "correction", "reason": Reason.NUMBER_CHANGED_ON_REQUEST.value}


def apply(
    unit: Unit, *rows: dict[str, str], sender: str = HERE, first_no: int = 1, day: date = DAY
) -> list[int]:
    """Judge and write a package in an open unit; return its effects."""
    package = notices(rows, unit.file, sender, first_no)
    known = unit.identities.known(package)
    plan = plan_changes(package, known)
    unit.identities.apply(package, known, plan, Origin(sender, first_no, day), KEY)
    effects: list[int] = plan.effects.tolist()
    return effects


def put(stores: Stores, *rows: dict[str, str], file: IdentityFile = RESIDENT, **where: object) -> list[int]:
    """Apply a package in a transaction of its own."""
    with open_unit(stores.url(file), file) as unit:
        return apply(unit, *rows, **where)  # type: ignore[arg-type]


def rows_of(stores: Stores, query: str, file: IdentityFile = RESIDENT) -> list[tuple[object, ...]]:
    """Ask the database directly."""
    with psycopg.connect(stores.url(file)) as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


def test_a_superseded_version_moves_to_history_with_its_clock(stores: Stores) -> None:
    """The newest row is updated in place; the old one names what superseded it and when it may be erased."""
    put(stores, notice())
    put(stores, notice(kind="correction", reason=Reason.MOVED_WITHIN.value), first_no=2, day=NEXT_DAY)
    assert rows_of(stores, "SELECT notice_no, expires_on FROM current") == [(2, None)]
    columns = "superseded_on, superseded_by_sender_code, superseded_by_notice_no, expires_on"
    query = f"SELECT notice_no, {columns} FROM history"
    assert rows_of(stores, query) == [(1, NEXT_DAY, HERE, 2, date(2176, 3, 26))]


def test_a_deletion_counts_from_its_own_notice_also_when_superseded(stores: Stores) -> None:
    """施行令30条の6二号: 150 years from the notice of the deletion, whatever comes after."""
    put(stores, notice(), notice(**MOVED_OUT))
    assert rows_of(stores, "SELECT kind, expires_on FROM current") == [("deletion", date(2176, 3, 25))]
    put(stores, notice(), sender=ELSEWHERE, day=NEXT_DAY)
    found = rows_of(stores, "SELECT kind, superseded_on, expires_on FROM history ORDER BY notice_no")
    assert found == [("entry", DAY, date(2176, 3, 25)), ("deletion", NEXT_DAY, date(2176, 3, 25))]


def test_a_late_deletion_is_history_behind_the_version_that_stands(stores: Stores) -> None:
    """It names the notice that is newer, although that came first."""
    put(stores, notice())
    put(stores, notice(reason=Reason.MOVED_IN.value), sender=ELSEWHERE, first_no=7)
    assert put(stores, notice(**MOVED_OUT), first_no=2, day=NEXT_DAY) == [Effect.RECORD]
    assert rows_of(stores, "SELECT sender_code, kind FROM current") == [(ELSEWHERE, "entry")]
    columns = "superseded_on, superseded_by_sender_code, superseded_by_notice_no"
    query = f"SELECT {columns} FROM history WHERE kind = 'deletion'"
    assert rows_of(stores, query) == [(NEXT_DAY, ELSEWHERE, 7)]


def test_a_chain_of_codes_points_at_the_newest(stores: Stores) -> None:
    """A became B became C: both old codes name C."""
    change = {"kind": "correction", "reason": Reason.CODE_CHANGED_ON_REQUEST.value}
    put(stores, notice(), notice(**change, resident_code="B", previous_resident_code="A"))
    put(stores, notice(**change, resident_code="C", previous_resident_code="B"), first_no=3)
    assert sorted(rows_of(stores, "SELECT resident_code, new_code FROM former_code")) == [
        ("A", "C"),
        ("B", "C"),
    ]
    assert rows_of(stores, "SELECT resident_code FROM current") == [("C",)]


def test_a_number_is_stored_sealed_and_bound_to_its_person(stores: Stores) -> None:
    """The ciphertext opens for its own code only, and the number is nowhere in the row."""
    put(stores, notice(individual_number=N1))
    ((sealed, row),) = rows_of(stores, "SELECT number_sealed, current::text FROM current")
    assert isinstance(sealed, bytes)
    (own,), (other,) = (bound_to(RESIDENT, "individual_number", [code], KEY.key_id) for code in (b"A", b"B"))
    assert unseal(sealed, own, KEY) == N1.encode()
    with pytest.raises(StoreError):
        unseal(sealed, other, KEY)
    assert N1 not in str(row)
    assert N1.encode().hex() not in str(row)


def test_a_number_may_be_given_up_and_taken_in_one_package(stores: Stores) -> None:
    """A erased with N1, B takes N1: the unique index does not stand in the way of the right order."""
    put(stores, notice(individual_number=N1), notice(resident_code="B", individual_number=N2))
    effects = put(
        stores,
        notice(**MOVED_OUT, individual_number=N1),
        notice(**NEW_NUMBER, resident_code="B", individual_number=N1),
        first_no=3,
    )
    assert effects == [Effect.APPLY, Effect.APPLY]


def test_a_number_an_erased_person_had_is_asked_about_again(stores: Stores) -> None:
    """P erased with N, Q stands with N: P's entry is refused with a code, not a conflict for ever."""
    put(stores, notice(individual_number=N1), notice(**MOVED_OUT, individual_number=N1))
    put(stores, notice(resident_code="Q", individual_number=N1), sender=ELSEWHERE)
    assert put(stores, notice(individual_number=N1, name="山口　花"), first_no=3) == [Effect.REJECT]


def test_a_long_chain_of_codes_is_followed_in_one_pass(stores: Stores) -> None:
    """A package may carry nothing but code corrections of one person."""
    change = {"kind": "correction", "reason": Reason.CODE_CHANGED_ON_REQUEST.value}
    length = 300
    chain = [
        notice(**change, resident_code=f"K{n + 1}", previous_resident_code=f"K{n}") for n in range(length)
    ]
    assert set(put(stores, notice(resident_code="K0"), *chain)) == {Effect.APPLY}
    assert rows_of(stores, "SELECT DISTINCT new_code FROM former_code") == [(f"K{length}",)]
    put(stores, notice(**change, resident_code="L", previous_resident_code=f"K{length}"), first_no=length + 2)
    assert rows_of(stores, "SELECT DISTINCT new_code FROM former_code") == [("L",)]


def test_an_overtaken_entry_is_known_by_the_entry_that_began_the_stay(stores: Stores) -> None:
    """A→B→A with a correction after the return; B's notices come last and are history."""
    at = "2026-03-{}T09:00:00+09:00".format
    back = notice(reason=Reason.MOVED_IN.value, notified_at=at(28))
    moved = notice(kind="correction", reason=Reason.MOVED_WITHIN.value, notified_at=at(29))
    put(stores, notice(notified_at=at(20)), notice(**MOVED_OUT, notified_at=at(24)), back, moved)
    late = notice(reason=Reason.MOVED_IN.value, notified_at=at(24)), notice(**MOVED_OUT, notified_at=at(27))
    assert put(stores, *late, sender=ELSEWHERE) == [Effect.RECORD, Effect.RECORD]
    assert rows_of(stores, "SELECT sender_code, kind FROM current") == [(HERE, "correction")]


def test_the_database_itself_refuses_a_second_standing_holder(stores: Stores) -> None:
    """Were the judging wrong, the index would still stand; what is told carries no value."""
    put(stores, notice(individual_number=N1))
    package = notices([notice(resident_code="B", individual_number=N1, name="目印　太郎")], first_no=2)
    nothing = Known.nothing()
    with pytest.raises(StoreError) as refused, open_unit(stores.resident_url, RESIDENT) as unit:
        unit.identities.apply(package, nothing, plan_changes(package, nothing), Origin(HERE, 2, DAY), KEY)
    assert refused.value.code is Code.STORE_CONFLICT
    assert refused.value.is_transient
    assert "目印" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_version_that_is_no_longer_the_newest_is_not_superseded(stores: Stores) -> None:
    """What was judged has changed meanwhile: nothing is written, and trying again may help."""
    put(stores, notice())
    late = notices([notice(**MOVED_OUT)], first_no=2)
    with open_unit(stores.resident_url, RESIDENT) as unit:
        known = unit.identities.known(late)
    put(stores, notice(kind="correction", reason=Reason.MOVED_WITHIN.value), first_no=2)
    with pytest.raises(StoreError) as refused, open_unit(stores.resident_url, RESIDENT) as unit:
        unit.identities.apply(late, known, plan_changes(late, known), Origin(HERE, 3, DAY), KEY)
    assert (refused.value.code, refused.value.is_transient) == (Code.STORE_CONFLICT, True)
    assert rows_of(stores, "SELECT kind FROM current") == [("correction",)]


def test_two_channels_moving_one_person_at_once_lose_nothing(stores: Stores) -> None:
    """Deletion here and entry there in two transactions at the same time: one is judged again."""
    put(stores, *(notice(resident_code=f"P{n}") for n in range(20)))
    start = Barrier(2)

    def channel(sender: str, fields: dict[str, str], first_no: int) -> int:
        rows = [notice(resident_code=f"P{n}") | fields for n in range(20)]
        for attempt in range(1, 6):
            try:
                with open_unit(stores.resident_url, RESIDENT) as unit:
                    if attempt == 1:
                        start.wait()
                    apply(unit, *rows, sender=sender, first_no=first_no)
                return attempt
            except StoreError as error:
                assert error.is_transient
        raise AssertionError("never applied")

    with ThreadPoolExecutor(2) as pool:
        deletion = pool.submit(channel, HERE, MOVED_OUT, 100)
        entry = pool.submit(channel, ELSEWHERE, {"reason": Reason.MOVED_IN.value}, 1)
        assert {deletion.result(), entry.result()} <= {1, 2, 3}
    assert rows_of(stores, "SELECT DISTINCT sender_code, kind FROM current") == [(ELSEWHERE, "entry")]
    assert rows_of(stores, "SELECT count(*) FROM history") == [(40,)]


NASTY = [
    "\\N",
    "\\x41",
    "NULL",
    '"',
    '""',
    ",",
    " 前後に空白 ",
    "葛\U000e0100飾",
    "𠮷田",
    "﨑",
    "が",
    "か\u3099",
    "'; --",
    "%s",
]


def test_texts_are_stored_byte_for_byte(stores: Stores) -> None:
    """No normalisation, no escape taken for something else, on new rows and on updated ones."""
    put(stores, *(notice(resident_code=f"N{n}", name=name) for n, name in enumerate(NASTY)))
    stored = rows_of(stores, "SELECT name FROM current ORDER BY notice_no")
    assert [name for (name,) in stored] == NASTY
    change = {"kind": "correction", "reason": Reason.CORRECTED_EX_OFFICIO.value}
    put(
        stores,
        *(notice(**change, resident_code=f"N{n}", name=name * 2) for n, name in enumerate(NASTY)),
        first_no=50,
    )
    stored = rows_of(stores, "SELECT name FROM current ORDER BY notice_no")
    assert [name for (name,) in stored] == [name * 2 for name in NASTY]


def test_what_is_not_present_is_null_in_both_files(stores: Stores) -> None:
    """An absent text is NULL, a fuhyo record of somebody abroad has no address."""
    put(stores, notice(name="", sex=""))
    assert rows_of(stores, "SELECT name, sex, alias, number_sealed FROM current") == [
        (None, None, None, None)
    ]
    abroad = notice(reason="", is_abroad="1", municipality_code="", address="")
    put(stores, abroad, file=FUHYO)
    assert rows_of(stores, "SELECT is_abroad, municipality_code, address FROM current", FUHYO) == [
        (True, None, None)
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(
        st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8), min_size=1, max_size=5
    )
)
def test_copy_in_and_out_is_the_identity(module_stores: Stores, texts: list[str]) -> None:
    """Any text, any bytes, present or not."""
    octets = np.frombuffer(bytes(range(16)) * len(texts), dtype="V16")
    table = pa.table({"name": texts, "digest": as_bytea(octets)})
    with open_unit(module_stores.resident_url, RESIDENT) as unit:
        cursor = unit.cursor
        cursor.execute("CREATE TEMPORARY TABLE copied (place serial, name text, digest bytea) ON COMMIT DROP")
        assert copy_in(cursor, "copied", table) == len(texts)
        schema = pa.schema([("name", pa.string()), ("digest", pa.binary(16))])
        back = copy_out(cursor, "SELECT name, encode(digest, 'hex') FROM copied ORDER BY place", schema)
    assert back.column("name").to_pylist() == texts
    assert back.column("digest").to_pylist() == [bytes(range(16))] * len(texts)
