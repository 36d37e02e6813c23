"""Whatever the history and however packages are cut: applied in order, the updates told give our current rows."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import psycopg
import pyarrow as pa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from juki.columns import IdentityFile
from juki.decisions import Effect
from juki.identity import plan_changes
from juki.jlis import rows_of_one_package
from juki.jlis_numbers import with_numbers
from juki.number_opening import NumberOpener
from juki.numbers import SealingKey, bound_to, unseal
from juki.order import FileMark
from juki.store.jlis_packages import JlisPackages, SealedPackage
from juki.store.jlis_updates import read_updates
from juki.store.packages import Arrival
from juki.store.provided_records import ProvidedRecords
from juki.store.roles import Duty
from juki.store.unit import open_unit
from juki.versions import Origin
from simulator.jlis import Ledger
from tasks.jlis_forming import _told
from tests.conftest import Stores
from tests.histories import History, Sent, numbered, packages
from tests.notice_tables import notices

RESIDENT = IdentityFile.RESIDENT
KEY = SealingKey("resident-number-1", b"k" * 32)
AT = datetime(2026, 4, 1, tzinfo=UTC)
TABLES = "current, history, former_code, package, outbox, jlis_package"


def apply(url: str, sequence: int, sent: Sent) -> None:
    """Apply a package, and note in the outbox what it changed."""
    package = notices(sent.rows, sender=sent.sender, first_no=sent.first_no, received_at=sent.received_at)
    mark = FileMark(f"{sent.sender}-resident-notice-{sequence:08}.p7m", 1, sent.received_at)
    with open_unit(url, RESIDENT) as unit:
        number = unit.packages.register(Arrival(sent.sender, sequence, mark, b"", sent.received_at))
        known = unit.identities.known(package)
        plan = plan_changes(package, known)
        unit.identities.apply(package, known, plan, Origin(sent.sender, number, sent.received_on), KEY)
        unit.put_in_outbox(number, int(plan.where(Effect.APPLY).sum()), sent.received_at)


def tell(url: str, ledger: Ledger, most: int) -> None:
    """Tell everything that is due in packages of at most `most` updates; nothing may be lost."""
    while True:
        with open_unit(url, RESIDENT, Duty.PROVIDER) as unit:
            register = JlisPackages(RESIDENT, unit.connection)
            due, tellable = register.due()
            if not due:
                return
            chosen = rows_of_one_package(due, most)
            found = read_updates(unit.cursor, RESIDENT, [tellable[row] for row in chosen], most + 1)
            sequence, last = register.last_numbers()
            first = found.first(most)
            assert register.told(_told(chosen, found, len(first), last), AT) == 0
            package = SealedPackage(sequence + 1, last + 1, last + len(first), 0, "", "", b"sealed", AT)
            register.add(package)
            register.delivered(package.sequence, AT)
            assert first.sealed is not None
            told = with_numbers(first.updates, first.sealed, NumberOpener(RESIDENT, lambda _: KEY))
            assert told.unopened == 0
        ledger.apply(told.updates)


def current(url: str) -> dict[str, tuple[str, ...]]:
    """What our file says of everybody, by code, with the number opened."""
    query = "SELECT resident_code, sender_code, notice_no::text, kind, name, number_sealed FROM current"
    with psycopg.connect(url) as connection:
        rows = connection.execute(query).fetchall()
    return {code: (*said, _opened(code, sealed)) for code, *said, sealed in rows}


def _opened(code: str, sealed: bytes | None) -> str:
    if sealed is None:
        return ""
    (binding,) = bound_to(RESIDENT, "individual_number", [code.encode()], KEY.key_id)
    return unseal(bytes(sealed), binding, KEY).decode()


def kept(ledger: Ledger) -> dict[str, tuple[str, ...]]:
    """What J-LIS says of everybody, in the same form."""
    rows = pa.concat_tables(ledger.told).to_pylist() if ledger.told else []
    names = ("sender_code", "notice_no", "kind", "name", "individual_number")
    return {code: tuple(rows[no - 1][name] for name in names) for code, no in ledger.newest.items()}


def what_people_are_told(url: str) -> Counter[tuple[str, bool]]:
    """Count what disclosures to everybody would say J-LIS was told of, by code and with a number or not."""
    with open_unit(url, RESIDENT, Duty.PROVIDER) as unit:
        records = ProvidedRecords(RESIDENT, unit.connection)
        query = text("SELECT resident_code FROM current UNION SELECT resident_code FROM history")
        codes = list(unit.connection.execute(query).scalars())
        return Counter((code, one.has_number) for code in codes for one in records.told_jlis([code]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(history=packages, most=st.integers(1, 6), pauses=st.sets(st.integers(0, 5)))
@example(history=[("352039", [])], most=1, pauses=set())
def test_the_updates_told_give_our_current_rows(
    module_stores: Stores, history: History, most: int, pauses: set[int]
) -> None:
    """Told between packages or all at the end, one by one or many at once: an arrow of truth."""
    url, ledger = module_stores.resident_url, Ledger(RESIDENT)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {TABLES}")  # type: ignore[arg-type]
    for sequence, sent in enumerate(numbered([one for one in history if one[1]]), start=1):
        apply(url, sequence, sent)
        if sequence in pauses:
            tell(url, ledger, most)
            assert kept(ledger) == current(url)
    tell(url, ledger, most)
    assert kept(ledger) == current(url)
    with psycopg.connect(url) as connection:
        told = connection.execute(
            "SELECT first_update_no, last_update_no FROM jlis_package ORDER BY sequence"
        ).fetchall()
    numbers = [number for first, last in told for number in range(first, last + 1)]
    assert numbers == list(range(1, ledger.last_update_no + 1))
    assert what_people_are_told(url) == Counter(
        (row["resident_code"], bool(row["individual_number"]))
        for one in ledger.told
        for row in one.to_pylist()
    )
