"""`juki package` on real stores: what is shown, and what the local administrator may do, once."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from juki.cli.acting import local_administrator
from juki.home import Home
from juki.journal import Action
from juki.reasons import Code
from juki.store.journal import Journal
from juki.store.unit import channel_lock
from tests.conftest import Stores
from tests.console import COUNTS, FUHYO, RESIDENT, UBE, YAMAGUCHI, Console, Said

REASON = "山口市に電話で確認済み"


@pytest.fixture
def console(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation with empty stores."""
    return Console(home, module_stores, monkeypatch, capsys)


def _refused_with(said: Said, code: Code) -> bool:
    return (
        said.code == 2 and said.data["error"]["code"] == code.value and bool(said.data["error"]["next_step"])
    )


# -- looking ----------------------------------------------------------------------------------------------


def test_list_is_newest_first_over_both_stores_and_can_be_narrowed(console: Console) -> None:
    """By municipality, file and state; a list that is cut says so."""
    old = console.arrive(1, ago=timedelta(hours=2))
    console.arrive(1, file=FUHYO, ago=timedelta(hours=1))
    console.arrive(1, UBE)
    listed = console.juki("package", "list", "--json").data
    assert [one["id"] for one in listed["packages"]] == [f"R{old + 1}", "F1", f"R{old}"]
    assert listed["is_cut"] is False

    def ids(*arguments: str) -> list[str]:
        data = console.juki("package", "list", "--json", *arguments).data
        return [one["id"] for one in data["packages"]]

    assert ids("--municipality", UBE) == [f"R{old + 1}"]
    assert ids("--file", "fuhyo") == ["F1"]
    assert ids("--state", "refused") == []
    assert console.juki("package", "list", "--limit", "1", "--json").data["is_cut"] is True


def test_show_says_everything_registered_with_the_next_step_of_each_code(console: Console) -> None:
    """Counts, digests, receipt, and what was found on its records, by code."""
    console.contact_all()
    number = console.apply(1, counts=COUNTS)
    console.find(number, 2, Code.SEX_UNKNOWN, "sex")
    console.find(number, 3, Code.SEX_UNKNOWN, "sex")
    shown = console.juki("package", "show", f"R{number}", "--json").data
    assert (shown["state"], shown["counts"], shown["receipt"]) == ("applied", COUNTS, "sent")
    assert (shown["first_notice_no"], shown["last_notice_no"]) == (1, 10)
    assert shown["content_sha256"] == (b"c" * 32).hex()
    (finding,) = shown["findings"]
    assert (finding["code"], finding["count"]) == (Code.SEX_UNKNOWN.value, 2)
    text = console.juki("package", "show", f"r{number}").out
    for part in (
        f"R{number}",
        "山口市",
        "適用済",
        "送付済",
        Code.SEX_UNKNOWN.message,
        Code.SEX_UNKNOWN.next_step,
    ):
        assert part in text


def test_show_of_a_refused_package_says_why_and_what_to_do(console: Console) -> None:
    """The sentence and the next step of its code."""
    number = console.refuse(1)
    text = console.juki("package", "show", f"R{number}").out
    assert Code.PACKAGE_SIGNATURE.message in text and Code.PACKAGE_SIGNATURE.next_step in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "12"), Code.PACKAGE_ID_FORM),
        (("show", "R999"), Code.PACKAGE_NOT_FOUND),
        (("retry", "F999"), Code.PACKAGE_NOT_FOUND),
        (("release", "R999", "--reason", REASON), Code.PACKAGE_NOT_FOUND),
        (("release", "R999", "--reason", " "), Code.REASON_TEXT_FORM),
        (("list", "--municipality", "352038"), Code.COMMAND_ARGUMENT),
    ],
)
def test_wrong_argument_is_a_coded_error(console: Console, arguments: tuple[str, ...], code: Code) -> None:
    """Exit code 2, a sentence and a next step, in Japanese."""
    assert _refused_with(console.juki("package", *arguments, "--json"), code)


# -- trying again -----------------------------------------------------------------------------------------


def test_retried_package_waits_again_with_its_file(console: Console) -> None:
    """State, file and journal together; the old answer is not given any more."""
    number = console.refuse(1)
    said = console.juki("package", "retry", f"R{number}", "--json")
    assert (said.code, said.data["state"], said.data["has_changed"]) == (0, "received", True)
    assert said.data["reason"] is None and said.data["receipt"] == "none"
    assert console.progress() == (False, [number])
    assert (console.files().spool / said.data["file_name"]).read_bytes() == b"sealed"
    (entry,) = console.entries()
    assert entry["action"] == Action.PACKAGE_RETRIED.value
    assert entry["actor"] == local_administrator()
    assert (entry["package_id"], entry["code"]) == (number, Code.PACKAGE_SIGNATURE.value)


def test_second_retry_changes_nothing_and_says_so(console: Console) -> None:
    """One journal entry, not two."""
    number = console.refuse(1)
    assert console.juki("package", "retry", f"R{number}").code == 0
    again = console.juki("package", "retry", f"R{number}")
    assert again.code == 0 and "すでに" in again.out
    assert len(console.entries()) == 1


def test_package_whose_sequence_was_applied_can_not_be_retried(console: Console) -> None:
    """It would be compared with the applied one and stop the channel."""
    number = console.refuse(1)
    console.contact_all()
    console.apply(1)
    assert _refused_with(console.juki("package", "retry", f"R{number}", "--json"), Code.PACKAGE_NOT_EXPECTED)


def test_package_that_was_not_refused_can_not_be_retried(console: Console) -> None:
    """Neither an applied one nor an incident."""
    console.contact_all()
    applied = console.apply(1)
    conflict = console.collide(1)
    for number in (applied, conflict):
        said = console.juki("package", "retry", f"R{number}", "--json")
        assert _refused_with(said, Code.PACKAGE_NOT_REFUSED)


def test_refused_package_does_not_push_aside_a_newer_one(console: Console) -> None:
    """Two of one sequence can not wait; the newer one has the turn."""
    number = console.refuse(1)
    console.contact_all()
    newer = console.arrive(1, content=b"newer")
    assert _refused_with(console.juki("package", "retry", f"R{number}", "--json"), Code.PACKAGE_NEWER_WAITING)
    assert console.progress() == (False, [newer])
    (waiting,) = console.files().spool.iterdir()
    assert waiting.read_bytes() == b"newer"


def test_stray_package_is_never_retried(console: Console) -> None:
    """A package with the name of another municipality must not get a place in this channel (M2)."""
    number = console.refuse(1, name=f"{UBE}-resident-notice-00000001.p7m")
    console.contact_all()
    assert _refused_with(console.juki("package", "retry", f"R{number}", "--json"), Code.PACKAGE_STRAY)


@pytest.mark.parametrize("content", [None, b"swapped"])
def test_package_whose_file_is_gone_or_another_stays_refused(console: Console, content: bytes | None) -> None:
    """Nothing waits without its bytes, and no other bytes come into the spool."""
    number = console.refuse(1)
    console.contact_all()
    (kept,) = console.files().kept.iterdir()
    kept.unlink()
    if content is not None:
        kept.write_bytes(content)
    said = console.juki("package", "retry", f"R{number}", "--json")
    assert _refused_with(said, Code.PACKAGE_FILE_MISSING)
    assert console.progress() == (False, [])
    assert not list(console.files().spool.iterdir()) and console.entries() == []


def test_retry_killed_before_commit_can_be_done_again(console: Console) -> None:
    """The file came back but nothing was said: the package is still refused, and the next try goes through."""
    number = console.refuse(1)
    console.contact_all()
    killed = (
        "import os, sys; from juki.store.journal import Journal; "
        "Journal.append = lambda *a: os.kill(os.getpid(), 9); "
        f"sys.argv = ['juki', 'package', 'retry', 'R{number}']; from juki.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", killed], capture_output=True, timeout=60, check=False)
    assert done.returncode == -9
    assert (console.progress(), console.entries()) == ((False, []), [])
    assert console.juki("package", "retry", f"R{number}").code == 0
    assert console.progress() == (False, [number]) and len(console.entries()) == 1


def test_nothing_is_done_to_a_channel_a_run_is_working(console: Console) -> None:
    """The lock of the channel is asked first."""
    number = console.refuse(1)
    console.contact_all()
    with channel_lock(console.stores.resident_url, RESIDENT, YAMAGUCHI):
        said = console.juki("package", "retry", f"R{number}", "--json")
    assert _refused_with(said, Code.CHANNEL_BUSY)
    assert console.progress() == (False, [])


# -- deciding an incident ---------------------------------------------------------------------------------


def test_released_incident_lets_the_channel_go_on(console: Console) -> None:
    """The applied package stands, the other stays in quarantine, and the log says who decided and why."""
    console.contact_all()
    applied, number = console.apply(1), console.collide(1)
    assert console.progress() == (True, [])
    said = console.juki("package", "release", f"R{number}", "--reason", REASON, "--json")
    assert (said.code, said.data["state"], said.data["has_changed"]) == (0, "released", True)
    assert console.progress() == (False, [])
    assert [kept.name.split("-")[0] for kept in console.files().kept.iterdir()] == [str(number)]
    assert console.juki("package", "show", f"R{applied}", "--json").data["state"] == "applied"
    (entry,) = console.entries()
    assert entry["action"] == Action.PACKAGE_RELEASED.value
    assert (entry["basis"], entry["actor"]) == (REASON, local_administrator())
    assert entry["terminal"]


def test_second_release_changes_nothing_and_says_so(console: Console) -> None:
    """Neither the reason nor the instant of the first decision."""
    console.contact_all()
    console.apply(1)
    number = console.collide(1)
    first = console.juki("package", "release", f"R{number}", "--reason", REASON, "--json")
    again = console.juki("package", "release", f"R{number}", "--reason", "別の理由", "--json")
    assert (again.code, again.data["has_changed"]) == (0, False)
    assert again.data["settled_at"] == first.data["settled_at"]
    assert [entry["basis"] for entry in console.entries()] == [REASON]


@pytest.mark.parametrize("state", ["received", "applied", "refused"])
def test_only_an_incident_can_be_released(console: Console, state: str) -> None:
    """A refused package is retried or sent again; releasing it would hide that it is missing."""
    console.contact_all()
    number = {"received": console.arrive, "applied": console.apply, "refused": console.refuse}[state](1)
    said = console.juki("package", "release", f"R{number}", "--reason", REASON, "--json")
    assert _refused_with(said, Code.PACKAGE_NOT_INCIDENT)
    assert console.entries() == []


def test_act_that_can_not_be_journalled_is_not_done(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No log, no act: a broken log rolls the decision back."""
    console.contact_all()
    console.apply(1)
    number = console.collide(1)

    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(Journal, "append", refuse)
    said = console.juki("package", "release", f"R{number}", "--reason", REASON, "--json")
    assert said.code == 2 and said.data["error"]["code"] == Code.RUN_UNEXPECTED.value
    assert console.progress() == (True, [])
