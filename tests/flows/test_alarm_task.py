"""The task that tells an alarm: in the log and the folder, whatever else does not answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from juki.alarms import AlarmKind
from juki.home import Home
from juki.keys import write_private
from juki.notifications import Notifications
from tasks.alarming import tell_alarm
from tests.conftest import Stores
from tests.console import RESIDENT, Console


@pytest.fixture
def console(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation with empty stores."""
    return Console(home, module_stores, monkeypatch, capsys)


@pytest.fixture
def _no_server() -> Iterator[None]:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}):
        yield


def _logged(console: Console) -> list[str]:
    with psycopg.connect(console.stores.url(RESIDENT)) as connection:
        rows = connection.execute("SELECT entry FROM journal WHERE action = 'alarm.raised' ORDER BY entry_no")
        return [json.loads(row[0])["basis"] for row in rows]


def _about(console: Console) -> list[str]:
    lines = Notifications(console.home.notifications).lines_file.read_text("utf-8").splitlines()
    return [json.loads(line)["about"] for line in lines]


@pytest.mark.usefixtures("_no_server")
def test_alarm_is_told_although_the_server_does_not_say_what_the_run_was_about(console: Console) -> None:
    """By the number of the run; another run nobody could read is another alarm, the same one is told once."""
    runs = [uuid4(), uuid4()]
    told = [tell_alarm.fn(AlarmKind.RUN_CRASHED, run).is_new for run in (*runs, runs[0])]
    assert told == [True, True, False]
    names = [f"flow-run:{run}" for run in runs]
    assert _logged(console) == [f"{name} {name}" for name in names] and _about(console) == names
    assert tell_alarm.fn(AlarmKind.PURGE_OVERDUE, UUID(int=7)).is_new
    assert _about(console)[-1] == "purge"


@pytest.mark.parametrize("mode", [0o640, None], ids=["open to others", "missing"])
def test_unreadable_mail_password_keeps_no_alarm_from_log_and_folder(
    console: Console, mode: int | None
) -> None:
    """Nor the letter from waiting until somebody has put it right."""
    secret = console.home.root / "smtp"
    if mode is not None:
        write_private(secret, b"s3cret")
        secret.chmod(mode)
    settings = console.home.settings_file
    console.settings(
        settings.read_text("utf-8"), 'smtp_host = "127.0.0.1"', 'smtp_from = "a@pref.example"',
        'smtp_to = ["b@pref.example"]', 'smtp_user = "juki"', f'smtp_password_file = "{secret}"',
    )  # fmt: skip
    assert tell_alarm.fn(AlarmKind.CHECKPOINT_STALE, None).is_new
    assert _logged(console) == _about(console) == ["checkpoint"]
    assert Notifications(console.home.notifications).waiting == 1
