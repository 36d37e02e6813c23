"""What an operator may decide about a quality check: let what it found stand.

Decides:    that the faults of one run are known from then on, up to the number there were, and that the next run is
            compared with it.
Leaves:     what that means for a finding to `juki.quality_reports`.
Invariants: both logs say so before it counts; accepted again, nothing changes but the logs.
Source:     measure M8, M11, ADR-0033.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime

from juki.cli.acting import acting
from juki.cli.installation import Installation
from juki.errors import ConfigurationError, StoreError
from juki.journal import Action, Entry, Outcome
from juki.quality_files import QualityFiles
from juki.quality_reports import FileReport, Report
from juki.reason_text import checked_reason
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit


def find_report(installation: Installation, run: str) -> Report:
    """Find a report by the name of its run, the last one by no name.

    Raises: ConfigurationError(QUALITY_RUN_UNKNOWN).
    """
    for report in reversed(QualityFiles(installation.home).reports()):
        if run in ("", report.run):
            return report
    raise ConfigurationError(Code.QUALITY_RUN_UNKNOWN)


def accept(installation: Installation, run: str, reason: str, at: datetime) -> Report:
    """Let what a run found stand.

    Raises: ConfigurationError(QUALITY_RUN_UNKNOWN, REASON_TEXT_FORM), StoreError(QUALITY_UNWRITTEN).
    """
    basis = checked_reason(reason)
    if not run:
        raise ConfigurationError(Code.QUALITY_RUN_UNKNOWN)
    report = find_report(installation, run)
    with ExitStack() as logs:
        for one in report.files:
            url = installation.store_url(one.file)
            unit = logs.enter_context(open_unit(url, one.file, Duty.AUDITOR))
            unit.journal.append(_entry(one, report.run, basis), at)
    _keep(installation, report)
    return report


def _keep(installation: Installation, report: Report) -> None:
    try:
        QualityFiles(installation.home).accept(report)
    except OSError:
        pass
    else:
        return
    raise StoreError(Code.QUALITY_UNWRITTEN)


def _entry(one: FileReport, run: str, basis: str) -> Entry:
    return acting().signed(Entry(
        action=Action.QUALITY_ACCEPTED, file=one.file, outcome=Outcome.DONE, basis=basis, change=run,
        counts={"failed": len(one.failed)},
    ))  # fmt: skip
