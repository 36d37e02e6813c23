"""A real Prefect server and worker with our deployments, as environment and API. Test-only."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg

from flows.choices import FileChoice, ModeChoice, MunicipalityChoice, choices_of
from juki.differences import Mode
from juki.home import Home
from juki.order import Channel
from juki.store import embedded

if TYPE_CHECKING:
    from tests.flows.conftest import Town

ROOT = Path(__file__).resolve().parents[2]
RUN_SECONDS = 240
"""For a run to begin and end on a busy machine: the process of a run imports for many seconds."""
_ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


@dataclass(slots=True)
class Site:
    """A running server with a worker on the pool `juki`."""

    environment: dict[str, str]
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def api(self) -> str:
        """The URL of the API."""
        return self.environment["PREFECT_API_URL"]

    @property
    def pages(self) -> str:
        """The URL of the screens."""
        return self.api.removesuffix("/api")

    def get(self, path: str) -> Any:
        """Ask the API."""
        return self._answer("GET", path)

    def post(self, path: str, content: dict[str, Any] | None = None) -> Any:
        """Tell the API."""
        return self._answer("POST", path, json=content or {})

    def prefect(self, *arguments: str) -> None:
        """Run Prefect's own command line against the server."""
        command = [sys.executable, "-m", "prefect", "--no-prompt", *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def deploy(self) -> None:
        """Create what deployments.yaml says, with all schedules paused: only what is asked for runs."""
        self.prefect("work-pool", "create", "--type", "process", "juki")
        self.prefect("deploy", "--all", "--prefect-file", "deployments.yaml")
        for one in self.post("/deployments/filter"):
            self.post(f"/deployments/{one['id']}/pause_deployment")
            self.deployments[one["name"]] = one

    def start(self, channel: Channel, mode: Mode) -> str:
        """Start a reconciliation as the run form does, with the words of its choices; return the run."""
        municipality, file = choices_of(channel)
        asked = parameters(municipality, file, ModeChoice[mode.name])
        deployment = self.deployments["reconcile"]["id"]
        made = self.post(f"/deployments/{deployment}/create_flow_run", {"parameters": asked})
        return str(made["id"])

    def retry(self, run: str) -> None:
        """Do what the button Retry of the screens does."""
        state = {"type": "SCHEDULED", "name": "AwaitingRetry", "message": "Retry from the UI"}
        self.post(f"/flow_runs/{run}/set_state", {"state": state, "force": True})

    def ended(self, run: str, times: int = 1) -> dict[str, Any]:
        """Wait until a run has ended so many times; return its state."""
        for _ in range(RUN_SECONDS):
            found: dict[str, Any] = self.get(f"/flow_runs/{run}")
            if found["run_count"] >= times and found["state_type"] in _ENDED:
                state: dict[str, Any] = found["state"]
                return state
            time.sleep(1)
        raise AssertionError(f"the run is {found['state_name']} and does not end")

    def artifacts(self) -> dict[str, dict[str, Any]]:
        """Read the newest artifact of each key."""
        found = self.post("/artifacts/filter", {"sort": "UPDATED_DESC"})
        # Those without a key only say where a result would be.
        return {one["key"]: one for one in reversed(found) if one["key"]}

    def everything(self) -> str:
        """Read all that the server tells of runs: their logs, states, tasks, artifacts, events."""
        said = [self.post(f"/{what}/filter") for what in ("flow_runs", "task_runs", "logs", "artifacts")]
        states = [self.get(f"/flow_run_states/?flow_run_id={run['id']}") for run in said[0]]
        return f"{said} {states} {self.post('/events/filter')}"

    def _answer(self, method: str, path: str, **how: Any) -> Any:
        answer = httpx.request(method, f"{self.api}{path}", timeout=60, **how)
        assert answer.status_code < 300, f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


def parameters(municipality: MunicipalityChoice, file: FileChoice, mode: ModeChoice) -> dict[str, str]:
    """Write what was chosen as the run form sends it."""
    return {"municipality": str(municipality.value), "file": str(file.value), "mode": str(mode.value)}


@dataclass(slots=True)
class Engine:
    """One server for all processes of a session that run a flow each: started for the first, or never.

    Without it each of them would start a server of its own, as the product does: ten seconds of a core. That is
    what the runs of the canary, of the demo and of the faults do.
    """

    home: Home
    _site: Site | None = None
    _ends: ExitStack = field(default_factory=ExitStack)

    @property
    def environment(self) -> dict[str, str]:
        """What leads a process to the server."""
        if self._site is None:
            folder = Path(self._ends.enter_context(tempfile.TemporaryDirectory(prefix="juki-engine-")))
            database = self._ends.enter_context(_database(self.home, "prefect_engine"))
            self._site = self._ends.enter_context(_server(folder, database, has_pages=False))
        return {"PREFECT_API_URL": self._site.api}

    def close(self) -> None:
        """End the server."""
        self._ends.close()


@contextmanager
def _database(home: Home, name: str = "prefect_site") -> Iterator[str]:
    """Make a database for the server beside the stores, as the product has it; SQLite answers 503 under load."""
    with psycopg.connect(embedded.start(home), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[arg-type]
    embedded.ensure_database(embedded.admin_url(home), name, ("pg_trgm",))
    yield embedded.admin_url(home, name).replace("postgresql://", "postgresql+asyncpg://", 1)
    with psycopg.connect(embedded.admin_url(home), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


@contextmanager
def _server(folder: Path, database: str, *, has_pages: bool) -> Iterator[Site]:
    """Run a server on a free port while the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "JUKI_"))}
    environment = clean | {
        "PREFECT_HOME": str(folder),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_API_DATABASE_CONNECTION_URL": database,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": str(has_pages).lower(),
        # The newer screens call an analytics host on every page.
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
    with running(
        [*command, *([] if has_pages else ["--no-ui"])], environment, folder / "server.log"
    ) as process:
        wait_for(environment["PREFECT_API_URL"], process)
        yield Site(environment)


@contextmanager
def site(town: Town, folder: Path, *, has_pages: bool = False, **settings: str) -> Iterator[Site]:
    """Run a server with our deployments, and a worker for the installation of a town."""
    with _database(town.home) as database, _server(folder, database, has_pages=has_pages) as made:
        made.environment |= {"JUKI_HOME": str(town.home.root)} | settings
        made.deploy()
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "juki", "--type", "process"]
        with running(command, made.environment, folder / "worker.log"):
            yield made


@contextmanager
def running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of Prefect while the block runs, what it says in a log."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                # A worker waits for the runs it began; what it did is in the stores, and nobody needs it any more.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=20)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a Prefect server answers."""
    for _ in range(1200):
        assert process.poll() is None, "the Prefect server ended"
        try:
            if httpx.get(f"{url}/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the Prefect server does not answer")
