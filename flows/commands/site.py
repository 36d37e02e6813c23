"""`juki up` and `juki down`: the Prefect server, its worker, the schedules and alarms, started and ended as one.

Decides:    that `up` returns when everything is ready, and what it prints: the address, and where the password is.
Leaves:     the work to `flows.serving`.
Invariants: both may be repeated; neither prints the password.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from config.settings import home_of
from flows.serving.children import end_all, of_the_site
from juki.cli.installation import Installation, iso
from juki.cli.output import AsJson, Result, finish
from juki.errors import StoreError
from juki.home import Home
from juki.reasons import Code, known_code
from juki.site import USER, SiteFiles, SiteNote, SiteState, morning_page
from juki.store import embedded

Foreground = Annotated[
    bool, typer.Option("--foreground", help="終わるまで戻らない（systemd などから起動するとき）")
]
KeepDatabase = Annotated[bool, typer.Option("--keep-database", help="組込みの PostgreSQL は止めない")]
_LOOK_SECONDS = 0.3
_START_SECONDS = 1200
_END_SECONDS = 120


def up(foreground: Foreground = False, as_json: AsJson = False) -> None:
    """Prefect のサーバ・ワーカ・予定・警報をすべて起動する（何度実行してもよい）

    終了コード: 0 動いている、2 起動できなかった。
    """
    installation = Installation.open()
    installation.limits()
    if foreground:
        _supervise(installation)
        return
    files = SiteFiles(installation.home)
    before = files.note()
    is_new = before is None or not before.is_owned
    note = _started(installation.home) if is_new else _ready(files, None)
    finish(_result(files, note, is_new=is_new), as_json=as_json)


def down(keep_database: KeepDatabase = False, as_json: AsJson = False) -> None:
    """Prefect のサーバ・ワーカと組込みの PostgreSQL を止める。止まっていれば何もしない。"""
    home = home_of()
    files = SiteFiles(home)
    was_up = files.note() is not None or bool(of_the_site(home))
    _ask_to_end(files)
    end_all(home)
    files.forget()
    stopped = not keep_database and embedded.stop(home)
    line = "サイトを止めました。" if was_up else "サイトは動いていません。"
    lines = [line, *(["組込みの PostgreSQL を止めました。"] if stopped else [])]
    finish(Result({"stopped": was_up, "database_stopped": stopped}, lines=lines), as_json=as_json)


def _supervise(installation: Installation) -> None:
    from flows.serving.supervisor import Supervisor

    Supervisor.of(installation.home, installation.settings).run()


def _started(home: Home) -> SiteNote:
    """Start a supervisor that outlives this process, and wait until the site is ready.

    Raises: JukiError with the code of what kept it from starting.
    """
    command = [sys.executable, "-m", "juki", "up", "--foreground"]
    environment = os.environ | {"JUKI_HOME": str(home.root)}
    with (home.logs / "prefect-site.log").open("ab") as log:
        supervisor = subprocess.Popen(  # noqa: S603
            command, env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    return _ready(SiteFiles(home), supervisor)


def _ready(files: SiteFiles, supervisor: subprocess.Popen[bytes] | None) -> SiteNote:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        note, now = files.note(), datetime.now(UTC)
        if note is not None and note.state_at(now) is SiteState.UP:
            return note
        if supervisor is None and note is not None and note.trouble_at(now) is Code.SITE_UNWATCHED:
            raise StoreError(Code.SITE_UNWATCHED, "juki up")
        has_ended = supervisor.poll() is not None if supervisor else note is None or not note.is_owned
        if has_ended:
            raise StoreError(_failure(files), "juki up")
        time.sleep(_LOOK_SECONDS)
    raise StoreError(Code.SITE_NOT_STARTED, "juki up")


def _failure(files: SiteFiles) -> Code:
    note = files.note()
    return (known_code(note.failure) if note else None) or Code.SITE_NOT_STARTED


def _ask_to_end(files: SiteFiles) -> None:
    """Let the supervisor end the site in order; one that does not is ended with the rest."""
    note = files.note()
    if note is None or not note.is_owned:
        return
    os.kill(int(note.supervisor.partition(":")[0]), signal.SIGTERM)
    until = time.monotonic() + _END_SECONDS
    while note.is_owned and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    if note.is_owned:
        os.kill(int(note.supervisor.partition(":")[0]), signal.SIGKILL)


def _result(files: SiteFiles, note: SiteNote, *, is_new: bool) -> Result:
    data = {
        "state": note.state_at(datetime.now(UTC)).value, "url": note.pages,
        "morning_page": morning_page(note.pages), "user": USER, "password_file": str(files.password_file),
        "since": iso(note.since_at), "started": is_new,
    }  # fmt: skip
    lines = [
        "サイトを起動しました。" if is_new else "サイトは動いています。",
        f"画面: {note.pages}",
        f"朝の一覧: {morning_page(note.pages)}",
        f"利用者名とパスワードを「{USER}:パスワード」の形で入力します。パスワード: {files.password_file}",
        "止めるとき: juki down",
    ]
    return Result(data, lines=lines)
