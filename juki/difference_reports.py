"""The report on differences a municipality gets after a comparison: its lines, written and read.

Decides:    the columns, the words they may hold, and how long a report may be (docs/formats/differences.md).
Leaves:     what is different to the comparison, the manifest to `juki.snapshot_manifests`, sealing to `juki.wire`.
Invariants: a line names a person by the code and columns by their names; never a value of a record. A report fits
            in a package, however much differs.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.differences import DifferenceKind, DifferenceState
from juki.errors import ContractError
from juki.packages import DifferencesManifest, PackageName, sha256_hex, write_content
from juki.reasons import Code
from juki.records import format_records, parse_records
from juki.snapshot_manifests import MAX_REPORT_LINES

REPORT_COLUMNS = ("resident_code", "kind", "columns", "state")
"""The CSV part of a report, one line per difference, in the order of the codes."""

_WORDS = {"kind": DifferenceKind, "state": DifferenceState}


def write_report(manifest: DifferencesManifest, lines: pa.Table) -> bytes:
    """Write the content of a report; `records` and `sha256` of the manifest are set here.

    Shape: `lines` has REPORT_COLUMNS as text in the order of the codes; the first MAX_REPORT_LINES are told.
    """
    told = lines.select(REPORT_COLUMNS).slice(0, MAX_REPORT_LINES)
    csv = format_records(told)
    return write_content(replace(manifest, records=told.num_rows, sha256=sha256_hex(csv)), csv)


def parse_report(name: PackageName, manifest: DifferencesManifest, csv: bytes | memoryview) -> pa.Table:
    """Read the lines of a report as a municipality does.

    Shape:  REPORT_COLUMNS as text.
    Raises: ContractError(PACKAGE_COLUMNS, PACKAGE_CSV, PACKAGE_COUNT, PACKAGE_TOO_MANY_RECORDS), PACKAGE_CSV also
            for a word that is none of the format.
    """
    lines = parse_records(csv, REPORT_COLUMNS, max_records=MAX_REPORT_LINES)
    if lines.num_rows != manifest.records:
        raise ContractError(Code.PACKAGE_COUNT, str(name))
    if not (_words_are_known(lines) and _columns_are_known(lines, manifest.file)):
        raise ContractError(Code.PACKAGE_CSV, str(name))
    return lines


def _words_are_known(lines: pa.Table) -> bool:
    return all(
        pc.all(pc.is_in(lines.column(column), pa.array([word.value for word in words])), min_count=0).as_py()
        for column, words in _WORDS.items()
    )


def _columns_are_known(lines: pa.Table, file: IdentityFile) -> bool:
    """Tell whether exactly the lines that differ name columns of the file, each once, in canonical order."""
    pairs = lines.select(["kind", "columns"]).group_by(["kind", "columns"]).aggregate([]).to_pylist()
    order = RECORD_COLUMNS[file]
    for pair in pairs:
        names = pair["columns"].split(" ") if pair["columns"] else []
        is_canonical = names == [name for name in order if name in names]
        if not is_canonical or bool(names) != (pair["kind"] == DifferenceKind.DIFFERS.value):
            return False
    return True
