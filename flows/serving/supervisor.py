"""The supervisor: the one process that starts the site, watches over it, and ends it.

Decides:    in which order the parts of the site start and end, when one is started again, and what is done in between
            (dead runs ended, letters posted, the database kept running).
Leaves:     what server and worker are told to `flows.serving.children`, the records of Prefect to
            `flows.serving.recovering`.
Invariants: one a home, by a lock that goes with the process. It imports no Prefect, so that what stops Prefect does
            not stop it. Once everything is there, nothing that fails ends it but being asked to. Whatever it or its
            children die of, the next start ends what is left and goes on.
Source:     ADR-0034.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from types import FrameType

from config.notifying import is_posting, notifications, post_unsent
from config.settings import Settings
from config.stores import admin_url, ensure_servers
from flows.serving.children import (
    PATIENCE_SECONDS,
    client_environment,
    end_all,
    end_runs,
    server_command,
    server_environment,
    start_child,
    stop_child,
    worker_command,
)
from flows.serving.exclusive import alone, own_port
from flows.serving.furnishing import furnish, taken
from flows.serving.noting import Diary, say
from flows.serving.recovering import OPEN, crash_dead_runs, drop_missed_runs, outlived, worker_heard_at
from juki.alarms import Alarm, AlarmKind
from juki.columns import IdentityFile
from juki.errors import JukiError, StoreError
from juki.home import Home
from juki.oplog.alarming import raise_alarm
from juki.processes import end
from juki.reasons import Code
from juki.site import SiteFiles
from juki.wire.site_api import SiteApi

SERVER, WORKER = "server", "worker"
_START_SECONDS = 600
_LOOK_SECONDS = 0.5
_HEALTH_EVERY_SECONDS = 10
_HEALTH_TIMEOUT_SECONDS = 10
_DEAF_AFTER_LOOKS = 6
_LISTEN_EVERY_SECONDS = 5
_WORKER_SECONDS = 120
_UNHEARD_AFTER_LOOKS, _MUTE_AFTER_LOOKS = 2, 5
"""Each a minute after the one before: a worker that is starting on a busy machine is given time."""
_CARE_EVERY_SECONDS = 60
_LONGEST_PAUSE_SECONDS = 60


class EndAskedError(Exception):
    """Somebody asked the supervisor to end the site."""


@dataclass(slots=True)
class Supervisor:
    """The site of one home."""

    home: Home
    settings: Settings
    api: SiteApi
    diary: Diary
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    listening: socket.socket | None = None
    """The port of the site, its own for its whole life."""
    worker_began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    untold: set[str] = field(default_factory=set)
    """Parts that ended, of which nobody could be told yet."""
    silent_looks: int = 0
    mute_looks: int = 0
    stopping: Event = field(default_factory=Event)
    due: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, home: Home, settings: Settings) -> Supervisor:
        """Prepare the supervisor of a home; starts nothing."""
        files = SiteFiles(home)
        api = SiteApi(settings.prefect_port, files.credentials(), _HEALTH_TIMEOUT_SECONDS, files.site_key())
        return cls(home, settings, api, Diary.of(files, settings.prefect_port))

    def run(self) -> None:
        """Start the site, watch over it until asked to end, and end it.

        Raises: StoreError(SITE_RUNNING) when another supervisor does; JukiError for what keeps it from starting.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        with alone(SiteFiles(self.home)):
            failure = Code.RUN_UNEXPECTED.value
            try:
                self._start()
                self._watch()
            except EndAskedError:
                failure = ""
            except JukiError as error:
                failure = error.code.value
                raise
            finally:
                try:
                    self._end()
                finally:
                    self._leave(failure)

    def _leave(self, failure: str) -> None:
        if failure:
            self.diary.write(failure=failure)
        else:
            SiteFiles(self.home).forget()

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping.set()

    # -- starting -----------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Bring up database, server, records, worker, schedules, in this order."""
        end_all(self.home)
        self.diary.write()
        ensure_servers(self.home, self.settings)
        self.listening = own_port(self.settings.prefect_port)
        self._start_server()
        self._wait_for(taken(lambda: crash_dead_runs(self.api, self.home, OPEN)))
        self._wait_for(taken(lambda: drop_missed_runs(self.api, datetime.now(UTC))))
        self._start_worker()
        furnish(self.api, self.home, self.settings, self._wait_for)
        self._await_worker()
        self.diary.ready()
        say("ready")

    def _start_server(self) -> None:
        environment = server_environment(self.home, self.settings, self.settings.prefect_port)
        if self.listening is None:
            raise StoreError(Code.SITE_NOT_STARTED, SERVER)
        handed = self.listening.fileno()
        log = self.home.logs / "prefect-server.log"
        self.children[SERVER] = start_child(server_command(handed), environment, log, handed=(handed,))
        self._wait_for(self.api.is_answering)
        self.silent_looks = 0

    def _start_worker(self) -> None:
        self.mute_looks, self.worker_began_at = 0, datetime.now(UTC)
        environment = client_environment(self.home, self.settings.prefect_port)
        log = self.home.logs / "prefect-worker.log"
        self.children[WORKER] = start_child(worker_command(self.home), environment, log)

    def _wait_for(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so while the server lives.

        Raises: StoreError(SITE_NOT_STARTED); EndAskedError.
        """
        until = time.monotonic() + _START_SECONDS
        while not is_so():
            self._pause()
            if self.children[SERVER].poll() is not None or time.monotonic() > until:
                raise StoreError(Code.SITE_NOT_STARTED, SERVER)

    def _await_worker(self) -> None:
        """Wait until the worker is heard of, but not for one that died: that is looked after like any other."""
        until = time.monotonic() + _WORKER_SECONDS
        while not self.diary.note.is_working and time.monotonic() < until:
            self._tried(self._listen_to_worker, "listening")
            if self.children[WORKER].poll() is not None:
                return
            self._pause()

    def _pause(self) -> None:
        self.diary.beat()
        if self.stopping.wait(_LOOK_SECONDS):
            raise EndAskedError

    # -- watching -----------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while True:
            self._pause()
            self._cared_for(self._look_after_children, "children", _LOOK_SECONDS)
            self._cared_for(self._look_after_database, "database", _HEALTH_EVERY_SECONDS)
            self._cared_for(self._look_after_health, "health", _HEALTH_EVERY_SECONDS)
            self._cared_for(self._listen_to_worker, "listening", _LISTEN_EVERY_SECONDS)
            self._cared_for(self._look_after_runs, "runs", _CARE_EVERY_SECONDS)
            self._cared_for(self._look_after_worker, "worker", _CARE_EVERY_SECONDS)
            self._cared_for(self._look_after_alarms, "alarms", _CARE_EVERY_SECONDS)
            self._cared_for(self._look_after_letters, "letters", _CARE_EVERY_SECONDS)

    def _cared_for(self, care: Callable[[], None], name: str, every_seconds: float) -> None:
        """Do something now and then, again in its turn."""
        if time.monotonic() < self.due.get(name, 0):
            return
        self.due[name] = time.monotonic() + every_seconds
        self._tried(care, name)

    def _tried(self, care: Callable[[], None], name: str) -> None:
        """Do something, and go on whatever becomes of it: what fails is said, what nobody foresaw is a trouble."""
        try:
            care()
        except EndAskedError:
            raise
        except JukiError as error:
            say(f"{name} {error.code.value}")
        except Exception as error:  # noqa: BLE001 - whatever it is, server and worker must not be left unwatched
            say(f"{name} {type(error).__name__}")
            self.diary.judge(name, is_failing=True)
        else:
            self.diary.judge(name, is_failing=False)

    def _look_after_children(self) -> None:
        """Start again what ended by itself: a worker's runs end with it, for nobody could end them any more."""
        if self.children[SERVER].poll() is not None:
            self._restart(SERVER, self._start_server, is_answering=False)
            self.diary.write(is_answering=True)
        elif self.children[WORKER].poll() is not None:
            end_runs(self.home)
            self._restart(WORKER, self._start_worker, is_working=False)

    def _restart(self, part: str, start: Callable[[], None], **said: bool) -> None:
        """Start a part again; that it ended is told before, for it may be that it can not be started."""
        say(f"restarting {part}")
        # The more often, the longer the pause: what ends at once would otherwise use up the machine.
        pause = min(2 ** self.diary.restarting(**said), _LONGEST_PAUSE_SECONDS)
        self.due["children"] = time.monotonic() + pause
        self._tried(self._look_after_database, "database")
        self.untold.add(part)
        self._tried(self._look_after_alarms, "alarms")
        if part == WORKER:
            crash_dead_runs(self.api, self.home, OPEN)
        start()

    def _look_after_alarms(self) -> None:
        """Tell which parts ended; once where the log is away, for then it was told nevertheless."""
        for part in sorted(self.untold):
            try:
                self._raise_restarted(part)
            except StoreError as error:
                if error.code is not Code.NOTIFICATION_UNWRITTEN:
                    self.untold.discard(part)
                raise
            self.untold.discard(part)

    def _raise_restarted(self, part: str) -> None:
        alarm = Alarm(AlarmKind.SITE_RESTARTED, part, datetime.now(UTC))
        url = admin_url(self.home, self.settings, IdentityFile.RESIDENT)
        is_posted = is_posting(self.settings)
        raise_alarm(url, alarm, "site", notifications(self.home), alarm.at, is_posted=is_posted)
        self.due["letters"] = 0

    def _look_after_database(self) -> None:
        ensure_servers(self.home, self.settings)

    def _look_after_health(self) -> None:
        """End a server that has not answered for a minute."""
        is_answering = self.api.is_answering()
        if is_answering != self.diary.note.is_answering:
            self.diary.write(is_answering=is_answering)
        self.silent_looks = 0 if is_answering else self.silent_looks + 1
        if self.silent_looks >= _DEAF_AFTER_LOOKS:
            stop_child(self.children[SERVER])

    def _look_after_runs(self) -> None:
        """End runs without a process, and processes without a run."""
        crash_dead_runs(self.api, self.home)
        end(outlived(self.api, self.home, datetime.now(UTC)), PATIENCE_SECONDS)

    def _look_after_worker(self) -> None:
        """End a worker that hangs: it takes no run, not even that of the alarm which would tell of it.

        A server that does not answer everybody at once may have missed its beats: that is held against nobody.
        """
        looks, self.mute_looks = self.mute_looks, 0
        if not self._is_worker_heard() and self.silent_looks == 0:
            self.mute_looks = looks + 1
        if self.mute_looks >= _UNHEARD_AFTER_LOOKS and self.diary.note.is_working:
            self.diary.write(is_working=False)
        if self.mute_looks >= _MUTE_AFTER_LOOKS:
            say(f"{WORKER} is silent")
            stop_child(self.children[WORKER])

    def _listen_to_worker(self) -> None:
        """Note a worker that is heard of for the first time, or again."""
        if not self.diary.note.is_working and self._is_worker_heard():
            self.diary.write(is_working=True)

    def _is_worker_heard(self) -> bool:
        """Tell whether the worker that was started last lives and has told the server so."""
        heard_at = worker_heard_at(self.api, self.home)
        is_heard = heard_at is not None and heard_at > self.worker_began_at
        return is_heard and self.children[WORKER].poll() is None

    def _look_after_letters(self) -> None:
        post_unsent(self.home, self.settings)

    # -- ending -------------------------------------------------------------------------------------------

    def _end(self) -> None:
        """End worker and runs, note the end of the runs, then end the server; whatever happens, nothing is left."""
        try:
            if WORKER in self.children:
                stop_child(self.children[WORKER])
            end_runs(self.home)
            if SERVER in self.children and self.children[SERVER].poll() is None:
                with suppress(Exception):
                    crash_dead_runs(self.api, self.home, OPEN)
                stop_child(self.children[SERVER])
        finally:
            end_all(self.home)
            if self.listening is not None:
                self.listening.close()
