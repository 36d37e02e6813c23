"""Strict CSV: what is read, what is refused and with which code, and that nothing of it leaks."""

from __future__ import annotations

import pyarrow as pa
import pytest

from juki.errors import ContractError
from juki.reasons import Code
from juki.records import format_records, parse_records

_AB = ("a", "b")


def _refusal(content: bytes, columns: tuple[str, ...] = _AB) -> Code:
    with pytest.raises(ContractError) as caught:
        parse_records(content, columns)
    assert caught.value.__context__ is None and caught.value.__cause__ is None
    return caught.value.code


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"a,b\n", []),
        (b"a,b\n1,2\n", [("1", "2")]),
        (b"a,b\n1,2", [("1", "2")]),
        (b"a,b\r\n1,2\r\n", [("1", "2")]),
        (b"b,a\n2,1\n", [("1", "2")]),
        (b"a,b\n,\n", [("", "")]),
        (b'"a","b"\n"1","2"\n', [("1", "2")]),
        (b'a,b\n"","x"""\n', [("", 'x"')]),
        (b'a,b\n"1,5",2\n', [("1,5", "2")]),
        (b'a,b\n"x\ny","x\r\ny"\n', [("x\ny", "x\r\ny")]),
        (b'a,b\n"x\ry",1\n', [("x\ry", "1")]),
        (b"a,b\nNA,null\n", [("NA", "null")]),
        (b"a,b\n 01 ,1.0\n", [(" 01 ", "1.0")]),
        ("a,b\n𠮷\U000e0101,\ufeff\n".encode(), [("𠮷\U000e0101", "\ufeff")]),
    ],
)
def test_strict_csv_is_read_as_text(content: bytes, rows: list[tuple[str, str]]) -> None:
    """Values stay text, byte for byte; empty stays empty and is no null."""
    table = parse_records(content, _AB)
    assert list(zip(*table.to_pydict().values(), strict=True)) == rows
    assert table.schema == pa.schema([("a", pa.string()), ("b", pa.string())])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b",
        b"\xef\xbb\xbfa,b\n1,2\n",
        "a,b\n1,2\n".encode("utf-16"),
        "a,b\n氏,名\n".encode("cp932"),
        b"a,b\n1,\xed\xa0\x80\n",
        b"a,b\n1,\xc0\xaf\n",
        b"a,b\n1,\x00\n",
        b"a,b\x00\n1,2\n",
        b"a,b\r1,2\r",
        b"a,b\n1,2\r3\n",
        b"a,b\n1,2\r\n",
        b"a,b\r\n1,2\n",
        b"a,b\r\n1,2\r",
        b"a,b\n\n1,2\n",
        b"a,b\n1,2\n\n",
        b"a,b\r\n\r\n",
        b"a,b\n1\n",
        b"a,b\n1,2,3\n",
        b'a,b\n"1,2\n',
        b'a,b\n1"2,"3\n',
        b'a,b\n"1"2,3\n',
        b'a,b\n1,2"3"\n',
        b'a,b\n"1" ,2\n',
        b'a,b\n1, "2"\n',
        b"a,b\n" + b"x" * 10_000_000 + b",1\n",
    ],
)
def test_anything_but_strict_csv_is_refused(content: bytes) -> None:
    """Wrong encodings, NUL, bare or mixed line ends, empty lines, ragged rows, stray quotes, giant lines."""
    assert _refusal(content) is Code.PACKAGE_CSV


@pytest.mark.parametrize(
    "header",
    [
        "a",
        "a,b,c",
        "a,a",
        "a,b,b",
        "a,c",
        "A,b",
        "a, b",
        "a;b",
        "",
        "a,b,",
        '"a,b"',
        "a,b,本籍",
    ],
)
def test_unknown_missing_or_repeated_column_is_refused_by_name(header: str) -> None:
    """The header decides before any row is read (M1)."""
    assert _refusal(header.encode() + b"\n1,2\n") is Code.PACKAGE_COLUMNS


def test_rows_of_an_unknown_column_are_never_parsed() -> None:
    """The header is judged first: even unreadable rows below it do not change the answer."""
    assert _refusal(b'a,b,honseki\n\xff\x00\r\r"\n') is Code.PACKAGE_COLUMNS


def test_too_many_records_are_refused_before_they_are_parsed() -> None:
    """The bound counts records, not line breaks inside quotes."""
    assert _refusal(b"a,b\n" + b"1,2\n" * 100_001) is Code.PACKAGE_TOO_MANY_RECORDS
    assert parse_records(b'a,b\n"1\n1\n1",2\n3,4', _AB, max_records=2).num_rows == 2
    with pytest.raises(ContractError):
        parse_records(b"a,b\n1,2\n3,4", _AB, max_records=1)


def test_part_of_a_package_is_read_without_a_copy_of_the_rest() -> None:
    """A view into the opened package is enough."""
    assert parse_records(memoryview(b"{}\na,b\n1,2\n")[3:], _AB).num_rows == 1


def test_quotes_are_written_only_where_needed() -> None:
    """A vendor who reads lines sees plain ones."""
    table = pa.table({"a": ["1", "x,y", 'q"'], "b": ["", "2", "\n"]})
    assert format_records(table) == b'a,b\n1,\n"x,y",2\n"q""","\n"\n'


def test_empty_table_is_a_header() -> None:
    """No rows, one line."""
    assert (
        format_records(pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.string())})) == b"a,b\n"
    )


def test_one_empty_value_alone_is_quoted() -> None:
    """An empty line would be refused on reading."""
    table = pa.table({"a": ["", "1"]})
    assert parse_records(format_records(table), ("a",)).equals(table)


@pytest.mark.parametrize("values", [[None], ["\x00"]])
def test_null_and_nul_can_not_be_written(values: list[str | None]) -> None:
    """What no reader accepts is not written."""
    with pytest.raises(ValueError, match="NUL"):
        format_records(pa.table({"a": pa.array(values, pa.string()), "b": ["1"]}))


def test_slices_and_chunks_are_written_as_they_stand() -> None:
    """Only the rows of the slice, whatever stands before it in memory."""
    table = pa.concat_tables([pa.table({"a": ["1", "2"], "b": ["3", "4"]})] * 2).slice(1, 2)
    assert format_records(table) == b"a,b\n2,4\n1,3\n"
