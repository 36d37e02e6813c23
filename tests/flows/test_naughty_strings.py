"""The Big List of Naughty Strings in every column of both layouts, through the whole path into the store.

Each string is in one column of one otherwise lawful record: it comes back byte for byte, or the record is
rejected with its code. Never an exception, never something else stored than was sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from juki.columns import IdentityFile, Layout, columns_of
from juki.order import Channel
from juki.reasons import Code, Severity
from juki.records import format_records
from tests.flows.attack import content_of, lay_sealed, made_up_people, take_in
from tests.flows.conftest import CODES, RESIDENT, Town

FUHYO = IdentityFile.FUHYO
NAUGHTY: list[str] = json.loads((Path(__file__).parents[1] / "naughty" / "blns.json").read_text("utf-8"))
# What the list lacks: texts that normalising, trimming, COPY or a CSV reader would change.
OURS = [
    "か\u3099",
    "e\u0301",
    "\u212b",
    "葛\U000e0100飾",
    "﨑",
    " x ",
    "\u3000",
    "\\N",
    "\\x41",
    "\\.",
    '"',
    "a,b",
    "''",
]
TEXTS = {
    RESIDENT: ["name", "name_kana", "former_name", "former_name_kana", "alias", "address"],
    FUHYO: ["name", "name_kana", "address"],
}
_AS_SENT = {"is_foreign": "is_foreign::int", "is_abroad": "is_abroad::int"}
_SEALED = {"individual_number", "previous_individual_number"}


def _columns(file: IdentityFile) -> list[str]:
    """Every column but the notice number, which a package is counted by and refused as a whole for."""
    return [name for name in columns_of(Layout.NOTICE, file) if name != "notice_no"]


def _with_strings(file: IdentityFile, strings: list[str]) -> tuple[pa.Table, list[tuple[str, str]]]:
    """Put each string into each column of a record of its own."""
    places = [(column, string) for column in _columns(file) for string in strings]
    table = made_up_people(file, len(places))
    for index, name in enumerate(table.column_names):
        values = table.column(name).to_pylist()
        changed = [
            string if column == name else value
            for value, (column, string) in zip(values, places, strict=True)
        ]
        table = table.set_column(index, name, pa.array(changed, pa.string()))
    return table, places


def _sent(town: Town, table: pa.Table) -> None:
    lay_sealed(town, content_of(town, format_records(table), table.num_rows))
    take_in(town)
    assert town.rows("SELECT state, code FROM package") == [("applied", None)]


def _stored(town: Town, column: str) -> dict[int, str]:
    """Read a column of what was accepted, by notice, as text."""
    written = _AS_SENT.get(column, column)
    query = f"SELECT notice_no, coalesce(({written})::text, '') FROM {{}}"
    rows = town.rows(query.format("current")) + town.rows(query.format("history"))
    return dict(rows)


def _rejected(town: Town) -> set[int]:
    """The notices with a finding that blocks, each with a code there is."""
    rows = town.rows("SELECT DISTINCT notice_no, code FROM rejection WHERE severity = 'error'")
    assert all(Code(code).severity is Severity.ERROR for _, code in rows)
    return {number for number, _ in rows}


@pytest.fixture(params=list(IdentityFile))
def channel_town(request: pytest.FixtureRequest, town: Town) -> Iterator[Town]:
    """The town by each of its two channels."""
    yield replace(town, channel=Channel(CODES[0], request.param))


def test_naughty_strings_come_back_byte_for_byte_or_are_rejected_by_code(channel_town: Town) -> None:
    """The list, and ours, in each of 20 and 14 columns."""
    town, file = channel_town, channel_town.channel.file
    table, places = _with_strings(file, NAUGHTY + OURS)
    _sent(town, table)
    rejected = _rejected(town)
    accepted = set(range(1, table.num_rows + 1)) - rejected
    kept = {number for (number,) in town.rows("SELECT line - 1 FROM quarantine")}
    assert kept == rejected
    assert len({*accepted, *rejected}) == len(places)
    for column in _columns(file):
        if column in _SEALED:
            continue
        stored = _stored(town, column) if column != "notified_at" and column != "event_date" else {}
        numbers = [number for number, (name, _) in enumerate(places, 1) if name == column]
        for number in numbers:
            if number in accepted and stored:
                assert stored[number].encode() == places[number - 1][1].encode(), (column, number)
    for column in TEXTS[file]:
        passed = {places[number - 1][1] for number in accepted if places[number - 1][0] == column}
        assert passed, column


def test_values_at_the_ends_of_the_calendar_are_stored_or_rejected_and_can_be_read_again(town: Town) -> None:
    """The first and the last days there are; a second package about the same people reads them back."""
    extremes = {
        "notified_at": [
            "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00-12:00", "9999-12-31T23:59:59-12:00",
            "9999-12-31T23:59:59+14:00", "1970-01-01T00:00:00.000001Z", "0000-01-01T00:00:00Z",
        ],
        "event_date": ["0001-01-01", "9999-12-31", "1582-10-10", "0000-01-01"],
        "birth_date": ["00010101", "00000000", "99991231", "0001A1A1"],
    }  # fmt: skip
    places = [(column, value) for column, values in extremes.items() for value in values]
    people = made_up_people(RESIDENT, len(places))
    records = [
        record | {column: value, "kind": "deletion", "reason": "国内転出"}
        for record, (column, value) in zip(people.to_pylist(), places, strict=True)
    ]
    table = pa.Table.from_pylist(records, people.schema)
    _sent(town, table)
    again = [
        record | {"notice_no": str(len(places) + number), "kind": "entry", "reason": "国内転入",
                  "notified_at": "2026-11-20T09:00:00+09:00", "event_date": "2026-11-19", "birth_date": "19900101"}
        for number, record in enumerate(records, 1)
    ]  # fmt: skip
    csv = format_records(pa.Table.from_pylist(again, people.schema))
    numbers = {"sequence": 2, "first_notice_no": len(places) + 1, "last_notice_no": 2 * len(places)}
    lay_sealed(town, content_of(town, csv, len(places), **numbers), 2)
    take_in(town)
    assert town.rows("SELECT state FROM package ORDER BY sequence") == [("applied",), ("applied",)]
    assert town.rows("SELECT count(*) FROM current WHERE kind = 'entry'") == [(len(places),)]
    assert town.rows("SELECT count(*) FROM current WHERE received_on < '2026-01-01'") == [(0,)]
