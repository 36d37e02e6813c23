"""The chapter on the quality check: two faults planted by SQL are found, and what repairs leave behind is shown.

Decides:    what is spoilt in the tables as a whole, and what of the two runs is told.
Leaves:     the runs to the real flow, what is expected to `validations.quality.suites`.
Invariants: a chapter is ok only if the first run found exactly what was planted, and the second, after everybody was
            reconciled, found every municipality's people as it had listed them, and no sudden change. Rows lost
            behind the back of the store stay missing in history though the person is repaired: that is shown too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg
from rich.console import Console

from config.settings import load_settings
from config.stores import admin_url
from juki.columns import IdentityFile
from juki.home import Home
from juki.quality import Comparison, Question
from juki.quality_files import QualityFiles
from juki.quality_reports import Report

FILE = IdentityFile.RESIDENT
_ORPHAN = "UPDATE history SET resident_code = '00000000019' WHERE ctid = (SELECT min(ctid) FROM history)"
_LOST = "UPDATE package SET accepted = accepted + {} WHERE package_id = (SELECT min(package_id) FROM package)"
_PLANTED = {Question.HISTORY_PEOPLE.value: 1, Question.PACKAGE_ROWS.value: 1}
_DRIFT = frozenset(one.value for one in Comparison)


@dataclass(slots=True)
class QualityChapter:
    """What `demo-summary.json` says of the quality check."""

    ok: bool = False
    expectations: int = 0
    planted: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    snapshots_compared: int = 0
    figures_steady: bool = False
    left_behind: dict[str, int] = field(default_factory=dict)
    """What failed after the repairs, by check: the traces of rows that were lost."""


def begin(home: Home, chapter: QualityChapter) -> None:
    """Plant two faults in tables that are whole, check, and put everything back."""
    with psycopg.connect(admin_url(home, load_settings(home), FILE)) as connection:
        before = connection.execute(
            "SELECT resident_code FROM history WHERE ctid = (SELECT min(ctid) FROM history)"
        )
        ((code,),) = before.fetchall()
        connection.execute(_ORPHAN)
        connection.execute(_LOST.format(1))
    report = _check(home)
    with psycopg.connect(admin_url(home, load_settings(home), FILE)) as connection:
        connection.execute(
            "UPDATE history SET resident_code = %s WHERE resident_code = '00000000019'", (code,)
        )
        connection.execute(_LOST.format(-1))
    chapter.expectations = sum(len(part.findings) for part in report.files)
    chapter.planted, chapter.found = dict(_PLANTED), _failed(report)


def run(home: Home, chapter: QualityChapter) -> None:
    """Check again when everybody has been reconciled."""
    report = _check(home)
    figures = [one for part in report.files for one in part.findings if one.check in _DRIFT]
    snapshots = [one for one in figures if one.check == Comparison.SNAPSHOT.value]
    chapter.snapshots_compared = sum(one.asked or 0 for one in snapshots)
    chapter.figures_steady = all(one.is_met and one.asked is not None for one in figures)
    chapter.left_behind = _failed(report)
    chapter.ok = (
        chapter.found == chapter.planted and chapter.figures_steady and bool(chapter.snapshots_compared)
    )


def tell(console: Console, chapter: QualityChapter) -> None:
    """Say in a few lines what the chapter has shown."""
    found = "、".join(f"{check} {count}" for check, count in chapter.found.items()) or "なし"
    word = "植えたものだけ" if chapter.found == chapter.planted else "植えたものと不一致"
    console.print(f"  表全体への期待 {chapter.expectations} 件。二つの破損を植えて検査: {found}（{word}）")
    steady = "一致し、急な変化なし" if chapter.figures_steady else "不一致"
    console.print(f"  整合処理の後: 市町村の現況の人数 {chapter.snapshots_compared} 件と{steady}")
    left = "、".join(f"{check} {count}" for check, count in chapter.left_behind.items()) or "なし"
    console.print(f"  SQL で消された行は、修復の後も履歴に跡が残ります: {left}")


def _check(home: Home) -> Report:
    from flows.quality import quality as flow

    flow(return_state=True)
    report = QualityFiles(home).last()
    if report is None:
        raise RuntimeError("no report")
    return report


def _failed(report: Report) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in report.failed:
        found[one.check] = found.get(one.check, 0) + one.unexpected
    return found
