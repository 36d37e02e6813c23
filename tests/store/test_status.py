"""`juki status` on real stores: every channel, its state, why, and what to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from juki.columns import IdentityFile
from juki.differences import Mode
from juki.found import FOUND_SCHEMA, Found, no_records
from juki.home import Home
from juki.lineage_files import LineageFiles
from juki.overview.confirmed import HEADINGS, TITLE
from juki.reasons import Code, known_code
from juki.shown import shown
from juki.store.status import Overview
from juki.store.tables import TABLES
from tests.conftest import Stores
from tests.console import COUNTS, FUHYO, RESIDENT, SHIMONOSEKI, UBE, YAMAGUCHI, Console

HOUR = timedelta(hours=1)


@pytest.fixture
def console(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation with empty stores."""
    return Console(home, module_stores, monkeypatch, capsys)


def _channel(data: dict[str, Any], code: str = YAMAGUCHI, file: IdentityFile = RESIDENT) -> dict[str, Any]:
    (one,) = (
        one for one in data["channels"] if (one["municipality_code"], one["file"]) == (code, file.value)
    )
    return one


def _codes(channel: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in channel["reasons"]]


def test_registered_municipality_is_shown_before_it_was_ever_contacted(console: Console) -> None:
    """Both files of each, as not connected, with one line that says what to do for all of them."""
    said = console.juki("status", "--json")
    assert said.code == 1
    assert [(one["municipality_code"], one["file"]) for one in said.data["channels"]] == [
        (code, file.value) for code in (YAMAGUCHI, SHIMONOSEKI, UBE) for file in IdentityFile
    ]
    assert said.data["summary"]["silent"] == 6
    assert all(_codes(one) == [Code.CHANNEL_NEVER_CONTACTED.value] for one in said.data["channels"])
    lines = console.juki("status").out.splitlines()
    assert "6 件" in lines[0] and "未接続 6" in lines[0]
    assert sum(Code.CHANNEL_NEVER_CONTACTED.next_step in line for line in lines) == 1


def test_all_normal_is_a_short_page_and_exit_code_0(console: Console) -> None:
    """The summary, then every municipality with its last sequences, three in a line."""
    console.contact_all()
    console.apply(1)
    console.apply(2)
    said = console.juki("status")
    assert (said.code, said.err) == (0, "")
    summary, _, normal, log, scanning, site = said.out.splitlines()
    assert scanning.startswith("ウイルス検査: していません") and site.startswith("予定（Prefect）: ")
    assert "正常 6" in summary and log.startswith("操作ログ: 本人 0 件（署名 -、以後 0 件）")
    assert "山口市 本人2・附票0" in normal and "宇部市 本人0・附票0" in normal
    assert console.juki("status", "--all").out.count("\t正常\t") == 6


def test_last_confirmed_equal_is_shown_in_full_with_all_and_by_its_instant_without(console: Console) -> None:
    """Instant, notice number, rows and the beginning of the root digest, of who was never confirmed a dash."""
    console.contact_all()
    console.apply(1)
    with console.unit() as unit:
        register = unit.reconciliations
        number = register.begin(YAMAGUCHI, Mode.REPORT, console.now, console.now + HOUR).reconciliation_id
        found = Found(
            FOUND_SCHEMA.empty_table(), no_records(RESIDENT), 1_234, 1_234, bytes(range(0xA0, 0xC0))
        )
        snapshot = {"as_of": console.now - 3 * HOUR, "watermark": 10, "parts": 1, "last_sequence": 1}
        register.compared(number, snapshot, found, console.now)
        register.end(number, console.now, None)
    confirmed = _channel(console.juki("status", "--json").data)["confirmed"]
    at = shown(console.now - 3 * HOUR)
    assert (confirmed["rows"], confirmed["watermark"]) == (1_234, 10)
    assert confirmed["root_digest"] == bytes(range(0xA0, 0xC0)).hex()
    lines = console.juki("status", "--all").out.splitlines()
    table = lines[lines.index(f"# {TITLE}") + 1 :]
    assert table[0].split("\t") == list(HEADINGS)
    assert table[1].split("\t") == ["山口市", "本人", at, "10", "1,234", "a0a1a2a3a4a5a6a7"]
    assert table[2].split("\t") == ["山口市", "附票", "-", "-", "-", "-"]
    assert sum(line.count("\t") == len(HEADINGS) - 1 for line in table[1:7]) == 6
    assert TITLE not in console.juki("status").out


def test_gap_tells_what_is_missing_and_until_when(console: Console) -> None:
    """Later packages wait; within the deadline it is a wait, after it it is overdue."""
    console.contact_all()
    console.apply(1)
    console.arrive(3, ago=5 * HOUR)
    with console.unit() as unit:
        unit.packages.set_gap(YAMAGUCHI, console.now - 5 * HOUR)
    waiting = _channel(console.juki("status", "--json").data)
    assert (waiting["state_japanese"], waiting["waiting"], waiting["missing_sequence"]) == ("待ち", 1, 2)
    assert _codes(waiting) == [Code.CHANNEL_GAP.value]
    assert waiting["reasons"][0]["deadline"] > waiting["reasons"][0]["since"] == waiting["oldest_waiting_at"]
    with console.unit() as unit:
        unit.packages.set_gap(YAMAGUCHI, console.now - 30 * HOUR)
    said = console.juki("status")
    assert said.code == 1
    assert Code.CHANNEL_GAP_OVERDUE.value in said.out and "連番 2 待ち" in said.out and "期限" in said.out


def test_refused_package_is_open_until_its_sequence_is_applied(console: Console) -> None:
    """With its own code and next step; afterwards it is history."""
    console.contact_all()
    console.apply(1)
    number = console.refuse(2)
    said = console.juki("status", "--json")
    refused = _channel(said.data)
    assert (said.code, refused["state_japanese"], refused["refused"]) == (1, "拒否あり", 1)
    (package,) = refused["reasons"][0]["packages"]
    assert (package["id"], package["code"]) == (f"R{number}", Code.PACKAGE_SIGNATURE.value)
    assert Code.PACKAGE_SIGNATURE.next_step in console.juki("status").out
    console.apply(2)
    assert console.juki("status").code == 0


def test_stray_package_stays_open_whatever_is_applied(console: Console) -> None:
    """It took no place in the order, so no applied package takes its place."""
    console.contact_all()
    name = f"{UBE}-resident-notice-00000001.p7m"
    number = console.refuse(1, name=name)
    console.apply(1)
    assert _channel(console.juki("status", "--json").data)["refused"] == 1
    assert console.juki("package", "release", f"R{number}", "--reason", "宇部市に確認").code == 0
    assert console.juki("status").code == 0


def test_incident_stops_the_channel_and_no_other(console: Console) -> None:
    """The worst state, named with the package an operator has to decide about."""
    console.contact_all()
    console.apply(1)
    number = console.collide(1)
    data = console.juki("status", "--json").data
    assert data["summary"] == {
        "stopped": 1, "failing": 0, "silent": 0, "refused": 0, "different": 0, "waiting": 0,
        "unconfirmed": 0, "normal": 5,
    }  # fmt: skip
    assert _channel(data)["reasons"][0]["packages"][0]["id"] == f"R{number}"


def test_failure_silence_and_left_overs_are_told_with_their_codes(console: Console) -> None:
    """One channel each: unreachable, silent too long, rejected records, a receipt due, strange files."""
    console.contact_all()
    console.contact(SHIMONOSEKI, RESIDENT, ago=25 * HOUR)
    console.contact(SHIMONOSEKI, FUHYO, unknown=2)
    console.apply(1, UBE, counts=COUNTS)
    console.apply(1, UBE, FUHYO, is_answered=False)
    with console.unit() as unit:
        unit.packages.failed(YAMAGUCHI, Code.CHANNEL_HOST_KEY)
    data = console.juki("status", "--json").data
    found = {(one["municipality_code"], one["file"]): _codes(one) for one in data["channels"]}
    assert found == {
        (YAMAGUCHI, "resident"): [Code.CHANNEL_HOST_KEY.value],
        (YAMAGUCHI, "fuhyo"): [],
        (SHIMONOSEKI, "resident"): [Code.CHANNEL_SILENT.value],
        (SHIMONOSEKI, "fuhyo"): [Code.CHANNEL_UNKNOWN_FILES.value],
        (UBE, "resident"): [Code.CHANNEL_RECORDS_REJECTED.value],
        (UBE, "fuhyo"): [Code.CHANNEL_RECEIPT_DUE.value],
    }
    assert _channel(data, UBE)["rejected_records"] == COUNTS["rejected"]
    first = console.juki("status").out.splitlines()[0]
    assert all(word in first for word in ("正常 1", "待ち 2", "拒否あり 1", "未接続 1", "障害 1"))


def test_municipality_that_is_registered_no_more_is_still_shown(console: Console) -> None:
    """What it sent has not gone away."""
    console.contact_all()
    console.register({YAMAGUCHI: "山口市"})
    data = console.juki("status", "--json").data
    gone = [one for one in data["channels"] if _codes(one) == [Code.CHANNEL_UNREGISTERED.value]]
    assert [one["municipality_code"] for one in gone] == sorted([SHIMONOSEKI] * 2 + [UBE] * 2)


def test_package_nobody_has_come_to_yet_waits(console: Console) -> None:
    """A run killed between fetching and applying leaves it there; the next run will do."""
    console.contact_all()
    console.arrive(1)
    assert _codes(_channel(console.juki("status", "--json").data)) == [Code.CHANNEL_WAITING.value]


@pytest.mark.parametrize(
    "period",
    ["gap_deadline_hours", "contact_alert_hours", "confirmed_alert_hours", "jlis_answer_alert_hours"],
)
def test_period_nobody_decided_is_an_error_that_names_it(console: Console, period: str) -> None:
    """There is no silent default, and no state is invented."""
    all_of_them = {
        "gap_deadline_hours", "contact_alert_hours", "confirmed_alert_hours", "jlis_answer_alert_hours",
    }  # fmt: skip
    console.settings(*(f"{one} = 24" for one in all_of_them - {period}))
    said = console.juki("status", "--json")
    assert said.code == 2
    assert said.data["error"]["code"] == Code.CONFIG_MISSING.value
    assert said.data["error"]["ref"] == period


def test_home_that_was_never_initialised_is_named_so(console: Console, tmp_path: Any) -> None:
    """Nothing is created by looking."""
    console.monkeypatch.setenv("JUKI_HOME", str(tmp_path / "elsewhere"))
    said = console.juki("status")
    assert said.code == 2
    assert Code.CONFIG_NOT_INITIALISED.value in said.err and "juki init" in said.err
    assert not (tmp_path / "elsewhere").exists()


def test_no_municipality_at_all_needs_attention(console: Console) -> None:
    """An empty page must not read as all well."""
    console.register({})
    said = console.juki("status")
    assert said.code == 1 and "登録されていません" in said.out


def test_reader_sees_the_register_and_nothing_of_people(console: Console) -> None:
    """The view works in the reader's role, and no column it selects is one of an identity file."""
    from juki.store.roles import Duty
    from juki.store.unit import open_unit

    console.apply(1)
    with open_unit(console.stores.resident_url, RESIDENT, Duty.READER) as unit:
        overview = Overview(RESIDENT, unit.connection)
        assert overview.channels([])[0].last_sequence == 1
        assert overview.progress_since(console.now, [YAMAGUCHI]).packages == 1
        assert overview.progress_since(console.now + HOUR, [YAMAGUCHI]).packages == 0
        assert [one.sequence for one in overview.settled_since(console.now, [YAMAGUCHI])] == [1]
        assert overview.settled_since(console.now, [UBE]) == []


def test_code_of_another_version_is_not_hidden(console: Console) -> None:
    """A stored code this version does not know reads as an unexpected failure, and nothing stays nothing."""
    console.contact_all()
    channel = TABLES[RESIDENT].channel
    with console.unit() as unit:
        unit.connection.execute(channel.update().values(last_failure_code="channel.of_the_future"))
    assert _codes(_channel(console.juki("status", "--json").data)) == [Code.RUN_UNEXPECTED.value]
    assert known_code(None) is None


def test_events_of_runs_that_are_not_written_are_on_the_status_page(console: Console) -> None:
    """Runs go on without them, so somebody has to be told; where they are switched off, nobody is."""
    console.contact_all()
    assert console.juki("status").code == 0
    console.home.lineage.touch()
    assert not LineageFiles(console.home).write({}, console.now.date(), days_kept=1)
    said = console.juki("status", "--json")
    assert [one["code"] for one in said.data["alarms"]] == [Code.LINEAGE_UNWRITTEN.value]
    settings = console.home.settings_file.read_text("utf-8")
    console.settings(settings, "lineage = false")
    assert console.juki("status").code == 0
