"""Corruptions planted behind our back, cells that imitate the canonical form, and what happens meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pyarrow as pa
import pytest

from juki.canonical import RANGE_ROWS
from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.errors import ContractError, StoreError
from juki.notices import Reason
from juki.reasons import Code
from juki.store.comparison import compare
from juki.store.unit import open_unit
from tests.conftest import Stores
from tests.histories import Row, Sent
from tests.notice_tables import ELSEWHERE, HERE, INDEX_KEY, index, notice
from tests.snapshots import apply_package, compared, cut, record_of, snapshot, told

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
PEOPLE = 8 * RANGE_ROWS + 5
CODES = [f"{number:011}" for number in range(10, 10 + PEOPLE)]
ONE, OTHER, LAST = CODES[40], CODES[70], CODES[-1]
MOVED_OUT = {"kind": "deletion", "reason": Reason.MOVED_OUT.value}
CORRECTED = {"kind": "correction", "reason": Reason.CORRECTED_EX_OFFICIO.value}
RECODED = {"kind": "correction", "reason": Reason.CODE_CHANGED_ON_REQUEST.value}


def _person(code: str, **said: str) -> Row:
    kana, number = "ヤマグチ　ハナコ", f"{code}0"
    return notice(
        **{"resident_code": code, "individual_number": number, "name_kana": kana, "sex": "2"} | said
    )


def _put(
    stores: Stores, sequence: int, *rows: Row, sender: str = HERE, file: IdentityFile = RESIDENT
) -> None:
    """Apply the package of a sequence; its notices are numbered from a thousand times it."""
    apply_package(stores.url(file), Sent(sender, 1_000 * sequence, list(rows), sequence), sequence, file)


def _do(stores: Stores, statement: str, file: IdentityFile = RESIDENT) -> int:
    """Change the store behind its back."""
    with psycopg.connect(stores.url(file)) as connection:
        return connection.execute(statement).rowcount  # type: ignore[arg-type]


def _settled(stores: Stores, file: IdentityFile = RESIDENT) -> list[Row]:
    """Enter everybody in both municipalities' ways: people here, one elsewhere; give the records of here."""
    rows = [_person(code) for code in CODES]
    _put(stores, 1, *rows, file=file)
    _put(stores, 2, _person("X", individual_number=""), sender=ELSEWHERE, file=file)
    return [record_of(row, file) for row in rows]


def _found(
    stores: Stores, rows: list[Row], watermark: int = 9_999, sender: str = HERE, file: IdentityFile = RESIDENT
) -> list[tuple[str, str, tuple[str, ...], str | None]]:
    """Compare with a snapshot in three parts."""
    table = snapshot(rows, file)
    return told(compared(stores.url(file), sender, watermark, cut(table, (30, 90)), file))


_CHANGES = {
    RESIDENT: {
        "individual_number": f"number_index = '\\x{(index('1') or b'').hex()}'",
        "is_foreign": "is_foreign = true", "name_gaiji": "name_gaiji = 1", "address_gaiji": "address_gaiji = 1",
    },
    FUHYO: {
        "is_abroad": "is_abroad = true", "name_gaiji": "name_gaiji = 1", "address_gaiji": "address_gaiji = 1",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("file", "column"), [(file, column) for file in IdentityFile for column in RECORD_COLUMNS[file][1:]]
)
def test_cell_changed_behind_our_back_is_found(stores: Stores, file: IdentityFile, column: str) -> None:
    """Whatever digest is stored with the row: every column of both files, of one person."""
    rows = _settled(stores, file)
    assert _found(stores, rows, file=file) == []
    change = _CHANGES[file].get(column, f"{column} = coalesce({column}, '') || '1'")
    assert _do(stores, f"UPDATE current SET {change} WHERE resident_code = '{ONE}'", file) == 1
    assert _found(stores, rows, file=file) == [(ONE, "differs", (column,), None)]


@pytest.mark.parametrize(
    "sealed",
    ["substring(number_sealed FOR 41)", "substring(number_sealed FOR 50)", "number_sealed || '\\x00'"],
)
def test_what_can_not_be_a_ciphertext_is_a_difference_of_the_number(stores: Stores, sealed: str) -> None:
    """A cut or grown ciphertext would not open when the number is needed, though its index is right."""
    rows = _settled(stores)
    _do(stores, f"UPDATE current SET number_sealed = {sealed} WHERE resident_code = '{ONE}'")
    assert _found(stores, rows) == [(ONE, "differs", ("individual_number",), None)]


_CORRUPTIONS: dict[str, tuple[str, list[tuple[str, str, tuple[str, ...], str | None]]]] = {
    "lost row": (f"DELETE FROM current WHERE resident_code = '{ONE}'", [(ONE, "missing", (), None)]),
    "erased by hand": (
        "UPDATE current SET kind = 'deletion', expires_on = '2176-01-01' "
        f"WHERE resident_code = '{ONE}'",
        [(ONE, "missing", (), None)],
    ),
    "row of another municipality": (
        f"UPDATE current SET sender_code = '{ELSEWHERE}' WHERE resident_code = '{ONE}'",
        [(ONE, "missing", (), ELSEWHERE)],
    ),
    "row taken from another municipality": (
        f"UPDATE current SET sender_code = '{HERE}' WHERE resident_code = 'X'", [("X", "extra", (), None)],
    ),
    "other code": (
        f"UPDATE current SET resident_code = '00000000050x' WHERE resident_code = '{ONE}'",
        [(ONE, "missing", (), None), ("00000000050x", "extra", (), None)],
    ),
    "code before all others": (
        f"UPDATE current SET resident_code = '' WHERE resident_code = '{ONE}'",
        [("", "extra", (), None), (ONE, "missing", (), None)],
    ),
    "impossible notice": (
        f"UPDATE current SET notice_no = 5000000, name = 'だれか' WHERE resident_code = '{LAST}'",
        [(LAST, "differs", ("name",), None)],
    ),
    "swapped people": (
        "UPDATE current c SET name = o.name, number_index = o.number_index, number_sealed = o.number_sealed "
        f"FROM (VALUES ('{ONE}', '{OTHER}'), ('{OTHER}', '{ONE}')) v (here, there), "
        "(SELECT * FROM current) o WHERE c.resident_code = v.here AND o.resident_code = v.there",
        [(ONE, "differs", ("individual_number",), None), (OTHER, "differs", ("individual_number",), None)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("corruption", _CORRUPTIONS)
def test_corrupted_row_is_found(stores: Stores, corruption: str) -> None:
    """A row lost, retired, handed over, taken, renamed, beyond all notices, or swapped with another."""
    rows = _settled(stores)
    statement, expected = _CORRUPTIONS[corruption]
    _do(stores, "DROP INDEX current_number_standing_key")
    assert _do(stores, statement) >= 1
    assert _found(stores, rows) == expected


def test_zombie_row_with_an_impossible_notice_is_extra(stores: Stores) -> None:
    """Nobody notified it: its number is beyond the last notice received, and it must not hide behind that."""
    rows = _settled(stores)
    _do(
        stores,
        "CREATE TABLE zombie AS SELECT * FROM current WHERE resident_code = 'X'; UPDATE zombie SET "
        f"resident_code = '000000000455', sender_code = '{HERE}', notice_no = 5000000; "
        "INSERT INTO current SELECT * FROM zombie; DROP TABLE zombie",
    )
    assert _found(stores, rows, watermark=1_200) == [("000000000455", "extra", (), None)]


def test_older_version_brought_back_is_found(stores: Stores) -> None:
    """The row of history is put in the place of the one that superseded it, its notice included."""
    rows = _settled(stores)
    _put(stores, 3, _person(ONE, **CORRECTED, name="新しい　氏名"))
    rows[CODES.index(ONE)] |= {"name": "新しい　氏名"}
    assert _found(stores, rows) == []
    _do(
        stores,
        "UPDATE current c SET name = h.name, notice_no = h.notice_no, package_id = h.package_id, kind = h.kind "
        f"FROM history h WHERE h.resident_code = c.resident_code AND c.resident_code = '{ONE}'",
    )
    assert _found(stores, rows) == [(ONE, "differs", ("name",), None)]


def test_move_in_flight_is_no_difference_for_whom_has_not_erased_yet(stores: Stores) -> None:
    """The entry elsewhere came first: here the person still stands, and then does not."""
    rows = _settled(stores)
    later = "2026-03-26T10:00:00+09:00"
    _put(stores, 3, _person(ONE, notified_at=later), sender=ELSEWHERE)
    without = [row for row in rows if row["resident_code"] != ONE]
    assert _found(stores, rows) == []
    assert _found(stores, without) == [(ONE, "moved", (), ELSEWHERE)]
    _put(stores, 4, _person(ONE, **MOVED_OUT, notified_at=later))
    assert _found(stores, without) == []
    assert _found(stores, rows, watermark=3_999) == []
    assert _found(stores, rows) == [(ONE, "missing", (), ELSEWHERE)]


def test_lost_current_row_is_not_brought_back_from_history(stores: Stores) -> None:
    """Gone to another municipality and come back, then lost: what stood before the move is not what stands."""
    rows = _settled(stores)
    _put(stores, 3, _person(ONE, notified_at="2026-03-26T10:00:00+09:00"), sender=ELSEWHERE)
    _put(stores, 4, _person(ONE, notified_at="2026-03-27T10:00:00+09:00"))
    assert _found(stores, rows) == []
    _do(stores, f"DELETE FROM current WHERE resident_code = '{ONE}'")
    assert _found(stores, rows) == [(ONE, "missing", (), None)]
    assert _found(stores, rows, watermark=3_999) == []


def test_person_whose_code_was_corrected_is_one_person(stores: Stores) -> None:
    """Under the new code since the correction, under the old one before it; also when another corrected it."""
    rows = _settled(stores)
    _put(
        stores, 3, _person("00000000999", **RECODED, individual_number=f"{ONE}0", previous_resident_code=ONE)
    )
    new = [row | ({"resident_code": "00000000999"} if row["resident_code"] == ONE else {}) for row in rows]
    assert _found(stores, new) == []
    assert _found(stores, rows, watermark=2_999) == []
    assert _found(stores, rows) == [(ONE, "missing", (), None), ("00000000999", "extra", (), None)]
    later = "2026-03-26T10:00:00+09:00"
    _put(stores, 4, _person(OTHER, notified_at=later), sender=ELSEWHERE)
    recoded = _person("00000000888", **RECODED, individual_number=f"{OTHER}0", previous_resident_code=OTHER)
    _put(stores, 5, recoded, sender=ELSEWHERE)
    assert _found(stores, new) == []
    assert _found(stores, [row for row in new if row["resident_code"] != OTHER]) == [
        (OTHER, "moved", (), ELSEWHERE)
    ]
    _put(
        stores,
        6,
        _person("00000000888", individual_number=f"{OTHER}0", notified_at="2026-03-27T10:00:00+09:00"),
    )
    back = [row | ({"resident_code": "00000000888"} if row["resident_code"] == OTHER else {}) for row in new]
    assert _found(stores, back) == []


def test_current_row_older_than_what_stood_does_not_count(stores: Stores) -> None:
    """A row handed back by hand with an earlier notice: the municipality's latest word is in history."""
    rows = _settled(stores)
    _put(stores, 3, _person(ONE, **CORRECTED, name="新しい　氏名"))
    _put(stores, 4, _person(ONE, notified_at="2026-03-26T10:00:00+09:00"), sender=ELSEWHERE)
    rows[CODES.index(ONE)] |= {"name": "新しい　氏名"}
    _do(stores, f"UPDATE current SET sender_code = '{HERE}', notice_no = 2 WHERE resident_code = '{ONE}'")
    assert _found(stores, rows) == []
    assert _found(stores, [*rows[:30], *rows[31:]]) == [(CODES[30], "extra", (), None)]


def test_row_taken_back_by_hand_does_not_hide_behind_what_stood(stores: Stores) -> None:
    """Another municipality's row is made ours: it is the later word, and is compared as it stands."""
    rows = _settled(stores)
    moved = _person(ONE, notified_at="2026-03-26T10:00:00+09:00", name="新しい　氏名")
    _put(stores, 3, moved, sender=ELSEWHERE)
    assert _found(stores, rows) == []
    _do(stores, f"UPDATE current SET sender_code = '{HERE}' WHERE resident_code = '{ONE}'")
    assert _found(stores, rows) == [(ONE, "differs", ("name",), None)]


NASTY = [
    "\\N",
    "NULL",
    '"',
    '""',
    ",",
    "\r\n",
    " 空白 ",
    "葛\U000e0100飾",
    "𠮷田",
    "﨑",
    "か\u3099",
    "%s",
    "{}",
]


def test_texts_are_compared_byte_for_byte(stores: Stores) -> None:
    """No escape, quote, line break or variant makes a difference, nor hides one beside it."""
    rows = [_person(code, name=name) for code, name in zip(CODES, NASTY, strict=False)]
    _put(stores, 1, *rows)
    records = [record_of(row) for row in rows]
    assert _found(stores, records) == []
    for position, record in enumerate(records):
        changed = [*records[:position], record | {"name": record["name"] + " "}, *records[position + 1 :]]
        assert _found(stores, changed) == [(CODES[position], "differs", ("name",), None)]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"name": "x", "name_kana": "\x1fy"}, {"name": "x\x1f", "name_kana": "y"}),
        ({"name": "x\x1f", "name_kana": "y"}, {"name": "x", "name_kana": "\x1fy"}),
        ({"name": "x\x1fy", "name_kana": "z"}, {"name": "x", "name_kana": "y"}),
        ({"name": "x\x1e", "name_kana": "y"}, {"name": "x", "name_kana": "\x1ey"}),
    ],
)
def test_separators_in_cells_make_nothing_equal(
    stores: Stores, ours: dict[str, str], theirs: dict[str, str]
) -> None:
    """The canonical lines of the first two pairs are the same bytes."""
    _put(stores, 1, _person(ONE, **ours))
    assert _found(stores, [record_of(_person(ONE, **ours))]) == []
    assert _found(stores, [record_of(_person(ONE, **theirs))]) == [
        (ONE, "differs", ("name", "name_kana"), None)
    ]


def test_person_listed_twice_is_a_duplicate_beside_what_else_is_found(stores: Stores) -> None:
    """The first one is compared; the package is that of our version, or none."""
    rows = _settled(stores)
    twice = [
        rows[40] | {"name": "別の　氏名"},
        rows[40],
        *rows[:40],
        *rows[41:],
        rows[2],
        _person("Z"),
        _person("Z"),
    ]
    found = compared(stores.resident_url, HERE, 9_999, [snapshot(twice)])
    assert told(found) == [
        (CODES[2], "duplicate", (), None),
        (ONE, "differs", ("name",), None),
        (ONE, "duplicate", (), None),
        ("Z", "duplicate", (), None),
        ("Z", "missing", (), None),
    ]
    assert [package is not None for package in found.differences.column("package_id").to_pylist()] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert (found.rows_theirs, found.rows_ours) == (PEOPLE + 4, PEOPLE)


@pytest.mark.parametrize("kept", [0, 20, PEOPLE // 2])
def test_truncated_snapshot_leaves_the_rest_extra(stores: Stores, kept: int) -> None:
    """Also when nothing came at all."""
    rows = _settled(stores)
    found = compared(stores.resident_url, HERE, 9_999, [snapshot(rows[:kept])])
    assert [(code, kind) for code, kind, *_ in told(found)] == [(code, "extra") for code in CODES[kept:]]
    assert (found.rows_theirs, found.rows_ours) == (kept, PEOPLE)


def test_many_of_ours_among_few_of_theirs_are_all_found(stores: Stores) -> None:
    """A range with more of ours than a digest looks at: every one is extra, who is there is still compared."""
    rows = _settled(stores)
    few = [rows[0], rows[PEOPLE // 2] | {"name": "別の　氏名"}, rows[-1]]
    found = compared(stores.resident_url, HERE, 9_999, [snapshot(few)])
    expected = [(code, "extra") for code in CODES[1:-1]]
    expected[PEOPLE // 2 - 1] = (CODES[PEOPLE // 2], "differs")
    assert [(code, kind) for code, kind, *_ in told(found)] == expected
    assert (found.rows_theirs, found.rows_ours) == (3, PEOPLE)
    assert found.records.to_pylist() == [few[1]]


def test_parts_that_overlap_are_refused(stores: Stores) -> None:
    """Compared one by one, overlapping parts would invent differences."""
    rows = _settled(stores)
    parts = [snapshot(rows[:50]), snapshot(rows[49:48:-1] + rows[48:])]
    with pytest.raises(ContractError) as refused:
        compared(stores.resident_url, HERE, 9_999, parts)
    assert refused.value.code is Code.SNAPSHOT_NOT_SORTED


def test_package_applied_meanwhile_tears_nothing(stores: Stores) -> None:
    """Another channel takes somebody over between two parts: the picture stays the one it began with."""
    rows = _settled(stores)
    later = "2026-03-26T10:00:00+09:00"

    def parts() -> Iterator[pa.Table]:
        yield snapshot(rows[:50])
        _put(stores, 3, _person(OTHER, notified_at=later), sender=ELSEWHERE)
        yield snapshot(rows[50:])

    assert told(compared(stores.resident_url, HERE, 9_999, parts())) == []


def test_unit_that_has_asked_before_is_refused(stores: Stores) -> None:
    """Its picture would be of another instant for every question."""
    with pytest.raises(StoreError), open_unit(stores.resident_url, RESIDENT) as unit:
        unit.packages.is_stopped(HERE)
        compare(unit, HERE, 1, iter([]), INDEX_KEY)


def test_cost_follows_the_municipality_not_the_file(stores: Stores) -> None:
    """Others' people are not read, and of history only where it is as recent as what came after the notice."""
    rows = _settled(stores)
    of_others = f"""
        INSERT INTO {{table}} SELECT {{columns}} FROM (
            SELECT (jsonb_populate_record(NULL::{{table}}, to_jsonb(c) || jsonb_build_object(
                'resident_code', 'Y' || n, 'notice_no', n, 'sender_code', '{ELSEWHERE}'{{more}}))).*
            FROM current c, generate_series(10000, 29999) n WHERE c.resident_code = 'X'
        ) r; ANALYZE {{table}}"""
    superseded = (
        f", 'superseded_on', '2026-03-25', 'superseded_by_sender_code', '{ELSEWHERE}', 'superseded_by_notice_no', 1, "
        "'superseded_by_package_id', 1, 'was_newest', true, 'expires_on', '2176-03-25'"
    )
    _do(stores, of_others.format(table="current", columns="r.*", more=""))
    _do(stores, of_others.format(table="history", columns="r.*", more=superseded))
    _put(stores, 3, _person(ONE, **CORRECTED, name="新しい　氏名"))
    counted = """
        SELECT relname, seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables
        WHERE relname IN ('current', 'history')"""
    with open_unit(stores.resident_url, RESIDENT) as unit:
        assert told(compare(unit, HERE, 2_999, iter([snapshot(rows)]), INDEX_KEY)) == []
        read = dict(unit.cursor.execute(counted).fetchall())
    assert read["current"] <= PEOPLE + 2 * RANGE_ROWS
    assert read["history"] <= 200
