"""A report of J-LIS on errors in what we hold: which people, which columns.

Decides:    what a line may say; that one bad line refuses the whole report, for half of one would look like a whole.
Leaves:     who stands behind an update number, and opening differences, to `juki.store.jlis_reported`.
Invariants: a line names one person, by code or by the number of an update, never by both; columns are those of the
            record, and a number can not be said, only that it is wrong.
Source:     法30条の8, 30条の43; docs/formats/jlis.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pyarrow as pa

from juki.columns import RECORD_COLUMNS, IdentityFile
from juki.errors import ContractError
from juki.reasons import Code

_CODE = re.compile(r"[0-9]{11}")
_UPDATE_NO = re.compile(r"[1-9][0-9]{0,14}")
_THEIR_CODE = re.compile(r"(?:[a-z_]{1,40}\.[a-z_]{1,60})?")


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One error J-LIS knows of: the person by code, or by an update we told; the columns, none for all of it."""

    resident_code: str = field(repr=False)
    update_no: int | None
    columns: tuple[str, ...]


def report_lines(file: IdentityFile, lines: pa.Table, ref: str) -> list[ReportLine]:
    """Read the lines of a report; ContractError(JLIS_REPORT_LINE) for the first that is not one."""
    read = [_line(file, line) for line in lines.to_pylist()]
    good = [line for line in read if line is not None]
    if len(good) < len(read):
        raise ContractError(Code.JLIS_REPORT_LINE, ref)
    return good


def _line(file: IdentityFile, said: dict[str, str]) -> ReportLine | None:
    code, number, names = said["resident_code"], said["update_no"], said["columns"].split()
    if bool(code) == bool(number) or (code and not _CODE.fullmatch(code)):
        return None
    if (number and not _UPDATE_NO.fullmatch(number)) or not _THEIR_CODE.fullmatch(said["code"]):
        return None
    known = [name for name in RECORD_COLUMNS[file] if name in names and name != "resident_code"]
    if len(known) != len(names):
        return None
    return ReportLine(code, int(number) if number else None, tuple(known))
