"""Digests against our file on a real PostgreSQL: equal where a comparison of the records is, and never otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.errors import ConfigurationError, ContractError, StoreError
from juki.found import Found
from juki.identity import plan_changes
from juki.numbers import SealingKey
from juki.order import FileMark
from juki.reasons import Code
from juki.snapshot_digests import record_digest_hex
from juki.store.comparison import compare, our_side
from juki.store.digest_comparison import DigestsCompared, compare_digests
from juki.store.packages import Applied, Arrival
from juki.store.unit import open_unit
from juki.versions import Origin
from tests.conftest import Stores
from tests.histories import NUMBERS, History, Sent, numbered, packages
from tests.notice_tables import ELSEWHERE, HERE, INDEX_KEY, index, notice, notices

RESIDENT = IdentityFile.RESIDENT
COLUMNS = RECORD_COLUMNS[RESIDENT]
KEY = SealingKey("resident-number-1", b"k" * 32)
_NUMBER_OF = {value.hex(): number for number in NUMBERS if (value := index(number))}
Row = dict[str, str]


def key_of(key_id: str) -> SealingKey:
    """The keys of the store: one."""
    if key_id != KEY.key_id:
        raise ConfigurationError(Code.KEY_MISSING, key_id)
    return KEY


def apply(url: str, history: Iterable[Sent], file: IdentityFile = RESIDENT) -> None:
    """Empty the store and apply every package through it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE current, history, former_code, package, channel")
    for sequence, sent in enumerate(history, start=1):
        package = notices(
            sent.rows, file, sender=sent.sender, first_no=sent.first_no, received_at=sent.received_at
        )
        mark = FileMark(f"{sent.sender}-{file}-notice-{sequence:08}.p7m", 1, sent.received_at)
        with open_unit(url, file) as unit:
            unit.packages.attempt(sent.sender, sent.received_at)
            number = unit.packages.register(Arrival(sent.sender, sequence, mark, b"", sent.received_at))
            known = unit.identities.known(package)
            origin = Origin(sent.sender, number, sent.received_on)
            unit.identities.apply(package, known, plan_changes(package, known), origin, KEY)
            last = sent.first_no + len(sent.rows) - 1
            unit.packages.advance(sent.sender, sequence, last, sent.received_at)
            counts = dict.fromkeys(("records", "accepted", "alerted", "rejected", "repeated"), 0)
            applied = Applied(bytes(32), sent.received_at, sent.first_no, last, counts)
            unit.packages.settle_applied(number, applied, b"", sent.received_at)


def entries(*rows: Row, sender: str = HERE) -> list[Sent]:
    """One package of a sender."""
    return numbered([(sender, list(rows))])


def records(*rows: Row, file: IdentityFile = RESIDENT) -> pa.Table:
    """Records as a municipality says them, in order of code."""
    names = RECORD_COLUMNS[file]
    ordered = sorted(rows, key=lambda row: row["resident_code"])
    return pa.table({name: pa.array([row.get(name, "") for row in ordered], pa.string()) for name in names})


def digests(said: pa.Table) -> pa.Table:
    """Their digests, as the municipality computes them."""
    made = record_digest_hex(said, said.column_names)
    return pa.table({"resident_code": said.column("resident_code").combine_chunks(), "digest": made})


@dataclass(frozen=True, slots=True)
class Both:
    """Both comparisons of the same records with the same store."""

    digests: DigestsCompared
    records: Found


def both(
    url: str, said: pa.Table, watermark: int, *, part: int = 1000, page_rows: int = 2,
    file: IdentityFile = RESIDENT, sender: str = HERE,
) -> Both:  # fmt: skip
    """Compare in both ways."""
    cuts = [said.slice(at, part) for at in range(0, max(said.num_rows, 1), part)]
    with open_unit(url, file) as unit:
        by_digest = compare_digests(
            unit, sender, watermark, (digests(cut) for cut in cuts), key_of, INDEX_KEY, page_rows
        )
    with open_unit(url, file) as unit:
        return Both(by_digest, compare(unit, sender, watermark, iter(cuts), INDEX_KEY))


def agree(told: Both) -> None:
    """Hold what both say alike where both can say it."""
    assert told.digests.rows_theirs == told.records.rows_theirs
    assert told.digests.rows_ours == told.records.rows_ours
    if told.digests.is_equal:
        assert told.records.is_equal
        assert told.digests.root_digest == told.records.root_digest
        assert told.digests.found.differences.equals(told.records.differences)
    else:
        assert told.digests.root_digest == b""


def change(url: str, statement: str, *values: object) -> int:
    """Do something to the store that no notice does."""
    with psycopg.connect(url) as connection:
        return connection.execute(statement, values).rowcount  # type: ignore[arg-type]


PEOPLE = [
    notice(resident_code="A", individual_number=NUMBERS[1]),
    notice(resident_code="B", individual_number=NUMBERS[2], name="宇部　花子"),
    notice(resident_code="C", name_kana="ヤマグチ　ハナコ"),
    notice(resident_code="D"),
    notice(resident_code="E", name="萩　花子"),
]


@pytest.mark.parametrize("page_rows", [1, 2, 5, 6])
@pytest.mark.parametrize("part", [1, 2, 3, 5])
def test_same_records_are_equal_whatever_the_parts_and_pages(
    module_stores: Stores, part: int, page_rows: int
) -> None:
    """Their parts and our pages never end at the same people; every number was opened, the empty ones need none."""
    url = module_stores.resident_url
    apply(url, entries(*PEOPLE))
    told = both(url, records(*PEOPLE), 5, part=part, page_rows=page_rows)
    agree(told)
    assert told.digests.is_equal
    assert (told.digests.numbers_opened, told.digests.numbers_unopened) == (2, 0)


def test_fuhyo_records_are_compared_without_numbers(module_stores: Stores) -> None:
    """Nothing is opened where there is nothing sealed; a changed cell differs all the same."""
    url, fuhyo = module_stores.fuhyo_url, IdentityFile.FUHYO
    people = [row | {"individual_number": "", "is_foreign": ""} for row in PEOPLE]
    apply(url, entries(*people), fuhyo)
    said = records(*people, file=fuhyo)
    told = both(url, said, 5, file=fuhyo)
    agree(told)
    assert told.digests.is_equal
    assert (told.digests.numbers_opened, told.digests.numbers_unopened) == (0, 0)
    change(url, "UPDATE current SET is_abroad = true WHERE resident_code = 'B'")
    told = both(url, said, 5, file=fuhyo)
    agree(told)
    assert not told.digests.is_equal


_CELLS = {name: f"{name} = coalesce({name}, '') || 'x'" for name in COLUMNS} | {
    "individual_number": "number_index = '\\x0123456789abcdef0123456789abcdef'",
    "is_foreign": "is_foreign = NOT is_foreign",
    "name_gaiji": "name_gaiji = name_gaiji + 1",
    "address_gaiji": "address_gaiji = address_gaiji + 1",
}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("code", ["A", "B"])
def test_any_cell_changed_by_sql_differs(module_stores: Stores, column: str, code: str) -> None:
    """Not one column of the record is outside the digest; the stored digest, left as it was, is not believed."""
    url = module_stores.resident_url
    apply(url, entries(*PEOPLE))
    assert change(url, f"UPDATE current SET {_CELLS[column]} WHERE resident_code = %s", code) == 1
    told = both(url, records(*PEOPLE), 5)
    agree(told)
    assert not told.digests.is_equal
    assert not told.records.is_equal


def test_separator_within_a_cell_is_not_the_one_between_cells(module_stores: Stores) -> None:
    """One cell is cut at the separator so that the line has the bytes of theirs: other cells, and not equal."""
    url = module_stores.resident_url
    person = notice(resident_code="A", name="山口　花子", name_kana="ヤマ", former_name="", alias="")
    apply(url, entries(person))
    moved = (
        "UPDATE current SET name = name || E'\\x1f' || name_kana, name_kana = former_name, former_name = NULL"
    )
    assert change(url, moved) == 1
    told = both(url, records(person), 1)
    assert not told.digests.is_equal
    said = records(person | {"name": "山口　花子\x1fヤマ", "name_kana": ""})
    told = both(url, said, 1)
    assert told.records.is_equal
    assert not told.digests.is_equal


@pytest.mark.parametrize(
    ("how", "unopened"),
    [
        ("UPDATE current c SET number_sealed = o.number_sealed FROM current o"
         " WHERE (c.resident_code, o.resident_code) IN (('A', 'B'), ('B', 'A'))", 2),
        ("UPDATE current SET number_sealed = set_byte(number_sealed, 40, get_byte(number_sealed, 40) # 1)"
         " WHERE resident_code = 'A'", 1),
        ("UPDATE current SET number_sealed = overlay(number_sealed placing '\\x32' from 19 for 1)"
         " WHERE resident_code = 'A'", 1),
        ("UPDATE current SET number_sealed = set_byte(number_sealed, 0, 2) WHERE resident_code = 'A'", 1),
        ("UPDATE current SET number_sealed = '\\x01' WHERE resident_code = 'A'", 1),
        ("UPDATE current SET number_sealed = '\\x0111' WHERE resident_code = 'A'", 1),
        ("UPDATE current SET number_sealed = '' WHERE resident_code = 'A'", 1),
        ("UPDATE current SET number_sealed = substring(number_sealed for 25) WHERE resident_code = 'A'", 1),
    ],
    ids=["exchanged", "bit", "other key", "other algorithm", "header", "key id cut", "nothing", "cut"],
)  # fmt: skip
def test_ciphertext_that_does_not_open_as_its_persons_number_differs(
    module_stores: Stores, how: str, unopened: int
) -> None:
    """The index still says the number, so a snapshot sees nothing where the length is right: digests do."""
    url = module_stores.resident_url
    apply(url, entries(*PEOPLE))
    assert change(url, how) == unopened
    told = both(url, records(*PEOPLE), 5)
    agree(told)
    assert not told.digests.is_equal
    assert told.digests.numbers_unopened == unopened
    assert told.digests.numbers_opened == 2 - unopened


def test_index_that_finds_another_number_differs(module_stores: Stores) -> None:
    """The ciphertext opens and theirs is that number, but who looks the number up does not find the person."""
    url = module_stores.resident_url
    apply(url, entries(*PEOPLE))
    change(url, "UPDATE current SET number_index = decode(md5('x'), 'hex') WHERE resident_code = 'A'")
    told = both(url, records(*PEOPLE), 5)
    agree(told)
    assert not told.digests.is_equal
    assert told.digests.numbers_unopened == 1


def test_number_lost_or_slipped_in_differs(module_stores: Stores) -> None:
    """Somebody without a number here who has one there, and the other way round."""
    url = module_stores.resident_url
    apply(url, entries(*PEOPLE))
    for person, number in ((0, ""), (2, NUMBERS[2])):
        people = [row | {"individual_number": number} if row is PEOPLE[person] else row for row in PEOPLE]
        told = both(url, records(*people), 5)
        agree(told)
        assert not told.digests.is_equal


def test_earlier_watermark_is_compared_with_what_stood_then(module_stores: Stores) -> None:
    """Corrections, a deletion and an entry elsewhere came since: as of the notice nothing of them is there."""
    url = module_stores.resident_url
    later = [
        PEOPLE[0] | {"kind": "correction", "reason": "転居", "address": "山口県山口市滝町2番2号"},
        PEOPLE[1] | {"kind": "deletion", "reason": "死亡"},
    ]
    elsewhere = notice(resident_code="E", municipality_code=ELSEWHERE, name="萩　花子")
    apply(url, numbered([(HERE, PEOPLE), (HERE, later), (ELSEWHERE, [elsewhere])]))
    told = both(url, records(*PEOPLE), 5)
    agree(told)
    assert told.digests.is_equal
    # As of now: the address is the new one, B is gone, and E is still here as far as this municipality has said.
    now = [later[0], *PEOPLE[2:]]
    told = both(url, records(*now), 7)
    agree(told)
    assert told.digests.is_equal
    # Their deletion of E has not reached us: moved, and equal all the same.
    told = both(url, records(*now[:-1]), 7)
    agree(told)
    assert told.digests.is_equal
    assert told.digests.moved.column("kind").to_pylist() == ["moved"]
    # Nobody may be lacking whom no other municipality has.
    told = both(url, records(*now[:-2]), 7)
    agree(told)
    assert not told.digests.is_equal


def test_ciphertext_of_what_stood_is_opened_too(module_stores: Stores) -> None:
    """The version that counts is history by now, and its number was altered there."""
    url = module_stores.resident_url
    later = PEOPLE[0] | {"kind": "correction", "reason": "転居", "address": "山口県山口市滝町2番2号"}
    apply(url, numbered([(HERE, PEOPLE), (HERE, [later])]))
    change(
        url, "UPDATE history SET number_sealed = set_byte(number_sealed, 40, get_byte(number_sealed, 40) # 1)"
    )
    told = both(url, records(*PEOPLE), 5)
    agree(told)
    assert (told.digests.is_equal, told.digests.numbers_unopened) == (False, 1)


def test_somebody_who_stood_and_is_not_there_has_not_moved_unless_held_elsewhere(
    module_stores: Stores,
) -> None:
    """They died after the notice: as of it they stood, and a municipality that does not say so differs."""
    url = module_stores.resident_url
    died = PEOPLE[1] | {"kind": "deletion", "reason": "死亡"}
    apply(url, numbered([(HERE, PEOPLE), (HERE, [died])]))
    told = both(url, records(PEOPLE[0], *PEOPLE[2:]), 5)
    agree(told)
    assert told.records.differences.column("kind").to_pylist() == ["extra"]
    assert not told.digests.is_equal


def test_number_of_somebody_who_has_moved_is_opened_too(module_stores: Stores) -> None:
    """Nobody's digest is laid beside it, and equal would still say that every number opens."""
    url = module_stores.resident_url
    moved = notice(resident_code="A", municipality_code=ELSEWHERE, individual_number=NUMBERS[1])
    apply(url, numbered([(HERE, PEOPLE), (ELSEWHERE, [moved])]))
    told = both(url, records(*PEOPLE[1:]), 5)
    agree(told)
    assert told.digests.is_equal
    change(
        url, "UPDATE history SET number_sealed = set_byte(number_sealed, 40, get_byte(number_sealed, 40) # 1)"
    )
    told = both(url, records(*PEOPLE[1:]), 5)
    agree(told)
    assert (told.digests.is_equal, told.records.is_equal, told.digests.numbers_unopened) == (False, True, 1)


def test_nobody_here_and_nobody_there_is_equal(module_stores: Stores) -> None:
    """One part without rows, or no part: equal where we have nobody, and not where we have."""
    url = module_stores.resident_url
    apply(url, [])
    told = both(url, records(), 0)
    agree(told)
    assert told.digests.is_equal
    apply(url, entries(*PEOPLE))
    told = both(url, records(), 5)
    agree(told)
    assert not told.digests.is_equal


@pytest.mark.parametrize("part", [1, 2, 5])
def test_person_said_twice_differs(module_stores: Stores, part: int) -> None:
    """Within a part, and at the end of one and the beginning of the next."""
    url = module_stores.resident_url
    apply(url, entries(*PEOPLE))
    told = both(url, records(*PEOPLE, PEOPLE[1]), 5, part=part)
    agree(told)
    assert not told.digests.is_equal


def test_codes_that_do_not_ascend_are_refused(module_stores: Stores) -> None:
    """Within a part or among parts: pages of ours could not be laid beside them."""
    url = module_stores.resident_url
    apply(url, entries(*PEOPLE))
    said = digests(records(*PEOPLE))
    turned = said.take(pa.array([1, 0, 2, 3, 4]))
    for parts in ([turned], [said.slice(2), said.slice(0, 2)]):
        with open_unit(url, RESIDENT) as unit, pytest.raises(ContractError) as refused:
            compare_digests(unit, HERE, 5, iter(parts), key_of, INDEX_KEY)
        assert refused.value.code is Code.SNAPSHOT_NOT_SORTED


def test_everything_is_seen_as_of_one_instant(module_stores: Stores) -> None:
    """What is changed between two parts is not seen; a unit that has asked before can not do that."""
    url = module_stores.resident_url
    apply(url, entries(*PEOPLE))
    said = digests(records(*PEOPLE))

    def parts() -> Iterable[pa.Table]:
        yield said.slice(0, 2)
        change(url, "UPDATE current SET name = 'x' WHERE resident_code = 'E'")
        yield said.slice(2)

    with open_unit(url, RESIDENT) as unit:
        assert compare_digests(unit, HERE, 5, iter(parts()), key_of, INDEX_KEY, 1).is_equal
    with pytest.raises(StoreError), open_unit(url, RESIDENT) as unit:
        unit.packages.progress(HERE)
        compare_digests(unit, HERE, 5, iter([said]), key_of, INDEX_KEY)


# -- any history, any corruption ----------------------------------------------------------------------------

_OURS = {
    "cell": "UPDATE {t} SET name = name || 'x' WHERE {one}",
    "kana": "UPDATE {t} SET name_kana = 'カ' WHERE {one}",
    "lost": "DELETE FROM {t} WHERE {one}",
    "elsewhere": "UPDATE {t} SET sender_code = '352021' WHERE {one}",
    "zombie": "UPDATE current SET kind = 'entry', expires_on = NULL WHERE {one} AND kind = 'deletion'",
    "number lost": "UPDATE {t} SET number_sealed = NULL, number_index = NULL WHERE {one}",
    "index": "UPDATE {t} SET number_index = decode(md5(resident_code), 'hex') WHERE {one} AND number_sealed <> ''",
    "bit": "UPDATE {t} SET number_sealed = set_byte(number_sealed, 35, get_byte(number_sealed, 35) # 4) WHERE {one}",
    "exchanged": "UPDATE {t} c SET number_sealed = o.number_sealed FROM {t} o WHERE c.number_sealed IS NOT NULL"
                 " AND o.number_sealed IS NOT NULL AND c.resident_code <> o.resident_code",
}  # fmt: skip
_THEIRS = ("cell", "lost", "twice", "more", "number", "no number")
corruptions = st.lists(
    st.one_of(
        st.tuples(st.just("ours"), st.sampled_from(sorted(_OURS)), st.integers(0, 5)),
        st.tuples(st.just("theirs"), st.sampled_from(_THEIRS), st.integers(0, 5)),
    ),
    max_size=2,
)


def ours_as_of(url: str, watermark: int) -> list[Row]:
    """Read our side as of a notice as the municipality would say it, each with its ciphertext."""
    with open_unit(url, RESIDENT) as unit:
        side = our_side(unit, HERE, watermark, with_ciphertexts=True)
        rows = [*side.page(None, None, 100).to_pylist(), *side.stood.to_pylist()]
    return [row | {"individual_number": _NUMBER_OF.get(row["individual_number"], "")} for row in rows]


def ciphertexts(url: str) -> set[tuple[str, str]]:
    """Read every ciphertext of the store with its person."""
    query = "SELECT resident_code, encode(number_sealed, 'hex') FROM {} WHERE number_sealed IS NOT NULL"
    with psycopg.connect(url) as connection:
        tables = [connection.execute(query.format(name)).fetchall() for name in ("current", "history")]  # type: ignore[arg-type]
    return {(code, sealed) for rows in tables for code, sealed in rows}


def corrupt(url: str, said: list[Row], what: tuple[str, str, int]) -> list[Row]:
    """Let something happen to our side by SQL, or to what the municipality says."""
    side, how, which = what
    if side == "ours":
        for table in ("current", "history"):
            one = f"ctid = (SELECT ctid FROM {table} ORDER BY ctid OFFSET {which} LIMIT 1)"
            try:
                change(url, _OURS[how].format(t=table, one=one))
            except psycopg.errors.IntegrityError:
                continue
        return said
    if how == "more" or not said:
        return [*said, notice(resident_code=f"X{which}")]
    at = which % len(said)
    row = said[at]
    changed = {
        "cell": [row | {"address": "x"}], "lost": [], "twice": [row, row],
        "number": [row | {"individual_number": NUMBERS[1]}], "no number": [row | {"individual_number": ""}],
    }[how]  # fmt: skip
    return [*said[:at], *changed, *said[at + 1 :]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=packages, back=st.integers(0, 4), what=corruptions, part=st.integers(1, 3))
def test_digests_are_equal_exactly_where_the_records_are_and_every_number_opens(
    module_stores: Stores, history: History, back: int, what: list[tuple[str, str, int]], part: int
) -> None:
    """Any history, compared as of now or as of an earlier notice, with anything corrupted on either side."""
    url, sent = module_stores.resident_url, numbered(history)
    apply(url, sent)
    last = max((one.first_no + len(one.rows) - 1 for one in sent if one.sender == HERE), default=0)
    watermark = max(0, last - back)
    said, good = ours_as_of(url, watermark), ciphertexts(url)
    for one in what:
        said = corrupt(url, said, one)
    told = both(url, records(*said), watermark, part=part, page_rows=1 + part % 2)
    agree(told)
    ours = {(row["resident_code"], row["number_sealed"]) for row in ours_as_of(url, watermark)}
    is_altered = any(sealed and (code, sealed) not in good for code, sealed in ours)
    assert told.digests.is_equal or what != []
    assert told.digests.numbers_unopened > 0 or not is_altered
    assert told.digests.is_equal == (told.records.is_equal and told.digests.numbers_unopened == 0)
