"""What a comparison found, kept and decided about in a real PostgreSQL: no decision outlives what it was about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import psycopg
import pyarrow as pa
import pytest

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.differences import DifferenceKind, DifferenceState, Mode
from juki.errors import JukiError
from juki.found import FOUND_SCHEMA, Found
from juki.numbers import SealingKey
from juki.reasons import Code
from juki.store.difference_notes import Noted
from juki.store.difference_records import WantedDifferences
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tests.conftest import Stores
from tests.notice_tables import HERE, notice

RESIDENT = IdentityFile.RESIDENT
KEY, NEXT_KEY = (SealingKey(f"resident-quarantine-{n}", bytes([n]) * 32) for n in (1, 2))
AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
MARK = "山口　標花"
MISSING, DIFFERS, EXTRA, MOVED = "missing", "differs", "extra", "moved"
OPEN, PROPOSED, APPROVED, ACCEPTED, SETTLED = "open", "proposed", "approved", "accepted", "settled"

Row = dict[str, object]


def difference(code: str, kind: str = DIFFERS, columns: Iterable[str] = (), **said: object) -> Row:
    """One finding; a `differs` is in the name unless said otherwise."""
    names = list(columns) or (["name"] if kind == DIFFERS else [])
    return {"resident_code": code, "kind": kind, "columns": names, "held_by": None, "package_id": 1} | said


def found(*rows: Row, name: str = MARK) -> Found:
    """Lay findings out as a comparison does, with the municipality's record where it has one."""
    table = pa.Table.from_pylist(sorted(rows, key=lambda row: str(row["resident_code"])), FOUND_SCHEMA)
    theirs = [str(row["resident_code"]) for row in rows if row["kind"] in (MISSING, DIFFERS)]
    said = [notice(resident_code=code, name=name) for code in sorted(theirs)]
    records = pa.table(
        {
            column: pa.array([one.get(column, "") for one in said], pa.string())
            for column in RECORD_COLUMNS[RESIDENT]
        }
    )
    return Found(table, records, 10, 10, bytes(32))


def note(
    stores: Stores, number: int, *rows: Row, watermark: int = 0, name: str = MARK, key: SealingKey = KEY,
    most_new: int = 10_000, municipality: str = HERE,
) -> Noted:  # fmt: skip
    """Keep the outcome of the comparison of that number, a day after the one before."""
    with open_unit(stores.resident_url, RESIDENT) as unit:
        return unit.differences.note(
            number, municipality, watermark or 10 * number, AT + timedelta(days=number), found(*rows, name=name),
            key, most_new,
        )  # fmt: skip


def states(stores: Stores) -> dict[str, str]:
    """Say the state of each person's newest difference."""
    return dict(rows_of(stores, "SELECT resident_code, state FROM difference ORDER BY difference_id"))


def rows_of(stores: Stores, query: str) -> list[tuple]:  # type: ignore[type-arg]
    """Ask the database directly."""
    with psycopg.connect(stores.resident_url) as connection:
        return connection.execute(query).fetchall()  # type: ignore[arg-type]


def decide(stores: Stores, what: str, *codes: str) -> int:
    """Let an administrator approve or accept the open differences of some people."""
    ids = [
        n
        for n, code in rows_of(stores, "SELECT difference_id, resident_code FROM difference")
        if code in codes
    ]
    with open_unit(stores.resident_url, RESIDENT, Duty.ADMINISTRATOR) as unit:
        if what == APPROVED:
            return unit.differences.approve(ids, "local-administrator:a", AT)
        return unit.differences.accept(ids, "local-administrator:a", "市町村に確認済み", AT)


def to_repair(stores: Stores, mode: Mode = Mode.REPAIR, key: SealingKey = KEY) -> list[str]:
    """Say of whom something is to be carried out."""
    with open_unit(stores.resident_url, RESIDENT) as unit:
        return [
            one.resident_code for one in unit.differences.to_repair(HERE, mode, lambda _: key).differences
        ]


def test_what_is_found_is_kept_once_and_renewed(stores: Stores) -> None:
    """First seen stays, last seen and watermark follow; what the municipality says is ciphertext."""
    assert note(stores, 1, difference("A"), difference("B", MISSING)) == Noted(0, 2, 0, 0, 2)
    assert note(stores, 2, difference("A", columns=["address"]), difference("B", MISSING)) == Noted(
        2, 0, 0, 0, 2
    )
    kept = rows_of(
        stores,
        "SELECT resident_code, columns, watermark, first_reconciliation_id, last_reconciliation_id,"
        " last_seen_at - first_seen_at FROM difference ORDER BY 1",
    )
    assert kept == [("A", ["address"], 20, 1, 2, timedelta(days=1)), ("B", [], 20, 1, 2, timedelta(days=1))]
    assert MARK not in str(rows_of(stores, "SELECT difference::text FROM difference"))
    assert MARK.encode().hex() not in str(rows_of(stores, "SELECT difference::text FROM difference"))


def test_what_is_not_found_any_more_is_settled_and_seen_again_is_new(stores: Stores) -> None:
    """By a comparison where no notice came; another comparison of another municipality settles nothing here."""
    note(stores, 1, difference("A"), difference("B"))
    note(stores, 2, difference("C"), municipality="352012")
    assert note(stores, 3, difference("B")) == Noted(1, 0, 0, 1, 1)
    assert states(stores) == {"A": SETTLED, "B": OPEN, "C": OPEN}
    assert note(stores, 4, difference("A"), difference("B")) == Noted(1, 1, 0, 0, 2)
    assert rows_of(
        stores, "SELECT state, settled_by FROM difference WHERE resident_code = 'A' ORDER BY 1"
    ) == [
        (OPEN, None),
        (SETTLED, "comparison"),
    ]
    assert note(stores, 5) == Noted(0, 0, 0, 2)


def test_a_difference_that_was_repaired_is_settled_by_the_repair(stores: Stores) -> None:
    """And one that comes again in spite of its repair is open, its approval used up."""
    note(stores, 1, difference("A"), difference("B"))
    decide(stores, APPROVED, "A", "B")
    with open_unit(stores.resident_url, RESIDENT) as unit:
        ids = [one.difference_id for one in unit.differences.listed(WantedDifferences())]
        unit.differences.repaired(ids, 77, 5)
    assert to_repair(stores) == []
    note(stores, 2, difference("B"))
    assert rows_of(
        stores, "SELECT resident_code, state, settled_by, repair_package_id FROM difference ORDER BY 1"
    ) == [
        ("A", SETTLED, "repair", 77),
        ("B", OPEN, None, None),
    ]
    assert to_repair(stores) == ["B"]


def test_no_more_new_findings_are_kept_than_one_run_may(stores: Stores) -> None:
    """A truncated snapshot makes everybody extra: the count says the rest, and nobody is settled by it."""
    note(stores, 1, difference("E"))
    people = [difference(code, EXTRA) for code in "ABCD"]
    assert note(stores, 2, *people, difference("E"), most_new=3) == Noted(1, 3, 1, 0, 5)
    assert sorted(states(stores)) == ["A", "B", "C", "E"]
    assert note(stores, 3, *people, difference("E"), most_new=3) == Noted(4, 1, 0, 0, 5)


@pytest.mark.parametrize("state", [PROPOSED, APPROVED, ACCEPTED])
@pytest.mark.parametrize(
    ("change", "is_kept"),
    [
        ("nothing", True), ("columns", False), ("record", False), ("holder", False), ("key", False),
        ("tampered", False),
    ],
)  # fmt: skip
def test_what_was_decided_holds_for_what_was_seen_only(
    stores: Stores, state: str, change: str, is_kept: bool
) -> None:
    """An approval of one content must not carry out another; what can not be compared is decided anew."""
    note(stores, 1, difference("A"))
    if state == PROPOSED:
        with open_unit(stores.resident_url, RESIDENT) as unit:
            assert unit.differences.propose(HERE, "test") == 1
    else:
        decide(stores, state, "A")
    if change == "tampered":
        with psycopg.connect(stores.resident_url) as connection:
            connection.execute("UPDATE difference SET record_sealed = record_sealed || '\\x00'")
    row = difference(
        "A",
        columns=["name", "address"] if change == "columns" else ["name"],
        held_by="352012" if change == "holder" else None,
    )
    name = "山口　別人" if change == "record" else MARK
    note(stores, 2, row, name=name, key=NEXT_KEY if change == "key" else KEY)
    assert states(stores) == {"A": state if is_kept else OPEN}
    assert rows_of(stores, "SELECT approved_by IS NOT NULL FROM difference") == [
        (is_kept and state != PROPOSED,)
    ]


def test_an_approval_to_retire_somebody_is_of_the_version_that_was_looked_at(stores: Stores) -> None:
    """A later notice about the person makes it another version, and another question."""
    note(stores, 1, difference("A", EXTRA, package_id=7), difference("B", EXTRA, package_id=7))
    decide(stores, APPROVED, "A", "B")
    note(stores, 2, difference("A", EXTRA, package_id=7), difference("B", EXTRA, package_id=8))
    assert states(stores) == {"A": APPROVED, "B": OPEN}


def test_only_what_needs_no_operator_is_carried_out_without_one(stores: Stores) -> None:
    """Retiring a person, and taking one from another municipality, waits for an approval; reporting does nothing."""
    rows = (
        difference("A"), difference("B", MISSING), difference("C", EXTRA), difference("D", MISSING, held_by="352012"),
        difference("E", MOVED, held_by="352012"), difference("F"),
    )  # fmt: skip
    note(stores, 1, *rows)
    decide(stores, ACCEPTED, "F")
    assert to_repair(stores) == ["A", "B"]
    decide(stores, APPROVED, "C", "D")
    assert to_repair(stores) == ["A", "B", "C", "D"]
    assert to_repair(stores, Mode.PROPOSE) == to_repair(stores, Mode.REPORT) == []


def test_what_is_to_be_repaired_comes_with_what_the_municipality_says(stores: Stores) -> None:
    """One record for each but the extra ones; one that was tampered with is named and left out."""
    note(stores, 1, difference("A"), difference("B", MISSING), difference("C", EXTRA), difference("D"))
    decide(stores, APPROVED, "C")
    with psycopg.connect(stores.resident_url) as connection:
        connection.execute(
            "UPDATE difference SET record_sealed = (SELECT record_sealed FROM difference WHERE resident_code = 'A')"
            " WHERE resident_code = 'D'"
        )
    with open_unit(stores.resident_url, RESIDENT) as unit:
        due = unit.differences.to_repair(HERE, Mode.REPAIR, lambda _: KEY)
    assert [one.resident_code for one in due.differences] == ["A", "B", "C"]
    assert due.records.column("resident_code").to_pylist() == ["A", "B"]
    assert due.records.column("name").to_pylist() == [MARK] * 2
    assert len(due.unreadable) == 1
    assert MARK not in repr(due)
    assert "'A'" not in repr(due)


def test_only_what_may_become_so_is_approved_or_accepted(stores: Stores) -> None:
    """Refused by code and as a whole; asked twice, the second time changes nothing."""
    note(stores, 1, difference("A"), difference("B"), difference("M", MOVED, held_by="352012"))
    note(stores, 2, difference("B"), difference("M", MOVED, held_by="352012"))
    refusals = {("A", APPROVED): Code.DIFFERENCE_STATE, ("M", APPROVED): Code.DIFFERENCE_NO_REPAIR}
    for (code, what), expected in refusals.items():
        with pytest.raises(JukiError) as refused:
            decide(stores, what, code, "B")
        assert refused.value.code is expected
    assert states(stores) == {"A": SETTLED, "B": OPEN, "M": OPEN}
    assert (decide(stores, APPROVED, "B"), decide(stores, APPROVED, "B")) == (1, 0)
    assert decide(stores, ACCEPTED, "B", "M") == 2
    with pytest.raises(JukiError) as refused:
        decide(stores, APPROVED, "B")
    assert refused.value.code is Code.DIFFERENCE_STATE
    with (
        open_unit(stores.resident_url, RESIDENT, Duty.ADMINISTRATOR) as unit,
        pytest.raises(JukiError) as refused,
    ):
        unit.differences.approve([999], "local-administrator:a", AT)
    assert refused.value.code is Code.DIFFERENCE_UNKNOWN


def test_what_was_repaired_is_not_approved_again(stores: Stores) -> None:
    """It waits for the comparison that settles it; an approval now would be of something else."""
    note(stores, 1, difference("A"))
    with open_unit(stores.resident_url, RESIDENT) as unit:
        unit.differences.repaired([rows_of(stores, "SELECT difference_id FROM difference")[0][0]], 77, 5)
        assert unit.differences.propose(HERE, "test") == 0
    with pytest.raises(JukiError) as refused:
        decide(stores, APPROVED, "A")
    assert refused.value.code is Code.DIFFERENCE_STATE


def test_what_may_not_be_repaired_is_not_proposed(stores: Stores) -> None:
    """`extra` would retire a person: that is for an operator to think of."""
    note(
        stores,
        1,
        *(difference(kind.value[0].upper(), kind.value) for kind in DifferenceKind if kind != MISSING),
    )
    note(stores, 2, difference("W", MISSING), municipality="352012")
    with open_unit(stores.resident_url, RESIDENT) as unit:
        assert unit.differences.propose(HERE, "test") == 1
    proposed = rows_of(stores, "SELECT kind, municipality_code FROM difference WHERE state = 'proposed'")
    assert proposed == [(DIFFERS, HERE)]


def test_a_reader_sees_differences_and_never_whose_they_are(stores: Stores) -> None:
    """Numbers, kinds, columns and states; a refusal is shown with its code until a repair goes through."""
    note(stores, 1, difference("A"), difference("B", EXTRA))
    with open_unit(stores.resident_url, RESIDENT) as unit:
        ids = [one.difference_id for one in unit.differences.listed(WantedDifferences())]
        unit.differences.refused({ids[0]: Code.LOGIC_NUMBER_IN_USE, ids[1]: Code.REPAIR_OVERTAKEN})
    with open_unit(stores.resident_url, RESIDENT, Duty.READER) as unit:
        first, second = unit.differences.listed(WantedDifferences(HERE, is_open=True))
        only = unit.differences.listed(
            WantedDifferences(kind=DifferenceKind.EXTRA, state=DifferenceState.OPEN, limit=1)
        )
        counts = unit.differences.counts(HERE)
        again = unit.differences.by_id(first.difference_id)
        nobody = unit.differences.by_id(999)
    assert (first.kind, first.columns, first.code) == (
        DifferenceKind.DIFFERS,
        ("name",),
        Code.LOGIC_NUMBER_IN_USE,
    )
    assert (only, again, nobody) == ([second], first, None)
    assert counts == {
        (DifferenceKind.DIFFERS, DifferenceState.OPEN): 1,
        (DifferenceKind.EXTRA, DifferenceState.OPEN): 1,
    }
    assert "'A'" not in repr(first)
    with open_unit(stores.resident_url, RESIDENT) as unit:
        unit.differences.repaired([first.difference_id], 77, 5)
        repaired = unit.differences.by_id(first.difference_id)
    assert repaired is not None
    assert (repaired.code, repaired.repair_package_id, repaired.entry_no) == (None, 77, 5)


def test_a_snapshot_from_before_a_repair_is_not_noted(stores: Stores) -> None:
    """It would find the repair to be a difference and take it back; as of the same notice it confirms the repair."""
    note(stores, 1, difference("A"), watermark=30)
    with psycopg.connect(stores.resident_url) as connection:
        connection.execute(
            "INSERT INTO package (municipality_code, sequence, file_name, file_bytes, file_sha256,"
            " remote_modified_at, state, received_at, last_notice_no, kind)"
            " VALUES ('352039', 1, 'r', 1, '', now(), 'applied', now(), 30, 'repair')"
        )
    with pytest.raises(JukiError) as refused:
        note(stores, 2, difference("A"), watermark=29)
    assert refused.value.code is Code.RECONCILIATION_STALE
    assert note(stores, 3, watermark=30) == Noted(0, 0, 0, 1)
    assert note(stores, 4, watermark=1, municipality="352012") == Noted(0, 0, 0, 0)
