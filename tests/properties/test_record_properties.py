"""Records as properties: writing and reading are inverse, lawful people pass, one bad change is found."""

from __future__ import annotations

import pyarrow as pa
import pytest
from contract_records import BOUNDARIES, Group, Where, found_in, good_record, groups_at
from hypothesis import example, given
from hypothesis import strategies as st

from juki.codes import is_individual_number
from juki.columns import columns_of
from juki.errors import ContractError
from juki.records import format_records, parse_records

# A narrow alphabet of everything that has a meaning in CSV, and of characters of every width in UTF-8.
_NASTY = st.text(st.sampled_from(list('",\r\n;\t ab0葛𠮷é\U000e0100\ufeff\u2028')), max_size=6)
_KANJI = st.sampled_from([*"山田太郎葛城々〆ヶ髙﨑", "𠮷", "葛\U000e0100", "é"])
_NAME = st.lists(_KANJI, max_size=12).map("".join)
_KANA = st.text(st.sampled_from(list("アガパヴャッヶー・　")), max_size=12)
_BIRTH = st.builds(
    "{:04d}{}{}".format,
    st.integers(1868, 2025),
    st.sampled_from(["00", "01", "02", "12", "A1", "B4", "C2", "D3"]),
    st.sampled_from(["00", "01", "28", "29", "A1", "A3"]),
)
_NUMBER = st.sampled_from(["", "123456789018", "983205673214", "454972364860"])


@given(st.lists(st.tuples(_NASTY, _NASTY), max_size=12))
@example([("", "")])
@example([("\r", '"'), ('""', "\n\r\n")])
def test_reading_what_was_written_changes_nothing(rows: list[tuple[str, str]]) -> None:
    """parse ∘ format is the identity on any text, line breaks, quotes and separators included."""
    table = pa.table(
        {"a": pa.array([a for a, _ in rows], pa.string()), "b": pa.array([b for _, b in rows], pa.string())}
    )
    assert parse_records(format_records(table), ("a", "b")).equals(table)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused_with_a_code(content: bytes) -> None:
    """No input ends in anything but a table or a coded refusal."""
    try:
        table = parse_records(b"a,b\n" + content, ("a", "b"))
    except ContractError as error:
        assert error.__context__ is None
    else:
        assert parse_records(format_records(table), ("a", "b")).equals(table)


@given(st.sampled_from(BOUNDARIES), _NAME, _KANA, _BIRTH, st.sampled_from(["", "1", "2"]), _NUMBER)
def test_any_lawful_person_passes(
    where: Where, name: str, kana: str, birth_date: str, sex: str, number: str
) -> None:
    """Whatever the law and real registers know draws no finding, at any boundary."""
    values = {
        "name": name,
        "name_kana": kana,
        "birth_date": birth_date,
        "sex": sex,
        "individual_number": number,
    }
    changes = {column: value for column, value in values.items() if column in columns_of(*where)}
    assert found_in(*where, good_record(*where, **changes)) == [set()]


@given(st.data())
def test_records_do_not_depend_on_their_neighbours(data: st.DataObject) -> None:
    """What is found on each of several mixed records is what is found on it alone."""
    where = data.draw(st.sampled_from(BOUNDARIES))
    groups = [group for group in groups_at(where) if group.context == groups_at(where)[0].context]
    picked: list[Group | None] = data.draw(
        st.lists(st.none() | st.sampled_from(groups), min_size=1, max_size=8)
    )
    records = [good_record(*where) if group is None else group.records[-1] for group in picked]
    expected = [set() if group is None else {(group.code, group.column)} for group in picked]
    assert found_in(*where, *records) == expected


@given(st.integers(0, 11), st.integers(1, 9))
def test_changed_digit_of_a_number_is_found_or_still_valid_by_the_statute(position: int, step: int) -> None:
    """The contract agrees with the scalar rule; about 2 % of single errors pass by arithmetic."""
    number = "621498320257"
    wrong = str((int(number[position]) + step) % 10)
    changed = number[:position] + wrong + number[position + 1 :]
    where = BOUNDARIES[0]
    (found,) = found_in(*where, good_record(*where, individual_number=changed))
    assert bool(found) is not is_individual_number(changed)


@pytest.mark.parametrize("where", BOUNDARIES, ids=str)
def test_values_pass_byte_for_byte(where: Where) -> None:
    """Neither parser nor contract normalises: composed, decomposed and compatibility forms stay apart."""
    names = ["é", "e\u0301", "神", "\ufa19", "葛\U000e0100", "葛"]
    records = [good_record(*where, name=name) for name in names]
    columns = columns_of(*where)
    table = pa.table({column: [record[column] for record in records] for column in columns})
    assert parse_records(format_records(table), columns).column("name").to_pylist() == names
    assert found_in(*where, *records) == [set()] * len(names)
