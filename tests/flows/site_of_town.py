"""The site of a town, started and ended as a user does. Test-only."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from flows.serving.children import living_runs, of_the_site
from juki.columns import IdentityFile
from juki.order import Channel
from juki.processes import identity_of, lives
from juki.reasons import Code
from juki.site import SiteFiles
from juki.wire.site_api import SiteApi
from simulator import installation
from tests.flows.conftest import Town
from tests.smtp_sink import SmtpSink

T = TypeVar("T")
PATIENCE_SECONDS = 900
"""A process of Prefect imports for many seconds, and for minutes on a busy machine."""
API_SECONDS = 300
ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


def eventually(look: Callable[[], T | None]) -> T:
    """Look until there is something to see."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        seen = look()
        if seen:
            return seen
        time.sleep(0.3)
    raise AssertionError("it does not come")


@dataclass(slots=True)
class TownSite:
    """The site of one town at a free port, its alarms posted to a sink."""

    town: Town
    port: int
    sink: SmtpSink
    deployments: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    """More of the environment it is started in."""

    @property
    def files(self) -> SiteFiles:
        """The files of the site."""
        return SiteFiles(self.town.home)

    @property
    def api(self) -> SiteApi:
        """The API, with the password."""
        return SiteApi(self.port, self.files.credentials(), API_SECONDS)

    @property
    def furniture(self) -> SiteApi:
        """The API with the key of the site as well, as `juki up` has it."""
        return SiteApi(self.port, self.files.credentials(), API_SECONDS, self.files.site_key())

    @property
    def environment(self) -> dict[str, str]:
        """The environment of whoever starts it."""
        return self.town.environment | {
            "JUKI_PREFECT_PORT": str(self.port), "JUKI_SMTP_HOST": "127.0.0.1",
            "JUKI_SMTP_PORT": str(self.sink.port), "JUKI_SMTP_FROM": "juki@pref.example",
            "JUKI_SMTP_TO": '["duty@pref.example"]', "JUKI_SMTP_STARTTLS": "false", **self.settings,
        }  # fmt: skip

    def juki(self, *arguments: str) -> dict[str, Any]:
        """Run the command line; return what it says to programs."""
        done = subprocess.run(
            [sys.executable, "-m", "juki", *arguments, "--json"], env=self.environment, capture_output=True,
            text=True, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stdout + done.stderr + self._logged()
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def up(self) -> dict[str, Any]:
        """Start it, and pause what would run by itself once that was seen."""
        said = self.juki("up")
        found = self.api.post("/deployments/filter")
        self.deployments = {one["name"]: one["id"] for one in found}
        return said

    def pause(self) -> None:
        """Let nothing run but what is asked for."""
        for number in self.deployments.values():
            self.api.post(f"/deployments/{number}/pause_deployment")

    def down(self) -> dict[str, Any]:
        """End it; the database is the town's."""
        return self.juki("down", "--keep-database")

    def start(self, deployment: str, **parameters: Any) -> str:
        """Ask for a run of a deployment; return its number."""
        asked = {"parameters": parameters}
        return str(self.api.post(f"/deployments/{self.deployments[deployment]}/create_flow_run", asked)["id"])

    def start_at(self, deployment: str, at: datetime, **parameters: Any) -> str:
        """Ask for a run at an instant; return its number."""
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": at.isoformat()}}
        asked = {"parameters": parameters, "state": state}
        return str(self.api.post(f"/deployments/{self.deployments[deployment]}/create_flow_run", asked)["id"])

    def end(self, run: str, state: str) -> None:
        """Let a run be in a state, as the site's own processes may; the server tells everybody as if it were so."""
        said = {"type": state, "name": state.capitalize()}
        ours = SiteApi(self.port, self.files.credentials(), site_key=self.files.site_key())
        ours.post(f"/flow_runs/{run}/set_state", {"state": said, "force": True})

    def run(self, run: str) -> dict[str, Any]:
        """Read what the server keeps of a run."""
        found: dict[str, Any] = self.api.get(f"/flow_runs/{run}")
        return found

    def state(self, run: str) -> str:
        """Tell how a run is."""
        return str(self.run(run)["state_type"])

    def ended(self, run: str) -> str:
        """Wait until a run has ended; tell how."""
        return eventually(lambda: state if (state := self.state(run)) in ENDED else None)

    def at_rest(self) -> None:
        """Wait until no run is at work or about to be."""
        due = {"before_": (datetime.now(UTC) + timedelta(minutes=1)).isoformat()}
        busy = [
            {"state": {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}},
            {"state": {"type": {"any_": ["SCHEDULED"]}}, "expected_start_time": due},
        ]
        eventually(lambda: not any(self.api.post("/flow_runs/filter", {"flow_runs": one}) for one in busy))

    def begin_anew(self) -> None:
        """Let nothing be sent, stored or told yet, and nothing be about to be."""
        self.at_rest()
        self.town.forget()
        self.town.offices = installation.offices(self.town.home, self.town.made)
        shutil.rmtree(self.town.home.notifications, ignore_errors=True)
        self.sink.letters.clear()

    def running(self, run: str) -> list[int]:
        """Wait until a run is at work; return its processes."""
        eventually(lambda: self.state(run) == "RUNNING")
        return living_runs(self.town.home)[run]

    def is_told(self, kind: Code, about: str, file: IdentityFile = IdentityFile.RESIDENT) -> None:
        """Find one alarm about it in the operation log of its file, in the folder of notifications, and in a letter.

        Others of the kind may be there: a run that an earlier test killed is told of when its time has come.
        """
        code, folder = kind.value, self.town.home.notifications
        logged = "SELECT entry FROM journal WHERE action = 'alarm.raised'"
        town = replace(self.town, channel=Channel(self.town.channel.municipality_code, file))

        def entries() -> list[dict[str, str]]:
            found = [json.loads(row[0]) for row in town.rows(logged)]
            return [one for one in found if (one["code"], one["basis"].split(" ")[0]) == (code, about)]

        assert len(eventually(entries)) == 1
        told = [json.loads(line) for line in (folder / "alarms.jsonl").read_text("utf-8").splitlines()]
        assert [one["about"] for one in told if one["code"] == code].count(about) == 1
        letter = eventually(lambda: [one for one in self.sink.letters if one["X-Juki-Alarm"] == code])[0]
        assert letter["To"] == "duty@pref.example" and kind.message in letter.get_content()

    def child(self, *words: str) -> int:
        """Find the one process of the site whose command has these words."""
        for process in of_the_site(self.town.home):
            if all(word in command_of(process.number) for word in words):
                return process.number
        raise AssertionError(f"no process of {words}")

    def _logged(self) -> str:
        return "".join(path.read_text()[-2000:] for path in self.town.home.logs.glob("prefect-*.log"))


def command_of(number: int) -> list[str]:
    """Read the command of a process, as every user of the machine can."""
    return Path(f"/proc/{number}/cmdline").read_bytes().decode().split("\0")


def kill(*numbers: int) -> None:
    """End processes as a loss of power would, and wait until they are no more."""
    known = [identity_of(number) for number in numbers]
    for number in numbers:
        os.kill(number, signal.SIGKILL)
    eventually(lambda: not any(lives(one) for one in known))


@contextmanager
def site_of(town: Town, sink: SmtpSink) -> Iterator[TownSite]:
    """Name a site at a free port, and leave nothing of it behind."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        made = TownSite(town, probe.getsockname()[1], sink)
    try:
        yield made
    finally:
        if made.files.note() is not None or of_the_site(town.home):
            made.down()
