"""How the command line shows what a quality check found: as data, as a table, as alarms of `juki status`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from juki.cli.custody_status import Alarm
from juki.cli.installation import Installation, explained, iso
from juki.cli.output import Table
from juki.cli.reasons_shown import SHORT, code_lines
from juki.health import ChannelHealth
from juki.quality import Finding
from juki.quality_files import QualityFiles
from juki.quality_pages import outcome_of, places_shown, shown_at
from juki.quality_reports import Report
from juki.reasons import Code

_HEADINGS = ("ファイル", "期待すること", "対象", "外れ", "結果", "場所")


def quality_alarms(installation: Installation, judged: Sequence[ChannelHealth], now: datetime) -> list[Alarm]:
    """Find what the last check did not find as expected, and a check that is long overdue."""
    report = QualityFiles(installation.home).last()
    alarms = [
        Alarm(code, tuple(_where(installation, one) for one in failed), report.checked_at)
        for code, failed in _by_code(report).items()
        if report
    ]
    stale_after = timedelta(hours=installation.settings.quality_stale_hours)
    since = report.checked_at if report else _first_applied(judged)
    if since is not None and now - since > stale_after:
        alarms.append(Alarm(Code.QUALITY_STALE, since=since))
    return alarms


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
    for code, failed in _by_code(report).items():
        first, *step = code_lines(code)
        lines += [first, "  " + "、".join(_where(installation, one) for one in failed), *step]
    return [*lines, f"報告: {QualityFiles(installation.home).page(report.run)}"]


def _by_code(report: Report | None) -> dict[Code, list[Finding]]:
    found: dict[Code, list[Finding]] = {}
    for one in report.failed if report else ():
        found.setdefault(one.code, []).append(one)
    return found


def _where(installation: Installation, one: Finding) -> str:
    places = places_shown(one.places, installation.name) or f"{one.unexpected:,} 件"
    return f"{SHORT[one.file]} {one.title}（{places}）"


def _first_applied(judged: Sequence[ChannelHealth]) -> datetime | None:
    """Tell since when there is something to check."""
    return min(
        (at for one in judged if (at := one.facts.confirmation.first_applied_at) is not None), default=None
    )


def _described(one: Finding) -> dict[str, object]:
    reason = {} if one.is_met else explained(one.code)
    return {
        "check": one.check, "title": one.title, "asked": one.asked, "unexpected": one.unexpected,
        "known": one.known, "is_met": one.is_met, "places": dict(one.places), **reason,
    }  # fmt: skip
