"""The quality check (品質検査) of both stores: ask, judge, keep the report, say so in the logs.

Decides:    the order: figures, then what is expected of the tables, then of the figures; where faults are named.
Leaves:     what is expected to `validations.quality.suites`, statements to `juki.store.quality`.
Invariants: reads as the intake does, read only; nothing of the stores is changed but their logs. What a run
            found is logged before it is kept: no log, no report.
Source:     assessment M11, ADR-0033.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from prefect import task

from config.places import municipality_name
from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.journal import Action, Entry, Outcome
from juki.quality import Bounds, Change, Comparison, Figures, Finding, Question, compare
from juki.quality_files import QualityFiles
from juki.quality_reports import FileReport, Report, baseline_of, run_id
from juki.store.quality import Measuring, reading_options, statement
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tasks import clock
from tasks.boundary import ONCE, UNIT_OF_WORK, run_actor, sealed
from tasks.workshop import Workshop
from validations.quality.suites import SUITES, Expected

if TYPE_CHECKING:
    from validations.quality.engine import Judge


@dataclass(frozen=True, slots=True)
class _Checked:
    """One file under check: its figures of today, and those of the run they are compared with."""

    file: IdentityFile
    url: str
    on: date
    figures: Figures
    before: Figures | None


@task(name="品質検査", **UNIT_OF_WORK)
@sealed
def check_file(file: IdentityFile) -> FileReport:
    """Ask everything of one file."""
    shop = Workshop.open()
    files, url, on = QualityFiles(shop.home), shop.store_url(file), civil_date(clock.now())
    accepted = files.accepted()
    baseline = baseline_of(files.reports(), file, accepted)
    with open_unit(url, file, Duty.INTAKE) as unit:
        figures = Measuring(file, unit.connection).figures(on)
    part = baseline.of(file) if baseline else None
    checked = _Checked(file, url, on, figures, part.figures if part else None)
    # The library takes seconds to import: only a run that checks pays for it.
    from validations.quality.engine import Judge

    judge = Judge()
    findings = [accepted.marked(one) for one in (*_of_tables(checked, judge), *_of_figures(checked, judge))]
    return FileReport(file, figures, findings, baseline.run if baseline else "")


@task(name="品質検査の報告", **ONCE)
@sealed
def keep_report(files: Sequence[FileReport]) -> Report:
    """Log what was found in both stores and keep it, with its pages."""
    shop = Workshop.open()
    at = QualityFiles(shop.home).free_instant(clock.now())
    report = Report(run_id(at), at, list(files))
    with ExitStack() as logs:
        for one in files:
            unit = logs.enter_context(open_unit(shop.store_url(one.file), one.file, Duty.AUDITOR))
            unit.journal.append(_entry(one), at)
        QualityFiles(shop.home).keep(report, shop.settings.quality_runs_kept, municipality_name)
    return report


def _of_tables(checked: _Checked, judge: Judge) -> list[Finding]:
    asked = [
        (one, statement(one.of, checked.on))
        for one in SUITES[checked.file]
        if isinstance(one.of, Question)
    ]  # fmt: skip
    judged = judge.tables(reading_options(checked.url, checked.file), asked)
    findings = [
        replace(
            _finding(checked, one), asked=judged[one.check].asked, unexpected=judged[one.check].unexpected
        )
        for one, _ in asked
    ]
    return [_placed(checked, one) for one in findings]


def _placed(checked: _Checked, finding: Finding) -> Finding:
    """Say in which municipalities' rows something does not fit."""
    if not finding.unexpected:
        return finding
    with open_unit(checked.url, checked.file, Duty.INTAKE) as unit:
        places = Measuring(checked.file, unit.connection).faults(Question(finding.check), checked.on)
    return replace(finding, places=places)


def _of_figures(checked: _Checked, judge: Judge) -> list[Finding]:
    findings = list[Finding]()
    for one in SUITES[checked.file]:
        if not isinstance(one.of, Comparison):
            continue
        changes = compare(one.of, checked.figures, checked.before, Bounds())
        finding = _finding(checked, one)
        if changes is not None:
            judged = judge.changes(one, changes)
            finding = replace(
                finding, asked=judged.asked, unexpected=judged.unexpected, places=_beyond(changes)
            )
        findings.append(finding)
    return findings


def _beyond(changes: Sequence[Change]) -> dict[str, int]:
    """Name where a change is beyond what is allowed, and by how many in all."""
    places: dict[str, int] = {}
    for one in changes:
        if one.is_beyond:
            places[one.place] = places.get(one.place, 0) + one.change
    return places


def _finding(checked: _Checked, expected: Expected) -> Finding:
    return Finding(checked.file, expected.check, expected.title, expected.code)


def _entry(one: FileReport) -> Entry:
    failed = one.failed
    counts = {
        "expectations": len(one.findings), "failed": len(failed), "people": one.figures.people,
        "history": one.figures.history, "packages": one.figures.packages,
    }  # fmt: skip
    return Entry(
        action=Action.QUALITY_CHECKED, file=one.file, actor=run_actor(), outcome=Outcome.DONE,
        code=failed[0].code if failed else None, counts=counts,
    )  # fmt: skip
