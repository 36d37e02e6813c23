"""How the command line shows what a quality check found: as data and as a table."""

from __future__ import annotations

from juki.cli.installation import Installation, explained, iso
from juki.cli.output import Table
from juki.cli.reasons_shown import SHORT, code_lines
from juki.overview.quality import failed_by_code, finding_shown
from juki.quality import Finding
from juki.quality_files import QualityFiles
from juki.quality_pages import outcome_of, places_shown, shown_at
from juki.quality_reports import Report

_HEADINGS = ("ファイル", "期待すること", "対象", "外れ", "結果", "場所")


def described_report(installation: Installation, report: Report) -> dict[str, object]:
    """Write a report for programs."""
    return {
        "run": report.run,
        "checked_at": iso(report.checked_at),
        "page": str(QualityFiles(installation.home).page(report.run)),
        "files": [
            {
                "file": part.file.value, "people": part.figures.people, "history": part.figures.history,
                "packages": part.figures.packages, "baseline": part.baseline or None,
                "expectations": [_described(one) for one in part.findings],
            }
            for part in report.files
        ],
    }  # fmt: skip


def report_table(installation: Installation, report: Report) -> Table:
    """Lay a report out, the file and what is expected of it in a row."""
    rows = [
        (
            SHORT[part.file], one.title, f"{one.asked:,}" if one.asked is not None else "-", f"{one.unexpected:,}",
            outcome_of(one), places_shown(one.places, installation.name),
        )
        for part in report.files
        for one in part.findings
    ]  # fmt: skip
    return Table(f"品質検査 {shown_at(report)}", _HEADINGS, rows, breakable=(_HEADINGS[1], _HEADINGS[5]))


def report_lines(installation: Installation, report: Report) -> list[str]:
    """Say why what failed matters and what to do, each reason once, and where the page lies."""
    lines = []
    for code, failed in failed_by_code(report).items():
        first, *step = code_lines(code)
        lines += [first, "  " + "、".join(finding_shown(one, installation.name) for one in failed), *step]
    return [*lines, f"報告: {QualityFiles(installation.home).page(report.run)}"]


def _described(one: Finding) -> dict[str, object]:
    reason = {} if one.is_met else explained(one.code)
    return {
        "check": one.check, "title": one.title, "asked": one.asked, "unexpected": one.unexpected,
        "known": one.known, "is_met": one.is_met, "places": dict(one.places), **reason,
    }  # fmt: skip
