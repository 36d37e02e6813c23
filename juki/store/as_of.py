"""What a municipality said of its people as of one of its notices, asked of the live cells of our rows.

Decides:    which version of each person counts: the municipality's own latest up to the notice, whoever else has
            said something of the person since; who was erased by it is not there. What is current and was said up to
            the notice is read in ranges of codes, by digest or by row; what stood then and is history now is few, and
            is read as a whole.
Leaves:     their side and the form of the digests to `juki.canonical`, what differs to `juki.comparison`.
Invariants: never reads all of history, nor people of other municipalities. No stored digest is believed. A current
            row that is lost is not brought back from history: where another version was superseded by a later one of
            the municipality itself, that later one counts, or nothing. A notice number beyond the last one received
            is no reason to leave a row out.
Source:     ADR-0023, measure M11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from juki.canonical import CELL_END, RECORD_END, Ranges
from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.comparison import OURS_ALONE, ours_schema
from juki.numbers import combined
from juki.store.bulk import copy_out

_CIPHERTEXT = pa.field("number_sealed", pa.string())
"""The sealed number in hexadecimal, empty where there is none; only of who asks for ciphertexts."""
HOLDERS = pa.schema([("resident_code", pa.string()), ("sender_code", pa.string())])

_NUMBER = """CASE
    WHEN {v}.number_index IS NULL THEN ''
    WHEN octet_length({v}.number_sealed) < 42 THEN '?'
    WHEN octet_length({v}.number_sealed) <> 42 + get_byte({v}.number_sealed, 1) THEN '?'
    ELSE encode({v}.number_index, 'hex') END"""
"""The keyed index; what can not be a ciphertext beside it (`juki.numbers.seal`) makes the number differ."""
_FLAG = "CASE WHEN {v}.{name} THEN '1' ELSE '0' END"
_CELLS = {
    "individual_number": _NUMBER,
    "is_foreign": _FLAG, "is_abroad": _FLAG,
    "name_gaiji": "{v}.{name}::text", "address_gaiji": "{v}.{name}::text",
    "resident_code": "{v}.{name}", "birth_date": "{v}.{name}",
}  # fmt: skip
_TEXT = "coalesce({v}.{name}, '')"

_SAID = """c.sender_code = %(sender)s
    AND (c.notice_no <= %(watermark)s OR c.notice_no > %(last)s)"""
_STANDS = _SAID + " AND c.kind <> 'deletion' AND c.resident_code <> ALL (%(hidden)s::text[])"

_DIGESTS = """
    SELECT d.rows, d.digest FROM unnest(%(lows)s::text[], %(highs)s::text[]) WITH ORDINALITY r (low, high, place)
    CROSS JOIN LATERAL (
        SELECT count(*), sha256(convert_to(coalesce(string_agg(o.line, ''), ''), 'UTF8')) FROM (
            SELECT {line} FROM current c
            WHERE {stands} AND c.resident_code > r.low AND c.resident_code <= r.high
            ORDER BY c.resident_code LIMIT %(most)s
        ) o (line)
    ) d (rows, digest) ORDER BY r.place
"""
_ROWS = """
    SELECT {selection} FROM unnest(%(lows)s::text[], %(highs)s::text[]) r (low, high)
    CROSS JOIN LATERAL (
        SELECT * FROM current c WHERE {stands} AND c.resident_code > r.low AND c.resident_code <= r.high OFFSET 0
    ) c {whom}
"""
"""OFFSET 0 keeps the planner from reading everybody once for each range."""
_OF_THEM = "WHERE c.resident_code = ANY (%(codes)s::text[])"
_NOT_OF_THEM = "WHERE c.resident_code <> ALL (%(codes)s::text[])"
_PAGE = """
    SELECT {selection} FROM current c
    WHERE {stands} AND c.resident_code {after} %(low)s {upto} ORDER BY c.resident_code LIMIT %(most)s
"""
_UPTO = "AND c.resident_code <= %(high)s"
_BEYOND = """
    SELECT c.resident_code, c.package_id FROM current c WHERE {stands} AND c.resident_code > %(low)s
    UNION ALL SELECT c.resident_code, c.package_id FROM current c WHERE {stands} AND c.resident_code = ''
"""
_LATEST_OF_HISTORY = """
    WITH said AS (
        SELECT h.resident_code, h.notice_no, h.repair_no, h.kind FROM history h
        WHERE h.sender_code = %(sender)s AND h.superseded_by_sender_code <> h.sender_code
          AND h.notice_no <= %(watermark)s
        UNION ALL
        SELECT h.resident_code, h.notice_no, h.repair_no, h.kind FROM history h
        WHERE h.sender_code = %(sender)s AND h.superseded_by_sender_code = %(sender)s
          AND h.notice_no <= %(watermark)s AND h.superseded_by_notice_no > %(watermark)s
          AND h.superseded_by_package_id >= (
              SELECT min(p.package_id) FROM package p WHERE p.municipality_code = %(sender)s
                AND p.state = 'applied' AND coalesce(p.last_notice_no, %(watermark)s + 1) > %(watermark)s
          )
    ),
    latest AS (
        SELECT DISTINCT ON (person) s.*, coalesce(f.new_code, s.resident_code) AS person
        FROM said s LEFT JOIN former_code f USING (resident_code)
        ORDER BY person, s.notice_no DESC, s.repair_no DESC
    ),
    counting AS (
        SELECT l.*, o.codes FROM latest l CROSS JOIN LATERAL (
            SELECT array_agg(c.resident_code) AS codes,
                   bool_or((c.notice_no, c.repair_no) >= (l.notice_no, l.repair_no)) AS is_newer
            FROM current c WHERE c.resident_code IN (l.person, l.resident_code) AND {said}
        ) o
        WHERE o.is_newer IS NOT TRUE AND NOT EXISTS (
            SELECT FROM history x WHERE x.resident_code IN (l.person, l.resident_code)
              AND x.superseded_by_sender_code = %(sender)s AND x.superseded_by_notice_no > l.notice_no
              AND x.superseded_by_notice_no <= %(watermark)s
        )
    )
"""
_COUNTING = """
    SELECT {selection}, l.kind, l.codes[1], l.codes[2] FROM counting l JOIN history h
      ON h.sender_code = %(sender)s AND h.notice_no = l.notice_no AND h.repair_no = l.repair_no
    WHERE l.kind <> 'deletion' OR l.codes IS NOT NULL ORDER BY h.resident_code
"""
_BESIDE = (("kind", pa.string()), ("hidden", pa.string()), ("hidden_too", pa.string()))
_PACKAGES = """
    SELECT c.resident_code, c.package_id FROM current c
    WHERE {stands} AND c.resident_code = ANY (%(codes)s::text[])
"""
_HOLDERS = """
    SELECT a.code, c.sender_code FROM unnest(%(codes)s::text[]) a (code)
    LEFT JOIN former_code f ON f.resident_code = a.code
    JOIN current c ON c.resident_code = coalesce(f.new_code, a.code)
    WHERE c.sender_code <> %(sender)s AND c.kind <> 'deletion'
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice of a municipality, and the last one of it that we have received."""

    sender_code: str
    watermark: int
    last: int


@dataclass(frozen=True, slots=True, repr=False)
class OurSide:
    """One municipality in one file as of one of its notices, seen through one open transaction.

    Shape: `stood` as `juki.comparison.ours_schema`: those whose version is history by now, in order of code; `hidden`
           the codes of current rows that do not count, because what stood is later.
    """

    file: IdentityFile
    cursor: psycopg.Cursor
    notice: Notice
    stood: pa.Table
    hidden: Sequence[str]
    with_ciphertexts: bool = False
    """Whether what is read of a person has `number_sealed` as its last column; the fuhyo file has none."""

    @classmethod
    def open(
        cls, file: IdentityFile, cursor: psycopg.Cursor, notice: Notice, *, with_ciphertexts: bool = False
    ) -> OurSide:
        """Find out what stood at the notice and does no more."""
        shape = _shape(file, with_ciphertexts=with_ciphertexts)
        nothing = cls(file, cursor, notice, shape.empty_table(), (), with_ciphertexts)
        query = (_LATEST_OF_HISTORY + _COUNTING).format(said=_SAID, selection=nothing._selection("h"))
        counting = nothing._copied(query, pa.schema([*shape, *_BESIDE]))
        stood = counting.filter(pc.not_equal(counting.column("kind"), "deletion")).select(shape.names)
        hidden = {code for name in ("hidden", "hidden_too") for code in counting.column(name).to_pylist()}
        return cls(file, cursor, notice, stood, sorted(hidden - {""}), with_ciphertexts)

    def digests(self, ranges: Ranges, most: int) -> tuple[list[int], list[bytes]]:
        """Count and digest our rows in each range; no more than `most` of a range are looked at."""
        query = _DIGESTS.format(line=_line(self.file), stands=_STANDS)
        asked = {"lows": list(ranges.lows), "highs": list(ranges.highs), "most": most}
        told = self.cursor.execute(query, self._with(asked), binary=True).fetchall()
        return [rows for rows, _ in told], [digest for _, digest in told]

    def rows(self, lows: Sequence[str], highs: Sequence[str], codes: pa.Array | None = None) -> pa.Table:
        """Read our rows in some ranges, as `juki.comparison.ours_schema`; of some people only, where given."""
        query = _ROWS.format(
            selection=self._selection("c"), stands=_STANDS, whom="" if codes is None else _OF_THEM
        )
        asked = {
            "lows": list(lows),
            "highs": list(highs),
            "codes": [] if codes is None else codes.to_pylist(),
        }
        return self._copied(query, self.shape, asked)

    def page(self, low: str | None, high: str | None, most: int) -> pa.Table:
        """Read our first rows after a code, `most` of them at most, in order; from the first on, and to the last one,
        where no bound is given. Shape as `rows`.
        """
        after, upto = (">" if low is not None else ">="), "" if high is None else _UPTO
        query = _PAGE.format(selection=self._selection("c"), stands=_STANDS, after=after, upto=upto)
        return self._copied(query, self.shape, {"low": low or "", "high": high, "most": most})

    def others(self, lows: Sequence[str], highs: Sequence[str], codes: pa.Array) -> pa.Table:
        """Read who else of ours there is in some ranges; OURS_ALONE."""
        selection = "c.resident_code, c.package_id"
        query = _ROWS.format(selection=selection, stands=_STANDS, whom=_NOT_OF_THEM)
        return self._copied(
            query, OURS_ALONE, {"lows": list(lows), "highs": list(highs), "codes": codes.to_pylist()}
        )

    def beyond(self, low: str) -> pa.Table:
        """Read who of ours comes after a code; OURS_ALONE."""
        return self._copied(_BEYOND.format(stands=_STANDS), OURS_ALONE, {"low": low})

    def packages(self, codes: pa.Array) -> pa.Table:
        """Read the packages of our versions of some people; OURS_ALONE."""
        if len(codes) == 0:
            return OURS_ALONE.empty_table()
        asked = {"codes": codes.to_pylist()}
        current = self._copied(_PACKAGES.format(stands=_STANDS), OURS_ALONE, asked)
        is_asked = pc.is_in(combined(self.stood, "resident_code"), value_set=codes)
        return pa.concat_tables([current, self.stood.filter(is_asked).select(OURS_ALONE.names)])

    def holders(self, codes: pa.Array) -> pa.Table:
        """Tell which other municipality some people are current for; HOLDERS."""
        return self._copied(_HOLDERS, HOLDERS, {"codes": codes.to_pylist()})

    @property
    def shape(self) -> pa.Schema:
        """The shape of `stood`, `rows` and `page`."""
        return _shape(self.file, with_ciphertexts=self.with_ciphertexts)

    def _selection(self, version: str) -> str:
        cells = [*_cells(self.file, version), f"{version}.package_id"]
        sealed = [f"encode({version}.number_sealed, 'hex')"] if _CIPHERTEXT.name in self.shape.names else []
        return ", ".join([*cells, *sealed])

    def _with(self, asked: Mapping[str, object]) -> dict[str, object]:
        notice = self.notice
        given = {"sender": notice.sender_code, "watermark": notice.watermark, "last": notice.last}
        return {**given, "hidden": list(self.hidden), **asked}

    def _copied(self, query: str, schema: pa.Schema, asked: Mapping[str, object] | None = None) -> pa.Table:
        """Read a query by COPY, which takes no parameters: they are quoted by the driver."""
        quoting = psycopg.ClientCursor(self.cursor.connection)
        return copy_out(self.cursor, quoting.mogrify(query, self._with(asked or {})), schema)


def _shape(file: IdentityFile, *, with_ciphertexts: bool) -> pa.Schema:
    """Give the shape of our side, with the ciphertexts of numbers where they are wanted and there are any."""
    shape = ours_schema(file)
    return shape.append(_CIPHERTEXT) if with_ciphertexts and file is IdentityFile.RESIDENT else shape


def _cells(file: IdentityFile, version: str) -> list[str]:
    """Write the canonical cells of a row of `current` or `history` as SQL."""
    return [_CELLS.get(name, _TEXT).format(v=version, name=name) for name in RECORD_COLUMNS[file]]


def _line(file: IdentityFile) -> str:
    """Write the canonical line of a row of `current` as SQL, byte for byte that of `juki.canonical.lines_of`."""
    cell_end, record_end = f"E'\\x{CELL_END.hex()}'", f"E'\\x{CELL_END.hex()}\\x{RECORD_END.hex()}'"
    return f" || {cell_end} || ".join(f"({cell})" for cell in _cells(file, "c")) + f" || {record_end}"
