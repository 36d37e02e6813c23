"""The supervisor against what goes wrong around it: a full disk, a stranger at the port, a server that is away."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from config.settings import Settings
from flows.commands.site import _ready
from flows.serving import supervisor as supervising
from flows.serving.children import start_child, stop_child, worker_name
from flows.serving.exclusive import own_port
from flows.serving.noting import Diary, say
from flows.serving.supervisor import SERVER, WORKER, EndAskedError, Supervisor
from juki.errors import SourceError, StoreError
from juki.home import Home
from juki.processes import identity_of
from juki.reasons import Code
from juki.site import SiteFiles, SiteNote, SiteState
from juki.wire.site_api import SiteApi

CAN_CONNECT = "import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); print(s.getsockname()[1])"
SERVED = """
async def answer(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'"3.8.8"'})


def create():
    return answer
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    """A supervisor that has started nothing, in a home of its own."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"JUKI_{name.upper()}", raising=False)
    home = Home.at(tmp_path)
    home.create()
    made = Supervisor.of(home, Settings())
    made.diary.write(is_ready=True, is_answering=True, is_working=True)
    yield made
    for child in made.children.values():
        stop_child(child)


def _full_disk() -> None:
    raise OSError(errno.ENOSPC, "no space left: 山田太郎")


def _note(site: Supervisor) -> SiteNote:
    note = SiteFiles(site.home).note()
    assert note is not None
    return note


def _state(site: Supervisor) -> SiteState:
    return _note(site).state_at(datetime.now(UTC))


def _dead() -> subprocess.Popen[bytes]:
    child = subprocess.Popen(["false"])
    child.wait()
    return child


# -- what nobody foresaw ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "山田"), KeyError("山田"), RecursionError(), ValueError("山田")]
)
def test_supervisor_goes_on_whatever_a_care_fails_of(
    site: Supervisor, error: Exception, capfd: pytest.CaptureFixture[str]
) -> None:
    """A full disk left server, worker and runs unwatched; it is a trouble until it works again, and quotes nobody."""

    def care() -> None:
        raise error

    site._cared_for(care, "runs", 0)
    said = capfd.readouterr().err
    assert f"runs {type(error).__name__}" in said and "山田" not in said
    assert (_state(site), _note(site).failing) == (SiteState.TROUBLED, ("runs",))
    site._cared_for(lambda: None, "runs", 0)
    assert (_state(site), _note(site).failing) == (SiteState.UP, ())


def test_being_asked_to_end_is_no_failure_of_a_care(site: Supervisor) -> None:
    """A server is being started again when somebody says `juki down`."""

    def care() -> None:
        raise EndAskedError

    with pytest.raises(EndAskedError):
        site._cared_for(care, "children", 0)


def test_note_and_log_that_can_not_be_written_end_nobody(
    site: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full and the terminal gone; what was to be written is written with the next beat."""
    monkeypatch.setattr(SiteFiles, "write", lambda *_: _full_disk())
    gone = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    monkeypatch.setattr(sys, "stderr", gone)
    say("ready")
    site.diary.write(is_answering=False)
    gone.close()
    say("ready")
    monkeypatch.undo()
    assert _note(site).is_answering
    site.diary.due = 0
    site.diary.beat()
    assert not _note(site).is_answering


@pytest.mark.parametrize(
    "what", [OSError(errno.ENOSPC, "x"), StoreError(Code.SITE_PORT_TAKEN, "1"), EndAskedError()]
)
def test_whatever_ends_the_supervisor_ends_the_site(
    site: Supervisor, what: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left behind unwatched; only one that was asked to end is forgotten."""
    monkeypatch.setattr(supervising.signal, "signal", lambda *_: None)

    def start(self: Supervisor) -> None:
        self.children[WORKER] = subprocess.Popen(["sleep", "60"])
        self.children[SERVER] = _dead()
        raise what

    monkeypatch.setattr(Supervisor, "_start", start)
    try:
        site.run()
    except (OSError, StoreError) as error:
        assert error is what
    assert site.children[WORKER].poll() is not None
    note = SiteFiles(site.home).note()
    codes = {"OSError": "run.unexpected", "StoreError": "site.port_taken"}
    assert (note.failure if note else None) == codes.get(type(what).__name__)


@dataclass
class Stranger:
    """Another program at a port: answers everything with the same words."""

    said: bytes
    asked: list[dict[str, str]] = field(default_factory=list)

    def serve(self) -> HTTPServer:
        stranger = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stranger.asked.append(dict(self.headers))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(stranger.said)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server


@pytest.mark.parametrize("said", [b"<html>", b"\xff\xfe", b"[" * 100_000])
def test_stranger_at_the_port_is_said_by_one_code(said: bytes) -> None:
    """What is no JSON ended the supervisor."""
    server = Stranger(said).serve()
    try:
        api = SiteApi(server.server_port, "juki:s3cret", 5)
        for ask in (lambda: api.get("/admin/version"), lambda: api.post("/flow_runs/filter")):
            with pytest.raises(SourceError) as silent:
                ask()
            assert (silent.value.code, silent.value.is_transient) == (Code.SITE_SILENT, True)
            assert silent.value.__cause__ is None and silent.value.__context__ is None
    finally:
        server.shutdown()
        server.server_close()


# -- the port -------------------------------------------------------------------------------------------


def test_port_of_a_site_is_never_free_to_a_stranger(tmp_path: Path) -> None:
    """While the server is started again, password and key were sent to whoever listened there first."""
    (tmp_path / "served.py").write_text(SERVED)
    listening = own_port(0)
    port, number = listening.getsockname()[1], listening.fileno()
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    api = SiteApi(port, "juki:s3cret", 0.2, "key")
    patient = SiteApi(port, "juki:s3cret", 20, "key")
    for _ in range(2):
        assert not api.is_answering()
        with pytest.raises(OSError), socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stranger.bind(("127.0.0.1", port))
        with pytest.raises(StoreError) as second:
            own_port(port)
        assert second.value.code is Code.SITE_PORT_TAKEN
        command = [sys.executable, "-m", "flows.serving.server", str(number), "served:create"]
        server = start_child(command, environment, tmp_path / "log", Path.cwd(), (number,))
        try:
            assert patient.is_answering(), (tmp_path / "log").read_text()
        finally:
            server.kill()
            server.wait()
    listening.close()
    own_port(port).close()


def test_no_child_but_the_server_holds_the_port(tmp_path: Path) -> None:
    """A worker or a run that outlived the site would keep it, and could answer in its place."""
    listening, log = own_port(0), tmp_path / "log"
    number = str(listening.fileno())
    for handed in ((), (listening.fileno(),)):
        child = start_child([sys.executable, "-c", CAN_CONNECT, number], dict(os.environ), log, handed=handed)
        assert (child.wait() == 0) is bool(handed)
    assert log.read_text().splitlines()[-1] == str(listening.getsockname()[1])
    listening.close()


def test_port_of_a_killed_supervisor_is_free_once_its_server_is_ended(tmp_path: Path) -> None:
    """The server that is left holds the socket; the next start ends it first."""
    script = (
        "import subprocess, sys, os\n"
        "from flows.serving.exclusive import own_port\n"
        "s = own_port(0)\n"
        "quiet = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}\n"
        "p = subprocess.Popen(['sleep', '60'], pass_fds=(s.fileno(),), **quiet)\n"
        "print(s.getsockname()[1], p.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False).stdout
    port, left = map(int, said.split())
    with pytest.raises(StoreError):
        own_port(port)
    os.kill(left, 9)
    listening = _eventually(lambda: own_port(port))
    listening.close()


def _eventually(make: Callable[[], socket.socket]) -> socket.socket:
    until = time.monotonic() + 5
    while True:
        try:
            return make()
        except StoreError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


# -- what is told -----------------------------------------------------------------------------------------


def _workers(
    site: Supervisor, monkeypatch: pytest.MonkeyPatch, heard_at: datetime, status: str = "ONLINE"
) -> None:
    """Let the server say when it heard of the worker."""
    said = {"name": worker_name(site.home), "status": status, "last_heartbeat_time": heard_at.isoformat()}

    def post(_api: SiteApi, path: str, _content: object = None) -> Any:
        return [said] if "workers" in path else [{"name": "juki"}]

    monkeypatch.setattr(SiteApi, "post", post)


def test_what_can_not_be_started_again_is_told_before(
    site: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told after the start, and so of what did not start nobody heard."""
    told = list[tuple[Code, str]]()

    def raise_alarm(_url: str, alarm: Any, *_: Any, **__: Any) -> None:
        told.append((alarm.kind.code, alarm.about))

    monkeypatch.setattr(supervising, "ensure_servers", lambda *_: None)
    monkeypatch.setattr(supervising, "raise_alarm", raise_alarm)
    monkeypatch.setattr(Supervisor, "_start_server", lambda _: _full_disk())
    site.children = {SERVER: _dead(), WORKER: _dead()}
    site._cared_for(site._look_after_children, "children", 0)
    assert told == [(Code.ALARM_SITE_RESTARTED, SERVER)]
    note = _note(site)
    assert (note.restarts, len(note.restarted), note.is_answering) == (1, 1, False)
    assert note.failing == ("children",)


def test_alarm_that_can_not_be_told_keeps_nothing_from_starting_and_is_told_later(
    site: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of notifications is full: the server starts, and the alarm is told when there is room."""
    answers: list[Exception | None] = [StoreError(Code.NOTIFICATION_UNWRITTEN), OSError("山田"), None]
    started, told = list[str](), list[str]()

    def raise_alarm(_url: str, alarm: Any, *_: Any, **__: Any) -> None:
        error = answers.pop(0)
        if error is not None:
            raise error
        told.append(alarm.about)

    monkeypatch.setattr(supervising, "ensure_servers", lambda *_: None)
    monkeypatch.setattr(supervising, "raise_alarm", raise_alarm)
    monkeypatch.setattr(Supervisor, "_start_server", lambda _: started.append(SERVER))
    site.children = {SERVER: _dead(), WORKER: _dead()}
    site._cared_for(site._look_after_children, "children", 0)
    assert (started, told) == ([SERVER], [])
    for _ in range(3):
        site._cared_for(site._look_after_alarms, "alarms", 0)
    assert (told, answers, _note(site).failing) == ([SERVER], [], ())


def test_alarm_is_told_once_when_only_the_log_is_away(
    site: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it was told though it was not logged; told every minute, it would be sixty letters an hour."""
    tried = list[str]()

    def raise_alarm(_url: str, alarm: Any, *_: Any, **__: Any) -> None:
        tried.append(alarm.about)
        raise StoreError(Code.STORE_UNREACHABLE)

    monkeypatch.setattr(supervising, "raise_alarm", raise_alarm)
    site.untold = {SERVER}
    for _ in range(3):
        site._cared_for(site._look_after_alarms, "alarms", 0)
    assert tried == [SERVER]


def test_worker_that_dies_at_every_start_is_not_called_running(
    site: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server still calls it online, for it was heard of a moment ago; it is the one before that was heard."""
    monkeypatch.setattr(supervising, "ensure_servers", lambda *_: None)
    monkeypatch.setattr(supervising, "raise_alarm", lambda *_, **__: True)
    monkeypatch.setattr(supervising, "crash_dead_runs", lambda *_: 0)
    monkeypatch.setattr(supervising, "worker_command", lambda _: ["false"])
    before = datetime.now(UTC)
    site.children = {SERVER: subprocess.Popen(["sleep", "60"]), WORKER: _dead()}
    _workers(site, monkeypatch, before)
    for _ in range(3):
        site._cared_for(site._look_after_children, "children", 0)
        site.children[WORKER].wait()
        site.due.clear()
        site._cared_for(site._listen_to_worker, "listening", 0)
    note, now = _note(site), datetime.now(UTC)
    assert note.trouble_at(now) is Code.SITE_WORKER_SILENT
    assert len(note.restarted_lately(now)) == 3
    site.children[WORKER] = subprocess.Popen(["sleep", "60"])
    _workers(site, monkeypatch, now + timedelta(seconds=1))
    site._listen_to_worker()
    assert _state(site) is SiteState.UP


def test_worker_that_hangs_is_said_before_it_is_ended(
    site: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After two looks schedules are known to stand still; after five it is ended. One look may be chance."""
    site.children = {WORKER: subprocess.Popen(["sleep", "60"])}
    _workers(site, monkeypatch, datetime.now(UTC), "OFFLINE")
    seen = list[tuple[Code | None, bool]]()
    for _ in range(5):
        site._look_after_worker()
        seen.append((_note(site).trouble_at(datetime.now(UTC)), site.children[WORKER].poll() is None))
    silent = Code.SITE_WORKER_SILENT
    assert seen == [(None, True), (silent, True), (silent, True), (silent, True), (silent, False)]


def test_worker_that_was_never_heard_of_is_ended_too(
    site: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs before its first beat: the server does not know it, or knows the one before."""
    site.children = {WORKER: subprocess.Popen(["sleep", "60"])}
    _workers(site, monkeypatch, site.worker_began_at - timedelta(seconds=1))
    for _ in range(5):
        site._look_after_worker()
    assert site.children[WORKER].poll() is not None


def test_supervisor_writes_that_it_lives_every_minute_and_while_it_waits(
    site: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while a server is being started again, which may take long."""
    written = list[SiteNote]()
    monkeypatch.setattr(SiteFiles, "write", lambda _, note: written.append(note))
    monkeypatch.setattr(supervising, "_LOOK_SECONDS", 0)
    site.children[SERVER] = subprocess.Popen(["sleep", "60"])
    looks = iter([False, False, False, True])

    def look() -> bool:
        site.diary.due -= 30
        return next(looks)

    site._wait_for(look)
    assert len(written) == 1


def test_site_whose_supervisor_hangs_is_not_waited_for(tmp_path: Path) -> None:
    """`juki up` says so at once, with what to do, instead of after twenty minutes."""
    files = SiteFiles(Home.at(tmp_path))
    files.home.create()
    long_ago = datetime(2020, 12, 1, tzinfo=UTC).isoformat()
    files.write(
        SiteNote(identity_of(os.getpid()), 4200, long_ago, True, True, is_working=True, beat=long_ago)
    )
    with pytest.raises(StoreError) as refused:
        _ready(files, None)
    assert refused.value.code is Code.SITE_UNWATCHED


def test_start_that_fails_again_and_again_is_one_long_start(tmp_path: Path) -> None:
    """A service manager starts it anew every few seconds; one that was ready begins anew."""
    files = SiteFiles(Home.at(tmp_path))
    files.home.create()
    files.write(SiteNote("1:0", 4200, "2020-12-01T00:00:00+00:00"))
    first = Diary.of(files, 4200)
    assert first.note.since == "2020-12-01T00:00:00+00:00"
    first.ready()
    assert _since(files) > "2020-12-02" and first.note.is_ready
    files.write(SiteNote("1:0", 4200, "2020-11-01T00:00:00+00:00", is_ready=True))
    assert Diary.of(files, 4200).note.since != "2020-11-01T00:00:00+00:00"


def _since(files: SiteFiles) -> str:
    return str(json.loads(files.note_file.read_text())["since"])
