"""`juki hold`, `purge`, `medium`, and what hangs into `juki provision`, by the clock of this machine."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer

from juki.cli import main
from juki.cli.hold_commands import hang_into
from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.hold_clock import ClockFile
from juki.holds import ClockNote
from juki.home import Home
from juki.notices import Reason
from juki.reasons import Code
from juki.wire.refused_files import RefusedFiles, RefusedKind
from juki.wire.request_files import RequestFiles
from tests.conftest import Stores
from tests.console import Said
from tests.histories import FIRST_DAY, Sent
from tests.notice_tables import HERE, notice
from tests.provision_rows import FUHYO, RESIDENT, Lender
from tests.snapshots import apply_package

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def lender(home: Home, stores: Stores, monkeypatch: pytest.MonkeyPatch) -> Lender:
    """An installation at the present, which the command line works for."""
    made = Lender(home, stores, at=NOW - timedelta(hours=1))
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def juki(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The command line as a process has it."""

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["juki", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Said(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def provision(capsys: pytest.CaptureFixture[str]) -> Any:
    """The group `provision` with what belongs here hung into it."""
    group = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
    group.callback()(lambda: None)
    hang_into(group)

    def run(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            group(args=list(arguments), prog_name="juki provision")
        printed = capsys.readouterr()
        return Said(int(ended.value.code or 0), printed.out, printed.err)

    return run


def code_of(act: Any, *arguments: str) -> Code:
    """Run a command that refuses."""
    with pytest.raises(JukiError) as refused:
        act(*arguments)
    return refused.value.code


def test_holds_are_listed_by_their_end(lender: Lender, juki: Any) -> None:
    """What ends first stands first; what is erased is shown when asked for."""
    later = lender.delivered()
    lender.at = NOW - timedelta(hours=73)
    earlier = lender.delivered(RESIDENT)
    lender.at = NOW
    data = juki("hold", "list", "--json").data["holds"]
    assert [one["id"] for one in data] == [str(earlier), str(later)]
    assert [(one["is_due"], one["numbers"]) for one in data] == [(True, 1), (False, 1)]
    assert juki("purge").code == 0
    assert [one["id"] for one in juki("hold", "list", "--json").data["holds"]] == [str(later)]
    (erased, _) = juki("hold", "list", "--all", "--json").data["holds"]
    assert (erased["id"], erased["entry_no"]) == (str(earlier), 2)
    assert "消去" in juki("hold", "list", "--all").out


def test_dry_run_erases_nothing_and_names_what_the_real_run_erases(lender: Lender, juki: Any) -> None:
    """The same provisions, said before and after."""
    lender.at = NOW - timedelta(hours=72, minutes=1)
    provision = lender.delivered()
    planned = juki("purge", "--dry-run", "--json")
    assert (planned.code, [one["id"] for one in planned.data["due"]]) == (0, [str(provision)])
    assert lender.is_kept(provision)
    done = juki("purge", "--json")
    assert (done.code, done.data["erased"], done.data["numbers"]) == (0, [str(provision)], 1)
    assert not lender.is_kept(provision)
    (proof,) = lender.entries(FUHYO, "hold.purged")
    assert proof["actor"].startswith("local-administrator:") and proof["terminal"]


def test_dry_run_says_of_everything_a_purge_takes_what_the_real_run_then_does(
    lender: Lender, juki: Any
) -> None:
    """Requests that go with a hold, a refused file, a key nobody holds, a folder that is away; it changes nothing."""
    lender.at = NOW - timedelta(hours=72, minutes=1)
    requests = RequestFiles(lender.home)
    due, away = lender.delivered(), lender.delivered(RESIDENT, recipient="kyoiku")
    lapsing = lender.approved()
    lender.custody().opened(lapsing, 1)
    refused = lender.approved(state="refused", code="provision.limit_lines")
    for provision in (due, away, lapsing, refused):
        requests.keep(provision, b"sealed request")
    stray = lender.approved()
    lender.custody().keys.ensure(stray)
    file = (
        RefusedFiles(lender.home).folder(RefusedKind.REQUESTS, "zeimu") / "a-zeimu-fuhyo-request-00000001.p7m"
    )
    file.parent.mkdir(parents=True)
    file.write_bytes(b"refused")
    for path in (lender.home.holds / f"{stray}.key", file):
        os.utime(path, (lender.at.timestamp(), lender.at.timestamp()))
    lender.folder("kyoiku").rename(lender.folder("kyoiku").with_name("away"))
    lender.at = NOW
    young = lender.delivered()
    requests.keep(young, b"sealed request")

    def told(*arguments: str) -> dict[str, Any]:
        data = juki("purge", *arguments, "--json").data
        names = ("requests", "refused", "strays", "left", "busy", "failed", "stores", "error")
        return {name: data[name] for name in names} | {"due": [one["id"] for one in data["due"]]}

    def everything() -> dict[str, bytes]:
        rows = {
            f"{of.value} {table}": str(lender.rows(of, f"SELECT * FROM {table} ORDER BY 1")).encode()
            for of in (RESIDENT, FUHYO) for table in ("provision", "hold", "journal")
        }  # fmt: skip
        files = (path for path in lender.home.root.rglob("*") if path.is_file() and path.suffix != ".log")
        return rows | {str(path): path.read_bytes() for path in files}

    before = everything()
    planned = told("--dry-run")
    assert everything() == before
    assert planned == {
        "due": [str(away), str(due), str(lapsing)], "requests": 4, "refused": 1, "strays": [str(stray)],
        "left": [str(away)], "busy": [], "failed": [], "stores": {}, "error": None,
    }  # fmt: skip
    said = juki("purge", "--dry-run").out
    assert "要求 4 件、受け付けなかったファイル 1 件は消去の対象です（消去していません）" in said
    assert told() == planned
    assert [path.name for path in lender.home.requests.glob("*.p7m")] == [f"{young}.p7m"]
    rest = told("--dry-run")
    assert rest == told() == {**planned, "due": [], "requests": 0, "refused": 0, "strays": []}


def test_dry_run_tells_of_records_that_are_over_and_the_real_run_erases_them(
    lender: Lender, juki: Any
) -> None:
    """By the same command, counted by file; one that is kept for its wrong day ends it with 1 and says why."""
    day = (NOW.date().replace(day=1, year=NOW.year - 151) - FIRST_DAY).days
    gone = [notice(resident_code=who, kind="deletion", reason=Reason.DEATH.value) for who in "AB"]
    apply_package(lender.stores.url(RESIDENT), Sent(HERE, 1, gone, day), 1)
    planned = juki("purge", "--dry-run", "--json")
    assert (planned.code, planned.data["records"]["due"]) == (0, {"resident": 2, "fuhyo": 0})
    assert "記録は 2 版です（消去していません）" in juki("purge", "--dry-run").out
    assert lender.rows(RESIDENT, "SELECT count(*) FROM current") == [(2,)]
    lender.run_sql(RESIDENT, "UPDATE current SET received_on = '2026-03-25' WHERE resident_code = 'B'")
    done = juki("purge", "--json")
    assert (done.code, done.data["records"]["erased"]) == (1, {"resident": 1, "fuhyo": 0})
    assert done.data["records"]["unclear"] == {"resident": 1, "fuhyo": 0}
    assert done.data["error"]["code"] == Code.RETENTION_DAY_WRONG.value
    assert lender.rows(RESIDENT, "SELECT resident_code FROM current") == [("B",)]
    said = juki("purge")
    assert said.code == 1 and "[retention.day_wrong]" in said.out
    (entry,) = lender.entries(RESIDENT, "records.erased")
    assert entry["actor"].startswith("local-administrator:") and entry["terminal"]


def test_purge_that_doubts_the_clock_ends_with_an_error_until_it_is_confirmed(
    lender: Lender, juki: Any
) -> None:
    """The screen says why and what to type; the reason may not name a person."""
    lender.at = NOW - timedelta(days=30)
    provision = lender.delivered()
    ClockFile(lender.home).write(ClockNote(trusted_at=lender.at))
    for arguments in (("--dry-run",), ()):
        said = juki("purge", *arguments)
        assert said.code == 2
        assert "[clock.ahead]" in said.out and "--confirm-clock" in said.out
        assert "記録は 0 版です（消去していません）" in said.out
    assert lender.is_kept(provision)
    refused = juki("purge", "--confirm-clock", "123456789018 の件", "--json")
    assert refused.data["error"]["code"] == Code.REASON_TEXT_FORM.value
    assert juki("purge", "--confirm-clock", "停止していたため").code == 0
    assert not lender.is_kept(provision)


def test_status_says_what_is_overdue_why_a_purge_stopped_and_which_media_are_out(
    lender: Lender, juki: Any
) -> None:
    """Each with its code and the next step; without any of them nothing is said."""
    assert juki("status", "--json").data["alarms"] == []
    lender.at = NOW - timedelta(hours=74)
    provision = lender.delivered()
    ClockFile(lender.home).write(ClockNote(stopped=Code.CLOCK_BEHIND))
    said = ("--label", "A-1", "--kind", "USBメモリ", "--place", "金庫", "--keeper", "係長")
    medium = juki("medium", "register", "--file", "fuhyo", *said, "--json").data["id"]
    juki("medium", "hand-out", medium, "--to", "税務課 係長", "--due-back", "2026-01-05")
    status = juki("status", "--json")
    assert status.code == 1
    assert [(one["code"], one["which"]) for one in status.data["alarms"]] == [
        ("hold.overdue", [str(provision)]), ("clock.behind", []), ("medium.overdue", [f"{medium} A-1"]),
    ]  # fmt: skip
    assert status.data["alarms"][-1]["since"] == "2026-01-06T00:00:00+09:00"
    assert "[hold.overdue]" in juki("status").out
    late = juki("hold", "list")
    assert (late.code, "[hold.overdue]" in late.out) == (1, True)


def test_resend_and_receipt_by_hand(lender: Lender, provision: Any) -> None:
    """From a receipt on paper, and for a file that was lost on the way."""
    sent = lender.delivered(content=b"the very bytes")
    (path,) = lender.folder("zeimu").iterdir()
    path.unlink()
    again = provision("resend", str(sent), "--json")
    assert (again.code, again.data["resent"]) == (0, 1)
    assert path.read_bytes() == b"the very bytes"
    (entry,) = lender.entries(FUHYO, "provision.resent")
    assert entry["actor"].startswith("local-administrator:")
    before = lender.hold(sent).due_at
    assert "受領を記録しました" in provision("receipt", str(sent)).out
    assert lender.hold(sent).due_at < before
    assert "記録済み" in provision("receipt", str(sent)).out
    assert code_of(provision, "resend", "F99") is Code.HOLD_UNKNOWN
    assert code_of(provision, "receipt", str(lender.sealed())) is Code.PROVISION_NOT_DELIVERED


# -- media --------------------------------------------------------------------------------------------------------


def register(juki: Any, file: IdentityFile = FUHYO, label: str = "A-1") -> str:
    """Register a medium."""
    said = ("--label", label, "--kind", "USBメモリ", "--place", "金庫", "--keeper", "係長")
    registered: str = juki("medium", "register", "--file", file.value, *said, "--json").data["id"]
    return registered


def test_medium_goes_out_and_comes_back_and_every_step_is_logged(lender: Lender, juki: Any) -> None:
    """Place, keeper, who has it and until when (M10)."""
    medium = register(juki)
    out = juki("medium", "hand-out", medium, "--to", "税務課 係長", "--due-back", "2099-01-05", "--json").data
    assert (out["state"], out["handed_to"], out["due_back_on"]) == ("handed_out", "税務課 係長", "2099-01-05")
    back = juki("medium", "return", medium, "--place", "別の金庫", "--json").data
    assert (back["state"], back["handed_to"], back["place"]) == ("kept", None, "別の金庫")
    assert juki("medium", "retire", medium, "--reason", "細断", "--json").data["state"] == "retired"
    assert juki("medium", "list", "--json").data["media"] == []
    assert len(juki("medium", "list", "--all", "--json").data["media"]) == 1
    actions = [one["action"] for one in lender.entries(FUHYO) if one.get("medium") == medium]
    assert actions == ["medium.registered", "medium.handed_out", "medium.returned", "medium.retired"]
    entered, out_of_it, *_ = [one for one in lender.entries(FUHYO) if one.get("medium") == medium]
    assert len(entered["basis"].split("、")) == 4, "label, kind, place and keeper"
    assert (out_of_it["basis"], out_of_it["due_at"]) == ("税務課 係長", "2099-01-05")


def test_medium_is_handed_out_once_at_a_time_and_never_when_retired(lender: Lender, juki: Any) -> None:
    """Two who have the same stick is one who does not have it."""
    medium = register(juki)
    out = ("medium", "hand-out", medium, "--to", "税務課", "--due-back", "2099-01-05", "--json")
    juki(*out)
    for refused in (out, ("medium", "retire", medium, "--reason", "細断", "--json")):
        assert juki(*refused).data["error"]["code"] == Code.MEDIUM_STATE.value
    juki("medium", "return", medium)
    assert juki("medium", "return", medium, "--json").data["error"]["code"] == Code.MEDIUM_STATE.value
    juki("medium", "retire", medium, "--reason", "細断")
    assert juki(*out).data["error"]["code"] == Code.MEDIUM_STATE.value


def test_wrong_words_about_a_medium_are_refused(lender: Lender, juki: Any) -> None:
    """A label twice, a medium nobody knows, a day that is none, a number of a person."""
    register(juki)
    said = ("--label", "A-1", "--kind", "USBメモリ", "--place", "金庫", "--keeper", "係長", "--json")
    taken = juki("medium", "register", "--file", "fuhyo", *said)
    assert taken.data["error"]["code"] == Code.MEDIUM_LABEL_TAKEN.value
    cases = {
        ("F9", "税務課", "2099-01-05"): Code.MEDIUM_UNKNOWN, ("F1", "税務課", "明日"): Code.COMMAND_ARGUMENT,
        ("F1", "123456789018", "2099-01-05"): Code.REASON_TEXT_FORM,
    }  # fmt: skip
    for (medium, to, day), code in cases.items():
        refused = juki("medium", "hand-out", medium, "--to", to, "--due-back", day, "--json")
        assert refused.data["error"]["code"] == code.value


@pytest.mark.parametrize(("days", "is_late"), [(0, False), (-1, True)])
def test_medium_is_late_after_its_day_only(lender: Lender, juki: Any, days: int, is_late: bool) -> None:
    """The day itself, in Japan, is still in time."""
    medium = register(juki)
    day = (datetime.now(UTC) + timedelta(hours=9, days=days)).date().isoformat()
    juki("medium", "hand-out", medium, "--to", "税務課", "--due-back", day)
    said = juki("medium", "list", "--json")
    assert (said.code, said.data["media"][0]["is_overdue"]) == (int(is_late), is_late)


def test_media_that_should_be_back_come_first_and_say_since_when(lender: Lender, juki: Any) -> None:
    """Whoever looks sees at once what to fetch, and since when; the page says the same."""
    in_time, late, later = (register(juki, label=f"B-{number}") for number in range(3))
    for medium, day in ((in_time, "2099-01-05"), (late, "2026-02-05"), (later, "2026-01-05")):
        juki("medium", "hand-out", medium, "--to", "税務課", "--due-back", day)
    listed = juki("medium", "list", "--json").data["media"]
    assert [(one["id"], one["overdue_since"]) for one in listed] == [
        (later, "2026-01-06T00:00:00+09:00"), (late, "2026-02-06T00:00:00+09:00"), (in_time, None),
    ]  # fmt: skip
    assert "2026-01-05 超過" in juki("medium", "list").out
    page = juki("status")
    assert (page.code, f"{later} B-2、{late} B-1（2026-01-06 00:00 から）" in page.out) == (1, True)


def test_delivery_names_its_medium(lender: Lender, juki: Any, provision: Any) -> None:
    """Which stick the package is on, in the register and in the log; of the same store, and not a destroyed one."""
    sent, other = lender.delivered(), lender.sealed()
    medium, resident, gone = register(juki), register(juki, RESIDENT), register(juki, label="A-2")
    juki("medium", "retire", gone, "--reason", "細断")
    assert "金庫" in provision("hand-over", str(sent), "--medium", medium).out
    assert lender.rows(FUHYO, "SELECT medium_no FROM provision ORDER BY provision_id") == [(1,), (None,)]
    (entry,) = lender.entries(FUHYO, "provision.handed_over")
    assert (entry["provision"], entry["medium"]) == (str(sent), medium)
    assert code_of(provision, "hand-over", str(sent), "--medium", resident) is Code.COMMAND_ARGUMENT
    assert code_of(provision, "hand-over", str(sent), "--medium", gone) is Code.MEDIUM_STATE
    assert code_of(provision, "hand-over", str(other), "--medium", medium) is Code.PROVISION_NOT_DELIVERED
