"""The morning page and its plots on real stores: what the command says, the page says, and the counts are right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from config.overviews import watched_of
from config.scanning import scanner_standing
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.home import Home
from juki.order import PackageState
from juki.overview.page import page_of
from juki.overview.situation import Situation, look
from juki.overview.trends import Trends, trends_of
from juki.reasons import Code
from juki.shown import SHORT
from juki.store.trends import Duration
from tests.conftest import Stores
from tests.console import COUNTS, FUHYO, RESIDENT, SHIMONOSEKI, UBE, YAMAGUCHI, Console

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 30, 15, tzinfo=UTC)
"""When the first of December begins in Japan."""
NOW = MIDNIGHT + 10 * HOUR
_PACKAGE = """
    INSERT INTO package (municipality_code, sequence, file_name, file_bytes, file_sha256, remote_modified_at, state,
        kind, received_at, settled_at, records)
    VALUES (%s, %s, 'x', 1, '', now(), %s, %s, %s, %s, %s)
"""
_DIFFERENCE = """
    INSERT INTO difference (municipality_code, kind, resident_code, columns, state, watermark, first_seen_at,
        last_seen_at, first_reconciliation_id, last_reconciliation_id, reason, approved_at, settled_at)
    VALUES ('352039', 'missing', %s, '{}', %s, 1, %s, now(), 1, 1, %s, %s, %s)
"""
_PROVISION = """
    INSERT INTO provision (provision_id, recipient, request_no, method, request_sha256, basis, purpose, lines, state,
        received_at, delivered_at)
    OVERRIDING SYSTEM VALUE VALUES (%s, 'kyoiku', %s, 'file', '', 'b', 'p', 1, 'delivered', now(), %s)
"""
_HOLD = "INSERT INTO hold VALUES (%s, 2, %s, now(), %s, %s)"
_RECONCILIATION = """
    INSERT INTO reconciliation (municipality_code, mode, state, requested_at, deadline_at, finished_at)
    VALUES (%s, 'report', %s, %s, now(), %s)
"""


@pytest.fixture
def console(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation with empty stores."""
    return Console(home, module_stores, monkeypatch, capsys)


def _write(console: Console, statement: str, *rows: Sequence[Any], file: IdentityFile = RESIDENT) -> None:
    with psycopg.connect(console.stores.url(file)) as connection:
        connection.cursor().executemany(statement, rows)  # type: ignore[arg-type]


def _look(now: datetime) -> Situation:
    here = Installation.open()
    watched = watched_of(here.home, here.settings, here.municipalities)
    return look(watched, scanner_standing(here.settings, now), now)


def _trends(now: datetime = NOW) -> Trends:
    return trends_of(Installation.open().watched, now)


def _rows(page: str, heading: str) -> list[list[str]]:
    """Read the rows of the table under a heading."""
    part = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")][1:]


def _trouble(console: Console) -> None:
    """One channel each: stopped, refused, silent, waiting for a gap, rejected records, strange files."""
    console.contact_all()
    console.apply(1)
    console.collide(1)
    console.settle(console.arrive(1, SHIMONOSEKI), PackageState.REFUSED, Code.PACKAGE_SIGNATURE, SHIMONOSEKI)
    console.contact(SHIMONOSEKI, FUHYO, ago=30 * HOUR)
    console.apply(1, UBE, counts=COUNTS)
    console.arrive(3, UBE, FUHYO, ago=2 * HOUR)
    console.contact(YAMAGUCHI, FUHYO, unknown=3)
    _write(
        console,
        _DIFFERENCE,
        ("1", "open", console.now, None, None, None),
        ("2", "approved", console.now, None, None, None),
    )
    _write(console, _PROVISION, (1, 1, console.now - 3 * DAY), (2, 2, console.now), file=FUHYO)
    gone, later = (console.now - 3 * DAY, None, None), (console.now, None, None)
    _write(console, _HOLD, (1, *gone), (2, *later), file=FUHYO)
    _write(
        console,
        "UPDATE hold SET due_at = %s WHERE provision_id = %s",
        (console.now - HOUR, 1),
        (console.now + HOUR, 2),
        file=FUHYO,
    )


def test_the_page_says_of_every_channel_what_the_command_says(console: Console) -> None:
    """Both made of the same stores: states, numbers, codes, and how many things there are to do."""
    _trouble(console)
    said = console.juki("status", "--json")
    page = page_of(_look(datetime.fromisoformat(said.data["as_of"])))
    shown = [
        [
            one["municipality"], SHORT[IdentityFile(one["file"])],
            one["state_japanese"], str(one["last_sequence"]), str(one["waiting"]), str(one["refused"]),
            str(one["rejected_records"]), str(one["confirmed"]["open_differences"]),
        ]
        for one in said.data["channels"]
    ]  # fmt: skip
    rows = _rows(page, "市町村とファイル")
    assert [[*row[:2], row[2].strip("*"), *row[3:7], row[9]] for row in rows] == shown
    assert {one[2] for one in shown} >= {"停止", "拒否あり", "未接続", "待ち"}
    states = {one["state"] for one in said.data["channels"]}
    assert {state for state, count in said.data["summary"].items() if count} == states
    codes = {reason["code"] for one in said.data["channels"] for reason in one["reasons"]}
    codes |= {one["code"] for one in said.data["alarms"]}
    codes |= {one["code"] for log in said.data["operation_logs"] for one in log["alarms"]}
    assert set(re.findall(r"^- コード: `(.+)`$", page, re.MULTILINE)) == codes
    assert codes >= {Code.HOLD_OVERDUE.value, Code.CHANNEL_DIFFERENCES_OPEN.value}
    assert f"確認の要ることが {page.count('### ')} 件あります" in page and said.code == 1
    printed = console.juki("status").out
    assert all(f"[{code}]" in printed for code in codes)


def test_what_is_held_and_the_logs_are_the_same_on_page_and_command(console: Console) -> None:
    """Counts of provisions and numbers, of entries and of what is signed."""
    _trouble(console)
    said = console.juki("status", "--json").data
    page = page_of(_look(datetime.fromisoformat(said["as_of"])))
    held = [[row[1], row[2], row[4], row[5]] for row in _rows(page, "一時保存（預かり）")]
    names = ("provisions", "numbers", "due", "overdue")
    assert held == [[str(one[name]) for name in names] for one in said["holds"]]
    assert held == [["0", "0", "0", "0"], ["2", "4", "1", "1"]]
    logs = [[row[1], row[2], row[4]] for row in _rows(page, "操作ログ")]
    assert logs == [
        [str(one[name]) for name in ("entries", "signed", "waiting")] for one in said["operation_logs"]
    ]


def test_all_normal_on_the_page_is_exit_code_0_of_the_command(console: Console) -> None:
    """And the other way round, as soon as one channel needs somebody."""
    console.contact_all()
    console.apply(1)
    said = console.juki("status", "--json")
    assert said.code == 0
    assert "**すべて正常です。**" in page_of(_look(datetime.fromisoformat(said.data["as_of"])))
    console.contact(UBE, FUHYO, ago=30 * HOUR)
    assert console.juki("status").code == 1
    assert "**確認の要ることが 1 件あります。**" in page_of(_look(console.now))


def test_looking_changes_nothing(console: Console) -> None:
    """Neither the registers nor the operation logs: a page made every hour leaves no entry every hour."""
    _trouble(console)
    tables = (
        "channel",
        "package",
        "difference",
        "provision",
        "hold",
        "reconciliation",
        "journal",
        "checkpoint",
    )

    def everything() -> list[Any]:
        found = list[Any]()
        for file in IdentityFile:
            with psycopg.connect(console.stores.url(file)) as connection:
                found += [
                    connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in tables
                ]  # type: ignore[arg-type]
        return found

    before = everything()
    page_of(_look(console.now))
    _trends(console.now)
    assert everything() == before


def test_notices_are_counted_on_the_day_in_japan_on_which_they_were_applied(console: Console) -> None:
    """A second before midnight is yesterday; what is refused, waits or is a repair is no notice that was applied."""
    before, after = MIDNIGHT - timedelta(seconds=1), MIDNIGHT
    old = MIDNIGHT - 40 * DAY
    _write(
        console, _PACKAGE,
        (YAMAGUCHI, 1, "applied", "notice", before, before, 10), (UBE, 1, "applied", "notice", before, before, 5),
        (YAMAGUCHI, 2, "applied", "notice", before, after, 7),
        (YAMAGUCHI, 3, "refused", "notice", after, after, None),
        (YAMAGUCHI, 4, "received", "notice", after, None, None), (YAMAGUCHI, 1, "applied", "repair", after, after, 3),
        (SHIMONOSEKI, 1, "applied", "notice", old, old, 1_000),
    )  # fmt: skip
    _write(console, _PACKAGE, (YAMAGUCHI, 1, "applied", "notice", after, after, 2), file=FUHYO)
    trends = _trends()
    assert trends.notices[RESIDENT][-2:] == [15, 7] and sum(trends.notices[RESIDENT]) == 22
    assert trends.notices[FUHYO][-2:] == [0, 2]
    assert trends.days[-1].isoformat() == "2026-12-01"


def test_open_differences_of_today_are_those_the_page_counts(console: Console) -> None:
    """Accepted and settled ones are no more, those from before the first day still are."""
    long_ago, yesterday, today = MIDNIGHT - 60 * DAY, MIDNIGHT - HOUR, MIDNIGHT
    _write(
        console, _DIFFERENCE,
        ("1", "open", long_ago, None, None, None), ("2", "settled", long_ago, None, None, today),
        ("3", "accepted", yesterday, "正しい", today, None), ("4", "approved", yesterday, None, today, None),
        ("5", "settled", long_ago, None, long_ago, long_ago + DAY), ("6", "proposed", today, None, None, None),
    )  # fmt: skip
    console.contact_all()
    trends = _trends()
    assert trends.open_differences[RESIDENT] == [*[2] * 28, 4, 3]
    assert trends.open_differences[FUHYO] == [0] * 30
    facts = [one.facts for one in _look(NOW).channels]
    counted = sum(one.confirmation.open_differences for one in facts if one.channel.file is RESIDENT)
    assert counted == trends.open_differences[RESIDENT][-1] == 3


def test_holds_are_counted_by_whole_days_from_the_handing_over(console: Console) -> None:
    """One not handed over from when it was held; what was erased long ago is out of sight."""
    handed = {1: NOW - 3 * DAY, 2: NOW - 3 * DAY + HOUR, 3: None, 4: NOW - 200 * DAY, 5: NOW - DAY}
    _write(console, _PROVISION, *((number, number, at) for number, at in handed.items()), file=FUHYO)
    _write(
        console, _HOLD,
        (1, NOW - 9 * DAY, NOW, 1), (2, NOW - 9 * DAY, NOW, 2), (3, NOW - 5 * DAY, None, None),
        (4, NOW - 200 * DAY, NOW - 197 * DAY, 3), (5, NOW - 9 * DAY, None, None), file=FUHYO,
    )  # fmt: skip
    trends = _trends()
    assert (trends.erased, trends.held) == ({3: 1, 2: 1}, {5: 1, 1: 1})


def test_durations_are_medians_by_municipality_in_the_order_of_the_registrations(console: Console) -> None:
    """Of the last thirty days; one that failed, and one that is not finished, took no time that means anything."""
    seconds = timedelta(seconds=1)
    _write(
        console, _PACKAGE,
        *((UBE, took, "applied", "notice", NOW - took * seconds, NOW, 1) for took in (2, 4, 60)),
        (UBE, 1, "applied", "notice", NOW - 45 * DAY, NOW - 40 * DAY, 1),
    )  # fmt: skip
    _write(
        console, _RECONCILIATION, (YAMAGUCHI, "finished", NOW - 90 * seconds, NOW),
        (YAMAGUCHI, "failed", NOW - 12 * HOUR, NOW), (SHIMONOSEKI, "requested", NOW, None), file=FUHYO,
    )  # fmt: skip
    trends = _trends()
    assert list(trends.intake) == [YAMAGUCHI, SHIMONOSEKI, UBE]
    assert trends.intake == {YAMAGUCHI: {}, SHIMONOSEKI: {}, UBE: {RESIDENT: Duration(4.0, 3)}}
    assert trends.reconciliation == {YAMAGUCHI: {FUHYO: Duration(90.0, 1)}, SHIMONOSEKI: {}, UBE: {}}
