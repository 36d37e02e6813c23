"""The site of a town, started and ended as a user does. Test-only."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from flows.serving.children import living_runs, of_the_site
from juki.site import SiteFiles
from juki.wire.site_api import SiteApi
from tests.flows.conftest import Town
from tests.smtp_sink import SmtpSink

T = TypeVar("T")
PATIENCE_SECONDS = 900
"""A process of Prefect imports for many seconds, and for minutes on a busy machine."""
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

    @property
    def files(self) -> SiteFiles:
        """The files of the site."""
        return SiteFiles(self.town.home)

    @property
    def api(self) -> SiteApi:
        """The API, with the password."""
        return SiteApi(self.port, self.files.credentials())

    @property
    def environment(self) -> dict[str, str]:
        """The environment of whoever starts it."""
        return self.town.environment | {
            "JUKI_PREFECT_PORT": str(self.port), "JUKI_SMTP_HOST": "127.0.0.1",
            "JUKI_SMTP_PORT": str(self.sink.port), "JUKI_SMTP_FROM": "juki@pref.example",
            "JUKI_SMTP_TO": '["duty@pref.example"]', "JUKI_SMTP_STARTTLS": "false",
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

    def state(self, run: str) -> str:
        """Tell how a run is."""
        return str(self.api.get(f"/flow_runs/{run}")["state_type"])

    def ended(self, run: str) -> str:
        """Wait until a run has ended; tell how."""
        return eventually(lambda: state if (state := self.state(run)) in ENDED else None)

    def running(self, run: str) -> list[int]:
        """Wait until a run is at work; return its processes."""
        eventually(lambda: self.state(run) == "RUNNING")
        return living_runs(self.town.home)[run]

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
    """End processes as a loss of power would."""
    for number in numbers:
        os.kill(number, signal.SIGKILL)


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
