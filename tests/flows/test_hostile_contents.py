"""Genuinely sealed packages with hostile contents, through the whole path from the outbox to the receipt.

Each is refused by its code as a whole: nothing half applied, the file kept in quarantine, the refusal in the
journal, in the receipt and in the state of the channel; and the next good package of that sequence is applied.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from juki.columns import Layout, columns_of
from juki.packages import MAX_RECORDS
from juki.reasons import Code
from juki.records import format_records
from tests.flows.attack import (
    assert_next_good_one_is_applied,
    assert_refused_whole,
    content_of,
    good_content,
    good_table,
    health_of,
    lay_sealed,
    take_in,
    with_words,
)
from tests.flows.conftest import RESIDENT, Town

Attack = Callable[[Town], bytes]
NAMES = columns_of(Layout.NOTICE, RESIDENT)


def _csv(change: Callable[[bytes], bytes], records: int = 5) -> Attack:
    """Do something to the CSV of a good package; the manifest describes what comes out."""
    return lambda town: content_of(town, change(format_records(good_table(town))), records)


def _row(line: bytes) -> Callable[[bytes], bytes]:
    """Put a line after the header, in place of the first record."""
    return lambda csv: b"\n".join([csv.split(b"\n")[0], line, *csv.split(b"\n")[2:]])


def _header(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    """Change the names of the columns."""

    def changed(csv: bytes) -> bytes:
        header, _, rest = csv.partition(b"\n")
        return b",".join(change(header.split(b","))) + b"\n" + rest

    return changed


def _without_the_address(csv: bytes) -> bytes:
    at = NAMES.index("address")
    lines = [line.split(b",") for line in csv.splitlines()]
    return b"".join(b",".join(line[:at] + line[at + 1 :]) + b"\n" for line in lines)


def _with_honseki(csv: bytes) -> bytes:
    header, *lines = csv.splitlines()
    return b"\n".join([header + b",honseki", *(line + "\u5c71\u53e3".encode() for line in lines)]) + b"\n"


def _giant(form: bytes) -> Callable[[bytes], bytes]:
    """A field of 10 MB in the place of a name."""
    fields = [b""] * len(NAMES)
    fields[NAMES.index("name")] = form % (b"x" * 10_000_000)
    return _row(b",".join(fields))


CSV_ATTACKS: dict[str, tuple[Attack, Code]] = {
    "byte order mark": (_csv(lambda csv: b"\xef\xbb\xbf" + csv), Code.PACKAGE_CSV),
    "UTF-16": (_csv(lambda csv: csv.decode().encode("utf-16")), Code.PACKAGE_CSV),
    "UTF-16 without mark": (_csv(lambda csv: csv.decode().encode("utf-16-le")), Code.PACKAGE_CSV),
    "CP932": (_csv(lambda csv: csv.decode().encode("cp932", "replace")), Code.PACKAGE_CSV),
    "half a character": (_csv(_row(b"," * 7 + b"\xe5\xb1" + b"," * 13)), Code.PACKAGE_CSV),
    "encoded surrogate": (_csv(_row(b"," * 7 + b"\xed\xa0\x80" + b"," * 13)), Code.PACKAGE_CSV),
    "NUL in a value": (_csv(_row(b"," * 7 + b"\x00" + b"," * 13)), Code.PACKAGE_CSV),
    "NUL in the header": (_csv(_header(lambda names: [names[0] + b"\x00", *names[1:]])), Code.PACKAGE_CSV),
    "bare CR": (_csv(lambda csv: csv.replace(b"\n", b"\r")), Code.PACKAGE_CSV),
    "one bare CR": (_csv(_row(b"," * 7 + b"\r" + b"," * 13)), Code.PACKAGE_CSV),
    "LF and CRLF mixed": (_csv(lambda csv: csv.replace(b"\n", b"\r\n", 2)), Code.PACKAGE_CSV),
    "quote never closed": (_csv(_row(b"," * 7 + b'"' + b"," * 13)), Code.PACKAGE_CSV),
    "quote in the middle": (_csv(_row(b"," * 7 + b'x"y"' + b"," * 13)), Code.PACKAGE_CSV),
    "quoted header over two lines": (
        _csv(_header(lambda names: [b'"notice\nno"', *names[1:]])), Code.PACKAGE_COLUMNS,
    ),
    "empty line": (_csv(lambda csv: csv + b"\n"), Code.PACKAGE_CSV),
    "row too short": (_csv(_row(b"," * 19)), Code.PACKAGE_CSV),
    "row too long": (_csv(_row(b"," * 21)), Code.PACKAGE_CSV),
    "field of 10 MB": (_csv(_giant(b"%s")), Code.PACKAGE_CSV),
    "quoted field of 10 MB": (_csv(_giant(b'"%s"')), Code.PACKAGE_CSV),
    "quoted field of 10 MB with line breaks": (_csv(_giant(b'"%s\nx"')), Code.PACKAGE_CSV),
    "header twice": (_csv(_header(lambda names: [names[1], *names[1:]])), Code.PACKAGE_COLUMNS),
    "header in capitals": (_csv(_header(lambda names: [name.upper() for name in names])), Code.PACKAGE_COLUMNS),
    "header with a space": (_csv(_header(lambda names: [*names[:-1], b" " + names[-1]])), Code.PACKAGE_COLUMNS),
    "missing column": (_csv(_without_the_address), Code.PACKAGE_COLUMNS),
    "unknown column": (_csv(_with_honseki), Code.PACKAGE_COLUMNS),
    "columns of the other file": (
        _csv(lambda csv: b",".join(name.encode() for name in columns_of(Layout.NOTICE, RESIDENT)[1:]) + b"\n"),
        Code.PACKAGE_COLUMNS,
    ),
    "nothing but LF": (_csv(lambda _: b"\n"), Code.PACKAGE_COLUMNS),
    "no bytes": (_csv(lambda _: b""), Code.PACKAGE_CSV),
    "no rows": (_csv(lambda csv: csv.split(b"\n")[0] + b"\n"), Code.PACKAGE_COUNT),
    "one row less": (_csv(lambda csv: b"".join(csv.splitlines(keepends=True)[:-1])), Code.PACKAGE_COUNT),
    "one row more": (_csv(lambda csv: csv + csv.splitlines(keepends=True)[-1]), Code.PACKAGE_COUNT),
    "rows in another order": (
        _csv(lambda csv: b"".join(csv.splitlines(keepends=True)[i] for i in (0, 2, 1, 3, 4, 5))),
        Code.PACKAGE_COUNT,
    ),
    "row twice": (
        _csv(lambda csv: b"".join(csv.splitlines(keepends=True)[i] for i in (0, 1, 1, 3, 4, 5))),
        Code.PACKAGE_COUNT,
    ),
    "notice number in full-width digits": (
        _csv(lambda csv: csv.replace(b"\n2,", "\n\uff12,".encode(), 1)), Code.PACKAGE_COUNT,
    ),
}  # fmt: skip


def _raw(line: bytes) -> Attack:
    """Write a line as it is in the place of the manifest."""
    return lambda town: line + format_records(good_table(town))


def _said(**said: object) -> Attack:
    return lambda town: with_words(town, **said)


def _edited(old: bytes, new: bytes) -> Attack:
    """Edit the good manifest as text."""

    def edited(town: Town) -> bytes:
        line, _, csv = good_content(town).partition(b"\n")
        assert old in line
        return line.replace(old, new, 1) + b"\n" + csv

    return edited


# The rest of what a manifest can do wrong stands in tests/unit/test_hostile_manifests.py.
MANIFEST_ATTACKS: dict[str, tuple[Attack, Code]] = {
    "key twice": (_edited(b'"records":5', b'"records":5,"records":5'), Code.PACKAGE_MANIFEST),
    "NaN": (_edited(b'"records":5', b'"records":NaN'), Code.PACKAGE_MANIFEST),
    "boolean": (_said(records=True, last_notice_no=1), Code.PACKAGE_MANIFEST),
    "nested object": (_said(sha256={"sha256": "0" * 64}), Code.PACKAGE_MANIFEST),
    "huge integer": (_edited(b'"records":5', b'"records":' + b"9" * 3500), Code.PACKAGE_MANIFEST),
    "lone surrogate": (_said(recipient="35000\ud800"), Code.PACKAGE_MANIFEST),
    "deep nesting": (_raw(b'{"a":' * 680 + b"}" * 680 + b"\n"), Code.PACKAGE_MANIFEST),
    "unknown key": (_said(honseki="x"), Code.PACKAGE_MANIFEST),
    "byte order mark": (_edited(b"{", b"\xef\xbb\xbf{"), Code.PACKAGE_MANIFEST),
    "too long": (_edited(b"{", b"{" + b" " * 4096), Code.PACKAGE_MANIFEST),
    "instant at the end of the calendar": (_said(created_at="9999-12-31T23:59:59Z"), Code.PACKAGE_MANIFEST),
    "too many announced": (
        _said(records=MAX_RECORDS + 1, last_notice_no=MAX_RECORDS + 1), Code.PACKAGE_TOO_MANY_RECORDS,
    ),
    "more announced than sent": (_said(records=6, last_notice_no=6), Code.PACKAGE_COUNT),
    "wrong hash": (_said(sha256="0" * 64), Code.PACKAGE_DIGEST),
    "wrong sequence": (_said(sequence=2), Code.PACKAGE_BINDING),
    "other file": (_said(file="fuhyo"), Code.PACKAGE_BINDING),
    "other municipality": (_said(municipality_code="352012"), Code.PACKAGE_BINDING),
    "other recipient": (_said(recipient="340006"), Code.PACKAGE_BINDING),
    "notices do not begin at one": (_said(first_notice_no=2, last_notice_no=6), Code.PACKAGE_NOTICE_NO),
}  # fmt: skip


def _attacked(town: Town, attack: Attack, code: Code) -> None:
    data = lay_sealed(town, attack(town))
    take_in(town)
    assert_refused_whole(town, data, code)
    assert_next_good_one_is_applied(town)


@pytest.mark.parametrize("name", CSV_ATTACKS)
def test_hostile_csv_is_refused_whole_and_the_next_good_package_applied(town: Town, name: str) -> None:
    """Encodings, line ends, quotes, giants, headers and counts: issue 3 section 2."""
    _attacked(town, *CSV_ATTACKS[name])


@pytest.mark.parametrize("name", MANIFEST_ATTACKS)
def test_hostile_manifest_is_refused_whole_and_the_next_good_package_applied(town: Town, name: str) -> None:
    """Duplicate keys, numbers that are none, nesting, lengths, and words that do not agree."""
    _attacked(town, *MANIFEST_ATTACKS[name])


def test_hostile_csv_is_named_by_the_status_page_with_what_to_do(town: Town) -> None:
    """Through the command a person uses: the channel, the package's code and the next step."""
    lay_sealed(town, CSV_ATTACKS["bare CR"][0](town))
    take_in(town)
    status = town.juki("status", "--json")
    assert status.returncode == 1
    told = json.dumps(json.loads(status.stdout), ensure_ascii=False)
    assert Code.CHANNEL_REFUSED_OPEN.value in told and Code.PACKAGE_CSV.value in told
    assert Code.CHANNEL_REFUSED_OPEN.next_step in told


def test_record_of_nothing_but_commas_is_rejected_alone(town: Town) -> None:
    """A line of commas is a bad record and no bad package: the others of the package are applied."""
    csv = _row(b"1" + b"," * (len(NAMES) - 1))(format_records(good_table(town)))
    lay_sealed(town, content_of(town, csv, 5))
    take_in(town)
    assert town.rows("SELECT state, accepted, rejected FROM package") == [("applied", 4, 1)]
    assert town.rows("SELECT DISTINCT line FROM rejection WHERE severity = 'error'") == [(2,)]
    assert [one.code for one in health_of(town).conditions] == [Code.CHANNEL_RECORDS_REJECTED]
