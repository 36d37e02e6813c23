"""What a sender is told of its notices, and what of a notice is kept."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from juki.columns import IdentityFile
from juki.decisions import Effect
from juki.findings import Finding, Findings
from juki.numbers import SealingKey
from juki.packages import MAX_CONTENT_BYTES, RECEIPT_COLUMNS
from juki.reasons import Code
from juki.receipts import MORE_FOUND, receipt_records, verdict_counts, verdict_numbers
from juki.records import format_records
from juki.versions import Origin, versions_of
from tests.notice_tables import HERE, notice, notices

EFFECTS = np.array([Effect.APPLY, Effect.APPLY, Effect.REJECT, Effect.REPEAT, Effect.RECORD])
FOUND = Findings(
    5,
    (
        Finding(Code.BIRTH_DATE_MISSING, "birth_date", np.array([2])),
        Finding(Code.TEXT_HANGUL, "name", np.array([2])),
        Finding(Code.LOGIC_UNKNOWN_PERSON, "", np.array([1])),
        Finding(Code.LOGIC_ARRIVED_LATE, "", np.array([4])),
    ),
)
NUMBERS = pa.chunked_array([["11", "12", "13", "14", "15"]])


def test_every_verdict_is_told_and_every_finding_has_a_line() -> None:
    """In the order of the notices, and of the checks for one notice."""
    verdicts = verdict_numbers(EFFECTS, FOUND)
    table = receipt_records(NUMBERS, verdicts, FOUND)
    assert table.column_names == list(RECEIPT_COLUMNS)
    lines = [tuple(line.values())[:4] for line in table.to_pylist()]
    assert lines == [
        ("11", "accepted", "", ""),
        ("12", "accepted_with_alert", "logic.unknown_person", ""),
        ("13", "rejected", "birth_date.missing", "birth_date"),
        ("13", "rejected", "text.hangul", "name"),
        ("14", "repeat", "", ""),
        ("15", "accepted_with_alert", "logic.arrived_late", ""),
    ]
    assert table.column("message").to_pylist()[2] == Code.BIRTH_DATE_MISSING.message
    assert verdict_counts(verdicts) == {
        "records": 5, "accepted": 1, "alerted": 2, "rejected": 1, "repeated": 1,
    }  # fmt: skip


def test_a_receipt_stays_within_its_limit_however_much_is_wrong() -> None:
    """Beyond the limit each notice keeps the finding that decided, and is told that there is more."""
    records = 100_000
    everyone = np.arange(records)
    longest = max(Code, key=lambda code: len((code.value + code.message).encode()))
    alert, errors = Code.LOGIC_UNKNOWN_PERSON, (Code.TEXT_HANGUL, longest, *list(Code)[:9])
    found = Findings(records, tuple(Finding(code, "name", everyone) for code in (alert, *errors)))
    verdicts = verdict_numbers(np.full(records, Effect.REJECT), found)
    numbers = pa.chunked_array([pa.array([str(n) for n in range(records)])])
    table = receipt_records(numbers, verdicts, found)
    assert table.num_rows == records
    assert set(table.column("code").to_pylist()) == {Code.TEXT_HANGUL.value}
    assert set(table.column("message").to_pylist()) == {Code.TEXT_HANGUL.message + MORE_FOUND}
    assert len(format_records(table)) < MAX_CONTENT_BYTES


def test_a_version_keeps_what_was_received_and_where_it_came_from() -> None:
    """Texts byte for byte, absent ones null, flags and counts as such, the number sealed or null."""
    name = "葛\U000e0100飾　𠮷﨑〓"
    said = notice(name=name, name_gaiji="1", is_foreign="1", individual_number="123456789018")
    package = notices([said, notice(resident_code="B")])
    origin = Origin(HERE, 7, date(2026, 3, 25))
    made = versions_of(package, np.array([0, 1]), origin, SealingKey("resident-number-1", bytes(32)))
    first, second = made.columns.to_pylist()
    assert first["name"] == name
    assert (first["alias"], first["name_kana"], first["search_key"]) == (None, None, None)
    assert (first["is_foreign"], second["is_foreign"]) == (True, False)
    assert (first["name_gaiji"], first["package_id"], first["sender_code"]) == (1, 7, HERE)
    assert first["event_date"] == date(2026, 3, 20)
    assert "individual_number" not in made.columns.column_names
    assert [sealed is not None for sealed in made.sealed_numbers.to_pylist()] == [True, False]


def test_a_fuhyo_version_has_no_number_at_all() -> None:
    """The file never holds one (法30条の41)."""
    package = notices([notice()], IdentityFile.FUHYO)
    made = versions_of(package, np.array([0]), Origin(HERE, 1, date(2026, 3, 25)), SealingKey("x", bytes(32)))
    assert made.sealed_numbers.to_pylist() == [None]
    assert "reason" not in made.columns.column_names
