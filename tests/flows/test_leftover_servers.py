"""The temporary Prefect server of a run that was killed is ended by the next run, and no other ever is."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from flows.leftover_servers import _servers, end_leftovers, this_run
from tests.flows.conftest import Town


def _server_of(town: Town, run: subprocess.Popen[bytes]) -> int:
    """Wait until the run has started its server."""
    for _ in range(600):
        for number, name in _servers(town.home.prefect):
            if name.startswith(f"{run.pid}:"):
                return number
        assert run.poll() is None, "the run ended without a server"
        time.sleep(0.1)
    raise AssertionError("no server was started")


def _is_there(number: int, town: Town) -> bool:
    return number in {found for found, _ in _servers(town.home.prefect)}


def test_the_server_of_a_killed_run_is_ended_and_that_of_a_living_one_is_not(town: Town) -> None:
    """Killed runs would otherwise use up the memory and the connections that the next ones need."""
    command = [sys.executable, "-m", "juki", "intake", "--file", "resident", "--json"]
    with subprocess.Popen(
        command, env=town.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        server = _server_of(town, run)
        assert end_leftovers(town.home.prefect) == 0
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert _is_there(server, town)
    assert end_leftovers(town.home.root / "another") == 0
    assert end_leftovers(town.home.prefect) == 1
    for _ in range(100):
        if not _is_there(server, town):
            break
        time.sleep(0.1)
    assert not _is_there(server, town)


def test_a_later_process_with_the_same_number_is_another_run() -> None:
    """Process numbers come again; the instant a process began does not."""
    number, _, began = this_run().partition(":")
    assert number.isdigit() and began.isdigit()
