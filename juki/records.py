"""The CSV part of a package as a table of text, and back.

Decides:    what counts as CSV (RFC 4180, UTF-8 without BOM, LF or CRLF but not both) and which
            header is ours.
Leaves:     every rule on a value to `juki.rules`, the number of records announced to `juki.packages`.
Invariants: all columns are text without nulls, "" is "not present", a value is byte-equal to what was sent.
            The header is judged before any row is read, so the content of an unknown column is never parsed
            (measure M1). No error carries a byte of the content. parse ∘ format is the identity.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from juki.errors import ContractError
from juki.reasons import Code

MAX_RECORDS = 100_000
"""spec/packages.md section 2."""

BLOCK_BYTES = 4 * 1024 * 1024
"""Parsed at a time, so that memory follows the block and not the package; no line may be longer."""

_HEADER_BYTES = 4096
_BOM = b"\xef\xbb\xbf"
_NUL, _LF, _CR, _QUOTE, _COMMA = 0x00, 0x0A, 0x0D, 0x22, 0x2C

Bytes = NDArray[np.uint8]
Positions = NDArray[np.intp]


def parse_records(
    csv: bytes | memoryview, columns: Sequence[str], *, max_records: int = MAX_RECORDS
) -> pa.Table:
    """Read the CSV part of a package into text columns in the given order.

    Shape:  one `pa.string()` column of one chunk per name in `columns`, no nulls; possibly no rows.
    Raises: ContractError(PACKAGE_COLUMNS) when the header has an unknown, missing or repeated column,
            ContractError(PACKAGE_TOO_MANY_RECORDS) beyond `max_records`,
            ContractError(PACKAGE_CSV) for anything that is not strict CSV.
    Source: RFC 4180, spec/packages.md sections 2 and 3.
    """
    content = np.frombuffer(csv, dtype=np.uint8)
    _check_header(content, columns)
    quotes = np.flatnonzero(content == _QUOTE)
    _check_quotes(content, quotes)
    is_multiline = _check_lines(content, quotes, max_records)
    table = _read(csv, columns, has_quotes=len(quotes) > 0, is_multiline=is_multiline)
    if table is None:
        raise ContractError(Code.PACKAGE_CSV)
    return table


def format_records(table: pa.Table) -> bytes:
    """Write a table of text columns as CSV: header line, LF, quotes only where RFC 4180 needs them.

    Raises: ValueError for NUL or null, which no package can carry.
    """
    header = ",".join(table.column_names) + "\n"
    if table.num_rows == 0:
        return header.encode("ascii")
    is_single = table.num_columns == 1
    fields = [_quoted(column.combine_chunks(), is_single=is_single) for column in table.columns]
    fields[-1] = pc.binary_join_element_wise(fields[-1], "", "\n")
    lines = pc.binary_join_element_wise(*fields, ",") if len(fields) > 1 else fields[0]
    return header.encode("ascii") + _data(lines).tobytes()


def _check_header(content: Bytes, columns: Sequence[str]) -> None:
    """Judge the first line alone: exactly our names, each once, in any order."""
    head = content[:_HEADER_BYTES].tobytes()
    line, newline, _ = head.partition(b"\n")
    text = _decoded(line)
    if text is None or head.startswith(_BOM) or not newline or b"\x00" in line:
        raise ContractError(Code.PACKAGE_CSV)
    names = [_unquoted(name) for name in text.removesuffix("\r").split(",")]
    if sorted(names) != sorted(columns):
        raise ContractError(Code.PACKAGE_COLUMNS)


def _decoded(line: bytes) -> str | None:
    """Read the header as UTF-8; None when it is not, so that the error that quotes it ends here."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _unquoted(name: str) -> str:
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name


def _check_quotes(content: Bytes, quotes: Positions) -> None:
    """Refuse quotes that do not pair up, or that open or close in the middle of a field.

    Counted from the start, every odd quote opens and every even one closes; a doubled quote closes and opens
    again at once, which is why a quote beside a quote is always in order.
    """
    if len(quotes) == 0:
        return
    opening, closing = quotes[0::2], quotes[1::2]
    if len(opening) != len(closing):
        raise ContractError(Code.PACKAGE_CSV)
    before = content[opening[opening > 0] - 1]
    after = content[closing[closing < len(content) - 1] + 1]
    if not (
        np.isin(before, (_COMMA, _LF, _QUOTE)).all() and np.isin(after, (_COMMA, _CR, _LF, _QUOTE)).all()
    ):
        raise ContractError(Code.PACKAGE_CSV)


def _check_lines(content: Bytes, quotes: Positions, max_records: int) -> bool:
    """Refuse NUL, bare CR, mixed line ends, empty or too many lines; tell of breaks inside quotes."""
    feeds, returns = np.flatnonzero(content == _LF), np.flatnonzero(content == _CR)
    ends, line_returns = _outside(feeds, quotes), _outside(returns, quotes)
    is_crlf = len(line_returns) > 0
    if is_crlf and not np.array_equal(line_returns + 1, ends):
        raise ContractError(Code.PACKAGE_CSV)
    lengths = np.diff(ends, prepend=-1) - (2 if is_crlf else 1)
    if (lengths == 0).any() or (content == _NUL).any():
        raise ContractError(Code.PACKAGE_CSV)
    records = len(ends) - 1 + (int(ends[-1]) != len(content) - 1)
    if records > max_records:
        raise ContractError(Code.PACKAGE_TOO_MANY_RECORDS)
    return len(ends) < len(feeds) or len(line_returns) < len(returns)


def _outside(positions: Positions, quotes: Positions) -> Positions:
    """Keep the positions that lie in no quoted field: those with an even number of quotes before them."""
    if len(quotes) == 0:
        return positions
    is_outside: NDArray[np.bool_] = np.searchsorted(quotes, positions) % 2 == 0
    return positions[is_outside]


def _read(
    csv: bytes | memoryview, columns: Sequence[str], *, has_quotes: bool, is_multiline: bool
) -> pa.Table | None:
    """Parse in blocks on one thread; None where Arrow refuses, because its message quotes the row."""
    try:
        table = pacsv.read_csv(
            pa.BufferReader(pa.py_buffer(csv)),
            read_options=pacsv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            parse_options=pacsv.ParseOptions(
                quote_char='"' if has_quotes else False,
                double_quote=True,
                escape_char=False,
                newlines_in_values=is_multiline,
                ignore_empty_lines=False,
            ),
            convert_options=pacsv.ConvertOptions(
                check_utf8=True,
                column_types=dict.fromkeys(columns, pa.string()),
                include_columns=list(columns),
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except (pa.ArrowException, UnicodeError):
        return None
    return table.combine_chunks()


def _quoted(values: pa.StringArray, *, is_single: bool) -> pa.StringArray:
    """Put quotes around the values that need them; of a single column, around empty ones too.

    An empty value alone on its line would be an empty line, which nobody could tell from an accident.
    """
    data = _data(values)
    if values.null_count or (data == _NUL).any():
        raise ValueError("text columns of a package hold no null and no NUL")
    if is_single:
        needed = pc.match_substring_regex(values, '[",\r\n]|^$')
    elif np.isin(data, (_COMMA, _QUOTE, _CR, _LF)).any():
        needed = pc.match_substring_regex(values, '[",\r\n]')
    else:
        return values
    doubled = pc.replace_substring(values, '"', '""')
    return pc.if_else(needed, pc.binary_join_element_wise('"', doubled, '"', ""), values)


def _data(values: pa.StringArray) -> Bytes:
    """View the bytes of all values of a column, one after the other."""
    _, offsets, data = values.buffers()
    if data is None:
        return np.empty(0, dtype=np.uint8)
    bounds = np.frombuffer(offsets, dtype=np.int32)[[values.offset, values.offset + len(values)]]
    return np.frombuffer(data, dtype=np.uint8)[bounds[0] : bounds[1]]
