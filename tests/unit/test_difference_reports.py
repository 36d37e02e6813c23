"""The report on differences: its manifest and lines read back, and anything that is no such report is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.difference_reports import REPORT_COLUMNS, parse_report, write_report
from juki.differences import DifferenceKind, DifferenceState
from juki.errors import ContractError
from juki.packages import (
    MAX_CONTENT_BYTES,
    DifferencesManifest,
    PackageKind,
    PackageName,
    check_binding,
    read_package,
    sha256_hex,
)
from juki.reasons import Code
from juki.records import format_records
from juki.snapshot_manifests import MAX_REPORT_LINES

_PAGE = Path(__file__).parents[2] / "docs" / "formats" / "differences.md"
RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
KINDS = [kind.value for kind in DifferenceKind]
STATES = [state.value for state in DifferenceState]
NAME = PackageName("352039", RESIDENT, PackageKind.DIFFERENCES, 3)
AT = datetime(2026, 11, 23, 2, tzinfo=timezone(timedelta(hours=9)))
MANIFEST = DifferencesManifest(
    municipality_code="352039", file=RESIDENT, sender="350001", recipient="352039", sequence=3, as_of=AT,
    watermark=0, is_equal=False, records=1, created_at=AT, sha256=sha256_hex(b""),
)  # fmt: skip


def lines(*rows: tuple[str, str, str, str]) -> pa.Table:
    """Lines of a report."""
    columns = zip(*rows, strict=True) if rows else ((),) * 4
    return pa.table(
        {
            name: pa.array(list(column), pa.string())
            for name, column in zip(REPORT_COLUMNS, columns, strict=True)
        }
    )


def refusal(table: pa.Table, file: IdentityFile = RESIDENT) -> Code | None:
    """The code by which lines are refused; nothing of them is said."""
    csv = format_records(table)
    manifest = replace(MANIFEST, file=file, records=table.num_rows)
    try:
        parse_report(NAME, manifest, csv)
    except ContractError as error:
        assert (error.ref in ("", str(NAME)), error.__context__) == (True, None)
        return error.code
    return None


def test_manifest_is_written_in_the_order_of_the_page_and_reads_back() -> None:
    """parse ∘ line is the identity; true and false are JSON's own."""
    assert list(json.loads(MANIFEST.line())) == [
        "format", "municipality_code", "file", "sender", "recipient", "sequence", "as_of", "watermark", "is_equal",
        "records", "created_at", "sha256",
    ]  # fmt: skip
    for said in (MANIFEST, replace(MANIFEST, is_equal=True, records=0, watermark=9, sequence=1)):
        assert DifferencesManifest.parse(said.line()) == said
    assert b'"is_equal":false' in MANIFEST.line()


@pytest.mark.parametrize(
    "values",
    [
        {"is_equal": 1},
        {"is_equal": "true"},
        {"is_equal": None},
        {"is_equal": ...},
        {"watermark": -1},
        {"watermark": True},
        {"as_of": "2026-11-23"},
        {"sequence": 0},
        {"sender": "35000"},
        {"records": -1},
        {"format": "juki-receipt/1"},
        {"verdict": "accepted"},
    ],
)
def test_manifest_of_a_report_with_a_wrong_key_or_value_is_refused(values: dict[str, object]) -> None:
    """A municipality that reads our reports by this code is no easier to fool than we are."""
    merged = json.loads(MANIFEST.line()) | values
    line = json.dumps({key: value for key, value in merged.items() if value is not ...}).encode() + b"\n"
    with pytest.raises(ContractError) as caught:
        DifferencesManifest.parse(line)
    assert caught.value.code is Code.PACKAGE_MANIFEST


_LINE = st.one_of(
    st.tuples(
        st.text("0123456789", min_size=11, max_size=11),
        st.sampled_from([kind for kind in KINDS if kind != "differs"]),
        st.just(""),
        st.sampled_from(STATES),
    ),
    st.tuples(
        st.text("0123456789", min_size=11, max_size=11),
        st.just("differs"),
        st.sets(st.sampled_from(RECORD_COLUMNS[RESIDENT]), min_size=1).map(
            lambda names: " ".join(name for name in RECORD_COLUMNS[RESIDENT] if name in names)
        ),
        st.sampled_from(STATES),
    ),
)


@given(st.lists(_LINE, max_size=5))
def test_any_report_reads_back_as_written(rows: list[tuple[str, str, str, str]]) -> None:
    """Every kind, state and set of columns; the manifest counts and binds them."""
    content = write_report(MANIFEST, lines(*rows))
    manifest, csv = read_package(NAME, content, DifferencesManifest)
    check_binding(NAME, manifest, "352039", "352039")
    assert manifest.records == len(rows)
    assert parse_report(NAME, manifest, csv).to_pylist() == lines(*rows).to_pylist()


@pytest.mark.parametrize(
    "row",
    [
        ("24727059608", "gone", "", "open"),
        ("24727059608", "", "", "open"),
        ("24727059608", "missing", "", "done"),
        ("24727059608", "missing", "", ""),
        ("24727059608", "missing", "name", "open"),
        ("24727059608", "differs", "", "open"),
        ("24727059608", "differs", "name honseki", "open"),
        ("24727059608", "differs", "name name", "open"),
        ("24727059608", "differs", "name resident_code", "open"),
        ("24727059608", "differs", "name  sex", "open"),
        ("24727059608", "differs", "山口　花子", "open"),
    ],
)
def test_word_that_is_none_of_the_format_is_refused(row: tuple[str, str, str, str]) -> None:
    """Names of columns only, in their order: there is no room for a value."""
    assert refusal(lines(("11111111111", "differs", "name sex", "open"), row)) is Code.PACKAGE_CSV


def test_page_names_every_kind_and_state() -> None:
    """A vendor reads them there; one that is written otherwise here would be none of his."""
    table = [
        line for line in _PAGE.read_text("utf-8").splitlines() if line.startswith(("| `kind`", "| `state`"))
    ]
    named = [set(re.findall(r"`([a-z]+)`", line)) for line in table]
    assert named == [{"kind", *KINDS}, {"state", *STATES}]


def test_columns_are_those_of_the_file() -> None:
    """No 個人番号 can be named in a report on the fuhyo file, which has none."""
    row = ("24727059608", "differs", "individual_number", "open")
    assert refusal(lines(row)) is None
    assert refusal(lines(row), FUHYO) is Code.PACKAGE_CSV


def test_count_and_columns_of_a_report_are_checked() -> None:
    """As of every package."""
    row = ("24727059608", "extra", "", "settled")
    with pytest.raises(ContractError) as caught:
        parse_report(NAME, replace(MANIFEST, records=2), format_records(lines(row)))
    assert caught.value.code is Code.PACKAGE_COUNT
    assert refusal(lines(row).drop_columns(["state"])) is Code.PACKAGE_COLUMNS
    assert refusal(lines()) is None


def test_longest_report_fits_in_a_package_and_says_the_first_lines() -> None:
    """A comparison with nobody's file must not fail for the length of what there is to say."""
    every = " ".join(RECORD_COLUMNS[RESIDENT])
    row = ("99999999999", "differs", every, "accepted")
    table = pa.concat_tables([lines(("00000000001", "extra", "", "open")), *[lines(row)] * 10])
    table = pa.concat_tables([table.slice(0, 1), *[table.slice(1)] * (MAX_REPORT_LINES // 10)])
    assert table.num_rows == MAX_REPORT_LINES + 1
    content = write_report(MANIFEST, table)
    manifest, csv = read_package(NAME, content, DifferencesManifest)
    assert manifest.records == MAX_REPORT_LINES
    assert len(content) < MAX_CONTENT_BYTES
    assert parse_report(NAME, manifest, csv).column("resident_code")[0].as_py() == "00000000001"


def test_more_lines_than_a_report_has_are_refused_by_name() -> None:
    """100,001 in the manifest."""
    line = json.dumps(json.loads(MANIFEST.line()) | {"records": MAX_REPORT_LINES + 1}).encode() + b"\n"
    with pytest.raises(ContractError) as caught:
        DifferencesManifest.parse(line)
    assert caught.value.code is Code.PACKAGE_TOO_MANY_RECORDS


def test_name_of_a_report_reads_back() -> None:
    """The kind has its word in the file name."""
    assert str(NAME) == "352039-resident-differences-00000003.p7m"
    assert PackageName.parse(str(NAME)) == NAME
