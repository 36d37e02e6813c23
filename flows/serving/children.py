"""The processes of the site: what each is started with, and how all of them are found and ended.

Decides:    the environment of server and worker, and the mark by which a process belongs to the site of a home.
Leaves:     when they are started to `flows.serving.supervisor`.
Invariants: the server's password reaches its own processes by their environment only, never a command line; a process
            without the mark of this home is never touched. Nothing Prefect is told by whoever calls gets through.
Source:     design 6, ADR-0034.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

from config.settings import Settings
from flows.environment import ALWAYS, HEARTBEAT_SECONDS, database_settings
from flows.leftover_servers import RUN
from juki.home import Home
from juki.processes import Process, end, marked
from juki.site import SiteFiles, pages_of
from juki.wire.site_api import SITE_HEADER

MARK = "SITE_OF_JUKI"
"""Whose site a process belongs to: the folder of Prefect in a home."""
FLOW_RUN = "PREFECT__FLOW_RUN_ID"
"""Set by a worker for the process of a run."""
POOL = "juki"
_LATE_AFTER_SECONDS = 300
_MOST_LOG_BYTES = 10_000_000
PATIENCE_SECONDS = 15
"""For a process to end by itself once it was asked to."""

_SERVER = {
    "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
    # The newer screens call an analytics host on every page (ADR-0034).
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P7D",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    # On a busy machine its ten seconds for a statement break off answers, and those end a worker.
    "PREFECT_SERVER_DATABASE_TIMEOUT": "60",
    "PREFECT_SERVER_DATABASE_CONNECTION_TIMEOUT": "30",
    # A night's runs that wait for their turn after an outage ask again and again: its five connections and ten more
    # were used up by forty, and every question costs it as much as a start.
    "PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE": "10",
    "PREFECT_SERVER_DATABASE_SQLALCHEMY_MAX_OVERFLOW": "20",
    "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "60",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": str(_LATE_AFTER_SECONDS),
    # In memory, a slot held when the server is killed would be held for ever.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    "PREFECT__SERVER_FINAL": "1",
}
_WORKER = {
    "PREFECT_LOGGING_LEVEL": "INFO",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
    "PREFECT_WORKER_QUERY_SECONDS": "5",
}


def worker_name(home: Home) -> str:
    """Name the worker of a home: the same whenever it starts, another on another machine or for another home."""
    return f"juki-{socket.gethostname()}-{crc32(os.fsencode(home.root)):08x}"


def server_command(listening: int) -> list[str]:
    """Write the command of the server, which is handed a socket by its number."""
    return [
        sys.executable, "-m", "flows.serving.server", str(listening), "flows.serving.app:create_app"
    ]  # fmt: skip


def worker_command(home: Home) -> list[str]:
    """Write the command of the worker, which makes its pool where there is none."""
    name = worker_name(home)
    return [
        sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--type", "process", "--name", name
    ]  # fmt: skip


def client_environment(home: Home, port: int) -> dict[str, str]:
    """Lead a process to the server of the site, and mark it as one of the site."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    inherited.pop(RUN, None)
    return inherited | ALWAYS | _WORKER | {
        MARK: str(home.prefect),
        "JUKI_HOME": str(home.root),
        "PREFECT_HOME": str(home.prefect),
        "PREFECT_API_URL": f"{pages_of(port)}/api",
        "PREFECT_API_AUTH_STRING": SiteFiles(home).credentials(),
        "PREFECT_CLIENT_CUSTOM_HEADERS": json.dumps({SITE_HEADER: SiteFiles(home).site_key()}),
    }  # fmt: skip


def server_environment(home: Home, settings: Settings, port: int) -> dict[str, str]:
    """Tell the server who may come in, where its records are, and what it does besides."""
    files = SiteFiles(home)
    return client_environment(home, port) | _SERVER | {
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_UI_API_URL": f"{pages_of(port)}/api",
        # Else they are copied into the installed package, which may be another account's.
        "PREFECT_UI_STATIC_DIRECTORY": str(home.prefect / "pages"),
        "PREFECT_SERVER_API_AUTH_STRING": files.credentials(),
        "PREFECT_SERVER_ENCRYPTION_KEY": files.encryption_key(),
        "SITE_KEY": files.site_key(),
        **database_settings(home, settings),
    }  # fmt: skip


def start_child(
    command: list[str],
    environment: dict[str, str],
    log: Path,
    folder: Path = Path("/"),
    handed: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a process of the site in a session of its own, what it says at the end of a log.

    Of what its parent holds open it gets what it is handed, by number, and nothing else.
    """
    if log.exists() and log.stat().st_size > _MOST_LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, pass_fds=handed,
        )  # fmt: skip


def of_the_site(home: Home) -> list[Process]:
    """Find the processes of the site of a home, the one that asks apart."""
    return [one for one in marked(MARK, str(home.prefect)) if one.number != os.getpid()]


def living_runs(home: Home) -> dict[str, list[int]]:
    """Find the runs of the site's worker that live, each with its processes."""
    found = dict[str, list[int]]()
    for process in of_the_site(home):
        run = process.environment.get(FLOW_RUN)
        if run is not None:
            found.setdefault(run, []).append(process.number)
    return found


def end_runs(home: Home) -> None:
    """End the processes of all runs: what they did is in the stores, and the next run goes on with it."""
    end([number for numbers in living_runs(home).values() for number in numbers], PATIENCE_SECONDS)


def end_all(home: Home) -> None:
    """End whatever is left of the site of a home."""
    end_runs(home)
    end([one.number for one in of_the_site(home)], PATIENCE_SECONDS)


def stop_child(child: subprocess.Popen[bytes]) -> None:
    """Ask a child to end, and end it when it does not."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
    child.wait()
