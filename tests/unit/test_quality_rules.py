"""Figures compared, reports kept and read back, pages that fetch nothing and show no small group."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.home import Home
from juki.quality import (
    AGE_BINS,
    SMALLEST_GROUP,
    Bounds,
    Comparison,
    Figures,
    Finding,
    Snapshot,
    compare,
    rounded,
)  # fmt: skip
from juki.quality_files import QualityFiles
from juki.quality_pages import index_page, outcome_of, run_page
from juki.quality_reports import (
    Accepted,
    FileReport,
    Report,
    accepted_text,
    baseline_of,
    read_accepted,
    read_report,
    report_text,
    run_id,
)  # fmt: skip
from juki.reasons import Code

YAMAGUCHI, WAKI = "352039", "353213"
AT = datetime(2026, 11, 30, 20, 22, tzinfo=UTC)
RESIDENT = IdentityFile.RESIDENT
FIGURES = Figures(
    standing={YAMAGUCHI: 1000, WAKI: 30},
    history=50,
    packages=7,
    unknowns={"sex": {YAMAGUCHI: 20}},
    ages=dict.fromkeys(AGE_BINS, 90),
    snapshots={YAMAGUCHI: Snapshot(1000, 1000, 0)},
)


def _beyond(comparison: Comparison, now: Figures, before: Figures | None = FIGURES) -> list[str]:
    changes = compare(comparison, now, before, Bounds())
    assert changes is not None
    return [one.place for one in changes if one.is_beyond]


def _finding(check: str = "standing", unexpected: int = 0, known: int = 0) -> Finding:
    places = {YAMAGUCHI: unexpected} if unexpected else {}
    title, code = "人数が前回から急に変わらない", Code.QUALITY_SUDDEN_CHANGE
    return Finding(RESIDENT, check, title, code, 20, unexpected, places, known)


def _report(minutes: int = 0, *findings: Finding, figures: Figures = FIGURES) -> Report:
    at = AT + timedelta(minutes=minutes)
    return Report(run_id(at), at, [FileReport(RESIDENT, figures, findings or (_finding(),))])


@given(st.integers(0, 10**7))
def test_rounded_count_leaves_nobody_alone(count: int) -> None:
    """What is kept is never larger, and never tells one person from the next nine."""
    assert 0 <= count - rounded(count) < SMALLEST_GROUP
    assert rounded(count) % SMALLEST_GROUP == 0


@pytest.mark.parametrize("comparison", list(Comparison))
def test_same_figures_are_no_change(comparison: Comparison) -> None:
    """A run after a quiet night finds nothing."""
    assert _beyond(comparison, FIGURES) == []


@pytest.mark.parametrize("comparison", [one for one in Comparison if one is not Comparison.SNAPSHOT])
def test_first_run_has_nothing_to_compare_with(comparison: Comparison) -> None:
    """That is said, and is no pass."""
    assert compare(comparison, FIGURES, None, Bounds()) is None
    assert outcome_of(replace(_finding(), asked=None)) == "比べるものなし"


def test_drop_is_found_in_the_municipality_and_a_few_people_are_not() -> None:
    """Ten people may go from the smallest town, one in twenty from a city."""
    gone = {YAMAGUCHI: 500, WAKI: 30}
    assert _beyond(Comparison.STANDING, replace(FIGURES, standing=gone)) == [YAMAGUCHI, ""]
    assert _beyond(Comparison.STANDING, replace(FIGURES, standing={YAMAGUCHI: 950, WAKI: 20})) == [""]
    assert _beyond(Comparison.STANDING, replace(FIGURES, standing={YAMAGUCHI: 960, WAKI: 21})) == []


def test_municipality_that_is_gone_altogether_is_found() -> None:
    """No row of it is left to be compared."""
    assert WAKI in _beyond(Comparison.STANDING, replace(FIGURES, standing={YAMAGUCHI: 1000}))


def test_first_load_of_a_municipality_is_no_sudden_change() -> None:
    """It joins, its people without a sex with it; that others lose people on the same day is still seen."""
    joined = {**FIGURES.standing, "352012": 20_000}
    blanks = {"sex": {YAMAGUCHI: 20, "352012": 900}}
    assert _beyond(Comparison.STANDING, replace(FIGURES, standing=joined)) == []
    assert _beyond(Comparison.UNKNOWNS, replace(FIGURES, standing=joined, unknowns=blanks)) == []
    assert _beyond(Comparison.STANDING, FIGURES, Figures()) == []
    lost = {**joined, YAMAGUCHI: 500}
    assert _beyond(Comparison.STANDING, replace(FIGURES, standing=lost)) == [YAMAGUCHI, ""]


def test_blanks_may_grow_with_the_people_but_not_beyond() -> None:
    """Twice the people may have twice the blanks; fewer blanks are never a fault."""
    grown = replace(FIGURES, standing={YAMAGUCHI: 2000, WAKI: 30}, unknowns={"sex": {YAMAGUCHI: 50}})
    assert _beyond(Comparison.UNKNOWNS, grown) == []
    assert _beyond(Comparison.UNKNOWNS, replace(FIGURES, unknowns={"sex": {YAMAGUCHI: 40}})) == [YAMAGUCHI]
    assert _beyond(Comparison.UNKNOWNS, replace(FIGURES, unknowns={})) == []


def test_snapshot_is_met_by_what_came_since() -> None:
    """Five people fewer are explained by five notices, not by four."""
    for explained, found in ((5, []), (4, [YAMAGUCHI])):
        snapshots = {YAMAGUCHI: Snapshot(1005, 1000, explained)}
        assert _beyond(Comparison.SNAPSHOT, replace(FIGURES, snapshots=snapshots)) == found
    assert compare(Comparison.SNAPSHOT, replace(FIGURES, snapshots={}), FIGURES, Bounds()) is None


def test_sudden_change_is_not_what_the_next_run_is_compared_with() -> None:
    """Run again after a loss, the loss would otherwise be the new normal; only who accepts it makes it so."""
    steady, lost = _report(0), _report(5, _finding(unexpected=500))
    assert baseline_of([steady, lost], RESIDENT, Accepted()) == steady
    assert baseline_of([steady, lost], RESIDENT, Accepted.of(lost)) == lost
    assert baseline_of([lost], RESIDENT, Accepted()) is None
    assert baseline_of([steady], IdentityFile.FUHYO, Accepted()) is None


def test_accepted_faults_are_known_up_to_their_number() -> None:
    """One more fails again; a change that was accepted is no fault of the next run."""
    found = _report(0, _finding("history_newer", 3), _finding("standing", 500))
    accepted = read_accepted(accepted_text(Accepted.of(found)))
    assert accepted.known == {RESIDENT: {"history_newer": {YAMAGUCHI: 3}}}
    assert accepted.marked(_finding("history_newer", 3)).is_met
    assert not accepted.marked(_finding("history_newer", 4)).is_met
    assert not accepted.marked(_finding("standing", 1)).is_met


def test_accepted_faults_of_one_municipality_hide_none_of_another() -> None:
    """Three rows lost in one town and accepted say nothing of three that are lost in the next."""
    accepted = Accepted.of(_report(0, _finding("package_rows", 3)))
    elsewhere = replace(_finding("package_rows", 3), places={WAKI: 3})
    assert (accepted.marked(elsewhere).known, accepted.marked(elsewhere).is_met) == (0, False)
    unplaced = replace(_finding("ages", 2), places={})
    assert Accepted.of(_report(0, unplaced)).marked(unplaced).is_met


def test_faults_that_were_mended_are_known_no_more() -> None:
    """Whoever lets five stand and mends them has not let the next five stand."""
    accepted = Accepted.of(_report(0, _finding("package_rows", 5)))
    assert accepted.lowered(_report(1, replace(_finding("package_rows"), asked=None))) == accepted
    lowered = accepted.lowered(_report(1, _finding("package_rows", 2)))
    assert lowered.marked(_finding("package_rows", 2)).is_met
    assert not lowered.marked(_finding("package_rows", 3)).is_met
    assert lowered.lowered(_report(2, _finding("package_rows", 9))) == lowered


def test_number_of_people_a_municipality_lists_otherwise_is_never_let_stand() -> None:
    """It is a number of municipalities: one off by twelve would hide one off by everybody."""
    found = _finding("snapshot", 1)
    assert not Accepted.of(_report(0, found)).marked(found).is_met


def test_what_an_earlier_version_accepted_without_places_is_not_known() -> None:
    """It is asked again: nobody can tell any more where it was."""
    old = accepted_text(Accepted(run_id(AT))).replace("{}", '{"resident": {"package_rows": 3}}')
    assert not read_accepted(old).marked(_finding("package_rows", 3)).is_met


def test_report_reads_as_it_was_written() -> None:
    """The next run compares with what this one kept."""
    report = _report(0, _finding("ages", 2, 1), replace(_finding(), asked=None))
    again = read_report(report_text(report))
    assert again.run == report.run and list(again.files[0].findings) == list(report.files[0].findings)
    assert again.files[0].figures == FIGURES


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": "juki-quality/1", "run": "../x"}', "1", "null"]
)
def test_what_is_no_report_is_refused(content: str) -> None:
    """Half a file, or somebody else's."""
    with pytest.raises(ValueError):
        read_report(content)


def test_old_runs_are_let_go_of_but_never_the_one_that_is_compared_with(tmp_path: Path) -> None:
    """A week of failing runs must not push the last good one out."""
    files = QualityFiles(Home.at(tmp_path))
    steady = _report(0)
    for report in (steady, *(_report(minute, _finding(unexpected=500)) for minute in range(1, 6))):
        files.keep(report, 2, str)
    kept = [one.run for one in files.reports()]
    assert kept[0] == steady.run and len(kept) == 3
    assert sorted(path.stem for path in files.folder.glob("2*.html")) == kept
    index = (files.folder / "index.html").read_text("utf-8")
    assert re.findall(r'href="([^"]+)\.html"', index) == kept[::-1]
    assert all(path.stat().st_mode & 0o077 == 0 for path in files.folder.iterdir())


def test_report_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    """The disk refuses: a coded error, and no half of a report."""
    home = Home.at(tmp_path)
    home.quality.write_text("in the way")
    with pytest.raises(StoreError) as refused:
        QualityFiles(home).keep(_report(), 2, str)
    assert refused.value.code is Code.QUALITY_UNWRITTEN


def test_pages_fetch_nothing_and_escape_everything() -> None:
    """No script, no address outside, no markup that came with a name."""
    finding = replace(_finding(unexpected=3), title="<script>alert(1)</script>")
    pages = [run_page(_report(0, finding), lambda _: "<img src=x>"), index_page([_report(0, finding)])]
    for page in pages:
        assert "<script" not in page and "<img" not in page
        assert not re.search(r"(https?:)?//\w", page)
        assert "default-src 'none'" in page and '<html lang="ja">' in page
    assert "不合格" in pages[0] and Code.QUALITY_SUDDEN_CHANGE.value in pages[0]


def test_page_of_a_small_town_shows_no_ages_and_no_blanks() -> None:
    """Seven people in all: every count of them is rounded away before it is kept."""
    few = Figures(standing={WAKI: 7}, unknowns={"sex": {}}, ages=dict.fromkeys(AGE_BINS, 0))
    page = run_page(_report(0, figures=few), str)
    assert "年齢の分布" not in page and f"各市町村 {SMALLEST_GROUP} 人未満" in page
