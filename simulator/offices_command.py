"""`python -m simulator offices up | day | down`: the municipalities of a demonstration beside `make up`.

Decides:    that `up` does nothing where no demonstration has come to its end, so that `make up` may always call it.
Leaves:     what they do to `simulator.living`.
Invariants: every command may be repeated; a process is known by its number and its beginning, and no other is ended.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.places import municipality_name
from config.settings import home_of
from juki.columns import IdentityFile
from juki.home import Home
from juki.processes import identity_of, lives
from simulator import installation
from simulator.kept import Kept, kept_of
from simulator.living import Wishes, run

_PATIENCE_SECONDS = 300
_LOOK_SECONDS = 0.1


def add_to(commands: Any) -> None:
    """Add `offices` and what it can do to the commands of the simulator."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "offices", help="make demo の市町村を動かし続ける（JUKI_HOME）"
    )
    verbs = parser.add_subparsers(required=True)
    for verb, does, doing in (
        ("up", "動かす。デモをしていなければ何もしない", _up),
        ("day", "一日を過ごさせ、通知を出させる", _day),
        ("down", "止める", _down),
        ("run", "この端末で動かす", _run),
    ):
        verbs.add_parser(verb, help=does).set_defaults(run=doing)


def _up(_: argparse.Namespace) -> None:
    home = home_of()
    if kept_of(home) is None:
        return
    if not _lives(home):
        _start(home)
    print("デモの19市町村のCSが動いています。一日を過ごさせる: make day")


def _day(_: argparse.Namespace) -> None:
    home = home_of()
    if not _lives(home):
        sys.exit("デモの市町村は動いていません。make demo の後に make up を実行してください。")
    wishes = Wishes(home)
    wishes.asked.touch()
    _wait(lambda: not wishes.asked.exists(), lambda: _lives(home))
    told: dict[str, int] = json.loads(wishes.answer.read_text())
    for name, count in sorted(told.items()):
        code, file = name.split("-")
        print(f"  {municipality_name(code)} {IdentityFile(file).japanese} {count:,} 件")
    print(
        f"通知 {sum(told.values()):,} 件を出しました。受け入れる: 画面の「受入」、または .venv/bin/juki intake"
    )


def _down(_: argparse.Namespace) -> None:
    home = home_of()
    if _lives(home):
        os.kill(int(_noted(home).partition(":")[0]), signal.SIGTERM)
        _wait(lambda: not _lives(home), lambda: True)
        print("デモの市町村を止めました。")
    _note(home).unlink(missing_ok=True)


def _run(_: argparse.Namespace) -> None:
    home = home_of()
    run(home, _kept(home), lambda: _note(home).write_text(identity_of(os.getpid())))


def _start(home: Home) -> None:
    """Start a process that outlives this one, and wait until its CS listens."""
    _note(home).unlink(missing_ok=True)
    with (home.logs / "offices.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "simulator", "offices", "run"],
            env=os.environ | {"JUKI_HOME": str(home.root)}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    _wait(lambda: _lives(home), lambda: child.poll() is None)


def _wait(is_so: Callable[[], bool], has_hope: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():
        if not has_hope() or time.monotonic() > until:
            sys.exit("デモの市町村が応答しません。JUKI_HOME/logs/offices.log を見てください。")
        time.sleep(_LOOK_SECONDS)


def _kept(home: Home) -> Kept:
    kept = kept_of(home)
    if kept is None:
        sys.exit("make demo が最後まで終わっていません。")
    return kept


def _lives(home: Home) -> bool:
    return lives(_noted(home))


def _noted(home: Home) -> str:
    try:
        return _note(home).read_text()
    except FileNotFoundError:
        return ""


def _note(home: Home) -> Path:
    return installation.folder(home) / "offices.process"
