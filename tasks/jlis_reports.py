"""A report of J-LIS taken in: differences opened, written into the journal (法30条の8, 30条の43)."""

from __future__ import annotations

from juki.errors import ContractError
from juki.jlis import REPORT_BASIS
from juki.jlis_manifests import MessageName, read_report
from juki.jlis_reports import report_lines
from juki.journal import Action
from juki.packages import sha256_hex
from juki.reasons import Code
from juki.store.jlis_messages import JlisMessages
from juki.store.jlis_reported import Reported
from juki.store.unit import Unit
from tasks import clock
from tasks.jlis_desk import JlisDesk


def take_report(desk: JlisDesk, unit: Unit, messages: JlisMessages, name: MessageName, content: bytes) -> int:
    """Open the differences of a report whose content was not taken before; return how many lines it has.

    Raises: ContractError(JLIS_REPORT_REUSED, JLIS_REPORT_LINE) and what reading raises: then nothing is opened.
    """
    if messages.is_report_taken(name.sequence):
        raise ContractError(Code.JLIS_REPORT_REUSED, str(name))
    manifest, table = read_report(name, content)
    lines = report_lines(desk.file, table, str(name))
    reported = Reported(desk.file, unit.cursor)
    codes = reported.people(lines, str(name))
    opened = reported.open(codes, lines, name.sequence, desk.shop.settings.prefecture_code, clock.now())
    entry = desk.entry(
        Action.JLIS_REPORT_TAKEN, str(name), code=Code.JLIS_REPORTED, basis=REPORT_BASIS[desk.file],
        counts={"lines": manifest.records, "differences": opened}, changes_digest=sha256_hex(content),
    )  # fmt: skip
    unit.journal.append(entry, clock.now())
    return manifest.records
