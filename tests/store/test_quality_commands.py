"""`juki quality show|accept` and what `juki status` says of the last check."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from juki.columns import IdentityFile
from juki.home import Home
from juki.quality import Figures, Finding
from juki.quality_files import QualityFiles
from juki.quality_reports import FileReport, Report, run_id
from juki.reasons import Code
from tests.conftest import Stores
from tests.console import SHIMONOSEKI, YAMAGUCHI, Console

LOST = Finding(
    IdentityFile.RESIDENT, "package_rows", "パッケージの受理件数だけ、版が残っている", Code.QUALITY_ROWS_LOST,
    12, 2, {YAMAGUCHI: 1, SHIMONOSEKI: 1},
)  # fmt: skip


@pytest.fixture
def console(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation whose every CS has just answered."""
    made = Console(home, module_stores, monkeypatch, capsys)
    made.contact_all()
    return made


def _keep(console: Console, at: datetime, finding: Finding = LOST) -> Report:
    figures = Figures(standing={YAMAGUCHI: 20})
    report = Report(
        run_id(at), at, [FileReport(one, figures, [replace(finding, file=one)]) for one in IdentityFile]
    )
    QualityFiles(console.home).keep(report, 9, str)
    return report


def test_status_is_silent_of_a_check_that_found_nothing(console: Console) -> None:
    """A normal morning."""
    _keep(console, console.now, replace(LOST, unexpected=0, places={}))
    assert console.juki("status", "--json").data["alarms"] == []


def test_status_names_what_failed_where_and_what_to_do(console: Console) -> None:
    """Both files in one alarm, with the municipalities."""
    _keep(console, console.now)
    said = console.juki("status")
    assert said.code == 1 and Code.QUALITY_ROWS_LOST.value in said.out
    assert "本人 パッケージの受理件数だけ、版が残っている（山口市 1、下関市 1）" in said.out
    (alarm,) = console.juki("status", "--json").data["alarms"]
    assert alarm["next_step"] and len(alarm["which"]) == 2


def test_status_warns_of_a_check_long_ago_and_of_none_after_load(console: Console) -> None:
    """A schedule that does not run is noticed, also where it has never run."""
    _keep(console, console.now - timedelta(hours=51), replace(LOST, unexpected=0, places={}))
    assert [one["code"] for one in console.juki("status", "--json").data["alarms"]] == [
        Code.QUALITY_STALE.value
    ]
    for path in QualityFiles(console.home).folder.iterdir():
        path.unlink()
    assert console.juki("status", "--json").data["alarms"] == []
    console.now -= timedelta(hours=51)
    console.apply(1)
    assert [one["code"] for one in console.juki("status", "--json").data["alarms"]] == [
        Code.QUALITY_STALE.value
    ]


def test_show_gives_the_last_report_and_any_other_by_its_number(console: Console) -> None:
    """As a table with reasons, as data, as a list."""
    first = _keep(console, console.now - timedelta(days=1), replace(LOST, unexpected=0, places={}))
    last = _keep(console, console.now)
    said = console.juki("quality", "show")
    assert said.code == 1 and "不合格" in said.out and f"{last.run}.html" in said.out
    shown = console.juki("quality", "show", first.run, "--json")
    assert shown.code == 0 and shown.data["run"] == first.run
    listed = console.juki("quality", "show", "--list", "--json").data["runs"]
    assert [one["run"] for one in listed] == [last.run, first.run]


@pytest.mark.parametrize("run", ["20260101T000000000000Z", "../../juki", "x"])
def test_report_nobody_has_is_told(run: str, console: Console) -> None:
    """A name is looked for among the reports, never opened as a path."""
    assert Code.QUALITY_RUN_UNKNOWN.value in console.juki("quality", "show", run).err
    said = console.juki("quality", "accept", run, "--reason", "演習")
    assert said.code == 2 and Code.QUALITY_RUN_UNKNOWN.value in said.err


def test_accepting_is_in_both_logs_before_it_counts(console: Console) -> None:
    """Who, why and how much; a reason that could hold a number is refused and nothing is accepted."""
    report = _keep(console, console.now)
    refused = console.juki("quality", "accept", report.run, "--reason", "123456789018 の件")
    assert refused.code == 2 and QualityFiles(console.home).accepted().run == ""
    assert "quality.run_unknown" in console.juki("quality", "accept", "", "--reason", "最後のもの").err
    assert console.juki("quality", "accept", report.run, "--reason", "整合処理で修復済み").code == 0
    accepted = QualityFiles(console.home).accepted()
    assert accepted.run == report.run and accepted.marked(LOST).is_met
    for file in IdentityFile:
        entry = console.entries(file)[-1]
        assert (entry["action"], entry["counts"]) == ("quality.accepted", {"failed": 1})
        assert entry["change"] == report.run
        assert entry["basis"] == "整合処理で修復済み" and entry["actor"].startswith("local-administrator:")


def test_status_says_the_same_as_openmetrics(console: Console) -> None:
    """Counts and instants by codes, read by a parser of somebody else; the exit code is that of the printing."""
    report = _keep(console, console.now)
    console.arrive(1)
    said = console.juki("status", "--openmetrics")
    assert said.code == 0
    families = {one.name: one for one in text_string_to_metric_families(said.out)}
    waiting = {
        tuple(one.labels.values()): one.value for one in families["juki_channel_waiting_packages"].samples
    }
    assert waiting[YAMAGUCHI, "resident"] == 1 and len(waiting) == 6
    (checked,) = families["juki_quality_checked_timestamp_seconds"].samples
    assert checked.value == report.checked_at.timestamp()
    alarms = {one.labels["code"]: one.value for one in families["juki_alarms"].samples}
    assert alarms[Code.QUALITY_ROWS_LOST.value] == 2
    names = {name for family in families.values() for one in family.samples for name in one.labels}
    assert names <= {"municipality", "file", "state", "code"}
